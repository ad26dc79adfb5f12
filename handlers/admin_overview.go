package handlers

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"restante/internal/config"
	"restante/internal/i18n"
	"restante/internal/store"
	"restante/mailclient/checkup"
	"restante/templates"
)

// overview says how the site is, and what needs a hand, the gravest first. It asks nobody but the database.
func (s *Server) overview(w http.ResponseWriter, r *http.Request, who *officer) error {
	ctx, l := r.Context(), who.l
	page := templates.AdminOverview{AdminFrame: s.desk(r, who, "overview", l.T("admin.overview"))}
	var err error
	if page.News, err = s.newsFor(ctx, who); err != nil {
		return err
	}
	if page.Lines, err = s.figures(ctx, l); err != nil {
		return err
	}
	if page.Needs, err = s.needs(ctx, who); err != nil {
		return err
	}
	return s.ok(w, r, page)
}

// figures are the site in numbers.
func (s *Server) figures(ctx context.Context, l *i18n.Localizer) ([]string, error) {
	c, err := s.store.Counts(ctx)
	if err != nil {
		return nil, err
	}
	used, err := s.store.SpaceUsed(ctx)
	if err != nil {
		return nil, err
	}
	space := l.T("admin.space", "Used", l.Size(used))
	if free, total := s.free(); total > 0 {
		space += " " + l.T("admin.space.free", "Free", l.Size(free), "Total", l.Size(total))
	}
	lines := []string{l.T("admin.count.people", "N", c.Users), l.T("admin.count.sessions", "N", c.Sessions), l.T("admin.count.waiting", "N", c.Waiting), l.T("admin.count.domains", "N", len(s.servers.Own())), space}
	if c.Held > 0 {
		lines = append(lines, l.T("admin.count.held", "N", c.Held))
	}
	return lines, nil
}

// free is the room on the disk of the data directory, in bytes; a total of 0 where nobody can say.
func (s *Server) free() (free, total int64) {
	if s.setup.Free == nil {
		return 0, 0
	}
	return s.setup.Free()
}

// needs is what needs a hand, the gravest first.
func (s *Server) needs(ctx context.Context, who *officer) ([]templates.AdminNeed, error) {
	l := who.l
	broken, err := s.store.CheckAudit(ctx)
	if err != nil {
		return nil, err
	}
	watch, err := s.watching(ctx)
	if err != nil {
		return nil, err
	}
	counts, err := s.store.JobCounts(ctx)
	if err != nil {
		return nil, err
	}
	troubles, err := s.queue.Troubles(ctx, troubleShown)
	if err != nil {
		return nil, err
	}
	var out []templates.AdminNeed
	need := func(state, key, url string, args ...any) {
		out = append(out, templates.AdminNeed{State: state, Words: l.T(key, args...), URL: url, Link: l.T("admin.look")})
	}
	if broken > 0 {
		need("bad", "admin.need.audit", "/admin/audit", "Row", broken)
	}
	changes, err := s.store.DomainChanges(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range changes {
		if c.AdminID != who.ID {
			need("warn", "admin.need.change", pathDomain(c.Domain), "Name", c.Admin, "Domain", c.Domain)
		}
	}
	down, soon := watch.needs(l)
	out = append(out, down...)
	if v := s.spaceNeed(l); v != nil {
		out = append(out, *v)
	}
	if len(s.servers.Own()) == 0 {
		need("warn", "admin.need.domain", "/admin/domains/new")
	}
	if !strings.HasPrefix(s.conf.PublicURL, "https://") {
		need("warn", "admin.need.https", "/admin/site")
	}
	out = append(out, soon...)
	if n := counts[store.JobFailed]; n > 0 {
		need("warn", "admin.need.jobs", "/admin/jobs?state=failed", "N", n)
	}
	if n := len(troubles); n > 0 {
		need("warn", "admin.need.tasks", "/admin/jobs?kind=task", "N", n)
	}
	if len(who.TOTP) == 0 {
		need("warn", "admin.need.factor", "/admin/account")
	}
	gravest(out)
	return out, nil
}

// healthPage shows the checks of the doctor, run anew each time.
func (s *Server) healthPage(w http.ResponseWriter, r *http.Request, who *officer) error {
	page := templates.AdminHealth{AdminFrame: s.desk(r, who, "health", who.l.T("admin.health"))}
	for _, c := range s.setup.Examine(r.Context()) {
		if c.Step != nil {
			page.Lines = append(page.Lines, testLines(who.l, []checkup.Step{*c.Step})...)
		} else {
			line := templates.TestLine{State: stateOf[c.Result], Words: who.l.T("health.of."+c.Kind, "About", c.About), Detail: c.Cause}
			if c.Result == checkup.Failed {
				line.Do = who.l.T("health.fault." + c.Kind)
			}
			page.Lines = append(page.Lines, line)
		}
		page.Bad = page.Bad || c.Result == checkup.Failed
	}
	if public := s.conf.PublicURL; public != "" {
		lines := s.fetchSelf(r.Context(), public)
		page.Site, page.Bad = selfLines(who.l, lines), page.Bad || bad(lines)
	}
	page.Noted = slices.ContainsFunc(slices.Concat(page.Lines, page.Site), func(v templates.TestLine) bool { return v.State == "warn" })
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
	public, ok := config.SiteURL(site.URL)
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
