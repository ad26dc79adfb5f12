package main

import (
	"strings"
	"testing"

	"restante/internal/config"
	"restante/internal/testdb"
	"restante/internal/testmail"
)

// TestAListIsLeftInOneClickOnlyWhereItsSenderSignedThat; else by mail, or on the list's own page.
func TestAListIsLeftInOneClickOnlyWhereItsSenderSignedThat(t *testing.T) {
	srv := testmail.Demo(t)
	anna := srv.NewUser(t)
	const proof, post = "Authentication-Results: mx.example.test; dkim=pass header.d=shop.example\r\n", "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
	const sign = "DKIM-Signature: v=1; d=shop.example; h=from:list-unsubscribe:list-unsubscribe-post; b=x\r\n"
	const link, mail = "<https://127.0.0.1/stop>", "<mailto:leave@shop.example?subject=leave>"
	letter := func(subject, fields string) string {
		return fields + testmail.Mail("Shop <news@shop.example>", subject, "Buy.")
	}
	srv.Deliver(t, anna, letter("Signed", proof+sign+post+"List-Unsubscribe: "+mail+", "+link+"\r\n"), letter("Unsigned", proof+post+"List-Unsubscribe: "+mail+", "+link+"\r\n"),
		letter("Link", "List-Unsubscribe: "+link+"\r\n"), letter("Bad", "List-Unsubscribe: <javascript:alert(1)>, <http://x.example/>\r\n"), letter("None", ""), letter("Archive", "List-Id: Charts <charts.shop.example>\r\nList-Archive: <https://lists.example/charts>\r\n"))
	v := newSite(t, srv, testdb.SQLite(t), func(c *config.Config) { c.Domain.Authserv = "mx.example.test" }).signIn(anna)
	v.open("Signed").want(200).says("button[data-unsubscribe]", "Unsubscribe from 127.0.0.1")
	v.formAround("button[data-unsubscribe]").press("", "").want(200).says("body", "did not take it") // an inner address: never asked
	if v.get("/mail/1/INBOX").open("Unsigned").want(200); v.has("button[data-unsubscribe]") || !strings.HasPrefix(attr(v.one("a[data-unsubscribe]"), "href"), "/compose?mailto=") {
		t.Error("what nobody signed is asked by our server")
	}
	if f := v.follow("a[data-unsubscribe]").want(200).form("form[data-compose]"); f.values.Get("to") != "leave@shop.example" || f.values.Get("subject") != "leave" {
		t.Errorf("the mail is %v", f.values)
	}
	if v.get("/mail/1/INBOX").open("Link").want(200); attr(v.one("a[data-unsubscribe]"), "href") != "https://127.0.0.1/stop" {
		t.Error("the page of the list is not offered")
	}
	v.get("/mail/1/INBOX").open("Archive").want(200).says("a[href=https://lists.example/charts]", "Archive of the list")
	for _, subject := range []string{"Bad", "None"} {
		if v.get("/mail/1/INBOX").open(subject).want(200); v.has("[data-unsubscribe]") {
			t.Errorf("%s offers a way out", subject)
		}
	}
}
