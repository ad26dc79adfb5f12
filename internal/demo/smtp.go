package demo

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"strings"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// maxSubmission is the SIZE of the submission server, in bytes.
const maxSubmission = 25 << 20

func now() time.Time { return time.Now() }

// newSubmission makes the SMTP server; it delivers to local INBOXes and nowhere else.
func newSubmission(s *Servers) *smtp.Server {
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &submission{servers: s, hello: c.Hostname}, nil
	}))
	server.Domain = Domain
	server.MaxMessageBytes = maxSubmission
	server.MaxRecipients = 200
	server.AllowInsecureAuth = true
	server.EnableSMTPUTF8 = true
	server.ReadTimeout = 5 * time.Minute
	server.WriteTimeout = time.Minute
	server.ErrorLog = log.New(io.Discard, "", 0)
	return server
}

// submission is one SMTP connection.
type submission struct {
	servers *Servers
	hello   func() string
	account *account // nil until signed in
	from    string
	to      []*account
}

// AuthMechanisms lists what AUTH offers.
func (s *submission) AuthMechanisms() []string { return []string{sasl.Plain, sasl.Login} }

// Auth begins a sign-in.
func (s *submission) Auth(mech string) (sasl.Server, error) {
	switch mech {
	case sasl.Plain:
		return sasl.NewPlainServer(func(_, username, password string) error { return s.signIn(username, password) }), nil
	case sasl.Login:
		return &loginServer{signIn: s.signIn}, nil
	}
	return nil, smtp.ErrAuthUnknownMechanism
}

func (s *submission) signIn(username, password string) error {
	a := s.servers.signIn(username, password)
	if a == nil {
		return smtp.ErrAuthFailed
	}
	s.account = a
	return nil
}

// Mail takes the sender, who must be the one signed in, with a tag or without.
func (s *submission) Mail(from string, _ *smtp.MailOptions) error {
	if s.account == nil {
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "Sign in first"}
	}
	if !strings.EqualFold(untagged(from), s.account.user.Address) {
		return &smtp.SMTPError{Code: 553, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "You are signed in as " + s.account.user.Address}
	}
	s.from = from
	return nil
}

// Rcpt takes a recipient, who must be local.
func (s *submission) Rcpt(to string, _ *smtp.RcptOptions) error {
	i := strings.LastIndex(to, "@")
	if i < 0 || !strings.EqualFold(to[i+1:], Domain) {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "this demo sends nothing outside"}
	}
	a := s.servers.account(untagged(to))
	if a == nil {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such address here: " + to}
	}
	for _, known := range s.to {
		if known == a {
			return nil
		}
	}
	s.to = append(s.to, a)
	return nil
}

// untagged is an address without what stands behind a + in its local part.
func untagged(address string) string {
	local, domain, _ := strings.Cut(address, "@")
	local, _, _ = strings.Cut(local, "+")
	return local + "@" + domain
}

// Data takes the message and delivers it at once.
func (s *submission) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	for _, a := range s.to {
		var b bytes.Buffer
		fmt.Fprintf(&b, "Return-Path: <%s>\r\nReceived: from %s by mx.%s with ESMTPA\r\n\tfor <%s>; %s\r\n",
			s.from, atom(s.hello()), Domain, a.user.Address, now().Format(time.RFC1123Z))
		b.Write(raw)
		if _, err := a.append("INBOX", b.Bytes(), now(), nil); err != nil {
			return err
		}
	}
	return nil
}

// atom keeps a name that the client chose from breaking the header.
func atom(s string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || strings.ContainsRune(`()<>;"\`, r) {
			return -1
		}
		return r
	}, s)
}

// Reset forgets the message in progress.
func (s *submission) Reset() { s.from, s.to = "", nil }

// Logout ends the connection.
func (s *submission) Logout() error { return nil }

// loginServer is the server's side of AUTH LOGIN, draft-murchison-sasl-login.
type loginServer struct {
	signIn   func(username, password string) error
	username string
	asked    bool
}

// Next takes the name, then the password. An initial response is the name.
func (l *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	switch {
	case l.asked:
		return nil, true, l.signIn(l.username, string(response))
	case response == nil:
		return []byte("Username:"), false, nil
	}
	l.username, l.asked = string(response), true
	return []byte("Password:"), false, nil
}
