package index

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"restante/mailclient"
	"restante/mailclient/message"
)

// maxTalk is how many mails of a conversation are told of.
const maxTalk = 500

// talkFilters are the filters of conversations, worded as the partial indexes are.
var talkFilters = map[mailclient.Filter]string{
	mailclient.FilterUnread: "marks & 1 <> 0", mailclient.FilterFlagged: "marks & 2 <> 0", mailclient.FilterAttachments: "marks & 128 <> 0",
}

// talksPage fills the page of a list of conversations: of each, the newest mail in the mailbox.
func (f *file) talksPage(ctx context.Context, b *box, q mailclient.ListQuery, past int, kept keeper, l *mailclient.List) error {
	cond, args := where(b, q)
	ask := f.query
	if len(q.Also) > 0 {
		ask = f.db.QueryContext
	}
	if past > rungStep && q.Filter == mailclient.FilterNone && !q.Ascending {
		from, err := f.rung(ctx, b, "talks", past/rungStep)
		if err != nil {
			return err
		}
		cond, args, past = cond+" AND (received, id) <= (?, ?)", append(args, from.received, from.id), past%rungStep
	}
	end := order(q)
	rows, err := ask(ctx, "SELECT "+columns+", talk FROM mails WHERE id IN (SELECT id"+cond+end+" LIMIT ? OFFSET ?)"+end, append(args, q.PerPage, past)...)
	if err != nil {
		return err
	}
	var talks []int64
	if l.Rows, talks, err = readTalks(rows, b, l.Mailbox.UIDValidity, kept); err != nil {
		return err
	}
	return f.describe(ctx, b, talks, l.Rows)
}

// member is a mail of a conversation, and where it lies.
type member struct {
	mailclient.Row
	box int64
}

// describe tells of the conversations whose newest mails are these rows.
func (f *file) describe(ctx context.Context, b *box, talks []int64, rows []mailclient.Row) error {
	members, err := f.members(ctx, talks, 2)
	if err != nil {
		return err
	}
	for i, talk := range talks {
		c := &mailclient.Conversation{Mails: 1, People: rows[i].From[:min(len(rows[i].From), 1)], Unread: !rows[i].Flags.Seen, Flagged: rows[i].Flags.Flagged, Files: rows[i].HasAttachment}
		rows[i].Conversation = c
		some := members[talk]
		if len(some) == 0 {
			continue
		}
		c.Mails, c.People = 0, nil
		seen, last := map[string]bool{}, rows[i].Received
		for _, m := range some {
			if m.box == b.id && !m.Flags.Deleted {
				c.Unread, c.Flagged, c.Files = c.Unread || !m.Flags.Seen, c.Flagged || m.Flags.Flagged, c.Files || m.HasAttachment
			}
			if f.hides(m.box, b.id) || m.MessageID != "" && seen[m.MessageID] {
				continue
			}
			seen[m.MessageID] = true
			c.Mails++
			for _, a := range m.From[:min(len(m.From), 1)] {
				if !slices.ContainsFunc(c.People, func(o message.Address) bool { return strings.EqualFold(o.Addr, a.Addr) }) {
					c.People = append(c.People, a)
				}
			}
			if !m.Flags.Draft && m.HasPreview() && !m.Received.Before(last) {
				last, rows[i].Preview = m.Received, m.Preview
			}
		}
	}
	return nil
}

// members are the mails of those conversations that have so many at least, the oldest first, at most 500 of each.
func (f *file) members(ctx context.Context, talks []int64, least int) (map[int64][]member, error) {
	if len(talks) == 0 {
		return nil, nil
	}
	var args []any
	for _, talk := range talks {
		args = append(args, talk)
	}
	in := "(?" + strings.Repeat(", ?", len(talks)-1) + ")"
	rows, err := f.db.QueryContext(ctx, "SELECT "+columns+", talk FROM mails WHERE talk IN (SELECT talk FROM mails WHERE talk IN "+in+" GROUP BY talk HAVING COUNT(*) >= ?) ORDER BY received, id", append(args, least)...)
	if err != nil {
		return nil, err
	}
	some, of, err := readTalks(rows, nil, 0, nil)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	byID := map[int64]*box{}
	for _, b := range f.boxes {
		byID[b.id] = b
	}
	out := map[int64][]member{}
	for i, r := range some {
		at := int64(r.UIDValidity) // where readTalks has left the mailbox
		b := byID[at]
		if b == nil || len(out[of[i]]) == maxTalk {
			continue
		}
		r.Mailbox, r.UIDValidity = b.name, b.known.UIDValidity
		out[of[i]] = append(out[of[i]], member{r, at})
	}
	return out, nil
}

// readTalks is readRows of a query for columns and talk. Without a mailbox, its id stands in the place of UIDVALIDITY.
func readTalks(rows *sql.Rows, b *box, validity uint32, kept keeper) (out []mailclient.Row, talks []int64, err error) {
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var talk int64
		r, err := readRow(rows, b, validity, kept, &talk)
		if err != nil {
			return nil, nil, err
		}
		out, talks = append(out, r), append(talks, talk)
	}
	return out, talks, rows.Err()
}

// hides says whether mails of a mailbox are left out of conversations: what was thrown away, and what lies elsewhere too,
// unless that is the mailbox that is looked at.
func (f *file) hides(box, here int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return box != here && f.hidden[box]
}

// conversation is the mail with those of its conversation, the oldest first: each once, the one in this mailbox before
// others. It is empty where the mail is not known.
func (f *file) conversation(ctx context.Context, b *box, uid uint32) ([]mailclient.Row, error) {
	var talk int64
	err := f.db.QueryRowContext(ctx, "SELECT talk FROM mails WHERE id = ?", idOf(b, uid)).Scan(&talk)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	members, err := f.members(ctx, []int64{talk}, 1)
	if err != nil {
		return nil, err
	}
	var out []mailclient.Row
	at := map[string]int{}
	for _, m := range members[talk] {
		if f.hides(m.box, b.id) || m.Flags.Deleted && (m.box != b.id || m.UID != uid) {
			continue
		}
		i, twice := at[m.MessageID]
		switch {
		case !twice || m.MessageID == "":
			at[m.MessageID] = len(out)
			out = append(out, m.Row)
		case m.UID == uid && m.box == b.id, m.box == b.id && out[i].Mailbox != b.name:
			out[i] = m.Row
		}
	}
	return out, nil
}

// talkUIDs are the mails in the mailbox of all conversations of a list.
func (f *file) talkUIDs(ctx context.Context, b *box, q mailclient.ListQuery) ([]uint32, error) {
	cond, args := where(b, q)
	return f.ids(ctx, "SELECT id FROM mails WHERE box = ? AND talk IN (SELECT talk"+cond+")"+order(q), append([]any{b.id}, args...)...)
}

// besideTalk is beside in a list of conversations: the newest mails of the ones before and after that of a mail.
func (f *file) besideTalk(ctx context.Context, b *box, q mailclient.ListQuery, uid uint32) (newer, older uint32, at int, err error) {
	var of rung
	err = f.db.QueryRowContext(ctx, "SELECT received, id FROM talks WHERE talk = (SELECT talk FROM mails WHERE id = ?) AND box = ?", idOf(b, uid), b.id).Scan(&of.received, &of.id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, 0, 0, nil
	}
	if err != nil {
		return 0, 0, 0, err
	}
	cond, args := where(b, q)
	one := func(words string) (id sql.NullInt64, err error) {
		err = f.db.QueryRowContext(ctx, words, append(slices.Clone(args), of.received, of.id)...).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			err = nil
		}
		return id, err
	}
	next, err1 := one("SELECT id" + cond + " AND (received, id) > (?, ?) ORDER BY received, id LIMIT 1")
	before, err2 := one("SELECT id" + cond + " AND (received, id) < (?, ?) ORDER BY received DESC, id DESC LIMIT 1")
	above, err3 := one("SELECT COUNT(*)" + cond + " AND (received, id) > (?, ?)")
	total, err4 := f.count(ctx, b, q)
	newer, older, at = uint32(next.Int64), uint32(before.Int64), int(above.Int64)+1
	if q.Ascending {
		newer, older, at = older, newer, total-at+1
	}
	return newer, older, at, errors.Join(err1, err2, err3, err4)
}

// together are all mails in the mailbox of the conversations of these.
func (f *file) together(ctx context.Context, b *box, uids []uint32) (out []uint32, err error) {
	for some := range slices.Chunk(uids, namedAtOnce) {
		got, err := f.ids(ctx, "SELECT id FROM mails WHERE box = ? AND talk IN (SELECT talk FROM mails WHERE id IN ("+idList(b, some)+"))", b.id)
		if err != nil {
			return nil, err
		}
		out = append(out, got...)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// Conversation is a mail with those of its conversation in all mailboxes, the oldest first, each once. It is empty where
// the index does not know the mail.
func (m *Mail) Conversation(ctx context.Context, mailbox string, uid uint32) ([]mailclient.Row, error) {
	f, done := m.ix.use(m.account, m.owner)
	if f == nil {
		return nil, nil
	}
	defer done()
	b := f.box(mailbox)
	if !f.isComplete(b) {
		return nil, nil
	}
	m.others(ctx, f)
	rows, err := f.conversation(ctx, b, uid)
	return rows, m.own(ctx, f, fault(err))
}

// Together are mails with all others of their conversations in the same mailbox, as far as the index knows them.
func (m *Mail) Together(ctx context.Context, ref mailclient.Ref) (mailclient.Ref, error) {
	f, b, done, err := m.known(ctx, ref.Mailbox, mailclient.ListQuery{}, besideLag)
	if f == nil || err != nil {
		return ref, err
	}
	defer done()
	if f.validity(b) != ref.UIDValidity {
		return ref, nil
	}
	uids, err := f.together(ctx, b, ref.UIDs)
	if err = m.own(ctx, f, fault(err)); err != nil || len(uids) == 0 {
		return ref, err
	}
	ref.UIDs = uids
	return ref, nil
}
