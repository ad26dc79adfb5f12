package mailclient

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"restante/mailclient/imapx"
)

const (
	searchTime    = 20 * time.Second // for one mailbox
	searchAllTime = 60 * time.Second
	searchNewest  = 500 // of each mailbox, when all are searched
)

// filterKeys are the search keys of a list query.
func filterKeys(q ListQuery) []any {
	var keys []any
	switch q.Filter {
	case FilterUnread:
		keys = append(keys, "UNSEEN")
	case FilterFlagged:
		keys = append(keys, "FLAGGED")
	case FilterAttachments:
		keys = append(keys, attachmentKeys()...)
	}
	if q.Search != nil {
		keys = append(keys, searchKeys(*q.Search)...)
	}
	if len(keys) == 0 {
		keys = append(keys, "ALL")
	}
	return keys
}

// attachmentKeys ask by the header, which is all that IMAP can (Q2).
func attachmentKeys() []any {
	return []any{"HEADER Content-Type", imapx.Str("multipart/mixed")}
}

// searchKeys writes a query as IMAP search keys (RFC 3501 6.4.4).
func searchKeys(q SearchQuery) []any {
	var k []any
	each := func(key string, words []string) {
		for _, w := range words {
			if w != "" {
				k = append(k, key, imapx.Str(w))
			}
		}
	}
	each("TEXT", q.Words)
	each("NOT TEXT", q.NotWords)
	each("FROM", q.From)
	each("TO", q.To)
	each("CC", q.Cc)
	each("SUBJECT", q.Subject)
	each("BODY", q.Body)
	for _, w := range q.Keyword {
		k = append(k, "KEYWORD "+w)
	}
	if !q.Since.IsZero() {
		k = append(k, "SINCE "+q.Since.Format("2-Jan-2006"))
	}
	if !q.Before.IsZero() {
		k = append(k, "BEFORE "+q.Before.Format("2-Jan-2006"))
	}
	for _, f := range []struct {
		on  bool
		key string
	}{{q.Unread, "UNSEEN"}, {q.Read, "SEEN"}, {q.Flagged, "FLAGGED"}, {q.Answered, "ANSWERED"}} {
		if f.on {
			k = append(k, f.key)
		}
	}
	if q.HasAttachment {
		k = append(k, attachmentKeys()...)
	}
	if q.LargerThan > 0 {
		k = append(k, "LARGER", q.LargerThan)
	}
	if q.SmallerThan > 0 {
		k = append(k, "SMALLER", q.SmallerThan)
	}
	return k
}

func ascii(keys []any) bool {
	for _, k := range keys {
		if s, ok := k.(imapx.Str); ok {
			for i := range len(s) {
				if s[i] > '~' {
					return false
				}
			}
		}
	}
	return true
}

// searchBox searches the selected mailbox. note is what the server says when it cannot search for these words.
func searchBox(ctx context.Context, c *imapx.Conn, keys []any) (uids []uint32, note string, err error) {
	ctx, cancel := context.WithTimeout(ctx, searchTime)
	defer cancel()
	name := "UID SEARCH"
	if c.Has("ESEARCH") {
		name = "UID SEARCH RETURN (ALL)"
	}
	if !ascii(keys) {
		name += " CHARSET UTF-8"
	}
	cmd := imapx.Cmd(name, keys...)
	if err := c.Do(ctx, cmd); err != nil {
		return nil, "", err
	}
	if cmd.Status != "OK" {
		if cmd.Code == "BADCHARSET" || !ascii(keys) {
			return nil, cmd.Text, nil
		}
		return nil, "", cmd.Err(c.Host)
	}
	return found(cmd.Data), "", nil
}

// found unites SEARCH and ESEARCH lines (O87 to O89).
func found(data []imapx.Response) []uint32 {
	uids := numbers(data, "SEARCH")
	for _, r := range data {
		if r.Type != "ESEARCH" {
			continue
		}
		for i := 0; i+1 < len(r.Nodes); i++ {
			if r.Nodes[i].Is("ALL") {
				uids = append(uids, uidsOf(r.Nodes[i+1].Text, 10_000_000)...)
			}
		}
	}
	slices.Sort(uids)
	return slices.Compact(uids)
}

// numbers are those of SEARCH or SORT lines in their order, without doubles.
func numbers(data []imapx.Response, typ string) []uint32 {
	var out []uint32
	seen := map[uint32]bool{}
	for _, r := range data {
		if r.Type != typ {
			continue
		}
		for _, n := range r.Nodes {
			if v := n.Number32(); v != 0 && n.Kind == imapx.Atom && !seen[v] {
				seen[v] = true
				out = append(out, v)
			}
		}
	}
	return out
}

// hit is a mail that a search over all mailboxes found.
type hit struct {
	mailbox string
	uid     uint32
	date    time.Time
}

// Search looks through the mailbox that q.In names, or through all: INBOX, Sent, Archive, then the rest; Junk and
// Trash only when they are named. Of each mailbox the newest 500 hits count. What could not be searched in a
// minute makes the list Incomplete, with the names in Note.
func (s *Session) Search(ctx context.Context, q SearchQuery, page, perPage int) (List, error) {
	lq := tidyQuery(ListQuery{Page: page, PerPage: perPage, Search: &q})
	boxes, err := s.Mailboxes(ctx)
	if err != nil {
		return List{}, err
	}
	if q.In != "" {
		for _, m := range boxes {
			if strings.EqualFold(string(m.Role), q.In) || strings.EqualFold(m.Name, q.In) {
				return s.List(ctx, m.Name, lq)
			}
		}
		return List{}, ErrNoMailbox
	}
	var l List
	within, cancel := context.WithTimeout(ctx, searchAllTime)
	defer cancel()
	var hits []hit
	var missed []string
	for _, m := range boxes {
		if !m.Selectable || m.Role == RoleJunk || m.Role == RoleTrash || m.Role == RoleAll || m.StatusKnown && m.Messages == 0 {
			continue
		}
		more, err := s.hits(within, m.Name, q)
		if err != nil {
			if ctx.Err() != nil {
				return List{}, err
			}
			missed = append(missed, m.Name)
			continue
		}
		hits = append(hits, more...)
	}
	slices.SortStableFunc(hits, func(a, b hit) int {
		return cmp.Or(b.date.Compare(a.date), cmp.Compare(a.mailbox, b.mailbox), cmp.Compare(b.uid, a.uid))
	})
	from, to := l.paging(lq, len(hits))
	l.Rows, err = s.hitRows(ctx, hits[from:to])
	l.Incomplete, l.Note = len(missed) > 0, strings.Join(missed, ", ")
	return l, err
}

// hits are the newest mails of one mailbox that match, with their dates.
func (s *Session) hits(ctx context.Context, name string, q SearchQuery) ([]hit, error) {
	raw, err := s.rawName(name)
	if err != nil {
		return nil, err
	}
	var out []hit
	err = s.do(ctx, raw, true, func(c *imapx.Conn) error {
		out = nil
		if _, err := selectBox(ctx, c, raw); err != nil || c.Exists() == 0 {
			return err
		}
		keys := searchKeys(q)
		if len(keys) == 0 {
			keys = []any{"ALL"}
		}
		uids, note, err := searchBox(ctx, c, keys)
		if err != nil {
			return err
		}
		if note != "" {
			return &RefusedError{Host: c.Host, Command: "UID SEARCH", Text: note}
		}
		uids = uids[max(0, len(uids)-searchNewest):]
		for _, set := range uidSets(uids) {
			cmd := imapx.Cmd("UID FETCH", set, "(UID INTERNALDATE)")
			if err := c.Do(ctx, cmd); err != nil {
				return err
			}
			for _, f := range collect(cmd.Data) {
				out = append(out, hit{name, f.UID, f.Date})
			}
		}
		return nil
	})
	return out, err
}

// hitRows fetches the rows of hits mailbox by mailbox and gives them in the order of the hits.
func (s *Session) hitRows(ctx context.Context, hits []hit) ([]Row, error) {
	byBox := map[string][]uint32{}
	for _, h := range hits {
		byBox[h.mailbox] = append(byBox[h.mailbox], h.uid)
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
		if r, ok := rows[h.mailbox][h.uid]; ok && !r.Flags.Deleted {
			out = append(out, r)
		}
	}
	return out, nil
}
