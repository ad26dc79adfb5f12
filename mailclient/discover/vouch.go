package discover

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// SPF is what a domain says in DNS of a server that sends its mail (RFC 7208).
type SPF string

// What it may say. Only SPFFail and SPFSoft say that the server is none of its own.
const (
	SPFPass    SPF = "pass"
	SPFFail    SPF = "fail"    // others are to be refused
	SPFSoft    SPF = "soft"    // others are doubtful
	SPFNeutral SPF = "neutral" // it says nothing of others
	SPFNone    SPF = "none"    // it has no record
	SPFBroken  SPF = "broken"  // it has one that no receiver can use
	SPFUnknown SPF = "unknown" // it could not be looked up
)

// Vouching is what receivers will find when a server sends mail from a domain.
type Vouching struct {
	Domain, Host string
	SPF          SPF
	DMARC        string // what is to be done with mail that nothing vouches for: none, quarantine, reject; "" where it says nothing or could not be looked up
}

const (
	vouchTime  = 8 * time.Second
	vouchTerms = 10 // that ask DNS (RFC 7208 4.6.4)
	vouchMX    = 10
)

// sendsBy are the registrable domains under which providers name their servers in SPF, by that of their submission server,
// where it is another.
var sendsBy = map[string]string{
	"gmail.com": "google.com", "googlemail.com": "google.com", "office365.com": "outlook.com", "me.com": "icloud.com", "fastmail.com": "messagingengine.com",
	"amazonaws.com": "amazonses.com", "postmarkapp.com": "mtasv.net", "brevo.com": "sendinblue.com", "ionos.de": "ionos.com", "ovh.net": "ovh.com",
	"infomaniak.com": "infomaniak.ch", "yandex.com": "yandex.net", "zoho.com": "zohomail.com", "zoho.eu": "zohomail.eu", "t-online.de": "telekom.de",
}

// Vouches looks up whether a domain lets a submission server send for it. What the server's provider sends from cannot be
// known: its own address stands for that, and the names by which the domain's record takes providers in.
func (f *Finder) Vouches(ctx context.Context, domain, host string) Vouching {
	v := Vouching{Domain: domain, Host: host, SPF: SPFUnknown}
	texts, ok := f.o.Resolver.(texter)
	name, named := hostName(domain)
	if !ok || !named {
		return v
	}
	ctx, cancel := context.WithTimeout(ctx, vouchTime)
	defer cancel()
	q := &vouching{Finder: f, texts: texts, own: registrable(host)}
	if list, err := f.o.Resolver.LookupHost(ctx, host); err == nil {
		for _, a := range list {
			if addr, err := netip.ParseAddr(a); err == nil {
				q.addrs = append(q.addrs, addr.Unmap())
			}
		}
	}
	v.SPF = q.record(ctx, name)
	v.DMARC = q.dmarc(ctx, name)
	return v
}

// texter is a Resolver that reads TXT records. *net.Resolver is one.
type texter interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
}

// vouching is one evaluation.
type vouching struct {
	*Finder
	texts texter
	own   string // registrable domain of the server
	addrs []netip.Addr
	asked int
}

// only gives the one text of a name that begins so. none: there is no such; err: nobody knows, or there are several.
func (q *vouching) only(ctx context.Context, name, begin string) (text string, none bool, err error) {
	all, err := q.texts.LookupTXT(ctx, name)
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return "", true, nil
	}
	if err != nil {
		return "", false, err
	}
	all = slices.DeleteFunc(slices.Clone(all), func(t string) bool {
		first, _, _ := strings.Cut(t, " ")
		first, _, _ = strings.Cut(first, ";")
		return !strings.EqualFold(first, begin)
	})
	switch len(all) {
	case 0:
		return "", true, nil
	case 1:
		return all[0], false, nil
	}
	return "", false, errSeveral
}

var errSeveral = errors.New("several records where one may be")

// record says what the record of a domain comes to.
func (q *vouching) record(ctx context.Context, domain string) SPF {
	text, none, err := q.only(ctx, domain, "v=spf1")
	switch {
	case none:
		return SPFNone
	case errors.Is(err, errSeveral):
		return SPFBroken
	case err != nil:
		return SPFUnknown
	}
	result, redirect, all := SPFNeutral, "", false
	for _, term := range strings.Fields(strings.ToLower(text))[1:] {
		if q.asked > vouchTerms {
			return SPFBroken
		}
		if to, ok := strings.CutPrefix(term, "redirect="); ok {
			redirect = to
			continue
		}
		if rest := strings.TrimLeft(term, "+-~?"); rest == "all" {
			result, all = map[byte]SPF{'-': SPFFail, '~': SPFSoft, '?': SPFNeutral}[term[0]], true
			if result == "" {
				result = SPFPass
			}
			break
		}
		if strings.ContainsRune("-~?", rune(term[0])) { // who is shut out before the others
			continue
		}
		switch q.term(ctx, domain, strings.TrimPrefix(term, "+")) {
		case SPFPass:
			return SPFPass
		case SPFUnknown:
			return SPFUnknown
		case SPFBroken:
			return SPFBroken
		}
	}
	if redirect == "" || all {
		return result
	}
	if q.asked++; q.asked > vouchTerms {
		return SPFBroken
	}
	if q.takesIn(redirect) {
		return SPFPass
	}
	return q.record(ctx, redirect)
}

// term says whether a mechanism lets the server send.
func (q *vouching) term(ctx context.Context, domain, term string) SPF {
	kind, what, _ := strings.Cut(term, ":")
	if what == "" {
		kind, what, _ = strings.Cut(term, "/")
		what = strings.TrimSuffix(domain+"/"+what, "/")
	}
	name, bits, _ := strings.Cut(what, "/")
	switch kind {
	case "ip4", "ip6":
		return q.within(what)
	case "include":
		if q.takesIn(what) {
			return SPFPass
		}
		if q.asked++; q.asked > vouchTerms {
			return SPFBroken
		}
		switch r := q.record(ctx, what); r {
		case SPFPass, SPFUnknown, SPFBroken:
			return r
		case SPFNone: // RFC 7208 5.2
			return SPFBroken
		}
	case "a", "mx":
		if q.asked++; q.asked > vouchTerms {
			return SPFBroken
		}
		return q.names(ctx, kind, name, bits)
	case "exists", "ptr":
		q.asked++
	}
	return SPFNeutral
}

// takesIn says whether a name is one under which the server's provider sends.
func (q *vouching) takesIn(name string) bool {
	r := registrable(name)
	return r != "" && (r == q.own || r == sendsBy[q.own])
}

func (q *vouching) names(ctx context.Context, kind, name, bits string) SPF {
	hosts := []string{name}
	if kind == "mx" {
		list, err := q.o.Resolver.LookupMX(ctx, name)
		if err != nil && ctx.Err() != nil {
			return SPFUnknown
		}
		hosts = nil
		for _, mx := range list[:min(len(list), vouchMX)] {
			hosts = append(hosts, strings.TrimSuffix(mx.Host, "."))
		}
	}
	for _, host := range hosts {
		list, err := q.o.Resolver.LookupHost(ctx, host)
		if err != nil && ctx.Err() != nil {
			return SPFUnknown
		}
		for _, a := range list {
			four, six, _ := strings.Cut(bits, "//")
			if strings.Contains(a, ":") {
				four = six
			}
			if four != "" {
				a += "/" + four
			}
			if q.within(a) == SPFPass {
				return SPFPass
			}
		}
	}
	return SPFNeutral
}

// within says whether the server stands in a network, or at an address.
func (q *vouching) within(network string) SPF {
	p, err := netip.ParsePrefix(network)
	if addr, ok := netip.ParseAddr(network); ok == nil {
		p, err = netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	if err == nil && slices.ContainsFunc(q.addrs, p.Contains) {
		return SPFPass
	}
	return SPFNeutral
}

// dmarc is what a domain, or that which it is a part of, wants done with mail that nothing vouches for (RFC 7489 6.6.3).
func (q *vouching) dmarc(ctx context.Context, domain string) string {
	tag := "p"
	text, none, err := q.only(ctx, "_dmarc."+domain, "v=DMARC1")
	if above := registrable(domain); none && above != "" && above != domain {
		tag = "sp"
		text, _, err = q.only(ctx, "_dmarc."+above, "v=DMARC1")
	}
	if err != nil {
		return ""
	}
	says := map[string]string{}
	for _, part := range strings.Split(text, ";") {
		name, value, _ := strings.Cut(part, "=")
		says[strings.ToLower(strings.TrimSpace(name))] = strings.ToLower(strings.TrimSpace(value))
	}
	policy := says[tag]
	if policy == "" {
		policy = says["p"]
	}
	if !slices.Contains([]string{"none", "quarantine", "reject"}, policy) {
		return ""
	}
	return policy
}
