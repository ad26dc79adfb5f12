package mailclient_test

import (
	"strings"
	"testing"

	"restante/internal/testmail"
	"restante/mailclient"
)

func TestTheConnectionOfASignInIsKeptForTheAccount(t *testing.T) {
	testmail.Each(t, func(t *testing.T, srv *testmail.Server) {
		u, tap := srv.NewUser(t), testmail.NewTap(t, srv.IMAP)
		pool := mailclient.NewPool(mailclient.Limits{})
		t.Cleanup(pool.Close)
		ep := mailclient.Endpoint{Host: tap.Host, Port: tap.Port, Security: mailclient.Plain}
		cred := mailclient.Credentials{Username: u.Address, Password: u.Password}
		for range 2 { // the second finds the account's session, with a connection that is free
			ok(t, pool.Session("try", ep, cred).SignIn(t.Context()))
			pool.Rename("try", "account")
			_, err := pool.Session("account", ep, cred).List(t.Context(), "INBOX", mailclient.ListQuery{})
			ok(t, err)
		}
		if n := tap.Total(); n != 2 {
			t.Errorf("%d connections for two sign-ins", n)
		}
	})
}

func TestL1_AColdPageIsOneFlightWithItsPreviews(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.deliver(t, 3)
		_, err := g.Mailboxes(t.Context())
		ok(t, err)
		g.tap.Forget()
		l := g.list(t, "INBOX", mailclient.ListQuery{})
		if len(l.Rows) != 3 || l.Rows[0].Preview != "text of mail 3" {
			t.Fatalf("rows %q, the first with the preview %q", subjects(l.Rows), l.Rows[0].Preview)
		}
		if said := g.tap.Said(); strings.Count(said, "FETCH") != 1 || strings.Count(said, "SELECT") != 1 {
			t.Errorf("it took\n%s", said)
		}
	})
}

func TestAMailIsOpenedWithItsListInOneFlight(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.deliver(t, 3)
		uid := g.list(t, "INBOX", mailclient.ListQuery{}).Rows[1].UID
		g.tap.Forget()
		o, l, err := g.OpenInList(t.Context(), "INBOX", uid, mailclient.ListQuery{})
		ok(t, err)
		if o.Subject != "mail 2" || len(l.Rows) != 3 || l.Rows[1].UID != uid || l.Total != 3 {
			t.Fatalf("opened %q in %q", o.Subject, subjects(l.Rows))
		}
		if said := g.tap.Said(); strings.Count(said, "FETCH") != 2 || strings.Count(said, "\n") != 3 {
			t.Errorf("it took\n%s", said)
		}
		g.tap.Forget()
		again, err := g.Reopen(t.Context(), "INBOX", o.UIDValidity, uid)
		ok(t, err)
		if again.Subject != "mail 2" || g.tap.Said() != "" {
			t.Errorf("what was opened is fetched again: %s", g.tap.Said())
		}
		if _, _, err := g.OpenInList(t.Context(), "INBOX", uid+100, mailclient.ListQuery{}); err != mailclient.ErrGone {
			t.Errorf("a mail that is not there: %v", err)
		}
	})
}

func TestAMailThatWasOpenedIsOpenedAgainByItsFlagsAlone(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.deliver(t, 3)
		rows := g.list(t, "INBOX", mailclient.ListQuery{}).Rows
		open := func(uid uint32) (*mailclient.Open, error) {
			o, _, err := g.OpenInList(t.Context(), "INBOX", uid, mailclient.ListQuery{})
			return o, err
		}
		for _, r := range rows[:2] {
			_, err := open(r.UID)
			ok(t, err)
		}
		g.talk.Do("SELECT INBOX")
		g.talk.Do(`UID STORE %d +FLAGS (\Seen \Flagged)`, rows[0].UID)
		g.tap.Forget()
		o, err := open(rows[0].UID)
		ok(t, err)
		if !o.Flags.Flagged || !o.Flags.Seen || o.Subject != "mail 3" || !strings.Contains(o.Message.Blocks[0].Text, "text of mail 3") {
			t.Errorf("opened again: %+v, %q", o.Flags, o.Subject)
		}
		if said := g.tap.Said(); strings.Contains(said, "BODY") || strings.Count(said, "\n") != 3 {
			t.Errorf("it took\n%s", said)
		}
		g.talk.Do(`UID STORE %d +FLAGS (\Deleted)`, rows[1].UID)
		g.talk.Do("EXPUNGE")
		if _, err := open(rows[1].UID); err != mailclient.ErrGone {
			t.Errorf("a mail that was opened and has gone: %v", err)
		}
	})
}

func TestAMailThatWasOpenedIsKnownWithoutItsValidity(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.deliver(t, 1)
		row := g.list(t, "INBOX", mailclient.ListQuery{}).Rows[0]
		g.open(t, row)
		ok(t, g.CreateMailbox(t.Context(), "Elsewhere"))
		g.talk.Append("Elsewhere", "", crlf("From: a@x.test\nSubject: another\n\ntext\n"))
		g.open(t, g.list(t, "Elsewhere", mailclient.ListQuery{}).Rows[0]) // of another mailbox, whose validity is another
		g.tap.Forget()
		o, err := g.Reopen(t.Context(), "INBOX", 0, row.UID)
		ok(t, err)
		if o.Subject != "mail 1" || g.tap.Said() != "" {
			t.Errorf("%q took %s", o.Subject, g.tap.Said())
		}
	})
}

func TestALongMailIsNotHeldOnTo(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		long := strings.Repeat("A line of it that nobody sees.\n", 30_000)
		g.talk.Append("INBOX", "", crlf("From: a@x.test\nSubject: letter\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n\n"+
			long+"\n--b\nContent-Type: text/html; charset=utf-8\n\n<p>short</p>\n--b--\n"))
		row := g.list(t, "INBOX", mailclient.ListQuery{}).Rows[0]
		if o := g.open(t, row); len(o.Message.PlainAlt) < 512<<10 {
			t.Fatalf("its plain text has %d bytes", len(o.Message.PlainAlt))
		}
		g.tap.Forget()
		_, err := g.Reopen(t.Context(), "INBOX", row.UIDValidity, row.UID)
		ok(t, err)
		if g.tap.Said() == "" {
			t.Error("a mail of more than half a megabyte stays in memory")
		}
	})
}

func TestALetterOfTheListIsOpenedInOneFlight(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		long := strings.Repeat("<p>A line of it.</p>\n", 9000) // more than is asked for of a first part
		for n, html := range []string{"<p>short</p>", long} {
			g.talk.Append("INBOX", "", crlf("From: a@x.test\nSubject: letter\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/alternative; boundary=b\n\n"+
				"--b\nContent-Type: text/plain; charset=utf-8\n\nplain\n--b\nContent-Type: text/html; charset=utf-8\n\n"+html+"\n--b--\n--a\nContent-Type: application/pdf; name=a.pdf\nContent-Disposition: attachment\n\nx\n--a--\n"))
			uid := g.list(t, "INBOX", mailclient.ListQuery{}).Rows[0].UID
			g.tap.Forget()
			o, _, err := g.OpenInList(t.Context(), "INBOX", uid, mailclient.ListQuery{})
			ok(t, err)
			if !strings.Contains(o.Message.Blocks[0].Text, html) || len(o.Message.Files) != 1 || o.Message.Files[0].Name != "a.pdf" {
				t.Fatalf("letter %d: %d bytes, files %v", n, len(o.Message.Blocks[0].Text), o.Message.Files)
			}
			if said := g.tap.Said(); strings.Count(said, "\n") != 3 {
				t.Errorf("letter %d took\n%s", n, said)
			}
		}
	})
}

func TestA2_OpeningMarksReadAndCountsDownAtOnce(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.deliver(t, 3)
		before, _ := g.mailbox(t, "INBOX")
		o, _, err := g.OpenInList(t.Context(), "INBOX", g.list(t, "INBOX", mailclient.ListQuery{}).Rows[0].UID, mailclient.ListQuery{})
		ok(t, err)
		ok(t, g.MarkSeen(t.Context(), o))
		after, _ := g.mailbox(t, "INBOX")
		if before.Unseen != 3 || after.Unseen != 2 {
			t.Errorf("unread mails: %d, then %d", before.Unseen, after.Unseen)
		}
		if l := g.list(t, "INBOX", mailclient.ListQuery{}); !l.Rows[0].Flags.Seen || l.Rows[1].Flags.Seen {
			t.Error("another mail was marked")
		}
		if flags := g.talk.Flags("INBOX")[o.UID]; !strings.Contains(flags, `\Seen`) {
			t.Errorf("the server has the flags %q", flags)
		}
		o.UIDValidity++
		if err := g.MarkSeen(t.Context(), o); err != mailclient.ErrUIDValidity {
			t.Errorf("in another life of the mailbox: %v", err)
		}
	})
}

func TestAMailBesideItsListAsksForItsNeighboursAlone(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.deliver(t, 6)
		rows := g.list(t, "INBOX", mailclient.ListQuery{}).Rows
		for _, first := range []bool{true, false} {
			g.tap.Forget()
			o, l, err := g.OpenBeside(t.Context(), "INBOX", rows[2].UID, mailclient.ListQuery{})
			ok(t, err)
			if o.Subject != "mail 4" {
				t.Fatalf("opened %q", o.Subject)
			}
			same(t, "the list beside it", subjects(l.Rows), subjects(rows))
			if said := g.tap.Said(); strings.Count(said, "FETCH") != 2 || strings.Count(said, "\n") != 3 || strings.Contains(said, ":") {
				t.Errorf("the first time %v, it took\n%s", first, said)
			}
		}
		_, l, err := g.OpenBeside(t.Context(), "INBOX", rows[0].UID, mailclient.ListQuery{})
		if ok(t, err); len(l.Rows) != 6 {
			t.Errorf("at the end of a page, %q", subjects(l.Rows))
		}
		ok(t, g.Expunge(t.Context(), mailclient.Ref{Mailbox: "INBOX", UIDValidity: rows[3].UIDValidity, UIDs: []uint32{rows[3].UID}}))
		_, l, err = g.OpenBeside(t.Context(), "INBOX", rows[2].UID, mailclient.ListQuery{})
		if ok(t, err); len(l.Rows) != 5 {
			t.Errorf("with a neighbour gone, %q", subjects(l.Rows))
		}
	})
}
