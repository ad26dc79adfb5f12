package mailclient

import (
	"container/list"
	"context"
	"sync"
)

// seats are taken and left by many, in the order in which they ask. How many there are can change meanwhile: nobody has
// to get up for it.
type seats struct {
	mu    sync.Mutex
	n     int
	taken int
	line  list.List // of chan struct{}, closed when its owner is seated
}

func newSeats(n int) *seats { return &seats{n: n} }

// take waits for a seat until ctx ends, and gives its error then.
func (s *seats) take(ctx context.Context) error {
	if s.try() {
		return nil
	}
	s.mu.Lock()
	turn := make(chan struct{})
	at := s.line.PushBack(turn)
	s.call()
	s.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-turn: // at the same moment
		s.taken--
	default:
		s.line.Remove(at)
	}
	s.call()
	return ctx.Err()
}

// try takes a seat if one is free and nobody waits.
func (s *seats) try() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken >= s.n || s.line.Len() > 0 {
		return false
	}
	s.taken++
	return true
}

// alone says whether no more than one seat is taken.
func (s *seats) alone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken <= 1
}

// idle says whether no seat is taken.
func (s *seats) idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken == 0
}

func (s *seats) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken--
	s.call()
}

// set says how many seats there are from now on.
func (s *seats) set(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n = n
	s.call()
}

// call seats those whose turn it is.
func (s *seats) call() {
	for s.taken < s.n && s.line.Len() > 0 {
		turn, _ := s.line.Remove(s.line.Front()).(chan struct{})
		s.taken++
		close(turn)
	}
}
