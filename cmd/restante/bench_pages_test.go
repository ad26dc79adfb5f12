package main

import (
	"net"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"

	"restante/internal/testmail"
)

// pages weighs what Chromium fetches, with headers, streams and all, by standing in between. It keeps what it has,
// so each step is what comes anew.
func (b *bench) pages() { b.t.Run("pages", b.weighPages) }

func (b *bench) weighPages(t *testing.T) {
	u := fill(b.t, b.mail, "benchpages", 1000)
	v := newBrowser(b.t, b.s.base)
	defer v.close()
	v.signIn(u)
	tap := testmail.NewTap(b.t, b.listensAt())
	window := newTab(t, &site{t: t, base: "http://" + tap.String()}, wide)
	at, err := url.Parse(b.s.base)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range v.client.Jar.Cookies(at) {
		call(window, network.SetCookie, network.SetCookieParams{Name: c.Name, Value: c.Value, URL: "http://" + tap.String()})
	}
	weigh := func(what, target string, step func()) {
		tap.Forget()
		step()
		quiet(tap)
		b.fact(what, target, "%.1f KB in %d requests", float64(tap.Heard())/1000, strings.Count(tap.Said(), "\r\nHost: "))
	}
	weigh("first list page, nothing kept", "<= 150 KB", func() { window.open(v.inbox) })
	weigh("next list page, by its link", "", func() {
		window.click("a[rel=next], a[href*='page=2']")
		window.until("page 2", `location.search.includes("page=2")`)
	})
	weigh("a list page, by the address bar", "", func() { window.open(v.inbox + "?page=3") })
	weigh("a mail, by its link", "", func() {
		window.click("[data-uid] [data-message-link]")
		window.until("the mail", `document.querySelector("#subject")`)
	})
}

func (b *bench) listensAt() testmail.Address {
	host, port, err := net.SplitHostPort(strings.TrimPrefix(b.s.base, "http://"))
	if err != nil {
		b.t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		b.t.Fatal(err)
	}
	return testmail.Address{Host: host, Port: n}
}

// quiet waits until nothing has come for a second.
func quiet(tap *testmail.Tap) {
	for before := -1; before != tap.Heard(); {
		before = tap.Heard()
		time.Sleep(time.Second)
	}
}
