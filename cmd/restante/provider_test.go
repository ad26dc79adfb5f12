package main

import (
	"net"
	"strings"
	"testing"

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
	for _, n := range v.all("a") {
		if strings.HasPrefix(text(n), "Go on with") {
			return v.get(attr(n, "href"))
		}
	}
	v.t.Fatalf("%s leads to no provider: %q", v.url, v.texts("main"))
	return nil
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
