package main

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"restante/internal/config"
	"restante/internal/testdb"
	"restante/internal/testmail"
)

// TestBadInputIsRefusedWithWords asks what nobody should ask: each answer is a page with words and one line in the log.
func TestBadInputIsRefusedWithWords(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		mail := testmail.Postfix(t, testmail.PostfixOptions{})
		s := newSite(t, mail, db, func(c *config.Config) { c.UploadMB = 1 })
		anna := mail.NewUser(t)
		mail.Deliver(t, anna, testmail.Mail("Ben <ben@example.test>", "One", "first"), testmail.Mail("Ben <ben@example.test>", "Two", "second"))
		v := s.signIn(anna)
		v.client.Timeout = 30 * time.Second
		for _, b := range slices.Concat(badReads, badWrites(), oddMethods()) {
			t.Run(b.name(), func(t *testing.T) { refused(t, s, v.tabOf(t), b) })
		}
		back := write("/mail/1/INBOX/actions", 400, "action", "move", "uid", "1", "back", "/mail/1/INBOX?filter=unread")
		v.do(v.newRequest(back.method, back.path, strings.NewReader(back.form.Encode()), "Content-Type", "application/x-www-form-urlencoded")).want(400)
		if !v.has(`a[href="/mail/1/INBOX?filter=unread"]`) || v.has("form") {
			t.Errorf("a move to no folder leads nowhere, or is sent again: %.2000s", v.body)
		}
		for _, path := range []string{"/mail/1/INBOX", "/mail/1/mailboxes", "/compose", "/settings", "/outbox"} {
			v.get(path).want(200)
		}
		if n := len(v.get("/mail/1/INBOX").all("[data-uid]")); n != 2 {
			t.Errorf("%d mails are in the inbox, not the 2 that were there", n)
		}
	})
}

// bad is a request that should not be made, and what may be answered.
type bad struct {
	method, path string
	form         url.Values
	status       []int
	keeps        string // what was typed and must be in the answer
	headers      []string
	body         string
}

func (b bad) name() string {
	name := b.method + " " + b.path + " " + b.form.Encode() + strings.Join(b.headers, " ")
	if len(name) > 90 {
		name = name[:90]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == '/' || r == '#' || r > '~' {
			return '_'
		}
		return r
	}, name)
}

func refused(t *testing.T, s *site, v *visitor, b bad) {
	before := len(s.log.String())
	body, headers := b.body, b.headers
	if b.form != nil {
		body, headers = b.form.Encode(), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, headers...)
	}
	if err := v.try(v.newRequest(b.method, b.path, strings.NewReader(body), headers...)); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(b.status, v.status) {
		t.Errorf("status %d, not %v: %.500s", v.status, b.status, strings.Join(append(v.texts("[role=alert]"), v.texts("title")...), " "))
	}
	if b.method != http.MethodHead && v.status >= 400 && len(strings.Join(v.texts("[role=alert]"), "")) < 10 {
		t.Errorf("no words: %.500s", v.body)
	}
	if b.keeps != "" && !strings.Contains(string(v.body), b.keeps) {
		t.Errorf("what was typed is not in the page: %.2000s", v.body)
	}
	refusals := 0
	for _, l := range strings.Split(s.log.String()[before:], "\n") {
		if strings.Contains(l, "msg=panic") || strings.Contains(l, "level=ERROR") {
			t.Errorf("the log says %s", l)
		}
		if strings.Contains(l, `msg="request refused" id=`) || strings.Contains(l, `msg="request failed" id=`) {
			refusals++
		}
	}
	if v.status >= 400 && v.status != 401 && refusals != 1 && v.has("code") {
		t.Errorf("%d lines in the log tell of it, not one: %s", refusals, s.log.String()[before:])
	}
}

// tabOf is a tab whose failures are those of a subtest.
func (v *visitor) tabOf(t *testing.T) *visitor {
	tab := v.tab()
	tab.t = t
	return tab
}

func read(path string, status ...int) bad {
	return bad{method: http.MethodGet, path: path, status: status}
}

var badReads = []bad{
	read("/contacts?page=-1", 200), read("/contacts?page=9223372036854775807", 200), read("/contacts?group=x", 404), read("/contacts?group=99", 404), read("/contacts?q="+strings.Repeat("x", 200), 400),
	read("/contacts?q=%00", 400), read("/contacts?q=%ff", 400), read("/contacts?q=%25%5C_", 200), read("/contacts/99", 404), read("/contacts/-1", 404), read("/contacts/99/edit", 404), read("/contacts/import/%2e%2e", 404),
	read("/contacts/of?address=%0d%0a", 200, 400), read("/contacts/export.vcf?group=99", 200), read("/contacts/new?name="+strings.Repeat("x", 2000), 200),
	read("/nothing", 404), read("/mail", 404), read("/mail/1", 404), read("/mail//INBOX", 404), read("//evil.example/mail", 404),
	read("/mail/1/Nope", 404), read("/mail/1/~2E~2E", 404), read("/mail/1/..%2f..%2fetc", 404), read("/mail/1/%2e%2e/INBOX", 404), read("/mail/99/INBOX", 404),
	read("/mail/0/INBOX", 404), read("/mail/-1/INBOX", 404), read("/mail/abc/INBOX", 404), read("/mail/99999999999999999999/INBOX", 404),
	read("/mail/1/INBOX%00", 404), read("/mail/1/%ff%fe", 404), read("/mail/1/INBOX%2500", 404), read("/mail/1/%2525", 404), read("/mail/1/~", 404), read("/mail/1/~0", 404),
	read("/mail/1/"+strings.Repeat("x", 3000), 404), read("/mail/1/%F0%9F%90%9F", 404), read("/mail/1/INBOX/", 404), read("/mail/1/INBOX%2F1", 404),
	read("/mail/1/INBOX/999999", 404), read("/mail/1/INBOX/0", 404), read("/mail/1/INBOX/-1", 404), read("/mail/1/INBOX/abc", 404), read("/mail/1/INBOX/4294967296", 404),
	read("/mail/1/INBOX/1e0", 404), read("/mail/1/INBOX/999999/body", 404), read("/mail/1/INBOX/999999/source", 404), read("/mail/1/INBOX/999999.eml", 404),
	read("/mail/1/INBOX/999999/attachments.zip", 404), read("/mail/1/INBOX/999999/parts/1", 404), read("/mail/1/INBOX/999999/print", 404),
	read("/mail/1/INBOX/1/parts/99", 404), read("/mail/1/INBOX/1/parts/..%2f1", 404), read("/mail/1/INBOX/1/parts/1%00", 404), read("/mail/1/INBOX/1/parts/x", 404),
	read("/mail/1/INBOX/1/body?v=1", 404), read("/mail/1/INBOX/1/body?v=abc", 400), read("/mail/1/INBOX/1/parts/1?v=-1", 400), read("/mail/1/INBOX/1/nothing", 404),
	read("/mail/1/INBOX?page=-1", 400), read("/mail/1/INBOX?page=0", 400), read("/mail/1/INBOX?page=abc", 400), read("/mail/1/INBOX?page=1.5", 400),
	read("/mail/1/INBOX?page=99999999999999999999", 400), read("/mail/1/INBOX?page=9223372036854775807", 200, 400, 404), read("/mail/1/INBOX?page=1000000", 200, 404),
	read("/mail/1/INBOX?sort=evil", 400), read("/mail/1/INBOX?sort=date;drop", 200, 400), read("/mail/1/INBOX?order=sideways", 400), read("/mail/1/INBOX?filter=evil", 400),
	read("/mail/1/INBOX?sort=evil&sort=date", 400), read("/mail/1/INBOX/1?page=abc", 400), read("/mail/1/INBOX?page=%ff", 400), read("/mail/1/INBOX?%zz=1&page=%zz", 200),
	read("/mail/1/INBOX?q=%00", 400), read("/mail/1/INBOX?q=a%0d%0ab", 200, 400), read("/mail/1/INBOX?q=%ff", 400), read("/mail/1/INBOX?q="+strings.Repeat("x", 2000), 400),
	read("/mail/1/INBOX?q="+strings.Repeat("x+", 400), 200, 400), read("/mail/1/INBOX?q=%22unclosed", 200, 400), read("/mail/1/INBOX?q=from:", 200, 400),
	read("/mail/1/INBOX?q=before:yesterday-ish", 200, 400), read("/mail/1/INBOX?q=has:wings", 200, 400), read("/mail/1/INBOX?q=%7B5%2B%7D%0D%0Ahello", 200, 400),
	read("/mail/1/INBOX?q=)+ALL+(OR", 200, 400), read("/mail/1/INBOX?q=-", 200, 400), read("/mail/1/INBOX?q=larger:99999999999999999999g", 200, 400),
	read("/mail/1/INBOX?on=yesterday", 400), read("/mail/1/INBOX?on=2024-02-31", 400), read("/mail/1/INBOX?on=2024-02-01&sort=size", 200),
	read("/search?page=-1&q=x", 400), read("/search?page=abc", 400), read("/search?page=1000000&q=One", 200, 404), read("/search?q=%00", 400), read("/search?q=x&in=Nope", 404),
	read("/search?q=x&in=../../outbox", 404), read("/search?q="+strings.Repeat("y", 1100), 400),
	read("/compose/nope", 404), read("/compose/%00", 404), read("/compose/nope/files/nope", 404), read("/compose?mailto=javascript:alert(1)", 400), read("/compose?mailto=%25zz", 400),
	read("/compose?mailto=mailto:%25zz", 400), read("/compose?in=INBOX&uid=abc&reply=1", 404), read("/compose?in=Nope&uid=1&reply=1", 404), read("/compose?in=INBOX&uid=999&reply=1", 404),
	read("/compose?draft=INBOX&uid=999", 404), read("/compose?to=%00", 400), read("/compose?to=a%0d%0abcc:x@y.z&subject=%0d%0aBcc:%20x", 200), read("/compose?body=%ff", 400),
	read("/search/suggest?q=%00", 400), read("/search/suggest?q="+strings.Repeat("p", 501), 400), read("/search/suggest?q=%25%5f%27%22+from:", 200), read("/compose/people?q=%00", 400), read("/compose/people?q="+strings.Repeat("p", 101), 400), read("/compose/people?q=%25%5f%27", 200),
	read("/settings/nope", 404), read("/settings/zone", 404), read("/outbox/1", 405), read("/undo/1", 405), read("/logout", 405), read("/trust", 405), read("/mail/1/INBOX/actions", 404),
	read("/leave?u=https://evil.example&s=00", 404), read("/leave", 404), read("/proxy?u=https://evil.example/x.png&s=00", 404), read("/proxy", 404),
}

func write(path string, status int, pairs ...string) bad {
	f := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		f.Add(pairs[i], pairs[i+1])
	}
	return bad{method: http.MethodPost, path: path, form: f, status: []int{status}}
}

func (b bad) keeping(words string) bad {
	b.keeps = words
	return b
}

func (b bad) or(status int) bad {
	b.status = append(b.status, status)
	return b
}

func badWrites() []bad {
	const acts, boxes = "/mail/1/INBOX/actions", "/mail/1/mailboxes"
	thousands := write("/compose", 200, "action", "save", "subject", "TYPED").or(400)
	for i := range 10_000 {
		thousands.form.Add(fmt.Sprintf("x%d", i), "y")
	}
	return []bad{
		write(acts, 400), write(acts, 400, "action", "flag"), write(acts, 400, "action", "flag", "uid", "abc"), write(acts, 400, "action", "flag", "uid", "0"),
		write(acts, 400, "action", "flag", "uid", "-1"), write(acts, 400, "action", "flag", "uid", "99999999999"), write(acts, 400, "uid", "1", "validity", "1"),
		write(acts, 400, "action", "flag", "uid", "1", "validity", "abc"), write(acts, 404, "action", "flag", "uid", "1", "validity", "1"), write(acts, 400, "action", "evil", "uid", "1", "validity", "1"),
		write(acts, 404, "action", "trash", "uid", "1", "validity", "1"), write(acts, 404, "action", "delete", "uid", "1", "validity", "1"), write(acts, 400, "action", "move", "uid", "1", "validity", "1"),
		write(acts, 400, "action", "move", "uid", "1", "validity", "1", "to", "Nope\r\nA LOGOUT"), write(acts, 400, "action", "move", "uid", "1", "to", "x\x00"),
		write(acts, 400, "action", "label", "uid", "1", "validity", "1", "label", "half)"), write(acts, 400, "action", "label", "uid", "1", "validity", "1", "label", "x\r\n"+"y"),
		write(acts, 400, "action", "label", "uid", "1", "validity", "1", "label", `\Deleted`), write(acts, 400, "action", "label", "uid", "1", "validity", "1", "label", "x\x00"),
		write(acts, 400, "action", "flag", "all", "1", "filter", "evil", "validity", "1"), write(acts, 200, "action", "flag", "uid", "999", "back", "//evil.example/").or(404),
		write("/mail/1/Nope/actions", 404, "action", "flag", "uid", "1"), write("/undo/abc", 404), write("/undo/99999", 404), write("/undo/99999999999999999999", 404),
		write(boxes, 404), write(boxes, 404, "action", "rename", "name", "Nope", "newname", "x"), write(boxes, 422, "action", "create"), write(boxes, 422, "action", "create", "name", "  "),
		write(boxes, 422, "action", "create", "name", "TYPED\r\nA1 LOGOUT").or(400).keeping("TYPED"), write(boxes, 400, "action", "create", "name", "TYPED\x00").keeping("TYPED"),
		write(boxes, 400, "action", "create", "name", "TYPED\xff").keeping("TYPED"), write(boxes, 422, "action", "create", "name", "TYPED*").or(200).keeping("TYPED"),
		write(boxes, 422, "action", "create", "name", strings.Repeat("TYPED", 400)).or(409).keeping("TYPED"), write(boxes, 422, "action", "create", "name", "INBOX").or(409),
		write(boxes, 422, "action", "create", "name", "TYPED", "parent", "Nope").or(200).or(404), write(boxes, 422, "action", "rename", "name", "INBOX", "newname", "x"),
		write(boxes, 422, "action", "delete", "name", "INBOX", "sure", "1"), write(boxes, 400, "action", "evil", "name", "INBOX"), write(boxes, 422, "action", "reparent", "name", "INBOX", "parent", "x"),
		write("/compose", 400, "action", "send", "subject", "x\x00", "body", "TYPED").keeping("TYPED"), write("/compose", 400, "action", "save", "body", "TYPED\x00").keeping("TYPED"),
		write("/compose", 400, "action", "save", "body", "TYPED\xff\xfe").keeping("TYPED"), write("/compose", 400, "action", "save", "to", "x\x00", "body", "TYPED").keeping("TYPED"),
		write("/compose", 400, "from", "abc", "body", "TYPED").keeping("TYPED"), write("/compose", 422, "action", "send", "from", "99", "to", "ben@example.test", "subject", "s", "body", "TYPED").keeping("TYPED"),
		write("/compose", 400, "action", "evil", "body", "TYPED").keeping("TYPED"), write("/compose", 422, "action", "send", "subject", "s", "body", "TYPED").keeping("TYPED"),
		write("/compose", 422, "action", "send", "to", "not an address", "subject", "s", "body", "TYPED").keeping("TYPED"), write("/compose", 400, "rev", "abc", "body", "TYPED").keeping("TYPED"),
		write("/compose", 422, "action", "send", "to", "x@example.test>\r\nRCPT TO:<evil@example.test", "subject", "s", "body", "TYPED").keeping("TYPED"),
		write("/compose", 400, "answer_kind", "receipt", "body", "TYPED").keeping("TYPED"), write("/compose", 400, "answer_kind", "reply", "answer_uid", "abc", "body", "TYPED").keeping("TYPED"), write("/compose", 422, "action", "send", "answer_kind", "forward", "answer_uid", "999", "answer_mailbox", "INBOX", "carry", "files", "body", "TYPED").keeping("TYPED"),
		write("/compose", 400, "subject", strings.Repeat("s", 5000), "body", "TYPED").keeping("TYPED"), write("/compose", 400, "body", strings.Repeat("b", 5<<20)), write("/compose", 413, "body", strings.Repeat("b", 9<<20)),
		write("/compose/nope", 404, "body", "TYPED").keeping("TYPED"), write("/compose/nope/files", 404), thousands,
		write("/outbox/abc", 404), write("/outbox/999", 404), write("/outbox/999", 404, "action", "undo"), write("/outbox/999", 404, "action", "discard"), write("/outbox/999", 404, "action", "retry"),
		write("/contacts", 422, "name", " ", "note", "TYPED").keeping("TYPED"), write("/contacts", 422, "name", "TYPED", "address", "a@b.c\r\nBcc: x").keeping("TYPED"), write("/contacts", 400, "name", "TYPED\x00").keeping("TYPED"),
		write("/contacts/99", 422, "name", "TYPED"), write("/contacts/actions", 400, "action", "evil", "id", "1"), write("/contacts/actions", 400, "action", "delete", "id", "x"), write("/contacts/groups", 404, "action", "delete", "group", "99"),
		write("/contacts/actions", 404, "action", "group", "group", "99", "id", "1"), write("/contacts/groups", 404, "action", "rename", "group", "99", "name", "x"), write("/contacts/import/99", 404, "action", "take"),
		{method: "POST", path: "/contacts/import", status: []int{400}, headers: []string{"Content-Type", "multipart/form-data; boundary=cut"}, body: "--cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.vcf\"\r\n\r\nBEGIN:VCARD"},
		write("/imports", 422, "username", ""), write("/imports", 422, "username", "TYPED", "host", "a", "port", "x", "security", "tls", "password", "x").keeping("TYPED"), write("/imports/9", 404, "action", "run"), write("/imports/x", 404),
		write("/imports", 422, "username", "TYPED", "host", "a", "security", "evil").keeping("TYPED"), write("/imports", 400, "username", "x\x00"), write("/imports/files", 400, "x", "1"),
		write("/settings/nope", 404), write("/settings/general", 422, "undo_seconds", "abc", "name", "TYPED").keeping("TYPED"), write("/settings/general", 422, "time_zone", "../../etc/passwd"),
		write("/settings/general", 422, "language", "tlh"), write("/settings/general", 400, "name", "TYPED\x00").keeping("TYPED"), write("/settings/general", 422, "name", strings.Repeat("n", 300)),
		write("/settings/identities", 400), write("/settings/identities", 400, "id", "abc"), write("/settings/identities", 422, "id", "0", "address", "a@b.c\r\nBcc: x", "name", "TYPED").keeping("TYPED"),
		write("/settings/identities", 422, "id", "0", "address", "no address", "signature", "TYPED").keeping("TYPED"), write("/settings/identities", 400, "id", "0", "address", "a@b.test", "name", "x\x00", "signature", "TYPED").keeping("TYPED"),
		write("/settings/identities", 404, "id", "99", "address", "a@b.test", "name", "TYPED"), write("/settings/identities", 404, "id", "99", "action", "delete"), write("/settings/zone", 400, "zone", "Mars"),
		write("/settings/devices", 200, "session", "nonsense"), write("/trust", 400, "sender", "x"), write("/trust", 400, "sender", "a@b.test\r\n"),
		{method: "POST", path: "/compose", status: []int{400}, headers: []string{"Content-Type", "multipart/form-data"}, body: "x"},
		{method: "POST", path: "/compose", status: []int{400}, headers: []string{"Content-Type", "multipart/form-data; boundary=cut"}, body: "x"},
		{method: "POST", path: acts, status: []int{400}, headers: []string{"Content-Type", "multipart/form-data; boundary=cut"}, body: "--cut\r\nContent-Disposition: form-data; name=\"uid\"\r\n\r\n1"},
		{method: "POST", path: acts, status: []int{400}, headers: []string{"Content-Type", "application/json"}, body: `{"action":"flag"}`},
		{method: "POST", path: acts, status: []int{400}, headers: []string{"Content-Type", "application/x-www-form-urlencoded"}, body: "uid=%zz&action=flag"},
		{method: "POST", path: acts, status: []int{400}, headers: []string{"Content-Type", ";;;"}, body: "uid=1"},
		{method: "POST", path: acts, status: []int{400}, body: "uid=1&action=flag"},
	}
}

func oddMethods() (out []bad) {
	for _, path := range []string{"/", "/mail/1/INBOX", "/mail/1/INBOX/1/body", "/compose", "/settings", "/login", "/static/app.css", "/events", "/healthz"} {
		for _, m := range []string{"PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND"} {
			out = append(out, bad{method: m, path: path, status: []int{405}})
		}
	}
	for _, path := range []string{"/mail/1/INBOX", "/compose", "/events", "/mail/1/INBOX/1/body"} {
		out = append(out, bad{method: "HEAD", path: path, status: []int{200}})
	}
	return append(out, bad{method: "HEAD", path: "/outbox/1", status: []int{405}}, bad{method: "POST", path: "/help", form: url.Values{}, status: []int{405}},
		bad{method: "HEAD", path: "/mail/1/Nope", status: []int{404}})
}
