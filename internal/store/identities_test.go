package store_test

import (
	"database/sql"
	"slices"
	"strings"
	"testing"

	"restante/internal/store"
)

func TestIdentitiesHaveAnOrderAndWhatBelongsToThem(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, account := user(t, s, "a@x.test")
		ben, _ := user(t, s, "b@x.test")
		first := must(s.Identities(ctx, anna.ID))(t)[0].ID
		more := store.IdentitySettings{Organization: "Club", Bcc: "a@x.test", SignOn: "new", SignBelow: true, AnyAddress: true, Saved: true}
		second := must(s.SaveIdentity(ctx, store.Identity{UserID: anna.ID, AccountID: account.ID, Address: "second@x.test", IdentitySettings: more}))(t)
		third := must(s.SaveIdentity(ctx, store.Identity{UserID: anna.ID, AccountID: account.ID, Address: "third@x.test"}))(t)
		order := func() (ids []int64) {
			for i, id := range must(s.Identities(ctx, anna.ID))(t) {
				if id.Default != (i == 0) {
					t.Errorf("%d in place %d is default: %v", id.ID, i, id.Default)
				}
				ids = append(ids, id.ID)
			}
			return ids
		}
		if got := order(); !slices.Equal(got, []int64{first, second, third}) {
			t.Errorf("the order is %v", got)
		}
		ok(t, s.MoveIdentity(ctx, anna.ID, third, -1))
		ok(t, s.MoveIdentity(ctx, anna.ID, third, -1))
		ok(t, s.MoveIdentity(ctx, anna.ID, third, -1)) // it is the first
		if got := order(); !slices.Equal(got, []int64{third, first, second}) {
			t.Errorf("the order is %v", got)
		}
		ok(t, s.MoveIdentity(ctx, ben.ID, second, -1)) // not his
		if got := order(); !slices.Equal(got, []int64{third, first, second}) {
			t.Errorf("the order is %v", got)
		}

		tx := func(f func(tx *sql.Tx) error) error { return s.InTx(ctx, f) }
		ok(t, tx(func(tx *sql.Tx) error {
			return s.SetIdentityServerTx(ctx, tx, anna.ID, second, `{"host":"x"}`, []byte("sealed"))
		}))
		missing(t, "another's server", tx(func(tx *sql.Tx) error { return s.SetIdentityServerTx(ctx, tx, ben.ID, second, "", nil) }))
		if v := must(s.Identity(ctx, anna.ID, second))(t); v.IdentitySettings != more || v.Server != `{"host":"x"}` || string(v.Cred) != "sealed" {
			t.Errorf("%+v", v)
		}
		_, err := s.Identity(ctx, ben.ID, second)
		missing(t, "another's identity", err)

		for _, id := range []string{"one", "two"} {
			ok(t, tx(func(tx *sql.Tx) error {
				return s.SetPictureTx(ctx, tx, anna.ID, second, store.Picture{ID: id, Type: "image/png", Content: []byte(id)})
			}))
		}
		_, err = s.Picture(ctx, anna.ID, "one")
		missing(t, "the picture before", err)
		_, err = s.Picture(ctx, ben.ID, "two")
		missing(t, "another's picture", err)
		if v := must(s.Picture(ctx, anna.ID, "two"))(t); string(v.Content) != "two" || v.Type != "image/png" {
			t.Errorf("%+v", v)
		}

		item := func() store.OutboxItem {
			blob, size, err := s.WriteBlob(ctx, anna.ID, strings.NewReader("x"), 100)
			ok(t, err)
			d := must(s.CreateDraft(ctx, store.Draft{UserID: anna.ID, AccountID: account.ID}))(t)
			var id int64
			ok(t, tx(func(tx *sql.Tx) (err error) {
				id, err = s.EnqueueTx(ctx, tx, store.OutboxItem{UserID: anna.ID, AccountID: account.ID, DraftID: d.ID, BlobID: blob, Size: size, From: "second@x.test", Recipients: []string{"c@x.test"}, IdentityID: second})
				return err
			}))
			return must(s.OutboxItem(ctx, anna.ID, id))(t)
		}
		waits := item()
		ok(t, s.DeleteIdentity(ctx, anna.ID, second))
		if v := must(s.OutboxItem(ctx, anna.ID, waits.ID))(t); v.State != store.Config || v.Problem != store.ServerGone {
			t.Errorf("a mail whose server is gone: %+v", v)
		}
		_, err = s.Picture(ctx, anna.ID, "two")
		missing(t, "the picture of who is gone", err)
	})
}

func TestWhatIsSaidOfTheAddressesOfADomain(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		p := store.Policy{Lock: store.LockAddresses, NoTags: true, Footer: "Firm"}
		ok(t, s.SavePolicy(ctx, "firm.test", p, store.AuditRow{Who: "admin owner", Verb: "senders", Object: "firm.test"}))
		p.Footer = "Firm Ltd"
		ok(t, s.SavePolicy(ctx, "firm.test", p, store.AuditRow{Verb: "senders"}))
		if all := must(s.Policies(ctx))(t); len(all) != 1 || all["firm.test"] != p {
			t.Errorf("%+v", all)
		}
		ok(t, s.SavePolicy(ctx, "firm.test", store.Policy{}, store.AuditRow{Verb: "senders"}))
		if all := must(s.Policies(ctx))(t); len(all) != 0 {
			t.Errorf("%+v", all)
		}
		if rows := must(s.Audit(ctx, store.AuditQuery{Verb: "senders", N: 10}))(t); len(rows) != 3 {
			t.Errorf("%d rows in the audit", len(rows))
		}
	})
}
