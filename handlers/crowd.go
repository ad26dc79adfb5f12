package handlers

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

// crowd bounds how much is done at once for each of many: the requests of a person, so that nobody takes the time of all
// others, the saves of a draft, the tries of an account. More waits for its turn, as in a browser that loads a letter
// with many pictures.
type crowd[K comparable] struct {
	atOnce int64

	mu   sync.Mutex
	each map[K]*turns
}

// turns are those of one of them.
type turns struct {
	free *semaphore.Weighted
	uses int // who have one or wait for one
}

const (
	personAtOnce = 24 // requests, streams of news apart: see maxTabs
	costlyAtOnce = 2  // searches in all folders; ZIPs
	turnTime     = 10 * time.Second
)

func newCrowd[K comparable](atOnce int64) *crowd[K] {
	return &crowd[K]{atOnce: atOnce, each: map[K]*turns{}}
}

// enter waits for a turn; leave ends it.
func (c *crowd[K]) enter(ctx context.Context, of K) (leave func(), err error) {
	c.mu.Lock()
	t := c.each[of]
	if t == nil {
		t = &turns{free: semaphore.NewWeighted(c.atOnce)}
		c.each[of] = t
	}
	t.uses++
	c.mu.Unlock()
	forget := func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if t.uses--; t.uses == 0 {
			delete(c.each, of)
		}
	}
	if err := t.free.Acquire(ctx, 1); err != nil {
		forget()
		return nil, err
	}
	return func() { t.free.Release(1); forget() }, nil
}

// atOnce bounds the requests of each signed-in person.
func (s *Server) atOnce(most int64) func(http.Handler) http.Handler {
	c := newCrowd[int64](most)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			person := s.sessions.GetInt64(r.Context(), sessionUser)
			if person == 0 {
				next.ServeHTTP(w, r)
				return
			}
			ctx, cancel := context.WithTimeout(r.Context(), turnTime)
			leave, err := c.enter(ctx, person)
			cancel()
			if err != nil {
				w.Header().Set("Retry-After", "5")
				s.fail(w, r, &Problem{Status: http.StatusTooManyRequests, Key: "error.crowd", err: fmt.Errorf("no turn: %w", err)})
				return
			}
			defer leave()
			next.ServeHTTP(w, r)
		})
	}
}
