package handlers

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"restante/internal/i18n"
	"restante/internal/seal"
	"restante/internal/store"
	"restante/templates"
)

// How long a signed-in admin may rest, and work.
const (
	adminIdle = 30 * time.Minute
	adminMost = 8 * time.Hour
)

// officer is an admin who is signed in, and what the pages keep for them.
type officer struct {
	store.Admin
	session store.AdminSession
	kept    adminKept
	l       *i18n.Localizer
}

// adminKept is what a session of an admin keeps from page to page; it is sealed in the database.
type adminKept struct {
	Said   string       `json:"said,omitempty"` // on the next page: what was done
	Factor *newFactor   `json:"factor,omitempty"`
	Codes  []string     `json:"codes,omitempty"` // shown once
	Draft  *domainDraft `json:"draft,omitempty"`
}

type officerKey struct{}

func (s *Server) adminCookie() string { return adminCookieAt(s.conf.PublicURL) }

// adminCookieAt is the cookie of a site at an address.
func adminCookieAt(public string) string {
	return cookieName("restante-admin", strings.HasPrefix(public, "https://"))
}

// setStrictCookie sets a cookie that no other site's link brings along; "" takes it away.
func setStrictCookie(w http.ResponseWriter, name, value string) {
	c := &http.Cookie{Name: name, Value: value, Path: "/", Secure: strings.HasPrefix(name, "__Host-"), HttpOnly: true, SameSite: http.SameSiteStrictMode}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// admins stands before everything under /admin. Only the sign-in is open; who has given the password but not the second
// factor may give that one or leave; all else needs an admin, and any fault on the way to know one is a refusal.
func (s *Server) admins(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, err := s.officer(r)
		if err != nil && !errors.Is(err, errSignedOut) {
			s.fail(w, r, err)
			return
		}
		switch {
		case r.URL.Path == "/admin/login":
		case who == nil:
			s.adminAgain(w, r, "/admin/login")
			return
		case who.session.Pending && r.URL.Path != "/admin/factor" && r.URL.Path != "/admin/logout":
			s.adminAgain(w, r, "/admin/factor")
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), officerKey{}, who)))
	})
}

// adminAgain leads to the sign-in. A form that was sent is not carried along: it comes again from its page.
func (s *Server) adminAgain(w http.ResponseWriter, r *http.Request, to string) {
	s.setHeaders(w, classApp)
	if reading(r) && to == "/admin/login" && r.URL.Path != "/admin/factor" {
		to = with(to, url.Values{"next": {r.URL.RequestURI()}})
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// officer finds which admin a request is from, or errSignedOut.
func (s *Server) officer(r *http.Request) (*officer, error) {
	c, err := r.Cookie(s.adminCookie())
	if err != nil || len(c.Value) > 100 {
		return nil, errSignedOut
	}
	v, err := s.store.AdminSession(r.Context(), seal.Digest(c.Value), adminIdle, adminMost)
	if errors.Is(err, store.ErrNotFound) {
		return nil, errSignedOut
	}
	if err != nil {
		return nil, err
	}
	who := &officer{Admin: v.Admin, session: v, l: browserLanguage(r)}
	if v.Data != "" {
		sealed, _ := base64.StdEncoding.DecodeString(v.Data) // what is none opens nothing
		raw, err := s.ring.Open("admin-session/1", v.Hash, sealed)
		if err != nil {
			return nil, errSignedOut
		}
		if err := json.Unmarshal(raw, &who.kept); err != nil {
			return nil, errSignedOut
		}
	}
	return who, nil
}

// keepFor keeps what changed in the session of an admin.
func (s *Server) keepFor(r *http.Request, who *officer) error {
	raw, err := json.Marshal(who.kept)
	if err != nil {
		return err
	}
	sealed := s.ring.Seal("admin-session/1", who.session.Hash, raw)
	return s.store.SetAdminSessionData(r.Context(), who.session.Hash, base64.StdEncoding.EncodeToString(sealed))
}

// say has the next page say something.
func (s *Server) say(r *http.Request, who *officer, words string) error {
	who.kept.Said = words
	return s.keepFor(r, who)
}

// office serves a page of a signed-in admin.
func (s *Server) office(h func(http.ResponseWriter, *http.Request, *officer) error) http.HandlerFunc {
	return s.app(func(w http.ResponseWriter, r *http.Request) error {
		who, _ := r.Context().Value(officerKey{}).(*officer)
		if who == nil {
			return errSignedOut
		}
		return h(w, r, who)
	})
}

// audit notes what an admin did. What cannot be noted is not done: call it before, or fail with it.
func (s *Server) audit(r *http.Request, who *officer, verb, object, result string) error {
	return s.store.AddAudit(r.Context(), s.auditRow(r, who, verb, object, result))
}

func (s *Server) auditRow(r *http.Request, who *officer, verb, object, result string) store.AuditRow {
	return store.AuditRow{Who: "admin " + who.Name, Verb: verb, Object: object, Network: s.clientBlock(r), Result: result, Session: who.session.Hash[:min(12, len(who.session.Hash))]}
}

func (s *Server) adminHead(r *http.Request, l *i18n.Localizer, title string) templates.Head {
	return templates.Head{L: l, Nonce: nonceOf(r), Title: title, Theme: "auto"}
}

func (s *Server) adminLoginPage(w http.ResponseWriter, r *http.Request) error {
	if who, _ := r.Context().Value(officerKey{}).(*officer); who != nil && !who.session.Pending {
		return seeOther(w, r, "/admin")
	}
	l := browserLanguage(r)
	return s.ok(w, r, templates.AdminLogin{Head: s.adminHead(r, l, l.T("admin.login")), To: adminPath(r.URL.Query().Get("next"))})
}

// adminPath is a path of the admin's pages, "/admin" for any other.
func adminPath(path string) string {
	if path = ownPath(path); path == "/admin" || strings.HasPrefix(path, "/admin/") {
		return path
	}
	return "/admin"
}

// adminLogin takes name and password. How long it takes tells nobody which names there are.
func (s *Server) adminLogin(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	name, password := strings.TrimSpace(r.PostFormValue("username")), r.PostFormValue("password")
	if len(name) > 254 || len(password) > 1024 {
		return badRequest("error.badinput")
	}
	l := browserLanguage(r)
	page := templates.AdminLogin{Head: s.adminHead(r, l, l.T("admin.login")), Name: name, To: adminPath(r.PostFormValue("next"))}
	tried, until, err := s.limits.allow(r.Context(), s.clientNetwork(r), adminAccount(name), "")
	if err != nil {
		return err
	}
	if !until.IsZero() {
		return s.adminRefused(w, r, page, s.tooManyTries(until))
	}
	a, err := s.store.AdminByName(r.Context(), name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if !seal.CheckPassword(a.Hash, password) {
		if err := s.auditWrong(r, name, "password"); err != nil {
			return err
		}
		return s.adminRefused(w, r, page, &Problem{Status: http.StatusUnauthorized, Key: "admin.wrong"})
	}
	if len(a.TOTP) == 0 { // else the second factor is still to come, and its tries count too
		if err := s.limits.right(r.Context(), tried); err != nil {
			return err
		}
	}
	if err := s.enter(w, r, a, len(a.TOTP) > 0, s.adminCookie()); err != nil {
		return err
	}
	if len(a.TOTP) > 0 {
		return seeOther(w, r, with("/admin/factor", url.Values{"next": {page.To}}))
	}
	return seeOther(w, r, page.To)
}

// adminAccount is the account under which wrong tries of an admin are counted: no address can be it.
func adminAccount(name string) string { return "admin:" + strings.ToLower(name) }

// again has an admin give their password anew, before what sends other people's passwords elsewhere. fault are the words
// for a wrong one.
func (s *Server) again(r *http.Request, who *officer) (fault string, err error) {
	tried, until, err := s.limits.allow(r.Context(), s.clientNetwork(r), adminAccount(who.Name), "")
	if err != nil {
		return "", err
	}
	if !until.IsZero() {
		return "", s.tooManyTries(until)
	}
	if !seal.CheckPassword(who.Hash, r.PostFormValue("current")) {
		return who.l.T("admin.wrongcurrent"), s.auditWrong(r, who.Name, "current")
	}
	return "", s.limits.right(r.Context(), tried)
}

func (s *Server) adminRefused(w http.ResponseWriter, r *http.Request, page templates.AdminLogin, err error) error {
	p := problemOf(err)
	s.logProblem(r, p)
	page.Problem, page.Title = page.L.T(p.Key, p.Args...), page.L.T("error.prefix")+" "+page.Title
	s.render(w, r, p.Status, page)
	return nil
}

// enter makes the session of an admin, and lets the one before it go.
func (s *Server) enter(w http.ResponseWriter, r *http.Request, a store.Admin, pending bool, cookie string) error {
	if c, err := r.Cookie(cookie); err == nil && c.Value != "" {
		if err := s.store.EndAdminSession(r.Context(), seal.Digest(c.Value)); err != nil {
			return err
		}
	}
	token := seal.NewToken()
	v := store.AdminSession{Hash: seal.Digest(token), Admin: a, Pending: pending, Device: deviceOf(r.UserAgent()), Network: s.clientBlock(r)}
	if !pending {
		if err := s.audit(r, &officer{Admin: a, session: v}, "sign-in", a.Name, "ok"); err != nil {
			return err
		}
	}
	if err := s.store.AddAdminSession(r.Context(), v); err != nil {
		return err
	}
	setStrictCookie(w, cookie, token)
	return nil
}

func (s *Server) factorPage(w http.ResponseWriter, r *http.Request, who *officer) error {
	if !who.session.Pending {
		return seeOther(w, r, "/admin")
	}
	return s.ok(w, r, templates.AdminLogin{Head: s.adminHead(r, who.l, who.l.T("admin.factor")), Factor: true, Name: who.Name, To: adminPath(r.URL.Query().Get("next"))})
}

// takeFactor takes a code of the app, or a recovery code, each once.
func (s *Server) takeFactor(w http.ResponseWriter, r *http.Request, who *officer) error {
	if err := parseForm(r); err != nil {
		return err
	}
	if !who.session.Pending {
		return seeOther(w, r, "/admin")
	}
	page := templates.AdminLogin{Head: s.adminHead(r, who.l, who.l.T("admin.factor")), Factor: true, Name: who.Name, To: adminPath(r.PostFormValue("next"))}
	tried, until, err := s.limits.allow(r.Context(), s.clientNetwork(r), adminAccount(who.Name), "")
	if err != nil {
		return err
	}
	if !until.IsZero() {
		return s.adminRefused(w, r, page, s.tooManyTries(until))
	}
	how, err := s.factorOf(r.Context(), who.Admin, r.PostFormValue("code"))
	if err != nil {
		return err
	}
	if how == "" {
		if err := s.auditWrong(r, who.Name, "code"); err != nil {
			return err
		}
		return s.adminRefused(w, r, page, &Problem{Status: http.StatusUnauthorized, Key: "admin.wrongcode"})
	}
	if err := s.limits.right(r.Context(), tried); err != nil {
		return err
	}
	if how == "recovery" {
		if err := s.audit(r, who, "recovery-code", who.Name, "ok"); err != nil {
			return err
		}
	}
	if err := s.enter(w, r, who.Admin, false, s.adminCookie()); err != nil {
		return err
	}
	return seeOther(w, r, page.To)
}

// factorOf says by what a code is right: "code" or "recovery"; "" means that it is not. It is used up.
func (s *Server) factorOf(ctx context.Context, a store.Admin, code string) (how string, err error) {
	code = strings.TrimSpace(code)
	if len(code) > 64 {
		return "", nil
	}
	secret, err := s.ring.Open("admin-factor/1", "admins/totp", a.TOTP)
	if err != nil {
		return "", err
	}
	if step, ok := seal.CheckFactor(string(secret), code, s.now(), a.TOTPStep); ok {
		if taken, err := s.store.TakeTOTPStep(ctx, a.ID, step); err != nil || taken {
			return "code", err
		}
		return "", nil
	}
	if len(code) < 12 {
		return "", nil
	}
	if taken, err := s.store.TakeRecoveryCode(ctx, a.ID, seal.CodeDigest(code)); err != nil || taken {
		return "recovery", err
	}
	return "", nil
}

func (s *Server) adminLogout(w http.ResponseWriter, r *http.Request, who *officer) error {
	if err := s.store.EndAdminSession(r.Context(), who.session.Hash); err != nil {
		return err
	}
	setStrictCookie(w, s.adminCookie(), "")
	if !who.session.Pending {
		if err := s.audit(r, who, "sign-out", who.Name, "ok"); err != nil {
			return err
		}
	}
	return seeOther(w, r, "/admin/login")
}
