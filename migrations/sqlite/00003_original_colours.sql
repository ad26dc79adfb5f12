-- +goose Up
CREATE TABLE original_colours (
	user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	sender TEXT NOT NULL,
	PRIMARY KEY (user_id, sender)
);

-- +goose Down
DROP TABLE original_colours;
