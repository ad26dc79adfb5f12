package jobs_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"restante/internal/store"
	"restante/internal/testdb"
	"restante/internal/testmail"
)

// TestP14_AKilledNodeIsKnownByItsLock: what it held goes on at once, and what a living one holds is left alone.
func TestP14_AKilledNodeIsKnownByItsLock(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		i := newImporting(t, db, testmail.Dovecot(t, testmail.DovecotOptions{}))
		i.deliver(t, 0, 3)
		o := i.add(t, i.source())
		sign := filepath.Join(i.spool, "another.alive")
		f, err := os.Create(sign)
		ok(t, err)
		ok(t, syscall.Flock(int(f.Fd()), syscall.LOCK_EX))
		_, err = i.store.TakeSource(ctx, o.ID, "another", time.Hour)
		ok(t, err)
		start(t, i.queue)
		if got, err := i.store.Source(ctx, i.user.ID, o.ID); err != nil || !got.Running {
			t.Errorf("what a living node holds is now %+v, %v", got, err)
		}
		ok(t, f.Close()) // as the system does when a process is killed
		next := i.importer(t)
		start(t, next)
		if _, run := i.ended(t, o, 1); run.Outcome != "done" || run.Done != 3 {
			t.Errorf("%+v", run)
		}
		if _, err := os.Stat(sign); err == nil {
			t.Error("its sign is there still")
		}
		ok(t, i.store.RunSource(ctx, i.user.ID, o.ID))
		_, err = i.store.TakeSource(ctx, o.ID, "again", time.Hour)
		ok(t, err)
		ok(t, i.store.LetGoOfSources(ctx, "another"))
		if err := i.store.HoldSource(ctx, o.ID, "again", time.Hour); err != nil {
			t.Errorf("a source that is another's: %v", err)
		}
		ok(t, i.store.FinishSource(ctx, store.Source{ID: o.ID}, "again"))
	})
}
