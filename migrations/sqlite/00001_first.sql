-- +goose Up
CREATE TABLE users (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	address TEXT NOT NULL UNIQUE,
	settings TEXT NOT NULL DEFAULT '{}',
	created_at BIGINT NOT NULL,
	seen_at BIGINT NOT NULL
);

CREATE TABLE accounts (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	address TEXT NOT NULL,
	username TEXT NOT NULL,
	sent_mode TEXT NOT NULL DEFAULT 'auto',
	sent_seen INTEGER NOT NULL DEFAULT 0,
	UNIQUE (user_id, address)
);

CREATE TABLE sessions (
	token_hash TEXT PRIMARY KEY,
	data BLOB NOT NULL,
	expiry BIGINT NOT NULL,
	user_id BIGINT REFERENCES users (id) ON DELETE CASCADE,
	device TEXT NOT NULL DEFAULT '',
	network TEXT NOT NULL DEFAULT '',
	created_at BIGINT NOT NULL,
	seen_at BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expiry);

CREATE TABLE identities (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
	name TEXT NOT NULL,
	address TEXT NOT NULL,
	reply_to TEXT NOT NULL DEFAULT '',
	signature TEXT NOT NULL DEFAULT '',
	signature_html TEXT NOT NULL DEFAULT '',
	is_default BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX identities_user ON identities (user_id);

CREATE TABLE blobs (
	id TEXT PRIMARY KEY,
	user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	size BIGINT NOT NULL DEFAULT 0,
	created_at BIGINT NOT NULL
);
CREATE TABLE blob_chunks (
	blob_id TEXT NOT NULL REFERENCES blobs (id) ON DELETE CASCADE,
	seq INTEGER NOT NULL,
	bytes BLOB NOT NULL,
	PRIMARY KEY (blob_id, seq)
);

CREATE TABLE drafts (
	id TEXT PRIMARY KEY,
	user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
	rev BIGINT NOT NULL DEFAULT 1,
	fields TEXT NOT NULL,
	imap_mailbox TEXT NOT NULL DEFAULT '',
	imap_validity BIGINT NOT NULL DEFAULT 0,
	imap_uid BIGINT NOT NULL DEFAULT 0,
	imap_rev BIGINT NOT NULL DEFAULT 0,
	state TEXT NOT NULL DEFAULT 'open',
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL
);
CREATE INDEX drafts_user ON drafts (user_id, updated_at);

CREATE TABLE uploads (
	id TEXT PRIMARY KEY,
	user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	draft_id TEXT NOT NULL REFERENCES drafts (id) ON DELETE CASCADE,
	blob_id TEXT NOT NULL REFERENCES blobs (id) ON DELETE CASCADE,
	name TEXT NOT NULL,
	type TEXT NOT NULL,
	size BIGINT NOT NULL,
	content_id TEXT NOT NULL DEFAULT '',
	position INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX uploads_draft ON uploads (draft_id);

CREATE TABLE outbox (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
	draft_id TEXT NOT NULL,
	state TEXT NOT NULL,
	due_at BIGINT NOT NULL,
	blob_id TEXT NOT NULL,
	size BIGINT NOT NULL,
	skip BIGINT NOT NULL DEFAULT 0,
	mail_from TEXT NOT NULL,
	recipients TEXT NOT NULL,
	subject TEXT NOT NULL,
	message_id TEXT NOT NULL,
	answer_kind TEXT NOT NULL DEFAULT '',
	answer_mailbox TEXT NOT NULL DEFAULT '',
	answer_validity BIGINT NOT NULL DEFAULT 0,
	answer_uid BIGINT NOT NULL DEFAULT 0,
	cred BLOB,
	tries INTEGER NOT NULL DEFAULT 0,
	first_try_at BIGINT NOT NULL DEFAULT 0,
	next_at BIGINT NOT NULL DEFAULT 0,
	results TEXT NOT NULL DEFAULT '{}',
	problem TEXT NOT NULL DEFAULT '',
	server TEXT NOT NULL DEFAULT '',
	server_text TEXT NOT NULL DEFAULT '',
	filed BOOLEAN NOT NULL DEFAULT FALSE,
	taken_by TEXT NOT NULL DEFAULT '',
	taken_until BIGINT NOT NULL DEFAULT 0,
	job_id BIGINT NOT NULL DEFAULT 0,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL
);
CREATE INDEX outbox_user ON outbox (user_id, state);

CREATE TABLE people (
	user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	address TEXT NOT NULL,
	name TEXT NOT NULL DEFAULT '',
	written BIGINT NOT NULL DEFAULT 0,
	last_at BIGINT NOT NULL,
	PRIMARY KEY (user_id, address)
);

CREATE TABLE trusted_senders (
	user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	sender TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (user_id, sender)
);

CREATE TABLE acts (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	kind TEXT NOT NULL,
	undo TEXT NOT NULL,
	done BOOLEAN NOT NULL DEFAULT FALSE,
	created_at BIGINT NOT NULL
);
CREATE INDEX acts_user ON acts (user_id, id);

-- +goose Down
DROP TABLE acts;
DROP TABLE trusted_senders;
DROP TABLE people;
DROP TABLE outbox;
DROP TABLE uploads;
DROP TABLE drafts;
DROP TABLE blob_chunks;
DROP TABLE blobs;
DROP TABLE identities;
DROP TABLE sessions;
DROP TABLE accounts;
DROP TABLE users;
