// Package discover finds the servers of a mail address: the admin's domains
// first, then a table of known providers. Start at Directory.
package discover

import (
	"strings"

	"golang.org/x/net/idna"

	"restante/mailclient"
)

// Servers are where an address's mail is read and sent, and the name to sign in with.
type Servers struct {
	Domain   string
	IMAP     mailclient.Endpoint
	SMTP     mailclient.Endpoint
	Local    bool   // sign in with the local part alone
	Files    bool   // the submission server files sent mail by itself
	Password string // a page about app passwords, "" where the usual password works
	Source   string // "domain" or "provider"
	Authserv string // the name of its server in Authentication-Results that is believed, "" for none
}

// Username is the sign-in name for an address.
func (s Servers) Username(address string) string {
	if s.Local {
		local, _, _ := strings.Cut(address, "@")
		return local
	}
	return address
}

// Directory knows the servers of domains.
type Directory struct{ domains map[string]Servers }

// NewDirectory makes a directory of the admin's domains over the table of providers.
func NewDirectory(domains ...Servers) *Directory {
	d := &Directory{domains: map[string]Servers{}}
	for _, s := range domains {
		s.Source = "domain"
		d.domains[strings.ToLower(s.Domain)] = s
	}
	return d
}

// Only gives the one domain that is set up, "" when there are none or several.
func (d *Directory) Only() string {
	if len(d.domains) != 1 {
		return ""
	}
	for name := range d.domains {
		return name
	}
	return ""
}

// Lookup finds the servers of an address by its domain. ok is false for a domain nobody set up.
func (d *Directory) Lookup(address string) (s Servers, ok bool) {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return s, false
	}
	domain, err := idna.Lookup.ToASCII(strings.ToLower(address[at+1:]))
	if err != nil {
		return s, false
	}
	if s, ok = d.domains[domain]; ok {
		return s, true
	}
	p, ok := byDomain[domain]
	if !ok {
		return s, false
	}
	return p.servers(domain), true
}
