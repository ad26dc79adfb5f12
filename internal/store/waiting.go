package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"
)

// WaitingAct is an act that waits until the mail server can be used. Act and Words are its owner's own JSON. Problem,
// where it is set, says why it could not be done, for Missed of its mails.
type WaitingAct struct {
	ID, UserID, AccountID int64
	Act, Words, Problem   string
	Missed                int
}

// MaxWaiting is how many acts of an account wait at most.
const MaxWaiting = 500

// ErrTooManyWaiting means that as many acts wait as may.
var ErrTooManyWaiting = errors.New("too many acts wait for the mail server")

const waitingColumns = `id, user_id, account_id, act, words, problem, missed`

func scanWaiting(r interface{ Scan(...any) error }) (w WaitingAct, err error) {
	return w, r.Scan(&w.ID, &w.UserID, &w.AccountID, &w.Act, &w.Words, &w.Problem, &w.Missed)
}

// AddWaiting has an act wait behind those of its account that wait already, and gives its id.
func (s *Store) AddWaiting(ctx context.Context, w WaitingAct) (id int64, err error) {
	err = s.db.QueryRowContext(ctx, `
		INSERT INTO waiting_acts (user_id, account_id, act, words, created_at)
		SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS BIGINT)
		WHERE (SELECT COUNT(*) FROM waiting_acts WHERE user_id = $1 AND account_id = $2) < $6 RETURNING id`,
		w.UserID, w.AccountID, w.Act, w.Words, s.ms(), MaxWaiting).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, ErrTooManyWaiting
	}
	return id, err
}

// Waiting are the acts of an account that wait, in their order.
func (s *Store) Waiting(ctx context.Context, userID, accountID int64) ([]WaitingAct, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+waitingColumns+` FROM waiting_acts WHERE user_id = $1 AND account_id = $2 AND problem = '' ORDER BY id`, userID, accountID)
	return collect(rows, err, func(r *sql.Rows) (WaitingAct, error) { return scanWaiting(r) })
}

// TakeWaiting claims the first act of an account that waits, until lease ends. ErrNotFound: there is none, or another has it.
func (s *Store) TakeWaiting(ctx context.Context, userID, accountID int64, lease time.Duration) (WaitingAct, error) {
	now := s.ms()
	w, err := scanWaiting(s.db.QueryRowContext(ctx, `UPDATE waiting_acts SET taken_until = $1
		WHERE id = (SELECT MIN(id) FROM waiting_acts WHERE user_id = $2 AND account_id = $3 AND problem = '') AND taken_until < $4 RETURNING `+waitingColumns,
		now+lease.Milliseconds(), userID, accountID, now))
	return w, one(err)
}

// LeaveWaiting lets go of an act that was claimed: it waits on.
func (s *Store) LeaveWaiting(ctx context.Context, id int64) error {
	return changed(s.db.ExecContext(ctx, `UPDATE waiting_acts SET taken_until = 0 WHERE id = $1`, id))
}

// EndWaiting ends an act that was claimed: with a problem, which is to be told for so many of its mails, or done.
func (s *Store) EndWaiting(ctx context.Context, id int64, problem string, missed int) error {
	if problem == "" {
		return changed(s.db.ExecContext(ctx, `DELETE FROM waiting_acts WHERE id = $1`, id))
	}
	return changed(s.db.ExecContext(ctx, `UPDATE waiting_acts SET problem = $1, missed = $2 WHERE id = $3`, problem, missed, id))
}

// DropWaiting takes an act of a user out of those that wait. ErrNotFound: it does not wait any more.
func (s *Store) DropWaiting(ctx context.Context, userID, id int64) (WaitingAct, error) {
	w, err := scanWaiting(s.db.QueryRowContext(ctx, `DELETE FROM waiting_acts WHERE id = $1 AND user_id = $2 AND problem = '' AND taken_until < $3 RETURNING `+waitingColumns, id, userID, s.ms()))
	return w, one(err)
}

// TellWaiting are the acts of a user that could not be done: once only.
func (s *Store) TellWaiting(ctx context.Context, userID int64) ([]WaitingAct, error) {
	rows, err := s.db.QueryContext(ctx, `DELETE FROM waiting_acts WHERE user_id = $1 AND problem <> '' RETURNING `+waitingColumns, userID)
	acts, err := collect(rows, err, func(r *sql.Rows) (WaitingAct, error) { return scanWaiting(r) })
	slices.SortFunc(acts, func(a, b WaitingAct) int { return cmp.Compare(a.ID, b.ID) })
	return acts, err
}
