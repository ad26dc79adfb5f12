package jobs

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"restante/internal/store"
	"restante/mailclient"
	"restante/mailclient/discover"
)

// OwnServer is the submission server that an identity has of its own, and the name to sign in with there.
type OwnServer struct {
	discover.Place
	Username string `json:"username"`
}

// OwnServerOf is that of an identity. ok is false where it has none.
func OwnServerOf(id store.Identity) (own OwnServer, ok bool) {
	if id.Server == "" || json.Unmarshal([]byte(id.Server), &own) != nil {
		return own, false
	}
	return own, true
}

// Endpoint is an own server as it is reached: as its domain reaches it where an admin has set it up, else as people may
// reach what they name.
func (q *Queue) Endpoint(own OwnServer) mailclient.Endpoint {
	if at, ok := q.servers.SubmissionAt(own.Place); ok {
		return at
	}
	return q.ServersNamed(discover.Domain{Submission: own.Place}).SMTP
}

func identityPlace(userID, id int64) string { return fmt.Sprintf("identities/cred/%d/%d", id, userID) }

// IdentityCredential is what an identity signs in with at its own server.
func (q *Queue) IdentityCredential(id store.Identity) (Credential, error) {
	c, err := q.openCredential(identityPlace(id.UserID, id.ID), id.Cred)
	if own, ok := OwnServerOf(id); ok { // the name may have been changed since
		c.Username = own.Username
	}
	return c, err
}

// IdentityChange is what becomes of an identity beside its fields.
type IdentityChange struct {
	Server      *OwnServer // nil: none of its own
	Password    string     // there; "" is as it was
	Picture     *store.Picture
	KeepPicture string // the id of the one that stays where no other comes
}

// SaveIdentity keeps an identity with its own server and the picture of its signature. What waited for a sign-in at that
// server is tried again; what waited for a server that it has no more waits for a word of its writer.
func (q *Queue) SaveIdentity(ctx context.Context, id store.Identity, c IdentityChange) (int64, error) {
	err := q.store.InTx(ctx, func(tx *sql.Tx) (err error) {
		if id.ID, err = q.store.SaveIdentityTx(ctx, tx, id); err != nil {
			return err
		}
		if c.Picture != nil {
			err = q.store.SetPictureTx(ctx, tx, id.UserID, id.ID, *c.Picture)
		} else {
			err = q.store.KeepPictureTx(ctx, tx, id.UserID, id.ID, c.KeepPicture)
		}
		if err != nil {
			return err
		}
		server, cred := "", []byte(nil)
		if c.Server != nil {
			raw, err := json.Marshal(c.Server)
			if err != nil {
				return err
			}
			if server, cred = string(raw), id.Cred; c.Password != "" {
				cred = q.sealCredential(identityPlace(id.UserID, id.ID), Credential{Username: c.Server.Username, Password: c.Password})
			}
		}
		return q.store.SetIdentityServerTx(ctx, tx, id.UserID, id.ID, server, cred)
	})
	if err != nil || c.Server == nil {
		return id.ID, err
	}
	waiting, err := q.store.WaitingForServer(ctx, id.UserID, id.ID)
	if err != nil {
		return id.ID, err
	}
	return id.ID, q.sendAgain(ctx, id.UserID, waiting, nil)
}

// sendAgain makes mails of a user due now: with c, or nil where they have what they need.
func (q *Queue) sendAgain(ctx context.Context, userID int64, items []int64, c *Credential) error {
	for _, id := range items {
		var sealed []byte
		if c != nil {
			sealed = q.SealCredential(userID, id, *c)
		}
		err := q.store.InTx(ctx, func(tx *sql.Tx) error {
			if err := q.store.RetryOutboxTx(ctx, tx, userID, id, sealed); err != nil {
				return err
			}
			_, err := q.SendTx(ctx, tx, id, time.Now())
			return err
		})
		if err != nil && !errors.Is(err, store.ErrNotFound) { // its writer was faster
			return err
		}
		q.Wake(id, time.Now())
	}
	return nil
}

var errServerGone = errors.New("the address has no server of its own any more")

// submission is where an item goes out, and with what.
func (q *Queue) submission(ctx context.Context, item *store.OutboxItem) (mailclient.Endpoint, Credential, error) {
	if item.IdentityID == 0 {
		s, _, c, err := q.access(ctx, item)
		return s.SMTP, c, err
	}
	id, err := q.store.Identity(ctx, item.UserID, item.IdentityID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return mailclient.Endpoint{}, Credential{}, err
	}
	own, ok := OwnServerOf(id)
	if !ok {
		return mailclient.Endpoint{}, Credential{}, errServerGone
	}
	c, err := q.IdentityCredential(id)
	return q.Endpoint(own), c, err
}
