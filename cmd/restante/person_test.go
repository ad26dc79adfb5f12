package main

import (
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
