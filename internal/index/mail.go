package index

import (
	"context"
	"errors"
	"slices"
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

// known gives the mailbox as the index has it, as it was at most so long ago, and what gives its file back; nil where the
// session is to be asked. An error is one of the session's. While the server cannot be used, it is what is there.
func (m *Mail) known(ctx context.Context, mailbox string, q mailclient.ListQuery, lag time.Duration) (*file, *box, func(), error) {
	f, done := m.ix.use(m.account, m.owner)
	if f == nil {
		return nil, nil, nil, nil
	}
	b := f.box(mailbox)
	if f.isComplete(b) {
		if err := m.follow(ctx, f, b, q, lag); err != nil && !Lost(err) {
			done()
			return nil, nil, nil, err
		}
		if f.isComplete(b) {
			return f, b, done, nil
		}
	}
	if _, out := m.Outage(); out && f.some(b) {
		return f, b, done, nil
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

// some says whether anything of a mailbox is there.
func (f *file) some(b *box) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return b.known.Messages > 0 && !f.gone
}

// List is one page of a mailbox, as the session's. While the server cannot be used, or needs long for what the index can
// tell of the mails that it has so far, it is that, Incomplete.
func (m *Mail) List(ctx context.Context, mailbox string, q mailclient.ListQuery) (mailclient.List, error) {
	if l, ok, err := m.list(ctx, mailbox, q, 0); ok || err != nil {
		return l, err
	}
	l, err := m.cold(ctx, mailbox, q, func(ctx context.Context) (l mailclient.List, err error) { return m.Session.List(ctx, mailbox, q) })
	if l, ok, err := m.instead(ctx, mailbox, q, 0, err); ok || err != nil {
		return l, err
	}
	return l, err
}

// instead is a list by what the index has, where the server could not tell it: that is err.
func (m *Mail) instead(ctx context.Context, mailbox string, q mailclient.ListQuery, lag time.Duration, err error) (mailclient.List, bool, error) {
	switch {
	case errors.Is(err, errSlow):
		return m.soFar(ctx, mailbox, q)
	case Lost(err):
		return m.list(ctx, mailbox, q, lag)
	}
	return mailclient.List{}, false, err
}

// errSlow is a server that needs long for a list of which the index has a part.
var errSlow = errors.New("the server needs long for a list")

// hard says whether a server has to look at all mails for a list.
func hard(q mailclient.ListQuery) bool {
	return q.Sort != mailclient.SortDate && q.Sort != "" || q.Search != nil || q.Filter != mailclient.FilterNone
}

// cold asks the session, not for long where the index has a part of the answer: errSlow where that is to be shown. A
// server that falls silent then counts as away.
func (m *Mail) cold(ctx context.Context, mailbox string, q mailclient.ListQuery, ask func(context.Context) (mailclient.List, error)) (mailclient.List, error) {
	f, done := m.ix.use(m.account, m.owner)
	if f == nil {
		return ask(ctx)
	}
	defer done()
	b := f.box(mailbox)
	if !f.some(b) {
		return ask(ctx)
	}
	wait := coldTime
	if hard(q) {
		wait = hardTime
		f.mu.Lock()
		slow := time.Since(b.slow) < slowTime
		f.mu.Unlock()
		if slow {
			return mailclient.List{}, errSlow
		}
	}
	short, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	began := time.Now()
	l, err := ask(short)
	if err == nil || short.Err() == nil || ctx.Err() != nil {
		return l, err
	}
	if hard(q) {
		f.mu.Lock()
		b.slow = time.Now()
		f.mu.Unlock()
		return l, errSlow
	}
	m.Silent(began)
	if o, out := m.Outage(); out {
		return l, &mailclient.OutageError{Outage: o}
	}
	return ask(ctx) // it is slow
}

// soFar is a list of what the index has of a mailbox that it has not wholly.
func (m *Mail) soFar(ctx context.Context, mailbox string, q mailclient.ListQuery) (l mailclient.List, ok bool, err error) {
	f, done := m.ix.use(m.account, m.owner)
	if f == nil {
		return l, false, errSlow
	}
	defer done()
	q = tidy(q)
	q.Conversations = false
	b := f.box(mailbox)
	if l, err = m.pageOf(ctx, f, b, q); err != nil {
		return l, false, m.own(ctx, f, err)
	}
	l.Incomplete = !f.isComplete(b) || l.Incomplete
	return l, true, nil
}

// list is List where the index has it.
func (m *Mail) list(ctx context.Context, mailbox string, q mailclient.ListQuery, lag time.Duration) (l mailclient.List, ok bool, err error) {
	q = tidy(q)
	f, b, done, err := m.known(ctx, mailbox, q, lag)
	if f == nil {
		return l, false, err
	}
	defer done()
	if l, err = m.pageOf(ctx, f, b, q); err != nil {
		return l, false, m.own(ctx, f, err)
	}
	if _, out := m.Outage(); !out {
		m.preview(ctx, f, b, l.Rows)
	}
	l.Incomplete = l.Incomplete || !f.isComplete(b)
	m.Keep(mailbox, l.Rows)
	l.HideDeleted()
	return l, true, nil
}

// tidy is Tidy; conversations stand in the order of date, and no search finds them.
func tidy(q mailclient.ListQuery) mailclient.ListQuery {
	q = q.Tidy()
	q.Conversations = q.Conversations && q.Sort == mailclient.SortDate && q.Search == nil
	return q
}

// pageOf is a page of a mailbox that is wholly known.
func (m *Mail) pageOf(ctx context.Context, f *file, b *box, q mailclient.ListQuery) (mailclient.List, error) {
	if q.Search != nil {
		return m.foundPage(ctx, f, b, q)
	}
	m.others(ctx, f)
	l, err := f.page(ctx, b, q, m.Kept)
	return l, fault(err)
}

// own takes a file out of use where an error is one of it, and gives back one that is not.
func (m *Mail) own(ctx context.Context, f *file, err error) error {
	if fault := (*faulty)(nil); errors.As(err, &fault) {
		m.ix.spoilt(f, fault.err)
		return ctx.Err()
	}
	return err
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

// UIDs are all mails of a mailbox that match, as the session's; of a list of conversations all of each.
func (m *Mail) UIDs(ctx context.Context, mailbox string, q mailclient.ListQuery) (mailclient.Ref, error) {
	q = tidy(q)
	f, b, done, err := m.known(ctx, mailbox, mailclient.ListQuery{Filter: q.Filter}, 0)
	if err != nil {
		return mailclient.Ref{}, err
	}
	if f == nil {
		return m.Session.UIDs(ctx, mailbox, q)
	}
	defer done()
	uids, err := m.uids(ctx, f, b, q)
	if err = m.own(ctx, f, err); err != nil {
		return mailclient.Ref{}, err
	}
	if uids == nil {
		return m.Session.UIDs(ctx, mailbox, q)
	}
	return mailclient.Ref{Mailbox: mailbox, UIDValidity: f.validity(b), UIDs: uids}, nil
}

// uids are all mails of a list, in its order; not nil unless there is an error.
func (m *Mail) uids(ctx context.Context, f *file, b *box, q mailclient.ListQuery) ([]uint32, error) {
	if q.Search != nil {
		r, err := m.matching(ctx, f, b, q, 0)
		if err != nil {
			return nil, err
		}
		return append([]uint32{}, r.uids...), nil
	}
	uids, err := f.uids(ctx, b, q)
	return append([]uint32{}, uids...), fault(err)
}

// Neighbours are the mails beside one in a list, and its place, as the session's; in a list of conversations the newest
// mails of those beside it.
func (m *Mail) Neighbours(ctx context.Context, mailbox string, q mailclient.ListQuery, uid uint32) (newer, older uint32, position int, err error) {
	q = tidy(q)
	f, b, done, err := m.known(ctx, mailbox, mailclient.ListQuery{Filter: q.Filter}, 0)
	if err != nil {
		return 0, 0, 0, err
	}
	if f == nil {
		return m.Session.Neighbours(ctx, mailbox, q, uid)
	}
	defer done()
	if q.Search != nil {
		all, err := m.uids(ctx, f, b, q)
		if err == nil {
			newer, older, position = neighbours(all, uid)
			return newer, older, position, nil
		}
		if err = m.own(ctx, f, err); err != nil {
			return 0, 0, 0, err
		}
	} else if newer, older, position, err = f.beside(ctx, b, q, uid); err == nil {
		return newer, older, position, nil
	}
	m.ix.spoilt(f, err)
	return m.Session.Neighbours(ctx, mailbox, q, uid)
}

// neighbours are those beside one in a list, 0 where there is none, and its place from 1; 0 when it is not in it.
func neighbours(all []uint32, uid uint32) (newer, older uint32, at int) {
	i := slices.Index(all, uid)
	if i < 0 {
		return 0, 0, 0
	}
	if i > 0 {
		newer = all[i-1]
	}
	if i+1 < len(all) {
		older = all[i+1]
	}
	return newer, older, i + 1
}

// PageAt is the page on which the mails of a day stand, as the session's. The day is that of its time zone.
func (m *Mail) PageAt(ctx context.Context, mailbox string, q mailclient.ListQuery, day time.Time) (int, error) {
	f, b, done, err := m.known(ctx, mailbox, mailclient.ListQuery{Filter: q.Filter}, 0)
	if err != nil {
		return 0, err
	}
	if f != nil {
		defer done()
		q = tidy(q)
		newer, err := f.newerThan(ctx, b, q.Conversations, day.AddDate(0, 0, 1))
		total, err2 := f.count(ctx, b, mailclient.ListQuery{Conversations: q.Conversations})
		if err = errors.Join(err, err2); err == nil {
			before := newer
			if q.Ascending {
				before = max(total-newer, 1) - 1
			}
			return max(min(before, total-1), 0)/q.PerPage + 1, nil
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
		var o *mailclient.Open
		ask := func(ctx context.Context) (l mailclient.List, err error) {
			o, l, err = asked(ctx, mailbox, uid, q)
			return l, err
		}
		if hard(q) {
			l, err = m.cold(ctx, mailbox, q, ask)
		} else {
			l, err = ask(ctx)
		}
		if err == nil {
			m.shown(o)
		}
		if !errors.Is(err, errSlow) && !Lost(err) {
			return o, l, err
		}
		if l, _, err = m.instead(ctx, mailbox, q, besideLag, err); err != nil {
			return nil, l, err
		}
	}
	o, err := m.Open(ctx, mailbox, 0, uid)
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
	b := f.box(st.Ref.Mailbox)
	m.ix.spoilt(f, f.act(ctx, b, st))
	f.mu.Lock()
	defer f.mu.Unlock()
	b.acted = st.Kind == mailclient.ActFlags
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
