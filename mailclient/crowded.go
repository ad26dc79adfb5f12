package mailclient

import (
	"context"
	"errors"
	"strings"
	"time"
)

// crowdTime is how long an account makes do with fewer connections after its server refused one (C16).
const crowdTime = time.Hour

// crowded says whether a connection was refused for the number of those that stand already.
func crowded(err error) bool {
	var sign *SignInError
	var conn *ConnectError
	code, text := "", ""
	switch {
	case errors.As(err, &sign):
		code, text = sign.Code, sign.Text
	case errors.As(err, &conn) && conn.Kind == Bye:
		text = conn.Text
	}
	if code == "LIMIT" || code == "INUSE" {
		return true
	}
	text = strings.ToLower(text)
	for _, sign := range []string{"too many connections", "too many simultaneous", "maximum number of connections", "connection limit"} {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return false
}

// crowd is what a session knows of its server's limit of connections.
type crowd struct {
	withheld int // seats for work that are not given out
	until    time.Time
}

// narrow takes the caller's seat away from now on; false when it is the last one.
func (s *Session) narrow() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.crowd.withheld+1 >= s.bound-1 {
		return false
	}
	s.crowd.withheld++
	s.crowd.until = time.Now().Add(crowdTime)
	s.seat()
	s.work.leave()
	return true
}

// widen gives withheld seats out again when their time has come.
func (s *Session) widen() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.crowd.withheld > 0 && !time.Now().Before(s.crowd.until) {
		s.crowd.withheld = 0
		s.seat()
	}
}

// hush takes the connection of the watch away, which looks now and then over the others' from then on. It waits
// until the connection has ended; false when there was none.
func (s *Session) hush(ctx context.Context) bool {
	w := s.watcher()
	if w == nil {
		return false
	}
	w.mu.Lock()
	gone := w.once
	w.shared = time.Now().Add(crowdTime)
	if w.cut != nil {
		w.cut()
	}
	w.mu.Unlock()
	if gone == nil {
		return false
	}
	select {
	case <-gone:
	case <-ctx.Done():
		return false
	}
	select { // the server counts a connection a little longer than it stands
	case <-time.After(200 * time.Millisecond):
	case <-ctx.Done():
	}
	return true
}
