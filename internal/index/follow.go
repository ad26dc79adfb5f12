package index

import (
	"context"
	"errors"
	"slices"
	"time"

	"restante/mailclient"
)

const (
	atOnce   = 500              // mails of a batch that is asked for,
	together = 2000             // and of one that is written down
	fewNew   = 2000             // more that came are filled in behind
	lookTime = time.Hour        // how often all flags are asked for where the server tells no changes,
	markTime = time.Minute      // and how often which mails are unread
	askTime  = time.Second      // how often the server is asked while somebody watches
	runTime  = 60 * time.Second // for one look
)

// grace is how long a page waits for the truth where nobody would correct it.
var grace = 3 * time.Second

// run is one look at what the server has.
type run struct {
	done chan struct{}
	err  error
}

// follow brings a mailbox up to what the server has now, or had at most lag ago. Where pages are corrected in place, and
// nothing is said to have happened, nobody waits for it. An error of it is one of the session's.
func (m *Mail) follow(ctx context.Context, f *file, b *box, q mailclient.ListQuery, lag time.Duration) error {
	heard, watched := m.Heard(), m.Watched()
	f.mu.Lock()
	if lag == 0 && q.Page > 0 { // what the last act has changed shows already in the list that follows it
		if b.acted {
			lag = askTime
		}
		b.acted = false
	}
	if watched {
		lag = max(lag, askTime)
	}
	if b.heard == heard && time.Since(b.asked) < lag {
		f.mu.Unlock()
		return nil
	}
	calm := watched && b.heard == heard
	f.mu.Unlock()
	if err := m.lookAt(ctx, f, b, q); err != nil {
		return err
	}
	f.mu.Lock()
	others := b.now != nil
	r := m.look(f, b)
	f.mu.Unlock()
	if r == nil || calm {
		return nil
	}
	return m.await(ctx, r, others)
}

// look gives the look that begins next, and begins it unless another one is under way: that may have asked before what
// is of interest now happened. f.mu is held. nil when the index is closing.
func (m *Mail) look(f *file, b *box) *run {
	if b.now == nil {
		b.now = &run{done: make(chan struct{})}
		if !m.ix.behind(f, func(ctx context.Context) { m.looking(ctx, f, b) }) {
			b.now = nil
		}
		return b.now
	}
	if b.next == nil {
		b.next = &run{done: make(chan struct{})}
	}
	return b.next
}

// looking looks until nobody wants another look.
func (m *Mail) looking(ctx context.Context, f *file, b *box) {
	for {
		f.mu.Lock()
		r := b.now
		f.mu.Unlock()
		heard := m.Heard()
		one, cancel := context.WithTimeout(ctx, runTime)
		changed, err := m.sync(one, f, b)
		cancel()
		if fault := (*faulty)(nil); errors.As(err, &fault) {
			m.ix.spoilt(f, fault.err)
			err = nil // the list comes from IMAP then
		}
		f.mu.Lock()
		if r.err = err; err == nil {
			b.asked, b.heard = time.Now(), heard
		}
		b.now, b.next = b.next, nil
		more := b.now != nil
		f.mu.Unlock()
		close(r.done)
		if changed {
			m.Tell(b.name)
			m.readBodies(f)
		}
		if !more {
			return
		}
	}
}

// faulty is an error of the index itself.
type faulty struct{ err error }

func (e *faulty) Error() string { return "index: " + e.err.Error() }

func (e *faulty) Unwrap() error { return e.err }

func fault(err error) error {
	if err == nil {
		return nil
	}
	return &faulty{err}
}

// sync asks what has become of a mailbox and writes it down. changed says whether a list would be another one now.
func (m *Mail) sync(ctx context.Context, f *file, b *box) (changed bool, err error) {
	f.mu.Lock()
	k := b.known
	k.Look, b.look, k.Plain = b.look, nil, b.plain
	k.Marks, b.marks = b.marks || time.Since(b.marked) > markTime, false
	whole := b.complete
	stale := k.ModSeq == 0 && time.Since(b.looked) > lookTime
	f.mu.Unlock()
	n, err := m.News(ctx, b.name, k)
	if err != nil {
		return false, err
	}
	if n.Renewed {
		if !whole && k.UIDValidity == 0 {
			return false, nil
		}
		return true, fault(f.clear(ctx, b))
	}
	flags := n.Flags
	if n.Unsure || stale {
		if flags, err = m.allFlags(ctx, f, b, n); err != nil {
			return false, err
		}
	}
	missing, gone := n.Fresh, []uint32(nil)
	if n.All != nil {
		ours, err := f.held(ctx, b)
		if err != nil {
			return false, fault(err)
		}
		missing, gone = compare(n.All, ours)
	}
	var rows []mailclient.Row
	complete := whole && len(missing) <= fewNew
	for some := range slices.Chunk(missing, atOnce) {
		if !complete { // what fills it gets them
			break
		}
		got, err := m.FreshRows(ctx, b.name, n.UIDValidity, some, true)
		if err != nil {
			return false, err
		}
		rows = append(rows, got...)
	}
	after := mailclient.Known{UIDValidity: n.UIDValidity, UIDNext: max(n.UIDNext, k.UIDNext), ModSeq: n.ModSeq}
	turned, err := f.turned(ctx, b, n)
	if err != nil {
		return false, fault(err)
	}
	changed, err = f.apply(ctx, b, change{rows: rows, turned: turned, gone: gone, flags: flags, known: after, readOnly: n.ReadOnly, complete: complete})
	f.mu.Lock()
	defer f.mu.Unlock()
	if n.Unsure || stale {
		b.looked = time.Now()
	}
	if n.Unread != nil {
		b.marked = time.Now()
	}
	b.plain = n.Plain
	return changed, fault(err)
}

// allFlags are the flags of all mails that are held.
func (m *Mail) allFlags(ctx context.Context, f *file, b *box, n mailclient.News) (map[uint32]mailclient.Flags, error) {
	ours, err := f.held(ctx, b)
	if err != nil {
		return nil, fault(err)
	}
	flags := n.Flags
	for some := range slices.Chunk(ours, fewNew) {
		got, err := m.FreshFlags(ctx, b.name, n.UIDValidity, some)
		if err != nil {
			return nil, err
		}
		for uid, fl := range got {
			flags[uid] = fl
		}
	}
	return flags, nil
}

// turn is a mail that is unread or flagged, and was not, or the other way round.
type turn struct {
	uid  uint32
	bits bits // all of its flags now
}

// turned are the mails that are not as the server tells which are unread and which are flagged.
func (f *file) turned(ctx context.Context, b *box, n mailclient.News) (out []turn, err error) {
	if n.Unread == nil || n.Flagged == nil {
		return nil, nil
	}
	rows, err := f.db.QueryContext(ctx, "SELECT id, flags FROM mails WHERE box = ? ORDER BY id", b.id)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	in := func(list *[]uint32, uid uint32) bool {
		for len(*list) > 0 && (*list)[0] < uid {
			*list = (*list)[1:]
		}
		return len(*list) > 0 && (*list)[0] == uid
	}
	for rows.Next() {
		var id int64
		var was bits
		if err := rows.Scan(&id, &was); err != nil {
			return nil, err
		}
		uid, is := uint32(id), was&^(seen|flagged)
		if !in(&n.Unread, uid) {
			is |= seen
		}
		if in(&n.Flagged, uid) {
			is |= flagged
		}
		if is != was {
			out = append(out, turn{uid, is})
		}
	}
	return out, rows.Err()
}

// compare gives what is in one rising list of UIDs and not in the other.
func compare(theirs, ours []uint32) (missing, gone []uint32) {
	i, j := 0, 0
	for i < len(theirs) || j < len(ours) {
		switch {
		case j == len(ours) || i < len(theirs) && theirs[i] < ours[j]:
			missing = append(missing, theirs[i])
			i++
		case i == len(theirs) || ours[j] < theirs[i]:
			gone = append(gone, ours[j])
			j++
		default:
			i, j = i+1, j+1
		}
	}
	return missing, gone
}

// held are the UIDs of the mails that the index has, rising.
func (f *file) held(ctx context.Context, b *box) ([]uint32, error) {
	return f.ids(ctx, "SELECT id FROM mails WHERE id BETWEEN ? AND ? ORDER BY id", idOf(b, 0), idOf(b, 1<<32-1))
}
