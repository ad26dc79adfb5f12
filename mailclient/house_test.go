package mailclient_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"restante/internal/testmail"
	"restante/internal/testproc"
	"restante/mailclient"
)

func TestMain(m *testing.M) { testmail.Main(m) }

// ground is a server and a fresh user on it, seen by the client under test and, by talk, behind its back.
type ground struct {
	*mailclient.Session
	srv  *testmail.Server
	user testmail.User
	talk *testmail.Talk
	tap  *testmail.Tap
}

// on makes a ground; the session goes through a tap.
func on(t *testing.T, srv *testmail.Server) *ground {
	t.Helper()
	u := srv.NewUser(t)
	g := &ground{srv: srv, user: u, talk: srv.Talk(t, u), tap: testmail.NewTap(t, srv.IMAP)}
	g.Session = session(t, g.tap.Address, u, mailclient.Limits{})
	return g
}

func session(t *testing.T, at testmail.Address, u testmail.User, limits mailclient.Limits) *mailclient.Session {
	t.Helper()
	pool := mailclient.NewPool(limits)
	t.Cleanup(pool.Close)
	ep := mailclient.Endpoint{Host: at.Host, Port: at.Port, Security: mailclient.Plain}
	return pool.Session("account", ep, mailclient.Credentials{Username: u.Address, Password: u.Password})
}

// each runs f on the embedded server and on Dovecot.
func each(t *testing.T, f func(t *testing.T, g *ground)) {
	t.Helper()
	testmail.Each(t, func(t *testing.T, srv *testmail.Server) { f(t, on(t, srv)) })
}

// eachLess is each, and on both servers with capabilities taken away.
func eachLess(t *testing.T, without string, f func(t *testing.T, g *ground)) {
	t.Helper()
	each(t, f)
	t.Run("demo without "+without, func(t *testing.T) { f(t, on(t, testmail.Demo(t, strings.Fields(without)...))) })
	t.Run("dovecot without "+without, func(t *testing.T) {
		f(t, on(t, testmail.Dovecot(t, testmail.DovecotOptions{Without: without})))
	})
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// deliver puts n mails with subjects "mail 1" ... into INBOX.
func (g *ground) deliver(t *testing.T, n int) {
	t.Helper()
	for i := range n {
		g.talk.Append("INBOX", "", testmail.Mail(fmt.Sprintf("Sender %d <s%d@x.test>", i+1, i+1), fmt.Sprintf("mail %d", i+1), fmt.Sprintf("text of mail %d", i+1)))
	}
}

func (g *ground) list(t *testing.T, mailbox string, q mailclient.ListQuery) mailclient.List {
	t.Helper()
	l, err := g.List(t.Context(), mailbox, q)
	ok(t, err)
	return l
}

// ref names all mails of a mailbox, oldest first.
func (g *ground) ref(t *testing.T, mailbox string) mailclient.Ref {
	t.Helper()
	r, err := g.UIDs(t.Context(), mailbox, mailclient.ListQuery{Ascending: true})
	ok(t, err)
	return r
}

func (g *ground) mailbox(t *testing.T, name string) (mailclient.Mailbox, bool) {
	t.Helper()
	boxes, err := g.Mailboxes(t.Context())
	ok(t, err)
	for _, m := range boxes {
		if m.Name == name {
			return m, true
		}
	}
	return mailclient.Mailbox{}, false
}

func subjects(rows []mailclient.Row) (out []string) {
	for _, r := range rows {
		out = append(out, r.Subject)
	}
	return out
}

func pick(r mailclient.Ref, places ...int) mailclient.Ref {
	out := mailclient.Ref{Mailbox: r.Mailbox, UIDValidity: r.UIDValidity}
	for _, i := range places {
		out.UIDs = append(out.UIDs, r.UIDs[i])
	}
	return out
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// until polls, at most 20 s.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	err := testproc.Wait(20*time.Second, func() error {
		if !done() {
			return errors.New("not yet")
		}
		return nil
	})
	if err != nil {
		t.Fatal(what, err)
	}
}

// refusal wants a *RefusedError and gives it.
func refusal(t *testing.T, err error) *mailclient.RefusedError {
	t.Helper()
	var e *mailclient.RefusedError
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a refusal", err)
	}
	return e
}
