package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"
	"sync"
	"time"
)

// known is what is looked through with each letter of a name that a user types: the addresses of their contacts, those
// written to most first, and the people they have written to.
type known struct {
	contacts []knownContact
	people   []Person
	read     time.Time
}

type knownContact struct {
	Person
	words string // as Contact.Words
}

// How long, and of how many people of all users together, that is kept: each takes some 200 bytes. What this process
// changes is known at once; what another one does, after keptFor.
const (
	keptFor  = time.Minute
	keptMost = 120_000
)

// knowns keeps what was last asked for.
type knowns struct {
	mu      sync.Mutex
	of      map[int64]known
	changes int // so that nothing is kept that was read before a change
}

// forget is called after each change of a user's contacts or of whom they have written to.
func (k *knowns) forget(userID int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.changes++
	delete(k.of, userID)
}

func (k *knowns) get(userID int64, now time.Time) (kept known, ok bool, changes int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	kept, ok = k.of[userID]
	return kept, ok && now.Sub(kept.read) < keptFor, k.changes
}

// keep makes room by what is too old, then by what was read first.
func (k *knowns) keep(userID int64, fresh known, changes int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	size := func(v known) int { return len(v.contacts) + len(v.people) }
	if changes != k.changes || size(fresh) > keptMost {
		return
	}
	if k.of == nil {
		k.of = map[int64]known{}
	}
	k.of[userID] = fresh
	total := 0
	for id, v := range k.of {
		if fresh.read.Sub(v.read) >= keptFor {
			delete(k.of, id)
		} else {
			total += size(v)
		}
	}
	for total > keptMost {
		first := userID
		for id, v := range k.of {
			if id != userID && (first == userID || v.read.Before(k.of[first].read)) {
				first = id
			}
		}
		total -= size(k.of[first])
		delete(k.of, first)
	}
}

// known reads it, or gives what was read lately.
func (s *Store) known(ctx context.Context, userID int64) (known, error) {
	v, ok, changes := s.knowns.get(userID, s.now())
	if ok {
		return v, nil
	}
	v = known{read: s.now()}
	rows, err := s.db.DB.QueryContext(ctx, `SELECT address, name, written, last_at FROM people WHERE user_id = $1 ORDER BY written DESC, last_at DESC, address`, userID)
	all, err := collect(rows, err, scanPerson)
	if err != nil {
		return v, err
	}
	written := make(map[string]Person, len(all))
	for _, p := range all {
		written[p.Address] = p
	}
	v.people = slices.Clone(all[:min(len(all), maxPeople)])
	rows, err = s.db.DB.QueryContext(ctx, `SELECT a.address, c.name, c.words FROM contacts c JOIN contact_addresses a ON a.contact_id = c.id WHERE c.user_id = $1 ORDER BY c.sort, c.id, a.place`, userID)
	v.contacts, err = collect(rows, err, func(r *sql.Rows) (c knownContact, err error) {
		err = r.Scan(&c.Address, &c.Name, &c.words)
		p := written[c.Address]
		c.Written, c.LastAt = p.Written, p.LastAt
		return c, err
	})
	if err != nil {
		return v, err
	}
	slices.SortStableFunc(v.contacts, func(a, b knownContact) int { return cmp.Compare(b.Written, a.Written) })
	s.knowns.keep(userID, v, changes)
	return v, nil
}

// ContactAddresses lists the mail addresses of contacts whose words begin so, all of them, with how often and when last
// they were written to: those written to most, up to n.
func (s *Store) ContactAddresses(ctx context.Context, userID int64, words []string, n int) (found []Person, err error) {
	v, err := s.known(ctx, userID)
	begin := make([]beginning, len(words))
	for i, w := range words {
		begin[i] = beginningOf(w)
	}
	for _, c := range v.contacts {
		if len(found) == n {
			break
		}
		if !slices.ContainsFunc(begin, func(b beginning) bool { return !b.of(c.words) }) {
			found = append(found, c.Person)
		}
	}
	return found, err
}

// beginning is that of a word, or, as in ContactQuery, of each of its parts.
type beginning struct {
	whole string
	parts []string
}

func beginningOf(word string) (b beginning) {
	b.whole = " " + word
	for _, p := range partsOf(word) {
		if p != word {
			b.parts = append(b.parts, " "+p)
		}
	}
	return b
}

func (b beginning) of(words string) bool {
	return strings.Contains(words, b.whole) || len(b.parts) > 0 && !slices.ContainsFunc(b.parts, func(p string) bool { return !strings.Contains(words, p) })
}

// FindPeople lists up to n people for whom fits holds, all if it is nil, the most written to first. What is alike in
// which language the databases know differently, or not at all: so the comparing is done by fits.
func (s *Store) FindPeople(ctx context.Context, userID int64, fits func(Person) bool, n int) (found []Person, err error) {
	v, err := s.known(ctx, userID)
	for _, p := range v.people {
		if len(found) == n {
			break
		}
		if fits == nil || fits(p) {
			found = append(found, p)
		}
	}
	return found, err
}
