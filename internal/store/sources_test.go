package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"restante/internal/store"
)

// source adds a source of a user.
func source(t *testing.T, s *store.Store, a store.Account, host string) (id int64, err error) {
	t.Helper()
	err = s.InTx(ctx, func(tx *sql.Tx) error {
		var err error
		id, err = s.AddSourceTx(ctx, tx, store.Source{UserID: a.UserID, AccountID: a.ID, Host: host, Port: 995, Security: "tls", Username: "anna", Mailbox: "INBOX", Keep: store.KeepAll, Every: 15 * time.Minute}, 10)
		if err != nil {
			return err
		}
		return s.SetSourceSecretsTx(ctx, tx, a.UserID, id, []byte("pop"), []byte("imap"))
	})
	return id, err
}

// TestP24_ASourceIsOnceAUsers, and what they and others may do with it.
func TestP24_ASourceIsOnceAUsers(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, a := user(t, s, "a@x.test")
		ben, b := user(t, s, "b@x.test")
		id := must(source(t, s, a, "old.test"))(t)
		if _, err := source(t, s, a, "old.test"); !errors.Is(err, store.ErrSourceTaken) {
			t.Errorf("twice: %v", err)
		}
		must(source(t, s, b, "old.test"))(t)
		o := must(s.Source(ctx, anna.ID, id))(t)
		if o.Host != "old.test" || o.Every != 15*time.Minute || string(o.Cred) != "pop" || string(o.TargetCred) != "imap" || o.Running || o.Keep != store.KeepAll {
			t.Errorf("%+v", o)
		}
		o.Keep, o.Days, o.Mailbox, o.MarkRead, o.Keyword = store.KeepDays, 14, "Old", true, "old"
		ok(t, s.SaveSource(ctx, o))
		if got := must(s.Source(ctx, anna.ID, id))(t); got.Keep != store.KeepDays || got.Days != 14 || got.Mailbox != "Old" || !got.MarkRead || got.Keyword != "old" {
			t.Errorf("%+v", got)
		}
		_, err := s.Source(ctx, ben.ID, id)
		missing(t, "another's source", err)
		for what, err := range map[string]error{"paused": s.PauseSource(ctx, ben.ID, id), "run": s.RunSource(ctx, ben.ID, id), "removed": s.RemoveSource(ctx, ben.ID, id), "retried": s.RetryMail(ctx, ben.ID, id, 0),
			"saved": s.SaveSource(ctx, store.Source{ID: id, UserID: ben.ID})} {
			missing(t, "another's source "+what, err)
		}
		for i := range 9 {
			must(source(t, s, a, fmt.Sprint(i)))(t)
		}
		if _, err := source(t, s, a, "one more"); !errors.Is(err, store.ErrTooManySources) {
			t.Errorf("the eleventh: %v", err)
		}
		if got := must(s.Sources(ctx, anna.ID))(t); len(got) != 10 || got[0].ID != id {
			t.Errorf("%d sources", len(got))
		}
	})
}

// TestP23_ARemovedSourceComesBackWithItsLedger for 30 days.
func TestP23_ARemovedSourceComesBackWithItsLedger(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		now := time.UnixMilli(1_700_000_000_000)
		s.At(now)
		anna, a := user(t, s, "a@x.test")
		id := must(source(t, s, a, "old.test"))(t)
		take := must(s.TakeSource(ctx, id, "n1", lease))(t)
		h := store.Hold{SourceID: id, Node: "n1"}
		ok(t, s.AddLedger(ctx, h, []store.LedgerRow{{UIDL: []byte("u\xff1"), State: "imported"}}))
		ok(t, s.RemoveSource(ctx, anna.ID, id))
		missing(t, "a lease on what was removed", s.HoldSource(ctx, id, "n1", lease))
		_, err := s.Source(ctx, anna.ID, id)
		missing(t, "a removed source", err)
		ok(t, s.FinishSource(ctx, take, "n1"))
		if due := must(s.DueSources(ctx))(t); len(due) > 0 {
			t.Errorf("%v are due", due)
		}
		s.At(now.Add(29 * 24 * time.Hour))
		ok(t, s.SweepSources(ctx))
		if again := must(source(t, s, a, "old.test"))(t); again != id {
			t.Errorf("it is another: %d, %d", again, id)
		}
		if c := must(s.SourceCounts(ctx, anna.ID, id))(t); c.Known != 1 {
			t.Errorf("%+v", c)
		}
		ok(t, s.RemoveSource(ctx, anna.ID, id))
		s.At(now.Add(60 * 24 * time.Hour))
		ok(t, s.SweepSources(ctx))
		if again := must(source(t, s, a, "old.test"))(t); again == id {
			t.Error("it is never forgotten")
		}
	})
}

// TestP16_WhoMayReadASourceAndWhen.
func TestP16_WhoMayReadASourceAndWhen(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		now := time.UnixMilli(1_700_000_000_000)
		s.At(now)
		anna, a := user(t, s, "a@x.test")
		id := must(source(t, s, a, "old.test"))(t)
		other := must(source(t, s, a, "other.test"))(t)
		due := func(want ...int64) {
			t.Helper()
			got := must(s.DueSources(ctx))(t)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%v are due, not %v", got, want)
			}
		}
		due(id, other)
		o := must(s.TakeSource(ctx, id, "n1", lease))(t)
		_, err := s.TakeSource(ctx, id, "n2", lease)
		missing(t, "a source of another node", err)
		_, err = s.TakeSource(ctx, other, "n2", lease)
		missing(t, "a second run of one user", err)
		if got := must(s.Source(ctx, anna.ID, id))(t); !got.Running {
			t.Error("it does not run")
		}
		missing(t, "another's lease", s.HoldSource(ctx, id, "n2", lease))
		ok(t, s.HoldSource(ctx, id, "n1", lease))
		o.Problem, o.Failures, o.NextAt, o.NotBefore, o.NoUIDL = "unreachable", 2, now.Add(time.Hour), now.Add(30*time.Minute), true
		ok(t, s.FinishSource(ctx, o, "n1"))
		due(other)
		if got := must(s.Source(ctx, anna.ID, id))(t); got.Running || !got.NoUIDL || got.Problem != "unreachable" || got.Failures != 2 {
			t.Errorf("%+v", got)
		}
		ok(t, s.RunSource(ctx, anna.ID, id)) // a wish, but the server's is stronger
		due(other)
		s.At(now.Add(30 * time.Minute))
		due(id, other)
		o = must(s.TakeSource(ctx, id, "n1", lease))(t)
		s.At(now.Add(30*time.Minute + lease + time.Second)) // n1 was killed
		due(id, other)
		must(s.TakeSource(ctx, id, "n2", lease))(t)
		missing(t, "what the dead one writes", s.AddLedger(ctx, store.Hold{SourceID: id, Node: "n1"}, []store.LedgerRow{{UIDL: []byte("1"), State: "seen"}}))
		missing(t, "how the dead one ended", s.FinishSource(ctx, o, "n1"))
		ok(t, s.PauseSource(ctx, anna.ID, id))
		missing(t, "a lease on what is paused", s.HoldSource(ctx, id, "n2", lease))
		o.Problem, o.Paused, o.NextAt, o.NotBefore = "target", true, s0, s0
		ok(t, s.FinishSource(ctx, o, "n2"))
		due(other)
		ok(t, s.InTx(ctx, func(tx *sql.Tx) error { return s.SetSourceSecretsTx(ctx, tx, anna.ID, id, nil, []byte("new")) }))
		due(id, other)
		if got := must(s.Source(ctx, anna.ID, id))(t); string(got.Cred) != "pop" || string(got.TargetCred) != "new" {
			t.Errorf("%+v", got)
		}
		s.At(now.Add(91 * 24 * time.Hour))
		due()
		_, err = s.TakeSource(ctx, id, "n1", lease)
		missing(t, "a source of somebody who does not come any more", err)
	})
}

// TestP24_LargeLettersMakeNoOtherMailbox: each mail would come twice.
func TestP24_LargeLettersMakeNoOtherMailbox(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, a := user(t, s, "a@x.test")
		id := must(source(t, s, a, "old.test"))(t)
		add := func(name string) (again int64, err error) {
			err = s.InTx(ctx, func(tx *sql.Tx) error {
				again, err = s.AddSourceTx(ctx, tx, store.Source{UserID: a.UserID, AccountID: a.ID, Host: "old.test", Port: 995, Security: "tls", Username: name, Mailbox: "INBOX", Keep: store.KeepAll, Every: time.Hour}, 10)
				return err
			})
			return again, err
		}
		if _, err := add("Anna"); !errors.Is(err, store.ErrSourceTaken) {
			t.Errorf("in other letters: %v", err)
		}
		ok(t, s.RemoveSource(ctx, anna.ID, id))
		if again := must(add("Anna"))(t); again != id {
			t.Errorf("its ledger is not taken up again: %d, %d", again, id)
		}
		if o := must(s.Source(ctx, anna.ID, id))(t); o.Username != "Anna" {
			t.Errorf("it is called %q", o.Username)
		}
	})
}

var s0 time.Time

// TestP18_TheLedgerKeepsWhatItIsTold, byte by byte.
func TestP18_TheLedgerKeepsWhatItIsTold(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		now := time.UnixMilli(1_700_000_000_000)
		s.At(now)
		anna, a := user(t, s, "a@x.test")
		id := must(source(t, s, a, "old.test"))(t)
		must(s.TakeSource(ctx, id, "n1", lease))(t)
		h := store.Hold{SourceID: id, Node: "n1"}
		rows := make([]store.LedgerRow, 4500)
		for i := range rows {
			rows[i] = store.LedgerRow{UIDL: fmt.Appendf(nil, "%d\xfe", i/2), Dup: i % 2, Size: int64(i), State: "seen", Compare: i == 7}
		}
		ok(t, s.AddLedger(ctx, h, rows))
		if err := s.AddLedger(ctx, h, []store.LedgerRow{{UIDL: []byte("new"), State: "seen"}, rows[3]}); err == nil {
			t.Error("a mail is in the ledger twice")
		}
		n := 0
		ok(t, s.Ledger(ctx, id, func(l store.LedgerRow) error {
			if l.ID != rows[n].ID || string(l.UIDL) != string(rows[n].UIDL) || l.Dup != n%2 || l.Size != int64(n) || l.Compare != (n == 7) {
				t.Fatalf("row %d: %+v", n, l)
			}
			n++
			return nil
		}))
		if n != len(rows) {
			t.Errorf("%d rows", n)
		}
		l := rows[5]
		l.KeyHash, l.ContentHash, l.State, l.Token, l.Mailbox, l.UIDValidity, l.UIDNext, l.UID = []byte{0, 255}, []byte{1}, "imported", "tok", "INBOX", 4_000_000_000, 7, 8
		l.Subject, l.Imported, l.Tries, l.LastError = "s", now, 2, "no"
		ok(t, s.SaveLedger(ctx, h, []store.LedgerRow{l}))
		got := must(s.LedgerRow(ctx, id, l.ID))(t)
		l.ChangeAt = now
		if fmt.Sprint(got) != fmt.Sprint(l) {
			t.Errorf("%+v\n%+v", got, l)
		}
		unknown := l
		unknown.ID = 1 << 40
		missing(t, "a row that is not there", s.SaveLedger(ctx, h, []store.LedgerRow{{ID: rows[6].ID, State: "x"}, unknown}))
		if got := must(s.LedgerRow(ctx, id, rows[6].ID))(t); got.State != "seen" {
			t.Error("half of it was written")
		}
		s.At(now.Add(time.Second))
		ok(t, s.MarkLedger(ctx, h, "deleting", "", false, []int64{l.ID}))
		ok(t, s.MarkLedger(ctx, h, "imported", "-ERR", true, []int64{l.ID}))
		if got := must(s.LedgerRow(ctx, id, l.ID))(t); got.State != "imported" || got.Tries != 3 || got.LastError != "-ERR" || !got.Compare || !got.ChangeAt.Equal(now.Add(time.Second)) {
			t.Errorf("%+v", got)
		}
		if c := must(s.SourceCounts(ctx, anna.ID, id))(t); c != (store.SourceCounts{Known: 4500, Waiting: 4499, Imported: 1, Kept: 1}) {
			t.Errorf("%+v", c)
		}
	})
}

// TestP12_WhatAPersonIsToldAndDecides about mails that were brought over, and that were not.
func TestP12_WhatAPersonIsToldAndDecides(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		now := time.UnixMilli(1_700_000_000_000)
		s.At(now)
		anna, a := user(t, s, "a@x.test")
		ben, _ := user(t, s, "b@x.test")
		id := must(source(t, s, a, "old.test"))(t)
		must(s.TakeSource(ctx, id, "n1", lease))(t)
		h := store.Hold{SourceID: id, Node: "n1"}
		var rows []store.LedgerRow
		for i, state := range []string{"imported", "imported", "gone", "failed", "toobig", "doubtful", "doubtful"} {
			rows = append(rows, store.LedgerRow{UIDL: fmt.Append(nil, i), State: state, Tries: 5})
		}
		ok(t, s.AddLedger(ctx, h, rows))
		rows[0].Tries, rows[1].Tries = 0, 5
		for i := range rows[:3] {
			rows[i].Imported = now.Add(-time.Duration(i) * 10 * 24 * time.Hour)
		}
		ok(t, s.SaveLedger(ctx, h, rows))
		for _, c := range []struct {
			keep store.Keep
			days int
			want int
		}{{store.KeepAll, 0, 0}, {store.KeepNone, 0, 2}, {store.KeepDays, 5, 1}, {store.KeepDays, 14, 0}} {
			if n := must(s.CountDeletions(ctx, anna.ID, id, c.keep, c.days))(t); n != c.want {
				t.Errorf("%s %d would delete %d", c.keep, c.days, n)
			}
		}
		if n := must(s.CountDeletions(ctx, ben.ID, id, store.KeepNone, 0))(t); n != 0 {
			t.Error("another's mails are counted")
		}
		failed := must(s.FailedMails(ctx, anna.ID, id))(t)
		if len(failed) != 4 || failed[0].State != "doubtful" || len(must(s.FailedMails(ctx, ben.ID, id))(t)) != 0 {
			t.Errorf("%+v", failed)
		}
		ok(t, s.RetryMail(ctx, anna.ID, id, 0))
		ok(t, s.RetryMail(ctx, anna.ID, id, rows[5].ID))
		missing(t, "a mail that is no longer doubtful", s.SettleMail(ctx, anna.ID, id, rows[5].ID))
		ok(t, s.SettleMail(ctx, anna.ID, id, rows[6].ID))
		if c := must(s.SourceCounts(ctx, anna.ID, id))(t); c.Stubborn != 1 || c.Kept != 3 || c.Failed != 0 || c.Waiting != 3 {
			t.Errorf("%+v", c)
		}
		for i, want := range []string{"imported", "imported", "gone", "seen", "seen", "seen", "imported"} {
			if got := must(s.LedgerRow(ctx, id, rows[i].ID))(t); got.State != want {
				t.Errorf("row %d is %s", i, got.State)
			}
		}
	})
}

// TestP14_TheHistoryOfRuns, with how long one will take.
func TestP14_TheHistoryOfRuns(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		now := time.UnixMilli(1_700_000_000_000)
		s.At(now)
		anna, a := user(t, s, "a@x.test")
		id := must(source(t, s, a, "old.test"))(t)
		must(s.TakeSource(ctx, id, "n1", 24*time.Hour))(t)
		h := store.Hold{SourceID: id, Node: "n1"}
		rows := []store.LedgerRow{{UIDL: []byte("a"), State: "seen"}, {UIDL: []byte("b"), State: "seen"}}
		ok(t, s.AddLedger(ctx, h, rows))
		killed := must(s.StartRun(ctx, h))(t)
		rows[0].State, rows[0].Imported = "imported", now.Add(-time.Hour)
		rows[1].State, rows[1].Imported = "imported", now.Add(time.Second) // and killed before it wrote how far it was
		ok(t, s.SaveLedger(ctx, h, rows))
		run := must(s.StartRun(ctx, h))(t)
		s.At(now.Add(10 * time.Second))
		r := store.ImportRun{ID: run, Total: 100, Done: 20, Bytes: 1000, OfAll: 5000}
		ok(t, s.RecordRun(ctx, h, r))
		all := must(s.Runs(ctx, anna.ID, id, 10))(t)
		if len(all) != 2 || all[0].ID != run || all[0].Done != 20 || !all[0].Ended.IsZero() || all[0].Left() != 40*time.Second || all[1].ID != killed || all[1].Outcome != "stopped" || all[1].Done != 1 {
			t.Errorf("%+v, %v", all, all[0].Left())
		}
		r.Done, r.Outcome, r.ServerText = 100, "done", "bye"
		ok(t, s.RecordRun(ctx, h, r))
		missing(t, "an ended run", s.RecordRun(ctx, h, r))
		if all := must(s.Runs(ctx, anna.ID, id, 1))(t); all[0].Outcome != "done" || all[0].Ended.IsZero() || all[0].Left() != 0 || all[0].ServerText != "bye" {
			t.Errorf("%+v", all)
		}
		for range 60 {
			must(s.StartRun(ctx, h))(t)
		}
		ok(t, s.SweepSources(ctx))
		if all := must(s.Runs(ctx, anna.ID, id, 100))(t); len(all) != 50 {
			t.Errorf("%d runs are kept", len(all))
		}
	})
}
