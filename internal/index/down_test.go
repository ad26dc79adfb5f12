package index_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"restante/internal/index"
	"restante/internal/testmail"
	"restante/mailclient"
)

// away makes the server one that cannot be reached, or that is reached again.
func (g *ground) away(t *testing.T, on bool) {
	t.Helper()
	g.tap.Refuse(on)
	if on {
		g.tap.Cut()
		return
	}
	g.Retry(t.Context())
}

// swift runs f and wants it to be done soon.
func swift(t *testing.T, what string, f func()) {
	t.Helper()
	began := time.Now()
	f()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("%s took %v", what, took)
	}
}

func seenBoxes(t *testing.T, g *ground) (out string) {
	t.Helper()
	boxes, err := g.Mailboxes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range boxes {
		out += fmt.Sprintf("%s %s %d/%d %v;", b.Name, b.Role, b.Unseen, b.Messages, b.Subscribed)
	}
	return out
}

// TestFoldersAndListsShowWhileTheServerIsAway: as they were, at once, after a restart too, and true again once it is back.
func TestFoldersAndListsShowWhileTheServerIsAway(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.deliver("INBOX", 120)
		g.filled(t, "INBOX")
		before, q := seenBoxes(t, g), mailclient.ListQuery{Page: 2, Sort: mailclient.SortSubject}
		want := g.list(t, "INBOX", q)
		g.away(t, true)
		g.session = newSession(t, g) // of a program that has just begun
		g.open(t)
		swift(t, "reading with the server away", func() {
			for range 20 {
				if now := seenBoxes(t, g); now != before {
					t.Errorf("mailboxes are %s, were %s", now, before)
				}
				l := g.list(t, "INBOX", q)
				if fmt.Sprint(uids(l.Rows)) != fmt.Sprint(uids(want.Rows)) || l.Total != 120 || l.Incomplete {
					t.Errorf("the list is %v of %d", uids(l.Rows), l.Total)
				}
			}
		})
		if _, out := g.Outage(); !out {
			t.Error("nobody knows that the server is away")
		}
		if _, err := g.List(t.Context(), "Elsewhere", q); !index.Away(err) {
			t.Errorf("a list of which nothing is there: %v", err)
		}
		g.deliver("INBOX", 3)
		g.away(t, false)
		if l := g.list(t, "INBOX", mailclient.ListQuery{}); l.Total != 123 {
			t.Errorf("the server is back with 123 mails, %d are listed", l.Total)
		}
	})
}

// TestASilentServerHoldsNobodyUpTwice: who comes first waits a little, and the others not at all.
func TestASilentServerHoldsNobodyUpTwice(t *testing.T) {
	g := on(t, testmail.Demo(t))
	g.deliver("INBOX", 60)
	g.filled(t, "INBOX")
	seenBoxes(t, g)
	g.tap.Mute()
	g.session = newSession(t, g)
	g.open(t)
	swift(t, "the first page", func() { g.list(t, "INBOX", mailclient.ListQuery{}) })
	began := time.Now()
	for range 10 {
		seenBoxes(t, g)
		g.list(t, "INBOX", mailclient.ListQuery{Page: 2})
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("10 more pages took %v", took)
	}
	g.tap.Unmute()
	g.away(t, false)
	if _, out := g.Outage(); out {
		t.Error("it answers, and counts as away")
	}
}

// TestAPartIsSortedWhereTheServerNeedsLong: what is there of a mailbox that is being filled shows, and says that it is a
// part; once it is filled all do.
func TestAPartIsSortedWhereTheServerNeedsLong(t *testing.T) {
	g := on(t, testmail.Dovecot(t, testmail.DovecotOptions{}))
	g.deliver("INBOX", 30)
	g.filled(t, "INBOX")
	q := mailclient.ListQuery{Sort: mailclient.SortFrom, Ascending: true}
	want := g.list(t, "INBOX", q)
	g.tap.Spoil(" ALL", testmail.Stall) // of a sort, and of the question which mails there are
	g.Unfill(t, "INBOX")
	for _, most := range []time.Duration{patience, 2 * time.Second} { // the server is not asked again at once
		within(t, "a sorted list", most, func(ctx context.Context) {
			l, err := g.List(ctx, "INBOX", q)
			if err != nil || !l.Incomplete || fmt.Sprint(uids(l.Rows)) != fmt.Sprint(uids(want.Rows)) {
				t.Errorf("%v of %d, incomplete %v: %v", uids(l.Rows), l.Total, l.Incomplete, err)
			}
			o, l, err := g.OpenInList(ctx, "INBOX", want.Rows[3].UID, q)
			if err != nil || o.Subject != want.Rows[3].Subject || !l.Incomplete {
				t.Errorf("a mail of it: %v", err)
			}
		})
	}
	g.tap.Spoil("", "")
	g.filled(t, "INBOX")
	if l := g.list(t, "INBOX", q); l.Incomplete || l.Total != 30 {
		t.Errorf("%d in all, incomplete %v", l.Total, l.Incomplete)
	}
}

// TestWhatIsInTextsComesLater: a server that needs long for a search in texts holds nobody up: what the index knows shows,
// the search goes on, and who asks again has its hits.
func TestWhatIsInTextsComesLater(t *testing.T) {
	g := on(t, testmail.Dovecot(t, testmail.DovecotOptions{}))
	g.deliver("INBOX", 8)
	g.talk.AppendAt("INBOX", time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC), testmail.Mail("ben@example.test", "Lunch", "shall we have bread with it?"))
	g.filled(t, "INBOX")
	q, err := mailclient.ParseSearch("bread", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	g.tap.Spoil("TEXT", testmail.Stall)
	within(t, "a search", patience, func(ctx context.Context) {
		l, err := g.List(ctx, "INBOX", mailclient.ListQuery{Search: &q})
		if err != nil || l.Total != 3 || l.Left != 1 {
			t.Errorf("%d found, %d left, at first: %v", l.Total, l.Left, err)
		}
	})
	g.tap.Spoil("", "")
	g.until(t, "all is found", func() bool {
		l, err := g.List(t.Context(), "INBOX", mailclient.ListQuery{Search: &q})
		return err == nil && l.Total == 4 && l.Left == 0 && !l.Incomplete
	})
}

func uids(rows []mailclient.Row) (out []uint32) {
	for _, r := range rows {
		out = append(out, r.UID)
	}
	return out
}

func newSession(t *testing.T, g *ground) *mailclient.Session {
	t.Helper()
	pool := mailclient.NewPool(mailclient.Limits{})
	t.Cleanup(pool.Close)
	ep := mailclient.Endpoint{Host: g.tap.Address.Host, Port: g.tap.Address.Port, Security: mailclient.Plain}
	return pool.Session("account", ep, mailclient.Credentials{Username: g.user.Address, Password: g.user.Password})
}
