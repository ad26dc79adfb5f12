-- +goose Up
-- settings are an identity's further choices; server is its own submission server, '' for that of the account, and cred
-- the password there, sealed
ALTER TABLE identities ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
ALTER TABLE identities ADD COLUMN position INTEGER NOT NULL DEFAULT 0;
ALTER TABLE identities ADD COLUMN server TEXT NOT NULL DEFAULT '';
ALTER TABLE identities ADD COLUMN cred BLOB;
CREATE TABLE signature_pictures (
	id TEXT PRIMARY KEY,
	user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	identity_id BIGINT NOT NULL REFERENCES identities (id) ON DELETE CASCADE,
	type TEXT NOT NULL,
	content BLOB NOT NULL
);
CREATE INDEX signature_pictures_identity ON signature_pictures (identity_id);
CREATE INDEX signature_pictures_user ON signature_pictures (user_id);
-- by whose own server a mail goes out, 0 for that of the account
ALTER TABLE outbox ADD COLUMN identity_id BIGINT NOT NULL DEFAULT 0;
-- what an admin says of the sender addresses of a domain's people
CREATE TABLE domain_policies (
	domain TEXT PRIMARY KEY,
	settings TEXT NOT NULL
);

-- +goose Down
DROP TABLE domain_policies;
ALTER TABLE outbox DROP COLUMN identity_id;
DROP TABLE signature_pictures;
ALTER TABLE identities DROP COLUMN cred;
ALTER TABLE identities DROP COLUMN server;
ALTER TABLE identities DROP COLUMN position;
ALTER TABLE identities DROP COLUMN settings;
