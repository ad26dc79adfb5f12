package store_test

import (
	"sync"
	"testing"
	"time"

	"restante/internal/store"
)

func TestTriesAreCountedOneAfterAnotherAndSwept(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		now := time.UnixMilli(1_700_000_000_000)
		s.At(now)
		var all sync.WaitGroup
		for i := range 20 { // in both orders: nobody waits for the other
			keys := []string{"a", "b"}
			if i%2 == 1 {
				keys = []string{"b", "a"}
			}
			all.Go(func() {
				err := s.CountTries(ctx, keys, func(tries []store.Tries) {
					for j := range tries {
						tries[j].Wrong++
						tries[j].Last = now
					}
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		s.At(now.Add(time.Hour - time.Second))
		ok(t, s.SweepTries(ctx))
		read := func() (out []store.Tries) {
			ok(t, s.CountTries(ctx, []string{"b", "c", "a"}, func(tries []store.Tries) { out = append(out, tries...) }))
			return out
		}
		if got := read(); got[0].Wrong != 20 || got[2].Wrong != 20 || !got[2].Last.Equal(now) || got[1] != (store.Tries{}) {
			t.Errorf("%+v", got)
		}
		s.At(now.Add(time.Hour))
		ok(t, s.SweepTries(ctx))
		if got := read(); got[0] != (store.Tries{}) {
			t.Errorf("after the sweep: %+v", got)
		}
	})
}
