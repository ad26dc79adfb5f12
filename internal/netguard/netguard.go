// Package netguard is the one dialler for every address that a person or a mail
// can name: pictures, discovery, people's own servers. It looks at the address
// that is really dialled, after name resolution, so that a name which answers
// differently the second time gains nothing. It never speaks a protocol.
// Start at Allowed and New.
package netguard

import (
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
)

// refused4 are the IPv4 networks that are not the public internet (IANA's special-purpose registry).
var refused4 = prefixes("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
	"203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"168.63.129.16/32") // a cloud's own metadata and DNS address, though its network is public

// public6 is the only IPv6 space that is routed; refused6 are the holes in it.
var (
	public6  = netip.MustParsePrefix("2000::/3")
	refused6 = prefixes("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)

func prefixes(list ...string) (out []netip.Prefix) {
	for _, p := range list {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}

// Allowed says whether a is an address of the public internet: no loopback, private, link-local,
// carrier, documentation, multicast, metadata or tunnelled address, and no zone. IPv4 inside IPv6
// is judged as IPv4, and refused in every form but the mapped one of a public address.
func Allowed(a netip.Addr) bool {
	if !a.IsValid() || a.Zone() != "" {
		return false
	}
	if a = a.Unmap(); a.Is4() {
		return !within(a, refused4)
	}
	return public6.Contains(a) && !within(a, refused6)
}

func within(a netip.Addr, list []netip.Prefix) bool {
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// Host gives the ASCII form of a host name or the canonical form of an address literal (without brackets).
// It refuses what other programs read as numbers (0x7f.1, 127.1, 2130706433), zones, empty and overlong names.
func Host(host string) (string, bool) {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if a, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return a.String(), a.Zone() == ""
	}
	ascii, err := idna.Lookup.ToASCII(host)
	if err != nil || ascii == "" || len(ascii) > 253 || strings.ContainsAny(ascii, "%/\\@: []") {
		return "", false
	}
	last := ascii[strings.LastIndexByte(ascii, '.')+1:]
	if last == "" || last[0] >= '0' && last[0] <= '9' {
		return "", false // no top-level domain begins with a digit: this is a number in disguise
	}
	if a, err := netip.ParseAddr(ascii); err == nil { // full-width digits became a literal
		return a.String(), false
	}
	return ascii, true
}
