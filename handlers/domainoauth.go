package handlers

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"restante/internal/i18n"
	"restante/internal/oauth"
	"restante/internal/tokens"
	"restante/mailclient/discover"
	"restante/templates"
)

var providerKinds = []string{oauth.Google, oauth.Microsoft, oauth.OIDC}

// changeProvider takes the provider of a form. Its secret is sealed at once; without another one, that of the same client
// stays.
func (s *Server) changeProvider(d *domainDraft, form url.Values) {
	if !form.Has("oauth_kind") {
		return
	}
	field := func(name string) string { return cutText(oneLine(strings.TrimSpace(form.Get(name))), 1000) }
	old := d.OAuth
	if d.OAuth = nil; field("oauth_kind") == "" {
		return
	}
	o := &discover.OAuth{Kind: field("oauth_kind"), ClientID: field("oauth_client")}
	switch o.Kind {
	case oauth.Microsoft:
		o.Tenant = field("oauth_tenant")
	case oauth.OIDC:
		o.Issuer, o.Scopes = strings.TrimSuffix(field("oauth_issuer"), "/"), field("oauth_scopes")
	}
	if secret := field("oauth_secret"); secret != "" {
		o.Sealed = tokens.SealSecret(s.ring, d.Name, secret)
	} else if old != nil && tokens.SettingsOf(old).Same(tokens.SettingsOf(o)) {
		o.Sealed = old.Sealed
	}
	d.OAuth = o
}

// providerFault says in words what keeps the provider of a draft from being used, "" if nothing does.
func (s *Server) providerFault(ctx context.Context, d *domainDraft, l *i18n.Localizer) string {
	if d.OAuth == nil {
		return ""
	}
	if err := tokens.OpenSecret(s.ring, d.Name, d.OAuth); err != nil {
		return l.T("domain.oauth.bad")
	}
	err := s.tokens.Look(ctx, d.OAuth)
	var f *oauth.Fault
	switch {
	case err == nil:
		return ""
	case errors.As(err, &f):
		return l.T("domain.oauth.fault."+string(f.Kind), "Host", f.Host, "Text", f.Text)
	}
	return l.T("domain.oauth.fault.away", "Host", providerName(d.OAuth))
}

// provider is the provider of the draft as its card shows it.
func (d *domainDraft) provider(l *i18n.Localizer) templates.DomainOAuth {
	o := discover.OAuth{}
	if d.OAuth != nil {
		o = *d.OAuth
	}
	v := templates.DomainOAuth{ClientID: o.ClientID, Tenant: o.Tenant, Issuer: o.Issuer, Scopes: o.Scopes, HasSecret: len(o.Sealed) > 0}
	v.Open = d.OAuth != nil || d.Found != nil && d.Found.IMAP.OAuthOnly()
	v.Kinds = append(v.Kinds, templates.Option{Words: l.T("domain.oauth.none"), Current: d.OAuth == nil})
	for _, kind := range providerKinds {
		v.Kinds = append(v.Kinds, templates.Option{Value: kind, Words: l.T("domain.oauth." + kind), Current: kind == o.Kind})
	}
	return v
}

// testedAt is the provider at which the people of a domain sign in, "" for none.
func testedAt(o *discover.OAuth) string {
	if o == nil {
		return ""
	}
	return providerName(o)
}
