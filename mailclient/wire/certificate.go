package wire

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net"
	"slices"
	"time"
)

// Certificate is what a server shows of itself, for a person to judge.
type Certificate struct {
	Subject     string    `json:"subject"`     // its common name, or the first of Names
	Issuer      string    `json:"issuer"`      // the common name of who signed it
	Names       []string  `json:"names"`       // host names and addresses it is for, at most 100
	NotBefore   time.Time `json:"not_before"`  // it holds from here
	NotAfter    time.Time `json:"not_after"`   // to here
	Fingerprint string    `json:"fingerprint"` // SHA-256 of the certificate, 64 hex digits, as other programs show it
	Pin         string    `json:"pin"`         // SHA-256 of its public key (SPKI), 64 hex digits: what Server.Pin is compared with
	SelfSigned  bool      `json:"self_signed"`

	// Faults are why it is not trusted: CertUnknown, CertName, CertExpired, CertChanged. None: it is.
	Faults []ConnectKind `json:"faults,omitempty"`
}

// PinError is a server whose key is not the one that was pinned. Both are 64 hex digits.
type PinError struct{ Want, Got string }

func (e *PinError) Error() string {
	return fmt.Sprintf("the server's key is %s, pinned is %s", e.Got, e.Want)
}

// pinOf is the SHA-256 of a certificate's public key, in hex.
func pinOf(c *x509.Certificate) string {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return hex.EncodeToString(sum[:])
}

// TLS is how the server has to be who it says it is: by the key that was pinned, or else by its name and whoever
// vouches for it.
func (s Server) TLS() *tls.Config {
	if s.Pin == "" {
		return &tls.Config{ServerName: s.Host, RootCAs: s.RootCAs, MinVersion: tls.VersionTLS12}
	}
	return s.judging(func(state tls.ConnectionState) error {
		if got := pinOf(state.PeerCertificates[0]); got != s.Pin {
			return &PinError{Want: s.Pin, Got: got}
		}
		return nil
	})
}

// judging is TLS with a server that judge alone accepts. It is the one place where Go's own check is off.
func (s Server) judging(judge func(tls.ConnectionState) error) *tls.Config {
	return &tls.Config{ServerName: s.Host, MinVersion: tls.VersionTLS12, InsecureSkipVerify: true, VerifyConnection: judge} // #nosec G402 -- judge checks
}

// Inspect makes a connection one under TLS, within ten seconds, whoever the server is, and gives the certificate that
// it showed. No password may go over such a connection.
func (s Server) Inspect(ctx context.Context, conn net.Conn) (net.Conn, Certificate, error) {
	var seen Certificate
	t := tls.Client(conn, s.judging(func(state tls.ConnectionState) error {
		seen = s.certificate(state.PeerCertificates, time.Now())
		return nil
	}))
	ctx, cancel := context.WithTimeout(ctx, tlsTime)
	defer cancel()
	return t, seen, t.HandshakeContext(ctx)
}

const maxNames = 100

// certificate tells a chain in plain values, the server's own certificate first.
func (s Server) certificate(chain []*x509.Certificate, now time.Time) Certificate {
	c := chain[0]
	sum := sha256.Sum256(c.Raw)
	out := Certificate{
		Subject: c.Subject.CommonName, Issuer: c.Issuer.CommonName, Names: slices.Clone(c.DNSNames), NotBefore: c.NotBefore, NotAfter: c.NotAfter,
		Fingerprint: hex.EncodeToString(sum[:]), Pin: pinOf(c), SelfSigned: c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil,
	}
	for _, ip := range c.IPAddresses {
		out.Names = append(out.Names, ip.String())
	}
	out.Names = out.Names[:min(len(out.Names), maxNames)]
	if out.Subject == "" && len(out.Names) > 0 {
		out.Subject = out.Names[0]
	}
	if out.Issuer == "" && len(c.Issuer.Organization) > 0 {
		out.Issuer = c.Issuer.Organization[0]
	}
	out.Faults = s.faults(chain, now)
	return out
}

// faults are all that is wrong with a chain. A pin that fits leaves nothing wrong.
func (s Server) faults(chain []*x509.Certificate, now time.Time) (out []ConnectKind) {
	if s.Pin != "" {
		if pinOf(chain[0]) != s.Pin {
			out = append(out, CertChanged)
		}
		return out
	}
	c, between := chain[0], x509.NewCertPool()
	for _, above := range chain[1:] {
		between.AddCert(above)
	}
	at := now
	if now.Before(c.NotBefore) || now.After(c.NotAfter) {
		out = append(out, CertExpired)
		at = c.NotAfter.Add(-time.Second) // were it in force, would anybody vouch for it?
	}
	if _, err := c.Verify(x509.VerifyOptions{Roots: s.RootCAs, Intermediates: between, CurrentTime: at}); err != nil {
		out = append(out, CertUnknown)
	}
	if c.VerifyHostname(s.Host) != nil {
		out = append(out, CertName)
	}
	return out
}
