package handlers

import (
	"net/http"

	"restante/internal/disguise"
	"restante/mailclient/message"
	"restante/templates"
)

// verdict is what the mail server of the person's own domain says of a mail's sender, "" for nothing.
func verdict(p *person, m *message.Message) string {
	return m.Header.Verdict(p.Servers.Authserv, "dmarc")
}

// disguised looks for signs that a mail's sender passes for somebody else (UX 6).
func (s *Server) disguised(r *http.Request, p *person, m *message.Message) (disguise.Finding, bool) {
	ctx := r.Context()
	froms := m.Header.From()
	from := first(froms)
	if s.mine(r, p, from.Addr) {
		return disguise.Finding{}, false
	}
	circle := disguise.Circle{Own: []string{p.Account.Address}}
	for a := range p.own() {
		circle.Own = append(circle.Own, a)
	}
	known, namesakes, err := s.store.Acquainted(ctx, p.User.ID, from.Addr, from.Name)
	if err != nil {
		s.log.Warn("people", "id", requestID(r), "err", err.Error())
	}
	circle.Known, circle.Namesakes = known, namesakes
	if !known {
		circle.Domains, _ = s.store.WrittenDomains(ctx, p.User.ID)
	}
	return disguise.Find(disguise.Sender{
		Name: from.Name, Addr: from.Addr, Authors: len(froms), ReplyTo: first(m.Header.ReplyTo()).Addr,
		List: m.Header.Get("List-Id") != "" || listPost(m.Header) != "", DMARC: verdict(p, m),
	}, circle)
}

// warning is the bar for a disguise, and whether the links of the mail are locked: until the person asks for them, this
// time, on our own page.
func (s *Server) warning(r *http.Request, p *person, m *message.Message) (bar *templates.Warning, locked bool) {
	found, ok := s.disguised(r, p, m)
	if !ok {
		return nil, false
	}
	locked = !asked(r, "links")
	bar = &templates.Warning{Meaning: p.L.T("warn.meaning." + string(found.Kind))}
	from := first(m.Header.From())
	switch found.Kind {
	case disguise.Authors:
		bar.Words = p.L.T("warn.many", "N", len(m.Header.From()))
	default:
		bar.Words = p.L.T("warn."+string(found.Kind), "Name", from.Name, "Address", from.Addr, "Domain", domainOf(from.Addr), "Other", found.Other)
	}
	if locked {
		bar.LinksURL = with(r.URL.Path, r.URL.Query(), "links", "1")
	}
	return bar, locked
}

// asked says whether the page's own button asked for what is otherwise kept away: a link in a mail cannot.
func asked(r *http.Request, name string) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return r.URL.Query().Get(name) == "1" && (site == "" || site == "same-origin" || site == "none")
}
