package handlers

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// How many servers a person may name at once, and then one in how long.
const (
	tryBurst = 20 // of an import
	tryEvery = 3 * time.Minute

	tryAccountBurst = 10 // of an account
	tryAccountEvery = 6 * time.Minute

	maxTried = 10_000
)

// tried bounds how often each person has us connect to a server that they name.
type tried struct {
	burst int
	every time.Duration

	mu   sync.Mutex
	each map[int64]*rate.Limiter
}

// may says whether a person may name another server now.
func (t *tried) may(userID int64, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.each[userID]
	if l == nil {
		if t.each == nil || len(t.each) >= maxTried {
			t.each = map[int64]*rate.Limiter{}
		}
		l = rate.NewLimiter(rate.Every(t.every), t.burst)
		t.each[userID] = l
	}
	return l.AllowN(now, 1)
}
