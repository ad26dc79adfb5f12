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
func (s *Server) disguised(r *http.Request, p *person, m *message.Message) (found disguise.Finding, contact int64, ok bool) {
	ctx := r.Context()
	froms := m.Header.From()
	from := first(froms)
	if s.mine(r, p, from.Addr) {
		return disguise.Finding{}, 0, false
	}
	circle := disguise.Circle{Own: []string{p.Account.Address}}
	for a := range p.own() {
		circle.Own = append(circle.Own, a)
	}
	met, err := s.store.Acquainted(ctx, p.User.ID, from.Addr, from.Name)
	if err != nil {
		s.log.Warn("people", "id", requestID(r), "err", err.Error())
	}
	circle.Known, circle.Namesakes = met.Known, met.Namesakes
	if !met.Known {
		circle.Domains, _ = s.store.WrittenDomains(ctx, p.User.ID)
	}
	found, ok = disguise.Find(disguise.Sender{
		Name: from.Name, Addr: from.Addr, Authors: len(froms), ReplyTo: first(m.Header.ReplyTo()).Addr,
		List: m.Header.Get("List-Id") != "" || listPost(m.Header) != "", DMARC: verdict(p, m),
	}, circle)
	return found, met.Contact, ok
}

// warning is the bar for a disguise, and whether the links of the mail are locked: until the person asks for them, this
// time, on our own page. contact is that of the sender, 0 for none.
func (s *Server) warning(r *http.Request, p *person, m *message.Message) (bar *templates.Warning, locked bool, contact int64) {
	found, contact, ok := s.disguised(r, p, m)
	if !ok {
		return nil, false, contact
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
	return bar, locked, contact
}

// asked says whether the page's own button asked for what is otherwise kept away: a link in a mail cannot.
func asked(r *http.Request, name string) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return r.URL.Query().Get(name) == "1" && (site == "" || site == "same-origin" || site == "none")
}
