package store_test

import (
	"database/sql"
	"errors"
	"testing"

	"restante/internal/store"
)

// further adds an account beside that which a user signs in with.
func further(s *store.Store, userID int64, address string, most int64) (id int64, err error) {
	return id, s.InTx(ctx, func(tx *sql.Tx) (err error) {
		if id, err = s.AddAccountTx(ctx, tx, store.Account{UserID: userID, Address: address, Username: "login", Servers: "{}"}, most); err != nil {
			return err
		}
		return s.SetAccountCredTx(ctx, tx, userID, id, []byte("sealed"))
	})
}

func TestFurtherAccounts(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, own := user(t, s, "a@x.test")
		id := must(further(s, anna.ID, "B@y.test", 1))(t)
		for address, want := range map[string]error{"a@x.test": store.ErrAccountTaken, "b@Y.test": store.ErrAccountTaken, "c@y.test": store.ErrTooManyAccounts} {
			if _, err := further(s, anna.ID, address, 1); !errors.Is(err, want) {
				t.Errorf("%s: %v", address, err)
			}
		}
		a := must(s.Account(ctx, anna.ID, id))(t)
		if !a.Further() || own.Further() || a.Address != "b@y.test" || a.Username != "login" || a.Servers != "{}" || string(a.Cred) != "sealed" {
			t.Errorf("%+v", a)
		}
		missing(t, "no password of the account signed in with is kept", s.InTx(ctx, func(tx *sql.Tx) error { return s.SetAccountCredTx(ctx, tx, anna.ID, own.ID, []byte("x")) }))
		ids := must(s.Identities(ctx, anna.ID))(t)
		if len(ids) != 2 || ids[1].Address != "b@y.test" || ids[1].AccountID != id || ids[1].Default {
			t.Errorf("%+v", ids)
		}
		ben, _ := user(t, s, "b@x.test")
		missing(t, "another's", s.RemoveAccount(ctx, ben.ID, id))
		missing(t, "the one signed in with", s.RemoveAccount(ctx, anna.ID, own.ID))
	})
}

// TestAnAccountIsRemovedAndNothingUnsentIsLost: what waits in the outbox keeps it, and a draft that is here alone goes on.
func TestAnAccountIsRemovedAndNothingUnsentIsLost(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, own := user(t, s, "a@x.test")
		id := must(further(s, anna.ID, "b@y.test", 5))(t)
		ids := must(s.Identities(ctx, anna.ID))(t)
		ids[1].Default = true
		must(s.SaveIdentity(ctx, ids[1]))(t)
		draft := must(s.CreateDraft(ctx, store.Draft{UserID: anna.ID, AccountID: id, Fields: store.DraftFields{Subject: "unfiled", IdentityID: ids[1].ID, AnswerAccount: id, AnswerMailbox: "INBOX", AnswerUID: 7}}))(t)
		filed := must(s.CreateDraft(ctx, store.Draft{UserID: anna.ID, AccountID: id, Fields: store.DraftFields{Subject: "filed"}}))(t)
		ok(t, s.SetDraftCopy(ctx, anna.ID, filed.ID, store.DraftCopy{Mailbox: "Drafts", Validity: 1, UID: 1, Rev: 1}))
		sent := must(s.CreateDraft(ctx, store.Draft{UserID: anna.ID, AccountID: id}))(t)
		var item int64
		ok(t, s.InTx(ctx, func(tx *sql.Tx) (err error) {
			item, err = s.EnqueueTx(ctx, tx, store.OutboxItem{UserID: anna.ID, AccountID: id, DraftID: sent.ID, Recipients: []string{"z@x.test"}})
			return err
		}))
		if err := s.RemoveAccount(ctx, anna.ID, id); !errors.Is(err, store.ErrAccountBusy) {
			t.Errorf("a mail is not sent yet: %v", err)
		}
		ok(t, s.SettleOutbox(ctx, anna.ID, item, store.Undone))
		ok(t, s.RemoveAccount(ctx, anna.ID, id))
		if d := must(s.Draft(ctx, anna.ID, draft.ID))(t); d.AccountID != own.ID || d.Fields.IdentityID != ids[0].ID || d.Fields.AnswerUID != 0 || d.Fields.Subject != "unfiled" {
			t.Errorf("%+v", d)
		}
		_, err := s.Draft(ctx, anna.ID, filed.ID)
		missing(t, "a draft that lies at its server", err)
		if ids := must(s.Identities(ctx, anna.ID))(t); len(ids) != 1 || !ids[0].Default {
			t.Errorf("%+v", ids)
		}
	})
}
