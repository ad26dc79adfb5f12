package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"restante/migrations"
)

// AuditRow is something that was done: by whom ("admin owner", "setup", "command"), what, on what, from which network,
// with what result. Chain holds it to the row before: a row that was changed or taken out shows.
type AuditRow struct {
	ID                                          int64
	At                                          time.Time
	Who, Verb, Object, Network, Result, Session string
	Chain                                       string
}

// sum is what Chain must be behind a row whose chain is before.
func (a AuditRow) sum(before string) string {
	h := sha256.Sum256(fmt.Appendf(nil, "%s\n%d\n%q\n%q\n%q\n%q\n%q\n%q", before, a.At.UnixMilli(), a.Who, a.Verb, a.Object, a.Network, a.Result, a.Session))
	return hex.EncodeToString(h[:])
}

// AddAudit notes something that was done.
func (s *Store) AddAudit(ctx context.Context, a AuditRow) error {
	return s.InTx(ctx, func(tx *sql.Tx) error { return s.addAuditTx(ctx, tx, a) })
}

// addAuditTx notes it with what it is about, or not at all.
func (s *Store) addAuditTx(ctx context.Context, tx *sql.Tx, a AuditRow) error {
	if err := s.lockAudit(ctx, tx); err != nil {
		return err
	}
	var before string
	err := tx.QueryRowContext(ctx, `SELECT chain FROM audit ORDER BY id DESC LIMIT 1`).Scan(&before)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	a.At = fromMS(s.ms())
	_, err = tx.ExecContext(ctx, `INSERT INTO audit (at, who, verb, object, network, result, session, chain) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		a.At.UnixMilli(), a.Who, a.Verb, a.Object, a.Network, a.Result, a.Session, a.sum(before))
	return err
}

// lockAudit lets one at a time write into the audit. SQLite has one writer.
func (s *Store) lockAudit(ctx context.Context, tx *sql.Tx) error {
	if s.dialect != migrations.Postgres {
		return nil
	}
	_, err := tx.ExecContext(ctx, `LOCK TABLE audit IN SHARE ROW EXCLUSIVE MODE`)
	return err
}

// AuditQuery asks for rows, the newest first: those of a verb or with words in who or object, before an id (0: all).
type AuditQuery struct {
	Verb, Words string
	Before      int64
	N           int
}

// Audit lists what was done.
func (s *Store) Audit(ctx context.Context, q AuditQuery) ([]AuditRow, error) {
	words := "%" + likeText(strings.ToLower(q.Words)) + "%"
	rows, err := s.db.QueryContext(ctx, `SELECT id, at, who, verb, object, network, result, session, chain FROM audit
		WHERE ($1 = '' OR verb = $1) AND (LOWER(who) LIKE $2 ESCAPE '\' OR LOWER(object) LIKE $2 ESCAPE '\') AND (CAST($3 AS BIGINT) = 0 OR id < $3) ORDER BY id DESC LIMIT $4`, q.Verb, words, q.Before, q.N)
	return collect(rows, err, scanAudit)
}

func scanAudit(r *sql.Rows) (a AuditRow, err error) {
	var at int64
	err = r.Scan(&a.ID, &at, &a.Who, &a.Verb, &a.Object, &a.Network, &a.Result, &a.Session, &a.Chain)
	a.At = fromMS(at)
	return a, err
}

// CheckAudit gives the first row that does not follow from the one before it, 0 if all do. The oldest that is kept is
// believed.
func (s *Store) CheckAudit(ctx context.Context) (broken int64, err error) {
	before, after := "", int64(0)
	for {
		rows, err := s.db.QueryContext(ctx, `SELECT id, at, who, verb, object, network, result, session, chain FROM audit WHERE id > $1 ORDER BY id LIMIT 1000`, after)
		list, err := collect(rows, err, scanAudit)
		if err != nil || len(list) == 0 {
			return 0, err
		}
		for _, a := range list {
			if after > 0 && a.sum(before) != a.Chain {
				return a.ID, nil
			}
			before, after = a.Chain, a.ID
		}
	}
}

// SweepAudit removes what is older than 400 days.
func (s *Store) SweepAudit(ctx context.Context) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM audit WHERE at < $1`, s.now().AddDate(0, 0, -400).UnixMilli())
	return err
}
