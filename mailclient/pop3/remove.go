package pop3

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"
)

// fresh is how long a session's numbers are trusted without asking (P21).
const fresh = 5 * time.Minute

// remove deletes at the source what the policy says (lines 13 to 15), and ends the session: deletions come about when
// QUIT is answered.
func (r *run) remove(ctx context.Context, s Session) error {
	var due []*known
	for _, k := range r.ids {
		if k.state == Imported && k.number > 0 && k.tries < maxTries && !r.guard && !r.blind && r.Policy.due(k.imported, r.Now()) {
			due = append(due, k)
		}
	}
	slices.SortFunc(due, func(a, b *known) int { return cmp.Compare(a.number, b.number) })
	var sure []*known
	for _, k := range due {
		if len(sure) == deleMost {
			break
		}
		same, err := r.same(ctx, s, k)
		if err != nil {
			return err
		}
		if same {
			sure = append(sure, k)
		}
	}
	if len(sure) == 0 {
		_ = s.Quit(ctx) // nothing hangs on it
		return nil
	}
	return r.delete(ctx, s, sure)
}

// delete deletes mails and ends the session.
func (r *run) delete(ctx context.Context, s Session, mails []*known) error {
	if err := r.mark(ctx, Change{State: Deleting}, mails...); err != nil {
		return err
	}
	var said []*known
	for _, k := range mails {
		err := s.Dele(ctx, k.number)
		var no *RefusedError
		switch {
		case errors.As(err, &no):
			err = r.mark(ctx, Change{State: Imported, Words: "-ERR " + no.Text}, k)
		case err == nil:
			said = append(said, k)
		}
		if err != nil {
			return err
		}
	}
	err := s.Quit(ctx)
	var no *RefusedError
	if errors.As(err, &no) { // the next listing tells which of them are gone
		return r.mark(ctx, Change{State: Imported, Words: "-ERR " + no.Text}, said...)
	}
	if err != nil {
		return err
	}
	if err := r.mark(ctx, Change{State: Gone}, said...); err != nil {
		return err
	}
	r.stats.Deleted += len(said)
	return r.progress(ctx)
}

// same says whether the mail under a number is surely the one of its row. One that is another has come under its UID
// (line 17): it gets a row of its own, and is fetched by the next session.
func (r *run) same(ctx context.Context, s Session, k *known) (bool, error) {
	if k.uid[0] != ' ' && (s.Age() > fresh || s.Odd() > 0) {
		uid, err := s.UIDOf(ctx, k.number)
		if err != nil || uid != k.uid {
			return false, unlessRefused(err)
		}
	}
	if k.sure {
		return true, nil
	}
	key, err := topKey(ctx, s, k.number)
	if err != nil {
		return false, err
	}
	if key == "" { // the server gives no headers
		return r.first[k.uid] == k && k.next == nil, nil
	}
	row, err := r.Ledger.Row(ctx, k.id)
	if err != nil {
		return false, broken(err)
	}
	if row.KeyHash == key {
		return true, nil
	}
	if err := r.mark(ctx, Change{State: Gone}, k); err != nil {
		return false, err
	}
	last := k
	for o := r.first[k.uid]; o != nil; o = o.next {
		if o.dup > last.dup {
			last = o
		}
	}
	return false, r.addAll(ctx, []unlisted{{Entry{Number: k.number, UID: k.uid}, last.dup + 1}}, false)
}
