package mailclient

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
)

func TestSeatsCanBecomeMoreAndFewer(t *testing.T) {
	s := newSeats(1)
	if !s.try() || s.try() {
		t.Fatal("of one seat not one was taken")
	}
	sat := make(chan error, 2)
	for range 2 {
		go func() { sat <- s.take(context.Background()) }()
	}
	s.set(3)
	for range 2 {
		if err := <-sat; err != nil {
			t.Fatal(err)
		}
	}
	s.set(2)
	s.leave() // the third, which is no more
	if s.try() {
		t.Error("a seat was given that is no more")
	}
	s.leave()
	if !s.try() {
		t.Error("a free seat was not given")
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.take(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("who had gone got %v", err)
	}
	s.leave()
	if !s.try() {
		t.Error("who had gone is waited for")
	}
}

// TestSeatsAreNeverTakenTwice, however many come and go away in the middle, while their number changes.
func TestSeatsAreNeverTakenTwice(t *testing.T) {
	const most = 5
	s := newSeats(most)
	var now atomic.Int64
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if i%3 == 0 {
				go cancel()
			}
			if i%7 == 0 {
				s.set(1 + i%most)
			}
			if s.take(ctx) != nil {
				return
			}
			if n := now.Add(1); n > most {
				t.Errorf("%d sit on %d seats", n, most)
			}
			now.Add(-1)
			s.leave()
		})
	}
	all.Wait()
	s.set(most)
	for range most {
		if !s.try() {
			t.Fatal("a seat was lost")
		}
	}
	if s.try() {
		t.Error("a seat was won")
	}
}
