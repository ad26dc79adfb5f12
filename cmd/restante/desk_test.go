package main

import (
	"strings"
	"testing"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

const (
	inline  = `document.querySelector("form[data-inline]")`
	docked  = `document.querySelectorAll("form[data-docked]")`
	noTwins = `(() => { const ids = [...document.querySelectorAll("[id]")].map((e) => e.id); return ids.length === new Set(ids).size; })()`
)

// desk is anna at a wide screen with mail from ben, whom she may write to.
type desk struct {
	*tab
	anna, ben testmail.User
}

func newDesk(t *testing.T, letters ...string) desk {
	t.Helper()
	srv := testmail.Demo(t)
	s := newSite(t, srv, testdb.SQLite(t), nil)
	d := desk{tab: newTab(t, s, wide), anna: srv.NewUser(t), ben: srv.NewUser(t)}
	if len(letters) == 0 {
		letters = []string{testmail.Mail("Ben <"+d.ben.Address+">", "Harbour", "Are you still at the harbour?"), testmail.Mail("Rosa <rosa@ridge.example>", "The ridge", "It snowed.")}
	}
	srv.Deliver(t, d.anna, letters...)
	d.signIn(d.anna)
	d.until("the zone is told", `!("askZone" in document.body.dataset)`)
	return d
}

// reads opens a mail of the list.
func (d desk) reads(subject string) {
	d.t.Helper()
	d.press(subject)
	d.until(subject+" is open", `document.querySelector("[data-message] #subject")?.innerText.includes($)`, subject)
}

// answers presses a key and waits for the form under the message.
func (d desk) answers(key string) {
	d.t.Helper()
	d.keys(key)
	d.until("the form lies under the message", inline+`?.querySelector(".editor") && `+inline+`.contains(document.activeElement)`)
}

// gets waits for a mail in ben's inbox and gives it as he sees it.
func (d desk) gets(subject string) *visitor {
	d.t.Helper()
	other := d.s.signIn(d.ben)
	eventually(d.t, subject+" arrives", func() bool { return other.get("/mail/2/INBOX").want(200).row(subject) != "" })
	return other.open(subject).want(200)
}

func TestAnAnswerIsWrittenUnderItsMessage(t *testing.T) {
	d := newDesk(t)
	d.reads("Harbour")
	here := ask[string](d.tab, "location.href")
	d.answers("r")
	if !ask[bool](d.tab, `document.activeElement.matches(".editor")`) {
		t.Error("the caret is not in the text")
	}
	d.sees("Are you still at the harbour?")
	d.keys("The sheet is attached.")
	d.until("what is typed stands above the quote", inline+`.querySelector(".editor").innerText.trim().startsWith("The sheet is attached.")`)
	if !ask[bool](d.tab, noTwins) {
		t.Error("an id stands twice")
	}

	for ask[int](d.tab, `document.querySelectorAll(".recipient").length`) > 0 {
		d.click(".recipient-remove")
	}
	d.expect("422")
	d.chord('\r')
	d.until("the form says what it lacks", inline+`.querySelector(".errors")?.contains(document.activeElement)`)
	d.click(`form[data-inline] .errors a`)
	d.until("the error leads to its field", `document.activeElement.matches(".recipient-entry")`)
	d.keys("omar@,")
	d.sees("Not an address: omar@")
	d.chord('\r')
	d.until("the wrong address has the focus", `document.activeElement.closest(".recipient[data-wrong]")`)
	d.replaceRecipients(d.ben.Address)
	d.chord('\r')
	d.until("the missing file is asked about", inline+`.querySelector(".ask")?.innerText.includes("attachment")`)
	d.press("Send anyway")
	d.until("the form is gone", `!`+inline)
	d.sees("Sending")
	if now := ask[string](d.tab, "location.href"); now != here {
		t.Errorf("sending led from %s to %s", here, now)
	}
	d.gets("Re: Harbour").says("[data-message]", "Re: Harbour")
}

func TestAForwardBeginsWithWhoItIsFor(t *testing.T) {
	d := newDesk(t)
	d.reads("Harbour")
	d.answers("f")
	d.until("the caret is in To", `document.activeElement.matches(".field:has([name=to]) .recipient-entry")`)
	d.keys("x") // writes, and acts on no mail
	d.until("it is typed", `document.activeElement.value === "x"`)
}

// TestMovingOnKeepsAnAnswer that was begun: beside other mails it is docked, under its own it stays.
func TestMovingOnKeepsAnAnswer(t *testing.T) {
	d := newDesk(t)
	d.reads("Harbour")
	d.answers("r")
	d.keys("Half an answer")
	d.press("Flag")
	d.sees("Flagged.")
	d.until("the answer is where it was", inline+`?.querySelector(".editor").innerText.includes("Half an answer")`)
	d.reads("The ridge")
	d.until("the answer is docked", docked+`.length === 1 && `+docked+`[0].innerText.includes("Half an answer") && !`+inline)
	d.until("the server has it", docked+`[0].dataset.draft`)
	draft := ask[string](d.tab, docked+`[0].dataset.draft`)
	d.answers("r") // another, and nothing is written
	d.reads("Harbour")
	d.until("that one is gone", `!`+inline+` && `+docked+`.length === 1`)
	d.click("form[data-docked] [data-close]")
	d.sees("Kept in Drafts")
	d.until("the dock is gone", `!document.querySelector(".docks")`)
	other := d.s.signIn(d.anna)
	if f := other.get("/compose/" + draft).want(200).form("form[data-compose]"); !strings.Contains(f.values.Get("body"), "Half an answer") {
		t.Errorf("the draft holds %q", f.values.Get("body"))
	}
	d.press("Throw away")
	d.sees("Draft thrown away.")
}

func TestNewMailIsDocked(t *testing.T) {
	d := newDesk(t)
	d.reads("Harbour")
	d.keys("c")
	d.until("the form is docked, with the caret in To", docked+`.length === 1 && document.activeElement.matches("form[data-docked] .recipient-entry")`)
	d.keys("somebody@example.test,")
	d.click(`form[data-docked] [name=subject]`)
	d.keys("First")
	d.click("form[data-docked] .editor")
	d.keys("One.")
	d.until("it is kept", docked+`[0].querySelector("[data-kept]").innerText.includes("Draft kept")`)
	d.press("Write")
	d.until("the first is folded to its title", docked+`.length === 2 && document.querySelector("[data-folded] h2")?.innerText === "First"`)
	d.until("the second has the caret", `document.activeElement.closest("form[data-docked]:not([data-folded]) .field")`)
	if !ask[bool](d.tab, noTwins) {
		t.Error("an id stands twice")
	}
	d.press("First")
	d.until("the first is open again", `document.querySelector("form[data-docked]:not([data-folded]) h2")?.innerText === "First"`)
	d.keys("Two. ")
	d.click("form[data-docked]:not([data-folded]) [data-full]")
	d.until("its page stands", `location.pathname.startsWith("/compose/") && document.querySelector(".writing .editor")`)
	if words := ask[string](d.tab, `document.querySelector(".editor").innerText`); !strings.Contains(words, "Two. One.") {
		t.Errorf("the page has the text %q", words)
	}
}

// paste puts something into what has the focus as the clipboard would: text of a type, or with a name a file in base64.
func (b *tab) paste(kind, name, content string) {
	b.t.Helper()
	ask[bool](b, `(() => {
		const clipboardData = new DataTransfer(), kind = $, name = $, content = $;
		if (name) clipboardData.items.add(new File([Uint8Array.from(atob(content), (c) => c.charCodeAt(0))], name, { type: kind }));
		else clipboardData.setData(kind, content);
		return document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true })) || true;
	})()`, kind, name, content)
}

// TestPastedColoursStay, though no page lets style attributes of markup act.
func TestPastedColoursStay(t *testing.T) {
	d := newDesk(t)
	d.reads("Harbour")
	d.answers("r")
	d.paste("text/html", "", `<p>A <span style="color: #c00000">red</span> and <strong style="color:#c00000;position:fixed;background:url(https://elsewhere.example/x.png)">loud</strong> <img src="https://elsewhere.example/y.png"> <em>word</em></p>`)
	const colours = `[...document.querySelectorAll(".editor span, .editor b")].filter((e) => ["red", "loud"].includes(e.innerText) && getComputedStyle(e).color === "rgb(192, 0, 0)" && getComputedStyle(e).position === "static").length === 2`
	d.until("red is red", colours)
	d.keys("x")
	d.until("it is typed", `document.querySelector(".editor").innerText.includes("wordx")`)
	d.press("Undo")
	d.until("it is undone", `!document.querySelector(".editor").innerText.includes("wordx")`)
	d.press("Redo")
	d.until("and red again when it is redone", `document.querySelector(".editor").innerText.includes("wordx") && `+colours)
	d.until("the server has it", inline+`.dataset.draft && `+inline+`.querySelector("[data-kept]").innerText.includes("Draft kept")`)
	kept := rawText(d.s.signIn(d.anna).get("/compose/" + ask[string](d.tab, inline+`.dataset.draft`)).one("textarea[name=html]"))
	if !strings.Contains(kept, "rgb(192, 0, 0)") || strings.Contains(kept, "elsewhere.example") {
		t.Errorf("the draft has %s", kept)
	}
}

func TestRemoveQuoteTakesTheQuoteAway(t *testing.T) {
	d := newDesk(t)
	d.reads("Harbour")
	d.answers("r")
	d.keys("Mine")
	d.press("Remove quote")
	d.until("only what was written is left", inline+`.querySelector(".editor").innerText.trim() === "Mine"`)
	d.press("Undo")
	d.until("Undo brings it back", inline+`.querySelector("blockquote")?.innerText.includes("Are you still at the harbour?")`)
}

// stops are the names of what Tab reaches, from where the focus is to the end of the form.
func (b *tab) stops(n int) (out []string) {
	b.t.Helper()
	for range n {
		out = append(out, ask[string](b, `(() => { const e = document.activeElement; return e.matches(".editor") ? "text" : e.matches(".recipient-entry") ? e.closest(".field").querySelector("input").name : e.name === "action" ? e.value : e.closest("[role=toolbar]") ? "tools" : e.matches(".send-menu > summary") ? "ways" : e.name || e.innerText; })()`))
		b.keys("\t")
	}
	return out
}

func TestTabGoesFromTheTextToSend(t *testing.T) {
	d := newDesk(t)
	want := "to cc bcc subject text send ways attachments tools save discard"
	d.open("/compose?cc=" + d.ben.Address)
	d.until("the editor stands", `document.querySelector(".editor")`)
	d.click(".field:has([name=to]) .recipient-entry")
	if got := strings.Join(d.stops(11), " "); got != want {
		t.Errorf("on a page Tab goes %s", got)
	}
	d.open("/mail/1/INBOX")
	d.keys("c")
	d.until("the form is docked", docked+`.length === 1 && document.activeElement.matches(".recipient-entry")`)
	d.click("form[data-docked] .more-fields > summary")
	d.click(".field:has([name=to]) .recipient-entry")
	if got := strings.Join(d.stops(11), " "); got != want {
		t.Errorf("in a dock Tab goes %s", got)
	}
}
