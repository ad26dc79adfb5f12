package store_test

import (
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"restante/internal/store"
)

// TestAnItemThatGoesOutLater follows the clock of its writer until it goes out now, with another text.
func TestAnItemThatGoesOutLater(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		u, d, id, now := post(t, s)
		o := must(s.OutboxItem(ctx, u.ID, id))(t)
		if _, err := s.UndoOutbox(ctx, u.ID, id, nil); err != nil {
			t.Fatal(err)
		}
		ok(t, s.InTx(ctx, func(tx *sql.Tx) (err error) {
			id, err = s.EnqueueTx(ctx, tx, store.OutboxItem{UserID: u.ID, AccountID: o.AccountID, DraftID: d.ID, BlobID: o.BlobID, Recipients: o.Recipients,
				DueAt: now.Add(time.Hour), Later: "2023-11-14T23:30 Europe/Vienna", Receipts: true, AnswerKind: store.ReceiptKind, AnswerAccount: o.AccountID, AnswerMailbox: "INBOX", AnswerValidity: 7, AnswerUID: 9})
			return err
		}))
		asked := ""
		move := func(at time.Time, err error) []store.OutboxItem {
			return must(s.RescheduleOutbox(ctx, func(later string) (time.Time, error) { asked = later; return at, err }))(t)
		}
		if moved := move(now.Add(time.Hour), nil); len(moved) != 0 || asked != "2023-11-14T23:30 Europe/Vienna" {
			t.Errorf("moved %v by %q", moved, asked)
		}
		if moved := move(now, errors.New("no such zone")); len(moved) != 0 {
			t.Errorf("moved %v", moved)
		}
		if moved := move(now.Add(2*time.Hour), nil); len(moved) != 1 {
			t.Errorf("moved %v", moved)
		}
		if o := must(s.OutboxItem(ctx, u.ID, id))(t); !o.DueAt.Equal(now.Add(2*time.Hour)) || !o.Receipts {
			t.Errorf("%+v", o)
		}
		if r := must(s.ReceiptItem(ctx, u.ID, o.AccountID, "INBOX", 7, 9))(t); r.ID != id {
			t.Errorf("%+v", r)
		}
		_, err := s.ReceiptItem(ctx, u.ID, o.AccountID, "INBOX", 7, 10)
		missing(t, "a receipt of another mail", err)

		blob, _, err := s.WriteBlob(ctx, u.ID, strings.NewReader("again"), 100)
		ok(t, err)
		redate := func(user int64) error {
			return s.InTx(ctx, func(tx *sql.Tx) error { return s.RedateOutboxTx(ctx, tx, user, id, blob) })
		}
		ben, _ := user(t, s, "b@x.test")
		missing(t, "another's item", redate(ben.ID))
		missing(t, "a certain item", s.LookOutbox(ctx, u.ID, id))
		ok(t, redate(u.ID))
		if o := must(s.OutboxItem(ctx, u.ID, id))(t); o.Later != "" || o.BlobID != blob {
			t.Errorf("%+v", o)
		}
		if moved := move(now.Add(3*time.Hour), nil); len(moved) != 0 {
			t.Errorf("moved %v, which goes out now", moved)
		}
	})
}
