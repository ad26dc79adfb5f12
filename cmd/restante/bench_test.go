package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"restante/internal/config"
	"restante/internal/testdb"
	"restante/internal/testmail"
)

// TestMeasure prints how fast and how large Restante is: `make bench`. It asserts no figure, so that a busy machine
// fails nothing. RESTANTE_BENCH_SIZES chooses the mailboxes, "1000,10000,100000" if empty.
func TestMeasure(t *testing.T) {
	if os.Getenv("RESTANTE_BENCH") == "" {
		t.Log("measures only when asked: make bench")
		return
	}
	mail := testmail.Postfix(t, testmail.PostfixOptions{Dovecot: testmail.DovecotOptions{
		Extra: "service imap-login {\n  process_limit = 1000\n}\n", // one for each connection, and there are many
	}})
	b := &bench{t: t, mail: mail}
	b.s = newSite(t, mail, testdb.SQLite(t), func(c *config.Config) { c.Log = "error" })
	part := func(name string, measure func()) {
		if only := os.Getenv("RESTANTE_BENCH_PARTS"); only == "" || slices.Contains(strings.Split(only, ","), name) {
			measure()
		}
	}
	part("reading", func() {
		for _, n := range sizes(t) {
			b.mailbox(n)
		}
	})
	part("sending", b.sending)
	part("import", b.importing)
	part("imports", b.importMemory)
	part("pages", b.pages)
	part("acting", b.acting)
	part("memory", b.memory)
	b.print()
}

func sizes(t *testing.T) (out []int) {
	list := os.Getenv("RESTANTE_BENCH_SIZES")
	if list == "" {
		list = "1000,10000,100000"
	}
	for s := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 200 {
			t.Fatalf("RESTANTE_BENCH_SIZES: %q is no number of at least 200", s)
		}
		out = append(out, n)
	}
	return out
}

// bench is one run: the servers, and what was found.
type bench struct {
	t     *testing.T
	mail  *testmail.Server
	s     *site
	rows  []figure
	facts []fact
}

// figure is a time beside that of the same commands spoken raw.
type figure struct {
	where, what string
	ours, raw   time.Duration
	target      float64 // the ratio to reach, 0 for none
}

// fact is a measure that has nothing raw beside it.
type fact struct{ what, value, target string }

// compare takes ours and raw in turns, so that a busy moment meets both, and keeps the medians. Both get the number
// of the turn. before, if set, prepares each turn and is not counted.
func (b *bench) compare(where, what string, target float64, turns int, before, ours, raw func(i int)) {
	b.t.Helper()
	var a, c []time.Duration
	for i := range turns {
		if before != nil {
			before(i)
		}
		c = append(c, took(func() { raw(i) }))
		a = append(a, took(func() { ours(i) }))
	}
	f := figure{where, what, median(a), median(c), target}
	b.rows = append(b.rows, f)
	b.t.Logf("%s %s: %v, raw %v (%.1f)", where, what, f.ours, f.raw, f.ratio())
}

// note keeps what was timed elsewhere.
func (r *reading) note(what string, target float64, ours, raw time.Duration) {
	f := figure{r.where, what, ours, raw, target}
	r.rows = append(r.rows, f)
	r.t.Logf("%s %s: %v, raw %v (%.1f)", f.where, f.what, f.ours, f.raw, f.ratio())
}

func took(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}

func median[T cmp.Ordered](all []T) T {
	slices.Sort(all)
	return all[len(all)/2]
}

func (f figure) ratio() float64 { return float64(f.ours) / float64(f.raw) }

func (b *bench) fact(what, target, format string, args ...any) {
	f := fact{what, fmt.Sprintf(format, args...), target}
	b.facts = append(b.facts, f)
	b.t.Logf("%s: %s", f.what, f.value)
}

func (b *bench) print() {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprint(w, "\nmailbox\twhat\tRestante\traw IMAP, SMTP\tratio\ttarget\n")
	for _, f := range b.rows {
		goal := ""
		if f.target > 0 {
			goal = fmt.Sprintf("<= %.3g", f.target)
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%.1f ms\t%.1f ms\t%.2f\t%s\n", f.where, f.what, ms(f.ours), ms(f.raw), f.ratio(), goal)
	}
	_, _ = fmt.Fprint(w, "\nwhat\tis\ttarget\n")
	for _, f := range b.facts {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\n", f.what, f.value, f.target)
	}
	_ = w.Flush()
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
