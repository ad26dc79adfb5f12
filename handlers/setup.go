package handlers

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"restante/internal/config"
	"restante/internal/i18n"
	"restante/internal/seal"
	"restante/internal/store"
	"restante/mailclient/checkup"
	"restante/mailclient/discover"
	"restante/templates"
)

// SetupLives is how long a set-up that was begun may take.
const SetupLives = 24 * time.Hour

// setupSteps are the steps of a set-up by their paths. Each can be opened when those before it are done.
var setupSteps = []string{"owner", "site", "domain", "test", "finish"}

// setupState is what was typed in a set-up so far. It is sealed in the database, and applied all at once in the end.
type setupState struct {
	Done    int         `json:"done"` // steps
	Name    string      `json:"name,omitempty"`
	Hash    string      `json:"hash,omitempty"`
	Factor  *newFactor  `json:"factor,omitempty"`
	Public  string      `json:"public,omitempty"`
	Self    []selfLine  `json:"self,omitempty"`
	Domain  domainDraft `json:"domain"`
	Without bool        `json:"without,omitempty"` // no domain is set up
	Fault   string      `json:"fault,omitempty"`   // words that the next page says
}

// settingUp is a request of somebody who holds the set-up.
type settingUp struct {
	state  setupState
	cookie string // its hash
	l      *i18n.Localizer
	step   int // of the page, from 0
}

func (s *Server) setupCookie() string { return cookieName("restante-setup", s.sessions.Cookie.Secure) }

// setupLink shows what the link is for. To open it changes nothing: programs that look at links do.
func (s *Server) setupLink(w http.ResponseWriter, r *http.Request) error {
	if u, err := s.settingUp(r); err == nil {
		return seeOther(w, r, "/setup/"+setupSteps[min(u.state.Done, len(setupSteps)-1)])
	}
	l := browserLanguage(r)
	token := chi.URLParam(r, "token")
	v, held, err := s.store.SetupLink(r.Context(), seal.Digest(token))
	if errors.Is(err, store.ErrNotFound) {
		return errNothingHere
	}
	if err != nil {
		return err
	}
	if held || !v.Used.IsZero() || !v.Expires.After(s.now()) {
		return s.setupOver(w, r, l, v)
	}
	return s.ok(w, r, templates.SetupLink{Head: s.adminHead(r, l, l.T("setup.title")), URL: "/setup/" + token})
}

// setupOver says why a link is over, and how to get another.
func (s *Server) setupOver(w http.ResponseWriter, r *http.Request, l *i18n.Localizer, v store.Setup) error {
	words := l.T("setup.expired", "Date", l.Long(v.Expires))
	if used := v.Used; !used.IsZero() {
		words = l.T("setup.used", "Date", l.Long(used))
	} else if !v.Opened.IsZero() {
		words = l.T("setup.opened", "Date", l.Long(v.Opened))
	}
	has, err := s.store.HasAdmin(r.Context())
	if err != nil {
		return err
	}
	s.render(w, r, http.StatusGone, templates.SetupLink{Head: s.adminHead(r, l, l.T("setup.title")), Over: words, HasAdmin: has})
	return nil
}

// openSetup binds the set-up to this browser.
func (s *Server) openSetup(w http.ResponseWriter, r *http.Request) error {
	l := browserLanguage(r)
	link, cookie := seal.Digest(chi.URLParam(r, "token")), seal.NewToken()
	_, err := s.store.OpenSetup(r.Context(), link, seal.Digest(cookie))
	if errors.Is(err, store.ErrTaken) {
		v, _, err := s.store.SetupLink(r.Context(), link)
		if err != nil {
			return err
		}
		return s.setupOver(w, r, l, v)
	}
	if errors.Is(err, store.ErrNotFound) {
		return errNothingHere
	}
	if err != nil {
		return err
	}
	if err := s.store.AddAudit(r.Context(), store.AuditRow{Who: "setup", Verb: "setup-begin", Network: s.clientBlock(r), Result: "ok"}); err != nil {
		return err
	}
	if err := s.setup.LinkUsed(); err != nil {
		s.log.Error("the file of the set-up link stays", "err", err)
	}
	setStrictCookie(w, s.setupCookie(), cookie)
	return seeOther(w, r, "/setup/owner")
}

// settingUp finds the set-up that a browser holds: errNothingHere for none.
func (s *Server) settingUp(r *http.Request) (*settingUp, error) {
	c, err := r.Cookie(s.setupCookie())
	if err != nil || len(c.Value) > 100 {
		return nil, errNothingHere
	}
	u := &settingUp{cookie: seal.Digest(c.Value), l: browserLanguage(r)}
	v, err := s.store.SetupOf(r.Context(), u.cookie, SetupLives)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrTaken) {
		return nil, errNothingHere
	}
	if err != nil || v.State == nil {
		return u, err
	}
	raw, err := s.ring.Open("setup/1", u.cookie, v.State)
	if err != nil {
		return nil, err
	}
	return u, json.Unmarshal(raw, &u.state)
}

func (s *Server) keepSetup(r *http.Request, u *settingUp) error {
	raw, err := json.Marshal(u.state)
	if err != nil {
		return err
	}
	return s.store.SaveSetup(r.Context(), u.cookie, s.ring.Seal("setup/1", u.cookie, raw))
}

// step serves a page of a set-up. One whose time has not come leads to the first that is not done.
func (s *Server) step(name string, h func(http.ResponseWriter, *http.Request, *settingUp) error) http.HandlerFunc {
	return s.app(func(w http.ResponseWriter, r *http.Request) error {
		u, err := s.settingUp(r)
		if err != nil {
			return err
		}
		if u.step = slices.Index(setupSteps, name); u.step > u.state.Done {
			return seeOther(w, r, "/setup/"+setupSteps[u.state.Done])
		}
		return h(w, r, u)
	})
}

// nextStep keeps what was typed and opens the next step.
func (s *Server) nextStep(w http.ResponseWriter, r *http.Request, u *settingUp) error {
	u.state.Done = max(u.state.Done, u.step+1)
	if err := s.keepSetup(r, u); err != nil {
		return err
	}
	return seeOther(w, r, "/setup/"+setupSteps[u.step+1])
}

// sameStep keeps what was typed and shows the step again, with what is wrong, if something is: then it is not done.
func (s *Server) sameStep(w http.ResponseWriter, r *http.Request, u *settingUp, fault string) error {
	u.state.Fault = fault
	if fault != "" {
		u.state.Done = min(u.state.Done, u.step)
	}
	if err := s.keepSetup(r, u); err != nil {
		return err
	}
	return seeOther(w, r, "/setup/"+setupSteps[u.step])
}

// setupPage is what each step has.
func (s *Server) setupPage(r *http.Request, u *settingUp) (templates.Setup, error) {
	name := setupSteps[u.step]
	page := templates.Setup{Head: s.adminHead(r, u.l, u.l.T("setup."+name)), Step: u.l.T("setup.step", "Step", u.step+1, "Of", len(setupSteps)), FormURL: "/setup/" + name, Problem: u.state.Fault}
	if u.step > 0 {
		page.Back = "/setup/" + setupSteps[u.step-1]
	}
	if page.Problem == "" {
		return page, nil
	}
	page.Title = u.l.T("error.prefix") + " " + page.Title
	u.state.Fault = ""
	return page, s.keepSetup(r, u)
}

// setupOwner asks who will be the admin.
func (s *Server) setupOwner(w http.ResponseWriter, r *http.Request, u *settingUp) error {
	page, err := s.setupPage(r, u)
	if err != nil {
		return err
	}
	page.Owner = &templates.SetupOwner{Name: u.state.Name, Has: u.state.Hash != "", Min: seal.MinPassword}
	if f := u.state.Factor; f != nil {
		page.Owner.Factor = f.shown(u.state.Name, r.Host)
	}
	return s.ok(w, r, page)
}

func (s *Server) saveOwner(w http.ResponseWriter, r *http.Request, u *settingUp) error {
	if err := parseForm(r); err != nil {
		return err
	}
	switch r.PostFormValue("action") {
	case "code":
		if f := u.state.Factor; f != nil {
			step, ok := seal.CheckFactor(f.Secret, r.PostFormValue("code"), s.now(), 0)
			if !ok {
				return s.sameStep(w, r, u, u.l.T("admin.wrongcode"))
			}
			f.Step = step
		}
		return s.sameStep(w, r, u, "")
	case "drop":
		unproven := u.state.Factor != nil && u.state.Factor.Step == 0
		if u.state.Factor = nil; unproven && u.state.Hash != "" { // later
			return s.nextStep(w, r, u)
		}
		return s.sameStep(w, r, u, "")
	case "next":
		if u.state.Hash == "" {
			return s.sameStep(w, r, u, "")
		}
		return s.nextStep(w, r, u)
	}
	u.state.Name = cutText(oneLine(r.PostFormValue("name")), 64)
	if u.state.Name == "" {
		return s.sameStep(w, r, u, u.l.T("setup.noname"))
	}
	password := r.PostFormValue("password")
	if len(password) > 1024 {
		return badRequest("error.badinput")
	}
	if password != "" || u.state.Hash == "" {
		if why := seal.WeakPassword(password, u.state.Name); why != "" {
			return s.sameStep(w, r, u, u.l.T("setup.weak."+why, "N", seal.MinPassword))
		}
		u.state.Hash = seal.HashPassword(password)
	}
	if r.PostFormValue("factor") == "now" {
		if u.state.Factor == nil {
			u.state.Factor = makeFactor()
		}
		return s.sameStep(w, r, u, "")
	}
	u.state.Factor = nil
	return s.nextStep(w, r, u)
}

// setupSite asks for the address of the site.
func (s *Server) setupSite(w http.ResponseWriter, r *http.Request, u *settingUp) error {
	page, err := s.setupPage(r, u)
	if err != nil {
		return err
	}
	page.Site = &templates.SetupSite{URL: u.state.Public, Fixed: s.fixed, Lines: selfLines(u.l, u.state.Self)}
	switch {
	case s.fixed:
		page.Site.URL = s.conf.PublicURL
	case page.Site.URL == "":
		page.Site.URL = requestedAs(r)
	}
	return s.ok(w, r, page)
}

// requestedAs is the address that a browser seems to have asked for: a suggestion, for anybody can write these headers.
func requestedAs(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" || strings.HasPrefix(r.Header.Get("Origin"), "https://") {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

func (s *Server) saveSite(w http.ResponseWriter, r *http.Request, u *settingUp) error {
	if err := parseForm(r); err != nil {
		return err
	}
	typed := s.conf.PublicURL
	if !s.fixed {
		typed = strings.TrimSpace(r.PostFormValue("url"))
	}
	public, ok := config.SiteURL(typed)
	if public != u.state.Public {
		u.state.Self = nil
	}
	if u.state.Public = public; !ok {
		u.state.Public = cutText(typed, 300)
		return s.sameStep(w, r, u, u.l.T("setup.nourl"))
	}
	if r.PostFormValue("action") == "check" {
		u.state.Self = s.fetchSelf(r.Context(), public)
		return s.sameStep(w, r, u, "")
	}
	return s.nextStep(w, r, u)
}

// setupDomain asks for the mail domain.
func (s *Server) setupDomain(w http.ResponseWriter, r *http.Request, u *settingUp) error {
	page, err := s.setupPage(r, u)
	if err != nil {
		return err
	}
	page.Card = u.state.Domain.card(u.l, page.FormURL)
	page.Card.OAuth.Redirect = s.publicOf(u) + callbackPath
	for _, own := range s.servers.Own() {
		page.Stay = append(page.Stay, own.Domain)
	}
	return s.ok(w, r, page)
}

func (s *Server) saveSetupDomain(w http.ResponseWriter, r *http.Request, u *settingUp) error {
	done, fault, err := s.actOnCard(r, &u.state.Domain, u.l)
	if err != nil {
		return err
	}
	if r.PostForm.Get("action") == "skip" {
		u.state.Without = true
		return s.nextStep(w, r, u)
	}
	u.state.Without, u.state.Domain.Tested = false, nil
	if done {
		fault = s.unvouched(r.Context(), &u.state.Domain, u.l)
	}
	if !done || fault != "" {
		u.state.Done = min(u.state.Done, u.step)
		return s.sameStep(w, r, u, fault)
	}
	return s.nextStep(w, r, u)
}

// testable are the servers that step four tries out: those of the draft, else of the domain that stays.
func (s *Server) testable(u *settingUp) (discover.Servers, bool) {
	if !u.state.Without {
		return u.state.Domain.Servers(s.setup.Roots, s.setup.Dial), true
	}
	if own := s.servers.Own(); len(own) > 0 {
		return own[0], true
	}
	return discover.Servers{}, false
}

func (s *Server) setupTest(w http.ResponseWriter, r *http.Request, u *settingUp) error {
	page, err := s.setupPage(r, u)
	if err != nil {
		return err
	}
	servers, ok := s.testable(u)
	page.Test = &templates.DomainTest{Domain: servers.Domain, Nothing: !ok, Address: u.state.Domain.Tester, Lines: testLines(u.l, u.state.Domain.Tested), FormURL: page.FormURL, Provider: testedAt(servers.OAuth)}
	return s.ok(w, r, page)
}

func (s *Server) runSetupTest(w http.ResponseWriter, r *http.Request, u *settingUp) error {
	if err := parseForm(r); err != nil {
		return err
	}
	servers, ok := s.testable(u)
	if r.PostFormValue("action") == "next" || !ok {
		return s.nextStep(w, r, u)
	}
	o, fault := s.testOf(r, &u.state.Domain, servers, u.l)
	if fault != "" {
		return s.sameStep(w, r, u, fault)
	}
	page, err := s.setupPage(r, u)
	if err != nil {
		return err
	}
	page.Test = &templates.DomainTest{Domain: servers.Domain, Address: o.Address, FormURL: page.FormURL, Mark: seal.NewToken(), Provider: testedAt(servers.OAuth)}
	return s.streamed(w, r, page, page.Test.Mark, s.tested(r, &u.state.Domain, o, u.l, func(r *http.Request) error { return s.keepSetup(r, u) }))
}

// testOf is the test that a form asks for, with the account that it names; with none where people sign in at a provider.
// fault is what is wrong with that, in words.
func (s *Server) testOf(r *http.Request, d *domainDraft, servers discover.Servers, l *i18n.Localizer) (o checkup.Options, fault string) {
	if servers.OAuth != nil {
		return checkup.Options{Servers: servers, Resolver: s.setup.Resolver}, ""
	}
	address, password := strings.ToLower(strings.TrimSpace(r.PostFormValue("address"))), r.PostFormValue("password")
	_, domain, ok := strings.Cut(address, "@")
	if !ok || len(address) > 254 || len(password) > 1024 || strings.ContainsAny(address+password, "\r\n\x00") || !strings.EqualFold(domain, servers.Domain) || password == "" {
		d.Tester = cutText(address, 254)
		return o, l.T("test.noaccount", "Domain", servers.Domain)
	}
	o = checkup.Options{Servers: servers, Resolver: s.setup.Resolver, Address: address, Password: password, OtherForm: true}
	if r.PostFormValue("send") != "" {
		o.RoundTrip = 30 * time.Second
	}
	return o, ""
}
