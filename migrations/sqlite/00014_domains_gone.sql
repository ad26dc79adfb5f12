-- +goose Up
-- domains that were taken out, as they were: where the passwords of their people went last
CREATE TABLE domains_gone (
	name TEXT PRIMARY KEY,
	settings TEXT NOT NULL
);
-- a change may wait for a domain that is not there
CREATE TABLE domain_changes_new (
	domain TEXT PRIMARY KEY,
	settings TEXT NOT NULL,
	was TEXT NOT NULL,
	admin_id BIGINT NOT NULL REFERENCES admins (id) ON DELETE CASCADE,
	at BIGINT NOT NULL
);
INSERT INTO domain_changes_new SELECT domain, settings, was, admin_id, at FROM domain_changes;
DROP TABLE domain_changes;
ALTER TABLE domain_changes_new RENAME TO domain_changes;

-- +goose Down
DROP TABLE domains_gone;
CREATE TABLE domain_changes_old (
	domain TEXT PRIMARY KEY REFERENCES domains (name) ON DELETE CASCADE,
	settings TEXT NOT NULL,
	was TEXT NOT NULL,
	admin_id BIGINT NOT NULL REFERENCES admins (id) ON DELETE CASCADE,
	at BIGINT NOT NULL
);
INSERT INTO domain_changes_old SELECT domain, settings, was, admin_id, at FROM domain_changes WHERE domain IN (SELECT name FROM domains);
DROP TABLE domain_changes;
ALTER TABLE domain_changes_old RENAME TO domain_changes;
