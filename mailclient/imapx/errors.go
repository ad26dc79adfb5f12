package imapx

import (
	"fmt"

	"restante/mailclient/wire"
)

// ConnectKind says why a server could not be reached safely.
type ConnectKind = wire.ConnectKind

// The reasons a connection fails.
const (
	Unreachable   = wire.Unreachable
	NoSuchHost    = wire.NoSuchHost
	Timeout       = wire.Timeout
	CertExpired   = wire.CertExpired
	CertName      = wire.CertName
	CertUnknown   = wire.CertUnknown
	CertChanged   = wire.CertChanged
	NoTLS         = wire.NoTLS
	WrongProtocol = wire.WrongProtocol
	Injected      = wire.Injected
	Forbidden     = wire.Forbidden
	Lost          = wire.Lost
	Bye           = wire.Bye
)

// ConnectError is a server that could not be reached, or was lost.
type ConnectError = wire.ConnectError

// SignInError is a refused sign-in. Code is the IMAP response code, e.g.
// AUTHENTICATIONFAILED, EXPIRED, UNAVAILABLE, LIMIT, or "".
type SignInError struct {
	Host, Code, Text string
	Temporary        bool // nothing wrong with the password
}

func (e *SignInError) Error() string {
	return fmt.Sprintf("%s refused the sign-in: [%s] %s", e.Host, e.Code, e.Text)
}

// RefusedError is a NO or BAD of the server to a command, with its words.
type RefusedError struct {
	Host, Command, Code, Text string
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s refused %s: [%s] %s", e.Host, e.Command, e.Code, e.Text)
}
