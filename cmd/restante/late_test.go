package main

import (
	"strings"
	"testing"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

// held makes a tab's next request whose method and path are these wait on its way back until release.
func held(b *tab, method, path string) (release func()) {
	b.t.Helper()
	ask[bool](b, `(() => {
		const real = globalThis.fetch;
		globalThis.arrived = false;
		const wait = new Promise((go) => { globalThis.release = go; });
		globalThis.fetch = async (url, init) => {
			const to = new URL(url, location.href).pathname;
			if ((init?.method ?? "GET") !== $ || !to.endsWith($)) return real(url, init);
			globalThis.fetch = real;
			const response = await real(url, init);
			globalThis.arrived = true;
			await wait;
			return response;
		};
		return true;
	})()`, method, path)
	return func() {
		b.t.Helper()
		b.until("the answer is on its way", `globalThis.arrived`)
		ask[bool](b, `(globalThis.release(), true)`)
	}
}

// TestWhoWentOnIsNotCalledBack: what comes late changes neither the place nor the mail that the person went to meanwhile.
func TestWhoWentOnIsNotCalledBack(t *testing.T) {
	b, srv, anna := tabWith(t, 6)
	b.until("the list has come", `document.querySelectorAll("[data-rows] > .row").length === 6`)

	release := held(b, "POST", "/actions")
	b.click(`.row:has([aria-label*="Letter 5"]) .pick`)
	b.keys("e")
	b.press("Letter 2")
	b.until("another mail is opened meanwhile", `document.querySelector("#subject")?.innerText === "Letter 2"`)
	release()
	b.sees("Moved to Archive")
	b.until("it is still open", `location.pathname.includes("/INBOX/") && document.querySelector("#subject")?.innerText === "Letter 2" && document.querySelector(".row[data-current] [aria-current]")`)
	b.until("the list tells what was done", `document.querySelectorAll("[data-rows] > .row").length === 5 && document.querySelector(".list-range").innerText.includes("of 5")`)

	release = held(b, "POST", "/actions")
	b.click(`.row:has([aria-label*="Letter 4"]) .pick`)
	b.keys("e")
	b.press("Trash")
	b.until("another folder is opened meanwhile", `document.querySelector("h1").innerText === "Trash"`)
	release()
	b.until("what was done is told there", `document.querySelector("[data-status] [data-undo]") && location.pathname.endsWith("/Trash") && document.querySelector("h1").innerText === "Trash" && document.title.includes("Trash")`)

	b.press("Inbox")
	b.until("the inbox is back", `document.querySelectorAll("[data-rows] > .row").length === 4 && document.querySelector("h1").innerText === "Inbox"`)
	release = held(b, "GET", "/INBOX")
	srv.Deliver(t, anna, testmail.Mail("Ben <ben@keller.example>", "Letter 9", "The text of letter 9."))
	b.until("the news are asked for", `globalThis.arrived`)
	b.press("Archive")
	b.until("the archive is opened meanwhile", `document.querySelector("h1").innerText === "Archive" && document.querySelectorAll("[data-rows] > .row").length === 2`)
	release()
	if list := ask[string](b, `new Promise((done) => setTimeout(() => done(location.pathname + " " + document.querySelector("form[data-list]").getAttribute("action") + " " + document.title), 300))`); !strings.Contains(list, "/Archive/actions ") || !strings.Contains(list, "Archive ·") {
		t.Errorf("the list of another folder came up late: %s", list)
	}
}

// TestTheListShowsTheMailThatIsOpen: the way on from the last mail of a page leads to the next page, and an address that
// is older than the mails that came since to the page where its mail is now.
func TestTheListShowsTheMailThatIsOpen(t *testing.T) {
	b, _, _ := tabWith(t, 53)
	b.until("the list has come", `document.querySelectorAll("[data-rows] > .row").length === 50`)
	shows := func(n string, rows int) {
		t.Helper()
		b.until("letter "+n+" is open and current in its list", `document.querySelector("#subject")?.innerText === "Letter " + $ && [...document.querySelectorAll(".row[data-current] .row-subject")].map((r) => r.innerText).join() === "Letter " + $ && document.querySelectorAll("[data-rows] > .row").length === $`, n, n, rows)
	}
	ask[bool](b, `(document.querySelector("#list").scrollTop = 1e6, true)`)
	b.press("Letter 03")
	shows("03", 50)
	b.click(`.steps [rel=next]`)
	shows("02", 3)
	b.click(`.steps [rel=prev]`)
	shows("03", 50)
	ask[bool](b, `(history.back(), true)`)
	shows("02", 3)
	b.open(ask[string](b, `location.pathname`)) // without its page
	shows("02", 3)
	b.keys("u")
	b.until("the way back is its page", `!document.querySelector("[data-message]") && location.search === "?page=2" && document.activeElement.closest(".row")?.innerText.includes("Letter 02")`)
}

// TestAFilteredListKeepsWhatWasReadInIt, however quickly one mail is opened after the other.
func TestAFilteredListKeepsWhatWasReadInIt(t *testing.T) {
	b, _, _ := tabWith(t, 5)
	b.press("Unread")
	b.until("the filter is on", `location.search === "?filter=unread"`)
	ask[bool](b, `new Promise((done) => {
		document.addEventListener("restante:page", function next() {
			const open = document.querySelector("#subject")?.innerText;
			if (open === "Letter 4") document.querySelector('.row:has([aria-label*="Letter 3"]) [data-message-link]').click();
			if (open === "Letter 3") { document.removeEventListener("restante:page", next); done(true); }
		});
		document.querySelector('.row:has([aria-label*="Letter 4"]) [data-message-link]').click();
	})`)
	b.keys("u")
	b.until("back in the list all are there", `!document.querySelector("[data-message]") && document.querySelectorAll("[data-rows] > .row").length === 5 && document.querySelectorAll("[data-rows] > .row[data-unread]").length === 3`)
}

// TestActsInQuickSuccession: each can be taken back, a key that is pressed twice means one mail, and an Undo that is
// quicker than the act takes back that act and no older one.
func TestActsInQuickSuccession(t *testing.T) {
	b, _, _ := tabWith(t, 8)
	shows := func(what, open string, letters string) {
		t.Helper()
		b.until(what, `(document.querySelector("#subject")?.innerText ?? "") === $ && [...document.querySelectorAll("[data-rows] > .row:not([data-leaving]) .row-subject")].map((r) => r.innerText.slice(7)).sort().reverse().join("") === $`, open, letters)
	}
	shows("the list has come", "", "76543210")
	b.press("Letter 6")
	shows("letter 6 is open", "Letter 6", "76543210")
	release := held(b, "POST", "/actions")
	b.keys("eee")
	release()
	shows("one mail is archived and the next opens", "Letter 5", "7543210")
	b.keys("z")
	b.sees("Undone")
	shows("it is back", "Letter 5", "76543210")

	b.keys("u")
	b.until("the list again", `!document.querySelector("[data-message]") && document.activeElement.closest(".row")`)
	first := ask[string](b, `(document.querySelector('.row:has([aria-label*="Letter 4"]) [data-message-link]').focus(), document.activeElement.innerText)`)
	if !strings.Contains(first, "Letter 4") {
		t.Fatalf("the keyboard is at %q", first)
	}
	b.keys("ee")
	shows("two are archived from the list", "", "765210")
	b.until("and told", `document.querySelector("[data-status] [data-undo]")`)
	release = held(b, "POST", "/actions")
	b.keys("ez")
	release()
	b.sees("Undone")
	shows("what came last is back", "", "765210")
	b.keys("z")
	b.sees("Undone")
	b.keys("z")
	shows("and what came before, one after the other", "", "76543210")
}

// TestAMailThatDoesNotOpenLeavesTheListAsItWas: without a network its row is neither current nor read.
func TestAMailThatDoesNotOpenLeavesTheListAsItWas(t *testing.T) {
	b, _, _ := tabWith(t, 3)
	b.press("Letter 2")
	b.until("letter 2 is open", `document.querySelector("#subject")?.innerText === "Letter 2"`)
	ask[bool](b, `(globalThis.fetch = () => Promise.reject(new TypeError("no network")), Object.defineProperty(navigator, "onLine", { value: false }), true)`)
	b.press("Letter 1")
	b.sees("You are offline.")
	b.until("the list shows what is open", `[...document.querySelectorAll(".row[data-current] .row-subject")].map((r) => r.innerText).join() === "Letter 2" && document.querySelector('.row:has([aria-label*="Letter 1"])').hasAttribute("data-unread")`)
}

// TestNewsLeaveOpenWhatIsOpen: the menu of the list in which somebody is at work, and the folders that were folded.
func TestNewsLeaveOpenWhatIsOpen(t *testing.T) {
	srv := testmail.Dovecot(t, testmail.DovecotOptions{})
	anna := srv.NewUser(t)
	talk := srv.Talk(t, anna)
	talk.Do("CREATE Work")
	talk.Do("SUBSCRIBE Work")
	srv.Deliver(t, anna, testmail.Mail("Ben <ben@keller.example>", "Letter 1", "The text."))
	b := newTab(t, newSite(t, srv, testdb.SQLite(t), nil), wide)
	b.signIn(anna)
	b.click("nav.folders summary")
	b.click(".list-menu summary")
	b.click("#jump-on")
	srv.Deliver(t, anna, testmail.Mail("Ben <ben@keller.example>", "Letter 2", "The text."))
	b.until("the news are there", `document.querySelectorAll("[data-rows] > .row").length === 2`)
	b.until("and nothing else changed", `document.querySelector(".list-menu").open && document.activeElement.id === "jump-on" && !document.querySelector("nav.folders details").open`)
	b.press("Sent")
	b.until("the folders stay folded on the way", `document.querySelector("h1").innerText === "Sent" && !document.querySelector("nav.folders details").open && !document.querySelector(".list-menu[open]")`)
	folded := func() bool { return !b.s.signIn(anna).get("/").has("details[class=tree-more][open]") }
	eventually(t, "they come folded", folded)
	ask[bool](b, `(window.before = true, location.reload(), true)`)
	b.until("they are folded from the first", `!window.before && document.readyState === "complete" && document.querySelector("h1").innerText === "Sent" && !document.querySelector("nav.folders details").open`)
	b.click("nav.folders summary")
	eventually(t, "they come unfolded", func() bool { return !folded() })
}
