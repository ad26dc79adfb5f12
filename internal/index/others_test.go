package index_test

import (
	"slices"
	"testing"
	"time"

	"restante/internal/testmail"
	"restante/mailclient"
)

// TestWhatIsHeardOfElsewhereStandsInConversationsAtOnce: an answer that another program files in Sent.
func TestWhatIsHeardOfElsewhereStandsInConversationsAtOnce(t *testing.T) {
	g := on(t, testmail.Dovecot(t, testmail.DovecotOptions{}))
	g.put("INBOX", 1, letter("a@x", "Figures", "maria@x.test"))
	g.filled(t, "INBOX")
	g.filled(t, "Sent")
	g.talks(t, "INBOX", mailclient.ListQuery{})
	events, err := g.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); !g.Watched() && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
	}
	g.put("Sent", 3, letter("c@x", "Re: Figures", "anna@x.test", "References: <a@x>"))
	want, late := []string{"Figures 2 maria+anna true"}, time.After(10*time.Second)
	for {
		select {
		case e := <-events:
			g.Hear(e.Mailbox)
		case <-late:
			t.Fatalf("%q", g.talks(t, "INBOX", mailclient.ListQuery{}))
		}
		if slices.Equal(g.talks(t, "INBOX", mailclient.ListQuery{}), want) {
			return
		}
	}
}
