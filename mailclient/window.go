package mailclient

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"restante/mailclient/imapx"
)

// window lists by arrival: the mails of a page are a window of sequence numbers, good for one flight only.
func (s *Session) window(ctx context.Context, c *imapx.Conn, raw, name string, q ListQuery, l *List) error {
	p := s.plan(c, raw, name, q)
	b, err := selectBox(ctx, c, raw, p.behind()...)
	if err != nil {
		return err
	}
	return s.fill(ctx, c, b, name, p, fetched(p.behind()...), l)
}

// plan is what a page by arrival asks behind the SELECT, by a guess of how many mails there are.
type plan struct {
	shown  shown
	q      ListQuery
	lo, hi int            // sequence numbers
	fetch  *imapx.Command // nil when nothing is known to guess by
	sample *imapx.Command // of the dates of mails that are listed later; mostly nil
}

func (p plan) behind() []*imapx.Command {
	return slices.DeleteFunc([]*imapx.Command{p.fetch, p.sample}, func(cmd *imapx.Command) bool { return cmd == nil })
}

// samples is of how many mails behind the first page the dates are asked for, the first time: old mail that came later may
// fill that page, in the best of orders.
const samples = 8

func (s *Session) plan(c *imapx.Conn, raw, name string, q ListQuery) plan {
	p := plan{shown: shown{raw, q.Page, q.PerPage, q.Ascending}, q: q}
	guess, known := s.guess(c, raw, name)
	if !known || guess == 0 {
		return p
	}
	var l List
	from, to := l.Paging(q, guess)
	if p.lo, p.hi = sequence(q, guess, from, to); p.hi >= p.lo {
		p.fetch = s.fetchWindow(c, p)
		if p.lo > samples && q.Page == 1 && !q.Ascending && !s.warm(p.shown) {
			var seqs []string
			for i := range samples {
				seqs = append(seqs, strconv.Itoa((p.lo-1)*(i+1)/samples))
			}
			p.sample = imapx.Cmd("FETCH", strings.Join(seqs, ","), "(UID INTERNALDATE)")
		}
	}
	return p
}

// fetchWindow asks for flags alone where the rows of the page are known.
func (s *Session) fetchWindow(c *imapx.Conn, p plan) *imapx.Command {
	items := itemsFor(c) + guessItem
	if s.warm(p.shown) {
		items = "UID FLAGS"
	}
	return imapx.Cmd("FETCH", fmt.Sprintf("%d:%d", p.lo, p.hi), "("+items+")")
}

// fill makes the list from what was fetched by the plan, and asks again where the guess was wrong.
func (s *Session) fill(ctx context.Context, c *imapx.Conn, b *box, name string, p plan, got []imapx.Fetch, l *List) error {
	exists := int(c.Exists())
	l.Mailbox, l.ReadOnly = s.boxState(name, b, exists), b.readOnly
	from, to := l.Paging(p.q, exists)
	if exists == 0 {
		return nil
	}
	lo, hi := sequence(p.q, exists, from, to)
	right := p.fetch != nil && lo == p.lo && hi == p.hi && p.fetch.Status == "OK"
	var later []Row
	for _, f := range got {
		if right && int(f.Seq) < lo && !f.Date.IsZero() {
			later = append(later, Row{UID: f.UID, Received: f.Date})
		}
	}
	for again := right; !again || len(within(got, lo, hi)) <= hi-lo; again = true {
		p.lo, p.hi = lo, hi
		p.fetch = s.fetchWindow(c, p)
		if err := c.Do(ctx, p.fetch); err != nil {
			return err
		}
		if p.fetch.Status != "OK" && len(p.fetch.Data) == 0 {
			return p.fetch.Err(c.Host)
		}
		got = collect(p.fetch.Data)
		if again || p.fetch.Status != "OK" {
			break // one that is done may not have told all (O102), and is asked but once more
		}
	}
	var err error
	l.Rows, err = s.rowsFrom(ctx, c, b, name, within(got, lo, hi))
	slices.SortFunc(l.Rows, func(x, y Row) int {
		if p.q.Ascending {
			x, y = y, x
		}
		return cmp.Compare(y.UID, x.UID)
	})
	if c.Has("SORT") || exists <= maxDated {
		if p.q.Ascending || p.q.Page > 1 {
			later = nil
		}
		slices.SortFunc(later, func(x, y Row) int { return cmp.Compare(y.UID, x.UID) })
		if mixed(slices.Concat(l.Rows, later), p.q) {
			s.foundMixed(b)
		}
	}
	byDay(l.Rows, p.q)
	if err == nil {
		s.remember(p.shown, l.Rows)
	}
	return err
}

// within are those of these sequence numbers.
func within(got []imapx.Fetch, lo, hi int) (out []imapx.Fetch) {
	for _, f := range got {
		if int(f.Seq) >= lo && int(f.Seq) <= hi {
			out = append(out, f)
		}
	}
	return out
}

// guess is how many mails there are as last heard: by this connection, or by the tree.
func (s *Session) guess(c *imapx.Conn, raw, name string) (int, bool) {
	if b := boxOf(c); b != nil && b.raw == raw {
		return int(c.Exists()), true
	}
	m, ok := s.known(name)
	return int(m.Messages), ok && m.StatusKnown
}

// shown is a page that was listed.
type shown struct {
	raw           string
	page, perPage int
	ascending     bool
}

// listed is a page that was listed, with its mails in their order.
type listed struct {
	shown
	uids []uint32
}

// warm says whether the rows of a page are known, so that flags are enough to ask for first.
func (s *Session) warm(p shown) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.rows.shown, func(l listed) bool { return l.shown == p })
}

// listed are the mails of a page in their order, as it was listed last, and where one stands there; -1 for nowhere.
func (s *Session) listed(p shown, uid uint32) (uids []uint32, at int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.rows.shown {
		if l.shown == p {
			return l.uids, slices.Index(l.uids, uid)
		}
	}
	return nil, -1
}

// keptRows are the rows that are kept of these mails.
func (s *Session) keptRows(raw string, validity uint32, uids []uint32) (out []Row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, uid := range uids {
		if r, ok := s.rows.get(rowKey{raw, validity, uid}); ok {
			out = append(out, r)
		}
	}
	return out
}

// remember keeps the pages whose rows are still kept.
func (s *Session) remember(p shown, rows []Row) {
	uids := make([]uint32, len(rows))
	for i, r := range rows {
		uids[i] = r.UID
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows.shown = append(slices.DeleteFunc(s.rows.shown, func(o listed) bool { return o.shown == p }), listed{p, uids})
	if n := max(1, maxRows/p.perPage) - 1; len(s.rows.shown) > n {
		s.rows.shown = slices.Delete(s.rows.shown, 0, len(s.rows.shown)-n)
	}
}

// sequence turns a window of the list into sequence numbers.
func sequence(q ListQuery, exists, from, to int) (lo, hi int) {
	if q.Ascending {
		return from + 1, to
	}
	return exists - to + 1, exists - from
}

// PageAt is the page of the whole list, in its order of arrival, on which the mails of a day stand: or, when none came
// on it, those that came last before it. day is a date; what time of day a mail came, and where, is the server's to say.
func (s *Session) PageAt(ctx context.Context, mailbox string, q ListQuery, day time.Time) (page int, err error) {
	q = q.Tidy()
	raw, err := s.rawName(mailbox)
	if err != nil {
		return 0, err
	}
	page = 1
	err = s.do(ctx, raw, true, func(c *imapx.Conn) error {
		if _, err := selectBox(ctx, c, raw); err != nil {
			return err
		}
		exists := int(c.Exists())
		if exists == 0 {
			return nil
		}
		name, strewn := "SEARCH", s.displaced(raw)
		if c.Has("ESEARCH") && !strewn {
			name = "SEARCH RETURN (MAX)"
		}
		cmd := imapx.Cmd(name, "BEFORE "+day.AddDate(0, 0, 1).Format("2-Jan-2006"))
		if err := c.Do(ctx, cmd); err != nil {
			return err
		}
		if cmd.Status != "OK" {
			return cmd.Err(c.Host)
		}
		last := min(last(cmd.Data), exists)
		if strewn {
			last = len(numbers(cmd.Data, "SEARCH"))
		}
		before := exists - last // newer ones
		if q.Ascending {
			before = max(last, 1) - 1
		}
		page = min(before, exists-1)/q.PerPage + 1
		return nil
	})
	return page, err
}

// last is the greatest number of SEARCH, or MAX of ESEARCH; 0 for none.
func last(data []imapx.Response) (most int) {
	for _, n := range numbers(data, "SEARCH") {
		most = max(most, int(n))
	}
	for _, r := range data {
		for i := 0; r.Type == "ESEARCH" && i+1 < len(r.Nodes); i++ {
			if r.Nodes[i].Is("MAX") {
				most = max(most, int(r.Nodes[i+1].Number32()))
			}
		}
	}
	return most
}
