package pop3_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"restante/mailclient/pop3"
)

// lives is how many worlds the property test goes through; RESTANTE_IMPORT_WORLDS asks for more.
const lives = 2000

// TestP19ToP22_EachMailArrivesOnce: whatever fails, and wherever the program is killed, in the end every mail of the
// source was taken by the target once, and none was deleted before.
func TestP19ToP22_EachMailArrivesOnce(t *testing.T) {
	n, first := lives, uint64(1)
	if s := os.Getenv("RESTANTE_IMPORT_WORLDS"); s != "" {
		n, _ = strconv.Atoi(s)
		first = uint64(time.Now().UnixNano())
	}
	killed := 0
	for i := range uint64(n) {
		k, w := live(first + i)
		killed += k
		if len(w.wrongs) > 0 {
			t.Fatalf("world %d: %s\n%q", first+i, strings.Join(w.trace, "\n"), w.wrongs)
		}
	}
	if killed < n {
		t.Errorf("only %d lives were ended in %d worlds", killed, n)
	}
}

// live is a world from its beginning until it is quiet. It gives how often the program was killed, and the world.
func live(seed uint64) (killed int, w *world) {
	w = newWorld(seed)
	policy := []pop3.Policy{{}, {Delete: true}, {Delete: true, After: time.Hour}}[w.rng.IntN(3)]
	for range 3 + w.rng.IntN(8) {
		w.happen()
		w.faults = []float64{0, 0.02, 0.1}[w.rng.IntN(3)]
		left := -1
		if w.chance(0.8) {
			left = 1 + w.rng.IntN(250)
		}
		if _, dead := w.run(left, policy); dead {
			killed++
		}
		w.now = w.now.Add(time.Duration(w.rng.IntN(3)) * 40 * time.Minute)
	}
	w.faults, w.seldom = 0, false
	for i := range 12 {
		w.retry()
		out, _ := w.run(-1, policy)
		w.now = w.now.Add(2 * time.Hour)
		if i == 11 && out.Kind != pop3.Done {
			w.wrong("it does not come to rest: %+v", out)
		}
		if out.NoUIDL && !w.noUIDL {
			w.wrong("the server is said to have no UIDL")
		}
	}
	w.judge(policy)
	return killed, w
}

func newWorld(seed uint64) *world {
	w := &world{
		rng: rand.New(rand.NewPCG(seed, 1)), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), bodies: map[string]int{}, lost: map[string]int{},
		boxes: map[string][]*copied{}, validity: 5, uidnext: 1, spool: map[int64][]byte{}, safe: map[int64]bool{}, tokens: map[int64][]string{},
	}
	w.noUIDL, w.noTOP, w.seldom = w.chance(0.15), w.chance(0.2), w.chance(0.3)
	w.seldom = w.seldom && !w.noTOP
	w.forgets = !w.noUIDL && !w.seldom && w.chance(0.2)
	for range w.rng.IntN(25) {
		w.newMail()
	}
	return w
}

func (w *world) newMail() {
	n := len(w.mails)
	body := fmt.Sprintf("Subject: %d\r\nReceived: by x; Mon, 2 Feb 2026 10:00:00 +0000\r\nMessage-ID: <%d>\r\n\r\ntext %d\r\n", n, n, n)
	uid := w.freshUID()
	// Not both, no copy of what was deleted, and neither where the server forgets UIDs: nobody can tell that from a mail
	// which the source has brought back.
	switch {
	case w.seldom, w.noUIDL && len(w.rows) > 0:
	case n > 0 && w.chance(0.08): // a mail that came twice
		if other := w.mails[w.rng.IntN(n)].body; !slices.ContainsFunc(w.mails, func(m *original) bool { return m.gone && m.body == other }) {
			body = other
		}
	case n > 0 && !w.noTOP && w.chance(0.08): // a UID that others have or had
		if other := w.mails[w.rng.IntN(n)]; !other.gone || w.knownGone(other.uid) {
			uid = other.uid
		}
	}
	w.arrive(body, uid)
}

// knownGone says whether every mail of a UID is known to be gone. One whose UID comes to another mail before we have
// looked is taken for that mail: RFC 1939 forbids it, and no listing shows it.
func (w *world) knownGone(uid string) bool {
	for _, row := range w.rows {
		if row.UID == uid && row.State != pop3.Gone && row.State != pop3.Missing {
			return false
		}
	}
	return true
}

func (w *world) alone(m *original) bool {
	for _, o := range w.mails {
		if o != m && o.uid == m.uid && !o.gone {
			return false
		}
	}
	return true
}

// happen is what others do between two runs.
func (w *world) happen() {
	for range w.rng.IntN(4) {
		w.newMail()
	}
	if w.chance(0.1) { // the source is moved to another server
		for _, m := range w.mails {
			m.uid = w.freshUID()
		}
	}
	for _, m := range w.mails {
		if !m.gone && w.chance(0.01) && w.alone(m) { // another program deletes there
			m.gone = true
			w.lost[m.body]++
		}
	}
	for _, c := range w.boxes["INBOX"] {
		switch {
		case w.chance(0.01):
			c.gone = true
		case w.chance(0.01) && !c.gone:
			other := *c
			w.boxes["Other"] = append(w.boxes["Other"], &other)
			c.gone = true
		}
	}
	if w.chance(0.01) { // the target mailbox is deleted, and made anew
		for _, c := range w.boxes["INBOX"] {
			c.gone = true
		}
		w.validity, w.uidnext = w.validity+1, 1
		w.boxes["INBOX"] = nil
	}
}

// run is one life: it ends by itself, or is killed after so many steps.
func (w *world) run(left int, policy pop3.Policy) (out pop3.Outcome, dead bool) {
	p := w.start(left)
	w.log("---- run, killed after %d steps, faults %.2f", left, w.faults)
	im := pop3.Import{
		Source: "7", Dial: p.dial, Target: target{p}, Ledger: ledger{p}, Spool: spool{p}, Policy: policy, Settle: 15 * time.Second,
		Now: p.clock, Token: func() string {
			p.look()
			defer w.mu.Unlock()
			return fmt.Sprintf("t%x", w.rng.Uint64())
		},
		Sleep: func(_ context.Context, d time.Duration) error {
			p.step()
			w.now = w.now.Add(d)
			w.mu.Unlock()
			return nil
		},
	}
	ended := make(chan pop3.Outcome, 1)
	go func() { ended <- im.Run(context.Background()) }()
	select {
	case out = <-ended:
		return out, false
	case <-p.died:
		if w.chance(0.3) {
			w.powerCut()
		}
		return out, true
	}
}

// retry is a person who wants what failed to be tried again.
func (w *world) retry() {
	for i := range w.rows {
		if w.rows[i].State == pop3.Failed {
			w.rows[i].State, w.rows[i].Tries = pop3.Seen, 0
		}
	}
}

// judge looks at the end of a world.
func (w *world) judge(policy pop3.Policy) {
	doubtful := 0
	for _, row := range w.rows {
		switch row.State {
		case pop3.Doubtful:
			doubtful++
		case pop3.Imported, pop3.Gone, pop3.Missing:
		default:
			w.wrong("a row is left as %s: %s", row.State, row.LastError)
		}
	}
	if len(w.spool) > doubtful {
		w.wrong("%d mails are left in the spool", len(w.spool))
	}
	times := map[string]int{}
	for _, c := range w.history {
		times[c.body]++
	}
	for body, n := range w.bodies {
		got := times[body]
		if got > n {
			w.wrong("%d copies of %d: %q", got, n, short(body))
		}
		if missing := n - got - w.lost[body]; missing > 0 {
			if doubtful -= missing; doubtful < 0 {
				w.wrong("%d copies of %d: %q", got, n, short(body))
			}
		}
	}
	for _, m := range w.mails {
		if !policy.Delete && !w.forgets && m.gone && w.lost[m.body] == 0 {
			w.wrong("deleted though it was to be kept: %q", short(m.body))
		}
	}
}
