package handlers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"restante/internal/i18n"
	"restante/mailclient"
	"restante/mailclient/discover"
	"restante/templates"
)

// unconfirmed is a sign-in at servers that were discovered and that this browser has not seen yet: no password went
// there.
type unconfirmed struct {
	servers discover.Servers
	found   discover.Found
}

func (e *unconfirmed) Error() string { return "servers were found, and wait to be confirmed" }

// notFound is a sign-in at a domain for which servers were looked for in vain.
type notFound struct {
	Problem
	found discover.Found
}

func (e *notFound) Unwrap() error { return &e.Problem }

// serversOf are the servers of an address. Those of a domain that nobody set up are looked for, where that is allowed.
func (s *Server) serversOf(r *http.Request, address string) (discover.Servers, error) {
	known, ok := s.servers.Lookup(address)
	if ok && !known.Discovered() {
		return known, nil
	}
	_, domain, _ := strings.Cut(address, "@")
	unknown := Problem{Status: http.StatusUnauthorized, Key: "error.domain", Args: []any{"Domain", domain}}
	found, err := s.servers.Find(r.Context(), address)
	if errors.Is(err, discover.ErrOff) || errors.Is(err, discover.ErrAddress) {
		return discover.Servers{}, &unknown
	}
	if err != nil && ok {
		return known, nil // looking again has time
	}
	if err != nil {
		return discover.Servers{}, err
	}
	if servers, ok := s.servers.Lookup(address); ok {
		return servers, nil
	}
	why := whyNot(found, domain)
	if found.IMAP.Found() { // what is wrong there says enough
		return discover.Servers{}, why
	}
	return discover.Servers{}, &notFound{*why, found}
}

// whyNot says what keeps people of a domain from signing in by what was found.
func whyNot(f discover.Found, domain string) *Problem {
	p := &Problem{Status: http.StatusUnauthorized, Key: "found.none", Args: []any{"Domain", domain}}
	for _, c := range []discover.Choice{f.IMAP, f.Submission} {
		args := []any{"Domain", domain, "Host", c.Host}
		switch {
		case !c.Found() && f.IMAP.Found():
			return &Problem{Status: p.Status, Key: "found.nosending", Args: args}
		case !c.Found():
			return p
		case c.OAuthOnly():
			return &Problem{Status: p.Status, Key: "found.oauth", Args: args}
		case c.Probe == nil:
			return &Problem{Status: http.StatusBadGateway, Key: "error.unreachable", Args: args}
		case c.Probe.Problem != "":
			return connectProblem(&mailclient.ConnectError{Host: c.Host, Kind: c.Probe.Problem, Text: c.Probe.Text})
		case !c.Probe.Trusted():
			return connectProblem(&mailclient.ConnectError{Host: c.Host, Kind: c.Probe.Certificate.Faults[0]})
		}
	}
	return p
}

// confirm asks who signs in to look at servers that were discovered, before a password goes there: each browser once
// for an account, and again when they are others. seen are the servers that the form has shown.
func (s *Server) confirm(r *http.Request, servers discover.Servers, address, seen string) error {
	if !servers.Discovered() || seen == addressesOf(servers) || s.device(r, deviceKey(address, servers)) != "" {
		return nil
	}
	found, err := s.servers.Find(r.Context(), address)
	if err != nil {
		return err
	}
	return &unconfirmed{servers, found}
}

// addressesOf are the servers that a password goes to.
func addressesOf(s discover.Servers) string {
	return fmt.Sprintf("%s:%d %s:%d", s.IMAP.Host, s.IMAP.Port, s.SMTP.Host, s.SMTP.Port)
}

// deviceKey is by what a browser is remembered: servers that were discovered are part of it.
func deviceKey(address string, s discover.Servers) string {
	if s.Discovered() {
		return address + " " + addressesOf(s)
	}
	return address
}

// doubt has servers looked for again, at the next sign-in, that could not be reached.
func (s *Server) doubt(r *http.Request, servers discover.Servers, address string, err error) {
	var connect *mailclient.ConnectError
	if !servers.Discovered() || !errors.As(err, &connect) {
		return
	}
	if err := s.servers.Doubt(context.WithoutCancel(r.Context()), address); err != nil {
		s.log.Warn("what was found of a domain could not be kept", "id", requestID(r), "err", err)
	}
}

// sourceWords name where servers were found.
func sourceWords(l *i18n.Localizer, source discover.Source) string {
	return l.T("found.by." + string(source))
}

// cameKeys: to whom is not signed in, an address that must not be dialled is one that does not answer.
var cameKeys = map[discover.Came]string{
	discover.CameAnswer: "found.came.answer", discover.CameNothing: "found.came.nothing", discover.CameSilence: "found.came.silence",
	discover.CameForbidden: "found.came.silence", discover.CameUntrusted: "found.came.untrusted", discover.CameNonsense: "found.came.nonsense",
}

// looked says where servers were looked for: a line for each source and what it came to, with the names that were only
// guessed.
func looked(l *i18n.Localizer, f discover.Found) (out []string) {
	type line struct {
		source discover.Source
		came   string
	}
	var lines []line
	guesses := map[line][]string{}
	for _, look := range f.Looked {
		at := line{look.Source, cameKeys[look.Came]}
		if !slices.Contains(lines, at) {
			lines = append(lines, at)
		}
		if look.Source == discover.FromGuess && !slices.Contains(guesses[at], look.Where) {
			guesses[at] = append(guesses[at], look.Where)
		}
	}
	for _, at := range lines {
		where := sourceWords(l, at.source)
		if names := guesses[at]; len(names) > 0 {
			where += " " + strings.Join(names, ", ")
		}
		out = append(out, l.T("found.look", "Where", where, "Came", l.T(at.came)))
	}
	return out
}

// showServers shows the form again, with the servers that were found.
func (s *Server) showServers(w http.ResponseWriter, r *http.Request, page templates.Login, e *unconfirmed) error {
	l, f := page.L, e.found
	shown := &templates.FoundServers{Confirm: addressesOf(e.servers), Words: l.T("found.words", "Domain", f.Domain)}
	for _, c := range []struct {
		key    string
		choice discover.Choice
	}{{"found.reading", f.IMAP}, {"found.sending", f.Submission}} {
		shown.Lines = append(shown.Lines, l.T(c.key, "Address", c.choice.Address(), "Source", sourceWords(l, c.choice.Source)))
		switch {
		case c.choice.Confirm() && c.choice.Outside:
			shown.Warnings = append(shown.Warnings, l.T("found.outside", "Host", c.choice.Host, "Domain", f.Domain))
		case c.choice.Confirm():
			shown.Warnings = append(shown.Warnings, l.T("found.open", "Host", c.choice.Host))
		}
	}
	page.Found = shown
	s.render(w, r, http.StatusUnauthorized, page)
	return nil
}
