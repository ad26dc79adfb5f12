package main

import (
	"net/url"
	"slices"
	"testing"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

// TestEachWordOfASearchIsTakenAwayByItsChip, in all folders and in one.
func TestEachWordOfASearchIsTakenAwayByItsChip(t *testing.T) {
	_, v, _ := searcher(t, testmail.Demo(t))
	count := func(what string, n int) {
		t.Helper()
		if got := len(v.all("[data-uid]")); got != n {
			t.Errorf("%s: %d hits, not %d", what, got, n)
		}
	}
	v.get("/search?q=" + url.QueryEscape(`from:priya subject:"needle 3" is:unread`)).want(200)
	count("all three words", 1)
	var shown, names []string
	for _, a := range v.all("a[class=chip]") {
		if n := attr(a, "aria-label"); n != "" {
			shown, names = append(shown, text(a)), append(names, n)
		}
	}
	if want := []string{"from priya", "subject needle 3", "unread"}; !slices.Equal(shown, want) {
		t.Errorf("the chips say %q", shown)
	}
	if want := []string{"Remove filter from priya", "Remove filter subject needle 3", "Remove filter unread"}; !slices.Equal(names, want) {
		t.Errorf("they are called %q", names)
	}
	v.follow("a[aria-label=Remove filter subject needle 3]").want(200)
	count("without the subject", 4)
	if got := v.form("form[class=search]").values.Get("q"); got != "from:priya is:unread" {
		t.Errorf("the field says %q", got)
	}
	v.get("/mail/1/INBOX?q=in:inbox+needle").want(200)
	count("in the inbox", 2)
	v.follow("a[aria-label=Remove filter in Inbox]").want(200)
	if count("everywhere", 4); v.url.Path != "/search" {
		t.Errorf("without its folder it leads to %s", v.url)
	}
	v.get("/mail/1/INBOX?q=subject:needle+-subject:3").want(200)
	count("but one", 1)
	v.follow("a[aria-label=Remove filter not subject 3]").want(200)
	if count("with that one", 2); v.url.Path != "/mail/1/INBOX" {
		t.Errorf("it left its folder for %s", v.url)
	}
	v.follow("a[aria-label=Remove filter subject needle]").want(200)
	if v.url.RequestURI() != "/mail/1/INBOX" {
		t.Errorf("the last word taken away leads to %s", v.url)
	}
	v.get("/search?q=<b>x</b>").want(200).says("a[class=chip]", "<b>x</b>")
}

// TestSearchesOfBeforeAreAtHand without scripts too, until their person signs out.
func TestSearchesOfBeforeAreAtHand(t *testing.T) {
	srv := testmail.Demo(t)
	u := srv.NewUser(t)
	s := newSite(t, srv, testdb.SQLite(t), nil)
	v := s.signIn(u)
	for _, q := range []string{"harbour", "from:maria", "harbour"} {
		v.get("/search?q=" + q).want(200)
	}
	v.get("/mail/1/INBOX?q=ridge").want(200)
	recent := func(v *visitor) (out []string) {
		for _, a := range v.get("/search").want(200).all("a[class=chip]") {
			out = append(out, text(a))
		}
		return out
	}
	if got := recent(v); !slices.Equal(got, []string{"ridge", "harbour", "from:maria"}) {
		t.Errorf("at hand are %q", got)
	}
	v.follow("a[class=chip]").want(200)
	if v.url.Query().Get("q") != "ridge" {
		t.Errorf("it leads to %s", v.url)
	}
	if got := recent(s.signIn(u)); len(got) != 0 {
		t.Errorf("another device has %q", got)
	}
}

// TestTheSearchFieldSuggests people, folders and searches of before, by keys and by mouse; Enter alone searches for what
// was typed.
func TestTheSearchFieldSuggests(t *testing.T) {
	srv := testmail.Demo(t)
	s := newSite(t, srv, testdb.SQLite(t), nil)
	u := srv.NewUser(t)
	srv.Deliver(t, u, testmail.Mail("Maria Keller <maria@keller.example>", "Figures", "The sums."), testmail.Mail("Ben <ben@keller.example>", "Harbour", "maria was there"))
	srv.Talk(t, u).Do("CREATE Marina")
	v := s.signIn(u)
	v.get("/contacts/new").want(200).form("form[class=settings-form]").set("name", "Maria Keller").set("address", "maria@keller.example").press("action", "save").want(200)
	b := newTab(t, s, wide)
	b.borrow(v)
	b.open("/search?q=maritime")
	b.open("/mail/1/INBOX")
	asked := func() int {
		return ask[int](b, `performance.getEntriesByType("resource").filter((e) => e.name.includes("/search/suggest")).length`)
	}
	const options = `[...document.querySelectorAll("form.search [role=option]")].filter((o) => o.checkVisibility()).map((o) => o.innerText.replace(/\s+/g, " ")).join("|")`
	b.keys("/mari")
	b.until("all kinds are there", `/^Maria Keller maria@keller.example\|Marina(\|Figures Maria Keller [^|]*)?\|maritime$/.test(`+options+`)`) // mails once they are known
	if n := asked(); n > 4 {
		t.Errorf("four keys asked %d times", n)
	}
	if marked := ask[string](b, `document.querySelector("#q").getAttribute("aria-activedescendant") ?? ""`); marked != "" {
		t.Error("Enter would take what nobody chose")
	}
	b.keys("↓")
	b.until("the first is marked", `document.getElementById(document.querySelector("#q").getAttribute("aria-activedescendant"))?.ariaSelected === "true"`)
	b.focusIsSeen()
	b.keys("\r")
	b.until("her mail is found", `new URLSearchParams(location.search).get("q") === "from:maria@keller.example" && document.querySelectorAll("[data-uid]").length === 1`)
	b.until("focus is on the hit", `document.activeElement.closest("[data-uid]")`)

	b.open("/mail/1/INBOX")
	b.keys("/is:unread mari")
	b.until("she is offered behind another word", options+`.startsWith("Maria Keller")`)
	b.keys("\x1b")
	b.until("Esc closes the list alone", options+` === "" && document.querySelector("#q").value === "is:unread mari" && document.activeElement.id === "q"`)
	b.keys("a")
	b.until("it comes again", options+`.startsWith("Maria Keller")`)
	b.click("form.search [role=option]")
	b.until("the words before stay", `new URLSearchParams(location.search).get("q") === "is:unread from:maria@keller.example"`)

	b.open("/mail/1/INBOX")
	b.keys("/marin")
	b.until("the folder is offered", options+` === "Marina"`)
	b.keys("↑")
	b.keys("\r")
	b.until("the folder is open", `location.pathname === "/mail/1/Marina" && document.querySelector("#list-title").innerText === "Marina"`)
	b.open("/mail/1/INBOX")
	b.keys("/maria\r")
	b.until("Enter searches for what was typed", `new URLSearchParams(location.search).get("q") === "maria" && document.querySelectorAll("[data-uid]").length === 2 && `+options+` === ""`)

	b.open("/search")
	b.until("the caret is in the field", `document.activeElement.id === "words" && document.activeElement.role === "combobox"`)
	b.keys("↓")
	b.until("searches of before are offered", `[...document.querySelectorAll("#words-offers [role=option]")].some((o) => o.innerText.includes("maritime"))`)
}
