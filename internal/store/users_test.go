package store_test

import (
	"reflect"
	"testing"

	"restante/internal/store"
)

func TestEnsureUserFindsTheSameAgain(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		u, a := user(t, s, "Anna@Example.org")
		if u.Address != "anna@example.org" || a.UserID != u.ID || a.SentMode != "auto" {
			t.Errorf("%+v %+v", u, a)
		}
		u2, a2, err := s.EnsureUser(ctx, "anna@example.org", "other-login")
		ok(t, err)
		if u2.ID != u.ID || a2.ID != a.ID || a2.Username != "other-login" {
			t.Errorf("%+v %+v", u2, a2)
		}
		ids := must(s.Identities(ctx, u.ID))(t)
		if len(ids) != 1 || !ids[0].Default || ids[0].Address != "anna@example.org" {
			t.Errorf("identities %+v", ids)
		}
		accounts := must(s.Accounts(ctx, u.ID))(t)
		if len(accounts) != 1 || accounts[0].Username != "other-login" {
			t.Errorf("accounts %+v", accounts)
		}
		whole, theirs, err := s.Person(ctx, u.ID)
		ok(t, err)
		if alone := must(s.User(ctx, u.ID))(t); !reflect.DeepEqual(whole, alone) || !reflect.DeepEqual(theirs, accounts) {
			t.Errorf("%+v with %+v", whole, theirs)
		}
		_, _, err = s.Person(ctx, 999)
		missing(t, "nobody with accounts", err)
	})
}

func TestAnAddressIsOneUserHoweverItsDomainIsWritten(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		u, _ := user(t, s, "Anna@BÜCHER.example")
		for _, form := range []string{"anna@bücher.example", "anna@xn--bcher-kva.example", "ANNA@XN--BCHER-KVA.EXAMPLE", "anna@bu\u0308cher.example"} {
			if same, a := user(t, s, form); same.ID != u.ID || a.Address != "anna@bücher.example" {
				t.Errorf("%q is %+v with %+v", form, same, a)
			}
		}
		for _, form := range []string{"anna", "anna@no domain", "anna@127.0.0.1", "anna@xn--.example"} { // what no name is stays as it is
			if _, a := user(t, s, form); a.Address != form {
				t.Errorf("%q is %q", form, a.Address)
			}
		}
	})
}

func TestSettingsAreKept(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		u, _ := user(t, s, "a@x.test")
		zero := 0
		ok(t, s.SaveSettings(ctx, u.ID, store.Settings{Name: "Änne 🐝", Undo: &zero, Theme: "dark"}))
		got := must(s.User(ctx, u.ID))(t).Settings
		if got.Name != "Änne 🐝" || got.Undo == nil || *got.Undo != 0 || got.Theme != "dark" {
			t.Errorf("%+v", got)
		}
		missing(t, "settings of nobody", s.SaveSettings(ctx, 999, store.Settings{}))
		_, err := s.User(ctx, 999)
		missing(t, "user", err)
	})
}

func TestAccountsBelongToTheirUser(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, account := user(t, s, "a@x.test")
		ben, _ := user(t, s, "b@x.test")
		_, err := s.Account(ctx, ben.ID, account.ID)
		missing(t, "another's account", err)
		missing(t, "another's sent mode", s.SetSentMode(ctx, ben.ID, account.ID, "append", 3))
		ok(t, s.SetSentMode(ctx, anna.ID, account.ID, "append", 3))
		missing(t, "what is learned is not asked any more", s.LearnSent(ctx, anna.ID, account.ID, 1))
		if a := must(s.Account(ctx, anna.ID, account.ID))(t); a.SentMode != "append" || a.SentSeen != 3 {
			t.Errorf("%+v", a)
		}
	})
}

func TestIdentities(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, account := user(t, s, "a@x.test")
		ben, _ := user(t, s, "b@x.test")
		id := must(s.SaveIdentity(ctx, store.Identity{UserID: anna.ID, AccountID: account.ID, Name: "Anna", Address: "anna@work.test", Signature: "-- me", Default: true}))(t)
		all := must(s.Identities(ctx, anna.ID))(t)
		if len(all) != 2 || all[0].ID != id || !all[0].Default || all[1].Default {
			t.Fatalf("%+v", all)
		}
		missing(t, "the default one deleted", s.DeleteIdentity(ctx, anna.ID, id))
		missing(t, "another's deleted", s.DeleteIdentity(ctx, ben.ID, all[1].ID))
		_, err := s.SaveIdentity(ctx, store.Identity{ID: id, UserID: ben.ID, Name: "Mallory"})
		missing(t, "another's changed", err)

		all[0].Name, all[0].Default = "Anna K.", false
		must(s.SaveIdentity(ctx, all[0]))(t)
		all = must(s.Identities(ctx, anna.ID))(t)
		if all[0].Name != "Anna K." || !all[0].Default {
			t.Errorf("a user without a default identity: %+v", all)
		}
		all[1].Default = true
		must(s.SaveIdentity(ctx, all[1]))(t)
		if now := must(s.Identities(ctx, anna.ID))(t); now[0].ID != all[1].ID || now[1].Default {
			t.Errorf("%+v", now)
		}
		ok(t, s.DeleteIdentity(ctx, anna.ID, id))
	})
}

func TestAnotherUsersDefaultStaysWhenAForeignIdentityIsSaved(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, _ := user(t, s, "a@x.test")
		ben, _ := user(t, s, "b@x.test")
		id := must(s.Identities(ctx, anna.ID))(t)[0].ID
		_, err := s.SaveIdentity(ctx, store.Identity{ID: id, UserID: ben.ID, Default: true})
		missing(t, "another's made default", err)
		if all := must(s.Identities(ctx, ben.ID))(t); !all[0].Default {
			t.Error("the refused change has taken ben's default away")
		}
	})
}
