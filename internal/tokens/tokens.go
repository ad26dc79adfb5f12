// Package tokens keeps what providers gave to act for people: refresh tokens sealed in
// the store, access tokens in memory alone. It asks a provider for a new one ahead of
// time, one node at a time, and never in a loop. Start at Keeper.
package tokens

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"restante/internal/oauth"
	"restante/internal/seal"
	"restante/internal/store"
	"restante/mailclient"
	"restante/mailclient/discover"
)

const (
	ahead     = 5 * time.Minute  // a token that ends within it is replaced (PROTOCOLS U1)
	lives     = time.Hour        // of a token whose provider does not say
	lease     = 45 * time.Second // for asking the provider
	waitTime  = 30 * time.Second // for another node that asks
	lookEvery = 200 * time.Millisecond
	deadTime  = time.Hour        // a dead token is tried again after it (U6)
	rest      = 30 * time.Second // after trouble that passes
	maxKnown  = 20_000           // access tokens in memory
)

// sealPurpose is what refresh tokens are sealed for: jobs need them while nobody is signed in.
const sealPurpose = "job-cred/1"

// Options are the rooms that a Keeper calls.
type Options struct {
	Store   *store.Store
	Ring    *seal.Ring
	Client  *oauth.Client
	Servers *discover.Directory // which know the providers of domains
	Log     *slog.Logger
}

// Keeper gives access tokens. It is safe for use by many goroutines.
type Keeper struct {
	o      Options
	node   string
	flight singleflight.Group

	mu    sync.Mutex
	known map[int64]held
}

// held is an access token, or why there is none.
type held struct {
	access  string
	host    string    // the provider's
	until   time.Time // from when it is to be replaced
	expires time.Time
	err     error // of the last try, to rest after it
	at      time.Time
	forced  time.Time // when it was last asked for because a mail server had refused the one before
}

// New makes a keeper.
func New(o Options) *Keeper {
	return &Keeper{o: o, node: store.NewID(), known: map[int64]held{}}
}

// SettingsOf are the settings of a domain's provider, as that room has them.
func SettingsOf(o *discover.OAuth) oauth.Settings {
	return oauth.Settings{Kind: o.Kind, ClientID: o.ClientID, Secret: o.Secret, Issuer: o.Issuer, Tenant: o.Tenant, Scopes: o.Scopes}
}

func secretPlace(domain string) string { return "domains/oauth/" + domain }

// SealSecret closes the secret of a domain's client, as it is kept.
func SealSecret(ring *seal.Ring, domain, secret string) []byte {
	return ring.Seal("domain-secret/1", secretPlace(domain), []byte(secret))
}

// OpenSecret opens what SealSecret closed, in its place. A domain without a provider has none.
func OpenSecret(ring *seal.Ring, domain string, o *discover.OAuth) error {
	if o == nil || len(o.Sealed) == 0 {
		return nil
	}
	raw, err := ring.Open("domain-secret/1", secretPlace(domain), o.Sealed)
	o.Secret = string(raw)
	return err
}

// Provider gives the provider of a domain. Errors are *oauth.Fault.
func (k *Keeper) Provider(ctx context.Context, o *discover.OAuth) (*oauth.Provider, error) {
	return k.o.Client.Provider(ctx, SettingsOf(o))
}

// Look reads about a provider anew: whether one is there. Errors are *oauth.Fault.
func (k *Keeper) Look(ctx context.Context, o *discover.OAuth) error {
	_, err := k.o.Client.Look(ctx, SettingsOf(o))
	return err
}

func place(id int64) string { return fmt.Sprintf("oauth_tokens/refresh/%d", id) }

// Keep keeps what the provider of a domain gave for a person who has just signed in there, and gives its id. It brings
// what was dead to life again.
func (k *Keeper) Keep(ctx context.Context, userID int64, domain string, who oauth.Person, t oauth.Tokens) (id int64, err error) {
	if t.Refresh == "" { // it gave one before, which still holds
		t.Refresh = k.before(ctx, userID, who)
	}
	id, err = k.o.Store.SaveToken(ctx, store.Token{UserID: userID, Issuer: who.Issuer, Subject: who.Subject, Domain: domain}, func(id int64) []byte {
		return k.o.Ring.Seal(sealPurpose, place(id), []byte(t.Refresh))
	})
	if err == nil {
		k.remember(id, heldFrom(t, oauth.Settings{Issuer: who.Issuer}.Host()))
	}
	return id, err
}

// before is the refresh token that is kept for a person, "" for none.
func (k *Keeper) before(ctx context.Context, userID int64, who oauth.Person) string {
	all, err := k.o.Store.UserTokens(ctx, userID)
	if err != nil {
		return ""
	}
	for _, t := range all {
		if t.Issuer == who.Issuer && t.Subject == who.Subject && t.DeadAt.IsZero() {
			raw, _ := k.o.Ring.Open(sealPurpose, place(t.ID), t.Refresh)
			return string(raw)
		}
	}
	return ""
}

func heldFrom(t oauth.Tokens, host string) held {
	now := time.Now()
	if t.Expires.IsZero() {
		t.Expires = now.Add(lives)
	}
	return held{access: t.Access, host: host, expires: t.Expires, until: t.Expires.Add(-min(ahead, t.Expires.Sub(now)/2))}
}

func (k *Keeper) remember(id int64, h held) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.known) >= maxKnown {
		clear(k.known)
	}
	k.known[id] = h
}

// fail has a token rest after a try that failed, unless the person has signed in meanwhile.
func (k *Keeper) fail(id int64, before held, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.known[id].expires.Equal(before.expires) {
		before.err, before.at = err, time.Now()
		k.known[id] = before
	}
}

func (k *Keeper) recall(id int64) held {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.known[id]
}

// standing is the access token where it holds and is not refused, else err.
func (h held) standing(refused string, err error) (string, error) {
	if h.access != "" && h.access != refused && time.Now().Before(h.expires) {
		return h.access, nil
	}
	return "", err
}

// Of gives the access tokens of what Keep gave an id.
func (k *Keeper) Of(id int64) mailclient.Tokens { return source{k, id} }

type source struct {
	k  *Keeper
	id int64
}

// Token is that of mailclient.Tokens.
func (s source) Token(ctx context.Context, refused string) (string, error) {
	h := s.k.recall(s.id)
	now := time.Now()
	switch {
	case h.access != "" && h.access != refused && now.Before(h.until):
		return h.access, nil
	case h.err != nil && now.Sub(h.at) < rest:
		return h.standing(refused, h.err)
	case refused != "" && refused == h.access && now.Sub(h.forced) < deadTime: // another fresh one would be refused too
		return "", &mailclient.TokenError{Provider: h.host, Dead: true, Text: "the mail server refuses every access token"}
	}
	got := s.k.flight.DoChan(fmt.Sprint(s.id), func() (any, error) {
		if h := s.k.recall(s.id); h.access != "" && h.access != refused && time.Now().Before(h.until) { // somebody was faster
			return h.access, nil
		}
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), waitTime+lease)
		defer cancel()
		return s.k.renew(within, s.id, refused != "")
	})
	select {
	case r := <-got:
		if r.Err != nil { // the one before may hold for a while, or the person has signed in meanwhile
			return s.k.recall(s.id).standing(refused, r.Err)
		}
		access, _ := r.Val.(string)
		return access, r.Err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// renew asks the provider for a new access token, alone among all nodes.
func (k *Keeper) renew(ctx context.Context, id int64, forced bool) (string, error) {
	t, err := k.take(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return "", &mailclient.TokenError{Provider: k.recall(id).host, Dead: true, Text: "nothing is kept any more"}
	}
	if err != nil {
		return "", err
	}
	if !t.DeadAt.IsZero() && time.Since(t.DeadAt) < deadTime {
		dead := &mailclient.TokenError{Provider: hostOf(t), Dead: true, Text: t.ServerText}
		return "", errors.Join(dead, k.o.Store.FailToken(ctx, id, k.node, false, ""))
	}
	before := k.recall(id)
	got, err := k.ask(ctx, t)
	if err != nil {
		if forced { // it is of no use to anybody
			before.access = ""
		}
		return "", k.failed(ctx, t, before, err)
	}
	h := heldFrom(got, hostOf(t))
	if h.forced = before.forced; forced {
		h.forced = time.Now()
	}
	k.remember(id, h)
	return h.access, nil
}

// take waits for its turn at a token.
func (k *Keeper) take(ctx context.Context, id int64) (store.Token, error) {
	ctx, cancel := context.WithTimeout(ctx, waitTime)
	defer cancel()
	for {
		t, err := k.o.Store.TakeToken(ctx, id, k.node, lease)
		if !errors.Is(err, store.ErrTaken) {
			return t, err
		}
		select {
		case <-ctx.Done():
			return t, mailclient.ErrBusy
		case <-time.After(lookEvery):
		}
	}
}

// ask makes one request. A refresh token that comes along is durable before the access token is used (U1).
func (k *Keeper) ask(ctx context.Context, t store.Token) (got oauth.Tokens, err error) {
	refresh, err := k.o.Ring.Open(sealPurpose, place(t.ID), t.Refresh)
	if err != nil {
		return got, err
	}
	provider, err := k.providerOf(ctx, t)
	if err != nil {
		return got, err
	}
	if len(refresh) == 0 {
		return got, &oauth.Fault{Kind: oauth.Refused, Host: hostOf(t), Text: "the provider gave no refresh token"}
	}
	got, err = provider.Refresh(ctx, string(refresh))
	clear(refresh)
	if err != nil {
		return got, err
	}
	var rotated []byte
	if got.Refresh != "" {
		rotated = k.o.Ring.Seal(sealPurpose, place(t.ID), []byte(got.Refresh))
	}
	if err := k.o.Store.RotateToken(ctx, t.ID, k.node, rotated); err != nil {
		return got, err
	}
	k.o.Log.Debug("access token renewed", "token", t.ID, "rotated", rotated != nil)
	return got, nil
}

var errNoProvider = errors.New("the domain has no provider any more, or another one")

// providerOf is the provider that gave a token: what one gave is shown to no other.
func (k *Keeper) providerOf(ctx context.Context, t store.Token) (*oauth.Provider, error) {
	s, ok := k.o.Servers.OfDomain(t.Domain)
	if !ok || s.OAuth == nil {
		return nil, errNoProvider
	}
	p, err := k.Provider(ctx, s.OAuth)
	if err == nil && !p.Is(t.Issuer) {
		return nil, errNoProvider
	}
	return p, err
}

// failed notes why there is no access token in the place of the one before: whether a person has to do something about
// it.
func (k *Keeper) failed(ctx context.Context, t store.Token, before held, err error) error {
	out := &mailclient.TokenError{Provider: hostOf(t), Text: err.Error(), Err: err}
	var f *oauth.Fault
	if errors.As(err, &f) {
		out.Provider, out.Text = f.Host, f.Text
		out.Dead = f.Kind == oauth.Refused || f.Kind == oauth.Denied
	}
	out.Dead = out.Dead || errors.Is(err, errNoProvider) || errors.Is(err, seal.ErrOpen)
	k.o.Log.Info("no access token", "token", t.ID, "dead", out.Dead, "why", out.Text)
	if out.Dead {
		before.access = ""
	}
	k.fail(t.ID, before, out)
	return errors.Join(out, k.o.Store.FailToken(ctx, t.ID, k.node, out.Dead, out.Text))
}

func hostOf(t store.Token) string { return oauth.Settings{Issuer: t.Issuer}.Host() }

// Dead says whether the person has to sign in at their provider again before id is of use.
func (k *Keeper) Dead(ctx context.Context, id int64) (bool, error) {
	dead, _, err := k.o.Store.TokenDead(ctx, id)
	return dead, err
}

// Retire gives up what nobody needs any more: of a user who is signed in nowhere and for whom nothing waits; of all with
// 0. The provider is told, where it wants to know.
func (k *Keeper) Retire(ctx context.Context, userID int64) error {
	gone, err := k.o.Store.TakeUnused(ctx, userID)
	k.revoke(ctx, gone)
	return err
}

// Forget tells the providers of a user, who is about to be removed, that nothing is wanted of them any more.
func (k *Keeper) Forget(ctx context.Context, userID int64) error {
	all, err := k.o.Store.UserTokens(ctx, userID)
	k.revoke(ctx, all)
	return err
}

// revoke is done as well as it can be: a token that is not kept any more is of no use to anybody here.
func (k *Keeper) revoke(ctx context.Context, all []store.Token) {
	for _, t := range all {
		k.mu.Lock()
		delete(k.known, t.ID)
		k.mu.Unlock()
		refresh, err := k.o.Ring.Open(sealPurpose, place(t.ID), t.Refresh)
		if err != nil || len(refresh) == 0 || !t.DeadAt.IsZero() {
			continue
		}
		provider, err := k.providerOf(ctx, t)
		if err == nil {
			err = provider.Revoke(ctx, string(refresh))
		}
		if err != nil {
			k.o.Log.Info("a provider was not told that a token is given up", "token", t.ID, "err", err)
		}
	}
}

// Static is one access token, which a person has just got: for a first look whether the mail server takes it.
func Static(t oauth.Tokens) mailclient.Tokens { return static(t.Access) }

type static string

// Token is that of mailclient.Tokens.
func (s static) Token(_ context.Context, refused string) (string, error) {
	if refused != "" {
		return "", errRefused
	}
	return string(s), nil
}

var errRefused = errors.New("the mail server refuses the access token")
