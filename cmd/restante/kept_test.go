package main

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

// copies are what the browser keeps of drafts, as text: what a thief of the disk could read.
const copies = `new Promise((done) => {
	const open = indexedDB.open("restante", 1);
	open.onupgradeneeded = () => open.transaction.abort();
	open.onerror = () => done("");
	open.onsuccess = () => {
		const all = open.result.transaction("drafts").objectStore("drafts").getAll();
		all.onsuccess = () => { open.result.close(); done(all.result.map((r) => r.id + " " + r.account + " " + [r.iv, new Uint8Array(r.sealed)].map((x) => [...x].map((c) => String.fromCharCode(c)).join("")).join(" ")).join("\n")); };
	};
})`

// writesCutOff opens a new letter and writes while the site cannot be reached, then leaves the page.
func (b *tab) writesCutOff(words string) {
	b.t.Helper()
	b.expect("ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE", "ERR_INCOMPLETE_CHUNKED_ENCODING")
	b.open("/compose")
	b.until("the editor stands", `document.querySelector(".editor")`)
	b.s.end()
	b.click(".editor")
	b.keys(words)
	b.until("the head says where it is", `/Kept on this device|Not kept on the server/.test(document.querySelector("[data-kept]").innerText)`)
	b.until("the browser has all of it", copies+`.then(async (c) => { await new Promise((done) => setTimeout(done, 1500)); return c !== "" && c === await `+copies+`; })`)
	b.run(chromedp.Navigate("about:blank"))
	b.s.start()
}

// TestTextThatOnlyThisBrowserHas is sealed, offered again to its writer alone, and gone once the server has it.
func TestTextThatOnlyThisBrowserHas(t *testing.T) {
	srv := testmail.Demo(t)
	s := newSite(t, srv, testdb.SQLite(t), nil)
	anna, ben := srv.NewUser(t), srv.NewUser(t)
	b := newTab(t, s, wide)
	b.signIn(anna)
	b.writesCutOff("The secret plan")

	b.open("/mail/1/INBOX")
	kept := ask[string](b, copies)
	if kept == "" || strings.Contains(kept, "secret") || strings.Contains(kept, "compose") {
		t.Errorf("the browser keeps %q", kept)
	}
	b.open("/compose")
	b.sees("Newer text from this device")
	b.press("Compare")
	b.until("both texts stand side by side", `document.querySelectorAll("dialog[open] .version-text").length === 2 && document.querySelector("dialog[open]").innerText.includes("The secret plan")`)
	b.press("Use it")
	b.until("the text is back", `document.querySelector(".editor").innerText.includes("The secret plan")`)
	b.until("the server has it", `document.querySelector("form[data-compose]").dataset.draft`)
	b.until("the browser's copy is gone", copies+`.then((c) => c === "")`)

	b.writesCutOff("Another plan")
	b.open("/mail/1/INBOX")
	b.click("details.account > summary")
	b.press("Sign out")
	b.sees("One draft is only on this device.")
	b.press("Stay")
	b.until("still there", `!document.querySelector("dialog[open]") && location.pathname.endsWith("/INBOX")`)
	b.click("details.account > summary")
	b.press("Sign out")
	b.press("Sign out and keep it sealed here")
	b.until("signed out", `location.pathname === "/login" && document.readyState === "complete"`)

	b.signIn(ben)
	b.open("/compose")
	b.until("the editor stands", `document.querySelector(".editor")`)
	if text := ask[string](b, `document.querySelector("main").innerText`); strings.Contains(text, "Newer text") || strings.Contains(text, "Another plan") {
		t.Errorf("another account is shown %q", text)
	}
	b.open("/mail/2/INBOX")
	b.click("details.account > summary")
	b.press("Sign out")
	b.until("who has no copies is not asked", `location.pathname === "/login" && document.readyState === "complete"`)

	b.signIn(anna)
	b.open("/compose")
	b.sees("Newer text from this device")
	b.open("/mail/1/INBOX")
	b.click("details.account > summary")
	b.press("Sign out")
	b.press("Throw it away")
	b.until("signed out", `location.pathname === "/login" && document.readyState === "complete"`)
	b.until("nothing is left", copies+`.then((c) => c === "")`)
}

// TestTheKeyOfCopiesIsTheAccountsOwn and the same after a new sign-in.
func TestTheKeyOfCopiesIsTheAccountsOwn(t *testing.T) {
	srv := testmail.Demo(t)
	s := newSite(t, srv, testdb.SQLite(t), nil)
	anna, ben := srv.NewUser(t), srv.NewUser(t)
	key := func(u testmail.User) string {
		return attr(s.signIn(u).get("/compose").want(200).one("form[data-compose]"), "data-copy-key")
	}
	first := key(anna)
	if len(first) < 43 || first != key(anna) || first == key(ben) {
		t.Errorf("anna's key is %q, then %q; ben's is %q", first, key(anna), key(ben))
	}
}

// TestOfTwoWritersBothAreKept and the word of it does not lie on the form's buttons.
func TestOfTwoWritersBothAreKept(t *testing.T) {
	d := newDesk(t)
	d.open("/compose?subject=Two")
	d.until("the editor stands", `document.querySelector(".editor")`)
	d.click(".editor")
	d.keys("Mine")
	d.until("it is kept", `document.querySelector("form[data-compose]").dataset.draft`)
	draft := ask[string](d.tab, `document.querySelector("form[data-compose]").dataset.draft`)
	theirs := d.s.signIn(d.anna).get("/compose/"+draft).form("form[data-compose]").set("html", "<div>Theirs</div>")
	d.keys(" too")
	theirs.press("action", "save").want(200)
	d.sees("Both are kept")
	if ask[bool](d.tab, `(() => { const a = document.querySelector(".toast").getBoundingClientRect(); return [...document.querySelectorAll("form[data-compose] :is(button, .attach)")].some((e) => { const b = e.getBoundingClientRect(); return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom; }); })()`) {
		t.Error("the toast covers a button of the form")
	}
}

// TestTwoNewLettersAreTwoCopies: what is written in one is not offered in the other.
func TestTwoNewLettersAreTwoCopies(t *testing.T) {
	d := newDesk(t)
	d.expect("ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE", "ERR_INCOMPLETE_CHUNKED_ENCODING")
	for _, words := range []string{"First", "Second"} {
		d.press("Write")
		d.until("the caret is in To", `document.activeElement.closest("form[data-docked]:not([data-folded]) .field")`)
		d.click("form[data-docked]:not([data-folded]) .editor")
		if words == "Second" {
			d.s.end()
		}
		d.keys(words)
	}
	d.until("the second is kept here", `document.querySelector("form[data-docked]:not([data-folded]) [data-kept]").innerText !== ""`)
	if ask[bool](d.tab, `document.body.innerText.includes("Newer text")`) {
		t.Error("the text of one is offered in the other")
	}
	d.s.start()
	d.until("both are drafts of their own", `new Set([...document.querySelectorAll("form[data-docked]")].map((f) => f.dataset.draft).filter(Boolean)).size === 2`)
}
