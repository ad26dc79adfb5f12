package pop3_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"restante/mailclient/pop3"
)

// TestP9_TheSpoolKeepsWhatIsWhole, and nothing else.
func TestP9_TheSpoolKeepsWhatIsWhole(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool", "7")
	s := pop3.Dir(dir)
	if ids, err := s.IDs(); err != nil || len(ids) > 0 || s.Full() {
		t.Fatalf("before it exists: %v, %v", ids, err)
	}
	for id, end := range map[int64]func(pop3.Spooling) error{
		1: func(f pop3.Spooling) error { return f.Commit() },
		2: func(f pop3.Spooling) error { f.Abort(); return nil },
		3: func(pop3.Spooling) error { return nil }, // killed
	} {
		f, err := s.Create(id)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, "text"); err != nil {
			t.Fatal(err)
		}
		if err := end(f); err != nil {
			t.Fatal(err)
		}
	}
	if ids, err := s.IDs(); err != nil || !slices.Equal(ids, []int64{1}) {
		t.Errorf("%v, %v", ids, err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%v", left)
	}
	if st, err := os.Stat(filepath.Join(dir, "1.mail")); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st, err)
	}
	r, size, err := s.Open(1)
	if err != nil || size != 4 {
		t.Fatal(size, err)
	}
	raw, _ := io.ReadAll(r)
	if err := errors.Join(r.Close(), s.Sync(1), s.Remove(1), s.Remove(1), s.Sync(1)); err != nil || string(raw) != "text" {
		t.Errorf("%q, %v", raw, err)
	}
}

// TestP9_WhatAPowerCutHasTornIsNotTakenForAMail: it is fetched once more.
func TestP9_WhatAPowerCutHasTornIsNotTakenForAMail(t *testing.T) {
	dir := t.TempDir()
	s := pop3.Dir(dir)
	for id, tear := range map[int64]func(path string) error{
		1: func(string) error { return nil },
		2: func(path string) error { return os.Truncate(path, 0) },
		3: func(path string) error { return os.Truncate(path, 20) },
		4: func(path string) error { return os.WriteFile(path, make([]byte, 48), 0o600) }, // its length, and nothing in it
	} {
		f, err := s.Create(id)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, "Subject: one\r\n\r\nThe whole of its text.\r\n"); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(f.Commit(), tear(filepath.Join(dir, fmt.Sprint(id, ".mail")))); err != nil {
			t.Fatal(err)
		}
	}
	if ids, err := s.IDs(); err != nil || !slices.Equal(ids, []int64{1}) {
		t.Errorf("%v, %v", ids, err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%v", left)
	}
}

// TestP8_TheContentHashSeesTheMailAlone: what servers change on the way makes no other mail of it.
func TestP8_TheContentHashSeesTheMailAlone(t *testing.T) {
	const mail = "From: a@x.test\r\nSubject: one\r\n two\r\nMessage-ID: <1>\r\n\r\nline\r\n\r\nlast\r\n"
	base := pop3.Digest(mail)
	for name, same := range map[string]string{
		"other fields":      "Received: by x; now\r\nX-UIDL: 7\r\nStatus: RO\r\n" + mail,
		"folding":           strings.Replace(mail, "one\r\n two", "one   two", 1),
		"order":             "Message-ID: <1>\r\nFrom: a@x.test\r\nSubject: one two\r\n\r\nline\r\n\r\nlast\r\n",
		"empty lines after": mail + "\r\n\r\n",
	} {
		if got := pop3.Digest(same); got.Content != base.Content {
			t.Errorf("%s make another mail of it", name)
		}
	}
	for name, other := range map[string]string{
		"the text":          strings.Replace(mail, "last", "lost", 1),
		"an empty line":     strings.Replace(mail, "line\r\n\r\n", "line\r\n", 1),
		"the subject":       strings.Replace(mail, "two", "three", 1),
		"where a line ends": strings.Replace(mail, "line\r\n\r\nlast", "line\r\nlast\r\n", 1),
	} {
		if got := pop3.Digest(other); got.Content == base.Content {
			t.Errorf("%s does not count", name)
		}
	}
	if pop3.Digest("Received: by y; then\r\n"+mail).Key == base.Key {
		t.Error("two deliveries have one key")
	}
	for n := range len(mail) { // however it comes in
		if got := pop3.Digest(mail[:n], mail[n:]); got != base {
			t.Fatalf("cut at %d it is %+v", n, got)
		}
	}
}

func TestP13_TheDateOfArrival(t *testing.T) {
	for head, want := range map[string]string{
		"Received: from a by b; Tue, 3 Feb 2026 10:00:00 +0100\r\nDate: Mon, 2 Feb 2026 09:00:00 +0000": "2026-02-03T09:00:00Z",
		"Received: from a by b;\r\n\tTue, 3 Feb 2026 10:00:00 +0100 (CET)":                              "2026-02-03T09:00:00Z",
		"Received: by nothing\r\nReceived: by c; Tue, 3 Feb 2026 10:00:00 +0000":                        "2026-02-03T10:00:00Z",
		"Received: by b; Tue, 3 Feb 2096 10:00:00 +0000\r\nDate: Mon, 2 Feb 2026 09:00:00 +0000":        "2026-02-02T09:00:00Z",
		"Date: Mon, 2 Feb 1970 09:00:00 +0000":                                                          "0001-01-01T00:00:00Z",
		"Subject: none":                                                                                 "0001-01-01T00:00:00Z",
	} {
		if got := pop3.Digest(head + "\r\n\r\nx\r\n").Date.UTC().Format(time.RFC3339); got != want {
			t.Errorf("%q: %s, not %s", head, got, want)
		}
	}
	if !pop3.Digest("Status: RO\r\n\r\n").Read || pop3.Digest("Status: O\r\n\r\n").Read || pop3.Digest("a\r\n").Read {
		t.Error("what was read is not told right")
	}
}

// TestP3P16_WhenASourceIsLookedAtAgain.
func TestP3P16_WhenASourceIsLookedAtAgain(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const every = 15 * time.Minute
	for _, c := range []struct {
		name   string
		kinds  []pop3.OutcomeKind
		delay  time.Duration
		want   time.Duration
		paused bool
	}{
		{"all is well", []pop3.OutcomeKind{pop3.Done}, 0, every, false},
		{"stopped in the middle", []pop3.OutcomeKind{pop3.Stopped}, 0, 0, false},
		{"the password is wrong", []pop3.OutcomeKind{pop3.WrongLogin}, 0, every, true},
		{"a refusal without a reason", []pop3.OutcomeKind{pop3.UnclearLogin}, 0, every, false},
		{"twice", []pop3.OutcomeKind{pop3.UnclearLogin, pop3.UnclearLogin}, 0, every, true},
		{"twice, with a good one between", []pop3.OutcomeKind{pop3.UnclearLogin, pop3.Done, pop3.UnclearLogin}, 0, every, false},
		{"in use", []pop3.OutcomeKind{pop3.Occupied}, 0, 2 * time.Minute, false},
		{"in use, the second time", []pop3.OutcomeKind{pop3.Occupied, pop3.Occupied}, 0, 5 * time.Minute, false},
		{"in use, the third", []pop3.OutcomeKind{pop3.Occupied, pop3.Occupied, pop3.Occupied}, 0, 10 * time.Minute, false},
		{"in use, the fourth", []pop3.OutcomeKind{pop3.Occupied, pop3.Occupied, pop3.Occupied, pop3.Occupied}, 0, every, false},
		{"away", []pop3.OutcomeKind{pop3.Unreached}, 0, 2 * every, false},
		{"away for long", slices.Repeat([]pop3.OutcomeKind{pop3.Unreached}, 20), 0, 6 * time.Hour, false},
		{"no room in the target", []pop3.OutcomeKind{pop3.Quota, pop3.Quota}, 0, 4 * every, false},
		{"the target wants a password", []pop3.OutcomeKind{pop3.TargetSignIn}, 0, 2 * every, true},
		{"LOGIN-DELAY", []pop3.OutcomeKind{pop3.Done}, time.Hour, time.Hour, false},
		{"told to wait", []pop3.OutcomeKind{pop3.TooSoon}, 30 * time.Minute, 30 * time.Minute, false},
	} {
		p := pop3.Plan{Every: every}
		for _, k := range c.kinds {
			p = p.After(pop3.Outcome{Kind: k, Delay: c.delay}, now, 0)
		}
		if p.Paused != c.paused || !p.Paused && p.Next != now.Add(c.want) || c.delay > 0 && p.NotBefore != now.Add(c.delay) {
			t.Errorf("%s: %+v", c.name, p)
		}
	}
	if p := (pop3.Plan{Every: every}).After(pop3.Outcome{Kind: pop3.Done, Delay: 5 * time.Minute, More: true}, now, 0); p.Next.Sub(now) != 5*time.Minute {
		t.Errorf("there is more: %+v", p)
	}
	for _, jitter := range []float64{-1, 1} {
		if got := (pop3.Plan{Every: time.Hour}).After(pop3.Outcome{Kind: pop3.Done}, now, jitter).Next.Sub(now); got != time.Hour+time.Duration(jitter*float64(6*time.Minute)) {
			t.Errorf("jitter %v: %v", jitter, got)
		}
	}
	if p := (pop3.Plan{Every: time.Second}).After(pop3.Outcome{Kind: pop3.Done}, now, 0); p.Next.Sub(now) != pop3.MinEvery {
		t.Errorf("%+v", p)
	}
}

// FuzzDigest reads any mail as Retr gives it, cut anywhere.
func FuzzDigest(f *testing.F) {
	f.Add([]byte("Subject: a\r\nReceived: x; Mon, 2 Feb 2026 10:00:00 +0000\r\n\r\ntext\r\n\r\n"), 7)
	f.Add([]byte("\r\n"), 1)
	f.Add([]byte(": \r\n b\r\n"), 3)
	f.Fuzz(func(t *testing.T, raw []byte, at int) {
		text := strings.ReplaceAll(strings.ReplaceAll(string(raw), "\r", ""), "\n", "\r\n")
		whole := pop3.Digest(text)
		n := min(max(at, 0), len(text))
		if cut := pop3.Digest(text[:n], text[n:]); cut != whole {
			t.Fatalf("%+v, cut at %d %+v", whole, n, cut)
		}
	})
}
