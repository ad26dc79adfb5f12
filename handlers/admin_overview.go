package handlers

import (
	"net/http"
	"strings"
	"time"

	"restante/internal/store"
	"restante/mailclient/checkup"
	"restante/templates"
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

// stamp is a moment as the tables of admins show it: in UTC, so that all of them see the same.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
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
