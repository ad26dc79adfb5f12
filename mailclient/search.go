package mailclient

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"restante/mailclient/imapx"
	"restante/mailclient/message"
)

// searchTime is for one mailbox. Who waits for less has a deadline of their own.
const searchTime = imapx.CommandTime

// filterKeys are the search keys of a list query. Mails of q.Also match whatever the rest says: (a AND b) OR them is
// (a OR them) AND (b OR them).
func filterKeys(q ListQuery) []any {
	var all [][]any
	switch q.Filter {
	case FilterUnread:
		all = append(all, []any{"UNSEEN"})
	case FilterFlagged:
		all = append(all, []any{"FLAGGED"})
	case FilterAttachments:
		all = append(all, attachmentKey())
	}
	if q.Search != nil {
		all = append(all, searchKeys(*q.Search)...)
	}
	if len(all) == 0 {
		return []any{"ALL"}
	}
	var out []any
	also := uidSets(q.Also)
	for _, k := range all {
		if len(also) > 0 {
			out = append(out, "OR UID "+also[0])
		}
		out = append(out, k...)
	}
	return out
}

// amongKeys narrow a search to some mails, and those between them where there are many; to none where there are none.
func amongKeys(uids []uint32) []any {
	sets := uidSets(uids)
	switch {
	case len(sets) == 0:
		return nil
	case len(sets) > 1:
		sets[0] = fmt.Sprintf("%d:%d", slices.Min(uids), slices.Max(uids))
	}
	return []any{"UID " + sets[0]}
}

// attachmentKey asks by the header, which is all that IMAP can (Q2).
func attachmentKey() []any {
	return []any{"HEADER Content-Type", imapx.Str("multipart/mixed")}
}

// searchKeys writes a query as IMAP search keys (RFC 3501 6.4.4), one for each group of conditions.
func searchKeys(q SearchQuery) (out [][]any) {
	for _, group := range q.Groups {
		var k []any
		for i, c := range group {
			if i < len(group)-1 {
				k = append(k, "OR")
			}
			if c.Not && inside[c.Key] == nil {
				k = append(k, "NOT")
			}
			k = append(k, c.key()...)
		}
		out = append(out, k)
	}
	return out
}

var flagKeys = map[string]string{"unread": "UNSEEN", "read": "SEEN", "flagged": "FLAGGED", "answered": "ANSWERED"}

// key is the search key of one condition, without its Not.
func (c Condition) key() []any {
	switch c.Key {
	case "":
		return []any{"TEXT", imapx.Str(c.Text)}
	case "from", "to", "cc", "subject", "body":
		return []any{strings.ToUpper(c.Key), imapx.Str(c.Text)}
	case "tag":
		return []any{"KEYWORD " + c.Text}
	case "after":
		return []any{"SINCE " + c.Day.Format("2-Jan-2006")}
	case "before", "on":
		return []any{strings.ToUpper(c.Key) + " " + c.Day.Format("2-Jan-2006")}
	case "larger", "smaller":
		return []any{strings.ToUpper(c.Key), c.Size}
	case "file":
		return attachmentKey()
	case "pdf", "filename": // those that can have one; seenInside looks closer
		return []any{"OR HEADER Content-Type", imapx.Str("multipart/"), "HEADER Content-Type", imapx.Str("application/")}
	}
	return []any{flagKeys[c.Key]}
}

// maxLooked is how many mails are looked through for what no server searches for.
const maxLooked = 2000

// inside are the conditions that no server searches for.
var inside = map[string]func(*message.Structure, Condition) bool{
	"pdf": func(t *message.Structure, _ Condition) bool { return message.HasPDF(t) },
	"filename": func(t *message.Structure, c Condition) bool {
		names, _ := message.Attached(t)
		return strings.Contains(message.Fold(strings.Join(names, "\n")), message.Fold(c.Text))
	},
}

// seenInside leaves only the mails whose files are as the search asks for: the newest are looked through, and cut says
// that there were more.
func seenInside(ctx context.Context, c *imapx.Conn, q *SearchQuery, uids []uint32) (out []uint32, cut bool, err error) {
	var asked []Condition
	if q != nil {
		for _, g := range q.Groups {
			if inside[g[0].Key] != nil { // they stand alone
				asked = append(asked, g[0])
			}
		}
	}
	if len(asked) == 0 {
		return uids, false, nil
	}
	newest := slices.Sorted(slices.Values(uids))
	if cut = len(newest) > maxLooked; cut {
		newest = newest[len(newest)-maxLooked:]
	}
	has := map[uint32]bool{}
	for _, set := range uidSets(newest) {
		cmd := imapx.Cmd("UID FETCH", set, "(UID BODYSTRUCTURE)")
		if err := c.Do(ctx, cmd); err != nil {
			return nil, false, err
		}
		for _, f := range collect(cmd.Data) {
			has[f.UID] = !slices.ContainsFunc(asked, func(c Condition) bool { return inside[c.Key](f.Structure, c) == c.Not })
		}
	}
	return slices.DeleteFunc(uids, func(u uint32) bool { return !has[u] }), cut, nil
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

// Named says whether a mail that came into a mailbox since a day names that Message-ID, without brackets: as an answer to
// it, or because a server tells what became of it.
func (s *Session) Named(ctx context.Context, mailbox, id string, since time.Time) (named bool, err error) {
	raw, err := s.rawName(mailbox)
	if err != nil {
		return false, err
	}
	err = s.do(ctx, raw, true, func(c *imapx.Conn) error {
		_, uids, _, err := searchIn(ctx, c, raw, []any{"SINCE " + since.Format("2-Jan-2006") + " OR HEADER References", imapx.Str(id), "BODY", imapx.Str(id)})
		named = len(uids) > 0
		return err
	})
	return named, err
}

// searchBox searches the selected mailbox. note is what the server says when it cannot search for these words.
func searchBox(ctx context.Context, c *imapx.Conn, keys []any) (uids []uint32, note string, err error) {
	ctx, cancel := context.WithTimeout(ctx, searchTime)
	defer cancel()
	cmd := searchCommand(c, keys)
	if err := c.Do(ctx, cmd); err != nil {
		return nil, "", err
	}
	return answered(c, cmd, keys)
}

// searchIn is searchBox in a mailbox that it selects, in one flight.
func searchIn(ctx context.Context, c *imapx.Conn, raw string, keys []any) (b *box, uids []uint32, note string, err error) {
	ctx, cancel := context.WithTimeout(ctx, searchTime)
	defer cancel()
	cmd := searchCommand(c, keys)
	if b, err = selectBox(ctx, c, raw, cmd); err != nil {
		return nil, nil, "", err
	}
	uids, note, err = answered(c, cmd, keys)
	return b, uids, note, err
}

func searchCommand(c *imapx.Conn, keys []any) *imapx.Command {
	name := "UID SEARCH"
	if c.Has("ESEARCH") {
		name = "UID SEARCH RETURN (ALL)"
	}
	if !ascii(keys) {
		name += " CHARSET UTF-8"
	}
	return imapx.Cmd(name, keys...)
}

// answered are the UIDs that a search gave.
func answered(c *imapx.Conn, cmd *imapx.Command, keys []any) (uids []uint32, note string, err error) {
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
