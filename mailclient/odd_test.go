package mailclient_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"restante/internal/testmail"
	"restante/mailclient"
)

// fake is a server that answers by a script: for a command such as "FETCH" or "UID FETCH" what is said before its
// tagged OK. A line that begins with "!" takes the place of the OK; "!" alone is silence. "FETCH 2" is for the second one
// of a connection, and for those after it.
type fake map[string]string

const plainSelect = "* 2 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 3] x\r\n"

func row(seq, uid int) string {
	return fmt.Sprintf("* %d FETCH (UID %d FLAGS () INTERNALDATE \"01-Jan-2024 00:00:00 +0000\" RFC822.SIZE 9 BODYSTRUCTURE (\"text\" \"plain\" NIL NIL NIL \"7bit\" 3 1) BODY[HEADER.FIELDS (SUBJECT)] {%d}\r\nSubject: m%d\r\n\r\n)\r\n", seq, uid, 14, uid)
}

func (f fake) start(t *testing.T) *mailclient.Session {
	t.Helper()
	return session(t, testmail.Listen(t, f.serve), testmail.User{Address: "u", Password: "p"}, mailclient.Limits{})
}

func (f fake) serve(c net.Conn) {
	say := func(s string) bool { _, err := io.WriteString(c, s); return err == nil }
	if !say("* OK [CAPABILITY IMAP4rev1 LITERAL+] hello\r\n") {
		return
	}
	r, heard := bufio.NewReader(c), map[string]int{}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		verb := strings.ToUpper(words[1])
		if verb == "UID" && len(words) > 2 {
			verb += " " + strings.ToUpper(words[2])
		}
		out, scripted := f[verb]
		heard[verb]++
		for n := 2; n <= heard[verb]; n++ {
			if later, there := f[fmt.Sprintf("%s %d", verb, n)]; there {
				out = later
			}
		}
		if !scripted && verb == "SELECT" {
			out = plainSelect
		}
		before, instead, odd := strings.Cut(out, "!")
		switch {
		case !odd:
			out += words[0] + " OK done\r\n"
		case instead == "":
			out = before
		case strings.HasPrefix(instead, "forever"):
			for say(strings.Repeat("x", 64<<10)) {
			}
			return
		default:
			out = before + words[0] + " " + instead + "\r\n"
		}
		if !say(out) || verb == "LOGOUT" || strings.Contains(out, "* BYE") {
			return
		}
	}
}

func TestO_OddServersNeverHangAndSayWhatIsWrong(t *testing.T) {
	list := func(ctx context.Context, s *mailclient.Session) error {
		_, err := s.List(ctx, "INBOX", mailclient.ListQuery{})
		return err
	}
	raw := func(ctx context.Context, s *mailclient.Session) error { return s.Raw(ctx, "INBOX", 7, 1, io.Discard) }
	var refused *mailclient.RefusedError
	var lost *mailclient.ConnectError
	for _, c := range []struct {
		name string
		f    fake
		act  func(context.Context, *mailclient.Session) error
		want func(error) bool
	}{
		{"BYE to SELECT", fake{"SELECT": "* BYE shutting down\r\n!"}, list, func(err error) bool {
			return errors.As(err, &lost) && lost.Kind == mailclient.Bye && lost.Text == "shutting down"
		}},
		{"BYE to FETCH", fake{"FETCH": "* BYE [UNAVAILABLE] later\r\n!"}, list, func(err error) bool { return errors.As(err, &lost) && lost.Kind == mailclient.Bye }},
		{"NO to SELECT", fake{"SELECT": "!NO not there"}, list, func(err error) bool { return errors.Is(err, mailclient.ErrNoMailbox) }},
		{"NO [SERVERBUG] to SELECT", fake{"SELECT": "!NO [SERVERBUG] sorry"}, list, func(err error) bool { return errors.As(err, &refused) && refused.Code == "SERVERBUG" }},
		{"BAD to FETCH", fake{"FETCH": "!BAD what"}, list, func(err error) bool { return errors.As(err, &refused) && refused.Text == "what" }},
		{"NO to LIST", fake{"LIST": "!NO [CONTACTADMIN] x"}, func(ctx context.Context, s *mailclient.Session) error { _, err := s.Mailboxes(ctx); return err }, func(err error) bool { return errors.As(err, &refused) && refused.Code == "CONTACTADMIN" }},
		{"a gigabyte as a literal", fake{"UID FETCH": "* 1 FETCH (UID 1 BODY[]<0> {1073741824}\r\n!forever"}, raw, func(err error) bool { return errors.As(err, &lost) }},
		{"a line without end", fake{"FETCH": "* 1 FETCH (UID 1 FLAGS (!forever"}, list, func(err error) bool { return errors.As(err, &lost) }},
		{"a gigabyte of untagged data", fake{"SELECT": "* OK !forever"}, list, func(err error) bool { return errors.As(err, &lost) }},
		{"rubbish", fake{"SELECT": strings.Repeat("rubbish\r\n", 200)}, list, func(err error) bool { return errors.As(err, &lost) && lost.Kind == mailclient.WrongProtocol }},
		{"NO to LOGIN", fake{"LOGIN": "!NO [AUTHENTICATIONFAILED] no"}, list, func(err error) bool { var e *mailclient.SignInError; return errors.As(err, &e) && !e.Temporary }},
		{"BYE at LOGIN", fake{"LOGIN": "* BYE too many\r\n!"}, list, func(err error) bool { return errors.As(err, &lost) && lost.Kind == mailclient.Bye }},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := c.act(ctx, c.f.start(t))
			runtime.ReadMemStats(&after)
			if ctx.Err() != nil || err == nil || !c.want(err) {
				t.Errorf("%#v, %v", err, ctx.Err())
			}
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 300<<20 {
				t.Errorf("%d MB were taken", grown>>20)
			}
		})
	}
}

func TestO106_ASilentServerIsLeftAtTheDeadline(t *testing.T) {
	for verb, act := range map[string]func(context.Context, *mailclient.Session) error{
		"SELECT": func(ctx context.Context, s *mailclient.Session) error {
			_, err := s.List(ctx, "INBOX", mailclient.ListQuery{})
			return err
		},
		"LOGIN": func(ctx context.Context, s *mailclient.Session) error { return s.SignIn(ctx) },
		"UID STORE": func(ctx context.Context, s *mailclient.Session) error {
			return s.SetFlags(ctx, mailclient.Ref{Mailbox: "INBOX", UIDValidity: 7, UIDs: []uint32{1}}, []string{`\Seen`}, nil)
		},
		"APPEND": func(ctx context.Context, s *mailclient.Session) error {
			_, _, err := s.Append(ctx, "x", nil, time.Time{}, 1<<20, strings.NewReader(strings.Repeat("x", 1<<20)))
			return err
		},
		"CAPABILITY": func(ctx context.Context, s *mailclient.Session) error { _, err := s.Mailboxes(ctx); return err },
	} {
		t.Run(verb, func(t *testing.T) {
			f := fake{verb: "!"}
			if verb == "CAPABILITY" {
				f = fake{"LIST": "!"}
			}
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			end := make(chan error)
			go func() { end <- act(ctx, f.start(t)) }()
			select {
			case err := <-end:
				if err == nil {
					t.Error("no error")
				}
			case <-time.After(10 * time.Second):
				t.Error("it hangs")
			}
		})
	}
}

func TestO_OneOddMailDoesNotHideTheOthers(t *testing.T) {
	for name, odd := range map[string]string{
		"no structure":            "* 1 FETCH (UID 1 FLAGS () BODYSTRUCTURE NIL BODY[HEADER.FIELDS (SUBJECT)] {14}\r\nSubject: m1\r\n\r\n)\r\n",
		"nested without end":      "* 1 FETCH (UID 1 FLAGS () BODYSTRUCTURE " + strings.Repeat("(", 600) + " BODY[HEADER.FIELDS (SUBJECT)] {14}\r\nSubject: m1\r\n\r\n)\r\n",
		"no date":                 "* 1 FETCH (UID 1 FLAGS () INTERNALDATE NIL BODY[HEADER.FIELDS (SUBJECT)] \"Subject: m1\")\r\n",
		"no header":               "* 1 FETCH (UID 1 FLAGS ())\r\n",
		"a literal too short":     "* 1 FETCH (UID 1 FLAGS () BODY[HEADER.FIELDS (SUBJECT)] {14}\r\nSubject: m1 and more\r\n\r\n)\r\n",
		"no uid":                  "* 1 FETCH (FLAGS ())\r\n",
		"in two pieces":           "* 1 FETCH (UID 1 FLAGS ())\r\n* 1 FETCH (UID 1 BODY[HEADER.FIELDS (SUBJECT)] {14}\r\nSubject: m1\r\n\r\n)\r\n",
		"unknown items":           "* 1 FETCH (UID 1 X-GM-LABELS (\\Inbox \"a b\") FLAGS () BODY[HEADER.FIELDS (SUBJECT)] {14}\r\nSubject: m1\r\n\r\n)\r\n",
		"bytes that are no UTF-8": "* 1 FETCH (UID 1 FLAGS (\xff) BODY[HEADER.FIELDS (SUBJECT)] {14}\r\nSubject: \xff\xfe\r\n\r\n)\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := fake{"FETCH": odd + row(2, 2)}.start(t)
			l, err := s.List(t.Context(), "INBOX", mailclient.ListQuery{})
			ok(t, err)
			if len(l.Rows) == 0 || l.Rows[0].Subject != "m2" || l.Total != 2 {
				t.Errorf("%+v", l)
			}
		})
	}
}

func TestO101_WhatCameBeforeARefusalShows(t *testing.T) {
	s := fake{"FETCH": row(1, 1) + row(2, 2) + "!NO some of the requested messages could not be read"}.start(t)
	l, err := s.List(t.Context(), "INBOX", mailclient.ListQuery{})
	ok(t, err)
	same(t, "rows", subjects(l.Rows), []string{"m2", "m1"})
}

func TestM_OddLists(t *testing.T) {
	s := fake{
		"LIST":   "* LIST (\\HasNoChildren) \"/\" Foo Bar\r\n* LIST () NIL flat\r\n* LIST () \".\" {6}\r\nli\"ter\r\n* LIST \"/\" noattributes\r\n* LIST (\\Sent) \"/\" a\r\n* LIST (\\SENT) \"/\" ab\r\n* LIST () \"/\" a\r\n",
		"STATUS": "* STATUS Foo Bar (MESSAGES 3 UNSEEN )\r\n",
	}.start(t)
	boxes, err := s.Mailboxes(t.Context())
	ok(t, err)
	names := map[string]mailclient.Mailbox{}
	for _, m := range boxes {
		names[m.Name] = m
	}
	for _, want := range []string{"INBOX", "Foo Bar", "flat", `li"ter`, "noattributes", "a", "ab"} {
		if _, there := names[want]; !there {
			t.Errorf("%q is not in the tree: %v", want, names)
		}
	}
	if len(names) != 7 || names["a"].Role != mailclient.RoleSent || names["ab"].Role != mailclient.RoleNone || names["Foo Bar"].Messages != 3 || !names["flat"].NoChildren {
		t.Errorf("%+v", boxes)
	}
}

func TestS3_AMailboxWithoutValidityCanBeRead(t *testing.T) {
	s := fake{"SELECT": "* 2 EXISTS\r\n", "FETCH": row(1, 1) + row(2, 2)}.start(t)
	for range 2 {
		l, err := s.List(t.Context(), "INBOX", mailclient.ListQuery{})
		ok(t, err)
		same(t, "rows", subjects(l.Rows), []string{"m2", "m1"})
	}
}

func TestA9_COPYUIDInOddForms(t *testing.T) {
	for said, want := range map[string]map[uint32]uint32{
		"!OK [COPYUID 9 1:2 7:8] done":   {1: 7, 2: 8},
		"!OK [COPYUID 9 2:1 8:7] done":   {1: 7, 2: 8},
		"!OK [COPYUID 9 2,1 7,8] done":   {2: 7, 1: 8},
		"!OK [COPYUID 9 1:2 7] done":     {},
		"!OK [COPYUID 0 0 0] nothing":    {},
		"!OK [COPYUID 9  ] done":         {},
		"* OK [COPYUID 9 1:2 7:8] x\r\n": {1: 7, 2: 8},
		"":                               {},
	} {
		s := fake{"UID COPY": said}.start(t)
		m, err := s.Copy(t.Context(), mailclient.Ref{Mailbox: "INBOX", UIDValidity: 7, UIDs: []uint32{1, 2}}, "x")
		ok(t, err)
		if len(m.UIDs) != len(want) || m.UIDs[1] != want[1] || m.UIDs[2] != want[2] {
			t.Errorf("%q: %v, want %v", said, m.UIDs, want)
		}
	}
}
