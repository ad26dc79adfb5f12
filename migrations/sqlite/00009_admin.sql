-- +goose Up
CREATE TABLE admins (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL UNIQUE,
	hash TEXT NOT NULL,
	totp BLOB,
	totp_step BIGINT NOT NULL DEFAULT 0,
	created_at BIGINT NOT NULL,
	seen_at BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE recovery_codes (
	admin_id BIGINT NOT NULL REFERENCES admins (id) ON DELETE CASCADE,
	hash TEXT NOT NULL,
	PRIMARY KEY (admin_id, hash)
);

CREATE TABLE admin_sessions (
	token_hash TEXT PRIMARY KEY,
	admin_id BIGINT NOT NULL REFERENCES admins (id) ON DELETE CASCADE,
	pending BOOLEAN NOT NULL,
	data TEXT NOT NULL DEFAULT '',
	device TEXT NOT NULL DEFAULT '',
	network TEXT NOT NULL DEFAULT '',
	created_at BIGINT NOT NULL,
	seen_at BIGINT NOT NULL
);
CREATE INDEX admin_sessions_admin ON admin_sessions (admin_id);

-- one row: the link by which the first admin is made, and how far its holder has come
CREATE TABLE setup (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	link_hash TEXT NOT NULL,
	cookie_hash TEXT NOT NULL DEFAULT '',
	expires_at BIGINT NOT NULL,
	opened_at BIGINT NOT NULL DEFAULT 0,
	used_at BIGINT NOT NULL DEFAULT 0,
	state BLOB
);

CREATE TABLE domains (
	name TEXT PRIMARY KEY,
	settings TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL
);

CREATE TABLE site (
	name TEXT PRIMARY KEY,
	value TEXT NOT NULL
);

CREATE TABLE audit (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	at BIGINT NOT NULL,
	who TEXT NOT NULL,
	verb TEXT NOT NULL,
	object TEXT NOT NULL,
	network TEXT NOT NULL,
	result TEXT NOT NULL,
	session TEXT NOT NULL,
	chain TEXT NOT NULL
);
CREATE INDEX audit_at ON audit (at);

ALTER TABLE users ADD COLUMN locked BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Down
ALTER TABLE users DROP COLUMN locked;
DROP TABLE audit;
DROP TABLE site;
DROP TABLE domains;
DROP TABLE setup;
DROP TABLE admin_sessions;
DROP TABLE recovery_codes;
DROP TABLE admins;
