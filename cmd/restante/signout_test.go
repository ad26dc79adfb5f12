package main

import (
	"testing"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

// TestSigningOutLeavesNoPictureOfAMailInTheBrowser: parts that are shown may be kept by the browser, until then. What a
// script keeps of unsent drafts is not touched.
func TestSigningOutLeavesNoPictureOfAMailInTheBrowser(t *testing.T) {
	mail := testmail.Demo(t)
	s := newSite(t, mail, testdb.SQLite(t), nil)
	u := mail.NewUser(t)
	mail.Deliver(t, u, "From: a@b.test\r\nSubject: Picture\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=cut\r\n\r\n--cut\r\nContent-Type: text/plain\r\n\r\nx\r\n"+
		"--cut\r\nContent-Type: image/gif; name=p.gif\r\nContent-Disposition: attachment; filename=p.gif\r\n\r\nGIF89a\x01\r\n--cut--\r\n")
	b := newTab(t, s, wide)
	b.signIn(u)
	path := attr(s.signIn(u).get("/mail/1/INBOX").open("Picture").one("img[class=thumb]"), "src")
	kept := func() bool {
		return ask[bool](b, `fetch($, { cache: "only-if-cached", mode: "same-origin" }).then((r) => r.ok, () => false)`, path)
	}
	b.expect("ERR_CACHE_MISS", "Clear-Site-Data")
	if status := ask[int](b, `fetch($).then((r) => r.arrayBuffer().then(() => r.status))`, path); status != 200 || !kept() {
		t.Fatalf("status %d: not kept by the browser at all", status)
	}
	ask[bool](b, `localStorage.setItem("kept", "sealed") ?? true`)
	b.open("/settings")
	ask[bool](b, `document.querySelector("form[action='/logout']").requestSubmit() ?? true`)
	b.sees("You are signed out.")
	eventually(t, "the picture is forgotten", func() bool { return !kept() })
	if got := ask[string](b, `localStorage.getItem("kept") ?? ""`); got != "sealed" {
		t.Error("what was to be kept is gone")
	}
}
