package pop3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// letter is a mail in the spool on its way into the target.
type letter struct {
	row  Row
	date time.Time
	read bool
	note string // what was changed in it
}

// fileAll appends what comes in. It closes stop when the session has enough to delete.
func (r *run) fileAll(ctx context.Context, s Session, in <-chan fetched, stop chan<- struct{}) error {
	before := r.stats.Done
	for f := range in {
		batch, bytes := []fetched{f}, f.size
	more:
		for len(batch) < batchMost && bytes < batchBytes {
			select {
			case f, ok := <-in:
				if !ok {
					break more
				}
				batch, bytes = append(batch, f), bytes+f.size
			default:
				break more
			}
		}
		err := r.take(ctx, batch)
		for _, f := range batch {
			r.room.Release(f.held())
		}
		if err == nil {
			err = r.progress(ctx)
		}
		if err != nil {
			return err
		}
		brought := r.stats.Done - before
		if stop != nil && r.Policy.Delete && r.Policy.After == 0 && !r.guard && (brought >= deleMost || brought > 0 && s.Age() > sessionMax) {
			close(stop)
			stop = nil
		}
	}
	return nil
}

// take writes down what became of some fetches, and appends the mails that are whole.
func (r *run) take(ctx context.Context, batch []fetched) error {
	var letters []*letter
	for _, f := range batch {
		k := f.k
		row := Row{ID: k.id, UID: k.uid, Dup: k.dup, Size: f.size, State: Spooled, Tries: k.tries, KeyHash: f.facts.key, ContentHash: f.sum, Subject: f.facts.subject}
		var err error
		switch {
		case f.old != 0:
			err = r.alias(ctx, row, f.old)
		case f.large:
			row.State, row.Size, row.LastError = TooBig, k.size, ErrTooBig.Error()
			row.KeyHash, row.ContentHash = "", ""
			r.stats.Failed++
			err = r.save(ctx, row)
		case f.words != "":
			err = r.tried(ctx, k, f.words)
		default:
			k.sure = true
			l := &letter{row: row, date: f.facts.date, read: f.facts.read}
			if f.nuls > 0 {
				l.note = fmt.Sprintf("%d zero bytes were left out", f.nuls)
			}
			letters = append(letters, l)
		}
		if err != nil {
			return err
		}
	}
	return r.appendAll(ctx, letters)
}

// alias gives what is known of a mail to its row under another UID (line 5).
func (r *run) alias(ctx context.Context, row Row, old int64) error {
	from, err := r.Ledger.Row(ctx, old)
	if err != nil {
		return broken(err)
	}
	row.KeyHash, row.ContentHash, row.Size, row.Token, row.Place, row.TargetUID, row.ImportedAt = from.KeyHash, from.ContentHash, from.Size, from.Token, from.Place, from.TargetUID, from.ImportedAt
	switch row.State, row.Subject = Imported, ""; from.State {
	case Failed, Doubtful:
		row.State, row.LastError, row.Subject = from.State, from.LastError, from.Subject
	case Spooled: // not taken so far: it is fetched once more
		row.State, row.KeyHash, row.ContentHash, row.Token = Seen, "", "", ""
	}
	from.State, from.ContentHash = Gone, "" // it is not to be found a second time
	if err := r.save(ctx, row, from); err != nil {
		return err
	}
	r.stats.Total--
	return broken(r.Spool.Remove(old))
}

// appendAll appends letters, again those that it turned out were not taken for no fault of their own.
func (r *run) appendAll(ctx context.Context, letters []*letter) error {
	for len(letters) > 0 {
		at, err := r.spot(ctx)
		if err != nil {
			return targetEnd(err)
		}
		var fit, large []*letter
		for _, l := range letters {
			l.row.Place, l.row.Changed, l.row.LastError = at, r.Now(), ""
			if l.row.State, l.row.Token = Appending, r.Token(); at.Most > 0 && l.row.Size > at.Most {
				r.tooBig(l, "")
				large = append(large, l)
			} else {
				fit = append(fit, l)
			}
		}
		if err := r.settled(ctx, slices.Concat(fit, large)); err != nil {
			return err
		}
		if letters, err = r.appendEach(ctx, at, fit); err != nil {
			return err
		}
	}
	return nil
}

// spot is the target's place. While each APPEND says its UID, what the next one gets is known without asking.
func (r *run) spot(ctx context.Context) (Place, error) {
	if r.Now().Sub(r.placed) < placeTime {
		return r.place, nil
	}
	at, err := r.Target.Place(ctx)
	if r.place, r.placed = at, r.Now(); err != nil {
		r.placed = time.Time{}
	}
	return at, err
}

func (r *run) tooBig(l *letter, words string) {
	l.row.State, l.row.LastError, l.row.Token = TooBig, words, ""
	r.stats.Failed++
}

// appendEach appends letters that stand as appending, one after the other (P14), and writes down what became of them.
// again are those to be appended anew.
func (r *run) appendEach(ctx context.Context, at Place, letters []*letter) (again []*letter, err error) {
	for i, l := range letters {
		uid, err := r.append(ctx, at, l)
		if r.place.UIDNext = max(at.UIDNext, r.place.UIDNext, uid+1); err != nil || uid == 0 {
			r.placed = time.Time{}
		}
		var no *NotTakenError
		switch {
		case err == nil:
			r.imported(&l.row, at, uid)
			l.row.LastError = l.note
			continue
		case errors.As(err, &no) && no.Why == TooLarge:
			r.tooBig(l, no.Text)
			continue
		case errors.As(err, &no) && no.Why == No:
			r.again(&l.row, no.Text)
			continue
		case errors.As(err, &no) && no.Why == NoPlace: // it went away this moment: it is made anew
			r.again(&l.row, no.Text)
			again = append(again, l)
			continue
		case errors.As(err, &no):
			l.row.State, l.row.LastError = Spooled, no.Text
		}
		for _, l := range letters[i+1:] { // not begun
			l.row.State = Spooled
		}
		if failed := r.settled(ctx, letters); failed != nil {
			return nil, failed
		}
		if no != nil {
			return nil, targetEnd(err)
		}
		if err := r.settle(ctx, &l.row); err != nil { // line 9
			return nil, err
		}
		return waiting(slices.Concat(again, letters[i:])), nil
	}
	return waiting(again), r.settled(ctx, letters)
}

// waiting are the letters that may be appended anew.
func waiting(letters []*letter) []*letter {
	return slices.DeleteFunc(letters, func(l *letter) bool { return l.row.State != Spooled })
}

// again has a mail tried again, if not too often.
func (r *run) again(row *Row, words string) {
	row.Tries++
	if row.State, row.LastError = Spooled, words; row.Tries >= maxTries {
		row.State = Failed
		r.stats.Failed++
	}
}

// append sends one APPEND.
func (r *run) append(ctx context.Context, at Place, l *letter) (uid uint32, err error) {
	body, size, err := r.Spool.Open(l.row.ID)
	if err != nil {
		return 0, &NotTakenError{Why: No, Text: err.Error()}
	}
	defer func() { _ = body.Close() }() // it was only read
	mark := fmt.Sprintf("%s: %s.%s\r\n", MarkName, r.Source, l.row.Token)
	return r.Target.Append(ctx, at, Mail{Mark: mark, Size: size, Body: body, Date: l.date, Read: l.read})
}

func (r *run) imported(row *Row, at Place, uid uint32) {
	row.State, row.Place, row.TargetUID = Imported, at, uid
	row.ImportedAt, row.Tries, row.LastError, row.Subject = r.Now(), 0, "", ""
	r.stats.Done++
	r.stats.Bytes += row.Size
}

// settled writes rows down, and then empties the spool of those that do not need it any more. What the target has not
// taken may wait for long, and the source may be rid of it by then: that is to outlast a power cut first.
func (r *run) settled(ctx context.Context, letters []*letter) error {
	var rows []Row
	for _, l := range letters {
		rows = append(rows, l.row)
		if slices.Contains([]State{Spooled, Failed, Doubtful}, l.row.State) {
			if err := r.Spool.Sync(l.row.ID); err != nil {
				return broken(err)
			}
		}
	}
	if err := r.save(ctx, rows...); err != nil {
		return err
	}
	for _, row := range rows {
		if row.State == Imported || row.State == TooBig {
			if err := r.Spool.Remove(row.ID); err != nil {
				return broken(err)
			}
		}
	}
	return nil
}

// settle finds out what became of an APPEND that was cut off (lines 9 to 12). An error leaves the row as it is.
func (r *run) settle(ctx context.Context, row *Row) error {
	f, err := r.Target.Find(ctx, row.Place, row.Token)
	if wait := r.Settle - r.Now().Sub(row.Changed); err == nil && !f.Found && wait > 0 { // it may be on its way still
		if err := r.Sleep(ctx, wait); err != nil {
			return err
		}
		f, err = r.Target.Find(ctx, row.Place, row.Token)
	}
	if err != nil {
		return targetEnd(err)
	}
	switch {
	case f.Found:
		r.imported(row, f.At, f.UID)
	case f.Absent:
		r.again(row, "the connection was lost")
	default:
		row.State = Doubtful
		r.stats.Failed++
	}
	return r.settled(ctx, []*letter{{row: *row}})
}

// recover reads the ledger, finds out what became of APPENDs that a killed run has sent, and appends what it has
// fetched (P22).
func (r *run) recover(ctx context.Context) error {
	ids, err := r.Spool.IDs()
	if err != nil {
		return broken(err)
	}
	whole := map[int64]bool{}
	for _, id := range ids {
		whole[id] = true
	}
	var waiting, lost []*known
	var open []Row
	err = r.Ledger.Load(ctx, func(row Row) error {
		k := r.add(row)
		switch {
		case row.State == Appending:
			open = append(open, row)
		case row.State == Spooled && !whole[row.ID]:
			lost = append(lost, k)
		case row.State == Spooled, row.State == Seen && whole[row.ID] && !row.Compare:
			waiting = append(waiting, k)
		case row.State != Failed && row.State != Doubtful:
			return nil
		}
		delete(whole, row.ID)
		return nil
	})
	if err != nil {
		return broken(err)
	}
	for id := range whole {
		if err := r.Spool.Remove(id); err != nil {
			return broken(err)
		}
	}
	if err := r.mark(ctx, Change{State: Seen}, lost...); err != nil {
		return err
	}
	for _, row := range open {
		if err := r.settle(ctx, &row); err != nil {
			return err
		}
		if row.State == Spooled {
			waiting = append(waiting, r.ids[row.ID])
		}
	}
	return r.goOn(ctx, waiting)
}

// goOn appends mails that an earlier run has fetched.
func (r *run) goOn(ctx context.Context, waiting []*known) error {
	r.stats.Total = r.stats.Done + len(waiting)
	for part := range slices.Chunk(waiting, batchMost) {
		var letters []*letter
		for _, k := range part {
			l, err := r.reread(k)
			if err != nil {
				return err
			}
			if l == nil {
				err = r.mark(ctx, Change{State: Seen}, k)
			} else {
				letters = append(letters, l)
			}
			if err != nil {
				return err
			}
		}
		if err := r.appendAll(ctx, letters); err != nil {
			return err
		}
		if err := r.progress(ctx); err != nil {
			return err
		}
	}
	return nil
}

// reread makes a letter of what is in the spool, nil if it is not there.
func (r *run) reread(k *known) (*letter, error) {
	body, size, err := r.Spool.Open(k.id)
	if err != nil {
		return nil, nil
	}
	d := newDigest()
	_, err = io.Copy(d, body)
	if err := errors.Join(err, body.Close()); err != nil {
		return nil, broken(err)
	}
	row := Row{ID: k.id, UID: k.uid, Dup: k.dup, Size: size, State: Spooled, Tries: k.tries, ContentHash: d.sum()}
	row.KeyHash, row.Subject = d.key, d.subject
	return &letter{row: row, date: d.date, read: d.read}, nil
}
