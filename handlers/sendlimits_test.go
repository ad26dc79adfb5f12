package handlers

import (
	"testing"
	"time"

	"restante/internal/store"
)

func TestWhenAFurtherMailMayBeSent(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration, n int) store.Sending { return store.Sending{At: now.Add(-d), Recipients: n} }
	l := sendLimits{mails: 3, recipients: 10}
	for _, c := range []struct {
		name string
		past []store.Sending
		n    int
		want time.Duration // from now; 0 = at once
	}{
		{"nothing was sent", nil, 10, 0},
		{"two within the hour", []store.Sending{ago(50*time.Minute, 1), ago(time.Minute, 1)}, 1, 0},
		{"three within the hour", []store.Sending{ago(50*time.Minute, 1), ago(20*time.Minute, 1), ago(time.Minute, 1)}, 1, 10 * time.Minute},
		{"four, as the limit was higher", []store.Sending{ago(50*time.Minute, 1), ago(20*time.Minute, 1), ago(10*time.Minute, 1), ago(time.Minute, 1)}, 1, 40 * time.Minute},
		{"three, one of them before", []store.Sending{ago(61*time.Minute, 1), ago(20*time.Minute, 1), ago(time.Minute, 1)}, 1, 0},
		{"the day's recipients to the last", []store.Sending{ago(20*time.Hour, 6)}, 4, 0},
		{"one too many", []store.Sending{ago(20*time.Hour, 6)}, 5, 4 * time.Hour},
		{"when enough have passed", []store.Sending{ago(20*time.Hour, 2), ago(10*time.Hour, 2), ago(2*time.Hour, 5)}, 5, 14 * time.Hour},
		{"the later of the two", []store.Sending{ago(30*time.Minute, 9), ago(20*time.Minute, 1), ago(time.Minute, 0)}, 1, 23*time.Hour + 30*time.Minute},
	} {
		got := l.until(c.past, c.n, now)
		if c.want == 0 && !got.IsZero() || c.want != 0 && !got.Equal(now.Add(c.want)) {
			t.Errorf("%s: %s, want in %s", c.name, got, c.want)
		}
	}
}
