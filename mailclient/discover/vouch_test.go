package discover_test

import (
	"context"
	"net"
	"strings"
	"testing"

	"restante/mailclient/discover"
)

// zone answers of TXT, of addresses and of MX what stands in it; "?" is a server that does not answer.
type zone map[string]string

func (z zone) say(name, kind string) (out []string, err error) {
	v, ok := z[kind+" "+name]
	if !ok {
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	if v == "?" {
		return nil, &net.DNSError{Err: "server misbehaving", Name: name, IsTemporary: true}
	}
	return strings.Split(v, "|"), nil
}

func (z zone) LookupTXT(_ context.Context, name string) ([]string, error)  { return z.say(name, "TXT") }
func (z zone) LookupHost(_ context.Context, name string) ([]string, error) { return z.say(name, "A") }

func (z zone) LookupMX(_ context.Context, name string) (out []*net.MX, err error) {
	hosts, err := z.say(name, "MX")
	for _, h := range hosts {
		out = append(out, &net.MX{Host: h + "."})
	}
	return out, err
}

func (z zone) LookupSRV(context.Context, string, string, string) (string, []*net.SRV, error) {
	return "", nil, nil
}

func TestWhetherADomainLetsAServerSendForIt(t *testing.T) {
	long := zone{}
	for _, n := range strings.Split("abcdefghijklmn", "") {
		long["TXT "+n+".chain.test"] = "v=spf1 include:" + string(n[0]+1) + ".chain.test -all"
	}
	for _, c := range []struct {
		name, domain, host string
		zone               zone
		spf                discover.SPF
		dmarc              string
	}{
		{"takes the provider in by its name", "own.test", "smtp.gmail.com", zone{"TXT own.test": "google-site=1|v=spf1 include:_spf.google.com ~all"}, discover.SPFPass, ""},
		{"takes in who takes the provider in", "own.test", "smtp.fastmail.com", zone{"TXT own.test": "v=spf1 include:mail.helper.test -all", "TXT mail.helper.test": "v=spf1 include:spf.messagingengine.com -all"}, discover.SPFPass, ""},
		{"redirects to the provider", "own.test", "smtp.gmail.com", zone{"TXT own.test": "v=spf1 redirect=_spf.google.com"}, discover.SPFPass, ""},
		{"names the address of the server", "own.test", "smtp.isp.test", zone{"TXT own.test": "v=spf1 ip4:192.0.2.0/24 -all", "A smtp.isp.test": "192.0.2.7"}, discover.SPFPass, ""},
		{"names its MX, which is the server", "own.test", "mail.own.test", zone{"TXT own.test": "v=spf1 mx -all", "MX own.test": "mx.own.test", "A mx.own.test": "2001:db8::1", "A mail.own.test": "2001:db8::1"}, discover.SPFPass, ""},
		{"names its own network around its address", "own.test", "relay.test", zone{"TXT own.test": "v=spf1 a/24 -all", "A own.test": "192.0.2.1", "A relay.test": "192.0.2.200"}, discover.SPFPass, ""},
		{"shuts others out", "own.test", "smtp.gmail.com", zone{"TXT own.test": "v=spf1 mx -all", "MX own.test": "mx.own.test", "A mx.own.test": "192.0.2.1", "TXT _dmarc.own.test": "v=DMARC1; p=reject; rua=mailto:x@own.test"}, discover.SPFFail, "reject"},
		{"doubts others", "own.test", "smtp.gmail.com", zone{"TXT own.test": "v=spf1 ip4:192.0.2.1 ~all", "TXT _dmarc.own.test": "v=DMARC1; p=none"}, discover.SPFSoft, "none"},
		{"says nothing of others", "own.test", "smtp.gmail.com", zone{"TXT own.test": "v=spf1 ip4:192.0.2.1"}, discover.SPFNeutral, ""},
		{"shuts just this one out", "own.test", "relay.test", zone{"TXT own.test": "v=spf1 -ip4:192.0.2.9 ?all", "A relay.test": "192.0.2.9"}, discover.SPFNeutral, ""},
		{"has no record", "own.test", "smtp.gmail.com", zone{"TXT own.test": "something else"}, discover.SPFNone, ""},
		{"has two", "own.test", "smtp.gmail.com", zone{"TXT own.test": "v=spf1 -all|v=spf1 +all"}, discover.SPFBroken, ""},
		{"has one that is too long to follow", "a.chain.test", "smtp.gmail.com", long, discover.SPFBroken, ""},
		{"takes in what is not there", "own.test", "smtp.gmail.com", zone{"TXT own.test": "v=spf1 include:gone.test -all"}, discover.SPFBroken, ""},
		{"cannot be looked up", "own.test", "smtp.gmail.com", zone{"TXT own.test": "?", "TXT _dmarc.own.test": "?"}, discover.SPFUnknown, ""},
		{"is a part of one with a policy for its parts", "mail.own.test", "smtp.gmail.com", zone{"TXT _dmarc.own.test": "v=DMARC1; p=none; sp=quarantine"}, discover.SPFNone, "quarantine"},
	} {
		f := discover.NewFinder(discover.FinderOptions{Resolver: c.zone})
		if v := f.Vouches(t.Context(), c.domain, c.host); v.SPF != c.spf || v.DMARC != c.dmarc {
			t.Errorf("a domain that %s: %+v", c.name, v)
		}
	}
	if v := discover.NewFinder(discover.FinderOptions{Resolver: &silence{}}).Vouches(t.Context(), "own.test", "x.test"); v.SPF != discover.SPFUnknown {
		t.Errorf("where nobody reads records: %+v", v)
	}
}
