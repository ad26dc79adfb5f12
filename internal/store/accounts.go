package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
)

// Errors of further accounts.
var (
	ErrAccountTaken    = errors.New("this account is there already")
	ErrTooManyAccounts = errors.New("no more accounts")
	ErrAccountBusy     = errors.New("mails of this account wait in the outbox")
)

// AddAccountTx adds a further account of a user, with an identity for its address, and gives its id. Its password follows
// by SetAccountCredTx, in the same transaction. Errors: ErrAccountTaken; ErrTooManyAccounts, when most are there.
func (s *Store) AddAccountTx(ctx context.Context, tx *sql.Tx, a Account, most int64) (id int64, err error) {
	a.Address = userAddress(a.Address)
	// The user's row is locked, so that no two are added at once.
	if err := changed(tx.ExecContext(ctx, `UPDATE users SET seen_at = seen_at WHERE id = $1`, a.UserID)); err != nil {
		return 0, err
	}
	var many, same int64
	err = tx.QueryRowContext(ctx, `SELECT COUNT(cred), COALESCE(SUM(CASE WHEN address = $1 THEN 1 ELSE 0 END), 0) FROM accounts WHERE user_id = $2`, a.Address, a.UserID).Scan(&many, &same)
	switch {
	case err != nil:
		return 0, err
	case same > 0:
		return 0, ErrAccountTaken
	case many >= most:
		return 0, ErrTooManyAccounts
	}
	err = tx.QueryRowContext(ctx, `INSERT INTO accounts (user_id, address, username, servers) VALUES ($1, $2, $3, $4) RETURNING id`,
		a.UserID, a.Address, a.Username, a.Servers).Scan(&id)
	if err != nil {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO identities (user_id, account_id, name, address, is_default) SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), '', CAST($3 AS TEXT), FALSE
		WHERE NOT EXISTS (SELECT 1 FROM identities WHERE user_id = $1 AND account_id = $2 AND address = $3)`, a.UserID, id, a.Address)
	return id, err
}

// SetAccountCredTx stores the password of a further account, sealed to its id.
func (s *Store) SetAccountCredTx(ctx context.Context, tx *sql.Tx, userID, id int64, cred []byte) error {
	return changed(tx.ExecContext(ctx, `UPDATE accounts SET cred = $1 WHERE id = $2 AND user_id = $3 AND address <> (SELECT address FROM users WHERE id = $3)`, cred, id, userID))
}

// RemoveAccount forgets a further account: identities, mails that were sent, acts that wait. Drafts of which its server has
// no copy go to the account that the user signs in with. ErrAccountBusy: mails of it are not sent yet.
func (s *Store) RemoveAccount(ctx context.Context, userID, id int64) error {
	return s.InTx(ctx, func(tx *sql.Tx) error {
		var busy int64
		err := tx.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM outbox WHERE account_id = a.id AND state NOT IN ('sent', 'undone'))
			FROM accounts a WHERE a.id = $1 AND a.user_id = $2 AND a.cred IS NOT NULL`, id, userID).Scan(&busy)
		if err != nil {
			return one(err)
		}
		if busy > 0 {
			return ErrAccountBusy
		}
		if err := s.draftsHomeTx(ctx, tx, userID, id); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM accounts WHERE user_id = $1 AND id = $2`, userID, id); err != nil {
			return err
		}
		for _, words := range []string{
			`INSERT INTO identities (user_id, account_id, name, address, is_default)
				SELECT a.user_id, a.id, '', a.address, TRUE FROM accounts a WHERE a.user_id = $1 AND a.cred IS NULL AND NOT EXISTS (SELECT 1 FROM identities WHERE user_id = $1)`,
			`UPDATE identities SET is_default = TRUE WHERE id = (SELECT MIN(id) FROM identities WHERE user_id = $1)
				AND NOT EXISTS (SELECT 1 FROM identities WHERE user_id = $1 AND is_default)`,
		} {
			if _, err := tx.ExecContext(ctx, words, userID); err != nil {
				return err
			}
		}
		return nil
	})
}

// draftsHomeTx gives the drafts of an account of which its server has no copy to the account that the user signs in with,
// and to an identity of that.
func (s *Store) draftsHomeTx(ctx context.Context, tx *sql.Tx, userID, from int64) error {
	var home, identity int64
	err := tx.QueryRowContext(ctx, `SELECT a.id, COALESCE((SELECT MIN(id) FROM identities WHERE account_id = a.id), 0) FROM accounts a WHERE a.user_id = $1 AND a.cred IS NULL`, userID).Scan(&home, &identity)
	if err != nil {
		return one(err)
	}
	rows, err := tx.QueryContext(ctx, `SELECT `+draftColumns+` FROM drafts WHERE user_id = $1 AND account_id = $2 AND state = 'open' AND imap_rev < rev AND (imap_uid = 0 OR rev > 1)`, userID, from)
	drafts, err := collect(rows, err, func(r *sql.Rows) (Draft, error) { return scanDraft(r) })
	if err != nil {
		return err
	}
	for _, d := range drafts {
		d.Fields.IdentityID = identity
		if d.Fields.AnswerAccount == from || d.Fields.AnswerAccount == 0 { // which is out of reach
			d.Fields.AnswerAccount, d.Fields.AnswerMailbox, d.Fields.AnswerUID, d.Fields.Carry = 0, "", 0, ""
		}
		fields, err := json.Marshal(d.Fields)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE drafts SET account_id = $1, fields = $2, imap_mailbox = '', imap_validity = 0, imap_uid = 0, imap_rev = 0 WHERE id = $3 AND user_id = $4`, home, string(fields), d.ID, userID)
		if err != nil {
			return err
		}
	}
	return nil
}
