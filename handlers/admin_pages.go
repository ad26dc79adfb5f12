package handlers

import (
	"encoding/csv"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"restante/internal/jobs"
	"restante/internal/store"
	"restante/mailclient/checkup"
	"restante/mailclient/discover"
	"restante/templates"
)

const (
	peopleShown   = 100
	sessionsShown = 200
	auditShown    = 100
	auditExported = 100_000
)

// overview says how the site is, and what needs a hand.
func (s *Server) overview(w http.ResponseWriter, r *http.Request, who *officer) error {
	c, err := s.store.Counts(r.Context())
	if err != nil {
		return err
	}
	broken, err := s.store.CheckAudit(r.Context())
	if err != nil {
		return err
	}
	l := who.l
	page := templates.AdminOverview{AdminFrame: s.desk(r, who, "overview", l.T("admin.overview")), Lines: []string{
		l.T("admin.count.people", "N", c.Users), l.T("admin.count.sessions", "N", c.Sessions), l.T("admin.count.waiting", "N", c.Waiting), l.T("admin.count.domains", "N", len(s.servers.Own())),
	}}
	need := func(key, url string, args ...any) {
		page.Needs = append(page.Needs, templates.AdminNeed{Words: l.T(key, args...), URL: url, Link: l.T("admin.look")})
	}
	if broken > 0 {
		need("admin.need.audit", "/admin/audit", "Row", broken)
	}
	if len(s.servers.Own()) == 0 {
		need("admin.need.domain", "/admin/domains/new")
	}
	if len(who.TOTP) == 0 {
		need("admin.need.factor", "/admin/account")
	}
	if !strings.HasPrefix(s.conf.PublicURL, "https://") {
		need("admin.need.https", "/admin/site")
	}
	if c.Held > 0 {
		page.Lines = append(page.Lines, l.T("admin.count.held", "N", c.Held))
	}
	return s.ok(w, r, page)
}

// domainList lists the domains that are set up.
func (s *Server) domainList(w http.ResponseWriter, r *http.Request, who *officer) error {
	page := templates.AdminDomains{AdminFrame: s.desk(r, who, "domains", who.l.T("admin.domains"))}
	for _, d := range s.servers.Own() {
		row := templates.AdminDomain{Name: d.Domain, Lines: []string{"IMAP " + d.IMAP.Host, "SMTP " + d.SMTP.Host}, URL: "/admin/domains/" + url.PathEscape(d.Domain)}
		if s.servers.Stays(d.Domain) {
			row.URL, row.Note = "", who.l.T("domain.fromconf")
		}
		page.Domains = append(page.Domains, row)
	}
	return s.ok(w, r, page)
}

// domainOf gives the draft of the domain in the path: the one that is being changed, else the one that is kept.
func (s *Server) domainOf(r *http.Request, who *officer) (d *domainDraft, kept bool, err error) {
	name := chi.URLParam(r, "domain")
	rows, err := s.store.Domains(r.Context())
	if err != nil {
		return nil, false, err
	}
	at := slices.IndexFunc(rows, func(d store.Domain) bool { return d.Name == name })
	if name != "new" && at < 0 {
		return nil, false, errNothingHere
	}
	if v := who.kept.Draft; v != nil && (v.Name == name || name == "new" && !slices.ContainsFunc(rows, func(d store.Domain) bool { return d.Name == v.Name })) {
		return v, at >= 0, nil
	}
	d = &domainDraft{}
	if at >= 0 {
		d.Domain, err = discover.ParseDomain(rows[at].Settings)
	}
	return d, at >= 0, err
}

func (s *Server) domainPage(w http.ResponseWriter, r *http.Request, who *officer) error {
	d, kept, err := s.domainOf(r, who)
	if err != nil {
		return err
	}
	return s.showDomain(w, r, who, d, kept, "", http.StatusOK)
}

func (s *Server) showDomain(w http.ResponseWriter, r *http.Request, who *officer, d *domainDraft, kept bool, fault string, status int) error {
	title, form := who.l.T("domain.new"), "/admin/domains/new"
	if kept {
		title, form = d.Name, "/admin/domains/"+url.PathEscape(d.Name)
	}
	page := templates.AdminDomainPage{AdminFrame: s.desk(r, who, "domains", title), Card: *d.card(who.l, form), Kept: kept, Problem: fault}
	page.Card.Admin, page.Card.Kept = true, kept
	if kept {
		page.Test = &templates.DomainTest{Domain: d.Name, Address: d.Tester, Lines: testLines(who.l, d.Tested), FormURL: form}
	}
	s.render(w, r, status, page)
	return nil
}

// changeDomain does what a button of a domain's page asks for.
func (s *Server) changeDomain(w http.ResponseWriter, r *http.Request, who *officer) error {
	d, kept, err := s.domainOf(r, who)
	if err != nil {
		return err
	}
	name := d.Name
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		if err := parseForm(r); err != nil {
			return err
		}
		switch r.PostFormValue("action") {
		case "delete":
			return s.deleteDomain(w, r, who, d, kept)
		case "test":
			fault := s.testWith(r, d, d.Servers(s.setup.Roots, s.setup.Dial), who.l)
			who.kept.Draft = d
			if err := s.keepFor(r, who); err != nil {
				return err
			}
			if fault != "" {
				return s.showDomain(w, r, who, d, kept, fault, http.StatusUnprocessableEntity)
			}
			return seeOther(w, r, r.URL.Path)
		}
	}
	done, fault, err := s.actOnCard(r, d, who.l)
	if err != nil {
		return err
	}
	if kept {
		d.Name = name
	}
	who.kept.Draft = d
	if !done {
		if err := s.keepFor(r, who); err != nil {
			return err
		}
		if fault != "" {
			return s.showDomain(w, r, who, d, kept, fault, http.StatusUnprocessableEntity)
		}
		return seeOther(w, r, r.URL.Path)
	}
	if fault, err := s.again(r, who); err != nil || fault != "" {
		if err == nil {
			err = s.keepFor(r, who)
		}
		if err != nil {
			return err
		}
		return s.showDomain(w, r, who, d, kept, fault, http.StatusUnprocessableEntity)
	}
	return s.saveDomain(w, r, who, d)
}

func (s *Server) saveDomain(w http.ResponseWriter, r *http.Request, who *officer, d *domainDraft) error {
	if err := s.audit(r, who, "domain-save", d.Name+" "+d.IMAP.Host+" "+d.Submission.Host, "ok"); err != nil {
		return err
	}
	if err := s.store.SaveDomain(r.Context(), store.Domain{Name: d.Name, Settings: d.Encode()}); err != nil {
		return err
	}
	if err := s.setup.Reload(r.Context()); err != nil {
		return err
	}
	who.kept.Draft = nil
	if err := s.say(r, who, who.l.T("domain.saved", "Domain", d.Name)); err != nil {
		return err
	}
	return seeOther(w, r, "/admin/domains/"+url.PathEscape(d.Name))
}

// deleteDomain takes a domain out when its name was typed.
func (s *Server) deleteDomain(w http.ResponseWriter, r *http.Request, who *officer, d *domainDraft, kept bool) error {
	if !kept {
		return errNothingHere
	}
	if !strings.EqualFold(strings.TrimSpace(r.PostFormValue("confirm")), d.Name) {
		return s.showDomain(w, r, who, d, kept, who.l.T("domain.confirm", "Domain", d.Name), http.StatusUnprocessableEntity)
	}
	if fault, err := s.again(r, who); err != nil || fault != "" {
		if err != nil {
			return err
		}
		return s.showDomain(w, r, who, d, kept, fault, http.StatusUnprocessableEntity)
	}
	if err := s.audit(r, who, "domain-delete", d.Name, "ok"); err != nil {
		return err
	}
	if err := s.store.DeleteDomain(r.Context(), d.Name); err != nil {
		return err
	}
	if err := s.setup.Reload(r.Context()); err != nil {
		return err
	}
	who.kept.Draft = nil
	if err := s.say(r, who, who.l.T("domain.deleted", "Domain", d.Name)); err != nil {
		return err
	}
	return seeOther(w, r, "/admin/domains")
}

// peoplePage lists who has signed in.
func (s *Server) peoplePage(w http.ResponseWriter, r *http.Request, who *officer) error {
	q := r.URL.Query()
	people, err := s.store.UsersSeen(r.Context(), q.Get("q"), q.Get("after"), peopleShown+1)
	if err != nil {
		return err
	}
	page := templates.AdminPeople{AdminFrame: s.desk(r, who, "people", who.l.T("admin.people")), Query: q.Get("q")}
	if len(people) > peopleShown {
		people = people[:peopleShown]
		page.More = with("/admin/people", q, "after", people[peopleShown-1].Address)
	}
	for _, p := range people {
		row := templates.AdminPerson{Address: p.Address, URL: "/admin/people/" + strconv.FormatInt(p.ID, 10), Locked: p.Locked,
			Lines: []string{who.l.T("admin.seen", "Date", s.stamp(who, p.SeenAt)), who.l.T("admin.sessionsof", "N", p.Sessions)}}
		page.People = append(page.People, row)
	}
	return s.ok(w, r, page)
}

// stamp is a moment as the tables of admins show it: in UTC, for all of them see the same.
func (s *Server) stamp(_ *officer, t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}

// personOf is the user in the path.
func (s *Server) personOf(r *http.Request) (store.User, error) {
	id, err := strconv.ParseInt(chi.URLParam(r, "user"), 10, 64)
	if err != nil {
		return store.User{}, errNothingHere
	}
	return s.store.User(r.Context(), id)
}

func (s *Server) personPage(w http.ResponseWriter, r *http.Request, who *officer) error {
	u, err := s.personOf(r)
	if err != nil {
		return err
	}
	return s.showPerson(w, r, who, u, "", http.StatusOK)
}

func (s *Server) showPerson(w http.ResponseWriter, r *http.Request, who *officer, u store.User, fault string, status int) error {
	h, err := s.store.Holds(r.Context(), u.ID)
	if err != nil {
		return err
	}
	list, err := s.store.Sessions(r.Context(), u.ID)
	if err != nil {
		return err
	}
	l, id := who.l, strconv.FormatInt(u.ID, 10)
	page := templates.AdminPersonPage{
		AdminFrame: s.desk(r, who, "people", u.Address), Address: u.Address, FormURL: "/admin/people/" + id, SessionsURL: "/admin/sessions?user=" + id, Locked: u.Locked, SignedIn: len(list) > 0, Problem: fault,
		Lines: []string{l.T("admin.seen", "Date", s.stamp(who, u.SeenAt)), l.T("admin.sessionsof", "N", len(list))},
		Holds: []string{l.T("admin.holds.drafts", "N", h.Drafts), l.T("admin.holds.outbox", "N", h.Outbox), l.T("admin.holds.contacts", "N", h.Contacts), l.T("admin.holds.sources", "N", h.Sources)},
	}
	s.render(w, r, status, page)
	return nil
}

// actOnPerson signs a user out everywhere, locks them out or lets them in, or removes what is kept of them.
func (s *Server) actOnPerson(w http.ResponseWriter, r *http.Request, who *officer) error {
	if err := parseForm(r); err != nil {
		return err
	}
	u, err := s.personOf(r)
	if err != nil {
		return err
	}
	ctx, here := r.Context(), r.URL.Path
	var verb, words string
	var act func() error
	switch action := r.PostFormValue("action"); action {
	case "out":
		verb, words = "user-sign-out", who.l.T("admin.signedout", "Address", u.Address)
		act = func() error { _, err := s.store.EndOtherSessions(ctx, u.ID, ""); return err }
	case "lock":
		verb, words = "user-lock", who.l.T("admin.locked", "Address", u.Address)
		act = func() error { return s.store.LockUser(ctx, u.ID, true) }
	case "unlock":
		verb, words = "user-unlock", who.l.T("admin.unlocked", "Address", u.Address)
		act = func() error { return s.store.LockUser(ctx, u.ID, false) }
	case "remove":
		if !strings.EqualFold(strings.TrimSpace(r.PostFormValue("confirm")), u.Address) {
			return s.showPerson(w, r, who, u, who.l.T("domain.confirm", "Domain", u.Address), http.StatusUnprocessableEntity)
		}
		if fault, err := s.again(r, who); err != nil || fault != "" {
			if err != nil {
				return err
			}
			return s.showPerson(w, r, who, u, fault, http.StatusUnprocessableEntity)
		}
		here, verb, words = "/admin/people", "user-remove", who.l.T("admin.removed", "Address", u.Address)
		act = func() error { return s.removePerson(r, u.ID) }
	default:
		return badRequest("error.act")
	}
	if err := s.audit(r, who, verb, u.Address, "ok"); err != nil {
		return err
	}
	if err := act(); err != nil {
		return err
	}
	if err := s.letGo(r, u.ID); err != nil {
		return err
	}
	if err := s.say(r, who, words); err != nil {
		return err
	}
	return seeOther(w, r, here)
}

// removePerson removes what is kept of a user, and ends their connections first: afterwards nobody knows whose they were.
func (s *Server) removePerson(r *http.Request, id int64) error {
	if err := s.store.LockUser(r.Context(), id, true); err != nil {
		return err
	}
	if err := s.letGo(r, id); err != nil {
		return err
	}
	return s.store.RemoveUser(r.Context(), id)
}

// letGo ends what a user's sessions held here: streams, and the connections to the mail server when none is left.
func (s *Server) letGo(r *http.Request, userID int64) error {
	s.hub.tell(userID, "session")
	rest, err := s.store.Sessions(r.Context(), userID)
	if err != nil || len(rest) > 0 {
		return err
	}
	accounts, err := s.store.Accounts(r.Context(), userID)
	for _, a := range accounts {
		s.pool.Drop(jobs.SessionKey(a.ID))
	}
	return err
}

// sessionsPage lists the browsers that are signed in.
func (s *Server) sessionsPage(w http.ResponseWriter, r *http.Request, who *officer) error {
	user := atoi64(r.URL.Query().Get("user"))
	list, err := s.store.AllSessions(r.Context(), user, sessionsShown+1)
	if err != nil {
		return err
	}
	page := templates.AdminSessions{AdminFrame: s.desk(r, who, "sessions", who.l.T("admin.sessions")), Some: user > 0, Here: with("/admin/sessions", r.URL.Query())}
	if len(list) > sessionsShown {
		list, page.More = list[:sessionsShown], who.l.T("admin.moresessions", "N", sessionsShown)
	}
	for _, v := range list {
		page.Sessions = append(page.Sessions, templates.AdminSession{Key: v.Hash, User: v.UserID, Address: v.Address, Device: v.Device, Network: v.Network, Seen: who.l.T("admin.seen", "Date", s.stamp(who, v.SeenAt))})
	}
	return s.ok(w, r, page)
}

// endSession signs one browser out. It is out with its next request, and its stream ends.
func (s *Server) endSession(w http.ResponseWriter, r *http.Request, who *officer) error {
	if err := parseForm(r); err != nil {
		return err
	}
	id := atoi64(r.PostFormValue("user"))
	u, err := s.store.User(r.Context(), id)
	if err != nil {
		return err
	}
	if err := s.audit(r, who, "session-end", u.Address, "ok"); err != nil {
		return err
	}
	if err := s.store.EndSession(r.Context(), id, r.PostFormValue("session")); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err := s.letGo(r, id); err != nil {
		return err
	}
	if err := s.say(r, who, who.l.T("admin.ended", "Address", u.Address)); err != nil {
		return err
	}
	return seeOther(w, r, adminPath(r.PostFormValue("back")))
}

// auditVerbs are all that is noted, in the order in which a filter offers them.
var auditVerbs = []string{"sign-in", "sign-out", "recovery-code", "password", "factor", "domain-save", "domain-delete", "site", "user-sign-out", "user-lock", "user-unlock", "user-remove", "session-end", "audit-export", "admin-create", "admin-reset", "setup-begin", "setup-finish"}

func auditQuery(q url.Values) store.AuditQuery {
	v := store.AuditQuery{Words: cutText(q.Get("q"), 200), Before: max(0, atoi64(q.Get("before"))), N: auditShown + 1}
	if slices.Contains(auditVerbs, q.Get("verb")) {
		v.Verb = q.Get("verb")
	}
	return v
}

// auditPage lists what was done.
func (s *Server) auditPage(w http.ResponseWriter, r *http.Request, who *officer) error {
	q := r.URL.Query()
	ask := auditQuery(q)
	rows, err := s.store.Audit(r.Context(), ask)
	if err != nil {
		return err
	}
	broken, err := s.store.CheckAudit(r.Context())
	if err != nil {
		return err
	}
	l := who.l
	page := templates.AdminAudit{AdminFrame: s.desk(r, who, "audit", l.T("admin.audit")), Query: ask.Words, Broken: broken > 0, Chain: l.T("audit.whole"), CSV: with("/admin/audit.csv", q, "before", "")}
	if broken > 0 {
		page.Chain = l.T("audit.broken", "Row", broken)
	}
	page.Verbs = append(page.Verbs, templates.Option{Words: l.T("audit.all"), Current: ask.Verb == ""})
	for _, v := range auditVerbs {
		page.Verbs = append(page.Verbs, templates.Option{Value: v, Words: l.T("audit.verb." + v), Current: v == ask.Verb})
	}
	if len(rows) > auditShown {
		rows = rows[:auditShown]
		page.More = with("/admin/audit", q, "before", strconv.FormatInt(rows[auditShown-1].ID, 10))
	}
	for _, v := range rows {
		page.Rows = append(page.Rows, templates.AuditRow{ID: v.ID, When: s.stamp(who, v.At), Who: v.Who, What: l.T("audit.verb." + v.Verb), Object: v.Object, Network: v.Network})
	}
	return s.ok(w, r, page)
}

// auditFile is the audit as a table. What a spreadsheet would take for a formula is not one.
func (s *Server) auditFile(w http.ResponseWriter, r *http.Request) {
	who, _ := r.Context().Value(officerKey{}).(*officer)
	s.setHeaders(w, classDownload)
	if who == nil {
		s.fail(w, r, errSignedOut)
		return
	}
	ask := auditQuery(r.URL.Query())
	ask.N = auditExported
	rows, err := s.store.Audit(r.Context(), ask)
	if err == nil {
		err = s.audit(r, who, "audit-export", "", "ok")
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="restante-audit.csv"`)
	out := csv.NewWriter(w)
	_ = out.Write([]string{"id", "time", "who", "what", "object", "network", "result", "session", "chain"})
	for _, v := range rows {
		_ = out.Write([]string{strconv.FormatInt(v.ID, 10), v.At.UTC().Format(time.RFC3339Nano), noFormula(v.Who), v.Verb, noFormula(v.Object), v.Network, v.Result, v.Session, v.Chain})
	}
	out.Flush()
}

func noFormula(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// healthPage shows the checks of the doctor, run anew each time.
func (s *Server) healthPage(w http.ResponseWriter, r *http.Request, who *officer) error {
	page := templates.AdminHealth{AdminFrame: s.desk(r, who, "health", who.l.T("admin.health"))}
	for _, c := range s.setup.Examine(r.Context()) {
		if c.Step != nil {
			page.Lines = append(page.Lines, testLines(who.l, []checkup.Step{*c.Step})...)
		} else {
			page.Lines = append(page.Lines, templates.TestLine{State: stateOf[c.Result], Words: who.l.T("health.of."+c.Kind, "About", c.About), Do: c.Words})
		}
		page.Bad = page.Bad || c.Result == checkup.Failed
	}
	if public := s.conf.PublicURL; public != "" {
		lines := s.fetchSelf(r.Context(), public)
		page.Site, page.Bad = selfLines(who.l, lines), page.Bad || bad(lines)
	}
	return s.ok(w, r, page)
}

// sitePage holds the address of the site.
func (s *Server) sitePage(w http.ResponseWriter, r *http.Request, who *officer) error {
	public := s.conf.PublicURL
	if public == "" {
		public = requestedAs(r)
	}
	return s.showSite(w, r, who, templates.SetupSite{URL: public, Fixed: s.fixed}, "", http.StatusOK)
}

func (s *Server) showSite(w http.ResponseWriter, r *http.Request, who *officer, site templates.SetupSite, fault string, status int) error {
	s.render(w, r, status, templates.AdminSite{AdminFrame: s.desk(r, who, "site", who.l.T("admin.site")), Site: site, Problem: fault})
	return nil
}

// saveSiteAddress tests another address of the site, or moves it there.
func (s *Server) saveSiteAddress(w http.ResponseWriter, r *http.Request, who *officer) error {
	if err := parseForm(r); err != nil {
		return err
	}
	site := templates.SetupSite{URL: cutText(strings.TrimSpace(r.PostFormValue("url")), 300), Fixed: s.fixed}
	if s.fixed {
		site.URL = s.conf.PublicURL
	}
	public, ok := siteURL(site.URL)
	if !ok {
		return s.showSite(w, r, who, site, who.l.T("setup.nourl"), http.StatusUnprocessableEntity)
	}
	if r.PostFormValue("action") == "check" {
		site.Lines = selfLines(who.l, s.fetchSelf(r.Context(), public))
		return s.showSite(w, r, who, site, "", http.StatusOK)
	}
	if s.fixed {
		return s.showSite(w, r, who, site, who.l.T("setup.site.fixed"), http.StatusUnprocessableEntity)
	}
	if fault, err := s.again(r, who); err != nil || fault != "" {
		if err != nil {
			return err
		}
		return s.showSite(w, r, who, site, fault, http.StatusUnprocessableEntity)
	}
	if err := s.audit(r, who, "site", public, "ok"); err != nil {
		return err
	}
	if err := s.store.SetSite(r.Context(), store.SitePublicURL, public); err != nil {
		return err
	}
	if err := s.setup.Reload(r.Context()); err != nil {
		return err
	}
	if err := s.store.EndAdminSession(r.Context(), who.session.Hash); err != nil {
		return err
	}
	if !stays(r, public) {
		return s.ok(w, r, templates.SetupLink{Head: s.adminHead(r, who.l, who.l.T("admin.moved")), Done: public + "/admin"})
	}
	if err := s.enter(w, r, who.Admin, false, adminCookieAt(public)); err != nil { // which may have another name from now on
		return err
	}
	return seeOther(w, r, "/admin")
}
