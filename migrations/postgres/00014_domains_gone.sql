-- +goose Up
-- domains that were taken out, as they were: where the passwords of their people went last
CREATE TABLE domains_gone (
	name TEXT PRIMARY KEY,
	settings TEXT NOT NULL
);
-- a change may wait for a domain that is not there
ALTER TABLE domain_changes DROP CONSTRAINT domain_changes_domain_fkey;

-- +goose Down
DROP TABLE domains_gone;
DELETE FROM domain_changes WHERE domain NOT IN (SELECT name FROM domains);
ALTER TABLE domain_changes ADD CONSTRAINT domain_changes_domain_fkey FOREIGN KEY (domain) REFERENCES domains (name) ON DELETE CASCADE;
