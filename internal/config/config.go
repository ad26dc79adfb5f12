// Package config is the one configuration of the program: defaults, an optional
// TOML file, RESTANTE_* in the environment and flags, each stronger than the one
// before. All faults are told at once. Start at Load.
package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// Config is everything that can be set outside of the pages.
type Config struct {
	Listen         string   `toml:"listen"`          // host:port
	Data           string   `toml:"data"`            // data directory
	DatabaseURL    string   `toml:"database_url"`    // postgres://… or "" for SQLite in Data
	PublicURL      string   `toml:"public_url"`      // https://mail.example.org
	KeyFile        string   `toml:"key_file"`        // default Data/../restante.key beside it
	TrustedProxies []string `toml:"trusted_proxies"` // CIDRs whose X-Forwarded-For counts
	AllowHosts     []string `toml:"allow_hosts"`     // hosts and CIDRs that people may name as servers
	Discover       string   `toml:"discover"`        // look for the servers of other domains at sign-in: off, on, or ispdb, which asks Thunderbird's database too
	Log            string   `toml:"log"`             // debug, info, warn, error
	CAFile         string   `toml:"ca_file"`         // PEM of a private CA for the mail servers
	UndoSeconds    int      `toml:"undo_seconds"`    // default undo window

	// Limits of the site that the pages cannot change then; 0 leaves them to the pages.
	UploadMB         int64 `toml:"upload_mb"`          // one request
	MailsPerHour     int64 `toml:"mails_per_hour"`     // sent by one user
	RecipientsPerDay int64 `toml:"recipients_per_day"` // of the mails of one user

	Domain Domain `toml:"domain"`
}

// Domain is the preset for one mail domain.
type Domain struct {
	Name  string `toml:"name"`
	IMAP  string `toml:"imap"`
	SMTP  string `toml:"smtp"`
	POP3  string `toml:"pop3"`
	Sieve string `toml:"sieve"`
	Login string `toml:"login"` // address (default) or local

	// Authserv is the name under which the domain's own mail server writes Authentication-Results. "" believes none.
	Authserv string `toml:"authserv"`

	// At which provider its people sign in, in the place of a password: google, microsoft or oidc; "" is with a password.
	OAuth         string `toml:"oauth"`
	OAuthClientID string `toml:"oauth_client_id"`
	OAuthSecret   string `toml:"oauth_client_secret"`
	OAuthIssuer   string `toml:"oauth_issuer"` // with oidc
	OAuthTenant   string `toml:"oauth_tenant"` // with microsoft; "" is common
	OAuthScopes   string `toml:"oauth_scopes"` // with oidc; "" is "openid email offline_access"
}

// Server is where one service of a domain is.
type Server struct {
	Host     string
	Port     int
	Security string // tls, starttls, plain
}

// Default is what holds when nothing is set.
func Default() Config {
	return Config{
		Listen: ":8080", Data: "./data", Log: "info", Discover: "off", UndoSeconds: 10,
		Domain: Domain{Login: "address"},
	}
}

// Load fills Default from file (if not empty) and the environment. getenv is os.Getenv outside of tests.
// The error joins every fault found.
func Load(file string, getenv func(string) string) (Config, error) {
	c := Default()
	var faults []error
	if file != "" {
		meta, err := toml.DecodeFile(file, &c)
		if err != nil {
			return c, fmt.Errorf("configuration file: %w", err)
		}
		if extra := meta.Undecoded(); len(extra) > 0 {
			return c, fmt.Errorf("configuration file: unknown key %q", extra[0].String())
		}
		for key, value := range map[string]int64{"upload_mb": c.UploadMB, "mails_per_hour": c.MailsPerHour, "recipients_per_day": c.RecipientsPerDay} {
			if value == 0 && meta.IsDefined(key) {
				faults = append(faults, fmt.Errorf("%s: 0 is none", key))
			}
		}
	}
	c.fromEnv(getenv)
	faults = append(faults, c.numbers(getenv)...)
	return c, errors.Join(errors.Join(faults...), c.Check())
}

func (c *Config) fromEnv(getenv func(string) string) {
	for name, field := range map[string]*string{
		"LISTEN": &c.Listen, "DATA": &c.Data, "DATABASE_URL": &c.DatabaseURL, "PUBLIC_URL": &c.PublicURL,
		"KEY_FILE": &c.KeyFile, "LOG": &c.Log, "DISCOVER": &c.Discover, "CA_FILE": &c.CAFile, "DOMAIN": &c.Domain.Name,
		"DOMAIN_IMAP": &c.Domain.IMAP, "DOMAIN_SMTP": &c.Domain.SMTP, "DOMAIN_POP3": &c.Domain.POP3,
		"DOMAIN_SIEVE": &c.Domain.Sieve, "DOMAIN_LOGIN": &c.Domain.Login, "DOMAIN_AUTHSERV": &c.Domain.Authserv,
		"DOMAIN_OAUTH": &c.Domain.OAuth, "DOMAIN_OAUTH_CLIENT_ID": &c.Domain.OAuthClientID, "DOMAIN_OAUTH_CLIENT_SECRET": &c.Domain.OAuthSecret,
		"DOMAIN_OAUTH_ISSUER": &c.Domain.OAuthIssuer, "DOMAIN_OAUTH_TENANT": &c.Domain.OAuthTenant, "DOMAIN_OAUTH_SCOPES": &c.Domain.OAuthScopes,
	} {
		if v := getenv("RESTANTE_" + name); v != "" {
			*field = v
		}
	}
	for name, field := range map[string]*[]string{"TRUSTED_PROXIES": &c.TrustedProxies, "ALLOW_HOSTS": &c.AllowHosts} {
		if v := getenv("RESTANTE_" + name); v != "" {
			*field = strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' })
		}
	}
}

// numbers reads the settings that are numbers.
func (c *Config) numbers(getenv func(string) string) (faults []error) {
	for name, set := range map[string]func(int64){
		"UNDO_SECONDS": func(n int64) { c.UndoSeconds = int(n) }, "UPLOAD_MB": func(n int64) { c.UploadMB = n },
		"MAILS_PER_HOUR": func(n int64) { c.MailsPerHour = n }, "RECIPIENTS_PER_DAY": func(n int64) { c.RecipientsPerDay = n },
	} {
		v := getenv("RESTANTE_" + name)
		if v == "" {
			continue
		}
		n, err := strconv.ParseInt(v, 10, 32)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %q is no number", strings.ToLower(name), v))
			continue
		}
		if n == 0 && name != "UNDO_SECONDS" {
			faults = append(faults, fmt.Errorf("%s: 0 is none", strings.ToLower(name)))
		}
		set(n)
	}
	return faults
}

// Check tells every fault of the configuration at once.
func (c *Config) Check() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		fault("listen: %q is not host:port", c.Listen)
	}
	if c.Data == "" {
		fault("data: a directory is needed")
	}
	if c.DatabaseURL != "" && !strings.HasPrefix(c.DatabaseURL, "postgres://") && !strings.HasPrefix(c.DatabaseURL, "postgresql://") {
		fault("database_url: only postgres:// is understood")
	}
	if c.PublicURL != "" {
		if u, err := url.Parse(c.PublicURL); err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
			fault("public_url: %q is not http(s)://host", c.PublicURL)
		}
	}
	for _, p := range c.TrustedProxies {
		if _, err := parsePrefix(p); err != nil {
			fault("trusted_proxies: %q is not an address or CIDR", p)
		}
	}
	switch c.Log {
	case "debug", "info", "warn", "error":
	default:
		fault("log: %q is not debug, info, warn or error", c.Log)
	}
	switch c.Discover {
	case "off", "on", "ispdb":
	default:
		fault("discover: %q is not off, on or ispdb", c.Discover)
	}
	if c.UndoSeconds < 0 || c.UndoSeconds > 60 {
		fault("undo_seconds: %d is not between 0 and 60", c.UndoSeconds)
	}
	if c.UploadMB < 0 || c.UploadMB > 2048 {
		fault("upload_mb: %d is not between 1 and 2048", c.UploadMB)
	}
	if c.MailsPerHour < 0 {
		fault("mails_per_hour: %d is none", c.MailsPerHour)
	}
	if c.RecipientsPerDay < 0 {
		fault("recipients_per_day: %d is none", c.RecipientsPerDay)
	}
	if c.Domain.Login != "address" && c.Domain.Login != "local" {
		fault("domain login: %q is not address or local", c.Domain.Login)
	}
	faults = append(faults, c.Domain.faults()...)
	if c.KeyFile == "" {
		c.KeyFile = filepath.Clean(c.Data) + ".key"
	}
	return errors.Join(faults...)
}

func (d Domain) faults() (faults []error) {
	if d.Name == "" {
		if d.IMAP+d.SMTP+d.POP3+d.Sieve != "" {
			faults = append(faults, errors.New("domain: servers are set, but RESTANTE_DOMAIN is not"))
		}
		return faults
	}
	if d.IMAP == "" || d.SMTP == "" {
		faults = append(faults, fmt.Errorf("domain %s: both an IMAP and an SMTP server are needed", d.Name))
	}
	for name, s := range map[string]string{"imap": d.IMAP, "smtp": d.SMTP, "pop3": d.POP3, "sieve": d.Sieve} {
		if s == "" {
			continue
		}
		if _, err := ParseServer(s, name); err != nil {
			faults = append(faults, err)
		}
	}
	return append(faults, d.oauthFaults()...)
}

func (d Domain) oauthFaults() (faults []error) {
	fault := func(words string) { faults = append(faults, fmt.Errorf("domain %s: %s", d.Name, words)) }
	switch d.OAuth {
	case "":
		if d.OAuthClientID+d.OAuthSecret+d.OAuthIssuer+d.OAuthTenant+d.OAuthScopes != "" {
			fault("oauth settings are there, but RESTANTE_DOMAIN_OAUTH is not")
		}
		return faults
	case "google", "microsoft":
		if d.OAuthIssuer != "" || d.OAuthScopes != "" {
			fault("an issuer and scopes are for oauth = oidc")
		}
	case "oidc":
		if u, err := url.Parse(d.OAuthIssuer); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			fault("oauth = oidc needs RESTANTE_DOMAIN_OAUTH_ISSUER, an address by https")
		}
	default:
		fault(fmt.Sprintf("oauth: %q is not google, microsoft or oidc", d.OAuth))
	}
	if d.OAuthClientID == "" {
		fault("oauth needs RESTANTE_DOMAIN_OAUTH_CLIENT_ID")
	}
	return faults
}

var defaultPorts = map[string]map[string]int{
	"imap":  {"tls": 993, "starttls": 143, "plain": 143},
	"smtp":  {"tls": 465, "starttls": 587, "plain": 587},
	"pop3":  {"tls": 995, "starttls": 110, "plain": 110},
	"sieve": {"tls": 4190, "starttls": 4190, "plain": 4190},
}

// ParseServer reads imaps://host:port, imap://… (STARTTLS) or imap+plain://…; service is imap, smtp, pop3 or sieve.
func ParseServer(raw, service string) (Server, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" {
		return Server{}, fmt.Errorf("%s server: this is not %ss://host:port", service, service)
	}
	if u.User != nil { // not shown: it may hold a password
		return Server{}, fmt.Errorf("%s server: a name or password stands before the host; nobody signs in by it here", service)
	}
	s := Server{Host: u.Hostname()}
	switch u.Scheme {
	case service + "s":
		s.Security = "tls"
	case service:
		s.Security = "starttls"
	case service + "+plain":
		s.Security = "plain"
	default:
		return Server{}, fmt.Errorf("%s server: scheme %q is not %ss, %s or %s+plain", service, u.Scheme, service, service, service)
	}
	s.Port = defaultPorts[service][s.Security]
	if p := u.Port(); p != "" {
		if s.Port, err = strconv.Atoi(p); err != nil || s.Port < 1 || s.Port > 65535 {
			return Server{}, fmt.Errorf("%s server: %q is no port", service, p)
		}
	}
	return s, nil
}

// SiteURL is the address of a site, without a path.
func SiteURL(s string) (string, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Hostname() == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return s, false
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), true
}

// Proxies are the trusted proxies as prefixes.
func (c Config) Proxies() []netip.Prefix {
	var out []netip.Prefix
	for _, p := range c.TrustedProxies {
		if prefix, err := parsePrefix(p); err == nil {
			out = append(out, prefix)
		}
	}
	return out
}

func parsePrefix(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p, nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	return a.Prefix(a.BitLen())
}

// UndoWindow is the default time in which a sent mail can be taken back.
func (c Config) UndoWindow() time.Duration { return time.Duration(c.UndoSeconds) * time.Second }

// EnsureData makes the data directory, readable by the service user alone.
func (c Config) EnsureData() error { return os.MkdirAll(c.Data, 0o700) }
