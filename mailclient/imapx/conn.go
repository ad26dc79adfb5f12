package imapx

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"
)

// CommandTime is how long a batch of commands may take, when its context does not say sooner.
const CommandTime = 60 * time.Second

const writeTime = 30 * time.Second

// Conn is a signed-in connection. It belongs to one goroutine at a time; Close may be called by any. A command that
// is cancelled or late closes the connection: what a late answer would mean to the next command is unknown.
type Conn struct {
	Host string

	// Box is what the owner has selected: imapx does not touch it.
	Box any

	o      Options
	nc     net.Conn
	r      *reader
	caps   map[string]bool
	prefix string
	tag    int
	last   time.Time
	pipe   *pipe
	client *imapclient.Client
	done   chan struct{} // closed when the reading goroutine has ended

	mu     sync.Mutex
	batch  *batch
	err    error
	bye    string
	exists uint32
	wants  int // continuations that go-imap waits for
	heard  int // go-imap's commands that were answered
}

type batch struct {
	cmds []*Command
	next int // first that is not answered
	cont chan struct{}
	done chan struct{}
}

func newConn(d *dialing) *Conn {
	c := &Conn{
		Host: d.o.Host, o: d.o, nc: d.conn, r: d.r, caps: d.caps, prefix: strings.ToLower(rand.Text()[:6]),
		done: make(chan struct{}), last: time.Now(),
	}
	c.pipe = newPipe(c)
	c.client = imapclient.New(c.pipe, nil)
	go c.read()
	return c
}

// Has says whether the server has all these capabilities.
func (c *Conn) Has(names ...string) bool {
	for _, n := range names {
		if !c.caps[n] {
			return false
		}
	}
	return true
}

// Caps are the server's capabilities, upper case. Not to be changed.
func (c *Conn) Caps() map[string]bool { return c.caps }

// Exists is the number of mails in the selected mailbox as last heard.
func (c *Conn) Exists() uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.exists
}

// Trace is what was said, masked, if Options.Trace was set.
func (c *Conn) Trace() string { return c.r.trace.String() }

// Used is when the connection last finished a command.
func (c *Conn) Used() time.Time { return c.last }

// Done is closed when the connection has ended.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err is why the connection ended, nil while it lives.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Command is one raw command and, after Do, its answer.
type Command struct {
	Name   string
	On     func(Response) // gets untagged data on the reading goroutine; nil collects it in Data
	Data   []Response
	Status string // OK, NO or BAD; "" when it was never answered
	Code   string
	Args   string
	Text   string

	args     []any
	tag      string
	answered chan struct{}
}

// Str is an argument that is written as a string: quoted, or as a literal.
type Str string

// Cmd makes a command. Arguments are Str, or string for text that is written as it is.
func Cmd(name string, args ...any) *Command {
	return &Command{Name: name, args: args, answered: make(chan struct{})}
}

// Err is the server's refusal, nil after OK.
func (c *Command) Err(host string) error {
	if c.Status == "OK" {
		return nil
	}
	return &RefusedError{Host: host, Command: c.Name, Code: c.Code, Text: strings.ToValidUTF8(c.Text, "\uFFFD")}
}

// ErrInput is input with CR, LF or NUL where no command may have it.
var ErrInput = errors.New("input cannot be sent to the server")

// Do sends commands one behind the other without waiting and returns when all are answered. Refusals are in the
// commands; the error is a *ConnectError when the connection is lost, or ErrInput.
func (c *Conn) Do(ctx context.Context, cmds ...*Command) error {
	for _, cmd := range cmds {
		for _, a := range cmd.args {
			if strings.ContainsAny(fmt.Sprint(a), "\r\n\x00") {
				return ErrInput
			}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, CommandTime)
	defer cancel()
	b := &batch{cmds: cmds, cont: make(chan struct{}, 1), done: make(chan struct{})}
	c.mu.Lock()
	if c.err != nil {
		defer c.mu.Unlock()
		return c.err
	}
	for _, cmd := range cmds {
		c.tag++
		cmd.tag = fmt.Sprintf("R%s%d", c.prefix, c.tag)
	}
	c.batch = b
	c.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { c.fail(Timeout, "", context.Cause(ctx)) })
	defer stop()
	if err := c.send(b); err != nil {
		c.fail(Lost, "", err)
	}
	<-b.done
	c.last = time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.batch = nil
	return c.err
}

// send writes the commands; it waits only for leave to send a literal.
func (c *Conn) send(b *batch) error {
	var out strings.Builder
	for _, cmd := range b.cmds {
		out.WriteString(cmd.tag + " " + cmd.Name)
		skipped := false
		for _, a := range cmd.args {
			out.WriteByte(' ')
			s, isStr := a.(Str)
			switch {
			case !isStr:
				out.WriteString(fmt.Sprint(a))
			case printable(string(s)):
				out.WriteString(quote(string(s)))
			case c.caps["LITERAL+"] || c.caps["LITERAL-"] && len(s) <= 4096:
				fmt.Fprintf(&out, "{%d+}\r\n%s", len(s), s)
			default:
				fmt.Fprintf(&out, "{%d}\r\n", len(s))
				if err := c.write(out.String()); err != nil {
					return err
				}
				out.Reset()
				select {
				case <-b.cont:
					out.WriteString(string(s))
				case <-cmd.answered:
					skipped = true
				case <-b.done:
					return nil
				}
			}
			if skipped {
				break
			}
		}
		if !skipped {
			out.WriteString("\r\n")
		}
	}
	return c.write(out.String())
}

func (c *Conn) write(s string) error {
	if s == "" {
		return nil
	}
	if c.r.trace != nil {
		for _, l := range strings.Split(strings.TrimSpace(s), "\r\n") {
			c.r.trace.client(l)
		}
	}
	_ = c.nc.SetWriteDeadline(time.Now().Add(writeTime))
	_, err := io.WriteString(c.nc, s)
	return err
}

// fail ends the connection for a reason; the first one stands.
func (c *Conn) fail(kind ConnectKind, text string, err error) {
	c.mu.Lock()
	if c.err == nil {
		if c.bye != "" && kind == Lost {
			kind, text = Bye, c.bye
		}
		c.err = &ConnectError{Host: c.Host, Kind: kind, Text: text, Err: err}
	}
	c.mu.Unlock()
	_ = c.nc.Close()
}

// Close ends the connection without a word. It may be called twice.
func (c *Conn) Close() {
	c.fail(Lost, "closed", net.ErrClosed)
	<-c.done
}

// Logout says goodbye, waits at most 2 s, and closes.
func (c *Conn) Logout(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	_ = c.Do(ctx, Cmd("LOGOUT"))
	c.Close()
}

// read is the reading goroutine: it lives as long as the connection.
func (c *Conn) read() {
	defer close(c.done)
	junk := 0
	for {
		segs, err := c.r.response()
		if err != nil {
			c.fail(Lost, "", err)
			break
		}
		r, ok := parse(segs)
		if !ok || !c.dispatch(r) {
			if junk++; junk > maxJunk {
				c.fail(WrongProtocol, "the server speaks no IMAP", nil)
				break
			}
		}
	}
	c.pipe.end()
	c.mu.Lock()
	b := c.batch
	c.mu.Unlock()
	if b != nil {
		close(b.done)
	}
}

// dispatch hands a response to who waits for it; false means that nobody does.
func (c *Conn) dispatch(r Response) bool {
	switch r.Tag {
	case "+":
		return c.continuation()
	case "*":
		c.untagged(r)
		return true
	}
	if n, ok := pipeTag(r.Tag); ok {
		return c.answerPipe(n, r)
	}
	c.mu.Lock()
	b := c.batch
	c.mu.Unlock()
	if b == nil {
		return false
	}
	for i := b.next; i < len(b.cmds); i++ {
		if cmd := b.cmds[i]; strings.EqualFold(cmd.tag, r.Tag) {
			cmd.Status, cmd.Code, cmd.Args, cmd.Text = r.Type, r.Code, r.Args, r.Text
			close(cmd.answered)
			b.next = i + 1
			if b.next == len(b.cmds) {
				c.mu.Lock()
				c.batch = nil
				c.mu.Unlock()
				close(b.done)
			}
			return true
		}
	}
	return false
}

func (c *Conn) continuation() bool {
	c.mu.Lock()
	b, wants := c.batch, c.wants
	if b == nil && wants > 0 {
		c.wants--
	}
	c.mu.Unlock()
	switch {
	case b != nil:
		select {
		case b.cont <- struct{}{}:
		default:
		}
	case wants > 0:
		c.pipe.feed("+ go on\r\n")
	}
	return true // O29: a late one is dropped
}

func (c *Conn) untagged(r Response) {
	c.mu.Lock()
	switch r.Type {
	case "EXISTS":
		c.exists = r.Number
	case "EXPUNGE":
		if r.Number > 0 && r.Number <= c.exists {
			c.exists--
		}
	case "BYE":
		c.bye = r.Text
		if c.bye == "" {
			c.bye = "BYE"
		}
	}
	b := c.batch
	c.mu.Unlock()
	if b == nil || b.next >= len(b.cmds) {
		if c.o.Data != nil {
			c.o.Data(r)
		}
		return
	}
	cmd := b.cmds[b.next]
	if cmd.On != nil {
		cmd.On(r)
		return
	}
	cmd.Data = append(cmd.Data, r)
}
