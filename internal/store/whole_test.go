package store_test

import (
	"fmt"
	"sync"
	"testing"

	"restante/internal/limits"
	"restante/internal/store"
)

// TestPagesAndDocumentsTakeTurns: an admin saves a page in the moment in which another one applies a document. Neither
// waits for the other for ever, and what a page has set does not go unseen.
func TestPagesAndDocumentsTakeTurns(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		change := func(n int64) []store.LimitChange {
			return []store.LimitChange{
				{Entry: limits.Entry{Scope: limits.Site, Name: limits.Contacts, Value: n}, Audit: store.AuditRow{Who: "page", Verb: "limit"}},
				{Entry: limits.Entry{Scope: limits.Site, Name: limits.FileMB, Value: n}, Audit: store.AuditRow{Who: "page", Verb: "limit"}},
			}
		}
		var all sync.WaitGroup
		errs := make(chan error, 400)
		for i := range 30 {
			n := int64(i + 1)
			all.Go(func() { errs <- s.ChangeLimits(ctx, change(n)) })
			all.Go(func() { errs <- s.SaveDomain(ctx, store.Domain{Name: "page.example", Settings: fmt.Sprint(n)}) })
			all.Go(func() { errs <- s.SetSite(ctx, store.SitePublicURL, fmt.Sprint(n)) })
			all.Go(func() {
				errs <- s.ChangeWhole(ctx, func(now store.Whole) (store.WholeChange, error) {
					return store.WholeChange{Limits: change(n), Save: now.Domains, Site: now.Site}, nil
				})
			})
			all.Go(func() {
				w, err := s.Whole(ctx)
				if len(w.Limits) == 2 && w.Limits[0].Value != w.Limits[1].Value {
					err = fmt.Errorf("half of a change is seen: %v", w.Limits)
				}
				errs <- err
			})
		}
		all.Wait()
		close(errs)
		for err := range errs {
			if err != nil {
				t.Error(err)
			}
		}
		if broken, err := s.CheckAudit(ctx); broken != 0 || err != nil {
			t.Error(broken, err)
		}
	})
}
