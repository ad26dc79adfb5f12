package handlers

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	tryBurst = 20              // servers that a person may name at once
	tryEvery = 3 * time.Minute // and then one in so long
	maxTried = 10_000
)

// tried bounds how often each person has us connect to a server that they name. Its zero value is ready.
type tried struct {
	mu   sync.Mutex
	each map[int64]*rate.Limiter
}

// mayTry says whether a person may name another server now.
func (s *Server) mayTry(p *person) bool {
	t := &s.tried
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.each[p.User.ID]
	if l == nil {
		if t.each == nil || len(t.each) >= maxTried {
			t.each = map[int64]*rate.Limiter{}
		}
		l = rate.NewLimiter(rate.Every(tryEvery), tryBurst)
		t.each[p.User.ID] = l
	}
	return l.AllowN(s.now(), 1)
}
