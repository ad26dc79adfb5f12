package main

import (
	"context"
	"database/sql"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"restante/internal/store"
	"restante/internal/testmail"
	"restante/internal/testproc"
)

// desktop is a machine that things happen to: a browser with a profile on its disk, a program that serves it, and the
// line and the mail server between them.
type desktop struct {
	*tab
	t       *testing.T // of all that happens
	now     *testing.T // of what happens now
	mail    *testmail.Server
	tap     *testmail.Tap // before the mail server
	through *line         // before the program
	file    string
	data    string
	at      string
	profile string
	program *program
	user    testmail.User
	kill    func() // the browser, as a crash does
}

func newDesktop(t *testing.T) *desktop {
	t.Helper()
	real := testmail.Postfix(t, testmail.PostfixOptions{})
	mail := *real
	d := &desktop{t: t, now: t, mail: &mail, tap: testmail.NewTap(t, real.IMAPS), file: buildProgram(t), data: filepath.Join(t.TempDir(), "data"), profile: t.TempDir(), user: real.NewUser(t)}
	mail.IMAPS = d.tap.Address
	ports, err := testproc.Ports(1)
	if err != nil {
		t.Fatal(err)
	}
	d.at = testmail.Address{Host: "127.0.0.1", Port: ports[0]}.String()
	d.serves()
	s := &site{t: t, mail: real, base: "http://" + d.at}
	d.through = newLine(t, s)
	d.tab = &tab{t: t, s: s}
	d.browses()
	return d
}

func (d *desktop) serves() { d.program = startProgramAt(d.t, d.mail, d.file, d.data, d.at) }

// browses starts the browser on the profile, as it was left.
func (d *desktop) browses() {
	d.t.Helper()
	bin, err := testproc.Program("chromium")
	testproc.Need(d.t, "Chromium", "chromium", err)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(bin), chromedp.NoSandbox, chromedp.UserDataDir(d.profile), chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("lang", "en-GB"))
	alloc, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, stop := chromedp.NewContext(alloc)
	if _, err := chromedp.Run(ctx, chromedp.Title()); err != nil {
		d.t.Fatal(err)
	}
	process := chromedp.FromContext(ctx).Browser.Process()
	d.kill = func() {
		_ = process.Kill()
		chromedp.FromContext(ctx).Allocator.Wait()
		for _, lock := range []string{"SingletonLock", "SingletonCookie", "SingletonSocket"} {
			_ = os.Remove(filepath.Join(d.profile, lock))
		}
	}
	d.t.Cleanup(func() { stop(); cancel() })
	d.again(ctx)
}

// again opens a tab in the browser.
func (d *desktop) again(ctx context.Context) {
	d.tab = tabIn(d.t, d.s, wide, ctx, func() {})
	d.tab.t = d.now
	d.expect("ERR_", "Failed to load", "Failed to fetch", "NetworkError", "status of 4", "status of 5")
}

// closes shuts the tab and opens another one.
func (d *desktop) closes() {
	d.t.Helper()
	parent := d.ctx
	ctx, cancel := chromedp.NewContext(parent)
	if _, err := chromedp.Run(ctx, chromedp.Title()); err != nil {
		d.t.Fatal(err)
	}
	d.run(chromedp.Navigate("about:blank"))
	d.t.Cleanup(cancel)
	d.again(ctx)
}

// enters signs in where the site asks for it, and opens a path.
func (d *desktop) enters(path string) {
	d.t.Helper()
	d.open(path)
	if ask[string](d.tab, "location.pathname") == "/login" {
		d.signIn(d.user)
		d.open(path)
	}
}

// losses are ways to lose a letter: what happens right after its last word was typed. Each is named as a person would
// tell of it; the browser has had the 0.4 s that it is given, and no more than the way says.
var losses = []struct {
	name    string
	cutOff  bool // the site cannot be reached from before the last words on
	happens func(d *desktop)
}{
	{"the tab is reloaded", false, func(d *desktop) { d.open(ask[string](d.tab, "location.pathname")) }},
	{"the tab is closed", false, (*desktop).closes},
	{"the writer goes back to the list", false, func(d *desktop) { d.open("/mail/1/INBOX") }},
	{"the browser crashes", false, func(d *desktop) { d.kill(); d.browses() }},
	{"the browser crashes without a line", true, func(d *desktop) { d.kill(); d.browses() }},
	{"the tab is closed without a line", true, (*desktop).closes},
	{"the program is killed", false, func(d *desktop) { d.program.kill(); d.serves() }},
	{"the battery is empty", false, func(d *desktop) { d.program.kill(); d.kill(); d.serves(); d.browses() }},
	{"the line is cut", true, func(*desktop) {}},
	{"the session is gone", false, func(d *desktop) { d.forgetsSessions(); d.open("/mail/1/INBOX") }},
	{"the session is gone and the browser crashes", false, func(d *desktop) { d.forgetsSessions(); d.kill(); d.browses() }},
	{"the mail server is away", false, func(d *desktop) {
		d.tap.Refuse(true)
		d.tap.Cut()
		d.keys(".")
		d.until("the head says so", `/The mail server is away, its copy follows|Draft kept/.test(document.querySelector("[data-kept]").innerText)`)
		d.open("/mail/1/INBOX")
		d.tap.Refuse(false)
		talk := d.s.mail.Talk(d.now, d.user)
		eventually(d.now, "its copy follows", func() bool {
			d.enters("/mail/1/Drafts")
			return strings.Contains(holds(talk, "Drafts"), "and the last.")
		})
	}},
}

// forgetsSessions takes all sessions out of the database.
func (d *desktop) forgetsSessions() {
	d.t.Helper()
	s, err := store.Open(d.t.Context(), "", d.data)
	if err != nil {
		d.t.Fatal(err)
	}
	defer s.Close()
	if err := s.InTx(d.t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec(`DELETE FROM sessions`); return err }); err != nil {
		d.t.Fatal(err)
	}
}

// TestNoWayToLoseALetter: whatever befalls its writer, they find the text, who it is for and the file that had come, by
// ways that they would take themselves: the Drafts folder, or a new letter, where what only this device has is offered.
func TestNoWayToLoseALetter(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	for _, l := range losses {
		if !t.Run(l.name, func(t *testing.T) {
			d.now, d.tab.t = t, t
			subject := strings.ReplaceAll(l.name, " ", "-")
			d.enters("/compose?to=ben@keller.example&subject=" + subject)
			d.until("the editor stands", `document.querySelector(".editor")`)
			d.click(".editor")
			d.keys("First words")
			d.paste("text/plain", "tide.txt", base64.StdEncoding.EncodeToString([]byte("high at noon")))
			d.until("the file is there", `document.querySelector("[data-files] a[data-attachment]")?.innerText.includes("tide.txt")`)
			d.until("it is kept", `document.querySelector("[data-kept]").innerText.includes("Draft kept")`)
			if l.cutOff {
				d.through.cut(true)
			}
			ask[bool](d.tab, `(document.querySelector("[data-kept]").innerText = "", true)`)
			d.keys(" and the last")
			ask[bool](d.tab, `new Promise((done) => { setTimeout(done, 400, true); })`)
			d.until("this browser has it, or the server", copies+`.then((c) => c !== "" || document.querySelector("[data-kept]").innerText !== "")`)
			l.happens(d)
			d.through.cut(false)
			d.finds(subject, "First words and the last")
		}) {
			break
		}
	}
}

// TestALetterOfWhichNoServerKnows is found again by its writer, though neither they nor the site know where it was begun:
// the lists tell of it, and a new letter leads to it.
func TestALetterOfWhichNoServerKnows(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	d.s.mail.Deliver(t, d.user, testmail.Mail("Ben <ben@keller.example>", "Harbour", "Are you there?"))
	d.enters("/mail/1/INBOX")
	d.press("Harbour")
	d.until("it is open", `document.querySelector("[data-message] #subject")`)
	d.keys("r")
	d.until("the form lies under the message", inline+`?.querySelector(".editor") && `+inline+`.contains(document.activeElement)`)
	d.through.cut(true)
	d.keys("Only here")
	ask[bool](d.tab, `new Promise((done) => { setTimeout(done, 400, true); })`)
	d.until("this browser has it", copies+`.then((c) => c !== "")`)
	d.kill()
	d.browses()
	d.through.cut(false)
	eventually(t, "the list tells of it", func() bool {
		d.enters("/mail/1/INBOX")
		return ask[bool](d.tab, `new Promise((done) => { setTimeout(() => done(document.body.innerText.includes("One draft is only on this device.")), 500); })`)
	})
	d.press("Show")
	d.sees("Re: Harbour")
	d.click(".newer a")
	d.press("Use it")
	d.until("the answer is there", `document.querySelector(".editor").innerText.includes("Only here") && document.querySelector("[name=to]").value.includes("ben@keller.example")`)
	d.until("the server has it", `document.querySelector("form[data-compose]").dataset.draft`)
	d.until("nothing is left here", copies+`.then((c) => c === "")`)
}

// finds looks for a letter as its writer would.
func (d *desktop) finds(subject, words string) {
	d.tab.t.Helper()
	eventually(d.tab.t, subject+" is among the drafts", func() bool { // whose copy there may just be made anew
		d.enters("/mail/1/Drafts")
		path := ask[string](d.tab, `[...document.querySelectorAll("[data-uid], .kept-drafts li")].find((r) => r.innerText.includes($))?.querySelector("a[href]").getAttribute("href") ?? ""`, subject)
		if path != "" {
			d.open(path)
		}
		return ask[bool](d.tab, `Boolean(document.querySelector("form[data-compose]"))`)
	})
	d.until("the editor stands", `document.querySelector(".editor")`)
	if !ask[bool](d.tab, `document.querySelector(".editor").innerText.includes($)`, words) {
		d.press("Use it")
	}
	d.until("the text is there", `document.querySelector(".editor").innerText.includes($)`, words)
	d.until("and who it is for", `document.querySelector("[name=to]").value.includes("ben@keller.example")`)
	d.until("and its file", `document.querySelectorAll("[data-files] a[data-attachment]").length === 1`)
	d.keys("!")
}
