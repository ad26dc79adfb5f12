package discover_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"restante/internal/netguard"
	"restante/mailclient"
	"restante/mailclient/discover"
)

const (
	configPage = "https://autoconfig.example.test/mail/config-v1.1.xml"
	openPage   = "http://autoconfig.example.test/mail/config-v1.1.xml"
)

var goodConfig = config("imap auto.example.test 993 SSL", "smtp auto.example.test 465 SSL")

// cameAt is what asking at a page came to.
func cameAt(t *testing.T, f discover.Found, where string) discover.Came {
	t.Helper()
	i := slices.IndexFunc(f.Looked, func(l discover.Look) bool { return l.Where == where })
	if i < 0 {
		t.Fatalf("%s was not looked at: %v", where, f.Looked)
	}
	return f.Looked[i].Came
}

func TestX103_PagesThatAreNoSettings(t *testing.T) {
	bomb := `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "` + strings.Repeat("a", 1000) + `"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>` + strings.ReplaceAll(goodConfig, "auto.example.test", "&b;")
	for name, text := range map[string]string{
		"empty":                "",
		"HTML":                 "<!DOCTYPE html><html><body>Not here</body></html>",
		"entities":             bomb,
		"a document type":      `<!DOCTYPE clientConfig SYSTEM "https://example.test/x.dtd">` + goodConfig,
		"an unknown entity":    strings.Replace(goodConfig, "auto.example.test", "&xxe;", 1),
		"one megabyte":         goodConfig + strings.Repeat(" ", 1<<20),
		"very deep":            strings.Repeat("<a>", 60) + strings.Repeat("</a>", 60),
		"cut in the middle":    goodConfig[:200],
		"no server":            config(),
		"a server by number":   config("imap 127.0.0.1 993 SSL", "smtp [::1] 465 SSL"),
		"no such encryption":   config("imap auto.example.test 993 maybe"),
		"the port of servers":  config("smtp auto.example.test 25 STARTTLS"),
		"another document":     exchange,
		"Latin-1, undeclared":  strings.Replace(goodConfig, "auto.example.test", "gr\xfc\xdfe.example.test", 1),
		"a host with a path":   config("imap auto.example.test/x 993 SSL"),
		"a host with controls": config("imap auto.example.test&#13;&#10; 993 SSL"),
	} {
		t.Run(name, func(t *testing.T) {
			w := peopled(t)
			w.says(configPage, text)
			f := w.find(w.options())
			if name == "a host with controls" { // white space around a name is none of it
				if came := cameAt(t, f, configPage); came != discover.CameAnswer {
					t.Error(came)
				}
				return
			}
			if came := cameAt(t, f, configPage); came != discover.CameNonsense || f.IMAP.Source != discover.FromGuess {
				t.Errorf("came to %s; %+v", came, f.IMAP)
			}
		})
	}
}

func TestX102_Redirects(t *testing.T) {
	steps := func(w *world, n int, last string) string {
		w.says(last, goodConfig)
		for i := range n {
			to := last
			if i < n-1 {
				to = fmt.Sprintf("https://example.test/%d", i+1)
			}
			from := fmt.Sprintf("https://example.test/%d", i)
			if i == 0 {
				from = configPage
			}
			w.does(from, func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, to, http.StatusFound) })
		}
		return configPage
	}
	for _, c := range []struct {
		name string
		set  func(w *world) string
		want discover.Came
	}{
		{"five", func(w *world) string { return steps(w, 5, "https://www.example.test/c.xml") }, discover.CameAnswer},
		{"six", func(w *world) string { return steps(w, 6, "https://www.example.test/c.xml") }, discover.CameNothing},
		{"to http", func(w *world) string { return steps(w, 1, "http://www.example.test/c.xml") }, discover.CameNothing},
		{"from http to https", func(w *world) string {
			w.says("https://www.example.test/c.xml", goodConfig)
			w.does(openPage, func(rw http.ResponseWriter, r *http.Request) {
				http.Redirect(rw, r, "https://www.example.test/c.xml", http.StatusFound)
			})
			return openPage
		}, discover.CameAnswer},
		{"to another port", func(w *world) string { return steps(w, 1, "https://www.example.test:8443/c.xml") }, discover.CameNonsense},
		{"to a number", func(w *world) string { return steps(w, 1, "https://169.254.169.254/latest") }, discover.CameNonsense},
		{"to a name with a password", func(w *world) string { return steps(w, 1, "https://a:b@www.example.test/") }, discover.CameNonsense},
		{"in a circle", func(w *world) string {
			w.does(configPage, func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, configPage, http.StatusFound) })
			return configPage
		}, discover.CameNothing},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := peopled(t)
			page := c.set(w)
			f := w.find(w.options())
			if came := cameAt(t, f, page); came != c.want {
				t.Errorf("came to %s, want %s", came, c.want)
			}
			if got := f.IMAP.Source == discover.FromAutoconfig; got != (c.want == discover.CameAnswer) {
				t.Errorf("%+v", f.IMAP)
			}
		})
	}
}

func TestAPageUnderAnUntrustedCertificateSaysNothing(t *testing.T) {
	w := peopled(t)
	w.says(configPage, goodConfig)
	o := w.options()
	o.RootCAs = newWorld(t).roots
	if f := w.find(o); cameAt(t, f, configPage) != discover.CameUntrusted || f.IMAP.Source == discover.FromAutoconfig {
		t.Errorf("%v", f.Looked)
	}
}

func TestD5_AutodiscoverIsAskedByDNSTooAndNeverForACredential(t *testing.T) {
	w := peopled(t)
	w.points("autodiscover 0 0 443 mail.hoster.test", "autodiscover 5 0 8443 x.hoster.test")
	var said http.Header
	w.does("https://mail.hoster.test/autodiscover/autodiscover.xml", func(rw http.ResponseWriter, r *http.Request) {
		said = r.Header.Clone()
		_, _ = rw.Write([]byte(exchange))
	})
	w.does("https://autodiscover.example.test/autodiscover/autodiscover.xml", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("WWW-Authenticate", "Basic")
		rw.WriteHeader(http.StatusUnauthorized)
	})
	f := w.find(w.options())
	if f.IMAP.Where != "https://mail.hoster.test/autodiscover/autodiscover.xml" || f.Submission.Security != mailclient.StartTLS || said.Get("Authorization") != "" {
		t.Errorf("%+v, %v", f.IMAP, said)
	}
	if cameAt(t, f, "https://autodiscover.example.test/autodiscover/autodiscover.xml") != discover.CameNothing {
		t.Error(f.Looked)
	}
}

func TestD6_DiscoveryGoesToNoInnerAddress(t *testing.T) {
	inner := map[string]string{"imap.example.test": "127.0.0.1", "smtp.example.test": "169.254.169.254", "autoconfig.example.test": "10.0.0.1", "example.test": "::1", "pop.example.test": "::ffff:127.0.0.1"}
	lookup := func(_ context.Context, host string) ([]netip.Addr, error) {
		if a, ok := inner[host]; ok {
			return []netip.Addr{netip.MustParseAddr(a)}, nil
		}
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	w := peopled(t)
	w.points("imaps 0 0 993 imap.example.test", "submissions 0 0 465 smtp.example.test", "pop3s 0 0 995 pop.example.test")
	find := func(allow ...string) discover.Found {
		d, err := netguard.New(netguard.Options{Ports: append(netguard.MailPorts, netguard.WebPorts...), Allow: allow, Lookup: lookup})
		if err != nil {
			t.Fatal(err)
		}
		o := w.options()
		o.Dial = d
		return w.find(o)
	}
	f := find()
	if cameAt(t, f, configPage) != discover.CameForbidden || cameAt(t, f, "https://example.test/.well-known/autoconfig/mail/config-v1.1.xml") != discover.CameForbidden {
		t.Errorf("looked: %v", f.Looked)
	}
	for _, c := range []discover.Choice{f.IMAP, f.Submission, f.POP3} {
		if !c.Found() || c.Probe.Problem != mailclient.Forbidden {
			t.Errorf("%+v", c)
		}
	}
	if f.Ready() {
		t.Error("a server on an inner address is ready")
	}
	// Where the admin allows it the address is dialled; that nobody listens there is another matter.
	if f := find("imap.example.test"); f.IMAP.Probe.Problem != mailclient.Unreachable || f.Submission.Probe.Problem != mailclient.Forbidden {
		t.Errorf("allowed: %+v", f.IMAP)
	}
}
