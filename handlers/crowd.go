package handlers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"restante/internal/limits"
	"restante/internal/store"
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
	most int64
	uses int // who have one or wait for one
}

const (
	costlyAtOnce = 2 // searches in all folders; ZIPs
	turnTime     = 10 * time.Second
)

func newCrowd[K comparable](atOnce int64) *crowd[K] {
	return &crowd[K]{atOnce: atOnce, each: map[K]*turns{}}
}

// enter waits for a turn; leave ends it.
func (c *crowd[K]) enter(ctx context.Context, of K) (leave func(), err error) {
	return c.enterUpTo(ctx, of, c.atOnce)
}

// enterUpTo is enter where this one may do most at once. With another bound than before, those who are there already do
// not count.
func (c *crowd[K]) enterUpTo(ctx context.Context, of K, most int64) (leave func(), err error) {
	c.mu.Lock()
	t := c.each[of]
	if t == nil || t.most != most {
		t = &turns{free: semaphore.NewWeighted(most), most: most}
		c.each[of] = t
	}
	t.uses++
	c.mu.Unlock()
	forget := func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if t.uses--; t.uses == 0 && c.each[of] == t {
			delete(c.each, of)
		}
	}
	if err := t.free.Acquire(ctx, 1); err != nil {
		forget()
		return nil, err
	}
	return func() { t.free.Release(1); forget() }, nil
}

// inTurn bounds the requests of each signed-in person.
func (s *Server) inTurn(next http.Handler) http.Handler {
	return s.turns(s.requests, s.requestsAtOnce, next)
}

// costly bounds those that take much, more narrowly.
func (s *Server) costly(next http.Handler) http.Handler {
	return s.turns(s.costlies, func(context.Context, int64) (int64, error) { return costlyAtOnce, nil }, next)
}

// requestsAtOnce is how many requests a person may have at once, streams of news apart: see maxTabs.
func (s *Server) requestsAtOnce(ctx context.Context, person int64) (int64, error) {
	if !s.bounds.Varies(limits.Requests) {
		return s.bounds.Whole(limits.Requests), nil
	}
	u, err := s.store.User(ctx, person)
	if errors.Is(err, store.ErrNotFound) { // and so they are told
		return s.bounds.Whole(limits.Requests), nil
	}
	return s.bounds.Of(u.Address, limits.Requests), err
}

func (s *Server) turns(c *crowd[int64], most func(ctx context.Context, person int64) (int64, error), next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		person := s.sessions.GetInt64(r.Context(), sessionUser)
		if person == 0 {
			next.ServeHTTP(w, r)
			return
		}
		n, err := most(r.Context(), person)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), turnTime)
		leave, err := c.enterUpTo(ctx, person, n)
		cancel()
		if err != nil {
			w.Header().Set("Retry-After", "5")
			s.fail(w, r, &Problem{Status: http.StatusTooManyRequests, Key: "error.crowd", Args: []any{"Limit", n}, err: fmt.Errorf("no turn: %w", err)})
			return
		}
		defer leave()
		next.ServeHTTP(w, r)
	})
}
