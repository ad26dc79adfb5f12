package wire_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"fmt"
	"math/big"
	"net"
	"slices"
	"testing"
	"time"

	"restante/internal/testmail"
	"restante/mailclient/wire"
)

// shows is a server on loopback with a certificate for name, self-signed, that ends at end; and its public key's hash.
func shows(t *testing.T, name string, end time.Time) (at testmail.Address, cert *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	plan := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: end.Add(-24 * time.Hour), NotAfter: end}
	der, err := x509.CreateCertificate(rand.Reader, plan, plan, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	conf := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	at = testmail.Listen(t, func(c net.Conn) { _ = tls.Server(c, conf).Handshake() })
	return at, cert
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func inspect(t *testing.T, s wire.Server) wire.Certificate {
	t.Helper()
	conn, err := s.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, c, err := s.Inspect(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestC1_ACertificateIsShownWithAllThatIsWrongWithIt(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		name    string
		subject string
		end     time.Time
		trusted bool // its own signature is enough
		pin     func(*x509.Certificate) string
		want    []wire.ConnectKind
	}{
		{"good", "localhost", now.Add(time.Hour), true, nil, nil},
		{"self-signed", "localhost", now.Add(time.Hour), false, nil, []wire.ConnectKind{wire.CertUnknown}},
		{"of another host", "mail.example.test", now.Add(time.Hour), true, nil, []wire.ConnectKind{wire.CertName}},
		{"over", "localhost", now.Add(-time.Hour), true, nil, []wire.ConnectKind{wire.CertExpired}},
		{"all of it", "mail.example.test", now.Add(-time.Hour), false, nil, []wire.ConnectKind{wire.CertExpired, wire.CertUnknown, wire.CertName}},
		{"all of it, pinned", "mail.example.test", now.Add(-time.Hour), false, func(c *x509.Certificate) string { return hash(c.RawSubjectPublicKeyInfo) }, nil},
		{"another key than was pinned", "localhost", now.Add(time.Hour), true, func(*x509.Certificate) string { return hash(nil) }, []wire.ConnectKind{wire.CertChanged}},
	} {
		t.Run(c.name, func(t *testing.T) {
			at, cert := shows(t, c.subject, c.end)
			s := wire.Server{Host: "localhost", Port: at.Port, RootCAs: x509.NewCertPool()}
			if c.trusted {
				s.RootCAs.AddCert(cert)
			}
			if c.pin != nil {
				s.Pin = c.pin(cert)
			}
			got := inspect(t, s)
			if !slices.Equal(got.Faults, c.want) {
				t.Errorf("faults %v, want %v", got.Faults, c.want)
			}
			if got.Subject != c.subject || got.Issuer != c.subject || !got.SelfSigned || got.Fingerprint != hash(cert.Raw) || got.Pin != hash(cert.RawSubjectPublicKeyInfo) ||
				!slices.Equal(got.Names, []string{c.subject}) || got.NotAfter.Unix() != c.end.Unix() {
				t.Errorf("shown: %+v", got)
			}

			conn, err := s.Dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_, err = s.Secure(t.Context(), conn)
			if (err == nil) != (len(c.want) == 0) {
				t.Fatalf("a connection: %v", err)
			}
			if err != nil && !slices.Contains(c.want, wire.Classify("localhost", err).Kind) {
				t.Errorf("%v is %s, want one of %v", err, wire.Classify("localhost", err).Kind, c.want)
			}
		})
	}
}

func TestACertificateThatIsRefusedForWhateverReasonIsNotTrusted(t *testing.T) {
	err := fmt.Errorf("TLS: %w", &tls.CertificateVerificationError{Err: x509.UnhandledCriticalExtension{}})
	if kind := wire.Classify("mail.example.test", err).Kind; kind != wire.CertUnknown {
		t.Errorf("it is %s", kind)
	}
}
