package mailclient_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"restante/internal/testmail"
	"restante/mailclient"
)

// TestWhatIsBroughtBackStandsWhereItStood, on whichever page of its list, although it has a new UID; also twice.
func TestWhatIsBroughtBackStandsWhereItStood(t *testing.T) {
	eachLess(t, "MOVE", func(t *testing.T, g *ground) {
		for i := range 9 { // all within the same second or two
			g.talk.Append("INBOX", "", testmail.Mail("a@x.test", fmt.Sprintf("mail %d", i), "x"))
		}
		pages := func() (out []string) {
			for page := range 3 {
				for _, r := range g.list(t, "INBOX", mailclient.ListQuery{Page: page + 1, PerPage: 4}).Rows {
					out = append(out, fmt.Sprint(page+1, " ", r.Subject))
				}
			}
			return out
		}
		want := pages()
		for range 2 {
			var ref mailclient.Ref
			for _, r := range g.list(t, "INBOX", mailclient.ListQuery{}).Rows {
				if ref.UIDValidity = r.UIDValidity; r.Subject == "mail 2" || r.Subject == "mail 6" {
					ref.UIDs = append(ref.UIDs, r.UID)
				}
			}
			ref.Mailbox = "INBOX"
			res, err := g.Run(t.Context(), mailclient.Step{Act: mailclient.Act{Kind: mailclient.ActMove, To: "Archive"}, Ref: ref})
			ok(t, err)
			for _, back := range res.Back {
				_, err := g.Run(t.Context(), back)
				ok(t, err)
			}
			same(t, "the list", pages(), want)
		}
		all, err := g.UIDs(t.Context(), "INBOX", mailclient.ListQuery{})
		ok(t, err)
		for i, uid := range all.UIDs {
			if _, _, at, err := g.Neighbours(t.Context(), "INBOX", mailclient.ListQuery{}, uid); err != nil || at != i+1 {
				t.Errorf("mail %d stands at %d, %v", i+1, at, err)
			}
		}
		g.talk.Append("INBOX", "", testmail.Mail("a@x.test", "the newest", "x"))
		if got := g.list(t, "INBOX", mailclient.ListQuery{PerPage: 4}).Rows[0].Subject; got != "the newest" {
			t.Errorf("%q comes first", got)
		}
	})
}

// TestOldMailThatFillsTheFirstPageStandsByItsDate: it came in the order of its dates.
func TestOldMailThatFillsTheFirstPageStandsByItsDate(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		for _, year := range []int{2024, 2015} {
			for day := 1; day <= 10; day++ {
				g.talk.AppendAt("INBOX", time.Date(year, time.March, day, 12, 0, 0, 0, time.UTC), crlf(fmt.Sprintf("From: a@x.test\nSubject: %d-%d\n\ntext\n", year, day)))
			}
		}
		_, err := g.Mailboxes(t.Context())
		ok(t, err)
		rows := g.list(t, "INBOX", mailclient.ListQuery{PerPage: 5}).Rows
		if len(rows) != 5 || rows[0].Subject != "2024-10" || rows[4].Subject != "2024-6" {
			t.Errorf("the first page begins with %q", rows[0].Subject)
		}
	})
}

// TestOldMailBroughtInLateStandsByItsDate: an import brings mail that is older than what is there, the newest of it first.
func TestOldMailBroughtInLateStandsByItsDate(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		put := func(day int) {
			g.talk.AppendAt("INBOX", time.Date(2024, time.March, day, 12, 0, 0, 0, time.UTC), crlf(fmt.Sprintf("From: a@x.test\nSubject: %d\n\ntext\n", day)))
		}
		for day := 21; day <= 26; day++ {
			put(day)
		}
		for day := 20; day > 0; day-- {
			put(day)
		}
		put(27)
		subjects := func(rows []mailclient.Row) (out []string) {
			for _, r := range rows {
				out = append(out, r.Subject)
			}
			return out
		}
		var want, up []string
		for day := 27; day > 0; day-- {
			want, up = append(want, fmt.Sprint(day)), append([]string{fmt.Sprint(day)}, up...)
		}
		var got, asc []string
		var uids []uint32
		for page := range 6 {
			rows := g.list(t, "INBOX", mailclient.ListQuery{Page: page + 1, PerPage: 5}).Rows
			got = append(got, subjects(rows)...)
			for _, r := range rows {
				uids = append(uids, r.UID)
			}
			asc = append(asc, subjects(g.list(t, "INBOX", mailclient.ListQuery{Page: page + 1, PerPage: 5, Ascending: true}).Rows)...)
		}
		same(t, "the pages", got, want)
		same(t, "the pages, the oldest first", asc, up)
		same(t, "the unread", subjects(g.list(t, "INBOX", mailclient.ListQuery{Filter: mailclient.FilterUnread}).Rows), want)
		for i, uid := range uids {
			if _, _, at, err := g.Neighbours(t.Context(), "INBOX", mailclient.ListQuery{}, uid); err != nil || at != i+1 {
				t.Errorf("mail %d stands at %d, %v", i+1, at, err)
			}
		}
		for _, open := range []func(context.Context, string, uint32, mailclient.ListQuery) (*mailclient.Open, mailclient.List, error){g.OpenBeside, g.OpenInList} {
			o, l, err := open(t.Context(), "INBOX", uids[12], mailclient.ListQuery{Page: 3, PerPage: 5})
			ok(t, err)
			same(t, "the list beside "+o.Subject, subjects(l.Rows), want[10:15])
		}
		for page, day := range map[int]int{1: 25, 3: 14, 6: 2} {
			on := time.Date(2024, time.March, day, 0, 0, 0, 0, time.UTC)
			if got, err := g.PageAt(t.Context(), "INBOX", mailclient.ListQuery{PerPage: 5}, on); err != nil || got != page {
				t.Errorf("%d March stands on page %d, not %d: %v", day, got, page, err)
			}
		}
	})
}
