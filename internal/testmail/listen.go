package testmail

import (
	"net"
	"sync"
	"testing"
)

// Listen is a server on loopback that serves each connection by a function, until the test ends. Then every connection
// is closed, and Listen waits for those functions.
func Listen(t testing.TB, serve func(net.Conn)) Address {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &listener{conns: map[net.Conn]bool{}}
	l.all.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			l.all.Go(func() { l.serve(c, serve) })
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		l.close()
	})
	return addressOf(t, ln.Addr().String())
}

// listener knows the connections of a Listen.
type listener struct {
	all sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool
	ended bool
}

func (l *listener) serve(c net.Conn, serve func(net.Conn)) {
	defer func() { _ = c.Close() }()
	l.mu.Lock()
	ended := l.ended
	l.conns[c] = true
	l.mu.Unlock()
	if !ended {
		serve(c)
	}
	l.mu.Lock()
	delete(l.conns, c)
	l.mu.Unlock()
}

func (l *listener) close() {
	l.mu.Lock()
	l.ended = true
	for c := range l.conns {
		_ = c.Close()
	}
	l.mu.Unlock()
	l.all.Wait()
}
