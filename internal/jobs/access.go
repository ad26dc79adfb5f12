package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"restante/internal/limits"
	"restante/internal/store"
	"restante/mailclient"
	"restante/mailclient/discover"
)

// Credential is what a job needs to act for a person without a browser, sealed to its place.
type Credential struct {
	Username, Password string
	Token              int64 `json:",omitempty"` // of a provider, in the place of the password; 0: the password

	Answered *Credential `json:",omitempty"` // with a mail: of the account in which what it answers lies, where no other is kept for that
}

// Credentials are what a credential signs in with.
func (q *Queue) Credentials(c Credential) mailclient.Credentials {
	out := mailclient.Credentials{Username: c.Username, Password: c.Password}
	if c.Token != 0 {
		out.Tokens = q.tokens.Of(c.Token)
	}
	return out
}

// sealPurpose is what the secrets of jobs are sealed for.
const sealPurpose = "job-cred/1"

func (q *Queue) sealCredential(place string, c Credential) []byte {
	raw, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings and a number
	}
	return q.ring.Seal(sealPurpose, place, raw)
}

func (q *Queue) openCredential(place string, sealed []byte) (c Credential, err error) {
	raw, err := q.ring.Open(sealPurpose, place, sealed)
	if err != nil {
		return c, err
	}
	return c, json.Unmarshal(raw, &c)
}

var errNoServers = errors.New("no servers are set up for this address any more")

// account gives an account of a user, and its servers. errNoServers: it has none any more.
func (q *Queue) account(ctx context.Context, userID, accountID int64) (a store.Account, s discover.Servers, err error) {
	if a, err = q.store.Account(ctx, userID, accountID); err != nil {
		return a, s, err
	}
	s, ok := q.ServersOf(a)
	if !ok {
		return a, s, errNoServers
	}
	return a, s, nil
}

// SessionKey names the pooled mail session of an account.
func SessionKey(accountID int64) string { return fmt.Sprintf("account/%d", accountID) }

func (q *Queue) session(a store.Account, s discover.Servers, c Credential) *mailclient.Session {
	v := q.pool.Session(SessionKey(a.ID), s.IMAP, q.Credentials(c))
	v.Bound(int(q.limits.Of(a.Address, limits.Connections)))
	return v
}
