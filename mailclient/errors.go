package mailclient

import (
	"errors"
	"fmt"

	"restante/mailclient/imapx"
	"restante/mailclient/wire"
)

// Errors that callers decide on.
var (
	ErrGone        = errors.New("message is gone")                   // moved or deleted elsewhere
	ErrNoMailbox   = errors.New("mailbox does not exist")            // or cannot be opened
	ErrUIDValidity = errors.New("mailbox was renewed by the server") // UIDVALIDITY changed: nothing was done
	ErrBusy        = errors.New("no connection free before the deadline")
	ErrBadInput    = imapx.ErrInput // CR, LF, NUL ...
	ErrTooLarge    = errors.New("larger than the server takes")
	ErrNoRight     = errors.New("mailbox is read-only")
)

// FullError means that as many connections go to a host as may.
type FullError struct {
	Host string
	Most int
}

func (e *FullError) Error() string {
	return fmt.Sprintf("%s: all %d connections are in use", e.Host, e.Most)
}

// The errors of the wire, as callers of this package see them.
type (
	// RefusedError is a NO or BAD of the server to a command, with its words.
	RefusedError = imapx.RefusedError
	// SignInError is a refused sign-in.
	SignInError = imapx.SignInError
	// ConnectError is a server that could not be reached, or was lost.
	ConnectError = imapx.ConnectError
	// Tokens gives access tokens.
	Tokens = wire.Tokens
	// TokenError is a provider that gives none.
	TokenError = wire.TokenError
	// ConnectKind says why a connection failed.
	ConnectKind = imapx.ConnectKind
)

// The reasons a connection fails.
const (
	Unreachable   = imapx.Unreachable
	NoSuchHost    = imapx.NoSuchHost
	Timeout       = imapx.Timeout
	CertExpired   = imapx.CertExpired
	CertName      = imapx.CertName
	CertUnknown   = imapx.CertUnknown
	CertChanged   = imapx.CertChanged
	NoTLS         = imapx.NoTLS
	WrongProtocol = imapx.WrongProtocol
	Injected      = imapx.Injected
	Forbidden     = imapx.Forbidden
	Lost          = imapx.Lost
	Bye           = imapx.Bye
)
