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
	talk      INTEGER NOT NULL,    -- its conversation
	size      INTEGER NOT NULL,
	sender    TEXT NOT NULL,       -- as they sort
	recipient TEXT NOT NULL,
	subject   TEXT NOT NULL,
	row       BLOB NOT NULL,
	preview   TEXT                 -- NULL: not asked for yet
);

CREATE INDEX IF NOT EXISTS by_subject ON mails (box, subject, id DESC);
CREATE INDEX IF NOT EXISTS by_talk ON mails (talk);

-- What mails are found by, of 512 UIDs each.
CREATE TABLE IF NOT EXISTS blocks (
	id   INTEGER PRIMARY KEY, -- box << 32 | uid >> 9
	text BLOB NOT NULL
);

-- The names by which mails are joined: of a mail itself, and those that it refers to.
CREATE TABLE IF NOT EXISTS names (
	hash INTEGER PRIMARY KEY,
	talk INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS names_by_talk ON names (talk);

-- Answers that name nothing that they answer: by their subject.
CREATE TABLE IF NOT EXISTS orphans (
	id       INTEGER PRIMARY KEY, -- of the mail
	subject  INTEGER NOT NULL,    -- a hash of it
	received INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS orphans_by_subject ON orphans (subject, received);

-- The conversations of a mailbox.
CREATE TABLE IF NOT EXISTS talks (
	box      INTEGER NOT NULL,
	talk     INTEGER NOT NULL,
	received INTEGER NOT NULL, -- of the newest mail in it
	id       INTEGER NOT NULL, -- of that
	marks    INTEGER NOT NULL, -- 1: one is unread, 2: one is flagged, 128: one has files
	PRIMARY KEY (talk, box)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS talks_by_date ON talks (box, received, id);
CREATE INDEX IF NOT EXISTS talks_unread ON talks (box, received, id) WHERE marks & 1 <> 0;
CREATE INDEX IF NOT EXISTS talks_flagged ON talks (box, received, id) WHERE marks & 2 <> 0;
CREATE INDEX IF NOT EXISTS talks_files ON talks (box, received, id) WHERE marks & 128 <> 0;

-- The last number that was given to a conversation.
CREATE TABLE IF NOT EXISTS last (one INTEGER PRIMARY KEY CHECK (one = 1), talk INTEGER NOT NULL);

-- what shows while the server cannot be used: the mailboxes as they were last heard of,
CREATE TABLE IF NOT EXISTS tree (one INTEGER PRIMARY KEY CHECK (one = 1), boxes BLOB NOT NULL, at INTEGER NOT NULL);

-- and mails as they were opened lately.
CREATE TABLE IF NOT EXISTS shown (
	id       INTEGER PRIMARY KEY,
	mailbox  TEXT NOT NULL,
	validity INTEGER NOT NULL,
	uid      INTEGER NOT NULL,
	used     INTEGER NOT NULL, -- Unix seconds
	size     INTEGER NOT NULL,
	mail     BLOB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS shown_mail ON shown (mailbox, uid, validity);
CREATE INDEX IF NOT EXISTS shown_used ON shown (used, size);

-- Mails that were taken out of lists by what waits to be done, as they were.
CREATE TABLE IF NOT EXISTS held (
	id       INTEGER PRIMARY KEY, -- as in mails
	received INTEGER NOT NULL,
	flags    INTEGER NOT NULL,
	words    TEXT NOT NULL,
	size     INTEGER NOT NULL,
	row      BLOB NOT NULL,
	preview  TEXT
);
