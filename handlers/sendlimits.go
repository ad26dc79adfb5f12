package handlers

import (
	"slices"
	"time"

	"restante/internal/store"
)

// sendLimits bound what one user sends: whoever gets hold of a password, or of a mind to, shall not make the mail server
// known for spam. The counts are those of the outbox: they hold on all nodes and outlive a restart.
type sendLimits struct {
	mails      int // within an hour
	recipients int // within a day
}

// until is when a further mail to n recipients may be sent: the zero time for now. past are the mails of the last day, the
// oldest first. A mail to more than a day's recipients never may.
func (l sendLimits) until(past []store.Sending, n int, now time.Time) (when time.Time) {
	hour := slices.DeleteFunc(slices.Clone(past), func(s store.Sending) bool { return s.At.Before(now.Add(-time.Hour)) })
	if over := len(hour) - l.mails; over >= 0 {
		when = hour[over].At.Add(time.Hour)
	}
	sum := n
	for _, s := range past {
		sum += s.Recipients
	}
	for _, s := range past {
		if sum <= l.recipients {
			break
		}
		sum -= s.Recipients
		if out := s.At.Add(24 * time.Hour); out.After(when) {
			when = out
		}
	}
	return when
}
