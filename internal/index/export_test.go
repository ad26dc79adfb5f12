package index

import "time"

// Complete says whether all of a mailbox is in the index.
func (m *Mail) Complete(mailbox string) bool {
	f, done := m.ix.use(m.account, m.owner)
	if f == nil {
		return false
	}
	defer done()
	return f.isComplete(f.box(mailbox))
}

// Path is where the account's file lies.
func (m *Mail) Path() string { return m.ix.path(m.account) }

// KeepAtMost sets how many bytes of opened mails are kept, and gives what sets it back.
func KeepAtMost(n int) (back func()) {
	was := maxShown
	maxShown = n
	return func() { maxShown = was }
}

// Shown counts the opened mails that are kept, and their bytes.
func (m *Mail) Shown() (n, size int) {
	f, done := m.ix.use(m.account, m.owner)
	defer done()
	_ = f.db.QueryRow("SELECT COUNT(*), COALESCE(SUM(size), 0) FROM shown").Scan(&n, &size)
	return n, size
}

// WaitFor sets how long a page waits for a server that can be used, and gives what sets it back.
func WaitFor(d time.Duration) (back func()) {
	was := grace
	grace = d
	return func() { grace = was }
}
