package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/netip"
	"strconv"
	"time"
)

// How long a server may take to answer a call, and to agree on a key (PROTOCOLS C3).
const (
	dialTime = 10 * time.Second
	tlsTime  = 10 * time.Second
)

// Server is where to connect.
type Server struct {
	Host    string
	Port    int
	RootCAs *x509.CertPool // nil trusts the system's
	Pin     string         // SHA-256 of the server's public key (SPKI) in hex, in place of a name and of RootCAs; "" for none

	// Via replaces the dialler.
	Via func(ctx context.Context, network, address string) (net.Conn, error)
}

// Dial opens a connection, within ten seconds.
func (s Server) Dial(ctx context.Context) (net.Conn, error) {
	via := s.Via
	if via == nil {
		via = (&net.Dialer{KeepAlive: time.Minute}).DialContext
	}
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	return via(ctx, "tcp", net.JoinHostPort(s.Host, strconv.Itoa(s.Port)))
}

// Secure makes a connection one under TLS, within ten seconds.
func (s Server) Secure(ctx context.Context, conn net.Conn) (net.Conn, error) {
	t := tls.Client(conn, s.TLS())
	ctx, cancel := context.WithTimeout(ctx, tlsTime)
	defer cancel()
	return t, t.HandshakeContext(ctx)
}

// Private says whether an address is on this machine or in its own networks: only there a password may go without TLS.
func Private(a net.Addr) bool {
	p, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return a.Network() == "pipe" || a.Network() == "unix"
	}
	ip := p.Addr().Unmap()
	return ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast()
}
