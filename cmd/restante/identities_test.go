package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"restante/internal/config"
	"restante/internal/testdb"
	"restante/internal/testmail"
	"restante/mailclient/discover"
)

// texts is an internet in which names have TXT records.
type texts struct {
	*internet
	txt map[string]string
}

func (x texts) LookupTXT(_ context.Context, name string) ([]string, error) {
	if v := x.txt[name]; v != "" {
		return []string{v}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// identity opens the form of one of the person's addresses, "" for a new one.
func (v *visitor) identity(address string) *form {
	v.t.Helper()
	v.get("/settings/identities").want(200)
	for _, a := range v.all("a[class=admin-link]") {
		if text(a) == address {
			return v.get(attr(a, "href")).want(200).form("form[data-identity-form]")
		}
	}
	if address != "" {
		v.t.Fatalf("%s is none of %q", address, v.texts("a[class=admin-link]"))
	}
	return v.get("/settings/identities/new").want(200).form("form[data-identity-form]")
}

// raw is a mail as it lies in a mailbox.
func raw(k *testmail.Talk, mailbox string, n int) string {
	k.Do("EXAMINE %s", mailbox)
	return strings.Join(k.Do("FETCH %d BODY.PEEK[]", n), "\n")
}

// TestAnAddressSendsThroughAServerOfItsOwn has a person at one Postfix write by an address of another, which takes mail
// from its own people alone.
func TestAnAddressSendsThroughAServerOfItsOwn(t *testing.T) {
	own, other := testmail.Postfix(t, testmail.PostfixOptions{}), testmail.Postfix(t, testmail.PostfixOptions{OwnSender: true})
	s := newSite(t, own, testdb.SQLite(t), func(c *config.Config) { c.AllowHosts = []string{"127.0.0.1"} })
	s.end()
	s.look = func(known *discover.Directory) *discover.Finder {
		dns := texts{newInternet(other), map[string]string{"example.test": "v=spf1 mx -all", "_dmarc.example.test": "v=DMARC1; p=reject"}}
		return discover.NewFinder(discover.FinderOptions{Dial: dns, Resolver: dns, Directory: known})
	}
	s.start()
	tap := testmail.NewTap(t, other.Submission)
	anna, ben, carl := own.NewUser(t), other.NewUser(t), other.NewUser(t)
	v := s.signIn(anna)
	picture, err := os.ReadFile("../../static/icons/postmark-192.png")
	if err != nil {
		t.Fatal(err)
	}
	typed := func(f *form) *form {
		return f.set("name", "Ben B.").set("address", ben.Address).set("organization", "Chess “Club”").set("bcc", anna.Address).set("signature", "Ben\nClub").
			set("own", "1").set("username", ben.Address).set("smtp_host", tap.Address.Host).set("smtp_port", fmt.Sprint(tap.Address.Port)).set("smtp_security", "none")
	}
	typed(v.identity("")).set("password", "wrong").press("action", "save").want(422).says("[role=alert]", tap.Address.Host+" does not take this name and password")
	if strings.Contains(string(v.body), "wrong") || v.form("form[data-identity-form]").values.Get("signature") != "Ben\nClub" {
		t.Error("the password is shown, or what was typed is gone")
	}
	typed(v.identity("")).set("password", ben.Password).set("address", carl.Address).press("action", "test").want(422).says("[role=alert]", "does not let you send as "+carl.Address)
	typed(v.identity("")).set("password", ben.Password).set("smtp_host", "localhost.test").press("action", "test").want(422).says("[role=alert]", "localhost.test")
	typed(v.identity("")).set("password", ben.Password).attach("picture", file{"logo.png", picture}).press("action", "test").want(200).says("[role=status]", "takes the password, and mail from "+ben.Address)
	v.says("[role=status]", "may not send for it")
	v.says("[role=status]", "such mail is refused")
	if other.Talk(t, ben).Count("INBOX") != 0 {
		t.Error("a test has sent something")
	}
	v.form("form[data-identity-form]").press("action", "save").want(200).says("[role=status]", "Identity kept") // password and picture are still there

	write := func(subject string) {
		v.get("/compose").want(200)
		v.form("form[data-compose]").set("from", v.from(ben.Address)).set("to", carl.Address).set("subject", subject).set("body", "Hello.").press("action", "send").want(200)
	}
	tap.Forget()
	write("By itself")
	eventually(t, "the mail arrives", func() bool { return other.Talk(t, carl).Count("INBOX") == 1 })
	got := raw(other.Talk(t, carl), "INBOX", 1)
	for _, want := range []string{"Return-Path: <" + ben.Address + ">", "From: \"Ben B.\" <" + ben.Address + ">", "Organization: =?utf-8?"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if said := tap.Said(); !strings.Contains(said, "MAIL FROM:<"+ben.Address+">") {
		t.Errorf("the address's own server heard %q", said)
	}
	eventually(t, "the copy is in the account's own Sent, once", func() bool { return own.Talk(t, anna).Count("Sent") == 1 })

	v.identity(ben.Address).set("password", "changed since").press("action", "save").want(422).form("form[data-identity-form]").press("action", "anyway").want(200)
	write("Held up")
	eventually(t, "the outbox names the server", func() bool {
		return strings.Contains(string(v.get("/outbox").want(200).body), tap.Address.Host+" does not take the password that is kept for "+ben.Address)
	})
	v.follow("a[class=button filled]").want(200).form("form[data-identity-form]").set("password", ben.Password).press("action", "save").want(200)
	eventually(t, "it goes out by itself", func() bool { return other.Talk(t, carl).Count("INBOX") == 2 })

	v.identity(ben.Address).set("password", "changed since").press("action", "save").want(422).form("form[data-identity-form]").press("action", "anyway").want(200)
	write("Without a server")
	eventually(t, "it waits", func() bool { return strings.Contains(string(v.get("/outbox").body), "does not take the password") })
	off := v.identity(ben.Address)
	delete(off.values, "own")
	off.press("action", "save").want(200)
	v.get("/outbox").says("p", "has no sending server of its own any more")
	tap.Forget()
	v.form("form[class=outbox-acts]").press("action", "retry").want(200)
	eventually(t, "it goes out through the account", func() bool { return own.Talk(t, anna).Count("Sent") == 3 })
	if tap.Said() != "" {
		t.Error("the server that was removed was used")
	}
}
