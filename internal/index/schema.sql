CREATE TABLE IF NOT EXISTS about (one INTEGER PRIMARY KEY CHECK (one = 1), text TEXT NOT NULL);

CREATE TABLE IF NOT EXISTS boxes (
	id       INTEGER PRIMARY KEY,
	name     TEXT NOT NULL UNIQUE,
	validity INTEGER NOT NULL,
	uidnext  INTEGER NOT NULL,
	modseq   INTEGER NOT NULL,
	readonly INTEGER NOT NULL,
	complete INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS mails (
	id        INTEGER PRIMARY KEY, -- box << 32 | uid
	box       INTEGER NOT NULL,
	received  INTEGER NOT NULL,
	flags     INTEGER NOT NULL,
	words     TEXT NOT NULL,       -- keywords
	size      INTEGER NOT NULL,
	sender    TEXT NOT NULL,       -- as they sort
	recipient TEXT NOT NULL,
	subject   TEXT NOT NULL,
	row       BLOB NOT NULL,
	preview   TEXT                 -- NULL: not asked for yet
);

CREATE INDEX IF NOT EXISTS by_date ON mails (box, received, id);
CREATE INDEX IF NOT EXISTS by_sender ON mails (box, sender, id DESC);
CREATE INDEX IF NOT EXISTS by_recipient ON mails (box, recipient, id DESC);
CREATE INDEX IF NOT EXISTS by_subject ON mails (box, subject, id DESC);
CREATE INDEX IF NOT EXISTS by_size ON mails (box, size, id);
CREATE INDEX IF NOT EXISTS unread ON mails (box, received, id) WHERE flags & 1 = 0;
CREATE INDEX IF NOT EXISTS flagged ON mails (box, received, id) WHERE flags & 2 <> 0;
CREATE INDEX IF NOT EXISTS files ON mails (box, received, id) WHERE flags & 128 <> 0;
