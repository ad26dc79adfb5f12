package handlers

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"restante/internal/disguise"
	"restante/internal/store"
	"restante/mailclient"
	"restante/mailclient/message"
	"restante/templates"
)

// verdict is what the mail server of the person's own domain says of a mail's sender, "" for nothing.
func verdict(p *person, m *message.Message) string {
	if p.attached {
		return ""
	}
	return m.Header.Verdict(p.Servers.Authserv, "dmarc")
}

// acquaintance is what a person has to do with a sender, and, where they do not know them, the domains they write to.
type acquaintance struct {
	store.Acquaintance
	domains []string
}

// meeting is a sender whom a person's acquaintance with is asked for.
type meeting struct {
	sender message.Address
	told   func() acquaintance
}

// meet begins to find out what a person has to do with a sender.
func (s *Server) meet(ctx context.Context, p *person, sender message.Address) {
	user := p.User.ID
	p.met = &meeting{sender, meanwhile(func() (a acquaintance) {
		var err error
		if a.Acquaintance, err = s.store.Acquainted(ctx, user, sender.Addr, sender.Name); err != nil {
			s.log.Warn("people", "err", err.Error())
		}
		if !a.Known {
			a.domains, _ = s.store.WrittenDomains(ctx, user)
		}
		return a
	})}
}

// disguised looks for signs that a mail's sender passes for somebody else (UX 6). met is what the person has to do with
// them.
func (s *Server) disguised(r *http.Request, p *person, m *message.Message) (found disguise.Finding, met store.Acquaintance, ok bool) {
	ctx := r.Context()
	froms := m.Header.From()
	from := first(froms)
	if s.mine(r, p, from.Addr) {
		return disguise.Finding{}, store.Acquaintance{Known: true}, false
	}
	circle := disguise.Circle{Own: []string{p.Account.Address}}
	for a := range p.own() {
		circle.Own = append(circle.Own, a)
	}
	if p.met == nil || p.met.sender != from {
		s.meet(ctx, p, from)
	}
	a := p.met.told()
	met, circle.Known, circle.Namesakes, circle.Domains = a.Acquaintance, a.Known, a.Namesakes, a.domains
	found, ok = disguise.Find(disguise.Sender{
		Name: from.Name, Addr: from.Addr, Authors: len(froms), ReplyTo: first(m.Header.ReplyTo()).Addr,
		List: m.Header.Get("List-Id") != "" || listPost(m.Header) != "", DMARC: verdict(p, m),
	}, circle)
	return found, met, ok
}

// warn puts into the view the bar for a disguise, whose links are locked until the person asks for them, this time, on our
// own page; else the note on what a stranger asks for.
func (s *Server) warn(r *http.Request, p *person, pl place, open *mailclient.Open, v *templates.Message) {
	m := open.Message
	found, met, ok := s.disguised(r, p, m)
	if met.Contact != 0 {
		v.ContactURL = pathContact(met.Contact)
	}
	if !ok {
		if !met.Known && !open.Flags.Answered {
			v.Noted = meanwhile(func() *templates.Warning { return strangerNote(p, m) })
		}
		return
	}
	v.Locked = !asked(r, "links", pl.asks())
	v.Warning = &templates.Warning{Meaning: p.L.T("warn.meaning." + string(found.Kind))}
	from := first(m.Header.From())
	switch found.Kind {
	case disguise.Authors:
		v.Warning.Words = p.L.T("warn.many", "N", len(m.Header.From()))
	default:
		v.Warning.Words = p.L.T("warn."+string(found.Kind), "Name", from.Name, "Address", from.Addr, "Domain", domainOf(from.Addr), "Other", found.Other)
	}
	if v.Locked {
		v.Warning.LinksURL = with(r.URL.Path, r.URL.Query(), "links", pl.asks())
	}
}

// strangerNote tells that somebody whom the person never wrote to asks for a sign-in or for money; nil for anything else.
// What comes by a mailing list is not written to this reader alone.
func strangerNote(p *person, m *message.Message) *templates.Warning {
	if first(m.Header.From()).Addr == "" || m.Header.Get("List-Id") != "" || listPost(m.Header) != "" {
		return nil
	}
	words, links := m.Words(16 << 10)
	ask := disguise.Asked(m.Header.Subject()+". "+words, links)
	if ask == disguise.NoAsk {
		return nil
	}
	return &templates.Warning{Words: p.L.T("stranger."+string(ask), "Address", first(m.Header.From()).Addr), Meaning: p.L.T("stranger.meaning." + string(ask))}
}

// wroteBefore says whether a list shows an older mail of the same sender: they are no stranger then.
func wroteBefore(list mailclient.List, open *mailclient.Open) bool {
	addr := first(open.Message.Header.From()).Addr
	return slices.ContainsFunc(list.Rows, func(row mailclient.Row) bool {
		return strings.EqualFold(first(row.From).Addr, addr) && row.Received.Before(open.Received.Add(-24*time.Hour))
	})
}

// asks is what the address says of a mail for which something is asked that is otherwise kept away.
func (pl place) asks() string { return cmp.Or(pl.ref, "1") }

// asked says whether the page's own button asked for what is otherwise kept away: a link in a mail cannot.
func asked(r *http.Request, name, of string) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return r.URL.Query().Get(name) == of && (site == "" || site == "same-origin" || site == "none")
}
