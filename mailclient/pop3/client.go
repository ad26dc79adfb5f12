// Package pop3 fetches from POP3 servers as they are (RFC 1939, 2449, 2595, 3206,
// 5034; PROTOCOLS P). A Client is one session, signed in: it lists, reads the
// headers or the whole of mails, marks them for deletion, and quits. An Import brings
// mails from such sessions into a target, each once, by a ledger; it knows neither
// IMAP nor databases. Start at Dial and at Import.
package pop3

import (
	"bufio"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"restante/mailclient/wire"
)

// answerTime is how long a server may take for the next bytes of an answer.
const answerTime = time.Minute

const (
	maxStatus = 2 << 10 // bytes of a status line that are kept
	maxCapa   = 200     // lines
)

// Options are where to connect and who signs in.
type Options struct {
	Host     string
	Port     int
	Security string // tls, starttls or plain (private addresses only, or with APOP)
	RootCAs  *x509.CertPool
	Pin      string // as in wire.Server
	Username string
	Password string
	Tokens   wire.Tokens // access tokens in place of the password; nil: the password
	APOP     bool        // the person consents to a sign-in without TLS that does not show the password

	// Dial replaces the dialler.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

func (o Options) server() wire.Server {
	return wire.Server{Host: o.Host, Port: o.Port, RootCAs: o.RootCAs, Pin: o.Pin, Via: o.Dial}
}

// Client is a session in the transaction state. It is for one goroutine at a time. After an error that is no
// *RefusedError it is of no more use.
type Client struct {
	host string
	conn net.Conn
	br   *bufio.Reader
	caps map[string][]string
	odd  int
	born time.Time
	err  error // what ended the session

	ahead int // the mail whose RETR was sent and whose answer was not read; 0 if none
}

// Dial connects, secures and signs in. Errors are *wire.ConnectError, *RefusedError of the sign-in, and with Tokens
// *wire.TokenError.
func Dial(ctx context.Context, o Options) (c *Client, err error) {
	if o.Tokens == nil {
		return dial(ctx, o, "")
	}
	err = wire.WithToken(ctx, o.Tokens, func(token string) (err error) {
		c, err = dial(ctx, o, token)
		return err
	}, func(err error) bool {
		var no *RefusedError
		return errors.As(err, &no) && (no.Reason() == Password || no.Reason() == Unclear) && no.Text != wire.BearerError
	})
	return c, err
}

func dial(ctx context.Context, o Options, token string) (*Client, error) {
	c := &Client{host: o.Host}
	err := c.open(ctx, o, token)
	if err == nil {
		return c, nil
	}
	c.Close()
	if ctx.Err() != nil {
		return nil, &wire.ConnectError{Host: o.Host, Kind: wire.Timeout, Err: context.Cause(ctx)}
	}
	return nil, c.explain(err)
}

// explain makes one of our errors of any.
func (c *Client) explain(err error) error {
	var connect *wire.ConnectError
	var refused *RefusedError
	if errors.As(err, &connect) || errors.As(err, &refused) {
		return err
	}
	e := wire.Classify(c.host, err)
	if c.br != nil && e.Kind == wire.Unreachable { // it was reached before
		e.Kind = wire.Lost
	}
	return e
}

func (c *Client) open(ctx context.Context, o Options, token string) error {
	conn, err := o.server().Dial(ctx)
	if err != nil {
		return err
	}
	c.conn = conn
	defer c.until(ctx)()
	if o.Security == "tls" {
		if err := c.secure(ctx, o); err != nil {
			return err
		}
	}
	c.br = bufio.NewReaderSize(patient{c}, 64<<10)
	banner, err := c.greeting()
	if err != nil {
		return err
	}
	if err := c.capa(); err != nil {
		return err
	}
	if o.Security == "starttls" {
		if err := c.stls(ctx, o); err != nil {
			return err
		}
	}
	if err := c.enter(o, token, banner); err != nil {
		return err
	}
	c.born = time.Now()
	return c.capa()
}

// until lets the end of ctx end what waits for the server; the function it gives takes that back.
func (c *Client) until(ctx context.Context) func() {
	conn := c.conn // TLS may come over it meanwhile; its deadline is that of TLS too
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	return func() { stop() }
}

// patient gives the server answerTime for each read.
type patient struct{ c *Client }

func (p patient) Read(b []byte) (int, error) {
	_ = p.c.conn.SetReadDeadline(time.Now().Add(answerTime))
	return p.c.conn.Read(b)
}

func (c *Client) secure(ctx context.Context, o Options) error {
	t, err := o.server().Secure(ctx, c.conn)
	if err == nil {
		c.conn = t
	}
	return err
}

// greeting reads the banner and gives its words.
func (c *Client) greeting() (string, error) {
	line, err := c.line()
	if err != nil {
		return "", err
	}
	ok, text, is := status(line)
	switch {
	case !is:
		return "", &wire.ConnectError{Host: c.host, Kind: wire.WrongProtocol, Text: shown(line)}
	case !ok:
		return "", &wire.ConnectError{Host: c.host, Kind: wire.Bye, Text: shown(text)}
	}
	return text, nil
}

// capa asks what the server can. One that refuses can nothing besides RFC 1939 (P1).
func (c *Client) capa() error {
	caps := map[string][]string{}
	_, err := c.multi("CAPA", "CAPA", func(line string) error {
		if words := strings.Fields(strings.ToUpper(line)); len(words) > 0 && len(caps) < maxCapa {
			caps[words[0]] = words[1:]
		}
		return nil
	})
	var no *RefusedError
	if errors.As(err, &no) {
		err = nil
	}
	c.caps = caps
	return err
}

// Has says whether the server has a capability (RFC 2449).
func (c *Client) Has(name string) bool {
	_, ok := c.caps[name]
	return ok
}

// LoginDelay is how long the server wants to be left alone between two sessions; 0 if it does not say.
func (c *Client) LoginDelay() time.Duration {
	if v := c.caps["LOGIN-DELAY"]; len(v) > 0 {
		if n, err := strconv.Atoi(v[0]); err == nil && n > 0 && n < 7*24*3600 {
			return time.Duration(n) * time.Second
		}
	}
	return 0
}

func (c *Client) stls(ctx context.Context, o Options) error {
	if !c.Has("STLS") && len(c.caps) > 0 {
		return &wire.ConnectError{Host: c.host, Kind: wire.NoTLS}
	}
	if _, err := c.simple("STLS", "STLS"); err != nil {
		var no *RefusedError
		if errors.As(err, &no) {
			return &wire.ConnectError{Host: c.host, Kind: wire.NoTLS, Text: no.Text}
		}
		return err
	}
	if c.br.Buffered() > 0 {
		return &wire.ConnectError{Host: c.host, Kind: wire.Injected, Text: "bytes after STLS"}
	}
	if err := c.secure(ctx, o); err != nil {
		return err
	}
	c.br.Reset(patient{c})
	return c.capa()
}

// Close ends the session without a word: what was marked for deletion stays.
func (c *Client) Close() {
	if c.conn != nil {
		_ = c.conn.Close()
	}
	if c.err == nil {
		c.err = net.ErrClosed
	}
}

// Age is how long ago the session began.
func (c *Client) Age() time.Duration { return time.Since(c.born) }

// Odd is how many lines of answers made no sense and were passed over.
func (c *Client) Odd() int { return c.odd }

func shown(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), 200)], "\uFFFD")
}

// RefusedError is an -ERR of the server, with its words.
type RefusedError struct {
	Host, Command string
	Code          string // RESP-CODES (RFC 2449, 3206), upper case: IN-USE, LOGIN-DELAY, SYS/TEMP, SYS/PERM, AUTH or ""
	Text          string
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s refused %s: [%s] %s", e.Host, e.Command, e.Code, e.Text)
}
