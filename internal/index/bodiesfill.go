package index

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"restante/mailclient"
	"restante/mailclient/message"
)

// Policy is what an admin lets be kept of the texts of mails, in bytes: of all of an account, none where it is 0, and of
// one mail.
type Policy struct{ Most, Each int64 }

// KeepTexts sets what is kept of the account's texts from now on. A search in those that are kept is instant; about
// others the server is asked.
func (m *Mail) KeepTexts(p Policy) {
	if m.ix == nil {
		return
	}
	m.ix.mu.Lock()
	defer m.ix.mu.Unlock()
	m.ix.policies[m.account] = p
}

// policy is what was set last.
func (m *Mail) policy() Policy {
	m.ix.mu.Lock()
	defer m.ix.mu.Unlock()
	return m.ix.policies[m.account]
}

const (
	bodiesAtOnce = 200     // mails of a batch,
	bytesAtOnce  = 8 << 20 // and about what is asked for in it
	nearlyFull   = 0.9     // of what may be kept: older texts are got again below
)

// readBodies gets behind the texts that are missing, the newest first, once nothing else is filled; those of mails that
// are gone go. Junk and Trash are left to the server.
func (m *Mail) readBodies(f *file) {
	if m.bodies(f) == nil {
		return
	}
	f.mu.Lock()
	due := !f.reading && len(f.unread()) > 0 && time.Since(f.failed) > againTime
	f.reading = f.reading || due
	f.mu.Unlock()
	if due && !m.ix.behind(f, func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(mailclient.Behind(ctx), othersTime)
		defer cancel()
		m.readingBodies(ctx, f)
	}) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.reading = false
	}
}

// unread are the mailboxes whose mails are others than when their texts were last seen to. file.mu is held.
func (f *file) unread() (out []*box) {
	if f.hidden == nil || f.filling { // which folders are which is not known yet, or all is filled first
		return nil
	}
	for _, b := range f.boxes {
		if was, seen := f.read[b]; b.complete && !f.hidden[b.id] && (!seen || was != b.passed) {
			out = append(out, b)
		}
	}
	return out
}

// readingBodies goes on until no mail came or went meanwhile.
func (m *Mail) readingBodies(ctx context.Context, f *file) {
	for {
		t := m.bodies(f)
		f.mu.Lock()
		seen := map[*box]int{}
		for _, b := range f.unread() {
			seen[b] = b.passed
		}
		f.reading = len(seen) > 0 && t != nil && ctx.Err() == nil && time.Since(f.failed) > againTime
		on := f.reading
		f.mu.Unlock()
		if !on {
			return
		}
		err := m.readBodiesOf(ctx, f, t, seen)
		m.textsFailed(ctx, f, t, err)
		f.mu.Lock()
		if err != nil {
			f.failed = time.Now()
		} else {
			f.readUpTo(seen)
		}
		f.mu.Unlock()
	}
}

// readUpTo notes which texts were seen to. file.mu is held.
func (f *file) readUpTo(seen map[*box]int) {
	if f.read == nil {
		f.read = map[*box]int{}
	}
	for b, passed := range seen {
		f.read[b] = passed
	}
}

// textsFailed takes out of use what an error is of.
func (m *Mail) textsFailed(ctx context.Context, f *file, t *bodies, err error) {
	var texts *faultyBodies
	var own *faulty
	if errors.As(err, &texts) {
		m.spoiltBodies(f, t, texts.err)
	} else if errors.As(err, &own) {
		m.ix.spoilt(f, own.err)
	}
	if err != nil && ctx.Err() == nil {
		m.ix.log.Info("texts not kept", "account", m.account, "err", err.Error())
	}
}

// faultyBodies is an error of the file of texts.
type faultyBodies struct{ err error }

func (e *faultyBodies) Error() string { return "texts: " + e.err.Error() }

func (e *faultyBodies) Unwrap() error { return e.err }

func spoilt(err error) error {
	if err == nil {
		return nil
	}
	return &faultyBodies{err}
}

// wantedBody is a mail whose text is to be got.
type wantedBody struct {
	at             *box // among the texts
	uid            uint32
	received, size int64
}

// readBodiesOf gets what is missing of mailboxes.
func (m *Mail) readBodiesOf(ctx context.Context, f *file, t *bodies, boxes map[*box]int) error {
	if err := m.forgetOthers(ctx, f, t); err != nil {
		return spoilt(err)
	}
	var all []wantedBody
	for b := range boxes {
		at, err := t.begin(ctx, b.name, f.validity(b))
		if err != nil {
			return spoilt(err)
		}
		have, err := coverOf(ctx, t.db, at)
		if err != nil {
			return spoilt(err)
		}
		held, err := f.held(ctx, b)
		if err != nil {
			return fault(err)
		}
		missing, gone := compare(held, have.uids())
		if err := t.remove(ctx, at, gone); err != nil {
			return spoilt(err)
		}
		if err := f.named(ctx, b, "SELECT id, received, size FROM mails", missing, func(rows *sql.Rows) error {
			var id int64
			w := wantedBody{at: at}
			err := rows.Scan(&id, &w.received, &w.size)
			w.uid = uint32(id)
			all = append(all, w)
			return err
		}); err != nil {
			return fault(err)
		}
	}
	slices.SortFunc(all, func(x, y wantedBody) int { return cmp.Compare(y.received, x.received) })
	if err := m.fillBodies(ctx, t, m.policy(), all); err != nil {
		return err
	}
	_, err := t.db.ExecContext(ctx, "PRAGMA incremental_vacuum(1000)")
	return spoilt(err)
}

// forgetOthers takes out the texts of mailboxes that are no longer there, or not of those that are kept.
func (m *Mail) forgetOthers(ctx context.Context, f *file, t *bodies) error {
	names, err := t.names(ctx)
	if err != nil {
		return err
	}
	f.mu.Lock()
	names = slices.DeleteFunc(names, func(name string) bool {
		b := f.boxes[name]
		return b != nil && b.complete && !f.hidden[b.id]
	})
	f.mu.Unlock()
	boxes, err := m.Mailboxes(ctx)
	if err != nil {
		return nil // which there are is not known now
	}
	for _, name := range names {
		if slices.ContainsFunc(boxes, func(mb mailclient.Mailbox) bool {
			return mb.Name == name && mb.Role != mailclient.RoleJunk && mb.Role != mailclient.RoleTrash
		}) {
			continue // it is filled anew
		}
		at, _, err := placeOf(ctx, t.db, name, 0)
		if err == nil {
			err = t.forget(ctx, at)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// fillBodies gets texts, as they come, until there are as many as may be.
func (m *Mail) fillBodies(ctx context.Context, t *bodies, p Policy, all []wantedBody) error {
	if _, err := t.add(ctx, nil, nil, p.Most); err != nil { // where it was more
		return spoilt(err)
	}
	size, oldest, err := t.kept(ctx)
	if err != nil {
		return spoilt(err)
	}
	full := float64(size) > nearlyFull*float64(p.Most)
	for len(all) > 0 {
		if full && all[0].received <= oldest { // older ones would only go again
			return nil
		}
		n := batchOf(all, p)
		byBox := map[*box][]wantedBody{}
		for _, w := range all[:n] {
			byBox[w.at] = append(byBox[w.at], w)
		}
		all = all[n:]
		for at, some := range byBox {
			over, err := m.keepBodies(ctx, t, p, at, some)
			if err != nil {
				return err
			}
			if full = full || over; over {
				if _, oldest, err = t.kept(ctx); err != nil {
					return spoilt(err)
				}
			}
		}
	}
	return nil
}

// batchOf says how many mails are asked for at once.
func batchOf(all []wantedBody, p Policy) (n int) {
	for bytes := int64(0); n < min(len(all), bodiesAtOnce) && (n == 0 || bytes < bytesAtOnce); n++ {
		bytes += min(all[n].size, message.SearchedTimes*p.Each)
	}
	return n
}

// keepBodies gets the texts of mails in one mailbox, and writes them down. Others from the same host get their turn
// between batches.
func (m *Mail) keepBodies(ctx context.Context, t *bodies, p Policy, at *box, some []wantedBody) (full bool, err error) {
	leave, err := m.ix.filler(ctx, m.Host())
	if err != nil {
		return false, err
	}
	defer leave()
	uids := make([]uint32, len(some))
	for i, w := range some {
		uids[i] = w.uid
	}
	texts, err := m.someTexts(ctx, at, uids, p.Each)
	if errors.Is(err, mailclient.ErrUIDValidity) { // it is renewed, which is seen when it is followed
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var got []body
	for _, w := range some {
		if text, ok := texts[w.uid]; ok {
			got = append(got, body{w.uid, w.received, text.Folded, text.Whole})
		}
	}
	full, err = t.add(ctx, at, got, p.Most)
	return full, spoilt(err)
}

// someTexts are the texts of mails. Where one of them ends the connection, the others come all the same, and nothing of
// that one is known (F11).
func (m *Mail) someTexts(ctx context.Context, at *box, uids []uint32, most int64) (map[uint32]mailclient.Text, error) {
	texts, err := m.Texts(ctx, at.name, at.known.UIDValidity, uids, most)
	var lost *mailclient.ConnectError
	if err == nil || !errors.As(err, &lost) || lost.Kind != mailclient.Lost || ctx.Err() != nil {
		return texts, err
	}
	if len(uids) == 1 {
		return map[uint32]mailclient.Text{uids[0]: {}}, nil
	}
	first, err := m.someTexts(ctx, at, uids[:len(uids)/2], most)
	if err != nil {
		return nil, err
	}
	rest, err := m.someTexts(ctx, at, uids[len(uids)/2:], most)
	for uid, t := range rest {
		first[uid] = t
	}
	return first, err
}
