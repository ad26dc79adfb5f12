package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"restante/internal/config"
	"restante/internal/jobs"
	"restante/internal/store"
	"restante/internal/testdb"
	"restante/internal/testmail"
	"restante/mailclient"
	"restante/mailclient/discover"
)

// atOnce is how many of the tests that say t.Parallel run beside each other: most wait, for a server that is silent or
// for a browser.
const atOnce = "3"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", atOnce); err != nil {
		panic(err)
	}
	probes = []time.Duration{100 * time.Millisecond, 300 * time.Millisecond} // the servers here file nothing by themselves
	testmail.Main(m)
}

// site is a running Restante over real or embedded mail servers.
type site struct {
	t    testing.TB
	mail *testmail.Server
	conf config.Config
	base string
	log  lockedBuffer

	house    *house
	bare     bool            // no domain is set up
	said     lockedBuffer    // what serve would print
	provider *discover.OAuth // at which its people sign in; nil: with a password
	world    world           // how servers of domains that are set up in the pages are reached

	look func(known *discover.Directory) *discover.Finder // nil: as the configuration says

	stop  context.CancelFunc
	ended chan error
}

// lockedBuffer may be written by the server and read by the test.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// begin makes a database with the newest schema in dir, the queue's own too.
func begin(dir string) error {
	s, err := store.Open(context.Background(), "", dir)
	if err != nil {
		return err
	}
	_, err = jobs.New(context.Background(), jobs.Options{Store: s, Log: slog.New(slog.DiscardHandler)})
	return errors.Join(err, s.Close())
}

// newSite starts Restante on a free port, with a fresh database. change may alter its configuration.
func newSite(t testing.TB, mail *testmail.Server, db testdb.DB, change func(*config.Config)) *site {
	t.Helper()
	s := &site{t: t, mail: mail, conf: config.Default()}
	s.conf.Data, s.conf.DatabaseURL, s.conf.Log = db.Dir+"/data", db.URL, "debug"
	s.conf.KeyFile = db.Dir + "/restante.key"
	s.conf.UndoSeconds = 0
	if change != nil {
		change(&s.conf)
	}
	db.Begin(t, s.conf.Data, begin)
	s.start()
	t.Cleanup(s.end)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of the site:\n%s", s.log.String())
		}
	})
	return s
}

func (s *site) servers() []discover.Servers {
	at := func(plain, secure testmail.Address) mailclient.Endpoint {
		if secure.Port != 0 {
			return mailclient.Endpoint{Host: secure.Host, Port: secure.Port, Security: mailclient.TLS, RootCAs: s.mail.CA}
		}
		return mailclient.Endpoint{Host: plain.Host, Port: plain.Port, Security: mailclient.Plain}
	}
	return []discover.Servers{{Domain: s.mail.Domain, IMAP: at(s.mail.IMAP, s.mail.IMAPS), SMTP: at(s.mail.Submission, s.mail.Submissions), Authserv: s.conf.Domain.Authserv, OAuth: s.provider, POP3: s.pop3()}}
}

// pop3 is where people of a domain with a provider have their old mail too.
func (s *site) pop3() mailclient.Endpoint {
	if s.provider == nil {
		return mailclient.Endpoint{}
	}
	return mailclient.Endpoint{Host: s.mail.POP3S.Host, Port: s.mail.POP3S.Port, Security: mailclient.TLS, RootCAs: s.mail.CA}
}

func (s *site) start() {
	s.t.Helper()
	var servers []discover.Servers
	if !s.bare {
		servers = s.servers()
	}
	h, err := open(s.t.Context(), s.conf, servers, newLog(&s.log, s.conf.Log))
	if err != nil {
		s.t.Fatal(err)
	}
	if s.look != nil && !s.bare {
		h.known.Discover(s.look(h.known), h.store)
	}
	if s.look != nil {
		h.finder, h.looker, h.world = s.look(discover.NewDirectory()), s.look(h.known), s.world
		h.setUp = ""
		h.pages.Store(nil)
		if err := h.reload(s.t.Context()); err != nil {
			s.t.Fatal(err)
		}
	}
	s.house = h
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	if s.base == "" {
		s.base = "http://" + ln.Addr().String()
	} else { // as before: a browser's cookie stays valid
		_ = ln.Close()
		if ln, err = net.Listen("tcp", strings.TrimPrefix(s.base, "http://")); err != nil {
			s.t.Fatal(err)
		}
	}
	if s.bare {
		if err := h.offerSetup(s.t.Context(), &s.said, s.base); err != nil {
			s.t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.stop, s.ended = cancel, make(chan error, 1)
	go func() { s.ended <- h.run(ctx, ln) }()
}

// end stops the site as a signal would.
func (s *site) end() {
	s.t.Helper()
	if s.stop == nil {
		return
	}
	s.stop()
	s.stop = nil
	select {
	case err := <-s.ended:
		if err != nil {
			s.t.Errorf("the site did not stop cleanly: %v", err)
		}
	case <-time.After(30 * time.Second):
		s.t.Error("the site did not stop within 30 s")
	}
}

func (s *site) restart() {
	s.t.Helper()
	s.end()
	s.start()
}

// signIn is a visitor who has signed in and looks at the inbox.
func (s *site) signIn(u testmail.User) *visitor {
	s.t.Helper()
	v := newVisitor(s.t, s.base)
	v.get("/login").want(200)
	v.form("form[action=/login]").set("username", u.Address).set("password", u.Password).press("", "")
	v.want(200)
	if !strings.HasSuffix(v.url.Path, "/INBOX") {
		s.t.Fatalf("sign-in led to %s", v.url)
	}
	return v
}

// eventually tries f until it holds, for at most half a minute.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for looks := 0; !f(); looks++ {
		if looks > 600 && time.Now().After(deadline) { // on a machine that stands still nothing else goes on either
			t.Fatalf("never happened: %s", what)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
