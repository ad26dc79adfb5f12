package store

import (
	"context"
	"database/sql"
	"time"

	"restante/internal/limits"
)

// Domain is a mail domain that an admin has set up. Settings is its owner's own JSON.
type Domain struct {
	Name, Settings   string
	Created, Updated time.Time
}

// Domains lists the domains by their names.
func (s *Store) Domains(ctx context.Context) ([]Domain, error) {
	rows, err := s.db.QueryContext(ctx, domainRows)
	return collect(rows, err, scanDomain)
}

const domainRows = `SELECT name, settings, created_at, updated_at FROM domains ORDER BY name`

func scanDomain(r *sql.Rows) (d Domain, err error) {
	var created, updated int64
	err = r.Scan(&d.Name, &d.Settings, &created, &updated)
	d.Created, d.Updated = fromMS(created), fromMS(updated)
	return d, err
}

// SaveDomain sets a domain up, or changes it.
func (s *Store) SaveDomain(ctx context.Context, d Domain) error {
	return s.inTurn(ctx, func(tx *sql.Tx) error { return s.saveDomainTx(ctx, tx, d) })
}

func (s *Store) saveDomainTx(ctx context.Context, tx *sql.Tx, d Domain) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO domains (name, settings, created_at, updated_at) VALUES ($1, $2, $3, $3)
		ON CONFLICT (name) DO UPDATE SET settings = excluded.settings, updated_at = excluded.updated_at`, d.Name, d.Settings, s.ms())
	if err == nil {
		_, err = tx.ExecContext(ctx, `DELETE FROM domains_gone WHERE name = $1`, d.Name)
	}
	return err
}

// LastDomain is a domain as it is, or as it was when it was taken out, "" for one that never was. used says that people
// with an address there have signed in; written is the name in the letters of its language.
func (s *Store) LastDomain(ctx context.Context, name, written string) (settings string, used bool, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT COALESCE((SELECT settings FROM domains WHERE name = $1), (SELECT settings FROM domains_gone WHERE name = $1), ''),
		EXISTS (SELECT 1 FROM users WHERE address LIKE $2 ESCAPE '\' OR address LIKE $3 ESCAPE '\')`, name, "%@"+likeText(name), "%@"+likeText(written)).Scan(&settings, &used)
	return settings, used, err
}

// DeleteDomain takes a domain out, with its limits and what is said of its sender addresses. Its people stay, and cannot sign in; and LastDomain knows it still.
func (s *Store) DeleteDomain(ctx context.Context, name string) error {
	return s.inTurn(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM limits WHERE scope = $1 AND whose = $2`, limits.Domain, name); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM domain_policies WHERE domain = $1`, name); err != nil {
			return err
		}
		return dropDomainTx(ctx, tx, name)
	})
}

func dropDomainTx(ctx context.Context, tx *sql.Tx, name string) error {
	for _, query := range []string{
		`INSERT INTO domains_gone (name, settings) SELECT name, settings FROM domains WHERE name = $1`,
		`DELETE FROM domain_changes WHERE domain = $1`,
	} {
		if _, err := tx.ExecContext(ctx, query, name); err != nil {
			return err
		}
	}
	return changed(tx.ExecContext(ctx, `DELETE FROM domains WHERE name = $1`, name))
}

// Site gives the settings of the site by their names.
func (s *Store) Site(ctx context.Context) (map[string]string, error) {
	rows, err := s.db.QueryContext(ctx, siteRows)
	return collectSite(rows, err)
}

const siteRows = `SELECT name, value FROM site`

func collectSite(rows *sql.Rows, err error) (map[string]string, error) {
	type pair struct{ name, value string }
	all, err := collect(rows, err, func(r *sql.Rows) (p pair, err error) { return p, r.Scan(&p.name, &p.value) })
	out := map[string]string{}
	for _, p := range all {
		out[p.name] = p.value
	}
	return out, err
}

// SetSite changes a setting of the site; "" takes it away.
func (s *Store) SetSite(ctx context.Context, name, value string) error {
	return s.inTurn(ctx, func(tx *sql.Tx) error { return setSite(ctx, tx, name, value) })
}

func setSite(ctx context.Context, tx *sql.Tx, name, value string) error {
	query, args := `DELETE FROM site WHERE name = $1`, []any{name}
	if value != "" {
		query, args = `INSERT INTO site (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, []any{name, value}
	}
	_, err := tx.ExecContext(ctx, query, args...)
	return err
}

// The settings of the site.
const (
	SitePublicURL   = "public_url"   // where browsers reach it, as in the configuration
	SiteImportsHeld = "imports_held" // there while an admin has paused all imports
)
