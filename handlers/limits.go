package handlers

import (
	"context"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"restante/internal/seal"
	"restante/internal/store"
)

// retryAfter is an error that says how long to wait.
type retryAfter struct{ d time.Duration }

func (e retryAfter) Error() string { return fmt.Sprintf("try again in %s", e.d.Round(time.Second)) }

// signInLimits bounds wrong sign-ins without ever locking an account. Strangers are counted by their network, by
// account and network, and by account whatever the network; a browser that has signed in before (device.go) is counted
// by itself alone, so that nobody can keep it out. The counts are in the database, under keyed hashes: they hold on all
// nodes and outlive a restart, and name nobody.
type signInLimits struct {
	store *store.Store
	ring  *seal.Ring
	now   func() time.Time

	mu      sync.Mutex
	refused map[string]time.Time // by account and network: a flood of tries does not reach the database
}

const (
	blockTries   = 30  // wrong tries from one network until it waits
	wideTries    = 120 // from the wider network around it
	pairTries    = 6   // for one account from one network
	accountTries = 30  // for one account from everywhere
	deviceTries  = 10  // for one account from a browser that knew its password
	forget       = 15 * time.Minute

	slotEvery = 15 * time.Second // one stranger each, for an account that has had its tries
	slotOpen  = 2 * time.Minute  // how long a slot waits for whom it was promised

	maxRefused = 10_000
)

// network is where a request comes from: its own block, and the wider one that is often in one hand.
type network struct{ block, wide string }

// attempt is a sign-in that was let through. It counts as wrong until right or undo says otherwise: many at once do
// not slip through.
type attempt struct {
	counted []string // keys
	pair    string   // the one of account and network, or of the device
}

func newSignInLimits(s *store.Store, ring *seal.Ring, now func() time.Time) *signInLimits {
	return &signInLimits{store: s, ring: ring, now: now, refused: map[string]time.Time{}}
}

func (l *signInLimits) key(kind string, of ...string) string {
	return hex.EncodeToString(l.ring.MAC("sign-in-tries/1", append([]string{kind}, of...)...)[:16])
}

// allow says whether a sign-in may be tried now. If not, until is when. device is the id of a browser that is known to
// this account, or "".
func (l *signInLimits) allow(ctx context.Context, from network, account, device string) (a attempt, until time.Time, err error) {
	if device != "" {
		if a, ok, err := l.allowDevice(ctx, account, device); ok || err != nil {
			return a, time.Time{}, err
		}
	}
	return l.allowStranger(ctx, from, account)
}

func (l *signInLimits) allowDevice(ctx context.Context, account, device string) (a attempt, ok bool, err error) {
	key := l.key("device", account, device)
	err = l.store.CountTries(ctx, []string{key}, func(t []store.Tries) {
		if ok = wait(t[0], deviceTries, l.now()).IsZero(); ok {
			count(&t[0], l.now())
		}
	})
	return attempt{counted: []string{key}, pair: key}, ok, err
}

func (l *signInLimits) allowStranger(ctx context.Context, from network, account string) (a attempt, until time.Time, err error) {
	pair := l.key("pair", account, from.block)
	if until := l.refusedUntil(pair); !until.IsZero() {
		return attempt{}, until, nil
	}
	counted := []string{l.key("block", from.block), l.key("wide", from.wide), pair, l.key("account", account)}
	err = l.store.CountTries(ctx, append(counted, l.key("promise", account, from.wide)), func(t []store.Tries) {
		now := l.now()
		for i, limit := range []int{blockTries, wideTries, pairTries} {
			if w := wait(t[i], limit, now); w.After(until) {
				until = w
			}
		}
		if until.IsZero() {
			until = slot(&t[3], &t[4], now)
		}
		if !until.IsZero() {
			return
		}
		for i := range counted {
			count(&t[i], now)
		}
	})
	if !until.IsZero() {
		l.refuse(pair, until)
	}
	return attempt{counted: counted, pair: pair}, until, err
}

// wait is until when one who has had limit tries has to wait: longer with each, up to forget. Zero: no longer.
func wait(t store.Tries, limit int, now time.Time) time.Time {
	if t.Wrong < limit {
		return time.Time{}
	}
	until := t.Last.Add(min(time.Minute<<min(t.Wrong-limit, 10), forget))
	if !until.After(now) {
		return time.Time{}
	}
	return until
}

func count(t *store.Tries, now time.Time) {
	if now.Sub(t.Last) > forget {
		t.Wrong = 0
	}
	t.Wrong++
	t.Last = now
}

// slot is when a stranger may try an account that has had its tries: each slotEvery one of them may, first come, first
// served, and each network stands in the line once. However many a password is tried from, it is tried no oftener; and
// one who knows it waits no longer than those before him. Zero: now. With the next forget given away, nothing is
// promised.
func slot(account, promise *store.Tries, now time.Time) time.Time {
	if account.Wrong < accountTries || now.Sub(account.Last) > forget {
		return time.Time{}
	}
	if promise.Next.After(now) {
		return promise.Next
	}
	if !promise.Next.IsZero() && now.Sub(promise.Next) <= slotOpen {
		promise.Next = time.Time{}
		return time.Time{}
	}
	next := account.Next.Add(slotEvery)
	switch {
	case !next.After(now):
		account.Next = now
		return time.Time{}
	case next.Sub(now) > forget:
		return now.Add(forget)
	}
	account.Next, promise.Next = next, next
	return next
}

func (l *signInLimits) refusedUntil(pair string) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until := l.refused[pair]; until.After(l.now()) {
		return until
	}
	return time.Time{}
}

func (l *signInLimits) refuse(pair string, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.refused) >= maxRefused {
		clear(l.refused)
	}
	l.refused[pair] = until
}

// undo takes an attempt back that said nothing about the password: the server was away.
func (l *signInLimits) undo(ctx context.Context, a attempt) error {
	return l.store.CountTries(ctx, a.counted, func(t []store.Tries) {
		for i := range t {
			t[i].Wrong = max(0, t[i].Wrong-1)
		}
	})
}

// right takes an attempt back whose password was right, and forgets the wrong ones of the same account from the same
// network or device.
func (l *signInLimits) right(ctx context.Context, a attempt) error {
	l.mu.Lock()
	delete(l.refused, a.pair)
	l.mu.Unlock()
	return l.store.CountTries(ctx, a.counted, func(t []store.Tries) {
		for i, key := range a.counted {
			t[i].Wrong = max(0, t[i].Wrong-1)
			if key == a.pair {
				t[i].Wrong = 0
			}
		}
	})
}
