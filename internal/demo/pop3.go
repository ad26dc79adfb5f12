package demo

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// OldUser is who has the old mailbox on the POP3 server, to be imported from.
var OldUser = User{Address: "anna@old.test", Password: "old", Name: "Anna Keller"}

// dropbox is the old mailbox. One session at a time may read it (RFC 1939 4).
type dropbox struct {
	fill func() []oldMail

	mu    sync.Mutex
	made  bool
	mails []oldMail
	inUse bool
}

// oldMail is a mail with what UIDL says of it; "" leaves it out of the list.
type oldMail struct {
	uid  string
	raw  []byte // with CRLF
	gone bool
}

// open gives the mails to one session, false while another has them.
func (d *dropbox) open() ([]oldMail, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.inUse {
		return nil, false
	}
	if !d.made {
		d.mails, d.made = d.fill(), true
	}
	d.inUse = true
	return append([]oldMail{}, d.mails...), true
}

// close ends the session. What left says is still there stays.
func (d *dropbox) close(left []oldMail) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.inUse = false
	if left != nil {
		d.mails = left
	}
}

// popServer speaks POP3 over the dropbox (RFC 1939, 2449).
type popServer struct {
	ln  net.Listener
	box dropbox

	mu     sync.Mutex
	conns  map[net.Conn]bool
	closed bool
	all    sync.WaitGroup
}

func newPopServer(ln net.Listener, fill func() []oldMail) *popServer {
	return &popServer{ln: ln, box: dropbox{fill: fill}, conns: map[net.Conn]bool{}}
}

func (p *popServer) serve() {
	for {
		c, err := p.ln.Accept()
		if err != nil {
			break
		}
		p.mu.Lock()
		if p.closed {
			_ = c.Close()
		} else {
			p.conns[c] = true
			p.all.Go(func() { p.talk(c) })
		}
		p.mu.Unlock()
	}
	p.all.Wait()
}

func (p *popServer) close() {
	_ = p.ln.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for c := range p.conns {
		_ = c.Close()
	}
}

const (
	popIdle    = 10 * time.Minute
	maxPopLine = 512
)

func (p *popServer) talk(c net.Conn) {
	s := &popSession{server: p, conn: c, r: bufio.NewReaderSize(c, maxPopLine), w: bufio.NewWriter(c)}
	defer func() {
		_ = c.Close()
		if s.in {
			p.box.close(nil)
		}
		p.mu.Lock()
		delete(p.conns, c)
		p.mu.Unlock()
	}()
	s.say("+OK Old mail, ready")
	for !s.ended {
		if s.r.Buffered() == 0 && s.w.Flush() != nil {
			return
		}
		_ = c.SetDeadline(time.Now().Add(popIdle))
		line, err := s.r.ReadSlice('\n')
		if err != nil {
			return
		}
		verb, arg, _ := strings.Cut(strings.TrimRight(string(line), "\r\n"), " ")
		s.command(strings.ToUpper(verb), arg)
	}
	_ = s.w.Flush()
}

// popSession is one connection.
type popSession struct {
	server *popServer
	conn   net.Conn
	r      *bufio.Reader
	w      *bufio.Writer
	user   string
	in     bool
	ended  bool
	mails  []oldMail
}

func (s *popSession) say(format string, args ...any) {
	_, _ = fmt.Fprintf(s.w, format+"\r\n", args...) // Flush tells
}

func (s *popSession) command(verb, arg string) {
	switch verb {
	case "CAPA":
		s.say("+OK\r\nUSER\r\nTOP\r\nUIDL\r\nPIPELINING\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n.")
	case "NOOP":
		s.say("+OK")
	case "QUIT":
		s.quit()
	case "USER":
		s.user = arg
		s.say("+OK")
	case "PASS":
		s.pass(arg)
	default:
		if !s.in {
			s.say("-ERR sign in first")
			return
		}
		s.transaction(verb, arg)
	}
}

func (s *popSession) pass(password string) {
	local, _, _ := strings.Cut(OldUser.Address, "@")
	if !strings.EqualFold(s.user, OldUser.Address) && !strings.EqualFold(s.user, local) || password != OldUser.Password || s.in {
		s.say("-ERR [AUTH] wrong name or password")
		return
	}
	if s.mails, s.in = s.server.box.open(); !s.in {
		s.say("-ERR [IN-USE] another session reads this mailbox")
		return
	}
	s.say("+OK %d mails", len(s.mails))
}

// quit deletes what is marked.
func (s *popSession) quit() {
	s.ended = true
	if s.in {
		left := []oldMail{}
		for _, m := range s.mails {
			if !m.gone {
				left = append(left, m)
			}
		}
		s.server.box.close(left)
		s.in = false
	}
	s.say("+OK bye")
}

func (s *popSession) transaction(verb, arg string) {
	switch verb {
	case "STAT":
		n, size := 0, 0
		for _, m := range s.mails {
			if !m.gone {
				n, size = n+1, size+len(m.raw)
			}
		}
		s.say("+OK %d %d", n, size)
	case "RSET":
		for i := range s.mails {
			s.mails[i].gone = false
		}
		s.say("+OK")
	case "LIST":
		s.list(arg, func(m oldMail) string { return strconv.Itoa(len(m.raw)) })
	case "UIDL":
		s.list(arg, func(m oldMail) string { return m.uid })
	case "RETR", "TOP", "DELE":
		s.one(verb, arg)
	default:
		s.say("-ERR unknown command")
	}
}

// list says something about each mail, or about one. What is "" is left out.
func (s *popSession) list(arg string, about func(oldMail) string) {
	if arg != "" {
		if m, n := s.mail(arg); m == nil || about(*m) == "" {
			s.say("-ERR no such mail")
		} else {
			s.say("+OK %d %s", n, about(*m))
		}
		return
	}
	s.say("+OK")
	for i, m := range s.mails {
		if word := about(m); !m.gone && word != "" {
			s.say("%d %s", i+1, word)
		}
	}
	s.say(".")
}

func (s *popSession) mail(number string) (*oldMail, int) {
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > len(s.mails) || s.mails[n-1].gone {
		return nil, 0
	}
	return &s.mails[n-1], n
}

func (s *popSession) one(verb, arg string) {
	number, lines, _ := strings.Cut(arg, " ")
	m, _ := s.mail(number)
	most, err := strconv.Atoi(lines)
	switch {
	case m == nil, verb == "TOP" && (err != nil || most < 0):
		s.say("-ERR no such mail")
	case verb == "DELE":
		m.gone = true
		s.say("+OK")
	case verb == "TOP":
		head, body, _ := bytes.Cut(m.raw, []byte("\r\n\r\n"))
		rest := bytes.SplitAfterN(body, []byte("\n"), most+1)
		s.text(append(append(append([]byte{}, head...), "\r\n\r\n"...), bytes.Join(rest[:min(most, len(rest))], nil)...))
	default:
		s.text(m.raw)
	}
}

// text sends lines, those that begin with a dot with one more.
func (s *popSession) text(raw []byte) {
	s.say("+OK %d octets", len(raw))
	for line := range bytes.Lines(raw) {
		if line[0] == '.' {
			_ = s.w.WriteByte('.')
		}
		_, _ = s.w.Write(line)
		_ = s.conn.SetDeadline(time.Now().Add(popIdle))
	}
	if !bytes.HasSuffix(raw, []byte("\n")) {
		s.say("")
	}
	s.say(".")
}
