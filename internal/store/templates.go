package store

import (
	"context"
	"database/sql"
	"errors"
)

// Template is a text that a user writes again and again. HTML is "" for plain text.
type Template struct {
	ID, UserID              int64
	Name, Shortcut, Subject string
	Body, HTML              string
}

// MaxTemplates is how many templates a user may have.
const MaxTemplates = 200

// ErrEnough means that a user has as many as they may.
var ErrEnough = errors.New("as many as there may be")

// Templates lists a user's templates by name.
func (s *Store) Templates(ctx context.Context, userID int64) ([]Template, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, user_id, name, shortcut, subject, body, html FROM templates WHERE user_id = $1 ORDER BY lower(name), id`, userID)
	return collect(rows, err, func(r *sql.Rows) (t Template, err error) {
		return t, r.Scan(&t.ID, &t.UserID, &t.Name, &t.Shortcut, &t.Subject, &t.Body, &t.HTML)
	})
}

// SaveTemplate inserts (ID 0) or updates a template of its user: ErrNotFound, or ErrEnough.
func (s *Store) SaveTemplate(ctx context.Context, t Template) error {
	if t.ID != 0 {
		return changed(s.db.ExecContext(ctx, `UPDATE templates SET name = $1, shortcut = $2, subject = $3, body = $4, html = $5 WHERE id = $6 AND user_id = $7`,
			t.Name, t.Shortcut, t.Subject, t.Body, t.HTML, t.ID, t.UserID))
	}
	return s.InTx(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM templates WHERE user_id = $1`, t.UserID).Scan(&n); err != nil {
			return err
		}
		if n >= MaxTemplates {
			return ErrEnough
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO templates (user_id, name, shortcut, subject, body, html) VALUES ($1, $2, $3, $4, $5, $6)`,
			t.UserID, t.Name, t.Shortcut, t.Subject, t.Body, t.HTML)
		return err
	})
}

// DeleteTemplate removes a template of a user.
func (s *Store) DeleteTemplate(ctx context.Context, userID, id int64) error {
	return changed(s.db.ExecContext(ctx, `DELETE FROM templates WHERE id = $1 AND user_id = $2`, id, userID))
}
