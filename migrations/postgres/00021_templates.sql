-- +goose Up
-- texts that a person writes again and again
CREATE TABLE templates (
	id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	name TEXT NOT NULL,
	shortcut TEXT NOT NULL,
	subject TEXT NOT NULL,
	body TEXT NOT NULL,
	html TEXT NOT NULL
);
CREATE INDEX templates_user ON templates (user_id);

-- +goose Down
DROP TABLE templates;
