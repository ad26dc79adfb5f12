package index_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"restante/internal/index"
	"restante/internal/testmail"
	"restante/mailclient"
)

// patience is how long what must not hang may take on a busy machine.
const patience = 20 * time.Second

// TestWhateverTheServerDoesListsAndMailsStand: it drops, truncates, stalls and floods at each command. Folders, lists and
// mails that were read show in time, all else ends in time, memory stays bounded, and all is well once the server is.
func TestWhateverTheServerDoesListsAndMailsStand(t *testing.T) {
	defer index.WaitFor(500 * time.Millisecond)()
	srv := testmail.Dovecot(t, testmail.DovecotOptions{})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	t.Run("each", func(t *testing.T) {
		for _, fault := range []testmail.Fault{testmail.Drop, testmail.Truncate, testmail.Stall, testmail.Flood} {
			words := []string{"AUTHENTICATE", "LIST", "SELECT", "NOOP", "FETCH", "STORE", "MOVE", "SEARCH"}
			if fault == testmail.Flood { // which keeps the machine busy
				words = []string{"LIST", "SELECT", "FETCH"}
			}
			for _, word := range words {
				t.Run(fmt.Sprintf("%s at %s", fault, word), func(t *testing.T) {
					t.Parallel()
					spoilt(t, on(t, srv), word, fault)
				})
			}
		}
	})
	runtime.GC()
	runtime.ReadMemStats(&after)
	if held := int64(after.HeapAlloc) - int64(before.HeapAlloc); held > 64<<20 {
		t.Errorf("%d MB are held", held>>20)
	}
}

func spoilt(t *testing.T, g *ground, word string, fault testmail.Fault) {
	g.deliver("INBOX", 5)
	g.filled(t, "INBOX")
	boxes := seenBoxes(t, g)
	o, err := g.Open(t.Context(), "INBOX", 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	g.until(t, "it is kept", func() bool { n, _ := g.Shown(); return n == 1 })
	g.session = newSession(t, g)
	g.open(t)
	g.tap.Spoil(word, fault)
	for range 3 {
		within(t, "folders", patience, func(context.Context) {
			if now := seenBoxes(t, g); now != boxes {
				t.Errorf("folders are %s, were %s", now, boxes)
			}
		})
		within(t, "a list", patience, func(ctx context.Context) {
			if l, err := g.List(ctx, "INBOX", mailclient.ListQuery{}); err != nil || l.Total != 5 {
				t.Errorf("%d are listed: %v", l.Total, err)
			}
		})
		within(t, "a mail that was read", patience, func(ctx context.Context) {
			if again, _, err := g.OpenInList(ctx, "INBOX", 1, mailclient.ListQuery{}); err != nil || again.Subject != o.Subject {
				t.Errorf("%v", err)
			}
		})
	}
	ref := mailclient.Ref{Mailbox: "INBOX", UIDValidity: o.UIDValidity, UIDs: []uint32{2}}
	short := 500 * time.Millisecond
	within(t, "another mail", short, func(ctx context.Context) { _, _ = g.Open(ctx, "INBOX", 0, 3) })
	within(t, "a flag", short, func(ctx context.Context) {
		_, _ = g.Run(ctx, mailclient.Step{Act: mailclient.Act{Kind: mailclient.ActFlags, Add: []string{`\Flagged`}}, Ref: ref})
	})
	within(t, "a move", short, func(ctx context.Context) {
		_, _ = g.Run(ctx, mailclient.Step{Act: mailclient.Act{Kind: mailclient.ActMove, To: "Archive"}, Ref: ref})
	})
	within(t, "a search", short, func(ctx context.Context) {
		q, _ := mailclient.ParseSearch("apples", time.UTC)
		_, _ = g.Search(ctx, q, 1, 50)
	})
	g.tap.Spoil("", "")
	g.tap.Cut()
	g.Retry(t.Context())
	g.until(t, "all is well", func() bool {
		g.Retry(t.Context())
		_, err := g.Session.List(t.Context(), "INBOX", mailclient.ListQuery{})
		return err == nil
	})
	if _, err := g.Session.Open(t.Context(), "INBOX", 0, 3); err != nil && !index.Away(err) {
		t.Errorf("once the server is well: %v", err)
	}
}

// within wants f, which is given so much time, to have ended soon after it.
func within(t *testing.T, what string, limit time.Duration, f func(context.Context)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	began := time.Now()
	f(ctx)
	if took := time.Since(began); took > limit+patience {
		t.Errorf("%s took %v", what, took)
	}
}
