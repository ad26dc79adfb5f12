package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"restante/internal/config"
	"restante/internal/testdb"
	"restante/internal/testmail"
)

func disguised(subject, head, kind, text string) string {
	return head + "To: somebody@example.test\r\nSubject: " + subject + "\r\nMessage-ID: <" + subject + "@odd.example>\r\nDate: Tue, 03 Nov 2026 14:32:00 +0100\r\n" +
		"MIME-Version: 1.0\r\nContent-Type: text/" + kind + "; charset=utf-8\r\n\r\n" + text + "\r\n"
}

// TestTheLinksOfADisguisedSenderAreLocked until the reader asks for them, which is never remembered.
func TestTheLinksOfADisguisedSenderAreLocked(t *testing.T) {
	srv := testmail.Demo(t)
	s := newSite(t, srv, testdb.SQLite(t), func(c *config.Config) { c.Domain.Authserv = "mx.example.test" })
	anna := srv.NewUser(t)
	domain := srv.Domain
	const link = `<p>Sign in: <a href="https://bank.example/in">here</a>, or see bank.example</p>`
	srv.Deliver(t, anna,
		disguised("Plain", "From: Bank <office@bank.example>\r\n", "html", link),
		disguised("Named", "From: \"office@bank.example\" <x@odd.example>\r\n", "html", link),
		disguised("Elsewhere", "From: Bank <office@bank.example>\r\nReply-To: collect@odd.example\r\n", "plain", "See https://bank.example/in"),
		disguised("Nearly", "From: Anna <anna@"+strings.Replace(domain, "o", "0", 1)+">\r\n", "html", link),
		disguised("Failed", "Authentication-Results: mx.example.test; dmarc=fail header.from=bank.example\r\nFrom: Bank <office@bank.example>\r\n", "html", link),
		disguised("Forged", "Authentication-Results: evil.example; dmarc=fail\r\nFrom: Bank <office@bank.example>\r\n", "html", link),
		disguised("Passed", "Authentication-Results: mx.example.test; dmarc=pass (p=reject; x) header.from=bank.example\r\nFrom: Bank <office@bank.example>\r\n", "html", link),
	)
	v := s.signIn(anna)
	links := func(v *visitor) int {
		if v.has("iframe[data-message-body]") {
			return len(v.get(attr(v.one("iframe[data-message-body]"), "src")).want(200).all("a[href]"))
		}
		return len(v.all("a[href][rel=\"noopener noreferrer nofollow\"]"))
	}
	for _, subject := range []string{"Plain", "Forged", "Passed"} {
		v.get("/mail/1/INBOX").open(subject).want(200)
		if v.has("div[role=note]") {
			t.Errorf("%s: a warning without a reason: %v", subject, v.texts("div[role=note]"))
		}
		if subject == "Passed" {
			v.says("details", "bank.example vouches for this message")
		}
		if links(v) == 0 {
			t.Errorf("%s: the links are locked", subject)
		}
	}
	for subject, words := range map[string]string{"Named": "The name says office@bank.example, but the message comes from x@odd.example.",
		"Elsewhere": "An answer would go to collect@odd.example", "Nearly": "which only looks like " + domain, "Failed": "bank.example does not vouch for this message"} {
		v.get("/mail/1/INBOX").open(subject).want(200)
		page := v.url.String()
		v.says("div[role=note]", words)
		v.says("div[role=note]", "Links in it are switched off.")
		if n := links(v); n != 0 {
			t.Errorf("%s: %d links stand open", subject, n)
		}
		v.get(page).follow("[data-show-links]").want(200)
		v.says("div[role=note]", words)
		for _, a := range append(v.all("a[rel=next]"), v.all("a[rel=prev]")...) {
			if strings.Contains(attr(a, "href"), "links=1") {
				t.Errorf("%s: the next mail is unlocked too: %s", subject, attr(a, "href"))
			}
		}
		if v.has("[data-show-links]") || links(v) == 0 {
			t.Errorf("%s: the links stay locked when they were asked for", subject)
		}
		v.get(page)
		if links(v) != 0 {
			t.Errorf("%s: that links were shown once is remembered", subject)
		}
	}
	v.get("/mail/1/INBOX").open("Named")
	req, err := http.NewRequest(http.MethodGet, v.url.String()+"?links=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"Site": "cross-site", "Mode": "navigate", "Dest": "document"} {
		req.Header.Set("Sec-Fetch-"+name, value)
	}
	if v.do(req).want(200); !v.has("[data-show-links]") {
		t.Error("another site's link unlocked the links")
	}
}

// TestAStrangerWhoAsksForASignInOrMoneyIsToldOf by a note that locks nothing, unless they are known; what shops and
// newsletters have in their feet is nothing to tell of.
func TestAStrangerWhoAsksForASignInOrMoneyIsToldOf(t *testing.T) {
	srv := testmail.Demo(t)
	s := newSite(t, srv, testdb.SQLite(t), nil)
	anna := srv.NewUser(t)
	talk := srv.Talk(t, anna)
	const foot = `<p>You get this as a reader. <a href="https://news.example/login">Log in</a> to your account to change what you get, or <a href="https://news.example/out">unsubscribe</a>.</p>`
	now := time.Now()
	mail := func(subject, head, kind, text string) {
		talk.AppendAt("INBOX", now, disguised(subject, head, kind, text))
	}
	mail("Suspended", "From: Support <help@cloud.example>\r\n", "html", `<p>Your <b>account</b> has been suspended. <a href="https://cloud.example/in">Sign in</a></p>`)
	mail("Quiet", "From: Support <quiet@cloud.example>\r\n", "plain", "Your account has been suspended. Call us.")
	mail("Gesperrt", "From: Service <service@sparbank.example>\r\n", "plain", "Ihr Zugang wurde gesperrt.\r\nBitte bestätigen Sie Ihre Zugangsdaten: https://sparbank.example/in")
	mail("Cards", "From: The boss <boss@free.example>\r\n", "plain", "I need you to buy gift cards today.")
	mail("Harbours", "From: The Tide Table <news@news.example>\r\nList-Unsubscribe: <https://news.example/out>\r\n", "html", "<p>Five harbours this week.</p>"+foot)
	mail("List", "From: Ola <ola@tide.example>\r\nList-Id: <tide.example>\r\n", "plain", "How I verify my account: https://tide.example/x Your account has been suspended, it said.")
	mail("Order", "From: Shop <shop@shop.example>\r\n", "html", `<p>Thank you for order 4711, paid by card. See it in <a href="https://shop.example/me">your account</a>.</p>`+foot)
	mail("Again", "From: Club <office@club.example>\r\n", "plain", "The fee of this year is an overdue payment.")
	mail("Between", "From: Ola <ola@tide.example>\r\n", "plain", "High water at six.")
	talk.AppendAt("INBOX", now.Add(-40*24*time.Hour), disguised("Minutes", "From: Club <office@club.example>\r\n", "plain", "Here are the minutes."))

	v := s.signIn(anna)
	for subject, words := range map[string]string{
		"Suspended": "You never wrote to help@cloud.example, and this asks you to sign in or to confirm who you are.",
		"Gesperrt":  "You never wrote to service@sparbank.example, and this asks you to sign in",
		"Cards":     "You never wrote to boss@free.example, and this asks for money.",
		"Quiet":     "", "Harbours": "", "List": "", "Order": "", "Again": "", "Minutes": "",
	} {
		v.get("/mail/1/INBOX").open(subject).want(200)
		if words == "" {
			if v.has("div[role=note]") {
				t.Errorf("%s: told for nothing: %q", subject, v.texts("div[role=note]"))
			}
			continue
		}
		v.says("div[class=bar info disguise]", words)
		v.says("div[role=note]", "This can be real.")
		if v.has("[data-show-links]") {
			t.Errorf("%s: its links are locked", subject)
		}
	}
	beside, err := http.NewRequest(http.MethodGet, v.resolve("/mail/1/INBOX/"+v.get("/mail/1/INBOX").row("Again")), nil)
	if err != nil {
		t.Fatal(err)
	}
	beside.Header.Set("X-Restante-Beside", "1")
	if v.do(beside).want(200); v.has("div[role=note]") || !v.has("[data-message-text]") {
		t.Error("beside the list that shows an older mail of theirs, the club is a stranger")
	}
	v.get("/mail/1/INBOX").open("Suspended")
	if v.openAttribute("iframe[data-message-body]", "src").want(200); !v.has("a[href]") {
		t.Error("a note took the links away")
	}
	v.get("/search?q=cards").open("Cards").want(200).says("div[role=note]", "asks for money")
	v.get("/contacts/new").want(200).form("form[class=settings-form]").set("name", "The boss").set("address", "boss@free.example").press("action", "save").want(200)
	if v.get("/mail/1/INBOX").open("Cards").want(200).has("div[role=note]") {
		t.Errorf("somebody among the contacts is a stranger: %q", v.texts("div[role=note]"))
	}
}
