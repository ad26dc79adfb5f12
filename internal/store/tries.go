package store

import (
	"context"
	"database/sql"
	"slices"
	"time"
)

// Tries is what is kept of wrong sign-ins under one key. What it means is the business of whoever counts.
type Tries struct {
	Wrong int
	Last  time.Time // the latest of them
	Next  time.Time // when a next one is foreseen
}

// CountTries hands f the tries under each of keys, in their order, and keeps what f leaves there. Of many at once, on
// any number of nodes, each sees what the one before it left.
func (s *Store) CountTries(ctx context.Context, keys []string, f func(tries []Tries)) error {
	inOrder := slices.Clone(keys)
	slices.Sort(inOrder) // rows are locked in one order, so that no two wait for each other
	return s.InTx(ctx, func(tx *sql.Tx) error {
		was := make([]Tries, len(keys))
		for _, key := range inOrder {
			t, err := lockTries(ctx, tx, key)
			if err != nil {
				return err
			}
			was[slices.Index(keys, key)] = t
		}
		now := slices.Clone(was)
		f(now)
		for i, t := range now {
			if t == was[i] {
				continue
			}
			if _, err := tx.ExecContext(ctx, `UPDATE sign_in_tries SET wrong = $1, last_at = $2, next_at = $3 WHERE key = $4`,
				t.Wrong, toMS(t.Last), toMS(t.Next), keys[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// lockTries reads the row of a key, made if there is none, and keeps others from it until the transaction ends.
func lockTries(ctx context.Context, tx *sql.Tx, key string) (t Tries, err error) {
	var last, next int64
	err = tx.QueryRowContext(ctx, `
		INSERT INTO sign_in_tries (key) VALUES ($1) ON CONFLICT (key) DO UPDATE SET wrong = sign_in_tries.wrong
		RETURNING wrong, last_at, next_at`, key).Scan(&t.Wrong, &last, &next)
	t.Last, t.Next = fromMS(last), fromMS(next)
	return t, err
}

// SweepTries removes tries that nothing has happened to for an hour.
func (s *Store) SweepTries(ctx context.Context) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM sign_in_tries WHERE last_at <= $1 AND next_at <= $1`, s.ms()-3600*1000)
	return err
}
