package mailclient_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"restante/internal/testmail"
	"restante/mailclient"
)

// next waits for an event, at most 20 s.
func next(t *testing.T, events <-chan mailclient.Event) mailclient.Event {
	t.Helper()
	select {
	case e := <-events:
		return e
	case <-time.After(20 * time.Second):
		t.Fatal("no event")
		return mailclient.Event{}
	}
}

// watched makes a ground with a watch that is on.
func watched(t *testing.T, srv *testmail.Server, sign string) (*ground, <-chan mailclient.Event) {
	t.Helper()
	g := on(t, srv)
	g.deliver(t, 2)
	g.Session = session(t, g.tap.Address, g.user, mailclient.Limits{Poll: 50 * time.Millisecond})
	events, err := g.Watch(t.Context())
	ok(t, err)
	until(t, "the watch", func() bool { return strings.Contains(g.tap.Said(), sign) })
	return g, events
}

func TestS14_WatchTellsOfNewMailAndChanges(t *testing.T) {
	run := func(t *testing.T, srv *testmail.Server, sign string) {
		g, events := watched(t, srv, sign)
		g.deliver(t, 1)
		if e := next(t, events); e.Kind != mailclient.EventNew || e.Count != 1 || e.Mailbox != "INBOX" {
			t.Errorf("%+v", e)
		}
		g.talk.Do("SELECT INBOX")
		g.talk.Do(`STORE 1 +FLAGS (\Flagged)`)
		if e := next(t, events); e.Kind != mailclient.EventChanged || e.Mailbox != "INBOX" {
			t.Errorf("%+v", e)
		}
		g.talk.Do(`STORE 1 +FLAGS (\Deleted)`)
		next(t, events)
		g.talk.Do(`EXPUNGE`)
		if e := next(t, events); e.Kind != mailclient.EventChanged {
			t.Errorf("%+v", e)
		}
		if m, _ := g.mailbox(t, "INBOX"); m.Messages != 2 {
			t.Errorf("after the news the tree says %+v", m)
		}
	}
	for _, c := range []struct {
		name, sign string
		srv        func(t *testing.T) *testmail.Server
	}{
		{"demo", "IDLE", func(t *testing.T) *testmail.Server { return testmail.Demo(t) }},
		{"demo without IDLE", "NOOP", func(t *testing.T) *testmail.Server { return testmail.Demo(t, "IDLE") }},
		{"dovecot", "IDLE", func(t *testing.T) *testmail.Server { return testmail.Dovecot(t, testmail.DovecotOptions{}) }},
		{"dovecot without IDLE", "NOOP", func(t *testing.T) *testmail.Server {
			return testmail.Dovecot(t, testmail.DovecotOptions{Without: "IDLE"})
		}},
	} {
		t.Run(c.name, func(t *testing.T) { run(t, c.srv(t), c.sign) })
	}
}

func TestS16_AWatchThatLosesItsServerComesBack(t *testing.T) {
	g, events := watched(t, testmail.Demo(t), "IDLE")
	g.tap.Refuse(true)
	g.tap.Cut()
	if e := next(t, events); e.Kind != mailclient.EventLost {
		t.Errorf("%+v", e)
	}
	g.tap.Refuse(false)
	if e := next(t, events); e.Kind != mailclient.EventBack {
		t.Errorf("%+v", e)
	}
	until(t, "the watch", func() bool { return g.tap.Open() == 1 })
	g.deliver(t, 1)
	if e := next(t, events); e.Kind != mailclient.EventNew {
		t.Errorf("%+v", e)
	}
}

func TestO25_ABriefLossIsSilent(t *testing.T) {
	g, events := watched(t, testmail.Dovecot(t, testmail.DovecotOptions{}), "IDLE")
	total := g.tap.Total()
	g.tap.Forget()
	g.tap.Cut()
	until(t, "another connection", func() bool { return g.tap.Total() > total && strings.Contains(g.tap.Said(), "IDLE") })
	g.deliver(t, 1)
	if e := next(t, events); e.Kind != mailclient.EventNew {
		t.Errorf("%+v", e)
	}
}

func TestS17_WatchersShareOneConnectionUntilTheLastLeaves(t *testing.T) {
	g := on(t, testmail.Dovecot(t, testmail.DovecotOptions{}))
	g.Session = session(t, g.tap.Address, g.user, mailclient.Limits{Linger: 10 * time.Millisecond})
	var chans []<-chan mailclient.Event
	var cancels []context.CancelFunc
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		ch, err := g.Watch(ctx)
		ok(t, err)
		chans, cancels = append(chans, ch), append(cancels, cancel)
	}
	until(t, "the watch", func() bool { return strings.Contains(g.tap.Said(), "IDLE") })
	g.deliver(t, 1)
	for _, ch := range chans {
		if e := next(t, ch); e.Kind != mailclient.EventNew {
			t.Errorf("%+v", e)
		}
	}
	if g.tap.Most() != 1 {
		t.Errorf("%d connections", g.tap.Most())
	}
	for _, cancel := range cancels {
		cancel()
	}
	until(t, "closed", func() bool { return g.tap.Open() == 0 })
}
