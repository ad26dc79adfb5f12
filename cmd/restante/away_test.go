package main

import (
	"bytes"
	"database/sql"
	"encoding/base64"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

// behindTap is a site whose mail server stands behind a tap, with somebody signed in whose inbox has been read.
type behindTap struct {
	*site
	tap  *testmail.Tap
	talk *testmail.Talk
	v    *visitor
	user testmail.User
}

func newBehindTap(t *testing.T, srv *testmail.Server, db testdb.DB, subjects ...string) *behindTap {
	t.Helper()
	b := &behindTap{tap: testmail.NewTap(t, srv.IMAP)}
	mail := *srv
	mail.IMAP, mail.IMAPS = b.tap.Address, testmail.Address{}
	b.site = newSite(t, &mail, db, nil)
	b.user = srv.NewUser(t)
	b.talk = srv.Talk(t, b.user)
	for _, s := range subjects {
		b.talk.Append("INBOX", "", testmail.Mail("Zoë <zoe@example.test>", s, "The text of "+s))
	}
	b.v = b.signIn(b.user)
	b.v.get("/mail/1/INBOX").want(200)
	b.kept(t, "INBOX")
	return b
}

// kept waits until the index has all of a mailbox.
func (b *behindTap) kept(t *testing.T, mailbox string) {
	t.Helper()
	b.indexed(t, "all of "+mailbox, "SELECT complete FROM boxes WHERE name = ?", mailbox)
}

// indexed waits until a query of the account's index gives something other than nothing.
func (b *behindTap) indexed(t *testing.T, what, query string, args ...any) {
	t.Helper()
	b.site.indexed(t, "1", what, query, args...)
}

// indexed waits until a query of an account's index gives something other than nothing.
func (s *site) indexed(t *testing.T, account, what, query string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.conf.Data, "index", account+".db")+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	eventually(t, "the index has "+what, func() bool {
		var n int
		return db.QueryRow(query, args...).Scan(&n) == nil && n > 0
	})
}

func (b *behindTap) away(on bool) {
	b.tap.Refuse(on)
	if on {
		b.tap.Cut()
	}
}

// banner is what the strip says of the mail server, "" while it says nothing.
func (v *visitor) banner() string {
	if !v.has("div[data-away]") {
		return ""
	}
	return v.texts("div[data-away]")[0]
}

// soon wants what f does to take no more than a few seconds.
func soon(t *testing.T, what string, f func()) {
	t.Helper()
	began := time.Now()
	f()
	if took := time.Since(began); took > 6*time.Second {
		t.Errorf("%s took %v", what, took)
	}
}

// TestReadingGoesOnWhileTheMailServerIsAway: folders, lists and mails read lately stand, after a restart too, with words
// for what is the matter and a button; what is not kept says so.
func TestReadingGoesOnWhileTheMailServerIsAway(t *testing.T) {
	testmail.Each(t, func(t *testing.T, srv *testmail.Server) {
		b := newBehindTap(t, srv, testdb.SQLite(t), "One", "Two", "Three")
		b.v.open("Two").want(200)
		b.indexed(t, "the mail", "SELECT COUNT(*) FROM shown")
		if b.v.banner() != "" {
			t.Errorf("with the server there the banner says %q", b.v.banner())
		}
		b.away(true)
		b.restart()
		soon(t, "reading with the server away", func() {
			v := b.v.get("/mail/1/INBOX").want(200)
			if v.row("One") == "" || v.row("Three") == "" || !v.has("a[data-mailbox=INBOX]") {
				t.Error("list or folders are missing")
			}
			for _, word := range []string{"cannot be reached", "as of"} {
				if !strings.Contains(v.banner(), word) {
					t.Errorf("the banner says %q, not %q", v.banner(), word)
				}
			}
			v.open("Two").want(200)
			if !strings.Contains(string(v.body), "The text of Two") {
				t.Error("a mail that was read does not open")
			}
			v.says("[role=note]", "as it was kept here")
			v.get("/mail/1/INBOX").open("One").want(502)
			v.says("[role=alert]", "not kept here")
			v.says("ul[class=facts]", "Zoë")
			v.get("/settings").want(200)
		})
		v := b.v.get("/mail/1/INBOX")
		v.form("form[action=/retry]").press("", "").want(200)
		if v.banner() == "" {
			t.Error("the server is away still, and there is no banner")
		}
		b.away(false)
		v.form("form[action=/retry]").press("", "").want(200)
		v.says("[data-status]", "The mail server is back.")
		if v.banner() != "" {
			t.Errorf("the server is back, and the banner says %q", v.banner())
		}
		v.open("One").want(200)
	})
}

// TestASilentMailServerIsToldApart and holds nobody up for long.
func TestASilentMailServerIsToldApart(t *testing.T) {
	b := newBehindTap(t, testmail.Demo(t), testdb.SQLite(t), "One", "Two")
	b.v.open("Two").want(200)
	b.indexed(t, "the mail", "SELECT COUNT(*) FROM shown")
	b.tap.Mute()
	soon(t, "the first page of a silent server", func() { b.v.get("/mail/1/INBOX").want(200) })
	soon(t, "what follows", func() {
		b.v.get("/mail/1/INBOX").want(200).open("Two").want(200)
		b.v.get("/mail/1/INBOX?sort=from").want(200)
	})
	if said := b.v.banner(); !strings.Contains(said, "does not answer") {
		t.Errorf("the banner says %q", said)
	}
	b.tap.Unmute()
	b.v.form("form[action=/retry]").press("", "").want(200)
	eventually(t, "the banner goes", func() bool { return b.v.get("/mail/1/INBOX").want(200).banner() == "" })
}

// TestTheLineOfAnOutageComesAndGoesByItself on an open page, and the mail that could not be shown opens.
func TestTheLineOfAnOutageComesAndGoesByItself(t *testing.T) {
	b := newBehindTap(t, testmail.Demo(t), testdb.SQLite(t), "One", "Two")
	tab := newTab(t, b.site, wide)
	tab.expect("502") // of the mail that is not kept
	tab.signIn(b.user)
	tab.open("/mail/1/INBOX")
	tab.until("nothing is wrong", `!document.querySelector("[data-away]")`)
	b.away(true)
	tab.until("the line says what is wrong", `document.querySelector("[data-away]")?.innerText.includes("cannot be reached")`)
	tab.click(`.row [data-message-link]`)
	tab.until("the mail is not kept", `document.querySelector("#trouble")?.innerText.includes("not kept here")`)
	b.away(false)
	tab.until("the mail opens", `document.querySelector("[data-message]")?.innerText.includes("The text of")`)
	tab.until("the line has gone", `!document.querySelector("[data-away]")`)
}

// TestFilesThatWereOpenedOpenWhileTheMailServerIsAway: pictures of letters and small files as they were; of large ones, and
// of those that nobody has opened, a page says that they are not kept.
func TestFilesThatWereOpenedOpenWhileTheMailServerIsAway(t *testing.T) {
	testmail.Each(t, func(t *testing.T, srv *testmail.Server) {
		b := newBehindTap(t, srv, testdb.SQLite(t))
		picture, noise := onePixel(t), make([]byte, 3<<20)
		for i := range noise {
			noise[i] = byte(i * i >> 7)
		}
		b.talk.Append("INBOX", "", mixed("Files", "Content-Type: text/html\n\n<p>See</p><img src=\"cid:hat@x\">",
			"Content-Type: image/png; name=hat.png\nContent-ID: <hat@x>\nContent-Disposition: inline\nContent-Transfer-Encoding: base64\n\n"+strings.ReplaceAll(lines(base64.StdEncoding.EncodeToString(picture)), "\r\n", "\n"),
			filed("text/plain", "notes.txt", []byte("the notes")), filed("application/pdf", "small.pdf", noise[:300_000]), filed("application/pdf", "large.pdf", noise), filed("text/plain", "unread.txt", []byte("unread"))))
		v := b.v
		eventually(t, "the mail arrives", func() bool { return v.get("/mail/1/INBOX").want(200).row("Files") != "" })
		v.open("Files").want(200)
		at := v.url.Path
		files := map[string][]byte{"2": picture, "3": []byte("the notes"), "4": noise[:300_000], "5": noise}
		for section, body := range files {
			if v.get(at + "/parts/" + section + "?download=1").want(200); !bytes.Equal(v.body, body) {
				t.Errorf("with the server there, %d octets of part %s came, not %d", len(v.body), section, len(body))
			}
		}
		b.indexed(t, "three files", "SELECT COUNT(*) = 3 FROM shown WHERE mailbox LIKE 'INBOX_%'")
		b.tap.Forget()
		if v.get(at + "/parts/4?download=1").want(200); strings.Contains(b.tap.Said(), "BODY") {
			t.Errorf("a file that is kept is fetched again: %s", b.tap.Said())
		}
		b.away(true)
		b.restart()
		v = b.v
		for section, body := range files {
			if section == "5" {
				continue
			}
			if v.get(at + "/parts/" + section + "?download=1").want(200); !bytes.Equal(v.body, body) {
				t.Errorf("with the server away, %d octets of part %s came, not %d", len(v.body), section, len(body))
			}
		}
		v.get(at+"/files/3").want(200).says("main", "the notes")
		for _, path := range []string{"/parts/5?download=1", "/parts/6?download=1", "/files/6"} {
			v.get(at+path).want(502).says("[role=alert]", "This file is not kept here.")
		}
		v.do(v.newRequest(http.MethodGet, v.resolve(at+"/parts/5"), strings.NewReader(""), "Sec-Fetch-Dest", "image")).want(200)
		if kind := v.header.Get("Content-Type"); kind != "image/svg+xml" || !strings.Contains(string(v.body), "Not kept here") {
			t.Errorf("in the place of a picture comes %s", kind)
		}
		b.away(false)
		v.get("/mail/1/INBOX").form("form[action=/retry]").press("", "").want(200)
		v.get(at + "/parts/6?download=1").want(200)
	})
}
