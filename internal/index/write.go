package index

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"restante/mailclient"
)

// change is what is different in a mailbox.
type change struct {
	rows     []mailclient.Row
	gone     []uint32
	turned   []turn
	flags    map[uint32]mailclient.Flags
	known    mailclient.Known // but for Messages
	readOnly bool
	complete bool
}

// apply writes down what the server has told; changed says whether a list is another one for it.
func (f *file) apply(ctx context.Context, b *box, c change) (changed bool, err error) {
	f.mu.Lock()
	same := len(c.rows) == 0 && len(c.gone) == 0 && len(c.turned) == 0 && len(c.flags) == 0 && b.complete == c.complete && b.readOnly == c.readOnly &&
		b.known.UIDValidity == c.known.UIDValidity && b.known.UIDNext == c.known.UIDNext && b.known.ModSeq == c.known.ModSeq
	f.mu.Unlock()
	if same {
		return false, nil
	}
	var came, went, marked tally
	err = f.change(ctx, func(tx *sql.Tx) error {
		if err := save(ctx, tx, b, c.known, c.readOnly, c.complete); err != nil {
			return err
		}
		if err := insert(ctx, tx, b, c.rows, &came); err != nil {
			return err
		}
		if err := remove(ctx, tx, b, c.gone, &went); err != nil {
			return err
		}
		for _, t := range c.turned {
			if err := marked.add(tx.ExecContext(ctx, "UPDATE mails SET flags = ? WHERE id = ?", int64(t.bits), idOf(b, t.uid))); err != nil {
				return err
			}
		}
		return mark(ctx, tx, b, c.flags, &marked)
	}, func() {
		messages := b.known.Messages
		b.known, b.readOnly, b.complete = c.known, c.readOnly, c.complete
		b.known.Messages = messages
		b.moved(came, went, marked)
	})
	return came+went+marked > 0, err
}

// act writes down what was done to mails, of which the server has yet to tell. Under another UIDVALIDITY they are others.
func (f *file) act(ctx context.Context, b *box, st mailclient.Step) error {
	var went, marked tally
	return f.change(ctx, func(tx *sql.Tx) error {
		f.mu.Lock()
		others := b.known.UIDValidity != st.Ref.UIDValidity
		f.mu.Unlock()
		if others {
			return nil
		}
		if st.Kind != mailclient.ActFlags {
			return remove(ctx, tx, b, st.Ref.UIDs, &went)
		}
		flags := map[uint32]mailclient.Flags{}
		for _, uid := range st.Ref.UIDs {
			var was bits
			var words string
			err := tx.QueryRowContext(ctx, "SELECT flags, words FROM mails WHERE id = ?", idOf(b, uid)).Scan(&was, &words)
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			if err != nil {
				return err
			}
			flags[uid] = was.flags(words).With(st.Add, st.Remove)
		}
		return mark(ctx, tx, b, flags, &marked)
	}, func() { b.moved(0, went, marked) })
}

// moved has what hangs on the mails of a mailbox worked out anew. file.mu is held.
func (b *box) moved(came, went, marked tally) {
	if came+went+marked == 0 {
		return
	}
	b.known.Messages += int(came - went)
	b.counts = nil
	b.changes++
	if came+went > 0 {
		b.rungs = nil
	}
}

// tally counts the rows that statements have changed.
type tally int64

func (n *tally) add(res sql.Result, err error) error {
	if err != nil {
		return err
	}
	some, err := res.RowsAffected()
	*n += tally(some)
	return err
}

func remove(ctx context.Context, tx *sql.Tx, b *box, uids []uint32, went *tally) error {
	for _, uid := range uids {
		if err := went.add(tx.ExecContext(ctx, "DELETE FROM mails WHERE id = ?", idOf(b, uid))); err != nil {
			return err
		}
	}
	return nil
}

// mark changes the flags of mails that have others.
func mark(ctx context.Context, tx *sql.Tx, b *box, flags map[uint32]mailclient.Flags, marked *tally) error {
	if len(flags) == 0 {
		return nil
	}
	st, err := tx.PrepareContext(ctx, "UPDATE mails SET flags = flags & 128 | ?2, words = ?3 WHERE id = ?1 AND (flags & 127 <> ?2 OR words <> ?3)")
	if err != nil {
		return err
	}
	defer func() { _ = st.Close() }()
	for uid, fl := range flags {
		if err := marked.add(st.ExecContext(ctx, idOf(b, uid), int64(bitsOf(fl, false)), strings.Join(fl.Keywords, " "))); err != nil {
			return err
		}
	}
	return nil
}

// insert writes the rows of mails that are not there yet.
func insert(ctx context.Context, tx *sql.Tx, b *box, rows []mailclient.Row, came *tally) error {
	if len(rows) == 0 {
		return nil
	}
	st, err := tx.PrepareContext(ctx, `INSERT INTO mails (id, box, received, flags, words, size, sender, recipient, subject, row, preview)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`)
	if err != nil {
		return err
	}
	defer func() { _ = st.Close() }()
	for _, r := range rows {
		raw, err := r.MarshalBinary()
		if err != nil {
			return err
		}
		if err := came.add(st.ExecContext(ctx, idOf(b, r.UID), b.id, r.Received.Unix(), int64(bitsOf(r.Flags, r.HasAttachment)), strings.Join(r.Flags.Keywords, " "), r.Size,
			key(r, mailclient.SortFrom), key(r, mailclient.SortTo), key(r, mailclient.SortSubject), raw, sql.NullString{String: r.Preview, Valid: r.HasPreview()})); err != nil {
			return err
		}
	}
	return nil
}

// maxKey is how many bytes of a text mails are sorted by.
const maxKey = 100

// key is a text by which a mail is sorted, cut.
func key(r mailclient.Row, by mailclient.Sort) string {
	s := r.SortKey(by)
	return strings.ToValidUTF8(s[:min(len(s), maxKey)], "")
}

// clear forgets all of a mailbox.
func (f *file) clear(ctx context.Context, b *box) error {
	return f.change(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM mails WHERE id BETWEEN ? AND ?", idOf(b, 0), idOf(b, 1<<32-1)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM boxes WHERE id = ?", b.id)
		return err
	}, func() {
		b.known, b.complete, b.counts, b.look, b.rungs = mailclient.Known{}, false, nil, nil, nil
		b.changes++
	})
}
