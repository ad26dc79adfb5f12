CREATE TABLE IF NOT EXISTS about (one INTEGER PRIMARY KEY CHECK (one = 1), text TEXT NOT NULL);

CREATE TABLE IF NOT EXISTS boxes (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, validity INTEGER NOT NULL);

CREATE TABLE IF NOT EXISTS bodies (
	id       INTEGER PRIMARY KEY, -- box << 32 | uid
	received INTEGER NOT NULL,
	size     INTEGER NOT NULL,    -- bytes that it takes, with its grams
	text     BLOB NOT NULL        -- folded, compressed
);
CREATE INDEX IF NOT EXISTS by_age ON bodies (received, size);

-- Which mails are here, of 512 UIDs each: a bit of a mail in held, and in whole where all of its text is.
CREATE TABLE IF NOT EXISTS cover (
	id    INTEGER PRIMARY KEY, -- box << 32 | uid >> 9
	held  BLOB NOT NULL,
	whole BLOB NOT NULL
);

-- In which mails there are which grams: none of their places, and no text.
CREATE VIRTUAL TABLE IF NOT EXISTS grams USING fts5(gram, content='', contentless_delete=1, detail=none, tokenize='ascii');
