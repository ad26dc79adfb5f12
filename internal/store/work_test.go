package store_test

import (
	"database/sql"
	"testing"
	"time"

	"restante/internal/store"
)

// TestWorkIsTakenOnceRecordedAndStopped, by its person alone.
func TestWorkIsTakenOnceRecordedAndStopped(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		now := time.UnixMilli(1_700_000_000_000)
		s.At(now)
		anna, a := user(t, s, "a@x.test")
		ben, _ := user(t, s, "b@x.test")
		add := func() (id int64) {
			t.Helper()
			err := s.InTx(ctx, func(tx *sql.Tx) (err error) {
				id, err = s.AddWorkTx(ctx, tx, store.Work{UserID: anna.ID, AccountID: a.ID, Steps: "[]", Words: "{}", Total: 9, Cred: []byte("x")})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		tells := func(userID int64) bool {
			t.Helper()
			b, err := s.Behind(ctx, userID, 0)
			ok(t, err)
			return b.Work
		}
		if tells(anna.ID) {
			t.Error("there is something to tell before there is work")
		}
		id := add()
		if !tells(anna.ID) || tells(ben.ID) {
			t.Error("work under way is not told to its own person alone")
		}
		w := must(s.TakeWork(ctx, id, "one", lease))(t)
		if w.State != store.WorkRunning || w.Total != 9 || string(w.Cred) != "x" {
			t.Errorf("%+v", w)
		}
		_, err := s.TakeWork(ctx, id, "two", lease)
		missing(t, "work of another node", err)
		w.At, w.Done = 5, 4
		if st := must(s.RecordWork(ctx, w, "one", "[1]", lease))(t); st != store.WorkRunning {
			t.Error(st)
		}
		_, err = s.RecordWork(ctx, w, "two", "", lease)
		missing(t, "work of another node", err)
		missing(t, "another's work", s.StopWork(ctx, ben.ID, id))
		if err := s.StopWork(ctx, anna.ID, id); err != nil {
			t.Fatal(err)
		}
		if st := must(s.RecordWork(ctx, w, "one", "[2]", lease))(t); st != store.WorkStopping {
			t.Error(st)
		}
		w.State = store.WorkWaiting // it would try again, but is to stop
		if err := s.FinishWork(ctx, w, "one", now.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if w := must(s.NewestWork(ctx, anna.ID))(t); w.State != store.WorkStopped || w.Done != 4 || w.Cred != nil {
			t.Errorf("%+v", w)
		}
		if back := must(s.WorkBack(ctx, anna.ID, id))(t); len(back) != 2 || back[0] != "[1]" {
			t.Errorf("%q", back)
		}
		if back := must(s.WorkBack(ctx, ben.ID, id))(t); len(back) != 0 {
			t.Errorf("another's: %q", back)
		}
		missing(t, "another's work", s.TellWork(ctx, ben.ID, id))
		if err := s.TellWork(ctx, anna.ID, id); err != nil {
			t.Fatal(err)
		}
		missing(t, "told twice", s.TellWork(ctx, anna.ID, id))
		_, err = s.NewestWork(ctx, anna.ID)
		missing(t, "told", err)
		if tells(anna.ID) {
			t.Error("what was told is to be told again")
		}

		second := add()
		must(s.TakeWork(ctx, second, "dead", lease))(t)
		if due := must(s.DueWork(ctx))(t); len(due) != 0 {
			t.Errorf("due while it is held: %v", due)
		}
		s.At(now.Add(lease + time.Second))
		if due := must(s.DueWork(ctx))(t); len(due) != 1 || due[0] != second {
			t.Errorf("due: %v", due)
		}
		if err := s.StopWork(ctx, anna.ID, second); err != nil {
			t.Fatal(err)
		}
		if w := must(s.TakeWork(ctx, second, "next", lease))(t); w.State != store.WorkStopping {
			t.Errorf("%+v", w)
		}
		third := add()
		if err := s.StopWork(ctx, anna.ID, third); err != nil {
			t.Fatal(err)
		}
		_, err = s.TakeWork(ctx, third, "next", lease)
		missing(t, "stopped before it began", err)
		s.At(now.Add(30 * 24 * time.Hour))
		if err := s.SweepWork(ctx); err != nil {
			t.Fatal(err)
		}
		missing(t, "swept", s.TellWork(ctx, anna.ID, third))
	})
}
