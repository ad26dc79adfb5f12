package store

import (
	"context"
	"database/sql"

	"restante/internal/limits"
)

// Limits lists what admins have set, in a fixed order.
func (s *Store) Limits(ctx context.Context) ([]limits.Entry, error) {
	rows, err := s.db.QueryContext(ctx, limitRows)
	return collect(rows, err, scanLimit)
}

const limitRows = `SELECT scope, whose, name, value FROM limits ORDER BY scope, whose, name`

func scanLimit(r *sql.Rows) (e limits.Entry, err error) {
	return e, r.Scan(&e.Scope, &e.Of, &e.Name, &e.Value)
}

// LimitChange is a limit that is set, or taken away so that the wider one holds, and how the audit names that.
type LimitChange struct {
	limits.Entry
	Gone  bool
	Audit AuditRow
}

// ChangeLimits makes all of the changes, each with its row in the audit, or none.
func (s *Store) ChangeLimits(ctx context.Context, changes []LimitChange) error {
	return s.inTurn(ctx, func(tx *sql.Tx) error {
		for _, c := range changes {
			if err := setLimit(ctx, tx, c.Entry, c.Gone); err != nil {
				return err
			}
			if err := s.addAuditTx(ctx, tx, c.Audit); err != nil {
				return err
			}
		}
		return nil
	})
}

func setLimit(ctx context.Context, tx *sql.Tx, e limits.Entry, gone bool) (err error) {
	if gone {
		_, err = tx.ExecContext(ctx, `DELETE FROM limits WHERE scope = $1 AND whose = $2 AND name = $3`, e.Scope, e.Of, e.Name)
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO limits (scope, whose, name, value) VALUES ($1, $2, $3, $4)
		ON CONFLICT (scope, whose, name) DO UPDATE SET value = excluded.value`, e.Scope, e.Of, e.Name, e.Value)
	return err
}
