package handlers

import (
	"context"
	"slices"
	"strings"
	"time"

	"restante/internal/store"
)

// otherFor is how long after another browser wrote a draft its writer is asked who goes on with it.
const otherFor = time.Hour

// writtenElsewhere says in words which other browser, still signed in, wrote a draft lately; "" is none.
func (s *Server) writtenElsewhere(ctx context.Context, p *person, d store.Draft) (string, error) {
	since := s.now().Sub(d.Updated)
	if d.State != "open" || d.WrittenBy == "" || d.WrittenBy == p.Hash || since > otherFor {
		return "", nil
	}
	rows, err := s.store.Sessions(ctx, p.User.ID)
	at := slices.IndexFunc(rows, func(row store.SessionRow) bool { return row.Hash == d.WrittenBy })
	if err != nil || at < 0 {
		return "", err
	}
	when := p.L.T("ago.now")
	if n := int(since / time.Minute); n > 0 {
		when = p.L.T("ago.minutes", "N", n)
	}
	return p.L.T("compose.other", "Device", deviceWords(p, rows[at].Device), "When", when), nil
}

// deviceWords name the browser of a session.
func deviceWords(p *person, device string) string {
	if browser, system, ok := strings.Cut(device, "/"); ok {
		return p.L.T("devices.from", "Browser", browser, "System", system)
	}
	return p.L.T("devices.unknown")
}
