package handlers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"restante/internal/i18n"
	"restante/internal/store"
	"restante/mailclient/discover"
	"restante/templates"
)

// elsewhere says in words what a change of a domain does to where passwords go, and to whom is believed there; nothing
// where they go as before.
func elsewhere(l *i18n.Localizer, was, then discover.Domain) (out []string) {
	for _, service := range cardServices {
		from, to := *was.Of(service), *then.Of(service)
		from.Source, to.Source = "", ""
		pin := from.Pin != to.Pin
		from.Pin, to.Pin = "", ""
		switch {
		case from != to:
			out = append(out, l.T("change.place", "Service", serviceNames[service], "From", placeWords(l, from), "To", placeWords(l, to)))
		case pin:
			out = append(out, l.T("change.pin", "Service", serviceNames[service]))
		}
	}
	if was.CA != then.CA {
		out = append(out, l.T("change.ca"))
	}
	if was.Login != then.Login {
		out = append(out, l.T("change.login"))
	}
	if !reflect.DeepEqual(was.OAuth, then.OAuth) {
		out = append(out, l.T("change.oauth", "From", providerWords(l, was.OAuth), "To", providerWords(l, then.OAuth)))
	}
	return out
}

func placeWords(l *i18n.Localizer, p discover.Place) string {
	if p.Host == "" {
		return l.T("change.none")
	}
	return net.JoinHostPort(p.Host, strconv.Itoa(p.Port)) + " " + words(l, securityWords[p.Security])
}

func providerWords(l *i18n.Localizer, o *discover.OAuth) string {
	if o == nil {
		return l.T("change.password")
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s", providerName(o), o.ClientID))
}

// movedTime is how long people are told that their servers were changed.
const movedTime = 30 * 24 * time.Hour

// movedWords tell a person that an admin changed where their password goes, until they have seen it.
func (s *Server) movedWords(p *person) string {
	at := p.Servers.Moved
	if at.IsZero() || s.now().Sub(at) > movedTime || !at.After(p.User.Created) || p.User.Settings.KnowsMoved >= at.UnixMilli() {
		return ""
	}
	host := p.Servers.IMAP.Host
	if p.Servers.OAuth != nil {
		host = providerName(p.Servers.OAuth)
	}
	return p.L.T("moved.words", "Domain", p.Servers.Domain, "Date", p.L.Date(at.In(p.Zone)), "Host", host)
}

// asked gives the change that waits for a domain, if one does.
func (s *Server) asked(ctx context.Context, domain string) (c store.DomainChange, ok bool, err error) {
	all, err := s.store.DomainChanges(ctx)
	at := slices.IndexFunc(all, func(c store.DomainChange) bool { return c.Domain == domain })
	if at < 0 {
		return c, false, err
	}
	return all[at], true, err
}

// moves gives a domain as it is kept, or was when it was taken out, and says whether a draft of it sends passwords
// elsewhere, and notes it there. One that is new does not, unless its people have signed in without it.
func (s *Server) moves(ctx context.Context, d *domainDraft) (was string, yes bool, err error) {
	was, used, err := s.store.LastDomain(ctx, d.Name, d.Written())
	if err != nil || was == "" && !used {
		return "", false, err
	}
	if was == "" {
		servers, _ := s.servers.Lookup("@" + d.Name)
		was = discover.DomainAt(servers).Encode()
	}
	old, err := discover.ParseDomain(was)
	d.Moved = d.MovedFrom(old, s.now())
	return was, d.GoesElsewhere(old), err
}

// askForDomain keeps a change for another admin to agree to.
func (s *Server) askForDomain(w http.ResponseWriter, r *http.Request, who *officer, d *domainDraft, was string) error {
	if err := s.audit(r, who, "domain-ask", strings.TrimSpace(d.Name+" "+d.IMAP.Host+" "+d.Submission.Host+" "+testedAt(d.OAuth)), "ok"); err != nil {
		return err
	}
	if err := s.store.AskDomainChange(r.Context(), store.DomainChange{Domain: d.Name, Settings: d.Encode(), Was: was, AdminID: who.ID}); err != nil {
		return err
	}
	who.kept.Draft = nil
	if err := s.say(r, who, who.l.T("change.asked", "Domain", d.Name)); err != nil {
		return err
	}
	return seeOther(w, r, pathDomain(d.Name))
}

// changeView is the change that waits for a domain, nil for none.
func (s *Server) changeView(ctx context.Context, who *officer, domain string) (*templates.DomainChange, error) {
	c, ok, err := s.asked(ctx, domain)
	if err != nil || !ok {
		return nil, err
	}
	was, err := discover.ParseDomain(c.Was)
	if err != nil {
		return nil, err
	}
	then, err := discover.ParseDomain(c.Settings)
	if err != nil {
		return nil, err
	}
	rows, err := s.store.Domains(ctx)
	if err != nil {
		return nil, err
	}
	admins, err := s.store.Admins(ctx)
	v := &templates.DomainChange{Lines: elsewhere(who.l, was, then), FormURL: pathDomain(domain), At: strconv.FormatInt(c.At.UnixMilli(), 10), Words: who.l.T("change.wants", "Name", c.Admin, "Date", stamp(c.At))}
	if v.Own = c.AdminID == who.ID; v.Own {
		v.Words = who.l.T("change.waits", "Date", stamp(c.At))
	}
	if !slices.ContainsFunc(rows, func(d store.Domain) bool { return d.Name == domain }) {
		v.Lines = slices.Insert(v.Lines, 0, who.l.T("change.new"))
	}
	v.MayAgree = !v.Own || len(admins) == 1
	return v, err
}

// endChange agrees to a change, or refuses it. Who asked for it cannot agree, unless nobody else is there by now.
func (s *Server) endChange(w http.ResponseWriter, r *http.Request, who *officer, d *domainDraft, kept, agree bool) error {
	ctx, l := r.Context(), who.l
	c, ok, err := s.asked(ctx, d.Name)
	if err != nil {
		return err
	}
	admins, err := s.store.Admins(ctx)
	if err != nil {
		return err
	}
	if !ok {
		return s.showDomain(w, r, who, d, kept, l.T("change.over"), http.StatusConflict)
	}
	if agree && c.AdminID == who.ID && len(admins) > 1 {
		return s.showDomain(w, r, who, d, kept, l.T("change.yours"), http.StatusForbidden)
	}
	verb, settings, words := "domain-refuse", "", l.T("change.refused")
	if agree {
		if fault, err := s.again(r, who); err != nil || fault != "" {
			if err != nil {
				return err
			}
			return s.showDomain(w, r, who, d, kept, fault, http.StatusUnprocessableEntity)
		}
		then, err := discover.ParseDomain(c.Settings)
		if err != nil {
			return err
		}
		old, err := discover.ParseDomain(c.Was)
		if err != nil {
			return err
		}
		then.Moved = then.MovedFrom(old, s.now())
		verb, settings, words = "domain-agree", then.Encode(), l.T("domain.saved", "Domain", d.Name)
	}
	err = s.store.TakeDomainChange(ctx, d.Name, time.UnixMilli(atoi64(r.PostFormValue("at"))), settings, s.auditRow(r, who, verb, d.Name+" "+c.Admin, "ok"))
	if errors.Is(err, store.ErrOverlooked) || errors.Is(err, store.ErrNotFound) {
		return s.showDomain(w, r, who, d, kept, l.T("change.over"), http.StatusConflict)
	}
	if err != nil {
		return err
	}
	if err := s.reloadServers(ctx); err != nil {
		return err
	}
	if agree {
		who.kept.Draft = nil
	}
	if err := s.say(r, who, words); err != nil {
		return err
	}
	if !kept && !agree {
		return seeOther(w, r, "/admin/domains")
	}
	return seeOther(w, r, pathDomain(d.Name))
}
