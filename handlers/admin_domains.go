package handlers

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"

	"restante/internal/limits"
	"restante/internal/seal"
	"restante/internal/store"
	"restante/mailclient/discover"
	"restante/templates"
)

// domainList lists the domains that are set up.
func (s *Server) domainList(w http.ResponseWriter, r *http.Request, who *officer) error {
	watch, err := s.watching(r.Context())
	if err != nil {
		return err
	}
	page := templates.AdminDomains{AdminFrame: s.desk(r, who, "domains", who.l.T("admin.domains"))}
	for _, d := range s.servers.Own() {
		row := templates.AdminDomain{Name: d.Domain, Lines: []string{"IMAP " + d.IMAP.Host, "SMTP " + d.SMTP.Host}, URL: pathDomain(d.Domain)}
		row.SendersURL = pathSenders(d.Domain)
		var known []string
		row.State, row.Wrong, known = watch.domainState(who.l, d.Domain)
		row.Lines = append(row.Lines, known...)
		if s.servers.Stays(d.Domain) {
			row.URL, row.Note = "", who.l.T("domain.fromconf")
			row.LimitsURL = boundedBy{limits.Domain, d.Domain}.page()
		}
		page.Domains = append(page.Domains, row)
	}
	changes, err := s.store.DomainChanges(r.Context())
	if err != nil {
		return err
	}
	for _, c := range changes {
		at := slices.IndexFunc(page.Domains, func(v templates.AdminDomain) bool { return v.Name == c.Domain })
		if at < 0 {
			at = len(page.Domains)
			page.Domains = append(page.Domains, templates.AdminDomain{Name: c.Domain, State: "warn", URL: pathDomain(c.Domain)})
		}
		page.Domains[at].Note = who.l.T("change.title")
	}
	return s.ok(w, r, page)
}

func pathDomain(name string) string { return "/admin/domains/" + url.PathEscape(name) }

// domainOf gives the draft of the domain in the path: the one that is being changed, else the one that is kept.
func (s *Server) domainOf(r *http.Request, who *officer) (d *domainDraft, kept bool, err error) {
	name := chi.URLParam(r, "domain")
	rows, err := s.store.Domains(r.Context())
	if err != nil {
		return nil, false, err
	}
	at := slices.IndexFunc(rows, func(d store.Domain) bool { return d.Name == name })
	d = &domainDraft{}
	if name != "new" && at < 0 {
		c, waits, err := s.asked(r.Context(), name)
		if err != nil {
			return nil, false, err
		}
		if !waits {
			return nil, false, errNothingHere
		}
		d.Domain, err = discover.ParseDomain(c.Settings)
		return d, false, err
	}
	if v := who.kept.Draft; v != nil && (v.Name == name || name == "new" && !slices.ContainsFunc(rows, func(d store.Domain) bool { return d.Name == v.Name })) {
		return v, at >= 0, nil
	}
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
	if err := s.setup.Reload(r.Context()); err != nil {
		return err
	}
	page, err := s.domainView(r, who, d, kept, fault)
	if err != nil {
		return err
	}
	s.render(w, r, status, page)
	return nil
}

// domainView is the page of a domain.
func (s *Server) domainView(r *http.Request, who *officer, d *domainDraft, kept bool, fault string) (page templates.AdminDomainPage, err error) {
	title, form := who.l.T("domain.new"), "/admin/domains/new"
	if kept {
		form = pathDomain(d.Name)
	}
	if chi.URLParam(r, "domain") != "new" { // it is there, or waits to be
		title = d.Name
	}
	page = templates.AdminDomainPage{AdminFrame: s.desk(r, who, "domains", title), Card: *d.card(who.l, form), Kept: kept, Problem: fault}
	page.Card.Admin, page.Card.Kept = true, kept
	if page.Change, err = s.changeView(r.Context(), who, d.Name); err != nil {
		return page, err
	}
	if s.conf.PublicURL != "" {
		page.Card.OAuth.Redirect = s.redirectURL()
	}
	if kept {
		page.Test = &templates.DomainTest{Beside: true, Domain: d.Name, Address: d.Tester, Lines: testLines(who.l, d.Tested), FormURL: form, Provider: testedAt(d.OAuth)}
		bounds := s.limitForm(who.l, boundedBy{limits.Domain, d.Name}, limitsTyped{}, form)
		page.Limits = &bounds
		page.SendersURL = pathSenders(d.Name)
		watch, err := s.watching(r.Context())
		if err != nil {
			return page, err
		}
		watch.tell(who.l, d, page.Card.Rows)
	}
	return page, nil
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
		case "agree", "refuse":
			return s.endChange(w, r, who, d, kept, r.PostFormValue("action") == "agree")
		case "test":
			return s.testDomain(w, r, who, d, kept)
		}
	}
	done, fault, err := s.actOnCard(r, d, who.l)
	if err != nil {
		return err
	}
	if kept {
		d.Name = name
	}
	if done {
		if fault, err = s.again(r, who); err != nil {
			return err
		}
	}
	if !done || fault != "" {
		return s.sameDomain(w, r, who, d, kept, fault)
	}
	return s.saveDomain(w, r, who, d, kept)
}

// testDomain tries a domain out before the eyes of the admin.
func (s *Server) testDomain(w http.ResponseWriter, r *http.Request, who *officer, d *domainDraft, kept bool) error {
	o, fault := s.testOf(r, d, d.Servers(s.setup.Roots, s.setup.Dial), who.l)
	if fault != "" || !kept {
		return s.sameDomain(w, r, who, d, kept, fault)
	}
	page, err := s.domainView(r, who, d, kept, "")
	if err != nil {
		return err
	}
	page.Test.Address, page.Test.Lines, page.Test.Mark = o.Address, nil, seal.NewToken()
	return s.streamed(w, r, page, page.Test.Mark, s.tested(r, d, o, who.l, func(r *http.Request) error {
		who.kept.Draft = d
		return s.keepFor(r, who)
	}))
}

// sameDomain keeps what was typed and shows it again, with what is wrong, if something is.
func (s *Server) sameDomain(w http.ResponseWriter, r *http.Request, who *officer, d *domainDraft, kept bool, fault string) error {
	who.kept.Draft = d
	if err := s.keepFor(r, who); err != nil {
		return err
	}
	if fault != "" {
		return s.showDomain(w, r, who, d, kept, fault, http.StatusUnprocessableEntity)
	}
	return seeOther(w, r, r.URL.Path)
}

// saveDomain lets a domain hold as it is drawn; where passwords would go elsewhere, once another admin agrees.
func (s *Server) saveDomain(w http.ResponseWriter, r *http.Request, who *officer, d *domainDraft, kept bool) error {
	was, moves, err := s.moves(r.Context(), d)
	if err != nil {
		return err
	}
	if was == "" || moves {
		if fault := s.unvouched(r.Context(), d, who.l); fault != "" {
			return s.sameDomain(w, r, who, d, kept, fault)
		}
	}
	if moves {
		admins, err := s.store.Admins(r.Context())
		if err != nil {
			return err
		}
		if len(admins) > 1 {
			return s.askForDomain(w, r, who, d, was)
		}
	}
	if err := s.audit(r, who, "domain-save", strings.TrimSpace(d.Name+" "+d.IMAP.Host+" "+d.Submission.Host+" "+testedAt(d.OAuth)), "ok"); err != nil {
		return err
	}
	if err := s.store.SaveDomain(r.Context(), store.Domain{Name: d.Name, Settings: d.Encode()}); err != nil {
		return err
	}
	if err := s.reloadServers(r.Context()); err != nil {
		return err
	}
	who.kept.Draft = nil
	if err := s.say(r, who, who.l.T("domain.saved", "Domain", d.Name)); err != nil {
		return err
	}
	return seeOther(w, r, pathDomain(d.Name))
}

// reloadServers makes what was set up of domains hold, and has their servers looked at.
func (s *Server) reloadServers(ctx context.Context) error {
	if err := s.setup.Reload(ctx); err != nil {
		return err
	}
	return s.queue.LookAtServers(ctx)
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
