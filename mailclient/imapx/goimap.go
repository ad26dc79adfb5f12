package imapx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// pipe is the connection that go-imap sees: what it writes goes to the server, what it reads was looked over.
type pipe struct {
	c     *Conn
	mu    sync.Mutex
	cond  *sync.Cond
	buf   []byte
	ended bool
}

func newPipe(c *Conn) *pipe {
	p := &pipe{c: c}
	p.cond = sync.NewCond(&p.mu)
	caps := []string{"IMAP4rev1"}
	for name := range c.caps {
		if isTag(name) && !strings.HasPrefix(name, "AUTH=") && name != "IMAP4REV2" && name != "UTF8=ACCEPT" && name != "UTF8=ONLY" {
			caps = append(caps, name)
		}
	}
	p.feed("* PREAUTH [CAPABILITY " + strings.Join(caps, " ") + "] ready\r\n")
	return p
}

func (p *pipe) feed(s string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.buf = append(p.buf, s...)
	p.cond.Broadcast()
}

func (p *pipe) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	p.cond.Broadcast()
}

func (p *pipe) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.buf) == 0 {
		if p.ended {
			return 0, io.EOF
		}
		p.cond.Wait()
	}
	n := copy(b, p.buf)
	p.buf = p.buf[n:]
	return n, nil
}

func (p *pipe) Write(b []byte) (int, error) {
	if t := p.c.r.trace; t != nil {
		line, _, _ := strings.Cut(string(b[:min(len(b), 300)]), "\r\n")
		t.client(line)
	}
	_ = p.c.nc.SetWriteDeadline(time.Now().Add(writeTime))
	return p.c.nc.Write(b)
}

func (p *pipe) Close() error {
	p.c.fail(Lost, "", net.ErrClosed)
	return nil
}

func (p *pipe) LocalAddr() net.Addr              { return p.c.nc.LocalAddr() }
func (p *pipe) RemoteAddr() net.Addr             { return p.c.nc.RemoteAddr() }
func (p *pipe) SetDeadline(time.Time) error      { return nil } // imapx has its own
func (p *pipe) SetReadDeadline(time.Time) error  { return nil }
func (p *pipe) SetWriteDeadline(time.Time) error { return nil }

// pipeTag is the number of one of go-imap's tags: T1, T2 ...
func pipeTag(tag string) (int, bool) {
	if len(tag) < 2 || tag[0] != 'T' && tag[0] != 't' {
		return 0, false
	}
	n, err := strconv.Atoi(tag[1:])
	return n, err == nil
}

// answerPipe gives go-imap the answer to its running command, and to no other: an unknown tag would end it (O26, O27).
func (c *Conn) answerPipe(n int, r Response) bool {
	c.mu.Lock()
	ok := n == c.heard+1
	if ok {
		c.heard++
		c.wants = 0
	}
	c.mu.Unlock()
	if ok {
		c.pipe.feed(fmt.Sprintf("T%d %s\r\n", n, repaired(r)))
	}
	return ok
}

var (
	plainCode = regexp.MustCompile(`^[A-Z0-9/-]+$`)
	appendUID = regexp.MustCompile(`^[1-9][0-9]{0,9} [1-9][0-9]{0,9}$`)
)

// repaired writes a tagged answer so that go-imap reads it right.
func repaired(r Response) string {
	status := r.Type
	if status != "OK" && status != "NO" {
		status = "BAD"
	}
	text := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, r.Text)
	text = strings.TrimLeft(text, " [")
	if text == "" {
		text = "-"
	}
	switch {
	case r.Code == "APPENDUID" && appendUID.MatchString(r.Args):
		return fmt.Sprintf("%s [APPENDUID %s] %s", status, r.Args, text)
	case r.Code == "APPENDUID", r.Code == "COPYUID", r.Code == "CAPABILITY", !plainCode.MatchString(r.Code):
		return status + " " + text
	}
	return fmt.Sprintf("%s [%s] %s", status, r.Code, text)
}

// With runs one command of go-imap under the connection's deadlines. continuations is how many "+" it waits for.
// Errors are *RefusedError and *ConnectError.
func (c *Conn) With(ctx context.Context, name string, continuations int, run func(*imapclient.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, CommandTime)
	defer cancel()
	return c.with(ctx, name, continuations, run)
}

func (c *Conn) with(ctx context.Context, name string, continuations int, run func(*imapclient.Client) error) error {
	c.mu.Lock()
	if c.err != nil {
		defer c.mu.Unlock()
		return c.err
	}
	c.wants = continuations
	c.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { c.fail(Timeout, "", context.Cause(ctx)) })
	defer stop()
	err := run(c.client)
	c.last = time.Now()
	if lost := c.Err(); lost != nil {
		return lost
	}
	var refused *imap.Error
	if errors.As(err, &refused) {
		return &RefusedError{Host: c.Host, Command: name, Code: string(refused.Code), Text: refused.Text}
	}
	if err != nil {
		c.fail(Lost, "", err)
		return c.Err()
	}
	return nil
}

// Idle waits in IDLE until ctx ends, the time is up, or the connection is lost; Options.Data gets what happens.
// The error is nil when the connection can be used on.
func (c *Conn) Idle(ctx context.Context, d time.Duration) error {
	return c.with(context.WithoutCancel(ctx), "IDLE", 1, func(cl *imapclient.Client) error {
		late := func() { c.fail(Timeout, "", os.ErrDeadlineExceeded) }
		start := time.AfterFunc(30*time.Second, late)
		idle, err := cl.Idle()
		start.Stop()
		if err != nil {
			return err
		}
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-c.done:
		}
		defer time.AfterFunc(10*time.Second, late).Stop()
		if err := idle.Close(); err != nil {
			return err
		}
		return idle.Wait()
	})
}
