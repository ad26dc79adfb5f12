package pop3_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"restante/internal/testmail"
	"restante/mailclient/pop3"
)

// faulty is a POP3 server over the mails of a world that fails once: at the n-th time that it comes to a step.
type faulty struct {
	w    *world
	caps string // further lines of CAPA

	mu   sync.Mutex
	step string
	kind string // drop, garbage, -ERR
	n    int
}

// at says what is to go wrong now.
func (f *faulty) at(step string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.step != step {
		return ""
	}
	if f.n--; f.n != 0 {
		return ""
	}
	return f.kind
}

// serve is one session. An answer that goes wrong is left out, or replaced.
func (f *faulty) serve(c net.Conn) {
	r := bufio.NewReader(c)
	f.w.mu.Lock()
	var list []*original
	for _, m := range f.w.mails {
		if !m.gone {
			list = append(list, m)
		}
	}
	f.w.mu.Unlock()
	marked := map[int]bool{}
	// say gives false when the connection is to end.
	say := func(step, answer string) bool {
		switch f.at(step) {
		case "drop":
			return false
		case "garbage":
			answer = "\x00\xff 220 what?\r\n"
		case "-ERR":
			answer = "-ERR not now\r\n"
		}
		_, err := c.Write([]byte(answer))
		return err == nil
	}
	for goOn := say("greeting", "+OK ready\r\n"); goOn; {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		verb, arg, _ := strings.Cut(strings.TrimSpace(line), " ")
		n := 0
		_, _ = fmt.Sscan(arg, &n)
		switch verb {
		case "CAPA":
			goOn = say(verb, "+OK\r\nUSER\r\nUIDL\r\nSTLS\r\n"+f.caps+".\r\n")
		case "STAT":
			goOn = say(verb, fmt.Sprintf("+OK %d 1\r\n", len(list)))
		case "LIST", "UIDL":
			goOn = say(verb, "+OK\r\n")
			for i, m := range list {
				what := m.uid
				if verb == "LIST" {
					what = "100"
				}
				goOn = goOn && say(verb+" in its middle", fmt.Sprintf("%d %s\r\n", i+1, what))
			}
			goOn = goOn && say(verb+" before its end", ".\r\n")
		case "TOP":
			head, _, _ := strings.Cut(list[n-1].body, "\r\n\r\n")
			goOn = say(verb, "+OK\r\n"+head+"\r\n\r\n.\r\n")
		case "RETR":
			body := list[n-1].body
			goOn = say(verb, "+OK\r\n") && say("RETR before its text", body[:10]) && say("RETR in a line", body[10:]) && say("RETR before the dot", ".\r\n") && say("RETR after the dot", "")
		case "DELE":
			f.w.mu.Lock()
			f.w.mayDelete(list[n-1])
			f.w.mu.Unlock()
			if goOn = say(verb, "+OK\r\n"); goOn {
				marked[n] = true
			}
		case "QUIT":
			if f.at("QUIT before it is done") != "" {
				return
			}
			f.w.mu.Lock()
			for n := range marked {
				list[n-1].gone = true
			}
			f.w.mu.Unlock()
			say(verb, "+OK bye\r\n")
			return
		default:
			goOn = say(verb, "+OK\r\n")
		}
	}
}

// TestP27_AFaultAtEachStep of a session: the mails arrive once, and go at the source, by the runs after it.
func TestP27_AFaultAtEachStep(t *testing.T) {
	steps := []string{"greeting", "CAPA", "STLS", "USER", "PASS", "STAT", "LIST", "LIST in its middle", "LIST before its end", "UIDL", "UIDL in its middle", "UIDL before its end",
		"RETR", "RETR before its text", "RETR in a line", "RETR before the dot", "RETR after the dot", "DELE", "QUIT", "QUIT before it is done"}
	for _, step := range steps {
		for _, kind := range []string{"drop", "garbage", "-ERR"} {
			if strings.Contains(step, " ") && kind != "drop" && step != "UIDL in its middle" && step != "LIST in its middle" {
				continue // within a mail it is the mail
			}
			for _, n := range []int{1, 2} {
				t.Run(fmt.Sprintf("%s, %s %d", step, kind, n), func(t *testing.T) {
					t.Parallel()
					faultAt(t, step, kind, n)
				})
			}
		}
	}
}

func faultAt(t *testing.T, step, kind string, n int) {
	w := newWorld(1)
	w.mails, w.noUIDL, w.noTOP, w.seldom, w.bodies = nil, false, false, false, map[string]int{}
	for i := range 5 {
		w.arrive(fmt.Sprintf("Subject: %d\r\n\r\ntext %d\r\n", i, i), fmt.Sprint("u", i))
	}
	f := &faulty{w: w, step: step, kind: kind, n: n}
	at := testmail.Listen(t, f.serve)
	o := pop3.Options{Host: at.Host, Port: at.Port, Security: "plain", Username: "a", Password: "b"}
	if step == "STLS" {
		o.Security = "starttls"
	}
	for range 4 {
		out := w.importFrom(t, o)
		if o.Security = "plain"; step == "STLS" && n == 1 && w.sessions == 0 && out.Kind == pop3.Done {
			t.Error("it signed in without TLS")
		}
		w.sessions++
	}
	if f.n > 0 && step != "STLS" { // of which there is one
		t.Errorf("it did not come to this %d times", n)
	}
	w.judge(pop3.Policy{Delete: true})
	if len(w.wrongs) > 0 {
		t.Errorf("%q", w.wrongs)
	}
	for _, m := range w.mails {
		if !m.gone {
			t.Errorf("%s was not deleted", m.uid)
		}
	}
}

// TestP3_ASourceIsLeftAloneAsLongAsItWants between two sessions: Courier wants 10 seconds, others a quarter of an hour.
func TestP3_ASourceIsLeftAloneAsLongAsItWants(t *testing.T) {
	for seconds, want := range map[int]struct {
		gone int
		more bool
	}{10: {gone: 450}, 900: {gone: 200, more: true}} {
		w := newWorld(1)
		w.mails, w.noUIDL, w.noTOP, w.seldom, w.bodies = nil, false, false, false, map[string]int{}
		for i := range 450 {
			w.arrive(fmt.Sprintf("Subject: %d\r\n\r\ntext %d\r\n", i, i), fmt.Sprint("u", i))
		}
		at := testmail.Listen(t, (&faulty{w: w, caps: fmt.Sprintf("LOGIN-DELAY %d\r\n", seconds)}).serve)
		before := w.now
		out := w.importFrom(t, pop3.Options{Host: at.Host, Port: at.Port, Security: "plain", Username: "a", Password: "b"})
		gone := 0
		for _, m := range w.mails {
			if m.gone {
				gone++
			}
		}
		delay := time.Duration(seconds) * time.Second
		if out.Kind != pop3.Done || out.Delay != delay || out.More != want.more || gone != want.gone || !want.more && w.now.Sub(before) < 2*delay || len(w.wrongs) > 0 {
			t.Errorf("LOGIN-DELAY %d: %d are gone, %v later; %+v %q", seconds, gone, w.now.Sub(before), out, w.wrongs)
		}
	}
}

// importFrom is a run from a real POP3 session into the world.
func (w *world) importFrom(t *testing.T, o pop3.Options) pop3.Outcome {
	p := w.start(-1)
	return pop3.Import{
		Source: "7", Target: target{p}, Ledger: ledger{p}, Spool: spool{p}, Policy: pop3.Policy{Delete: true},
		Dial: func(ctx context.Context) (pop3.Session, error) {
			c, err := pop3.Dial(ctx, o)
			if err != nil {
				return nil, err
			}
			return c, nil
		},
		Now: p.clock, Token: func() string { p.look(); defer w.mu.Unlock(); return fmt.Sprintf("t%x", w.rng.Uint64()) },
		Sleep: func(_ context.Context, d time.Duration) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.now = w.now.Add(d)
			return nil
		},
	}.Run(t.Context())
}
