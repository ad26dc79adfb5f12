package main

import (
	"fmt"
	"testing"
	"time"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

// TestTheListGoesToADate: the form in its menu leads to the page on which that day's mail stands.
func TestTheListGoesToADate(t *testing.T) {
	srv := testmail.Demo(t)
	s := newSite(t, srv, testdb.SQLite(t), nil)
	anna := srv.NewUser(t)
	talk := srv.Talk(t, anna)
	for n := range 120 { // one a day, from the first of March on
		talk.AppendAt("INBOX", time.Date(2024, time.March, n+1, 12, 0, 0, 0, time.UTC), testmail.Mail("Ben <ben@keller.example>", fmt.Sprintf("Day %03d", n+1), "Text."))
	}
	v := s.signIn(anna)
	f := v.form("form[action=/mail/1/INBOX]")
	if got := f.values.Get("on"); got != "2024-06-28" {
		t.Errorf("the form begins at %q, not at the day of the first row", got)
	}
	f.set("on", "2024-03-20").press("", "").want(200)
	if v.url.RequestURI() != "/mail/1/INBOX?page=3" || v.row("Day 020") == "" {
		t.Errorf("it leads to %s", v.url)
	}
	v.get("/mail/1/INBOX?order=asc").form("form[action=/mail/1/INBOX]").set("on", "2024-06-01").press("", "").want(200)
	if v.url.RequestURI() != "/mail/1/INBOX?order=asc&page=2" || v.row("Day 093") == "" {
		t.Errorf("oldest first, it leads to %s", v.url)
	}
	if v.get("/mail/1/INBOX?filter=unread").has("input[name=on]") {
		t.Error("a filtered list offers dates")
	}
}

// TestTheDayThatWasJumpedToIsInSight: its first mail has the keyboard.
func TestTheDayThatWasJumpedToIsInSight(t *testing.T) {
	srv := testmail.Demo(t)
	anna := srv.NewUser(t)
	talk := srv.Talk(t, anna)
	first := time.Date(2024, 1, 1, 12, 0, 0, 0, time.UTC)
	for i := range 45 {
		day := first.AddDate(0, 0, i)
		talk.AppendAt("INBOX", day, fmt.Sprintf("From: Ben <ben@keller.example>\r\nSubject: %s\r\nDate: %s\r\n\r\ntext\r\n", day.Format("Jan 2"), day.Format(time.RFC1123Z)))
	}
	b := newTab(t, newSite(t, srv, testdb.SQLite(t), nil), wide)
	b.signIn(anna)
	b.click(".list-menu summary")
	ask[bool](b, `(document.querySelector("#jump-on").value = "2024-01-10", true)`)
	b.press("Go")
	b.until("the mail of that day is in sight and has the keyboard", `(() => { const row = document.activeElement.closest(".row"); return row?.querySelector(".row-subject").innerText === "Jan 10" && row.getBoundingClientRect().bottom <= innerHeight; })()`)
}
