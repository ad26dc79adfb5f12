package main

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"golang.org/x/net/html"

	"restante/internal/config"
	"restante/internal/testdb"
	"restante/internal/testmail"
	"restante/internal/testoidc"
	"restante/mailclient/discover"
)

// atProvider is a site whose people sign in at the scripted issuer, over a Dovecot and a Postfix that take its tokens.
type atProvider struct {
	*site
	client *testoidc.Client
	user   testmail.User
}

func newAtProvider(t *testing.T, db testdb.DB) *atProvider {
	t.Helper()
	srv := testmail.Postfix(t, testmail.PostfixOptions{Dovecot: testmail.DovecotOptions{Introspection: testoidc.Introspection()}})
	u := srv.NewUser(t)
	client := testoidc.NewClient(t, testoidc.Person{Subject: "subject of " + u.Address, Email: u.Address})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, mail: srv, conf: config.Default(), base: "http://" + ln.Addr().String()}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	s.conf.Data, s.conf.DatabaseURL, s.conf.Log, s.conf.PublicURL = db.Dir+"/data", db.URL, "debug", s.base
	s.conf.KeyFile, s.conf.UndoSeconds = db.Dir+"/restante.key", 0
	s.provider = &discover.OAuth{Kind: "oidc", ClientID: client.ID, Secret: client.Secret, Issuer: testoidc.URL()}
	s.start()
	t.Cleanup(s.end)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of the site:\n%s", s.log.String())
		}
	})
	return &atProvider{s, client, u}
}

// ask types an address and gives the page that leads to the provider.
func (a *atProvider) ask(address string) *visitor {
	a.t.Helper()
	v := newVisitor(a.t, a.base)
	v.get("/login").want(200)
	if v.has("input[type=password]") {
		a.t.Error("a password is asked for")
	}
	return v.form("form[action=/login]").set("username", address).press("", "").want(200)
}

// goOn presses the button that leads to the provider, which sends back at once.
func (v *visitor) goOn() *visitor {
	v.t.Helper()
	return v.get(attr(linkTo(v, "Go on with"), "href"))
}

func (a *atProvider) signInThere() *visitor {
	a.t.Helper()
	v := a.ask(a.user.Address).goOn().want(200)
	if !strings.HasSuffix(v.url.Path, "/INBOX") {
		a.t.Fatalf("sign-in led to %s: %q", v.url, v.texts("[role=alert]"))
	}
	return v
}

func TestU1_SigningInAtAProviderLeadsToTheInbox(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		a := newAtProvider(t, db)
		a.mail.Deliver(t, a.user, testmail.Mail("Ben <ben@keller.example>", "Harbour", "One."))
		v := a.signInThere()
		if v.row("Harbour") == "" {
			t.Fatalf("the inbox lists %q", v.texts("[data-uid]"))
		}
	})
}

// cut ends the connections to the mail server: the next page has to sign in there anew.
func (a *atProvider) cut() { a.house.pool.Drop("account/1") }

// send writes a mail to themselves.
func (a *atProvider) send(v *visitor, subject string) *visitor {
	a.t.Helper()
	return v.get("/compose").want(200).form("form[data-compose]").set("to", a.user.Address).set("subject", subject).set("body", "The words of it.").press("action", "send")
}

func (a *atProvider) arrives(v *visitor, subject string) {
	a.t.Helper()
	eventually(a.t, subject+" arrives", func() bool { return v.get("/mail/1/INBOX").want(200).row(subject) != "" })
}

func TestU5_MailIsSentWithAnAccessToken(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		a := newAtProvider(t, db)
		v := a.signInThere()
		a.send(v, "By token").want(200)
		a.arrives(v, "By token")
	})
}

func TestU1_AccessTokensAreRenewedUnseen(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		a := newAtProvider(t, db)
		a.client.Life, a.client.Rotate = 2*time.Second, true
		v := a.signInThere()
		for want := 1; want <= 3; want++ {
			eventually(t, "the token is renewed", func() bool {
				a.cut()
				v.get("/mail/1/INBOX").want(200)
				return a.client.Refreshes() >= want
			})
		}
		a.send(v, "After renewals").want(200)
		a.arrives(v, "After renewals")
		a.restart() // what was rotated last is what is kept
		v.get("/mail/1/INBOX").want(200)
	})
}

// TestX11_ATokenThatIsRefusedIsRenewedOnce: the provider has forgotten an access token before its time.
func TestX11_ATokenThatIsRefusedIsRenewedOnce(t *testing.T) {
	a := newAtProvider(t, testdb.SQLite(t))
	v := a.signInThere()
	a.client.ForgetAccess()
	a.cut()
	v.get("/mail/1/INBOX").want(200)
	if n := a.client.Refreshes(); n != 1 {
		t.Errorf("%d tokens were asked for, not 1", n)
	}
}

// TestU6_ADeadSignInIsTakenUpInPlace: the page says so, the provider is not asked again and again, what was being sent is
// carried through the sign-in, and what waited goes on.
func TestU6_ADeadSignInIsTakenUpInPlace(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		a := newAtProvider(t, db)
		v := a.signInThere()
		a.mail.Deliver(t, a.user, testmail.Mail("Ben <ben@keller.example>", "Harbour", "One."))
		v.get("/mail/1/INBOX").want(200)
		list := v.form("form[data-list]").set("uid", v.row("Harbour"))
		a.client.Forget()
		a.cut()
		for range 3 {
			v.get("/mail/1/INBOX").want(401).says("[role=status]", "wants you to sign in again")
		}
		if n := a.client.Refreshes(); n != 1 {
			t.Errorf("the provider was asked %d times, not once", n)
		}
		v.get("/settings").want(200).says("[role=alert]", "wants you to sign in again")
		a.send(v, "While it is dead").want(401) // it is accepted; the list that would follow cannot be shown
		eventually(t, "the mail waits", func() bool { return v.get("/outbox").want(200).has("[data-outbox][data-state=signin]") })
		v.says("[data-outbox]", "wants you to sign in again. This goes out by itself afterwards.")
		if v.has("input[type=password]") {
			t.Error("a password is asked for")
		}

		list.press("action", "flag").want(401)
		v.goOn().want(200).says("h1", "You are signed in again")
		v.form("form[method=post]").press("", "").want(200).says("[role=status]", "Flagged")
		a.arrives(v, "While it is dead")
		if v.get("/settings").want(200); strings.Contains(strings.Join(v.texts("[role=alert]"), ""), "sign in again") {
			t.Error("the page still asks for a sign-in")
		}
	})
}

// TestTheBannerLeadsThroughTheProviderAndBack to where the person was.
func TestTheBannerLeadsThroughTheProviderAndBack(t *testing.T) {
	a := newAtProvider(t, testdb.SQLite(t))
	v := a.signInThere()
	a.client.Forget()
	a.cut()
	v.get("/mail/1/INBOX").want(401)
	v.get("/settings/general").want(200)
	v.form("form[action=/login]").press("", "").want(200)
	if v.goOn().want(200); v.url.Path != "/settings/general" {
		t.Errorf("it led to %s", v.url)
	}
	a.client.Forget()
	a.cut()
	v.get("/mail/1/INBOX?filter=unread&sort=from").want(401)
	if v.goOn().want(200); v.url.RequestURI() != "/mail/1/INBOX?filter=unread&sort=from" {
		t.Errorf("who opened their inbox came to %s", v.url)
	}
	a.client.Set(func(c *testoidc.Client) {
		c.Who = testoidc.Person{Subject: "somebody else", Email: a.mail.NewUser(t).Address}
	})
	a.client.Forget()
	a.cut()
	v.get("/mail/1/INBOX").want(401)
	v.goOn().want(403).says("[role=alert]", "Choose the account of "+a.user.Address)
}

// TestWhatIsWrittenOutlivesASession that has ended before it was sent.
func TestWhatIsWrittenOutlivesASession(t *testing.T) {
	a := newAtProvider(t, testdb.SQLite(t))
	v := a.signInThere()
	f := v.get("/compose").want(200).form("form[data-compose]").set("to", a.user.Address).set("subject", "Half a thought").set("body", "It begins")
	if _, err := a.house.store.EndOtherSessions(context.Background(), 1, ""); err != nil {
		t.Fatal(err)
	}
	f.press("action", "send").want(401)
	v.form("form[action=/login]").set("username", a.user.Address).press("", "").want(200)
	v.goOn().want(200)
	v.form("form[method=post]").press("", "").want(200)
	a.arrives(v, "Half a thought")
}

func TestAnAnswerIsGoodOnceAndForOneBrowser(t *testing.T) {
	a := newAtProvider(t, testdb.SQLite(t))
	var back url.Values
	a.client.Answer = func(v url.Values) { back = v }
	v := a.signInThere()
	v.get("/oauth/callback?"+back.Encode()).want(400).says("[role=alert]", "This sign-in is over")

	stranger := newVisitor(t, a.base)
	stranger.get(attr(linkTo(a.ask(a.user.Address), "Go on with"), "href")).want(400).says("[role=alert]", "begun in another browser")
	stranger.get("/").want(200)
	if !strings.HasPrefix(stranger.url.Path, "/login") {
		t.Errorf("the stranger is at %s", stranger.url)
	}
}

func TestAnAnswerThatIsNotRightLetsNobodyIn(t *testing.T) {
	a := newAtProvider(t, testdb.SQLite(t))
	victim := a.mail.NewUser(t)
	claim := func(name string, value any) func(*testoidc.Client) {
		return func(c *testoidc.Client) { c.Claims = func(claims map[string]any) { claims[name] = value } }
	}
	for _, c := range []struct {
		name   string
		change func(*testoidc.Client)
		status int
		words  string
	}{
		{"another nonce", claim("nonce", "another"), 400, "does not belong to this sign-in"},
		{"for another program", claim("aud", "another"), 400, "does not belong to this sign-in"},
		{"by another issuer", claim("iss", "https://elsewhere.example"), 400, "does not belong to this sign-in"},
		{"too old", claim("exp", time.Now().Add(-time.Hour).Unix()), 400, "does not belong to this sign-in"},
		{"an address that is not verified", claim("email_verified", false), 403, "has not verified your mail address"},
		{"no address", claim("email", ""), 403, "which mail address is yours"},
		{"the address of another mailbox", claim("email", victim.Address), 403, "does not let you in"},
		{"an address of another domain", claim("email", "anna@elsewhere.example"), 403, "does not sign in here by"},
		{"an answer by another issuer", func(c *testoidc.Client) { c.Answer = func(v url.Values) { v.Set("iss", "https://elsewhere.example") } }, 400, "does not belong"},
		{"an answer without its issuer", func(c *testoidc.Client) { c.Answer = func(v url.Values) { v.Del("iss") } }, 400, "does not belong"},
		{"a code that nobody gave", func(c *testoidc.Client) { c.Answer = func(v url.Values) { v.Set("code", "guessed") } }, 401, "wants you to sign in again"},
		{"a no", func(c *testoidc.Client) { c.Deny = "access_denied" }, 403, "did not let this site at your mail"},
		{"a provider that is down", func(c *testoidc.Client) { c.Down = true }, 502, "does not answer as it should"},
		{"another secret", func(c *testoidc.Client) { c.Secret = "changed" }, 502, "does not know this site"},
	} {
		t.Run(c.name, func(t *testing.T) {
			secret := a.client.Secret
			a.client.Set(c.change)
			defer a.client.Set(func(k *testoidc.Client) { k.Claims, k.Answer, k.Deny, k.Down, k.Secret = nil, nil, "", false, secret })
			v := a.ask(a.user.Address).goOn().want(c.status)
			v.says("[role=alert]", c.words)
			if got := attr(v.one("input[name=username]"), "value"); got != a.user.Address {
				t.Errorf("the address is gone: %q", got)
			}
			if v.get("/"); !strings.HasPrefix(v.url.Path, "/login") {
				t.Errorf("they are at %s", v.url)
			}
		})
	}
	a.signInThere()
	if all, err := a.house.store.UsersSeen(context.Background(), "", "", 10); err != nil || len(all) != 1 || all[0].Address != a.user.Address {
		t.Errorf("users: %+v, %v", all, err)
	}
}

// TestAnAddressIsNobodysIdentity: whom the provider knows by another id is another person, whatever their address.
func TestAnAddressIsNobodysIdentity(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		a := newAtProvider(t, db)
		before, _, err := a.house.store.EnsureUser(context.Background(), a.user.Address, a.user.Address) // by a password, once
		if err != nil {
			t.Fatal(err)
		}
		a.signInThere()
		if u, err := a.house.store.UserByIdentity(context.Background(), testoidc.URL(), a.client.Who.Subject); err != nil || u.ID != before.ID {
			t.Errorf("the mailbox led to user %d, not %d: %v", u.ID, before.ID, err)
		}
		a.client.Set(func(c *testoidc.Client) { c.Who.Subject = "whoever has the address now" })
		a.ask(a.user.Address).goOn().want(409).says("[role=alert]", "belongs here to another person")
		if err := a.house.store.ForgetIdentity(context.Background(), before.ID); err != nil {
			t.Fatal(err)
		}
		a.signInThere()
	})
}

// TestADomainMovesToAnotherProvider: nobody is kept out by whom the former one knew, and a sign-in that was begun there
// is over.
func TestADomainMovesToAnotherProvider(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		a := newAtProvider(t, db)
		ctx := context.Background()
		u, _, err := a.house.store.EnsureUser(ctx, a.user.Address, a.user.Address)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.house.store.Identify(ctx, u.ID, "https://former.example", "4711"); err != nil {
			t.Fatal(err)
		}
		a.signInThere()
		if known, err := a.house.store.UserByIdentity(ctx, testoidc.URL(), a.client.Who.Subject); err != nil || known.ID != u.ID {
			t.Errorf("they are user %d, not %d: %v", known.ID, u.ID, err)
		}
		if _, err := a.house.store.UserByIdentity(ctx, "https://former.example", "4711"); err == nil {
			t.Error("whom the former one knew is somebody still")
		}

		begun := a.ask(a.user.Address)
		client := testoidc.NewClient(t, a.client.Who)
		a.end()
		a.provider = &discover.OAuth{Kind: "oidc", ClientID: client.ID, Secret: client.Secret, Issuer: testoidc.URL()}
		a.start()
		begun.goOn().want(400).says("[role=alert]", "This sign-in is over")
		a.signInThere()
	})
}

// TestACodeIsOfOneSignIn: what the provider of one domain gave is worth nothing in a sign-in for another, in the very
// same browser.
func TestACodeIsOfOneSignIn(t *testing.T) {
	a := newAtProvider(t, testdb.SQLite(t))
	other := testoidc.NewClient(t, a.client.Who)
	second, _ := a.house.known.OfDomain("example.test")
	second.Domain, second.OAuth = "other.test", &discover.OAuth{Kind: "oidc", ClientID: other.ID, Secret: other.Secret, Issuer: testoidc.URL()}
	a.house.known.SetUp([]discover.Servers{second})
	v := newVisitor(t, a.base)
	begin := func(address string) *url.URL {
		v.get("/login").want(200).form("form[action=/login]").set("username", address).press("", "").want(200)
		at, err := url.Parse(attr(linkTo(v, "Go on with"), "href"))
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	one, two := begin(a.user.Address), begin("anna@other.test")
	if one.Query().Get("client_id") == two.Query().Get("client_id") {
		t.Fatal("both go to one client")
	}
	back := testoidc.Consent(t, two)
	back.Set("state", one.Query().Get("state"))
	v.get("/oauth/callback?" + back.Encode()).want(401)
	if v.get("/"); v.url.Path != "/login" {
		t.Errorf("they are at %s", v.url)
	}
	back = testoidc.Consent(t, begin("anna@other.test")) // who is user1@example.test there: a domain of another client
	v.get("/oauth/callback?"+back.Encode()).want(403).says("[role=alert]", "does not sign in here by")
}

// TestAProviderDoesNotBringIn who is locked, nor keep those in whose domain signs in by passwords again.
func TestAProviderDoesNotBringIn(t *testing.T) {
	a := newAtProvider(t, testdb.SQLite(t))
	v := a.signInThere()
	if err := a.house.store.LockUser(context.Background(), 1, true); err != nil {
		t.Fatal(err)
	}
	if v.get("/mail/1/INBOX"); v.url.Path != "/login" {
		t.Errorf("who is locked is at %s", v.url)
	}
	if a.ask(a.user.Address).goOn().want(403).says("[role=alert]", "locked"); len(a.client.Revoked()) > 0 {
		t.Error("what their outbox waits for was given up")
	}
	if err := a.house.store.LockUser(context.Background(), 1, false); err != nil {
		t.Fatal(err)
	}
	v = a.signInThere()
	a.end()
	a.provider = nil
	a.start()
	if v.get("/mail/1/INBOX"); v.url.Path != "/login" || !v.has("input[type=password]") {
		t.Errorf("they are at %s", v.url)
	}
}

func TestWhatWasSentBeforeSigningOutIsSentAllTheSame(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		a := newAtProvider(t, db)
		a.end()
		a.conf.UndoSeconds = 3
		a.start()
		v := a.signInThere()
		a.send(v, "Behind my back").want(200)
		v.form("form[action=/logout]").press("", "").want(200)
		if len(a.client.Revoked()) > 0 {
			t.Error("the token was given up while a mail waits for it")
		}
		talk := a.mail.Talk(t, a.user)
		eventually(t, "it arrives", func() bool { return talk.Count("INBOX") == 1 })
	})
}

func TestSigningOutGivesTheTokenUp(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		a := newAtProvider(t, db)
		v := a.signInThere()
		v.form("form[action=/logout]").press("", "").want(200)
		eventually(t, "the provider is told", func() bool { return len(a.client.Revoked()) == 1 })
		a.signInThere()
	})
}

// TestAnAdminSetsAProviderUp with its domain, in the page: what is wrong with it is told, and its secret is shown to nobody.
func TestAnAdminSetsAProviderUp(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		a := newAtProvider(t, db)
		a.end()
		a.bare = true
		a.start()
		a.makeAdmin("owner")
		ca, err := os.ReadFile(a.mail.CAFile)
		if err != nil {
			t.Fatal(err)
		}
		v := newVisitor(t, a.base)
		v.get("/admin/login").adminTries("owner", adminPassword).want(200)
		v.get("/admin/domains/new").want(200).formAround("button[value=look]").set("domain", "example.test").press("action", "look").want(200)
		if got := attr(v.one("input[id=d-oauth-redirect]"), "value"); got != a.base+"/oauth/callback" {
			t.Errorf("the redirect address is %q", got)
		}
		fill := func(issuer string) *form {
			f := v.formAround("button[value=save]").attach("ca", file{"ca.pem", ca}).set("current", adminPassword)
			for id, at := range map[string]testmail.Address{"imap": a.mail.IMAPS, "submission": a.mail.Submissions} {
				f.set(id+"_host", at.Host).set(id+"_port", fmt.Sprint(at.Port)).set(id+"_security", "tls")
			}
			return f.set("oauth_kind", "oidc").set("oauth_client", a.client.ID).set("oauth_issuer", issuer)
		}
		fill("https://").set("oauth_secret", a.client.Secret).press("action", "save").want(422).says("[role=alert]", "an issuer")
		for issuer, words := range map[string]string{
			"http://id.example.test": "no address by https", "https://id.example.invalid": "does not answer", testoidc.URL() + "/elsewhere": "stands no description",
		} {
			fill(issuer).press("action", "save").want(422).says("[role=alert]", words)
		}
		fill(testoidc.URL()).set("oauth_secret", a.client.Secret).press("action", "save").want(200).says("[role=status]", "example.test is saved")
		v.formAround("button[value=save]").set("current", adminPassword).press("action", "save").want(200) // without its secret: that stays
		if strings.Contains(string(v.body), a.client.Secret) || v.one("input[id=d-oauth-secret]") == nil || attr(v.one("input[id=d-oauth-secret]"), "value") != "" {
			t.Error("the secret is shown")
		}
		rows, err := a.house.store.Domains(context.Background())
		if err != nil || len(rows) != 1 || strings.Contains(rows[0].Settings, a.client.Secret) {
			t.Errorf("what is kept: %+v, %v", rows, err)
		}
		v.get("/admin/audit").want(200).says("tbody", "example.test 127.0.0.1 127.0.0.1 "+strings.TrimPrefix(testoidc.URL(), "http://"))
		a.signInThere()
		a.restart()
		a.signInThere()

		v.get("/admin/people/1").want(200).formAround("button[value=release]").press("action", "release").want(422)
		v.formAround("button[value=release]").set("current", adminPassword).press("action", "release").want(200).says("[role=status]", "released")
		a.client.Set(func(c *testoidc.Client) { c.Who.Subject = "whoever has the address now" })
		a.signInThere()
	})
}

// TestProviderPagesAreForEverybody: the pages around a provider hold against what every screen is judged by, and the way
// through it works with scripts on.
func TestProviderPagesAreForEverybody(t *testing.T) {
	for _, l := range []look{wide, {width: 320, height: 640, touch: true, dark: true}} {
		t.Run(l.name(), func(t *testing.T) {
			a := newAtProvider(t, testdb.SQLite(t))
			b := newTab(t, a.site, l)
			call(b, page.SetBypassCSP, page.SetBypassCSPParams{Enabled: true}) // for axe's own scripts
			b.open("/login")
			b.judge("address", l)
			b.click("#username")
			b.keys(a.user.Address)
			b.click("main button")
			b.sees("Go on with")
			b.judge("provider", l)
			b.click("a.button.filled")
			b.until("the inbox stands", `location.pathname.endsWith("/INBOX")`)
			a.client.Forget()
			a.cut()
			if _, err := a.house.tokens.Of(1).Token(context.Background(), a.client.LastAccess()); err == nil {
				t.Error("the token still lives")
			}
			b.open("/settings/general")
			b.sees("wants you to sign in again")
			b.judge("banner", l)

			a.makeAdmin("owner")
			v := newVisitor(t, a.base)
			v.get("/admin/login").adminTries("owner", adminPassword).want(200)
			v.get("/admin/domains/new").want(200).formAround("button[value=look]").set("domain", "other.test").press("action", "look").want(200)
			b.expect("401") // of the inbox, on the way
			b.borrow(v)
			b.open("/admin/domains/new")
			ask[bool](b, `(document.querySelector("#d-oauth-kind").closest("details").open = true)`)
			b.judge("domain", l)
			b.open("/admin/people/1")
			b.judge("person", l)
		})
	}
}

// lend gives a visitor's session to a tab, whose page stays.
func (b *tab) lend(v *visitor) {
	b.t.Helper()
	for _, c := range v.client.Jar.Cookies(v.url) {
		call(b, network.SetCookie, network.SetCookieParams{Name: c.Name, Value: c.Value, URL: b.s.base})
	}
}

// TestTheSessionEndsWhileWritingAtAProvider: the page stays with what was typed, and leads to the provider in another tab.
func TestTheSessionEndsWhileWritingAtAProvider(t *testing.T) {
	a := newAtProvider(t, testdb.SQLite(t))
	b := newTab(t, a.site, wide)
	b.borrow(a.signInThere())
	b.open("/compose")
	b.until("the editor", `document.querySelector(".editor")`)
	b.keys("somebody@example.test\t")
	b.click("#subject")
	b.keys("Important")
	b.click(".editor")
	b.keys("Not to be lost")
	b.expect("401")
	if _, err := a.house.store.EndOtherSessions(t.Context(), 1, ""); err != nil {
		t.Fatal(err)
	}
	b.keys(".")
	b.until("the letter says so", `document.querySelector("form[data-compose] [role=alert]")?.innerText.includes("Please sign in again")`)
	b.press("Sign in")
	b.until("led to the provider", `document.querySelector("dialog[open] a.filled")`)
	if at := ask[string](b, `new URL(document.querySelector("dialog[open] a.filled").href).pathname + new URL(document.querySelector("dialog[open] a.filled").href).search`); at != "/login?again="+url.QueryEscape(a.user.Address) {
		t.Errorf("it leads to %s", at)
	}
	if ask[bool](b, `Boolean(document.querySelector("dialog[open] input[type=password]"))`) {
		t.Error("a password is asked for")
	}
	b.press("Go on")
	b.until("still signed out", `document.querySelector("dialog[open] .wrong:not([hidden])")`)
	b.lend(a.signInThere())
	b.press("Go on")
	b.until("signed in again", `!document.querySelector("dialog[open]")`)
	b.click(".editor")
	b.keys(", ever")
	b.until("kept after signing in again", `document.querySelector("[data-kept]").innerText.includes("Draft kept")`)
	if words := ask[string](b, `document.querySelector(".editor").innerText`); !strings.Contains(words, "Not to be lost") {
		t.Errorf("the text is now %q", words)
	}
}

// TestAProviderIsSetUpWithTheSite, in the step of its domain.
func TestAProviderIsSetUpWithTheSite(t *testing.T) {
	a := newAtProvider(t, testdb.SQLite(t))
	a.end()
	a.bare = true
	a.start()
	ca, err := os.ReadFile(a.mail.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	v := newVisitor(t, a.base)
	v.get(a.link()).want(200).form("form").press("", "").want(200)
	a.owner(v)
	v.formAround("input[name=url]").press("action", "next").want(200)
	v.formAround("button[value=look]").set("domain", "example.test").press("action", "look").want(200)
	if got := attr(v.one("input[id=d-oauth-redirect]"), "value"); got != a.base+"/oauth/callback" {
		t.Errorf("the redirect address is %q", got)
	}
	f := v.formAround("button[value=save]").attach("ca", file{"ca.pem", ca})
	for id, at := range map[string]testmail.Address{"imap": a.mail.IMAPS, "submission": a.mail.Submissions} {
		f.set(id+"_host", at.Host).set(id+"_port", fmt.Sprint(at.Port)).set(id+"_security", "tls")
	}
	f.set("oauth_kind", "oidc").set("oauth_client", a.client.ID).set("oauth_secret", a.client.Secret).set("oauth_issuer", testoidc.URL()+"/nowhere").press("action", "save").want(200)
	v.says("[role=alert]", "stands no description")
	if strings.Contains(string(v.body), a.client.Secret) {
		t.Error("the secret is shown")
	}
	v.formAround("button[value=save]").set("oauth_issuer", testoidc.URL()).set("oauth_secret", a.client.Secret).press("action", "save").want(200)
	v.says("main", "no password that could be tried")
	v.formAround("button[value=test]").press("action", "test").want(200).says("li", "IMAP 127.0.0.1 can what is needed PLAIN, LOGIN, XOAUTH2, OAUTHBEARER")
	if bad := v.texts("span[class=\"state bad\"]"); len(bad) > 0 {
		t.Errorf("the test of good servers says %q: %q", bad, v.texts("li"))
	}
	v.formAround("button[value=next]").press("action", "next").want(200)
	v.form("form[action=/setup/finish]").press("", "").want(200)
	v.get("/admin/health").want(200).says("main", "Nothing is broken. What is marked below you should know.") // there is no https
	a.signInThere()
}

func linkTo(v *visitor, words string) *html.Node {
	v.t.Helper()
	for _, n := range v.all("a") {
		if strings.HasPrefix(text(n), words) {
			return n
		}
	}
	v.t.Fatalf("%s has no link %q", v.url, words)
	return nil
}

// TestP2_AMailboxIsImportedByItsOwnConsent: the person's address and the old mailbox are two people at the provider.
func TestP2_AMailboxIsImportedByItsOwnConsent(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		a := newAtProvider(t, db)
		old := a.mail.NewUser(t)
		a.mail.Deliver(t, old, testmail.Mail("Ben <ben@old.test>", "Old mail", "Once upon a time."))
		v := a.signInThere()
		form := func() *form {
			v.get("/imports").want(200).form("form[data-source]").set("username", old.Address).press("action", "start").want(200)
			if v.has("input[id=src-password]") {
				t.Error("a password is asked for")
			}
			return v.form("form[data-source]").set("every", "15")
		}
		form().press("action", "start").want(200)
		v.goOn().want(403).says("[role=alert]", "Choose the account of "+old.Address)
		a.client.Set(func(c *testoidc.Client) { c.Who = testoidc.Person{Subject: "of " + old.Address, Email: old.Address} })
		form().press("action", "start").want(200)
		v.goOn().want(200).says("[role=status]", "at 127.0.0.1")
		eventually(t, "all is here", func() bool { return strings.Contains(v.state(), "All is here: one mail") })
		if v.get("/mail/1/INBOX").want(200).row("Old mail") == "" {
			t.Error("the mail is not in the inbox")
		}
		if _, err := a.house.store.UserByIdentity(context.Background(), testoidc.URL(), "of "+old.Address); err == nil {
			t.Error("the consent lets somebody sign in")
		}

		v.form("form[action=/logout]").press("", "").want(200) // and it goes on meanwhile
		a.mail.Deliver(t, old, testmail.Mail("Ben <ben@old.test>", "Newer mail", "Twice."))
		if err := a.house.queue.RunSource(context.Background(), 1, 1); err != nil {
			t.Fatal(err)
		}
		talk := a.mail.Talk(t, a.user)
		eventually(t, "the newer one comes", func() bool { return talk.Count("INBOX") == 2 })

		own := testoidc.Person{Subject: "subject of " + a.user.Address, Email: a.user.Address}
		a.client.Set(func(c *testoidc.Client) { c.Who = own })
		a.client.Forget()
		v = a.signInThere()
		v.get("/imports").want(200).form("form[data-source-run]").press("action", "run").want(200)
		eventually(t, "it says what is wrong", func() bool { return strings.Contains(v.state(), "Agree there again") })
		a.client.Set(func(c *testoidc.Client) { c.Who = testoidc.Person{Subject: "of " + old.Address, Email: old.Address} })
		v.formAround("button[value=provider]").press("action", "provider").want(200)
		v.goOn().want(200)
		eventually(t, "it goes on", func() bool { return strings.Contains(v.state(), "All is here: 2 mails") })
	})
}
