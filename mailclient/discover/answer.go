package discover

import (
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"restante/mailclient"
)

// Service is what a server is asked for.
type Service string

// The services of a mail domain.
const (
	IMAP       Service = "imap"
	Submission Service = "submission"
	POP3       Service = "pop3"
	Sieve      Service = "sieve"
)

// services are all of them, as they are told.
var services = []Service{IMAP, Submission, POP3, Sieve}

// Source is where an answer comes from.
type Source string

// The sources, in the order in which they are believed (PROTOCOLS D1).
const (
	FromDomain       Source = "domain"        // what the admin set up
	FromPreset       Source = "preset"        // the table of providers, by the address's domain
	FromAutoconfig   Source = "autoconfig"    // a page of the domain itself
	FromSRV          Source = "srv"           // the domain's DNS (RFC 6186, 8314)
	FromMX           Source = "mx"            // the table of providers, by where the domain's mail is delivered
	FromMXAutoconfig Source = "mx-autoconfig" // a page of whoever the domain's mail is delivered to
	FromISPDB        Source = "ispdb"         // Thunderbird's database
	FromAutodiscover Source = "autodiscover"  // Exchange
	FromGuess        Source = "guess"         // a usual name and port, where a server answered
)

var order = []Source{FromDomain, FromPreset, FromAutoconfig, FromSRV, FromMX, FromMXAutoconfig, FromISPDB, FromAutodiscover, FromGuess}

// Auth is a kind of sign-in that a source says a server takes.
type Auth string

// The kinds of sign-in.
const (
	AuthPassword  Auth = "password"
	AuthEncrypted Auth = "encrypted" // a password that the server cannot read: SCRAM, CRAM-MD5
	AuthOAuth2    Auth = "oauth2"
	AuthOther     Auth = "other" // NTLM, GSSAPI, by the client's address, none
)

// Answer is a server that a source names for a service.
type Answer struct {
	Host     string              `json:"host"` // ASCII, lower case
	Port     int                 `json:"port"`
	Security mailclient.Security `json:"security"`
	Login    string              `json:"login,omitempty"` // the name to sign in with, with the holes of autoconfig; "" when the source does not say
	Auth     []Auth              `json:"auth,omitempty"`  // none: the source does not say
	Source   Source              `json:"source"`
	Where    string              `json:"where,omitempty"` // the page or DNS name that says so
	Known    bool                `json:"known,omitempty"` // the server of a known provider, or the admin's
	Outside  bool                `json:"outside,omitempty"`
	Open     bool                `json:"open,omitempty"` // the page came without encryption: anybody on the way may have written it
	Probe    *Probe              `json:"probe,omitempty"`
}

// Confirm says that a person has to see and accept the host before a password goes there: it lies outside of the
// address's registrable domain and is nobody's whom we know, or the page that names it came without encryption
// (RFC 6186 6; PROTOCOLS D2, D4).
func (a Answer) Confirm() bool { return !a.Known && (a.Outside || a.Open) }

// Address is host:port.
func (a Answer) Address() string { return net.JoinHostPort(a.Host, strconv.Itoa(a.Port)) }

// Username is the sign-in name of an address. Without word from the source it is the address (D7).
func (a Answer) Username(address string) string { return username(a.Login, address) }

// OAuthOnly says that the server takes no password.
func (a Answer) OAuthOnly() bool { return slices.Contains(a.Auth, AuthOAuth2) && !a.takesPassword() }

func (a Answer) takesPassword() bool {
	return len(a.Auth) == 0 || slices.Contains(a.Auth, AuthPassword) || slices.Contains(a.Auth, AuthEncrypted)
}

// usable says that a password may go there as far as the source tells. Without TLS it may not, but to the admin's own.
func (a Answer) usable() bool {
	return a.takesPassword() && (a.Security != mailclient.Plain || a.Source == FromDomain)
}

// answers says whether it was probed, and speaks what it should.
func (a Answer) answers() bool { return a.Probe != nil && a.Probe.Problem == "" }

// same says whether two answers lead to the same server in the same way.
func (a Answer) same(b Answer) bool {
	return a.Host == b.Host && a.Port == b.Port && a.Security == b.Security
}

// Choice is what was found for one service: the best answer, and the others in their order. Refused says that the
// domain's DNS declares the service to be absent.
type Choice struct {
	Answer
	Others  []Answer `json:"others,omitempty"`
	Refused bool     `json:"refused,omitempty"`
}

// Found says whether there is a server.
func (c Choice) Found() bool { return c.Host != "" }

// Disagree are the others that name another host on somebody's word: guesses and second ports are none.
func (c Choice) Disagree() (out []Answer) {
	for _, o := range c.Others {
		if o.Host != c.Host && o.Source != FromGuess {
			out = append(out, o)
		}
	}
	return out
}

// Came is what asking at a place came to.
type Came string

// What asking came to.
const (
	CameAnswer    Came = "answer"
	CameNothing   Came = "nothing" // it says that it has nothing, or there is no such name
	CameSilence   Came = "silence" // it cannot be reached, or not in time
	CameForbidden Came = "forbidden"
	CameUntrusted Came = "untrusted" // its certificate is wrong
	CameNonsense  Came = "nonsense"  // it answers what is no answer
)

// Look is one place that was asked.
type Look struct {
	Source Source `json:"source"`
	Where  string `json:"where"`
	Came   Came   `json:"came"`
}

// Found is all that is known of the servers of an address.
type Found struct {
	Domain     string    `json:"domain"` // ASCII
	IMAP       Choice    `json:"imap"`
	Submission Choice    `json:"submission"`
	POP3       Choice    `json:"pop3"`
	Sieve      Choice    `json:"sieve"`
	Looked     []Look    `json:"looked"`
	Password   string    `json:"password,omitempty"` // a provider's page about app passwords
	Files      bool      `json:"files,omitempty"`    // the submission server files sent mail by itself
	At         time.Time `json:"at"`
}

// Of is the choice for a service.
func (f *Found) Of(s Service) *Choice {
	return map[Service]*Choice{IMAP: &f.IMAP, Submission: &f.Submission, POP3: &f.POP3, Sieve: &f.Sieve}[s]
}

// Ready says whether mail can be read and sent by a password: both servers were reached under a certificate that is
// trusted.
func (f Found) Ready() bool { return f.IMAP.ready() && f.Submission.ready() }

func (a Answer) ready() bool {
	return a.usable() && a.answers() && (a.Security == mailclient.Plain || a.Probe.Trusted())
}

// registrable is the part of a host name that its owner registered: example.co.uk of mail.example.co.uk.
func registrable(host string) string {
	if d, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return d
	}
	return host
}

// username fills the holes of a sign-in name as data.
func username(pattern, address string) string {
	if pattern == "" {
		return address
	}
	local, domain, _ := cutAddress(address)
	return strings.NewReplacer("%EMAILADDRESS%", address, "%EMAILLOCALPART%", local, "%EMAILDOMAIN%", domain).Replace(pattern)
}
