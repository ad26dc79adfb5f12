package index

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
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

// roomy is the memory of a connection that writes many mails: what they change lies all over the file.
const roomy = "PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 8000"

// apply writes down what the server has told; changed says whether a list is another one for it.
func (f *file) apply(ctx context.Context, b *box, c change) (changed bool, err error) {
	f.mu.Lock()
	was := b.complete
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
		if len(c.rows) >= together {
			if _, err := tx.ExecContext(ctx, roomy); err != nil {
				return err
			}
		}
		j, err := newJoiner(ctx, tx, b)
		if err != nil {
			return err
		}
		if err := j.insert(c.rows, &came); err != nil {
			return err
		}
		if err := j.remove(c.gone, &went); err != nil {
			return err
		}
		if c.complete && !f.ordered {
			if _, err := tx.ExecContext(ctx, listed); err != nil {
				return err
			}
		}
		for _, t := range c.turned {
			if err := j.touch(&marked, "UPDATE mails SET flags = ? WHERE id = ? RETURNING talk", int64(t.bits), idOf(b, t.uid)); err != nil {
				return err
			}
		}
		if err := j.mark(c.flags, &marked); err != nil {
			return err
		}
		return j.end(c.complete && !was)
	}, func() {
		messages := b.known.Messages
		f.ordered = f.ordered || c.complete
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
		j, err := newJoiner(ctx, tx, b)
		if err != nil {
			return err
		}
		if st.Kind != mailclient.ActFlags {
			return errors.Join(j.remove(st.Ref.UIDs, &went), j.end(false))
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
		return errors.Join(j.mark(flags, &marked), j.end(false))
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
		b.passed++
	} else {
		delete(b.rungs, "talks") // a mark of deletion may change their order
	}
}

// tally counts the mails that statements have changed.
type tally int

// touch changes one mail by a statement that returns its conversation.
func (j *joiner) touch(n *tally, words string, args ...any) error {
	var talk int64
	err := j.scan(words, args, &talk)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil {
		*n++
		j.touched[talk] = true
	}
	return err
}

// remove takes mails out.
func (j *joiner) remove(uids []uint32, went *tally) error {
	if len(uids) == 0 {
		return nil
	}
	for _, uid := range uids {
		if err := j.touch(went, "DELETE FROM mails WHERE id = ? RETURNING talk", idOf(j.b, uid)); err != nil {
			return err
		}
		if err := j.exec("DELETE FROM orphans WHERE id = ?", idOf(j.b, uid)); err != nil {
			return err
		}
	}
	return strike(j.ctx, j.tx, j.b, uids)
}

// mark changes the flags of mails that have others.
func (j *joiner) mark(flags map[uint32]mailclient.Flags, marked *tally) error {
	for uid, fl := range flags {
		if err := j.touch(marked, "UPDATE mails SET flags = flags & 128 | ?2, words = ?3 WHERE id = ?1 AND (flags & 127 <> ?2 OR words <> ?3) RETURNING talk",
			idOf(j.b, uid), int64(bitsOf(fl, false)), strings.Join(fl.Keywords, " ")); err != nil {
			return err
		}
	}
	return nil
}

// insert writes the rows of mails that are not there yet.
func (j *joiner) insert(rows []mailclient.Row, came *tally) error {
	if len(rows) == 0 {
		return nil
	}
	if err := j.tx.QueryRowContext(j.ctx, "SELECT EXISTS (SELECT 1 FROM orphans)").Scan(&j.orphans); err != nil {
		return err
	}
	var fresh []mailclient.Row
	rows = slices.SortedFunc(slices.Values(rows), func(x, y mailclient.Row) int { return cmp.Compare(x.UID, y.UID) }) // as they lie on the disk
	has, err := j.among(idOf(j.b, rows[0].UID), idOf(j.b, rows[len(rows)-1].UID))
	if err != nil {
		return err
	}
	var names [][]int64
	for _, r := range rows {
		if id := idOf(j.b, r.UID); !has[id] {
			has[id] = true
			fresh, names = append(fresh, r), append(names, namesOf(r))
		}
	}
	if err := j.meet(slices.Concat(names...)); err != nil {
		return err
	}
	for i, r := range fresh {
		raw, err := r.MarshalBinary()
		if err != nil {
			return err
		}
		talk, err := j.join(names[i])
		if err != nil {
			return err
		}
		if err := j.exec(`INSERT INTO mails (id, box, received, flags, words, talk, size, sender, recipient, subject, row, preview) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			idOf(j.b, r.UID), j.b.id, r.Received.Unix(), int64(bitsOf(r.Flags, r.HasAttachment)), strings.Join(r.Flags.Keywords, " "), talk, r.Size,
			key(r, mailclient.SortFrom), key(r, mailclient.SortTo), key(r, mailclient.SortSubject), raw, sql.NullString{String: r.Preview, Valid: r.HasPreview()}); err != nil {
			return err
		}
		*came++
	}
	for _, r := range slices.Backward(fresh) { // an answer that names nothing belongs to the last that came before it
		if err := j.bySubject(r); err != nil {
			return err
		}
	}
	return enter(j.ctx, j.tx, j.b, fresh)
}

// among are the mails that are there already from one to another.
func (j *joiner) among(from, to int64) (map[int64]bool, error) {
	rows, err := j.rows("SELECT id FROM mails WHERE id BETWEEN ? AND ?", from, to)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	has := map[int64]bool{}
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		has[id] = true
	}
	return has, rows.Err()
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
		for _, table := range []string{"mails", "blocks", "orphans"} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE id BETWEEN ? AND ?", idOf(b, 0), idOf(b, 1<<32-1)); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM talks WHERE box = ?", b.id); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM boxes WHERE id = ?", b.id)
		return err
	}, func() {
		b.known, b.complete, b.counts, b.look, b.rungs = mailclient.Known{}, false, nil, nil, nil
		b.changes++
		b.passed++
	})
}
