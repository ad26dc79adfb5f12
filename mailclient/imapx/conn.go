package imapx

import (
	"cmp"
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

	// Box is what the owner has selected, and Named whether it said who it is: imapx does not touch them.
	Box   any
	Named bool

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

	unasked int // responses since the last command; the reading goroutine's alone

	mu     sync.Mutex
	batch  *batch
	err    error
	bye    string
	exists uint32
	wants  int // continuations that go-imap waits for
	heard  int // go-imap's commands that were answered
}

// batch is what one Do has sent. The reading goroutine alone touches left.
type batch struct {
	cmds []*Command
	left int // not answered
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

// Unasked passes a response to Options.Data, as if no command had been running.
func (c *Conn) Unasked(r Response) {
	if c.o.Data != nil {
		c.o.Data(r)
	}
}

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
	weight   int // of Data
}

// Str is an argument that is written as a string: quoted, or as a literal.
type Str string

// Literal is an argument of exactly Size bytes, read from R while it is sent. When R ends early or fails the
// connection is lost, for the server waits for the rest.
type Literal struct {
	Size int64
	R    io.Reader
}

// largeLiteral is from where on the server is asked whether it takes a literal before it is sent.
const largeLiteral = 64 << 10

// slowest is the rate, in bytes a second, that a literal is given time for.
const slowest = 32 << 10

// Cmd makes a command. Arguments are Str, Literal, or string for text that is written as it is.
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
	limit := CommandTime
	for _, cmd := range cmds {
		for _, a := range cmd.args {
			if l, ok := a.(Literal); ok {
				limit += time.Duration(l.Size/slowest) * time.Second
			} else if strings.ContainsAny(fmt.Sprint(a), "\r\n\x00") {
				return ErrInput
			}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	b := &batch{cmds: cmds, left: len(cmds), cont: make(chan struct{}, 1), done: make(chan struct{})}
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
	w := sender{c: c, b: b}
	for _, cmd := range b.cmds {
		w.text.WriteString(cmd.tag + " " + cmd.Name)
		w.cmd, w.refused = cmd, false
		for _, a := range cmd.args {
			if err := w.argument(a); err != nil {
				return err
			}
			if w.refused {
				break
			}
		}
		if !w.refused {
			w.text.WriteString("\r\n")
		}
	}
	return c.write(w.text.String())
}

// sender is a batch on its way: text is not written yet.
type sender struct {
	c       *Conn
	b       *batch
	cmd     *Command
	text    strings.Builder
	refused bool // the command was answered before its literal was sent
}

func (w *sender) argument(a any) error {
	w.text.WriteByte(' ')
	switch a := a.(type) {
	case Str:
		if printable(string(a)) {
			w.text.WriteString(quote(string(a)))
			return nil
		}
		return w.literal(Literal{int64(len(a)), strings.NewReader(string(a))})
	case Literal:
		return w.literal(a)
	}
	w.text.WriteString(fmt.Sprint(a))
	return nil
}

func (w *sender) literal(l Literal) error {
	if l.Size < largeLiteral && (w.c.caps["LITERAL+"] || w.c.caps["LITERAL-"] && l.Size <= 4096) {
		fmt.Fprintf(&w.text, "{%d+}\r\n", l.Size)
		if w.c.r.trace == nil { // which tells commands, not mails
			return copyExactly(&w.text, l) // in one write with what is around it
		}
	} else {
		fmt.Fprintf(&w.text, "{%d}\r\n", l.Size)
		if err := w.flush(); err != nil {
			return err
		}
		select {
		case <-w.b.cont:
		case <-w.cmd.answered:
			w.refused = true
			return nil
		case <-w.b.done:
			w.refused = true
			return nil
		}
	}
	if err := w.flush(); err != nil {
		return err
	}
	return copyExactly(paced{w.c}, l)
}

func copyExactly(to io.Writer, l Literal) error {
	n, err := io.Copy(to, io.LimitReader(l.R, l.Size))
	if err == nil && n < l.Size {
		err = io.ErrUnexpectedEOF
	}
	return err
}

func (w *sender) flush() error {
	s := w.text.String()
	w.text.Reset()
	return w.c.write(s)
}

// paced writes to the server, a block at a time with its own deadline.
type paced struct{ c *Conn }

func (p paced) Write(b []byte) (int, error) {
	_ = p.c.nc.SetWriteDeadline(time.Now().Add(writeTime))
	return p.c.nc.Write(b)
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
		if c.o.Heard != nil {
			c.o.Heard()
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
	for _, cmd := range b.cmds {
		if strings.EqualFold(cmd.tag, r.Tag) && cmd.Status == "" {
			cmd.Status, cmd.Code, cmd.Args, cmd.Text = r.Type, r.Code, r.Args, r.Text
			close(cmd.answered)
			if b.left--; b.left == 0 {
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
	if b == nil || r.Code == "NOTIFICATIONOVERFLOW" { // which no command asks for
		if c.unasked++; c.unasked > maxUnasked {
			c.fail(Lost, "", errFlood)
		}
		if c.o.Data != nil {
			c.o.Data(r)
		}
		return
	}
	c.unasked = 0
	cmd := b.owner(r.Type)
	if cmd.On != nil {
		cmd.On(r)
		return
	}
	if cmd.weight += r.weight(); cmd.weight > maxAnswer {
		c.fail(Lost, "", errFlood)
		return
	}
	cmd.Data = append(cmd.Data, r)
}

// owner is the command that untagged data belongs to: the first unanswered one that asks for such, else the last
// one that did, else the first unanswered one. The order alone does not tell: Dovecot runs a NOOP after the
// commands that were sent behind it.
func (b *batch) owner(typ string) *Command {
	var asked, waiting *Command
	for _, cmd := range b.cmds {
		open := cmd.Status == ""
		if cmd.asks(typ) {
			if open {
				return cmd
			}
			asked = cmd
		}
		if open && waiting == nil {
			waiting = cmd
		}
	}
	return cmp.Or(asked, waiting)
}

// asks says whether untagged data of a type is what the command is for.
func (c *Command) asks(typ string) bool {
	switch typ {
	case "FETCH", "EXPUNGE", "VANISHED":
		return strings.Contains(c.Name, "FETCH")
	case "SEARCH", "ESEARCH":
		return strings.Contains(c.Name, "SEARCH")
	case "SORT", "THREAD":
		return strings.Contains(c.Name, typ)
	case "LIST", "XLIST":
		return c.Name == "LIST"
	case "STATUS":
		return c.Name == "STATUS" || c.Name == "LIST"
	case "QUOTA", "QUOTAROOT":
		return c.Name == "GETQUOTAROOT"
	}
	return c.Name == typ
}
