package main

import (
	"fmt"
	"testing"
)

// TestAMailOpensBesideTheListThatStands: with scripts a mail comes without the list, which stays as it is: its place,
// its rows and what is picked. The steps back and forth in the browser show what they showed.
func TestAMailOpensBesideTheListThatStands(t *testing.T) {
	b, _, _ := tabWith(t, 40)
	b.until("the list has come", `document.querySelectorAll("[data-rows] > .row").length === 40`)
	ask[bool](b, `(() => { const list = document.querySelector("#list"); list.scrollTop = 900; globalThis.stands = list; return true; })()`)
	b.click(`.row:has([aria-label*="Letter 20"]) .pick`)
	shows := func(n string, unread int) {
		t.Helper()
		b.until("letter "+n+" is read", `document.querySelector(".reader [data-message-text]")?.innerText.includes("The text of letter " + $)`, n)
		b.until("its row is the current one", `[...document.querySelectorAll(".row[data-current]")].map((r) => r.querySelector(".row-subject").innerText).join() === "Letter " + $`, n)
		b.until("its row is read, for everybody", `!document.querySelector(".row[data-current]").hasAttribute("data-unread") && !document.querySelector(".row[data-current] .hidden-words").textContent.includes("Unread")`)
		b.until("the folder counts it", `document.querySelector('nav.folders [aria-current]').dataset.unreadCount === $`, fmt.Sprint(unread))
		b.until("Reply is the one filled button, also once the news have come", `!document.querySelector("nav.folders .write").matches(".filled") && document.querySelector(".answer .filled")`)
		b.until("the subject is the page's heading", `[...document.querySelectorAll("h1")].map((h) => h.innerText).join() === "Letter " + $ && document.title.includes("Letter ")`, n)
		b.until("the list stands as it stood", `document.querySelectorAll("[data-rows] > .row").length === 40 && document.querySelector("#list") === globalThis.stands && document.querySelector("#list").scrollTop === 900`)
	}
	b.click(`.row:has([aria-label*="Letter 22"]) .row-subject`)
	shows("22", 39)
	if !ask[bool](b, `document.querySelector('.row:has([aria-label*="Letter 20"]) .pick input').checked`) {
		t.Error("what was picked is picked no more")
	}
	b.click(`[rel=next]`)
	shows("21", 38)
	if size := ask[int](b, `Math.max(...performance.getEntriesByType("resource").filter((e) => /\/INBOX\/\d+$/.test(e.name)).map((e) => e.decodedBodySize))`); size == 0 || size > 20_000 {
		t.Errorf("a mail beside the list came with %d bytes", size)
	}
	ask[bool](b, `(history.back(), true)`)
	shows("22", 38)
	ask[bool](b, `(history.back(), true)`)
	b.until("the list is the page again", `location.pathname.endsWith("/INBOX") && !document.querySelector("[data-message]") && document.querySelector("h1").innerText === "Inbox"`)
	ask[bool](b, `(history.forward(), true)`)
	b.until("forth is the mail again", `document.querySelector(".reader [data-message-text]")?.innerText.includes("The text of letter 22")`)
	b.press("Trash")
	b.until("another folder", `location.pathname.endsWith("/Trash") && !document.querySelector("[data-message]")`)
	ask[bool](b, `(history.back(), true)`)
	b.until("back from another folder there is the mail with its own list", `document.querySelector(".reader [data-message-text]")?.innerText.includes("The text of letter 22") && document.querySelectorAll("[data-rows] > .row").length === 40`)
}

// TestAMailThatOpensByItselfIsReadLater: what comes up after an act was not asked for. It is read once it has been
// shown a while; without scripts, at once.
func TestAMailThatOpensByItselfIsReadLater(t *testing.T) {
	b, _, _ := tabWith(t, 4)
	b.press("Letter 3")
	b.until("letter 3 is shown", `document.querySelector(".reader [data-message-text]")?.innerText.includes("letter 3")`)
	b.keys("e")
	b.until("letter 2 opens, unread", `document.querySelector(".reader [data-message-text]")?.innerText.includes("letter 2") && document.querySelector("[data-message][data-read-after]") && document.querySelector(".row[data-current][data-unread]")`)
	b.until("it is read once it was shown a while", `!document.querySelector("[data-read-after]") && document.querySelector(".row[data-current]:not([data-unread])") && document.querySelector('nav.folders [aria-current]').dataset.unreadCount === "2"`)
	b.keys("e")
	b.until("letter 1 opens, unread", `document.querySelector("[data-message][data-read-after]") && document.querySelector(".row[data-current][data-unread]")`)
	b.press("Letter 0")
	b.until("letter 0 is read at once", `document.querySelector(".reader [data-message-text]")?.innerText.includes("letter 0") && document.querySelector(".row[data-current]:not([data-unread])")`)
	if !ask[bool](b, `document.querySelector('.row:has([aria-label*="Letter 1"])').hasAttribute("data-unread")`) {
		t.Error("letter 1 was left at once and is read")
	}
}
