package index

import (
	"context"
	"time"

	"restante/mailclient"
)

// Mail is an account's mail. Lists and what hangs on their order come from the index where it knows the mailbox; all
// else is the session's, as is what the index does not know.
type Mail struct {
	*mailclient.Session
	ix      *Index
	account int64
	owner   string
}

// known gives the mailbox as the index has it, as it was at most so long ago, and what gives its file back; nil where the session is to be
// asked. An error is one of the session's.
func (m *Mail) known(ctx context.Context, mailbox string, q mailclient.ListQuery, lag time.Duration) (*file, *box, func(), error) {
	f, done := m.ix.use(m.account, m.owner)
	if f == nil {
		return nil, nil, nil, nil
	}
	b := f.box(mailbox)
	if f.isComplete(b) {
		if err := m.follow(ctx, f, b, q, lag); err != nil {
			done()
			return nil, nil, nil, err
		}
		if f.isComplete(b) {
			return f, b, done, nil
		}
	}
	m.fill(f, b)
	done()
	return nil, nil, nil, nil
}

// lookAt has the next look ask for what a list shows, on a server that does not tell what has changed.
func (m *Mail) lookAt(ctx context.Context, f *file, b *box, q mailclient.ListQuery) error {
	f.mu.Lock()
	tells := b.known.ModSeq > 0
	b.marks = b.marks || q.Filter == mailclient.FilterUnread || q.Filter == mailclient.FilterFlagged
	f.mu.Unlock()
	if tells || q.Page == 0 {
		return nil
	}
	l, err := f.page(ctx, b, q, m.Kept)
	if err != nil {
		m.ix.spoilt(f, err)
		return ctx.Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range l.Rows {
		b.look = append(b.look, r.UID)
	}
	return nil
}

func (f *file) isComplete(b *box) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return b.complete && !f.gone
}

// List is one page of a mailbox, as the session's.
func (m *Mail) List(ctx context.Context, mailbox string, q mailclient.ListQuery) (mailclient.List, error) {
	if l, ok, err := m.list(ctx, mailbox, q, 0); ok || err != nil {
		return l, err
	}
	return m.Session.List(ctx, mailbox, q)
}

// list is List where the index has it.
func (m *Mail) list(ctx context.Context, mailbox string, q mailclient.ListQuery, lag time.Duration) (l mailclient.List, ok bool, err error) {
	if q.Search != nil {
		return l, false, nil
	}
	q = q.Tidy()
	f, b, done, err := m.known(ctx, mailbox, q, lag)
	if f == nil {
		return l, false, err
	}
	defer done()
	if l, err = f.page(ctx, b, q, m.Kept); err != nil {
		m.ix.spoilt(f, err)
		return l, false, ctx.Err()
	}
	m.preview(ctx, f, b, l.Rows)
	m.Keep(mailbox, l.Rows)
	l.HideDeleted()
	return l, true, nil
}

// preview gets the previews that are missing.
func (m *Mail) preview(ctx context.Context, f *file, b *box, rows []mailclient.Row) {
	var without []mailclient.Row
	for _, r := range rows {
		if !r.HasPreview() {
			without = append(without, r)
		}
	}
	if len(without) == 0 || m.Previews(ctx, b.name, rows[0].UIDValidity, without) != nil {
		return
	}
	with := map[uint32]mailclient.Row{}
	for _, r := range without {
		with[r.UID] = r
	}
	for i, r := range rows {
		if p, ok := with[r.UID]; ok {
			rows[i] = p
		}
	}
	m.ix.spoilt(f, f.keepPreviews(ctx, b, without, false))
}

// UIDs are all mails of a mailbox that match, as the session's.
func (m *Mail) UIDs(ctx context.Context, mailbox string, q mailclient.ListQuery) (mailclient.Ref, error) {
	if q.Search == nil {
		f, b, done, err := m.known(ctx, mailbox, mailclient.ListQuery{Filter: q.Filter}, 0)
		if err != nil {
			return mailclient.Ref{}, err
		}
		if f != nil {
			defer done()
			uids, err := f.uids(ctx, b, q.Tidy())
			if err == nil {
				f.mu.Lock()
				defer f.mu.Unlock()
				return mailclient.Ref{Mailbox: mailbox, UIDValidity: b.known.UIDValidity, UIDs: uids}, nil
			}
			m.ix.spoilt(f, err)
		}
	}
	return m.Session.UIDs(ctx, mailbox, q)
}

// Neighbours are the mails beside one in a list, and its place, as the session's.
func (m *Mail) Neighbours(ctx context.Context, mailbox string, q mailclient.ListQuery, uid uint32) (newer, older uint32, position int, err error) {
	if q.Search == nil {
		f, b, done, err := m.known(ctx, mailbox, mailclient.ListQuery{Filter: q.Filter}, 0)
		if err != nil {
			return 0, 0, 0, err
		}
		if f != nil {
			defer done()
			if newer, older, position, err = f.beside(ctx, b, q.Tidy(), uid); err == nil {
				return newer, older, position, nil
			}
			m.ix.spoilt(f, err)
		}
	}
	return m.Session.Neighbours(ctx, mailbox, q, uid)
}

// PageAt is the page on which the mails of a day stand, as the session's. The day is that of its time zone.
func (m *Mail) PageAt(ctx context.Context, mailbox string, q mailclient.ListQuery, day time.Time) (int, error) {
	f, b, done, err := m.known(ctx, mailbox, mailclient.ListQuery{Filter: q.Filter}, 0)
	if err != nil {
		return 0, err
	}
	if f != nil {
		defer done()
		q = q.Tidy()
		newer, err := f.newerThan(ctx, b, day.AddDate(0, 0, 1))
		if err == nil {
			f.mu.Lock()
			defer f.mu.Unlock()
			before := newer
			if q.Ascending {
				before = max(b.known.Messages-newer, 1) - 1
			}
			return max(min(before, b.known.Messages-1), 0)/q.PerPage + 1, nil
		}
		m.ix.spoilt(f, err)
	}
	return m.Session.PageAt(ctx, mailbox, q, day)
}

// besideLag is how old a list may be that stands beside an open mail: the mail is what the server is asked for.
const besideLag = 30 * time.Second

// OpenInList is a mail with its list, as the session's.
func (m *Mail) OpenInList(ctx context.Context, mailbox string, uid uint32, q mailclient.ListQuery) (*mailclient.Open, mailclient.List, error) {
	return m.open(ctx, mailbox, uid, q, m.Session.OpenInList)
}

// OpenBeside is a mail beside its list, as the session's.
func (m *Mail) OpenBeside(ctx context.Context, mailbox string, uid uint32, q mailclient.ListQuery) (*mailclient.Open, mailclient.List, error) {
	return m.open(ctx, mailbox, uid, q, m.Session.OpenBeside)
}

func (m *Mail) open(ctx context.Context, mailbox string, uid uint32, q mailclient.ListQuery,
	asked func(context.Context, string, uint32, mailclient.ListQuery) (*mailclient.Open, mailclient.List, error)) (*mailclient.Open, mailclient.List, error) {
	l, ok, err := m.list(ctx, mailbox, q, besideLag)
	if err != nil {
		return nil, l, err
	}
	if !ok {
		return asked(ctx, mailbox, uid, q)
	}
	o, err := m.Session.Open(ctx, mailbox, 0, uid)
	return o, l, err
}

// Run does a step, as the session does, and has lists show it at once.
func (m *Mail) Run(ctx context.Context, st mailclient.Step) (mailclient.Result, error) {
	res, err := m.Session.Run(ctx, st)
	if err == nil && st.Kind != mailclient.ActCopy && !res.Marked {
		m.acted(ctx, st)
	}
	return res, err
}

// acted writes down what a step has done. What it gets wrong the next look puts right.
func (m *Mail) acted(ctx context.Context, st mailclient.Step) {
	f, done := m.ix.use(m.account, m.owner)
	if f == nil {
		return
	}
	defer done()
	m.ix.spoilt(f, f.act(ctx, f.box(st.Ref.Mailbox), st))
}

// MarkSeen marks a mail read, as the session does.
func (m *Mail) MarkSeen(ctx context.Context, o *mailclient.Open) error {
	err := m.Session.MarkSeen(ctx, o)
	if err == nil {
		m.acted(ctx, mailclient.Step{Act: mailclient.Act{Kind: mailclient.ActFlags, Add: []string{`\Seen`}},
			Ref: mailclient.Ref{Mailbox: o.Mailbox, UIDValidity: o.UIDValidity, UIDs: []uint32{o.UID}}})
	}
	return err
}
