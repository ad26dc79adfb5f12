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
	"os"
	"slices"
	"strings"

	"restante/handlers"
	"restante/internal/config"
	"restante/internal/i18n"
	"restante/internal/oauth"
	"restante/internal/seal"
	"restante/internal/store"
	"restante/internal/tokens"
	"restante/mailclient/checkup"
	"restante/mailclient/discover"
)

// check is one thing that the doctor looked at. What and Result are for programs, Words are what is wrong, and what to do.
type check struct {
	What   string         `json:"what"`
	Result checkup.Result `json:"result"`
	Words  string         `json:"words,omitempty"`
	Step   *checkup.Step  `json:"step,omitempty"` // of a mail server

	title       string
	kind, about string
	cause       string // what the program says of a fault
	note        string // a key of the words for what is none
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
	l := i18n.For("", spoken())
	checks := []check{checked("configuration", "", err)}
	if err == nil {
		checks = append(checks, examine(ctx, conf)...)
	}
	for i := range checks {
		checks[i].speak(l)
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
		err = errors.Join(err, fmt.Errorf("%d of %d checks failed", failed, len(checks)))
	}
	return err
}

// checkNames are what the doctor calls what it looks at.
var checkNames = map[string]string{
	"configuration": "configuration", "data": "data directory", "key": "key file", "database": "database", "public": "public address",
	"named": "hosts that people may name", "preset": "domain preset", "provider": "provider",
}

func checked(kind, about string, err error) check {
	c := check{What: strings.TrimSpace(checkNames[kind] + " " + about), Result: checkup.OK, kind: kind, about: about}
	if err != nil {
		c.Result, c.cause = checkup.Failed, err.Error()
	}
	return c
}

// spoken is the language of the terminal, as a browser would name it.
func spoken() string {
	lang, _, _ := strings.Cut(cmp.Or(os.Getenv("LC_ALL"), os.Getenv("LC_MESSAGES"), os.Getenv("LANG")), ".")
	return strings.ReplaceAll(lang, "_", "-")
}

// speak puts a check into words: those of the page that shows it.
func (c *check) speak(l *i18n.Localizer) {
	if c.Step == nil {
		c.title = l.T("health.of."+c.kind, "About", c.about)
		switch {
		case c.note != "":
			c.Words = l.T(c.note)
		case c.Result == checkup.Failed:
			c.Words = l.T("health.fault."+c.kind) + " (" + c.cause + ")"
		}
		return
	}
	line := handlers.StepLine(l, *c.Step)
	parts := []string{line.Detail, line.Do}
	if cert := c.Step.Facts.Certificate; cert != nil && len(cert.Faults) > 0 {
		parts = append(parts, l.T("domain.certificate", "Names", strings.Join(cert.Names, ", "), "Issuer", cert.Issuer, "Date", l.Date(cert.NotAfter)), l.T("health.fingerprint", "Fingerprint", cert.Fingerprint))
	}
	if line.Said != "" {
		parts = append(parts, l.T("error.said")+" "+line.Said)
	}
	c.title, c.Words = line.Words, strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " ")
}

func examine(ctx context.Context, conf config.Config) []check {
	trusted, badRoots := roots(conf)
	servers, err := keptDomains(ctx, conf, trusted)
	out := kept(conf, cmp.Or(badRoots, err))
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
		if d.OAuth != nil {
			provider := tokens.SettingsOf(d.OAuth)
			_, err := oauth.NewClient(trusted, conf.AllowHosts, nil).Look(ctx, provider)
			out = append(out, checked("provider", provider.Host(), err))
		}
		for step := range checkup.Run(ctx, checkup.Options{Servers: d}) {
			if step.Problem != checkup.NeedsAccount {
				out = append(out, check{What: stepName(step), Result: step.Result, Step: &step})
			}
		}
	}
	return out
}

// kept looks at where the site is kept; fault is what the database said. What a site that has not begun lacks is no
// fault; of one that has it is.
func kept(conf config.Config, fault error) []check {
	_, noData := os.ReadDir(conf.Data)
	_, noKey := seal.Load(conf.KeyFile)
	out := []check{checked("data", conf.Data, noData), checked("key", conf.KeyFile, noKey), checked("database", "", fault)}
	for i, err := range []error{noData, noKey, fault} {
		switch {
		case errors.Is(fault, store.ErrNotBegun) && (errors.Is(err, os.ErrNotExist) || err == fault):
			out[i].Result, out[i].note = checkup.Warning, "health.notyet"
		case errors.Is(err, store.ErrOlder):
			out[i].Result, out[i].note = checkup.Warning, "health.older"
		}
	}
	return out
}

// keptDomains looks into the database and gives the domains that were set up in the pages.
func keptDomains(ctx context.Context, conf config.Config, trusted *x509.CertPool) ([]discover.Servers, error) {
	s, err := openFor(ctx, conf, false)
	if err != nil {
		if s != nil {
			err = errors.Join(err, s.Close())
		}
		return nil, err
	}
	rows, err := s.Domains(ctx)
	return setUpDomains(rows, func(string, *discover.OAuth) error { return nil }, trusted, nil, slog.New(slog.DiscardHandler)), errors.Join(err, s.Close())
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

var resultWords = map[checkup.Result]string{checkup.OK: "ok", checkup.Warning: "note", checkup.Failed: "FAIL", checkup.LeftOut: "-"}

func say(w io.Writer, checks []check) error {
	for _, c := range checks {
		line := fmt.Sprintf("%-5s %s", resultWords[c.Result], c.title)
		if c.Words != "" {
			line += ": " + c.Words
		}
		if _, err := fmt.Fprintln(w, inLine(line)); err != nil {
			return err
		}
	}
	return nil
}
