package main

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"restante/internal/store"
	"restante/internal/testdb"
	"restante/internal/testmail"
)

// from is the value of the From choice for an address.
func (v *visitor) from(address string) string {
	v.t.Helper()
	for _, o := range v.all("option") {
		if strings.Contains(text(o), address) {
			return attr(o, "value")
		}
	}
	v.t.Fatalf("%s is no sender in %q", address, v.texts("option"))
	return ""
}

// sender is the address that the form on the page writes from.
func (v *visitor) sender() string {
	v.t.Helper()
	now := v.form("form[data-compose]").values.Get("from")
	for _, o := range v.all("option") {
		if attr(o, "value") == now && strings.Contains(text(o), "@") {
			return text(o)
		}
	}
	return ""
}

// TestMailGoesOutThroughTheAccountOfItsAddress: each server only takes mail from those who are signed in there, so that a
// mail that came through was sent by the right one. The copy and the mark are where they belong.
func TestMailGoesOutThroughTheAccountOfItsAddress(t *testing.T) {
	for _, direction := range []string{"further", "first"} {
		t.Run(direction, func(t *testing.T) {
			e := newElsewhere(t, testdb.SQLite(t))
			own, ben := e.mail.Talk(t, e.anna), e.other.Talk(t, e.login)
			v := e.v
			// A new mail from the account one is in.
			address, copies, others, path, to := e.login.Address, ben, own, e.inbox, e.other.NewUser(t)
			if direction == "first" {
				address, copies, others, path, to = e.anna.Address, own, ben, "/", e.mail.NewUser(t)
			}
			v.get(path).want(200).follow("a[data-compose-link]").want(200)
			if !strings.Contains(v.sender(), address) {
				t.Fatalf("it is written from %q", v.sender())
			}
			v.form("form[data-compose]").set("to", to.Address).set("subject", "Through "+direction).set("body", "Hello.").press("action", "send").want(200)
			eventually(t, "the copy is there", func() bool { return copies.Count("Sent") == 1 })
			if n := others.Count("Sent"); n != 0 {
				t.Errorf("%d copies in the other account", n)
			}
			server := map[string]*testmail.Server{"further": e.other, "first": e.mail}[direction]
			eventually(t, "it has arrived", func() bool { return server.Talk(t, to).Count("INBOX") == 1 })
			if v.get("/outbox").want(200); v.has("[data-outbox-item]") {
				t.Errorf("it is still in the outbox: %q", v.texts("main"))
			}
		})
	}
}

func TestAnAnswerGoesOutThroughTheAccountOfItsMail(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		e := newElsewhere(t, db)
		own, ben := e.mail.Talk(t, e.anna), e.other.Talk(t, e.login)
		e.v.get(e.inbox).open("To Ben").want(200)
		for _, a := range e.v.all("a") {
			if strings.Contains(attr(a, "href"), "reply=1") {
				e.v.get(attr(a, "href")).want(200)
				break
			}
		}
		if !strings.Contains(e.v.sender(), e.login.Address) {
			t.Fatalf("the answer is from %q", e.v.sender())
		}
		to := e.other.NewUser(t)
		reply := func() *form {
			return e.v.form("form[data-compose]").set("to", to.Address).set("body", "Yes.").set("asked", "files subject")
		}
		reply().press("action", "send").want(200)
		eventually(t, "the mail is marked as answered", func() bool { return strings.Contains(ben.Flags("INBOX")[1], "Answered") })
		if ben.Count("Sent") != 1 || own.Count("Sent") != 0 || strings.Contains(own.Flags("INBOX")[1], "Answered") {
			t.Error("copy or mark are in the wrong account")
		}
	})
}

// TestAnAnswerToOnesOwnOtherAccount goes there, and not to the account that it is written in.
func TestAnAnswerToOnesOwnOtherAccount(t *testing.T) {
	s, v, anna, ben := twoAccounts(t, testdb.SQLite(t))
	s.mail.Deliver(t, ben, "From: Anna <"+anna.Address+">\r\nTo: Ben <"+ben.Address+">, Carl <carl@x.test>\r\nSubject: To oneself\r\n\r\ntext\r\n")
	for _, way := range []struct{ name, to string }{{"reply", "Anna <" + anna.Address + ">"}, {"replyall", "Anna <" + anna.Address + ">, Carl <carl@x.test>"}} {
		v.get(v.account(ben)).open("To oneself").want(200)
		at := slices.IndexFunc(v.all("a"), func(a *html.Node) bool { return strings.Contains(attr(a, "href"), way.name+"=1") })
		v.get(attr(v.all("a")[at], "href")).want(200)
		if to := v.form("form[data-compose]").values.Get("to"); to != way.to {
			t.Errorf("%s is to %q", way.name, to)
		}
	}
}

// TestAnAnswerFromAnotherAddress goes through the account of the address; what it answers is marked where it lies, in
// both directions.
func TestAnAnswerFromAnotherAddress(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		e := newElsewhere(t, db)
		own, ben := e.mail.Talk(t, e.anna), e.other.Talk(t, e.login)
		answers := func(inbox, subject, from string, to testmail.User) {
			t.Helper()
			e.v.get(inbox).open(subject).want(200)
			for _, a := range e.v.all("a") {
				if strings.Contains(attr(a, "href"), "reply=1") {
					e.v.get(attr(a, "href")).want(200)
					break
				}
			}
			f := e.v.form("form[data-compose]").set("to", to.Address).set("from", e.v.from(from))
			f.press("action", "send").want(200)
		}
		answers(e.inbox, "To Ben", e.anna.Address, e.mail.NewUser(t))
		eventually(t, "the mail in the further account is marked as answered", func() bool { return strings.Contains(ben.Flags("INBOX")[1], "Answered") })
		if own.Count("Sent") != 1 || ben.Count("Sent") != 0 {
			t.Error("the copy is in the wrong account")
		}
		answers("/", "To Anna", e.login.Address, e.other.NewUser(t))
		eventually(t, "the mail in the first account is marked as answered", func() bool { return strings.Contains(own.Flags("INBOX")[1], "Answered") })
		if own.Count("Sent") != 1 || ben.Count("Sent") != 1 {
			t.Error("the copy is in the wrong account")
		}
	})
}

// TestADraftLiesInTheAccountOfItsAddress and goes along when that changes.
func TestADraftLiesInTheAccountOfItsAddress(t *testing.T) {
	e := newElsewhere(t, testdb.SQLite(t))
	own, ben := e.mail.Talk(t, e.anna), e.other.Talk(t, e.login)
	count := func(k *testmail.Talk) int {
		if _, status := k.Try("EXAMINE Drafts"); !strings.HasPrefix(status, "OK") {
			return 0
		}
		return k.Count("Drafts")
	}
	v := e.v.get("/compose").want(200)
	v.form("form[data-compose]").set("to", "x@x.test").set("subject", "Moving house").set("body", "One").press("action", "save").want(200)
	if count(own) != 1 || count(ben) != 0 {
		t.Errorf("%d and %d drafts", count(own), count(ben))
	}
	v.form("form[data-compose]").set("from", v.from(e.login.Address)).press("action", "save").want(200)
	if count(own) != 0 || count(ben) != 1 {
		t.Errorf("%d and %d drafts after the sender was changed", count(own), count(ben))
	}
	draft := v.url.Path
	v.get(strings.Replace(e.inbox, "INBOX", "Drafts", 1)).want(200).open("Moving house").want(200)
	if v.url.Path != draft || !strings.Contains(v.sender(), e.login.Address) {
		t.Errorf("it opens as %s from %s", v.url, v.sender())
	}
	v.form("form[data-compose]").press("action", "discard").want(200)
	if count(ben) != 0 {
		t.Error("its copy stays")
	}
	v.formAround("button[data-undo]").press("", "").want(200)
	eventually(t, "its copy is back", func() bool { return count(ben) == 1 })
}

// TestAMailOfAFurtherAccountWaitsThroughARestart: it keeps its account, and the account cannot be removed meanwhile.
func TestAMailOfAFurtherAccountWaitsThroughARestart(t *testing.T) {
	e := newElsewhere(t, testdb.SQLite(t))
	e.conf.UndoSeconds = 3
	e.restart()
	to := e.other.NewUser(t)
	v := e.v.get("/compose?account=" + strings.Split(e.inbox, "/")[2]).want(200)
	v.form("form[data-compose]").set("to", to.Address).set("subject", "Later").set("body", "Hello.").press("action", "send").want(200)
	v.get("/settings/accounts").formAround("button[value=remove]").press("action", "remove").want(200).says("[role=alert]", "wait in the outbox")
	e.restart()
	eventually(t, "it has arrived", func() bool { return e.other.Talk(t, to).Count("INBOX") == 1 })
	eventually(t, "the account can be removed", func() bool {
		v.get("/settings/accounts").formAround("button[value=remove]").press("action", "remove").want(200)
		return !v.has("button[value=remove]")
	})
}

// TestAMailThatWaitsGoesOutWithTheNewPassword of its further account.
func TestAMailThatWaitsGoesOutWithTheNewPassword(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		e := newElsewhere(t, db)
		e.conf.UndoSeconds = 8
		e.restart()
		id, err := strconv.ParseInt(strings.Split(e.inbox, "/")[2], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		account := store.Account{ID: id, UserID: 1, Address: e.login.Address, Username: e.login.Address}
		if err := e.house.queue.SetAccountPassword(t.Context(), account, "old"); err != nil {
			t.Fatal(err)
		}
		to := e.other.NewUser(t)
		v := e.v.get("/compose?account=" + strings.Split(e.inbox, "/")[2]).want(200)
		v.form("form[data-compose]").set("to", to.Address).set("subject", "Later").set("body", "Hello.").press("action", "send").want(200)
		v.get("/settings/accounts").formAround("button[value=password]").set("password", e.login.Password).press("action", "password").want(200).says("[role=status]", "Kept")
		eventually(t, "it has arrived", func() bool { return e.other.Talk(t, to).Count("INBOX") == 1 })
	})
}
