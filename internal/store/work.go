package store

import (
	"context"
	"database/sql"
	"time"
)

// WorkState is where an act in the background stands.
type WorkState string

// The states of work. Waiting is taken up by a worker; Stopping ends once its worker has seen it.
const (
	WorkWaiting  WorkState = "waiting"
	WorkRunning  WorkState = "running"
	WorkStopping WorkState = "stopping"
	WorkDone     WorkState = "done"
	WorkStopped  WorkState = "stopped"
	WorkFailed   WorkState = "failed"
)

// Work is an act on many mails, done batch by batch. Steps and Words are its owner's own JSON. At counts the mails
// that have had their turn, Done those that were changed.
type Work struct {
	ID, UserID, AccountID  int64
	State                  WorkState
	Steps, Words           string
	Total, At, Done, Tries int
	Problem                string
	Cred                   []byte // sealed; gone once the work has ended
}

const workColumns = `id, user_id, account_id, state, steps, words, total, at, done, tries, problem, cred`

func scanWork(r interface{ Scan(...any) error }) (w Work, err error) {
	return w, r.Scan(&w.ID, &w.UserID, &w.AccountID, &w.State, &w.Steps, &w.Words, &w.Total, &w.At, &w.Done, &w.Tries, &w.Problem, &w.Cred)
}

// AddWorkTx puts work into the caller's transaction, waiting, and gives its id.
func (s *Store) AddWorkTx(ctx context.Context, tx *sql.Tx, w Work) (id int64, err error) {
	err = tx.QueryRowContext(ctx, `
		INSERT INTO work (user_id, account_id, state, steps, words, total, cred, created_at, updated_at)
		VALUES ($1, $2, 'waiting', $3, $4, $5, $6, $7, $7) RETURNING id`,
		w.UserID, w.AccountID, w.Steps, w.Words, w.Total, w.Cred, s.ms()).Scan(&id)
	return id, err
}

// TakeWork claims work for node until lease ends: what waits, and what a dead worker left. ErrNotFound when there is
// nothing to do.
func (s *Store) TakeWork(ctx context.Context, id int64, node string, lease time.Duration) (Work, error) {
	now := s.ms()
	w, err := scanWork(s.db.QueryRowContext(ctx, `
		UPDATE work SET taken_by = $1, taken_until = $2, updated_at = $3, state = CASE WHEN state = 'waiting' THEN 'running' ELSE state END
		WHERE id = $4 AND state IN ('waiting', 'running', 'stopping') AND taken_until < $3 AND user_id NOT IN `+lockedOut+` RETURNING `+workColumns, node, now+lease.Milliseconds(), now, id))
	return w, one(err)
}

// RecordWork records how far node has come, with how the last batch is taken back, and renews its lease. state is what
// the work is to be by now: stopping when its person wants that, waiting while they are locked. ErrNotFound: it is another worker's.
func (s *Store) RecordWork(ctx context.Context, w Work, node, back string, lease time.Duration) (state WorkState, err error) {
	err = s.InTx(ctx, func(tx *sql.Tx) error {
		now := s.ms()
		err := tx.QueryRowContext(ctx, `UPDATE work SET at = $1, done = $2, tries = $3, taken_until = $4, updated_at = $5 WHERE id = $6 AND taken_by = $7
			RETURNING CASE WHEN state = 'running' AND user_id IN `+lockedOut+` THEN 'waiting' ELSE state END`,
			w.At, w.Done, w.Tries, now+lease.Milliseconds(), now, w.ID, node).Scan(&state)
		if err != nil || back == "" {
			return one(err)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO work_back (work_id, steps) VALUES ($1, $2)`, w.ID, back)
		return err
	})
	return state, err
}

// FinishWork lets go of work: ended, or waiting until a later time.
func (s *Store) FinishWork(ctx context.Context, w Work, node string, next time.Time) error {
	return changed(s.db.ExecContext(ctx, `
		UPDATE work SET state = CASE WHEN state = 'stopping' AND $1 = 'waiting' THEN 'stopped' ELSE $1 END, problem = CASE WHEN state = 'stopping' AND problem = '`+StoppedByAdmin+`' THEN problem ELSE $2 END, tries = $3, taken_by = '', taken_until = $4, updated_at = $5,
			cred = CASE WHEN $1 = 'waiting' AND state <> 'stopping' THEN cred ELSE NULL END
		WHERE id = $6 AND taken_by = $7`, string(w.State), w.Problem, w.Tries, toMS(next), s.ms(), w.ID, node))
}

// StopWork asks for a user's work to end. What waits ends at once.
func (s *Store) StopWork(ctx context.Context, userID, id int64) error {
	return changed(s.db.ExecContext(ctx, `
		UPDATE work SET state = CASE WHEN state = 'waiting' THEN 'stopped' ELSE 'stopping' END, updated_at = $1
		WHERE id = $2 AND user_id = $3 AND state IN ('waiting', 'running', 'stopping')`, s.ms(), id, userID))
}

// NewestWork is a user's last work that is under way, or whose end they have not been told. ErrNotFound: there is none.
func (s *Store) NewestWork(ctx context.Context, userID int64) (Work, error) {
	w, err := scanWork(s.db.QueryRowContext(ctx, `SELECT `+workColumns+` FROM work WHERE user_id = $1 AND NOT told
		ORDER BY CASE WHEN state IN ('waiting', 'running', 'stopping') THEN 1 ELSE 0 END, id DESC LIMIT 1`, userID))
	return w, one(err)
}

// TellWork notes that the person was told the end of their work: once only.
func (s *Store) TellWork(ctx context.Context, userID, id int64) error {
	return changed(s.db.ExecContext(ctx, `UPDATE work SET told = TRUE WHERE id = $1 AND user_id = $2 AND NOT told`, id, userID))
}

// WorkBack are the JSON lists of steps that take work back, batch by batch.
func (s *Store) WorkBack(ctx context.Context, userID, id int64) ([]string, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT b.steps FROM work_back b JOIN work w ON w.id = b.work_id WHERE w.id = $1 AND w.user_id = $2 ORDER BY b.id`, id, userID)
	return collect(rows, err, func(r *sql.Rows) (steps string, err error) { return steps, r.Scan(&steps) })
}

// DueWork are the ids of work that a worker should look at now: for the wake-up after a restart.
func (s *Store) DueWork(ctx context.Context) ([]int64, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id FROM work WHERE state IN ('waiting', 'running', 'stopping') AND taken_until < $1 AND user_id NOT IN `+lockedOut+` ORDER BY id LIMIT 1000`, s.ms())
	return collect(rows, err, func(r *sql.Rows) (id int64, err error) { return id, r.Scan(&id) })
}

// SweepWork removes work that ended more than 7 days ago.
func (s *Store) SweepWork(ctx context.Context) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM work WHERE state IN ('done', 'stopped', 'failed') AND updated_at < $1`, s.ms()-7*24*3600*1000)
	return err
}
