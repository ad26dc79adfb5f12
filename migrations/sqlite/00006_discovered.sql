-- +goose Up
CREATE TABLE discovered (
	domain TEXT PRIMARY KEY,
	found TEXT NOT NULL,
	until_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE discovered;
