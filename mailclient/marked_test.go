package mailclient_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"restante/internal/testmail"
	"restante/mailclient"
)

const markField = "X-Restante-Import"

func marked(word string) string {
	return markField + ": 7." + word + "\r\n" + testmail.Mail("z@x.test", word, "text")
}

// TestP9_AMailOfUnknownFateIsFound, or surely is not there, or nobody can say.
func TestP9_AMailOfUnknownFateIsFound(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		put := func(mailbox, word string) uint32 {
			t.Helper()
			raw := marked(word)
			_, uid, err := g.Append(t.Context(), mailbox, nil, time.Time{}, int64(len(raw)), strings.NewReader(raw))
			if err != nil {
				t.Fatal(err)
			}
			return uid
		}
		spot := func() mailclient.Spot {
			t.Helper()
			at, err := g.Spot(t.Context(), "INBOX")
			if err != nil || at.UIDValidity == 0 || at.UIDNext == 0 {
				t.Fatalf("%+v, %v", at, err)
			}
			return at
		}
		find := func(at mailclient.Spot, word string) mailclient.Marked {
			t.Helper()
			m, err := g.FindMarked(t.Context(), at, markField, word)
			if err != nil {
				t.Fatal(err)
			}
			return m
		}
		put("INBOX", "before")
		at := spot()
		if m := find(at, "one"); m.Found() || !m.Absent {
			t.Errorf("nothing has come: %+v", m)
		}
		uid := put("INBOX", "one")
		if uid < at.UIDNext {
			t.Errorf("UID %d is below %d", uid, at.UIDNext)
		}
		put("INBOX", "two")
		if m := find(at, "one"); !m.Found() || m.Ref.UIDs[0] != uid || m.Ref.Mailbox != "INBOX" || m.Ref.UIDValidity != at.UIDValidity {
			t.Errorf("%+v", m)
		}
		for _, word := range []string{"three", "before"} {
			if m := find(at, word); m.Found() || !m.Absent {
				t.Errorf("%s: %+v", word, m)
			}
		}
		if _, err := g.Move(t.Context(), mailclient.Ref{Mailbox: "INBOX", UIDValidity: at.UIDValidity, UIDs: []uint32{uid}}, "Archive"); err != nil {
			t.Fatal(err)
		}
		if m := find(at, "one"); !m.Found() || m.Ref.Mailbox != "Archive" {
			t.Errorf("after it was moved: %+v", m)
		}
		if m := find(at, "three"); m.Found() || m.Absent {
			t.Errorf("one has gone, and it may have been that: %+v", m)
		}
		renewed := at
		renewed.UIDValidity++
		if m := find(renewed, "two"); !m.Found() {
			t.Errorf("in a mailbox that was made anew: %+v", m)
		}
		if m := find(mailclient.Spot{Mailbox: "Never", UIDValidity: 1, UIDNext: 1}, "two"); !m.Found() {
			t.Errorf("of a mailbox that is not there: %+v", m)
		}
		if _, err := g.Spot(t.Context(), "Never"); !errors.Is(err, mailclient.ErrNoMailbox) {
			t.Errorf("%v", err)
		}
		if again := spot(); again.UIDNext <= at.UIDNext { // with the mailbox selected by now
			t.Errorf("%+v after %+v", again, at)
		}
	})
}

func TestP13_AppendingSaysWhyNot(t *testing.T) {
	g := on(t, testmail.Dovecot(t, testmail.DovecotOptions{Quota: "100K"}))
	big := strings.Repeat("x", 200_000)
	_, _, err := g.Append(t.Context(), "INBOX", nil, time.Time{}, int64(len(big)), strings.NewReader(big))
	if no := refusal(t, err); no.Code != "OVERQUOTA" {
		t.Errorf("%+v", no)
	}
	if _, _, err := g.Append(t.Context(), "Never", nil, time.Time{}, 3, strings.NewReader("a\r\n")); !errors.Is(err, mailclient.ErrNoMailbox) {
		t.Error(err)
	}
	small, err := g.Spot(t.Context(), "INBOX")
	if err != nil || small.Most != 0 {
		t.Errorf("%+v, %v", small, err)
	}
	d := on(t, testmail.Demo(t))
	if at, err := d.Spot(t.Context(), "INBOX"); err != nil || at.Most < 1<<20 {
		t.Errorf("APPENDLIMIT: %+v, %v", at, err)
	}
	at := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	raw := marked("dated")
	if _, _, err := d.Append(t.Context(), "INBOX", []string{`\Seen`}, at, int64(len(raw)), io.MultiReader(strings.NewReader(raw[:10]), strings.NewReader(raw[10:]))); err != nil {
		t.Fatal(err)
	}
	d.talk.Do("SELECT INBOX")
	got := strings.Join(d.talk.Do("FETCH 1 (FLAGS INTERNALDATE BODY.PEEK[])"), "\n")
	for _, want := range []string{raw, `\Seen`, "6-May-2024 07:08:09 +0000"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %s", want, got)
		}
	}
}

// TestP13_AMailboxThatWentAwayIsToldApart from a mail that is not taken, also by a server that lets a connection keep
// what it has selected.
func TestP13_AMailboxThatWentAwayIsToldApart(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.talk.Do("CREATE Old")
		raw := marked("one")
		put := func() error {
			_, _, err := g.Append(t.Context(), "Old", nil, time.Time{}, int64(len(raw)), strings.NewReader(raw))
			return err
		}
		spot := func() {
			t.Helper()
			if _, err := g.Spot(t.Context(), "Old"); err != nil {
				t.Fatal(err)
			}
			if err := put(); err != nil {
				t.Fatal(err)
			}
		}
		spot()
		g.talk.Do("DELETE Old")
		if err := put(); err == nil || g.srv.Kind == "dovecot" && !errors.Is(err, mailclient.ErrNoMailbox) {
			t.Errorf("deleted: %v", err)
		}
		g.talk.Do("CREATE Old")
		spot()
	})
}
