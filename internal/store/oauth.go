package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// ErrTooManyFlows means that a network has begun more sign-ins by a provider than it may.
var ErrTooManyFlows = errors.New("too many sign-ins are under way")

const (
	maxFlows    = 10_000 // that are under way
	networkMost = 60     // from one network
	browserMost = 8      // from one browser: each page that asks for a sign-in begins one
	flowBytes   = 64 << 20
	flowSmall   = 8 << 10 // of one that carries nothing: others that carry much do not keep it out
)

// AddFlow keeps a sign-in that was begun, under the hashes of its state and of the browser's cookie. data is sealed. Those
// that the same browser began long before go.
func (s *Store) AddFlow(ctx context.Context, state, browser, network string, data []byte, lives time.Duration) error {
	return s.InTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM oauth_flows WHERE expires_at <= $1`, s.ms()); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM oauth_flows WHERE state_hash IN (
			SELECT state_hash FROM oauth_flows WHERE browser_hash = $1 ORDER BY expires_at DESC, state_hash LIMIT $2 OFFSET $3)`, browser, maxFlows, browserMost-1)
		if err != nil {
			return err
		}
		var all, here, octets int
		err = tx.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(SUM(CASE WHEN network = $1 THEN 1 ELSE 0 END), 0), COALESCE(SUM(LENGTH(data)), 0) FROM oauth_flows`, network).Scan(&all, &here, &octets)
		if err != nil {
			return err
		}
		if all >= maxFlows || here >= networkMost || len(data) > flowSmall && octets+len(data) > flowBytes {
			return ErrTooManyFlows
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO oauth_flows (state_hash, browser_hash, network, data, expires_at) VALUES ($1, $2, $3, $4, $5)`,
			state, browser, network, data, s.now().Add(lives).UnixMilli())
		return err
	})
}

// TakeFlow gives the data of a sign-in that this browser has begun and that is not over, once.
func (s *Store) TakeFlow(ctx context.Context, state, browser string) (data []byte, err error) {
	err = s.db.QueryRowContext(ctx, `DELETE FROM oauth_flows WHERE state_hash = $1 AND browser_hash = $2 AND expires_at > $3 RETURNING data`, state, browser, s.ms()).Scan(&data)
	return data, one(err)
}

// UserByIdentity is whom a provider knows as subject, or ErrNotFound.
func (s *Store) UserByIdentity(ctx context.Context, issuer, subject string) (User, error) {
	var id int64
	err := s.db.QueryRowContext(ctx, `SELECT user_id FROM oauth_identities WHERE issuer = $1 AND subject = $2`, issuer, subject).Scan(&id)
	if err != nil {
		return User{}, one(err)
	}
	return s.User(ctx, id)
}

// Issuers are where the user of an address is known by an id, none where they sign in with a password.
func (s *Store) Issuers(ctx context.Context, address string) ([]string, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT i.issuer FROM oauth_identities i JOIN users u ON u.id = i.user_id WHERE u.address = $1 ORDER BY i.issuer`, userAddress(address))
	return collect(rows, err, func(r *sql.Rows) (issuer string, err error) { return issuer, r.Scan(&issuer) })
}

// Identify lets a user sign in as subject of a provider from now on, and no more as whom former issuers knew. ErrTaken:
// another one does, or the user as another.
func (s *Store) Identify(ctx context.Context, userID int64, issuer, subject string, former ...string) error {
	return s.InTx(ctx, func(tx *sql.Tx) error {
		for _, old := range former {
			if _, err := tx.ExecContext(ctx, `DELETE FROM oauth_identities WHERE user_id = $1 AND issuer = $2`, userID, old); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO oauth_identities (issuer, subject, user_id, created_at)
			SELECT $1, $2, $3, $4 WHERE NOT EXISTS (SELECT 1 FROM oauth_identities WHERE user_id = $3) ON CONFLICT (issuer, subject) DO NOTHING`,
			issuer, subject, userID, s.ms())
		if err != nil {
			return err
		}
		var n int
		err = tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM oauth_identities WHERE issuer = $1 AND subject = $2 AND user_id = $3`, issuer, subject, userID).Scan(&n)
		if err == nil && n == 0 {
			err = ErrTaken
		}
		return err
	})
}

// ForgetIdentity lets another person at the provider become a user, who signs in next with their mailbox.
func (s *Store) ForgetIdentity(ctx context.Context, userID int64) error {
	return changed(s.db.ExecContext(ctx, `DELETE FROM oauth_identities WHERE user_id = $1`, userID))
}

// Token is what a provider gave to act for a user.
type Token struct {
	ID, UserID      int64
	Issuer, Subject string
	Domain          string // whose settings say how the provider is asked
	Refresh         []byte // sealed
	DeadAt          time.Time
	ServerText      string // why it is dead
}

const tokenColumns = `id, user_id, issuer, subject, domain, refresh, dead_at, server_text`

func scanToken(r interface{ Scan(...any) error }) (t Token, err error) {
	var dead int64
	err = r.Scan(&t.ID, &t.UserID, &t.Issuer, &t.Subject, &t.Domain, &t.Refresh, &dead, &t.ServerText)
	t.DeadAt = fromMS(dead)
	return t, one(err)
}

// SaveToken keeps what a provider gave, in the place of what it gave for the same person before, and gives its id. seal
// seals the refresh token to that id.
func (s *Store) SaveToken(ctx context.Context, t Token, seal func(id int64) []byte) (id int64, err error) {
	err = s.InTx(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `
			INSERT INTO oauth_tokens (user_id, issuer, subject, domain, refresh, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $6)
			ON CONFLICT (user_id, issuer, subject) DO UPDATE SET domain = excluded.domain, updated_at = excluded.updated_at RETURNING id`,
			t.UserID, t.Issuer, t.Subject, t.Domain, []byte{}, s.ms()).Scan(&id)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE oauth_tokens SET refresh = $1, dead_at = 0, server_text = '', taken_until = 0 WHERE id = $2`, seal(id), id)
		return err
	})
	return id, err
}

// Token is a token by its id, or ErrNotFound.
func (s *Store) Token(ctx context.Context, id int64) (Token, error) {
	return scanToken(s.db.QueryRowContext(ctx, `SELECT `+tokenColumns+` FROM oauth_tokens WHERE id = $1`, id))
}

// TokenDead says whether a token is of no use any more, and why.
func (s *Store) TokenDead(ctx context.Context, id int64) (dead bool, why string, err error) {
	var at int64
	err = s.db.QueryRowContext(ctx, `SELECT dead_at, server_text FROM oauth_tokens WHERE id = $1`, id).Scan(&at, &why)
	if errors.Is(err, sql.ErrNoRows) {
		return true, "", nil
	}
	return at > 0, why, err
}

// TakeToken gives a token to one node, which asks the provider with it, for a while. ErrTaken: another one does so now.
func (s *Store) TakeToken(ctx context.Context, id int64, node string, lease time.Duration) (Token, error) {
	t, err := scanToken(s.db.QueryRowContext(ctx, `
		UPDATE oauth_tokens SET taken_by = $1, taken_until = $2 WHERE id = $3 AND taken_until <= $4 RETURNING `+tokenColumns,
		node, s.now().Add(lease).UnixMilli(), id, s.ms()))
	if !errors.Is(err, ErrNotFound) {
		return t, err
	}
	if _, err := s.Token(ctx, id); err != nil {
		return t, err
	}
	return t, ErrTaken
}

// RotateToken keeps the refresh token that a provider gave in the place of the one before, and lets go of it. A nil one
// stays as it is. ErrNotFound: the person has signed in anew meanwhile.
func (s *Store) RotateToken(ctx context.Context, id int64, node string, refresh []byte) error {
	return changed(s.db.ExecContext(ctx, `
		UPDATE oauth_tokens SET refresh = COALESCE($1, refresh), dead_at = 0, server_text = '', taken_until = 0, updated_at = $2
		WHERE id = $3 AND taken_by = $4 AND taken_until > 0`, refresh, s.ms(), id, node))
}

// FailToken lets go of a token by which the provider gave nothing; with dead it never will.
func (s *Store) FailToken(ctx context.Context, id int64, node string, dead bool, why string) error {
	query, args := `UPDATE oauth_tokens SET taken_until = 0 WHERE id = $1 AND taken_by = $2 AND taken_until > 0`, []any{id, node}
	if dead {
		query = `UPDATE oauth_tokens SET taken_until = 0, dead_at = $3, server_text = $4 WHERE id = $1 AND taken_by = $2 AND taken_until > 0`
		args = append(args, s.ms(), why)
	}
	err := changed(s.db.ExecContext(ctx, query, args...))
	if errors.Is(err, ErrNotFound) {
		return nil // the person has signed in anew meanwhile
	}
	return err
}

// unused is the condition of tokens t by which nobody is signed in and nothing waits to be done.
const unused = `NOT EXISTS (SELECT 1 FROM sources o WHERE o.user_id = t.user_id AND o.removed_at = 0)
	AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.user_id = t.user_id AND o.state NOT IN ('sent', 'undone', 'rejected', 'partly'))
	AND NOT EXISTS (SELECT 1 FROM work w WHERE w.user_id = t.user_id AND w.state IN ('waiting', 'running', 'stopping'))`

// orphaned is the condition of tokens t of sources that are no more, by which nobody signs in.
const orphaned = `NOT EXISTS (SELECT 1 FROM sources o WHERE o.token_id = t.id AND o.removed_at = 0)
	AND NOT EXISTS (SELECT 1 FROM oauth_identities i WHERE i.issuer = t.issuer AND i.subject = t.subject AND i.user_id = t.user_id)`

// TakeUnused takes the tokens out of those users who are signed in nowhere, and for whom nothing waits to be done; of one
// user, or of all (0): then also those of sources that are no more, and none that is so young that what it is for may be
// on its way.
func (s *Store) TakeUnused(ctx context.Context, userID int64) ([]Token, error) {
	rows, err := s.db.QueryContext(ctx, `
		DELETE FROM oauth_tokens WHERE id IN (SELECT t.id FROM oauth_tokens t WHERE t.user_id = $1
				AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.user_id = t.user_id AND `+living("s.", "$2")+`) AND `+unused+`
			OR CAST($1 AS BIGINT) = 0 AND t.updated_at < $3
				AND (NOT EXISTS (SELECT 1 FROM sessions s WHERE s.user_id = t.user_id AND `+living("s.", "$2")+`) AND `+unused+` OR `+orphaned+`)) RETURNING `+tokenColumns,
		userID, s.ms(), s.now().Add(-time.Minute).UnixMilli())
	return collect(rows, err, func(r *sql.Rows) (Token, error) { return scanToken(r) })
}

// UserTokens lists the tokens of a user.
func (s *Store) UserTokens(ctx context.Context, userID int64) ([]Token, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+tokenColumns+` FROM oauth_tokens WHERE user_id = $1 ORDER BY id`, userID)
	return collect(rows, err, func(r *sql.Rows) (Token, error) { return scanToken(r) })
}

// SetSourceToken has a source read by another token.
func (s *Store) SetSourceToken(ctx context.Context, userID, id, token int64) error {
	return changed(s.db.ExecContext(ctx, `UPDATE sources SET token_id = $1, updated_at = $2 WHERE id = $3 AND user_id = $4 AND removed_at = 0 AND token_id > 0`, token, s.ms(), id, userID))
}

// WaitingForSignIn lists the mails of an account that wait until their writer has signed in again.
func (s *Store) WaitingForSignIn(ctx context.Context, userID, accountID int64) ([]int64, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id FROM outbox WHERE user_id = $1 AND account_id = $2 AND identity_id = 0 AND state = 'signin' ORDER BY id`, userID, accountID)
	return collect(rows, err, func(r *sql.Rows) (id int64, err error) { return id, r.Scan(&id) })
}

// WaitingForServer lists the mails of an identity that wait for the sign-in at its own server, or for the server itself.
func (s *Store) WaitingForServer(ctx context.Context, userID, identity int64) ([]int64, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id FROM outbox WHERE user_id = $1 AND identity_id = $2 AND state IN ('signin', 'config') ORDER BY id`, userID, identity)
	return collect(rows, err, func(r *sql.Rows) (id int64, err error) { return id, r.Scan(&id) })
}
