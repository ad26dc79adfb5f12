package pop3

import (
	"cmp"
	"context"
	"errors"
	"io"
	"time"
)

// fetched is what became of a RETR.
type fetched struct {
	k     *known
	facts facts
	sum   string // content hash
	size  int64
	nuls  int64
	old   int64  // the row that knows this mail under another UID
	large bool   // it is larger than Most
	words string // why it was not fetched
}

// bring fetches mails into the spool and appends them from there, both at the same time.
func (r *run) bring(ctx context.Context, s Session, todo []*known) error {
	if len(todo) == 0 {
		return nil
	}
	fetching, cancel := context.WithCancel(ctx)
	defer cancel()
	out, stop, ended := make(chan fetched, 2*batchMost), make(chan struct{}), make(chan error, 1)
	go func() { // bring waits for its end
		var err error
		defer func() {
			ended <- err
			close(out)
		}()
		err = r.fetch(fetching, s, todo, out, stop)
	}()
	err := r.fileAll(ctx, s, out, stop)
	cancel()
	for f := range out { // the next run finds them in the spool
		r.room.Release(f.held())
	}
	if failed := <-ended; err == nil {
		err = failed
	}
	return err
}

// fetch retrieves mails in their order until stop is closed. A mail that the server does not give is passed over; an
// error ends the session.
func (r *run) fetch(ctx context.Context, s Session, todo []*known, out chan<- fetched, stop <-chan struct{}) error {
	for i, k := range todo {
		select {
		case <-stop:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		default:
		}
		if r.Spool.Full() {
			return &endError{Outcome{Kind: Disk}}
		}
		then := 0
		if i+1 < len(todo) && !todo[i+1].compare {
			then = todo[i+1].number
		}
		f, err := r.fetchOne(ctx, s, k, then)
		if err == nil || f.words != "" && ctx.Err() == nil {
			err = cmp.Or(err, r.hand(ctx, s, f, out))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// fetchOne retrieves a mail (lines 2 to 5). The error is one that ends the session.
func (r *run) fetchOne(ctx context.Context, s Session, k *known, then int) (f fetched, err error) {
	f = fetched{k: k}
	compare := k.compare && len(r.old.byKey) > 0
	if compare {
		key, err := topKey(ctx, s, k.number)
		if err != nil {
			f.words = err.Error()
			return f, err
		}
		if f.old = r.old.take(r.old.byKey, key); f.old != 0 {
			return f, nil
		}
	}
	file, err := r.Spool.Create(k.id)
	if err != nil {
		return f, broken(err)
	}
	d := newDigest()
	got, err := s.Retr(ctx, k.number, io.MultiWriter(file, d), r.Most, then)
	if err != nil {
		file.Abort()
		f.large = errors.Is(err, ErrTooBig)
		f.facts.subject = d.subject
		f.words = err.Error()
		var no *RefusedError
		if errors.As(err, &no) {
			f.words, err = no.Text, nil
		}
		return f, err
	}
	f.sum, f.size, f.nuls = d.sum(), got.Bytes, got.NULs
	f.facts = d.facts
	if compare {
		if f.old = r.old.take(r.old.byContent, f.sum); f.old != 0 {
			file.Abort()
			return f, nil
		}
	}
	return f, broken(file.Commit())
}

// held is how much of the room in the spool a mail takes.
func (f fetched) held() int64 { return min(f.size, ahead) }

// hand passes on what was fetched, once there is room. Meanwhile the source hears of us (P15).
func (r *run) hand(ctx context.Context, s Session, f fetched, out chan<- fetched) error {
	for {
		wait, cancel := context.WithTimeout(ctx, idleMax)
		err := r.room.Acquire(wait, f.held())
		cancel()
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := s.Noop(ctx); err != nil {
			return err
		}
	}
	idle := time.NewTicker(idleMax)
	defer idle.Stop()
	for {
		select {
		case out <- f:
			return nil
		case <-ctx.Done():
			r.room.Release(f.held())
			return ctx.Err()
		case <-idle.C:
			if err := s.Noop(ctx); err != nil {
				r.room.Release(f.held())
				return err
			}
		}
	}
}
