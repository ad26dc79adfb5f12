-- +goose Up
-- later is the wall clock at which a mail is to go out, and in which zone ("2027-03-29T08:00 Europe/Vienna"), '' for at once;
-- receipts says that the server is asked to tell of each delivery (RFC 3461)
ALTER TABLE outbox ADD COLUMN later TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN receipts BOOLEAN NOT NULL DEFAULT FALSE;
-- that an account was learned to file its mail nowhere by itself is a finding of "auto", and no longer a mode of its own
UPDATE accounts SET sent_mode = 'auto', sent_seen = 3 WHERE sent_mode = 'append';

-- +goose Down
ALTER TABLE outbox DROP COLUMN receipts;
ALTER TABLE outbox DROP COLUMN later;
