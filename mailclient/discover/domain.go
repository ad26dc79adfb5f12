package discover

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/netip"
	"net/url"
	"time"

	"golang.org/x/net/idna"

	"restante/mailclient"
)

// Domain is a mail domain as an admin sets it up, and as it is kept: JSON.
type Domain struct {
	Name       string    `json:"name"` // ASCII, lower case
	IMAP       Place     `json:"imap"`
	Submission Place     `json:"submission"`
	POP3       Place     `json:"pop3"`               // no Host: there is none
	Sieve      Place     `json:"sieve"`              // no Host: there is none
	Login      string    `json:"login,omitempty"`    // the sign-in name, with the holes of autoconfig; "" is the address
	Authserv   string    `json:"authserv,omitempty"` // as in Servers
	OAuth      *OAuth    `json:"oauth,omitempty"`    // nil: people sign in with a password
	CA         string    `json:"ca,omitempty"`       // PEM of the authority that vouches for its servers; "" is the system's
	Moved      time.Time `json:"moved,omitzero"`     // when it was last changed where passwords go; zero is never
}

// GoesElsewhere says whether passwords go elsewhere than they did with old, or others are believed there.
func (d Domain) GoesElsewhere(old Domain) bool {
	strip := func(d Domain) string {
		d.Name, d.Authserv, d.Moved = "", "", time.Time{}
		for _, s := range services {
			d.Of(s).Source = ""
		}
		return d.Encode()
	}
	return strip(d) != strip(old)
}

// MovedFrom gives when people's sign-ins last went elsewhere: now, if they do since old, else as old has it.
func (d Domain) MovedFrom(old Domain, now time.Time) time.Time {
	d.POP3, d.Sieve = old.POP3, old.Sieve
	if d.GoesElsewhere(old) {
		return now.UTC().Truncate(time.Millisecond)
	}
	return old.Moved
}

// Place is where a service of a domain is.
type Place struct {
	Host     string              `json:"host,omitempty"`
	Port     int                 `json:"port,omitempty"`
	Security mailclient.Security `json:"security,omitempty"`
	Pin      string              `json:"pin,omitempty"`    // of a public key, 64 hex digits
	Source   Source              `json:"source,omitempty"` // who named it; "" is the admin
}

// OAuth is the provider at which the people of a domain sign in, in the place of a password.
type OAuth struct {
	Kind     string `json:"kind"` // google, microsoft or oidc
	ClientID string `json:"client_id"`
	Sealed   []byte `json:"secret,omitempty"` // the client's secret as it is kept
	Secret   string `json:"-"`                // and as it is used
	Issuer   string `json:"issuer,omitempty"` // with oidc
	Tenant   string `json:"tenant,omitempty"` // with microsoft
	Scopes   string `json:"scopes,omitempty"` // with oidc; "" is the usual ones
}

// LoginLocal is the Login of a domain whose people sign in with what stands before the @.
const LoginLocal = "%EMAILLOCALPART%"

// DomainFaults are what keeps a Domain from being set up.
var (
	ErrDomainName  = errors.New("no domain")
	ErrDomainPlace = errors.New("no host, port or encryption that could be")
	ErrDomainCA    = errors.New("no certificate in PEM")
	ErrDomainOAuth = errors.New("no provider that could be, or no client id")
	ErrNeeded      = errors.New("a server for reading and one for sending are needed")
)

// HostName gives the name of a domain or host in ASCII. ok is false for what is none, and for addresses in numbers.
func HostName(s string) (ascii string, ok bool) { return hostName(s) }

// ParseDomain reads what Encode wrote.
func ParseDomain(raw string) (d Domain, err error) {
	return d, json.Unmarshal([]byte(raw), &d)
}

// Encode writes the domain as it is kept.
func (d Domain) Encode() string {
	raw, err := json.Marshal(d)
	if err != nil {
		panic(err) // strings and numbers alone
	}
	return string(raw)
}

// Written is its name in the letters of its language.
func (d Domain) Written() string {
	if v, err := idna.Punycode.ToUnicode(d.Name); err == nil {
		return v
	}
	return d.Name
}

// Of is the place of a service.
func (d *Domain) Of(s Service) *Place {
	return map[Service]*Place{IMAP: &d.IMAP, Submission: &d.Submission, POP3: &d.POP3, Sieve: &d.Sieve}[s]
}

// PlaceError is the ErrDomainPlace of one service.
type PlaceError struct{ Service Service }

func (e *PlaceError) Error() string { return string(e.Service) + ": " + ErrDomainPlace.Error() }

// Unwrap gives ErrDomainPlace.
func (e *PlaceError) Unwrap() error { return ErrDomainPlace }

// Check says whether the domain can be set up, else by one of the errors above.
func (d Domain) Check() error {
	if ascii, ok := hostName(d.Name); !ok || ascii != d.Name {
		return ErrDomainName
	}
	if d.IMAP.Host == "" || d.Submission.Host == "" {
		return ErrNeeded
	}
	for _, s := range services {
		if p := d.Of(s); p.Host != "" && !p.sound() {
			return &PlaceError{s}
		}
	}
	if d.OAuth != nil && !d.OAuth.sound() {
		return ErrDomainOAuth
	}
	if d.CA != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(d.CA)) {
		return ErrDomainCA
	}
	return nil
}

func (o *OAuth) sound() bool {
	issuer, err := url.Parse(o.Issuer)
	switch o.Kind {
	case "google", "microsoft":
		return o.ClientID != ""
	case "oidc":
		return o.ClientID != "" && err == nil && issuer.Host != "" && (issuer.Scheme == "https" || issuer.Scheme == "http")
	}
	return false
}

// Check says whether a service could be there, else by ErrDomainPlace.
func (p Place) Check() error {
	if !p.sound() {
		return ErrDomainPlace
	}
	return nil
}

func (p Place) sound() bool {
	_, err := netip.ParseAddr(p.Host)
	_, ok := hostName(p.Host)
	known := p.Security == mailclient.TLS || p.Security == mailclient.StartTLS || p.Security == mailclient.Plain
	return (ok || err == nil || p.Host == "localhost") && p.Port > 0 && p.Port < 65536 && known
}

// Servers are the domain's. via dials them, nil is an ordinary dialler: an admin may name what stands in an own network.
// trusted are whose certificates are believed beside the domain's own authority, nil is the system's.
func (d Domain) Servers(trusted *x509.CertPool, via mailclient.Dialer) Servers {
	if d.CA != "" {
		trusted = with(trusted, d.CA)
	}
	at := func(p Place) mailclient.Endpoint {
		return mailclient.Endpoint{Host: p.Host, Port: p.Port, Security: p.Security, Pin: p.Pin, RootCAs: trusted, Via: via}
	}
	return Servers{Domain: d.Name, IMAP: at(d.IMAP), SMTP: at(d.Submission), POP3: at(d.POP3), Sieve: at(d.Sieve), Login: d.Login, Source: FromDomain, Authserv: d.Authserv, OAuth: d.OAuth, Moved: d.Moved}
}

// DomainAt is the domain that has these servers. Who vouches for them is not told.
func DomainAt(v Servers) Domain {
	at := func(e mailclient.Endpoint) Place {
		return Place{Host: e.Host, Port: e.Port, Security: e.Security, Pin: e.Pin}
	}
	return Domain{Name: v.Domain, IMAP: at(v.IMAP), Submission: at(v.SMTP), POP3: at(v.POP3), Sieve: at(v.Sieve), Login: v.Login, Authserv: v.Authserv, OAuth: v.OAuth}
}

// with are whom trusted holds, and the authorities in pem.
func with(trusted *x509.CertPool, pem string) *x509.CertPool {
	all := x509.NewCertPool()
	if trusted != nil {
		all = trusted.Clone()
	} else if system, err := x509.SystemCertPool(); err == nil {
		all = system
	}
	all.AppendCertsFromPEM([]byte(pem))
	return all
}

// Take sets the domain's places to what was found, and forgets what was set before.
func (d *Domain) Take(f Found) {
	for _, s := range services {
		c := f.Of(s)
		*d.Of(s) = Place{}
		if c.Found() {
			*d.Of(s) = Place{Host: c.Host, Port: c.Port, Security: c.Security, Source: c.Source}
		}
	}
	d.Name, d.Login = f.Domain, f.IMAP.Login
	if d.Login == "%EMAILADDRESS%" {
		d.Login = ""
	}
}
