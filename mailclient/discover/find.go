package discover

import (
	"context"
	"crypto/x509"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"restante/mailclient"
	"restante/mailclient/wire"
)

// Limits of one lookup (PROTOCOLS D2, D6).
const (
	findTime    = 15 * time.Second // in all
	askTime     = 5 * time.Second  // for one question
	maxDials    = 12               // of mail servers
	maxRequests = 12               // for pages, redirects included
	maxNamed    = 20               // answers of one source
)

// Resolver asks DNS. *net.Resolver is one: it reads SRV and MX with a target of "." as they are, and takes a context,
// which is all that is needed here.
type Resolver interface {
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupHost(ctx context.Context, host string) ([]string, error)
}

// FinderOptions say whom a Finder may ask.
type FinderOptions struct {
	Dial      mailclient.Dialer // to pages and mail servers alike; it has to refuse what nobody may be sent to. nil: an ordinary one
	Resolver  Resolver          // nil: the system's
	RootCAs   *x509.CertPool    // nil: the system's
	Directory *Directory        // whose domains come first; nil: none
	ISPDB     bool              // ask Thunderbird's database, which learns the domain, though never the address
}

// Finder looks for the servers of addresses. It is safe for use by many goroutines.
type Finder struct{ o FinderOptions }

// NewFinder makes a Finder.
func NewFinder(o FinderOptions) *Finder {
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	if o.Directory == nil {
		o.Directory = NewDirectory()
	}
	return &Finder{o}
}

// Find asks all sources at once and chooses by their order, not by their speed; then it looks, without a password,
// whether what it has chosen is there. It ends within 15 seconds, with what was found until then. The error is
// ErrAddress, or that ctx ended.
func (f *Finder) Find(ctx context.Context, address string) (Found, error) {
	_, domain, err := cutAddress(address)
	if err != nil {
		return Found{}, err
	}
	q := &quest{Finder: f, address: address, domain: domain, own: registrable(domain)}
	within, cancel := context.WithTimeout(ctx, findTime)
	defer cancel()
	found := q.run(within)
	if ctx.Err() != nil {
		return Found{}, ctx.Err()
	}
	found.At = time.Now()
	return found, nil
}

// Endpoint is an answer as it is to be connected to.
func (f *Finder) Endpoint(a Answer) mailclient.Endpoint {
	return mailclient.Endpoint{Host: a.Host, Port: a.Port, Security: a.Security, RootCAs: f.o.RootCAs, Via: f.o.Dial}
}

// Servers are the servers that were found, dialled as the Finder dials.
func (f *Finder) Servers(found Found) Servers {
	s := Servers{
		Domain: found.Domain, IMAP: f.Endpoint(found.IMAP.Answer), SMTP: f.Endpoint(found.Submission.Answer), Login: found.IMAP.Login,
		Files: found.Files, Password: found.Password, Source: found.IMAP.Source,
	}
	if found.POP3.ready() {
		s.POP3 = f.Endpoint(found.POP3.Answer)
	}
	if found.Sieve.ready() {
		s.Sieve = f.Endpoint(found.Sieve.Answer)
	}
	return s
}

// quest is one lookup.
type quest struct {
	*Finder
	address, domain, own string

	mx              []string // as the MX source found them
	dials, requests atomic.Int32
}

// report is what one source says.
type report struct {
	answers map[Service][]Answer
	refused map[Service]bool
	looked  []Look
	files   bool
	page    string // about app passwords
}

func (r *report) add(s Service, a Answer) {
	if r.answers == nil {
		r.answers = map[Service][]Answer{}
	}
	if len(r.answers[s]) < maxNamed {
		r.answers[s] = append(r.answers[s], a)
	}
}

func (r *report) saw(source Source, where string, came Came) {
	r.looked = append(r.looked, Look{source, where, came})
}

// complete says whether mail can be read and sent by what a source says.
func (r *report) complete() bool {
	return usableOf(r.answers[IMAP]) && usableOf(r.answers[Submission])
}

func usableOf(list []Answer) bool {
	for _, a := range list {
		if a.usable() {
			return true
		}
	}
	return false
}

func (q *quest) run(ctx context.Context) Found {
	reports := map[Source]*report{FromDomain: q.fromDomain(), FromPreset: q.fromPreset()}
	if !reports[FromDomain].complete() && len(reports[FromPreset].answers) == 0 { // else nothing would be believed before them
		q.ask(ctx, reports)
	}
	found := q.choose(reports)
	q.prove(ctx, &found)
	return found
}

// ask asks the sources beyond this process, all at once.
func (q *quest) ask(ctx context.Context, reports map[Source]*report) {
	sources := map[Source]func(context.Context) *report{
		FromAutoconfig: q.fromAutoconfig, FromSRV: q.fromSRV, FromMX: q.fromMX, FromAutodiscover: q.fromAutodiscover,
	}
	if q.o.ISPDB {
		sources[FromISPDB] = q.fromISPDB
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	for source, f := range sources {
		all.Go(func() {
			r := f(ctx)
			mu.Lock()
			defer mu.Unlock()
			reports[source] = r
		})
	}
	all.Wait()
}

func (q *quest) fromDomain() *report {
	r := &report{}
	s, ok := q.o.Directory.own(q.domain)
	if !ok {
		return r
	}
	r.saw(FromDomain, q.domain, CameAnswer)
	r.takeServers(FromDomain, s, nil)
	return r
}

func (q *quest) fromPreset() *report {
	r := &report{}
	if p, ok := byDomain[q.domain]; ok {
		r.saw(FromPreset, q.domain, CameAnswer)
		r.takePreset(FromPreset, q.domain, p)
	}
	return r
}

func (r *report) takePreset(source Source, where string, p provider) {
	auth := []Auth{AuthPassword}
	if p.oauth {
		auth = []Auth{AuthOAuth2}
	}
	s := p.servers(where)
	r.files, r.page = s.Files, s.Password
	r.takeServers(source, s, auth)
}

func (r *report) takeServers(source Source, s Servers, auth []Auth) {
	login := s.Login
	if s.Local {
		login = LoginLocal
	}
	for _, service := range services {
		if ep := s.Of(service); ep.Host != "" {
			r.add(service, Answer{Host: ep.Host, Port: ep.Port, Security: ep.Security, Login: login, Auth: auth, Source: source, Where: s.Domain, Known: true})
		}
	}
}

// relate says how a host stands to the domain.
func (q *quest) relate(a Answer) Answer {
	a.Outside = registrable(a.Host) != q.own
	return a
}

// choose puts the answers of all sources in order: those of the first source that knows where to read and to send
// come before all others.
func (q *quest) choose(reports map[Source]*report) Found {
	f := Found{Domain: q.domain}
	var first *report
	for _, source := range order {
		r := reports[source]
		if r == nil {
			continue
		}
		f.Looked = append(f.Looked, r.looked...)
		if first == nil && r.complete() {
			first = r
			f.Files, f.Password = r.files, r.page
		}
	}
	for _, s := range services {
		c := f.Of(s)
		var all, before []Answer
		if first != nil {
			all = append(all, first.answers[s]...)
		}
		for _, source := range order {
			r := reports[source]
			if r == nil {
				continue
			}
			if r != first {
				all = append(all, r.answers[s]...)
			}
			if r.refused[s] && !usableOf(before) { // what the domain says of itself counts more than what comes after
				c.Refused = true
			}
			before = append(before, r.answers[s]...)
		}
		c.fill(all)
	}
	return f
}

// fill chooses the first answer that can be used, else the first that could be by OAuth2, of answers in their order.
// What says the same again is left out.
func (c *Choice) fill(all []Answer) {
	best := -1
	for i, a := range all {
		if a.usable() {
			best = i
			break
		}
		if best < 0 && a.OAuthOnly() && a.Security != mailclient.Plain {
			best = i
		}
	}
	if best >= 0 && !c.Refused {
		c.Answer = all[best]
	}
	for i, a := range all {
		if i == best && !c.Refused || a.same(c.Answer) || c.has(a) {
			continue
		}
		c.Others = append(c.Others, a)
	}
}

func (c *Choice) has(a Answer) bool {
	for _, o := range c.Others {
		if o.same(a) {
			return true
		}
	}
	return false
}

// probe looks at a server, as far as there are dials left.
func (q *quest) probe(ctx context.Context, s Service, a Answer) *Probe {
	if q.dials.Add(1) > maxDials {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	ep := q.Endpoint(a)
	if a.Source == FromDomain { // as the admin wants it
		own, _ := q.o.Directory.own(q.domain)
		ep = own.Of(s)
	}
	p := Try(ctx, s, ep)
	return &p
}

// came says what a failed probe means.
func came(p *Probe) Came {
	switch {
	case p == nil:
		return CameSilence
	case p.Problem == "" && p.Certificate != nil && len(p.Certificate.Faults) > 0:
		return CameUntrusted
	case p.Problem == "":
		return CameAnswer
	case p.Problem == wire.NoSuchHost:
		return CameNothing
	case p.Problem == wire.Forbidden:
		return CameForbidden
	case p.Problem == wire.Unreachable, p.Problem == wire.Timeout, p.Problem == wire.Lost:
		return CameSilence
	}
	return CameNonsense
}
