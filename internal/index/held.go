package index

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"restante/mailclient"
)

// Pretend has lists show a step as if it had been done, which is to be done later. What it gives is the step as it is
// taken back by Recall: of flags, for those mails alone whose flags it changes; and by how many mails more are unread for
// it in which mailboxes.
func (m *Mail) Pretend(ctx context.Context, st mailclient.Step) (back mailclient.Step, unread map[string]int) {
	back = st
	f, done := m.ix.use(m.account, m.owner)
	if f == nil {
		return back, nil
	}
	defer done()
	b := f.box(st.Ref.Mailbox)
	unread, err := f.unreadBy(ctx, b, st)
	switch {
	case err != nil:
	case st.Kind == mailclient.ActCopy:
		return back, unread
	case st.Kind == mailclient.ActFlags:
		back.Add, back.Remove = st.Remove, st.Add
		back.Ref.UIDs, err = f.differ(ctx, b, st)
	default:
		err = f.hold(ctx, b, st.Ref)
	}
	if err == nil {
		err = f.act(ctx, b, st)
	}
	m.ix.spoilt(f, err)
	return back, unread
}

// unreadBy tells by how many mails more are unread in mailboxes once a step is done.
func (f *file) unreadBy(ctx context.Context, b *box, st mailclient.Step) (map[string]int, error) {
	by := map[string]int{}
	rows, err := f.rowsOf(ctx, b, st.Ref.UIDs, nil)
	for _, r := range rows {
		before, after := 1, 1
		if r.Flags.Seen {
			before = 0
		}
		if r.Flags.With(st.Add, st.Remove).Seen {
			after = 0
		}
		switch st.Kind {
		case mailclient.ActFlags:
			by[b.name] += after - before
		case mailclient.ActCopy:
			by[st.To] += after
		case mailclient.ActMove:
			by[b.name] -= before
			by[st.To] += after
		default:
			by[b.name] -= before
		}
	}
	return by, err
}

// Recall has lists show mails as they were before Pretend.
func (m *Mail) Recall(ctx context.Context, back mailclient.Step) {
	f, done := m.ix.use(m.account, m.owner)
	if f == nil || back.Kind == mailclient.ActCopy || len(back.Ref.UIDs) == 0 {
		return
	}
	defer done()
	b := f.box(back.Ref.Mailbox)
	if back.Kind == mailclient.ActFlags {
		m.ix.spoilt(f, f.act(ctx, b, back))
		return
	}
	m.ix.spoilt(f, f.unhold(ctx, b, back.Ref))
}

// HeldIDs are the Message-IDs, without brackets, of mails of which a step was pretended that takes them away; of mails
// that have none, or are not known any more, there is none.
func (m *Mail) HeldIDs(ctx context.Context, ref mailclient.Ref) (ids []string) {
	f, done := m.ix.use(m.account, m.owner)
	if f == nil {
		return nil
	}
	defer done()
	b := f.box(ref.Mailbox)
	m.ix.spoilt(f, f.named(ctx, b, "SELECT "+columns+" FROM held", ref.UIDs, func(rows *sql.Rows) error {
		r, err := readRow(rows, b, ref.UIDValidity, nil)
		if r.MessageID != "" {
			ids = append(ids, r.MessageID)
		}
		return err
	}))
	return ids
}

// Settled forgets how mails were of which a step was pretended, and has been done.
func (m *Mail) Settled(ctx context.Context, st mailclient.Step) {
	f, done := m.ix.use(m.account, m.owner)
	if f == nil || st.Kind == mailclient.ActFlags || st.Kind == mailclient.ActCopy {
		return
	}
	defer done()
	m.ix.spoilt(f, f.forget(ctx, f.box(st.Ref.Mailbox), st.Ref.UIDs))
}

// differ are the mails whose flags a step would change.
func (f *file) differ(ctx context.Context, b *box, st mailclient.Step) (uids []uint32, err error) {
	rows, err := f.rowsOf(ctx, b, st.Ref.UIDs, nil)
	for _, r := range rows {
		now := r.Flags.With(st.Add, st.Remove)
		if bitsOf(now, false) != bitsOf(r.Flags, false) || !slices.Equal(slices.Sorted(slices.Values(now.Keywords)), slices.Sorted(slices.Values(r.Flags.Keywords))) {
			uids = append(uids, r.UID)
		}
	}
	return uids, err
}

// hold keeps mails as they are.
func (f *file) hold(ctx context.Context, b *box, ref mailclient.Ref) error {
	return f.change(ctx, func(tx *sql.Tx) error {
		for some := range slices.Chunk(ref.UIDs, namedAtOnce) {
			if _, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO held ("+columns+") SELECT "+columns+" FROM mails WHERE id IN ("+idList(b, some)+")"); err != nil {
				return err
			}
		}
		return nil
	}, func() {})
}

// unhold puts mails back that were held, unless their mailbox is another one by now.
func (f *file) unhold(ctx context.Context, b *box, ref mailclient.Ref) error {
	var held []mailclient.Row
	if err := f.named(ctx, b, "SELECT "+columns+" FROM held", ref.UIDs, func(rows *sql.Rows) error {
		r, err := readRow(rows, b, ref.UIDValidity, nil)
		held = append(held, r)
		return err
	}); err != nil {
		return err
	}
	if f.validity(b) != ref.UIDValidity {
		held = nil
	}
	var came tally
	err := f.change(ctx, func(tx *sql.Tx) error {
		j, err := newJoiner(ctx, tx, b)
		if err != nil {
			return err
		}
		return errors.Join(j.insert(held, &came), j.end(false))
	}, func() { b.moved(came, 0, 0) })
	if err != nil {
		return err
	}
	return f.forget(ctx, b, ref.UIDs)
}

// forget lets go of mails that were held.
func (f *file) forget(ctx context.Context, b *box, uids []uint32) error {
	return f.change(ctx, func(tx *sql.Tx) error {
		for some := range slices.Chunk(uids, namedAtOnce) {
			if _, err := tx.ExecContext(ctx, "DELETE FROM held WHERE id IN ("+idList(b, some)+")"); err != nil {
				return err
			}
		}
		return nil
	}, func() {})
}
