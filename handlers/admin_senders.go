package handlers

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-chi/chi/v5"

	"restante/internal/jobs"
	"restante/internal/store"
	"restante/mailclient/compose"
	"restante/templates"
)

func pathSenders(domain string) string { return pathDomain(domain) + "/senders" }

// sendersOf is the domain in the path, which has to be set up, and what is said of the sender addresses of its people.
func (s *Server) sendersOf(r *http.Request) (domain string, p store.Policy, err error) {
	if domain, err = url.PathUnescape(chi.URLParam(r, "domain")); err != nil {
		return "", p, errNothingHere
	}
	if _, ok := s.servers.OfDomain(domain); !ok {
		return "", p, errNothingHere
	}
	policies, err := s.store.Policies(r.Context())
	return domain, policies[domain], err
}

// sendersPage shows what an admin says of the sender addresses of a domain's people.
func (s *Server) sendersPage(w http.ResponseWriter, r *http.Request, who *officer) error {
	domain, p, err := s.sendersOf(r)
	if err != nil {
		return err
	}
	return s.ok(w, r, s.sendersView(r, who, domain, p, ""))
}

func (s *Server) sendersView(r *http.Request, who *officer, domain string, p store.Policy, fault string) templates.AdminSenders {
	page := templates.AdminSenders{AdminFrame: s.desk(r, who, "domains", who.l.T("senders.title")+": "+domain), Problem: fault, Domain: domain, FormURL: pathSenders(domain),
		Tags: !p.NoTags, Any: !p.NoAny, Name: p.Name, Organization: p.Organization, Signature: p.Signature, SignHTML: p.SignHTML, Footer: p.Footer, FooterHTML: p.FooterHTML}
	if !s.servers.Stays(domain) {
		page.BackURL = pathDomain(domain)
	}
	for _, lock := range []string{"", store.LockAddresses, store.LockAll} {
		page.Locks = append(page.Locks, templates.Option{Value: lock, Words: who.l.T("senders.lock." + lockWord(lock)), Current: lock == p.Lock})
	}
	return page
}

// saveSenders keeps what was typed of them. What is written as HTML is cleaned as a letter is.
func (s *Server) saveSenders(w http.ResponseWriter, r *http.Request, who *officer) error {
	if err := parseForm(r); err != nil {
		return err
	}
	domain, was, err := s.sendersOf(r)
	if err != nil {
		return err
	}
	text := func(name string) string {
		return strings.TrimSpace(strings.ReplaceAll(r.PostFormValue(name), "\r\n", "\n"))
	}
	p := store.Policy{Lock: r.PostFormValue("lock"), NoTags: r.PostFormValue("tags") != "1", NoAny: r.PostFormValue("any") != "1", Name: oneLine(r.PostFormValue("name")), Organization: oneLine(r.PostFormValue("organization")),
		Signature: text("signature"), SignHTML: text("sign_html"), Footer: text("footer"), FooterHTML: text("footer_html")}
	if p.Lock != "" && p.Lock != store.LockAddresses && p.Lock != store.LockAll {
		return badRequest("error.form")
	}
	if max(len(p.Name), len(p.Organization)) > store.MaxPolicyLine || max(len(p.Signature), len(p.Footer)) > store.MaxPolicyText || max(len(p.SignHTML), len(p.FooterHTML)) > store.MaxPolicyHTML {
		s.render(w, r, http.StatusUnprocessableEntity, s.sendersView(r, who, domain, p, who.l.T("senders.toolong")))
		return nil
	}
	for _, f := range []struct{ text, html *string }{{&p.Signature, &p.SignHTML}, {&p.Footer, &p.FooterHTML}} {
		if *f.html = cleaned(*f.html); *f.text == "" {
			*f.text = strings.TrimSpace(compose.TextFromHTML(*f.html))
		}
	}
	if err := s.store.SavePolicy(r.Context(), domain, p, s.auditRow(r, who, "senders", domain+": "+sendersChanged(was, p), "ok")); err != nil {
		return err
	}
	if err := s.say(r, who, who.l.T("senders.saved", "Domain", domain)); err != nil {
		return err
	}
	return seeOther(w, r, pathSenders(domain))
}

// sendersChanged is how the audit names what was changed.
func sendersChanged(was, p store.Policy) string {
	var out []string
	changed := func(name string, differs bool) {
		if differs {
			out = append(out, name)
		}
	}
	changed("lock "+lockWord(was.Lock)+" → "+lockWord(p.Lock), was.Lock != p.Lock)
	changed("tags", was.NoTags != p.NoTags)
	changed("any address", was.NoAny != p.NoAny)
	changed("name", was.Name != p.Name)
	changed("organization", was.Organization != p.Organization)
	changed("signature", was.Signature != p.Signature || was.SignHTML != p.SignHTML)
	changed("footer", was.Footer != p.Footer || was.FooterHTML != p.FooterHTML)
	if len(out) == 0 {
		return "the same"
	}
	return strings.Join(out, ", ")
}

func lockWord(lock string) string {
	if lock == "" {
		return "none"
	}
	return lock
}

// personSenders are the addresses that a person may write from, and which of them go through a server of their own.
func (s *Server) personSenders(r *http.Request, who *officer, u store.User) (out []templates.IdentityCard, err error) {
	ids, err := s.store.Identities(r.Context(), u.ID)
	for _, id := range ids {
		card := templates.IdentityCard{ID: id.ID, Address: id.Address, Default: id.Default}
		if own, ok := jobs.OwnServerOf(id); ok {
			card.Through = who.l.T("identity.through", "Host", own.Host)
		}
		out = append(out, card)
	}
	return out, err
}

// changeSenders gives a person another address to write from, or takes one away.
func (s *Server) changeSenders(w http.ResponseWriter, r *http.Request, who *officer, u store.User) error {
	ctx, words := r.Context(), ""
	if address := strings.TrimSpace(r.PostFormValue("address")); r.PostFormValue("action") == "address-add" {
		if !compose.Valid(address) || len(address) > 254 {
			return s.showPerson(w, r, who, u, who.l.T("identity.bad", "Address", cutText(address, 254)), http.StatusUnprocessableEntity)
		}
		accounts, err := s.store.Accounts(ctx, u.ID)
		if err != nil || len(accounts) == 0 {
			return errors.Join(err, store.ErrNotFound)
		}
		if err := s.audit(r, who, "sender-add", u.Address+": "+address, "ok"); err != nil {
			return err
		}
		if _, err := s.store.SaveIdentity(ctx, store.Identity{UserID: u.ID, AccountID: accounts[0].ID, Address: address}); err != nil {
			return err
		}
		words = who.l.T("senders.added", "Address", address)
	} else {
		id, err := s.store.Identity(ctx, u.ID, atoi64(r.PostFormValue("id")))
		if err != nil {
			return err
		}
		if id.Default {
			return s.showPerson(w, r, who, u, who.l.T("senders.first", "Address", id.Address), http.StatusUnprocessableEntity)
		}
		if err := s.audit(r, who, "sender-remove", u.Address+": "+id.Address, "ok"); err != nil {
			return err
		}
		if err := s.store.DeleteIdentity(ctx, u.ID, id.ID); err != nil {
			return err
		}
		words = who.l.T("senders.removed", "Address", id.Address)
	}
	if err := s.say(r, who, words); err != nil {
		return err
	}
	return seeOther(w, r, r.URL.Path)
}
