-- What lists of whole mailboxes are read by. It is there once the first mailbox is: made then, it costs a fraction.
CREATE INDEX IF NOT EXISTS by_date ON mails (box, received, id);
CREATE INDEX IF NOT EXISTS by_sender ON mails (box, sender, id DESC);
CREATE INDEX IF NOT EXISTS by_recipient ON mails (box, recipient, id DESC);
CREATE INDEX IF NOT EXISTS by_size ON mails (box, size, id);
CREATE INDEX IF NOT EXISTS unread ON mails (box, received, id) WHERE flags & 1 = 0;
CREATE INDEX IF NOT EXISTS flagged ON mails (box, received, id) WHERE flags & 2 <> 0;
CREATE INDEX IF NOT EXISTS files ON mails (box, received, id) WHERE flags & 128 <> 0;
CREATE INDEX IF NOT EXISTS without_preview ON mails (box) WHERE preview IS NULL;
CREATE INDEX IF NOT EXISTS answered ON mails (box) WHERE flags & 4 <> 0;
CREATE INDEX IF NOT EXISTS tagged ON mails (box) WHERE words <> '';
