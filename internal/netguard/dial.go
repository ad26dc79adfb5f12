package netguard

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// ErrRefused is in the chain of each error for an address, port or name that must not be dialled. It has a method
// Forbidden, so that rooms which know only a dial function can tell it from a server that is away.
var ErrRefused error = refusal("this address is not allowed")

type refusal string

func (r refusal) Error() string { return string(r) }

func (refusal) Forbidden() bool { return true }

// MailPorts are the ports on which people may name mail servers of their own; 25 is not among them.
var MailPorts = []uint16{110, 143, 443, 465, 587, 993, 995, 4190}

// WebPorts are the ports for pictures and discovery.
var WebPorts = []uint16{80, 443}

// Options say what a Dialer may reach. The zero value reaches public addresses on ports 80 and 443.
type Options struct {
	Ports  []uint16                                                     // allowed ports; none means WebPorts
	Allow  []string                                                     // host names, addresses and CIDRs that are open though private (RESTANTE_ALLOW_HOSTS); on any port
	Refuse []netip.Prefix                                               // networks closed beside the built-in ones, such as the site's own NAT64 prefix
	Wait   time.Duration                                                // for one connection; 0 means 3 s
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error) // nil means Go's own resolver
}

// Dialer dials what Options allow. It is safe for use by many goroutines.
type Dialer struct {
	o     Options
	names map[string]bool
	nets  []netip.Prefix

	mu   sync.Mutex
	own  []netip.Addr
	read time.Time
}

// New makes a Dialer, or says which entry of Allow is neither a name, an address nor a CIDR.
func New(o Options) (*Dialer, error) {
	d := &Dialer{o: o, names: map[string]bool{}}
	if len(o.Ports) == 0 {
		d.o.Ports = WebPorts
	}
	if o.Wait == 0 {
		d.o.Wait = 3 * time.Second
	}
	if o.Lookup == nil {
		r := &net.Resolver{PreferGo: true}
		d.o.Lookup = func(ctx context.Context, host string) ([]netip.Addr, error) { return r.LookupNetIP(ctx, "ip", host) }
	}
	for _, s := range o.Allow {
		s = strings.TrimSpace(s)
		if p, err := netip.ParsePrefix(s); err == nil {
			d.nets = append(d.nets, p.Masked())
		} else if a, err := netip.ParseAddr(s); err == nil {
			d.nets = append(d.nets, netip.PrefixFrom(a, a.BitLen()))
		} else if h, ok := Host(s); ok {
			d.names[h] = true
		} else {
			return nil, fmt.Errorf("allowed hosts: %q is no host name, address or network", s)
		}
	}
	return d, nil
}

// DialContext connects to host:port by tcp, tcp4 or tcp6, if the port is in the list and the resolved address is
// allowed. Each address the name has is tried in turn, the refused ones never. Errors for what is not allowed
// hold ErrRefused; others are those of net.Dialer.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	name, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	host, ok := Host(name)
	port, err := strconv.ParseUint(portText, 10, 16)
	if !ok || err != nil || port == 0 || network != "tcp" && network != "tcp4" && network != "tcp6" {
		return nil, fmt.Errorf("%w: %s", ErrRefused, address)
	}
	named := d.names[host]
	addrs, err := d.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	err = fmt.Errorf("%w: %s", ErrRefused, address)
	for _, a := range addrs {
		if !d.may(a, uint16(port), named) {
			continue
		}
		var conn net.Conn
		if conn, err = d.dial(ctx, network, netip.AddrPortFrom(a.Unmap(), uint16(port)), named); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

func (d *Dialer) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	return d.o.Lookup(ctx, host)
}

// dial looks at the address once more where the kernel is told it: nothing can come between.
func (d *Dialer) dial(ctx context.Context, network string, to netip.AddrPort, named bool) (net.Conn, error) {
	nd := net.Dialer{Timeout: d.o.Wait, ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !d.may(at.Addr(), at.Port(), named) {
			return fmt.Errorf("%w: %s", ErrRefused, address)
		}
		return nil
	}}
	return nd.DialContext(ctx, network, to.String())
}

// May says whether DialContext would connect to this address and port when no allowed name led there.
func (d *Dialer) May(a netip.Addr, port uint16) bool { return d.may(a, port, false) }

func (d *Dialer) may(a netip.Addr, port uint16, named bool) bool {
	if !a.IsValid() || a.Zone() != "" || port == 0 {
		return false
	}
	a = a.Unmap()
	if named || within(a, d.nets) {
		return true
	}
	return d.port(port) && Allowed(a) && !within(a, d.o.Refuse) && !d.isOwn(a)
}

func (d *Dialer) port(p uint16) bool {
	for _, ok := range d.o.Ports {
		if p == ok {
			return true
		}
	}
	return false
}

// isOwn says whether a is an address of this host, which may be public. Interfaces are read again each minute.
func (d *Dialer) isOwn(a netip.Addr) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if time.Since(d.read) > time.Minute {
		d.own, d.read = ownAddrs(), time.Now()
	}
	for _, o := range d.own {
		if o == a {
			return true
		}
	}
	return false
}

func ownAddrs() (out []netip.Addr) {
	list, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, l := range list {
		if p, err := netip.ParsePrefix(l.String()); err == nil {
			out = append(out, p.Addr().Unmap())
		}
	}
	return out
}
