package main

import (
	"strings"
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

// TestTwoDevicesOnOneDraft: the later one is told who wrote when, and takes it over or keeps both; nothing is lost, and
// no draft is made that nobody asked for.
func TestTwoDevicesOnOneDraft(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	const (
		told  = `document.querySelector("[data-other]")?.innerText.includes("edited just now on another device: Chrome on Linux") && document.querySelector(".compose-middle").inert`
		mine  = `!document.querySelector("[data-other]") && !document.querySelector(".compose-middle").inert`
		drawn = `document.querySelector(".editor")?.innerText`
		kept  = `document.querySelector("[data-kept]").innerText.includes("Draft kept")`
	)
	d.open("/compose?to=" + d.ben.Address + "&subject=Twice")
	d.until("the editor stands", drawn+` !== undefined`)
	d.click(".editor")
	d.keys("First words")
	d.until("it is kept", `location.pathname !== "/compose"`)
	path := ask[string](d.tab, "location.pathname")

	other := newTab(t, d.s, phone)
	other.signIn(d.anna)
	other.open(path)
	other.until("the phone is told", told+` && `+drawn+`.includes("First words")`)
	if !ask[bool](d.tab, mine) {
		t.Error("the first lost the draft to a device that only looked")
	}
	other.press("Take over")
	other.until("it is written on the phone", mine+` && document.activeElement.matches(".editor")`)
	d.until("the first is told at once", told)
	other.keys("Phone: ")
	other.until("it is kept", kept+` && `+drawn+`.startsWith("Phone: ")`)
	eventually(t, "the server has it", func() bool {
		return strings.Contains(d.s.signIn(d.anna).get(path).form("form[data-compose]").values.Get("body"), "Phone:")
	})
	d.press("Take over")
	d.until("with all that the phone wrote", mine+` && `+drawn+`.includes("Phone: First words")`)
	other.until("the phone is told", told)
	other.press("Keep both")
	other.until("it is a draft of its own there", mine+` && !location.pathname.endsWith($)`, path)
	other.keys("Mine: ")
	d.keys("Desk: ")
	for tab, words := range map[*tab]string{d.tab: "Desk: ", other: "Mine: "} {
		tab.until("both are written on", drawn+`.includes($)`, words)
		at := ask[string](tab, "location.pathname")
		eventually(t, words+"is kept", func() bool {
			return strings.Contains(d.s.signIn(d.anna).get(at).form("form[data-compose]").values.Get("body"), words)
		})
	}
	if n := len(d.s.signIn(d.anna).get("/mail/1/Drafts").want(200).all("[data-uid]")); n != 2 {
		t.Errorf("there are %d drafts", n)
	}

	v := d.s.signIn(d.anna) // without scripts
	v.get(path).says("[data-other]", "edited just now on another device: Chrome on Linux")
	f := v.form("form[data-compose]").set("html", "").set("body", "By hand.")
	f.press("action", "both").want(200).says("[role=status]", "Both are kept")
	if v.url.Path == path || v.form("form[data-compose]").values.Get("body") != "By hand." {
		t.Errorf("%s holds %q", v.url.Path, v.form("form[data-compose]").values)
	}
	v.get(path).form("form[data-compose]").press("action", "take").want(200)
	if v.get(path); v.has("[data-other]") || !strings.HasPrefix(v.form("form[data-compose]").values.Get("body"), "Desk: ") {
		t.Error("it is not taken over as it was")
	}
}
