package main

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

// TestABrokenMailServerIsExplained: whatever the server does, each page comes, in time, and says what is the matter.
// All of them break at once: most of the time is spent in waiting.
func TestABrokenMailServerIsExplained(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	var sites []*broken
	for name, f := range faults {
		server := newFakeIMAP(t)
		b := &broken{name: name, server: server, site: newSite(t, server.mail(), testdb.SQLite(t), nil)}
		b.v = b.site.signIn(testmail.User{Address: "anna@fake.test", Password: "secret"})
		server.breakWith(f)
		sites = append(sites, b)
		for _, ask := range questions {
			all.Go(func() { explained(t, b, ask) })
		}
	}
	all.Wait()
	for _, b := range sites {
		for _, l := range strings.Split(b.site.log.String(), "\n") {
			if strings.Contains(l, "level=ERROR") || strings.Contains(l, "msg=panic") {
				t.Errorf("with a server that %s the log says: %s", b.name, l)
			}
		}
		b.server.broke.Store(nil)
		eventually(t, "the inbox is back with the server", func() bool { return b.v.get("/mail/1/INBOX").status == 200 })
	}
}

// TestASilenceAmidAnActIsToldInTime: what is known and what is not, with nothing lost and the form at hand.
func TestASilenceAmidAnActIsToldInTime(t *testing.T) {
	t.Parallel()
	server := newFakeIMAP(t)
	site := newSite(t, server.mail(), testdb.SQLite(t), nil)
	v := site.signIn(testmail.User{Address: "anna@fake.test", Password: "secret"})
	server.breakAt("MOVE", "COPY", "STORE", "EXPUNGE")
	var all sync.WaitGroup
	for _, act := range []string{"move", "copy", "delete", "flag", "trash"} {
		v := v.tab()
		v.client.Timeout = 34 * time.Second
		all.Go(func() {
			form := url.Values{"uid": {"7"}, "validity": {"5"}, "action": {act}, "to": {"Trash"}}
			if err := v.try(v.newRequest(http.MethodPost, "/mail/1/INBOX/actions", strings.NewReader(form.Encode()), "Content-Type", "application/x-www-form-urlencoded")); err != nil {
				t.Errorf("%s: %v", act, err)
				return
			}
			words := strings.Join(v.texts("[role=alert]"), " ")
			if v.status != http.StatusServiceUnavailable || !strings.Contains(words, "may have been done or not") && !strings.Contains(words, "Still waiting") {
				t.Errorf("%s: %d %q", act, v.status, words)
			}
		})
	}
	all.Wait()
}

// broken is a site whose mail server has a fault.
type broken struct {
	name   string
	server *fakeIMAP
	site   *site
	v      *visitor
}

// question is a request that needs the mail server.
type question struct {
	path string
	form url.Values // nil = GET
}

var questions = []question{
	{"/mail/1/INBOX", nil}, {"/mail/1/INBOX?q=from:x", nil}, {"/mail/1/INBOX?sort=subject", nil}, {"/mail/1/INBOX/7", nil}, {"/mail/1/INBOX/7/body", nil},
	{"/mail/1/INBOX/7/parts/2", nil}, {"/mail/1/INBOX/7/source", nil}, {"/mail/1/INBOX/7.eml", nil}, {"/mail/1/INBOX/7/attachments.zip", nil},
	{"/search?q=x", nil}, {"/mail/1/mailboxes", nil}, {"/compose", nil}, {"/compose?in=INBOX&uid=7&reply=1", nil}, {"/settings", nil}, {"/outbox", nil},
	{"/mail/1/INBOX/actions", url.Values{"uid": {"7"}, "validity": {"5"}, "action": {"flag"}}},
	{"/mail/1/mailboxes", url.Values{"action": {"create"}, "name": {"TYPED"}}},
	{"/compose", url.Values{"action": {"save"}, "to": {"ben@fake.test"}, "subject": {"TYPED"}, "body": {"It begins"}}},
}

func explained(t *testing.T, b *broken, ask question) {
	v, name, method := b.v.tab(), ask.path+" of a server that "+b.name, http.MethodGet
	if ask.form != nil {
		method, name = http.MethodPost, ask.form.Get("action")+" at "+name
	}
	v.client.Timeout = time.Minute // our own bound is 25 s, on a machine that has time
	req := v.newRequest(method, ask.path, strings.NewReader(ask.form.Encode()), "Content-Type", "application/x-www-form-urlencoded")
	if err := v.try(req); err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	switch {
	case v.status == 500 || v.status < 200 || v.status >= 504:
		t.Errorf("%s: status %d: %.300s", name, v.status, v.body)
	case v.status >= 400 && len(strings.Join(v.texts("[role=alert]"), "")) < 10:
		t.Errorf("%s: status %d without words: %.300s", name, v.status, v.body)
	case v.status >= 400 && ask.form.Get("subject")+ask.form.Get("name") != "" && !strings.Contains(string(v.body), "TYPED"):
		t.Errorf("%s: status %d, and what was typed is not in the page: %.300s", name, v.status, v.body)
	}
}

// tab is another tab of the same browser.
func (v *visitor) tab() *visitor {
	client := *v.client
	return &visitor{t: v.t, client: &client, base: v.base, url: v.url}
}

// newRequest is a request as a page of the site would make it. headers are pairs.
func (v *visitor) newRequest(method, path string, body *strings.Reader, headers ...string) *http.Request {
	v.t.Helper()
	req, err := http.NewRequest(method, v.base, body)
	if err != nil {
		v.t.Fatal(err)
	}
	if req.URL, err = url.Parse(v.base + path); err != nil { // odd spellings: as they are
		p, q, _ := strings.Cut(path, "?")
		req.URL = &url.URL{Scheme: "http", Host: strings.TrimPrefix(v.base, "http://"), Opaque: p, RawQuery: q}
	}
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return req
}
