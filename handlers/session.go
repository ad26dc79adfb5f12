package handlers

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"

	"restante/internal/i18n"
	"restante/internal/index"
	"restante/internal/jobs"
	"restante/internal/limits"
	"restante/internal/store"
	"restante/mailclient/discover"
	"restante/templates"
)

// person is who a request is from, with their mail at hand.
type person struct {
	User     store.User
	Account  store.Account
	Accounts []store.Account
	Servers  discover.Servers
	Mail     *index.Mail
	Seen     uint64 // events of all accounts when the request came
	L        *i18n.Localizer
	Zone     *time.Location
	Hash     string                 // of the session token, as stored
	Recent   []string               // folders that mails were moved to, the last one first
	cred     jobs.Credential        // of the account
	signedIn jobs.Credential        // of the account that they signed in with
	own      func() map[string]bool // their addresses in lower case
	attached bool                   // what is read is a mail within a mail: no server of ours has looked at it
	met      *meeting               // the sender who was asked about last
	ahead    func() behind          // set where behind is asked for before it is needed
}

// behind is what store.Behind tells.
type behind struct {
	store.Behind
	err error
}

func (s *Server) behind(ctx context.Context, p *person) (b behind) {
	if p.ahead != nil {
		return p.ahead()
	}
	b.Behind, b.err = s.store.Behind(ctx, p.User.ID, p.Account.ID)
	return b
}

// meanwhile begins to work out what f gives; the function that it gives waits for it, and panics if f did. What f asks
// must end with its request.
func meanwhile[T any](f func() T) func() T {
	type result struct {
		value T
		panic any
	}
	c := make(chan result, 1)
	go func() {
		var got result
		defer func() {
			got.panic = recover()
			c <- got
		}()
		got.value = f()
	}()
	return sync.OnceValue(func() T {
		got := <-c
		if got.panic != nil {
			panic(got.panic)
		}
		return got.value
	})
}

// session keys in scs.
const (
	sessionUser    = "user"
	sessionAccount = "account"
	sessionCred    = "cred"
	sessionFlash   = "flash"
	sessionZone    = "zone"
	sessionRecent  = "recent"
	sessionSought  = "sought" // searches of before
)

// tokenHash is how scs names a token in the store.
func tokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func credWhere(userID int64) string { return fmt.Sprintf("sessions/cred/%d", userID) }

// signIn makes the session of a person who has proven their password: a new token, the password sealed to it.
func (s *Server) signIn(r *http.Request, u store.User, a store.Account, c jobs.Credential, stay bool) error {
	ctx := r.Context()
	if err := s.sessions.RenewToken(ctx); err != nil {
		return err
	}
	raw, err := json.Marshal(c)
	if err != nil {
		return err
	}
	token := s.sessions.Token(ctx)
	s.sessions.Put(ctx, sessionUser, u.ID)
	s.sessions.Put(ctx, sessionAccount, a.ID)
	s.sessions.Put(ctx, sessionCred, s.ring.SealSession(token, credWhere(u.ID), raw))
	s.sessions.RememberMe(ctx, stay)
	idle := time.Duration(0) // the session's lifetime is the bound
	if !stay {
		idle = maxIdle
	}
	if _, _, err := s.sessions.Commit(ctx); err != nil {
		return err
	}
	return s.store.TagSession(ctx, tokenHash(token), u.ID, deviceOf(r.UserAgent()), s.clientBlock(r), idle)
}

// person finds who a request is from, or errSignedOut.
func (s *Server) person(r *http.Request) (*person, error) {
	ctx := r.Context()
	id := s.sessions.GetInt64(ctx, sessionUser)
	if id == 0 {
		return nil, errSignedOut
	}
	p := &person{Hash: tokenHash(s.sessions.Token(ctx))}
	raw, err := s.ring.OpenSession(s.sessions.Token(ctx), credWhere(id), s.sessions.GetBytes(ctx, sessionCred))
	if err != nil {
		return nil, errSignedOut
	}
	if err := json.Unmarshal(raw, &p.signedIn); err != nil {
		return nil, errSignedOut
	}
	if p.User, p.Accounts, err = s.store.Person(ctx, id); err != nil {
		return nil, notSignedIn(err)
	}
	if p.User.Locked {
		return nil, errSignedOut
	}
	first, ok := s.servers.Lookup(p.Accounts[0].Address)
	if !ok || (first.OAuth != nil) != (p.signedIn.Token != 0) { // the domain is gone, or its way to sign in has changed
		return nil, errSignedOut
	}
	if err := s.touch(ctx, p.Hash); err != nil {
		return nil, err
	}
	p.own = sync.OnceValue(func() map[string]bool { return s.ownAddresses(ctx, p.User.ID) })
	_ = json.Unmarshal([]byte(s.sessions.GetString(ctx, sessionRecent)), &p.Recent) // none, mostly
	p.L = i18n.For(p.User.Settings.Language, r.Header.Get("Accept-Language"))
	p.Zone = zoneOf(p.User.Settings.TimeZone, s.sessions.GetString(ctx, sessionZone))
	account, err := accountNamed(r, p)
	if err != nil {
		return nil, err
	}
	if err := s.goTo(p, account); err != nil {
		return nil, err
	}
	p.Seen = changesIn(s.everywhere(p))
	return p, nil
}

// goTo goes to one of a person's accounts. Another person's is not found.
func (s *Server) goTo(p *person, id int64) error {
	at := slices.IndexFunc(p.Accounts, func(a store.Account) bool { return a.ID == id })
	if at < 0 {
		return errNothingHere
	}
	a := p.Accounts[at]
	p.Account, p.cred, p.ahead, p.met = a, p.signedIn, nil, nil
	var ok bool
	if p.Servers, ok = s.queue.ServersOf(a); !ok {
		return accountTrouble(a, "accounts.noservers")
	}
	if a.Further() {
		var err error
		if p.cred, err = s.queue.AccountCredential(a); err != nil {
			s.log.Warn("password of an account cannot be opened", "account", a.ID, "err", err.Error())
			return accountTrouble(a, "accounts.nokey")
		}
	}
	session := s.pool.Session(jobs.SessionKey(a.ID), p.Servers.IMAP, s.queue.Credentials(p.cred))
	p.Mail = s.index.Mail(a.ID, fmt.Sprintf("%s %s:%d", a.Username, p.Servers.IMAP.Host, p.Servers.IMAP.Port), session)
	p.Mail.Bound(int(s.bounds.Of(p.User.Address, limits.Connections)))
	p.Mail.KeepTexts(index.Policy{Most: s.bounds.Of(p.User.Address, limits.TextsMB) << 20, Each: s.bounds.Of(p.User.Address, limits.TextKB) << 10})
	return nil
}

// as is the person in another of their accounts.
func (s *Server) as(p *person, account int64) (*person, error) {
	if account == p.Account.ID {
		return p, nil
	}
	there := *p
	return &there, s.goTo(&there, account)
}

// everywhere is the person in each of their accounts, without those that cannot be used.
func (s *Server) everywhere(p *person) (all []*person) {
	for _, a := range p.Accounts {
		if there, err := s.as(p, a.ID); err == nil {
			all = append(all, there)
		}
	}
	return all
}

// changesIn counts the events of accounts so far.
func changesIn(all []*person) (n uint64) {
	for _, there := range all {
		n += there.Mail.Changes()
	}
	return n
}

// accountTrouble is what keeps a further account from being used, until its person does something about it.
func accountTrouble(a store.Account, key string) *Problem {
	return &Problem{Status: http.StatusConflict, Key: key, Args: []any{"Address", a.Address}, URL: pathAccounts, Next: "accounts.see"}
}

const (
	maxIdle    = 12 * time.Hour
	touchEvery = time.Minute
	maxTouched = 10_000
)

// touched remembers when each session was last noted as used by this process.
type touched struct {
	mu   sync.Mutex
	last map[string]time.Time
}

// touch notes that a session is used, once a minute.
func (s *Server) touch(ctx context.Context, hash string) error {
	now := s.now()
	s.touched.mu.Lock()
	due := now.Sub(s.touched.last[hash]) >= touchEvery
	if due {
		if s.touched.last == nil || len(s.touched.last) >= maxTouched {
			s.touched.last = map[string]time.Time{}
		}
		s.touched.last[hash] = now
	}
	s.touched.mu.Unlock()
	if !due {
		return nil
	}
	return s.store.TouchSession(ctx, hash)
}

func notSignedIn(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return errSignedOut
	}
	return err
}

// namesAccount are the paths that name an account by ?account=. What else is below no account is about the person.
var namesAccount = []string{"/search", "/compose", "/retry", pathAll}

// accountNamed is the account that the path names, or ?account=, else the one signed in with.
func accountNamed(r *http.Request, p *person) (int64, error) {
	v := chi.URLParam(r, "account")
	if v == "" && strings.HasPrefix(r.URL.Path, "/mail/") && !strings.HasPrefix(r.URL.Path, pathAll) {
		return 0, errNothingHere
	}
	if asked := r.URL.Query().Get("account"); v == "" && slices.ContainsFunc(namesAccount, func(at string) bool { return strings.HasPrefix(r.URL.Path, at) }) {
		v = asked
	}
	if v == "" {
		return p.Accounts[0].ID, nil
	}
	id, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		return 0, errNothingHere
	}
	return id, nil
}

// naming adds to the query of a page that stands below no account which one is meant, where it is not the first.
func (p *person) naming(q url.Values) url.Values {
	if p.Account.ID == p.Accounts[0].ID {
		return q
	}
	out := url.Values{"account": {strconv.FormatInt(p.Account.ID, 10)}}
	for k, v := range q {
		out[k] = v
	}
	return out
}

func zoneOf(setting, browser string) *time.Location {
	for _, name := range []string{setting, browser} {
		if name == "" || name == "Local" {
			continue
		}
		if loc, err := time.LoadLocation(name); err == nil {
			return loc
		}
	}
	return time.UTC
}

// now is the present in the person's zone.
func (s *Server) nowFor(p *person) time.Time { return s.now().In(p.Zone) }

// flash is what the next page says was done.
type flash struct {
	Words     string `json:"w"`
	Undo      int64  `json:"u,omitempty"`  // an act to undo
	UndoMail  int64  `json:"um,omitempty"` // an outbox item to take back
	LinkURL   string `json:"l,omitempty"`
	LinkWords string `json:"lw,omitempty"`
	Failed    bool   `json:"f,omitempty"`
}

func (s *Server) putFlash(r *http.Request, f flash) {
	if f.Words == "" {
		return
	}
	raw, err := json.Marshal(f)
	if err == nil {
		s.sessions.Put(r.Context(), sessionFlash, string(raw))
	}
}

func (s *Server) popFlash(r *http.Request) *templates.Flash {
	raw := s.sessions.PopString(r.Context(), sessionFlash)
	if raw == "" {
		return nil
	}
	var f flash
	if json.Unmarshal([]byte(raw), &f) != nil {
		return nil
	}
	return f.shown()
}

// shown is what the page says of it.
func (f flash) shown() *templates.Flash {
	out := &templates.Flash{Words: f.Words, Failed: f.Failed, LinkURL: f.LinkURL, LinkWords: f.LinkWords}
	switch {
	case f.Undo != 0:
		out.UndoURL = fmt.Sprintf("/undo/%d", f.Undo)
	case f.UndoMail != 0:
		out.UndoURL = fmt.Sprintf("/outbox/%d?action=undo", f.UndoMail)
	}
	return out
}

// maxRecent is how many folders are offered as used last.
const maxRecent = 5

// usedFolder remembers a folder that mails were moved to.
func (s *Server) usedFolder(r *http.Request, p *person, name string) {
	recent := append([]string{name}, slices.DeleteFunc(p.Recent, func(o string) bool { return o == name })...)
	raw, err := json.Marshal(recent[:min(len(recent), maxRecent)])
	if err == nil {
		s.sessions.Put(r.Context(), sessionRecent, string(raw))
	}
}
