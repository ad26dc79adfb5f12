package store_test

import (
	"database/sql"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"restante/internal/store"
)

func draft(t *testing.T, s *store.Store, u store.User, a store.Account, f store.DraftFields) store.Draft {
	t.Helper()
	return must(s.CreateDraft(ctx, store.Draft{UserID: u.ID, AccountID: a.ID, Fields: f}))(t)
}

func TestDraftsAreSavedWithRevisions(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, account := user(t, s, "a@x.test")
		ben, _ := user(t, s, "b@x.test")
		f := store.DraftFields{To: `"Zoë" <z@x.test>`, Subject: "Grüße 🐝", Body: "a\r\nb", References: []string{"1@x", "2@x"}, AnswerUID: 4_294_967_295, AnswerKind: "reply"}
		d := draft(t, s, anna, account, f)
		got := must(s.Draft(ctx, anna.ID, d.ID))(t)
		if !reflect.DeepEqual(got.Fields, f) || got.Rev != 1 || got.State != "open" || got.Created.IsZero() {
			t.Errorf("%+v", got)
		}
		_, err := s.Draft(ctx, ben.ID, d.ID)
		missing(t, "another's draft", err)
		_, err = s.SaveDraft(ctx, ben.ID, d.ID, "", f)
		missing(t, "another's draft saved", err)
		ok(t, s.SetDraftState(ctx, anna.ID, d.ID, "discarded"))
		f.Subject = "second"
		if rev := must(s.SaveDraft(ctx, anna.ID, d.ID, "", f))(t); rev != 2 {
			t.Errorf("revision %d", rev)
		}
		if got = must(s.Draft(ctx, anna.ID, d.ID))(t); got.Fields.Subject != "second" || got.State != "open" {
			t.Errorf("%+v", got)
		}
		missing(t, "another's state", s.SetDraftState(ctx, ben.ID, d.ID, "sent"))
		ok(t, s.SetDraftState(ctx, anna.ID, d.ID, "sent"))
		_, err = s.SaveDraft(ctx, anna.ID, d.ID, "", f)
		missing(t, "a sent draft saved", err)
		if _, err := s.CreateDraft(ctx, store.Draft{ID: d.ID, UserID: ben.ID, AccountID: account.ID}); !errors.Is(err, store.ErrExists) {
			t.Errorf("made over another: %v", err)
		}
	})
}

func TestDraftsKnowTheirCopies(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, account := user(t, s, "a@x.test")
		d := draft(t, s, anna, account, store.DraftFields{})
		if open := must(s.OpenDrafts(ctx, anna.ID, 10))(t); len(open) != 1 {
			t.Fatalf("%d drafts without a copy", len(open))
		}
		c := store.DraftCopy{Mailbox: "Drafts", Validity: 4_000_000_000, UID: 7, Rev: 1}
		ok(t, s.SetDraftCopy(ctx, anna.ID, d.ID, c))
		if got := must(s.DraftAt(ctx, anna.ID, account.ID, c))(t); got.ID != d.ID || got.IMAP != c {
			t.Errorf("%+v", got)
		}
		if open := must(s.OpenDrafts(ctx, anna.ID, 10))(t); len(open) != 0 {
			t.Error("its copy is new enough")
		}
		must(s.SaveDraft(ctx, anna.ID, d.ID, "", store.DraftFields{Body: "more"}))(t)
		if open := must(s.OpenDrafts(ctx, anna.ID, 10))(t); len(open) != 1 {
			t.Error("its copy is too old")
		}
		c.UID = 8
		_, err := s.DraftAt(ctx, anna.ID, account.ID, c)
		missing(t, "no draft there", err)
		missing(t, "copy of no draft", s.SetDraftCopy(ctx, anna.ID, "none", c))
		ok(t, s.SetDraftState(ctx, anna.ID, d.ID, "sent"))
		missing(t, "copy of a sent draft", s.SetDraftCopy(ctx, anna.ID, d.ID, c))
		ok(t, s.SetDraftCopy(ctx, anna.ID, d.ID, store.DraftCopy{}))
	})
}

func TestSweepDraftsKeepsWhatIsOpenOrYoungOrInTheOutbox(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		now := time.UnixMilli(1_700_000_000_000)
		s.At(now)
		anna, account := user(t, s, "a@x.test")
		open, gone, queued := draft(t, s, anna, account, store.DraftFields{}), draft(t, s, anna, account, store.DraftFields{}), draft(t, s, anna, account, store.DraftFields{})
		ok(t, s.SetDraftState(ctx, anna.ID, gone.ID, "discarded"))
		enqueue(t, s, anna, account, queued.ID, now)
		ben, _ := user(t, s, "b@x.test")
		s.At(now.Add(29 * 24 * time.Hour))
		ok(t, s.SweepDrafts(ctx))
		if list := must(s.DiscardedDrafts(ctx, anna.ID, 10))(t); len(list) != 1 || list[0].ID != gone.ID {
			t.Errorf("thrown away: %+v", list)
		}
		missing(t, "another's draft for good", s.DropDraft(ctx, ben.ID, gone.ID))
		missing(t, "an open draft for good", s.DropDraft(ctx, anna.ID, open.ID))
		s.At(now.Add(31 * 24 * time.Hour))
		ok(t, s.SweepDrafts(ctx))
		must(s.Draft(ctx, anna.ID, open.ID))(t)
		must(s.Draft(ctx, anna.ID, queued.ID))(t)
		_, err := s.Draft(ctx, anna.ID, gone.ID)
		missing(t, "a discarded draft", err)
	})
}

func TestUploads(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, account := user(t, s, "a@x.test")
		ben, _ := user(t, s, "b@x.test")
		d := draft(t, s, anna, account, store.DraftFields{})
		id, size, err := s.WriteBlob(ctx, anna.ID, strings.NewReader("hello"), 100)
		ok(t, err)
		up := store.Upload{DraftID: d.ID, BlobID: id, UserID: anna.ID, Name: "Grüße.txt", Type: "text/plain", Size: size, ContentID: "c@x"}
		one := must(s.AddUpload(ctx, up))(t)
		up.Name = "two"
		two := must(s.AddUpload(ctx, up))(t)
		up.UserID = ben.ID
		_, err = s.AddUpload(ctx, up)
		missing(t, "a file put into another's draft", err)

		all := must(s.Uploads(ctx, anna.ID, d.ID))(t)
		if len(all) != 2 || all[0].ID != one.ID || all[0].Name != "Grüße.txt" || all[0].ContentID != "c@x" || all[0].Size != 5 || all[1].Position != 1 {
			t.Errorf("%+v", all)
		}
		if n := must(s.DraftBytes(ctx, anna.ID))(t); n != 10 {
			t.Errorf("%d bytes", n)
		}
		if n := must(s.DraftBytes(ctx, ben.ID))(t); n != 0 {
			t.Errorf("%d bytes of ben", n)
		}
		_, err = s.Upload(ctx, ben.ID, d.ID, one.ID)
		missing(t, "another's file", err)
		missing(t, "another's file removed", s.RemoveUpload(ctx, ben.ID, d.ID, one.ID))
		ok(t, s.RemoveUpload(ctx, anna.ID, d.ID, one.ID))
		if got := must(s.Upload(ctx, anna.ID, d.ID, two.ID))(t); got.Name != "two" {
			t.Errorf("%+v", got)
		}
	})
}

func TestAFileAddedAfterOneWasRemovedComesLast(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, account := user(t, s, "a@x.test")
		d := draft(t, s, anna, account, store.DraftFields{})
		id, _, err := s.WriteBlob(ctx, anna.ID, strings.NewReader("x"), 100)
		ok(t, err)
		add := func(name string) store.Upload {
			return must(s.AddUpload(ctx, store.Upload{DraftID: d.ID, BlobID: id, UserID: anna.ID, Name: name, Type: "text/plain", Size: 1}))(t)
		}
		first := add("1")
		add("2")
		add("3")
		ok(t, s.RemoveUpload(ctx, anna.ID, d.ID, first.ID))
		add("4")
		names := ""
		for _, u := range must(s.Uploads(ctx, anna.ID, d.ID))(t) {
			names += u.Name
		}
		if names != "234" {
			t.Errorf("order %s", names)
		}
	})
}

func TestAnothersBlobCannotBeAttached(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, account := user(t, s, "a@x.test")
		ben, _ := user(t, s, "b@x.test")
		blob, _, err := s.WriteBlob(ctx, ben.ID, strings.NewReader("secret"), 100)
		ok(t, err)
		d := draft(t, s, anna, account, store.DraftFields{})
		if _, err := s.AddUpload(ctx, store.Upload{DraftID: d.ID, BlobID: blob, UserID: anna.ID, Name: "x", Size: 6}); err == nil {
			t.Error("anna's draft has ben's file")
		}
	})
}

func enqueue(t *testing.T, s *store.Store, u store.User, a store.Account, draftID string, due time.Time) int64 {
	t.Helper()
	blob, size, err := s.WriteBlob(ctx, u.ID, strings.NewReader("Subject: x\r\n\r\ntext\r\n"), 1000)
	ok(t, err)
	var id int64
	ok(t, s.InTx(ctx, func(tx *sql.Tx) error {
		var err error
		id, err = s.EnqueueTx(ctx, tx, store.OutboxItem{
			UserID: u.ID, AccountID: a.ID, DraftID: draftID, DueAt: due, BlobID: blob, Size: size, From: u.Address, Recipients: []string{"z@x.test", "y@x.test"},
			Subject: "Grüße", MessageID: "1@x", AnswerKind: "reply", AnswerMailbox: "INBOX", AnswerValidity: 4_000_000_000, AnswerUID: 9,
		})
		if err != nil {
			return err
		}
		return s.SetOutboxCredTx(ctx, tx, id, []byte{0, 1, 2}, 77)
	}))
	return id
}
