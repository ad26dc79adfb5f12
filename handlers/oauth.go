package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"restante/internal/jobs"
	"restante/internal/oauth"
	"restante/internal/seal"
	"restante/internal/store"
	"restante/internal/tokens"
	"restante/mailclient"
	"restante/mailclient/discover"
	"restante/templates"
)

const (
	callbackPath = "/oauth/callback"
	flowTime     = 10 * time.Minute
	maxCarried   = 512 << 10 // bytes of a form that goes through a sign-in at a provider
)

// providerFlow is a sign-in at a provider that was begun here. It is sealed in the database; the browser has the state
// and, in a cookie, what shows that it is the same browser.
type providerFlow struct {
	oauth.Flow
	Domain  string     `json:"domain"`
	At      string     `json:"at"`      // the provider, and the client that we are there
	Address string     `json:"address"` // as it was typed
	Next    string     `json:"next"`
	Stay    bool       `json:"stay,omitempty"`
	Carried url.Values `json:"carried,omitempty"`
	User    int64      `json:"user,omitempty"` // who is signed in, and has to sign in again

	Form   url.Values `json:"form,omitempty"`   // of a source that is to be added
	Source int64      `json:"source,omitempty"` // one that goes on
}

// providerName is a provider as people know it.
func providerName(o *discover.OAuth) string {
	switch o.Kind {
	case oauth.Google:
		return "Google"
	case oauth.Microsoft:
		return "Microsoft"
	}
	return tokens.SettingsOf(o).Host()
}

// anyProvider says whether what the sign-in asks for depends on the address.
func (s *Server) anyProvider() bool {
	return slices.ContainsFunc(s.servers.Own(), func(d discover.Servers) bool { return d.OAuth != nil })
}

// redirectURL is where providers send people back to: one address, always the same.
func (s *Server) redirectURL() string {
	return strings.TrimSuffix(s.conf.PublicURL, "/") + callbackPath
}

func (s *Server) flowCookie() string {
	return cookieName("restante-provider", s.sessions.Cookie.Secure)
}

// toProvider shows the button that leads to the provider of an address.
func (s *Server) toProvider(w http.ResponseWriter, r *http.Request, page templates.Login, servers discover.Servers, f signInForm) error {
	flow := providerFlow{Domain: servers.Domain, Address: s.addressOf(f), Next: f.next, Stay: f.stay, Carried: f.carried}
	if who, err := s.person(r); err == nil && strings.EqualFold(who.Account.Address, flow.Address) {
		flow.User = who.User.ID
	}
	page.AddressFirst = true
	at, err := s.beginFlow(w, r, servers, &flow)
	if err != nil {
		return s.signInFailed(w, r, page, err)
	}
	page.Provider = &templates.Provider{Name: providerName(servers.OAuth), URL: at}
	return s.ok(w, r, page)
}

// clientAt names a client of a provider: an answer is taken to no other, though the domain has one by then.
func clientAt(o *discover.OAuth) string { return tokens.SettingsOf(o).IssuerURL() + " " + o.ClientID }

// beginFlow keeps a sign-in that begins, and says where it goes on.
func (s *Server) beginFlow(w http.ResponseWriter, r *http.Request, servers discover.Servers, flow *providerFlow) (at string, err error) {
	if s.conf.PublicURL == "" {
		return "", &Problem{Status: http.StatusServiceUnavailable, Key: "error.oauth.nosite"}
	}
	provider, err := s.tokens.Provider(r.Context(), servers.OAuth)
	if err != nil {
		return "", err
	}
	size := 0
	for name, values := range flow.Carried {
		size += len(name) + len(strings.Join(values, ""))
	}
	if size > maxCarried {
		return "", &Problem{Status: http.StatusRequestEntityTooLarge, Key: "error.oauth.toolong"}
	}
	flow.Flow, flow.At = oauth.NewFlow(), clientAt(servers.OAuth)
	raw, err := json.Marshal(flow)
	if err != nil {
		return "", err
	}
	browser := s.browserOf(w, r)
	state := seal.Digest(flow.State)
	err = s.store.AddFlow(r.Context(), state, seal.Digest(browser), s.clientBlock(r), s.ring.Seal("oauth-flow/1", state, raw), flowTime)
	if err != nil {
		return "", err
	}
	return provider.SignInURL(flow.Flow, s.redirectURL(), flow.Address), nil
}

// browserOf is the secret by which this browser is known when it comes back. It comes from another site then: Lax.
func (s *Server) browserOf(w http.ResponseWriter, r *http.Request) string {
	token := ""
	if c, err := r.Cookie(s.flowCookie()); err == nil && len(c.Value) == len(seal.NewToken()) {
		token = c.Value // of a sign-in in another tab
	} else {
		token = seal.NewToken()
	}
	http.SetCookie(w, &http.Cookie{Name: s.flowCookie(), Value: token, Path: "/", MaxAge: int(flowTime.Seconds()), Secure: s.sessions.Cookie.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return token
}

var errFlowGone = &Problem{Status: http.StatusBadRequest, Key: "error.oauth.gone", URL: "/login", Next: "login.button"}

// takeFlow gives the sign-in that an answer belongs to, once: this browser must have begun it.
func (s *Server) takeFlow(r *http.Request) (flow providerFlow, err error) {
	c, err := r.Cookie(s.flowCookie())
	if err != nil {
		return flow, errFlowGone
	}
	state := seal.Digest(r.URL.Query().Get("state"))
	sealed, err := s.store.TakeFlow(r.Context(), state, seal.Digest(c.Value))
	if errors.Is(err, store.ErrNotFound) {
		return flow, errFlowGone
	}
	if err != nil {
		return flow, err
	}
	raw, err := s.ring.Open("oauth-flow/1", state, sealed)
	if err != nil {
		return flow, errFlowGone
	}
	return flow, json.Unmarshal(raw, &flow)
}

// oauthCallback is where a provider sends people back to.
func (s *Server) oauthCallback(w http.ResponseWriter, r *http.Request) error {
	flow, err := s.takeFlow(r)
	if err != nil {
		return err
	}
	if flow.Form != nil || flow.Source != 0 {
		return s.finishSource(w, r, flow)
	}
	err = s.finishFlow(w, r, flow)
	if err == nil {
		return nil
	}
	return s.signInFailed(w, r, s.loginWith(r, flow.Address, flow.Next, flow.Stay, flow.Carried), err)
}

// arrived asks the provider who came back.
func (s *Server) arrived(r *http.Request, flow providerFlow) (*arrival, error) {
	servers, ok := s.servers.OfDomain(flow.Domain)
	if !ok || servers.OAuth == nil || clientAt(servers.OAuth) != flow.At {
		return nil, errFlowGone
	}
	provider, err := s.tokens.Provider(r.Context(), servers.OAuth)
	if err != nil {
		return nil, err
	}
	who, got, err := provider.Finish(r.Context(), flow.Flow, s.redirectURL(), r.URL.Query())
	return &arrival{Person: who, got: got, flow: flow, provider: servers.OAuth}, err
}

// finishFlow lets whom the provider vouches for in.
func (s *Server) finishFlow(w http.ResponseWriter, r *http.Request, flow providerFlow) error {
	v, err := s.arrived(r, flow)
	if err != nil {
		return err
	}
	u, a, err := s.admit(r, v)
	if err != nil {
		return err
	}
	cred := jobs.Credential{Username: a.Username}
	if cred.Token, err = s.tokens.Keep(r.Context(), u.ID, v.servers.Domain, v.Person, v.got); err != nil {
		return err
	}
	session := s.pool.Session(jobs.SessionKey(a.ID), v.servers.IMAP, s.queue.Credentials(cred))
	if err := session.SignIn(r.Context()); err != nil {
		return notTaken(v, err)
	}
	err = errors.Join(s.queue.RefreshSources(r.Context(), a, cred), s.queue.SignedInAgain(r.Context(), a, cred))
	if err != nil {
		s.log.Warn("what waited for a sign-in does not know of it", "user", u.ID, "err", err)
	}
	s.log.Info("sign-in", "id", requestID(r), "user", u.ID, "by", v.provider.Kind)
	if err := s.signIn(r, u, a, cred, flow.Stay); err != nil {
		return err
	}
	if len(flow.Carried) > 0 {
		return s.goOn(w, r, signInForm{next: flow.Next, carried: flow.Carried})
	}
	return seeOther(w, r, flow.Next)
}

// arrival is somebody whom a provider vouches for.
type arrival struct {
	oauth.Person
	got      oauth.Tokens
	flow     providerFlow
	provider *discover.OAuth
	servers  discover.Servers // of their mailbox
}

// admit finds whose account an arrival opens. A person whom the provider knows by an id is one user for ever, whatever
// their address becomes. Somebody new becomes the user of their address if the mail server lets them into that mailbox,
// and only if nobody else is that user already: an address can be given to another person, and in some places anybody
// can claim one (nOAuth). Whom a provider knows that the domain had before keeps nobody out: it is the admin who moved.
func (s *Server) admit(r *http.Request, v *arrival) (u store.User, a store.Account, err error) {
	ctx := r.Context()
	u, err = s.store.UserByIdentity(ctx, v.Issuer, v.Subject)
	fresh := errors.Is(err, store.ErrNotFound)
	if err != nil && !fresh {
		return u, a, err
	}
	address := u.Address
	if fresh {
		address = v.Address
	}
	if err := s.mayEnter(ctx, v, address); err != nil {
		return u, a, err
	}
	var former []string
	if fresh {
		if former, err = s.mailboxTakes(r, v, address); err != nil {
			return u, a, err
		}
	}
	if u, a, err = s.store.EnsureUser(ctx, address, v.servers.Username(address)); err != nil {
		return u, a, err
	}
	if u.Locked {
		return u, a, &Problem{Status: http.StatusForbidden, Key: "error.locked"}
	}
	if fresh {
		if err = s.store.Identify(ctx, u.ID, v.Issuer, v.Subject, former...); errors.Is(err, store.ErrTaken) {
			return u, a, takenBy(v, address)
		}
	}
	return u, a, err
}

// mayEnter says whether the mailbox of an address is one for which this provider speaks, and the one that was asked for
// by somebody who is signed in.
func (s *Server) mayEnter(ctx context.Context, v *arrival, address string) error {
	var ok bool
	v.servers, ok = s.servers.Lookup(address)
	if !ok || v.servers.OAuth == nil || !tokens.SettingsOf(v.servers.OAuth).Same(tokens.SettingsOf(v.provider)) {
		return &Problem{Status: http.StatusForbidden, Key: "error.oauth.otherdomain", Args: []any{"Provider", providerName(v.provider), "Address", address}}
	}
	if v.flow.User == 0 {
		return nil
	}
	u, err := s.store.User(ctx, v.flow.User)
	if err != nil || u.Address == address {
		return err
	}
	return &Problem{Status: http.StatusForbidden, Key: "error.oauth.otherperson", Args: []any{"Provider", providerName(v.provider), "Address", address, "Own", u.Address}}
}

// mailboxTakes says whether somebody whom nobody knows here yet has this mailbox, and nobody else has been its user at
// this provider. former are other ones at which its user is known.
func (s *Server) mailboxTakes(r *http.Request, v *arrival, address string) (former []string, err error) {
	former, err = s.store.Issuers(r.Context(), address)
	if err != nil {
		return nil, err
	}
	provider, err := s.tokens.Provider(r.Context(), v.servers.OAuth)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(former, provider.Is) {
		return nil, takenBy(v, address)
	}
	key := "signin/" + requestID(r)
	defer s.pool.Drop(key)
	look := s.pool.Session(key, v.servers.IMAP, mailclient.Credentials{Username: v.servers.Username(address), Tokens: tokens.Static(v.got)})
	if err := look.SignIn(r.Context()); err != nil {
		return nil, notTaken(v, err)
	}
	return former, nil
}

func takenBy(v *arrival, address string) error {
	return &Problem{Status: http.StatusConflict, Key: "error.oauth.taken", Args: []any{"Provider", providerName(v.provider), "Address", address}}
}

// notTaken says that the mail server refuses whom the provider vouches for.
func notTaken(v *arrival, err error) error {
	var refused *mailclient.SignInError
	if !errors.As(err, &refused) || refused.Temporary {
		return err
	}
	p := wrap(err, http.StatusForbidden, "error.oauth.mail", "Provider", providerName(v.provider), "Host", refused.Host, "Address", v.Address)
	p.Server = refused.Text
	return p
}

// tokenProblem is a provider that gives no access token.
func tokenProblem(e *mailclient.TokenError) *Problem {
	p := wrap(e, http.StatusServiceUnavailable, "error.oauth.away", "Provider", e.Provider)
	if e.Dead {
		p.Status, p.Key = http.StatusUnauthorized, "error.oauth.refused"
	}
	p.Server = e.Text
	return p
}

// faultStatus is that of what is wrong with a sign-in by a provider; what is wrong with the provider itself is 502.
var faultStatus = map[oauth.FaultKind]int{
	oauth.Mismatch: http.StatusBadRequest, oauth.Unverified: http.StatusForbidden, oauth.NoAddress: http.StatusForbidden, oauth.Refused: http.StatusUnauthorized, oauth.Denied: http.StatusForbidden,
}

func faultProblem(f *oauth.Fault) *Problem {
	key := "error.oauth.provider"
	switch f.Kind {
	case oauth.Away, oauth.Mismatch, oauth.Unverified, oauth.NoAddress, oauth.Refused, oauth.Denied, oauth.BadClient:
		key = "error.oauth." + string(f.Kind)
	}
	status := faultStatus[f.Kind]
	if status == 0 {
		status = http.StatusBadGateway
	}
	p := wrap(f, status, key, "Provider", f.Host)
	p.Server = f.Text
	return p
}

// needsProvider says whether an error means that a person has to sign in at their provider again.
func needsProvider(p *person, err error) bool {
	var token *mailclient.TokenError
	var refused *mailclient.SignInError
	return p.cred.Token != 0 && (errors.As(err, &token) && token.Dead || errors.As(err, &refused) && !refused.Temporary)
}

// atProviderAgain asks a person to sign in at their provider again, and carries through it what they were sending.
func (s *Server) atProviderAgain(w http.ResponseWriter, r *http.Request, p *person, why error) {
	s.logProblem(r, problemOf(why))
	page := s.loginFor(r, p.L)
	page.Username, page.To, page.AddressFirst = p.Account.Address, r.URL.RequestURI(), true
	page.Notice = p.L.T("login.provider.again", "Provider", providerName(p.Servers.OAuth))
	flow := providerFlow{Domain: p.Servers.Domain, Address: p.Account.Address, Next: page.To, User: p.User.ID}
	if !reading(r) {
		_ = parseForm(r) // of a broken form, what could be read of it
		page.To, flow.Next, flow.Carried = r.URL.Path, r.URL.Path, url.Values{}
		for name, values := range r.PostForm {
			if name == "password" {
				continue
			}
			flow.Carried[name] = values
			for _, v := range values {
				page.Carried = append(page.Carried, templates.Field{Name: name, Value: v})
			}
		}
	}
	if r.Header.Get("X-Restante") == "" && r.Header.Get("HX-Request") == "" { // a script asks in its own way
		if at, err := s.beginFlow(w, r, p.Servers, &flow); err == nil {
			page.Provider = &templates.Provider{Name: providerName(p.Servers.OAuth), URL: at}
		}
	}
	s.render(w, r, http.StatusUnauthorized, page)
}

// tellProvider says on every page that a person has to sign in at their provider again, while they have to.
func (s *Server) tellProvider(r *http.Request, p *person, f *templates.Frame) {
	name := providerName(p.Servers.OAuth)
	f.Provider = p.L.T("login.provider", "Provider", name)
	if dead, err := s.tokens.Dead(r.Context(), p.cred.Token); err == nil && dead {
		f.Again = &templates.Again{Words: p.L.T("login.provider.again", "Provider", name), Button: f.Provider, Username: p.Account.Address, To: f.Here}
	}
}
