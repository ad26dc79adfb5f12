package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"restante/internal/limits"
)

// Counts are the figures of the whole site.
type Counts struct {
	Users, Sessions int // people who have signed in once, and browsers that are signed in now
	Waiting, Held   int // mails on their way, and those that their writer has to look at
}

// Counts counts.
func (s *Store) Counts(ctx context.Context) (c Counts, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT
		(SELECT COUNT(*) FROM users),
		(SELECT COUNT(*) FROM sessions WHERE user_id IS NOT NULL AND `+living("", "$1")+`),
		(SELECT COUNT(*) FROM outbox WHERE state IN ('held', 'waiting', 'connecting', 'data', 'dot', 'accepted')),
		(SELECT COUNT(*) FROM outbox WHERE state IN ('rejected', 'signin', 'identity', 'toobig', 'config', 'uncertain', 'partly'))`, s.ms()).Scan(&c.Users, &c.Sessions, &c.Waiting, &c.Held)
	return c, err
}

// UserSeen is a user as an admin sees them.
type UserSeen struct {
	ID       int64
	Address  string
	Created  time.Time
	SeenAt   time.Time // the latest sign-in or use of a session that is still known
	Sessions int       // that live
	Locked   bool
}

// UsersSeen lists up to n users whose address holds words, by their addresses, after one ("": from the first).
func (s *Store) UsersSeen(ctx context.Context, words, after string, n int) ([]UserSeen, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT u.id, u.address, u.created_at, u.seen_at, u.locked,
			COALESCE((SELECT MAX(seen_at) FROM sessions WHERE user_id = u.id), 0),
			(SELECT COUNT(*) FROM sessions WHERE user_id = u.id AND `+living("", "$1")+`)
		FROM users u WHERE u.address LIKE $2 ESCAPE '\' AND u.address > $3 ORDER BY u.address LIMIT $4`,
		s.ms(), "%"+likeText(strings.ToLower(words))+"%", after, n)
	return collect(rows, err, func(r *sql.Rows) (p UserSeen, err error) {
		var created, seen, used int64
		err = r.Scan(&p.ID, &p.Address, &created, &seen, &p.Locked, &used, &p.Sessions)
		p.Created, p.SeenAt = fromMS(created), fromMS(max(seen, used))
		return p, err
	})
}

// UserSession is a living session, and whose it is.
type UserSession struct {
	SessionRow
	UserID  int64
	Address string
}

// AllSessions lists up to n living sessions of all users, or of one (0: all), the latest used first.
func (s *Store) AllSessions(ctx context.Context, userID int64, n int) ([]UserSession, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT s.token_hash, s.device, s.network, s.created_at, s.seen_at, s.expiry, u.id, u.address FROM sessions s JOIN users u ON u.id = s.user_id
		WHERE (CAST($1 AS BIGINT) = 0 OR u.id = $1) AND `+living("s.", "$2")+` ORDER BY s.seen_at DESC LIMIT $3`, userID, s.ms(), n)
	return collect(rows, err, func(r *sql.Rows) (v UserSession, err error) {
		v.SessionRow, err = scanSession(r, &v.UserID, &v.Address)
		return v, err
	})
}

// Holdings are what is kept of a user here. Mail is on the mail server.
type Holdings struct{ Drafts, Outbox, Contacts, Sources int }

// Holds counts what is kept of a user; Outbox are mails that have not reached everybody.
func (s *Store) Holds(ctx context.Context, userID int64) (h Holdings, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT
		(SELECT COUNT(*) FROM drafts WHERE user_id = $1 AND state = 'open'),
		(SELECT COUNT(*) FROM outbox WHERE user_id = $1 AND state NOT IN ('sent', 'undone')),
		(SELECT COUNT(*) FROM contacts WHERE user_id = $1),
		(SELECT COUNT(*) FROM sources WHERE user_id = $1)`, userID).Scan(&h.Drafts, &h.Outbox, &h.Contacts, &h.Sources)
	return h, err
}

// lockedOut are the users whom LockUser keeps out: nothing of theirs is done meanwhile.
const lockedOut = `(SELECT id FROM users WHERE locked)`

// LockUser keeps a user out, and ends their sessions; or lets them in again. What goes on for them in the background waits
// meanwhile.
func (s *Store) LockUser(ctx context.Context, userID int64, locked bool) error {
	return s.InTx(ctx, func(tx *sql.Tx) error {
		if err := changed(tx.ExecContext(ctx, `UPDATE users SET locked = $1 WHERE id = $2`, locked, userID)); err != nil || !locked {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE sessions SET data = $1, expiry = $2 WHERE user_id = $3 AND expiry > $2`, []byte{}, s.ms(), userID)
		return err
	})
}

// RemoveUser removes all that is kept of a user: settings, limits, drafts, outbox, contacts, sources, sessions.
func (s *Store) RemoveUser(ctx context.Context, userID int64) error {
	return s.InTx(ctx, func(tx *sql.Tx) error {
		var address string
		if err := tx.QueryRowContext(ctx, `DELETE FROM users WHERE id = $1 RETURNING address`, userID).Scan(&address); err != nil {
			return one(err)
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM limits WHERE scope = $1 AND whose IN ($2, $3)`, limits.Person, address, limits.Address(address))
		return err
	})
}
