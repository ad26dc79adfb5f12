-- +goose Up
-- what an admin bounds: for the site (whose is ''), a domain or a person (by their address)
CREATE TABLE limits (
	scope TEXT NOT NULL,
	whose TEXT NOT NULL,
	name TEXT NOT NULL,
	value BIGINT NOT NULL,
	PRIMARY KEY (scope, whose, name)
);

-- +goose Down
DROP TABLE limits;
