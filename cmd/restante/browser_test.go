package main

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

// TestJourneyInChromium is the same day with scripts, in a real browser.
func TestJourneyInChromium(t *testing.T) {
	srv := testmail.Postfix(t, testmail.PostfixOptions{})
	j := &browserJourney{t: t, s: newSite(t, srv, testdb.SQLite(t), nil), payload: randomBytes(t, 300_000), anna: srv.NewUser(t), ben: srv.NewUser(t)}
	srv.Deliver(t, j.anna, letters(j.payload)...)
	j.b = newTab(t, j.s, wide)
	j.b.signIn(j.anna)
	j.reads()
	j.acts()
	j.makesAFolder()
	j.searches()
	j.hearsOfNewMail()
	j.answers()
	j.keepsADraft()
	j.signsOut()
}

type browserJourney struct {
	t         *testing.T
	s         *site
	b         *tab
	payload   []byte
	anna, ben testmail.User
}

func (j *browserJourney) reads() {
	b := j.b
	b.press("Harbour")
	b.until("the text is shown", `document.querySelector("[data-message-text]")?.innerText.includes("Are you still at the harbour?")`)
	b.until("focus is on the subject", `document.activeElement.id === "subject"`)
	b.until("the row is read", `document.querySelectorAll("[data-uid][data-unread]").length === 2`)
	b.press("Figures")
	b.until("the letter is shown", `document.querySelector("iframe[data-message-body]")?.contentDocument?.body?.innerText.includes("Third quarter")`)
	b.until("the frame grew to its letter", `document.querySelector("iframe[data-message-body]").hasAttribute("data-sized")`)
	b.sees("blocked")
	if ask[bool](b, `Boolean(document.querySelector("iframe[data-message-body]").contentDocument.querySelector("script, [onclick]"))`) {
		j.t.Error("the letter kept a script")
	}
	b.press("The scan")
	b.until("the file is listed", `document.querySelector("a[data-attachment]")`)
	sum := sha256.Sum256(j.payload)
	got := ask[string](b, `fetch(document.querySelector("a[data-attachment]").href).then((r) => r.arrayBuffer()).then((a) => crypto.subtle.digest("SHA-256", a)).then((d) => [...new Uint8Array(d)].map((x) => x.toString(16).padStart(2, "0")).join(""))`)
	if got != hex.EncodeToString(sum[:]) {
		j.t.Error("the attachment is not what was sent")
	}
}

func (j *browserJourney) acts() {
	b := j.b
	b.keys("s") // the open mail
	b.sees("Flagged.")
	b.until("the row has its flag", `[...document.querySelectorAll("[data-uid][data-flagged]")].some((r) => r.innerText.includes("The scan"))`)
	b.keys("e")
	b.missing("[data-uid]", "The scan")
	b.sees("Moved to Archive.")
	b.keys("z")
	b.until("the mail is back", `[...document.querySelectorAll("[data-uid]")].some((r) => r.innerText.includes("The scan"))`)
	b.open("/mail/1/INBOX")
	b.click(`.row:has([aria-label*="The scan"]) .pick`)
	b.sees("1 selected")
	b.press("Delete")
	b.missing("[data-uid]", "The scan")
	b.press("Undo")
	b.until("the mail is back", `[...document.querySelectorAll("[data-uid]")].some((r) => r.innerText.includes("The scan"))`)
}

func (j *browserJourney) makesAFolder() {
	b := j.b
	b.press("Manage folders")
	b.until("the folders page", `document.querySelector("#new-name")`)
	b.click("#new-name")
	b.keys("Quarter 3")
	b.press("Create folder")
	b.until("the folder is in the tree", `document.querySelector('a[data-mailbox="Quarter 3"]')`)
	b.open("/mail/1/INBOX")
	b.press("Figures")
	b.until("the letter is shown", `document.querySelector("#subject")?.innerText.includes("Figures")`)
	b.keys("v")
	b.until("the filter of folders has the focus", `document.activeElement.matches("dialog input[role=combobox]")`)
	b.keys("quart\r")
	b.missing("[data-uid]", "Figures")
	b.press("Quarter 3")
	b.until("the mail is in its folder", `document.querySelector("#list-title").innerText === "Quarter 3" && document.querySelector("[data-uid]")?.innerText.includes("Figures")`)
}

func (j *browserJourney) searches() {
	b := j.b
	b.press("Inbox")
	b.until("the inbox", `document.querySelector("#list-title").innerText === "Inbox"`)
	b.keys("/")
	b.until("the search field has the focus", `document.activeElement.id === "q"`)
	b.keys("from:ben harbour\r")
	b.until("one hit", `location.search.includes("q=") && document.querySelectorAll("[data-uid]").length === 1`)
	b.open("/mail/1/INBOX")
}

func (j *browserJourney) hearsOfNewMail() {
	b := j.b
	j.s.mail.Deliver(j.t, j.anna, testmail.Mail("Priya <priya@raman.example>", "Just now", "Here I am."))
	b.until("new mail appears by itself", `[...document.querySelectorAll("[data-uid]")].some((r) => r.innerText.includes("Just now"))`)
	b.until("the tab says how much is unread", `document.title.startsWith("(" + document.querySelector('nav.folders [data-mailbox="INBOX"]').dataset.unreadCount + ") ") && document.querySelector("link[rel=icon]").href.startsWith("data:image/png")`)
}

func (j *browserJourney) answers() {
	b := j.b
	b.press("Harbour")
	b.until("the text is shown", `document.querySelector("#subject")?.innerText.includes("Harbour")`)
	b.keys("r")
	b.until("the editor", `document.querySelector(".editor")?.isContentEditable && document.activeElement === document.querySelector(".editor")`)
	b.keys("Yes, ")
	b.chord('b')
	b.keys("indeed")
	name := filepath.Join(j.t.TempDir(), "tide table.pdf")
	if err := os.WriteFile(name, j.payload[:50_000], 0o600); err != nil {
		j.t.Fatal(err)
	}
	b.run(chromedp.SetUploadFiles(`input[type=file][name=attachments]`, []string{name}))
	b.until("the file is up", `[...document.querySelectorAll("[data-files] .file:not([data-uploading])")].some((f) => f.innerText.includes("tide table.pdf"))`)
	b.replaceRecipients(j.ben.Address)
	b.chord('\r')
	b.until("back at the message", `!document.querySelector("form[data-compose]") && document.readyState === "complete"`)

	other := newTab(j.t, j.s, phone)
	other.signIn(j.ben)
	other.until("the answer arrives", `[...document.querySelectorAll("[data-uid]")].some((r) => r.innerText.includes("Re: Harbour"))`)
	other.press("Re: Harbour")
	other.until("it is bold", `document.querySelector("iframe[data-message-body]")?.contentDocument?.querySelector("b, strong")?.innerText.includes("indeed")`)
	other.sees("tide table.pdf")

	b.press("Sent")
	b.until("the copy is in Sent", `[...document.querySelectorAll("[data-uid]")].filter((r) => r.innerText.includes("Re: Harbour")).length === 1`)
}

// replaceRecipients takes the chips of To away and types another address.
func (b *tab) replaceRecipients(address string) {
	b.t.Helper()
	for ask[int](b, `document.querySelectorAll(".recipient").length`) > 0 {
		b.click(".recipient-remove")
	}
	b.click(`.field:has([name=to]) .recipient-entry`)
	b.keys(address + ",")
	b.until("the chip stands", `[...document.querySelectorAll(".recipient")].some((r) => r.dataset.address === $)`, address)
}

func (j *browserJourney) keepsADraft() {
	b := j.b
	b.open("/compose")
	b.until("the editor", `document.querySelector(".editor")`)
	b.keys(j.ben.Address + "\t")
	b.click("#subject")
	b.keys("Half a thought")
	b.click(".editor")
	b.keys("It begins")
	b.until("it is kept", `document.querySelector("[data-kept]").innerText.includes("Draft kept")`)
	b.open("/mail/1/INBOX")
	b.press("Drafts")
	b.until("it is in Drafts", `[...document.querySelectorAll("[data-uid]")].some((r) => r.innerText.includes("Half a thought"))`)
	b.press("Half a thought")
	b.until("the text is there", `document.querySelector(".editor")?.innerText.includes("It begins")`)
	if subject := ask[string](b, `document.querySelector("#subject").value`); subject != "Half a thought" {
		j.t.Errorf("the draft goes on with the subject %q", subject)
	}
	b.press("Throw away")
	b.sees("Draft thrown away.")
}

func (j *browserJourney) signsOut() {
	b := j.b
	b.open("/mail/1/INBOX")
	b.click("details.account > summary")
	b.press("Sign out")
	b.until("signed out", `location.pathname === "/login" && document.readyState === "complete"`)
	b.open("/mail/1/INBOX")
	if path := ask[string](b, `location.pathname`); path != "/login" {
		j.t.Errorf("after signing out the inbox is at %s", path)
	}
}

// TestResultsListsAndErrorsInChromium: hits of several folders, filters and what is gone, by keys, without a page anew.
func TestResultsListsAndErrorsInChromium(t *testing.T) {
	s, v, talk := searcher(t, testmail.Demo(t))
	b := newTab(t, s, wide)
	b.borrow(v)
	b.open("/search?q=needle")
	ask[bool](b, `window.same = true`)
	rows := func(what string, n int, in string) {
		t.Helper()
		b.until(what, `[...document.querySelectorAll("[data-uid]")].filter((r) => r.innerText.includes($)).length === $`, in, n)
	}
	rows("all hits", 4, "Needle")
	b.click(`.row:has([aria-label*="Needle 0"]) .pick`)
	b.click(`.row:has([aria-label*="Needle 3"]) .pick`)
	b.sees("2 selected")
	b.press("Flag")
	b.sees("2 flagged.")
	b.click(`.row:has([aria-label*="Needle 3"]) .pick`)
	b.press("Archive")
	b.until("it is listed where it is now", `[...document.querySelectorAll("[data-uid]")].some((r) => r.innerText.includes("Needle 3") && r.innerText.includes("Archive"))`)
	b.keys("z")
	b.until("it is back", `[...document.querySelectorAll("[data-uid]")].some((r) => r.innerText.includes("Needle 3") && r.innerText.includes("Inbox"))`)
	b.press("Needle 3")
	b.until("it is open beside the results", `document.querySelector("#subject")?.innerText.includes("Needle 3") && document.activeElement.id === "subject"`)
	rows("the results stand beside it", 4, "Needle")
	b.keys("n")
	b.until("the next hit", `document.querySelector("#subject").innerText.includes("Needle 2")`)
	b.keys("#")
	b.until("the hit after it", `document.querySelector("#subject").innerText.includes("Needle 1")`)
	rows("the deleted one is found no more", 3, "Needle")
	b.keys("u")
	b.until("the way back leads to its row", `location.pathname === "/search" && document.activeElement.innerText.includes("Needle 1")`)
	b.keys("z")
	rows("the deleted one is back", 4, "Needle")

	b.press("Inbox")
	b.until("the inbox", `document.querySelector("#list-title").innerText === "Inbox"`)
	b.press("Unread")
	b.until("what is unread", `location.search.includes("filter=unread")`)
	n := ask[int](b, `document.querySelectorAll("[data-uid]").length`)
	b.press("Hay")
	b.until("it is open and drawn read", `document.querySelector("#subject")?.innerText.includes("Hay") && [...document.querySelectorAll("[data-uid]:not([data-unread])")].some((r) => r.innerText.includes("Hay"))`)
	b.keys("p")
	b.keys("u")
	b.until("back in the list", `!document.querySelector("#subject")`)
	rows("the opened one is still there", n, "")

	b.expect("404")
	talk.Do("SELECT INBOX")
	talk.Do(`STORE 1:* +FLAGS.SILENT (\Deleted)`)
	talk.Do("EXPUNGE")
	b.click("[data-message-link]")
	b.until("what is gone is told in its place", `document.activeElement.id === "trouble" && document.querySelector("nav.folders a[data-mailbox]") && document.querySelector("#list")`)
	b.sees("This message is no longer here.")
	if !ask[bool](b, `window.same === true`) {
		t.Error("a page was loaded anew")
	}
}

// TestPicturesThatCannotBeFetchedAreCounted, in words above the letter.
func TestPicturesThatCannotBeFetchedAreCounted(t *testing.T) {
	s, anna := demoSite(t)
	b := newTab(t, s, wide)
	b.signIn(anna)
	b.press("Five harbours")
	b.press("Show images")
	b.sees("2 images could not be fetched safely.")
}

// borrow lets the tab go on in a visitor's session.
func (b *tab) borrow(v *visitor) {
	b.t.Helper()
	b.open("/login")
	for _, c := range v.client.Jar.Cookies(v.url) {
		call(b, network.SetCookie, network.SetCookieParams{Name: c.Name, Value: c.Value, URL: b.s.base})
	}
}

// TestTheSessionEndsWhileWriting: the writer is told and not interrupted, and nothing that they typed is lost or taken
// for the password.
func TestTheSessionEndsWhileWriting(t *testing.T) {
	srv := testmail.Demo(t)
	s := newSite(t, srv, testdb.SQLite(t), nil)
	u := srv.NewUser(t)
	b := newTab(t, s, wide)
	b.signIn(u)
	b.open("/compose")
	b.until("the editor", `document.querySelector(".editor")`)
	b.keys("somebody@example.test\t")
	b.click("#subject")
	b.keys("Important")
	b.click(".editor")
	b.keys("Not to be lost")
	b.expect("401")

	elsewhere := s.signIn(u)
	elsewhere.get("/settings/devices").want(200)
	elsewhere.formAround("button[value=others]").press("action", "others").want(200)

	asked := `document.querySelector("dialog[open] #again-password")`
	b.keys(", nor this")
	b.until("the letter says so", `document.querySelector("form[data-compose] [role=alert]")?.innerText.includes("Please sign in again")`)
	b.keys(" and that")
	if ask[bool](b, "Boolean("+asked+")") || !ask[bool](b, `document.querySelector(".editor").innerText.includes("Not to be lost, nor this and that") && document.activeElement.matches(".editor")`) {
		t.Error("the writer was interrupted")
	}
	b.press("Sign in")
	b.until("asked for the password", asked+` === document.activeElement`)
	b.keys("\x1b")
	b.until("not now", `!document.querySelector("dialog[open]") && document.activeElement.matches(".editor")`)
	b.chord('\r') // is no typing: it cannot be done without
	b.until("asked for the password", asked+` === document.activeElement`)
	b.keys("\x1b")
	b.until("not now", `!document.querySelector("dialog[open]")`)
	b.press("Sign in")
	b.until("asked for the password", asked)
	b.keys(u.Password + "\r")
	b.until("signed in again", `!document.querySelector("dialog[open]")`)
	b.click(".editor")
	b.keys(", ever")
	b.until("kept after signing in again", `document.querySelector("[data-kept]").innerText.includes("Draft kept") && !document.querySelector("[data-sign-in]")`)
	if words := ask[string](b, `document.querySelector(".editor").innerText`); !strings.Contains(words, "Not to be lost, nor this and that") {
		t.Errorf("the text is now %q", words)
	}
}
