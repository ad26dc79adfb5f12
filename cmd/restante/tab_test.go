package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	cdpruntime "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"restante/internal/testdb"
	"restante/internal/testmail"
	"restante/internal/testproc"
)

// chromium is one browser for all tests of the process; each test has a profile of its own in it.
var chromium = sync.OnceValues(func() (context.Context, error) {
	bin, err := testproc.Program("chromium")
	if err != nil {
		return nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(bin), chromedp.NoSandbox,
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("lang", "en-GB"))
	alloc, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, _ := chromedp.NewContext(alloc)
	testproc.AtEnd(func() { // else its profile stays behind
		_ = chromedp.Cancel(ctx)
		cancel()
		chromedp.FromContext(ctx).Allocator.Wait()
	})
	_, err = chromedp.Run(ctx, chromedp.Title())
	return ctx, err
})

// look is how a tab shows pages.
type look struct {
	width, height int64
	dark, touch   bool
	noScripts     bool
	language      string // "en-GB" if empty
}

var (
	wide  = look{width: 1440, height: 900}
	phone = look{width: 390, height: 844, touch: true}
)

func (l look) name() string {
	scheme := "light"
	if l.dark {
		scheme = "dark"
	}
	return fmt.Sprintf("%dx%d-%s", l.width, l.height, scheme)
}

// tab is a browser's tab in the hands of a person: pressed by names, with real input events.
type tab struct {
	t   *testing.T
	s   *site
	ctx context.Context

	mu       sync.Mutex
	troubles []string // console errors, exceptions and policy reports
	expected []string // parts of those that a test provokes
}

// newTab opens an empty tab with a profile of its own. What its console complains of fails the test.
func newTab(t *testing.T, s *site, l look) *tab {
	t.Helper()
	parent, err := chromium()
	testproc.Need(t, "Chromium", "chromium", err)
	ctx, cancel := chromedp.NewContext(parent, chromedp.WithNewBrowserContext())
	return tabIn(t, s, l, ctx, cancel)
}

// beside opens another tab of the same browser.
func (b *tab) beside(l look) *tab {
	b.t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	return tabIn(b.t, b.s, l, ctx, cancel)
}

func tabIn(t *testing.T, s *site, l look, ctx context.Context, cancel func()) *tab {
	t.Helper()
	ctx, stop := context.WithTimeout(ctx, 8*time.Minute) // a walk through all screens takes minutes on a slow machine
	b := &tab{t: t, s: s, ctx: ctx}
	t.Cleanup(func() {
		b.checkTroubles()
		if t.Failed() {
			b.picture(filepath.Join(os.TempDir(), "restante-failed-"+strings.ReplaceAll(t.Name(), "/", "-")+"-"+l.name()+".png"))
		}
		stop()
		cancel()
	})
	b.run(chromedp.Navigate("about:blank"))
	if err := chromedp.Listen(ctx, b.listen); err != nil {
		t.Fatal(err)
	}
	scheme := "light"
	if l.dark {
		scheme = "dark"
	}
	language := l.language
	if language == "" {
		language = "en-GB"
	}
	call(b, log.Enable, cdp.Empty{})
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: l.width, Height: l.height, DeviceScaleFactor: 1, Mobile: l.width < 700})
	call(b, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: l.touch})
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: l.noScripts})
	call(b, emulation.SetLocaleOverride, emulation.SetLocaleOverrideParams{Locale: strings.ReplaceAll(language, "-", "_")})
	call(b, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: userAgent, AcceptLanguage: language})
	call(b, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Europe/Vienna"})
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	return b
}

// tabWith opens a tab on the inbox of somebody with so many mails from Ben: "Letter 0" with "The text of letter 0." came
// first. Their numbers have all as many digits.
func tabWith(t *testing.T, letters int) (b *tab, srv *testmail.Server, anna testmail.User) {
	t.Helper()
	srv = testmail.Dovecot(t, testmail.DovecotOptions{})
	anna = srv.NewUser(t)
	digits := len(strconv.Itoa(letters - 1))
	for n := range letters {
		srv.Deliver(t, anna, testmail.Mail("Ben <ben@keller.example>", fmt.Sprintf("Letter %0*d", digits, n), fmt.Sprintf("The text of letter %0*d.", digits, n)))
	}
	b = newTab(t, newSite(t, srv, testdb.SQLite(t), nil), wide)
	b.signIn(anna)
	return b, srv, anna
}

const userAgent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"

func call[P, R any](b *tab, command cdp.Command[P, R], params P) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, command, params); err != nil {
		b.t.Fatalf("browser: %s: %v", command.Method, err)
	}
}

func (b *tab) listen(ev any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := ev.(type) {
	case *cdpruntime.EventExceptionThrown:
		words := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			words += " " + e.ExceptionDetails.Exception.Description
		}
		b.troubles = append(b.troubles, words)
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Source == log.EntrySourceSecurity {
			b.troubles = append(b.troubles, e.Entry.Text+" "+e.Entry.URL)
		}
	case *cdpruntime.EventConsoleAPICalled:
		if e.Type == "error" {
			words := ""
			for _, a := range e.Args {
				words += string(a.Value) + " " + a.Description
			}
			b.troubles = append(b.troubles, words)
		}
	}
}

// expect lets complaints with these words pass.
func (b *tab) expect(words ...string) { b.expected = append(b.expected, words...) }

func (b *tab) checkTroubles() {
	b.mu.Lock()
	defer b.mu.Unlock()
next:
	for _, s := range b.troubles {
		for _, e := range b.expected {
			if strings.Contains(s, e) {
				continue next
			}
		}
		b.t.Errorf("the browser complains: %s", s)
	}
	b.troubles = nil
}

func (b *tab) run(action chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if _, err := chromedp.Run(b.ctx, action); err != nil {
		b.t.Fatalf("browser: %v", err)
	}
}

// ask evaluates an expression in the page.
func ask[T any](b *tab, expression string, args ...any) T {
	b.t.Helper()
	for _, a := range args {
		raw, err := json.Marshal(a)
		if err != nil {
			b.t.Fatal(err)
		}
		expression = strings.Replace(expression, "$", string(raw), 1)
	}
	out, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil && strings.Contains(err.Error(), "Inspected target navigated") { // the page that comes is asked
		out, err = chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	}
	if err != nil {
		b.t.Fatalf("browser: %v in %s", err, expression)
	}
	return out
}

// until waits for an expression to hold.
func (b *tab) until(what, expression string, args ...any) {
	b.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for looks := 0; !ask[bool](b, "Promise.resolve("+expression+").then(Boolean)", args...); looks++ {
		if looks > 400 && time.Now().After(deadline) { // on a machine that stands still nothing else goes on either
			b.t.Fatalf("never happened: %s (%s) at %s", what, expression, ask[string](b, "location.href"))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// open goes to a path of the site by the address bar.
func (b *tab) open(path string) {
	b.t.Helper()
	b.run(chromedp.Navigate(b.s.base + path))
	b.settled()
}

// settled waits until the page stands and its scripts have begun.
func (b *tab) settled() {
	b.t.Helper()
	b.until("the page is there", `document.readyState === "complete"`)
}

// signIn fills the form as a person does.
func (b *tab) signIn(u testmail.User) {
	b.t.Helper()
	b.open("/login")
	b.click(`#username`)
	b.keys(u.Address)
	b.click(`#password`)
	b.keys(u.Password + "\r")
	b.until("signed in", `location.pathname.endsWith("/INBOX") && document.readyState === "complete"`)
}

// finder gives the middle of the first visible element that has a name (its label, or its words), or matches a selector.
const finder = `(() => {
	const want = $, selector = $;
	const visible = (e) => { const r = e.getBoundingClientRect(), s = getComputedStyle(e); return r.width > 0 && r.height > 0 && s.visibility !== "hidden" && s.opacity !== "0"; };
	const name = (e) => (e.getAttribute("aria-label") || e.innerText || e.value || "").trim().replace(/\s+/g, " ");
	const top = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document;
	let list = [...top.querySelectorAll(selector || "button, a[href], summary, label, [role=button]")].filter(visible);
	if (want) list = [...list.filter((e) => name(e) === want), ...list.filter((e) => name(e) !== want && name(e).includes(want))];
	const e = list[0];
	if (!e) return null;
	e.scrollIntoView({ block: "nearest", behavior: "instant" });
	const r = e.getBoundingClientRect();
	return [r.left + r.width / 2, r.top + r.height / 2];
})()`

func (b *tab) at(name, selector string) (x, y float64) {
	b.t.Helper()
	deadline := time.Now().Add(15 * time.Second)
	for {
		if p := ask[[]float64](b, finder, name, selector); len(p) == 2 {
			return p[0], p[1]
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("nothing to press: %q %s at %s", name, selector, ask[string](b, "location.href"))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// press clicks the button, link or label of this name.
func (b *tab) press(name string) {
	b.t.Helper()
	x, y := b.at(name, "")
	b.run(chromedp.MouseClickXY(x, y))
}

// click clicks what a selector finds.
func (b *tab) click(selector string) {
	b.t.Helper()
	x, y := b.at("", selector)
	b.run(chromedp.MouseClickXY(x, y))
}

// named are keys that have a name instead of a character.
var named = map[rune]struct {
	key, text string
	code      int64
}{'\r': {"Enter", "\r", 13}, '\t': {"Tab", "", 9}, '\x1b': {"Escape", "", 27}, '\b': {"Backspace", "", 8},
	'←': {"ArrowLeft", "", 37}, '↑': {"ArrowUp", "", 38}, '→': {"ArrowRight", "", 39}, '↓': {"ArrowDown", "", 40}}

// keys types into what has the focus: \r is Enter, \t Tab, \x1b Escape, ↓ an arrow. A key that the page takes for
// itself does not write, as with a real keyboard.
func (b *tab) keys(s string) {
	b.t.Helper()
	for _, r := range s {
		b.key(r, 0)
	}
}

// chord presses a key with Ctrl.
func (b *tab) chord(r rune) {
	b.t.Helper()
	b.key(r, 2)
}

func (b *tab) key(r rune, modifiers int64) {
	b.t.Helper()
	p := input.DispatchKeyEventParams{Type: "keyDown", Key: string(r), Text: string(r), WindowsVirtualKeyCode: int64(unicode.ToUpper(r)), Modifiers: modifiers}
	if n, ok := named[r]; ok {
		p.Key, p.Text, p.WindowsVirtualKeyCode = n.key, n.text, n.code
	} else if r > 127 || strings.ContainsRune("!#.,;:'()[]{}-_@/*&?<>", r) { // their codes are those of other keys
		p.WindowsVirtualKeyCode = 0
	}
	if modifiers != 0 {
		p.Text = ""
	}
	if p.Text == "" {
		p.Type = "rawKeyDown"
	}
	call(b, input.DispatchKeyEvent, p)
	p.Type, p.Text = "keyUp", ""
	call(b, input.DispatchKeyEvent, p)
}

// sees waits for words on the page.
func (b *tab) sees(words string) {
	b.t.Helper()
	b.until("the page says "+words, `document.body?.innerText.includes($)`, words)
}

// missing waits until words are gone from what a selector finds.
func (b *tab) missing(selector, words string) {
	b.t.Helper()
	b.until(words+" is gone", `![...document.querySelectorAll($)].some((e) => e.innerText.includes($))`, selector, words)
}

// picture keeps what the tab shows as a PNG.
func (b *tab) picture(name string) {
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Logf("no picture: %v", err)
		return
	}
	if err := os.WriteFile(name, png, 0o600); err != nil {
		b.t.Logf("no picture: %v", err)
		return
	}
	b.t.Logf("picture: %s", name)
}
