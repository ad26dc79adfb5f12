package wire

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
)

// ConnectKind says why a server could not be reached safely.
type ConnectKind string

// The reasons a connection fails.
const (
	Unreachable   ConnectKind = "unreachable"
	NoSuchHost    ConnectKind = "no-such-host"
	Timeout       ConnectKind = "timeout"
	CertExpired   ConnectKind = "cert-expired"
	CertName      ConnectKind = "cert-name"
	CertUnknown   ConnectKind = "cert-unknown" // self-signed or unknown authority
	CertChanged   ConnectKind = "cert-changed" // not the key that was pinned
	NoTLS         ConnectKind = "no-tls"       // STARTTLS required and not offered, or plain to a public address
	WrongProtocol ConnectKind = "wrong-protocol"
	Injected      ConnectKind = "injected"  // bytes after STARTTLS, PREAUTH
	Forbidden     ConnectKind = "forbidden" // the dialler does not go there
	Lost          ConnectKind = "lost"      // in mid session
	Bye           ConnectKind = "bye"
)

// ConnectError is a server that could not be reached, or was lost.
type ConnectError struct {
	Host string
	Kind ConnectKind
	Text string // the server's words, or detail such as the certificate's names
	Err  error
}

func (e *ConnectError) Error() string {
	return fmt.Sprintf("%s: %s %s", e.Host, e.Kind, e.Text)
}

// Unwrap gives the cause.
func (e *ConnectError) Unwrap() error { return e.Err }

// Classify says what an error of dialling or of TLS is.
func Classify(host string, err error) *ConnectError {
	e := &ConnectError{Host: host, Kind: Unreachable, Err: err}
	var dns *net.DNSError
	var name x509.HostnameError
	var pin *PinError
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var untrusted *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var timeout net.Error
	var forbidden interface{ Forbidden() bool }
	switch {
	case errors.As(err, &forbidden) && forbidden.Forbidden():
		e.Kind = Forbidden
	case errors.As(err, &name):
		e.Kind = CertName
		if name.Certificate != nil {
			e.Text = fmt.Sprint(name.Certificate.DNSNames)
		}
	case errors.As(err, &pin):
		e.Kind, e.Text = CertChanged, pin.Got
	case errors.As(err, &unknown):
		e.Kind = CertUnknown
	case errors.As(err, &invalid):
		e.Kind = CertUnknown
		if invalid.Reason == x509.Expired {
			e.Kind, e.Text = CertExpired, invalid.Cert.NotAfter.Format("2006-01-02")
		}
	case errors.As(err, &untrusted): // for whatever other reason
		e.Kind = CertUnknown
	case errors.As(err, &record):
		e.Kind, e.Text = WrongProtocol, "no TLS on this port"
	case errors.As(err, &dns):
		e.Kind = NoSuchHost
		if dns.IsTimeout || dns.IsTemporary {
			e.Kind = Unreachable
		}
	case errors.As(err, &timeout) && timeout.Timeout():
		e.Kind = Timeout
	}
	return e
}
