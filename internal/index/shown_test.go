package index_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"restante/internal/index"
	"restante/internal/testmail"
	"restante/mailclient"
)

// bothWays is a mail with a text, a letter in HTML and a file.
func bothWays(subject, words string) string {
	return "From: Zoë <zoe@example.test>\r\nTo: me@example.test\r\nSubject: " + subject + "\r\nDate: Thu, 1 Jan 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n" +
		"--m\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\nSch\xf6n " + words + "\r\n" +
		"--a\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Schön " + words + "</p>\r\n--a--\r\n" +
		"--m\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=a.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n" + strings.Repeat("QUFB", 5000) + "\r\n--m--\r\n"
}

// TestMailsReadLatelyOpenWhileTheServerIsAway: as they were, files named, with their flags as the list has them; others
// do not, and what has gone meanwhile is gone.
func TestMailsReadLatelyOpenWhileTheServerIsAway(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.deliver("INBOX", 3)
		g.talk.Append("INBOX", "", bothWays("A letter", "und gut"))
		g.filled(t, "INBOX")
		uid := g.list(t, "INBOX", mailclient.ListQuery{}).Rows[0].UID
		for _, r := range g.list(t, "INBOX", mailclient.ListQuery{}).Rows {
			if r.Subject == "A letter" {
				uid = r.UID
			}
		}
		first, _, err := g.OpenInList(t.Context(), "INBOX", uid, mailclient.ListQuery{})
		if err != nil {
			t.Fatal(err)
		}
		g.until(t, "it is kept", func() bool { n, _ := g.Shown(); return n == 1 })
		g.away(t, true)
		g.session = newSession(t, g)
		g.open(t)
		swift(t, "opening with the server away", func() {
			for _, open := range []func() (*mailclient.Open, error){
				func() (*mailclient.Open, error) {
					o, _, err := g.OpenInList(t.Context(), "INBOX", uid, mailclient.ListQuery{})
					if err == nil && !o.Kept {
						t.Error("nothing says that it is as it was kept")
					}
					return o, err
				},
				func() (*mailclient.Open, error) { return g.Reopen(t.Context(), "INBOX", first.UIDValidity, uid) },
			} {
				o, err := open()
				if err != nil {
					t.Fatal(err)
				}
				if o.Message.Header.Subject() != "A letter" || !o.Message.HTMLAlt || len(o.Message.Blocks) != len(first.Message.Blocks) ||
					o.Message.Blocks[0].Text != first.Message.Blocks[0].Text || o.Message.PlainAlt != first.Message.PlainAlt || len(o.Message.Files) != 1 || o.Message.Files[0].Name != "a.bin" {
					t.Errorf("it opens as %+v", o.Message.Blocks)
				}
			}
			if _, _, err := g.OpenInList(t.Context(), "INBOX", uid-1, mailclient.ListQuery{}); !index.Away(err) {
				t.Errorf("a mail that was never opened: %v", err)
			}
			if row, ok := g.Row(t.Context(), "INBOX", uid-1); !ok || row.Subject == "" {
				t.Errorf("of a mail that was never opened is known %+v", row)
			}
		})
		g.away(t, false)
		if o, err := g.Open(t.Context(), "INBOX", 0, uid); err != nil || o.Kept {
			t.Errorf("with the server back: %v, %v", o, err)
		}
	})
}

// TestWhatNeverChangesIsFetchedOnce: after a restart the server tells the flags of a mail that was opened before, and
// all of one in a mailbox that was made anew.
func TestWhatNeverChangesIsFetchedOnce(t *testing.T) {
	g := on(t, testmail.Dovecot(t, testmail.DovecotOptions{}))
	if err := g.CreateMailbox(t.Context(), "box"); err != nil {
		t.Fatal(err)
	}
	g.talk.Append("box", "", bothWays("Old", "alt"))
	g.filled(t, "box")
	open := func() *mailclient.Open {
		t.Helper()
		g.tap.Forget()
		o, _, err := g.OpenInList(t.Context(), "box", 1, mailclient.ListQuery{})
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	open()
	g.until(t, "it is kept", func() bool { n, _ := g.Shown(); return n == 1 })
	g.session = newSession(t, g)
	g.open(t)
	g.list(t, "box", mailclient.ListQuery{})
	if o := open(); o.Kept || o.Message.Header.Subject() != "Old" || strings.Contains(g.tap.Said(), "BODY.PEEK[1") {
		t.Errorf("%q was opened with %q", o.Message.Header.Subject(), g.tap.Said())
	}
	if err := g.DeleteMailbox(t.Context(), "box"); err != nil {
		t.Fatal(err)
	}
	if err := g.CreateMailbox(t.Context(), "box"); err != nil {
		t.Fatal(err)
	}
	g.talk.Append("box", "", bothWays("New", "neu"))
	g.list(t, "box", mailclient.ListQuery{})
	g.filled(t, "box")
	if o := open(); o.Message.Header.Subject() != "New" {
		t.Errorf("the new mailbox shows %q", o.Message.Header.Subject())
	}
}

// TestKeptMailsAreBounded: the one that was not used for longest goes.
func TestKeptMailsAreBounded(t *testing.T) {
	defer index.KeepAtMost(100 << 10)()
	g := on(t, testmail.Demo(t))
	noise := func() string {
		b := make([]byte, 30<<10)
		for i := range b {
			b[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[rand.N(64)]
		}
		return string(b)
	}
	for range 6 {
		g.talk.Append("INBOX", "", testmail.Mail("a@example.test", "noise", noise()))
	}
	g.filled(t, "INBOX")
	for uid := range uint32(6) {
		if _, err := g.Open(t.Context(), "INBOX", 0, uid+1); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	g.until(t, "some are kept", func() bool { n, _ := g.Shown(); return n >= 3 })
	if n, size := g.Shown(); n > 4 || size > 100<<10 {
		t.Errorf("%d of %d bytes are kept", n, size)
	}
	g.away(t, true)
	g.until(t, "the last one opens", func() bool { _, err := g.Open(t.Context(), "INBOX", 0, 6); return err == nil })
	var out *mailclient.OutageError
	g.session = newSession(t, g)
	g.open(t)
	if _, err := g.Open(t.Context(), "INBOX", 0, 1); !errors.As(err, &out) {
		t.Errorf("the first one: %v", err)
	}
}

// until polls, at most 10 s.
func (g *ground) until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 1000 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal(what)
}

// TestFilesCrowdOutNoMails: those that are kept take no more than half of the room, and those used last stay.
func TestFilesCrowdOutNoMails(t *testing.T) {
	defer index.KeepAtMost(100 << 10)()
	g := on(t, testmail.Demo(t))
	raw := "From: a@example.test\r\nSubject: files\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n"
	for range 9 {
		raw += "--m\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=a.bin\r\n\r\n" + strings.Repeat("file", 5000) + "\r\n"
	}
	g.talk.Append("INBOX", "", raw+"--m--\r\n")
	g.filled(t, "INBOX")
	o, err := g.Open(t.Context(), "INBOX", 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range o.Message.Files {
		if err := g.Part(t.Context(), "INBOX", o.UIDValidity, 1, f.Section, io.Discard); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond) // it is kept behind
	}
	g.until(t, "some are kept", func() bool { n, _ := g.Shown(); return n == 3 }) // the mail, and two files of 20,000 octets
	g.away(t, true)
	g.session = newSession(t, g)
	g.open(t)
	g.until(t, "the mail opens", func() bool { o, err := g.Open(t.Context(), "INBOX", 0, 1); return err == nil && o.Kept })
	last, none := o.Message.Files[8].Section, o.Message.Files[0].Section
	if f, err := g.PartFile(t.Context(), "INBOX", o.UIDValidity, 1, last); err != nil || f.Size != 20_000 {
		t.Errorf("the file used last: %v", err)
	}
	if _, err := g.PartFile(t.Context(), "INBOX", o.UIDValidity, 1, none); !index.Lost(err) {
		t.Errorf("the file used first: %v", err)
	}
}
