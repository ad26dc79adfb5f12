-- +goose Up
-- who signs in by a provider, as that knows them; never by an address alone
CREATE TABLE oauth_identities (
	issuer TEXT NOT NULL,
	subject TEXT NOT NULL,
	user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (issuer, subject)
);
CREATE INDEX oauth_identities_user ON oauth_identities (user_id);

-- what a provider gave to act for a user: refresh is sealed
CREATE TABLE oauth_tokens (
	id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	issuer TEXT NOT NULL,
	subject TEXT NOT NULL,
	domain TEXT NOT NULL,
	refresh BYTEA NOT NULL,
	dead_at BIGINT NOT NULL DEFAULT 0,
	server_text TEXT NOT NULL DEFAULT '',
	taken_by TEXT NOT NULL DEFAULT '',
	taken_until BIGINT NOT NULL DEFAULT 0,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	UNIQUE (user_id, issuer, subject)
);

-- sign-ins that were begun: data is sealed
CREATE TABLE oauth_flows (
	state_hash TEXT PRIMARY KEY,
	browser_hash TEXT NOT NULL,
	network TEXT NOT NULL,
	data BYTEA NOT NULL,
	expires_at BIGINT NOT NULL
);
CREATE INDEX oauth_flows_expires ON oauth_flows (expires_at);

ALTER TABLE sources ADD COLUMN token_id BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE sources DROP COLUMN token_id;
DROP TABLE oauth_flows;
DROP TABLE oauth_tokens;
DROP TABLE oauth_identities;
