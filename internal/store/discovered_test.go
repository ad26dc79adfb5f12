package store_test

import (
	"testing"
	"time"

	"restante/internal/store"
)

func TestWhatWasFoundOfADomainStaysAsLongAsItShould(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		now := time.UnixMilli(1_700_000_000_000)
		s.At(now)
		said := func(domain, want string) {
			t.Helper()
			if got := must(s.Discovered(ctx, domain))(t); got != want {
				t.Errorf("%s: %q, want %q", domain, got, want)
			}
		}
		said("example.test", "")
		ok(t, s.KeepDiscovered(ctx, "example.test", `{"a":1}`, now.Add(time.Hour)))
		ok(t, s.KeepDiscovered(ctx, "other.test", "other", time.Time{}))
		said("example.test", `{"a":1}`)
		ok(t, s.KeepDiscovered(ctx, "example.test", "again", now.Add(2*time.Hour)))
		s.At(now.Add(90 * time.Minute))
		ok(t, s.SweepDiscovered(ctx))
		said("example.test", "again")
		s.At(now.Add(2 * time.Hour))
		ok(t, s.SweepDiscovered(ctx))
		said("example.test", "")
		said("other.test", "other")
	})
}
