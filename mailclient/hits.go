package mailclient

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"restante/mailclient/imapx"
)

const (
	searchAllTime = 25 * time.Second
	searchAtOnce  = 2   // mailboxes: the connections that work
	searchNewest  = 500 // of each mailbox
	foundTime     = 10 * time.Minute
)

// Searcher looks through mailboxes: a Session asks the server, who keeps rows may know better.
type Searcher interface {
	// HitsIn are the mails of one mailbox that match. cut says that not all were looked at.
	HitsIn(ctx context.Context, mailbox string, q SearchQuery) (hits []Hit, cut bool, err error)
	// HitRows are the rows of hits in their order; mails that are gone are left out.
	HitRows(ctx context.Context, hits []Hit) ([]Row, error)
}

// Hit names a mail that a search over all mailboxes found.
type Hit struct {
	Mailbox          string
	UIDValidity, UID uint32
	Received         time.Time
}

// finding is what the last search over all mailboxes found, newest first: the mails of its result are opened one after
// the other.
type finding struct {
	query  string
	hits   []Hit
	missed []string
	at     time.Time
}

// Search looks through all mailboxes; Junk and Trash only when the query says everywhere. Of each mailbox that the
// server is asked about, the newest 500 hits count. What could not be searched in 25 seconds makes the list Incomplete,
// with the names in Note.
func (s *Session) Search(ctx context.Context, q SearchQuery, page, perPage int) (List, error) {
	return s.SearchBy(ctx, s, q, page, perPage)
}

// SearchBy is Search by way of a searcher.
func (s *Session) SearchBy(ctx context.Context, by Searcher, q SearchQuery, page, perPage int) (List, error) {
	boxes, err := s.Searched(ctx, q)
	if err != nil {
		return List{}, err
	}
	f := finding{query: fmt.Sprint(q), at: time.Now()}
	within, cancel := context.WithTimeout(ctx, searchAllTime)
	defer cancel()
	type answer struct {
		hits []Hit
		cut  bool
	}
	answers := make([]answer, len(boxes))
	seats := make(chan struct{}, searchAtOnce)
	var all sync.WaitGroup
	for i, name := range boxes {
		seats <- struct{}{}
		all.Go(func() {
			defer func() { <-seats }()
			hits, cut, err := by.HitsIn(within, name, q)
			answers[i] = answer{hits, cut || err != nil}
		})
	}
	all.Wait()
	if ctx.Err() != nil {
		return List{}, ctx.Err()
	}
	for i, a := range answers {
		if a.cut {
			f.missed = append(f.missed, boxes[i])
		}
		f.hits = append(f.hits, a.hits...)
	}
	slices.SortStableFunc(f.hits, func(a, b Hit) int {
		return cmp.Or(b.Received.Compare(a.Received), cmp.Compare(a.Mailbox, b.Mailbox), cmp.Compare(b.UID, a.UID))
	})
	s.mu.Lock()
	s.found = f
	s.mu.Unlock()
	return s.foundPage(ctx, by, q, f, page, perPage)
}

// Searched are the mailboxes that a search looks through.
func (s *Session) Searched(ctx context.Context, q SearchQuery) (names []string, err error) {
	boxes, err := s.Mailboxes(ctx)
	for _, m := range boxes {
		if m.Selectable && m.Role != RoleAll && (q.Everywhere || !thrownAway(m)) && (!m.StatusKnown || m.Messages > 0) {
			names = append(names, m.Name)
		}
	}
	return names, err
}

// Found is Search, but for what the last search of the same query found within ten minutes: mails that this session
// moved since are listed where they are now, and no new ones come in.
func (s *Session) Found(ctx context.Context, q SearchQuery, page, perPage int) (List, error) {
	return s.FoundBy(ctx, s, q, page, perPage)
}

// FoundBy is Found by way of a searcher.
func (s *Session) FoundBy(ctx context.Context, by Searcher, q SearchQuery, page, perPage int) (List, error) {
	f, ok := s.lastFound(q)
	if !ok {
		return s.SearchBy(ctx, by, q, page, perPage)
	}
	return s.foundPage(ctx, by, q, f, page, perPage)
}

func (s *Session) lastFound(q SearchQuery) (finding, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.found, s.found.query == fmt.Sprint(q) && time.Since(s.found.at) < foundTime
}

// Hits are all mails that a search over all mailboxes found, as Found has them.
func (s *Session) Hits(ctx context.Context, q SearchQuery) ([]Hit, error) {
	return s.HitsBy(ctx, s, q)
}

// HitsBy is Hits by way of a searcher.
func (s *Session) HitsBy(ctx context.Context, by Searcher, q SearchQuery) ([]Hit, error) {
	f, ok := s.lastFound(q)
	if !ok {
		if _, err := s.SearchBy(ctx, by, q, 1, 1); err != nil {
			return nil, err
		}
		f, _ = s.lastFound(q)
	}
	return s.shownHits(ctx, q, f)
}

// thrownAway says whether mails of a mailbox are found only when they are asked for.
func thrownAway(m Mailbox) bool { return m.Role == RoleJunk || m.Role == RoleTrash }

// shownHits leaves out what was thrown away since it was found.
func (s *Session) shownHits(ctx context.Context, q SearchQuery, f finding) ([]Hit, error) {
	boxes, err := s.Mailboxes(ctx)
	if err != nil || q.Everywhere {
		return f.hits, err
	}
	hidden := map[string]bool{}
	for _, m := range boxes {
		hidden[m.Name] = thrownAway(m)
	}
	return slices.DeleteFunc(slices.Clone(f.hits), func(h Hit) bool { return hidden[h.Mailbox] }), nil
}

func (s *Session) foundPage(ctx context.Context, by Searcher, q SearchQuery, f finding, page, perPage int) (l List, err error) {
	hits, err := s.shownHits(ctx, q, f)
	if err != nil {
		return l, err
	}
	from, to := l.Paging(ListQuery{Page: page, PerPage: perPage}.Tidy(), len(hits))
	l.Rows, err = by.HitRows(ctx, hits[from:to])
	l.Incomplete, l.Note = len(f.missed) > 0, strings.Join(f.missed, ", ")
	return l, err
}

// follow keeps what was found true when mails of it move. One that went where nobody knows is found no more: its row
// does not come.
func (s *Session) follow(from string, m Moved) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.found.hits = slices.Clone(s.found.hits) // those given out never change
	for i, h := range s.found.hits {
		if to, ok := m.UIDs[h.UID]; ok && h.Mailbox == from {
			s.found.hits[i] = Hit{m.To, m.UIDValidity, to, h.Received}
		}
	}
}

// HitsIn are the newest mails of one mailbox that match, at most 500. cut says that not all were looked at.
func (s *Session) HitsIn(ctx context.Context, name string, q SearchQuery) (out []Hit, cut bool, err error) {
	raw, err := s.rawName(name)
	if err != nil {
		return nil, false, err
	}
	err = s.do(ctx, raw, true, func(c *imapx.Conn) error {
		out = nil
		b, uids, note, err := searchIn(ctx, c, raw, filterKeys(ListQuery{Search: &q}))
		if err != nil {
			return err
		}
		if note != "" {
			return &RefusedError{Host: c.Host, Command: "UID SEARCH", Text: note}
		}
		if uids, cut, err = seenInside(ctx, c, &q, uids); err != nil {
			return err
		}
		uids = uids[max(0, len(uids)-searchNewest):]
		for _, set := range uidSets(uids) {
			cmd := imapx.Cmd("UID FETCH", set, "(UID INTERNALDATE)")
			if err := c.Do(ctx, cmd); err != nil {
				return err
			}
			for _, f := range collect(cmd.Data) {
				out = append(out, Hit{name, b.validity, f.UID, f.Date})
			}
		}
		return nil
	})
	return out, cut, err
}

// Matching are the mails of a mailbox that match by what the server can tell, in no order. cut says that it did not look
// at all of them; note is what it said when it cannot search for these words.
func (s *Session) Matching(ctx context.Context, name string, q ListQuery) (uids []uint32, cut bool, note string, err error) {
	raw, err := s.rawName(name)
	if err != nil {
		return nil, false, "", err
	}
	err = s.do(ctx, raw, true, func(c *imapx.Conn) (err error) {
		if _, uids, note, err = searchIn(ctx, c, raw, filterKeys(q)); err != nil {
			return err
		}
		uids, cut, err = seenInside(ctx, c, q.Search, uids)
		return err
	})
	return uids, cut, note, err
}

// HitRows fetches the rows of hits mailbox by mailbox and gives them in the order of the hits.
func (s *Session) HitRows(ctx context.Context, hits []Hit) ([]Row, error) {
	byBox := map[string][]uint32{}
	for _, h := range hits {
		byBox[h.Mailbox] = append(byBox[h.Mailbox], h.UID)
	}
	rows := map[string]map[uint32]Row{}
	for name, uids := range byBox {
		raw, err := s.rawName(name)
		if err != nil {
			return nil, err
		}
		err = s.do(ctx, raw, true, func(c *imapx.Conn) error {
			b, err := selectBox(ctx, c, raw)
			if err != nil {
				return err
			}
			got, err := s.fetchRows(ctx, c, b, name, uids)
			rows[name] = map[uint32]Row{}
			for _, r := range got {
				rows[name][r.UID] = r
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	out := make([]Row, 0, len(hits))
	for _, h := range hits {
		if r, ok := rows[h.Mailbox][h.UID]; ok && !r.Flags.Deleted {
			out = append(out, r)
		}
	}
	return out, nil
}
