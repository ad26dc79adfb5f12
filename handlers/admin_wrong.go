package handlers

import (
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"restante/internal/store"
)

// Wrong tries of admins are counted in the audit, not noted one by one: the first under a name from a network, then each
// fifth power. And whoever tries many names from everywhere fills no table: the last row of an hour tells of no name, and
// means that more came.
const (
	wrongStep   = 5
	wrongRows   = 40 // of the whole site, within wrongWindow
	wrongWindow = time.Hour
)

// auditWrong notes that a password or a code of an admin was wrong: what is "password", "code" or "current".
func (s *Server) auditWrong(r *http.Request, name, what string) error {
	name, from := typedName(name), s.clientBlock(r)
	var tries int
	var last bool
	err := s.store.CountTries(r.Context(), []string{s.limits.key("audit", name, from), s.limits.key("audit")}, func(t []store.Tries) {
		now := s.now()
		if tries, last = 0, false; now.Sub(t[1].Next) > wrongWindow { // of the site, Next is when the window began
			t[1] = store.Tries{Next: now, Last: now}
		}
		if t[1].Wrong >= wrongRows {
			return
		}
		if count(&t[0], now); powerOf(wrongStep, t[0].Wrong) {
			tries = t[0].Wrong
			t[1].Wrong++
			last = t[1].Wrong == wrongRows
		}
	})
	if err != nil || tries == 0 {
		return err
	}
	object := name
	switch {
	case last:
		object, from = "…", "…"
	case tries > 1:
		object += " ×" + strconv.Itoa(tries)
	}
	return s.store.AddAudit(r.Context(), store.AuditRow{Who: "nobody", Verb: "sign-in-wrong", Object: object, Network: from, Result: what})
}

// powerOf says whether n is 1, base, base², …
func powerOf(base, n int) bool {
	for n > 1 && n%base == 0 {
		n /= base
	}
	return n == 1
}

// typedName is a name as somebody typed it, in one line of at most 64 bytes that shows what it is.
func typedName(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
	return cutText(oneLine(s), 64)
}
