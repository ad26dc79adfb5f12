package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"strings"

	"restante/internal/config"
	"restante/internal/seal"
	"restante/internal/store"
	"restante/mailclient"
	"restante/mailclient/checkup"
	"restante/mailclient/discover"
)

// check is one thing that the doctor looked at.
type check struct {
	What   string         `json:"what"`
	Result checkup.Result `json:"result"`
	Words  string         `json:"words,omitempty"` // what is wrong, and what to do
	Step   *checkup.Step  `json:"step,omitempty"`  // of a mail server

	kind, about string // of what What says, for the page that has words of its own
}

// doctor looks at everything that a set-up can have wrong and says it in plain words, or as JSON.
func doctor(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var asJSON bool
	conf, _, err := flags("doctor", args, stderr, func(fs *flag.FlagSet) {
		fs.BoolVar(&asJSON, "json", false, "say it as JSON")
	})
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	checks := []check{checked("configuration", "", err)}
	if err == nil {
		checks = append(checks, examine(ctx, conf)...)
	}
	failed := 0
	for _, c := range checks {
		if c.Result == checkup.Failed {
			failed++
		}
	}
	if asJSON {
		err = json.NewEncoder(stdout).Encode(map[string]any{"ok": failed == 0, "checks": checks})
	} else {
		err = say(stdout, checks)
	}
	if failed > 0 {
		err = errors.Join(err, fmt.Errorf("%d checks failed", failed))
	}
	return err
}

// checkNames are what the doctor calls what it looks at.
var checkNames = map[string]string{
	"configuration": "configuration", "data": "data directory", "key": "key file", "database": "database", "public": "public address",
	"named": "hosts that people may name", "preset": "domain preset",
}

func checked(kind, about string, err error) check {
	c := check{What: strings.TrimSpace(checkNames[kind] + " " + about), Result: checkup.OK, kind: kind, about: about}
	if err != nil {
		c.Result, c.Words = checkup.Failed, err.Error()
	}
	return c
}

func examine(ctx context.Context, conf config.Config) []check {
	out := []check{checked("data", conf.Data, conf.EnsureData())}
	_, _, err := seal.LoadOrCreate(conf.KeyFile)
	out = append(out, checked("key", conf.KeyFile, err))
	trusted, badRoots := roots(conf)
	var servers []discover.Servers
	if err = badRoots; err == nil {
		servers, err = keptDomains(ctx, conf, trusted)
	}
	out = append(out, checked("database", "", err))
	if u, err := url.Parse(conf.PublicURL); conf.PublicURL != "" && err == nil {
		_, err := net.DefaultResolver.LookupHost(ctx, u.Hostname())
		out = append(out, checked("public", u.Hostname(), err))
	}
	_, err = newFinder(conf, trusted, discover.NewDirectory())
	out = append(out, checked("named", "", cmp.Or(err, badRoots)))
	fixed, err := preset(conf)
	out = append(out, checked("preset", "", err))
	servers = append(fixed, servers...)
	for _, d := range servers {
		for step := range checkup.Run(ctx, checkup.Options{Servers: d}) {
			if step.Problem != checkup.NeedsAccount {
				out = append(out, check{What: stepName(step), Result: step.Result, Words: stepWords(step), Step: &step})
			}
		}
	}
	return out
}

// keptDomains opens the database, as serve would, and gives the domains that were set up in the pages.
func keptDomains(ctx context.Context, conf config.Config, trusted *x509.CertPool) ([]discover.Servers, error) {
	s, err := store.Open(ctx, conf.DatabaseURL, conf.Data)
	if err != nil {
		return nil, err
	}
	rows, err := s.Domains(ctx)
	return setUpDomains(rows, trusted, nil, slog.New(slog.DiscardHandler)), errors.Join(err, s.Close())
}

var serviceNames = map[discover.Service]string{discover.IMAP: "IMAP", discover.Submission: "SMTP", discover.POP3: "POP3", discover.Sieve: "ManageSieve"}

func stepName(s checkup.Step) string {
	name := serviceNames[s.Service] + " server " + s.Host
	switch s.Name {
	case checkup.Resolve:
		return name + ": address"
	case checkup.Secure:
		return name + ": connection"
	}
	return name + ": ways to sign in"
}

// problemWords are what is wrong with a server that nobody signs in to, and what to do.
var problemWords = map[checkup.Problem]string{
	checkup.Problem(mailclient.NoSuchHost):    "there is no such name: check it, and the DNS",
	checkup.Problem(mailclient.Unreachable):   "nobody answers: check the port, the firewall and whether the server runs",
	checkup.Problem(mailclient.Timeout):       "no answer in time: check the port and the firewall",
	checkup.Problem(mailclient.Lost):          "it ends the connection: look at its log",
	checkup.Problem(mailclient.Bye):           "it lets nobody in just now",
	checkup.Problem(mailclient.NoTLS):         "it offers no encryption: check port and scheme",
	checkup.Problem(mailclient.WrongProtocol): "something else answers there: check port and scheme",
	checkup.Problem(mailclient.Injected):      "it says what it must not before encryption: look at what stands between",
	checkup.Problem(mailclient.CertExpired):   "its certificate is not valid at this time: renew it",
	checkup.Problem(mailclient.CertName):      "its certificate is for another name: use one of its names",
	checkup.Problem(mailclient.CertUnknown):   "nobody vouches for its certificate: if it is your own, name its authority in RESTANTE_CA_FILE",
	checkup.NotTLS:                            "connected without encryption, to an address of an own network",
	checkup.Expiring:                          "its certificate ends soon: renew it",
	checkup.NoMechanism:                       "it offers no way to sign in that is understood: check port and scheme",
	checkup.NeedsAnother:                      "not looked at",
}

func stepWords(s checkup.Step) string {
	parts := []string{problemWords[s.Problem]}
	if c := s.Facts.Certificate; c != nil {
		until := "certificate until " + c.NotAfter.Format("2006-01-02")
		if len(c.Faults) > 0 {
			until = fmt.Sprintf("certificate for %s until %s, SHA-256 %s", strings.Join(c.Names, ", "), c.NotAfter.Format("2006-01-02"), c.Fingerprint)
		}
		parts = append(parts, until)
	}
	if s.Text != "" {
		parts = append(parts, "the server said: "+s.Text)
	}
	if len(s.Facts.Addresses) > 0 {
		parts = append(parts, strings.Join(s.Facts.Addresses, ", "))
	}
	if s.Name == checkup.Capabilities && len(s.Facts.Mechanisms) > 0 {
		parts = append(parts, strings.Join(s.Facts.Mechanisms, ", "))
	}
	return strings.TrimPrefix(strings.Join(parts, "; "), "; ")
}

var resultWords = map[checkup.Result]string{checkup.OK: "ok", checkup.Warning: "note", checkup.Failed: "FAIL", checkup.LeftOut: "-"}

func say(w io.Writer, checks []check) error {
	for _, c := range checks {
		line := fmt.Sprintf("%-5s %s", resultWords[c.Result], c.What)
		if c.Words != "" {
			line += ": " + c.Words
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}
