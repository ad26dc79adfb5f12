package i18n_test

import (
	"testing"
	"time"

	"restante/internal/i18n"
)

// TestAMailsMomentHasItsTime: who opens an old mail wants to know when it came, to the minute.
func TestAMailsMomentHasItsTime(t *testing.T) {
	berlin := time.FixedZone("Berlin", 3600)
	now := time.Date(2026, 11, 30, 9, 0, 0, 0, berlin)
	for _, c := range []struct {
		at     time.Time
		en, de string
	}{
		{time.Date(2026, 11, 30, 6, 5, 0, 0, time.UTC), "07:05", "07:05"},
		{time.Date(2026, 11, 29, 20, 9, 0, 0, time.UTC), "29 Nov, 21:09", "29. Nov., 21:09"},
		{time.Date(2025, 3, 1, 23, 30, 0, 0, time.UTC), "2 Mar 2025, 00:30", "2. März 2025, 00:30"},
		{time.Time{}, "", ""},
	} {
		if got := i18n.For("en", "").Moment(c.at, now); got != c.en {
			t.Errorf("%v is %q, not %q", c.at, got, c.en)
		}
		if got := i18n.For("de", "").Moment(c.at, now); got != c.de {
			t.Errorf("%v is %q, not %q", c.at, got, c.de)
		}
	}
}
