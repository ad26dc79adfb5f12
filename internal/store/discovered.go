package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Discovered is what was last found of a mail domain, "" for nothing. What it means is the business of whoever finds.
func (s *Store) Discovered(ctx context.Context, domain string) (found string, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT found FROM discovered WHERE domain = $1`, domain).Scan(&found)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return found, err
}

// KeepDiscovered replaces what was found of a domain. It stays until a time, a zero one means for ever.
func (s *Store) KeepDiscovered(ctx context.Context, domain, found string, until time.Time) error {
	_, err := s.db.ExecContext(ctx, `
		INSERT INTO discovered (domain, found, until_at) VALUES ($1, $2, $3)
		ON CONFLICT (domain) DO UPDATE SET found = excluded.found, until_at = excluded.until_at`, domain, found, toMS(until))
	return err
}

// SweepDiscovered removes what was to stay until a time that has come.
func (s *Store) SweepDiscovered(ctx context.Context) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM discovered WHERE until_at > 0 AND until_at <= $1`, s.ms())
	return err
}
