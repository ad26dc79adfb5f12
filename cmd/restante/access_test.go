package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"restante/internal/config"
	"restante/internal/store"
	"restante/internal/testdb"
	"restante/internal/testmail"
)

// TestNoRedirectLeavesTheSite: next and back are believed only when they are paths of our own.
func TestNoRedirectLeavesTheSite(t *testing.T) {
	_, u, v := smallSite(t, nil)
	out := newVisitor(t, v.base)
	for _, w := range []*visitor{v, out} {
		w.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	for _, evil := range []string{"//evil.example", "https://evil.example/", "\\\\evil.example", "/\\evil.example", "/\t/evil.example", "\t//evil.example", " //evil.example", "///evil.example",
		"/%2f/evil.example", "/%5cevil.example", "%2f%2fevil.example", "http:evil.example", "javascript:alert(1)", "//evil.example%2f..", "https:/evil.example", "/.//evil.example", "/..//evil.example",
		"@evil.example", "mailto:x@evil.example", "/\r\nLocation: //evil.example", "", "\x00//evil.example"} {
		q := url.QueryEscape(evil)
		stays(t, "sign-in page, signed in, with "+evil, v.get("/login?next="+q))
		page := out.get("/login?next=" + q)
		if page.status == 200 {
			f := page.form("form[action=/login]").set("username", u.Address).set("password", u.Password).set("next", evil)
			stays(t, "sign-in with "+evil, page.press2(f))
			out.client.Jar, _ = cookiejar.New(nil)
		}
		for _, p := range []struct{ path, form string }{
			{"/mail/1/INBOX/actions", "action=flag&uid=7&validity=1&back="}, {"/mail/1/INBOX/actions", "action=flag&uid=7&validity=1&stay="}, {"/trust", "sender=a@b.test&back="}, {"/retry", "back="},
			{"/undo/1", "back="}, {"/compose", "action=discard&back="}, {"/compose", "action=send&to=a@b.test&subject=s&body=b&back="},
		} {
			req := v.newRequest("POST", p.path, strings.NewReader(p.form+q), "Content-Type", "application/x-www-form-urlencoded")
			stays(t, p.path+" with "+evil, v.do(req))
		}
		for _, path := range []string{"/compose?back=", "/mail/1/INBOX?back="} {
			stays(t, path+evil, v.get(path+q))
		}
	}
}

func (v *visitor) press2(f *form) *visitor { return v.do(f.request()) }

// stays fails when an answer redirects or links to another site.
func stays(t *testing.T, what string, v *visitor) {
	t.Helper()
	here, _ := url.Parse(v.base)
	own := func(ref string) bool {
		if strings.HasPrefix(ref, "/\\") || strings.HasPrefix(ref, "\\") {
			return false
		}
		u, err := here.Parse(strings.TrimSpace(ref))
		return err == nil && u.Host == here.Host && u.Scheme == "http"
	}
	if l := v.header.Get("Location"); l != "" && !own(l) {
		t.Errorf("%s leads to %q", what, l)
	}
	if v.doc == nil {
		return
	}
	for _, n := range append(v.all("a[href]"), v.all("form[action]")...) {
		if ref := attr(n, "href") + attr(n, "action"); !own(ref) {
			t.Errorf("%s has a link to %q", what, ref)
		}
	}
}

func signInFrom(v *visitor, block, address, password string) *visitor {
	f := url.Values{"username": {address}, "password": {password}}
	return v.do(v.newRequest("POST", "/login", strings.NewReader(f.Encode()), "Content-Type", "application/x-www-form-urlencoded", "X-Forwarded-For", block))
}

func TestWrongPasswordsWaitByBlockAndAccount(t *testing.T) {
	mail := testmail.Demo(t)
	s := newSite(t, mail, testdb.SQLite(t), func(c *config.Config) { c.TrustedProxies = []string{"127.0.0.0/8"} })
	anna, ben := mail.NewUser(t), mail.NewUser(t)
	v := newVisitor(t, s.base)
	for range 6 {
		signInFrom(v, "192.0.2.1", anna.Address, "wrong").want(401)
	}
	signInFrom(v, "192.0.2.1", anna.Address, anna.Password).want(429)
	if wait, err := strconv.Atoi(v.header.Get("Retry-After")); err != nil || wait < 1 || wait > 15*60 {
		t.Errorf("Retry-After is %q", v.header.Get("Retry-After"))
	}
	if words := v.texts("[role=alert]"); !regexp.MustCompile(`try again at \d\d:\d\d UTC, in \d minutes?\.$`).MatchString(words[0]) {
		t.Errorf("the page says %q", words)
	}
	if f := v.form("form[action=/login]"); f.values.Get("username") != anna.Address || f.values.Get("password") != "" {
		t.Errorf("the form holds %q", f.values)
	}
	signInFrom(newVisitor(t, s.base), "192.0.2.2", anna.Address, anna.Password).want(200)            // the owner, elsewhere
	signInFrom(newVisitor(t, s.base), "192.0.2.1", ben.Address, ben.Password).want(200)              // another person, in the same block
	signInFrom(v, "198.51.100.7, 192.0.2.1", anna.Address, anna.Password).want(429)                  // what a client wrote before the proxy's word
	signInFrom(newVisitor(t, s.base), "192.0.2.1, 192.0.2.9", anna.Address, anna.Password).want(200) // the proxy's word counts
	for i := range 40 {                                                                              // one block, many accounts
		signInFrom(v, "203.0.113.5", fmt.Sprintf("nobody%d@demo.test", i), "wrong")
	}
	v.want(429)
	signInFrom(v, "2001:db8:1:2::1", anna.Address, anna.Password).want(200)
}

func TestForwardedForIsNotBelievedFromAnybody(t *testing.T) {
	s, u, _ := smallSite(t, nil)
	v := newVisitor(t, s.base) // a stranger
	for i := range 6 {
		signInFrom(v, fmt.Sprintf("192.0.2.%d", i), u.Address, "wrong").want(401)
	}
	signInFrom(v, "192.0.2.77", u.Address, u.Password).want(429)
}

// TestATriedAccountIsOpenToItsOwner: tries from everywhere fill what an account may have; the owner's browser is known.
func TestATriedAccountIsOpenToItsOwner(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		mail := testmail.Demo(t)
		s := newSite(t, mail, db, func(c *config.Config) { c.TrustedProxies = []string{"127.0.0.0/8"} })
		u := mail.NewUser(t)
		owner, stranger := s.signIn(u), newVisitor(t, s.base)
		owner.get("/mail/1/INBOX").form("form[action=/logout]").press("", "").want(200)
		refused := 0
		for i := range 60 {
			if signInFrom(stranger, fmt.Sprintf("198.18.%d.1", i), u.Address, fmt.Sprint("guess", i)).status == http.StatusTooManyRequests {
				refused++
			}
		}
		if refused < 25 {
			t.Errorf("of 60 tries from 60 networks %d were refused", refused)
		}
		s.restart()
		signInFrom(stranger, "198.18.99.1", u.Address, u.Password).want(429)
		signInFrom(owner, "198.18.1.1", u.Address, u.Password).want(200)
	})
}

// lookedAt waits until the site has looked at its servers, which it does once in a while: tap counts no more of it.
func (s *site) lookedAt(tap *testmail.Tap) {
	s.t.Helper()
	eventually(s.t, "the watch has looked at the servers", func() bool {
		list, err := s.house.store.Watched(s.t.Context())
		return err == nil && len(list) > 0 && tap.Total() > 0 && tap.Open() == 0
	})
}

// TestAWrongPasswordIsNotAskedForAgainAtOnce: to the mail server all tries come from one address, and it loses its
// patience with that.
func TestAWrongPasswordIsNotAskedForAgainAtOnce(t *testing.T) {
	srv := testmail.Demo(t)
	tap := testmail.NewTap(t, srv.IMAP)
	mail := *srv
	mail.IMAP = tap.Address
	s := newSite(t, &mail, testdb.SQLite(t), nil)
	u := srv.NewUser(t)
	s.lookedAt(tap)
	v := newVisitor(t, s.base)
	first := signInFrom(v, "", u.Address, "wrong").want(401).texts("[role=alert]")
	asked := tap.Total()
	if again := signInFrom(v, "", u.Address, "wrong").want(401).texts("[role=alert]"); !slices.Equal(first, again) {
		t.Errorf("at first %q, then %q", first, again)
	}
	if tap.Total() != asked {
		t.Error("the server was asked the same again")
	}
	signInFrom(v, "", u.Address, "other").want(401)
	signInFrom(v, "", u.Address, u.Password).want(200)
	if tap.Total() == asked {
		t.Error("the server was not asked about another password")
	}
}

// TestGoingAwayDoesNotMakeATryFree: a browser that does not wait for the answer has tried all the same.
func TestGoingAwayDoesNotMakeATryFree(t *testing.T) {
	srv := testmail.Demo(t)
	tap := testmail.NewTap(t, srv.IMAP)
	mail := *srv
	mail.IMAP = tap.Address
	s := newSite(t, &mail, testdb.SQLite(t), nil)
	u := srv.NewUser(t)
	s.lookedAt(tap)
	looked := tap.Total()
	for i := range 6 {
		tap.Mute()
		ctx, cancel := context.WithCancel(t.Context())
		v := newVisitor(t, s.base)
		f := url.Values{"username": {u.Address}, "password": {fmt.Sprint("guess", i)}}
		req := v.newRequest("POST", "/login", strings.NewReader(f.Encode()), "Content-Type", "application/x-www-form-urlencoded").WithContext(ctx)
		gone := make(chan error, 1)
		go func() { gone <- v.try(req) }()
		eventually(t, "the server is asked", func() bool { return tap.Total() == looked+i+1 })
		cancel()
		if err := <-gone; err == nil {
			t.Fatal("it was answered")
		}
		tap.Unmute()
		eventually(t, "the server has answered", func() bool { return tap.Open() == 0 })
	}
	signInFrom(newVisitor(t, s.base), "", u.Address, u.Password).want(429)
}

var changing = regexp.MustCompile(`nonce(-|=")[A-Za-z0-9+/&#;]+|<code>[0-9a-f]+</code>|[a-z0-9-]*@[a-z.]+|\([0-9.]+ \+ [0-9.]+ secs\)`)

func TestSignInDoesNotTellWhichAccountsExist(t *testing.T) {
	testmail.Each(t, func(t *testing.T, srv *testmail.Server) {
		s := newSite(t, srv, testdb.SQLite(t), nil)
		u := srv.NewUser(t)
		s.signIn(u)
		known := signInFrom(newVisitor(t, s.base), "", u.Address, "wrong").want(401)
		unknown := signInFrom(newVisitor(t, s.base), "", "stranger0@"+srv.Domain, "wrong").want(401)
		a, b := changing.ReplaceAllString(string(known.body), "_"), changing.ReplaceAllString(string(unknown.body), "_")
		if a != b {
			t.Errorf("the pages differ:\n%s\n%s", a, b)
		}
	})
}

// cookieOf is the cookie of a visitor's session, as a header has it.
func cookieOf(v *visitor) string {
	u, _ := url.Parse(v.base)
	for _, c := range v.client.Jar.Cookies(u) {
		if c.Name == "restante" {
			return c.Name + "=" + c.Value
		}
	}
	return ""
}

func TestASessionBeginsAndEndsWithItsToken(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		mail := testmail.Demo(t)
		s := newSite(t, mail, db, nil)
		u := mail.NewUser(t)
		v := newVisitor(t, s.base)
		jarURL, _ := url.Parse(s.base)
		v.client.Jar.SetCookies(jarURL, []*http.Cookie{{Name: "restante", Value: "chosen-by-an-attacker", Path: "/"}})
		signInFrom(v, "", u.Address, u.Password).want(200)
		first := cookieOf(v)
		if first == "" || strings.Contains(first, "chosen") {
			t.Fatalf("the token after signing in is %q", first)
		}
		signInFrom(v, "", u.Address, u.Password).want(200)
		second := cookieOf(v)
		if second == first {
			t.Error("signing in again kept the token")
		}
		in := func(cookie string) bool {
			w := newVisitor(t, s.base)
			return w.do(w.newRequest("GET", "/mail/1/INBOX", strings.NewReader(""), "Cookie", cookie)).url.Path != "/login"
		}
		if in(first) || !in(second) {
			t.Errorf("the old token is good: %v, the new one: %v", in(first), in(second))
		}
		notStored(t, s.conf, strings.TrimPrefix(second, "restante="), u.Password)
		v.get("/mail/1/INBOX").form("form[action=/logout]").press("", "").want(200)
		if in(second) {
			t.Error("the cookie outlives the sign-out")
		}
	})
}

// notStored fails when a secret stands in the sessions as it is.
func notStored(t *testing.T, c config.Config, secrets ...string) {
	t.Helper()
	db, err := store.Open(context.Background(), c.DatabaseURL, c.Data)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.DB().QueryContext(context.Background(), `SELECT token_hash, data FROM sessions`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		var hash string
		var data []byte
		if err := rows.Scan(&hash, &data); err != nil {
			t.Fatal(err)
		}
		for _, secret := range secrets {
			if strings.Contains(hash+string(data), secret) {
				t.Error("a token or a password is stored as it is")
			}
		}
	}
	if err := rows.Err(); err != nil || n == 0 {
		t.Errorf("%d sessions, %v", n, err)
	}
}

// TestAnotherPersonsThingsAreNotFound: ids in paths are no authority.
func TestAnotherPersonsThingsAreNotFound(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		mail := testmail.Demo(t)
		s := newSite(t, mail, db, func(c *config.Config) { c.UndoSeconds = 60 })
		anna, ben := mail.NewUser(t), mail.NewUser(t)
		mail.Deliver(t, anna, testmail.Mail("x@y.test", "Hers", "x"))
		a, b := s.signIn(anna), s.signIn(ben)
		a.get("/compose").form("form[data-compose]").set("subject", "Secret plan").attach("attachments", file{"plan.bin", []byte("plan")}).press("action", "save").want(200)
		draft, kept := a.url.Path, attr(a.one("a[data-attachment]"), "href")
		a.get("/compose").form("form[data-compose]").set("to", ben.Address).set("subject", "Unsent").set("body", "x").press("action", "send").want(200)
		item := attr(a.get("/outbox").one("form[class=outbox-acts]"), "action")
		a.get("/mail/1/INBOX").form("form[data-list]").set("uid", a.row("Hers")).press("action", "flag").want(200)
		for n := a.one("button[data-undo]"); n != nil; n = n.Parent {
			if n.Data == "form" {
				undo := attr(n, "action")
				thief(t, b, http.MethodPost, undo, "x=1")
			}
		}
		for _, path := range []string{draft, kept, "/mail/1/INBOX", "/mail/1/mailboxes", "/mail/1/INBOX/1", "/mail/1/INBOX/1/body", "/mail/1/INBOX/1.eml", "/mail/1/INBOX/1/source"} {
			thief(t, b, http.MethodGet, path, "")
		}
		for _, act := range []string{"undo", "edit", "retry", "discard", "arrived", "sendnow", "again"} {
			thief(t, b, http.MethodPost, item, "action="+act)
		}
		for _, path := range []string{draft, draft + "/files", draft + "/arriving", "/mail/1/INBOX/actions", "/mail/1/mailboxes"} {
			thief(t, b, http.MethodPost, path, "action=discard&uid=1&validity=1&subject=Stolen")
		}
		if a.get(draft).want(200).form("form[data-compose]").values.Get("subject") != "Secret plan" {
			t.Error("the draft was changed")
		}
		if !a.get("/outbox").has("[data-outbox][data-state=held]") {
			t.Error("the outbox was changed")
		}
	})
}

func thief(t *testing.T, v *visitor, method, path, form string) {
	t.Helper()
	v.do(v.newRequest(method, path, strings.NewReader(form), "Content-Type", "application/x-www-form-urlencoded"))
	if v.status != http.StatusNotFound {
		t.Errorf("%s %s %s: status %d", method, path, form, v.status)
	}
	for _, secret := range []string{"Secret plan", "plan.bin", "Unsent", "Hers"} {
		if strings.Contains(string(v.body), secret) {
			t.Errorf("%s %s: tells %q", method, path, secret)
		}
	}
}
