package handlers

import (
	"testing"
	"time"

	"restante/internal/i18n"
)

// TestAMailLeavesByTheClockOfItsWriter, who chose eight in the morning before the clocks went forward.
func TestAMailLeavesByTheClockOfItsWriter(t *testing.T) {
	vienna, err := time.LoadLocation("Europe/Vienna")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2027, 3, 26, 12, 0, 0, 0, vienna) // a Friday; the clocks go forward on the 28th
	for _, c := range []struct{ typed, leaves, wrong string }{
		{"2027-03-27T08:00", "2027-03-27T07:00:00Z", ""},
		{"2027-03-29T08:00", "2027-03-29T06:00:00Z", ""},
		{"2027-03-29T08:00:00", "2027-03-29T06:00:00Z", ""},
		{"2027-03-28T02:30", "", "later.nohour"},
		{"2027-03-26T11:59", "", "later.past"},
		{"2028-04-01T08:00", "", "later.far"},
		{"", "", "later.none"},
		{"tomorrow", "", "later.none"},
	} {
		l, wrong := leavingAt(c.typed, now)
		got := ""
		if wrong == "" {
			got = l.at.UTC().Format(time.RFC3339)
		}
		if wrong != c.wrong || got != c.leaves {
			t.Errorf("%q leaves at %q (%s), not %q (%s)", c.typed, got, wrong, c.leaves, c.wrong)
		}
	}
	for _, c := range []struct {
		now  time.Time
		want []string
	}{
		{now, []string{"2027-03-26T18:00", "2027-03-27T08:00", "2027-03-29T08:00"}},
		{now.Add(8 * time.Hour), []string{"2027-03-27T08:00", "2027-03-29T08:00"}},
		{now.AddDate(0, 0, 2), []string{"2027-03-28T18:00", "2027-03-29T08:00"}}, // on Sunday tomorrow is Monday
		{now.AddDate(0, 0, 3), []string{"2027-03-29T18:00", "2027-03-30T08:00", "2027-04-05T08:00"}},
	} {
		got := laterChoices(&person{L: i18n.For("en", "")}, c.now)
		for i, choice := range got {
			if len(got) != len(c.want) || choice.Value != c.want[i] {
				t.Errorf("on %s: %v, not %v", c.now, got, c.want)
				break
			}
		}
	}
}
