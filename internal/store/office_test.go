package store_test

import (
	"database/sql"
	"errors"
	"testing"
	"time"

	"restante/internal/limits"
	"restante/internal/store"
)

func TestAnAdminSeesWhoSignedInAndWhere(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, _, err := s.EnsureUser(ctx, "anna@example.test", "anna")
		ok(t, err)
		_, _, err = s.EnsureUser(ctx, "ben_50%@example.test", "ben")
		ok(t, err)
		for _, hash := range []string{"one", "two"} {
			ok(t, s.CommitCtx(ctx, hash, []byte("x"), time.Now().Add(time.Hour)))
			ok(t, s.TagSession(ctx, hash, anna.ID, "Firefox", "192.0.2.1/32", 0))
		}
		ok(t, s.CommitCtx(ctx, "nobody's", []byte("x"), time.Now().Add(time.Hour)))

		c := must(s.Counts(ctx))(t)
		if c != (store.Counts{Users: 2, Sessions: 2}) {
			t.Errorf("counted: %+v", c)
		}
		people := must(s.UsersSeen(ctx, "", "", 10))(t)
		if len(people) != 2 || people[0].Address != anna.Address || people[0].Sessions != 2 || people[0].SeenAt.IsZero() || people[1].Sessions != 0 {
			t.Errorf("people: %+v", people)
		}
		if found := must(s.UsersSeen(ctx, "N_50%", "", 10))(t); len(found) != 1 || found[0].Address != "ben_50%@example.test" {
			t.Errorf("found: %+v", found)
		}
		if rest := must(s.UsersSeen(ctx, "", anna.Address, 10))(t); len(rest) != 1 {
			t.Errorf("after the first: %+v", rest)
		}
		ok(t, s.EndSession(ctx, anna.ID, "one"))
		list := must(s.AllSessions(ctx, 0, 10))(t)
		if len(list) != 1 || list[0].Hash != "two" || list[0].Address != anna.Address || list[0].Device != "Firefox" {
			t.Errorf("sessions: %+v", list)
		}
		if other := must(s.AllSessions(ctx, anna.ID+1, 10))(t); len(other) != 0 {
			t.Errorf("sessions of somebody else: %+v", other)
		}
	})
}

func TestASetupIsHeldByWhoBeganIt(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		held := func() bool { return must(s.SetupHeld(ctx, time.Hour))(t) }
		if held() {
			t.Error("held before there was a link")
		}
		ok(t, s.NewSetupLink(ctx, "link", time.Hour))
		if _, bound, err := s.SetupLink(ctx, "link"); bound || err != nil || held() {
			t.Errorf("held before it was opened: %v %v", bound, err)
		}
		must(s.OpenSetup(ctx, "link", "cookie"))(t)
		if _, bound, err := s.SetupLink(ctx, "link"); !bound || err != nil || !held() {
			t.Errorf("not held after it was opened: %v %v", bound, err)
		}
		must(s.FinishSetup(ctx, "cookie", store.Admin{Name: "owner", Hash: "x"}, nil, nil, nil))(t)
		if held() {
			t.Error("held after its end")
		}
	})
}

func TestAUserIsLockedOutAndRemoved(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, _, err := s.EnsureUser(ctx, "anna@example.test", "anna")
		ok(t, err)
		ben, _, err := s.EnsureUser(ctx, "ben@example.test", "ben")
		ok(t, err)
		for hash, id := range map[string]int64{"hers": anna.ID, "his": ben.ID} {
			ok(t, s.CommitCtx(ctx, hash, []byte("x"), time.Now().Add(time.Hour)))
			ok(t, s.TagSession(ctx, hash, id, "Firefox", "192.0.2.1/32", 0))
		}
		alive := func(hash string) bool { return must(s.SessionAlive(ctx, hash))(t) }
		ok(t, s.LockUser(ctx, anna.ID, true))
		if u := must(s.User(ctx, anna.ID))(t); !u.Locked || alive("hers") || !alive("his") {
			t.Errorf("after the lock: %+v", u)
		}
		ok(t, s.LockUser(ctx, anna.ID, false))
		if u := must(s.User(ctx, anna.ID))(t); u.Locked {
			t.Error("still locked")
		}
		must(s.MakeGroup(ctx, ben.ID, "Friends", "friends"))(t)
		if h := must(s.Holds(ctx, ben.ID))(t); h != (store.Holdings{}) {
			t.Errorf("held: %+v", h)
		}
		far, _, err := s.EnsureUser(ctx, "ben@münchen.example", "ben")
		ok(t, err)
		ok(t, s.ChangeLimits(ctx, []store.LimitChange{{Entry: limits.Entry{Scope: limits.Person, Of: limits.Address(far.Address), Name: limits.Contacts, Value: 5}}}))
		ok(t, s.RemoveUser(ctx, far.ID))
		if left := must(s.Limits(ctx))(t); len(left) > 0 {
			t.Errorf("the limits stay: %v", left)
		}
		ok(t, s.SaveDomain(ctx, store.Domain{Name: "a.test", Settings: "a"}))
		ok(t, s.DeleteDomain(ctx, "a.test"))
		if v, used, err := s.LastDomain(ctx, "a.test", "a.test"); v != "a" || used || err != nil {
			t.Errorf("a domain that was: %q %v %v", v, used, err)
		}
		if v, used, err := s.LastDomain(ctx, "xn--mpleexa.test", "example.test"); v != "" || !used || err != nil {
			t.Errorf("a domain whose people were: %q %v %v", v, used, err)
		}
		ok(t, s.RemoveUser(ctx, ben.ID))
		if _, err := s.User(ctx, ben.ID); !errors.Is(err, store.ErrNotFound) || alive("his") {
			t.Errorf("after the removal: %v", err)
		}
		if err := s.RemoveUser(ctx, ben.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("once more: %v", err)
		}
	})
}

// TestNothingOfWhoIsLockedIsTakenUp: no letter, no source, no act; and an act that runs waits after its batch.
func TestNothingOfWhoIsLockedIsTakenUp(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		u, a := user(t, s, "anna@example.test")
		var source, act, runs int64
		ok(t, s.InTx(ctx, func(tx *sql.Tx) (err error) {
			if source, err = s.AddSourceTx(ctx, tx, store.Source{UserID: u.ID, AccountID: a.ID, Host: "pop.test", Port: 995, Security: "tls", Username: "u", Mailbox: "INBOX", Keep: store.KeepAll}, 5); err != nil {
				return err
			}
			for _, id := range []*int64{&act, &runs} {
				if *id, err = s.AddWorkTx(ctx, tx, store.Work{UserID: u.ID, AccountID: a.ID, Steps: "[]", Total: 2}); err != nil {
					return err
				}
			}
			return nil
		}))
		item := letter(t, s, u, a, store.Waiting)
		running := must(s.TakeWork(ctx, runs, "node", time.Minute))(t)
		ok(t, s.LockUser(ctx, u.ID, true))
		takes := func() (out []error) {
			_, letter := s.TakeOutbox(ctx, item, "node", time.Minute)
			_, from := s.TakeSource(ctx, source, "node", time.Minute)
			_, work := s.TakeWork(ctx, act, "node", time.Minute)
			return []error{letter, from, work}
		}
		for i, err := range takes() {
			if !errors.Is(err, store.ErrNotFound) {
				t.Errorf("the %d. is taken up: %v", i+1, err)
			}
		}
		if l, m, n := must(s.DueOutbox(ctx, time.Now()))(t), must(s.DueSources(ctx))(t), must(s.DueWork(ctx))(t); len(l)+len(m)+len(n) > 0 {
			t.Errorf("due are %v %v %v", l, m, n)
		}
		if state := must(s.RecordWork(ctx, running, "node", "", time.Minute))(t); state != store.WorkWaiting {
			t.Errorf("what runs is to be %s", state)
		}
		if got := must(s.JobCounts(ctx))(t); got[store.JobPaused] != 3 || got[store.JobWaiting] != 0 {
			t.Errorf("counted as %v", got)
		}
		ok(t, s.LockUser(ctx, u.ID, false))
		for i, err := range takes() {
			if err != nil {
				t.Errorf("let in again, the %d.: %v", i+1, err)
			}
		}
	})
}
