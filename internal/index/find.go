package index

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"restante/mailclient"
)

// result is what a search in a mailbox found, in the order of its list.
type result struct {
	box   *box
	at    int // what was changed there until then
	query string
	uids  []uint32
	cut   bool   // the server did not look at all mails
	left  bool   // it is still at it
	note  string // what it said when it could not search for these words
}

// texts are the mails in whose texts the server found something, and when.
type texts struct {
	result
	among []uint32 // the mails that it was to look at, nil for all
	when  time.Time
}

const (
	textsTime = 10 * time.Minute // what the server found is not asked for again
	seekTime  = 2 * time.Minute  // for what it is asked
)

// matching are the mails of a mailbox that a list with a search holds, in its order. What only the server can tell, it
// is asked for; where it does not answer, or not within patience if that is not 0, what the index knows is not all.
func (m *Mail) matching(ctx context.Context, f *file, b *box, q mailclient.ListQuery, patience time.Duration) (*result, error) {
	id := fmt.Sprint(*q.Search, q.Filter, q.Sort, q.Ascending, q.Also)
	f.mu.Lock()
	r, changes := f.result, b.changes
	f.mu.Unlock()
	if r != nil && r.box == b && r.at == changes && r.query == id {
		return r, nil
	}
	r = &result{box: b, at: changes, query: id}
	asked := withFilter(*q.Search, q.Filter)
	known := m.inTexts(ctx, f, b, asked)
	hits, unsure, err := f.find(ctx, b, asked, known, 0)
	if err != nil {
		return nil, fault(err)
	}
	more := q.Also
	if q.Search.Texts() && (known == nil || len(unsure) > 0) {
		if known == nil {
			unsure = nil
		}
		t, err := m.texts(ctx, f, b, q, unsure, patience)
		if err != nil && ctx.Err() != nil {
			return nil, err
		}
		r.cut, r.left, r.note, more = t.cut || err != nil, errors.Is(err, errSeeking), t.note, append(slices.Clone(t.uids), more...)
	}
	if hits, err = f.dated(ctx, b, hits, more); err != nil {
		return nil, fault(err)
	}
	if r.uids, err = f.inOrder(ctx, b, hits, q); err != nil {
		return nil, fault(err)
	}
	if !r.cut {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.result = r
	}
	return r, nil
}

// seeking is a search in texts by the server that goes on, whoever waits for it.
type seeking struct {
	run
	texts
}

var errSeeking = errors.New("the server is still looking through texts")

// texts are the mails that match by what the server can tell, of some, or of all where these are nil. Where that takes
// longer than patience it goes on behind, for who asks the same again.
func (m *Mail) texts(ctx context.Context, f *file, b *box, q mailclient.ListQuery, among []uint32, patience time.Duration) (texts, error) {
	id := fmt.Sprint(*q.Search, q.Filter)
	among = slices.Sorted(slices.Values(among))
	f.mu.Lock()
	t, passed := f.texts, b.passed
	if t.box == b && t.at == passed && t.query == id && time.Since(t.when) < textsTime && t.of(among) {
		f.mu.Unlock()
		return t.within(among), nil
	}
	now := f.seeking
	if now == nil || now.box != b || now.at != passed || now.query != id || !now.of(among) {
		now = &seeking{run{done: make(chan struct{})}, texts{result: result{box: b, at: passed, query: id}, among: among}}
		if !m.ix.behind(f, func(ctx context.Context) { m.seekTexts(ctx, f, now, q) }) {
			f.mu.Unlock()
			return texts{}, context.Canceled
		}
		f.seeking = now
	}
	f.mu.Unlock()
	var late <-chan time.Time
	if patience > 0 {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-now.done:
		return now.texts.within(among), now.err
	case <-late:
		return texts{}, errSeeking
	case <-ctx.Done():
		return texts{}, ctx.Err()
	}
}

// seekTexts asks the server what is sought, and keeps what it says.
func (m *Mail) seekTexts(ctx context.Context, f *file, s *seeking, q mailclient.ListQuery) {
	defer close(s.done)
	ctx, cancel := context.WithTimeout(ctx, seekTime)
	defer cancel()
	s.uids, s.cut, s.note, s.err = m.Matching(ctx, s.box.name, mailclient.ListQuery{Search: q.Search, Filter: q.Filter}, s.among)
	s.when = time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	if s.err == nil {
		f.texts = s.texts
	}
	if f.seeking == s {
		f.seeking = nil
	}
}

// within is what was found among some mails, or all where there are none: texts that are kept may tell otherwise of the
// others.
func (t texts) within(among []uint32) texts {
	if len(among) > 0 {
		t.uids = slices.DeleteFunc(slices.Clone(t.uids), func(uid uint32) bool {
			_, in := slices.BinarySearch(among, uid)
			return !in
		})
	}
	return t
}

// of says whether the server was asked about all of these, which rise. It may be asked still.
func (t *texts) of(some []uint32) bool {
	if len(t.among) == 0 {
		return true
	}
	missing, _ := compare(some, t.among)
	return len(some) > 0 && len(missing) == 0
}

// withFilter is a search that a filter narrows.
func withFilter(q mailclient.SearchQuery, filter mailclient.Filter) mailclient.SearchQuery {
	key := map[mailclient.Filter]string{mailclient.FilterUnread: "unread", mailclient.FilterFlagged: "flagged", mailclient.FilterAttachments: "file"}[filter]
	if key != "" {
		q.Groups = append(slices.Clone(q.Groups), []mailclient.Condition{{Key: key}})
	}
	return q
}

// dated adds mails to some that were found, as far as they are known.
func (f *file) dated(ctx context.Context, b *box, hits []found, uids []uint32) ([]found, error) {
	if len(uids) == 0 {
		return hits, nil
	}
	have := make(map[uint32]bool, len(hits))
	for _, h := range hits {
		have[h.uid] = true
	}
	uids = slices.DeleteFunc(slices.Clone(uids), func(u uint32) bool { return have[u] })
	err := f.named(ctx, b, "SELECT id, received FROM mails", uids, func(rows *sql.Rows) error {
		var id int64
		var h found
		err := rows.Scan(&id, &h.received)
		h.uid = uint32(id)
		hits = append(hits, h)
		return err
	})
	slices.SortFunc(hits, newest)
	return hits, err
}

func newest(x, y found) int {
	return cmp.Or(cmp.Compare(y.received, x.received), cmp.Compare(y.uid, x.uid))
}

// namedAtOnce is how many mails a query names at most.
const namedAtOnce = 500

// named reads what a table has of mails, in no order. query is one without its condition.
func (f *file) named(ctx context.Context, b *box, query string, uids []uint32, read func(*sql.Rows) error) error {
	for some := range slices.Chunk(uids, namedAtOnce) {
		rows, err := f.db.QueryContext(ctx, query+" WHERE id IN ("+idList(b, some)+")")
		if err != nil {
			return err
		}
		for rows.Next() {
			if err := read(rows); err != nil {
				return errors.Join(err, rows.Close())
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
	}
	return nil
}

// idList are the ids of mails, between commas.
func idList(b *box, uids []uint32) string {
	var words strings.Builder
	for i, uid := range uids {
		if i > 0 {
			words.WriteByte(',')
		}
		fmt.Fprint(&words, idOf(b, uid))
	}
	return words.String()
}

// inOrder puts mails, which come the newest first, into the order of a list.
func (f *file) inOrder(ctx context.Context, b *box, hits []found, q mailclient.ListQuery) ([]uint32, error) {
	out := make([]uint32, len(hits))
	for i, h := range hits {
		out[i] = h.uid
	}
	if q.Sort == mailclient.SortDate {
		if q.Ascending {
			slices.Reverse(out)
		}
		return out, nil
	}
	column := map[mailclient.Sort]string{mailclient.SortFrom: "sender", mailclient.SortTo: "recipient", mailclient.SortSubject: "subject", mailclient.SortSize: "printf('%020d', size)"}[q.Sort]
	keys := make(map[uint32]string, len(out))
	err := f.named(ctx, b, "SELECT id, "+column+" FROM mails", out, func(rows *sql.Rows) error {
		var id int64
		var key string
		err := rows.Scan(&id, &key)
		keys[uint32(id)] = key
		return err
	})
	slices.SortStableFunc(out, func(x, y uint32) int {
		d := cmp.Compare(keys[x], keys[y])
		if !q.Ascending {
			d = -d
		}
		return cmp.Or(d, cmp.Compare(y, x))
	})
	return out, err
}

// rowsOf are the rows of mails, in this order; ones that are not known are left out.
func (f *file) rowsOf(ctx context.Context, b *box, uids []uint32, kept keeper) ([]mailclient.Row, error) {
	validity := f.validity(b)
	byUID := make(map[uint32]mailclient.Row, len(uids))
	err := f.named(ctx, b, "SELECT "+columns+" FROM mails", uids, func(rows *sql.Rows) error {
		r, err := readRow(rows, b, validity, kept)
		byUID[r.UID] = r
		return err
	})
	out := make([]mailclient.Row, 0, len(uids))
	for _, uid := range uids {
		if r, ok := byUID[uid]; ok {
			out = append(out, r)
		}
	}
	return out, err
}

// foundPage is a page of what a search in a mailbox finds.
func (m *Mail) foundPage(ctx context.Context, f *file, b *box, q mailclient.ListQuery) (l mailclient.List, err error) {
	r, err := m.matching(ctx, f, b, q, hardTime)
	if err != nil {
		return l, err
	}
	from, to := l.Paging(q, len(r.uids))
	f.state(b, &l)
	l.Incomplete, l.Note = r.cut || r.note != "", r.note
	if r.left {
		l.Left = 1
	}
	l.Rows, err = f.rowsOf(ctx, b, r.uids[from:to], m.Kept)
	return l, fault(err)
}

// Search looks through all mailboxes, as the session does.
func (m *Mail) Search(ctx context.Context, q mailclient.SearchQuery, page, perPage int) (mailclient.List, error) {
	if f, done := m.ix.use(m.account, m.owner); f != nil {
		m.others(ctx, f)
		done()
	}
	return m.SearchBy(ctx, m, q, page, perPage)
}

// Seek begins a search through all mailboxes, and gives what is found after a while; it goes on behind. Await gives more.
func (m *Mail) Seek(ctx context.Context, q mailclient.SearchQuery, page, perPage int, patience time.Duration) (mailclient.List, error) {
	f, done := m.ix.use(m.account, m.owner)
	if f == nil {
		return m.Search(ctx, q, page, perPage)
	}
	defer done()
	m.others(ctx, f)
	return m.SeekBy(ctx, m, q, page, perPage, patience, func(do func(context.Context)) bool { return m.ix.behind(f, do) })
}

// Await is what a search that goes on behind has found, after a while.
func (m *Mail) Await(ctx context.Context, q mailclient.SearchQuery, page, perPage int, patience time.Duration) (mailclient.List, error) {
	return m.AwaitBy(ctx, m, q, page, perPage, patience)
}

// HitsAtHand are the mails of one mailbox that match by what the index knows of it, as it is.
func (m *Mail) HitsAtHand(ctx context.Context, mailbox string, q mailclient.SearchQuery) []mailclient.Hit {
	f, done := m.ix.use(m.account, m.owner)
	if f == nil {
		return nil
	}
	defer done()
	b := f.box(mailbox)
	if !f.isComplete(b) {
		return nil
	}
	some, _, err := f.find(ctx, b, q, m.inTexts(ctx, f, b, q), 0)
	if err != nil {
		m.ix.spoilt(f, err)
		return nil
	}
	return hitsFrom(some, mailbox, f.validity(b))
}

// Suggest are the newest mails whose people, subjects or files have all of these words, of all mailboxes that the index
// knows but Junk and Trash. It asks no server.
func (m *Mail) Suggest(ctx context.Context, words []string, most int) (out []mailclient.Row, err error) {
	f, done := m.ix.use(m.account, m.owner)
	if f == nil || len(words) == 0 {
		return nil, nil
	}
	defer done()
	var q mailclient.SearchQuery
	for _, w := range words {
		q.Groups = append(q.Groups, []mailclient.Condition{{Text: w}})
	}
	f.mu.Lock()
	var boxes []*box
	for _, b := range f.boxes {
		if b.complete && !f.hidden[b.id] {
			boxes = append(boxes, b)
		}
	}
	f.mu.Unlock()
	type of struct {
		found
		b *box
	}
	var all []of
	for _, b := range boxes {
		some, _, err := f.find(ctx, b, q, nil, most)
		if err != nil {
			return nil, m.own(ctx, f, fault(err))
		}
		for _, h := range some {
			all = append(all, of{h, b})
		}
	}
	slices.SortFunc(all, func(x, y of) int { return newest(x.found, y.found) })
	for _, h := range all[:min(len(all), most)] {
		rows, err := f.rowsOf(ctx, h.b, []uint32{h.uid}, m.Kept)
		if err != nil {
			return nil, m.own(ctx, f, fault(err))
		}
		out = append(out, rows...)
	}
	return out, nil
}

// Found is what the last search of the same query found, as the session's.
func (m *Mail) Found(ctx context.Context, q mailclient.SearchQuery, page, perPage int) (mailclient.List, error) {
	return m.FoundBy(ctx, m, q, page, perPage)
}

// Hits are all mails that a search over all mailboxes found, as the session's.
func (m *Mail) Hits(ctx context.Context, q mailclient.SearchQuery) ([]mailclient.Hit, error) {
	return m.HitsBy(ctx, m, q)
}

// HitsIn are the mails of one mailbox that match: by the index where it knows it.
func (m *Mail) HitsIn(ctx context.Context, mailbox string, q mailclient.SearchQuery) (hits []mailclient.Hit, cut bool, err error) {
	f, b, done, err := m.known(ctx, mailbox, mailclient.ListQuery{}, besideLag)
	if err != nil {
		return nil, false, err
	}
	if f == nil {
		return m.Session.HitsIn(ctx, mailbox, q)
	}
	defer done()
	r, err := m.matching(ctx, f, b, mailclient.ListQuery{Search: &q}.Tidy(), 0)
	if err == nil {
		hits, err = f.hitsOf(ctx, b, r.uids)
	}
	if err = m.own(ctx, f, err); err != nil || r == nil {
		return nil, false, err
	}
	return hits, r.cut || r.note != "", nil
}

// hitsOf are mails as hits.
func (f *file) hitsOf(ctx context.Context, b *box, uids []uint32) ([]mailclient.Hit, error) {
	dates, err := f.dated(ctx, b, nil, uids)
	if err != nil {
		return nil, fault(err)
	}
	return hitsFrom(dates, b.name, f.validity(b)), nil
}

func hitsFrom(some []found, mailbox string, validity uint32) []mailclient.Hit {
	hits := make([]mailclient.Hit, 0, len(some))
	for _, h := range some {
		hits = append(hits, mailclient.Hit{Mailbox: mailbox, UIDValidity: validity, UID: h.uid, Received: time.Unix(h.received, 0)})
	}
	return hits
}

// HitRows are the rows of hits in their order: from the index where it knows them.
func (m *Mail) HitRows(ctx context.Context, hits []mailclient.Hit) ([]mailclient.Row, error) {
	f, done := m.ix.use(m.account, m.owner)
	if f == nil {
		return m.Session.HitRows(ctx, hits)
	}
	defer done()
	rows := map[mailclient.Hit]mailclient.Row{}
	byBox := map[string][]mailclient.Hit{}
	for _, h := range hits {
		byBox[h.Mailbox] = append(byBox[h.Mailbox], h)
	}
	for name, some := range byBox {
		got, err := m.rowsIn(ctx, f, f.box(name), some)
		if err != nil {
			return nil, err
		}
		for _, r := range got {
			rows[nameOf(r)] = r
		}
	}
	out := make([]mailclient.Row, 0, len(hits))
	for _, h := range hits {
		if r, ok := rows[mailclient.Hit{Mailbox: h.Mailbox, UIDValidity: h.UIDValidity, UID: h.UID}]; ok && !r.Flags.Deleted {
			out = append(out, r)
		}
	}
	return out, nil
}

func nameOf(r mailclient.Row) mailclient.Hit {
	return mailclient.Hit{Mailbox: r.Mailbox, UIDValidity: r.UIDValidity, UID: r.UID}
}

// rowsIn are the rows of hits in one mailbox.
func (m *Mail) rowsIn(ctx context.Context, f *file, b *box, hits []mailclient.Hit) ([]mailclient.Row, error) {
	if !f.isComplete(b) || f.validity(b) != hits[0].UIDValidity {
		return m.Session.HitRows(ctx, hits)
	}
	uids := make([]uint32, len(hits))
	for i, h := range hits {
		uids[i] = h.UID
	}
	rows, err := f.rowsOf(ctx, b, uids, m.Kept)
	if err != nil {
		m.ix.spoilt(f, err)
		return m.Session.HitRows(ctx, hits)
	}
	m.preview(ctx, f, b, rows)
	m.Keep(b.name, rows)
	if len(rows) == len(hits) {
		return rows, nil
	}
	known := map[uint32]bool{}
	for _, r := range rows {
		known[r.UID] = true
	}
	more, err := m.Session.HitRows(ctx, slices.DeleteFunc(slices.Clone(hits), func(h mailclient.Hit) bool { return known[h.UID] })) // just moved there, or gone
	return append(rows, more...), err
}
