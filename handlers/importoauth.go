package handlers

import (
	"net/http"
	"strings"

	"restante/mailclient/discover"
	"restante/templates"
)

// providerOfSource says whether a mailbox is read with the tokens of a provider: one of a domain that is set up so, on
// the very server that is set up for it. No other server is shown a token.
func (s *Server) providerOfSource(address, host string) (discover.Servers, bool) {
	at, ok := s.servers.Lookup(strings.ToLower(address))
	return at, ok && at.OAuth != nil && at.POP3.Host != "" && strings.EqualFold(at.POP3.Host, host)
}

// askForSource shows the button that leads to the provider of a source.
func (s *Server) askForSource(w http.ResponseWriter, r *http.Request, p *person, at discover.Servers, flow providerFlow) error {
	flow.Domain, flow.User, flow.Next = at.Domain, p.User.ID, "/imports"
	delete(flow.Form, "password")
	to, err := s.beginFlow(w, r, at, &flow)
	if err != nil {
		return err
	}
	page := s.loginFor(r, p.L)
	page.Title, page.Username = p.L.T("nav.imports"), flow.Address
	page.Notice = p.L.T("imports.provider.words", "Provider", providerName(at.OAuth), "Address", flow.Address)
	page.Provider = &templates.Provider{Name: providerName(at.OAuth), URL: to, BackURL: "/imports", BackWords: p.L.T("nav.imports")}
	return s.ok(w, r, page)
}

// finishSource adds the source for which a person has agreed at its provider, or lets it go on. It makes nobody sign in.
func (s *Server) finishSource(w http.ResponseWriter, r *http.Request, flow providerFlow) error {
	p, err := s.person(r)
	if err != nil {
		return err
	}
	if p.User.ID != flow.User {
		return errFlowGone
	}
	f := freshSource
	if flow.Form != nil {
		r.PostForm = flow.Form
		f = sourceFormFrom(r)
	}
	v, err := s.arrived(r, flow)
	if err == nil && v.Address != strings.ToLower(flow.Address) {
		err = &Problem{Status: http.StatusForbidden, Key: "imports.provider.other", Args: []any{"Provider", providerName(v.provider), "Address", v.Address, "Own", flow.Address}}
	}
	if err != nil {
		pr := problemOf(err)
		s.logProblem(r, pr)
		f.wrong, f.said = p.L.T(pr.Key, pr.Args...), pr.Server
		return s.importsPage(w, r, p, pr.Status, f, nil)
	}
	token, err := s.tokens.Keep(r.Context(), p.User.ID, flow.Domain, v.Person, v.got)
	if err != nil {
		return err
	}
	if flow.Source == 0 {
		f.token = token
		return s.addSource(w, r, p, f)
	}
	o, err := s.store.Source(r.Context(), p.User.ID, flow.Source)
	if err == nil {
		err = s.queue.SetSourceToken(r.Context(), p.User.ID, flow.Source, token)
	}
	if err != nil {
		return err
	}
	s.putFlash(r, flash{Words: p.L.T("imports.done.run", "Host", o.Host)})
	return seeOther(w, r, "/imports")
}
