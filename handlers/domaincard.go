package handlers

import (
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"restante/internal/i18n"
	"restante/mailclient"
	"restante/mailclient/checkup"
	"restante/mailclient/discover"
	"restante/templates"
)

// domainDraft is a domain that is being set up: what it will be, and what was seen of its servers.
type domainDraft struct {
	discover.Domain
	Found  *discover.Found                     `json:"found,omitempty"`
	Probes map[discover.Service]discover.Probe `json:"probes,omitempty"`
	Tested []checkup.Step                      `json:"tested,omitempty"`
	Tester string                              `json:"tester,omitempty"` // the address it was tested with
}

const (
	maxCA    = 64 << 10 // bytes of an authority's certificates
	tryTime  = 12 * time.Second
	testTime = 100 * time.Second
)

var cardServices = []discover.Service{discover.IMAP, discover.Submission, discover.Sieve, discover.POP3}

var usualPorts = map[discover.Service]map[mailclient.Security]int{
	discover.IMAP:       {mailclient.TLS: 993, mailclient.StartTLS: 143, mailclient.Plain: 143},
	discover.Submission: {mailclient.TLS: 465, mailclient.StartTLS: 587, mailclient.Plain: 587},
	discover.POP3:       {mailclient.TLS: 995, mailclient.StartTLS: 110, mailclient.Plain: 110},
	discover.Sieve:      {mailclient.TLS: 4190, mailclient.StartTLS: 4190, mailclient.Plain: 4190},
}

// lookUp finds the servers of a domain, or of an address's.
func (s *Server) lookUp(ctx context.Context, d *domainDraft, typed string) error {
	address := strings.ToLower(strings.TrimSpace(typed))
	if !strings.Contains(address, "@") {
		address = "postmaster@" + address
	}
	found, err := s.setup.Finder.Find(ctx, address)
	if err != nil {
		return err
	}
	kept := discover.Domain{CA: d.CA, Authserv: d.Authserv, OAuth: d.OAuth}
	if found.Domain != d.Name {
		kept = discover.Domain{}
	}
	*d = domainDraft{Domain: kept, Found: &found}
	d.Take(found)
	d.Probes = map[discover.Service]discover.Probe{}
	for _, service := range cardServices {
		if p := found.Of(service).Probe; p != nil {
			d.Probes[service] = *p
		}
	}
	return nil
}

// probe looks at all servers of the draft at once, without a password.
func (s *Server) probe(ctx context.Context, d *domainDraft) {
	ctx, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	servers := d.Servers(s.setup.Roots, s.setup.Dial)
	at := map[discover.Service]mailclient.Endpoint{discover.IMAP: servers.IMAP, discover.Submission: servers.SMTP, discover.POP3: servers.POP3, discover.Sieve: servers.Sieve}
	probes := map[discover.Service]discover.Probe{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, service := range cardServices {
		if at[service].Host == "" {
			continue
		}
		all.Go(func() {
			p := discover.Try(ctx, service, at[service])
			mu.Lock()
			defer mu.Unlock()
			probes[service] = p
		})
	}
	all.Wait()
	d.Probes = probes
}

// unvouched looks once more at the servers of the draft, and says in words that nobody vouches for one to which passwords
// would go: nobody could sign in there. "" says that somebody does, or that it does not answer.
func (s *Server) unvouched(ctx context.Context, d *domainDraft, l *i18n.Localizer) string {
	s.probe(ctx, d)
	var out []string
	for _, service := range []discover.Service{discover.IMAP, discover.Submission} {
		if c := d.Probes[service].Certificate; c != nil && len(c.Faults) > 0 {
			out = append(out, l.T("domain.unvouched", "Service", serviceNames[service], "Host", d.Of(service).Host))
		}
	}
	if len(out) > 0 {
		out = append(out, l.T("domain.unvouched.do"))
	}
	return strings.Join(out, " ")
}

// change takes the places of a form. Another place is nobody's finding, has no pin and was not looked at.
func (d *domainDraft) change(form url.Values) error {
	for _, service := range cardServices {
		id := string(service)
		if !form.Has(id + "_host") {
			continue
		}
		p := discover.Place{Host: cleanHost(form.Get(id + "_host")), Security: mailclient.Security(form.Get(id + "_security"))}
		if p.Host == "" {
			*d.Of(service) = discover.Place{}
			delete(d.Probes, service)
			continue
		}
		p.Port = usualPorts[service][p.Security]
		if v := strings.TrimSpace(form.Get(id + "_port")); v != "" {
			p.Port, _ = strconv.Atoi(v)
		}
		old := d.Of(service)
		if old.Host == p.Host && old.Port == p.Port && old.Security == p.Security {
			continue
		}
		*old = p
		delete(d.Probes, service)
	}
	if form.Has("login") {
		switch v := form.Get("login"); {
		case v == "local":
			d.Login = discover.LoginLocal
		case v == "address":
			d.Login = ""
		}
	}
	if form.Has("authserv") {
		d.Authserv = cutText(oneLine(form.Get("authserv")), 200)
	}
	return d.Check()
}

func cleanHost(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if ascii, ok := discover.HostName(s); ok {
		return ascii
	}
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return a.String()
	}
	return cutText(s, 253)
}

// cardForm reads the form of a card: its fields, and the file of an authority if one comes along.
func cardForm(r *http.Request) (pem string, err error) {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		return "", parseForm(r)
	}
	r.PostForm = url.Values{}
	mr, err := r.MultipartReader()
	if err != nil {
		return "", wrap(err, http.StatusBadRequest, "error.form")
	}
	err = readFields(mr, r.PostForm, formLimits{bytes: formBytes, fields: formFields}, func(part *multipart.Part) error {
		raw, err := io.ReadAll(io.LimitReader(part, maxCA+1))
		if err == nil && len(raw) > maxCA {
			return &Problem{Status: http.StatusRequestEntityTooLarge, Key: "domain.catoolarge"}
		}
		pem = string(raw)
		return err
	})
	if err != nil {
		return "", err
	}
	return pem, checkText(r.PostForm)
}

// actOnCard does what a button of the card asks for. done says that the domain can be kept; a fault in what was typed
// comes as words.
func (s *Server) actOnCard(r *http.Request, d *domainDraft, l *i18n.Localizer) (done bool, fault string, err error) {
	pem, err := cardForm(r)
	if err != nil {
		return false, "", err
	}
	verb, what, _ := strings.Cut(r.PostForm.Get("action"), " ")
	switch verb {
	case "skip":
		return false, "", nil
	case "look":
		err := s.lookUp(r.Context(), d, r.PostForm.Get("domain"))
		if errors.Is(err, discover.ErrAddress) {
			return false, l.T("domain.noname"), nil
		}
		return false, "", err
	}
	if name := cleanHost(r.PostForm.Get("domain")); d.Name == "" {
		d.Name = name
	}
	if pem != "" {
		d.CA = pem
	}
	if r.PostForm.Get("noca") != "" {
		d.CA = ""
	}
	s.changeProvider(d, r.PostForm)
	if err := d.change(r.PostForm); err != nil {
		if errors.Is(err, discover.ErrDomainCA) {
			d.CA = ""
		}
		return false, d.fault(l, err), nil
	}
	service := discover.Service(what)
	switch verb {
	case "save":
		if s.servers.Stays(d.Name) {
			return false, l.T("domain.stays", "Domain", d.Name), nil
		}
		fault := s.providerFault(r.Context(), d, l)
		return fault == "", fault, nil
	case "pin":
		if p, ok := d.Probes[service]; ok && p.Certificate != nil {
			d.Of(service).Pin = p.Certificate.Pin
		}
	case "unpin":
		if p := d.Of(service); p != nil {
			p.Pin = ""
		}
	case "use":
		id, n, _ := strings.Cut(what, " ")
		d.use(discover.Service(id), atoi(n))
	}
	s.probe(r.Context(), d)
	return false, "", nil
}

// use takes another finding for a service.
func (d *domainDraft) use(service discover.Service, n int) {
	if d.Found == nil || !slices.Contains(cardServices, service) {
		return
	}
	if all := d.Found.Of(service).Disagree(); n >= 0 && n < len(all) {
		a := all[n]
		*d.Of(service) = discover.Place{Host: a.Host, Port: a.Port, Security: a.Security, Source: a.Source}
	}
}

// fault says what is wrong with what was typed.
func (d *domainDraft) fault(l *i18n.Localizer, err error) string {
	var place *discover.PlaceError
	switch {
	case errors.Is(err, discover.ErrDomainName):
		return l.T("domain.noname")
	case errors.Is(err, discover.ErrNeeded):
		return l.T("domain.needed")
	case errors.Is(err, discover.ErrDomainCA):
		return l.T("domain.noca")
	case errors.Is(err, discover.ErrDomainOAuth):
		return l.T("domain.oauth.bad")
	case errors.As(err, &place):
		p := d.Of(place.Service)
		return l.T("domain.noplace", "Service", l.T("domain."+string(place.Service)), "At", net.JoinHostPort(p.Host, strconv.Itoa(p.Port)))
	}
	return l.T("error.form")
}

var securityWords = map[mailclient.Security]string{mailclient.TLS: "TLS", mailclient.StartTLS: "STARTTLS", mailclient.Plain: "domain.plain"}

// card is the draft as its page shows it.
func (d *domainDraft) card(l *i18n.Localizer, formURL string) *templates.DomainCard {
	c := &templates.DomainCard{FormURL: formURL, Domain: d.Name, HasCA: d.CA != "", Local: d.Login == discover.LoginLocal, OtherLogin: d.Login != "" && d.Login != discover.LoginLocal, Authserv: d.Authserv}
	c.Known = d.Name != "" && (d.IMAP.Host != "" || d.Submission.Host != "" || d.Found != nil)
	c.OAuth = d.provider(l)
	for _, service := range cardServices {
		c.Rows = append(c.Rows, d.row(l, service))
	}
	if d.Found == nil {
		return c
	}
	c.Looked = looked(l, *d.Found)
	for _, service := range cardServices {
		for i, a := range d.Found.Of(service).Disagree() {
			c.Others = append(c.Others, templates.DomainOther{
				Words: l.T("domain.other", "Service", l.T("domain."+string(service)), "Address", a.Address(), "Source", sourceWords(l, a.Source)),
				Value: "use " + string(service) + " " + strconv.Itoa(i),
			})
		}
	}
	return c
}

func (d *domainDraft) row(l *i18n.Localizer, service discover.Service) templates.DomainRow {
	p := d.Of(service)
	v := templates.DomainRow{ID: string(service), Label: l.T("domain." + string(service)), Proto: serviceNames[service], Host: p.Host, State: "none", Needed: service == discover.IMAP || service == discover.Submission}
	for _, sec := range []mailclient.Security{mailclient.TLS, mailclient.StartTLS, mailclient.Plain} {
		v.Security = append(v.Security, templates.Option{Value: string(sec), Words: words(l, securityWords[sec]), Current: sec == p.Security})
	}
	if p.Host == "" {
		v.Words = l.T("domain.none." + string(service))
		return v
	}
	v.Port, v.Mode, v.Pinned = p.Port, words(l, securityWords[p.Security]), p.Pin != ""
	v.Source = l.T("domain.by.you")
	if p.Source != "" {
		v.Source = l.T("domain.by", "Source", sourceWords(l, p.Source))
	}
	probe, ok := d.Probes[service]
	switch {
	case !ok:
		v.State, v.Words = "unknown", l.T("domain.unseen")
	case probe.Problem == "forbidden":
		v.State, v.Words = "unknown", l.T("domain.inner")
	case probe.Problem != "":
		v.State, v.Words, v.Said = "bad", l.T("check.problem."+string(probe.Problem)), probe.Text
	case probe.Certificate == nil:
		v.State, v.Words = answers(l, *p, time.Time{})
	case len(probe.Certificate.Faults) > 0:
		v.State, v.Words = "bad", l.T("check.problem."+string(probe.Certificate.Faults[0]))
		v.Certificate = l.T("domain.certificate", "Names", strings.Join(probe.Certificate.Names, ", "), "Issuer", probe.Certificate.Issuer, "Date", l.Date(probe.Certificate.NotAfter))
		v.Fingerprint = colons(probe.Certificate.Fingerprint)
	default:
		v.State, v.Words = answers(l, *p, probe.Certificate.NotAfter)
	}
	return v
}

// answers is how a server is that answers with a certificate that is good until a time, zero for none.
func answers(l *i18n.Localizer, p discover.Place, until time.Time) (state, words string) {
	switch {
	case until.IsZero():
		return "warn", l.T("check.problem." + string(checkup.NotTLS))
	case p.Pin != "":
		return "ok", l.T("domain.pinned")
	}
	return "ok", l.T("domain.answers", "Date", l.Date(until))
}

var serviceNames = map[discover.Service]string{discover.IMAP: "IMAP", discover.Submission: "SMTP", discover.POP3: "POP3", discover.Sieve: "Sieve"}

// words are those of a key, or a name that is the same in every language.
func words(l *i18n.Localizer, key string) string {
	if strings.Contains(key, ".") {
		return l.T(key)
	}
	return key
}

// colons is a fingerprint as other programs show it.
func colons(hex string) string {
	var b strings.Builder
	for i := 0; i+1 < len(hex); i += 2 {
		if i > 0 {
			b.WriteByte(':')
		}
		b.WriteString(strings.ToUpper(hex[i : i+2]))
	}
	return b.String()
}

var stateOf = map[checkup.Result]string{checkup.OK: "ok", checkup.Warning: "warn", checkup.Failed: "bad", checkup.LeftOut: "unknown"}

// testLines are the steps of a test in words. What was not asked for is left out.
func testLines(l *i18n.Localizer, steps []checkup.Step) (out []templates.TestLine) {
	for _, step := range steps {
		if step.Problem != checkup.NotWanted && step.Problem != checkup.NeedsAccount {
			out = append(out, StepLine(l, step))
		}
	}
	return out
}

// StepLine is a step of a test in words: what was looked at, what was seen or is wrong, what to do, and the server's own
// words.
func StepLine(l *i18n.Localizer, step checkup.Step) templates.TestLine {
	v := templates.TestLine{State: stateOf[step.Result]}
	v.Words = l.T("check.step."+string(step.Name), "Service", serviceNames[step.Service], "Host", step.Host)
	v.Detail = stepDetail(l, step)
	if step.Problem != "" {
		v.Detail = l.T("check.problem." + string(step.Problem))
	}
	if step.Advice != "" {
		v.Do = l.T("check.do." + string(step.Advice))
	}
	if step.Problem == checkup.NoRoles {
		var missing []string
		for _, role := range step.Facts.Missing {
			missing = append(missing, l.T("folder."+string(role)))
		}
		v.Detail += " " + strings.Join(missing, ", ")
	}
	v.Said = step.Text
	return v
}

func stepDetail(l *i18n.Localizer, step checkup.Step) string {
	switch f := step.Facts; step.Name {
	case checkup.Resolve:
		return strings.Join(f.Addresses, ", ")
	case checkup.Secure:
		if f.Certificate != nil {
			return l.T("check.until", "Date", l.Date(f.Certificate.NotAfter))
		}
	case checkup.Capabilities:
		return strings.Join(f.Mechanisms, ", ")
	case checkup.SignIn:
		return l.T("check.login", "Login", f.Login)
	case checkup.Folders:
		return l.T("check.folders", "N", f.Mailboxes)
	case checkup.RoundTrip:
		return l.T("check.way", "Time", step.Facts.Way.Round(100*time.Millisecond).String())
	}
	return ""
}
