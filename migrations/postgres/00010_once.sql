-- +goose Up
ALTER TABLE sources ADD COLUMN once BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Down
ALTER TABLE sources DROP COLUMN once;
