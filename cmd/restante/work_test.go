package main

import (
	"fmt"
	"strings"
	"testing"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

// TestAllInAFolderIsActedOnInTheBackground: the page comes at once and tells how far it is, by plain reload too, and
// in the end what was done, with Undo.
func TestAllInAFolderIsActedOnInTheBackground(t *testing.T) {
	testmail.Each(t, func(t *testing.T, srv *testmail.Server) {
		s := newSite(t, srv, testdb.SQLite(t), nil)
		u := srv.NewUser(t)
		talk := srv.Talk(t, u)
		for i := range 620 {
			talk.Append("INBOX", "", testmail.Mail("Ben <ben@keller.example>", fmt.Sprintf("Letter %d", i), "x"))
		}
		v := s.signIn(u)
		told := func(words string) {
			t.Helper()
			eventually(t, words, func() bool {
				status := strings.Join(v.texts("[data-status]"), " ")
				if strings.Contains(status, words) {
					return true
				}
				if !strings.Contains(status, "Working on 620 messages.") {
					t.Fatalf("the page says %q", status)
				}
				v.get("/mail/1/INBOX")
				return false
			})
		}
		v.says("label", "All 620 in Inbox")
		v.form("form[data-list]").set("all", "1").press("action", "archive").want(200)
		told("620 moved to Archive.")
		v.get("/mail/1/Archive").want(200).says("p[class=list-range]", "1–50 of 620")
		if strings.Contains(strings.Join(v.texts("[data-status]"), ""), "620") {
			t.Error("it is told twice")
		}
		v.get("/mail/1/Archive").want(200)
		v.form("form[data-list]").set("all", "1").press("action", "read").want(200)
		told("620 marked read.")
		v.formAround("button[data-undo]").press("", "").want(200)
		told("Undone. Everything is back where it was.")
		v.get("/mail/1/Archive?filter=unread").want(200).says("p[class=list-range]", "1–50 of 620")
	})
}

// TestAllInAFolderIsActedOnInChromium: the toast tells how far it is and what came of it, and z takes it back.
func TestAllInAFolderIsActedOnInChromium(t *testing.T) {
	srv := testmail.Demo(t)
	s := newSite(t, srv, testdb.SQLite(t), nil)
	u := srv.NewUser(t)
	talk := srv.Talk(t, u)
	for i := range 1300 {
		talk.Append("INBOX", "", testmail.Mail("Ben <ben@keller.example>", fmt.Sprintf("Letter %d", i), "x"))
	}
	b := newTab(t, s, wide)
	b.signIn(u)
	b.keys("*a")
	b.sees("50 selected")
	b.click(".all input")
	b.click(".action-bar button[value=archive]")
	b.sees("300 moved to Archive.")
	b.until("the inbox is empty", `!document.querySelector("[data-uid]") && document.querySelector(".empty-words")`)
	b.keys("z")
	b.sees("Undone. Everything is back where it was.")
	b.until("the mails are back", `document.querySelector(".list-range").innerText.startsWith("1–50")`)
}
