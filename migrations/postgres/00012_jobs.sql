-- +goose Up
ALTER TABLE sources ADD COLUMN held BOOLEAN NOT NULL DEFAULT FALSE;

-- how the servers of each domain answered when they were last looked at
CREATE TABLE watched (
	domain TEXT NOT NULL,
	service TEXT NOT NULL,
	server TEXT NOT NULL,
	problem TEXT NOT NULL,
	since_at BIGINT NOT NULL,
	cert_until BIGINT NOT NULL,
	looked_at BIGINT NOT NULL,
	PRIMARY KEY (domain, service)
);

-- what an admin is to know of another, until they say that they do
CREATE TABLE admin_news (
	admin_id BIGINT NOT NULL REFERENCES admins (id) ON DELETE CASCADE,
	about TEXT NOT NULL,
	kind TEXT NOT NULL,
	at BIGINT NOT NULL,
	PRIMARY KEY (admin_id, about, kind)
);

-- +goose Down
DROP TABLE admin_news;
DROP TABLE watched;
ALTER TABLE sources DROP COLUMN held;
