-- +goose Up
-- what an admin wants of a domain where passwords would go elsewhere, until another admin agrees
CREATE TABLE domain_changes (
	domain TEXT PRIMARY KEY REFERENCES domains (name) ON DELETE CASCADE,
	settings TEXT NOT NULL,
	was TEXT NOT NULL,
	admin_id BIGINT NOT NULL REFERENCES admins (id) ON DELETE CASCADE,
	at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE domain_changes;
