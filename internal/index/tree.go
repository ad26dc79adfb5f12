package index

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"restante/mailclient"
)

// treeTime is for one look at the mailboxes of an account.
const treeTime = 60 * time.Second

// forest is what a file knows of the account's mailboxes. It is of file.mu; the slices in it never change.
type forest struct {
	read  bool // from the file
	boxes []mailclient.Mailbox
	at    time.Time // when the server told them
	asked time.Time // when KnownMailboxes last had it asked for
	from  *mailclient.Mailbox
	now   *run // a look under way
}

// Mailboxes are the session's. Where the server cannot be asked, or does not answer soon, they are as they were last
// heard of.
func (m *Mail) Mailboxes(ctx context.Context) ([]mailclient.Mailbox, error) {
	f, done := m.ix.use(m.account, m.owner)
	if f == nil {
		return m.Session.Mailboxes(ctx)
	}
	defer done()
	if boxes := m.MailboxesNow(); boxes != nil {
		if !f.hasTree(boxes) {
			m.ix.behind(f, func(ctx context.Context) { m.ix.spoilt(f, f.keepTree(ctx, boxes)) })
		}
		return boxes, nil
	}
	kept, err := f.keptTree(ctx)
	if m.ix.spoilt(f, err); kept == nil {
		boxes, err := m.Session.Mailboxes(ctx)
		if err == nil {
			m.ix.spoilt(f, f.keepTree(ctx, boxes))
		}
		return boxes, err
	}
	r, others := m.lookAtTree(f)
	if r == nil {
		return m.Session.Mailboxes(ctx)
	}
	if err := m.await(ctx, r, others); err != nil && !Lost(err) {
		return nil, err
	}
	if boxes := m.MailboxesNow(); boxes != nil {
		return boxes, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.forest.boxes, nil
}

// lookAtTree gives the look at the mailboxes that others have begun, or begins one. nil when the index is closing.
func (m *Mail) lookAtTree(f *file) (r *run, others bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.forest.now != nil {
		return f.forest.now, true
	}
	r = &run{done: make(chan struct{})}
	if !m.ix.behind(f, func(ctx context.Context) {
		defer close(r.done)
		ctx, cancel := context.WithTimeout(ctx, treeTime)
		defer cancel()
		boxes, err := m.Session.Mailboxes(ctx)
		if err == nil {
			m.ix.spoilt(f, f.keepTree(ctx, boxes))
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		r.err, f.forest.now = err, nil
	}) {
		return nil, false
	}
	f.forest.now = r
	return r, false
}

// KnownMailboxes are the mailboxes as they were last heard of, nil where they never were. It waits for nobody: what is
// older than stale is asked for behind.
func (m *Mail) KnownMailboxes(ctx context.Context, stale time.Duration) []mailclient.Mailbox {
	if boxes := m.MailboxesNow(); boxes != nil {
		return boxes
	}
	f, done := m.ix.use(m.account, m.owner)
	if f == nil {
		return nil
	}
	defer done()
	kept, err := f.keptTree(ctx)
	m.ix.spoilt(f, err)
	f.mu.Lock()
	old := time.Since(f.forest.at) > stale && time.Since(f.forest.asked) > stale
	if old {
		f.forest.asked = time.Now()
	}
	f.mu.Unlock()
	if old {
		m.lookAtTree(f)
	}
	return kept
}

// keptTree are the mailboxes as they were last heard of, nil where they never were.
func (f *file) keptTree(ctx context.Context) ([]mailclient.Mailbox, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.forest.read {
		return f.forest.boxes, nil
	}
	var raw []byte
	var at int64
	err := f.db.QueryRowContext(ctx, "SELECT boxes, at FROM tree").Scan(&raw, &at)
	if err == nil {
		err = json.Unmarshal(raw, &f.forest.boxes)
	}
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	f.forest.at, f.forest.read = time.UnixMilli(at), err == nil
	return f.forest.boxes, err
}

// hasTree says whether these are the mailboxes that were written down last.
func (f *file) hasTree(boxes []mailclient.Mailbox) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(boxes) == 0 || f.forest.from == &boxes[0]
}

// keepTree writes mailboxes down that are not there yet as they are.
func (f *file) keepTree(ctx context.Context, boxes []mailclient.Mailbox) error {
	if f.hasTree(boxes) {
		return nil
	}
	raw, err := json.Marshal(boxes)
	if err != nil {
		return err
	}
	at := time.Now()
	return f.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO tree (one, boxes, at) VALUES (1, ?, ?)", raw, at.UnixMilli())
		return err
	}, func() {
		f.forest.boxes, f.forest.at, f.forest.read, f.forest.from = boxes, at, true, &boxes[0]
	})
}

// MailboxByRole is the session's; it need not ask the server for one that is known.
func (m *Mail) MailboxByRole(ctx context.Context, role mailclient.Role, create bool, name string) (mailclient.Mailbox, error) {
	boxes, err := m.Mailboxes(ctx)
	if err == nil {
		for _, b := range boxes {
			if b.Role == role {
				return b, nil
			}
		}
	}
	return m.Session.MailboxByRole(ctx, role, create, name)
}
