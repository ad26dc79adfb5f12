package index

import (
	"context"
	"testing"
	"time"
)

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

// Texts counts the mails of which texts are kept, those of which all of it is, and the bytes that all take by our reckoning.
func (m *Mail) TextsKept() (held, whole int, size int64) {
	f, done := m.ix.use(m.account, m.owner)
	defer done()
	t := m.bodies(f)
	if t == nil {
		return 0, 0, 0
	}
	names, _ := t.names(context.Background())
	for _, name := range names {
		at, _, _ := placeOf(context.Background(), t.db, name, 0)
		c, _ := coverOf(context.Background(), t.db, at)
		for _, uid := range c.uids() {
			held++
			if c.whole(uid) {
				whole++
			}
		}
	}
	size, _, _ = t.kept(context.Background())
	return held, whole, size
}

// Reading says whether texts are got now.
func (m *Mail) Reading() bool {
	f, done := m.ix.use(m.account, m.owner)
	defer done()
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reading || f.filling
}

// Unfill has a mailbox be one of which a part is there.
func (m *Mail) Unfill(t *testing.T, mailbox string) {
	t.Helper()
	f, done := m.ix.use(m.account, m.owner)
	defer done()
	b := f.box(mailbox)
	f.mu.Lock()
	k := b.known
	f.mu.Unlock()
	if _, err := f.apply(t.Context(), b, change{known: k}); err != nil {
		t.Fatal(err)
	}
}
