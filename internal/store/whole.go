package store

import (
	"context"
	"database/sql"

	"restante/internal/limits"
)

// Whole is everything that admins have set up.
type Whole struct {
	Domains []Domain // by their names
	Gone    []Domain // that were taken out, as they were then
	Site    map[string]string
	Limits  []limits.Entry
	Senders map[string]Policy // by their domains
}

// WholeChange is what becomes of it. A setting of the site that is "" is taken away.
type WholeChange struct {
	Save    []Domain
	Delete  []string // names of domains
	Site    map[string]string
	Limits  []LimitChange
	Senders map[string]Policy // the zero one goes
	Audit   []AuditRow        // beside those of the limits
}

// inTurn is InTx for what changes any of it: one after the other, so that none is lost and no two wait for each other.
func (s *Store) inTurn(ctx context.Context, f func(tx *sql.Tx) error) error {
	return s.InTx(ctx, func(tx *sql.Tx) error {
		if err := s.lockAudit(ctx, tx); err != nil {
			return err
		}
		return f(tx)
	})
}

// Whole reads it, all as of one moment.
func (s *Store) Whole(ctx context.Context) (w Whole, err error) {
	err = s.inTurn(ctx, func(tx *sql.Tx) error {
		w, err = wholeTx(ctx, tx)
		return err
	})
	return w, err
}

func wholeTx(ctx context.Context, tx *sql.Tx) (w Whole, err error) {
	rows, err := tx.QueryContext(ctx, domainRows)
	if w.Domains, err = collect(rows, err, scanDomain); err != nil {
		return w, err
	}
	rows, err = tx.QueryContext(ctx, `SELECT name, settings, 0, 0 FROM domains_gone`)
	if w.Gone, err = collect(rows, err, scanDomain); err != nil {
		return w, err
	}
	rows, err = tx.QueryContext(ctx, siteRows)
	if w.Site, err = collectSite(rows, err); err != nil {
		return w, err
	}
	rows, err = tx.QueryContext(ctx, limitRows)
	if w.Limits, err = collect(rows, err, scanLimit); err != nil {
		return w, err
	}
	rows, err = tx.QueryContext(ctx, policyRows)
	w.Senders, err = collectPolicies(rows, err)
	return w, err
}

// ChangeWhole has f say what becomes of what is set up, and does all of it, each with its rows in the audit, or nothing.
func (s *Store) ChangeWhole(ctx context.Context, f func(now Whole) (WholeChange, error)) error {
	return s.inTurn(ctx, func(tx *sql.Tx) error {
		now, err := wholeTx(ctx, tx)
		if err != nil {
			return err
		}
		c, err := f(now)
		if err != nil {
			return err
		}
		return s.changeWholeTx(ctx, tx, c)
	})
}

func (s *Store) changeWholeTx(ctx context.Context, tx *sql.Tx, c WholeChange) error {
	for _, name := range c.Delete {
		if err := dropDomainTx(ctx, tx, name); err != nil {
			return err
		}
	}
	for _, d := range c.Save {
		if err := s.saveDomainTx(ctx, tx, d); err != nil {
			return err
		}
	}
	for name, value := range c.Site {
		if err := setSite(ctx, tx, name, value); err != nil {
			return err
		}
	}
	for _, l := range c.Limits {
		if err := setLimit(ctx, tx, l.Entry, l.Gone); err != nil {
			return err
		}
		c.Audit = append(c.Audit, l.Audit)
	}
	for domain, p := range c.Senders {
		if err := setPolicy(ctx, tx, domain, p); err != nil {
			return err
		}
	}
	for _, a := range c.Audit {
		if err := s.addAuditTx(ctx, tx, a); err != nil {
			return err
		}
	}
	return nil
}
