package main

import (
	"bytes"
	"testing"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

// TestPicksStayWhileThePagesAreTurned: what is picked on one page is acted on from another, is picked when its page comes
// again, and is let go by Escape and in another folder. A quick tool means its row alone.
func TestPicksStayWhileThePagesAreTurned(t *testing.T) {
	b, srv, anna := tabWith(t, 60)
	talk := srv.Talk(t, anna)
	pick := func(letter string) { b.click(`.row:has([aria-label*="Letter ` + letter + `"]) .pick`) }
	turn := func(rel, shows string) {
		t.Helper()
		b.click(`nav.pages a[rel=` + rel + `]`)
		b.until("the page is turned", `[...document.querySelectorAll(".row-subject")].some((s) => s.innerText === "Letter " + $)`, shows)
	}
	says := func(words string) {
		t.Helper()
		b.until("the bar says "+words, `(document.querySelector(".action-count")?.checkVisibility() ? document.querySelector(".action-count").innerText : "") === $`, words)
	}
	pick("58")
	pick("57")
	says("✕ 2 selected")
	turn("next", "05")
	says("✕ 2 selected")
	pick("05")
	says("✕ 3 selected")
	turn("prev", "58")
	says("✕ 3 selected")
	if n := ask[int](b, `document.querySelectorAll(".row .pick :checked").length`); n != 2 {
		t.Errorf("%d rows are picked on the first page", n)
	}
	ask[bool](b, `(document.querySelector("h1").click(), true)`)
	b.keys("e")
	b.sees("3 moved to Archive")
	eventually(t, "all three are in the archive", func() bool { return talk.Count("Archive") == 3 && talk.Count("INBOX") == 57 })
	says("")

	pick("50")
	turn("next", "04")
	says("✕ 1 selected")
	b.keys("\x1b")
	says("")
	turn("prev", "50")
	says("")

	pick("50")
	b.click(`nav.folders a[data-mailbox="Archive"]`)
	b.until("another folder", `location.pathname.endsWith("/Archive") && document.querySelectorAll("[data-rows] > .row").length === 3`)
	says("")
	b.click(`nav.folders a[data-mailbox="INBOX"]`)
	b.until("the inbox", `location.pathname.endsWith("/INBOX") && document.querySelectorAll("[data-rows] > .row").length === 50`)
	says("")
}

// TestWithoutScriptsItIsSaidThatTicksCountForThePage, where there are several.
func TestWithoutScriptsItIsSaidThatTicksCountForThePage(t *testing.T) {
	srv := testmail.Demo(t)
	anna := srv.NewUser(t)
	v := newSite(t, srv, testdb.SQLite(t), nil).signIn(anna)
	for _, n := range []int{3, 60} {
		want := n > 50
		var letters []string
		for range n {
			letters = append(letters, testmail.Mail("ben@keller.example", "x", "x"))
		}
		srv.Deliver(t, anna, letters...)
		if v.get("/").want(200); bytes.Contains(v.body, []byte("Ticks count for this page only.")) != want {
			t.Errorf("%d mails: it is said: %v", n, !want)
		}
	}
}
