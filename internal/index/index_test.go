package index_test

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"restante/internal/index"
	"restante/internal/testmail"
	"restante/mailclient"
)

func TestMain(m *testing.M) { testmail.Main(m) }

// ground is a fresh user on a server, their mail by way of an index, and by talk behind its back.
type ground struct {
	*index.Mail
	ix      *index.Index
	srv     *testmail.Server
	user    testmail.User
	dir     string
	session *mailclient.Session
	talk    *testmail.Talk
	tap     *testmail.Tap
	sent    int
}

func on(t *testing.T, srv *testmail.Server) *ground {
	t.Helper()
	u := srv.NewUser(t)
	g := &ground{srv: srv, user: u, dir: filepath.Join(t.TempDir(), "index"), talk: srv.Talk(t, u), tap: testmail.NewTap(t, srv.IMAP)}
	pool := mailclient.NewPool(mailclient.Limits{})
	t.Cleanup(pool.Close)
	ep := mailclient.Endpoint{Host: g.tap.Address.Host, Port: g.tap.Address.Port, Security: mailclient.Plain}
	g.session = pool.Session("account", ep, mailclient.Credentials{Username: u.Address, Password: u.Password})
	g.open(t)
	return g
}

// open begins with the index as it lies on the disk.
func (g *ground) open(t *testing.T) {
	t.Helper()
	if g.ix != nil {
		g.ix.Close()
	}
	g.ix = index.Open(g.dir, slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})))
	t.Cleanup(g.ix.Close)
	g.Mail = g.ix.Mail(7, "account", g.session)
}

// each runs f on the embedded server, on Dovecot, and on one without mod-sequences.
func each(t *testing.T, f func(t *testing.T, g *ground)) {
	t.Helper()
	testmail.Each(t, func(t *testing.T, srv *testmail.Server) { f(t, on(t, srv)) })
	t.Run("dovecot without CONDSTORE", func(t *testing.T) {
		f(t, on(t, testmail.Dovecot(t, testmail.DovecotOptions{Without: "CONDSTORE QRESYNC ESEARCH"})))
	})
}

var people = []string{"Ändre <andre@example.test>", "ben@example.test", "Zoë <zoe@example.test>", "\"Meier, Karl\" <karl@example.test>"}

// deliver puts n more mails into a mailbox, one an hour.
func (g *ground) deliver(box string, n int) {
	for range n {
		g.sent++
		raw := testmail.Mail(people[g.sent%len(people)], fmt.Sprintf("%s %d", []string{"Re: apples", "Äpfel", "Bread"}[g.sent%3], g.sent), strings.Repeat("x", g.sent%50))
		if g.sent%5 == 0 {
			raw = strings.Replace(raw, "Content-Type: text/plain; charset=utf-8", "Content-Type: multipart/mixed; boundary=b", 1) +
				"--b\r\n\r\ntext\r\n--b\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nfile\r\n--b--\r\n"
		}
		g.talk.AppendAt(box, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(g.sent)*time.Hour), raw)
	}
}

// filled lists a mailbox and waits until all of it is in the index.
func (g *ground) filled(t *testing.T, box string) {
	t.Helper()
	var err error
	for range 1000 {
		if _, err = g.List(t.Context(), box, mailclient.ListQuery{}); g.Complete(box) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the index is not filled", err)
}

// list is a page. Dovecot may stumble over a mailbox that was just made anew, once for each connection.
func (g *ground) list(t *testing.T, box string, q mailclient.ListQuery) (l mailclient.List) {
	t.Helper()
	var err error
	for range 5 {
		if l, err = g.List(t.Context(), box, q); err == nil {
			return l
		}
	}
	t.Fatal(err)
	return l
}

// agrees compares all lists of a mailbox with what the server has.
func (g *ground) agrees(t *testing.T, box string) {
	t.Helper()
	flags := g.talk.Flags(box)
	for _, filter := range []mailclient.Filter{"", mailclient.FilterUnread, mailclient.FilterFlagged, mailclient.FilterAttachments} {
		for _, sort := range []mailclient.Sort{"", mailclient.SortFrom, mailclient.SortTo, mailclient.SortSubject, mailclient.SortSize} {
			for _, rising := range []bool{false, true} {
				q := mailclient.ListQuery{PerPage: 15, Sort: sort, Ascending: rising, Filter: filter}
				var rows []mailclient.Row
				for q.Page = 1; ; q.Page++ {
					l := g.list(t, box, q)
					if rows = append(rows, l.Rows...); q.Page >= l.Pages {
						if l.Total != len(rows) {
							t.Errorf("%+v: %d in all, %d listed", q, l.Total, len(rows))
						}
						break
					}
				}
				g.right(t, q, rows, flags)
			}
		}
	}
}

func (g *ground) right(t *testing.T, q mailclient.ListQuery, rows []mailclient.Row, flags map[uint32]string) {
	t.Helper()
	got := map[uint32]bool{}
	for _, r := range rows {
		words := flags[r.UID]
		got[r.UID] = true
		if _, there := flags[r.UID]; !there || r.Flags.Seen != strings.Contains(words, `\Seen`) || r.Flags.Flagged != strings.Contains(words, `\Flagged`) || slices.Contains(r.Flags.Keywords, "work") != strings.Contains(words, "work") {
			t.Errorf("%+v: %d %q has %+v, the server says %q, %v", q, r.UID, r.Subject, r.Flags, words, there)
		}
		if r.Subject == "" || len(r.From) != 1 || r.Received.IsZero() || r.Size == 0 || !r.HasPreview() {
			t.Errorf("%+v", r)
		}
	}
	want := 0
	for uid, words := range flags {
		in := map[mailclient.Filter]bool{"": true, mailclient.FilterUnread: !strings.Contains(words, `\Seen`), mailclient.FilterFlagged: strings.Contains(words, `\Flagged`)}
		if q.Filter == mailclient.FilterAttachments {
			continue
		}
		if in[q.Filter] {
			if want++; !got[uid] {
				t.Errorf("%+v: %d is not listed", q, uid)
			}
		}
	}
	if q.Filter != mailclient.FilterAttachments && want != len(rows) {
		t.Errorf("%+v: %d listed, not %d", q, len(rows), want)
	}
	sorted := slices.IsSortedFunc(rows, func(x, y mailclient.Row) int {
		d := map[mailclient.Sort]int{"": x.Received.Compare(y.Received), mailclient.SortSize: cmp.Compare(x.Size, y.Size), mailclient.SortFrom: cmp.Compare(x.SortKey(mailclient.SortFrom), y.SortKey(mailclient.SortFrom)),
			mailclient.SortTo: cmp.Compare(x.SortKey(mailclient.SortTo), y.SortKey(mailclient.SortTo)), mailclient.SortSubject: cmp.Compare(x.SortKey(mailclient.SortSubject), y.SortKey(mailclient.SortSubject))}[q.Sort]
		if !q.Ascending {
			d = -d
		}
		if q.Sort == "" && q.Ascending {
			return cmp.Or(d, cmp.Compare(x.UID, y.UID))
		}
		return cmp.Or(d, cmp.Compare(y.UID, x.UID))
	})
	if !sorted {
		var keys []string
		for _, r := range rows {
			keys = append(keys, fmt.Sprint(r.SortKey(q.Sort), r.UID))
		}
		t.Errorf("%+v is not sorted: %q", q, keys)
	}
}

func TestListsAreThoseOfTheServer(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.deliver("INBOX", 40)
		g.filled(t, "INBOX")
		g.agrees(t, "INBOX")
		r := rand.New(rand.NewPCG(1, 2))
		for range 6 {
			for range 1 + r.IntN(4) {
				g.something(r)
			}
			g.agrees(t, "INBOX")
		}
		g.open(t) // and what lies on the disk serves the next program
		g.something(r)
		if !g.Complete("INBOX") {
			t.Error("the index is empty after a restart")
		}
		g.agrees(t, "INBOX")
	})
}

// something changes the inbox behind the index's back.
func (g *ground) something(r *rand.Rand) {
	uids := slices.Sorted(func(yield func(uint32) bool) {
		for uid := range g.talk.Flags("INBOX") {
			if !yield(uid) {
				return
			}
		}
	})
	pick := uids[r.IntN(len(uids))]
	g.talk.Do("SELECT INBOX")
	switch r.IntN(5) {
	case 0:
		g.deliver("INBOX", 1+r.IntN(3))
	case 1:
		g.talk.Do(`UID STORE %d +FLAGS (\Seen work)`, pick)
	case 2:
		g.talk.Do(`UID STORE %d -FLAGS (\Seen \Flagged work)`, pick)
	case 3:
		g.talk.Do(`UID STORE %d +FLAGS (\Flagged)`, pick)
	case 4:
		if len(uids) > 20 {
			g.talk.Do(`UID STORE %d +FLAGS (\Deleted)`, pick)
			g.talk.Do(`EXPUNGE`)
		}
	}
}

func TestAMailboxMadeAnewIsReadAnew(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.talk.Do("CREATE Work")
		g.deliver("Work", 9)
		g.filled(t, "Work")
		g.talk.Do("DELETE Work")
		time.Sleep(1100 * time.Millisecond) // UIDVALIDITY is a second on some servers
		g.talk.Do("CREATE Work")
		g.deliver("Work", 3)
		if _, err := g.Mailboxes(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 100 {
			l, err := g.List(t.Context(), "Work", mailclient.ListQuery{})
			if err == nil && l.Total == 3 && len(l.Rows) == 3 {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		g.talk = g.srv.Talk(t, g.user) // for Dovecot stumbles over what it knew of the mailbox
		g.filled(t, "Work")
		g.agrees(t, "Work")
	})
}

func TestTheFilesMayBeDeletedAtAnyMoment(t *testing.T) {
	g := on(t, testmail.Demo(t))
	g.deliver("INBOX", 12)
	g.filled(t, "INBOX")
	info, err := os.Stat(g.Path())
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatal(info.Mode(), err)
	}
	if err := os.RemoveAll(g.dir); err != nil {
		t.Fatal(err)
	}
	g.agrees(t, "INBOX")
	g.filled(t, "INBOX")
	g.agrees(t, "INBOX")
	g.ix.Close()
	if err := os.WriteFile(g.Path(), []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	g.open(t)
	g.agrees(t, "INBOX")
	g.filled(t, "INBOX")
	old := filepath.Join(g.dir, "8.db")
	if err := os.WriteFile(old, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(old, time.Time{}, time.Now().AddDate(-1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	if err := g.ix.Keep([]int64{7, 8}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(old); err == nil {
		t.Error("what nobody has used for a year is still there")
	}
	g.agrees(t, "INBOX")
	if err := g.ix.Keep([]int64{8}); err != nil {
		t.Fatal(err)
	}
	g.agrees(t, "INBOX") // for who was at it still
	if left, _ := os.ReadDir(g.dir); len(left) > 0 {
		t.Errorf("%v is left of an account that was removed", left)
	}
	g.Mail = g.ix.Mail(7, "account", g.session) // it comes again
	g.filled(t, "INBOX")
}

// TestAWarmListAsksNothing: while somebody watches, a page waits for no server, and what happened elsewhere is told and
// shown.
func TestAWarmListAsksNothing(t *testing.T) {
	testmail.Each(t, func(t *testing.T, srv *testmail.Server) {
		g := on(t, srv)
		g.deliver("INBOX", 60)
		g.filled(t, "INBOX")
		events, err := g.Watch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for !g.Watched() {
			time.Sleep(10 * time.Millisecond)
		}
		asked := ""
		for range 50 { // now and then the server is asked behind
			g.tap.Forget()
			for page := range 2 {
				if l := g.list(t, "INBOX", mailclient.ListQuery{Page: page + 1}); l.Total != 60 {
					t.Errorf("%d mails", l.Total)
				}
			}
			if asked = g.tap.Said(); asked == "" {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		if asked != "" {
			t.Errorf("a list that is known asked the server: %s", asked)
		}
		g.deliver("INBOX", 1)
		for told := false; !told; {
			select {
			case e := <-events:
				told = e.Mailbox == "INBOX" && (e.Kind == mailclient.EventNew || e.Kind == mailclient.EventChanged)
			case <-time.After(20 * time.Second):
				t.Fatal("nobody was told of a mail that came")
			}
		}
		if l := g.list(t, "INBOX", mailclient.ListQuery{}); l.Total != 61 || l.Rows[0].UID != 61 {
			t.Errorf("%d mails after one came, the newest %d", l.Total, l.Rows[0].UID)
		}
	})
}

// TestAnActShowsAtOnce: what was done by way of the index stands in its lists, and can be undone.
func TestAnActShowsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.talk.Do("CREATE Work")
		g.deliver("INBOX", 10)
		g.filled(t, "INBOX")
		g.filled(t, "Work")
		l := g.list(t, "INBOX", mailclient.ListQuery{})
		ref := mailclient.Ref{Mailbox: "INBOX", UIDValidity: l.Mailbox.UIDValidity, UIDs: []uint32{3, 4}}
		for _, act := range []mailclient.Act{{Kind: mailclient.ActFlags, Add: []string{`\Seen`, "work"}}, {Kind: mailclient.ActFlags, Remove: []string{`\Seen`}, Add: []string{`\Flagged`}}, {Kind: mailclient.ActMove, To: "Work"}} {
			if _, err := g.Run(t.Context(), mailclient.Step{Act: act, Ref: ref}); err != nil {
				t.Fatal(err)
			}
			g.agrees(t, "INBOX")
			g.agrees(t, "Work")
		}
		if l := g.list(t, "Work", mailclient.ListQuery{}); l.Total != 2 {
			t.Errorf("%d mails were moved", l.Total)
		}
	})
}

// TestManyAtOnce: lists, acts and what happens elsewhere, all at the same time, end in what the server has.
func TestManyAtOnce(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.talk.Do("CREATE Work")
		g.deliver("INBOX", 60)
		g.filled(t, "INBOX")
		g.filled(t, "Work")
		validity := g.list(t, "INBOX", mailclient.ListQuery{}).Mailbox.UIDValidity
		var all sync.WaitGroup
		for worker := range 3 {
			all.Go(func() {
				r := rand.New(rand.NewPCG(3, uint64(worker)))
				for range 15 {
					ref := mailclient.Ref{Mailbox: "INBOX", UIDValidity: validity, UIDs: []uint32{uint32(1 + r.IntN(60))}}
					act := []mailclient.Act{{Kind: mailclient.ActFlags, Add: []string{`\Seen`}}, {Kind: mailclient.ActFlags, Remove: []string{`\Seen`}, Add: []string{`\Flagged`}}, {Kind: mailclient.ActMove, To: "Work"}}[r.IntN(3)]
					if _, err := g.Run(t.Context(), mailclient.Step{Act: act, Ref: ref}); err != nil && !errors.Is(err, mailclient.ErrGone) {
						t.Error(err)
					}
					if _, err := g.List(t.Context(), "INBOX", mailclient.ListQuery{Page: 1 + r.IntN(3), PerPage: 20}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		r := rand.New(rand.NewPCG(5, 6))
		for range 15 {
			g.something(r)
		}
		all.Wait()
		g.agrees(t, "INBOX")
		g.agrees(t, "Work")
	})
}
