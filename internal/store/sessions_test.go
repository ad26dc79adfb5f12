package store_test

import (
	"testing"
	"time"

	"restante/internal/store"
)

func TestSessionsLiveUntilTheyExpire(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		now := time.UnixMilli(1_700_000_000_000)
		s.At(now)
		ok(t, s.Commit("h1", []byte("one"), now.Add(time.Hour)))
		ok(t, s.Commit("h1", []byte{0, 1, 255}, now.Add(time.Hour)))
		data, found, err := s.Find("h1")
		ok(t, err)
		if !found || string(data) != "\x00\x01\xff" {
			t.Errorf("%q %v", data, found)
		}
		s.At(now.Add(time.Hour))
		if _, found, err := s.Find("h1"); found || err != nil {
			t.Error("an expired session is found", err)
		}
		if alive := must(s.SessionAlive(ctx, "h1"))(t); alive {
			t.Error("alive")
		}
		s.At(now.Add(26 * time.Hour))
		ok(t, s.SweepSessions(ctx))
		s.At(now)
		if _, found, _ := s.Find("h1"); found {
			t.Error("not swept")
		}
		if _, found, err := s.Find("unknown"); found || err != nil {
			t.Error(found, err)
		}
		ok(t, s.Delete("unknown"))
	})
}

func TestAnEndedSessionIsNotBroughtBackByALateRequest(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		later := time.Now().Add(time.Hour)
		ok(t, s.Commit("h", []byte("secret"), later))
		ok(t, s.Commit("h", []byte("more"), later))
		ok(t, s.Delete("h"))
		ok(t, s.Commit("h", []byte("late"), later))
		if _, found, err := s.Find("h"); found || err != nil {
			t.Error("a request that was on its way brought the session back", err)
		}
	})
}

func TestSessionsOfAUserAreListedAndEnded(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		now := time.UnixMilli(1_700_000_000_000)
		s.At(now)
		anna, _ := user(t, s, "a@x.test")
		ben, _ := user(t, s, "b@x.test")
		for i, h := range []string{"h1", "h2", "h3"} {
			s.At(now.Add(time.Duration(i) * time.Second))
			ok(t, s.Commit(h, []byte("x"), now.Add(time.Hour)))
			ok(t, s.TagSession(ctx, h, anna.ID, "Firefox", "192.0.2.0/24", 0))
		}
		ok(t, s.Commit("b1", []byte("x"), now.Add(time.Hour)))
		ok(t, s.TagSession(ctx, "b1", ben.ID, "Safari", "", 0))
		missing(t, "tag of no session", s.TagSession(ctx, "none", anna.ID, "", "", 0))

		all := must(s.Sessions(ctx, anna.ID))(t)
		if len(all) != 3 || all[0].Hash != "h3" || all[0].Device != "Firefox" || all[0].Network != "192.0.2.0/24" || !all[0].Expiry.Equal(now.Add(time.Hour)) {
			t.Fatalf("%+v", all)
		}
		ok(t, s.Commit("h1", []byte("y"), now.Add(2*time.Hour)))
		if all = must(s.Sessions(ctx, anna.ID))(t); len(all) != 3 || all[2].Device != "Firefox" && all[1].Device != "Firefox" {
			t.Errorf("an update lost its user: %+v", all)
		}
		missing(t, "another's session ended", s.EndSession(ctx, ben.ID, "h1"))
		ok(t, s.EndSession(ctx, anna.ID, "h1"))
		if n := must(s.EndOtherSessions(ctx, anna.ID, "h2"))(t); n != 1 {
			t.Errorf("%d ended", n)
		}
		if alive := must(s.SessionAlive(ctx, "h2"))(t); !alive {
			t.Error("the kept one has ended")
		}
		if alive := must(s.SessionAlive(ctx, "b1"))(t); !alive {
			t.Error("ben's has ended")
		}
	})
}

func TestASessionEndsWhenItIsNotUsed(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		now := time.UnixMilli(1_700_000_000_000)
		s.At(now)
		anna, _ := user(t, s, "a@x.test")
		for _, h := range []string{"used", "idle", "stays"} {
			ok(t, s.Commit(h, []byte(h), now.Add(30*24*time.Hour)))
		}
		ok(t, s.TagSession(ctx, "used", anna.ID, "", "", 12*time.Hour))
		ok(t, s.TagSession(ctx, "idle", anna.ID, "", "", 12*time.Hour))
		ok(t, s.TagSession(ctx, "stays", anna.ID, "", "", 0))
		s.At(now.Add(11 * time.Hour))
		ok(t, s.TouchSession(ctx, "used"))
		s.At(now.Add(13 * time.Hour))
		ok(t, s.TouchSession(ctx, "idle")) // too late
		ok(t, s.Commit("idle", []byte("late"), now.Add(30*24*time.Hour)))
		for h, want := range map[string]bool{"used": true, "idle": false, "stays": true} {
			if alive := must(s.SessionAlive(ctx, h))(t); alive != want {
				t.Errorf("%s lives: %v", h, alive)
			}
		}
		if n := len(must(s.Sessions(ctx, anna.ID))(t)); n != 2 {
			t.Errorf("%d sessions are listed", n)
		}
		s.At(now.Add(36*time.Hour + time.Minute))
		ok(t, s.SweepSessions(ctx))
		s.At(now.Add(time.Hour))
		if alive := must(s.SessionAlive(ctx, "idle"))(t); alive {
			t.Error("an idle session is not swept")
		}
	})
}
