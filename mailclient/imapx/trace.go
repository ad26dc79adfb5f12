package imapx

import (
	"strings"
	"sync"
)

const maxTrace = 256 << 10

// trace is a bounded record of what was said, without passwords and without mail. A nil trace records nothing.
type trace struct {
	mu    sync.Mutex
	lines []string
	size  int
}

func (t *trace) add(s string) {
	if len(s) > 500 {
		s = s[:500] + "…"
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, s)
	t.size += len(s)
	for t.size > maxTrace {
		t.size -= len(t.lines[0])
		t.lines = t.lines[1:]
	}
}

func (t *trace) server(s string) {
	if t != nil {
		t.add("S: " + s)
	}
}

func (t *trace) client(s string) {
	if t == nil {
		return
	}
	for _, secret := range []string{"LOGIN", "AUTHENTICATE"} {
		if f := strings.Fields(s); len(f) > 2 && strings.EqualFold(f[1], secret) {
			s = f[0] + " " + f[1] + " ***"
		}
	}
	t.add("C: " + s)
}

func (t *trace) String() string {
	if t == nil {
		return ""
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.lines, "\n")
}
