package limits

import (
	"strings"
	"sync"

	"golang.org/x/net/idna"
)

// Set is what is set of the limits of a scope.
type Set map[Name]int64

// Book says what holds for whom. It is safe for use by many goroutines; a nil one knows the defaults alone.
type Book struct {
	fixed Set

	mu   sync.RWMutex
	sets map[Scope]map[string]Set // replaced whole, never changed
}

// NewBook makes a book. fixed are the limits of the site that the configuration sets: nothing that is written replaces them.
func NewBook(fixed Set) *Book { return &Book{fixed: fixed} }

// Write replaces what admins have set. What cannot be, say because an older version took it, is left out.
func (b *Book) Write(entries []Entry) {
	sets := map[Scope]map[string]Set{Site: {}, Domain: {}, Person: {}}
	for _, e := range entries {
		if e.Scope == Person {
			e.Of = Address(e.Of)
		}
		if of := sets[e.Scope]; of != nil && e.Check() == nil {
			if of[e.Of] == nil {
				of[e.Of] = Set{}
			}
			of[e.Of][e.Name] = e.Value
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sets = sets
}

// Fixed says what the configuration sets.
func (b *Book) Fixed(n Name) (value int64, ok bool) {
	if b == nil {
		return 0, false
	}
	value, ok = b.fixed[n]
	return value, ok
}

// Set gives what an admin has set of a limit, in one scope alone. of is as in Entry, or a person's address as it was written.
func (b *Book) Set(s Scope, of string, n Name) (value int64, ok bool) {
	if b == nil {
		return 0, false
	}
	if s == Person {
		of = Address(of)
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	value, ok = b.sets[s][of][n]
	return value, ok
}

// Whole is the limit of the site, which holds for whom none is set.
func (b *Book) Whole(n Name) int64 {
	if v, ok := b.Fixed(n); ok {
		return v
	}
	if v, ok := b.Set(Site, "", n); ok {
		return v
	}
	l, _ := Of(n)
	return l.Default
}

// Wide is the limit of a domain.
func (b *Book) Wide(domain string, n Name) int64 {
	if v, ok := b.Set(Domain, domain, n); ok {
		return v
	}
	return b.Whole(n)
}

// Of is the limit of a person, by the address they sign in with.
func (b *Book) Of(address string, n Name) int64 {
	if v, ok := b.Set(Person, address, n); ok {
		return v
	}
	return b.Wide(DomainOf(address), n)
}

// Address is that of a person as an Entry names it: in small letters, with its domain in ASCII.
func Address(written string) string {
	at := strings.LastIndexByte(written, '@') + 1
	return strings.ToLower(written[:at]) + DomainOf(written)
}

// DomainOf is the domain of an address as an Entry names it.
func DomainOf(address string) string {
	domain := strings.ToLower(address[strings.LastIndexByte(address, '@')+1:])
	if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
		return ascii
	}
	return domain
}

// Most is the largest that holds for anybody.
func (b *Book) Most(n Name) int64 {
	most := b.Whole(n)
	b.each(n, func(v int64) { most = max(most, v) })
	return most
}

// Varies says whether a limit is not the same for everybody.
func (b *Book) Varies(n Name) (yes bool) {
	b.each(n, func(int64) { yes = true })
	return yes
}

// each gives what is set of a limit for domains and people.
func (b *Book) each(n Name, f func(int64)) {
	if b == nil {
		return
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, s := range []Scope{Domain, Person} {
		for _, set := range b.sets[s] {
			if v, ok := set[n]; ok {
				f(v)
			}
		}
	}
}
