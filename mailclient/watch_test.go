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

// within waits for an event of a mailbox, at most so long; others pass.
func within(t *testing.T, events <-chan mailclient.Event, mailbox string, d time.Duration) bool {
	t.Helper()
	for late := time.After(d); ; {
		select {
		case e := <-events:
			if e.Mailbox == mailbox {
				return true
			}
		case <-late:
			return false
		}
	}
}

// elsewhere makes a ground with two mailboxes beside INBOX, a tree that was read, and a watch.
func elsewhere(t *testing.T, srv *testmail.Server) (*ground, <-chan mailclient.Event) {
	t.Helper()
	g := on(t, srv)
	g.deliver(t, 1)
	ok(t, g.CreateMailbox(t.Context(), "Büro"))
	g.talk.Append("B&APw-ro", "", crlf("From: a@x.test\nSubject: one\n\ntext\n"))
	_, _ = g.mailbox(t, "Büro")
	g.tap.Forget()
	events, err := g.Watch(t.Context())
	ok(t, err)
	until(t, "the watch", func() bool { return strings.Contains(g.tap.Said(), "IDLE") })
	return g, events
}

func TestS15_WhereTheServerHasNOTIFYOtherMailboxesAreTrueAtOnce(t *testing.T) {
	g, events := elsewhere(t, testmail.Dovecot(t, testmail.DovecotOptions{}))
	unseen := func(want uint32) {
		t.Helper()
		if !within(t, events, "Büro", 5*time.Second) {
			t.Fatalf("no news of the mailbox: %s", g.tap.Said())
		}
		until(t, "the count", func() bool { m, _ := g.mailbox(t, "Büro"); return m.Unseen == want })
	}
	g.tap.Forget()
	g.talk.Append("B&APw-ro", "", crlf("From: a@x.test\nSubject: two\n\ntext\n"))
	unseen(2)
	g.talk.Do(`SELECT "B&APw-ro"`)
	g.talk.Do(`STORE 1 +FLAGS (\Seen)`)
	unseen(1)
	g.talk.Do(`STORE 2 +FLAGS (\Deleted)`)
	g.talk.Do(`EXPUNGE`)
	unseen(0)
	if said := g.tap.Said(); said != "" {
		t.Errorf("the server was asked: %s", said)
	}
	g.deliver(t, 1)
	if !within(t, events, "INBOX", 5*time.Second) {
		t.Error("no news of INBOX")
	}
	g.talk.Do("SELECT INBOX")
	g.talk.Do(`STORE 1 +FLAGS (\Deleted)`)
	if !within(t, events, "INBOX", 5*time.Second) {
		t.Error("no news of a flag in INBOX")
	}
	g.talk.Do(`EXPUNGE`)
	if !within(t, events, "INBOX", 5*time.Second) {
		t.Error("no news of a removal from INBOX")
	}
}

func TestS15_AWatchTellsAtOnceOfWhatHasHappenedElsewhereWhileThereWasNone(t *testing.T) {
	g, events := elsewhere(t, testmail.Dovecot(t, testmail.DovecotOptions{}))
	g.tap.Refuse(true)
	g.tap.Cut()
	g.talk.Append("B&APw-ro", "", crlf("From: a@x.test\nSubject: two\n\ntext\n"))
	g.tap.Refuse(false)
	if !within(t, events, "Büro", 10*time.Second) {
		t.Error("no news of the mailbox")
	}
}

func TestS15_AServerThatRefusesNOTIFYIsWatchedWithoutIt(t *testing.T) {
	const exists = "* 3 EXISTS\r\n"
	for name, c := range map[string]struct {
		notify, noop string
		connections  int
	}{
		"NO":                                 {"!NO no", exists, 1},
		"BADEVENT":                           {"!NO [BADEVENT (FlagChange)] no", exists, 1},
		"BAD":                                {"!BAD what", exists, 1},
		"hangs up":                           {"* BYE what\r\n!", exists, 2},
		"too many changes, told behind":      {"", "* OK [NOTIFICATIONOVERFLOW] x\r\n" + exists, 2},
		"too many changes, told in a moment": {"* OK [NOTIFICATIONOVERFLOW] x\r\n", exists, 2},
	} {
		t.Run(name, func(t *testing.T) {
			f := fake{"CAPABILITY": "* CAPABILITY IMAP4rev1 LITERAL+ NOTIFY\r\n", "EXAMINE": plainSelect, "NOTIFY": c.notify, "NOOP": c.noop}
			tap := testmail.NewTap(t, testmail.Listen(t, f.serve))
			s := session(t, tap.Address, testmail.User{Address: "u", Password: "p"}, mailclient.Limits{Poll: 20 * time.Millisecond})
			events, err := s.Watch(t.Context())
			ok(t, err)
			if e := next(t, events); e.Kind != mailclient.EventNew || e.Mailbox != "INBOX" {
				t.Errorf("%+v", e)
			}
			until(t, "the connections", func() bool { return strings.Count(tap.Said(), "EXAMINE") == c.connections })
			if said := tap.Said(); strings.Count(said, "NOTIFY") != 1 {
				t.Errorf("it was asked again: %s", said)
			}
		})
	}
}

func TestO86_NumbersThatAServerTellsInPartLeaveTheOthers(t *testing.T) {
	f := fake{"CAPABILITY": "* CAPABILITY IMAP4rev1 LITERAL+ NOTIFY\r\n", "EXAMINE": plainSelect,
		"LIST": "* LIST () \"/\" Work\r\n", "STATUS": "* STATUS Work (MESSAGES 3 UNSEEN 2 UIDNEXT 9 UIDVALIDITY 4)\r\n",
		"NOOP": "* STATUS Work (MESSAGES 4 UIDNEXT 10)\r\n* STATUS nowhere (MESSAGES 1)\r\n* STATUS\r\n"}
	s := session(t, testmail.Listen(t, f.serve), testmail.User{Address: "u", Password: "p"}, mailclient.Limits{Poll: 20 * time.Millisecond})
	_, err := s.Mailboxes(t.Context())
	ok(t, err)
	f["STATUS"] = "* STATUS Work (MESSAGES 4 UNSEEN 3 UIDNEXT 10 UIDVALIDITY 4)\r\n"
	events, err := s.Watch(t.Context())
	ok(t, err)
	if e := next(t, events); e.Kind != mailclient.EventChanged || e.Mailbox != "Work" {
		t.Errorf("%+v", e)
	}
	boxes, err := s.Mailboxes(t.Context())
	ok(t, err)
	for _, m := range boxes {
		if m.Name == "Work" && (m.Messages != 4 || m.Unseen != 3 || m.UIDValidity != 4) {
			t.Errorf("%+v", m)
		}
	}
}
