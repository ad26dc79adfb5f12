-- +goose Up
CREATE TABLE contacts (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	name TEXT NOT NULL,
	sort TEXT NOT NULL,
	initial TEXT NOT NULL,
	words TEXT NOT NULL,
	card TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL
);
CREATE INDEX contacts_user ON contacts (user_id, sort, id);
CREATE INDEX contacts_name ON contacts (user_id, name);

CREATE TABLE contact_addresses (
	contact_id BIGINT NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
	user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	address TEXT NOT NULL,
	place INTEGER NOT NULL,
	PRIMARY KEY (contact_id, address)
);
CREATE INDEX contact_addresses_user ON contact_addresses (user_id, address);

CREATE TABLE contact_groups (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	name TEXT NOT NULL,
	sort TEXT NOT NULL,
	UNIQUE (user_id, sort)
);

CREATE TABLE contact_members (
	group_id BIGINT NOT NULL REFERENCES contact_groups (id) ON DELETE CASCADE,
	contact_id BIGINT NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
	PRIMARY KEY (group_id, contact_id)
);
CREATE INDEX contact_members_contact ON contact_members (contact_id);

CREATE TABLE contact_files (
	id TEXT PRIMARY KEY,
	user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	name TEXT NOT NULL,
	data TEXT NOT NULL,
	created_at BIGINT NOT NULL
);
CREATE INDEX contact_files_user ON contact_files (user_id, created_at);

-- +goose Down
DROP TABLE contact_files;
DROP TABLE contact_members;
DROP TABLE contact_groups;
DROP TABLE contact_addresses;
DROP TABLE contacts;
