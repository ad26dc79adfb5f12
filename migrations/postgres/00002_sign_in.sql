-- +goose Up
CREATE TABLE sign_in_tries (
	key TEXT PRIMARY KEY,
	wrong INTEGER NOT NULL DEFAULT 0,
	last_at BIGINT NOT NULL DEFAULT 0,
	next_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX sign_in_tries_last ON sign_in_tries (last_at);

ALTER TABLE sessions ADD COLUMN idle BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE sessions DROP COLUMN idle;
DROP TABLE sign_in_tries;
