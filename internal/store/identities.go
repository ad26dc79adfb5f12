package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
)

// Identity is a From address of a user.
type Identity struct {
	ID, UserID, AccountID    int64
	Name, Address, ReplyTo   string
	Signature, SignatureHTML string
	Default                  bool
	IdentitySettings
	Server string `json:",omitempty"` // its own submission server: its owner's own JSON, "" for that of the account
	Cred   []byte `json:"-"`          // the password there, sealed
}

// IdentitySettings are an identity's further choices. The zero value of each is its default.
type IdentitySettings struct {
	Organization string `json:"organization,omitempty"`
	Bcc          string `json:"bcc,omitempty"`     // who gets a hidden copy of each mail
	SignOn       string `json:"sign_on,omitempty"` // what the signature stands on: new, answers; "" is both
	SignBelow    bool   `json:"sign_below,omitempty"`
	AnyAddress   bool   `json:"any_address,omitempty"` // answers go from whatever address of its domain was written to
	Saved        bool   `json:"saved,omitempty"`       // by its user: nothing of the admin's is filled in any more
}

const identityColumns = `id, user_id, account_id, name, address, reply_to, signature, signature_html, is_default, settings, server, cred`

// Identities lists a user's identities in their order, the default one first.
func (s *Store) Identities(ctx context.Context, userID int64) ([]Identity, error) {
	return identities(ctx, s.db, userID)
}

func identities(ctx context.Context, db interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}, userID int64) ([]Identity, error) {
	rows, err := db.QueryContext(ctx, `SELECT `+identityColumns+` FROM identities WHERE user_id = $1 ORDER BY is_default DESC, position, id`, userID)
	return collect(rows, err, func(r *sql.Rows) (i Identity, err error) {
		var settings string
		err = r.Scan(&i.ID, &i.UserID, &i.AccountID, &i.Name, &i.Address, &i.ReplyTo, &i.Signature, &i.SignatureHTML, &i.Default, &settings, &i.Server, &i.Cred)
		return i, errors.Join(err, json.Unmarshal([]byte(settings), &i.IdentitySettings))
	})
}

// Identity is one of a user's identities, or ErrNotFound.
func (s *Store) Identity(ctx context.Context, userID, id int64) (Identity, error) {
	all, err := s.Identities(ctx, userID)
	for _, i := range all {
		if i.ID == id {
			return i, nil
		}
	}
	if err == nil {
		err = ErrNotFound
	}
	return Identity{}, err
}

// SaveIdentity inserts (ID 0) or updates an identity of its user and gives its id. Its server stays as it is.
func (s *Store) SaveIdentity(ctx context.Context, i Identity) (id int64, err error) {
	err = s.InTx(ctx, func(tx *sql.Tx) (err error) {
		id, err = s.SaveIdentityTx(ctx, tx, i)
		return err
	})
	return id, err
}

// SaveIdentityTx is SaveIdentity in the caller's transaction.
func (s *Store) SaveIdentityTx(ctx context.Context, tx *sql.Tx, i Identity) (int64, error) {
	settings, err := json.Marshal(i.IdentitySettings)
	if err != nil {
		return 0, err
	}
	if i.Default {
		if _, err := tx.ExecContext(ctx, `UPDATE identities SET is_default = FALSE WHERE user_id = $1`, i.UserID); err != nil {
			return 0, err
		}
	}
	if i.ID == 0 {
		err := tx.QueryRowContext(ctx, `
			INSERT INTO identities (user_id, account_id, name, address, reply_to, signature, signature_html, is_default, settings, position)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, (SELECT COALESCE(MAX(position) + 1, 0) FROM identities WHERE user_id = $1)) RETURNING id`,
			i.UserID, i.AccountID, i.Name, i.Address, i.ReplyTo, i.Signature, i.SignatureHTML, i.Default, string(settings)).Scan(&i.ID)
		return i.ID, err
	}
	return i.ID, changed(tx.ExecContext(ctx, `
		UPDATE identities SET name = $1, address = $2, reply_to = $3, signature = $4, signature_html = $5, is_default = (is_default OR $6), account_id = $9, settings = $10
		WHERE id = $7 AND user_id = $8`, i.Name, i.Address, i.ReplyTo, i.Signature, i.SignatureHTML, i.Default, i.ID, i.UserID, i.AccountID, string(settings)))
}

// SetIdentityServerTx gives an identity its own submission server and the password there, sealed to its id; "" takes both
// away, and what waits to go out there then waits for a word of its writer.
func (s *Store) SetIdentityServerTx(ctx context.Context, tx *sql.Tx, userID, id int64, server string, cred []byte) error {
	err := changed(tx.ExecContext(ctx, `UPDATE identities SET server = $1, cred = $2 WHERE id = $3 AND user_id = $4`, server, cred, id, userID))
	if err == nil && server == "" {
		err = s.stopForServerTx(ctx, tx, userID, id)
	}
	return err
}

// ServerGone is the problem of a mail whose address has lost its own submission server.
const ServerGone = "server-gone"

func (s *Store) stopForServerTx(ctx context.Context, tx *sql.Tx, userID, id int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE outbox SET state = 'config', problem = $1, server_text = '', updated_at = $2
		WHERE user_id = $3 AND identity_id = $4 AND state IN ('held', 'waiting', 'signin', 'config')`, ServerGone, s.ms(), userID, id)
	return err
}

// MoveIdentity puts an identity one place up or down. The first is the default one.
func (s *Store) MoveIdentity(ctx context.Context, userID, id int64, by int) error {
	return s.InTx(ctx, func(tx *sql.Tx) error {
		all, err := identities(ctx, tx, userID)
		if err != nil {
			return err
		}
		for at := range all {
			if to := at + by; all[at].ID == id && to >= 0 && to < len(all) {
				all[at], all[to] = all[to], all[at]
				break
			}
		}
		for at, i := range all {
			if _, err := tx.ExecContext(ctx, `UPDATE identities SET position = $1, is_default = $2 WHERE id = $3`, at, at == 0, i.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// DeleteIdentity removes an identity that is not the default one.
func (s *Store) DeleteIdentity(ctx context.Context, userID, id int64) error {
	return s.InTx(ctx, func(tx *sql.Tx) error {
		if err := changed(tx.ExecContext(ctx, `DELETE FROM identities WHERE id = $1 AND user_id = $2 AND NOT is_default`, id, userID)); err != nil {
			return err
		}
		return s.stopForServerTx(ctx, tx, userID, id)
	})
}

// Picture is one of a signature: its id, which is in the address that the signature names it by, and what it is.
type Picture struct {
	ID, Type string
	Content  []byte
}

// SetPictureTx puts a picture in the place of that of an identity.
func (s *Store) SetPictureTx(ctx context.Context, tx *sql.Tx, userID, identity int64, p Picture) error {
	if err := s.KeepPictureTx(ctx, tx, userID, identity, ""); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO signature_pictures (id, user_id, identity_id, type, content) VALUES ($1, $2, $3, $4, $5)`, p.ID, userID, identity, p.Type, p.Content)
	return err
}

// KeepPictureTx removes the pictures of an identity but one.
func (s *Store) KeepPictureTx(ctx context.Context, tx *sql.Tx, userID, identity int64, keep string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM signature_pictures WHERE user_id = $1 AND identity_id = $2 AND id <> $3`, userID, identity, keep)
	return err
}

// Picture is a picture of one of the user's signatures, or ErrNotFound.
func (s *Store) Picture(ctx context.Context, userID int64, id string) (Picture, error) {
	p := Picture{ID: id}
	err := s.db.QueryRowContext(ctx, `SELECT type, content FROM signature_pictures WHERE id = $1 AND user_id = $2`, id, userID).Scan(&p.Type, &p.Content)
	return p, one(err)
}
