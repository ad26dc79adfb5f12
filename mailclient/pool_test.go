package mailclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"restante/internal/testmail"
	"restante/mailclient"
)

func TestC16_AtMostThreeConnections(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.deliver(t, 30)
		if _, err := g.Watch(t.Context()); err != nil {
			t.Fatal(err)
		}
		ref := g.ref(t, "INBOX")
		var wg sync.WaitGroup
		for i := range 24 {
			wg.Go(func() {
				if _, err := g.List(t.Context(), "INBOX", mailclient.ListQuery{Page: i % 3, PerPage: 10}); err != nil {
					t.Error(err)
				}
				if _, err := g.Open(t.Context(), "INBOX", ref.UIDValidity, ref.UIDs[i]); err != nil {
					t.Error(err)
				}
				if err := g.SetFlags(t.Context(), pick(ref, i), []string{`\Seen`}, nil); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := g.tap.Most(); n > 3 {
			t.Errorf("%d connections at a time", n)
		}
		if l := g.list(t, "INBOX", mailclient.ListQuery{Filter: mailclient.FilterUnread}); l.Total != 6 {
			t.Errorf("%d unread", l.Total)
		}
	})
}

func TestC20_ADroppedConnectionIsMadeAgainUnnoticed(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.deliver(t, 3)
		ref := g.ref(t, "INBOX")
		acts := map[string]func() error{
			"list":   func() error { _, err := g.List(t.Context(), "INBOX", mailclient.ListQuery{}); return err },
			"open":   func() error { _, err := g.Open(t.Context(), "INBOX", ref.UIDValidity, ref.UIDs[0]); return err },
			"flags":  func() error { return g.SetFlags(t.Context(), ref, []string{`\Flagged`}, nil) },
			"tree":   func() error { _, err := g.Mailboxes(t.Context()); return err },
			"raw":    func() error { return g.Raw(t.Context(), "INBOX", ref.UIDValidity, ref.UIDs[0], io.Discard) },
			"create": func() error { return g.CreateMailbox(t.Context(), "made") },
			"copy":   func() error { _, err := g.Copy(t.Context(), pick(ref, 0), "Archive"); return err },
			"move":   func() error { _, err := g.Move(t.Context(), pick(ref, 2), "Archive"); return err },
		}
		for name, act := range acts {
			both(t, g, func() { _, _ = g.List(t.Context(), "INBOX", mailclient.ListQuery{}) })
			g.tap.Cut()
			until(t, "cut", func() bool { return g.tap.Open() == 0 })
			if err := act(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestC20_AConnectionCutInMidAnswer(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.deliver(t, 3)
		g.list(t, "INBOX", mailclient.ListQuery{})
		g.tap.Forget()
		g.tap.Mute()
		got := make(chan error)
		go func() {
			_, err := g.UIDs(t.Context(), "INBOX", mailclient.ListQuery{Filter: mailclient.FilterUnread})
			got <- err
		}()
		until(t, "the question", func() bool { return g.tap.Said() != "" })
		g.tap.Cut()
		g.tap.Unmute()
		if err := <-got; err != nil {
			t.Error(err)
		}
	})
}

func TestA14_AMoveCutInMidAnswerIsNeitherLostNorDoubled(t *testing.T) {
	eachLess(t, "MOVE", func(t *testing.T, g *ground) {
		g.deliver(t, 4)
		ref := g.ref(t, "INBOX")
		for i := range 2 {
			g.list(t, "INBOX", mailclient.ListQuery{})
			g.tap.Forget()
			g.tap.MuteAt("UID ")
			got := make(chan error)
			go func() {
				_, err := g.Move(t.Context(), pick(ref, 2*i, 2*i+1), "Archive")
				got <- err
			}()
			until(t, "a command", func() bool { return strings.Contains(g.tap.Said(), "UID ") })
			g.tap.Cut()
			g.tap.Unmute()
			if err := <-got; err != nil {
				t.Error(err)
			}
		}
		left, moved := g.list(t, "INBOX", mailclient.ListQuery{}), g.list(t, "Archive", mailclient.ListQuery{})
		seen := map[string]int{}
		for _, s := range append(subjects(left.Rows), subjects(moved.Rows)...) {
			seen[s]++
		}
		for i := range 4 {
			if n := seen[fmt.Sprintf("mail %d", i+1)]; n < 1 {
				t.Errorf("mail %d is lost", i+1)
			}
		}
		if len(left.Rows) > 0 {
			t.Errorf("left behind: %q", subjects(left.Rows))
		}
	})
}

func TestC_ACancelledRequestFreesItsConnection(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.deliver(t, 3)
		for range 5 {
			g.list(t, "INBOX", mailclient.ListQuery{})
			g.tap.Forget()
			g.tap.Mute()
			ctx, cancel := context.WithCancel(t.Context())
			got := make(chan error)
			for range 2 {
				go func() {
					_, err := g.List(ctx, "INBOX", mailclient.ListQuery{})
					got <- err
				}()
			}
			until(t, "the question", func() bool { return g.tap.Said() != "" })
			cancel()
			for range 2 {
				if err := <-got; err == nil {
					t.Error("a cancelled request had no error")
				}
			}
			g.tap.Unmute()
		}
		both(t, g, func() {
			if _, err := g.List(t.Context(), "INBOX", mailclient.ListQuery{}); err != nil {
				t.Error(err)
			}
		})
		if n := g.tap.Open(); n > 2 {
			t.Errorf("%d connections stand", n)
		}
	})
}

func TestC16_IdleConnectionsAreClosed(t *testing.T) {
	srv := testmail.Dovecot(t, testmail.DovecotOptions{})
	u, tap := srv.NewUser(t), testmail.NewTap(t, srv.IMAP)
	s := session(t, tap.Address, u, mailclient.Limits{Idle: 50 * time.Millisecond})
	ok(t, s.SignIn(t.Context()))
	until(t, "closed", func() bool { return tap.Open() == 0 })
	ok(t, s.SignIn(t.Context()))
	if tap.Total() != 2 {
		t.Errorf("%d connections were made", tap.Total())
	}
}

func TestC16_AServerThatTakesFewConnections(t *testing.T) {
	for _, most := range []int{2, 3} { // one is the test's own
		t.Run(fmt.Sprint(most-1), func(t *testing.T) {
			g := on(t, testmail.Dovecot(t, testmail.DovecotOptions{MaxConnections: most}))
			g.Session = session(t, g.tap.Address, g.user, mailclient.Limits{Poll: 100 * time.Millisecond})
			events, err := g.Watch(t.Context())
			ok(t, err)
			until(t, "the watch", func() bool { return strings.Contains(g.tap.Said(), "IDLE") })
			for range 3 {
				var wg sync.WaitGroup
				for range 6 {
					wg.Go(func() {
						if _, err := g.List(t.Context(), "INBOX", mailclient.ListQuery{}); err != nil {
							t.Error(err)
						}
					})
				}
				wg.Wait()
			}
			if _, err := g.Mailboxes(t.Context()); err != nil {
				t.Error(err)
			}
			g.deliver(t, 1)
			if e := next(t, events); e.Kind != mailclient.EventNew || e.Count != 1 || e.Mailbox != "INBOX" {
				t.Errorf("%+v", e)
			}
		})
	}
}

func TestC6_AWrongPasswordIsNotTriedAgainAndAgain(t *testing.T) {
	srv := testmail.Dovecot(t, testmail.DovecotOptions{})
	u, tap := srv.NewUser(t), testmail.NewTap(t, srv.IMAP)
	pool := mailclient.NewPool(mailclient.Limits{})
	defer pool.Close()
	ep := mailclient.Endpoint{Host: tap.Host, Port: tap.Port, Security: mailclient.Plain}
	s := pool.Session("x", ep, mailclient.Credentials{Username: u.Address, Password: "wrong"})
	events, err := s.Watch(t.Context())
	ok(t, err)
	if e := next(t, events); e.Kind != mailclient.EventSignIn {
		t.Errorf("%+v", e)
	}
	var sign *mailclient.SignInError
	for range 5 {
		if _, err := s.Mailboxes(t.Context()); !errors.As(err, &sign) {
			t.Error(err)
		}
	}
	if n := tap.Total(); n != 1 {
		t.Errorf("the password was tried %d times", n)
	}
	pool.Session("x", ep, mailclient.Credentials{Username: u.Address, Password: u.Password})
	if _, err := s.Mailboxes(t.Context()); err != nil {
		t.Error(err)
	}
	until(t, "the watch", func() bool { return strings.Contains(tap.Said(), "IDLE") })
}

func TestC10_SignInErrors(t *testing.T) {
	testmail.Each(t, func(t *testing.T, srv *testmail.Server) {
		u := srv.NewUser(t)
		u.Password = "wrong"
		var e *mailclient.SignInError
		if err := session(t, srv.IMAP, u, mailclient.Limits{}).SignIn(t.Context()); !errors.As(err, &e) || e.Temporary {
			t.Errorf("%v", err)
		}
		for _, odd := range []string{`quo"te\`, "ünï", "sp ace", "{5}"} {
			u.Password = odd
			if err := session(t, srv.IMAP, u, mailclient.Limits{}).SignIn(t.Context()); !errors.As(err, &e) {
				t.Errorf("password %q: %v", odd, err)
			}
		}
		for _, bad := range []string{"a\r\nb LOGOUT", "a\x00b"} {
			u.Password = bad
			if err := session(t, srv.IMAP, u, mailclient.Limits{}).SignIn(t.Context()); err == nil {
				t.Errorf("password %q was taken", bad)
			}
		}
	})
}

func TestC1_TLSModes(t *testing.T) {
	srv := testmail.Dovecot(t, testmail.DovecotOptions{})
	secret := testmail.Dovecot(t, testmail.DovecotOptions{NoPlaintext: true})
	demo := testmail.Demo(t)
	pin := srv.Pin(t, srv.IMAPS)
	for _, c := range []struct {
		name string
		srv  *testmail.Server
		ep   mailclient.Endpoint
		kind mailclient.ConnectKind // "" = it works
	}{
		{"tls", srv, mailclient.Endpoint{Host: "localhost", Port: srv.IMAPS.Port, Security: mailclient.TLS, RootCAs: srv.CA}, ""},
		{"starttls", srv, mailclient.Endpoint{Host: "localhost", Port: srv.IMAP.Port, Security: mailclient.StartTLS, RootCAs: srv.CA}, ""},
		{"starttls where plain is refused", secret, mailclient.Endpoint{Host: "127.0.0.2", Port: secret.IMAP.Port, Security: mailclient.StartTLS, RootCAs: srv.CA}, ""},
		{"unknown authority", srv, mailclient.Endpoint{Host: "localhost", Port: srv.IMAPS.Port, Security: mailclient.TLS}, mailclient.CertUnknown},
		{"pinned key, unknown authority, another name", srv, mailclient.Endpoint{Host: "127.0.0.1", Port: srv.IMAPS.Port, Security: mailclient.TLS, Pin: pin}, ""},
		{"pinned key by starttls", srv, mailclient.Endpoint{Host: "127.0.0.1", Port: srv.IMAP.Port, Security: mailclient.StartTLS, Pin: pin}, ""},
		{"another key than was pinned", srv, mailclient.Endpoint{Host: "localhost", Port: srv.IMAPS.Port, Security: mailclient.TLS, RootCAs: srv.CA, Pin: strings.Repeat("0", 64)}, mailclient.CertChanged},
		{"another name", srv, mailclient.Endpoint{Host: "127.0.0.3", Port: srv.IMAPS.Port, Security: mailclient.TLS, RootCAs: srv.CA}, mailclient.Unreachable},
		{"tls on a plain port", srv, mailclient.Endpoint{Host: "localhost", Port: srv.IMAP.Port, Security: mailclient.TLS, RootCAs: srv.CA}, mailclient.WrongProtocol},
		{"starttls not offered", demo, mailclient.Endpoint{Host: "127.0.0.1", Port: demo.IMAP.Port, Security: mailclient.StartTLS}, mailclient.NoTLS},
		{"nobody there", demo, mailclient.Endpoint{Host: "127.0.0.1", Port: 1, Security: mailclient.Plain}, mailclient.Unreachable},
		{"no such host", demo, mailclient.Endpoint{Host: "no-such-host.invalid", Port: 143, Security: mailclient.TLS}, mailclient.NoSuchHost},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := c.srv.NewUser(t)
			pool := mailclient.NewPool(mailclient.Limits{})
			defer pool.Close()
			err := pool.Session("x", c.ep, mailclient.Credentials{Username: u.Address, Password: u.Password}).SignIn(t.Context())
			var e *mailclient.ConnectError
			if c.kind == "" && err != nil || c.kind != "" && (!errors.As(err, &e) || e.Kind != c.kind) {
				t.Errorf("%v, want %q", err, c.kind)
			}
		})
	}
}

func TestC6_LoginIsNotSentWhereItIsDisabled(t *testing.T) {
	srv := testmail.Dovecot(t, testmail.DovecotOptions{NoPlaintext: true})
	tap := testmail.NewTap(t, srv.IMAP)
	err := session(t, tap.Address, srv.NewUser(t), mailclient.Limits{}).SignIn(t.Context())
	if err == nil || strings.Contains(tap.Said(), testmail.Password) || strings.Contains(tap.Said(), "LOGIN ") || strings.Contains(tap.Said(), "AUTHENTICATE") {
		t.Errorf("%v; said %q", err, tap.Said())
	}
}

func TestPoolForgetsASessionThatIsDropped(t *testing.T) {
	srv := testmail.Demo(t)
	u, tap := srv.NewUser(t), testmail.NewTap(t, srv.IMAP)
	pool := mailclient.NewPool(mailclient.Limits{})
	defer pool.Close()
	ep := mailclient.Endpoint{Host: tap.Host, Port: tap.Port, Security: mailclient.Plain}
	cred := mailclient.Credentials{Username: u.Address, Password: u.Password}
	first := pool.Session("x", ep, cred)
	ok(t, first.SignIn(t.Context()))
	if pool.Session("x", ep, cred) != first {
		t.Error("another session for the same account")
	}
	pool.Drop("x")
	until(t, "closed", func() bool { return tap.Open() == 0 })
	if err := first.SignIn(t.Context()); err == nil {
		t.Error("a dropped session signs in")
	}
	if s := pool.Session("x", ep, cred); s == first || s.SignIn(t.Context()) != nil {
		t.Error("no new session")
	}
}

// TestC16_WhoHasMoreThanOneGivesItUp: where a host takes no more, an idle connection beside another makes room.
func TestC16_WhoHasMoreThanOneGivesItUp(t *testing.T) {
	srv := testmail.Dovecot(t, testmail.DovecotOptions{})
	pool := mailclient.NewPool(mailclient.Limits{PerHost: 2})
	t.Cleanup(pool.Close)
	tap := testmail.NewTap(t, srv.IMAP)
	ep := mailclient.Endpoint{Host: tap.Address.Host, Port: tap.Address.Port, Security: mailclient.Plain}
	signIn := func(key string) *mailclient.Session {
		u := srv.NewUser(t)
		s := pool.Session(key, ep, mailclient.Credentials{Username: u.Address, Password: u.Password})
		ok(t, s.SignIn(t.Context()))
		return s
	}
	first := signIn("first")
	tap.MuteAt("EXAMINE")
	tap.MuteAt("SELECT")
	ctx, cancel := context.WithCancel(t.Context())
	var two sync.WaitGroup
	for range 2 {
		two.Go(func() { _, _ = first.List(ctx, "INBOX", mailclient.ListQuery{}) })
	}
	until(t, "two connections", func() bool { return tap.Open() == 2 })
	tap.Unmute()
	two.Wait()
	cancel()
	signIn("second")
	if _, err := first.List(t.Context(), "INBOX", mailclient.ListQuery{}); err != nil || tap.Open() > 2 {
		t.Errorf("%v, %d stand", err, tap.Open())
	}
}
