package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"log/slog"
	"net/http"
	"strings"

	"restante/handlers"
	"restante/internal/config"
	"restante/internal/limits"
	"restante/internal/store"
	"restante/internal/tokens"
	"restante/mailclient"
	"restante/mailclient/discover"
)

// ServeHTTP answers by the pages that stand now.
func (h *house) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.pages.Load().ServeHTTP(w, r) }

// reload takes over what was set up in the pages, of this node or another or by the command line: the domains, the
// limits, and the site's address where the configuration has none. Pages are made anew for another address: cookies and headers depend on it.
func (h *house) reload(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	rows, err := h.store.Domains(ctx)
	if err != nil {
		return err
	}
	var raw strings.Builder
	for _, d := range rows {
		raw.WriteString(d.Settings + "\n")
	}
	if raw.String() != h.setUp { // else connections that stand would be made anew
		h.known.SetUp(setUpDomains(rows, h.openSecret, h.trusted, h.world.dial, h.log))
		h.setUp = raw.String()
	}
	bounds, err := h.store.Limits(ctx)
	if err != nil {
		return err
	}
	h.limits.Write(bounds)
	h.pool.SetPerHost(int(h.limits.Whole(limits.HostConnections)))
	if h.limits.Most(limits.TextsMB) == 0 {
		if err := h.index.DropTexts(); err != nil {
			h.log.Warn("texts of mails that are to be kept no more could not be removed", "err", err)
		}
	}
	site, err := h.store.Site(ctx)
	if err != nil {
		return err
	}
	public := cmp.Or(h.conf.PublicURL, site[store.SitePublicURL])
	if was := h.pages.Load(); was == nil || public != h.public {
		h.public = public
		h.pages.Store(h.newPages(public))
		if was != nil {
			was.Close()
		}
	}
	return nil
}

// fixedLimits are those of the site that the configuration sets.
func fixedLimits(conf config.Config) limits.Set {
	out := limits.Set{}
	for name, value := range map[limits.Name]int64{limits.UploadMB: conf.UploadMB, limits.MailsPerHour: conf.MailsPerHour, limits.RecipientsPerDay: conf.RecipientsPerDay} {
		if value > 0 {
			out[name] = value
		}
	}
	return out
}

func (h *house) openSecret(domain string, o *discover.OAuth) error {
	return tokens.OpenSecret(h.ring, domain, o)
}

// setUpDomains are those that were set up in the pages, as they are signed in to. One that an older version wrote
// otherwise is left out. secret opens that of a domain's provider.
func setUpDomains(rows []store.Domain, secret func(domain string, o *discover.OAuth) error, trusted *x509.CertPool, via mailclient.Dialer, log *slog.Logger) (out []discover.Servers) {
	for _, row := range rows {
		d, err := discover.ParseDomain(row.Settings)
		if err == nil {
			err = d.Check()
		}
		if err != nil {
			log.Error("a domain cannot be used", "domain", row.Name, "err", err)
			continue
		}
		if err := secret(d.Name, d.OAuth); err != nil { // people whose tokens hold read on
			log.Error("the secret for the provider of a domain cannot be opened: set it again", "domain", row.Name, "err", err)
		}
		out = append(out, d.Servers(trusted, via))
	}
	return out
}

func (h *house) newPages(public string) *handlers.Server {
	conf := h.conf
	conf.PublicURL = public
	return handlers.New(handlers.Options{
		Config: conf, Store: h.store, Ring: h.ring, Pool: h.pool, Index: h.index, Servers: h.known, Limits: h.limits, Tokens: h.tokens, Queue: h.queue, Finder: h.looker, Log: h.log, Version: version(),
		Secure: strings.HasPrefix(public, "https://"), Fixed: h.conf.PublicURL != "",
		Setup: handlers.Setup{Finder: h.finder, Roots: h.trusted, Dial: h.world.dial, Resolver: h.world.resolver, Reload: h.reload, Examine: h.examine, LinkUsed: func() error { return dropLink(h.conf) }, Free: func() (free, total int64) { return diskSpace(h.conf.Data) }},
	})
}

// examine is what the doctor looks at, for the page that shows it.
func (h *house) examine(ctx context.Context) (out []handlers.Check) {
	for _, c := range examine(ctx, h.conf) {
		out = append(out, handlers.Check{Kind: c.kind, About: c.about, Result: c.Result, Cause: c.cause, Step: c.Step})
	}
	return out
}
