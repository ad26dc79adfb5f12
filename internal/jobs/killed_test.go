package jobs_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"restante/internal/jobs"
	"restante/internal/store"
	"restante/internal/testdb"
	"restante/internal/testmail"
	"restante/mailclient/discover"
)

// scripted is a house whose submission server follows a script, and which does not wait long for its answers.
func scripted(t *testing.T, db testdb.DB) (*house, *testmail.Script) {
	t.Helper()
	script := testmail.NewScript(t)
	h := build(t, db, testmail.Demo(t), func(s *discover.Servers) { s.SMTP.Host, s.SMTP.Port = script.Host, script.Port })
	h.queue = h.impatient(t)
	return h, script
}

// impatient is a queue that gives a submission server two seconds for each answer.
func (h *house) impatient(t *testing.T) *jobs.Queue {
	t.Helper()
	q, _ := h.node(t, h.store, func(o *jobs.Options) { o.Patience = 2 * time.Second })
	return q
}

// TestT13_EveryWayASubmissionServerCanFail: what becomes of a mail, and that it never leaves twice by itself.
func TestT13_EveryWayASubmissionServerCanFail(t *testing.T) {
	const big = 5_500_000 // more than the sockets hold
	for _, c := range []struct {
		name, step, answer string
		size               int
		want               store.OutboxState
		texts              int
	}{
		{"hangs up at once", "greeting", testmail.HangUp, 0, store.Waiting, 0},
		{"is busy", "greeting", "421 4.3.2 too many connections!", 0, store.Waiting, 0},
		{"says nothing", "greeting", testmail.Silent, 0, store.Waiting, 0},
		{"says garbage", "greeting", "HTTP/1.1 400 Bad Request", 0, store.Waiting, 0},
		{"hangs up after EHLO", "EHLO", testmail.HangUp, 0, store.Waiting, 0},
		{"offers no way to sign in", "EHLO", "250 ready", 0, store.Config, 0},
		{"takes no password", "AUTH", "535 5.7.8 wrong", 0, store.SignIn, 0},
		{"cannot check passwords now", "AUTH", "454 4.7.0 later", 0, store.Waiting, 0},
		{"refuses the sender", "MAIL", "550 5.7.1 not yours", 0, store.BadFrom, 0},
		{"finds it too large", "MAIL", "552 5.3.4 too big", 0, store.TooBig, 0},
		{"has no room now", "MAIL", "452 4.3.1 later", 0, store.Waiting, 0},
		{"knows no such recipient", "RCPT", "550 5.1.1 who?", 0, store.Rejected, 0},
		{"is greylisting", "RCPT", "451 4.7.1 come again", 0, store.Waiting, 0},
		{"stops at DATA", "DATA", "451 4.3.0 not now", 0, store.Waiting, 0},
		{"refuses at DATA", "DATA", "554 5.7.1 no", 0, store.Rejected, 0},
		{"hangs up at DATA", "DATA", testmail.HangUp, 0, store.Waiting, 0},
		{"hangs up in the middle of the text", "text", testmail.HangUp, big, store.Waiting, 0},
		{"hangs up after the final dot", "dot", testmail.HangUp, 0, store.Uncertain, 1},
		{"says nothing after the final dot", "dot", testmail.Silent, 0, store.Uncertain, 1},
		{"says garbage after the final dot", "dot", "hm", 0, store.Uncertain, 1},
		{"refuses after the final dot", "dot", "554 5.7.1 spam", 0, store.Rejected, 1},
		{"asks to come again after the final dot", "dot", "451 4.3.0 later", 0, store.Waiting, 1},
		{"hangs up after its yes", "dot", "250 2.0.0 queued!", 0, store.Sent, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h, script := scripted(t, testdb.SQLite(t))
			script.Say(c.step, c.answer)
			start(t, h.queue)
			text := strings.Repeat("text of some length\r\n", 1+c.size/20)
			item := h.postText(t, c.name, text)
			o := h.becomes(t, item.ID, c.want)
			if c.want != store.Sent && o.ServerText == "" {
				t.Error("nothing is said about it")
			}
			h.queue.Wake(item.ID, time.Now()) // nothing but the person's word, or its time, may send it again
			h.becomes(t, h.postText(t, "another", text).ID, c.want)
			if n := len(script.Texts()); n != 2*c.texts {
				t.Errorf("%d texts were taken in, not %d", n, 2*c.texts)
			}
			if again := h.becomes(t, item.ID, c.want); again.Tries != o.Tries {
				t.Errorf("%d tries", again.Tries)
			}
		})
	}
}

func (h *house) postText(t *testing.T, subject, text string) store.OutboxItem {
	t.Helper()
	mail := testmail.Mail(h.anna.Address, subject, text)
	return h.post(t, subject, h.anna.Password, func(o *store.OutboxItem) {
		blob, size, err := h.store.WriteBlob(ctx, h.user.ID, strings.NewReader(mail), 8<<20)
		ok(t, err)
		o.BlobID, o.Size, o.Skip = blob, size, 0
	})
}

// TestT14_WhatEachStepLeavesWhenItsProcessDies: a node took the item, came to a state and was killed; another finds it
// when its lease is over. However it ends, the mail left once at most and stands in Sent once.
func TestT14_WhatEachStepLeavesWhenItsProcessDies(t *testing.T) {
	for _, c := range []struct {
		reached     store.OutboxState
		filed, copy bool // filed: the copy was made and noted; copy: made, but not noted
		want        store.OutboxState
		texts, sent int
	}{
		{reached: store.Connecting, want: store.Sent, texts: 1, sent: 1},
		{reached: store.Data, want: store.Sent, texts: 1, sent: 1},
		{reached: store.Dot, want: store.Uncertain},
		{reached: store.Accepted, want: store.Sent, sent: 1},
		{reached: store.Accepted, copy: true, want: store.Sent, sent: 1},
	} {
		for _, mode := range []string{"auto", "append"} {
			t.Run(fmt.Sprintf("%s, copy made %v, %s", c.reached, c.copy, mode), func(t *testing.T) {
				t.Parallel()
				testdb.Each(t, func(t *testing.T, db testdb.DB) {
					h, script := scripted(t, db)
					ok(t, h.store.SetSentMode(ctx, h.user.ID, h.account.ID, mode, 0))
					item := h.post(t, "x", h.anna.Password, nil)
					h.left(t, item.ID, c.reached, h.ben.Address)
					if c.copy {
						h.srv.Talk(t, h.anna).Append("Sent", `\Seen`, "Message-ID: <"+item.MessageID+">\r\nSubject: x\r\n\r\nx\r\n")
					}
					start(t, h.queue)
					h.becomes(t, item.ID, c.want)
					h.has(t, h.anna, "Sent", c.sent)
					if n := len(script.Texts()); n != c.texts {
						t.Errorf("%d texts left", n)
					}
				})
			})
		}
	}
}

// TestT14_AStopWhileTheServerIsSilent: the program is stopped in the middle of a send.
func TestT14_AStopWhileTheServerIsSilent(t *testing.T) {
	for step, want := range map[string]store.OutboxState{"MAIL": store.Waiting, "dot": store.Uncertain} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			h, script := scripted(t, testdb.SQLite(t))
			h.queue, h.pool = h.node(t, h.store) // a patient one
			script.Say(step, testmail.Silent)
			ok(t, h.queue.Start(ctx))
			item := h.post(t, "x", h.anna.Password, nil)
			state := map[string]store.OutboxState{"MAIL": store.Connecting, "dot": store.Dot}[step]
			h.becomes(t, item.ID, state)
			stop, cancel := context.WithTimeout(ctx, 25*time.Second)
			defer cancel()
			ok(t, h.queue.Stop(stop))
			h.becomes(t, item.ID, want)
			script.Say(step, "")
			next := h.impatient(t)
			start(t, next)
			if want == store.Waiting {
				ok(t, h.makeDue(item.ID))
				next.Wake(item.ID, time.Now())
				h.becomes(t, item.ID, store.Sent)
			}
			h.has(t, h.anna, "Sent", map[store.OutboxState]int{store.Waiting: 1}[want])
			if n := len(script.Texts()); n != 1 {
				t.Errorf("%d texts left", n)
			}
		})
	}
}

// makeDue puts the time of an item's next try to now, as if the wait were over.
func (h *house) makeDue(id int64) error {
	_, err := h.store.DB().ExecContext(ctx, `UPDATE outbox SET next_at = 0 WHERE id = $1`, id)
	return err
}

// TestT14_ALeaseIsOnlyForWhoHoldsTheItem: it can be put off by its node, and once over the node cannot go on.
func TestT14_ALeaseIsOnlyForWhoHoldsTheItem(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		h := build(t, db, testmail.Demo(t), nil)
		item := h.post(t, "x", h.anna.Password, nil)
		h.until(t, func() error {
			_, err := h.store.TakeOutbox(ctx, item.ID, "one", -time.Second)
			return err
		})
		if err := h.store.HoldOutbox(ctx, item.ID, "two", time.Minute); err == nil {
			t.Error("another node could put the lease off")
		}
		ok(t, h.store.HoldOutbox(ctx, item.ID, "one", time.Minute))
		if _, err := h.store.TakeOutbox(ctx, item.ID, "two", time.Minute); err == nil {
			t.Error("an item was taken from a node that holds it")
		}
		ok(t, h.store.HoldOutbox(ctx, item.ID, "one", -time.Minute))
		_, err := h.store.TakeOutbox(ctx, item.ID, "two", time.Minute)
		ok(t, err)
		if err := h.store.SetOutboxStep(ctx, item.ID, "one", store.Dot, nil); err == nil {
			t.Error("a node that was thought dead could go on to the final dot")
		}
	})
}

// TestT14_ALeaseThatEndsWhileItsWorkerGoesOn, as after the sleep of a machine or with a clock that was put forward, gives
// the item to no second worker of the same node.
func TestT14_ALeaseThatEndsWhileItsWorkerGoesOn(t *testing.T) {
	h, script := scripted(t, testdb.SQLite(t))
	h.queue, _ = h.node(t, h.store) // a patient one
	script.Say("MAIL", testmail.Silent)
	start(t, h.queue)
	mails := func(n int) {
		h.until(t, func() error {
			if strings.Count(strings.Join(script.Said(), "\n"), "MAIL FROM") < n {
				return errNotYet
			}
			return nil
		})
	}
	item := h.post(t, "x", h.anna.Password, nil)
	mails(1)
	_, err := h.store.DB().ExecContext(ctx, `UPDATE outbox SET taken_until = 1 WHERE id = $1`, item.ID)
	ok(t, err)
	h.queue.Wake(item.ID, time.Now())
	h.post(t, "y", h.anna.Password, nil) // which comes after it
	mails(2)
	var until int64
	ok(t, h.store.DB().QueryRowContext(ctx, `SELECT taken_until FROM outbox WHERE id = $1`, item.ID).Scan(&until))
	if until != 1 {
		t.Error("it was taken once more")
	}
}

// left is what a node that was killed leaves of an item, as it came to a state with some recipients.
func (h *house) left(t *testing.T, id int64, state store.OutboxState, some ...string) {
	t.Helper()
	var o store.OutboxItem
	h.until(t, func() (err error) {
		o, err = h.store.TakeOutbox(ctx, id, "dead", -time.Minute)
		return err
	})
	ok(t, h.store.SetOutboxStep(ctx, id, "dead", state, some))
	if o.State = state; state == store.Accepted {
		o.Reached = append(o.Reached, some...)
		ok(t, h.store.RecordOutbox(ctx, o, "dead"))
	}
}
