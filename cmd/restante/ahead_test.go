package main

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/input"
)

// TestTheNextPageIsFetchedAhead, once, by the pointer on its link and by the keys near the last row.
func TestTheNextPageIsFetchedAhead(t *testing.T) {
	b, _, _ := tabWith(t, 120)
	b.until("the first news are looked at", `performance.getEntriesByType("resource").some((e) => e.initiatorType === "fetch" && e.name.endsWith("/INBOX") && e.responseEnd)`)
	fetched := func(page, times int) string {
		return fmt.Sprintf(`performance.getEntriesByType("resource").filter((e) => e.name.includes("page=%d") && e.responseEnd).length === %d`, page, times)
	}
	b.click("[data-rows] > .row:nth-child(40) .pick input")
	for range 5 {
		b.keys("j")
	}
	b.until("nothing is fetched yet", fetched(2, 0))
	b.keys("jjjj")
	b.until("page 2 is there", fetched(2, 1))
	b.press("Older")
	b.until("page 2 is shown", `location.search === "?page=2" && document.querySelector(".row").innerText.includes("Letter 069")`)
	b.until("it was not fetched again", fetched(2, 1))
	x, y := b.at("", "#list .pages a[rel=next]")
	call(b, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: "mouseMoved", X: x, Y: y})
	b.until("page 3 is there", fetched(3, 1))
	b.press("Older")
	b.until("page 3 is shown", `location.search === "?page=3" && document.querySelector(".row").innerText.includes("Letter 019")`)
	b.until("it was not fetched again", fetched(3, 1))
}
