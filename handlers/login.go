package handlers

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"restante/internal/i18n"
	"restante/internal/jobs"
	"restante/mailclient"
	"restante/templates"
)

// signInForm is what POST /login brings.
type signInForm struct {
	username, password, next string
	server                   string // those that were shown, of a domain whose servers were discovered
	stay                     bool
	carried                  url.Values
}

func signInFormFrom(r *http.Request) (f signInForm, err error) {
	if err := parseForm(r); err != nil {
		return f, err
	}
	f = signInForm{
		username: strings.TrimSpace(r.PostFormValue("username")), password: r.PostFormValue("password"),
		next: ownPath(r.PostFormValue("next")), stay: r.PostFormValue("stay") != "",
		server: r.PostFormValue("server"), carried: url.Values{},
	}
	for name, values := range r.PostForm {
		if rest, ok := strings.CutPrefix(name, "carry."); ok {
			f.carried[rest] = values
		}
	}
	if len(f.username) > 254 || len(f.password) > 1024 || strings.ContainsAny(f.username+f.password, "\r\n\x00") {
		return f, badRequest("error.badinput")
	}
	return f, nil
}

func (s *Server) loginPage(w http.ResponseWriter, r *http.Request) error {
	again := cutText(oneLine(r.URL.Query().Get("again")), 254) // who is to sign in anew, though a session may still live
	if _, err := s.person(r); err == nil && again == "" {
		return seeOther(w, r, r.URL.Query().Get("next"))
	}
	page := s.loginFor(r, browserLanguage(r))
	page.To, page.Username = ownPath(r.URL.Query().Get("next")), again
	if again != "" && r.URL.Query().Has("next") {
		page.Notice = page.L.T("login.changed")
	}
	if r.URL.Query().Get("out") == "1" {
		page.Notice, page.Forget = page.L.T("login.out"), true
	}
	return s.ok(w, r, page)
}

func (s *Server) loginFor(r *http.Request, l *i18n.Localizer) templates.Login {
	return templates.Login{
		Head:      templates.Head{L: l, Nonce: nonceOf(r), Title: l.T("login.button"), Theme: "auto"},
		BareNames: s.servers.Only() != "", AddressFirst: s.anyProvider(), Unset: s.unset(r.Context()),
	}
}

// loginWith is the sign-in page filled in again, with the form that is carried through it.
func (s *Server) loginWith(r *http.Request, username, to string, stay bool, carried url.Values) templates.Login {
	page := s.loginFor(r, browserLanguage(r))
	page.Username, page.To, page.Stay = username, to, stay
	for name, values := range carried {
		for _, v := range values {
			page.Carried = append(page.Carried, templates.Field{Name: name, Value: v})
		}
	}
	return page
}

// unset says whether nobody has set the site up so far.
func (s *Server) unset(ctx context.Context) bool {
	if len(s.servers.Own()) > 0 {
		return false
	}
	has, err := s.store.HasAdmin(ctx)
	return err == nil && !has
}

// login asks the mail server whether the password is right.
func (s *Server) login(w http.ResponseWriter, r *http.Request) error {
	f, err := signInFormFrom(r)
	if err != nil {
		return err
	}
	page := s.loginWith(r, f.username, f.next, f.stay, f.carried)
	if servers, ok := s.servers.Lookup(s.addressOf(f)); ok && servers.OAuth != nil {
		return s.toProvider(w, r, page, servers, f)
	}
	if page.AddressFirst && f.password == "" { // the address was asked for alone
		page.AddressFirst = false
		return s.ok(w, r, page)
	}
	page.AddressFirst = false
	if err := s.trySignIn(w, r, f); err != nil {
		var found *unconfirmed
		if errors.As(err, &found) {
			return s.showServers(w, r, page, found)
		}
		return s.signInFailed(w, r, page, err)
	}
	if len(f.carried) > 0 {
		return s.goOn(w, r, f)
	}
	return seeOther(w, r, f.next)
}

// addressOf is the address that a form means: where there is but one domain, it may be left out.
func (s *Server) addressOf(f signInForm) string {
	address := f.username
	if !strings.Contains(address, "@") && s.servers.Only() != "" {
		address += "@" + s.servers.Only()
	}
	return strings.ToLower(address)
}

// trySignIn checks the limits, the domain and the password, in this order, and makes the session.
func (s *Server) trySignIn(w http.ResponseWriter, r *http.Request, f signInForm) error {
	address := s.addressOf(f)
	if f.password == "" {
		return &Problem{Status: http.StatusUnauthorized, Key: "error.nopassword"}
	}
	known, _ := s.servers.Lookup(address)
	device := s.device(r, deviceKey(address, known))
	tried, until, err := s.limits.allow(r.Context(), s.clientNetwork(r), address, device)
	if err != nil {
		return err
	}
	if !until.IsZero() {
		return s.tooManyTries(until)
	}
	servers, err := s.serversOf(r, address)
	if errors.Is(err, mailclient.ErrBusy) {
		return errors.Join(err, s.limits.undo(context.WithoutCancel(r.Context()), tried))
	}
	if err != nil {
		return err
	}
	if err := s.confirm(r, servers, address, f.server); err != nil {
		return errors.Join(err, s.limits.undo(context.WithoutCancel(r.Context()), tried))
	}
	cred := jobs.Credential{Username: servers.Username(address), Password: f.password}
	key := "signin/" + requestID(r)
	probe := s.pool.Session(key, servers.IMAP, mailclient.Credentials{Username: cred.Username, Password: cred.Password})
	defer s.pool.Drop(key)
	if err := s.checks.try(r.Context(), address, f.password, device != "", probe.SignIn); err != nil {
		s.doubt(r, servers, address, err)
		var refused *mailclient.SignInError
		if !errors.As(err, &refused) || refused.Temporary {
			return errors.Join(err, s.limits.undo(context.WithoutCancel(r.Context()), tried))
		}
		return err
	}
	if err := s.limits.right(r.Context(), tried); err != nil {
		return err
	}
	u, a, err := s.store.EnsureUser(r.Context(), address, cred.Username)
	if err != nil {
		return err
	}
	if u.Locked { // said to whoever knows the password alone
		return &Problem{Status: http.StatusForbidden, Key: "error.locked"}
	}
	s.pool.Rename(key, jobs.SessionKey(a.ID)) // the pages go on with its connection
	if err := s.queue.SignedIn(r.Context(), a, cred); err != nil {
		s.log.Warn("imports and the outbox do not know the new password", "user", u.ID, "err", err)
	}
	s.log.Info("sign-in", "id", requestID(r), "user", u.ID)
	s.rememberDevice(w, r, deviceKey(address, servers))
	return s.signIn(r, u, a, cred, f.stay)
}

// tooManyTries names the minute from which on a try counts again. What the clock shows where the reader is, nobody
// knows before the sign-in: hence the zone, and the time from now.
func (s *Server) tooManyTries(until time.Time) error {
	left := until.Sub(s.now())
	minute := until.Add(time.Minute - 1).Truncate(time.Minute)
	return &Problem{
		Status: http.StatusTooManyRequests, Key: "error.tries", err: retryAfter{left},
		Args: []any{"Time", minute.UTC().Format("15:04"), "N", int((minute.Sub(s.now()) + time.Minute - 1) / time.Minute)},
	}
}

// signInFailed shows the form again: the address kept, the password not.
func (s *Server) signInFailed(w http.ResponseWriter, r *http.Request, page templates.Login, err error) error {
	p := problemOf(err)
	s.logProblem(r, p)
	page.Problem, page.ServerSaid = page.L.T(p.Key, p.Args...), p.Server
	if next := p.Key + ".next"; page.L.T(next) != next {
		page.Next = page.L.T(next)
	}
	var none *notFound
	if errors.As(err, &none) {
		page.Looked = looked(page.L, none.found)
	}
	page.Title = page.L.T("error.prefix") + " " + page.Title
	var wait retryAfter
	if errors.As(err, &wait) {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait.d.Seconds())+1))
	}
	s.render(w, r, p.Status, page)
	return nil
}

// signInAgain answers a request whose session is over: a page that was asked for comes after the sign-in,
// a form that was sent is carried through it (files have to be added again). p is whose session lives on where the mail
// server does not take their password any more, else nil.
func (s *Server) signInAgain(w http.ResponseWriter, r *http.Request, p *person) {
	l := browserLanguage(r)
	page, again := s.loginFor(r, l), ""
	if p != nil {
		page.Username = p.Account.Address
		again = "&again=" + url.QueryEscape(page.Username)
	}
	if reading(r) {
		if r.Header.Get("HX-Request") == "" && r.Header.Get("X-Restante") == "" {
			http.Redirect(w, r, "/login?next="+url.QueryEscape(r.URL.RequestURI())+again, http.StatusSeeOther)
			return
		}
		s.render(w, r, http.StatusUnauthorized, page)
		return
	}
	_ = parseForm(r) // of a broken form, what could be read of it
	for name, values := range r.PostForm {
		for _, v := range values {
			if name != "password" {
				page.Carried = append(page.Carried, templates.Field{Name: name, Value: v})
			}
		}
	}
	page.To, page.Notice = r.URL.Path, l.T("login.again")
	s.render(w, r, http.StatusUnauthorized, page)
}

// goOn shows, after a sign-in, the form that was being sent, one press from being sent again.
func (s *Server) goOn(w http.ResponseWriter, r *http.Request, f signInForm) error {
	l := browserLanguage(r)
	page := templates.Error{
		Head:  templates.Head{L: l, Nonce: nonceOf(r), Title: l.T("login.goon"), Theme: "auto"},
		Words: l.T("login.goon"), Safe: l.T("login.goon.words"), ID: requestID(r),
		RetryURL: f.next, RetryMethod: "post", ButtonWords: l.T("login.goon.do"),
	}
	for name, values := range f.carried {
		for _, v := range values {
			page.Kept = append(page.Kept, templates.Field{Name: name, Value: v})
		}
	}
	return s.ok(w, r, page)
}

// logout ends this browser's session and its mail connections when it was the last.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) error {
	who, err := s.person(r)
	if err == nil {
		s.fileNow(r, who)
		s.log.Info("sign-out", "id", requestID(r), "user", who.User.ID)
	}
	if err := s.sessions.Destroy(r.Context()); err != nil {
		return err
	}
	if who != nil {
		if rest, err := s.store.Sessions(r.Context(), who.User.ID); err == nil && len(rest) == 0 {
			for _, a := range who.Accounts {
				s.pool.Drop(jobs.SessionKey(a.ID))
			}
			if who.signedIn.Token != 0 {
				if err := s.queue.SignedOut(r.Context(), who.User.ID); err != nil { // it is given up later then
					s.log.Warn("what a provider gave is not given up yet", "id", requestID(r), "err", err)
				}
			}
		}
		s.hub.tell(who.User.ID, "session")
	}
	return seeOther(w, r, "/login?out=1")
}

// forgetCache has the browser drop what it keeps of mails: pictures of parts, all else is no-store. The page after the
// sign-out asks for it as a picture, because Chromium holds an answer back until it has gone through its whole cache,
// that of other sites too: some 0.1 ms a file, seconds on a sign-out of somebody who browses much.
//
// "storage" is not cleared. What is there of mail are the copies of unsent drafts, and they must outlive a sign-out
// that the writer wanted so: theirs and those of other people with the same browser.
func (s *Server) forgetCache(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Clear-Site-Data", `"cache"`)
	w.WriteHeader(http.StatusNoContent)
}
