package main

import (
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
)

// TestADraftIsWrittenInOneTabAtATime: a second one is told, and goes on with all that was written in the first.
func TestADraftIsWrittenInOneTabAtATime(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	const (
		told  = `document.querySelector(".elsewhere")?.innerText.includes("This draft is open in another tab.") && document.querySelector(".compose-middle").inert`
		mine  = `!document.querySelector(".elsewhere") && !document.querySelector(".compose-middle").inert`
		drawn = `document.querySelector(".editor")?.innerText`
	)
	d.open("/compose?to=" + d.ben.Address + "&subject=Twice")
	d.until("the editor stands", drawn+` !== undefined`)
	d.click(".editor")
	d.keys("First words")
	d.until("it is kept", `location.pathname !== "/compose"`)
	path := ask[string](d.tab, "location.pathname")

	other := d.beside(wide)
	other.open(path)
	other.until("the second is told", told)
	other.until("it shows the text", drawn+`.includes("First words")`)
	if !ask[bool](d.tab, mine) {
		t.Fatal("the first lost the draft to a tab that was opened")
	}
	call(d.tab, page.BringToFront, cdp.Empty{})
	d.keys(" and more") // not on the server yet
	call(other, page.BringToFront, cdp.Empty{})
	other.press("Write here")
	other.until("it is written in the second, with all of the first", mine+` && `+drawn+`.includes("First words and more")`)
	other.until("the caret is in the text", `document.activeElement.matches(".editor")`)
	d.until("the first is told", told)
	other.keys("Second: ")
	other.open("/mail/1/INBOX") // away at once, and nobody has it
	call(d.tab, page.BringToFront, cdp.Empty{})
	ask[bool](d.tab, `dispatchEvent(new Event("focus"))`)
	d.until("the first goes on by itself", mine+` && /Second: .*and more/s.test(`+drawn+`)`)
	if now := ask[string](d.tab, "location.pathname"); now != path {
		t.Errorf("it has become another draft: %s, not %s", now, path)
	}
	v := d.s.signIn(d.anna)
	if n := len(v.get("/mail/1/Drafts").want(200).all("[data-uid]")); n != 1 {
		t.Errorf("there are %d drafts", n)
	}
}

// TestATabThatDoesNotAnswerLosesTheDraft, and what it writes later is kept beside the other.
func TestATabThatDoesNotAnswerLosesTheDraft(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.open("/compose?subject=Stuck")
	d.until("the editor stands", `document.querySelector(".editor")`)
	d.click(".editor")
	d.keys("Here")
	d.until("it is kept", `location.pathname !== "/compose"`)
	path := ask[string](d.tab, "location.pathname")
	d.open("/mail/1/INBOX")
	ask[bool](d.tab, `(navigator.locks.request("restante:draft:" + $.split("/").pop(), () => new Promise(() => {})).catch(() => {}), true)`, path)

	other := d.beside(wide)
	other.open(path)
	other.press("Write here")
	other.until("it is written here all the same", `!document.querySelector(".elsewhere") && document.activeElement.matches(".editor")`)
}
