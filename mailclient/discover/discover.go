// Package discover finds the servers of a mail address: the admin's domains, a
// table of known providers, what the domain itself says by autoconfig, DNS and
// autodiscover, and last what answers under the usual names. It sends no password
// anywhere, and goes where the dialler that it is given lets it go. Start at
// Directory for what is known, at Finder for what is to be found, at Try for what
// a server shows.
package discover

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/idna"

	"restante/mailclient"
)

// Servers are where an address's mail is read and sent, and the name to sign in with.
type Servers struct {
	Domain   string
	IMAP     mailclient.Endpoint
	SMTP     mailclient.Endpoint
	POP3     mailclient.Endpoint // no Host: there is none
	Sieve    mailclient.Endpoint // no Host: there is none
	Local    bool                // sign in with the local part alone
	Login    string              // or with this, with the holes of autoconfig; "" is the address
	Files    bool                // the submission server files sent mail by itself
	Password string              // a page about app passwords, "" where the usual password works
	Source   Source
	OAuth    *OAuth    // where people sign in; nil: with a password
	Authserv string    // the name of its server in Authentication-Results that is believed, "" for none
	Moved    time.Time // when an admin last changed where passwords go; zero is never
}

// Of is where a service is; without a Host the domain has none.
func (s Servers) Of(service Service) mailclient.Endpoint {
	return map[Service]mailclient.Endpoint{IMAP: s.IMAP, Submission: s.SMTP, POP3: s.POP3, Sieve: s.Sieve}[service]
}

// Discovered says that neither the admin nor the table of providers names these servers: they were looked for.
func (s Servers) Discovered() bool {
	return s.Source != "" && s.Source != FromDomain && s.Source != FromPreset
}

// Username is the sign-in name for an address.
func (s Servers) Username(address string) string {
	if s.Local {
		local, _, _ := strings.Cut(address, "@")
		return local
	}
	return username(s.Login, address)
}

// ErrAddress is an address without a domain that could have mail.
var ErrAddress = errors.New("no mail address")

// cutAddress gives the local part of an address and its domain in ASCII.
func cutAddress(address string) (local, domain string, err error) {
	at := strings.LastIndexByte(address, '@')
	if at < 1 || len(address) > 254 || strings.ContainsAny(address, "\r\n\x00") {
		return "", "", ErrAddress
	}
	domain, ok := hostName(address[at+1:])
	if !ok {
		return "", "", ErrAddress
	}
	return address[:at], domain, nil
}

// hostName gives a host name of two labels or more in ASCII. It refuses addresses in numbers, and what other programs
// would read as such.
func hostName(s string) (string, bool) {
	ascii, err := idna.Lookup.ToASCII(strings.ToLower(strings.TrimSuffix(strings.TrimSpace(s), ".")))
	if err != nil || len(ascii) > 253 || strings.ContainsAny(ascii, "%/\\@: []") {
		return "", false
	}
	dot := strings.LastIndexByte(ascii, '.')
	if dot < 1 || dot == len(ascii)-1 || ascii[dot+1] >= '0' && ascii[dot+1] <= '9' {
		return "", false
	}
	return ascii, true
}

// Directory knows the servers of domains. It is safe for use by many goroutines.
type Directory struct {
	fixed []Servers

	mu      sync.RWMutex
	domains map[string]Servers // replaced whole, never changed

	found *shelf // nil: nothing but domains and providers
}

// NewDirectory makes a directory of domains that stay, over the table of providers.
func NewDirectory(domains ...Servers) *Directory {
	d := &Directory{fixed: domains}
	d.SetUp(nil)
	return d
}

// SetUp replaces the domains that were set up at run time. Those that stay come before them.
func (d *Directory) SetUp(domains []Servers) {
	all := map[string]Servers{}
	for _, s := range slices.Concat(domains, d.fixed) {
		s.Source = FromDomain
		all[strings.ToLower(s.Domain)] = s
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.domains = all
}

// own is a domain that is set up.
func (d *Directory) own(domain string) (s Servers, ok bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	s, ok = d.domains[domain]
	return s, ok
}

// Stays says whether a domain is one of those that stay: the configuration's.
func (d *Directory) Stays(domain string) bool {
	return slices.ContainsFunc(d.fixed, func(s Servers) bool { return strings.EqualFold(s.Domain, domain) })
}

// Own lists the domains that are set up, by their names.
func (d *Directory) Own() []Servers {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return slices.SortedFunc(maps.Values(d.domains), func(a, b Servers) int { return strings.Compare(a.Domain, b.Domain) })
}

// OfDomain gives a domain that is set up.
func (d *Directory) OfDomain(name string) (Servers, bool) { return d.own(strings.ToLower(name)) }

// POP3At gives the POP3 server of a domain that is set up by where it stands, with the key and the authority that were
// trusted for it there, and the way to it. ok is false where no domain has that server.
func (d *Directory) POP3At(host string, port int, security mailclient.Security) (at mailclient.Endpoint, ok bool) {
	for _, s := range d.Own() {
		if at = s.POP3; strings.EqualFold(at.Host, host) && at.Port == port && at.Security == security {
			return at, true
		}
	}
	return mailclient.Endpoint{}, false
}

// SubmissionAt is the same for submission servers.
func (d *Directory) SubmissionAt(p Place) (at mailclient.Endpoint, ok bool) {
	for _, s := range d.Own() {
		if at = s.SMTP; strings.EqualFold(at.Host, p.Host) && at.Port == p.Port && at.Security == p.Security {
			return at, true
		}
	}
	return mailclient.Endpoint{}, false
}

// Only gives the one domain that is set up, "" when there are none or several.
func (d *Directory) Only() string {
	if own := d.Own(); len(own) == 1 {
		return strings.ToLower(own[0].Domain)
	}
	return ""
}

// Lookup finds the servers of an address by its domain. ok is false for a domain that nobody set up and that was not
// discovered, and for providers that take no password.
func (d *Directory) Lookup(address string) (s Servers, ok bool) {
	domain, err := idna.Lookup.ToASCII(strings.ToLower(address[strings.LastIndexByte(address, '@')+1:]))
	if err != nil || !strings.Contains(address, "@") {
		return s, false
	}
	if s, ok = d.own(domain); ok {
		return s, true
	}
	if p, ok := byDomain[domain]; ok && !p.oauth {
		return p.servers(domain), true
	}
	if d.found == nil {
		return s, false
	}
	return d.found.servers(domain)
}
