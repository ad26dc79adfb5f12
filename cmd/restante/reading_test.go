package main

import (
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

// TestQuotedHistoryIsFoldedOnce, with the line that introduces it and quotes within quotes; on paper it stands open.
func TestQuotedHistoryIsFoldedOnce(t *testing.T) {
	srv := testmail.Demo(t)
	anna := srv.NewUser(t)
	srv.Deliver(t, anna, testmail.Mail("Ben <ben@keller.example>", "Supper", "Walnuts are welcome.\r\n\r\nOn Tue, 3 Nov 2026, Anna wrote:\r\n> Is anybody allergic?\r\n>> Supper on Saturday?\r\n> Anna\r\n"))
	v := newSite(t, srv, testdb.SQLite(t), nil).signIn(anna)
	v.open("Supper").want(200)
	if folds := v.texts("details[class=quote-fold]"); len(folds) != 1 || !strings.Contains(folds[0], "Anna wrote:") || !strings.Contains(folds[0], "Supper on Saturday?") || strings.Contains(folds[0], "Walnuts") {
		t.Errorf("folded is %q", folds)
	}
	v.get(v.url.Path + "/print").want(200)
	v.says("[data-message-text]", "Supper on Saturday?")
	if v.has("details[class=quote-fold]") {
		t.Error("on paper something is folded")
	}
}

// TestTheReaderKeepsTheFocus, also where the letter's frame makes place for another mail.
func TestTheReaderKeepsTheFocus(t *testing.T) {
	srv := testmail.Demo(t)
	anna := srv.NewUser(t)
	srv.Deliver(t, anna, testmail.Mail("Ben <ben@keller.example>", "Plain", "The plain text."),
		"From: Ben <ben@keller.example>\r\nTo: anna@demo.test\r\nSubject: Rich\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<p>The rich text.</p>\r\n")
	b := newTab(t, newSite(t, srv, testdb.SQLite(t), nil), wide)
	b.signIn(anna)
	b.press("Rich")
	b.until("the subject has the focus", `document.activeElement.id === "subject" && document.querySelector("iframe[data-message-body]")`)
	b.keys("e")
	b.until("so has the next one's", `document.activeElement.id === "subject" && document.querySelector("#subject").innerText === "Plain"`)
}

// TestAWideLetterFitsThePhone: one made for a screen is shown smaller, whole, and grows back where there is room, or
// where its reader wants that.
func TestAWideLetterFitsThePhone(t *testing.T) {
	srv := testmail.Demo(t)
	anna := srv.NewUser(t)
	srv.Deliver(t, anna, "From: Ben <ben@keller.example>\r\nTo: anna@demo.test\r\nSubject: Wide\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<div style=\"width:640px\"><table width=640><tr><td>left<td align=right>right</table></div>\r\n")
	b := newTab(t, newSite(t, srv, testdb.SQLite(t), nil), phone)
	b.signIn(anna)
	b.press("Wide")
	const cut = `(() => { const f = document.querySelector("iframe[data-message-body]"), r = f?.contentDocument?.documentElement; return r?.innerText.includes("right") ? r.scrollWidth - r.clientWidth : 9999; })()`
	b.until("nothing of it is cut", cut+` <= 0`)
	if size := ask[[]float64](b, `(() => { const f = document.querySelector("iframe[data-message-body]"); return [f.getBoundingClientRect().right, document.documentElement.scrollWidth, Number(f.style.zoom)]; })()`); size[0] > 390 || size[1] > 390 || size[2] < 0.5 || size[2] > 0.6 {
		t.Errorf("it ends at %v of 390, the page at %v, at %v of its size", size[0], size[1], size[2])
	}
	b.press("Full size")
	b.until("in its full size it moves sideways in its frame", `(() => { const f = document.querySelector("iframe[data-message-body]"); return f.contentDocument.documentElement.scrollWidth > 600 && Number(f.style.zoom || 1) === 1 && document.documentElement.scrollWidth <= 390; })()`)
	b.press("Fit the width")
	b.until("it fits again", cut+` <= 0`)
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 844, Height: 390, DeviceScaleFactor: 1, Mobile: true})
	b.until("turned, it is larger", cut+` <= 0 && Number(document.querySelector("iframe[data-message-body]").style.zoom || 1) > 0.7`)
}

// TestALetterForPhonesStaysOne, also where it is a little wider than its frame, however wide that is.
func TestALetterForPhonesStaysOne(t *testing.T) {
	srv := testmail.Demo(t)
	anna := srv.NewUser(t)
	srv.Deliver(t, anna, "From: Ben <ben@keller.example>\r\nTo: anna@demo.test\r\nSubject: Shoes\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n"+
		"<style>@media(max-width:480px){.p{display:block!important;width:100%!important}}</style><table width=600 cellpadding=0><tr><td class=p width=300 style=padding:8px>left<td class=p width=300 style=padding:8px>right</table>\r\n")
	b := newTab(t, newSite(t, srv, testdb.SQLite(t), nil), phone)
	b.signIn(anna)
	b.press("Shoes")
	b.until("it was fitted", `Number(document.querySelector("iframe[data-message-body]")?.style.zoom) < 1`)
	b.until("its columns stand below each other, nearly in full size", `(() => { const f = document.querySelector("iframe[data-message-body]"), [l, r] = f.contentDocument.querySelectorAll("td"); return f.style.zoom > 0.9 && r.getBoundingClientRect().top > l.getBoundingClientRect().top; })()`)
}

// TestWhatOneMailIsAllowedIsAllowedNoOther: pictures once shown, or links once opened, are those of that mail alone.
func TestWhatOneMailIsAllowedIsAllowedNoOther(t *testing.T) {
	srv := testmail.Demo(t)
	anna := srv.NewUser(t)
	for _, subject := range []string{"First", "Second", "Third"} {
		srv.Deliver(t, anna, "From: Ben <ben@keller.example>\r\nTo: anna@demo.test\r\nSubject: "+subject+"\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<p>Text.</p><img src=\"https://pictures.example/a.png\" width=90 height=90>\r\n")
	}
	v := newSite(t, srv, testdb.SQLite(t), nil).signIn(anna)
	v.open("Second").want(200).follow("a[data-allow-remote]").want(200)
	if v.has("a[data-allow-remote]") {
		t.Fatal("the pictures are still kept away")
	}
	shown := v.url.RequestURI()
	v.open("Third").want(200)
	if !v.has("a[data-allow-remote]") || v.url.RawQuery != "" {
		t.Errorf("from the list another mail opens with its pictures, as %s", v.url)
	}
	v.get(shown).follow("a[rel=next]").want(200)
	if !v.has("a[data-allow-remote]") {
		t.Error("the way on opens another mail with its pictures")
	}
	talk := srv.Talk(t, anna)
	talk.Do("SELECT INBOX")
	talk.Do("UID STORE 2 +FLAGS.SILENT (\\Deleted)")
	talk.Do("EXPUNGE")
	v.get(shown + "&links=1").want(404).follow("a[class=button filled]").want(200)
	if !v.has("a[data-allow-remote]") || v.url.RawQuery != "" {
		t.Errorf("what follows a mail that is gone opens with what that was allowed, as %s", v.url)
	}
}

// TestTrackersAreNamed above the letter, also once its pictures are shown; those come by an address that is of no use
// for another mail.
func TestTrackersAreNamed(t *testing.T) {
	srv := testmail.Demo(t)
	anna := srv.NewUser(t)
	srv.Deliver(t, anna, "From: Ben <ben@keller.example>\r\nTo: anna@demo.test\r\nSubject: News\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n"+
		"<p>News.</p><img src=\"https://pictures.example/a.png\" width=90 height=90><img src=\"https://count.keller.example/x\" width=1 height=1><img src=\"https://u1.ct.sendgrid.net/wf/open?u=1\">\r\n")
	v := newSite(t, srv, testdb.SQLite(t), nil).signIn(anna)
	told := func() {
		t.Helper()
		v.says("details[class=trackers]", "2 trackers kept out")
		v.says("details[class=trackers]", "count.keller.example")
		v.says("details[class=trackers]", "SendGrid")
	}
	v.open("News").want(200)
	told()
	v.follow("a[data-allow-remote]").want(200)
	told()
	v.get(attr(v.one("iframe[data-message-body]"), "src")).want(200)
	picture, err := url.Parse(attr(v.one("img"), "src"))
	if err != nil || picture.Path != "/proxy" || strings.Contains(string(v.body), "sendgrid") {
		t.Fatalf("the picture is at %v %v of %s", picture, err, v.body)
	}
	q := picture.Query()
	q.Set("of", q.Get("of")+"0")
	v.get("/proxy?" + q.Encode()).want(404)
}
