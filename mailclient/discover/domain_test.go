package discover_test

import (
	"errors"
	"testing"

	"restante/mailclient"
	"restante/mailclient/discover"
)

func setUp(name, host string) discover.Domain {
	at := discover.Place{Host: host, Port: 993, Security: mailclient.TLS}
	return discover.Domain{Name: name, IMAP: at, Submission: at}
}

func TestDomainsAreSetUpAtRunTime(t *testing.T) {
	d := discover.NewDirectory(setUp("fixed.test", "mail.fixed.test").Servers(nil, nil))
	if d.Only() != "fixed.test" {
		t.Errorf("the only domain is %q", d.Only())
	}
	d.SetUp([]discover.Servers{setUp("added.test", "mail.added.test").Servers(nil, nil), setUp("fixed.test", "elsewhere.test").Servers(nil, nil)})
	if s, ok := d.Lookup("anna@added.test"); !ok || s.IMAP.Host != "mail.added.test" || s.Discovered() {
		t.Errorf("added: %v %+v", ok, s)
	}
	if s, _ := d.Lookup("anna@fixed.test"); s.IMAP.Host != "mail.fixed.test" {
		t.Errorf("a domain of the configuration was overridden: %s", s.IMAP.Host)
	}
	if d.Only() != "" || len(d.Own()) != 2 || !d.Stays("Fixed.test") || d.Stays("added.test") {
		t.Errorf("only %q, own %v", d.Only(), d.Own())
	}
	d.SetUp(nil)
	if _, ok := d.Lookup("anna@added.test"); ok {
		t.Error("a domain that was taken out is still known")
	}
}

func TestADomainIsKeptAsItWas(t *testing.T) {
	want := setUp("xn--mller-kva.test", "mail.example.test")
	want.Login, want.Authserv, want.IMAP.Pin, want.Sieve = discover.LoginLocal, "mx", "ab", discover.Place{Host: "127.0.0.1", Port: 4190, Security: mailclient.Plain}
	got, err := discover.ParseDomain(want.Encode())
	if err != nil || got != want || got.Check() != nil {
		t.Errorf("%+v %v %v", got, err, got.Check())
	}
	s := got.Servers(nil, nil)
	if s.Username("anna@xn--mller-kva.test") != "anna" || s.IMAP.Pin != "ab" || s.POP3.Host != "" || s.Sieve.Port != 4190 {
		t.Errorf("servers: %+v", s)
	}
}

func TestWhatIsNoDomainIsNotSetUp(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*discover.Domain)
		want   error
	}{
		"no name":        {func(d *discover.Domain) { d.Name = "" }, discover.ErrDomainName},
		"upper case":     {func(d *discover.Domain) { d.Name = "Example.test" }, discover.ErrDomainName},
		"an address":     {func(d *discover.Domain) { d.Name = "127.0.0.1" }, discover.ErrDomainName},
		"no sending":     {func(d *discover.Domain) { d.Submission.Host = "" }, discover.ErrNeeded},
		"no port":        {func(d *discover.Domain) { d.IMAP.Port = 0 }, discover.ErrDomainPlace},
		"a port beyond":  {func(d *discover.Domain) { d.IMAP.Port = 65536 }, discover.ErrDomainPlace},
		"no encryption":  {func(d *discover.Domain) { d.IMAP.Security = "" }, discover.ErrDomainPlace},
		"no host":        {func(d *discover.Domain) { d.IMAP.Host = "a b" }, discover.ErrDomainPlace},
		"no certificate": {func(d *discover.Domain) { d.CA = "hello" }, discover.ErrDomainCA},
	} {
		d := setUp("example.test", "mail.example.test")
		if c.change(&d); !errors.Is(d.Check(), c.want) {
			t.Errorf("%s: %v", name, d.Check())
		}
	}
}
