package handlers

import (
	"fmt"
	"sync"
	"time"
)

// retryAfter is an error that says how long to wait.
type retryAfter struct{ d time.Duration }

func (e retryAfter) Error() string { return fmt.Sprintf("try again in %s", e.d.Round(time.Second)) }

// signInLimits bounds wrong sign-ins per network block and per account from a block (SECURITY 4.1).
// No account is ever locked: another block has buckets of its own.
type signInLimits struct {
	mu      sync.Mutex
	now     func() time.Time
	buckets map[string]*bucket
}

type bucket struct {
	wrong int
	last  time.Time
}

const (
	blockTries = 30 // wrong tries from one block until it waits
	pairTries  = 6  // wrong tries for one account from one block
	forget     = 15 * time.Minute
	maxBuckets = 100_000
)

func newSignInLimits(now func() time.Time) *signInLimits {
	return &signInLimits{now: now, buckets: map[string]*bucket{}}
}

func keys(block, account string) [2]string {
	return [2]string{"b " + block, "p " + block + " " + account}
}

// allow says whether a try may be made now, else when. A try that is allowed counts as wrong until it is known to be
// right or nobody's fault: many at once do not slip through.
func (l *signInLimits) allow(block, account string) (until time.Time, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer func() {
		if ok {
			l.count(block, account)
		}
	}()
	for i, k := range keys(block, account) {
		b := l.buckets[k]
		if b == nil {
			continue
		}
		limit := [2]int{blockTries, pairTries}[i]
		if b.wrong < limit {
			continue
		}
		wait := min(time.Minute<<min(b.wrong-limit, 10), forget)
		if t := b.last.Add(wait); t.After(l.now()) && t.After(until) {
			until = t
		}
	}
	return until, until.IsZero()
}

// count notes a wrong try.
func (l *signInLimits) count(block, account string) {
	now := l.now()
	if len(l.buckets) > maxBuckets {
		for k, b := range l.buckets {
			if now.Sub(b.last) > forget {
				delete(l.buckets, k)
			}
		}
	}
	for _, k := range keys(block, account) {
		b := l.buckets[k]
		if b == nil || now.Sub(b.last) > forget {
			b = &bucket{}
			l.buckets[k] = b
		}
		b.wrong++
		b.last = now
	}
}

// forgive takes a try back that said nothing about the password: the server was away.
func (l *signInLimits) forgive(block, account string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range keys(block, account) {
		if b := l.buckets[k]; b != nil && b.wrong > 0 {
			b.wrong--
		}
	}
}

// passed clears an account's count from a block, and takes back the try that was right.
func (l *signInLimits) passed(block, account string) {
	l.forgive(block, account)
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.buckets, keys(block, account)[1])
}
