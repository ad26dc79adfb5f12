package handlers

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"restante/internal/jobs"
	"restante/internal/limits"
	"restante/internal/store"
	"restante/mailclient"
	"restante/mailclient/compose"
	"restante/mailclient/discover"
	"restante/mailclient/submit"
	"restante/templates"
)

// ownTyped is the submission server of an identity as it was typed.
type ownTyped struct {
	serverTyped
	on       bool // the identity is to have one
	username string
	kept     bool // a password is kept for it
	page     string
}

func ownTypedOf(id store.Identity) (t ownTyped) {
	if own, ok := jobs.OwnServerOf(id); ok {
		t = ownTyped{serverTyped{own.Host, strconv.Itoa(own.Port), typedSecurity(string(own.Security))}, true, own.Username, len(id.Cred) > 0, ""}
	}
	return t
}

func ownTypedFrom(r *http.Request, was ownTyped) ownTyped {
	return ownTyped{serverTypedFrom(r, "smtp_"), r.PostFormValue("own") == "1", strings.TrimSpace(r.PostFormValue("username")), was.kept, ""}
}

func (s *Server) ownServerView(p *person, f identityForm) templates.OwnServerForm {
	v := templates.OwnServerForm{On: f.own.on, Username: f.own.username, HasPassword: f.own.kept, PasswordURL: f.own.page,
		ServerForm: templates.ServerForm{Name: "smtp", Host: f.own.host, Port: f.own.port, Usual: strconv.Itoa(usualPorts[discover.Submission][mailclient.TLS])}}
	v.Securities = securityOptions(p, f.own.security)
	if f.password != "" {
		v.Sealed = s.sealPassword(p, f.password)
	}
	return v
}

// A password that was typed comes back in the form sealed, for an hour, so that it need not be typed again once the server
// was tried.
const (
	formPurpose  = "identity-form/1"
	formPassword = time.Hour
)

func (s *Server) sealPassword(p *person, password string) string {
	stamp := strconv.FormatInt(s.now().Unix(), 10)
	return base64.RawURLEncoding.EncodeToString(s.ring.Seal(formPurpose, strconv.FormatInt(p.User.ID, 10), []byte(stamp+" "+password)))
}

// passwordTyped is the one that was typed now, or before in the same form.
func (s *Server) passwordTyped(r *http.Request, p *person) string {
	if v := r.PostFormValue("password"); v != "" {
		return v
	}
	sealed, err := base64.RawURLEncoding.DecodeString(r.PostFormValue("sealed"))
	if err != nil || len(sealed) == 0 {
		return ""
	}
	raw, err := s.ring.Open(formPurpose, strconv.FormatInt(p.User.ID, 10), sealed)
	stamp, password, _ := strings.Cut(string(raw), " ")
	if err != nil || s.now().Sub(time.Unix(atoi64(stamp), 0)) > formPassword {
		return ""
	}
	return password
}

// ownServerAct finds or tries the own server of an identity, as the button says, and says what is to be kept of it. shown:
// the page with what came of it is the answer.
func (s *Server) ownServerAct(w http.ResponseWriter, r *http.Request, p *person, f *identityForm, was identityForm, change *jobs.IdentityChange) (shown bool, err error) {
	action := r.PostFormValue("action")
	again := func(status int, key string, args ...any) (bool, error) {
		f.wrong = p.L.T(key, args...)
		return true, s.showIdentity(w, r, p, *f, status)
	}
	if f.lock != "" {
		if own, ok := jobs.OwnServerOf(f.Identity); ok {
			change.Server = &own
		}
		return false, nil
	}
	if action == "find" {
		return s.findOwnServer(w, r, p, f)
	}
	if !f.own.on {
		if action == "test" || action == "testmail" {
			return again(http.StatusUnprocessableEntity, "identity.server.none")
		}
		return false, nil
	}
	place, ok := f.own.place(discover.Submission)
	if !ok || place.Check() != nil {
		return again(http.StatusUnprocessableEntity, "identity.server.bad")
	}
	own := jobs.OwnServer{Place: place, Username: f.own.username}
	if own.Username == "" {
		own.Username = f.Address
	}
	if len(own.Username) > 254 || len(f.password) > 1024 || strings.ContainsAny(own.Username+f.password, "\r\n\x00") {
		return true, badRequest("error.form")
	}
	before, had := jobs.OwnServerOf(was.Identity)
	moved := !had || before.Host != own.Host || before.Port != own.Port
	if change.Server = &own; f.password == "" && (moved || !f.own.kept) { // the old one goes to no other server
		return again(http.StatusUnprocessableEntity, "identity.server.nopassword")
	}
	if (action == "" || action == "save") && had && before == own && f.password == "" && strings.EqualFold(was.Address, f.Address) || action == "anyway" {
		return false, nil
	}
	if !s.accounts.may(p.User.ID, s.now()) {
		return again(http.StatusTooManyRequests, "imports.toomany")
	}
	pr, err := s.rehearsed(r.Context(), p, f, own, action == "testmail")
	if err != nil {
		return true, err
	}
	if pr != nil {
		f.said, f.anyway = pr.Server, true
		return again(http.StatusUnprocessableEntity, pr.Key, pr.Args...)
	}
	if action != "test" && action != "testmail" {
		return false, nil
	}
	words := p.L.T("identity.server.works", "Host", own.Host, "Address", f.Address)
	if action == "testmail" {
		words = p.L.T("identity.server.mailed", "Host", own.Host, "To", p.User.Address)
	}
	f.lines = append([]templates.TestLine{{State: "ok", Words: words}}, s.vouchLines(r.Context(), p, f.Address, own.Host)...)
	return true, s.showIdentity(w, r, p, *f, http.StatusOK)
}

// findOwnServer fills in the submission server of the address that is signed in with, without asking it for anything.
func (s *Server) findOwnServer(w http.ResponseWriter, r *http.Request, p *person, f *identityForm) (shown bool, err error) {
	f.own.on = true
	about := f.own.username
	if !compose.Valid(about) {
		about = f.Address
	}
	if !s.accounts.may(p.User.ID, s.now()) {
		f.wrong = p.L.T("imports.toomany")
		return true, s.showIdentity(w, r, p, *f, http.StatusTooManyRequests)
	}
	if own, ok := s.servers.Lookup(about); ok && own.OAuth == nil {
		f.own.serverTyped = serverTyped{own.SMTP.Host, strconv.Itoa(own.SMTP.Port), typedSecurity(string(own.SMTP.Security))}
		f.own.page = own.Password
		f.lines = []templates.TestLine{{State: "ok", Words: p.L.T("identity.server.known", "Host", own.SMTP.Host)}}
		return true, s.showIdentity(w, r, p, *f, http.StatusOK)
	}
	found, err := s.finder.Find(r.Context(), about)
	if err != nil && !errors.Is(err, discover.ErrAddress) {
		return true, err
	}
	c := found.Submission
	if !c.Found() {
		f.wrong = p.L.T("identity.server.notfound", "Domain", limits.DomainOf(about))
		return true, s.showIdentity(w, r, p, *f, http.StatusUnprocessableEntity)
	}
	f.own.serverTyped = serverTyped{c.Host, strconv.Itoa(c.Port), typedSecurity(string(c.Security))}
	f.own.page = found.Password
	f.lines = []templates.TestLine{{State: "ok", Words: p.L.T("imports.found", "Host", c.Address(), "Source", sourceWords(p.L, c.Source))}}
	if c.Confirm() {
		f.lines = append(f.lines, templates.TestLine{State: "warn", Words: p.L.T("imports.confirm", "Host", c.Host, "Domain", found.Domain)})
	}
	return true, s.showIdentity(w, r, p, *f, http.StatusOK)
}

const rehearseTime = 20 * time.Second // of a phase

// rehearsed does at an own server all of a send but the text, or sends the person a mail through it. The problem is what
// the server says against it.
func (s *Server) rehearsed(ctx context.Context, p *person, f *identityForm, own jobs.OwnServer, send bool) (*Problem, error) {
	cred := mailclient.Credentials{Username: own.Username, Password: f.password}
	if f.password == "" {
		kept, err := s.queue.IdentityCredential(f.Identity)
		if err != nil {
			return &Problem{Key: "identity.server.nopassword"}, nil
		}
		cred.Password = kept.Password
	}
	o := submit.Options{Server: s.queue.Endpoint(own), Credentials: cred, Timeout: rehearseTime}
	m, err := s.testMail(p, f)
	if err != nil {
		return nil, err
	}
	var out submit.Outcome
	if send {
		if out = submit.Send(ctx, o, m); out.Kind == submit.Sent {
			return nil, nil
		}
	} else {
		_, err := submit.Rehearse(ctx, o, m)
		if err == nil {
			return nil, nil
		}
		var refused *submit.RefusedError
		if !errors.As(err, &refused) {
			return nil, err
		}
		out = refused.Outcome
	}
	return ownServerProblem(own.Host, f.Address, p.User.Address, out), nil
}

// testMail is a mail of an identity to its person.
func (s *Server) testMail(p *person, f *identityForm) (submit.Mail, error) {
	var b bytes.Buffer
	from, utf8 := compose.Envelope(f.Address)
	to, utf8To := compose.Envelope(p.User.Address)
	err := compose.Write(&b, compose.Draft{From: compose.Address{Name: f.Name, Addr: f.Address}, To: []compose.Address{{Addr: p.User.Address}}, Date: s.nowFor(p),
		Subject: p.L.T("identity.testmail.subject", "Address", f.Address), Text: p.L.T("identity.testmail.text", "Address", f.Address), MessageID: compose.NewMessageID(f.Address)})
	return submit.Mail{From: from, Recipients: []string{to}, Size: int64(b.Len()), Body: &b, UTF8: utf8 || utf8To}, err
}

// ownServerProblem says what an own server has against a mail.
func ownServerProblem(host, from, to string, out submit.Outcome) *Problem {
	p := &Problem{Key: "accounts.sendtrouble", Args: []any{"Host", host, "Address", from, "To", to}, Server: out.Text}
	switch key, ok := connectKeys[out.Why]; {
	case ok && key != "error.unreachable":
		p.Key, p.Server = key, ""
	case out.Kind == submit.SignIn:
		p.Key = "identity.server.signin"
	case out.Kind == submit.Identity:
		p.Key = "identity.server.notyours"
	case out.Kind == submit.Config:
		p.Key = "identity.server.noway"
	case out.Kind == submit.Rejected:
		p.Key = "identity.server.norcpt"
	case out.Code == 0:
		p.Key = "identity.server.away"
	}
	return p
}

// vouchLines say whether receivers will believe mail of an address from a server.
func (s *Server) vouchLines(ctx context.Context, p *person, address, host string) []templates.TestLine {
	v := s.finder.Vouches(ctx, limits.DomainOf(address), host)
	args := []any{"Domain", v.Domain, "Host", v.Host}
	line := templates.TestLine{State: "warn", Words: p.L.T("identity.spf."+string(v.SPF), args...)}
	switch v.SPF {
	case discover.SPFPass:
		line.State = "ok"
		return []templates.TestLine{line}
	case discover.SPFUnknown:
		return []templates.TestLine{line}
	}
	if v.DMARC == "quarantine" || v.DMARC == "reject" {
		line.Words += " " + p.L.T("identity.dmarc."+v.DMARC, args...)
	}
	return []templates.TestLine{line}
}

// through is the person with the own submission server of an identity in the place of their account's, where it has one.
func (s *Server) through(p *person, id store.Identity) *person {
	own, ok := jobs.OwnServerOf(id)
	if !ok {
		return p
	}
	there := *p
	there.Servers.SMTP = s.queue.Endpoint(own)
	if cred, err := s.queue.IdentityCredential(id); err == nil {
		there.cred = cred
	}
	return &there
}
