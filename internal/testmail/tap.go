package testmail

import (
	"bytes"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// Tap stands between a client and a server: it hears what the client says, counts its connections, and can cut or
// block them.
type Tap struct {
	Address

	server string
	ln     net.Listener
	wg     sync.WaitGroup

	mu     sync.Mutex
	said   strings.Builder
	heard  int
	conns  map[net.Conn]net.Conn // client's side -> server's side
	most   int
	total  int
	closed bool
	refuse bool
	mute   bool
	hush   string        // the word at which it becomes so
	gate   chan struct{} // closed when not mute
	spoil  spoil
	spoilt map[net.Conn]bool // clients whose server has heard the word of it
}

// Fault is what becomes of a server's answer.
type Fault string

// The faults: no answer and an end, an end amid the answer, silence, and an answer that never ends.
const (
	Drop     Fault = "drops"
	Truncate Fault = "truncates"
	Stall    Fault = "stalls"
	Flood    Fault = "floods"
)

type spoil struct {
	word  string
	fault Fault
}

// Spoil has a fault befall each connection from a command on that holds a word. "" is none: those that stall go on.
func (p *Tap) Spoil(word string, f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spoil = spoil{word, f}
	p.spoilt = map[net.Conn]bool{}
}

// befalls lets the fault befall an answer on its way to a client; false ends the connection.
func (p *Tap) befalls(to net.Conn, answer []byte) bool {
	p.mu.Lock()
	f, on := p.spoil.fault, p.spoilt[to]
	p.mu.Unlock()
	if !on {
		_, err := to.Write(answer)
		return err == nil
	}
	switch f {
	case Truncate:
		_, _ = to.Write(answer[:len(answer)/2])
	case Flood:
		for lines := bytes.Repeat([]byte("* 1 FETCH (FLAGS (\\Seen))\r\n"), 1000); ; {
			if _, err := to.Write(lines); err != nil {
				break
			}
		}
	case Stall:
		for p.stalled(to) {
			time.Sleep(20 * time.Millisecond)
		}
	}
	return false
}

// stalled says whether a client is to wait on: until the fault is over, or the tap closes.
func (p *Tap) stalled(client net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, stands := p.conns[client]
	return stands && !p.closed && p.spoilt[client]
}

// NewTap listens before a service of a server.
func NewTap(t testing.TB, service Address) *Tap {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gate := make(chan struct{})
	close(gate)
	p := &Tap{Address: addressOf(t, ln.Addr().String()), server: service.String(), ln: ln, conns: map[net.Conn]net.Conn{}, gate: gate}
	p.wg.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

func (p *Tap) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	_ = p.ln.Close()
	p.Unmute()
	p.Cut()
	p.wg.Wait()
}

func (p *Tap) accept() {
	for {
		c, err := p.ln.Accept()
		if err != nil {
			return
		}
		s, err := net.Dial("tcp", p.server)
		if err != nil {
			_ = c.Close()
			continue
		}
		p.mu.Lock()
		if p.closed || p.refuse {
			_, _ = c.Close(), s.Close()
			p.mu.Unlock()
			continue
		}
		p.conns[c] = s
		p.total++
		p.most = max(p.most, len(p.conns))
		p.mu.Unlock()
		p.wg.Go(func() { p.pump(s, c, true) })
		p.wg.Go(func() { p.pump(c, s, false) })
	}
}

// pump carries bytes until one side ends, and then ends the other.
func (p *Tap) pump(to, from net.Conn, client bool) {
	buf := make([]byte, 16<<10)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		if client {
			p.said.Write(buf[:n])
			if p.spoil.word != "" && bytes.Contains(bytes.ToUpper(buf[:n]), []byte(p.spoil.word)) {
				p.spoilt[from] = true
			}
			if p.hush != "" && bytes.Contains(buf[:n], []byte(p.hush)) {
				p.silence()
			}
		} else {
			p.heard += n
		}
		gate := p.gate
		p.mu.Unlock()
		if !client {
			<-gate
		}
		if n > 0 && client {
			if _, e := to.Write(buf[:n]); err == nil {
				err = e
			}
		} else if n > 0 && !p.befalls(to, buf[:n]) {
			break
		}
		if err != nil {
			break
		}
	}
	_, _ = to.Close(), from.Close()
	p.mu.Lock()
	if client {
		delete(p.conns, from)
	} else {
		delete(p.conns, to)
	}
	p.mu.Unlock()
}

// Said is all that clients have said since the last Forget.
func (p *Tap) Said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

// Heard is how many bytes servers have said since the last Forget.
func (p *Tap) Heard() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.heard
}

// Forget empties Said and Heard, and lets Most begin with what stands now.
func (p *Tap) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said.Reset()
	p.heard, p.most = 0, len(p.conns)
}

// Most is how many connections stood at one time at most; Total is how many there were.
func (p *Tap) Most() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.most
}

// Total is how many connections there were.
func (p *Tap) Total() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.total
}

// Open is how many connections stand now.
func (p *Tap) Open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.conns)
}

// Cut drops all connections without a word.
func (p *Tap) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c, s := range p.conns {
		_, _ = c.Close(), s.Close()
	}
}

// Refuse drops new connections at once, until it is called with false.
func (p *Tap) Refuse(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = on
}

// Mute holds back what the server says, on all connections, until Unmute.
func (p *Tap) Mute() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silence()
}

// MuteAt is Mute from a command on that holds a word.
func (p *Tap) MuteAt(word string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hush = word
}

func (p *Tap) silence() {
	if p.hush = ""; !p.mute {
		p.mute, p.gate = true, make(chan struct{})
	}
}

// Unmute lets the server be heard again.
func (p *Tap) Unmute() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mute {
		p.mute = false
		close(p.gate)
	}
}
