package mailclient

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"restante/mailclient/imapx"
	"restante/mailclient/message"
)

const (
	defaultPage = 50
	maxPage     = 500
	maxSorted   = 5000 // mails sorted on our side where the server cannot
)

// List is one page of a mailbox. A cold first page is one round trip, plus one for previews not seen before.
// The page is clamped to those there are. ErrNoMailbox if the mailbox cannot be opened.
func (s *Session) List(ctx context.Context, mailbox string, q ListQuery) (List, error) {
	raw, err := s.rawName(mailbox)
	if err != nil {
		return List{}, err
	}
	q = q.Tidy()
	var l List
	err = s.do(ctx, raw, true, func(c *imapx.Conn) error {
		l = List{}
		if q.byArrival() && !s.displaced(raw) {
			if err := s.window(ctx, c, raw, mailbox, q, &l); err != nil || !s.displaced(raw) {
				return err
			}
			l = List{}
		}
		err := s.searched(ctx, c, raw, mailbox, q, &l)
		if q.byArrival() && err == nil {
			byDay(l.Rows, q)
			s.remember(shown{raw, q.Page, q.PerPage, q.Ascending}, l.Rows)
		}
		return err
	})
	l.HideDeleted()
	return l, err
}

// HideDeleted counts the mails that are marked deleted instead of showing them (L13).
func (l *List) HideDeleted() {
	l.Deleted = len(l.Rows)
	l.Rows = slices.DeleteFunc(l.Rows, func(r Row) bool { return r.Flags.Deleted })
	l.Deleted -= len(l.Rows)
}

// byArrival says whether the list is that of all mails in the order they came.
func (q ListQuery) byArrival() bool {
	return q.Filter == FilterNone && q.Sort == SortDate && q.Search == nil
}

// Tidy fills in what a query leaves open, and holds what it asks for within its bounds.
func (q ListQuery) Tidy() ListQuery {
	if q.PerPage <= 0 {
		q.PerPage = defaultPage
	}
	q.PerPage = min(q.PerPage, maxPage)
	q.Page = max(q.Page, 1)
	if q.Sort == "" {
		q.Sort = SortDate
	}
	return q
}

// Paging fills the numbers of a list from its total and gives the window [from, to) in the order of the list.
func (l *List) Paging(q ListQuery, total int) (from, to int) {
	l.Total, l.Pages = total, max(1, (total+q.PerPage-1)/q.PerPage)
	l.Page = min(q.Page, l.Pages)
	from = (l.Page - 1) * q.PerPage
	return from, min(from+q.PerPage, total)
}

// rowsFrom makes rows of what one FETCH told, asks for what is missing, and keeps them.
func (s *Session) rowsFrom(ctx context.Context, c *imapx.Conn, b *box, name string, fetched []imapx.Fetch) ([]Row, error) {
	b.saw(fetched)
	rows := map[uint32]Row{}
	var uids, missing []uint32
	s.mu.Lock()
	for _, f := range fetched {
		uids = append(uids, f.UID)
		if r, ok := s.rows.get(rowKey{b.raw, b.validity, f.UID}); ok {
			r.Flags = flagsOf(f.Flags)
			rows[f.UID] = r
		} else if f.Header != nil {
			rows[f.UID] = guessed(rowOf(name, b.validity, f), f)
		} else {
			missing = append(missing, f.UID)
		}
	}
	s.mu.Unlock()
	s.previews(ctx, c, rows)
	s.mu.Lock()
	for u, r := range rows {
		s.rows.put(rowKey{b.raw, b.validity, u}, r)
	}
	s.mu.Unlock()
	more, err := s.fetchRows(ctx, c, b, name, missing)
	if err != nil {
		return nil, err
	}
	for _, r := range more {
		rows[r.UID] = r
	}
	out := make([]Row, 0, len(uids))
	for _, u := range uids {
		if r, ok := rows[u]; ok {
			out = append(out, r)
		}
	}
	return out, nil
}

// boxState is the mailbox as the connection that has it selected knows it.
func (s *Session) boxState(name string, b *box, exists int) Mailbox {
	m, _ := s.known(name)
	m.Messages, m.UIDValidity = uint32(exists), b.validity
	if m.UIDNext < b.uidnext {
		m.UIDNext = b.uidnext
	}
	return m
}

// searched lists what a filter, a search or an order other than arrival gives.
func (s *Session) searched(ctx context.Context, c *imapx.Conn, raw, name string, q ListQuery, l *List) error {
	b, err := selectBox(ctx, c, raw)
	if err != nil {
		return err
	}
	l.Mailbox, l.ReadOnly = s.boxState(name, b, int(c.Exists())), b.readOnly
	if c.Exists() == 0 {
		l.Paging(q, 0)
		return nil
	}
	uids, err := s.ordered(ctx, c, b, name, q, l)
	if err != nil {
		return err
	}
	from, to := l.Paging(q, len(uids))
	l.Rows, err = s.fetchRows(ctx, c, b, name, uids[from:to])
	return err
}

// ordered are all UIDs that match, in the order asked for.
func (s *Session) ordered(ctx context.Context, c *imapx.Conn, b *box, name string, q ListQuery, l *List) ([]uint32, error) {
	mixed := q.Sort == SortDate && s.isMixed(b)
	if !mixed || q.Filter != "" || q.Search != nil {
		return s.orderedAnew(ctx, c, b, name, q, l, mixed)
	}
	uids, err := s.sameOrder(ctx, c, b)
	if err == nil && uids == nil {
		asked := q
		asked.Ascending = true
		if uids, err = s.orderedAnew(ctx, c, b, name, asked, l, true); err == nil {
			s.keepOrder(b, uids)
		}
	}
	if err == nil && !q.Ascending {
		slices.Reverse(uids)
	}
	return uids, err
}

// orderedAnew is ordered of what the server is asked for.
func (s *Session) orderedAnew(ctx context.Context, c *imapx.Conn, b *box, name string, q ListQuery, l *List, mixed bool) ([]uint32, error) {
	keys := filterKeys(q)
	if (q.Sort != SortDate || mixed) && c.Has("SORT") {
		uids, err := sortOnServer(ctx, c, q, keys)
		if err == nil {
			uids, l.Incomplete, err = seenInside(ctx, c, q.Search, uids)
		}
		if err == nil || lost(err) {
			return uids, err
		}
	}
	uids, note, err := searchBox(ctx, c, keys)
	if err != nil {
		return nil, err
	}
	if uids, l.Incomplete, err = seenInside(ctx, c, q.Search, uids); err != nil {
		return nil, err
	}
	if note != "" {
		l.Incomplete, l.Note = true, note
	}
	if mixed && len(uids) <= maxDated {
		err = s.byDate(ctx, c, b, uids)
	} else {
		s.inPlace(b, uids, q.byArrival())
	}
	if err != nil {
		return nil, err
	}
	if !q.Ascending {
		slices.Reverse(uids)
	}
	if q.Sort == SortDate {
		return uids, nil
	}
	return s.sortHere(ctx, c, b, name, q, uids, l)
}

// sortOnServer is UID SORT (RFC 5256).
func sortOnServer(ctx context.Context, c *imapx.Conn, q ListQuery, keys []any) ([]uint32, error) {
	order := map[Sort]string{SortFrom: "FROM", SortTo: "TO", SortSubject: "SUBJECT", SortSize: "SIZE"}[q.Sort]
	if !q.Ascending {
		order = "REVERSE " + order
	}
	order += " REVERSE ARRIVAL"
	if q.Sort == SortDate { // those of one second by UID: REVERSE would leave these the oldest first
		order = "ARRIVAL"
	}
	cmd := imapx.Cmd("UID SORT", append([]any{"(" + order + ")", "UTF-8"}, keys...)...)
	if err := c.Do(ctx, cmd); err != nil {
		return nil, err
	}
	if cmd.Status != "OK" {
		return nil, cmd.Err(c.Host)
	}
	uids := numbers(cmd.Data, "SORT")
	if q.Sort == SortDate && !q.Ascending {
		slices.Reverse(uids)
	}
	return uids, nil
}

// sortHere sorts the newest mails by what their rows say.
func (s *Session) sortHere(ctx context.Context, c *imapx.Conn, b *box, name string, q ListQuery, uids []uint32, l *List) ([]uint32, error) {
	if len(uids) > maxSorted {
		slices.Sort(uids)
		uids = uids[len(uids)-maxSorted:]
		l.Incomplete = true
	}
	type keyed struct {
		uid  uint32
		text string
		size int64
	}
	var all []keyed
	for window := range slices.Chunk(uids, 500) {
		for _, set := range uidSets(window) {
			cmd := imapx.Cmd("UID FETCH", set, "(UID RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER.FIELDS (From To Subject)])")
			if err := c.Do(ctx, cmd); err != nil {
				return nil, err
			}
			for _, f := range collect(cmd.Data) {
				r := rowOf(name, b.validity, f)
				all = append(all, keyed{f.UID, sortText(q.Sort, r), f.Size})
			}
		}
	}
	slices.SortStableFunc(all, func(x, y keyed) int {
		d := cmp.Compare(x.text, y.text)
		if q.Sort == SortSize {
			d = cmp.Compare(x.size, y.size)
		}
		if !q.Ascending {
			d = -d
		}
		return cmp.Or(d, cmp.Compare(y.uid, x.uid))
	})
	out := make([]uint32, len(all))
	for i, k := range all {
		out[i] = k.uid
	}
	return out, nil
}

func sortText(by Sort, r Row) string {
	switch by {
	case SortFrom:
		if len(r.From) > 0 {
			return message.Fold(cmp.Or(r.From[0].Name, r.From[0].Addr))
		}
	case SortTo:
		if len(r.To) > 0 {
			return message.Fold(cmp.Or(r.To[0].Name, r.To[0].Addr))
		}
	case SortSubject:
		base, _ := message.BaseSubject(r.Subject)
		return message.Fold(base)
	}
	return ""
}

// UIDs are all mails of a mailbox that match, for "all N in this folder", in the order of the list.
func (s *Session) UIDs(ctx context.Context, mailbox string, q ListQuery) (Ref, error) {
	raw, err := s.rawName(mailbox)
	if err != nil {
		return Ref{}, err
	}
	ref := Ref{Mailbox: mailbox}
	err = s.do(ctx, raw, true, func(c *imapx.Conn) error {
		b, err := selectBox(ctx, c, raw)
		if err != nil {
			return err
		}
		ref.UIDValidity = b.validity
		if c.Exists() == 0 {
			return nil
		}
		ref.UIDs, err = s.ordered(ctx, c, b, mailbox, q.Tidy(), &List{})
		return err
	})
	return ref, err
}

// Neighbours are the mails before and after uid in the list that q gives, 0 where there is none, and its place
// in it, from 1; 0 when it is not in the list.
func (s *Session) Neighbours(ctx context.Context, mailbox string, q ListQuery, uid uint32) (newer, older uint32, position int, err error) {
	raw, err := s.rawName(mailbox)
	if err != nil {
		return 0, 0, 0, err
	}
	if q = q.Tidy(); q.byArrival() && !s.displaced(raw) {
		return s.beside(ctx, mailbox, q, uid)
	}
	ref, err := s.UIDs(ctx, mailbox, q)
	if err != nil {
		return 0, 0, 0, err
	}
	i := slices.Index(ref.UIDs, uid)
	if i < 0 {
		return 0, 0, 0, nil
	}
	if i > 0 {
		newer = ref.UIDs[i-1]
	}
	if i+1 < len(ref.UIDs) {
		older = ref.UIDs[i+1]
	}
	return newer, older, i + 1, nil
}

// beside is Neighbours in the order of arrival: two small questions, whatever the size of the mailbox.
func (s *Session) beside(ctx context.Context, mailbox string, q ListQuery, uid uint32) (newer, older uint32, position int, err error) {
	raw, err := s.rawName(mailbox)
	if err != nil {
		return 0, 0, 0, err
	}
	err = s.do(ctx, raw, true, func(c *imapx.Conn) error {
		find := imapx.Cmd("UID FETCH", uid, "(UID)")
		if err := meet(ctx, c, raw, uid); err != nil {
			return err
		}
		if _, err := selectBox(ctx, c, raw, find); err != nil {
			return err
		}
		n, exists := 0, int(c.Exists())
		for _, f := range collect(find.Data) {
			if f.UID == uid {
				n = int(f.Seq)
			}
		}
		if n == 0 || n > exists {
			return nil
		}
		around := imapx.Cmd("FETCH", fmt.Sprintf("%d:%d", max(1, n-1), min(exists, n+1)), "(UID)")
		if err := c.Do(ctx, around); err != nil {
			return err
		}
		for _, f := range collect(around.Data) {
			switch int(f.Seq) {
			case n - 1:
				older = f.UID
			case n + 1:
				newer = f.UID
			}
		}
		position = exists - n + 1
		if q.Ascending {
			newer, older, position = older, newer, n
		}
		return nil
	})
	return newer, older, position, err
}
