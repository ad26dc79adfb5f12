package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"
)

// Admin is somebody who sets the site up. Hash is of their password, TOTP their sealed second factor (nil for none), and
// TOTPStep the last step of it that was taken.
type Admin struct {
	ID              int64
	Name, Hash      string
	TOTP            []byte
	TOTPStep        int64
	Created, SeenAt time.Time
}

// ErrTaken means that the name is somebody else's.
var ErrTaken = errors.New("taken")

const adminColumns = `id, name, hash, totp, totp_step, created_at, seen_at`

func scanAdmin(r interface{ Scan(...any) error }) (a Admin, err error) {
	var created, seen int64
	err = r.Scan(&a.ID, &a.Name, &a.Hash, &a.TOTP, &a.TOTPStep, &created, &seen)
	a.Created, a.SeenAt = fromMS(created), fromMS(seen)
	return a, err
}

// adminName is how names of admins are compared.
func adminName(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// AddAdmin makes an admin, with recovery codes by their hashes. ErrTaken if there is one of that name.
func (s *Store) AddAdmin(ctx context.Context, a Admin, codes []string) (id int64, err error) {
	err = s.InTx(ctx, func(tx *sql.Tx) error {
		id, err = s.addAdminTx(ctx, tx, a, codes)
		return err
	})
	return id, err
}

func (s *Store) addAdminTx(ctx context.Context, tx *sql.Tx, a Admin, codes []string) (id int64, err error) {
	err = tx.QueryRowContext(ctx, `INSERT INTO admins (name, hash, totp, totp_step, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO NOTHING RETURNING id`,
		adminName(a.Name), a.Hash, a.TOTP, a.TOTPStep, s.ms()).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, ErrTaken
	}
	if err != nil {
		return 0, err
	}
	return id, setCodes(ctx, tx, id, codes)
}

func setCodes(ctx context.Context, tx *sql.Tx, adminID int64, codes []string) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM recovery_codes WHERE admin_id = $1`, adminID); err != nil {
		return err
	}
	for _, c := range codes {
		if _, err := tx.ExecContext(ctx, `INSERT INTO recovery_codes (admin_id, hash) VALUES ($1, $2) ON CONFLICT DO NOTHING`, adminID, c); err != nil {
			return err
		}
	}
	return nil
}

// Admins lists all admins by their names.
func (s *Store) Admins(ctx context.Context) ([]Admin, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+adminColumns+` FROM admins ORDER BY name`)
	return collect(rows, err, func(r *sql.Rows) (Admin, error) { return scanAdmin(r) })
}

// AdminByName finds an admin; ErrNotFound if there is none of that name.
func (s *Store) AdminByName(ctx context.Context, name string) (Admin, error) {
	a, err := scanAdmin(s.db.QueryRowContext(ctx, `SELECT `+adminColumns+` FROM admins WHERE name = $1`, adminName(name)))
	return a, one(err)
}

// SetAdminPassword gives an admin another password, and ends all of their sessions.
func (s *Store) SetAdminPassword(ctx context.Context, id int64, hash string) error {
	return s.InTx(ctx, func(tx *sql.Tx) error {
		if err := changed(tx.ExecContext(ctx, `UPDATE admins SET hash = $1 WHERE id = $2`, hash, id)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM admin_sessions WHERE admin_id = $1`, id)
		return err
	})
}

// SetAdminFactor gives an admin another second factor (nil for none) with its recovery codes, and ends all of their
// sessions but keep ("" for none).
func (s *Store) SetAdminFactor(ctx context.Context, id int64, totp []byte, step int64, codes []string, keep string) error {
	return s.InTx(ctx, func(tx *sql.Tx) error {
		if err := changed(tx.ExecContext(ctx, `UPDATE admins SET totp = $1, totp_step = $2 WHERE id = $3`, totp, step, id)); err != nil {
			return err
		}
		if err := setCodes(ctx, tx, id, codes); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM admin_sessions WHERE admin_id = $1 AND token_hash <> $2`, id, keep)
		return err
	})
}

// TakeTOTPStep notes that a step of the second factor was used. false when it, or a later one, was used before.
func (s *Store) TakeTOTPStep(ctx context.Context, id, step int64) (ok bool, err error) {
	err = changed(s.db.ExecContext(ctx, `UPDATE admins SET totp_step = $1 WHERE id = $2 AND totp_step < $1`, step, id))
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// TakeRecoveryCode uses a recovery code up, by its hash. false when there is no such one.
func (s *Store) TakeRecoveryCode(ctx context.Context, id int64, hash string) (ok bool, err error) {
	err = changed(s.db.ExecContext(ctx, `DELETE FROM recovery_codes WHERE admin_id = $1 AND hash = $2`, id, hash))
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// AdminSession is a signed-in admin. Pending ones have given their password, not yet their second factor. Data is its
// owner's own, and small.
type AdminSession struct {
	Hash            string
	Admin           Admin
	Pending         bool
	Data            string
	Device, Network string
	Created, SeenAt time.Time
}

// AddAdminSession makes a session by the hash of its token.
func (s *Store) AddAdminSession(ctx context.Context, v AdminSession) error {
	return s.InTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO admin_sessions (token_hash, admin_id, pending, data, device, network, created_at, seen_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $7)`,
			v.Hash, v.Admin.ID, v.Pending, v.Data, v.Device, v.Network, s.ms())
		if err == nil && !v.Pending {
			_, err = tx.ExecContext(ctx, `UPDATE admins SET seen_at = $1 WHERE id = $2`, s.ms(), v.Admin.ID)
		}
		return err
	})
}

// AdminSession finds a session that was used within idle and made within most, and notes that it is used.
func (s *Store) AdminSession(ctx context.Context, hash string, idle, most time.Duration) (v AdminSession, err error) {
	now := s.now()
	var created int64
	err = s.db.QueryRowContext(ctx, `UPDATE admin_sessions SET seen_at = $1 WHERE token_hash = $2 AND seen_at > $3 AND created_at > $4 RETURNING admin_id, pending, data, created_at`,
		now.UnixMilli(), hash, now.Add(-idle).UnixMilli(), now.Add(-most).UnixMilli()).Scan(&v.Admin.ID, &v.Pending, &v.Data, &created)
	if err != nil {
		return v, one(err)
	}
	v.Hash, v.Created, v.SeenAt = hash, fromMS(created), now
	v.Admin, err = scanAdmin(s.db.QueryRowContext(ctx, `SELECT `+adminColumns+` FROM admins WHERE id = $1`, v.Admin.ID))
	return v, one(err)
}

// SetAdminSessionData keeps something with a session.
func (s *Store) SetAdminSessionData(ctx context.Context, hash, data string) error {
	return changed(s.db.ExecContext(ctx, `UPDATE admin_sessions SET data = $1 WHERE token_hash = $2`, data, hash))
}

// EndAdminSession signs a session out.
func (s *Store) EndAdminSession(ctx context.Context, hash string) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM admin_sessions WHERE token_hash = $1`, hash)
	return err
}

// SweepAdminSessions removes sessions that are older than most.
func (s *Store) SweepAdminSessions(ctx context.Context, most time.Duration) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM admin_sessions WHERE created_at < $1`, s.now().Add(-most).UnixMilli())
	return err
}

// Setup is the one-time link by which the first admin is made. State is what its holder has typed, sealed by its owner.
type Setup struct {
	Opened, Used, Expires time.Time
	State                 []byte
}

// NewSetupLink replaces the link by another, by its hash, with a time to live. What was typed under the old one goes.
func (s *Store) NewSetupLink(ctx context.Context, hash string, lives time.Duration) error {
	_, err := s.db.ExecContext(ctx, `
		INSERT INTO setup (id, link_hash, expires_at) VALUES (1, $1, $2)
		ON CONFLICT (id) DO UPDATE SET link_hash = excluded.link_hash, cookie_hash = '', expires_at = excluded.expires_at, opened_at = 0, used_at = 0, state = NULL`,
		hash, s.now().Add(lives).UnixMilli())
	return err
}

// SetupLink is what is known of a link, and whether a browser holds it; ErrNotFound if there is no such link.
func (s *Store) SetupLink(ctx context.Context, link string) (v Setup, held bool, err error) {
	err = s.InTx(ctx, func(tx *sql.Tx) error {
		var holder string
		v, holder, err = setupTx(ctx, tx, `link_hash = $1`, link)
		held = holder != ""
		return err
	})
	return v, held, err
}

// OpenSetup binds the link to a browser, by the hash of its cookie, once: of two who try, one does. It gives what is
// known of the link; ErrNotFound if there is no such link, ErrTaken if it is used, expired, or another's.
func (s *Store) OpenSetup(ctx context.Context, link, cookie string) (v Setup, err error) {
	now := s.ms()
	err = s.InTx(ctx, func(tx *sql.Tx) error {
		var holder string
		if v, holder, err = setupTx(ctx, tx, `link_hash = $1`, link); err != nil {
			return err
		}
		if holder != "" || !v.Used.IsZero() || v.Expires.UnixMilli() <= now {
			return ErrTaken
		}
		err := changed(tx.ExecContext(ctx, `UPDATE setup SET cookie_hash = $1, opened_at = $2 WHERE id = 1 AND link_hash = $3 AND cookie_hash = ''`, cookie, now, link))
		if errors.Is(err, ErrNotFound) { // another was faster
			return ErrTaken
		}
		return err
	})
	return v, err
}

func setupTx(ctx context.Context, tx *sql.Tx, cond string, arg any) (v Setup, holder string, err error) {
	var opened, used, expires int64
	err = tx.QueryRowContext(ctx, `SELECT opened_at, used_at, expires_at, state, cookie_hash FROM setup WHERE `+cond, arg).Scan(&opened, &used, &expires, &v.State, &holder)
	v.Opened, v.Used, v.Expires = fromMS(opened), fromMS(used), fromMS(expires)
	return v, holder, one(err)
}

// SetupOf is the set-up that a browser holds, by the hash of its cookie; ErrNotFound if it holds none, ErrTaken if it is
// over.
func (s *Store) SetupOf(ctx context.Context, cookie string, most time.Duration) (v Setup, err error) {
	err = s.InTx(ctx, func(tx *sql.Tx) error {
		if cookie == "" {
			return ErrNotFound
		}
		if v, _, err = setupTx(ctx, tx, `cookie_hash = $1`, cookie); err != nil {
			return err
		}
		if !v.Used.IsZero() || s.now().Sub(v.Opened) > most {
			return ErrTaken
		}
		return nil
	})
	return v, err
}

// SetupHeld says whether a browser holds a set-up that is not over.
func (s *Store) SetupHeld(ctx context.Context, most time.Duration) (ok bool, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM setup WHERE cookie_hash <> '' AND used_at = 0 AND opened_at > $1)`, s.now().Add(-most).UnixMilli()).Scan(&ok)
	return ok, err
}

// SaveSetup keeps what was typed so far.
func (s *Store) SaveSetup(ctx context.Context, cookie string, state []byte) error {
	return changed(s.db.ExecContext(ctx, `UPDATE setup SET state = $1 WHERE cookie_hash = $2 AND used_at = 0`, state, cookie))
}

// FinishSetup applies a set-up, all of it or nothing: the admin, the domain, the settings of the site. It gives the
// admin's id. ErrTaken when it is over, or when there is an admin already.
func (s *Store) FinishSetup(ctx context.Context, cookie string, a Admin, codes []string, domains []Domain, site map[string]string) (id int64, err error) {
	err = s.InTx(ctx, func(tx *sql.Tx) error {
		err := changed(tx.ExecContext(ctx, `UPDATE setup SET used_at = $1, state = NULL WHERE cookie_hash = $2 AND cookie_hash <> '' AND used_at = 0`, s.ms(), cookie))
		if errors.Is(err, ErrNotFound) {
			return ErrTaken
		}
		if err != nil {
			return err
		}
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM admins`).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			return ErrTaken
		}
		if id, err = s.addAdminTx(ctx, tx, a, codes); err != nil {
			return err
		}
		for _, d := range domains {
			if err := s.saveDomainTx(ctx, tx, d); err != nil {
				return err
			}
		}
		for name, value := range site {
			if err := setSite(ctx, tx, name, value); err != nil {
				return err
			}
		}
		return nil
	})
	return id, err
}

// HasAdmin says whether there is an admin.
func (s *Store) HasAdmin(ctx context.Context) (ok bool, err error) {
	return ok, s.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM admins)`).Scan(&ok)
}
