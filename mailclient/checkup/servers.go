package checkup

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"time"

	"restante/mailclient"
	"restante/mailclient/discover"
	"restante/mailclient/wire"
)

const (
	expiresSoon = 14 * 24 * time.Hour
	maxAddrs    = 10 // of a host that are told
)

// resolve asks for the addresses of a host. A host that is an address has itself.
func (r *run) resolve(ctx context.Context, s *Step) {
	if _, err := netip.ParseAddr(s.Host); err == nil {
		s.Facts.Addresses = []string{s.Host}
		return
	}
	resolver := r.o.Resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	addrs, err := resolver.LookupHost(ctx, s.Host)
	if err != nil {
		s.fail(Problem(wire.Classify(s.Host, err).Kind), "")
		return
	}
	s.Facts.Addresses = addrs[:min(len(addrs), maxAddrs)]
}

// secure connects without signing in, and judges the certificate.
func (r *run) secure(ctx context.Context, s *Step) {
	at := r.o.Servers.Of(s.Service)
	p := discover.Try(ctx, s.Service, at)
	r.probes[s.Service] = p
	s.Facts.Certificate = p.Certificate
	switch {
	case p.Problem != "":
		s.fail(Problem(p.Problem), p.Text)
	case at.Security == mailclient.Plain:
		s.warn(NotTLS)
	case !p.Trusted():
		s.fail(Problem(p.Certificate.Faults[0]), "")
	case at.Pin == "" && time.Until(p.Certificate.NotAfter) < expiresSoon:
		s.warn(Expiring)
	}
}

// known are the SASL mechanisms that are understood here for passwords, and byToken those for what a provider gives.
var (
	known   = []string{"SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN"}
	byToken = []string{"OAUTHBEARER", "XOAUTH2"}
)

// capabilities judges what the server said that it can.
func (r *run) capabilities(_ context.Context, s *Step) {
	p := r.probes[s.Service]
	s.Facts.Capabilities, s.Facts.Mechanisms = p.Capabilities, p.Mechanisms
	wanted := known
	if r.o.Servers.OAuth != nil && (s.Service == discover.IMAP || s.Service == discover.Submission) {
		wanted = byToken
	}
	understood := slices.ContainsFunc(p.Mechanisms, func(m string) bool { return slices.Contains(wanted, m) })
	switch s.Service {
	case discover.IMAP: // without SASL there is LOGIN, unless it is disabled
		understood = understood || r.o.Servers.OAuth == nil && !p.Has("LOGINDISABLED")
		r.single = p.Has("UIDPLUS")
	case discover.POP3: // and there is USER
		understood = true
	}
	if !understood {
		s.fail(NoMechanism, "")
	}
}
