package discover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"

	"restante/mailclient"
)

// Keeper keeps what was found for a domain, for all nodes and beyond a restart.
type Keeper interface {
	// Discovered gives what was last kept for a domain, "" for nothing.
	Discovered(ctx context.Context, domain string) (found string, err error)
	// KeepDiscovered replaces it. It stays until a time, a zero one means for ever.
	KeepDiscovered(ctx context.Context, domain, found string, until time.Time) error
}

// ErrOff means that nobody allowed to look for servers.
var ErrOff = errors.New("servers are not looked for")

const (
	keepFound     = 30 * 24 * time.Hour // servers that were found are looked for again after it
	keepNothing   = 10 * time.Minute    // and those that were not
	forgetNothing = 24 * time.Hour
	rereadTime    = time.Minute // what another node found is seen after it
	maxRead       = 10_000      // domains in memory
	readTime      = 2 * time.Second
	lookEvery     = time.Second // lookups of this process, for whatever domains
	lookBurst     = 10
)

// shelf is what was found, and how more is found.
type shelf struct {
	keeper Keeper
	finder *Finder
	now    func() time.Time
	flight singleflight.Group
	rate   *rate.Limiter

	mu   sync.Mutex
	read map[string]kept // by domain
}

type kept struct {
	found Found
	ok    bool
	at    time.Time // of reading
}

// Discover lets the directory look for the servers of domains that it does not know, and keep what it finds.
func (d *Directory) Discover(f *Finder, k Keeper) {
	d.found = &shelf{keeper: k, finder: f, now: time.Now, rate: rate.NewLimiter(rate.Every(lookEvery), lookBurst), read: map[string]kept{}}
}

// Find gives what is kept of an address's domain, or looks for it, within 15 seconds; others who ask for the same
// domain meanwhile get the same. What is found is usable by Lookup from then on if it is Ready. Where looking is not
// allowed it gives what the admin's domains and the table of providers say, not probed, or else ErrOff. The error is
// mailclient.ErrBusy when too many domains are asked for.
func (d *Directory) Find(ctx context.Context, address string) (Found, error) {
	_, domain, err := cutAddress(address)
	if err != nil {
		return Found{}, err
	}
	if d.found == nil {
		return d.told(address, domain)
	}
	k, err := d.found.get(ctx, domain)
	if err != nil || k.ok && d.found.fresh(k.found) {
		return k.found, err
	}
	return d.found.look(ctx, domain, address, k)
}

// told is what this process knows without asking anybody.
func (d *Directory) told(address, domain string) (Found, error) {
	q := &quest{Finder: NewFinder(FinderOptions{Directory: d}), address: address, domain: domain, own: registrable(domain)}
	f := q.choose(map[Source]*report{FromDomain: q.fromDomain(), FromPreset: q.fromPreset()})
	if len(f.Looked) == 0 {
		return Found{}, ErrOff
	}
	f.At = time.Now()
	return f, nil
}

// Doubt lets the next Find look again for servers that were found before, for they could not be reached. What was found
// in the last ten minutes is believed.
func (d *Directory) Doubt(ctx context.Context, address string) error {
	_, domain, err := cutAddress(address)
	if err != nil || d.found == nil {
		return err
	}
	s := d.found
	k, err := s.get(ctx, domain)
	if err != nil || !k.ok || !k.found.Ready() || s.now().Sub(k.found.At) < keepNothing {
		return err
	}
	k.found.At = s.now().Add(-keepFound)
	return s.keep(ctx, domain, k.found)
}

func (s *shelf) fresh(f Found) bool {
	age := s.now().Sub(f.At)
	return f.Ready() && age < keepFound || age < keepNothing
}

// get is what is kept for a domain, from memory if it was read a moment ago.
func (s *shelf) get(ctx context.Context, domain string) (kept, error) {
	s.mu.Lock()
	k, ok := s.read[domain]
	s.mu.Unlock()
	if ok && s.now().Sub(k.at) < rereadTime {
		return k, nil
	}
	raw, err := s.keeper.Discovered(ctx, domain)
	if err != nil {
		return kept{}, fmt.Errorf("what was found for a domain: %w", err)
	}
	k = kept{at: s.now()}
	if raw != "" {
		k.ok = json.Unmarshal([]byte(raw), &k.found) == nil // what an older version wrote otherwise is found anew
	}
	s.remember(domain, k)
	return k, nil
}

func (s *shelf) remember(domain string, k kept) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.read) >= maxRead {
		clear(s.read)
	}
	s.read[domain] = k
}

// look finds the servers of a domain anew. Servers that were found before are not given up for none.
func (s *shelf) look(ctx context.Context, domain, address string, before kept) (Found, error) {
	got := s.flight.DoChan(domain, func() (any, error) {
		if !s.rate.Allow() {
			return Found{}, mailclient.ErrBusy
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), findTime+readTime)
		defer cancel()
		f, err := s.finder.Find(ctx, address)
		if err != nil {
			return Found{}, err
		}
		if before.ok && before.found.Ready() && !f.Ready() {
			f = before.found
			f.At = s.now().Add(keepNothing - keepFound) // and looked for again when that is over
		}
		return f, s.keep(ctx, domain, f)
	})
	select {
	case r := <-got:
		f, _ := r.Val.(Found)
		return f, r.Err
	case <-ctx.Done():
		return Found{}, ctx.Err()
	}
}

// keep puts what was found where every node sees it.
func (s *shelf) keep(ctx context.Context, domain string, f Found) error {
	raw, err := json.Marshal(f)
	if err != nil {
		return err
	}
	s.remember(domain, kept{found: f, ok: true, at: s.now()})
	until := time.Time{}
	if !f.Ready() {
		until = s.now().Add(forgetNothing)
	}
	return s.keeper.KeepDiscovered(ctx, domain, string(raw), until)
}

// servers are those that were found for a domain, if mail can be read and sent there.
func (s *shelf) servers(domain string) (Servers, bool) {
	ctx, cancel := context.WithTimeout(context.Background(), readTime)
	defer cancel()
	k, err := s.get(ctx, domain)
	if err != nil || !k.ok || !k.found.Ready() {
		return Servers{}, false
	}
	return s.finder.Servers(k.found), true
}
