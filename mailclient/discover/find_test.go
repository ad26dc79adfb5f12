package discover_test

import (
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"restante/mailclient"
	"restante/mailclient/discover"
)

// exchange is an answer of autodiscover.
const exchange = `<?xml version="1.0"?><Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006">
<Response xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"><Account><AccountType>email</AccountType>
<Protocol><Type>EXCH</Type><Server>x.example.test</Server></Protocol>
<Protocol><Type>IMAP</Type><Server>owa.example.test</Server><Port>993</Port><SSL>on</SSL></Protocol>
<Protocol><Type>SMTP</Type><Server>owa.example.test</Server><Port>587</Port><Encryption>TLS</Encryption></Protocol>
</Account></Response></Autodiscover>`

// sources set up one source each, with servers that are its own: imap.N.example.test and smtp.N.example.test.
var sources = []struct {
	source discover.Source
	host   string // of IMAP
	set    func(w *world, o *discover.FinderOptions)
}{
	{discover.FromDomain, "domain.example.test", func(w *world, o *discover.FinderOptions) {
		o.Directory = discover.NewDirectory(discover.Servers{Domain: domain,
			IMAP: mailclient.Endpoint{Host: "domain.example.test", Port: 993, Security: mailclient.TLS, Via: w, RootCAs: w.roots},
			SMTP: mailclient.Endpoint{Host: "domain.example.test", Port: 465, Security: mailclient.TLS, Via: w, RootCAs: w.roots}})
	}},
	{discover.FromAutoconfig, "auto.example.test", func(w *world, _ *discover.FinderOptions) {
		w.says("https://autoconfig.example.test/mail/config-v1.1.xml", config("imap auto.example.test 993 SSL", "smtp auto.example.test 465 SSL"))
	}},
	{discover.FromSRV, "srv.example.test", func(w *world, _ *discover.FinderOptions) {
		w.points("imaps 0 0 993 srv.example.test", "submissions 0 0 465 srv.example.test")
	}},
	{discover.FromMX, "imap.gmail.com", func(w *world, _ *discover.FinderOptions) {
		w.mx[domain] = []*net.MX{{Host: "mx.example.test.", Pref: 20}, {Host: "aspmx.l.google.com.", Pref: 10}}
	}},
	{discover.FromISPDB, "db.example.test", func(w *world, o *discover.FinderOptions) {
		o.ISPDB = true
		w.says("https://autoconfig.thunderbird.net/v1.1/example.test", config("imap db.example.test 993 SSL", "smtp db.example.test 465 SSL"))
	}},
	{discover.FromAutodiscover, "owa.example.test", func(w *world, _ *discover.FinderOptions) {
		w.says("https://autodiscover.example.test/autodiscover/autodiscover.xml", exchange)
	}},
	{discover.FromGuess, "imap.example.test", func(*world, *discover.FinderOptions) {}},
}

// peopled is a world in which every server that a source could name is there.
func peopled(t *testing.T) *world {
	w := newWorld(t)
	for _, host := range []string{"domain.example.test", "auto.example.test", "srv.example.test", "db.example.test", "imap.gmail.com", "smtp.gmail.com"} {
		w.serves(discover.IMAP, host+":993", "tls")
		w.serves(discover.Submission, host+":465", "tls")
	}
	w.serves(discover.IMAP, "owa.example.test:993", "tls")
	w.serves(discover.Submission, "owa.example.test:587", "starttls")
	w.serves(discover.IMAP, "imap.example.test:993", "tls")
	w.serves(discover.Submission, "smtp.example.test:465", "tls")
	return w
}

func TestX101_EachSourceAloneIsBelievedAndTheFirstOfSeveral(t *testing.T) {
	for i, s := range sources {
		t.Run(string(s.source)+" alone", func(t *testing.T) {
			w := peopled(t)
			o := w.options()
			s.set(w, &o)
			f := w.find(o)
			if f.IMAP.Host != s.host || f.IMAP.Source != s.source || f.Submission.Source != s.source || !f.Ready() {
				t.Errorf("IMAP %+v, submission %+v", f.IMAP, f.Submission)
			}
			if !slices.ContainsFunc(f.Looked, func(l discover.Look) bool { return l.Source == s.source && l.Came == discover.CameAnswer }) {
				t.Errorf("looked: %v", f.Looked)
			}
		})
		t.Run(string(s.source)+" and all behind it", func(t *testing.T) {
			w := peopled(t)
			o := w.options()
			for _, other := range sources[i:] {
				other.set(w, &o)
			}
			f := w.find(o)
			if f.IMAP.Source != s.source || f.Submission.Source != s.source {
				t.Errorf("IMAP %+v, submission %+v", f.IMAP, f.Submission)
			}
			var others []discover.Source
			for _, a := range f.IMAP.Disagree() {
				others = append(others, a.Source)
			}
			var want []discover.Source
			for _, other := range sources[i+1:] {
				if s.source != discover.FromDomain && other.source != discover.FromGuess { // the admin's word is the last
					want = append(want, other.source)
				}
			}
			if !slices.Equal(others, want) {
				t.Errorf("others are %v, want %v", others, want)
			}
		})
	}
}

func TestD1_TheFirstSourceThatKnowsBothServersIsBelieved(t *testing.T) {
	w := peopled(t)
	w.says("https://example.test/.well-known/autoconfig/mail/config-v1.1.xml", config("imap auto.example.test 993 SSL", "pop3 auto.example.test 995 SSL"))
	w.points("imaps 0 0 993 srv.example.test", "submissions 0 0 465 srv.example.test")
	w.serves(discover.POP3, "auto.example.test:995", "tls")
	f := w.find(w.options())
	if f.IMAP.Source != discover.FromSRV || f.Submission.Source != discover.FromSRV || f.POP3.Source != discover.FromAutoconfig || !f.POP3.Probe.Has("UIDL") {
		t.Errorf("%+v\n%+v\n%+v", f.IMAP, f.Submission, f.POP3)
	}
	if d := f.IMAP.Disagree(); len(d) != 1 || d[0].Host != "auto.example.test" {
		t.Errorf("disagreeing: %v", d)
	}
}

func TestD1_AServerThatIsNotThereGivesWayToTheNext(t *testing.T) {
	w := peopled(t)
	w.says("https://autoconfig.example.test/mail/config-v1.1.xml", config("imap gone.example.test 993 SSL", "imap auto.example.test 993 SSL", "smtp auto.example.test 465 SSL"))
	f := w.find(w.options())
	if f.IMAP.Host != "auto.example.test" || !f.Ready() || len(f.IMAP.Others) != 1 || f.IMAP.Others[0].Probe.Problem != mailclient.NoSuchHost {
		t.Errorf("%+v", f.IMAP)
	}
}

func TestD2_PriorityDecidesNotSpeed(t *testing.T) {
	w := peopled(t)
	srv := make(chan bool)
	w.points("imaps 0 0 993 srv.example.test", "submissions 0 0 465 srv.example.test")
	w.does("https://autodiscover.example.test/autodiscover/autodiscover.xml", func(http.ResponseWriter, *http.Request) { close(srv) })
	w.does("https://autoconfig.example.test/mail/config-v1.1.xml", func(rw http.ResponseWriter, _ *http.Request) {
		<-srv // somebody else was faster
		_, _ = rw.Write([]byte(config("imap auto.example.test 993 SSL", "smtp auto.example.test 465 SSL")))
	})
	if f := w.find(w.options()); f.IMAP.Source != discover.FromAutoconfig {
		t.Errorf("%+v", f.IMAP)
	}
}

func TestD2_PagesInTheOpenAreAHintForTheOwnDomainAlone(t *testing.T) {
	w := peopled(t)
	w.says("http://autoconfig.example.test/mail/config-v1.1.xml",
		config("imap mail.hoster.test 993 SSL", "imap auto.example.test 143 plain", "imap auto.example.test 993 SSL", "smtp auto.example.test 465 SSL"))
	f := w.find(w.options())
	if f.IMAP.Host != "auto.example.test" || f.IMAP.Port != 993 || !f.IMAP.Open || !f.IMAP.Confirm() || len(f.IMAP.Others) != 0 {
		t.Errorf("%+v", f.IMAP)
	}
	for _, u := range w.asked {
		if strings.HasPrefix(u, "http:") && strings.Contains(u, "anna") {
			t.Errorf("the address went over the network in the open: %s", u)
		}
	}
}

func TestD4_SRV(t *testing.T) {
	t.Run("priority, then weight, then TLS from the start", func(t *testing.T) {
		w := peopled(t)
		w.points("imap 0 0 143 mail.example.test", "imaps 20 0 993 late.example.test", "imaps 10 1 993 light.example.test", "imaps 10 9 993 srv.example.test", "submission 0 0 587 owa.example.test")
		f := w.find(w.options())
		var hosts []string
		for _, a := range append([]discover.Answer{f.IMAP.Answer}, f.IMAP.Others...) {
			hosts = append(hosts, a.Address())
		}
		if got := strings.Join(hosts, " "); got != "srv.example.test:993 light.example.test:993 late.example.test:993 mail.example.test:143" {
			t.Error(got)
		}
		if f.Submission.Security != mailclient.StartTLS || f.Submission.Port != 587 || !f.Submission.Probe.Trusted() {
			t.Errorf("%+v", f.Submission)
		}
	})
	t.Run("X104 a dot refuses a service, whoever comes after", func(t *testing.T) {
		w := peopled(t)
		w.mx[domain] = []*net.MX{{Host: "aspmx.l.google.com."}}
		w.points("pop3s 0 0 0 .", "pop3 0 0 0 .", "imap 0 0 0 .", "imaps 0 0 993 srv.example.test", "submissions 0 0 465 srv.example.test")
		w.serves(discover.POP3, "pop.example.test:995", "tls")
		f := w.find(w.options())
		if f.POP3.Found() || !f.POP3.Refused || len(f.POP3.Others) != 1 || f.IMAP.Refused || f.IMAP.Host != "srv.example.test" {
			t.Errorf("POP3 %+v, IMAP %+v", f.POP3, f.IMAP)
		}
		if slices.Contains(w.dials, "pop.example.test:995") {
			t.Error("a service was looked for that the domain says it does not have")
		}
	})
	t.Run("a target outside of the domain has to be confirmed", func(t *testing.T) {
		w := peopled(t)
		w.serves(discover.IMAP, "mail.hoster.test:993", "tls")
		w.points("imaps 0 0 993 mail.hoster.test", "submissions 0 0 465 srv.example.test")
		f := w.find(w.options())
		if !f.IMAP.Outside || !f.IMAP.Confirm() || f.Submission.Confirm() || !f.Ready() {
			t.Errorf("%+v", f)
		}
	})
	t.Run("numbers for a host are no host", func(t *testing.T) {
		w := newWorld(t)
		w.points("imaps 0 0 993 127.0.0.1", "imaps 0 0 993 0x7f.1", "imaps 0 0 25 srv.example.test")
		if f := w.find(w.options()); f.IMAP.Found() || len(f.IMAP.Others) > 0 {
			t.Errorf("%+v", f.IMAP)
		}
	})
}

func TestD3_Autoconfig(t *testing.T) {
	w := peopled(t)
	w.at["example.test:443"] = w.at["https"]
	w.mx[domain] = []*net.MX{{Host: "in.mail.hoster.test."}}
	w.says("https://autoconfig.hoster.test/mail/config-v1.1.xml", config(
		"imap auto.%EMAILDOMAIN% 143 plain username=%EMAILLOCALPART%",
		"imap auto.%EMAILDOMAIN% 993 SSL authentication=OAuth2",
		"imap srv.example.test 993 SSL username=%EMAILLOCALPART%.x authentication=OAuth2 authentication=password-cleartext",
		"smtp auto.example.test 465 SSL authentication=password-encrypted", "news news.example.test 119 plain", "pop3 pop.example.test 99999 SSL"))
	f := w.find(w.options())
	if f.IMAP.Host != "srv.example.test" || f.IMAP.Username(address) != "anna.x" || f.IMAP.Source != discover.FromMXAutoconfig || len(f.IMAP.Others) != 2 {
		t.Errorf("%+v", f.IMAP)
	}
	if f.Submission.Username(address) != address || f.POP3.Found() {
		t.Errorf("%+v %+v", f.Submission, f.POP3)
	}
	servers := discover.NewFinder(w.options()).Servers(f)
	if servers.Username(address) != "anna.x" || servers.IMAP.Via == nil {
		t.Errorf("%+v", servers)
	}
}

func TestAServerThatTakesOAuth2AloneIsFoundAndNotReady(t *testing.T) {
	w := peopled(t)
	w.says("https://autoconfig.example.test/mail/config-v1.1.xml", config("imap auto.example.test 993 SSL authentication=OAuth2", "smtp auto.example.test 465 SSL authentication=OAuth2"))
	f := w.find(w.options())
	if f.IMAP.Host != "auto.example.test" || !f.IMAP.OAuthOnly() || f.Ready() {
		t.Errorf("%+v", f.IMAP)
	}
}

func TestACertificateThatIsNotTrustedIsShownAndNotReady(t *testing.T) {
	w := newWorld(t)
	w.serves(discover.IMAP, "imap.example.test:993", "tls", w.certify("imap.example.test"))
	w.serves(discover.IMAP, "mail.example.test:993", "tls", w.certify("other.example.test"))
	w.serves(discover.Submission, "smtp.example.test:465", "tls")
	f := w.find(w.options())
	if !f.IMAP.Found() || f.Ready() || len(f.IMAP.Others) != 1 {
		t.Fatalf("%+v", f.IMAP)
	}
	if c := f.IMAP.Probe.Certificate; c.Subject != "imap.example.test" || !slices.Equal(c.Faults, []mailclient.ConnectKind{mailclient.CertUnknown}) || len(c.Pin) != 64 {
		t.Errorf("%+v", c)
	}
	// Accepted by its key, it is one like any other.
	ep := discover.NewFinder(w.options()).Endpoint(f.IMAP.Answer)
	ep.Pin = f.IMAP.Probe.Certificate.Pin
	if p := discover.Try(t.Context(), discover.IMAP, ep); p.Problem != "" || !p.Trusted() {
		t.Errorf("pinned: %+v", p)
	}
}

func TestD6_NoMoreThanTwelveDialsAndNothingSecretIsSaid(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"imap.", "mail.", "smtp.", "pop.", "pop3.", ""} {
		w.at[name+domain+":0"] = "" // the name is there, and no server
	}
	w.find(w.options())
	mail := 0
	for _, d := range w.dials {
		if !strings.HasSuffix(d, ":443") && !strings.HasSuffix(d, ":80") {
			mail++
		}
	}
	if mail == 0 || mail > 12 || len(w.dials)-mail > 12 {
		t.Errorf("%d of mail in %q", mail, w.dials)
	}

	w = peopled(t)
	w.serves(discover.Sieve, "imap.example.test:4190", "starttls")
	w.serves(discover.POP3, "pop.example.test:110", "starttls")
	if f := w.find(w.options()); !f.Sieve.Probe.Has("SIEVE") || !f.POP3.Probe.Trusted() {
		t.Errorf("%+v\n%+v", f.Sieve, f.POP3)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, word := range []string{"LOGIN", "AUTH", "USER", "PASS", "anna"} { // X105
		if strings.Contains(strings.ToUpper(w.heard.String()), strings.ToUpper(word)) {
			t.Errorf("%s was said: %q", word, w.heard.String())
		}
	}
}

func TestNothingFoundSaysWhereItWasLookedFor(t *testing.T) {
	w := newWorld(t)
	w.says("https://autoconfig.example.test/mail/config-v1.1.xml", "<html>Welcome</html>")
	w.serves(discover.POP3, "imap.example.test:993", "tls") // and something else speaks there
	f := w.find(w.options())
	if f.IMAP.Found() || f.Ready() {
		t.Fatalf("%+v", f.IMAP)
	}
	for where, came := range map[string]discover.Came{
		"https://autoconfig.example.test/mail/config-v1.1.xml": discover.CameNonsense, "https://example.test/.well-known/autoconfig/mail/config-v1.1.xml": discover.CameNothing,
		"_imaps._tcp.example.test": discover.CameNothing, domain: discover.CameNothing, "imap.example.test:993": discover.CameNonsense,
	} {
		if !slices.ContainsFunc(f.Looked, func(l discover.Look) bool { return l.Where == where && l.Came == came }) {
			t.Errorf("%s did not come to %s: %v", where, came, f.Looked)
		}
	}
}

func TestAddressesThatAreNone(t *testing.T) {
	w := newWorld(t)
	for _, a := range []string{"", "anna", "@example.test", "anna@", "anna@localhost", "anna@127.0.0.1", "anna@[127.0.0.1]", "anna@exa mple.test", "anna\r\n@example.test", "anna@example.test/x"} {
		if _, err := discover.NewFinder(w.options()).Find(t.Context(), a); err == nil {
			t.Errorf("%q is looked for", a)
		}
	}
	if len(w.dials) > 0 {
		t.Errorf("dialled: %v", w.dials)
	}
}
