package store_test

import (
	"database/sql"
	"slices"
	"sync"
	"testing"
	"time"

	"restante/internal/store"
)

const lease = 15 * time.Minute

// post makes a user with one item in the outbox, due in ten seconds.
func post(t *testing.T, s *store.Store) (u store.User, d store.Draft, id int64, now time.Time) {
	t.Helper()
	now = time.UnixMilli(1_700_000_000_000)
	s.At(now)
	u, a := user(t, s, "a@x.test")
	d = draft(t, s, u, a, store.DraftFields{Subject: "x"})
	return u, d, enqueue(t, s, u, a, d.ID, now.Add(10*time.Second)), now
}

func TestAnEnqueuedItemIsHeldWithAllItHas(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		u, d, id, now := post(t, s)
		ben, _ := user(t, s, "b@x.test")
		o := must(s.OutboxItem(ctx, u.ID, id))(t)
		if o.State != store.Held || !o.DueAt.Equal(now.Add(10*time.Second)) || !slices.Equal(o.Recipients, []string{"z@x.test", "y@x.test"}) ||
			o.Subject != "Grüße" || string(o.Cred) != "\x00\x01\x02" || o.JobID != 77 || o.AnswerValidity != 4_000_000_000 || o.AnswerUID != 9 ||
			o.Filed || len(o.Results) != 0 || !o.FirstTry.IsZero() {
			t.Errorf("%+v", o)
		}
		if got := must(s.Draft(ctx, u.ID, d.ID))(t); got.State != "sent" {
			t.Errorf("the draft is %s", got.State)
		}
		_, err := s.OutboxItem(ctx, ben.ID, id)
		missing(t, "another's item", err)
		missing(t, "a draft sent twice", s.InTx(ctx, func(tx *sql.Tx) error {
			_, err := s.EnqueueTx(ctx, tx, store.OutboxItem{UserID: u.ID, AccountID: o.AccountID, DraftID: d.ID, BlobID: o.BlobID, Recipients: o.Recipients})
			return err
		}))
		if o := must(s.OutboxItemForJob(ctx, id))(t); o.UserID != u.ID {
			t.Errorf("%+v", o)
		}
		_, err = s.OutboxItemForJob(ctx, 999)
		missing(t, "no item", err)
		if n := waiting(t, s, u.ID); n != 1 || len(must(s.Outbox(ctx, u.ID))(t)) != 1 {
			t.Errorf("%d items", n)
		}
		if n := waiting(t, s, ben.ID); n != 0 || len(must(s.Outbox(ctx, ben.ID))(t)) != 0 {
			t.Errorf("ben has %d items", n)
		}
	})
}

func TestT14_OneWorkerTakesAnItemWhenItIsDue(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		_, _, id, now := post(t, s)
		_, err := s.TakeOutbox(ctx, id, "n1", lease)
		missing(t, "an item in its undo window", err)
		s.At(now.Add(10 * time.Second))
		var wg sync.WaitGroup
		var mu sync.Mutex
		taken := 0
		for _, node := range []string{"n1", "n2", "n3", "n4"} {
			wg.Go(func() {
				if _, err := s.TakeOutbox(ctx, id, node, lease); err == nil {
					mu.Lock()
					taken++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if taken != 1 {
			t.Errorf("taken %d times", taken)
		}
	})
}

func TestT13_WhatAKilledWorkerLeftBehind(t *testing.T) {
	for _, c := range []struct{ reached, becomes store.OutboxState }{
		{store.Connecting, store.Connecting}, {store.Data, store.Connecting}, {store.Dot, store.Uncertain},
	} {
		t.Run(string(c.reached), func(t *testing.T) {
			each(t, func(t *testing.T, s *store.Store) {
				_, _, id, now := post(t, s)
				s.At(now.Add(time.Minute))
				o := must(s.TakeOutbox(ctx, id, "n1", lease))(t)
				if o.State != store.Connecting || !o.FirstTry.Equal(now.Add(time.Minute)) {
					t.Errorf("%+v", o)
				}
				ok(t, s.SetOutboxStep(ctx, id, "n1", c.reached, nil))
				missing(t, "a step by another", s.SetOutboxStep(ctx, id, "n2", store.Dot, nil))
				_, err := s.TakeOutbox(ctx, id, "n2", lease)
				missing(t, "an item under lease", err)
				s.At(now.Add(time.Minute + lease + time.Second))
				due := must(s.DueOutbox(ctx, now.Add(time.Hour)))(t)
				if len(due) != 1 {
					t.Fatalf("%d due", len(due))
				}
				o = must(s.TakeOutbox(ctx, id, "n2", lease))(t)
				if o.State != c.becomes || !o.FirstTry.Equal(now.Add(time.Minute)) {
					t.Errorf("%+v", o)
				}
				missing(t, "the dead one's outcome", s.FinishOutbox(ctx, o, "n1"))
			})
		})
	}
}

func TestFinishKeepsTheOutcome(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		u, _, id, now := post(t, s)
		s.At(now.Add(time.Minute))
		o := must(s.TakeOutbox(ctx, id, "n1", lease))(t)
		o.State, o.Tries, o.NextAt = store.Waiting, 1, now.Add(2*time.Minute)
		o.Results, o.Problem, o.Server, o.ServerText = map[string]string{"z@x.test": "450 wait"}, "retry", "smtp.x.test", "450 4.2.1 wait"
		ok(t, s.FinishOutbox(ctx, o, "n1"))
		got := must(s.OutboxItem(ctx, u.ID, id))(t)
		if got.State != store.Waiting || got.Results["z@x.test"] != "450 wait" || got.ServerText != "450 4.2.1 wait" || !got.NextAt.Equal(o.NextAt) || got.Cred == nil {
			t.Errorf("%+v", got)
		}
		_, err := s.TakeOutbox(ctx, id, "n1", lease)
		missing(t, "an item before its next try", err)
		if due := must(s.DueOutbox(ctx, now.Add(time.Minute)))(t); len(due) != 0 {
			t.Error("due too soon")
		}
		s.At(now.Add(2 * time.Minute))
		o = must(s.TakeOutbox(ctx, id, "n1", lease))(t)
		o.State = store.Accepted
		ok(t, s.FinishOutbox(ctx, o, "n1"))
		o = must(s.TakeOutbox(ctx, id, "n1", lease))(t)
		if o.State != store.Accepted {
			t.Errorf("%s: an accepted mail must never be sent again", o.State)
		}
		o.State, o.Filed, o.Results = store.Sent, true, nil
		ok(t, s.FinishOutbox(ctx, o, "n1"))
		got = must(s.OutboxItem(ctx, u.ID, id))(t)
		if got.State != store.Sent || got.Cred != nil || !got.Filed {
			t.Errorf("%+v", got)
		}
		_, err = s.TakeOutbox(ctx, id, "n1", lease)
		missing(t, "a sent item", err)
		if n := waiting(t, s, u.ID); n != 0 {
			t.Errorf("%d items", n)
		}
	})
}

func TestT19_UndoWorksUntilAWorkerHasIt(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		u, d, id, now := post(t, s)
		ben, _ := user(t, s, "b@x.test")
		_, err := s.UndoOutbox(ctx, ben.ID, id, nil)
		missing(t, "another's undo", err)
		if got := must(s.UndoOutbox(ctx, u.ID, id, nil))(t); got != d.ID {
			t.Errorf("draft %s", got)
		}
		if got := must(s.Draft(ctx, u.ID, d.ID))(t); got.State != "open" || got.Fields.Subject != "x" {
			t.Errorf("%+v", got)
		}
		if o := must(s.OutboxItem(ctx, u.ID, id))(t); o.State != store.Undone || o.Cred != nil {
			t.Errorf("%+v", o)
		}
		s.At(now.Add(time.Minute))
		_, err = s.TakeOutbox(ctx, id, "n1", lease)
		missing(t, "an undone item", err)
		_, err = s.UndoOutbox(ctx, u.ID, id, nil)
		missing(t, "a second undo", err)

		a := must(s.Accounts(ctx, u.ID))(t)[0]
		late := enqueue(t, s, u, a, d.ID, now)
		must(s.TakeOutbox(ctx, late, "n1", lease))(t)
		_, err = s.UndoOutbox(ctx, u.ID, late, nil)
		missing(t, "an undo that comes too late", err)
		if got := must(s.Draft(ctx, u.ID, d.ID))(t); got.State != "sent" {
			t.Errorf("the draft is %s", got.State)
		}
	})
}

func TestRetryMakesAnItemDueWithItsOldOrANewCredential(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		u, _, id, now := post(t, s)
		ben, _ := user(t, s, "b@x.test")
		s.At(now.Add(time.Minute))
		o := must(s.TakeOutbox(ctx, id, "n1", lease))(t)
		retry := func(user int64, cred []byte) error {
			return s.InTx(ctx, func(tx *sql.Tx) error { return s.RetryOutboxTx(ctx, tx, user, id, cred) })
		}
		missing(t, "a retry while it is being sent", retry(u.ID, nil))
		o.State, o.NextAt = store.SignIn, time.Time{}
		ok(t, s.FinishOutbox(ctx, o, "n1"))
		missing(t, "another's retry", retry(ben.ID, nil))
		ok(t, retry(u.ID, nil))
		got := must(s.OutboxItem(ctx, u.ID, id))(t)
		if got.State != store.Waiting || string(got.Cred) != "\x00\x01\x02" || !got.FirstTry.IsZero() {
			t.Errorf("%+v", got)
		}
		ok(t, retry(u.ID, []byte("new")))
		o = must(s.TakeOutbox(ctx, id, "n1", lease))(t)
		if string(o.Cred) != "new" {
			t.Errorf("credential %q", o.Cred)
		}
	})
}

func TestSettleEndsWhatThePersonDecides(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		u, _, id, now := post(t, s)
		s.At(now.Add(time.Minute))
		o := must(s.TakeOutbox(ctx, id, "n1", lease))(t)
		missing(t, "settled while it is being sent", s.SettleOutbox(ctx, u.ID, id, store.Sent))
		o.State = store.Uncertain
		ok(t, s.FinishOutbox(ctx, o, "n1"))
		ok(t, s.SettleOutbox(ctx, u.ID, id, store.Sent))
		if o := must(s.OutboxItem(ctx, u.ID, id))(t); o.State != store.Sent || o.Cred != nil {
			t.Errorf("%+v", o)
		}
		s.At(now.Add(6 * 24 * time.Hour))
		ok(t, s.SweepOutbox(ctx))
		must(s.OutboxItem(ctx, u.ID, id))(t)
		s.At(now.Add(8 * 24 * time.Hour))
		ok(t, s.SweepOutbox(ctx))
		_, err := s.OutboxItem(ctx, u.ID, id)
		missing(t, "swept", err)
	})
}

// waiting is the number beside "Outbox".
func waiting(t *testing.T, s *store.Store, userID int64) int {
	t.Helper()
	b, err := s.Behind(ctx, userID, 0)
	ok(t, err)
	return b.Outbox
}

// TestT13_WhoHasAMailIsKept: whom it has reached, and whom it perhaps has, through every way back into the queue.
func TestT13_WhoHasAMailIsKept(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		u, d, id, now := post(t, s) // to y and z
		s.At(now.Add(time.Minute))
		must(s.TakeOutbox(ctx, id, "n1", lease))(t)
		ok(t, s.SetOutboxStep(ctx, id, "n1", store.Dot, []string{"z@x.test"}))
		s.At(now.Add(time.Minute + 2*lease))
		o := must(s.TakeOutbox(ctx, id, "n2", lease))(t)
		if o.State != store.Uncertain || !slices.Equal(o.Perhaps, []string{"z@x.test"}) {
			t.Fatalf("%+v", o)
		}
		ok(t, s.FinishOutbox(ctx, o, "n2"))
		ok(t, s.ArrivedOutbox(ctx, u.ID, id))
		missing(t, "a second word", s.ArrivedOutbox(ctx, u.ID, id))
		o = must(s.TakeOutbox(ctx, id, "n1", lease))(t)
		if o.State != store.Accepted || !slices.Equal(o.Reached, []string{"z@x.test"}) || len(o.Perhaps) != 0 || !slices.Equal(o.Left(), []string{"y@x.test"}) {
			t.Fatalf("%+v", o)
		}
		o.State, o.Results = store.Partly, map[string]string{"y@x.test": "550 who?"}
		ok(t, s.FinishOutbox(ctx, o, "n1"))
		if o = must(s.OutboxItem(ctx, u.ID, id))(t); len(o.Left()) != 0 {
			t.Errorf("%q are left", o.Left())
		}
		ok(t, s.InTx(ctx, func(tx *sql.Tx) error { return s.RetryOutboxTx(ctx, tx, u.ID, id, nil) }))
		if o = must(s.OutboxItem(ctx, u.ID, id))(t); !slices.Equal(o.Left(), []string{"y@x.test"}) {
			t.Errorf("%q are left", o.Left())
		}
		draft := must(s.UndoOutbox(ctx, u.ID, id, func(f store.DraftFields, reached []string) store.DraftFields {
			if !slices.Equal(reached, []string{"z@x.test"}) {
				t.Errorf("reached %q", reached)
			}
			f.To = "y@x.test"
			return f
		}))(t)
		if got := must(s.Draft(ctx, u.ID, draft))(t); draft != d.ID || got.Fields.To != "y@x.test" || got.Rev != 2 || got.State != "open" {
			t.Errorf("%+v", got)
		}
	})
}

// TestTheNewestAnswerToAnInvitationCounts, unless it was taken back; a usual answer is none.
func TestTheNewestAnswerToAnInvitationCounts(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		u, _, id, now := post(t, s)
		o := must(s.OutboxItem(ctx, u.ID, id))(t)
		answer := func() (store.OutboxItem, error) {
			return s.InvitationAnswer(ctx, u.ID, o.AccountID, "INBOX", 4_000_000_000, 9)
		}
		_, err := answer()
		missing(t, "a usual answer", err)
		ids := map[string]int64{}
		for _, kind := range []string{"accepted", "declined"} {
			next := draft(t, s, u, store.Account{ID: o.AccountID, UserID: u.ID}, store.DraftFields{Calendar: "BEGIN:VCALENDAR"})
			if got := must(s.Draft(ctx, u.ID, next.ID))(t); got.Fields.Calendar != "BEGIN:VCALENDAR" {
				t.Errorf("the draft holds %+v", got.Fields)
			}
			ok(t, s.InTx(ctx, func(tx *sql.Tx) (err error) {
				ids[kind], err = s.EnqueueTx(ctx, tx, store.OutboxItem{UserID: u.ID, AccountID: o.AccountID, DraftID: next.ID, DueAt: now, BlobID: o.BlobID, From: u.Address, Recipients: o.Recipients,
					AnswerKind: kind, AnswerMailbox: "INBOX", AnswerValidity: 4_000_000_000, AnswerUID: 9})
				return err
			}))
			if got, err := answer(); err != nil || got.ID != ids[kind] || got.AnswerKind != kind {
				t.Errorf("after %s it is %+v, %v", kind, got, err)
			}
		}
		must(s.UndoOutbox(ctx, u.ID, ids["declined"], func(f store.DraftFields, _ []string) store.DraftFields { return f }))(t)
		if got, err := answer(); err != nil || got.ID != ids["accepted"] {
			t.Errorf("taken back, it is %+v, %v", got, err)
		}
		_, err = s.InvitationAnswer(ctx, u.ID, o.AccountID, "INBOX", 7, 9)
		missing(t, "another folder's", err)
	})
}
