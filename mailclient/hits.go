package mailclient

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"restante/mailclient/imapx"
)

const (
	searchAllTime = 60 * time.Second
	searchNewest  = 500 // of each mailbox
	foundTime     = 10 * time.Minute
)

// Hit names a mail that a search over all mailboxes found.
type Hit struct {
	Mailbox          string
	UIDValidity, UID uint32

	date time.Time
}

// finding is what the last search over all mailboxes found, newest first: the mails of its result are opened one after
// the other.
type finding struct {
	query  string
	hits   []Hit
	missed []string
	at     time.Time
}

// Search looks through all mailboxes; Junk and Trash only when the query says everywhere. Of each mailbox the newest
// 500 hits count. What could not be searched in a minute makes the list Incomplete, with the names in Note.
func (s *Session) Search(ctx context.Context, q SearchQuery, page, perPage int) (List, error) {
	boxes, err := s.Mailboxes(ctx)
	if err != nil {
		return List{}, err
	}
	f := finding{query: fmt.Sprint(q), at: time.Now()}
	within, cancel := context.WithTimeout(ctx, searchAllTime)
	defer cancel()
	for _, m := range boxes {
		if !m.Selectable || m.Role == RoleAll || !q.Everywhere && thrownAway(m) || m.StatusKnown && m.Messages == 0 {
			continue
		}
		more, cut, err := s.hits(within, m.Name, q)
		if err != nil {
			if ctx.Err() != nil {
				return List{}, err
			}
			cut = true
		}
		if cut {
			f.missed = append(f.missed, m.Name)
		}
		f.hits = append(f.hits, more...)
	}
	slices.SortStableFunc(f.hits, func(a, b Hit) int {
		return cmp.Or(b.date.Compare(a.date), cmp.Compare(a.Mailbox, b.Mailbox), cmp.Compare(b.UID, a.UID))
	})
	s.mu.Lock()
	s.found = f
	s.mu.Unlock()
	return s.foundPage(ctx, q, f, page, perPage)
}

// Found is Search, but for what the last search of the same query found within ten minutes: mails that this session
// moved since are listed where they are now, and no new ones come in.
func (s *Session) Found(ctx context.Context, q SearchQuery, page, perPage int) (List, error) {
	f, ok := s.lastFound(q)
	if !ok {
		return s.Search(ctx, q, page, perPage)
	}
	return s.foundPage(ctx, q, f, page, perPage)
}

func (s *Session) lastFound(q SearchQuery) (finding, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.found, s.found.query == fmt.Sprint(q) && time.Since(s.found.at) < foundTime
}

// Hits are all mails that a search over all mailboxes found, as Found has them.
func (s *Session) Hits(ctx context.Context, q SearchQuery) ([]Hit, error) {
	f, ok := s.lastFound(q)
	if !ok {
		if _, err := s.Search(ctx, q, 1, 1); err != nil {
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

func (s *Session) foundPage(ctx context.Context, q SearchQuery, f finding, page, perPage int) (l List, err error) {
	hits, err := s.shownHits(ctx, q, f)
	if err != nil {
		return l, err
	}
	from, to := l.Paging(ListQuery{Page: page, PerPage: perPage}.Tidy(), len(hits))
	l.Rows, err = s.hitRows(ctx, hits[from:to])
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
			s.found.hits[i] = Hit{m.To, m.UIDValidity, to, h.date}
		}
	}
}

// hits are the newest mails of one mailbox that match, with their dates. cut says that not all were looked at.
func (s *Session) hits(ctx context.Context, name string, q SearchQuery) (out []Hit, cut bool, err error) {
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
		if uids, cut, err = pdfsOf(ctx, c, &q, uids); err != nil {
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

// hitRows fetches the rows of hits mailbox by mailbox and gives them in the order of the hits.
func (s *Session) hitRows(ctx context.Context, hits []Hit) ([]Row, error) {
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
