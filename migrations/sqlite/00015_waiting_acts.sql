-- +goose Up
-- acts that were done while the mail server could not be used, in their order, and what became of those that could not be done
CREATE TABLE waiting_acts (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
	act TEXT NOT NULL,
	words TEXT NOT NULL,
	problem TEXT NOT NULL DEFAULT '',
	missed BIGINT NOT NULL DEFAULT 0,
	taken_until BIGINT NOT NULL DEFAULT 0,
	created_at BIGINT NOT NULL
);
CREATE INDEX waiting_acts_account ON waiting_acts (user_id, account_id, id);

-- +goose Down
DROP TABLE waiting_acts;
