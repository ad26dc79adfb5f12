package mailclient_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"restante/internal/testmail"
	"restante/mailclient"
)

// lesser are the extensions that a list uses where it finds them.
const lesser = "ESEARCH SORT LIST-STATUS LIST-EXTENDED CONDSTORE QRESYNC ID NAMESPACE LITERAL+ SPECIAL-USE"

func numbered(from, to int) (out []string) {
	step := 1
	if from > to {
		step = -1
	}
	for i := from; i != to+step; i += step {
		out = append(out, fmt.Sprintf("mail %d", i))
	}
	return out
}

func TestL1_PagesByArrival(t *testing.T) {
	eachLess(t, lesser, func(t *testing.T, g *ground) {
		g.deliver(t, 23)
		q := mailclient.ListQuery{PerPage: 10}
		for _, c := range []struct {
			page      int
			ascending bool
			want      []string
			shown     int
		}{
			{1, false, numbered(23, 14), 1}, {2, false, numbered(13, 4), 2}, {3, false, numbered(3, 1), 3}, {99, false, numbered(3, 1), 3}, {0, false, numbered(23, 14), 1}, {-5, false, numbered(23, 14), 1},
			{1, true, numbered(1, 10), 1}, {3, true, numbered(21, 23), 3},
		} {
			q.Page, q.Ascending = c.page, c.ascending
			l := g.list(t, "INBOX", q)
			same(t, fmt.Sprintf("page %d ascending %v", c.page, c.ascending), subjects(l.Rows), c.want)
			if l.Total != 23 || l.Pages != 3 || l.Page != c.shown || l.ReadOnly || l.Incomplete {
				t.Errorf("%+v", l)
			}
		}
	})
}

func TestL1_AnEmptyMailbox(t *testing.T) {
	eachLess(t, lesser, func(t *testing.T, g *ground) {
		for _, q := range []mailclient.ListQuery{{}, {Filter: mailclient.FilterUnread}, {Sort: mailclient.SortFrom}, {Search: parsed("x")}} {
			for _, name := range []string{"INBOX", "Trash"} {
				if l := g.list(t, name, q); l.Total != 0 || len(l.Rows) != 0 || l.Page != 1 || l.Pages != 1 {
					t.Errorf("%+v", l)
				}
			}
		}
		if _, err := g.List(t.Context(), "No such", mailclient.ListQuery{}); !errors.Is(err, mailclient.ErrNoMailbox) {
			t.Error(err)
		}
		for _, bad := range []string{"", "a\r\nb", "a\x00", strings.Repeat("x", 2000)} {
			if _, err := g.List(t.Context(), bad, mailclient.ListQuery{}); !errors.Is(err, mailclient.ErrBadInput) {
				t.Errorf("mailbox %q: %v", bad, err)
			}
		}
	})
}

func TestL2_RowsSayWhatTheMailIs(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.talk.Append("INBOX", `\Seen`, crlf(`From: =?utf-8?q?Zo=C3=AB_M=C3=BCller?= <zoe@x.test>
To: "Q, \"R\"" <q@x.test>, r@x.test
Subject: =?utf-8?b?R3LDvMOfZSDwn5Cd?=
 folded
Date: Thu, 29 Feb 2024 10:11:12 +0100
Message-ID: <one@x.test>
In-Reply-To: <zero@x.test>
References: <minus@x.test> <zero@x.test>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Sch=F6ne Gr=FC=DFe!
--b
Content-Type: application/pdf; name="a.pdf"
Content-Disposition: attachment; filename="a.pdf"
Content-Transfer-Encoding: base64

JVBERi0=
--b--
`))
		r := g.list(t, "INBOX", mailclient.ListQuery{}).Rows[0]
		if r.Subject != "Grüße 🐝 folded" || r.From[0].Name != "Zoë Müller" || r.From[0].Addr != "zoe@x.test" || len(r.To) != 2 || r.To[0].Name != `Q, "R"` {
			t.Errorf("%+v", r)
		}
		if !r.HasAttachment || r.Preview != "Schöne Grüße!" || r.MessageID != "one@x.test" || !slices.Equal(r.InReplyTo, []string{"zero@x.test"}) || len(r.References) != 2 {
			t.Errorf("%+v", r)
		}
		if !r.Date.Equal(time.Date(2024, 2, 29, 9, 11, 12, 0, time.UTC)) || time.Since(r.Received).Abs() > time.Hour || r.Size < 500 || !r.Flags.Seen {
			t.Errorf("%+v", r)
		}
		again := g.list(t, "INBOX", mailclient.ListQuery{}).Rows[0]
		if again.Subject != r.Subject || again.Preview != r.Preview || again.HasAttachment != r.HasAttachment || !again.Date.Equal(r.Date) {
			t.Errorf("the second time: %+v", again)
		}
	})
}

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

func TestL_AListShowsWhatOthersDid(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.deliver(t, 5)
		ref := g.ref(t, "INBOX")
		g.list(t, "INBOX", mailclient.ListQuery{})
		g.talk.Do("SELECT INBOX")
		g.talk.Do(`UID STORE %d +FLAGS (\Flagged)`, ref.UIDs[4])
		g.talk.Do(`UID STORE %d,%d +FLAGS (\Deleted)`, ref.UIDs[0], ref.UIDs[2])
		g.talk.Do(`EXPUNGE`)
		g.talk.Append("INBOX", "", testmail.Mail("a@x.test", "mail 6", "x"))
		l := g.list(t, "INBOX", mailclient.ListQuery{})
		same(t, "rows", subjects(l.Rows), []string{"mail 6", "mail 5", "mail 4", "mail 2"})
		if l.Total != 4 || !l.Rows[1].Flags.Flagged || l.Rows[0].Flags.Flagged {
			t.Errorf("%+v", l)
		}
	})
}

func TestL_TwoConnectionsOfOneSessionShowTheSame(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.deliver(t, 2)
		// Both working connections have the mailbox selected before the changes are made over one of them.
		both(t, g, func() { g.list(t, "INBOX", mailclient.ListQuery{}) })
		for i := range 6 {
			g.talk.Append("INBOX", "", testmail.Mail("a@x.test", fmt.Sprintf("late %d", i), "x"))
			row := g.list(t, "INBOX", mailclient.ListQuery{}).Rows[0]
			ref := mailclient.Ref{Mailbox: "INBOX", UIDValidity: row.UIDValidity, UIDs: []uint32{row.UID}}
			both(t, g, func() {
				if _, err := g.Open(t.Context(), "INBOX", row.UIDValidity, row.UID); err != nil {
					t.Errorf("late %d: %v", i, err)
				}
			})
			ok(t, g.SetFlags(t.Context(), ref, []string{`\Flagged`}, nil))
			both(t, g, func() {
				if r := g.list(t, "INBOX", mailclient.ListQuery{}).Rows[0]; !r.Flags.Flagged {
					t.Errorf("late %d does not show its flag", i)
				}
				o, err := g.Open(t.Context(), "INBOX", row.UIDValidity, row.UID)
				if err != nil || !o.Flags.Flagged {
					t.Errorf("late %d opens without its flag: %v", i, err)
				}
			})
		}
	})
}

// both runs f twice at once, so that both working connections are used.
func both(t *testing.T, g *ground, f func()) {
	t.Helper()
	done := make(chan bool)
	for range 2 {
		go func() {
			defer func() { done <- true }()
			f()
		}()
	}
	<-done
	<-done
}

func TestL13_MailsMarkedDeletedAreCountedNotShown(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.deliver(t, 3)
		g.talk.Do("SELECT INBOX")
		g.talk.Do(`STORE 2 +FLAGS (\Deleted)`)
		l := g.list(t, "INBOX", mailclient.ListQuery{})
		same(t, "rows", subjects(l.Rows), []string{"mail 3", "mail 1"})
		if l.Deleted != 1 {
			t.Errorf("%+v", l)
		}
	})
}

// mixed fills INBOX with mails that differ in all that can be sorted or filtered.
func mixed(t *testing.T, g *ground) {
	t.Helper()
	for _, m := range []struct{ flags, from, to, subject, body, kind string }{
		{``, "Bert <b@x.test>", "z@x.test", "banana", "short", "text/plain; charset=utf-8"},
		{`\Seen \Flagged`, "anton@x.test", "y@x.test", "Re: apple", strings.Repeat("long ", 500), "text/plain; charset=utf-8"},
		{`\Seen`, "Cleo <c@x.test>", "x@x.test", "[list] cherry", "Grüße aus Köln", "text/plain; charset=utf-8"},
		{`\Answered`, "Dora <d@x.test>", "w@x.test", "date", "--b\r\nContent-Type: text/plain\r\n\r\nfirst\r\n--b\r\nContent-Disposition: attachment; filename=x.bin\r\nContent-Type: application/octet-stream\r\n\r\nabc\r\n--b--\r\n", "multipart/mixed; boundary=b"},
	} {
		g.talk.Append("INBOX", m.flags, fmt.Sprintf("From: %s\r\nTo: %s\r\nSubject: %s\r\nMIME-Version: 1.0\r\nContent-Type: %s\r\n\r\n%s\r\n", m.from, m.to, m.subject, m.kind, m.body))
	}
}

func TestL4_SortsAndFilters(t *testing.T) {
	eachLess(t, lesser, func(t *testing.T, g *ground) {
		mixed(t, g)
		for _, c := range []struct {
			q    mailclient.ListQuery
			want []string
		}{
			{mailclient.ListQuery{Sort: mailclient.SortSubject, Ascending: true}, []string{"Re: apple", "banana", "[list] cherry", "date"}},
			{mailclient.ListQuery{Sort: mailclient.SortSubject}, []string{"date", "[list] cherry", "banana", "Re: apple"}},
			{mailclient.ListQuery{Sort: mailclient.SortFrom, Ascending: true}, []string{"Re: apple", "banana", "[list] cherry", "date"}},
			{mailclient.ListQuery{Sort: mailclient.SortTo, Ascending: true}, []string{"date", "[list] cherry", "Re: apple", "banana"}},
			{mailclient.ListQuery{Sort: mailclient.SortSize, PerPage: 1}, []string{"Re: apple"}},
			{mailclient.ListQuery{Filter: mailclient.FilterUnread}, []string{"date", "banana"}},
			{mailclient.ListQuery{Filter: mailclient.FilterUnread, Ascending: true}, []string{"banana", "date"}},
			{mailclient.ListQuery{Filter: mailclient.FilterFlagged}, []string{"Re: apple"}},
			{mailclient.ListQuery{Filter: mailclient.FilterAttachments}, []string{"date"}},
			{mailclient.ListQuery{Filter: mailclient.FilterUnread, Sort: mailclient.SortSubject, Ascending: true}, []string{"banana", "date"}},
			{mailclient.ListQuery{Filter: mailclient.FilterUnread, Search: parsed("subject:ban")}, []string{"banana"}},
		} {
			l := g.list(t, "INBOX", c.q)
			same(t, fmt.Sprintf("%+v", c.q), subjects(l.Rows), c.want)
			if c.q.PerPage == 0 && l.Total != len(c.want) {
				t.Errorf("total %d", l.Total)
			}
		}
	})
}

func TestL_NeighboursInEveryOrder(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.deliver(t, 4)
		u := g.ref(t, "INBOX").UIDs
		for _, c := range []struct {
			q                   mailclient.ListQuery
			uid, before, behind uint32
			place               int
		}{
			{mailclient.ListQuery{}, u[3], 0, u[2], 1}, {mailclient.ListQuery{}, u[1], u[2], u[0], 3}, {mailclient.ListQuery{}, u[0], u[1], 0, 4},
			{mailclient.ListQuery{Ascending: true}, u[0], 0, u[1], 1}, {mailclient.ListQuery{Ascending: true}, u[2], u[1], u[3], 3},
			{mailclient.ListQuery{Sort: mailclient.SortSubject, Ascending: true}, u[1], u[0], u[2], 2},
			{mailclient.ListQuery{}, 999, 0, 0, 0}, {mailclient.ListQuery{Filter: mailclient.FilterFlagged}, u[1], 0, 0, 0},
		} {
			before, behind, place, err := g.Neighbours(t.Context(), "INBOX", c.q, c.uid)
			ok(t, err)
			if before != c.before || behind != c.behind || place != c.place {
				t.Errorf("%+v of %d: %d, %d at %d; want %d, %d at %d", c.q, c.uid, before, behind, place, c.before, c.behind, c.place)
			}
		}
	})
}

func TestQ1_SearchInOneMailbox(t *testing.T) {
	eachLess(t, lesser, func(t *testing.T, g *ground) {
		mixed(t, g)
		for query, want := range map[string][]string{
			"from:anton": {"Re: apple"}, "subject:cherry": {"[list] cherry"}, "subject:nothing": nil, "to:w@x.test": {"date"},
			"is:answered": {"date"}, "is:read": {"[list] cherry", "Re: apple"}, "is:unread": {"date", "banana"}, "is:flagged": {"Re: apple"},
			"has:attachment": {"date"}, "has:datei": {"date"}, "larger:1k": {"Re: apple"}, "before:2020-01-01": nil, "after:2020-01-01 from:bert": {"banana"},
			"Köln": {"[list] cherry"}, `"aus Köln"`: {"[list] cherry"}, `"Köln aus"`: nil, "long -apple": nil, `sub"ject`: nil, `back\slash`: nil, "(parens) {3} *": nil,
			"from: anton": {"Re: apple"}, "von: anton": {"Re: apple"}, "-from:anton": {"date", "[list] cherry", "banana"}, "-is:unread": {"[list] cherry", "Re: apple"},
			"subject:cherry OR from:anton": {"[list] cherry", "Re: apple"}, "subject:apple OR subject:cherry OR subject:date is:unread": {"date"},
			"-subject:date OR is:answered": {"date", "[list] cherry", "Re: apple", "banana"}, "OR subject:cherry": nil, `subject: "aus" OR subject:ban`: {"banana"},
		} {
			q, err := mailclient.ParseSearch(query, time.UTC)
			ok(t, err)
			same(t, query, subjects(g.list(t, "INBOX", mailclient.ListQuery{Search: &q}).Rows), want)
		}
	})
}

// parsed is a query as it is typed.
func parsed(q string) *mailclient.SearchQuery {
	s, err := mailclient.ParseSearch(q, time.UTC)
	if err != nil {
		panic(err)
	}
	return &s
}

func TestQ2_PDFsAreFoundByWhatTheMailsHold(t *testing.T) {
	withFile := func(subject, typ, name string) string {
		return "From: Maria <maria@x.test>\r\nSubject: " + subject + "\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nabout.pdf\r\n" +
			"--b\r\nContent-Type: " + typ + "\r\nContent-Disposition: attachment; filename=\"" + name + "\"\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0=\r\n--b--\r\n"
	}
	eachLess(t, lesser, func(t *testing.T, g *ground) {
		g.talk.Append("INBOX", "", withFile("a scan", "application/pdf", "scan"))
		g.talk.Append("INBOX", "", withFile("an offer", "application/octet-stream", "Offer.PDF"))
		g.talk.Append("INBOX", "", withFile("a picture", "image/png", "a.png"))
		g.talk.Append("INBOX", "", testmail.Mail("Maria <maria@x.test>", "words", "see about.pdf"))
		for query, want := range map[string][]string{"has:pdf": {"an offer", "a scan"}, "has:pdf subject:scan": {"a scan"}, "from:maria has:pdf": {"an offer", "a scan"}} {
			same(t, query, subjects(g.list(t, "INBOX", mailclient.ListQuery{Search: parsed(query)}).Rows), want)
			l, err := g.Search(t.Context(), *parsed(query), 1, 50)
			ok(t, err)
			if len(l.Rows) != len(want) {
				t.Errorf("everywhere %s finds %q", query, subjects(l.Rows))
			}
		}
	})
}

func TestQ5_SearchOverAllMailboxes(t *testing.T) {
	eachLess(t, lesser, func(t *testing.T, g *ground) {
		for _, box := range []string{"INBOX", "Sent", "Archive", "Trash", "Junk"} {
			g.talk.Append(box, "", testmail.Mail("a@x.test", "needle in "+box, "x"))
		}
		for query, want := range map[string][]string{
			"subject:needle":             {"needle in Archive", "needle in INBOX", "needle in Sent"},
			"subject:needle in:anywhere": {"needle in Archive", "needle in INBOX", "needle in Junk", "needle in Sent", "needle in Trash"},
		} {
			l, err := g.Search(t.Context(), *parsed(query), 1, 50)
			ok(t, err)
			got := subjects(l.Rows)
			slices.Sort(got)
			same(t, query, got, want)
			if l.Total != len(want) || l.Incomplete {
				t.Errorf("%+v", l)
			}
		}
		l, err := g.Search(t.Context(), *parsed("subject:needle"), 2, 2)
		ok(t, err)
		if len(l.Rows) != 1 || l.Page != 2 || l.Pages != 2 {
			t.Errorf("%+v", l)
		}
	})
}

// TestWhatWasFoundStaysFoundWhileItIsActedOn: the result that a person walks through does not change under them.
func TestWhatWasFoundStaysFoundWhileItIsActedOn(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		for i, box := range []string{"Archive", "Sent", "INBOX"} {
			g.talk.Append(box, "", testmail.Mail("a@x.test", fmt.Sprintf("needle %d in %s", i, box), "x"))
		}
		q := *parsed("subject:needle")
		rows := func(l mailclient.List, err error) []string {
			t.Helper()
			ok(t, err)
			out := []string{}
			for _, r := range l.Rows {
				out = append(out, r.Mailbox+": "+r.Subject)
			}
			slices.Sort(out)
			return out
		}
		_, err := g.Search(t.Context(), q, 1, 50)
		ok(t, err)
		g.talk.Append("INBOX", "", testmail.Mail("a@x.test", "needle 3, new", "x"))
		inbox := pick(g.ref(t, "INBOX"), 0)
		moved, err := g.Move(t.Context(), inbox, "Archive")
		ok(t, err)
		same(t, "archived", rows(g.Found(t.Context(), q, 1, 50)), []string{"Archive: needle 0 in Archive", "Archive: needle 2 in INBOX", "Sent: needle 1 in Sent"})
		thrown, err := g.Move(t.Context(), mailclient.Ref{Mailbox: "Archive", UIDValidity: moved.UIDValidity, UIDs: []uint32{moved.UIDs[inbox.UIDs[0]]}}, "Trash")
		ok(t, err)
		same(t, "thrown away", rows(g.Found(t.Context(), q, 1, 50)), []string{"Archive: needle 0 in Archive", "Sent: needle 1 in Sent"})
		for _, u := range thrown.UIDs {
			_, err = g.Move(t.Context(), mailclient.Ref{Mailbox: "Trash", UIDValidity: thrown.UIDValidity, UIDs: []uint32{u}}, "INBOX")
			ok(t, err)
		}
		same(t, "taken back", rows(g.Found(t.Context(), q, 1, 50)), []string{"Archive: needle 0 in Archive", "INBOX: needle 2 in INBOX", "Sent: needle 1 in Sent"})
		same(t, "searched again", rows(g.Search(t.Context(), q, 1, 50)), []string{"Archive: needle 0 in Archive", "INBOX: needle 2 in INBOX", "INBOX: needle 3, new", "Sent: needle 1 in Sent"})
	})
}

// TestMailsThatAFilterPassesOverCanBeListedToo: those that were opened stay while a person looks at the list.
func TestMailsThatAFilterPassesOverCanBeListedToo(t *testing.T) {
	eachLess(t, lesser, func(t *testing.T, g *ground) {
		mixed(t, g)
		cherry := g.list(t, "INBOX", mailclient.ListQuery{Search: parsed("subject:cherry")}).Rows[0].UID
		for _, q := range []mailclient.ListQuery{{Filter: mailclient.FilterUnread}, {Search: parsed("is:unread")}, {Filter: mailclient.FilterUnread, Search: parsed("-subject:apple")}} {
			q.Also = []uint32{cherry}
			same(t, fmt.Sprintf("%+v", q), subjects(g.list(t, "INBOX", q).Rows), []string{"date", "[list] cherry", "banana"})
		}
	})
}

func TestQ8_SearchesThatCannotBeUnderstood(t *testing.T) {
	for _, q := range []string{strings.Repeat("x", 1001), "a\r\nb", "before:tomorrow", "larger:big", "is:odd", "has:wings", "tag:a*b", "from:", "from: subject:x", "x to:", "-in:work", "a OR in:work", "-has:pdf", "x OR has:pdf", "has:pdf OR x"} {
		var e *mailclient.QueryError
		if _, err := mailclient.ParseSearch(q, time.UTC); !errors.As(err, &e) {
			t.Errorf("%.30q: %v", q, err)
		}
	}
}

func TestPageAtADay(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		for n := range 30 { // one a day, from the first of March on
			g.talk.AppendAt("INBOX", time.Date(2024, time.March, n+1, 12, 0, 0, 0, time.UTC), crlf(fmt.Sprintf("From: a@x.test\nSubject: mail %d\n\ntext\n", n+1)))
		}
		for _, c := range []struct {
			day       string
			ascending bool
			page      int
		}{{"2024-03-30", false, 1}, {"2024-03-26", false, 1}, {"2024-03-25", false, 2}, {"2024-03-01", false, 6}, {"2031-01-01", false, 1}, {"1999-01-01", false, 6},
			{"2024-03-01", true, 1}, {"2024-03-06", true, 2}, {"2031-01-01", true, 6}, {"1999-01-01", true, 1}} {
			day, err := time.Parse(time.DateOnly, c.day)
			ok(t, err)
			page, err := g.PageAt(t.Context(), "INBOX", mailclient.ListQuery{PerPage: 5, Ascending: c.ascending}, day)
			ok(t, err)
			if page != c.page {
				t.Errorf("%s, oldest first %v: page %d, not %d", c.day, c.ascending, page, c.page)
			}
		}
		g.talk.Do("CREATE Empty")
		if page, err := g.PageAt(t.Context(), "Empty", mailclient.ListQuery{}, time.Now()); err != nil || page != 1 {
			t.Errorf("an empty mailbox: page %d, %v", page, err)
		}
	})
}
