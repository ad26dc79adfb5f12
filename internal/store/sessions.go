package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// SessionRow is one signed-in browser of a user.
type SessionRow struct {
	Hash            string
	Device, Network string
	Created, SeenAt time.Time
	Expiry          time.Time
}

// living is the condition of sessions that live at a time: until they expire or have not been used for as long as they
// may be idle (0: for ever). table is what their columns are called by, with its dot, or "".
func living(table, now string) string {
	return table + "expiry > " + now + " AND (" + table + "idle = 0 OR " + table + "seen_at + " + table + "idle > " + now + ")"
}

// FindCtx is part of scs.CtxStore: the data of a hashed token of a session that lives.
func (s *Store) FindCtx(ctx context.Context, hash string) ([]byte, bool, error) {
	var data []byte
	err := s.db.QueryRowContext(ctx, `SELECT data FROM sessions WHERE token_hash = $1 AND `+living("", "$2"), hash, s.ms()).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	return data, err == nil, err
}

// CommitCtx is part of scs.CtxStore. An update keeps the row's user and device; a session that has ended stays so,
// whatever a request that was still on its way then wants to keep in it.
func (s *Store) CommitCtx(ctx context.Context, hash string, data []byte, expiry time.Time) error {
	return s.lightly(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO sessions (token_hash, data, expiry, created_at, seen_at) VALUES ($1, $2, $3, $4, $4)
			ON CONFLICT (token_hash) DO UPDATE SET data = excluded.data, expiry = excluded.expiry, seen_at = excluded.seen_at
			WHERE `+living("sessions.", "excluded.seen_at"),
			hash, data, expiry.UnixMilli(), s.ms())
		return err
	})
}

// DeleteCtx is part of scs.CtxStore. The row stays for a day, without its data: see CommitCtx.
func (s *Store) DeleteCtx(ctx context.Context, hash string) error {
	_, err := s.db.ExecContext(ctx, `UPDATE sessions SET data = $1, expiry = $2 WHERE token_hash = $3`, []byte{}, s.ms(), hash)
	return err
}

// Find is part of scs.Store.
func (s *Store) Find(hash string) ([]byte, bool, error) { return s.FindCtx(context.Background(), hash) }

// Commit is part of scs.Store.
func (s *Store) Commit(hash string, data []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), hash, data, expiry)
}

// Delete is part of scs.Store.
func (s *Store) Delete(hash string) error { return s.DeleteCtx(context.Background(), hash) }

// TagSession names the user, device and network block of a session, and how long it may be idle.
func (s *Store) TagSession(ctx context.Context, hash string, userID int64, device, network string, idle time.Duration) error {
	return changed(s.db.ExecContext(ctx, `UPDATE sessions SET user_id = $1, device = $2, network = $3, idle = $4 WHERE token_hash = $5`,
		userID, device, network, idle.Milliseconds(), hash))
}

// TouchSession notes that a living session is used. Its data stays as it is: requests beside this one may be at it.
func (s *Store) TouchSession(ctx context.Context, hash string) error {
	return s.lightly(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE sessions SET seen_at = $2 WHERE token_hash = $1 AND `+living("", "$2"), hash, s.ms())
		return err
	})
}

// Sessions lists a user's living sessions, the latest used first.
func (s *Store) Sessions(ctx context.Context, userID int64) ([]SessionRow, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT token_hash, device, network, created_at, seen_at, expiry FROM sessions
		WHERE user_id = $1 AND `+living("", "$2")+` ORDER BY seen_at DESC`, userID, s.ms())
	return collect(rows, err, func(r *sql.Rows) (SessionRow, error) { return scanSession(r) })
}

// scanSession reads a session, and what the query asks for behind it.
func scanSession(r *sql.Rows, more ...any) (v SessionRow, err error) {
	var created, seen, expiry int64
	err = r.Scan(append([]any{&v.Hash, &v.Device, &v.Network, &created, &seen, &expiry}, more...)...)
	v.Created, v.SeenAt, v.Expiry = fromMS(created), fromMS(seen), fromMS(expiry)
	return v, err
}

// SessionAlive says whether a session has not been ended elsewhere.
func (s *Store) SessionAlive(ctx context.Context, hash string) (bool, error) {
	_, ok, err := s.FindCtx(ctx, hash)
	return ok, err
}

// EndSession signs one browser of a user out.
func (s *Store) EndSession(ctx context.Context, userID int64, hash string) error {
	return changed(s.db.ExecContext(ctx, `UPDATE sessions SET data = $1, expiry = $2 WHERE token_hash = $3 AND user_id = $4 AND expiry > $2`, []byte{}, s.ms(), hash, userID))
}

// EndOtherSessions signs a user out everywhere but at keep, and says how many ended.
func (s *Store) EndOtherSessions(ctx context.Context, userID int64, keep string) (int64, error) {
	res, err := s.db.ExecContext(ctx, `UPDATE sessions SET data = $1, expiry = $2 WHERE user_id = $3 AND token_hash <> $4 AND expiry > $2`, []byte{}, s.ms(), userID, keep)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// SweepSessions removes what ended more than a day ago.
func (s *Store) SweepSessions(ctx context.Context) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM sessions WHERE expiry <= $1 OR idle > 0 AND seen_at + idle <= $1`, s.ms()-24*3600*1000)
	return err
}
