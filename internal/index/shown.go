package index

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"restante/mailclient"
)

// maxShown is how many bytes are kept of an account's mails that were opened: what shows of them, as it came, packed, and
// small files. What was not used for longest goes first.
var maxShown = 32 << 20

const (
	shownTime = 30 * 24 * time.Hour // since one was last used
	usedEvery = time.Hour           // how exactly that is known
)

// Open is a mail, as the session's. One that was opened lately takes no more than its flags, and shows, Kept, while the
// server cannot be used.
func (m *Mail) Open(ctx context.Context, mailbox string, validity, uid uint32) (*mailclient.Open, error) {
	return m.opening(ctx, mailbox, validity, uid, m.Session.Open)
}

// Reopen is the session's, for mails as Open has them.
func (m *Mail) Reopen(ctx context.Context, mailbox string, validity, uid uint32) (*mailclient.Open, error) {
	if m.HasOpen(mailbox, validity, uid) {
		return m.Session.Reopen(ctx, mailbox, validity, uid)
	}
	return m.opening(ctx, mailbox, validity, uid, m.Session.Open)
}

func (m *Mail) opening(ctx context.Context, mailbox string, validity, uid uint32,
	ask func(ctx context.Context, mailbox string, validity, uid uint32) (*mailclient.Open, error)) (*mailclient.Open, error) {
	f, done := m.ix.use(m.account, m.owner)
	if f == nil {
		return ask(ctx, mailbox, validity, uid)
	}
	defer done()
	var kept *mailclient.Open
	if _, out := m.Outage(); out || !m.HasOpen(mailbox, validity, uid) {
		kept = m.kept(ctx, f, mailbox, validity, uid)
	}
	if kept == nil {
		o, err := ask(ctx, mailbox, validity, uid)
		if err == nil {
			m.keepShown(f, o)
		}
		if Lost(err) {
			kept = m.kept(ctx, f, mailbox, validity, uid)
		}
		if kept == nil {
			return o, err
		}
		return m.asKept(ctx, f, kept)
	}
	m.KeepOpen(kept)
	short, cancel := context.WithTimeout(ctx, coldTime/2)
	defer cancel()
	began := time.Now()
	o, err := ask(short, mailbox, validity, uid)
	if err != nil && short.Err() != nil && ctx.Err() == nil {
		m.Silent(began)
		return m.asKept(ctx, f, kept)
	}
	if Lost(err) {
		return m.asKept(ctx, f, kept)
	}
	if err == nil {
		m.keepShown(f, o)
	}
	return o, err
}

// kept is a mail as it was opened before, nil where it was not.
func (m *Mail) kept(ctx context.Context, f *file, mailbox string, validity, uid uint32) *mailclient.Open {
	if validity == 0 {
		b := f.box(mailbox)
		f.mu.Lock()
		validity = b.known.UIDValidity
		f.mu.Unlock()
	}
	o, err := f.readShown(ctx, mailbox, validity, uid)
	m.ix.spoilt(f, err)
	return o
}

// asKept gives a mail while the server cannot be asked for it: with its flags as the list has them, and gone when it
// has gone from there.
func (m *Mail) asKept(ctx context.Context, f *file, o *mailclient.Open) (*mailclient.Open, error) {
	b := f.box(o.Mailbox)
	row, ok, err := f.row(ctx, b, o.UID)
	if m.ix.spoilt(f, err); err == nil && !ok && f.isComplete(b) {
		return nil, mailclient.ErrGone
	}
	if ok {
		o.Flags = row.Flags
	}
	f.mu.Lock()
	o.ReadOnly = b.readOnly
	f.mu.Unlock()
	o.Kept = true
	return o, nil
}

// Row is what the index has of a mail; false where that is nothing.
func (m *Mail) Row(ctx context.Context, mailbox string, uid uint32) (mailclient.Row, bool) {
	f, done := m.ix.use(m.account, m.owner)
	if f == nil {
		return mailclient.Row{}, false
	}
	defer done()
	row, ok, err := f.row(ctx, f.box(mailbox), uid)
	m.ix.spoilt(f, err)
	return row, ok
}

func (f *file) row(ctx context.Context, b *box, uid uint32) (mailclient.Row, bool, error) {
	f.mu.Lock()
	validity := b.known.UIDValidity
	f.mu.Unlock()
	rows, err := f.query(ctx, "SELECT "+columns+" FROM mails WHERE id = ?", idOf(b, uid))
	if err != nil {
		return mailclient.Row{}, false, err
	}
	some, err := readRows(rows, b, validity, nil)
	if err != nil || len(some) == 0 {
		return mailclient.Row{}, false, err
	}
	return some[0], true, nil
}

// readShown reads a mail that was kept; under validity 0, the one last used. nil where there is none that can be read.
func (f *file) readShown(ctx context.Context, mailbox string, validity, uid uint32) (*mailclient.Open, error) {
	raw, err := f.readKept(ctx, mailbox, validity, uid)
	o := &mailclient.Open{}
	if raw == nil || o.UnmarshalBinary(raw) != nil {
		return nil, err // one of another version is had anew
	}
	return o, err
}

// readKept reads what was kept under a name, nil where nothing was.
func (f *file) readKept(ctx context.Context, name string, validity, uid uint32) ([]byte, error) {
	var id, used int64
	var raw []byte
	err := f.db.QueryRowContext(ctx, "SELECT id, used, mail FROM shown WHERE mailbox = ?1 AND uid = ?2 AND (validity = ?3 OR ?3 = 0) ORDER BY used DESC LIMIT 1",
		name, uid, validity).Scan(&id, &used, &raw)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if now := time.Now(); now.Sub(time.Unix(used, 0)) > usedEvery {
		err = f.change(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, "UPDATE shown SET used = ? WHERE id = ?", now.Unix(), id)
			return err
		}, func() {})
	}
	return raw, err
}

// shown keeps a mail that the session has opened.
func (m *Mail) shown(o *mailclient.Open) {
	if f, done := m.ix.use(m.account, m.owner); f != nil {
		defer done()
		m.keepShown(f, o)
	}
}

// keepShown writes a mail down behind that was just fetched to be shown.
func (m *Mail) keepShown(f *file, o *mailclient.Open) {
	shown := *o // the caller may change its own
	m.ix.behind(f, func(ctx context.Context) {
		raw, err := shown.MarshalBinary()
		if err != nil { // it is not to be kept
			return
		}
		m.ix.spoilt(f, f.keep(ctx, shown.Mailbox, shown.UIDValidity, shown.UID, raw))
	})
}

// keep writes down what was shown, under a name: a mailbox for a mail, with the section behind it for a file. Files take no
// more than half of what there is room for.
func (f *file) keep(ctx context.Context, name string, validity, uid uint32, raw []byte) error {
	now := time.Now()
	return f.change(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO shown (mailbox, validity, uid, used, size, mail) VALUES (?, ?, ?, ?, ?, ?)",
			name, validity, uid, now.Unix(), len(raw), raw); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM shown WHERE used < ?1 OR id IN
			(SELECT id FROM (SELECT id, SUM(size) OVER (ORDER BY used DESC, id DESC) AS total FROM shown) WHERE total > ?2) OR id IN
			(SELECT id FROM (SELECT id, SUM(size) OVER (ORDER BY used DESC, id DESC) AS total FROM shown WHERE instr(mailbox, char(10)) > 0) WHERE total > ?2 / 2)`,
			now.Add(-shownTime).Unix(), maxShown)
		return err
	}, func() {})
}
