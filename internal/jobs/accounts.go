package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"

	"restante/internal/limits"
	"restante/internal/store"
	"restante/mailclient/discover"
)

// named dials what people name, and nothing that they may not. It is a pointer: endpoints are compared.
type named struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// DialContext is that of mailclient.Dialer.
func (n *named) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return n.dial(ctx, network, address)
}

// ServersNamed are servers that a person named, or that were found for them: reached as people may reach them.
func (q *Queue) ServersNamed(d discover.Domain) discover.Servers {
	return d.Servers(q.imports.RootCAs, q.named)
}

// ServersOf gives the servers of an account. ok is false where there are none any more.
func (q *Queue) ServersOf(a store.Account) (s discover.Servers, ok bool) {
	if a.Servers == "" {
		return q.servers.Lookup(a.Address)
	}
	d, err := discover.ParseDomain(a.Servers)
	if err != nil {
		return s, false
	}
	return q.ServersNamed(d), true
}

func accountPlace(userID, id int64) string { return fmt.Sprintf("accounts/cred/%d/%d", id, userID) }

// AccountCredential is what a further account is signed in to with.
func (q *Queue) AccountCredential(a store.Account) (Credential, error) {
	return q.openCredential(accountPlace(a.UserID, a.ID), a.Cred)
}

// AddAccount keeps a further account of a user, whose limits hold for it. Errors: store.ErrAccountTaken,
// store.ErrTooManyAccounts.
func (q *Queue) AddAccount(ctx context.Context, u store.User, a store.Account, password string) (store.Account, error) {
	a.UserID = u.ID
	err := q.store.InTx(ctx, func(tx *sql.Tx) (err error) {
		if a.ID, err = q.store.AddAccountTx(ctx, tx, a, q.limits.Of(u.Address, limits.Accounts)); err != nil {
			return err
		}
		return q.setAccountPassword(ctx, tx, a, password)
	})
	return a, err
}

func (q *Queue) setAccountPassword(ctx context.Context, tx *sql.Tx, a store.Account, password string) error {
	c := Credential{Username: a.Username, Password: password}
	return q.store.SetAccountCredTx(ctx, tx, a.UserID, a.ID, q.sealCredential(accountPlace(a.UserID, a.ID), c))
}

// SetAccountPassword gives a further account another password. Mails of it that are not sent yet go out with that, those
// that waited for it now.
func (q *Queue) SetAccountPassword(ctx context.Context, a store.Account, password string) error {
	c := Credential{Username: a.Username, Password: password}
	err := q.store.InTx(ctx, func(tx *sql.Tx) error {
		if err := q.setAccountPassword(ctx, tx, a, password); err != nil {
			return err
		}
		return q.resealTx(ctx, tx, a, c)
	})
	if err != nil {
		return err
	}
	return errors.Join(q.sendWaiting(ctx, a, nil), q.RefreshSources(ctx, a, c))
}

// resealTx gives the mails of an account that are not sent yet the credential that it has now.
func (q *Queue) resealTx(ctx context.Context, tx *sql.Tx, a store.Account, c Credential) error {
	return q.store.ResealOutboxTx(ctx, tx, a.UserID, a.ID, func(id int64, sealed []byte) []byte {
		now := c
		if was, err := q.openCredential(credPlace(a.UserID, id), sealed); err == nil {
			now.Answered = was.Answered
		}
		return q.SealCredential(a.UserID, id, now)
	})
}

// SignedIn notes the password that a person has just signed in with: what is to go out later goes out with it.
func (q *Queue) SignedIn(ctx context.Context, a store.Account, c Credential) error {
	err := q.store.InTx(ctx, func(tx *sql.Tx) error { return q.resealTx(ctx, tx, a, c) })
	return errors.Join(err, q.RefreshSources(ctx, a, c))
}

// RemoveAccount forgets a further account and its connections. Error: store.ErrAccountBusy.
func (q *Queue) RemoveAccount(ctx context.Context, userID, id int64) error {
	if err := q.store.RemoveAccount(ctx, userID, id); err != nil {
		return err
	}
	q.pool.Drop(SessionKey(id))
	return nil
}
