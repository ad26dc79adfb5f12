package mailclient_test

import (
	"strings"
	"testing"

	"restante/internal/testmail"
	"restante/mailclient"
)

// TestC9_CourierIsReadAndFiled: a server that forgets what is sent together with LOGIN, has all mailboxes below INBOX,
// and does not tell UIDNEXT of what is selected.
func TestC9_CourierIsReadAndFiled(t *testing.T) {
	g := on(t, testmail.Courier(t))
	g.srv.Deliver(t, g.user, testmail.Mail("ben@keller.example", "First", "one"), testmail.Mail("ben@keller.example", "Second", "two"))
	ok(t, g.CreateMailbox(t.Context(), "INBOX.Archive"))
	boxes, err := g.Mailboxes(t.Context())
	ok(t, err)
	var names []string
	for _, b := range boxes {
		names = append(names, b.Name)
	}
	if got := strings.Join(names, " "); got != "INBOX INBOX.Archive" {
		t.Errorf("the mailboxes are %q", got)
	}
	l, err := g.List(t.Context(), "INBOX", mailclient.ListQuery{})
	ok(t, err)
	if len(l.Rows) != 2 || l.Rows[0].Subject != "Second" {
		t.Fatalf("%+v", l.Rows)
	}
	o, err := g.Open(t.Context(), "INBOX", l.Mailbox.UIDValidity, l.Rows[0].UID)
	ok(t, err)
	if len(o.Message.Blocks) == 0 || !strings.Contains(o.Message.Blocks[0].Text, "two") {
		t.Errorf("%+v", o.Message)
	}
	_, err = g.Move(t.Context(), mailclient.Ref{Mailbox: "INBOX", UIDValidity: l.Mailbox.UIDValidity, UIDs: []uint32{l.Rows[0].UID}}, "INBOX.Archive")
	ok(t, err)
	if n := g.talk.Count("INBOX.Archive"); n != 1 {
		t.Errorf("%d mails are in the archive", n)
	}
}
