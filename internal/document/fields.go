package document

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"restante/internal/config"
	"restante/mailclient"
	"restante/mailclient/discover"
)

// field is a setting of a domain. get gives "" for one that is not set, and set takes what get gives.
type field struct {
	name   string
	get    func(d discover.Domain) string
	set    func(d *discover.Domain, v string) error
	secret *purpose // of a secret: get and set have it as it is kept, sealed and in base64; in the document is a reference
}

// fields are the settings of a domain, in the order in which they are written. One more is one more line here.
var fields = []field{
	place("imap", discover.IMAP), pin("imap_pin", discover.IMAP),
	place("smtp", discover.Submission), pin("smtp_pin", discover.Submission),
	place("sieve", discover.Sieve), pin("sieve_pin", discover.Sieve),
	place("pop3", discover.POP3), pin("pop3_pin", discover.POP3),
	{name: "login", get: login, set: setLogin},
	{name: "authserv", get: func(d discover.Domain) string { return d.Authserv }, set: func(d *discover.Domain, v string) error { d.Authserv = v; return line(v) }},
	{name: "oauth", get: func(d discover.Domain) string { return provider(d).Kind }, set: setProvider},
	atProvider("oauth_client_id", func(o *discover.OAuth) *string { return &o.ClientID }),
	{name: "oauth_client_secret", get: func(d discover.Domain) string { return base64.StdEncoding.EncodeToString(provider(d).Sealed) }, set: setSecret, secret: &purpose{"domain-secret/1", "domains/oauth"}},
	atProvider("oauth_issuer", func(o *discover.OAuth) *string { return &o.Issuer }),
	atProvider("oauth_tenant", func(o *discover.OAuth) *string { return &o.Tenant }),
	atProvider("oauth_scopes", func(o *discover.OAuth) *string { return &o.Scopes }),
	{name: "ca", get: func(d discover.Domain) string { return d.CA }, set: func(d *discover.Domain, v string) error { d.CA = v; return certificates(v) }},
}

const maxLine = 200 // bytes of a setting in words, as in the pages

// line refuses what is no single line of text.
func line(v string) error {
	if len(v) > maxLine || strings.ContainsAny(v, "\r\n\x00") {
		return fmt.Errorf("a line of %d bytes at most is wanted", maxLine)
	}
	return nil
}

const maxCA = 64 << 10 // bytes, as in the pages

func certificates(v string) error {
	switch {
	case len(v) > maxCA:
		return fmt.Errorf("certificates have %d KB at most", maxCA>>10)
	case v != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(v)):
		return errors.New("this is no certificate in PEM")
	}
	return nil
}

func login(d discover.Domain) string {
	if d.Login == discover.LoginLocal {
		return "local"
	}
	return d.Login
}

func setLogin(d *discover.Domain, v string) error {
	switch v {
	case "address":
		v = ""
	case "local":
		v = discover.LoginLocal
	}
	d.Login = v
	return line(v)
}

// provider is where the people of a domain sign in, or an empty one.
func provider(d discover.Domain) discover.OAuth {
	if d.OAuth == nil {
		return discover.OAuth{}
	}
	return *d.OAuth
}

func setProvider(d *discover.Domain, v string) error {
	switch v {
	case "":
		d.OAuth = nil
	case "google", "microsoft", "oidc":
		d.OAuth = &discover.OAuth{Kind: v}
	default:
		return fmt.Errorf("%q is not google, microsoft or oidc", v)
	}
	return nil
}

var errNoProvider = errors.New("oauth = google, microsoft or oidc is missing")

func setSecret(d *discover.Domain, v string) (err error) {
	switch {
	case v == "":
		return nil
	case d.OAuth == nil:
		return errNoProvider
	}
	d.OAuth.Sealed, err = base64.StdEncoding.DecodeString(v)
	return err
}

// atProvider is a setting of the provider; which say what of it.
func atProvider(name string, which func(o *discover.OAuth) *string) field {
	return field{name: name, get: func(d discover.Domain) string { o := provider(d); return *which(&o) }, set: func(d *discover.Domain, v string) error {
		switch {
		case v == "":
			return nil
		case d.OAuth == nil:
			return errNoProvider
		}
		*which(d.OAuth) = v
		return line(v)
	}}
}

// place is where a service is, as in the configuration: imaps://host:port and so on.
func place(name string, s discover.Service) field {
	return field{name: name, get: func(d discover.Domain) string { return written(name, *d.Of(s)) }, set: func(d *discover.Domain, v string) error {
		if v == "" {
			return nil
		}
		p, err := config.ParseServer(v, name)
		if err != nil {
			return err
		}
		host, err := cleanHost(p.Host)
		if err != nil {
			return err
		}
		*d.Of(s) = discover.Place{Host: host, Port: p.Port, Security: mailclient.Security(p.Security)}
		if u, err := url.Parse(v); err != nil || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
			return fmt.Errorf("%s holds more than a server", shown(v))
		}
		return nil
	}}
}

func written(service string, p discover.Place) string {
	if p.Host == "" {
		return ""
	}
	scheme := map[mailclient.Security]string{mailclient.TLS: service + "s", mailclient.StartTLS: service, mailclient.Plain: service + "+plain"}[p.Security]
	u := url.URL{Scheme: scheme, Host: net.JoinHostPort(p.Host, strconv.Itoa(p.Port))}
	return u.String()
}

func cleanHost(host string) (string, error) {
	if ascii, ok := discover.HostName(host); ok {
		return ascii, nil
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return a.String(), nil
	}
	if strings.EqualFold(host, "localhost") {
		return "localhost", nil
	}
	return "", fmt.Errorf("%q is no host", host)
}

// pin is of the public key that a service has to show, whoever vouches for it.
func pin(name string, s discover.Service) field {
	return field{name: name, get: func(d discover.Domain) string { return d.Of(s).Pin }, set: func(d *discover.Domain, v string) error {
		if v == "" {
			return nil
		}
		if raw, err := hex.DecodeString(v); err != nil || len(raw) != 32 || v != strings.ToLower(v) {
			return errors.New("a pin has 64 hex digits, in small letters")
		}
		if d.Of(s).Host == "" {
			return errors.New("a pin without a server")
		}
		d.Of(s).Pin = v
		return nil
	}}
}

// keepSources leaves who named a server as it was, where the server is the same, and notes when passwords go elsewhere:
// with a domain that is new they do, for whoever signed in there before. The document does not tell.
func keepSources(d *discover.Domain, old discover.Domain) {
	d.Moved = d.MovedFrom(old, time.Now())
	for _, s := range []discover.Service{discover.IMAP, discover.Submission, discover.POP3, discover.Sieve} {
		if p, o := d.Of(s), old.Of(s); p.Host == o.Host && p.Port == o.Port && p.Security == o.Security {
			p.Source = o.Source
		}
	}
}
