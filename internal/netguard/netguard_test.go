package netguard

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
)

func TestAllowed(t *testing.T) {
	for _, a := range []string{"0.0.0.0", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.0.9", "169.254.169.254",
		"172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.1",
		"198.51.100.7", "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "168.63.129.16",
		"::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::8.8.8.8", "64:ff9b:1::1",
		"fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "2001::1", "2001:10::1", "2001:20::1", "2001:db8::1",
		"2002:7f00:1::", "3fff::1", "100::1", "4000::1", "2606:4700::1%eth0"} {
		if Allowed(netip.MustParseAddr(a)) {
			t.Errorf("%s is allowed", a)
		}
	}
	for _, a := range []string{"8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "168.63.129.17", "::ffff:8.8.8.8", "2606:4700::1111", "2a00:1450::1", "2001:4860::8888"} {
		if !Allowed(netip.MustParseAddr(a)) {
			t.Errorf("%s is refused", a)
		}
	}
	if Allowed(netip.Addr{}) {
		t.Error("no address at all is allowed")
	}
}

func TestHost(t *testing.T) {
	for in, want := range map[string]string{"Example.COM": "example.com", "example.com.": "example.com", "bücher.example": "xn--bcher-kva.example",
		"127.0.0.1": "127.0.0.1", "[::1]": "::1", "2001:DB8:0::1": "2001:db8::1", "a-b.c1": "a-b.c1"} {
		if got, ok := Host(in); !ok || got != want {
			t.Errorf("Host(%q) = %q, %v, want %q", in, got, ok, want)
		}
	}
	for _, in := range []string{"", ".", "127.1", "0x7f.0.0.1", "0x7f000001", "2130706433", "0177.0.0.1", "127.0.0.1.", "１２７.０.０.１", "a b", "a%b",
		"a/b", "a@b", "fe80::1%eth0", "-a.example", strings.Repeat("a", 300), "１27.1", "a_b\\c"} {
		if got, ok := Host(in); ok && got != "127.0.0.1" {
			t.Errorf("Host(%q) = %q is taken", in, got)
		}
	}
}

// answers is a resolver whose answer differs at each question.
func answers(list ...string) func(context.Context, string) ([]netip.Addr, error) {
	n := 0
	return func(context.Context, string) (out []netip.Addr, err error) {
		for _, a := range strings.Fields(list[n%len(list)]) {
			out = append(out, netip.MustParseAddr(a))
		}
		n++
		return out, nil
	}
}

func TestDialRefuses(t *testing.T) {
	ln, hits := listener(t)
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	d, err := New(Options{Ports: append(WebPorts, uint16(ln.Addr().(*net.TCPAddr).Port)), Lookup: answers("127.0.0.1 ::1 ::ffff:127.0.0.1")})
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{"127.0.0.1:" + port, "[::1]:" + port, "[::ffff:127.0.0.1]:" + port, "localhost:" + port, "rebind.example:" + port,
		"127.1:" + port, "0x7f000001:" + port, "2130706433:" + port, "8.8.8.8:25", "8.8.8.8:0"} {
		if c, err := d.DialContext(t.Context(), "tcp", to); err == nil {
			c.Close()
			t.Errorf("%s was dialled", to)
		} else if !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v is not ErrRefused", to, err)
		}
	}
	if _, err := d.DialContext(t.Context(), "udp", "8.8.8.8:80"); !errors.Is(err, ErrRefused) {
		t.Errorf("udp: %v", err)
	}
	if n := len(hits); n > 0 {
		t.Errorf("%d connections reached the listener", n)
	}
}

func TestDialAllowedHosts(t *testing.T) {
	ln, _ := listener(t)
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	d, err := New(Options{Allow: []string{"Mail.Inner.example", "127.0.0.0/8"}, Lookup: answers("127.0.0.1")})
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{"mail.inner.example:" + port, "127.0.0.1:" + port, "other.example:" + port} {
		c, err := d.DialContext(t.Context(), "tcp", to)
		if err != nil {
			t.Errorf("%s: %v", to, err)
			continue
		}
		c.Close()
	}
	if _, err := New(Options{Allow: []string{"a b"}}); err == nil {
		t.Error("nonsense is taken as an allowed host")
	}
	one, _ := New(Options{Allow: []string{"inner.example"}, Lookup: answers("127.0.0.1")})
	if c, err := one.DialContext(t.Context(), "tcp", "other.example:"+port); err == nil {
		c.Close()
		t.Error("another name shares the allowance of an allowed one")
	}
	if d.May(netip.MustParseAddr("10.0.0.1"), 443) || !d.May(netip.MustParseAddr("8.8.8.8"), 443) {
		t.Error("May is wrong")
	}
}

func listener(t *testing.T) (net.Listener, chan struct{}) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	hits := make(chan struct{}, 100)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			hits <- struct{}{}
			c.Close()
		}
	}()
	return ln, hits
}

func FuzzHost(f *testing.F) {
	for _, s := range []string{"example.com", "127.1", "[::1]", "xn--a", "0x7f"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		h, ok := Host(s)
		if !ok {
			return
		}
		if again, ok := Host(h); !ok || again != h {
			t.Errorf("Host(%q) = %q, and of that %q, %v", s, h, again, ok)
		}
		if strings.ContainsAny(h, "/\\@%? #") {
			t.Errorf("Host(%q) = %q", s, h)
		}
	})
}
