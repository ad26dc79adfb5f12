-- +goose Up
-- Blobs are sealed from now on, and files may come piece by piece.
ALTER TABLE blobs ADD COLUMN sealed BOOLEAN NOT NULL DEFAULT FALSE;
CREATE TABLE arriving (
	id TEXT PRIMARY KEY,
	user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	blob_id TEXT NOT NULL REFERENCES blobs (id) ON DELETE CASCADE,
	name TEXT NOT NULL,
	type TEXT NOT NULL,
	content_id TEXT NOT NULL,
	size BIGINT NOT NULL,
	received BIGINT NOT NULL DEFAULT 0,
	pieces INTEGER NOT NULL DEFAULT 0,
	done BOOLEAN NOT NULL DEFAULT FALSE,
	updated_at BIGINT NOT NULL
);
CREATE INDEX arriving_user ON arriving (user_id);

-- +goose Down
DROP TABLE arriving;
ALTER TABLE blobs DROP COLUMN sealed;
