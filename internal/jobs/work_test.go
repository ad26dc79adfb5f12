package jobs_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"restante/internal/jobs"
	"restante/internal/store"
	"restante/internal/testdb"
	"restante/internal/testmail"
	"restante/internal/testproc"
	"restante/mailclient"
	"restante/mailclient/discover"
)

// many puts n mails into Anna's inbox and gives them all.
func (h *house) many(t *testing.T, n int) mailclient.Ref {
	t.Helper()
	talk := h.srv.Talk(t, h.anna)
	for i := range n {
		talk.Append("INBOX", "", testmail.Mail("z@x.test", fmt.Sprint(i), "x"))
	}
	ref, err := h.session().UIDs(ctx, "INBOX", mailclient.ListQuery{})
	ok(t, err)
	return ref
}

func (h *house) session() *mailclient.Session {
	return h.pool.Session(jobs.SessionKey(h.account.ID), h.servers.IMAP, mailclient.Credentials{Username: h.anna.Address, Password: h.anna.Password})
}

// work adds an act on mails.
func (h *house) work(t *testing.T, password string, steps ...mailclient.Step) (id int64) {
	t.Helper()
	ok(t, h.store.InTx(ctx, func(tx *sql.Tx) (err error) {
		id, err = h.queue.AddWorkTx(ctx, tx, h.account, steps, "{}", jobs.Credential{Username: h.anna.Address, Password: password})
		return err
	}))
	return id
}

// ends waits for work that is no longer under way.
func (h *house) ends(t *testing.T) store.Work {
	t.Helper()
	var w store.Work
	err := testproc.Wait(30*time.Second, func() (err error) {
		if w, err = h.store.NewestWork(ctx, h.user.ID); err == nil && (w.State == store.WorkWaiting || w.State == store.WorkRunning || w.State == store.WorkStopping) {
			return errors.New("still " + string(w.State))
		}
		return err
	})
	ok(t, err)
	return w
}

// back are the steps that take work back.
func (h *house) back(t *testing.T, id int64) (steps []mailclient.Step) {
	t.Helper()
	batches, err := h.store.WorkBack(ctx, h.user.ID, id)
	ok(t, err)
	for _, b := range batches {
		var some []mailclient.Step
		ok(t, json.Unmarshal([]byte(b), &some))
		steps = append(steps, some...)
	}
	return steps
}

func archive(ref mailclient.Ref) mailclient.Step {
	return mailclient.Step{Act: mailclient.Act{Kind: mailclient.ActMove, To: "Archive"}, Ref: ref}
}

// TestAnActOnManyMailsRunsInBatchesAndCanBeTakenBack, on both databases and servers.
func TestAnActOnManyMailsRunsInBatchesAndCanBeTakenBack(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		testmail.Each(t, func(t *testing.T, srv *testmail.Server) {
			h := build(t, db2(t, db), srv, nil)
			all := h.many(t, 1200)
			start(t, h.queue)
			id := h.work(t, h.anna.Password, archive(all))
			if w := h.ends(t); w.State != store.WorkDone || w.Done != 1200 || w.At != 1200 || w.Cred != nil {
				t.Errorf("%+v", w)
			}
			h.has(t, h.anna, "INBOX", 0)
			ok(t, h.store.TellWork(ctx, h.user.ID, id))
			h.work(t, h.anna.Password, h.back(t, id)...)
			if w := h.ends(t); w.State != store.WorkDone || w.Done != 1200 {
				t.Errorf("taken back: %+v", w)
			}
			h.has(t, h.anna, "INBOX", 1200)
			h.has(t, h.anna, "Archive", 0)
		})
	})
}

// TestAnActOnManyMailsCanBeStopped: what it has done by then can be taken back, the rest was never touched.
func TestAnActOnManyMailsCanBeStopped(t *testing.T) {
	h := build(t, testdb.SQLite(t), testmail.Demo(t), nil)
	all := h.many(t, 1700)
	id := h.work(t, h.anna.Password, archive(all))
	var err error
	h.queue, err = jobs.New(ctx, jobs.Options{Store: h.store, Ring: h.ring, Pool: h.pool, Servers: discover.NewDirectory(h.servers), Log: slog.New(slog.DiscardHandler),
		NotifyWork: func(user int64) { _ = h.store.StopWork(context.Background(), user, id) }}) // after the first batch
	ok(t, err)
	start(t, h.queue)
	if w := h.ends(t); w.State != store.WorkStopped || w.Done != 1000 {
		t.Errorf("%+v", w)
	}
	h.has(t, h.anna, "INBOX", 700)
	n := 0
	for _, st := range h.back(t, id) {
		n += len(st.Ref.UIDs)
	}
	if n != 1000 {
		t.Errorf("%d can be taken back", n)
	}
}

// TestAnActOnManyMailsThatCannotGoOn ends with what is the matter, and keeps what it has done.
func TestAnActOnManyMailsThatCannotGoOn(t *testing.T) {
	h := build(t, testdb.SQLite(t), testmail.Demo(t), nil)
	all := h.many(t, 3)
	start(t, h.queue)
	nowhere := archive(all)
	nowhere.To = "Nowhere"
	for _, c := range []struct {
		password string
		steps    []mailclient.Step
		problem  string
		done     int
	}{
		{h.anna.Password, []mailclient.Step{nowhere}, "folder", 0},
		{h.anna.Password, []mailclient.Step{{Act: mailclient.Act{Kind: mailclient.ActFlags, Add: []string{`\Flagged`}}, Ref: all}, nowhere}, "folder", 3},
		{"wrong", []mailclient.Step{archive(all)}, "signin", 0},
	} {
		id := h.work(t, c.password, c.steps...)
		if w := h.ends(t); w.State != store.WorkFailed || w.Problem != c.problem || w.Done != c.done || w.Cred != nil {
			t.Errorf("%+v", w)
		}
		ok(t, h.store.TellWork(ctx, h.user.ID, id))
	}
	h.has(t, h.anna, "INBOX", 3)
}

// TestWorkOfAKilledNodeGoesOnElsewhere, where it was left.
func TestWorkOfAKilledNodeGoesOnElsewhere(t *testing.T) {
	h := build(t, testdb.SQLite(t), testmail.Demo(t), nil)
	id := h.work(t, h.anna.Password, archive(h.many(t, 600)))
	w, err := h.store.TakeWork(ctx, id, "dead", -time.Second)
	ok(t, err)
	w.At = 500
	_, err = h.store.RecordWork(ctx, w, "dead", "", -time.Second)
	ok(t, err)
	start(t, h.queue)
	if w := h.ends(t); w.State != store.WorkDone || w.Done != 100 {
		t.Errorf("%+v", w)
	}
	h.has(t, h.anna, "INBOX", 500)
}
