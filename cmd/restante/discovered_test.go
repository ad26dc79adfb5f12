package main

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"

	"restante/internal/config"
	"restante/internal/testdb"
	"restante/internal/testmail"
	"restante/mailclient/discover"
)

// internet is DNS for one domain, and the way to its servers by their names.
type internet struct {
	srv *testmail.Server

	mu      sync.Mutex
	records map[string]*net.SRV // by service
	dials   []string
}

// newInternet has the servers of srv under the name mail.example.test, for its domain.
func newInternet(srv *testmail.Server) *internet {
	return &internet{srv: srv, records: map[string]*net.SRV{"imaps": {Target: "mail.example.test.", Port: 993}, "submissions": {Target: "mail.example.test.", Port: 465}}}
}

func (i *internet) LookupSRV(_ context.Context, service, _, name string) (string, []*net.SRV, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if r := i.records[service]; r != nil && name == testmail.Domain {
		return name, []*net.SRV{r}, nil
	}
	return "", nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func (i *internet) LookupMX(_ context.Context, name string) ([]*net.MX, error) {
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func (i *internet) LookupHost(_ context.Context, name string) ([]string, error) {
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func (i *internet) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	i.mu.Lock()
	i.dials = append(i.dials, address)
	i.mu.Unlock()
	to, ok := map[string]testmail.Address{"mail.example.test:993": i.srv.IMAPS, "mail.example.test:465": i.srv.Submissions, "localhost.test:993": i.srv.IMAPS}[address]
	if !ok {
		return nil, &net.DNSError{Err: "no such host", Name: address, IsNotFound: true}
	}
	return (&net.Dialer{}).DialContext(ctx, network, to.String())
}

// lookingSite is a site for the demo's domain that looks for the servers of others in an internet.
func lookingSite(t *testing.T, db testdb.DB, i *internet) *site {
	t.Helper()
	s := newSite(t, testmail.Demo(t), db, nil)
	s.end()
	s.look = func(known *discover.Directory) *discover.Finder {
		return discover.NewFinder(discover.FinderOptions{Dial: i, Resolver: i, RootCAs: i.srv.CA, Directory: known})
	}
	s.start()
	return s
}

// tries to sign in by the form as it stands.
func (v *visitor) tries(address, password string) *visitor {
	v.t.Helper()
	return v.form("form[action=/login]").set("username", address).set("password", password).press("", "")
}

func TestSigningInAtADomainThatNobodySetUp(t *testing.T) {
	t.Parallel()
	srv := testmail.Postfix(t, testmail.PostfixOptions{})
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		s := lookingSite(t, db, newInternet(srv))
		u := srv.NewUser(t)
		srv.Deliver(t, u, testmail.Mail("Ben <ben@example.test>", "It is there", "text"))
		v := newVisitor(t, s.base)
		v.get("/login").tries(u.Address, "wrong").want(401) // that it is wrong nobody knows yet: it went nowhere
		v.says("[role=status]", "Restante found the mail servers of “example.test”")
		v.says("li", "Reading: mail.example.test:993 (DNS of the domain)")
		v.says("li", "Sending: mail.example.test:465 (DNS of the domain)")
		if v.has("[role=alert]") || v.form("form[action=/login]").values.Get("username") != u.Address || v.form("form[action=/login]").values.Get("password") != "" {
			t.Errorf("%s", v.body)
		}
		v.tries(u.Address, "wrong").want(401).says("[role=alert]", "did not accept this address and password")
		v.get("/login").tries(u.Address, u.Password).want(401).says("[role=status]", "Restante found")
		v.tries(u.Address, u.Password).want(200).says("[data-uid]", "It is there")

		v.get("/compose").form("form[data-compose]").set("to", u.Address).set("subject", "To myself").set("body", "x").press("action", "send").want(200)
		eventually(t, "the mail arrives", func() bool { return strings.Contains(string(v.get("/").want(200).body), "To myself") })

		s.restart() // what was found is in the database
		v.get("/").want(200).says("[data-uid]", "It is there")
		other := newVisitor(t, s.base)
		other.get("/login").tries(u.Address, u.Password).want(401).says("[role=status]", "Restante found")
		v.get("/").formAround("form[action=/logout]").press("", "")
		v.get("/login").tries(u.Address, u.Password).want(200) // this browser knows them
	})
}

func TestAConfirmationIsForTheServerThatWasShown(t *testing.T) {
	srv := testmail.Postfix(t, testmail.PostfixOptions{})
	s := lookingSite(t, testdb.SQLite(t), newInternet(srv))
	u := srv.NewUser(t)
	v := newVisitor(t, s.base)
	v.get("/login").form("form[action=/login]").set("username", u.Address).set("password", u.Password).set("server", "evil.example.test:993 mail.example.test:465").press("", "").want(401)
	v.says("[role=status]", "Restante found")
	if v.form("form[action=/login]").values.Get("server") != "mail.example.test:993 mail.example.test:465" {
		t.Error("another server was taken for the one that was found")
	}
}

func TestSigningInWhereNothingIsFoundSaysWhatWasLookedFor(t *testing.T) {
	srv := testmail.Postfix(t, testmail.PostfixOptions{})
	i := newInternet(srv)
	s := lookingSite(t, testdb.SQLite(t), i)
	v := newVisitor(t, s.base)
	v.get("/login").tries("anna@elsewhere.test", "secret").want(401)
	v.says("[role=alert]", "Restante looked for the mail servers of “elsewhere.test” and found none.")
	v.says("li", "DNS of the domain: nothing there")
	v.says("li", "Settings page of the domain: nothing there")
	v.says("li", "Usual names imap.elsewhere.test, mail.elsewhere.test")
	n := len(i.dials)
	v.tries("ben@elsewhere.test", "secret").want(401).says("[role=alert]", "found none")
	if len(i.dials) != n {
		t.Error("it was looked for again at once")
	}
	for range 10 { // looking is bounded as wrong passwords are
		v.get("/login").tries("anna@elsewhere.test", "secret")
	}
	v.want(429)
}

func TestSigningInByServersThatCannotBeUsedSaysWhy(t *testing.T) {
	srv := testmail.Postfix(t, testmail.PostfixOptions{})
	for name, c := range map[string]struct {
		change func(*internet)
		status int
		words  string
	}{
		"no sending":       {func(i *internet) { delete(i.records, "submissions") }, 401, "but no server that sends it"},
		"no answer":        {func(i *internet) { i.records["imaps"].Port = 994 }, 502, "mail.example.test"},
		"another name":     {func(i *internet) { i.records["imaps"].Target = "localhost.test." }, 502, "certificate is for another name than localhost.test"},
		"outside, trusted": {func(*internet) {}, 401, ""},
	} {
		t.Run(name, func(t *testing.T) {
			i := newInternet(srv)
			c.change(i)
			v := newVisitor(t, lookingSite(t, testdb.SQLite(t), i).base)
			v.get("/login").tries("anna@example.test", "secret").want(c.status)
			if c.words != "" {
				v.says("[role=alert]", c.words)
			}
		})
	}
}

func TestAHostThatIsNoneIsNotAllowed(t *testing.T) {
	conf := config.Default()
	conf.AllowHosts = []string{"10.0.0.0/8"}
	if _, err := newFinder(conf, nil, discover.NewDirectory()); err != nil {
		t.Error(err)
	}
	conf.AllowHosts = []string{"no host/at all"}
	if _, err := newFinder(conf, nil, discover.NewDirectory()); err == nil {
		t.Error("allowed")
	}
}

func TestServersAreNotLookedForWhereNobodyAllowedIt(t *testing.T) {
	s := newSite(t, testmail.Demo(t), testdb.SQLite(t), nil)
	v := newVisitor(t, s.base)
	v.get("/login").tries("anna@elsewhere.test", "secret").want(401).says("[role=alert]", "has no mail server set up for “elsewhere.test”")
	if v.has("li") {
		t.Errorf("%s", v.body)
	}
	v.tries("anna@outlook.com", "secret").want(401).says("[role=alert]", "outlook.office365.com takes no password")
	if v.has("li") {
		t.Errorf("%s", v.body)
	}
}
