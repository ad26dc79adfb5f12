// Package imapx is the tolerant wire of IMAP under go-imap. It dials, secures
// and signs in; then it reads all that the server says, keeps from go-imap what
// its parser would die of, and lets raw commands through. go-imap speaks the
// commands that change mail; imapx hears the answers. It knows no mailboxes'
// roles, no lists and no people. Start at Dial and Conn.
package imapx

import (
	"bufio"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"restante/mailclient/wire"
)

// Deadlines of PROTOCOLS C3.
const (
	greetingTime = 30 * time.Second
	authTime     = 30 * time.Second
)

// Options are where to connect and who signs in.
type Options struct {
	Host     string
	Port     int
	Security string // tls, starttls or plain (private addresses only)
	RootCAs  *x509.CertPool
	Pin      string // as in wire.Server
	Username string
	Password string
	Token    string // an access token, in place of a password
	Trace    bool   // keep a masked record of what is said

	// Data gets untagged responses that belong to no running command, on the reading goroutine: it must not wait.
	Data func(Response)
	// Heard is told of each response, on that goroutine.
	Heard func()
	// Dial replaces the dialler.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Dial connects, secures and signs in, each with its own deadline. Errors are
// *ConnectError and *SignInError. The connection it gives is authenticated.
func Dial(ctx context.Context, o Options) (*Conn, error) {
	d := &dialing{o: o}
	if o.Trace {
		d.trace = &trace{}
	}
	c, err := d.run(ctx)
	if err == nil {
		return c, nil
	}
	if d.conn != nil {
		_ = d.conn.Close()
	}
	if ctx.Err() != nil {
		return nil, &ConnectError{Host: o.Host, Kind: Timeout, Err: context.Cause(ctx)}
	}
	var connect *ConnectError
	var sign *SignInError
	if !errors.As(err, &connect) && !errors.As(err, &sign) {
		err = wire.Classify(o.Host, err)
	}
	return nil, err
}

// dialing is a connection before its sign-in is done: one goroutine reads and writes in turn.
type dialing struct {
	o     Options
	conn  net.Conn
	r     *reader
	trace *trace
	caps  map[string]bool
	tag   int
}

func (d *dialing) run(ctx context.Context) (*Conn, error) {
	if err := d.dial(ctx); err != nil {
		return nil, err
	}
	conn := d.conn // TLS may come over it meanwhile; its deadline is that of TLS too
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if d.o.Security == "tls" {
		if err := d.secure(ctx); err != nil {
			return nil, err
		}
	}
	d.r = &reader{br: bufio.NewReaderSize(d.conn, 8<<10), trace: d.trace}
	in, err := d.greeting()
	if err != nil {
		return nil, err
	}
	if d.o.Security == "starttls" {
		if in {
			return nil, d.fail(Injected, "PREAUTH before STARTTLS")
		}
		if err := d.startTLS(ctx); err != nil {
			return nil, err
		}
	}
	if !in {
		if err := d.signIn(); err != nil {
			return nil, err
		}
	}
	if d.caps == nil {
		if err := d.capability(); err != nil {
			return nil, err
		}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	stop()
	_ = d.conn.SetDeadline(time.Time{})
	return newConn(d), nil
}

func (d *dialing) server() wire.Server {
	return wire.Server{Host: d.o.Host, Port: d.o.Port, RootCAs: d.o.RootCAs, Pin: d.o.Pin, Via: d.o.Dial}
}

func (d *dialing) dial(ctx context.Context) error {
	conn, err := d.server().Dial(ctx)
	if err != nil {
		return err
	}
	d.conn = conn
	if d.o.Security == "plain" && !wire.Private(conn.RemoteAddr()) {
		return d.fail(NoTLS, "an unencrypted connection is allowed to private addresses only")
	}
	return nil
}

func (d *dialing) fail(kind ConnectKind, text string) error {
	return &ConnectError{Host: d.o.Host, Kind: kind, Text: text}
}

func (d *dialing) secure(ctx context.Context) error {
	t, err := d.server().Secure(ctx, d.conn)
	if err == nil {
		d.conn = t
	}
	return err
}

func (d *dialing) within(t time.Duration) { _ = d.conn.SetDeadline(time.Now().Add(t)) }

// greeting reads the first response; in is true for PREAUTH.
func (d *dialing) greeting() (in bool, err error) {
	d.within(greetingTime)
	for range maxJunk {
		s, err := d.r.line()
		if err != nil {
			return false, err
		}
		d.trace.server(s)
		if strings.TrimSpace(s) == "" {
			continue
		}
		r, ok := parse([]segment{{text: s}})
		if !ok || r.Tag != "*" {
			return false, d.fail(WrongProtocol, short(s))
		}
		switch r.Type {
		case "OK", "PREAUTH":
			d.learn(r)
			return r.Type == "PREAUTH", nil
		case "BYE", "NO", "BAD":
			return false, d.fail(Bye, r.Text)
		}
		return false, d.fail(WrongProtocol, short(s))
	}
	return false, d.fail(WrongProtocol, "no greeting")
}

func short(s string) string {
	if len(s) > 200 {
		s = s[:200]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// learn takes capabilities from a response, if it has them.
func (d *dialing) learn(r Response) {
	var words []string
	switch {
	case r.Code == "CAPABILITY":
		words = strings.Fields(r.Args)
	case r.Type == "CAPABILITY" && r.Tag == "*":
		for _, n := range r.Nodes {
			words = append(words, n.Text)
		}
	default:
		return
	}
	if d.caps == nil {
		d.caps = map[string]bool{}
	}
	for _, w := range words {
		d.caps[strings.ToUpper(w)] = true
	}
}

// command sends one command and reads until its tagged answer. next answers continuations, nil refuses them.
func (d *dialing) command(line string, next func(text string) (string, error)) (Response, error) {
	d.tag++
	tag := fmt.Sprintf("D%d", d.tag)
	if err := d.send(tag + " " + line); err != nil {
		return Response{}, err
	}
	for range 1000 {
		segs, err := d.r.response()
		if err != nil {
			return Response{}, err
		}
		r, ok := parse(segs)
		switch {
		case !ok:
		case r.Tag == "+":
			answer := "*"
			if next != nil {
				if answer, err = next(r.Text); err != nil {
					answer = "*"
				}
			}
			d.trace.client("***")
			if _, err := d.conn.Write([]byte(answer + "\r\n")); err != nil {
				return Response{}, err
			}
		case r.Tag == tag:
			d.learn(r)
			return r, nil
		case r.Tag == "*" && r.Type == "BYE":
			return Response{}, d.fail(Bye, r.Text)
		case r.Tag == "*":
			d.learn(r)
		}
	}
	return Response{}, d.fail(WrongProtocol, "too many answers to one command")
}

func (d *dialing) send(line string) error {
	d.trace.client(line)
	_, err := d.conn.Write([]byte(line + "\r\n"))
	return err
}

func (d *dialing) capability() error {
	d.within(greetingTime)
	d.caps = map[string]bool{}
	_, err := d.command("CAPABILITY", nil)
	return err
}

func (d *dialing) startTLS(ctx context.Context) error {
	if d.caps == nil {
		if err := d.capability(); err != nil {
			return err
		}
	}
	if !d.caps["STARTTLS"] {
		return d.fail(NoTLS, "")
	}
	r, err := d.command("STARTTLS", nil)
	if err != nil {
		return err
	}
	if r.Type != "OK" {
		return d.fail(NoTLS, r.Text)
	}
	if d.r.br.Buffered() > 0 {
		return d.fail(Injected, "bytes after STARTTLS")
	}
	d.caps = nil
	if err := d.secure(ctx); err != nil {
		return err
	}
	d.r.br.Reset(d.conn)
	return nil
}
