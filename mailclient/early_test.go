package mailclient_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"restante/internal/testmail"
	"restante/mailclient"
)

// early is a session on a scripted server, whose words are heard.
func early(t *testing.T, f fake) (*mailclient.Session, *testmail.Tap) {
	tap := testmail.NewTap(t, testmail.Listen(t, f.serve))
	return session(t, tap.Address, testmail.User{Address: "u", Password: "p"}, mailclient.Limits{}), tap
}

func TestO102_WhatIsMissingThoughAllWasDoneIsAskedForOnceMore(t *testing.T) {
	both := row(1, 1) + row(2, 2)
	list := func(t *testing.T, s *mailclient.Session) []string {
		l, err := s.List(t.Context(), "INBOX", mailclient.ListQuery{})
		ok(t, err)
		return subjects(l.Rows)
	}
	for name, c := range map[string]struct {
		f       fake
		fetches int
		want    []string
	}{
		"a list of which a part came":     {fake{"FETCH": row(1, 1), "FETCH 2": both}, 2, []string{"m2", "m1"}},
		"a list of which nothing came":    {fake{"FETCH": "", "FETCH 2": both}, 2, []string{"m2", "m1"}},
		"a list that comes behind the OK": {fake{"FETCH": row(1, 1) + "!OK done\r\n" + strings.TrimSpace(row(2, 2)), "FETCH 2": both}, 2, []string{"m2", "m1"}},
		"a mail that never comes":         {fake{"FETCH": row(1, 1)}, 2, []string{"m1"}},
		"all that was asked for":          {fake{"FETCH": both}, 1, []string{"m2", "m1"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, tap := early(t, c.f)
			same(t, "rows", list(t, s), c.want)
			if n := strings.Count(tap.Said(), "(UID FLAGS INTERNALDATE"); n != c.fetches {
				t.Errorf("asked %d times: %s", n, tap.Said())
			}
		})
	}
	t.Run("what a search found", func(t *testing.T) {
		s, tap := early(t, fake{"UID SEARCH": "* SEARCH 1 2\r\n", "UID FETCH": row(1, 1), "UID FETCH 2": row(2, 2)})
		q, err := mailclient.ParseSearch("subject:m", time.UTC)
		ok(t, err)
		l, err := s.List(t.Context(), "INBOX", mailclient.ListQuery{Search: &q})
		ok(t, err)
		same(t, "rows", subjects(l.Rows), []string{"m2", "m1"})
		if !strings.Contains(tap.Said(), "UID FETCH 2 (") {
			t.Errorf("what came is asked for again: %s", tap.Said())
		}
	})
	t.Run("a mail that is opened", func(t *testing.T) {
		whole := strings.Replace(row(2, 2), "BODY[HEADER.FIELDS (SUBJECT)]", "BODY[1] {3}\r\nabc BODY[HEADER]", 1)
		s, _ := early(t, fake{"UID FETCH": "", "UID FETCH 2": whole})
		o, err := s.Open(t.Context(), "INBOX", 7, 2)
		ok(t, err)
		if o.Subject != "m2" {
			t.Errorf("%+v", o.Row)
		}
	})
	t.Run("a file of two windows", func(t *testing.T) {
		piece := func(off int, text string) string {
			return fmt.Sprintf("* 2 FETCH (UID 2 BODY[]<%d> {%d}\r\n%s)\r\n", off, len(text), text)
		}
		begin, end := strings.Repeat("a", 256<<10), "the end"
		s, _ := early(t, fake{"UID FETCH": piece(0, begin), "UID FETCH 2": "", "UID FETCH 3": piece(0, begin), "UID FETCH 4": piece(256<<10, end)})
		var b bytes.Buffer
		ok(t, s.Raw(t.Context(), "INBOX", 7, 2, &b))
		if b.Len() != len(begin)+len(end) {
			t.Errorf("%d octets came, not %d", b.Len(), len(begin)+len(end))
		}
	})
}
