package index_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"restante/internal/testmail"
	"restante/mailclient"
)

// letter is a mail with the fields that join it to others.
func letter(id, subject, from string, more ...string) string {
	raw := testmail.Mail(from, subject, "text of "+id)
	at := strings.Index(raw, "Message-ID:")
	end := at + strings.Index(raw[at:], "\r\n") + 2
	fields := "Message-ID: <" + id + ">\r\n"
	for _, f := range more {
		fields += f + "\r\n"
	}
	return raw[:at] + fields + raw[end:]
}

// put delivers mails into a mailbox, one an hour, the first on a certain day.
func (g *ground) put(box string, hour int, raws ...string) {
	for i, raw := range raws {
		g.talk.AppendAt(box, time.Date(2026, 3, 1, hour+i, 0, 0, 0, time.UTC), raw)
	}
}

func (g *ground) talks(t *testing.T, box string, q mailclient.ListQuery) (out []string) {
	t.Helper()
	q.Conversations = true
	for _, r := range g.list(t, box, q).Rows {
		c := r.Conversation
		var people []string
		for _, a := range c.People {
			name, _, _ := strings.Cut(a.Addr, "@")
			people = append(people, name)
		}
		out = append(out, fmt.Sprintf("%s %d %s %v", r.Subject, c.Mails, strings.Join(people, "+"), c.Unread))
	}
	return out
}

// TestConversationsOverFolders lists conversations with what was answered from elsewhere, and opens them.
func TestConversationsOverFolders(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.talk.Try("CREATE Sent (USE (\\Sent))")
		g.talk.Try("CREATE Trash (USE (\\Trash))")
		g.put("INBOX", 1, letter("a@x", "Figures", "maria@x.test"), letter("b@x", "Lunch today?", "omar@x.test"))
		g.put("Sent", 3, letter("c@x", "Re: Figures", "anna@x.test", "In-Reply-To: <a@x>", "References: <a@x>"))
		g.put("INBOX", 4, letter("d@x", "AW: Figures", "maria@x.test", "In-Reply-To: your message <c@x> of today"), letter("e@x", "Bread", "ben@x.test"))
		g.put("Trash", 5, letter("f@x", "Re: Figures", "spam@x.test", "References: <a@x>"))
		g.put("INBOX", 6, letter("g@x", "RE: Lunch today?", "zoe@x.test")) // names nothing
		g.filled(t, "INBOX")
		for _, box := range []string{"Sent", "Trash"} {
			g.filled(t, box)
		}
		want := []string{"RE: Lunch today? 2 omar+zoe true", "Bread 1 ben true", "AW: Figures 3 maria+anna true"}
		if got := g.talks(t, "INBOX", mailclient.ListQuery{}); !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
		l := g.list(t, "INBOX", mailclient.ListQuery{Conversations: true})
		rows, err := g.Conversation(t.Context(), "INBOX", l.Rows[2].UID)
		var ids []string
		for _, r := range rows {
			ids = append(ids, r.Mailbox+" "+r.MessageID)
		}
		if err != nil || !slices.Equal(ids, []string{"INBOX a@x", "Sent c@x", "INBOX d@x"}) {
			t.Errorf("%q, %v", ids, err)
		}
		ref, err := g.Together(t.Context(), mailclient.Ref{Mailbox: "INBOX", UIDValidity: l.Mailbox.UIDValidity, UIDs: []uint32{l.Rows[2].UID, l.Rows[1].UID}})
		if err != nil || len(ref.UIDs) != 3 {
			t.Errorf("%v, %v", ref, err)
		}
		newer, older, at, err := g.Neighbours(t.Context(), "INBOX", mailclient.ListQuery{Conversations: true}, l.Rows[1].UID)
		if err != nil || newer != l.Rows[0].UID || older != l.Rows[2].UID || at != 2 {
			t.Errorf("%d, %d, %d, %v", newer, older, at, err)
		}

		// One is read, one thrown away: what is left is told of.
		if _, err := g.Run(t.Context(), mailclient.Step{Act: mailclient.Act{Kind: mailclient.ActFlags, Add: []string{`\Seen`}}, Ref: ref}); err != nil {
			t.Fatal(err)
		}
		if got := g.talks(t, "INBOX", mailclient.ListQuery{Filter: mailclient.FilterUnread}); !slices.Equal(got, want[:1]) {
			t.Errorf("unread: %q", got)
		}
		g.talk.Do("SELECT INBOX")
		g.talk.Do(`UID STORE %d +FLAGS (\Deleted)`, l.Rows[2].UID)
		g.talk.Do("EXPUNGE")
		want = []string{want[0], "Bread 1 ben false", "Figures 2 maria+anna false"}
		for range 100 {
			if got := g.talks(t, "INBOX", mailclient.ListQuery{}); slices.Equal(got, want) {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		t.Errorf("%q", g.talks(t, "INBOX", mailclient.ListQuery{}))
	})
}

// TestNewestOfConversation stands for it, though older ones came into the mailbox after it, and however those are marked.
func TestNewestOfConversation(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.put("INBOX", 5, letter("c@x", "Re: Figures", "omar@x.test", "References: <a@x>"))
		g.put("INBOX", 3, letter("b@x", "Re: Figures", "anna@x.test", "References: <a@x>"), letter("d@x", "Bread", "ben@x.test"))
		g.put("INBOX", 1, letter("a@x", "Figures", "maria@x.test"))
		g.talk.Do("SELECT INBOX")
		g.talk.Do(`STORE 1,3 FLAGS (\Seen)`)
		g.talk.Do(`STORE 4 FLAGS (\Flagged)`)
		g.filled(t, "INBOX")
		want := []string{"Re: Figures 3 maria+anna+omar true", "Bread 1 ben false"}
		if got := g.talks(t, "INBOX", mailclient.ListQuery{}); !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
		for _, filter := range []mailclient.Filter{mailclient.FilterUnread, mailclient.FilterFlagged} {
			if got := g.talks(t, "INBOX", mailclient.ListQuery{Filter: filter}); !slices.Equal(got, want[:1]) {
				t.Errorf("%s: %q", filter, got)
			}
		}
		if l := g.list(t, "INBOX", mailclient.ListQuery{Conversations: true}); l.Rows[0].UID != 1 {
			t.Errorf("%d is the newest", l.Rows[0].UID)
		}
	})
}

// TestOwnAnswerInItsConversation stands there as soon as it is known to have been sent.
func TestOwnAnswerInItsConversation(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.talk.Try("CREATE Sent (USE (\\Sent))")
		g.put("INBOX", 1, letter("a@x", "Figures", "maria@x.test"))
		g.put("Sent", 1, letter("z@x", "Bread", "anna@x.test"))
		for _, box := range []string{"INBOX", "Sent"} {
			g.filled(t, box)
		}
		g.put("Sent", 2, letter("b@x", "Re: Figures", "anna@x.test", "References: <a@x>"))
		g.LookOver(t.Context(), mailclient.RoleSent)
		want := []string{"Figures 2 maria+anna true"}
		for range 100 {
			if got := g.talks(t, "INBOX", mailclient.ListQuery{}); slices.Equal(got, want) {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		t.Errorf("%q", g.talks(t, "INBOX", mailclient.ListQuery{}))
	})
}

// TestAnswersThatNameNothing are joined by their subjects within a month, and originals never.
func TestAnswersThatNameNothing(t *testing.T) {
	g := on(t, testmail.Dovecot(t, testmail.DovecotOptions{}))
	day := 24
	deliver := func() {
		g.put("INBOX", 0, letter("a@x", "Our weekly report", "a@x.test"))
		g.put("INBOX", 7*day, letter("b@x", "Our weekly report", "b@x.test"))
		g.put("INBOX", 8*day, letter("c@x", "Re: Our weekly report", "c@x.test"))
		g.put("INBOX", 60*day, letter("d@x", "Re: Our weekly report", "d@x.test"))
		g.put("INBOX", 61*day, letter("e@x", "Re: hello", "e@x.test"), letter("f@x", "hello", "f@x.test"), letter("g@x", "Re: ", "g@x.test"), letter("h@x", "Re:", "h@x.test"))
		g.put("INBOX", 62*day, letter("i@x", "Fwd: Our weekly report", "i@x.test"))
	}
	deliver()
	want := []string{"Fwd: Our weekly report 1 i true", "Re: 1 h true", "Re: 1 g true", "hello 1 f true", "Re: hello 1 e true", "Re: Our weekly report 1 d true", "Re: Our weekly report 2 b+c true", "Our weekly report 1 a true"}
	check := func(how string) {
		t.Helper()
		g.filled(t, "INBOX")
		var got []string
		for range 100 {
			if got = nil; g.list(t, "INBOX", mailclient.ListQuery{}).Total == 9 {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		for _, s := range g.talks(t, "INBOX", mailclient.ListQuery{}) {
			got = append(got, strings.ReplaceAll(s, "Re:  1", "Re: 1"))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q", how, got)
		}
	}
	check("filled, the newest first")
	if err := os.RemoveAll(g.dir); err != nil {
		t.Fatal(err)
	}
	g.open(t)
	g.talk.Do("SELECT INBOX")
	g.talk.Do(`STORE 1:* +FLAGS (\Deleted)`)
	g.talk.Do("EXPUNGE")
	g.filled(t, "INBOX")
	deliver()
	check("as they came")
}

// TestConversationsAreThoseOfDovecot joins mails at random, and compares with the server's own REFERENCES.
func TestConversationsAreThoseOfDovecot(t *testing.T) {
	g := on(t, testmail.Dovecot(t, testmail.DovecotOptions{}))
	r := rand.New(rand.NewPCG(7, 9))
	const many = 90
	refs := map[int][]string{} // of each mail, the answers to one carry its own on
	for n := range many {
		if n > 0 && r.IntN(4) > 0 {
			parent := r.IntN(n)
			refs[n] = append(slices.Clone(refs[parent]), fmt.Sprintf("<%d@x>", parent))
		}
	}
	order := r.Perm(many)
	send := func(n int) {
		var fields []string
		switch of := refs[n]; {
		case len(of) == 0:
		case r.IntN(4) == 0: // all that old programs say
			fields = append(fields, "In-Reply-To: "+of[len(of)-1])
		case len(of) > 2 && r.IntN(3) == 0: // cut in the middle
			fields = append(fields, "References: "+of[0]+"\r\n "+of[len(of)-1])
		default:
			fields = append(fields, "References: "+strings.Join(of, "\r\n "))
		}
		g.put("INBOX", n, letter(fmt.Sprintf("%d@x", n), fmt.Sprintf("subject %d", n), "a@x.test", fields...))
	}
	for _, n := range order[:60] {
		send(n)
	}
	g.filled(t, "INBOX")
	for _, n := range order[60:80] { // as they come; some never do
		send(n)
	}
	want := g.threads()
	var got [][]uint32
	for range 100 {
		got = nil
		for page := 1; ; page++ {
			l := g.list(t, "INBOX", mailclient.ListQuery{Conversations: true, Page: page, PerPage: 15})
			for _, row := range l.Rows {
				rows, err := g.Conversation(t.Context(), "INBOX", row.UID)
				if err != nil {
					t.Fatal(err)
				}
				var uids []uint32
				for _, m := range rows {
					uids = append(uids, m.UID)
				}
				got = append(got, uids)
			}
			if page >= l.Pages {
				break
			}
		}
		if sorted(got); fmt.Sprint(got) == fmt.Sprint(want) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("%v\nwant %v", got, want)
}

func sorted(all [][]uint32) {
	for _, some := range all {
		slices.Sort(some)
	}
	slices.SortFunc(all, func(x, y []uint32) int { return cmp.Compare(x[0], y[0]) })
}

// threads are the mails of each thread of INBOX, as the server joins them.
func (g *ground) threads() (out [][]uint32) {
	g.talk.Do("SELECT INBOX")
	for _, line := range g.talk.Do("UID THREAD REFERENCES UTF-8 ALL") {
		rest, ok := strings.CutPrefix(line, "* THREAD ")
		if !ok {
			continue
		}
		depth, from := 0, 0
		for i, c := range rest {
			switch c {
			case '(':
				if depth++; depth == 1 {
					from = i
				}
			case ')':
				if depth--; depth == 0 {
					var uids []uint32
					for _, w := range strings.FieldsFunc(rest[from:i], func(r rune) bool { return r < '0' || r > '9' }) {
						uid, _ := strconv.ParseUint(w, 10, 32)
						uids = append(uids, uint32(uid))
					}
					out = append(out, uids)
				}
			}
		}
	}
	sorted(out)
	return out
}
