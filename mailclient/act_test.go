package mailclient_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"restante/internal/testmail"
	"restante/mailclient"
)

func TestA2_FlagsAreAddedAndRemovedAndOthersStay(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.talk.Append("INBOX", `\Flagged Theirs`, testmail.Mail("a@x.test", "one", "x"))
		ref := g.ref(t, "INBOX")
		ok(t, g.SetFlags(t.Context(), ref, []string{`\Seen`, "$Label1"}, nil))
		f := g.list(t, "INBOX", mailclient.ListQuery{}).Rows[0].Flags
		if !f.Seen || !f.Flagged || !slices.Contains(f.Keywords, "Theirs") || !slices.Contains(f.Keywords, "$Label1") {
			t.Errorf("%+v", f)
		}
		ok(t, g.SetFlags(t.Context(), ref, []string{"$Forwarded"}, []string{`\Seen`, `\Flagged`}))
		f = g.list(t, "INBOX", mailclient.ListQuery{}).Rows[0].Flags
		if f.Seen || f.Flagged || !f.Forwarded || !slices.Contains(f.Keywords, "Theirs") {
			t.Errorf("%+v", f)
		}
		for _, bad := range []string{"", "a b", "a\r\nb", "ü", `a"b`, "a(b", `\`} {
			if err := g.SetFlags(t.Context(), ref, []string{bad}, nil); !errors.Is(err, mailclient.ErrBadInput) {
				t.Errorf("flag %q: %v", bad, err)
			}
		}
		gone := mailclient.Ref{Mailbox: "INBOX", UIDValidity: ref.UIDValidity, UIDs: []uint32{999}}
		if err := g.SetFlags(t.Context(), gone, []string{`\Seen`}, nil); err != nil {
			t.Errorf("a mail that is gone: %v", err)
		}
	})
}

// moving is what every way of moving must do: two of four mails go, one of the others stands marked by somebody else.
func moving(t *testing.T, g *ground) (moved mailclient.Moved, left map[uint32]string) {
	t.Helper()
	g.deliver(t, 4)
	ref := g.ref(t, "INBOX")
	g.talk.Do("SELECT INBOX")
	g.talk.Do(`UID STORE %d +FLAGS (\Deleted)`, ref.UIDs[3])
	g.talk.Do(`UID STORE %d +FLAGS (\Seen Kept)`, ref.UIDs[0])
	want := rawOf(t, g, "INBOX", ref.UIDValidity, ref.UIDs[0])
	g.tap.Forget()
	moved, err := g.Move(t.Context(), pick(ref, 0, 1), "Archive")
	ok(t, err)
	same(t, "archived", subjects(g.list(t, "Archive", mailclient.ListQuery{Ascending: true}).Rows), []string{"mail 1", "mail 2"})
	same(t, "left", subjects(g.list(t, "INBOX", mailclient.ListQuery{}).Rows), []string{"mail 3"})
	there := g.ref(t, "Archive")
	if got := rawOf(t, g, "Archive", there.UIDValidity, there.UIDs[0]); !bytes.Equal(got, want) {
		t.Error("its bytes have changed")
	}
	if f := g.list(t, "Archive", mailclient.ListQuery{Ascending: true}).Rows[0].Flags; !f.Seen || f.Deleted || !slices.Contains(f.Keywords, "Kept") {
		t.Errorf("its flags are %+v", f)
	}
	left = g.talk.Flags("INBOX")
	if f, there := left[ref.UIDs[3]]; !there || !strings.Contains(f, `\Deleted`) {
		t.Error("what another had marked was expunged")
	}
	return moved, left
}

func rawOf(t *testing.T, g *ground, mailbox string, validity, uid uint32) []byte {
	t.Helper()
	var b bytes.Buffer
	ok(t, g.Raw(t.Context(), mailbox, validity, uid, &b))
	return b.Bytes()
}

func TestA5_MoveWithMOVE(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		m, left := moving(t, g)
		if len(m.UIDs) != 2 || m.LeftMarked || len(left) != 2 || m.UIDValidity == 0 {
			t.Errorf("%+v, left %v", m, left)
		}
		if !strings.Contains(g.tap.Said(), "UID MOVE") {
			t.Error("MOVE was not used")
		}
	})
}

func TestA6_MoveWithoutMOVE(t *testing.T) {
	run := func(t *testing.T, g *ground) {
		m, left := moving(t, g)
		if len(m.UIDs) != 2 || m.LeftMarked || len(left) != 2 {
			t.Errorf("%+v, left %v", m, left)
		}
		if said := g.tap.Said(); strings.Contains(said, "MOVE") {
			t.Errorf("MOVE was used without being offered: %s", said)
		}
	}
	t.Run("demo", func(t *testing.T) { run(t, on(t, testmail.Demo(t, "MOVE"))) })
	t.Run("dovecot", func(t *testing.T) { run(t, on(t, testmail.Dovecot(t, testmail.DovecotOptions{Without: "MOVE"}))) })
}

func TestA6_WithoutUIDPLUSNothingIsExpunged(t *testing.T) {
	run := func(t *testing.T, g *ground) {
		m, left := moving(t, g)
		if !m.LeftMarked || len(left) != 4 || len(m.MessageIDs) != 2 {
			t.Errorf("%+v, left %v", m, left)
		}
		if said := g.tap.Said(); strings.Contains(said, "EXPUNGE") || strings.Contains(said, "CLOSE") {
			t.Errorf("expunged: %s", said)
		}
		ok(t, g.Expunge(t.Context(), g.ref(t, "Archive")))
		if n := g.talk.Count("Archive"); n != 2 {
			t.Errorf("%d mails in Archive: Expunge may only mark without UIDPLUS", n)
		}
	}
	t.Run("demo", func(t *testing.T) { run(t, on(t, testmail.Demo(t, "MOVE", "UIDPLUS"))) })
	t.Run("dovecot", func(t *testing.T) {
		run(t, on(t, testmail.Dovecot(t, testmail.DovecotOptions{Without: "MOVE UIDPLUS"})))
	})
}

func TestA8_ARefusedCopyLosesNothing(t *testing.T) {
	for _, without := range []string{"", "MOVE", "MOVE UIDPLUS"} {
		t.Run("without "+without, func(t *testing.T) {
			g := on(t, testmail.Dovecot(t, testmail.DovecotOptions{Without: without, Quota: "messages=3"}))
			g.deliver(t, 3)
			ref := g.ref(t, "INBOX")
			_, err := g.Copy(t.Context(), ref, "Archive")
			if e := refusal(t, err); e.Code != "OVERQUOTA" {
				t.Errorf("copy: %v", err)
			}
			if without != "" {
				if _, err := g.Move(t.Context(), ref, "Archive"); refusal(t, err).Code != "OVERQUOTA" {
					t.Errorf("move: %v", err)
				}
			}
			for uid, f := range g.talk.Flags("INBOX") {
				if strings.Contains(f, `\Deleted`) {
					t.Errorf("mail %d stands marked", uid)
				}
			}
			if n := g.talk.Count("INBOX"); n != 3 {
				t.Errorf("%d mails left", n)
			}
		})
	}
}

func TestA8_AMissingTargetLosesNothing(t *testing.T) {
	eachLess(t, "MOVE", func(t *testing.T, g *ground) {
		g.deliver(t, 2)
		if _, err := g.Move(t.Context(), g.ref(t, "INBOX"), "No such mailbox"); !errors.Is(err, mailclient.ErrNoMailbox) {
			t.Errorf("move: %v", err)
		}
		if _, err := g.Copy(t.Context(), g.ref(t, "INBOX"), "No such mailbox"); !errors.Is(err, mailclient.ErrNoMailbox) {
			t.Errorf("copy: %v", err)
		}
		if _, _, err := g.Append(t.Context(), "No such mailbox", nil, time.Time{}, 1, strings.NewReader("x")); !errors.Is(err, mailclient.ErrNoMailbox) {
			t.Errorf("append: %v", err)
		}
		same(t, "left", subjects(g.list(t, "INBOX", mailclient.ListQuery{Ascending: true}).Rows), []string{"mail 1", "mail 2"})
	})
}

func TestA10_AMoveIsUndoneByTheNewUIDs(t *testing.T) {
	eachLess(t, "MOVE", func(t *testing.T, g *ground) {
		g.deliver(t, 3)
		ref := g.ref(t, "INBOX")
		m, err := g.Move(t.Context(), pick(ref, 0, 2), "Trash")
		ok(t, err)
		back := mailclient.Ref{Mailbox: m.To, UIDValidity: m.UIDValidity, UIDs: slices.Sorted(maps.Values(m.UIDs))}
		if _, err := g.Move(t.Context(), back, "INBOX"); err != nil {
			t.Fatal(err)
		}
		got := subjects(g.list(t, "INBOX", mailclient.ListQuery{}).Rows)
		slices.Sort(got)
		same(t, "INBOX", got, []string{"mail 1", "mail 2", "mail 3"})
		if n := g.talk.Count("Trash"); n != 0 {
			t.Errorf("%d in Trash", n)
		}
	})
}

func TestS18_AMailThatIsGoneIsPassedOver(t *testing.T) {
	eachLess(t, "MOVE", func(t *testing.T, g *ground) {
		g.deliver(t, 2)
		ref := g.ref(t, "INBOX")
		g.talk.Do("SELECT INBOX")
		g.talk.Do(`UID STORE %d +FLAGS (\Deleted)`, ref.UIDs[0])
		g.talk.Do(`EXPUNGE`)
		m, err := g.Move(t.Context(), ref, "Archive")
		ok(t, err)
		if len(m.UIDs) != 1 || m.UIDs[ref.UIDs[1]] == 0 {
			t.Errorf("%+v", m)
		}
		if _, err := g.Move(t.Context(), ref, "Archive"); err != nil {
			t.Errorf("all gone: %v", err)
		}
	})
}

func TestS4_NothingIsDoneUnderAnotherValidity(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		ok(t, g.CreateMailbox(t.Context(), "Renewed"))
		g.talk.Append("Renewed", "", testmail.Mail("a@x.test", "old", "x"))
		ref := g.ref(t, "Renewed")
		other := ref
		other.UIDValidity += 1000
		for _, r := range []mailclient.Ref{other, renewed(t, g, ref)} {
			acts := map[string]func(context.Context) error{
				"flags":   func(ctx context.Context) error { return g.SetFlags(ctx, r, []string{`\Flagged`}, nil) },
				"move":    func(ctx context.Context) error { _, err := g.Move(ctx, r, "Trash"); return err },
				"copy":    func(ctx context.Context) error { _, err := g.Copy(ctx, r, "Trash"); return err },
				"expunge": func(ctx context.Context) error { return g.Expunge(ctx, r) },
				"open": func(ctx context.Context) error {
					_, err := g.Open(ctx, r.Mailbox, r.UIDValidity, r.UIDs[0])
					return err
				},
				"raw": func(ctx context.Context) error {
					return g.Raw(ctx, r.Mailbox, r.UIDValidity, r.UIDs[0], &bytes.Buffer{})
				},
			}
			for name, act := range acts {
				if err := act(t.Context()); !errors.Is(err, mailclient.ErrUIDValidity) {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		l := g.list(t, "Renewed", mailclient.ListQuery{}) // another connection cannot always select it: Dovecot's index then has a log twice
		same(t, "what is there", subjects(l.Rows), []string{"new"})
		if l.Deleted != 0 || l.Rows[0].Flags.Flagged {
			t.Errorf("%d are marked deleted, the new one has %+v", l.Deleted, l.Rows[0].Flags)
		}
		if n := g.talk.Count("Trash"); n != 0 {
			t.Errorf("%d mails in Trash", n)
		}
	})
}

// TestS4_AMailboxThatSlipsUnderASelectionIsLeftAlone: Dovecot moves mails of the new one, as long as another of that
// name is selected.
func TestS4_AMailboxThatSlipsUnderASelectionIsLeftAlone(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		for name, act := range map[string]func(mailclient.Ref) (mailclient.Moved, error){
			"move": func(r mailclient.Ref) (mailclient.Moved, error) { return g.Move(t.Context(), r, "Trash") },
			"copy": func(r mailclient.Ref) (mailclient.Moved, error) { return g.Copy(t.Context(), r, "Trash") },
		} {
			ok(t, g.CreateMailbox(t.Context(), name))
			g.talk.Append(name, "", testmail.Mail("a@x.test", "old", "x"))
			ref := g.ref(t, name)
			_, err := g.Mailboxes(t.Context()) // whose counts are those of now
			ok(t, err)
			if _, err := act(renewed(t, g, ref)); !errors.Is(err, mailclient.ErrUIDValidity) {
				t.Errorf("%s: %v", name, err)
			}
			if here, there := g.talk.Count(name), g.talk.Count("Trash"); here != 1 || there != 0 {
				t.Errorf("%s: %d mails stand there, and %d in Trash", name, here, there)
			}
		}
	})
}

// renewed deletes a mailbox behind the client's back and makes another one of that name, with a mail of the same UID.
func renewed(t *testing.T, g *ground, ref mailclient.Ref) mailclient.Ref {
	t.Helper()
	g.list(t, ref.Mailbox, mailclient.ListQuery{}) // a connection has it selected
	g.talk.Do("DELETE %q", ref.Mailbox)
	until(t, "another validity", func() bool {
		g.talk.Do("CREATE %q", ref.Mailbox)
		same := strings.Contains(strings.Join(g.talk.Do("STATUS %q (UIDVALIDITY)", ref.Mailbox), ""), fmt.Sprintf("UIDVALIDITY %d)", ref.UIDValidity))
		if same {
			g.talk.Do("DELETE %q", ref.Mailbox)
		}
		return !same
	})
	g.talk.Append(ref.Mailbox, "", testmail.Mail("a@x.test", "new", "x"))
	return ref
}

func TestA13_AppendKeepsBytesFlagsAndDate(t *testing.T) {
	eachLess(t, "LITERAL+", func(t *testing.T, g *ground) {
		mail := testmail.Mail("a@x.test", "Entwurf", "Grüße\n.\nFrom here\n")
		date := time.Date(2024, 2, 29, 1, 2, 3, 0, time.FixedZone("", 5400))
		validity, uid, err := g.Append(t.Context(), "Drafts", []string{`\Draft`, `\Seen`}, date, int64(len(mail)), strings.NewReader(mail))
		ok(t, err)
		if validity == 0 || uid == 0 {
			t.Errorf("APPENDUID was not read: %d %d", validity, uid)
		}
		r := g.list(t, "Drafts", mailclient.ListQuery{}).Rows[0]
		if !r.Flags.Draft || !r.Flags.Seen || !r.Received.Equal(date) || r.UID != uid {
			t.Errorf("%+v", r)
		}
		if got := rawOf(t, g, "Drafts", validity, uid); string(got) != mail {
			t.Errorf("got %q, want %q", got, mail)
		}
		if _, _, err := g.Append(t.Context(), "Drafts", []string{"bad flag"}, date, 1, strings.NewReader("x")); !errors.Is(err, mailclient.ErrBadInput) {
			t.Errorf("bad flag: %v", err)
		}
	})
}

func TestA13_AppendThatIsRefusedOrCutOffLeavesNothing(t *testing.T) {
	g := on(t, testmail.Dovecot(t, testmail.DovecotOptions{Quota: "50K"}))
	big := testmail.Mail("a@x.test", "big", strings.Repeat("0123456789\n", 10_000))
	_, _, err := g.Append(t.Context(), "Drafts", nil, time.Time{}, int64(len(big)), strings.NewReader(big))
	if e := refusal(t, err); e.Code != "OVERQUOTA" {
		t.Errorf("%+v", e)
	}
	if _, _, err := g.Append(t.Context(), "Drafts", nil, time.Time{}, 100, strings.NewReader("too short")); err == nil {
		t.Error("a source that ended early was taken for a mail")
	}
	small := testmail.Mail("a@x.test", "small", "x")
	_, _, err = g.Append(t.Context(), "Drafts", nil, time.Time{}, int64(len(small)), strings.NewReader(small))
	ok(t, err)
	if n := g.talk.Count("Drafts"); n != 1 {
		t.Errorf("%d mails", n)
	}
}

func TestA14_AMailIsFoundByItsMessageID(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.deliver(t, 3)
		for _, r := range g.list(t, "INBOX", mailclient.ListQuery{}).Rows {
			ref, err := g.FindByMessageID(t.Context(), "INBOX", r.MessageID)
			ok(t, err)
			if len(ref.UIDs) != 1 || ref.UIDs[0] != r.UID || ref.UIDValidity != r.UIDValidity {
				t.Errorf("%s: %+v, want %d", r.MessageID, ref, r.UID)
			}
		}
		for _, box := range []string{"INBOX", "Sent"} {
			ref, err := g.FindByMessageID(t.Context(), box, "none@x.test")
			ok(t, err)
			if len(ref.UIDs) != 0 {
				t.Errorf("%+v", ref)
			}
		}
	})
}

func TestA11_ExpungeRemovesTheseAlone(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.deliver(t, 4)
		ref := g.ref(t, "INBOX")
		g.talk.Do("SELECT INBOX")
		g.talk.Do(`UID STORE %d +FLAGS (\Deleted)`, ref.UIDs[3])
		ok(t, g.Expunge(t.Context(), pick(ref, 0, 1)))
		left := g.talk.Flags("INBOX")
		if len(left) != 2 || left[ref.UIDs[3]] == "" {
			t.Errorf("left %v", left)
		}
	})
}
