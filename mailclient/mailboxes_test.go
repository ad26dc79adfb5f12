package mailclient_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"restante/internal/testmail"
	"restante/mailclient"
)

// oddNames are names that some layer between the person and the server might spoil.
var oddNames = []string{
	"a%b", "til~de", `qu"ote`, `back\slash`, "two words", "🐝 bees", "Entwürfe", "日本語", "a&b", "dot.end.", "#hash", "a+b?c=d", "שלום", "[brackets]", "{5}", "(paren)",
	"NIL", "percent%20", "a'b", "trailing~", "é", "e\u0301", strings.Repeat("long", 50), "&-", "a,b;c", "*star"[1:] + "!",
}

func TestM20_OddNames(t *testing.T) {
	run := func(t *testing.T, g *ground) {
		for _, name := range oddNames {
			ok(t, g.CreateMailbox(t.Context(), name))
			mail := testmail.Mail("a@x.test", "in "+name, "x")
			if _, _, err := g.Append(t.Context(), name, nil, time.Time{}, int64(len(mail)), strings.NewReader(mail)); err != nil {
				t.Errorf("append to %q: %v", name, err)
			}
		}
		for _, name := range oddNames {
			m, found := g.mailbox(t, name)
			if !found || !m.Subscribed || !m.Selectable || !m.StatusKnown || m.Messages != 1 || m.Unseen != 1 {
				t.Errorf("%q: found %v, %+v", name, found, m)
				continue
			}
			if rows := g.list(t, name, mailclient.ListQuery{}).Rows; len(rows) != 1 {
				t.Errorf("%q has %d rows", name, len(rows))
			}
		}
		for _, name := range oddNames {
			if _, err := g.Move(t.Context(), g.ref(t, name), "Trash"); err != nil {
				t.Errorf("move from %q: %v", name, err)
			}
			ok(t, g.RenameMailbox(t.Context(), name, name+"2"))
			if m, found := g.mailbox(t, name+"2"); !found || !m.Subscribed {
				t.Errorf("%q was not renamed: %+v", name, m)
			}
			ok(t, g.Subscribe(t.Context(), name+"2", false))
			if m, _ := g.mailbox(t, name+"2"); m.Subscribed {
				t.Errorf("%q is still subscribed", name)
			}
			ok(t, g.DeleteMailbox(t.Context(), name+"2"))
			if _, found := g.mailbox(t, name+"2"); found {
				t.Errorf("%q was not deleted", name)
			}
		}
	}
	t.Run("demo", func(t *testing.T) { run(t, on(t, testmail.Demo(t))) })
	// Maildir takes no dots in names.
	t.Run("dovecot", func(t *testing.T) { run(t, on(t, testmail.Dovecot(t, testmail.DovecotOptions{Format: "sdbox"}))) })
	t.Run("dovecot without literals", func(t *testing.T) {
		run(t, on(t, testmail.Dovecot(t, testmail.DovecotOptions{Format: "sdbox", Without: lesser})))
	})
}

func TestM9_NamesWithUndecodableBytesCanBeOpened(t *testing.T) {
	g := on(t, testmail.Dovecot(t, testmail.DovecotOptions{Format: "sdbox", Extra: "mailbox_list_index = no"}))
	boxes, err := g.Mailboxes(t.Context())
	ok(t, err)
	if len(boxes) == 0 {
		t.Fatal("no mailboxes")
	}
	for _, bad := range []string{"a\r\nb", "a\x00b", ""} {
		if err := g.CreateMailbox(t.Context(), bad); !errors.Is(err, mailclient.ErrBadInput) {
			t.Errorf("%q: %v", bad, err)
		}
		if err := g.RenameMailbox(t.Context(), "Archive", bad); !errors.Is(err, mailclient.ErrBadInput) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestM9_NewNames(t *testing.T) {
	boxes := []mailclient.Mailbox{{Name: "INBOX", Role: mailclient.RoleInbox, Delimiter: "/", Selectable: true}, {Name: "Work", Delimiter: "/"}, {Name: "Flat", NoChildren: true}}
	for _, c := range []struct{ parent, name, want string }{
		{"", "New", "New"}, {"Work", "e\u0301", "Work/é"}, {"", "a/b", ""}, {"", "", ""}, {"", " x", ""}, {"", "x ", ""}, {"", "a*", ""}, {"", "a%", ""}, {"", "a\nb", ""},
		{"Flat", "x", ""}, {"", "inbox", ""}, {"", strings.Repeat("ü", 200), ""}, {"Work", "inbox", "Work/inbox"}, {"No such", "x", ""},
	} {
		got, err := mailclient.NewName(boxes, c.parent, c.name)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%q under %q: %q, %v", c.name, c.parent, got, err)
		}
	}
}

func TestM8_TheTreeHasParentsAndAnOrder(t *testing.T) {
	eachLess(t, lesser, func(t *testing.T, g *ground) {
		ok(t, g.CreateMailbox(t.Context(), "work/2024/may"))
		ok(t, g.CreateMailbox(t.Context(), "Alpha"))
		boxes, err := g.Mailboxes(t.Context())
		ok(t, err)
		var names []string
		for _, m := range boxes {
			names = append(names, m.Name)
			if m.Delimiter != "/" {
				t.Errorf("%q has delimiter %q", m.Name, m.Delimiter)
			}
		}
		same(t, "order", names, []string{"INBOX", "Drafts", "Sent", "Archive", "Junk", "Trash", "Alpha", "work", "work/2024", "work/2024/may"})
	})
}

func TestM2_StatusOfEveryMailbox(t *testing.T) {
	eachLess(t, lesser, func(t *testing.T, g *ground) {
		g.deliver(t, 3)
		g.talk.Append("Archive", `\Seen`, testmail.Mail("a@x.test", "x", "x"))
		in, _ := g.mailbox(t, "INBOX")
		if !in.StatusKnown || in.Messages != 3 || in.Unseen != 3 || in.UIDValidity == 0 || in.UIDNext != 4 || in.Role != mailclient.RoleInbox {
			t.Errorf("%+v", in)
		}
		if a, _ := g.mailbox(t, "Archive"); a.Messages != 1 || a.Unseen != 0 {
			t.Errorf("%+v", a)
		}
		ok(t, g.SetFlags(t.Context(), g.ref(t, "INBOX"), []string{`\Seen`}, nil))
		if in, _ = g.mailbox(t, "INBOX"); in.Unseen != 0 {
			t.Errorf("after reading all: %+v", in)
		}
		g.list(t, "INBOX", mailclient.ListQuery{})
		g.deliver(t, 1)
		ok(t, g.Subscribe(t.Context(), "Archive", true)) // the tree is read anew after a change
		if in, _ = g.mailbox(t, "INBOX"); in.Messages != 4 || in.Unseen != 1 {
			t.Errorf("after another mail has come into the selected mailbox: %+v", in)
		}
	})
}

func TestM11_RolesBySpecialUse(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		for role, name := range map[mailclient.Role]string{mailclient.RoleSent: "Sent", mailclient.RoleDrafts: "Drafts", mailclient.RoleTrash: "Trash", mailclient.RoleJunk: "Junk", mailclient.RoleArchive: "Archive", mailclient.RoleInbox: "INBOX"} {
			m, err := g.MailboxByRole(t.Context(), role, false, "")
			if err != nil || m.Name != name {
				t.Errorf("%s: %q, %v", role, m.Name, err)
			}
		}
		if _, err := g.MailboxByRole(t.Context(), mailclient.RoleAll, true, "All"); !errors.Is(err, mailclient.ErrNoMailbox) {
			t.Errorf("all: %v", err)
		}
	})
}

func TestM12_RolesByNameWithoutSpecialUse(t *testing.T) {
	g := on(t, testmail.Dovecot(t, testmail.DovecotOptions{NoRoles: true}))
	for _, raw := range []string{"Gesendet", "Entw&APw-rfe", "Papierkorb", "Sent Items", "Spam", "Work/Archive"} {
		g.talk.Do("CREATE %q", raw)
	}
	for role, want := range map[mailclient.Role]string{mailclient.RoleSent: "Gesendet", mailclient.RoleDrafts: "Entwürfe", mailclient.RoleTrash: "Papierkorb", mailclient.RoleJunk: "Spam"} {
		m, err := g.MailboxByRole(t.Context(), role, false, "")
		if err != nil || m.Name != want {
			t.Errorf("%s: %q, %v; want %s", role, m.Name, err, want)
		}
	}
	if _, err := g.MailboxByRole(t.Context(), mailclient.RoleArchive, false, "Archive"); !errors.Is(err, mailclient.ErrNoMailbox) {
		t.Errorf("an archive that is not at the top: %v", err)
	}
	m, err := g.MailboxByRole(t.Context(), mailclient.RoleArchive, true, "Archiv")
	if err != nil || m.Name != "Archiv" || m.Role != mailclient.RoleArchive {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestM13_AMissingRoleIsMadeWithItsUse(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		ok(t, g.DeleteMailbox(t.Context(), "Archive"))
		m, err := g.MailboxByRole(t.Context(), mailclient.RoleArchive, true, "Ablage")
		ok(t, err)
		if m.Role != mailclient.RoleArchive {
			t.Errorf("%+v", m)
		}
		if _, err := g.List(t.Context(), m.Name, mailclient.ListQuery{}); err != nil {
			t.Error(err)
		}
	})
}

func TestM6_APersonalPrefix(t *testing.T) {
	for _, without := range []string{"", "NAMESPACE SPECIAL-USE"} {
		g := on(t, testmail.Dovecot(t, testmail.DovecotOptions{Separator: ".", Prefix: "INBOX.", Without: without}))
		sent, err := g.MailboxByRole(t.Context(), mailclient.RoleSent, false, "")
		ok(t, err)
		if sent.Name != "INBOX.Sent" || sent.Prefix != "INBOX." || sent.Delimiter != "." {
			t.Errorf("%+v", sent)
		}
		boxes, err := g.Mailboxes(t.Context())
		ok(t, err)
		name, err := mailclient.NewName(boxes, "", "Work")
		ok(t, err)
		if name != "INBOX.Work" {
			t.Errorf("new name %q", name)
		}
		ok(t, g.CreateMailbox(t.Context(), name))
		if _, found := g.mailbox(t, "INBOX.Work"); !found {
			t.Error("not there")
		}
	}
}

func TestM14_RenamingCarriesChildrenAndSubscriptions(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		ok(t, g.CreateMailbox(t.Context(), "old"))
		ok(t, g.CreateMailbox(t.Context(), "old/child"))
		g.talk.Append("old/child", "", testmail.Mail("a@x.test", "kept", "x"))
		both(t, g, func() { g.list(t, "old/child", mailclient.ListQuery{}) })
		ok(t, g.RenameMailbox(t.Context(), "old", "new name"))
		for _, name := range []string{"new name", "new name/child"} {
			if m, found := g.mailbox(t, name); !found || !m.Subscribed {
				t.Errorf("%q: %+v", name, m)
			}
		}
		if _, found := g.mailbox(t, "old"); found {
			t.Error("the old one is there")
		}
		same(t, "moved along", subjects(g.list(t, "new name/child", mailclient.ListQuery{}).Rows), []string{"kept"})
		// Another one takes the old name: connections that had it selected must not show the first.
		ok(t, g.CreateMailbox(t.Context(), "old/child"))
		both(t, g, func() {
			if l, err := g.List(t.Context(), "old/child", mailclient.ListQuery{}); err != nil || l.Total != 0 {
				t.Errorf("%d mails, %v", l.Total, err)
			}
		})
		if err := g.RenameMailbox(t.Context(), "new name", "Sent"); err == nil {
			t.Error("renamed over another one")
		}
		for _, bad := range []string{"INBOX", "inbox"} {
			if err := g.RenameMailbox(t.Context(), bad, "x"); !errors.Is(err, mailclient.ErrBadInput) {
				t.Errorf("%s: %v", bad, err)
			}
		}
	})
}

func TestM16_DeletingTakesChildrenAndSelectedMailboxes(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		ok(t, g.CreateMailbox(t.Context(), "top/middle/leaf"))
		g.talk.Append("top/middle/leaf", "", testmail.Mail("a@x.test", "x", "x"))
		both(t, g, func() { g.list(t, "top/middle/leaf", mailclient.ListQuery{}) })
		ok(t, g.DeleteMailbox(t.Context(), "top"))
		boxes, err := g.Mailboxes(t.Context())
		ok(t, err)
		if i := slices.IndexFunc(boxes, func(m mailclient.Mailbox) bool { return strings.HasPrefix(m.Name, "top") }); i >= 0 {
			t.Errorf("%q is left", boxes[i].Name)
		}
		both(t, g, func() {
			if _, err := g.List(t.Context(), "top/middle/leaf", mailclient.ListQuery{}); !errors.Is(err, mailclient.ErrNoMailbox) {
				t.Errorf("listing a deleted one: %v", err)
			}
		})
		if err := g.DeleteMailbox(t.Context(), "INBOX"); !errors.Is(err, mailclient.ErrBadInput) {
			t.Errorf("INBOX: %v", err)
		}
		if err := g.DeleteMailbox(t.Context(), "never was"); !errors.Is(err, mailclient.ErrNoMailbox) {
			t.Errorf("one that never was: %v", err)
		}
	})
}

func TestM15_CreatingTwiceIsNoError(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		ok(t, g.CreateMailbox(t.Context(), "twice"))
		ok(t, g.CreateMailbox(t.Context(), "twice"))
	})
}

func TestM19_Quota(t *testing.T) {
	g := on(t, testmail.Dovecot(t, testmail.DovecotOptions{Quota: "200K"}))
	g.talk.Append("INBOX", "", testmail.Mail("a@x.test", "x", strings.Repeat("0123456789\n", 9000)))
	_, err := g.Mailboxes(t.Context())
	ok(t, err)
	q, found := g.Quota()
	if !found || q.LimitKiB != 200 || q.UsedKiB < 90 || q.UsedKiB > 110 {
		t.Errorf("%+v, %v", q, found)
	}
	for _, srv := range []*testmail.Server{testmail.Demo(t), testmail.Dovecot(t, testmail.DovecotOptions{})} {
		g := on(t, srv)
		_, err := g.Mailboxes(t.Context())
		ok(t, err)
		if q, found := g.Quota(); found {
			t.Errorf("%s has a quota: %+v", srv.Kind, q)
		}
	}
}

func TestM18_AReadOnlyMailboxTakesNoChanges(t *testing.T) {
	// A shared mailbox without rights to change: Dovecot says READ-ONLY when it is opened.
	g := on(t, testmail.Dovecot(t, testmail.DovecotOptions{Extra: `
mail_plugins = $mail_plugins acl
protocol imap {
  mail_plugins = $mail_plugins acl imap_acl
}
plugin {
  acl = vfile
}`}))
	g.talk.Do("CREATE Shelf")
	g.talk.Append("Shelf", "", testmail.Mail("a@x.test", "book", "x"))
	g.talk.Do(`SETACL Shelf %q lr`, g.user.Address)
	l := g.list(t, "Shelf", mailclient.ListQuery{})
	same(t, "rows", subjects(l.Rows), []string{"book"})
	if !l.ReadOnly {
		t.Skip("this Dovecot lets the owner write all the same")
	}
	ref := g.ref(t, "Shelf")
	if err := g.SetFlags(t.Context(), ref, []string{`\Seen`}, nil); !errors.Is(err, mailclient.ErrNoRight) {
		t.Errorf("flags: %v", err)
	}
	if _, err := g.Move(t.Context(), ref, "Trash"); !errors.Is(err, mailclient.ErrNoRight) {
		t.Errorf("move: %v", err)
	}
	if err := g.Raw(t.Context(), "Shelf", ref.UIDValidity, ref.UIDs[0], io.Discard); err != nil {
		t.Errorf("reading: %v", err)
	}
}
