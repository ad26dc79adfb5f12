package store_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"restante/internal/store"
)

func TestTheSetupLinkIsGoodOnce(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		if _, err := s.OpenSetup(ctx, "link", "cookie"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("no link yet: %v", err)
		}
		ok(t, s.NewSetupLink(ctx, "link", time.Hour))
		if _, err := s.OpenSetup(ctx, "other", "cookie"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another link: %v", err)
		}
		var wg sync.WaitGroup
		results := make([]error, 8)
		for i := range results {
			wg.Go(func() { _, results[i] = s.OpenSetup(ctx, "link", "cookie-"+string(rune('a'+i))) })
		}
		wg.Wait()
		won := slices.IndexFunc(results, func(err error) bool { return err == nil })
		for i, err := range results {
			if i != won && !errors.Is(err, store.ErrTaken) {
				t.Errorf("of eight who race, number %d got %v", i, err)
			}
		}
		if won < 0 {
			t.Fatal("nobody opened the link")
		}
		cookie := "cookie-" + string(rune('a'+won))
		ok(t, s.SaveSetup(ctx, cookie, []byte("typed")))
		v := must(s.SetupOf(ctx, cookie, time.Hour))(t)
		if string(v.State) != "typed" || v.Opened.IsZero() {
			t.Errorf("kept is %+v", v)
		}
		if _, err := s.SetupOf(ctx, "", time.Hour); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("without a cookie: %v", err)
		}
		id := must(s.FinishSetup(ctx, cookie, store.Admin{Name: "Owner", Hash: "h"}, []string{"c1"}, []store.Domain{{Name: "x.test", Settings: "{}"}}, map[string]string{"public_url": "https://x.test"}))(t)
		if a := must(s.AdminByName(ctx, " OWNER"))(t); a.ID != id || a.Hash != "h" {
			t.Errorf("made was %+v", a)
		}
		if d := must(s.Domains(ctx))(t); len(d) != 1 || d[0].Name != "x.test" || must(s.Site(ctx))(t)["public_url"] != "https://x.test" {
			t.Errorf("domains %+v", d)
		}
		if _, err := s.FinishSetup(ctx, cookie, store.Admin{Name: "Second"}, nil, nil, nil); !errors.Is(err, store.ErrTaken) {
			t.Errorf("finished twice: %v", err)
		}
		if _, err := s.SetupOf(ctx, cookie, time.Hour); !errors.Is(err, store.ErrTaken) {
			t.Errorf("after the end: %v", err)
		}
		ok(t, s.NewSetupLink(ctx, "again", time.Hour))
		must(s.OpenSetup(ctx, "again", "cookie"))(t)
		if _, err := s.FinishSetup(ctx, "cookie", store.Admin{Name: "Second"}, nil, []store.Domain{{Name: "evil.test"}}, nil); !errors.Is(err, store.ErrTaken) {
			t.Errorf("with an admin there: %v", err)
		}
		if d := must(s.Domains(ctx))(t); len(d) != 1 {
			t.Error("what was refused has left something")
		}
		ok(t, s.NewSetupLink(ctx, "old", -time.Minute))
		if _, err := s.OpenSetup(ctx, "old", "cookie"); !errors.Is(err, store.ErrTaken) {
			t.Errorf("expired: %v", err)
		}
	})
}

func TestAdminsAndTheirSessions(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		id := must(s.AddAdmin(ctx, store.Admin{Name: "owner", Hash: "h"}, nil))(t)
		if _, err := s.AddAdmin(ctx, store.Admin{Name: "Owner "}, nil); !errors.Is(err, store.ErrTaken) {
			t.Errorf("two of one name: %v", err)
		}
		for _, hash := range []string{"a", "b"} {
			ok(t, s.AddAdminSession(ctx, store.AdminSession{Hash: hash, Admin: store.Admin{ID: id}, Pending: hash == "a"}))
		}
		if v := must(s.AdminSession(ctx, "a", time.Minute, time.Hour))(t); !v.Pending || v.Admin.Name != "owner" {
			t.Errorf("session %+v", v)
		}
		if _, err := s.AdminSession(ctx, "a", -time.Minute, time.Hour); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("not used for too long: %v", err)
		}
		ok(t, s.SetAdminFactor(ctx, id, []byte("sealed"), 5, []string{"one", "two"}, "b"))
		if _, err := s.AdminSession(ctx, "a", time.Minute, time.Hour); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another session after the factor changed: %v", err)
		}
		must(s.AdminSession(ctx, "b", time.Minute, time.Hour))(t)
		for _, c := range []struct {
			step int64
			want bool
		}{{5, false}, {6, true}, {6, false}, {4, false}, {7, true}} {
			if got := must(s.TakeTOTPStep(ctx, id, c.step))(t); got != c.want {
				t.Errorf("step %d: %v", c.step, got)
			}
		}
		if !must(s.TakeRecoveryCode(ctx, id, "one"))(t) || must(s.TakeRecoveryCode(ctx, id, "one"))(t) {
			t.Error("a recovery code is not good once")
		}
		ok(t, s.SetAdminPassword(ctx, id, "new"))
		if _, err := s.AdminSession(ctx, "b", time.Minute, time.Hour); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a session after the password changed: %v", err)
		}
	})
}

func TestTheAuditShowsWhatWasTakenOut(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				if err := s.AddAudit(ctx, store.AuditRow{Who: "admin owner", Verb: []string{"domain.save", "session.end"}[i%2], Object: "x_" + string(rune('a'+i)), Result: "ok"}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		all := must(s.Audit(ctx, store.AuditQuery{N: 100}))(t)
		if len(all) != 10 || all[0].ID < all[9].ID || must(s.CheckAudit(ctx))(t) != 0 {
			t.Fatalf("%d rows, the first that is broken %d", len(all), must(s.CheckAudit(ctx))(t))
		}
		if got := must(s.Audit(ctx, store.AuditQuery{Verb: "domain.save", N: 100}))(t); len(got) != 5 {
			t.Errorf("%d of one verb", len(got))
		}
		if got := must(s.Audit(ctx, store.AuditQuery{Words: "X_", N: 100, Before: all[4].ID}))(t); len(got) != 5 {
			t.Errorf("%d before one", len(got))
		}
		if got := must(s.Audit(ctx, store.AuditQuery{Words: "%", N: 100}))(t); len(got) != 0 {
			t.Errorf("%d by a sign", len(got))
		}
		if _, err := s.DB().ExecContext(ctx, "DELETE FROM audit WHERE id = $1", all[5].ID); err != nil {
			t.Fatal(err)
		}
		if broken := must(s.CheckAudit(ctx))(t); broken != all[4].ID {
			t.Errorf("a row is missing before %d, found before %d", all[4].ID, broken)
		}
	})
}
