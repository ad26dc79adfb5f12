-- +goose Up
CREATE TABLE work (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
	state TEXT NOT NULL,
	steps TEXT NOT NULL,
	words TEXT NOT NULL,
	total BIGINT NOT NULL,
	at BIGINT NOT NULL DEFAULT 0,
	done BIGINT NOT NULL DEFAULT 0,
	tries BIGINT NOT NULL DEFAULT 0,
	problem TEXT NOT NULL DEFAULT '',
	told BOOLEAN NOT NULL DEFAULT FALSE,
	cred BLOB,
	taken_by TEXT NOT NULL DEFAULT '',
	taken_until BIGINT NOT NULL DEFAULT 0,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL
);
CREATE INDEX work_user ON work (user_id, id);
CREATE INDEX work_due ON work (state, taken_until);

CREATE TABLE work_back (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	work_id BIGINT NOT NULL REFERENCES work (id) ON DELETE CASCADE,
	steps TEXT NOT NULL
);
CREATE INDEX work_back_work ON work_back (work_id, id);

-- +goose Down
DROP TABLE work_back;
DROP TABLE work;
