package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"restante/internal/config"
	"restante/internal/store"
	"restante/internal/testdb"
	"restante/internal/testmail"
	"restante/mailclient/discover"
)

// newcomer is a site where nobody is admin and no domain is set up, in an internet.
func newcomer(t *testing.T, srv *testmail.Server, db testdb.DB) *site {
	t.Helper()
	i := newInternet(srv)
	s := newSite(t, srv, db, func(c *config.Config) { c.Discover = "off" })
	s.end()
	s.bare, s.world = true, world{dial: i, resolver: found{i}}
	s.look = func(known *discover.Directory) *discover.Finder {
		return discover.NewFinder(discover.FinderOptions{Dial: i, Resolver: i, Directory: known})
	}
	s.start()
	return s
}

// found is an internet whose names have addresses.
type found struct{ *internet }

func (found) LookupHost(context.Context, string) ([]string, error) { return []string{"127.0.0.1"}, nil }

// link is the set-up link that was printed.
func (s *site) link() string {
	s.t.Helper()
	link := regexp.MustCompile(`http://\S+/setup/\S+`).FindString(s.said.String())
	raw, err := os.ReadFile(filepath.Join(s.conf.Data, linkFile))
	if err != nil || strings.TrimSpace(string(raw)) != link || link == "" {
		s.t.Fatalf("printed was %q, in the file stands %q: %v", link, raw, err)
	}
	if st, err := os.Stat(filepath.Join(s.conf.Data, linkFile)); err != nil || st.Mode().Perm() != 0o600 {
		s.t.Fatalf("the file of the link: %v %v", st.Mode(), err)
	}
	return link
}

// TestFromThePrintedLinkToASignIn is an admin's first ten minutes, on forms and links alone, with nothing typed of the
// servers but an address.
func TestFromThePrintedLinkToASignIn(t *testing.T) {
	srv := testmail.Postfix(t, testmail.PostfixOptions{})
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		s := newcomer(t, srv, db)
		u := srv.NewUser(t)
		srv.Deliver(t, u, testmail.Mail("Ben <ben@keller.example>", "Harbour", "Are you still at the harbour?"))
		v := newVisitor(t, s.base)
		v.get("/login").want(200).says("[role=note]", "This site is not set up yet.")
		v.get("/setup").want(404)
		v.get("/setup/owner").want(404)
		link := s.link()
		v.get(link).want(200)
		newVisitor(t, s.base).get(link).want(200) // to look changes nothing
		v.form("form").press("", "").want(200)
		if _, err := os.Stat(filepath.Join(s.conf.Data, linkFile)); !os.IsNotExist(err) {
			t.Errorf("the link was used, and its file stays: %v", err)
		}
		newVisitor(t, s.base).get(link).want(410).says("[role=alert]", "restante admin setup-link")

		s.owner(v)
		v.get("/setup/finish").want(200)
		if v.url.Path != "/setup/site" {
			t.Fatalf("the last step before its time led to %s", v.url)
		}
		if got := attr(v.one("input[name=url]"), "value"); got != s.base {
			t.Errorf("the address is filled with %q, not %q", got, s.base)
		}
		v.formAround("input[name=url]").press("action", "check").want(200)
		v.says("main", "Cookies come through")
		v.says("main", "Answers come as they are written")
		v.says("main", "Reached without encryption")
		v.formAround("input[name=url]").press("action", "next").want(200)

		s.restart() // what was typed is there after it
		v.get("/setup/owner").want(200).get("/setup/domain").want(200)
		v.formAround("button[value=look]").set("domain", u.Address).press("action", "look").want(200)
		v.says("main", "mail.example.test")
		v.says("main", "DNS")
		v.says("main", "Nobody vouches for its certificate")
		v.formAround("button[value=save]").press("action", "save").want(200).says("[role=alert]", "The certificate of IMAP mail.example.test cannot be trusted")
		if v.get("/setup/test").want(200); v.url.Path != "/setup/domain" {
			t.Errorf("a server that nobody vouches for was passed over: %s", v.url)
		}
		pem, err := os.ReadFile(srv.CAFile)
		if err != nil {
			t.Fatal(err)
		}
		v.formAround("button[value=save]").attach("ca", file{"ca.pem", pem}).press("action", "check").want(200)
		v.says("main", "Answers; certificate valid until")
		v.formAround("button[value=save]").press("action", "save").want(200)

		v.formAround("input[name=password]").set("address", u.Address).set("password", "not this").press("action", "test").want(200)
		v.says("main", "Name or password was refused.")
		v.formAround("button[value=next]").press("action", "next").want(200).says("main", "The test with a mailbox found something wrong")
		v.get("/setup/test").want(200)
		v.formAround("input[name=password]").set("address", u.Address).set("password", u.Password).set("send", "1").press("action", "test").want(200)
		for _, bad := range v.texts("span[class=\"state bad\"]") {
			t.Errorf("the test of good servers says %q: %q", bad, v.texts("main"))
		}
		v.says("main", "arrived after")
		v.formAround("button[value=next]").press("action", "next").want(200)

		if strings.Contains(string(v.body), "The test with a mailbox") {
			t.Errorf("the end still tells of a test that failed: %q", v.texts("main"))
		}
		v.says("main", "People of example.test read their mail at mail.example.test")
		if has, err := s.house.store.HasAdmin(t.Context()); has || err != nil {
			t.Fatalf("before the last step there is an admin: %v %v", has, err)
		}
		newVisitor(t, s.base).get("/login").want(200).tries(u.Address, u.Password).want(401)
		v.form("form[action=/setup/finish]").press("", "").want(200)
		if v.url.Path != "/admin" {
			t.Fatalf("the end led to %s", v.url)
		}
		v.get("/admin/audit").want(200).says("tbody", "owner example.test mail.example.test mail.example.test")
		v.get("/admin/domains").want(200).says("main", "example.test")
		v.get(link).want(410).says("[role=alert]", "was used on")
		v.says("[role=alert]", "restante admin reset NAME")
		if !v.has("a[href=/admin]") || newVisitor(t, s.base).get("/login").want(200).has("[role=note]") {
			t.Error("a site that is set up is told of as one that is not")
		}

		s.signIn(u).open("Harbour").want(200).says("[data-message-text]", "Are you still at the harbour?")
		s.restart()
		s.signIn(u)
	})
}

// owner is the first step, with a second factor.
func (s *site) owner(v *visitor) {
	s.t.Helper()
	v.formAround("input[name=name]").set("name", "Owner").set("password", "short").set("factor", "now").press("", "").want(200)
	v.says("[role=alert]", "12 letters")
	v.formAround("input[name=name]").set("password", adminPassword).set("factor", "now").press("", "").want(200)
	v.formAround("input[name=code]").set("code", "000000").press("action", "code").want(200)
	v.says("[role=alert]", "not right")
	v.formAround("input[name=code]").set("code", codeOf(s.t, v.key(), time.Now())).press("action", "code").want(200)
	if n := len(v.texts("code")); n != 10 {
		s.t.Fatalf("%d recovery codes", n)
	}
	v.formAround("button[value=next]").press("action", "next").want(200)
}

// TestOfTwoWhoOpenALinkOneHasIt, and an old link says how to get another.
func TestOfTwoWhoOpenALinkOneHasIt(t *testing.T) {
	s := newSite(t, testmail.Demo(t), testdb.SQLite(t), nil)
	token := s.setupToken()
	first, second := newVisitor(t, s.base), newVisitor(t, s.base)
	first.get("/setup/" + token).want(200)
	second.get("/setup/" + token).want(200)
	second.form("form").press("", "").want(200)
	first.form("form").press("", "").want(410).says("[role=alert]", "holds the set-up")
	another := s.setupToken()
	second.get("/setup/owner").want(404) // with a new link the old one is over, whoever held it
	first.get("/setup/"+another).want(200).form("form").press("", "").want(200)
	first.get("/setup/" + strings.Repeat("x", 43)).want(200) // a stranger's token, to who holds the set-up, is theirs
	newVisitor(t, s.base).get("/setup/" + strings.Repeat("x", 43)).want(404)
}

// TestASelfSignedCertificateIsPinnedByAClickAlone: a key is shown with its fingerprint, trusted when that is wanted, and
// forgotten when the server is another.
func TestASelfSignedCertificateIsPinnedByAClickAlone(t *testing.T) {
	srv := testmail.Postfix(t, testmail.PostfixOptions{})
	s := newSite(t, srv, testdb.SQLite(t), nil)
	s.end()
	s.bare = true
	s.start()
	s.makeAdmin("owner")
	u := srv.NewUser(t)
	v := newVisitor(t, s.base)
	v.get("/admin/login").adminTries("owner", adminPassword).want(200)
	v.get("/admin/domains/new").want(200)
	v.formAround("button[value=look]").set("domain", "example.test").press("action", "look").want(200)
	set := func(f *form) *form {
		for id, at := range map[string]testmail.Address{"imap": srv.IMAPS, "submission": srv.Submissions} {
			_, port, _ := net.SplitHostPort(at.String())
			f.set(id+"_host", at.Host).set(id+"_port", port).set(id+"_security", "tls")
		}
		return f
	}
	set(v.formAround("button[value=save]")).set("submission_port", "99999").press("action", "check").want(422)
	v.says("[role=alert]", "Sending: host, port or encryption is not one that can be: "+srv.Submissions.Host+":99999.")
	set(v.formAround("button[value=save]")).press("action", "check").want(200)
	v.says("main", "Nobody vouches for its certificate")
	if n := len(v.all("code[class=fingerprint]")); n != 2 {
		t.Fatalf("%d fingerprints, not 2", n)
	}
	v.formAround("button[value=save]").set("current", adminPassword).press("action", "save").want(422).says("[role=alert]", "cannot be trusted: no password is sent there")
	v.get("/admin/domains").want(200)
	if v.has("a[href=/admin/domains/example.test]") {
		t.Fatal("it is saved, and nobody vouches for its servers")
	}
	v.get("/admin/domains/new").formAround("button[value=save]").press("action", "pin imap").want(200)
	v.formAround("button[value=save]").press("action", "pin submission").want(200)
	v.says("main", "Answers with the key that you trust.")
	v.formAround("button[value=save]").press("action", "save").want(422).says("[role=alert]", "present password")
	v.formAround("button[value=save]").set("current", adminPassword).press("action", "save").want(200)
	v.says("[role=status]", "example.test is saved")
	s.signIn(u)
	page := v.url.Path
	v.get("/admin/health").want(200).says("main", "Every check is good.")
	v.get(page).want(200)

	v.formAround("button[value=save]").set("imap_port", "1").press("action", "check").want(200)
	if n := len(v.all("button[value=\"unpin imap\"]")); n != 0 {
		t.Error("the pin of one server went to another")
	}
	v.formAround("input[name=confirm]").set("confirm", "other.test").set("current", adminPassword).press("action", "delete").want(422)
	v.formAround("input[name=confirm]").set("confirm", "example.test").set("current", adminPassword).press("action", "delete").want(200)
	newVisitor(t, s.base).get("/login").want(200).tries(u.Address, u.Password).want(401)
	v.get("/admin/audit").want(200).says("tbody", "Removed a domain")
}

// TestAnImportTrustsWhatTheDomainTrusts: the POP3 server that an admin set up, its key trusted by a click, is found for an
// address of the domain and read, though nobody vouches for it and people may name no host of that network.
func TestAnImportTrustsWhatTheDomainTrusts(t *testing.T) {
	srv := testmail.Postfix(t, testmail.PostfixOptions{})
	s := newSite(t, srv, testdb.SQLite(t), nil)
	s.end()
	s.bare = true
	s.start()
	s.makeAdmin("owner")
	anna, old := srv.NewUser(t), srv.NewUser(t)
	srv.Deliver(t, old, testmail.Mail("Ben <ben@old.test>", "Old mail", "Once upon a time."))
	v := newVisitor(t, s.base)
	v.get("/admin/login").adminTries("owner", adminPassword).want(200)
	v.get("/admin/domains/new").want(200)
	v.formAround("button[value=look]").set("domain", "example.test").press("action", "look").want(200)
	f := v.formAround("button[value=save]")
	for id, at := range map[string]testmail.Address{"imap": srv.IMAPS, "submission": srv.Submissions, "pop3": srv.POP3S} {
		f.set(id+"_host", at.Host).set(id+"_port", strconv.Itoa(at.Port)).set(id+"_security", "tls")
	}
	f.press("action", "check").want(200)
	for _, id := range []string{"imap", "submission", "pop3"} {
		v.formAround("button[value=save]").press("action", "pin "+id).want(200)
	}
	v.formAround("button[value=save]").set("current", adminPassword).press("action", "save").want(200)

	eventually(t, "its POP3 server is watched", func() bool {
		seen, err := s.house.store.Watched(t.Context())
		return err == nil && slices.ContainsFunc(seen, func(w store.Watched) bool { return w.Service == "pop3" && w.Problem == "" })
	})
	eventually(t, "each of its servers is told of as looked at", func() bool {
		return !strings.Contains(strings.Join(v.get("/admin/domains/example.test").want(200).texts("main"), " "), "Not looked at yet")
	})

	p := s.signIn(anna)
	p.get("/imports").want(200).form("form[data-source]").set("username", old.Address).press("action", "find").want(200).says("[data-found]", "Found: "+srv.POP3S.Host)
	p.get("/imports").want(200).form("form[data-source]").set("username", old.Address).set("password", old.Password).press("action", "start").want(200).says("[data-found]", "type the password again")
	p.form("form[data-source]").set("password", old.Password).press("action", "start").want(200).says("[role=status]", "one mail is at")
	eventually(t, "it is here", func() bool { return strings.Contains(p.state(), "All is here: one mail") })
}

// TestTheSiteMovesToAnotherAddress: what was said of it holds from the next request on, cookies and names too.
func TestTheSiteMovesToAnotherAddress(t *testing.T) {
	mail := testmail.Demo(t)
	s := newSite(t, mail, testdb.SQLite(t), nil)
	s.makeAdmin("owner")
	v := newVisitor(t, s.base)
	v.get("/admin/login").adminTries("owner", adminPassword).want(200)
	v.get("/admin/site").want(200)
	v.form("form[action=/admin/site]").set("url", "mail.example.test").press("action", "save").want(422)
	v.form("form[action=/admin/site]").set("url", "https://mail.example.test").press("action", "save").want(422)
	v.form("form[action=/admin/site]").set("current", adminPassword).press("action", "save").want(200)
	v.says("a", "https://mail.example.test/admin")
	for host, want := range map[string]int{"mail.example.test": 200, "elsewhere.example": 421} {
		req := v.newRequest("GET", "/login", strings.NewReader(""))
		req.Host = host
		res, err := v.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want || want == 200 && res.Header.Get("Strict-Transport-Security") == "" {
			t.Errorf("as %s: status %d, %v", host, res.StatusCode, res.Header)
		}
	}
	s.restart()
	if got := s.house.public; got != "https://mail.example.test" {
		t.Errorf("after a restart the address is %q", got)
	}
}
