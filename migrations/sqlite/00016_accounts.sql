-- +goose Up
-- further accounts of a person: cred is their sealed password, NULL for the account that is signed in with; servers are
-- those that the person named or that were found, '' for those that are set up for the domain
ALTER TABLE accounts ADD COLUMN servers TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN cred BLOB;
-- where what was answered lies, 0 for the account that sends
ALTER TABLE outbox ADD COLUMN answer_account BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE outbox DROP COLUMN answer_account;
ALTER TABLE accounts DROP COLUMN cred;
ALTER TABLE accounts DROP COLUMN servers;
