package jobs

import (
	"context"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"restante/internal/limits"
	"restante/internal/store"
	"restante/mailclient"
	"restante/mailclient/pop3"
)

// Imports says how POP3 sources are reached and where their mails wait.
type Imports struct {
	Dial    func(ctx context.Context, network, address string) (net.Conn, error) // for servers that people name; nil reaches none
	RootCAs *x509.CertPool                                                       // whom their certificates may be signed by; nil trusts the system's
	Spool   string                                                               // a directory
	Notify  func(userID int64)                                                   // hears that an import has come on
	Settle  time.Duration                                                        // how long a mail whose APPEND was cut off may take to appear; 0 = 15 s
}

var errNoDialler = errors.New("no way to reach what people name is set up")

func sourcePlace(o store.Source) string { return fmt.Sprintf("sources/cred/%d/%d", o.ID, o.UserID) }

// targetPlace is of the credential by which an import signs in to the account that it fills.
func targetPlace(o store.Source) string {
	return fmt.Sprintf("sources/target_cred/%d/%d", o.ID, o.UserID)
}

func (q *Queue) popOptions(o store.Source, password string) pop3.Options {
	out := pop3.Options{
		Host: o.Host, Port: o.Port, Security: o.Security, RootCAs: q.imports.RootCAs, Username: o.Username, Password: password, APOP: o.APOP, Dial: q.imports.Dial,
	}
	if at, ok := q.servers.POP3At(o.Host, o.Port, mailclient.Security(o.Security)); ok { // the admin named it, and said whom to trust there
		out.RootCAs, out.Pin, out.Dial = at.RootCAs, at.Pin, at.Server().Via
	}
	if o.TokenID != 0 {
		q.byToken(o, &out)
	}
	return out
}

// byToken has a source read with an access token, which goes to the server that the admin has set up for its domain and
// to no other, whatever the source says.
func (q *Queue) byToken(o store.Source, out *pop3.Options) {
	s, ok := q.servers.Lookup(o.Username)
	if !ok || s.OAuth == nil || s.POP3.Host != o.Host {
		out.Tokens = noServer{o.Host}
		return
	}
	at := s.POP3
	out.Port, out.Security, out.RootCAs, out.Pin, out.Dial, out.APOP = at.Port, string(at.Security), at.RootCAs, at.Pin, at.Server().Via, false
	out.Username, out.Tokens = s.Username(o.Username), q.tokens.Of(o.TokenID)
}

// noServer is a source by tokens whose domain has another server now, or no provider.
type noServer struct{ host string }

// Token is that of mailclient.Tokens.
func (n noServer) Token(context.Context, string) (string, error) {
	return "", &mailclient.TokenError{Provider: n.host, Dead: true, Text: "this server is not the one that is set up for the domain"}
}

// SetSourceToken lets a source go on with what a provider has just given, at once.
func (q *Queue) SetSourceToken(ctx context.Context, userID, id, token int64) error {
	if err := q.store.SetSourceToken(ctx, userID, id, token); err != nil {
		return err
	}
	return q.RunSource(ctx, userID, id)
}

// CheckSource signs in to a source and leaves at once, so that what is wrong with address, server or password shows. It
// gives how many mails are there. Errors are those of pop3.Dial.
func (q *Queue) CheckSource(ctx context.Context, o store.Source, password string) (mails int, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	c, err := pop3.Dial(ctx, q.popOptions(o, password))
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if _, err = c.Listing(ctx, func(pop3.Entry) error { mails++; return nil }); err != nil {
		return 0, err
	}
	_ = c.Quit(ctx) // nothing hangs on it
	return mails, nil
}

// ErrBadSource is a source that cannot be: no host, a port out of range, an unknown security, days or times out of
// range.
var ErrBadSource = errors.New("this source cannot be")

const maxDays = 3650

func sane(o *store.Source) error {
	o.Host = strings.ToLower(strings.TrimSuffix(o.Host, "."))
	o.Every = min(max(o.Every, pop3.MinEvery), pop3.MaxEvery)
	secure := o.Security == "tls" || o.Security == "starttls" || o.Security == "plain"
	kept := o.Keep == store.KeepAll || o.Keep == store.KeepNone || o.Keep == store.KeepDays && o.Days > 0 && o.Days <= maxDays
	if o.Host == "" || o.Port < 1 || o.Port > 65535 || !secure || o.Username == "" || o.Mailbox == "" || !kept {
		return ErrBadSource
	}
	return nil
}

// AddSource adds a source of an account and starts its first run. c signs in to the account while nobody is signed in.
// Errors: ErrBadSource, store.ErrSourceTaken, store.ErrTooManySources.
func (q *Queue) AddSource(ctx context.Context, a store.Account, o store.Source, password string, c Credential) (store.Source, error) {
	o.UserID, o.AccountID = a.UserID, a.ID
	if err := sane(&o); err != nil {
		return o, err
	}
	err := q.store.InTx(ctx, func(tx *sql.Tx) (err error) {
		if o.ID, err = q.store.AddSourceTx(ctx, tx, o, q.limits.Of(a.Address, limits.Sources)); err != nil {
			return err
		}
		return q.store.SetSourceSecretsTx(ctx, tx, o.UserID, o.ID, q.ring.Seal(sealPurpose, sourcePlace(o), []byte(password)), q.sealCredential(targetPlace(o), c))
	})
	if err != nil {
		return o, err
	}
	q.tellImport(o.UserID)
	return o, q.askForRun(ctx, o.ID)
}

// ChangeSource writes what a person changes about a source: port and security, mailbox, what is kept, how often. What a
// way to keep would delete is told by the store's CountDeletions; above 100 it is to be confirmed first (P12).
func (q *Queue) ChangeSource(ctx context.Context, o store.Source) error {
	if err := sane(&o); err != nil {
		return err
	}
	return q.store.SaveSource(ctx, o)
}

// SetSourcePassword gives a source another password, and has it tried at once.
func (q *Queue) SetSourcePassword(ctx context.Context, userID, id int64, password string) error {
	o, err := q.store.Source(ctx, userID, id)
	if err != nil {
		return err
	}
	err = q.store.InTx(ctx, func(tx *sql.Tx) error {
		return q.store.SetSourceSecretsTx(ctx, tx, userID, id, q.ring.Seal(sealPurpose, sourcePlace(o), []byte(password)), nil)
	})
	if err != nil {
		return err
	}
	return q.RunSource(ctx, userID, id)
}

// RunSource lets a source go on, at once if its server allows.
func (q *Queue) RunSource(ctx context.Context, userID, id int64) error {
	if err := q.store.RunSource(ctx, userID, id); err != nil {
		return err
	}
	return q.askForRun(ctx, id)
}

// RetryMails has the mails that failed tried again, at once: one of them, or all with row 0.
func (q *Queue) RetryMails(ctx context.Context, userID, id, row int64) error {
	if err := q.store.RetryMail(ctx, userID, id, row); err != nil {
		return err
	}
	return q.RunSource(ctx, userID, id)
}

// RefreshSources notes the password that a person has just signed in to an account with: their sources go on with it.
func (q *Queue) RefreshSources(ctx context.Context, a store.Account, c Credential) error {
	all, err := q.store.Sources(ctx, a.UserID)
	if err != nil {
		return err
	}
	for _, o := range all {
		waits := o.Paused && o.Problem == string(pop3.TargetSignIn)
		if old, err := q.openCredential(targetPlace(o), o.TargetCred); o.AccountID != a.ID || err == nil && old == c && !waits {
			continue
		}
		err := q.store.InTx(ctx, func(tx *sql.Tx) error {
			return q.store.SetSourceSecretsTx(ctx, tx, o.UserID, o.ID, nil, q.sealCredential(targetPlace(o), c))
		})
		if err == nil && waits {
			err = q.askForRun(ctx, o.ID)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sweepSpools removes what waits for sources that are no more.
func (q *Queue) sweepSpools(ctx context.Context) error {
	dirs, err := os.ReadDir(q.imports.Spool)
	if err != nil {
		return nil // none was ever made
	}
	kept, err := q.store.SourceIDs(ctx)
	if err != nil {
		return err
	}
	for _, d := range dirs {
		if id, err := strconv.ParseInt(d.Name(), 10, 64); err == nil && !kept[id] {
			if err := os.RemoveAll(filepath.Join(q.imports.Spool, d.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
