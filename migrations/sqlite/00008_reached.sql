-- +goose Up
ALTER TABLE outbox ADD COLUMN reached TEXT NOT NULL DEFAULT '[]';
ALTER TABLE outbox ADD COLUMN perhaps TEXT NOT NULL DEFAULT '[]';
ALTER TABLE outbox ADD COLUMN looks INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN looked TEXT NOT NULL DEFAULT '';
UPDATE outbox SET reached = recipients WHERE state = 'accepted';

-- +goose Down
ALTER TABLE outbox DROP COLUMN looked;
ALTER TABLE outbox DROP COLUMN looks;
ALTER TABLE outbox DROP COLUMN perhaps;
ALTER TABLE outbox DROP COLUMN reached;
