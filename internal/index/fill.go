package index

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"restante/mailclient"
)

const (
	tellEvery  = 3 * time.Second // the filling of a mailbox is told of,
	writeEvery = 2 * time.Second // and what came is written down
)

// Filling says whether the index of a mailbox is being filled, and how many mails are there already.
func (m *Mail) Filling(mailbox string) (done int, on bool) {
	f, leave := m.ix.use(m.account, m.owner)
	if f == nil {
		return 0, false
	}
	defer leave()
	b := f.box(mailbox)
	f.mu.Lock()
	defer f.mu.Unlock()
	return b.known.Messages, b.filling && !b.complete
}

// fillTime is for the filling of one mailbox. What was filled until then is there when it goes on.
const fillTime = 30 * time.Minute

// fill gets all mails of a mailbox behind, the newest first, unless that is under way.
func (m *Mail) fill(f *file, b *box) {
	if f.mails() > maxMails {
		return
	}
	f.mu.Lock()
	idle := !b.filling
	b.filling, b.shown = true, true
	f.mu.Unlock()
	if !idle {
		return
	}
	ended := func() {
		f.mu.Lock()
		b.filling = false
		f.mu.Unlock()
	}
	if !m.ix.behind(f, func(ctx context.Context) {
		defer ended()
		ctx, cancel := context.WithTimeout(mailclient.Behind(ctx), fillTime)
		defer cancel()
		_ = m.fillNow(ctx, f, b, false) // which tells of it
	}) {
		ended()
	}
}

// fillNow fills a mailbox, or gets the previews that are missing where it is whole, once nobody else fills from its host.
func (m *Mail) fillNow(ctx context.Context, f *file, b *box, whole bool) error {
	leave, err := m.ix.filler(ctx, m.Host())
	if err != nil {
		return err
	}
	defer leave()
	if whole {
		err = m.fillPreviews(ctx, f, b)
	} else {
		err = m.filling(ctx, f, b)
	}
	if fault := (*faulty)(nil); errors.As(err, &fault) {
		m.ix.spoilt(f, fault.err)
	}
	if err != nil && ctx.Err() == nil {
		m.ix.log.Info("index not filled", "account", m.account, "err", err.Error())
	}
	return err
}

// filling gets what is not there yet. It begins anew when the mailbox is renewed meanwhile.
func (m *Mail) filling(ctx context.Context, f *file, b *box) error {
	for range 3 {
		f.mu.Lock()
		k := b.known
		f.mu.Unlock()
		n, err := m.News(ctx, b.name, mailclient.Known{})
		if err != nil {
			return err
		}
		if n.UIDValidity == 0 { // UIDs that hold for no longer than a connection (S3)
			return nil
		}
		restored := n.UIDNext != 0 && n.UIDNext < k.UIDNext
		if k.UIDValidity != 0 && k.UIDValidity != n.UIDValidity || restored {
			if err := f.clear(ctx, b); err != nil {
				return fault(err)
			}
			k = mailclient.Known{}
		}
		began := mailclient.Known{UIDValidity: n.UIDValidity, UIDNext: n.UIDNext, ModSeq: n.ModSeq}
		if k.UIDValidity != 0 && k.ModSeq != 0 { // of what was filled before, the flags are known up to then
			began.ModSeq = min(k.ModSeq, n.ModSeq)
		}
		if _, err := f.apply(ctx, b, change{known: began, readOnly: n.ReadOnly}); err != nil {
			return fault(err)
		}
		switch err := m.fillFrom(ctx, f, b, n, began); {
		case errors.Is(err, mailclient.ErrUIDValidity):
			continue
		case err != nil:
			return err
		}
		if err := m.fillPreviews(ctx, f, b); err != nil {
			return err
		}
		if n.Messages >= k.Messages+worthPacking {
			if err := f.pack(ctx); err != nil && ctx.Err() == nil { // it serves as it is
				m.ix.log.Info("index not packed", "account", m.account, "err", err.Error())
			}
		}
		return nil
	}
	return nil
}

const (
	packTime     = 2 * time.Minute // for writing a file anew
	worthPacking = 1000            // mails that came
)

// pack writes a file anew without what is empty in it: what comes the newest first leaves half of its pages empty.
func (f *file) pack(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, packTime)
	defer cancel()
	f.write.Lock()
	defer f.write.Unlock()
	for _, words := range []string{"DELETE FROM names WHERE talk NOT IN (SELECT talk FROM mails)", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"} {
		if _, err := f.db.ExecContext(ctx, words); err != nil {
			return err
		}
	}
	return nil
}

// shrink gives back to the disk what mails that went have left empty, as far as that is quick.
func (f *file) shrink(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, _ = f.db.ExecContext(ctx, "PRAGMA incremental_vacuum(5000)") // else the next time
}

func (m *Mail) fillFrom(ctx context.Context, f *file, b *box, n mailclient.News, began mailclient.Known) error {
	ours, err := f.held(ctx, b)
	if err != nil {
		return fault(err)
	}
	missing, gone := compare(n.All, ours)
	slices.Reverse(missing)
	if _, err := f.apply(ctx, b, change{gone: gone, known: began, readOnly: n.ReadOnly}); err != nil {
		return fault(err)
	}
	told, wrote := time.Now(), time.Now()
	batches, stop := m.ahead(ctx, b, n.UIDValidity, missing)
	defer stop()
	defer f.lean()
	var rows []mailclient.Row
	for got := range batches {
		if rows = append(rows, got.rows...); got.err == nil && !got.last && len(rows) < together && time.Since(wrote) < writeEvery {
			continue
		}
		wrote = time.Now()
		if _, err := f.apply(ctx, b, change{rows: rows, known: began, readOnly: n.ReadOnly}); err != nil {
			return fault(err)
		}
		if rows = nil; got.err != nil {
			return got.err
		}
		if time.Since(told) > tellEvery {
			told = time.Now()
			m.tell(f, b)
		}
	}
	if ctx.Err() != nil { // and not at the end
		return ctx.Err()
	}
	if _, err := f.apply(ctx, b, change{known: began, readOnly: n.ReadOnly, complete: true}); err != nil {
		return fault(err)
	}
	m.tell(f, b)
	f.mu.Lock()
	b.looked = time.Now()
	r := m.look(f, b) // what happened meanwhile
	f.mu.Unlock()
	if r == nil {
		return nil
	}
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// lean closes what connections a fill has left, with the memory that they had for it.
func (f *file) lean() {
	f.db.SetMaxIdleConns(0)
	f.db.SetMaxIdleConns(maxConns)
}

// tell tells that a mailbox is filled on, where a list of it shows.
func (m *Mail) tell(f *file, b *box) {
	f.mu.Lock()
	shown := b.shown
	f.mu.Unlock()
	if shown {
		m.Tell(b.name)
	}
}

// batch are rows that were asked for.
type batch struct {
	rows []mailclient.Row
	last bool
	err  error
}

// ahead asks for mails, batch by batch: the next one comes while one is written down. stop ends it, and waits for it.
func (m *Mail) ahead(ctx context.Context, b *box, validity uint32, uids []uint32) (batches <-chan batch, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	out := make(chan batch)
	go func() {
		defer close(out)
		for at := 0; at < len(uids); at += atOnce {
			end := min(at+atOnce, len(uids))
			rows, err := m.some(ctx, b, validity, uids[at:end], at == 0)
			select {
			case out <- batch{rows, end == len(uids), err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return out, func() {
		cancel()
		for range out { // until it has ended
		}
	}
}

// some are the rows of a batch. Where a mail in it ends the connection, the others come all the same (F11).
func (m *Mail) some(ctx context.Context, b *box, validity uint32, uids []uint32, previews bool) ([]mailclient.Row, error) {
	rows, err := m.FreshRows(ctx, b.name, validity, uids, previews)
	var lost *mailclient.ConnectError
	if err == nil || !errors.As(err, &lost) || lost.Kind != mailclient.Lost || ctx.Err() != nil {
		return rows, err
	}
	if len(uids) == 1 { // all that can be said of it is that it is there
		return []mailclient.Row{{Mailbox: b.name, UID: uids[0], UIDValidity: validity, Received: time.Unix(0, 0)}}, nil
	}
	first, err := m.some(ctx, b, validity, uids[:len(uids)/2], previews)
	if err != nil {
		return nil, err
	}
	rest, err := m.some(ctx, b, validity, uids[len(uids)/2:], previews)
	return append(first, rest...), err
}

// previewsAtOnce is how many previews are asked for in one batch: each opens a mail.
const previewsAtOnce = 100

// fillPreviews gets the previews that nobody has asked for yet, the newest first.
func (m *Mail) fillPreviews(ctx context.Context, f *file, b *box) error {
	for {
		f.mu.Lock()
		validity := b.known.UIDValidity
		f.mu.Unlock()
		rows, err := f.db.QueryContext(ctx, "SELECT "+columns+" FROM mails WHERE box = ? AND preview IS NULL ORDER BY id DESC LIMIT ?", b.id, previewsAtOnce)
		if err != nil {
			return fault(err)
		}
		some, err := readRows(rows, b, validity, nil)
		if err != nil {
			return fault(err)
		}
		if len(some) == 0 {
			f.mu.Lock()
			b.previews = true
			f.mu.Unlock()
			return nil
		}
		if err := m.Previews(ctx, b.name, validity, some); err != nil {
			return err
		}
		if err := f.keepPreviews(ctx, b, some, true); err != nil {
			return fault(err)
		}
	}
}

// keepPreviews writes the previews of rows down. all says that those without one have none.
func (f *file) keepPreviews(ctx context.Context, b *box, rows []mailclient.Row, all bool) error {
	return f.change(ctx, func(tx *sql.Tx) error {
		for _, r := range rows {
			if !all && !r.HasPreview() {
				continue
			}
			if _, err := tx.ExecContext(ctx, "UPDATE mails SET preview = ? WHERE id = ?", r.Preview, idOf(b, r.UID)); err != nil {
				return err
			}
		}
		return nil
	}, func() {})
}
