package index

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"restante/mailclient"
)

// orders are the ends of the queries for a list: the newest first among those that are alike.
var orders = map[mailclient.Sort][2]string{ // falling, rising
	mailclient.SortDate:    {" ORDER BY received DESC, id DESC", " ORDER BY received, id"},
	mailclient.SortFrom:    {" ORDER BY sender DESC, id DESC", " ORDER BY sender, id DESC"},
	mailclient.SortTo:      {" ORDER BY recipient DESC, id DESC", " ORDER BY recipient, id DESC"},
	mailclient.SortSubject: {" ORDER BY subject DESC, id DESC", " ORDER BY subject, id DESC"},
	mailclient.SortSize:    {" ORDER BY size DESC, id DESC", " ORDER BY size, id DESC"},
}

// filters are conditions, worded as the partial indexes are.
var filters = map[mailclient.Filter]string{
	mailclient.FilterUnread: "flags & 1 = 0", mailclient.FilterFlagged: "flags & 2 <> 0", mailclient.FilterAttachments: "flags & 128 <> 0",
}

// where is the condition of a list of mails, or of conversations, with its arguments.
func where(b *box, q mailclient.ListQuery) (string, []any) {
	cond, filter, kept := " FROM mails WHERE box = ?", filters[q.Filter], "id IN (%s)"
	if q.Conversations {
		cond, filter, kept = " FROM talks WHERE box = ?", talkFilters[q.Filter], "talk IN (SELECT talk FROM mails WHERE id IN (%s))"
	}
	switch {
	case filter == "":
		return cond, []any{b.id}
	case len(q.Also) == 0:
		return cond + " AND " + filter, []any{b.id}
	}
	return cond + " AND (" + filter + " OR " + fmt.Sprintf(kept, idList(b, q.Also)) + ")", []any{b.id}
}

func order(q mailclient.ListQuery) string {
	if q.Ascending {
		return orders[q.Sort][1]
	}
	return orders[q.Sort][0]
}

func idOf(b *box, uid uint32) int64 { return b.id<<32 | int64(uid) }

// counted is what was counted in a mailbox: mails or conversations.
type counted struct {
	filter        mailclient.Filter
	conversations bool
}

// count is how many mails, or conversations, a list holds.
func (f *file) count(ctx context.Context, b *box, q mailclient.ListQuery) (n int, err error) {
	what := counted{q.Filter, q.Conversations}
	f.mu.Lock()
	n, ok := b.counts[what]
	changes := b.changes
	if what == (counted{}) {
		n, ok = b.known.Messages, true
	}
	f.mu.Unlock()
	if ok && len(q.Also) == 0 {
		return n, nil
	}
	cond, args := where(b, q)
	if err := f.db.QueryRowContext(ctx, "SELECT COUNT(*)"+cond, args...).Scan(&n); err != nil || len(q.Also) > 0 {
		return n, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if b.counts == nil {
		b.counts = map[counted]int{}
	}
	if b.changes == changes {
		b.counts[what] = n
	}
	return n, nil
}

// page is one page of a mailbox that is wholly known. kept gives rows that are in memory.
func (f *file) page(ctx context.Context, b *box, q mailclient.ListQuery, kept keeper) (l mailclient.List, err error) {
	total, err := f.count(ctx, b, q)
	if err != nil {
		return l, err
	}
	past, _ := l.Paging(q, total)
	f.state(b, &l)
	if q.Conversations {
		return l, f.talksPage(ctx, b, q, past, kept, &l)
	}
	cond, args := where(b, q)
	end, ask := order(q), f.query
	if len(q.Also) > 0 {
		ask = f.db.QueryContext
	}
	if past > rungStep && q.Sort == mailclient.SortDate && q.Filter == mailclient.FilterNone && !q.Ascending {
		from, err := f.rung(ctx, b, "mails", past/rungStep)
		if err != nil {
			return l, err
		}
		cond, args, past = cond+" AND (received, id) <= (?, ?)", append(args, from.received, from.id), past%rungStep
	}
	rows, err := ask(ctx, "SELECT "+columns+" FROM mails WHERE id IN (SELECT id"+cond+end+" LIMIT ? OFFSET ?)"+end, append(args, q.PerPage, past)...) // what is passed over is not read
	if err != nil {
		return l, err
	}
	l.Rows, err = readRows(rows, b, l.Mailbox.UIDValidity, kept)
	return l, err
}

// rungStep is how many mails lie between two whose places in a mailbox are kept: a page far behind is found from the
// nearest one, and not by counting from the newest.
const rungStep = 500

// rung is where a mail stands.
type rung struct{ received, id int64 }

// rung is the mail at the n-th step, by date, the newest first; or the conversation, of the table talks. What was stepped
// over once is not stepped over again before mails come or go.
func (f *file) rung(ctx context.Context, b *box, table string, n int) (rung, error) {
	f.mu.Lock()
	rungs, changes := slices.Clone(b.rungs[table]), b.changes
	f.mu.Unlock()
	if len(rungs) == 0 {
		rungs = []rung{{math.MaxInt64, math.MaxInt64}}
	}
	for len(rungs) <= n {
		last, next := rungs[len(rungs)-1], rung{math.MinInt64, math.MinInt64} // there are fewer by now: the page is empty
		rows, err := f.query(ctx, "SELECT received, id FROM "+table+" WHERE box = ? AND (received, id) <= (?, ?)"+orders[mailclient.SortDate][0]+" LIMIT 1 OFFSET ?", b.id, last.received, last.id, rungStep)
		if err != nil {
			return rung{}, err
		}
		if rows.Next() {
			err = rows.Scan(&next.received, &next.id)
		}
		if err = errors.Join(err, rows.Err(), rows.Close()); err != nil {
			return rung{}, err
		}
		rungs = append(rungs, next)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if b.changes == changes && len(rungs) > len(b.rungs[table]) {
		if b.rungs == nil {
			b.rungs = map[string][]rung{}
		}
		b.rungs[table] = rungs
	}
	return rungs[n], nil
}

func (f *file) validity(b *box) uint32 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return b.known.UIDValidity
}

// state is how a mailbox stands, as a list tells it.
func (f *file) state(b *box, l *mailclient.List) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l.ReadOnly = b.readOnly
	l.Mailbox.Name, l.Mailbox.UIDValidity, l.Mailbox.UIDNext, l.Mailbox.Messages = b.name, b.known.UIDValidity, b.known.UIDNext, uint32(b.known.Messages)
}

// columns are those that readRows reads.
const columns = "id, received, flags, words, size, row, preview"

// keeper gives a row that is in memory.
type keeper func(mailbox string, validity, uid uint32) (mailclient.Row, bool)

func readRows(rows *sql.Rows, b *box, validity uint32, kept keeper) (out []mailclient.Row, err error) {
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		r, err := readRow(rows, b, validity, kept)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// readRow reads the columns, and more behind them.
func readRow(rows *sql.Rows, b *box, validity uint32, kept keeper, more ...any) (r mailclient.Row, err error) {
	var id, received, size int64
	var flags bits
	var words string
	var raw sql.RawBytes
	var preview sql.NullString
	if err := rows.Scan(append([]any{&id, &received, &flags, &words, &size, &raw, &preview}, more...)...); err != nil {
		return r, err
	}
	known, name := false, ""
	if b == nil {
		validity = uint32(id >> 32)
	} else {
		name = b.name
	}
	if kept != nil {
		r, known = kept(name, validity, uint32(id))
	}
	if !known {
		if err := r.UnmarshalBinary(raw); err != nil {
			return r, err
		}
	}
	r.Mailbox, r.UIDValidity, r.Size = name, validity, size
	r.UID, r.Received, r.Flags, r.HasAttachment = uint32(id), time.Unix(received, 0), flags.flags(words), flags&files != 0
	if r.Date.IsZero() {
		r.Date = r.Received
	}
	if preview.Valid {
		r = r.WithPreview(preview.String)
	}
	return r, nil
}

// uids are all mails of a list, in its order.
func (f *file) uids(ctx context.Context, b *box, q mailclient.ListQuery) ([]uint32, error) {
	if q.Conversations {
		return f.talkUIDs(ctx, b, q)
	}
	cond, args := where(b, q)
	return f.ids(ctx, "SELECT id"+cond+order(q), args...)
}

// ids are the UIDs of the ids that a query gives.
func (f *file) ids(ctx context.Context, words string, args ...any) (out []uint32, err error) {
	rows, err := f.db.QueryContext(ctx, words, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		out = append(out, uint32(id))
	}
	return out, rows.Err()
}

// beside are the mails before and after one in a list, 0 where there is none, and its place from 1; 0 when it is not in it.
func (f *file) beside(ctx context.Context, b *box, q mailclient.ListQuery, uid uint32) (newer, older uint32, at int, err error) {
	if q.Conversations {
		return f.besideTalk(ctx, b, q, uid)
	}
	if q.Filter == mailclient.FilterNone && q.Sort == mailclient.SortDate {
		return f.besideByDate(ctx, b, q, uid)
	}
	all, err := f.uids(ctx, b, q)
	newer, older, at = neighbours(all, uid)
	return newer, older, at, err
}

func (f *file) besideByDate(ctx context.Context, b *box, q mailclient.ListQuery, uid uint32) (newer, older uint32, at int, err error) {
	id := idOf(b, uid)
	var next, before sql.NullInt64
	err = f.db.QueryRowContext(ctx, `SELECT
		(SELECT id FROM mails AS n WHERE n.box = m.box AND (n.received, n.id) > (m.received, m.id) ORDER BY n.received, n.id LIMIT 1),
		(SELECT id FROM mails AS o WHERE o.box = m.box AND (o.received, o.id) < (m.received, m.id) ORDER BY o.received DESC, o.id DESC LIMIT 1),
		(SELECT COUNT(*) FROM mails AS a WHERE a.box = m.box AND (a.received, a.id) > (m.received, m.id))
		FROM mails AS m WHERE m.id = ?`, id).Scan(&next, &before, &at)
	if err == sql.ErrNoRows {
		return 0, 0, 0, nil
	}
	newer, older, at = uint32(next.Int64), uint32(before.Int64), at+1
	if q.Ascending && err == nil {
		f.mu.Lock()
		at = b.known.Messages - at + 1
		f.mu.Unlock()
		newer, older = older, newer
	}
	return newer, older, at, err
}

// newerThan is how many mails, or conversations, came at a moment or later.
func (f *file) newerThan(ctx context.Context, b *box, conversations bool, at time.Time) (n int, err error) {
	table := "mails"
	if conversations {
		table = "talks"
	}
	err = f.db.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+table+" WHERE box = ? AND received >= ?", b.id, at.Unix()).Scan(&n)
	return n, err
}
