package mailclient_test

import (
	"fmt"
	"testing"

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
