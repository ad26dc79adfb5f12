package main

import (
	"strings"
	"testing"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

// TestTheSenderLeadsToTheirMail: the name over a mail opens what can be done with who wrote it.
func TestTheSenderLeadsToTheirMail(t *testing.T) {
	srv := testmail.Demo(t)
	s := newSite(t, srv, testdb.SQLite(t), nil)
	anna := srv.NewUser(t)
	srv.Deliver(t, anna, testmail.Mail("Ben <ben@keller.example>", "Harbour", "One."), testmail.Mail("Rosa <rosa@ridge.example>", "Ridge", "Two."),
		testmail.Mail("Ben <ben@keller.example>", "Again", "Three."))
	v := s.signIn(anna).open("Harbour").want(200)
	page := v.url.String()
	for _, a := range v.all("a[data-compose-link]") {
		if text(a) == "Write" && attr(a, "href") != "/compose" {
			v.get(attr(a, "href")).want(200)
		}
	}
	if got := attr(v.one("input[name=to]"), "value"); got != "Ben <ben@keller.example>" {
		t.Errorf("Write leads to a mail to %q", got)
	}
	v.get(page)
	for _, a := range v.all("a") {
		if text(a) == "All mail from here" {
			v.get(attr(a, "href")).want(200)
		}
	}
	if n := len(v.all("li[data-uid]")); n != 2 || v.row("Again") == "" {
		t.Errorf("%d mails from Ben, not 2", n)
	}
}

// TestColoursAsSentAreRememberedForASender, in every mail of theirs, until they are to suit the page again.
func TestColoursAsSentAreRememberedForASender(t *testing.T) {
	srv := testmail.Demo(t)
	s := newSite(t, srv, testdb.SQLite(t), nil)
	anna := srv.NewUser(t)
	letter := func(from, subject string) string {
		return strings.Replace(testmail.Mail(from, subject, `<p style="color:#224466">Blue</p>`), "text/plain", "text/html", 1)
	}
	srv.Deliver(t, anna, letter("Shop <news@shop.example>", "First"), letter("Shop <News@shop.example>", "Second"), letter("Else <else@else.example>", "Other"))
	v := s.signIn(anna)
	original := func(subject string) bool {
		v.get("/mail/1/INBOX").open(subject).want(200)
		page := v.url.String()
		frame := attr(v.one("iframe[data-message-body]"), "src")
		suited := strings.Contains(string(v.get(frame).want(200).body), "light-dark(#224466")
		if suited == strings.Contains(frame, "theme=original") {
			t.Errorf("%s: %s, and suited %v", subject, frame, suited)
		}
		v.get(page)
		return !suited
	}
	if original("First") {
		t.Fatal("a letter has its own colours unasked")
	}
	v.form("form[id=colours-form]").press("colours", "original").want(200)
	for subject, want := range map[string]bool{"First": true, "Second": true, "Other": false} {
		if original(subject) != want {
			t.Errorf("%s: colours as sent %v", subject, !want)
		}
	}
	original("Second")
	v.form("form[id=colours-form]").press("colours", "adapted").want(200)
	if original("First") {
		t.Error("the wish cannot be taken back")
	}
	v.get("/settings/general").form("form[action=/settings/general]").set("letters", "original").press("", "").want(200)
	if !original("Other") || v.has("button[name=colours]") {
		t.Error("the wish for all letters does not hold")
	}
}
