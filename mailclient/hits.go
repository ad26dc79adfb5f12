package mailclient

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"restante/mailclient/imapx"
)

const (
	searchAtOnce = 2   // mailboxes: the connections that work
	searchNewest = 500 // of each mailbox
	foundTime    = 10 * time.Minute
	maxFound     = 20_000 // hits of all mailboxes that are kept, the newest
)

// How long a search over all mailboxes may take, and then the rows of what it found.
var searchAllTime, hitsTime = 18 * time.Second, 5 * time.Second

// Searcher looks through mailboxes: a Session asks the server, who keeps rows may know better.
type Searcher interface {
	// HitsIn are the mails of one mailbox that match. cut says that not all were looked at.
	HitsIn(ctx context.Context, mailbox string, q SearchQuery) (hits []Hit, cut bool, err error)
	// HitsAtHand are those that are known without asking anybody; they show until all are.
	HitsAtHand(ctx context.Context, mailbox string, q SearchQuery) []Hit
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
	left   int           // mailboxes that are yet to be looked through
	more   chan struct{} // closed when there is news of it
	run    int           // tells it from others of the same query
}

// Search looks through all mailboxes; Junk and Trash only when the query says everywhere. Of each mailbox that the
// server is asked about, the newest 500 hits count. What could not be searched in 18 s makes the list Incomplete, with
// the names in Note.
func (s *Session) Search(ctx context.Context, q SearchQuery, page, perPage int) (List, error) {
	return s.SearchBy(ctx, s, q, page, perPage)
}

// SearchBy is Search by way of a searcher.
func (s *Session) SearchBy(ctx context.Context, by Searcher, q SearchQuery, page, perPage int) (List, error) {
	within, cancel := context.WithTimeout(ctx, searchAllTime)
	defer cancel()
	names, err := s.Searched(within, q)
	if err != nil {
		return List{}, err
	}
	f := s.beginFinding(q, names)
	s.seek(within, by, q, f, names)
	if ctx.Err() != nil {
		return List{}, ctx.Err()
	}
	f, _ = s.lastFound(q)
	return s.foundPage(ctx, by, q, f, page, perPage)
}

// SeekBy begins a search, or goes on with one of the same query where it is to, and gives what is found after a while:
// Left says how many mailboxes are yet to be looked through. run has somebody own what goes on behind; false where
// nobody does.
func (s *Session) SeekBy(ctx context.Context, by Searcher, q SearchQuery, page, perPage int, patience time.Duration, run func(func(context.Context)) bool) (List, error) {
	names, err := s.Searched(ctx, q)
	if err != nil {
		return List{}, err
	}
	f := s.beginFinding(q, names)
	if !run(func(ctx context.Context) {
		within, cancel := context.WithTimeout(ctx, searchAllTime)
		defer cancel()
		s.seek(within, by, q, f, names)
	}) {
		return s.SearchBy(ctx, by, q, page, perPage)
	}
	return s.AwaitBy(ctx, by, q, page, perPage, patience)
}

// AwaitBy is what a search that goes on has found, after a while or once all is.
func (s *Session) AwaitBy(ctx context.Context, by Searcher, q SearchQuery, page, perPage int, patience time.Duration) (List, error) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		f, ok := s.lastFound(q)
		if !ok || f.left == 0 {
			return s.FoundBy(ctx, by, q, page, perPage)
		}
		select {
		case <-f.more:
		case <-timer.C:
			return s.foundPage(ctx, by, q, f, page, perPage)
		case <-ctx.Done():
			return List{}, ctx.Err()
		}
	}
}

// beginFinding is the finding of a search that begins.
func (s *Session) beginFinding(q SearchQuery, names []string) finding {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.found.more != nil {
		close(s.found.more)
	}
	s.found = finding{query: fmt.Sprint(q), at: time.Now(), left: len(names), more: make(chan struct{}), run: s.found.run + 1}
	return s.found
}

// seek looks through mailboxes, and keeps what it finds as it finds it: first what is at hand.
func (s *Session) seek(ctx context.Context, by Searcher, q SearchQuery, f finding, names []string) {
	for _, name := range names {
		if hits := by.HitsAtHand(ctx, name, q); len(hits) > 0 {
			s.keepFound(f, name, hits, false, false)
		}
	}
	seats := make(chan struct{}, searchAtOnce)
	var all sync.WaitGroup
	for _, name := range names {
		seats <- struct{}{}
		all.Go(func() {
			defer func() { <-seats }()
			hits, cut, err := by.HitsIn(ctx, name, q)
			if err != nil {
				hits = by.HitsAtHand(context.WithoutCancel(ctx), name, q)
			}
			s.keepFound(f, name, hits, cut || err != nil, true)
		})
	}
	all.Wait()
}

// keepFound keeps what was found in a mailbox, unless another search has begun. done says that it is all of it.
func (s *Session) keepFound(f finding, name string, hits []Hit, cut, done bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.found.run != f.run {
		return
	}
	others := slices.DeleteFunc(slices.Clone(s.found.hits), func(h Hit) bool { return h.Mailbox == name }) // those given out never change
	s.found.hits = slices.SortedStableFunc(slices.Values(append(others, hits...)), func(a, b Hit) int {
		return cmp.Or(b.Received.Compare(a.Received), cmp.Compare(a.Mailbox, b.Mailbox), cmp.Compare(b.UID, a.UID))
	})
	if len(s.found.hits) > maxFound {
		s.found.hits, cut = s.found.hits[:maxFound:maxFound], true
	}
	if cut && !slices.Contains(s.found.missed, name) {
		s.found.missed = append(slices.Clone(s.found.missed), name)
	}
	if done {
		s.found.left--
	}
	close(s.found.more)
	s.found.more = make(chan struct{})
}

// HitsAtHand are none: a session knows nothing without its server.
func (s *Session) HitsAtHand(context.Context, string, SearchQuery) []Hit { return nil }

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
	if _, err := s.AwaitBy(ctx, by, q, 1, 1, searchAllTime); err != nil { // all of them
		return nil, err
	}
	f, _ := s.lastFound(q)
	return s.shownHits(ctx, q, f)
}

// thrownAway says whether mails of a mailbox are found only when they are asked for.
func thrownAway(m Mailbox) bool { return m.Role == RoleJunk || m.Role == RoleTrash }

// shownHits leaves out what was thrown away since it was found.
func (s *Session) shownHits(ctx context.Context, q SearchQuery, f finding) ([]Hit, error) {
	boxes, err := s.Mailboxes(ctx)
	if away := (*OutageError)(nil); errors.As(err, &away) {
		s.mu.Lock()
		boxes, err = s.tree.boxes, nil // as they were
		s.mu.Unlock()
	}
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
	l.Incomplete, l.Note, l.Left = len(f.missed) > 0, strings.Join(f.missed, ", "), f.left
	within, cancel := context.WithTimeout(ctx, hitsTime)
	defer cancel()
	l.Rows, err = by.HitRows(within, hits[from:to])
	var lost *ConnectError
	if errors.As(err, &lost) && ctx.Err() == nil && l.Incomplete { // it fell silent on the way: what was listed before shows
		l.Rows, err = s.hitsListed(hits[from:to]), nil
	}
	return l, err
}

// hitsListed are the rows of hits that were listed before.
func (s *Session) hitsListed(hits []Hit) (rows []Row) {
	for _, h := range hits {
		if r, ok := s.Kept(h.Mailbox, h.UIDValidity, h.UID); ok {
			rows = append(rows, r)
		}
	}
	return rows
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

// Matching are the mails of a mailbox that match by what the server can tell, in no order. With among it needs to look at
// no others than these; it may all the same. cut says that it did not look
// at all of them; note is what it said when it cannot search for these words.
func (s *Session) Matching(ctx context.Context, name string, q ListQuery, among []uint32) (uids []uint32, cut bool, note string, err error) {
	raw, err := s.rawName(name)
	if err != nil {
		return nil, false, "", err
	}
	err = s.do(ctx, raw, true, func(c *imapx.Conn) (err error) {
		if _, uids, note, err = searchIn(ctx, c, raw, append(amongKeys(among), filterKeys(q)...)); err != nil {
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
