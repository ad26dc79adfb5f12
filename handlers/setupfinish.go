package handlers

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"slices"
	"strings"

	"restante/internal/store"
	"restante/mailclient/discover"
	"restante/templates"
)

// setupFinish says what will be, before it is.
func (s *Server) setupFinish(w http.ResponseWriter, r *http.Request, u *settingUp) error {
	page, err := s.setupPage(r, u)
	if err != nil {
		return err
	}
	page.Finish = &templates.SetupFinish{Lines: s.summary(u), Data: wholePath(s.conf.Data), Key: wholePath(s.conf.KeyFile)}
	if s.conf.DatabaseURL != "" {
		page.Finish.Data = u.l.T("setup.postgres", "Dir", page.Finish.Data)
	}
	return s.ok(w, r, page)
}

// wholePath is where a file lies, wherever one reads of it.
func wholePath(file string) string {
	if whole, err := filepath.Abs(file); err == nil {
		return whole
	}
	return file
}

func (s *Server) summary(u *settingUp) (out []string) {
	l, st := u.l, u.state
	factor := "setup.sum.nofactor"
	if st.Factor != nil && st.Factor.Step > 0 {
		factor = "setup.sum.factor"
	}
	out = append(out, l.T("setup.sum.owner", "Name", st.Name)+" "+l.T(factor), l.T("setup.sum.site", "URL", s.publicOf(u)))
	if bad(st.Self) {
		out = append(out, l.T("setup.sum.untested"))
	}
	if st.Without {
		return append(out, l.T("setup.sum.nodomain"))
	}
	d := st.Domain
	out = append(out, l.T("setup.sum.domain", "Domain", d.Name, "IMAP", d.IMAP.Host, "SMTP", d.Submission.Host))
	if d.Login == discover.LoginLocal {
		out = append(out, l.T("setup.sum.local"))
	}
	switch {
	case d.OAuth != nil:
		out = append(out, l.T("setup.sum.provider", "Provider", providerName(d.OAuth)))
	case len(d.Tested) == 0:
		out = append(out, l.T("setup.sum.nottried"))
	case slices.ContainsFunc(testLines(l, d.Tested), func(v templates.TestLine) bool { return v.State == "bad" }):
		out = append(out, l.T("setup.sum.fails"))
	}
	for _, service := range cardServices {
		if p := d.Of(service); p.Pin != "" {
			out = append(out, l.T("setup.sum.pinned", "Service", serviceNames[service], "Host", p.Host))
		} else if c := d.Probes[service].Certificate; c != nil && len(c.Faults) > 0 {
			out = append(out, l.T("domain.unvouched", "Service", serviceNames[service], "Host", p.Host))
		}
	}
	return out
}

func (s *Server) publicOf(u *settingUp) string {
	if s.fixed {
		return s.conf.PublicURL
	}
	return u.state.Public
}

// applySetup applies everything, or nothing, and signs the new admin in.
func (s *Server) applySetup(w http.ResponseWriter, r *http.Request, u *settingUp) error {
	ctx, st := r.Context(), u.state
	a := store.Admin{Name: st.Name, Hash: st.Hash}
	var codes []string
	if f := st.Factor; f != nil && f.Step > 0 {
		a.TOTP, a.TOTPStep, codes = s.sealFactor(f.Secret), f.Step, digests(f.Codes)
	}
	var domains []store.Domain
	if !st.Without {
		domains = append(domains, store.Domain{Name: st.Domain.Name, Settings: st.Domain.Encode()})
	}
	site := map[string]string{}
	if !s.fixed {
		site[store.SitePublicURL] = st.Public
	}
	id, err := s.store.FinishSetup(ctx, u.cookie, a, codes, domains, site)
	if errors.Is(err, store.ErrTaken) {
		return s.setupOver(w, r, u.l, store.Setup{Used: s.now()})
	}
	if err != nil {
		return err
	}
	if a, err = s.store.AdminByName(ctx, a.Name); err != nil {
		return err
	}
	s.log.Info("the site was set up", "id", requestID(r), "admin", id)
	if err := s.store.AddAudit(ctx, store.AuditRow{Who: "setup", Verb: "setup-finish", Object: strings.Join(append([]string{a.Name}, madeDomain(st)...), " "), Network: s.clientBlock(r), Result: "ok"}); err != nil {
		return err
	}
	setStrictCookie(w, s.setupCookie(), "")
	if err := s.reloadServers(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	public := s.publicOf(u)
	if !stays(r, public) {
		return s.ok(w, r, templates.SetupLink{Head: s.adminHead(r, u.l, u.l.T("setup.done")), Done: public + "/admin"})
	}
	if err := s.enter(w, r, a, false, adminCookieAt(public)); err != nil {
		return err
	}
	return seeOther(w, r, "/admin")
}

// madeDomain names the domain that a set-up brought, and its servers, if it did.
func madeDomain(st setupState) []string {
	if st.Without {
		return nil
	}
	return []string{st.Domain.Name, st.Domain.IMAP.Host, st.Domain.Submission.Host}
}

// stays says whether a browser is where the site's address will be: else no cookie that is set now would be seen there.
func stays(r *http.Request, public string) bool {
	return requestedAs(r) == public || strings.HasPrefix(public, "http://") && loopback(r.Host)
}
