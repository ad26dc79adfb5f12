package demo

import (
	"bufio"
	"bytes"
	"net"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// go-imap's server has no ID command and offers IDLE, ENABLE and others whatever its options
// say. So each connection passes through a filter of whole lines: it edits CAPABILITY on the
// way out, and on the way in turns ID into NOOP and refused commands into an unknown one.

// listener wraps each connection that it accepts in a filter, and can cut them all.
type listener struct {
	net.Listener
	without capNames
	once    sync.Once
	serving chan struct{} // closed when the server has come to the first Accept

	mu    sync.Mutex
	conns map[*wire]bool
}

func newListener(ln net.Listener, without capNames) *listener {
	return &listener{Listener: ln, without: without, serving: make(chan struct{}), conns: map[*wire]bool{}}
}

// Accept waits for the next client.
func (l *listener) Accept() (net.Conn, error) {
	l.once.Do(func() { close(l.serving) })
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	w := &wire{Conn: c, in: bufio.NewReaderSize(c, 64<<10), without: l.without, refused: l.without.refused(), idTags: map[string]bool{}}
	w.gone = func() {
		l.mu.Lock()
		delete(l.conns, w)
		l.mu.Unlock()
	}
	l.mu.Lock()
	l.conns[w] = true
	l.mu.Unlock()
	return w, nil
}

// cut closes all connections.
func (l *listener) cut() {
	l.mu.Lock()
	var open []net.Conn
	for w := range l.conns {
		open = append(open, w.Conn)
	}
	l.mu.Unlock()
	for _, c := range open {
		_ = c.Close()
	}
}

// wire is one filtered connection. The server reads from one goroutine and writes from one
// at a time; idTags is what the two share.
type wire struct {
	net.Conn
	without capNames
	refused []string
	gone    func()

	in       *bufio.Reader
	pending  []byte // read and not yet handed on
	literal  int64  // bytes of a literal still to come in
	midway   bool   // the next line goes on with a command
	out      []byte // a line not yet whole
	outBytes int64  // bytes of a literal still to go out

	mu     sync.Mutex
	idTags map[string]bool // of ID commands not yet answered
}

// Close ends the connection.
func (w *wire) Close() error {
	w.gone()
	return w.Conn.Close()
}

// Read hands on what the client sent, line by line.
func (w *wire) Read(p []byte) (int, error) {
	if len(w.pending) == 0 && w.literal > 0 {
		if int64(len(p)) > w.literal {
			p = p[:w.literal]
		}
		n, err := w.in.Read(p)
		w.literal -= int64(n)
		return n, err
	}
	if len(w.pending) == 0 {
		line, err := w.in.ReadSlice('\n')
		if len(line) == 0 && err != nil {
			return 0, err
		}
		w.pending = w.incoming(line)
	}
	n := copy(p, w.pending)
	w.pending = w.pending[n:]
	return n, nil
}

var literalEnd = regexp.MustCompile(`\{(\d{1,12})\+?\}\r?\n$`)

func literalSize(line []byte) int64 {
	if len(line) < 4 || !bytes.Contains(line[max(0, len(line)-20):], []byte("}")) {
		return 0
	}
	m := literalEnd.FindSubmatch(line)
	if m == nil {
		return 0
	}
	n, _ := strconv.ParseInt(string(m[1]), 10, 64)
	return n
}

// incoming rewrites a command that go-imap is not to see.
func (w *wire) incoming(line []byte) []byte {
	start := !w.midway
	w.literal = literalSize(line)
	w.midway = w.literal > 0 || !bytes.HasSuffix(line, []byte("\n"))
	if !start || len(line) > 4096 {
		return line
	}
	tag, command, found := strings.Cut(strings.TrimRight(string(line), "\r\n"), " ")
	if !found {
		return line
	}
	command = strings.ToUpper(command)
	for _, name := range w.refused {
		if command == name || strings.HasPrefix(command, name+" ") {
			return []byte(tag + " XREFUSED\r\n")
		}
	}
	if (command == "ID" || strings.HasPrefix(command, "ID ")) && w.literal == 0 {
		w.mu.Lock()
		w.idTags[tag] = true
		w.mu.Unlock()
		return []byte(tag + " NOOP\r\n")
	}
	return line
}

// Write sends whole lines, edited, and literals as they are.
func (w *wire) Write(p []byte) (int, error) {
	var send []byte
	for rest := p; len(rest) > 0; {
		if w.outBytes > 0 {
			n := min(int64(len(rest)), w.outBytes)
			send = append(send, rest[:n]...)
			rest, w.outBytes = rest[n:], w.outBytes-n
			continue
		}
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			w.out = append(w.out, rest...)
			break
		}
		w.out = append(w.out, rest[:i+1]...)
		rest = rest[i+1:]
		w.outBytes = literalSize(w.out)
		send = append(send, w.outgoing(w.out)...)
		w.out = w.out[:0]
	}
	if len(send) == 0 {
		return len(p), nil
	}
	if _, err := w.Conn.Write(send); err != nil {
		return 0, err
	}
	return len(p), nil
}

var capabilityList = regexp.MustCompile(`^(\* CAPABILITY |\S+ (?:OK|PREAUTH) \[CAPABILITY )([^\]\r\n]*)`)

// outgoing edits the list of capabilities and answers ID.
func (w *wire) outgoing(line []byte) []byte {
	if m := capabilityList.FindSubmatchIndex(line); m != nil {
		edited := append([]byte(nil), line[:m[4]]...)
		edited = append(edited, w.capabilities(string(line[m[4]:m[5]]))...)
		return append(edited, line[m[5]:]...)
	}
	tag, _, _ := strings.Cut(string(line[:min(len(line), 64)]), " ")
	w.mu.Lock()
	id := w.idTags[tag]
	delete(w.idTags, tag)
	w.mu.Unlock()
	if id {
		return []byte("* ID (\"name\" \"Restante demo\" \"vendor\" \"Restante\")\r\n" + tag + " OK ID completed\r\n")
	}
	return line
}

func (w *wire) capabilities(list string) string {
	var kept []string
	for _, name := range append(strings.Fields(list), "ID") {
		base, _, _ := strings.Cut(strings.ToUpper(name), "=")
		if !w.without.has(strings.ToUpper(name)) && (base != "APPENDLIMIT" || !w.without.has(base)) {
			kept = append(kept, name)
		}
	}
	return strings.Join(kept, " ")
}
