package pop3

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"
)

// The UIDs that we make of hashes, where the server gives none. No server's begins with a space.
const (
	byTop     = " top:"
	byContent = " all:"
)

// compare brings ledger and listing together, and gives the mails to fetch: the newest first, those that failed before
// last.
func (r *run) compare(ctx context.Context, s Session) (todo []*known, err error) {
	for _, k := range r.ids {
		k.number, k.sure = 0, false
	}
	r.blind = false
	list, uids, err := r.listing(ctx, s)
	if err != nil {
		return nil, err
	}
	r.noUIDL = !uids && len(list) > 0
	fresh, err := r.match(ctx, s, list)
	if err != nil {
		return nil, err
	}
	compare := r.renumbered(len(list), len(fresh)) || uids && r.half(fresh)
	if err := r.addAll(ctx, fresh, compare); err != nil {
		return nil, err
	}
	if err := r.turn(ctx); err != nil {
		return nil, err
	}
	return r.todo(), r.findOld(ctx)
}

// listing reads what is there, each mail with a UID. uids says that the server gives some.
func (r *run) listing(ctx context.Context, s Session) (list []Entry, uids bool, err error) {
	uids, err = s.Listing(ctx, func(e Entry) error { list = append(list, e); return nil })
	if err != nil {
		return nil, false, err
	}
	named := list[:0]
	for _, e := range list {
		if e.UID == "" {
			if e.UID, err = identify(ctx, s, e.Number); err != nil {
				return nil, false, err
			}
		}
		if e.UID == "" { // it may be the twin of one that is known
			r.blind = true
			continue
		}
		named = append(named, e)
	}
	return named, uids, nil
}

// half says whether the server, which gives UIDs, has left one out, now or before: then a mail may be one that is
// known.
func (r *run) half(fresh []unlisted) bool {
	for _, e := range fresh {
		if e.UID[0] == ' ' {
			return true
		}
	}
	for _, k := range r.ids {
		if k.uid[0] == ' ' && k.number == 0 && r.lives(k) {
			return true
		}
	}
	return false
}

// identify makes a UID of what a mail is (P5). It is "" for a mail that the server does not let be read.
func identify(ctx context.Context, s Session, number int) (string, error) {
	key, err := topKey(ctx, s, number)
	if err != nil || key != "" {
		return byTop + hex.EncodeToString([]byte(key)), err
	}
	d := newDigest()
	if _, err = s.Retr(ctx, number, d, 0, 0); err != nil {
		return "", unlessRefused(err)
	}
	return byContent + hex.EncodeToString([]byte(d.sum())), nil
}

// topKey is the key hash of a mail, "" if the server gives no headers.
func topKey(ctx context.Context, s Session, number int) (string, error) {
	head, err := s.Top(ctx, number)
	if err != nil {
		return "", unlessRefused(err)
	}
	return keyOf(head), nil
}

func unlessRefused(err error) error {
	var no *RefusedError
	if errors.As(err, &no) {
		return nil
	}
	return err
}

// match finds the row of each mail, and gives the mails that have none, as rows to add.
func (r *run) match(ctx context.Context, s Session, list []Entry) (fresh []unlisted, err error) {
	times := map[string]int{}
	for _, e := range list {
		times[e.UID]++
	}
	alike := map[string][]Entry{}
	var order []string
	var relisted []*known
	for _, e := range list {
		k := r.first[e.UID]
		switch {
		case k == nil && times[e.UID] == 1:
			fresh = append(fresh, unlisted{e, 0})
		case k != nil && k.next == nil && !k.gone() && times[e.UID] == 1:
			k.number, k.sure = e.Number, e.UID[0] == ' '
		default:
			if alike[e.UID] == nil {
				order = append(order, e.UID)
			}
			alike[e.UID] = append(alike[e.UID], e)
		}
	}
	for _, uid := range order {
		more, back, err := r.matchAlike(ctx, s, uid, alike[uid])
		if err != nil {
			return nil, err
		}
		fresh, relisted = append(fresh, more...), append(relisted, back...)
	}
	return fresh, r.relist(ctx, relisted)
}

// unlisted is a mail without a row.
type unlisted struct {
	Entry
	dup int
}

// twins are the rows of one UID, with their key hashes.
type twins struct {
	rows []*known
	keys []string
}

func (r *run) twins(ctx context.Context, uid string) (t twins, err error) {
	for k := r.first[uid]; k != nil; k = k.next {
		key := ""
		switch {
		case uid[0] == ' ': // the UID is a hash
			key = uid
		case k.keyed:
			row, err := r.Ledger.Row(ctx, k.id)
			if err != nil {
				return t, broken(err)
			}
			key = row.KeyHash
		}
		t.rows, t.keys = append(t.rows, k), append(t.keys, key)
	}
	return t, nil
}

// take gives the first row that fits and that no mail has, nil if there is none.
func (t twins) take(fits func(key string, k *known) bool) *known {
	for i, k := range t.rows {
		if k.number == 0 && fits(t.keys[i], k) {
			return k
		}
	}
	return nil
}

// of gives the row of a mail with a key hash, "" if the server does not let it be known. sure says that it is the same
// mail beyond doubt. Of those that are alike, what was to be deleted is likely gone.
func (t twins) of(key string) (k *known, sure bool) {
	likely := []func(*known) bool{
		func(k *known) bool { return !k.gone() && k.state != Deleting },
		func(k *known) bool { return !k.gone() },
		func(*known) bool { return true },
	}
	if key != "" {
		for _, is := range likely {
			if k := t.take(func(o string, k *known) bool { return o == key && is(k) }); k != nil {
				return k, true
			}
		}
	}
	if k := t.take(func(o string, _ *known) bool { return o == "" }); k != nil || key != "" {
		return k, false
	}
	for _, is := range likely {
		if k := t.take(func(_ string, k *known) bool { return is(k) }); k != nil {
			return k, false
		}
	}
	return nil, false
}

// matchAlike tells mails of one UID apart by their headers (P6, line 17): several in one listing, or one whose row is
// gone. relisted are those that were gone.
func (r *run) matchAlike(ctx context.Context, s Session, uid string, list []Entry) (fresh []unlisted, relisted []*known, err error) {
	t, err := r.twins(ctx, uid)
	if err != nil {
		return nil, nil, err
	}
	dup := 0
	for _, k := range t.rows {
		dup = max(dup, k.dup+1)
	}
	for _, e := range list {
		key := uid
		if uid[0] != ' ' && len(t.rows) > 0 {
			if key, err = topKey(ctx, s, e.Number); err != nil {
				return nil, nil, err
			}
		}
		k, sure := t.of(key)
		if k == nil {
			fresh = append(fresh, unlisted{e, dup})
			dup++
			continue
		}
		k.number, k.sure = e.Number, sure
		if k.gone() && (sure || k.imported.IsZero()) {
			relisted = append(relisted, k)
		}
	}
	return fresh, relisted, nil
}

// relist takes back mails that were gone and are listed again.
func (r *run) relist(ctx context.Context, mails []*known) error {
	var seen, imported []*known
	for _, k := range mails {
		if k.imported.IsZero() {
			seen = append(seen, k)
		} else {
			imported = append(imported, k)
		}
	}
	if err := r.mark(ctx, Change{State: Imported, Words: "listed again"}, imported...); err != nil {
		return err
	}
	return r.mark(ctx, Change{State: Seen, Compare: true}, seen...) // they may have been listed under other UIDs meanwhile
}

// guardMost is how many mails must be known for a renumbering to stop deletions.
const guardMost = 10

// lately is how long a mail that went missing counts: a server that is being moved may show nothing for a while.
const lately = 72 * time.Hour

// renumbered says whether the server may have changed its UIDs (P7): hardly any mail that we know is listed. If as many
// are there as before, it surely has.
func (r *run) renumbered(listed, fresh int) bool {
	live, there, twice := 0, 0, false
	for _, k := range r.ids {
		// Once more, before those of the last time were looked at.
		twice = twice || k.compare && k.imported.IsZero() && k.number == 0 && (k.state == Seen || k.state == Gone && r.Now().Sub(k.changed) < lately)
		if k.keyed && r.lives(k) {
			live++
			if k.number > 0 {
				there++
			}
		}
	}
	is := fresh > 0 && (twice || there*5 < live)
	r.guard = r.guard || is && (twice || live >= guardMost && listed*2 >= live)
	return is
}

// lives says whether a mail is at the source, or may be.
func (r *run) lives(k *known) bool {
	return !k.gone() || k.state == Missing && r.Now().Sub(k.changed) < lately
}

// addAll writes the rows of new mails (line 1).
func (r *run) addAll(ctx context.Context, fresh []unlisted, compare bool) error {
	dups := map[string]int{}
	for part := range slices.Chunk(fresh, rowsMost) {
		rows := make([]Row, len(part))
		for i, e := range part {
			dup := max(e.dup, dups[e.UID])
			dups[e.UID] = dup + 1
			rows[i] = Row{UID: strings.Clone(e.UID), Dup: dup, Size: e.Size, State: Seen, Compare: compare}
		}
		if err := r.Ledger.Add(ctx, rows); err != nil {
			return broken(err)
		}
		for i, row := range rows {
			r.add(row).number = part[i].Number
		}
	}
	return nil
}

// turn draws what the listing says about mails that we know (lines 15 and 16).
func (r *run) turn(ctx context.Context) error {
	var gone, missing, kept []*known
	for _, k := range r.ids {
		switch {
		case k.number > 0 && k.state == Deleting:
			kept = append(kept, k)
		case k.number > 0:
		case k.state == Deleting:
			r.stats.Deleted++
			missing = append(missing, k)
		case k.state == Imported:
			missing = append(missing, k)
		case k.state == Seen, k.state == TooBig, k.state == Failed && !k.keyed:
			gone = append(gone, k)
		}
	}
	if err := r.mark(ctx, Change{State: Gone}, gone...); err != nil {
		return err
	}
	if err := r.mark(ctx, Change{State: Missing}, missing...); err != nil {
		return err
	}
	return r.mark(ctx, Change{State: Imported, Words: "it is still there after it was deleted"}, kept...)
}

func (r *run) todo() (todo []*known) {
	r.stats.Total, r.stats.OfAll = r.stats.Done, r.stats.Bytes
	for _, k := range r.ids {
		if k.state == Seen && k.number > 0 {
			todo = append(todo, k)
			r.stats.OfAll += k.size
		}
	}
	r.stats.Total += len(todo)
	slices.SortFunc(todo, func(a, b *known) int {
		if a.tries != b.tries {
			return a.tries - b.tries
		}
		return b.number - a.number
	})
	return todo
}

// mayBeListedAnew says whether a mail that is not listed may come under another UID, and not be fetched for it.
func (row Row) mayBeListedAnew() bool {
	switch row.State {
	case Imported, Missing, Spooled, Failed, Doubtful:
		return true
	}
	return false // what we have deleted does not come back
}

// oldMails are such mails, by their hashes.
type oldMails struct {
	byKey, byContent map[string][]int64
	taken            map[int64]bool
}

// findOld reads them, where a listed mail may be one of them.
func (r *run) findOld(ctx context.Context) error {
	r.old = oldMails{map[string][]int64{}, map[string][]int64{}, map[int64]bool{}}
	wanted := false
	for _, k := range r.ids {
		wanted = wanted || k.compare && k.state == Seen && k.number > 0
	}
	if !wanted {
		return nil
	}
	return broken(r.Ledger.Load(ctx, func(row Row) error {
		if k := r.ids[row.ID]; k != nil && k.number == 0 && row.ContentHash != "" && row.mayBeListedAnew() {
			r.old.byKey[row.KeyHash] = append(r.old.byKey[row.KeyHash], row.ID)
			r.old.byContent[row.ContentHash] = append(r.old.byContent[row.ContentHash], row.ID)
		}
		return nil
	}))
}

// take gives the row of a mail with a hash, each once; 0 if there is none.
func (o *oldMails) take(in map[string][]int64, hash string) int64 {
	if hash == "" {
		return 0
	}
	for _, id := range in[hash] {
		if !o.taken[id] {
			o.taken[id] = true
			return id
		}
	}
	return 0
}
