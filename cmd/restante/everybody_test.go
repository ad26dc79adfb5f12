package main

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"

	"restante/internal/i18n"
	"restante/internal/testdb"
	"restante/internal/testmail"
)

// media has a tab say of itself what a system's settings say: pairs of a media feature and its value.
func (b *tab) media(pairs ...string) {
	b.t.Helper()
	var features []*emulation.MediaFeature
	for i := 0; i+1 < len(pairs); i += 2 {
		features = append(features, &emulation.MediaFeature{Name: pairs[i], Value: pairs[i+1]})
	}
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
}

// everyScreen opens each screen, the sign-in first, and calls look on it.
func everyScreen(t *testing.T, l look, set func(b *tab), look func(b *tab, name string)) {
	t.Helper()
	s, anna := demoSite(t)
	known := uids(s.signIn(anna))
	b := newTab(t, s, l)
	set(b)
	b.open("/login")
	look(b, "sign-in")
	b.signIn(anna)
	b.until("the zone is told", `!("askZone" in document.body.dataset)`)
	for _, sc := range screens {
		b.show(sc, known)
		look(b, sc.name)
	}
}

// none fails for each element that an expression finds.
func (b *tab) none(name, what, expression string, args ...any) {
	b.t.Helper()
	for _, found := range ask[[]string](b, expression, args...) {
		b.t.Errorf("%s: %s: %s", name, what, found)
	}
}

// seen is what stands on the page of a selector, for the expressions below.
const seen = `[...document.querySelectorAll($)].filter((e) => { const r = e.getBoundingClientRect(); return r.width > 1 && r.height > 1 && e.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true }) && !e.closest(".skip, .editor"); })`

const controls = "button, summary, select, textarea, input:not([type=hidden], [type=file]), a.button, a.icon-button, a.tool, a.chip"

// TestForcedColoursShowEveryControl: where the system takes away all backgrounds, a line is what makes a control one,
// and what is current.
func TestForcedColoursShowEveryControl(t *testing.T) {
	t.Parallel()
	const lined = `((e) => { const s = getComputedStyle(e); return ["Top", "Right", "Bottom", "Left"].some((x) => s["border" + x + "Style"] !== "none" && parseFloat(s["border" + x + "Width"]) > 0) || s.outlineStyle !== "none"; })`
	for _, scheme := range []string{"light", "dark"} {
		everyScreen(t, wide, func(b *tab) { b.media("forced-colors", "active", "prefers-color-scheme", scheme) }, func(b *tab, name string) {
			b.none(name+" in "+scheme, "no line around", seen+`.filter((e) => !`+lined+`(e) && !e.querySelector(".avatar")).map((e) => e.outerHTML.slice(0, 140))`, controls)
			b.none(name+" in "+scheme, "no line around", `[...document.querySelectorAll(".editor, .listbox:not([hidden])")].filter((e) => e.checkVisibility() && !`+lined+`(e)).map((e) => e.className)`)
			b.none(name+" in "+scheme, "nothing shows that it is current", seen+`.filter((e) => getComputedStyle(e).outlineStyle === "none").map((e) => e.outerHTML.slice(0, 140))`, ".row[data-current], .folder[aria-current], .row:has(.pick :checked), [aria-pressed=true], [role=option][aria-selected=true], [role=menuitemradio][aria-checked=true]")
			if tabs := ask[int](b, `new Set([...document.querySelectorAll(".tabs a")].map((e) => getComputedStyle(e).borderBlockEndColor)).size`); tabs == 1 {
				b.t.Errorf("%s in %s: all tabs look alike", name, scheme)
			}
		})
	}
}

// TestNothingMovesWhereMotionIsUnwanted: no transition or animation that takes time, no smooth scrolling.
func TestNothingMovesWhereMotionIsUnwanted(t *testing.T) {
	t.Parallel()
	everyScreen(t, wide, func(b *tab) { b.media("prefers-reduced-motion", "reduce") }, func(b *tab, name string) {
		b.none(name, "moves", `[...document.querySelectorAll("*")].filter((e) => { const s = getComputedStyle(e), long = (v) => v.split(",").some((d) => parseFloat(d) * (d.trim().endsWith("ms") ? 1 : 1000) > 1); return long(s.transitionDuration) || s.animationName !== "none" && long(s.animationDuration) || s.scrollBehavior === "smooth"; }).slice(0, 3).map((e) => e.outerHTML.slice(0, 140))`)
	})
}

// TestAtFourTimesTheSize: 1280 by 1024 at 400 % is 320 by 256. Nothing is to be scrolled sideways, and what does not
// scroll leaves nearly half of the height to what is read.
func TestAtFourTimesTheSize(t *testing.T) {
	t.Parallel()
	everyScreen(t, look{width: 320, height: 256}, func(*tab) {}, func(b *tab, name string) {
		b.fits(name)
		const bars = `[...document.querySelectorAll("body *")].filter((e) => { const s = getComputedStyle(e), r = e.getBoundingClientRect(); return (s.position === "fixed" || s.position === "sticky" || e.matches(".top")) && r.width > 200 && r.height > 1 && r.top < innerHeight && r.bottom > 0 && s.visibility !== "hidden" && !e.closest(".toasts, dialog, .skip, .menu-sheet"); }).reduce((sum, e) => sum + e.getBoundingClientRect().height, 0)`
		if high := ask[float64](b, bars); high > 141 {
			b.t.Errorf("%s: %.0f of 256 px do not scroll", name, high)
		}
	})
}

// TestFromRightToLeft: a language that is written so turns the pages round, on screens of any size.
func TestFromRightToLeft(t *testing.T) {
	t.Parallel()
	for _, l := range []look{wide, phone} {
		l.language = i18n.Pseudo
		t.Run(l.name(), func(t *testing.T) {
			t.Parallel()
			everyScreen(t, l, func(*tab) {}, func(b *tab, name string) {
				if dir := ask[string](b, `getComputedStyle(document.documentElement).direction`); dir != "rtl" {
					b.t.Errorf("%s is written %s", name, dir)
				}
				b.fits(name)
			})
		})
	}
}

// fits fails when the page has to be scrolled sideways, or something stands out of it.
func (b *tab) fits(name string) {
	b.t.Helper()
	b.until("nothing moves", `!document.getAnimations().length`)
	if over := ask[float64](b, `Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) - document.documentElement.clientWidth`); over > 0 {
		b.t.Errorf("%s is %.0f px too wide", name, over)
	}
	b.none(name, "stands out", seen+`.filter((e) => { const r = e.getBoundingClientRect(); return (r.right > innerWidth + 1 || r.left < -1) && !e.closest(".tabs, .chips, .editor-tools, .row, .toasts"); }).slice(0, 3).map((e) => e.outerHTML.slice(0, 140))`, controls)
}

// TestADayByKeyboardAlone: sign-in, reading, acting, writing, menus, dialogs, the way out. What has the focus is always
// to be seen, and focus comes back to where it was.
func TestADayByKeyboardAlone(t *testing.T) {
	srv := testmail.Demo(t)
	s := newSite(t, srv, testdb.SQLite(t), nil)
	anna, ben := srv.NewUser(t), srv.NewUser(t)
	srv.Deliver(t, anna, letters([]byte("scan"))...)
	b := newTab(t, s, wide)
	b.open("/login")
	b.until("the address has the focus", `document.activeElement?.id === "username"`)
	b.keys(anna.Address + "\t" + anna.Password + "\r")
	b.until("signed in", `location.pathname.endsWith("/INBOX") && document.readyState === "complete"`)

	b.keys("\t")
	b.until("the first stop leads to the content", `document.activeElement?.matches(".skip")`)
	b.focusIsSeen()
	b.tabTo(`document.activeElement?.matches(".account > summary")`)
	b.keys("\r")
	b.until("the menu is open", `document.querySelector(".account[open]")`)
	b.keys("\x1b")
	b.until("the menu is closed, and its button has the focus", `!document.querySelector(".account[open]") && document.activeElement?.matches(".account > summary")`)

	b.tabTo(`document.activeElement?.matches("[data-message-link]")`)
	b.keys("\r")
	b.until("a mail is open", `document.querySelector("#subject") && document.activeElement?.id === "subject"`)
	b.keys("j")
	b.keys("s")
	b.sees("Flagged.")
	b.keys("e")
	b.sees("Moved to Archive.")
	b.keys("z")
	b.until("all are back", `document.querySelectorAll("[data-uid]").length === $`, len(letters(nil)))

	before := ask[string](b, `document.activeElement.getAttribute("href") ?? document.activeElement?.id`)
	b.keys("?")
	b.until("the keys are shown", `document.querySelector("dialog[open]")?.contains(document.activeElement)`)
	b.focusIsSeen()
	b.keys("\x1b")
	b.until("the dialog is closed", `!document.querySelector("dialog[open]")`)
	if after := ask[string](b, `document.activeElement.getAttribute("href") ?? document.activeElement?.id`); after != before {
		t.Errorf("focus was on %s, and is on %s", before, after)
	}

	b.keys("c")
	b.until("the letter may be written", `document.activeElement?.matches("form[data-compose] input") && document.querySelector(".editor")`)
	b.keys(ben.Address + ",")
	b.tabTo(`document.activeElement?.name === "subject"`)
	b.keys("By hand")
	b.tabTo(`document.activeElement?.closest(".editor") || document.activeElement?.matches("iframe, textarea[name=body]")`)
	b.keys("No mouse was near.")
	b.chord('\r')
	b.until("it is sent", `!document.querySelector("form[data-compose]")`)
	eventually(t, "it has arrived", func() bool {
		talk := srv.Talk(t, ben)
		defer talk.Close()
		return talk.Count("INBOX") == 1
	})

	b.open("/mail/1/INBOX")
	b.tabTo(`document.activeElement?.matches(".account > summary")`)
	b.keys("\r")
	b.tabTo(`document.activeElement?.matches("form[action='/logout'] button")`)
	b.keys("\r")
	b.sees("You are signed out.")
}

// tabTo presses Tab until an expression holds, and looks at each stop.
func (b *tab) tabTo(goal string) {
	b.t.Helper()
	for range 120 {
		b.keys("\t")
		b.focusIsSeen()
		if ask[bool](b, "Boolean("+goal+")") {
			return
		}
	}
	b.t.Fatalf("Tab never comes to %s", goal)
}

// focusIsSeen fails unless what has the focus stands in the window with something around it.
func (b *tab) focusIsSeen() {
	b.t.Helper()
	const look = `(() => {
		const e = document.activeElement ?? document.body;
		if (e === document.body || e.matches("iframe") || e.closest(".editor")) return "";
		const ringed = (e, part) => { const s = getComputedStyle(e, part); return s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 1 && !/rgba\(.*, 0\)|transparent/.test(s.outlineColor) || s.boxShadow !== "none"; };
		const r = e.getBoundingClientRect();
		const inside = r.width > 0 && r.height > 0 && r.bottom > 0 && r.top < innerHeight && r.right > 0 && r.left < innerWidth;
		if (inside && (ringed(e) || ringed(e, "::after") || [e.nextElementSibling, e.parentElement, e.closest(".row, label, .field, .search, .to-field")].some((p) => p && ringed(p)))) return "";
		return (inside ? "no ring around " : "out of sight: ") + e.outerHTML.slice(0, 160);
	})()`
	if fault := ask[string](b, look); fault != "" {
		b.t.Errorf("%s at %s", fault, strings.TrimPrefix(ask[string](b, "location.href"), b.s.base))
	}
}
