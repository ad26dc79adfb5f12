package discover

import (
	"bufio"
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"time"

	"restante/mailclient"
	"restante/mailclient/wire"
)

// Probe is what a server shows to somebody who does not sign in.
type Probe struct {
	Problem      mailclient.ConnectKind `json:"problem,omitempty"` // "": it speaks what it should, as securely as it should
	Text         string                 `json:"text,omitempty"`    // of a problem: the server's words, at most 200 bytes
	Certificate  *wire.Certificate      `json:"certificate,omitempty"`
	Capabilities []string               `json:"capabilities,omitempty"` // as they are under TLS, upper case, at most 200
	Mechanisms   []string               `json:"mechanisms,omitempty"`   // SASL, upper case
	Took         time.Duration          `json:"took"`
}

// Trusted says that the connection was under TLS with a certificate that nothing is wrong with.
func (p Probe) Trusted() bool { return p.Certificate != nil && len(p.Certificate.Faults) == 0 }

// Has says whether the server has a capability, such as "IDLE" or "SIZE", whatever comes with it.
func (p Probe) Has(name string) bool {
	return slices.ContainsFunc(p.Capabilities, func(c string) bool {
		word, _, _ := strings.Cut(c, " ")
		return word == name
	})
}

const (
	tryTime    = 30 * time.Second // in all; callers have less
	maxLine    = 2 << 10          // bytes of a line that are kept
	maxLines   = 300              // of one conversation
	maxCaps    = 200
	shownBytes = 200
)

// Try connects to a server, makes the connection secure, hears what it can and takes leave, within thirty seconds. A
// certificate that is not trusted is shown in the Probe and is no Problem: nothing secret is said (PROTOCOLS D6).
func Try(ctx context.Context, service Service, at mailclient.Endpoint) Probe {
	ctx, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	began := time.Now()
	t := &talk{server: at.Server()}
	p, err := t.run(ctx, dialects[service], at.Security)
	p.Took = time.Since(began)
	if err == nil {
		return p
	}
	var e *wire.ConnectError
	if !errors.As(err, &e) {
		e = wire.Classify(at.Host, err)
		if t.conn != nil && e.Kind == wire.Unreachable {
			e.Kind = wire.Lost
		}
	}
	if ctx.Err() != nil {
		e.Kind = wire.Timeout
	}
	p.Problem, p.Text = e.Kind, plainText(e.Text)
	return p
}

// plainText is foreign text that can be shown: no controls, at most 200 bytes.
func plainText(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s[:min(len(s), shownBytes)], "\uFFFD"))
	return strings.TrimSpace(s)
}

// talk is one conversation with a server.
type talk struct {
	server wire.Server
	conn   net.Conn
	br     *bufio.Reader
	lines  int
}

func (t *talk) run(ctx context.Context, d dialect, security mailclient.Security) (p Probe, err error) {
	if t.conn, err = t.server.Dial(ctx); err != nil {
		return p, err
	}
	raw := t.conn
	defer func() { _ = raw.Close() }()
	defer context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Unix(1, 0)) })()
	if security == mailclient.Plain && !wire.Private(raw.RemoteAddr()) {
		return p, t.fail(wire.NoTLS, "")
	}
	if security == mailclient.TLS {
		if err := t.inspect(ctx, &p); err != nil {
			return p, err
		}
	}
	t.br = bufio.NewReader(t.conn)
	caps, err := d.greeting(t)
	if err == nil && caps == nil {
		caps, err = d.ask(t)
	}
	if err == nil && security == mailclient.StartTLS {
		caps, err = t.startTLS(ctx, d, caps, &p)
	}
	if err != nil {
		return p, err
	}
	p.learn(caps)
	_ = t.say(d.leave) // whether it hears that is its own affair
	return p, nil
}

func (t *talk) inspect(ctx context.Context, p *Probe) error {
	conn, c, err := t.server.Inspect(ctx, t.conn)
	if err != nil {
		return err
	}
	t.conn, p.Certificate = conn, &c
	return nil
}

// startTLS secures the conversation and gives what the server can then: what it said before counts for nothing (C2).
func (t *talk) startTLS(ctx context.Context, d dialect, caps []string, p *Probe) ([]string, error) {
	if !slices.Contains(caps, d.offer) {
		return nil, t.fail(wire.NoTLS, "")
	}
	if err := t.say(d.startTLS); err != nil {
		return nil, err
	}
	if err := d.ready(t); err != nil {
		return nil, err
	}
	if t.br.Buffered() > 0 {
		return nil, t.fail(wire.Injected, "")
	}
	if err := t.inspect(ctx, p); err != nil {
		return nil, err
	}
	t.br.Reset(t.conn)
	return d.ask(t)
}

func (p *Probe) learn(caps []string) {
	p.Capabilities = caps[:min(len(caps), maxCaps)]
	for _, c := range p.Capabilities {
		var mechs []string
		switch {
		case strings.HasPrefix(c, "AUTH="): // IMAP; of SMTP the old form
			mechs = strings.Fields(c[5:])
		case strings.HasPrefix(c, "AUTH "), strings.HasPrefix(c, "SASL "):
			mechs = strings.Fields(c[5:])
		}
		for _, m := range mechs {
			if !slices.Contains(p.Mechanisms, m) {
				p.Mechanisms = append(p.Mechanisms, m)
			}
		}
	}
}

func (t *talk) fail(kind wire.ConnectKind, text string) error {
	return &wire.ConnectError{Host: t.server.Host, Kind: kind, Text: text}
}

func (t *talk) say(line string) error {
	_, err := t.conn.Write([]byte(line + "\r\n"))
	return err
}

// line reads a line without its end; what is beyond maxLine bytes is passed over.
func (t *talk) line() (string, error) {
	if t.lines++; t.lines > maxLines {
		return "", t.fail(wire.WrongProtocol, "")
	}
	var line []byte
	for {
		part, err := t.br.ReadSlice('\n')
		line = append(line, part[:min(len(part), max(0, maxLine-len(line)))]...)
		if err == nil {
			return strings.TrimRight(string(line), "\r\n"), nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return "", err
		}
	}
}
