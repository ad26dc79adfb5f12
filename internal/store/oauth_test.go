package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"restante/internal/store"
)

func TestAFlowIsTakenOnceByItsBrowser(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		ok(t, s.AddFlow(ctx, "state", "browser", "net", []byte("data"), time.Minute))
		ok(t, s.AddFlow(ctx, "old", "browser", "net", []byte("data"), -time.Second))
		_, err := s.TakeFlow(ctx, "state", "another")
		missing(t, "a flow of another browser", err)
		_, err = s.TakeFlow(ctx, "old", "browser")
		missing(t, "a flow that is over", err)
		if got := must(s.TakeFlow(ctx, "state", "browser"))(t); string(got) != "data" {
			t.Errorf("%q", got)
		}
		_, err = s.TakeFlow(ctx, "state", "browser")
		missing(t, "a flow that was taken", err)
		for i := range 200 {
			if err = s.AddFlow(ctx, fmt.Sprint(i), fmt.Sprint("browser ", i), "net", []byte("data"), time.Minute); err != nil {
				break
			}
		}
		if !errors.Is(err, store.ErrTooManyFlows) {
			t.Errorf("one network begins as many as it likes: %v", err)
		}
		ok(t, s.AddFlow(ctx, "elsewhere", "browser", "another net", []byte("data"), time.Minute))
	})
}

// TestOneBrowserDoesNotKeepItsNetworkOut: somebody reloads a page that asks for a sign-in.
func TestOneBrowserDoesNotKeepItsNetworkOut(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		for i := range 200 {
			ok(t, s.AddFlow(ctx, fmt.Sprint(i), "reloads", "net", []byte("data"), time.Minute+time.Duration(i)*time.Second))
		}
		ok(t, s.AddFlow(ctx, "a colleague", "another", "net", []byte("data"), time.Minute))
		must(s.TakeFlow(ctx, "a colleague", "another"))(t)
		must(s.TakeFlow(ctx, "199", "reloads"))(t)
		must(s.TakeFlow(ctx, "195", "reloads"))(t) // of another tab
		_, err := s.TakeFlow(ctx, "0", "reloads")
		missing(t, "a flow of long ago", err)
	})
}

// TestWhatIsCarriedKeepsNobodyOut: anybody can begin sign-ins that carry as much as they may.
func TestWhatIsCarriedKeepsNobodyOut(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		var err error
		for i := 0; i < 100 && err == nil; i++ {
			err = s.AddFlow(ctx, fmt.Sprint(i), fmt.Sprint("browser ", i), fmt.Sprint("net ", i), make([]byte, 1<<20), time.Minute)
		}
		if !errors.Is(err, store.ErrTooManyFlows) {
			t.Errorf("as much as they like is kept: %v", err)
		}
		ok(t, s.AddFlow(ctx, "plain", "browser", "net", make([]byte, 2000), time.Minute))
	})
}

func TestAnIdentityIsOneUsersAndAUserHasOne(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, _ := user(t, s, "anna@x.test")
		ben, _ := user(t, s, "ben@x.test")
		ok(t, s.Identify(ctx, anna.ID, "iss", "one"))
		ok(t, s.Identify(ctx, anna.ID, "iss", "one"))
		for what, err := range map[string]error{"another's": s.Identify(ctx, ben.ID, "iss", "one"), "a second": s.Identify(ctx, anna.ID, "iss", "two"), "of another issuer": s.Identify(ctx, anna.ID, "other", "one")} {
			if !errors.Is(err, store.ErrTaken) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if u := must(s.UserByIdentity(ctx, "iss", "one"))(t); u.ID != anna.ID {
			t.Errorf("it is user %d", u.ID)
		}
		if at := must(s.Issuers(ctx, "ben@x.test"))(t); len(at) > 0 {
			t.Error("ben has one", at)
		}
		ok(t, s.Identify(ctx, anna.ID, "new iss", "one", "iss"))
		if at := must(s.Issuers(ctx, "anna@x.test"))(t); len(at) != 1 || at[0] != "new iss" {
			t.Error("anna is known by", at)
		}
		ok(t, s.ForgetIdentity(ctx, anna.ID))
		missing(t, "twice", s.ForgetIdentity(ctx, anna.ID))
		ok(t, s.Identify(ctx, anna.ID, "iss", "two"))
		ok(t, s.RemoveUser(ctx, anna.ID))
		_, err := s.UserByIdentity(ctx, "iss", "two")
		missing(t, "the identity of nobody", err)
	})
}

func token(t *testing.T, s *store.Store, user int64, subject, refresh string) int64 {
	t.Helper()
	return must(s.SaveToken(ctx, store.Token{UserID: user, Issuer: "iss", Subject: subject, Domain: "x.test"}, func(int64) []byte { return []byte(refresh) }))(t)
}

func TestATokenIsOneNodesAtATime(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		u, _ := user(t, s, "anna@x.test")
		id := token(t, s, u.ID, "one", "first")
		if got := must(s.TakeToken(ctx, id, "a", time.Minute))(t); string(got.Refresh) != "first" || got.UserID != u.ID || got.Domain != "x.test" {
			t.Errorf("%+v", got)
		}
		if _, err := s.TakeToken(ctx, id, "b", time.Minute); !errors.Is(err, store.ErrTaken) {
			t.Errorf("b takes it too: %v", err)
		}
		missing(t, "what b rotates", s.RotateToken(ctx, id, "b", []byte("stolen")))
		ok(t, s.RotateToken(ctx, id, "a", []byte("second")))
		if got := must(s.TakeToken(ctx, id, "b", time.Minute))(t); string(got.Refresh) != "second" {
			t.Errorf("%q", got.Refresh)
		}
		ok(t, s.FailToken(ctx, id, "b", true, "invalid_grant"))
		if dead, why, err := s.TokenDead(ctx, id); !dead || why != "invalid_grant" || err != nil {
			t.Error(dead, why, err)
		}
		if again := token(t, s, u.ID, "one", "third"); again != id {
			t.Errorf("it is token %d, not %d", again, id)
		}
		ok(t, s.FailToken(ctx, id, "b", true, "late")) // of before the person signed in again
		if dead, _, err := s.TokenDead(ctx, id); dead || err != nil {
			t.Error("it is dead", err)
		}
		_, err := s.TakeToken(ctx, 999, "a", time.Minute)
		missing(t, "a token of nobody", err)
	})
}

func TestTokensThatNobodyNeedsAreTakenOut(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, account := user(t, s, "anna@x.test")
		ben, _ := user(t, s, "ben@x.test")
		token(t, s, anna.ID, "one", "anna's")
		token(t, s, ben.ID, "two", "ben's")
		id := must(source(t, s, account, "pop.x.test"))(t)
		if gone := must(s.TakeUnused(ctx, anna.ID))(t); len(gone) != 0 {
			t.Errorf("%+v was taken from a source", gone)
		}
		ok(t, s.RemoveSource(ctx, anna.ID, id))
		ok(t, s.CommitCtx(ctx, "hash", []byte("x"), time.Now().Add(time.Hour)))
		ok(t, s.TagSession(ctx, "hash", anna.ID, "device", "net", 0))
		if gone := must(s.TakeUnused(ctx, anna.ID))(t); len(gone) != 0 {
			t.Errorf("%+v was taken from a session", gone)
		}
		ok(t, s.DeleteCtx(ctx, "hash"))
		if gone := must(s.TakeUnused(ctx, 0))(t); len(gone) != 0 {
			t.Errorf("%+v was taken though it is young", gone)
		}
		if gone := must(s.TakeUnused(ctx, anna.ID))(t); len(gone) != 1 || string(gone[0].Refresh) != "anna's" {
			t.Errorf("%+v", gone)
		}
		if left := must(s.UserTokens(ctx, ben.ID))(t); len(left) != 1 {
			t.Errorf("ben has %+v", left)
		}
	})
}
