package store_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"restante/internal/store"
)

// letter is an outbox item of a user in a state, with a server's answer that names more than it should.
func letter(t *testing.T, s *store.Store, u store.User, a store.Account, state store.OutboxState) int64 {
	t.Helper()
	id := enqueue(t, s, u, a, draft(t, s, u, a, store.DraftFields{Subject: "Grüße"}).ID, time.Now().Add(-time.Minute))
	if state == store.Held {
		return id
	}
	o := must(s.TakeOutbox(ctx, id, "node", time.Minute))(t)
	o.State, o.Problem, o.Tries, o.Server, o.ServerText = state, "later", 2, "smtp.example.test", "450 <z@x.test>: no, not “GRÜSSE, grüße”"
	ok(t, s.FinishOutbox(ctx, o, "node"))
	return id
}

func TestAnAdminSeesJobsAndNoMail(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, acc := user(t, s, "anna@example.test")
		waiting := letter(t, s, anna, acc, store.Waiting)
		uncertain := letter(t, s, anna, acc, store.Uncertain)
		letter(t, s, anna, acc, store.Sent)
		source := must(source(t, s, acc, "pop.old.example"))(t)
		all := must(s.Jobs(ctx, store.JobQuery{N: 10}))(t)
		if len(all) != 3 || all[0].ID != uncertain || all[0].Stage != store.JobFailed {
			t.Fatalf("jobs: %+v", all)
		}
		j := must(s.Job(ctx, store.JobSend, waiting))(t)
		if j.Address != anna.Address || j.Stage != store.JobWaiting || j.Tries != 2 || j.People != 2 || j.ServerText != "450 <…@x.test>: no, not “GRÜSSE, …”" {
			t.Errorf("the letter that waits: %+v", j)
		}
		counts := must(s.JobCounts(ctx))(t)
		if counts[store.JobFailed] != 1 || counts[store.JobWaiting] != 2 {
			t.Errorf("counted: %v", counts)
		}
		if some := must(s.Jobs(ctx, store.JobQuery{Kind: store.JobImport, Stage: store.JobWaiting, N: 10}))(t); len(some) != 1 || some[0].ID != source || some[0].Server != "pop.old.example" {
			t.Errorf("the imports: %+v", some)
		}
		if rest := must(s.Jobs(ctx, store.JobQuery{N: 10, Skip: 2}))(t); len(rest) != 1 {
			t.Errorf("the second page: %+v", rest)
		}
	})
}

func retryStopped(s *store.Store, id int64) error {
	return s.InTx(ctx, func(tx *sql.Tx) error { return s.RetryStoppedTx(ctx, tx, id) })
}

// TestAnAdminDecidesOnlyWhatWasNotDecided: what was perhaps sent, or refused, is for its writer.
func TestAnAdminDecidesOnlyWhatWasNotDecided(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, acc := user(t, s, "anna@example.test")
		for state, want := range map[store.OutboxState]struct{ retry, stop bool }{
			store.Held: {false, true}, store.Waiting: {true, true}, store.Config: {true, false}, store.Uncertain: {false, false}, store.Rejected: {false, false},
			store.Partly: {false, false}, store.SignIn: {false, false}, store.Accepted: {false, false}, store.Sent: {false, false},
		} {
			if err := retryStopped(s, letter(t, s, anna, acc, state)); (err == nil) != want.retry || err != nil && !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s tried again: %v", state, err)
			}
			id := letter(t, s, anna, acc, state)
			if err := s.StopOutbox(ctx, id); (err == nil) != want.stop || err != nil && !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s stopped: %v", state, err)
			}
			if !want.stop {
				continue
			}
			if o := must(s.OutboxItem(ctx, anna.ID, id))(t); o.State != store.Rejected || o.Problem != store.StoppedByAdmin {
				t.Errorf("%s is %s, %s after it was stopped", state, o.State, o.Problem)
			}
			ok(t, retryStopped(s, id)) // the admin thinks better of it
			ok(t, s.StopOutbox(ctx, id))
			if draft, err := s.UndoOutbox(ctx, anna.ID, id, func(f store.DraftFields, _ []string) store.DraftFields { return f }); err != nil || draft == "" {
				t.Errorf("%s does not come back to its writer: %v", state, err)
			}
			if err := retryStopped(s, id); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("what its writer took back was tried again: %v", err)
			}
		}
	})
}

func TestASourceThatAnAdminHoldsDoesNotRun(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, acc := user(t, s, "anna@example.test")
		id := must(source(t, s, acc, "pop.old.example"))(t)
		for name, hold := range map[string]func(held bool) error{
			"one": func(held bool) error { return s.SetSourceHeld(ctx, id, held) },
			"all": func(held bool) error { return s.SetSite(ctx, store.SiteImportsHeld, map[bool]string{true: "1"}[held]) },
		} {
			must(s.TakeSource(ctx, id, "node", time.Minute))(t)
			ok(t, hold(true))
			if err := s.HoldSource(ctx, id, "node", time.Minute); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s: a run goes on: %v", name, err)
			}
			ok(t, s.FinishSource(ctx, store.Source{ID: id}, "node"))
			ok(t, s.RunSource(ctx, anna.ID, id)) // its person may ask for it
			if o := must(s.Source(ctx, anna.ID, id))(t); !o.Held || o.Paused {
				t.Errorf("%s: held %v, paused %v", name, o.Held, o.Paused)
			}
			if due := must(s.DueSources(ctx))(t); len(due) != 0 {
				t.Errorf("%s: due are %v", name, due)
			}
			if _, err := s.TakeSource(ctx, id, "node", time.Minute); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s: taken: %v", name, err)
			}
			if j := must(s.Job(ctx, store.JobImport, id))(t); j.Stage != store.JobPaused {
				t.Errorf("%s: the job is %s", name, j.Stage)
			}
			ok(t, hold(false))
			if due := must(s.DueSources(ctx))(t); len(due) != 1 {
				t.Errorf("%s: let go, due are %v", name, due)
			}
		}
	})
}

func TestAServerIsDownSinceItWasFirstSeenSo(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		until := time.Now().Add(time.Hour).Truncate(time.Millisecond)
		saw := func(server, problem string) store.Watched {
			t.Helper()
			ok(t, s.SaveWatched(ctx, store.Watched{Domain: "example.test", Service: "imap", Server: server, Problem: problem, CertUntil: until}))
			list := must(s.Watched(ctx))(t)
			if len(list) != 1 {
				t.Fatalf("watched: %+v", list)
			}
			return list[0]
		}
		good := saw("imap.example.test:993", "")
		if !good.CertUntil.Equal(until) || good.Problem != "" {
			t.Errorf("a good server: %+v", good)
		}
		time.Sleep(2 * time.Millisecond) // so that the clock has moved on
		down := saw("imap.example.test:993", "timeout")
		if !down.Since.After(good.Since) {
			t.Error("down since it was good")
		}
		time.Sleep(2 * time.Millisecond)
		if still := saw("imap.example.test:993", "timeout"); !still.Since.Equal(down.Since) || !still.Looked.After(down.Looked) {
			t.Errorf("still down: %+v, before %+v", still, down)
		}
		if other := saw("mail.example.test:993", "timeout"); !other.Since.After(down.Since) {
			t.Error("another server is down since the one before it")
		}
		ok(t, s.ForgetWatched(ctx, time.Now().Add(time.Minute)))
		if list := must(s.Watched(ctx))(t); len(list) != 0 {
			t.Errorf("not forgotten: %+v", list)
		}
	})
}

func TestWhatPeopleDoAtADomain(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, acc := user(t, s, "anna@example.test")
		user(t, s, "ben@other.test")
		letter(t, s, anna, acc, store.Waiting)
		ok(t, s.CommitCtx(ctx, "hers", []byte("x"), time.Now().Add(time.Hour)))
		ok(t, s.TagSession(ctx, "hers", anna.ID, "Firefox", "192.0.2.1/32", 0))
		uses := must(s.DomainUses(ctx))(t)
		if u := uses["example.test"]; u.SignedIn != 1 || u.Waiting != 1 || u.LastSignIn.IsZero() {
			t.Errorf("example.test: %+v", u)
		}
		if u := uses["other.test"]; u.SignedIn != 0 || u.Waiting != 0 {
			t.Errorf("other.test: %+v", u)
		}
	})
}

func TestAdminsHearOfEachOther(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		for _, name := range []string{"anna", "ben", "mia"} {
			must(s.AddAdmin(ctx, store.Admin{Name: name, Hash: "x"}, nil))(t)
		}
		ok(t, s.TellAdmins(context.Background(), "Mia", "create"))
		ok(t, s.TellAdmins(ctx, "mia", "create"))
		for name, want := range map[string]int{"anna": 1, "ben": 1, "mia": 0} {
			a := must(s.AdminByName(ctx, name))(t)
			news := must(s.AdminNews(ctx, a.ID))(t)
			if len(news) != want {
				t.Errorf("%s hears %+v", name, news)
			}
		}
		anna := must(s.AdminByName(ctx, "anna"))(t)
		ok(t, s.KnowAdmin(ctx, anna.ID, "mia", "create"))
		if err := s.KnowAdmin(ctx, anna.ID, "mia", "create"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("known twice: %v", err)
		}
		if news := must(s.AdminNews(ctx, anna.ID))(t); len(news) != 0 {
			t.Errorf("still told: %+v", news)
		}
	})
}

func TestMaskedTellsNobody(t *testing.T) {
	for text, want := range map[string]string{
		"550 <anna.b+x@example.test> unknown": "550 <…@example.test> unknown", "550 no such user here": "550 no such user here",
		"554 message “Secret\tharbour” is spam": "554 message “…” is spam", "a@b.test,c@d.test": "…@b.test,…@d.test",
		strings.Repeat("é", 400): strings.Repeat("é", 150),
	} {
		if got := store.Masked(text, "secret harbour"); got != want {
			t.Errorf("%q became %q, not %q", text, got, want)
		}
	}
}
