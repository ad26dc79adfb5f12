package discover

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"restante/mailclient"
)

// clientConfig is Thunderbird's page of settings (https://www.bucksch.org/1/projects/thunderbird/autoconfiguration/).
type clientConfig struct {
	Provider struct {
		Incoming []configServer `xml:"incomingServer"`
		Outgoing []configServer `xml:"outgoingServer"`
	} `xml:"emailProvider"`
}

type configServer struct {
	Type           string   `xml:"type,attr"`
	Hostname       string   `xml:"hostname"`
	Port           string   `xml:"port"`
	SocketType     string   `xml:"socketType"`
	Username       string   `xml:"username"`
	Authentication []string `xml:"authentication"`
}

// Autoconfig reads a page of autoconfig for an address (PROTOCOLS D3). Entries that make no sense are left out.
func autoconfig(b []byte, address string) (map[Service][]Answer, error) {
	var c clientConfig
	if err := readXML(b, &c); err != nil {
		return nil, err
	}
	var r report
	for _, s := range append(c.Provider.Incoming, c.Provider.Outgoing...) {
		service, known := map[string]Service{"imap": IMAP, "pop3": POP3, "smtp": Submission}[strings.ToLower(strings.TrimSpace(s.Type))]
		a, ok := s.answer(address)
		if known && ok {
			r.add(service, a)
		}
	}
	if len(r.answers) == 0 {
		return nil, errNonsense
	}
	return r.answers, nil
}

func (s configServer) answer(address string) (a Answer, ok bool) {
	_, domain, _ := cutAddress(address)
	if a.Host, ok = hostName(strings.ReplaceAll(s.Hostname, "%EMAILDOMAIN%", domain)); !ok {
		return a, false
	}
	if a.Port, ok = mailPort(s.Port); !ok {
		return a, false
	}
	switch strings.ToUpper(strings.TrimSpace(s.SocketType)) {
	case "SSL", "TLS":
		a.Security = mailclient.TLS
	case "STARTTLS":
		a.Security = mailclient.StartTLS
	case "PLAIN":
		a.Security = mailclient.Plain
	default:
		return a, false
	}
	a.Login = loginName(s.Username)
	for _, word := range s.Authentication[:min(len(s.Authentication), maxNamed)] {
		if kind := authKind(word); !slices.Contains(a.Auth, kind) {
			a.Auth = append(a.Auth, kind)
		}
	}
	return a, true
}

// mailPort reads a port on which mail may be read or sent: 25 is for servers among themselves.
func mailPort(s string) (int, bool) {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	return n, err == nil && n > 0 && n < 1<<16 && n != 25
}

// loginName is a name with its holes, "" for one that a person could not sign in with.
func loginName(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 254 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' }) {
		return ""
	}
	return s
}

func authKind(word string) Auth {
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "password-cleartext", "plain":
		return AuthPassword
	case "password-encrypted", "secure":
		return AuthEncrypted
	case "oauth2":
		return AuthOAuth2
	}
	return AuthOther
}

// configPath is where a domain keeps its page, on the host autoconfig and on its own.
const (
	configPath = "/mail/config-v1.1.xml"
	wellKnown  = "/.well-known/autoconfig/mail/config-v1.1.xml"
)

func (q *quest) fromAutoconfig(ctx context.Context) *report {
	return q.config(ctx, FromAutoconfig,
		at("https", "autoconfig."+q.domain, configPath, url.Values{"emailaddress": {q.address}}),
		at("https", q.domain, wellKnown, nil),
		at("http", "autoconfig."+q.domain, configPath, nil)) // the address goes nowhere in the open
}

func (q *quest) fromISPDB(ctx context.Context) *report {
	return q.config(ctx, FromISPDB, at("https", "autoconfig.thunderbird.net", "/v1.1/"+q.domain, nil))
}

// config asks for pages of settings.
func (q *quest) config(ctx context.Context, source Source, urls ...string) *report {
	r := &report{}
	pages := make([]page, len(urls))
	for i, u := range urls {
		pages[i].url = u
	}
	r.read(ctx, q, source, func(b []byte) (map[Service][]Answer, error) { return autoconfig(b, q.address) }, pages)
	return r
}

// read asks for pages at once and takes the answers of the first that has some.
func (r *report) read(ctx context.Context, q *quest, source Source, parse func([]byte) (map[Service][]Answer, error), pages []page) {
	answers, faults := make([]map[Service][]Answer, len(pages)), make([]error, len(pages))
	var all sync.WaitGroup
	for i, p := range pages {
		all.Go(func() {
			b, err := q.read(ctx, p)
			if err == nil {
				answers[i], err = parse(b)
			}
			faults[i] = err
		})
	}
	all.Wait()
	for i, p := range pages {
		where, _, _ := strings.Cut(p.url, "?")
		r.saw(source, where, cameOf(faults[i]))
		if faults[i] == nil && r.answers == nil {
			r.take(q, answers[i], Answer{Source: source, Where: where, Open: strings.HasPrefix(p.url, "http:")})
		}
	}
}

// take adds answers that came from one place. What a page in the open says of hosts outside of the domain, or without
// TLS, is not even shown (D2).
func (r *report) take(q *quest, answers map[Service][]Answer, from Answer) {
	for _, s := range services {
		for _, a := range answers[s] {
			a.Source, a.Where, a.Open = from.Source, from.Where, from.Open
			a = q.relate(a)
			if a.Open && (a.Outside || a.Security == mailclient.Plain) {
				continue
			}
			r.add(s, a)
		}
	}
}
