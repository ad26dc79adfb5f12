-- +goose Up
CREATE TABLE sources (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
	host TEXT NOT NULL,
	port INTEGER NOT NULL,
	security TEXT NOT NULL,
	username TEXT NOT NULL,
	apop BOOLEAN NOT NULL DEFAULT FALSE,
	mailbox TEXT NOT NULL,
	keyword TEXT NOT NULL DEFAULT '',
	mark_read BOOLEAN NOT NULL DEFAULT FALSE,
	keep TEXT NOT NULL DEFAULT 'keep',
	days INTEGER NOT NULL DEFAULT 0,
	every_s BIGINT NOT NULL,
	once BOOLEAN NOT NULL DEFAULT FALSE,
	paused BOOLEAN NOT NULL DEFAULT FALSE,
	removed_at BIGINT NOT NULL DEFAULT 0,
	cred BLOB,
	target_cred BLOB,
	problem TEXT NOT NULL DEFAULT '',
	failures INTEGER NOT NULL DEFAULT 0,
	next_at BIGINT NOT NULL DEFAULT 0,
	not_before BIGINT NOT NULL DEFAULT 0,
	server TEXT NOT NULL DEFAULT '',
	server_text TEXT NOT NULL DEFAULT '',
	no_uidl BOOLEAN NOT NULL DEFAULT FALSE,
	taken_by TEXT NOT NULL DEFAULT '',
	taken_until BIGINT NOT NULL DEFAULT 0,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	UNIQUE (user_id, host, username)
);

CREATE TABLE import_ledger (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	source_id BIGINT NOT NULL REFERENCES sources (id) ON DELETE CASCADE,
	uidl BLOB NOT NULL,
	dup INTEGER NOT NULL,
	key_hash BLOB,
	content_hash BLOB,
	size BIGINT NOT NULL,
	state TEXT NOT NULL,
	compare BOOLEAN NOT NULL DEFAULT FALSE,
	token TEXT NOT NULL DEFAULT '',
	mailbox TEXT NOT NULL DEFAULT '',
	uidvalidity BIGINT NOT NULL DEFAULT 0,
	uidnext BIGINT NOT NULL DEFAULT 0,
	uid BIGINT NOT NULL DEFAULT 0,
	subject TEXT NOT NULL DEFAULT '',
	first_seen BIGINT NOT NULL,
	imported_at BIGINT NOT NULL DEFAULT 0,
	changed_at BIGINT NOT NULL,
	tries INTEGER NOT NULL DEFAULT 0,
	last_error TEXT NOT NULL DEFAULT '',
	UNIQUE (source_id, uidl, dup)
);
CREATE INDEX import_ledger_source ON import_ledger (source_id, id);
CREATE INDEX import_ledger_state ON import_ledger (source_id, state);

CREATE TABLE import_runs (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	source_id BIGINT NOT NULL REFERENCES sources (id) ON DELETE CASCADE,
	started_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	ended_at BIGINT NOT NULL DEFAULT 0,
	total BIGINT NOT NULL DEFAULT 0,
	done BIGINT NOT NULL DEFAULT 0,
	bytes BIGINT NOT NULL DEFAULT 0,
	of_all BIGINT NOT NULL DEFAULT 0,
	failed BIGINT NOT NULL DEFAULT 0,
	deleted BIGINT NOT NULL DEFAULT 0,
	outcome TEXT NOT NULL DEFAULT '',
	server TEXT NOT NULL DEFAULT '',
	server_text TEXT NOT NULL DEFAULT ''
);
CREATE INDEX import_runs_source ON import_runs (source_id, id);

-- +goose Down
DROP TABLE import_runs;
DROP TABLE import_ledger;
DROP TABLE sources;
