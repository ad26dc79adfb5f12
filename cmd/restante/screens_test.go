package main

import (
	"database/sql"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"restante/internal/demo"
	"restante/internal/jobs"
	"restante/internal/store"
	"restante/internal/testdb"
	"restante/internal/testmail"
)

//go:embed testdata/axe.min.js
var axe string

// screen is a page with what makes it worth looking at.
type screen struct {
	name, path string
	ready      string // holds when it may be looked at
	before     func(b *tab)
}

const listed = `document.querySelector("[data-uid]")`

// screens are all there are, each in the state in which most is on it.
var screens = []screen{
	{name: "inbox", path: "/mail/1/INBOX", ready: listed},
	{name: "text", path: "/mail/1/INBOX/{Are you still}", ready: `document.querySelector("[data-message-text]")`},
	{name: "letter", path: "/mail/1/INBOX/{Five harbours}", ready: `document.querySelector("iframe[data-sized]")`},
	{name: "files", path: "/mail/1/INBOX/{Three from the ridge}", ready: `document.querySelector("[data-attachment]")`},
	{name: "invitation", path: "/mail/1/INBOX/{Invitation:}", ready: `document.querySelector(".tear")`},
	{name: "picture", path: "/mail/1/INBOX/{Three from the ridge}/files/3", ready: `document.querySelector("main img").naturalWidth`},
	{name: "archive", path: "/mail/1/INBOX/{Layout grid}/files/2", ready: `document.querySelector("main td")`},
	{name: "table", path: "/mail/1/INBOX/{Price list}/files/3", ready: `document.querySelector("main pre")`},
	{name: "within", path: "/mail/1/INBOX/{Fwd: Repair}/files/2", ready: `document.querySelector("[data-message-text]")`},
	{name: "forwarded", path: "/mail/1/INBOX/{Fwd: Repair}", ready: `document.querySelector("a[data-mail]")`},
	{name: "returned", path: "/mail/1/INBOX/{Undelivered}", ready: `document.querySelector("[data-again]")`},
	{name: "list", path: "/mail/1/INBOX/{Datum before}", ready: `document.querySelector("[data-unsubscribe]")`},
	{name: "menu", path: "/mail/1/INBOX/{Three from the ridge}", ready: `document.querySelector("[data-attachment]")`, before: func(b *tab) { b.click(".message-bar .more > summary") }},
	{name: "selected", path: "/mail/1/INBOX", ready: listed, before: func(b *tab) { b.click(".row .pick"); b.sees("1 selected") }},
	{name: "nothing", path: "/mail/1/INBOX?q=nothing-at-all", ready: `document.querySelector(".empty-words")`},
	{name: "search", path: "/search?q=harbour", ready: listed},
	{name: "search-start", path: "/search", ready: `document.querySelector(".search-tips")`},
	{name: "search-offers", path: "/search", ready: `document.querySelector("#words[role=combobox]")`, before: func(b *tab) {
		b.click("#words")
		b.keys("ar")
		b.until("there are offers", `document.querySelector("#words-offers [role=option]")`)
		b.keys("↓")
	}},
	{name: "junk", path: "/mail/1/Junk", ready: listed},
	{name: "folders", path: "/mail/1/mailboxes", ready: `document.querySelector(".folder-item")`},
	{name: "new", path: "/compose", ready: `document.querySelector(".editor")`},
	{name: "reply", path: "/compose?reply=1&in=INBOX&uid={Five harbours}", ready: `document.querySelector(".editor")`},
	{name: "inline", path: "/mail/1/INBOX/{Five harbours}", ready: `document.querySelector("iframe[data-sized]")`, before: func(b *tab) {
		ask[bool](b, `(document.querySelector("[data-command=reply]").click(), true)`) // a letter that still grows moves the button
		b.until("the editor stands", `document.querySelector("form[data-compose] .editor")`)
	}},
	{name: "desk", path: "/mail/1/INBOX/{Are you still}", ready: `document.querySelector("[data-message-text]")`, before: func(b *tab) {
		ask[bool](b, `(document.querySelector("[data-command=reply]").click(), true)`) // a letter that still grows moves the button
		b.until("the editor stands", `document.querySelector("form[data-compose] .editor")`)
		if ask[bool](b, `Boolean(document.querySelector("form[data-inline]"))`) {
			b.click("nav.folders .write")
			b.until("another stands", `document.querySelectorAll("form[data-compose] .editor").length === 2`)
			b.keys("ben@demo.test,omar@,anna@gmial.com,")
		}
	}},
	{name: "recipients", path: "/compose?to=ben@demo.test,omar@,anna@gmial.com&subject=Hello", ready: `document.querySelectorAll(".recipient").length === 3`},
	{name: "recipient-menu", path: "/compose?to=ben@demo.test&subject=Hello", ready: `document.querySelector(".editor")`, before: func(b *tab) {
		b.click(".recipient-name")
		b.until("its menu is open", `document.activeElement.role === "menuitem"`)
	}},
	{name: "colours", path: "/compose?to=ben@demo.test&subject=Hello", ready: `document.querySelector(".editor")`, before: func(b *tab) {
		b.click("[data-tool=colour]")
		b.until("the colours are shown", `document.activeElement.role === "menuitemradio"`)
	}},
	{name: "send-menu", path: "/compose?to=ben@demo.test&subject=Hello", ready: `document.querySelector(".editor")`, before: func(b *tab) { b.click(".send-menu > summary") }},
	{name: "contacts", path: "/contacts", ready: `document.querySelector(".people-head")`},
	{name: "contact-new", path: "/contacts/new", ready: `document.querySelector("#c-name")`},
	{name: "contact", path: "/contacts/new?name=Clara+Nwosu&address=clara.nwosu@post.example", ready: `document.querySelector("#c-name")`, before: func(b *tab) {
		ask[bool](b, `(document.querySelector(".contact input[name=address]").value = "clara" + Date.now() + "@post.example", true)`) // not kept yet
		b.click(`.contact .filled[value="save"]`)
		b.until("she is kept", `document.querySelector(".contact-head")`)
	}},
	{name: "contact-file", path: "/contacts/import", ready: `document.querySelector("#contacts-file")`},
	{name: "imports", path: "/imports", ready: `document.querySelector("form[data-source]")`, before: func(b *tab) {
		b.until("the server is unfolded", `(document.querySelector("[data-server]").open = true)`)
	}},
	{name: "outbox", path: "/outbox", ready: `document.querySelector("h1")`},
	{name: "thrown", path: "/compose/thrown", ready: `document.querySelector("h1")`, before: func(b *tab) {
		b.until("one is thrown away", `fetch("/compose", { method: "POST", body: new URLSearchParams({ to: "ben@demo.test", subject: "The ridge", body: "Another time.", action: "discard", back: "/" }) }).then((r) => r.ok)`)
		b.open("/compose/thrown")
	}},
	{name: "settings", path: "/settings", ready: `document.querySelector("h1")`},
	{name: "identities", path: "/settings/identities", ready: `document.querySelector("h1")`},
	{name: "identity", path: "/settings/identities/1", ready: `document.querySelector(".signature-text .editor")`, before: func(b *tab) { b.click("[data-own-server]") }},
	{name: "devices", path: "/settings/devices", ready: `document.querySelector("h1")`},
	{name: "privacy", path: "/settings/privacy", ready: `document.querySelector("h1")`},
	{name: "help", path: "/help", ready: `document.querySelector("h1")`},
	{name: "error", path: "/mail/1/No-such-folder", ready: `document.querySelector("[role=alert]")`},
	{name: "offline", path: "/offline", ready: `document.querySelector("h1")`},
}

// adminScreens are those of an admin, and of somebody who sets the site up.
var adminScreens = []screen{
	{name: "admin", path: "/admin", ready: `document.querySelector(".figures")`},
	{name: "admin-domains", path: "/admin/domains", ready: `document.querySelector(".admin-rows")`},
	{name: "admin-domain", path: "/admin/domains/example.test", ready: `document.querySelector(".services")`, before: func(b *tab) {
		b.click(`.service-change > summary`)
		b.click(`details.fold > summary`)
	}},
	{name: "admin-senders", path: "/admin/domains/demo.test/senders", ready: `document.querySelector("#s-lock")`, before: func(b *tab) { b.click("details.fold > summary") }},
	{name: "admin-people", path: "/admin/people", ready: `document.querySelector(".admin-rows")`},
	{name: "admin-person", path: "/admin/people/1", ready: `document.querySelector("#x-confirm")`, before: func(b *tab) { b.click("details.fold > summary") }},
	{name: "admin-sessions", path: "/admin/sessions", ready: `document.querySelector(".admin-rows")`},
	{name: "admin-limits", path: "/admin/limits", ready: `document.querySelector(".limits")`},
	{name: "admin-limits-own", path: "/admin/limits?domain=demo.test", ready: `document.querySelector(".limits")`},
	{name: "admin-audit", path: "/admin/audit", ready: `document.querySelector("tbody")`},
	{name: "admin-jobs", path: "/admin/jobs", ready: `document.querySelector(".jobs details")`, before: func(b *tab) { b.click(`.jobs summary`) }},
	{name: "admin-drop", path: "/admin/jobs/send/1/drop", ready: `document.querySelector("button[value=drop]")`},
	{name: "admin-site", path: "/admin/site", ready: `document.querySelector("#url")`},
	{name: "admin-health", path: "/admin/health", ready: `document.querySelector(".findings")`},
	{name: "admin-account", path: "/admin/account", ready: `document.querySelector("#pn")`, before: func(b *tab) {
		if ask[bool](b, `Boolean(document.querySelector("#fc"))`) {
			ask[bool](b, `(document.querySelector("#fc").value = "`+adminPassword+`", true)`)
			b.click(`button[value="factor"]`)
		}
		b.until("the code is shown", `document.querySelector(".qr")`)
	}},
	{name: "setup-owner", path: "/setup/owner", ready: `document.querySelector("#name")`},
	{name: "setup-site", path: "/setup/site", ready: `document.querySelector(".findings")`},
	{name: "setup-domain", path: "/setup/domain", ready: `document.querySelector(".services .fingerprint")`},
	{name: "setup-test", path: "/setup/test", ready: `document.querySelector("#t-address")`},
	{name: "setup-finish", path: "/setup/finish", ready: `document.querySelector(".sentences")`},
}

// prepareAdmin has an admin with a domain, and a set-up that has come to its end, each in a browser.
func prepareAdmin(t *testing.T, s *site) (admin, setup *visitor) {
	t.Helper()
	srv := testmail.Postfix(t, testmail.PostfixOptions{})
	token := s.setupToken()
	setup = newVisitor(t, s.base)
	setup.get("/setup/"+token).want(200).form("form").press("", "").want(200)
	setup.formAround("input[name=name]").set("name", "Owner").set("password", adminPassword).set("factor", "later").press("", "").want(200)
	setup.formAround("input[name=url]").press("action", "check").want(200)
	setup.formAround("input[name=url]").press("action", "next").want(200)
	fill := func(v *visitor) *form {
		v.formAround("button[value=look]").set("domain", "example.test").press("action", "look").want(200)
		f := v.formAround("button[value=save]")
		for id, at := range map[string]testmail.Address{"imap": srv.IMAPS, "submission": srv.Submissions, "pop3": srv.POP3S} {
			f.set(id+"_host", at.Host).set(id+"_port", fmt.Sprint(at.Port)).set(id+"_security", "tls")
		}
		f.press("action", "check").want(200)
		for _, id := range []string{"imap", "submission"} { // and nobody vouches for the third
			v.formAround("button[value=save]").press("action", "pin "+id).want(200)
		}
		return v.formAround("button[value=save]")
	}
	fill(setup).press("action", "save").want(200)
	setup.formAround("button[value=next]").press("action", "next").want(200)
	s.makeAdmin("owner")
	admin = newVisitor(t, s.base)
	admin.get("/admin/login").adminTries("owner", adminPassword).want(200)
	fill(admin.get("/admin/domains/new").want(200)).set("current", adminPassword).press("action", "save").want(200)
	prepareJobs(t, s)
	return admin, setup
}

// prepareJobs has the first user's letter wait, an import of theirs that cannot be, and another admin that is to be known.
func prepareJobs(t *testing.T, s *site) {
	t.Helper()
	db := s.house.store
	a, err := db.Account(t.Context(), 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	d, err := db.CreateDraft(t.Context(), store.Draft{UserID: a.UserID, AccountID: a.ID})
	if err != nil {
		t.Fatal(err)
	}
	blob, size, err := db.WriteBlob(t.Context(), a.UserID, strings.NewReader("Subject: x\r\n\r\nx\r\n"), 1000)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.InTx(t.Context(), func(tx *sql.Tx) error {
		_, err := db.EnqueueTx(t.Context(), tx, store.OutboxItem{UserID: a.UserID, AccountID: a.ID, DraftID: d.ID, DueAt: time.Now().Add(time.Hour), BlobID: blob, Size: size, From: a.Address, Recipients: []string{"x@y.test"}})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	o := store.Source{Host: "pop.old.invalid", Port: 995, Security: "tls", Username: "anna", Mailbox: "INBOX", Keep: store.KeepAll}
	if o, err = s.house.queue.AddSource(t.Context(), a, o, "x", jobs.Credential{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the import has failed", func() bool {
		j, err := db.Job(t.Context(), store.JobImport, o.ID)
		return err == nil && j.Stage == store.JobFailed
	})
	if _, err := db.DB().ExecContext(t.Context(), `UPDATE sources SET server_text = 'somebody@old.invalid is not here' WHERE id = $1`, o.ID); err != nil {
		t.Fatal(err)
	}
	if err := db.TellAdmins(t.Context(), "mia", "create"); err != nil {
		t.Fatal(err)
	}
}

// TestTheAdminsPagesAreAMenuOnThePhone: one row stands above a page, and the menu leads on without a script. What needs a
// hand is said once.
func TestTheAdminsPagesAreAMenuOnThePhone(t *testing.T) {
	t.Parallel()
	s := newSite(t, testmail.Demo(t), testdb.SQLite(t), nil)
	v := s.admin("owner")
	v.says("main", "You have no second factor.")
	if strings.Contains(string(v.body), "hangs on a password alone") {
		t.Error("the second factor that is missing is said of twice")
	}
	v.get("/admin/people").want(200).says("main", "hangs on a password alone")
	b := newTab(t, s, look{width: 390, height: 844, noScripts: true})
	b.borrow(v)
	b.open("/admin")
	if top := ask[float64](b, `document.querySelector("main").getBoundingClientRect().top`); top > 64 {
		t.Errorf("%.0f px stand above the page", top)
	}
	b.click(".office-menu > summary")
	b.click(`.office-menu a[href="/admin/domains"]`)
	b.until("the domains are shown", `location.pathname === "/admin/domains"`)
}

// TestEveryAdminScreenIsForEverybody: what holds for the screens of people holds for these.
func TestEveryAdminScreenIsForEverybody(t *testing.T) {
	t.Parallel()
	s, anna := demoSite(t)
	s.signIn(anna)
	admin, setup := prepareAdmin(t, s)
	for _, l := range []look{{width: 1440, height: 900, dark: true}, {width: 320, height: 640, touch: true}} {
		t.Run(l.name(), func(t *testing.T) {
			b := newTab(t, s, l)
			call(b, page.SetBypassCSP, page.SetBypassCSPParams{Enabled: true}) // for axe's own scripts
			b.open("/admin/login")
			b.judge("admin-login", l)
			b.borrow(admin)
			b.borrow(setup)
			for _, sc := range adminScreens {
				b.show(sc, nil)
				b.judge(sc.name, l)
			}
		})
	}
}

// demoSite is Restante over the demo's sample mail, with anna.
func demoSite(t *testing.T) (*site, testmail.User) {
	t.Helper()
	d, err := demo.Start(t.Context(), demo.Options{Mail: true, Now: time.Date(2026, 11, 25, 9, 30, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	s := newSite(t, testmail.OfDemo(t, d), testdb.SQLite(t), nil)
	u := d.Users()[0]
	return s, testmail.User{Address: u.Address, Password: u.Password}
}

// uids finds the mails that paths of screens name by their subject.
func uids(v *visitor) map[string]string {
	out := map[string]string{}
	for _, path := range []string{"/mail/1/INBOX", "/mail/1/INBOX?page=2"} {
		v.get(path).want(200)
		for _, sc := range screens {
			_, subject, ok := strings.Cut(sc.path, "{")
			subject, _, _ = strings.Cut(subject, "}")
			if uid := v.row(subject); ok && uid != "" {
				out[subject] = uid
			}
		}
	}
	return out
}

// show opens a screen and waits until it stands.
func (b *tab) show(sc screen, uids map[string]string) {
	b.t.Helper()
	path := sc.path
	if head, subject, ok := strings.Cut(path, "{"); ok {
		subject, rest, _ := strings.Cut(subject, "}")
		if uids[subject] == "" {
			b.t.Fatalf("no mail is called %q", subject)
		}
		path = head + uids[subject] + rest
	}
	if sc.name == "error" {
		b.expect("404")
	}
	b.open(path)
	b.until(sc.name+" stands", sc.ready)
	if sc.before != nil {
		sc.before(b)
	}
}

// audit is what axe finds wrong in the page: a line a rule.
const audit = `axe.run(document, { iframes: false, resultTypes: ["violations"], rules: { "meta-viewport": { enabled: true } } }).then((r) => r.violations.map((v) => v.id + ": " + v.help + " " + v.nodes.slice(0, 3).map((n) => n.target.join(" ") + " " + n.html.slice(0, 120)).join(" | ")))`

// TestEveryScreenIsForEverybody: no barrier that axe knows, nothing to scroll sideways on the smallest phone, one h1,
// and a quiet console, on every screen in both themes.
func TestEveryScreenIsForEverybody(t *testing.T) {
	t.Parallel()
	s, anna := demoSite(t)
	known := uids(s.signIn(anna))
	for _, l := range []look{wide, {width: 1440, height: 900, dark: true}, {width: 320, height: 640, touch: true}, {width: 390, height: 844, touch: true, dark: true}} {
		t.Run(l.name(), func(t *testing.T) {
			b := newTab(t, s, l)
			call(b, page.SetBypassCSP, page.SetBypassCSPParams{Enabled: true}) // for axe's own scripts
			b.open("/login")
			b.judge("sign-in", l)
			b.signIn(anna)
			b.until("the zone is told", `!("askZone" in document.body.dataset)`)
			for _, sc := range screens {
				b.show(sc, known)
				b.judge(sc.name, l)
			}
		})
	}
}

// judge looks at the page that stands.
func (b *tab) judge(name string, l look) {
	b.t.Helper()
	b.until("nothing moves", `!document.getAnimations().length`)
	if _, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](axe+";true")); err != nil {
		b.t.Fatal(err)
	}
	for _, v := range ask[[]string](b, audit) {
		b.t.Errorf("%s: %s", name, v)
	}
	if over := ask[float64](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
		b.t.Errorf("%s is %.0f px too wide", name, over)
	}
	if n := ask[int](b, `[...document.querySelectorAll("h1:not(.editor *)")].filter((h) => h.getClientRects().length).length`); n != 1 {
		b.t.Errorf("%s has %d headings of the first level", name, n)
	}
	if l.touch && l.width < 400 {
		for _, small := range ask[[]string](b, smallTargets) {
			b.t.Errorf("%s: too small for a finger: %s", name, small)
		}
	}
}

// smallTargets are buttons, links and fields that a finger would miss: under 44 px either way, links in running text
// and those that another target covers apart.
const smallTargets = `[...document.querySelectorAll("button, summary, select, input:not([type=hidden]), a[href]")].filter((e) => {
	const r = e.getBoundingClientRect();
	if (!r.width || !r.height || getComputedStyle(e).visibility === "hidden" || e.closest("p:not(.buttons, .answer), dd, .text, .editor, .skip, .hint, li.recipient, .labels-shown, .hidden-words") || e.matches(".skip, [tabindex='-1'], [data-message-link], .file-name")) return false;
	if (e.matches("input[type=checkbox], input[type=file]")) { const l = e.closest("label"); if (l) { const q = l.getBoundingClientRect(); return q.width < 44 || q.height < 44; } }
	return r.width < 43.5 || r.height < 43.5;
}).slice(0, 5).map((e) => e.outerHTML.slice(0, 120) + " " + Math.round(e.getBoundingClientRect().width) + "x" + Math.round(e.getBoundingClientRect().height))`

// TestScreenshots takes a picture of every screen at three sizes, by day and night, when RESTANTE_SCREENSHOTS names a
// directory (make screenshots).
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("RESTANTE_SCREENSHOTS")
	if dir == "" {
		return
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s, anna := demoSite(t)
	known := uids(s.signIn(anna))
	admin, setup := prepareAdmin(t, s)
	for _, l := range []look{wide, {width: 820, height: 1180, touch: true}, phone} {
		for _, dark := range []bool{false, true} {
			l.dark = dark
			b := newTab(t, s, l)
			b.open("/login")
			b.picture(filepath.Join(dir, fmt.Sprintf("sign-in-%s.png", l.name())))
			b.signIn(anna)
			for _, sc := range screens {
				b.show(sc, known)
				call(b, emulation.SetScrollbarsHidden, emulation.SetScrollbarsHiddenParams{Hidden: true})
				b.until("pictures and fonts are there", `document.fonts.status === "loaded"`)
				b.picture(filepath.Join(dir, fmt.Sprintf("%s-%s.png", sc.name, l.name())))
			}
			b.borrow(admin)
			b.borrow(setup)
			for _, sc := range adminScreens {
				b.show(sc, nil)
				b.picture(filepath.Join(dir, fmt.Sprintf("%s-%s.png", sc.name, l.name())))
			}
		}
	}
}
