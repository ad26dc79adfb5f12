package mailclient

import (
	"errors"
	"fmt"
)

// Errors that callers decide on.
var (
	ErrGone        = errors.New("message is gone")                   // moved or deleted elsewhere
	ErrNoMailbox   = errors.New("mailbox does not exist")            // or cannot be opened
	ErrUIDValidity = errors.New("mailbox was renewed by the server") // UIDVALIDITY changed: nothing was done
	ErrBusy        = errors.New("no connection free before the deadline")
	ErrBadInput    = errors.New("input cannot be sent to the server") // CR, LF, NUL ...
	ErrTooLarge    = errors.New("larger than the server takes")
	ErrNoRight     = errors.New("mailbox is read-only")
)

// RefusedError is a NO or BAD of the server to a command, with its words.
type RefusedError struct {
	Host, Command, Code, Text string
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s refused %s: [%s] %s", e.Host, e.Command, e.Code, e.Text)
}

// SignInError is a refused sign-in. Code is the IMAP response code, e.g.
// AUTHENTICATIONFAILED, EXPIRED, UNAVAILABLE, LIMIT, or "".
type SignInError struct {
	Host, Code, Text string
	Temporary        bool // nothing wrong with the password
}

func (e *SignInError) Error() string {
	return fmt.Sprintf("%s refused the sign-in: [%s] %s", e.Host, e.Code, e.Text)
}

// ConnectKind says why a server could not be reached safely.
type ConnectKind string

// The reasons a connection fails before sign-in.
const (
	Unreachable   ConnectKind = "unreachable"
	NoSuchHost    ConnectKind = "no-such-host"
	Timeout       ConnectKind = "timeout"
	CertExpired   ConnectKind = "cert-expired"
	CertName      ConnectKind = "cert-name"
	CertUnknown   ConnectKind = "cert-unknown" // self-signed or unknown authority
	NoTLS         ConnectKind = "no-tls"       // STARTTLS required and not offered
	WrongProtocol ConnectKind = "wrong-protocol"
	Injected      ConnectKind = "injected" // bytes after STARTTLS, PREAUTH
	Lost          ConnectKind = "lost"     // in mid session
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
