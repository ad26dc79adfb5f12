package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// DomainChange is what an admin wants a domain to become, for another admin to agree to. Was are its settings when that
// was asked, as LastDomain has them, or what else was known of it.
type DomainChange struct {
	Domain, Settings, Was string
	AdminID               int64
	Admin                 string // by name
	At                    time.Time
}

// ErrOverlooked means that something was changed since it was looked at.
var ErrOverlooked = errors.New("changed meanwhile")

// AskDomainChange keeps a change until it is agreed to or refused, in the place of one that was asked before.
func (s *Store) AskDomainChange(ctx context.Context, c DomainChange) error {
	_, err := s.db.ExecContext(ctx, `INSERT INTO domain_changes (domain, settings, was, admin_id, at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (domain) DO UPDATE SET settings = excluded.settings, was = excluded.was, admin_id = excluded.admin_id, at = excluded.at`,
		c.Domain, c.Settings, c.Was, c.AdminID, s.ms())
	return err
}

// DomainChanges lists the changes that wait, by their domains.
func (s *Store) DomainChanges(ctx context.Context) ([]DomainChange, error) {
	rows, err := s.db.QueryContext(ctx, domainChangeRows+` ORDER BY c.domain`)
	return collect(rows, err, scanDomainChange)
}

const domainChangeRows = `SELECT c.domain, c.settings, c.was, c.admin_id, a.name, c.at FROM domain_changes c JOIN admins a ON a.id = c.admin_id`

func scanDomainChange(r *sql.Rows) (c DomainChange, err error) {
	var at int64
	err = r.Scan(&c.Domain, &c.Settings, &c.Was, &c.AdminID, &c.Admin, &at)
	c.At = fromMS(at)
	return c, err
}

// TakeDomainChange ends a change that waits, by the moment at which it was asked; the domain gets
// settings, if they are given, and the audit its row. ErrNotFound:
// it is over. ErrOverlooked: the domain, or what is wanted of it, is another by now; a change of another domain is gone then.
func (s *Store) TakeDomainChange(ctx context.Context, domain string, at time.Time, settings string, row AuditRow) error {
	overlooked := false
	err := s.inTurn(ctx, func(tx *sql.Tx) error {
		var was, now string
		var asked int64
		err := tx.QueryRowContext(ctx, `SELECT c.was, c.at, COALESCE(d.settings, g.settings, c.was) FROM domain_changes c
			LEFT JOIN domains d ON d.name = c.domain LEFT JOIN domains_gone g ON g.name = c.domain WHERE c.domain = $1`, domain).
			Scan(&was, &asked, &now)
		if err != nil {
			return one(err)
		}
		if asked != at.UnixMilli() {
			return ErrOverlooked
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM domain_changes WHERE domain = $1`, domain); err != nil {
			return err
		}
		if settings != "" {
			if overlooked = was != now; overlooked {
				return nil
			}
			if err := s.saveDomainTx(ctx, tx, Domain{Name: domain, Settings: settings}); err != nil {
				return err
			}
		}
		return s.addAuditTx(ctx, tx, row)
	})
	if err == nil && overlooked {
		return ErrOverlooked
	}
	return err
}
