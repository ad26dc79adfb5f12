package mailclient_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"restante/internal/testmail"
	"restante/mailclient"
)

// away makes the server one that cannot be reached, or that is reached again.
func (g *ground) away(on bool) {
	g.tap.Refuse(on)
	if on {
		g.tap.Cut()
	}
}

func outage(t *testing.T, err error) *mailclient.OutageError {
	t.Helper()
	var e *mailclient.OutageError
	if !errors.As(err, &e) || e.Since.IsZero() {
		t.Fatalf("got %v, want an outage", err)
	}
	return e
}

// TestAServerThatIsAwayIsNotAskedEachTime: who asks is told at once, and it is found again by itself and when it is tried.
func TestAServerThatIsAwayIsNotAskedEachTime(t *testing.T) {
	g := on(t, testmail.Demo(t))
	g.deliver(t, 1)
	events, err := g.Watch(t.Context())
	ok(t, err)
	g.list(t, "INBOX", mailclient.ListQuery{})
	g.away(true)
	_, err = g.List(t.Context(), "INBOX", mailclient.ListQuery{})
	since := outage(t, err).Since
	if e := next(t, events); e.Kind != mailclient.EventLost {
		t.Errorf("told %+v", e)
	}
	total := g.tap.Total()
	for range 50 {
		_, err := g.List(t.Context(), "INBOX", mailclient.ListQuery{})
		if e := outage(t, err); !e.Since.Equal(since) {
			t.Errorf("since %v, then %v", since, e.Since)
		}
	}
	if n := g.tap.Total() - total; n > 5 {
		t.Errorf("it was asked %d times", n)
	}
	g.away(false)
	g.Retry(t.Context())
	g.list(t, "INBOX", mailclient.ListQuery{})
	if e := next(t, events); e.Kind != mailclient.EventBack {
		t.Errorf("told %+v", e)
	}
	g.away(true)
	until(t, "it is away once more", func() bool { _, out := g.Outage(); return out })
	g.away(false)
	until(t, "it is back by itself", func() bool { _, err := g.List(t.Context(), "INBOX", mailclient.ListQuery{}); return err == nil })
}

// TestAServerThatFallsSilentCountsAsAway once somebody has waited in vain, and not while it answers others.
func TestAServerThatFallsSilentCountsAsAway(t *testing.T) {
	g := on(t, testmail.Demo(t))
	g.deliver(t, 1)
	g.list(t, "INBOX", mailclient.ListQuery{})
	began := time.Now()
	g.list(t, "INBOX", mailclient.ListQuery{})
	if g.Silent(began); func() bool { _, out := g.Outage(); return out }() {
		t.Error("a server that answers counts as away")
	}
	g.tap.Mute()
	began = time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := g.List(ctx, "INBOX", mailclient.ListQuery{})
	if err == nil {
		t.Fatal("a silent server has answered")
	}
	g.Silent(began)
	_, err = g.List(t.Context(), "INBOX", mailclient.ListQuery{})
	var lost *mailclient.ConnectError
	if outage(t, err); !errors.As(err, &lost) || lost.Kind != mailclient.Timeout {
		t.Errorf("it is away for %v", err)
	}
	g.tap.Unmute()
	g.Retry(t.Context())
	g.list(t, "INBOX", mailclient.ListQuery{})
}

// TestASearchInWhichTheServerFallsSilentShowsWhatItFound until then, and where it has not looked.
func TestASearchInWhichTheServerFallsSilentShowsWhatItFound(t *testing.T) {
	defer mailclient.SearchFor(time.Second, 300*time.Millisecond)()
	g := on(t, testmail.Demo(t))
	g.deliver(t, 3)
	g.talk.Append("Sent", "", testmail.Mail("a@x.test", "mail that was sent", "x"))
	g.list(t, "INBOX", mailclient.ListQuery{})
	_, err := g.Mailboxes(t.Context())
	ok(t, err)
	g.tap.Spoil(`"SENT"`, testmail.Stall)
	q, err := mailclient.ParseSearch("subject:mail", time.UTC)
	ok(t, err)
	began := time.Now()
	l, err := g.Search(t.Context(), q, 1, 50)
	ok(t, err)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	if len(l.Rows) != 3 || !l.Incomplete || !strings.Contains(l.Note, "Sent") {
		t.Errorf("found %q, not looked in %q", subjects(l.Rows), l.Note)
	}
}

// TestAnIdlePageHearsSoonThatTheServerIsBack, though nobody asks for anything meanwhile, and all hear it who watch.
func TestAnIdlePageHearsSoonThatTheServerIsBack(t *testing.T) {
	t.Cleanup(mailclient.ProbeAfter(100 * time.Millisecond)) // before the session is closed
	g := on(t, testmail.Demo(t))
	events, err := g.Watch(t.Context())
	ok(t, err)
	other, err := g.Watch(t.Context())
	ok(t, err)
	until(t, "the watch", func() bool { return strings.Contains(g.tap.Said(), "IDLE") })
	g.away(true)
	until(t, "it counts as away", func() bool { _, out := g.Outage(); return out })
	g.away(false)
	for _, ch := range []<-chan mailclient.Event{events, other} {
		e := next(t, ch)
		for ; e.Kind == mailclient.EventLost; e = next(t, ch) {
		}
		if e.Kind != mailclient.EventBack {
			t.Errorf("told %+v", e)
		}
	}
}

// TestWhatAPersonAsksForEndsAnOutageForAllPages at once.
func TestWhatAPersonAsksForEndsAnOutageForAllPages(t *testing.T) {
	t.Cleanup(mailclient.ProbeAfter(time.Hour))
	g := on(t, testmail.Demo(t))
	events, err := g.Watch(t.Context())
	ok(t, err)
	until(t, "the watch", func() bool { return strings.Contains(g.tap.Said(), "IDLE") })
	g.away(true)
	until(t, "it counts as away", func() bool {
		_, err := g.List(t.Context(), "INBOX", mailclient.ListQuery{})
		_, out := g.Outage()
		return err != nil && out
	})
	g.away(false)
	until(t, "a page shows", func() bool { _, err := g.List(t.Context(), "INBOX", mailclient.ListQuery{}); return err == nil })
	for e := next(t, events); e.Kind != mailclient.EventBack; e = next(t, events) {
	}
	until(t, "the watch is there again", func() bool { return strings.Count(g.tap.Said(), "IDLE") == 2 })
}
