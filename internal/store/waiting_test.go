package store_test

import (
	"errors"
	"testing"
	"time"

	"restante/internal/store"
)

// TestWaitingActsAreTakenInTheirOrderAndToldOnce, of their own person alone, and no more than may wait.
func TestWaitingActsAreTakenInTheirOrderAndToldOnce(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		now := time.UnixMilli(1_700_000_000_000)
		s.At(now)
		anna, a := user(t, s, "a@x.test")
		ben, b := user(t, s, "b@x.test")
		add := func(act string) int64 {
			t.Helper()
			return must(s.AddWaiting(ctx, store.WaitingAct{UserID: anna.ID, AccountID: a.ID, Act: act, Words: "{}"}))(t)
		}
		waits := func() store.Behind {
			t.Helper()
			return must(s.Behind(ctx, anna.ID, a.ID))(t)
		}
		take := func() (store.WaitingAct, error) { return s.TakeWaiting(ctx, anna.ID, a.ID, lease) }
		_, second, third := add("1"), add("2"), add("3")
		if g := waits(); g.Waiting != 3 || g.Missed {
			t.Errorf("%+v", g)
		}
		if all := must(s.Waiting(ctx, anna.ID, a.ID))(t); len(all) != 3 || all[0].Act != "1" || all[2].Act != "3" || len(must(s.Waiting(ctx, ben.ID, b.ID))(t)) > 0 {
			t.Errorf("%+v", all)
		}
		_, err := s.TakeWaiting(ctx, ben.ID, b.ID, lease)
		missing(t, "an act of somebody else", err)
		w := must(take())(t)
		if w.Act != "1" || w.AccountID != a.ID {
			t.Errorf("%+v", w)
		}
		_, err = take()
		missing(t, "an act before the first one has ended", err)
		_, err = s.DropWaiting(ctx, anna.ID, w.ID)
		missing(t, "an act that is under way", err)
		ok(t, s.LeaveWaiting(ctx, w.ID))
		ok(t, s.EndWaiting(ctx, must(take())(t).ID, "", 0))
		_, err = s.DropWaiting(ctx, ben.ID, second)
		missing(t, "an act of somebody else", err)
		w = must(take())(t)
		s.At(now.Add(2 * lease)) // whoever had it has died
		w = must(take())(t)
		if w.ID != second {
			t.Errorf("%+v", w)
		}
		ok(t, s.EndWaiting(ctx, w.ID, "error.gone", 2))
		if g := waits(); g.Waiting != 1 || !g.Missed {
			t.Errorf("%+v", g)
		}
		if dropped := must(s.DropWaiting(ctx, anna.ID, third))(t); dropped.Act != "3" {
			t.Errorf("%+v", dropped)
		}
		if none := must(s.TellWaiting(ctx, ben.ID))(t); len(none) > 0 {
			t.Errorf("%+v", none)
		}
		told := must(s.TellWaiting(ctx, anna.ID))(t)
		if len(told) != 1 || told[0].Problem != "error.gone" || told[0].Missed != 2 {
			t.Errorf("%+v", told)
		}
		if g := waits(); g.Waiting != 0 || g.Missed {
			t.Errorf("%+v", g)
		}
		for range store.MaxWaiting {
			add("x")
		}
		if _, err := s.AddWaiting(ctx, store.WaitingAct{UserID: anna.ID, AccountID: a.ID}); !errors.Is(err, store.ErrTooManyWaiting) {
			t.Errorf("one more than may: %v", err)
		}
	})
}
