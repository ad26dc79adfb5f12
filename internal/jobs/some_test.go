package jobs_test

import (
	"database/sql"
	"fmt"
	"slices"
	"testing"
	"time"

	"restante/internal/jobs"
	"restante/internal/store"
	"restante/internal/testdb"
	"restante/internal/testmail"
)

// to gives a mail these recipients.
func to(rcpts ...string) func(*store.OutboxItem) {
	return func(o *store.OutboxItem) { o.Recipients = rcpts }
}

// retry gives the person's word that an item is to be tried now.
func (h *house) retry(t *testing.T, q *jobs.Queue, id int64) {
	t.Helper()
	ok(t, h.store.InTx(ctx, func(tx *sql.Tx) error {
		if err := h.store.RetryOutboxTx(ctx, tx, h.user.ID, id, nil); err != nil {
			return err
		}
		_, err := q.SendTx(ctx, tx, id, time.Now())
		return err
	}))
	q.Wake(id, time.Now())
}

// gets tells how often each was sent a mail.
func gets(t *testing.T, s *testmail.Script, want map[string]int) {
	t.Helper()
	got := map[string]int{}
	for _, to := range s.Recipients() {
		for _, r := range to {
			got[r]++
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("sent to %v, want %v", got, want)
	}
}

// TestT13_OneWhoIsPutOffDoesNotHoldUpTheOthers, and gets the mail when their server lets it in, or is told of.
func TestT13_OneWhoIsPutOffDoesNotHoldUpTheOthers(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		h, script := scripted(t, db)
		script.Say("RCPT b@x.test", "451 4.7.1 come again")
		start(t, h.queue)
		item := h.post(t, "x", h.anna.Password, to("a@x.test", "b@x.test", "c@x.test"))
		o := h.becomes(t, item.ID, store.Waiting)
		if !slices.Equal(o.Reached, []string{"a@x.test", "c@x.test"}) || !slices.Equal(o.Left(), []string{"b@x.test"}) || !o.Filed || o.ServerText != "451 4.7.1 come again" {
			t.Errorf("%+v", o)
		}
		if wait := time.Until(o.NextAt); wait < 30*time.Second || wait > time.Minute {
			t.Errorf("the next try is in %s", wait)
		}
		h.has(t, h.anna, "Sent", 1)
		gets(t, script, map[string]int{"a@x.test": 1, "c@x.test": 1})
		h.retry(t, h.queue, item.ID)
		h.until(t, func() error { // put off once more
			if o, err := h.store.OutboxItem(ctx, h.user.ID, item.ID); err != nil || o.Tries != 1 || o.State != store.Waiting {
				return errNotYet
			}
			return nil
		})
		script.Say("RCPT b@x.test", "")
		h.retry(t, h.queue, item.ID)
		h.becomes(t, item.ID, store.Sent)
		gets(t, script, map[string]int{"a@x.test": 1, "b@x.test": 1, "c@x.test": 1})
		h.has(t, h.anna, "Sent", 1)

		script.Say("RCPT b@x.test", "451 4.7.1 come again")
		item = h.post(t, "y", h.anna.Password, to("a@x.test", "b@x.test", "d@x.test"))
		h.becomes(t, item.ID, store.Waiting)
		script.Say("RCPT b@x.test", "550 5.1.1 who?")
		h.retry(t, h.queue, item.ID)
		if o := h.becomes(t, item.ID, store.Partly); o.Results["b@x.test"] != "550 5.1.1 who?" || len(o.Left()) != 0 {
			t.Errorf("%+v", o)
		}
		h.has(t, h.anna, "Sent", 2)
	})
}

// TestT8_MoreRecipientsThanOneMailMayHave are sent to in as many mails as it takes, at once, each once; Sent has one copy.
func TestT8_MoreRecipientsThanOneMailMayHave(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		h, script := scripted(t, db)
		script.Say("EHLO", "250-ready\r\n250-LIMITS RCPTMAX=3\r\n250 AUTH PLAIN")
		start(t, h.queue)
		want, all := map[string]int{}, []string{}
		for i := range 10 {
			all = append(all, fmt.Sprintf("p%d@x.test", i))
			want[all[i]] = 1
		}
		item := h.post(t, "x", h.anna.Password, to(all...))
		h.becomes(t, item.ID, store.Sent)
		gets(t, script, want)
		if n := len(script.Texts()); n != 4 {
			t.Errorf("%d mails", n)
		}
		h.has(t, h.anna, "Sent", 1)
	})
}

// TestT13_TheRestIsRefused: what becomes of those left when some have the mail.
func TestT13_TheRestIsRefused(t *testing.T) {
	for _, c := range []struct {
		step, answer string
		want         store.OutboxState
	}{
		{"DATA", "554 5.7.1 no", store.Partly},
		{"dot", "554 5.7.1 spam", store.Partly},
		{"MAIL", "550 5.7.1 not yours", store.BadFrom},
		{"AUTH", "535 5.7.8 wrong", store.SignIn},
		{"dot", testmail.HangUp, store.Uncertain},
	} {
		t.Run(c.step+" "+c.answer, func(t *testing.T) {
			t.Parallel()
			h, script := scripted(t, testdb.SQLite(t))
			script.Say("RCPT b@x.test", "451 4.7.1 come again")
			start(t, h.queue)
			item := h.post(t, "x", h.anna.Password, to("a@x.test", "b@x.test"))
			h.becomes(t, item.ID, store.Waiting)
			script.Say("RCPT b@x.test", "")
			script.Say(c.step, c.answer)
			h.retry(t, h.queue, item.ID)
			o := h.becomes(t, item.ID, c.want)
			if c.want == store.Uncertain && !slices.Equal(o.Perhaps, []string{"b@x.test"}) {
				t.Errorf("%+v", o)
			}
			if n := len(o.Results); c.want == store.Partly && n != 1 {
				t.Errorf("%+v", o)
			}
			for _, r := range script.Recipients()[1:] {
				if slices.Contains(r, "a@x.test") {
					t.Error("a got it twice")
				}
			}
			h.has(t, h.anna, "Sent", 1)
		})
	}
}

// TestT14_WhatAKillLeavesWhenSomeHaveTheMail: one had it before, and the process dies at each step of sending it to the
// other two, of whom one is put off once more.
func TestT14_WhatAKillLeavesWhenSomeHaveTheMail(t *testing.T) {
	for _, c := range []struct {
		reached store.OutboxState
		some    []string // accepted by then
		want    store.OutboxState
		sent    map[string]int
	}{
		{store.Connecting, nil, store.Sent, map[string]int{"b@x.test": 1, "c@x.test": 1}},
		{store.Data, []string{"b@x.test"}, store.Sent, map[string]int{"b@x.test": 1, "c@x.test": 1}},
		{store.Dot, []string{"b@x.test"}, store.Uncertain, map[string]int{}},
		{store.Accepted, []string{"b@x.test"}, store.Sent, map[string]int{"c@x.test": 1}},
	} {
		t.Run(string(c.reached), func(t *testing.T) {
			t.Parallel()
			testdb.Each(t, func(t *testing.T, db testdb.DB) {
				h, script := scripted(t, db)
				item := h.post(t, "x", h.anna.Password, to("a@x.test", "b@x.test", "c@x.test"))
				h.until(t, func() error {
					o, err := h.store.TakeOutbox(ctx, item.ID, "first", time.Minute)
					if err != nil {
						return err
					}
					o.State, o.Reached = store.Waiting, []string{"a@x.test"}
					return h.store.FinishOutbox(ctx, o, "first")
				})
				h.left(t, item.ID, c.reached, c.some...)
				start(t, h.queue)
				o := h.becomes(t, item.ID, c.want)
				gets(t, script, c.sent)
				if c.want != store.Uncertain {
					h.has(t, h.anna, "Sent", 1)
					return
				}
				if !slices.Equal(o.Perhaps, []string{"b@x.test"}) {
					t.Errorf("%+v", o)
				}
				ok(t, h.store.ArrivedOutbox(ctx, h.user.ID, item.ID))
				h.queue.Wake(item.ID, time.Now())
				h.becomes(t, item.ID, store.Sent)
				gets(t, script, map[string]int{"c@x.test": 1})
				h.has(t, h.anna, "Sent", 1)
			})
		})
	}
}
