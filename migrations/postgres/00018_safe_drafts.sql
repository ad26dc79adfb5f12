-- +goose Up
-- A draft knows which browser wrote it last, a file on its way which draft it is for and when it was changed last.
ALTER TABLE drafts ADD COLUMN written_by TEXT NOT NULL DEFAULT '';
ALTER TABLE arriving ADD COLUMN draft_id TEXT NOT NULL DEFAULT '';
ALTER TABLE arriving ADD COLUMN modified BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE arriving DROP COLUMN modified;
ALTER TABLE arriving DROP COLUMN draft_id;
ALTER TABLE drafts DROP COLUMN written_by;
