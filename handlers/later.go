package handlers

import (
	"strings"
	"time"

	"restante/templates"
)

// laterLayout is a wall clock as a form has it (HTML, local date and time), without seconds.
const laterLayout = "2006-01-02T15:04"

// leaving is when a mail is to go out. The zero value is: once it can no longer be undone.
type leaving struct {
	at   time.Time
	wall string // its wall clock and zone
}

// leavingAt reads the wall clock at which a mail is to go out, in the zone of now. wrong is the key of the words for one
// that there is not.
func leavingAt(value string, now time.Time) (l leaving, wrong string) {
	if value == "" {
		return l, "later.none"
	}
	if len(value) > len(laterLayout) { // with seconds
		value = value[:len(laterLayout)]
	}
	zone := now.Location()
	t, err := time.ParseInLocation(laterLayout, value, zone)
	switch {
	case err != nil:
		return l, "later.none"
	case t.Format(laterLayout) != value: // the clocks go forward over it
		return l, "later.nohour"
	case !t.After(now):
		return l, "later.past"
	case t.After(now.AddDate(1, 0, 1)):
		return l, "later.far"
	}
	return leaving{at: t, wall: value + " " + zone.String()}, ""
}

// laterChoices are times to send at, in plain words: this evening, tomorrow and Monday morning, as far as they differ.
func laterChoices(p *person, now time.Time) (out []templates.LaterChoice) {
	at := func(days, hour int) time.Time {
		return time.Date(now.Year(), now.Month(), now.Day()+days, hour, 0, 0, 0, now.Location())
	}
	monday := (int(time.Monday-now.Weekday())+6)%7 + 1
	for _, c := range []struct {
		name string
		at   time.Time
		left bool
	}{
		{"evening", at(0, 18), now.Hour() < 17},
		{"tomorrow", at(1, 8), true},
		{"monday", at(monday, 8), monday > 1},
	} {
		if c.left {
			out = append(out, templates.LaterChoice{Value: c.at.Format(laterLayout), Words: p.L.T("later." + c.name), When: p.L.Ahead(c.at, now)})
		}
	}
	return out
}

// clockOf is the time of a wall clock.
func clockOf(value string) string {
	_, clock, _ := strings.Cut(value, "T")
	return clock
}
