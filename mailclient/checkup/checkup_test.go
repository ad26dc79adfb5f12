package checkup_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"restante/internal/testmail"
	"restante/mailclient"
	"restante/mailclient/checkup"
	"restante/mailclient/discover"
)

func TestMain(m *testing.M) { testmail.Main(m) }

func plain(at testmail.Address) mailclient.Endpoint {
	return mailclient.Endpoint{Host: at.Host, Port: at.Port, Security: mailclient.Plain}
}

func secure(srv *testmail.Server, at testmail.Address) mailclient.Endpoint {
	return mailclient.Endpoint{Host: "localhost", Port: at.Port, Security: mailclient.TLS, RootCAs: srv.CA}
}

// options are for a user of a server, with all that it has.
func options(srv *testmail.Server, u testmail.User) checkup.Options {
	o := checkup.Options{Address: u.Address, Password: u.Password, Subject: "Prüfung", HelloName: "restante.test", RoundTrip: 20 * time.Second}
	o.Servers = discover.Servers{Domain: srv.Domain, IMAP: plain(srv.IMAP), SMTP: plain(srv.Submission)}
	if srv.IMAPS.Port != 0 {
		o.Servers.IMAP, o.Servers.SMTP, o.Servers.POP3 = secure(srv, srv.IMAPS), secure(srv, srv.Submissions), secure(srv, srv.POP3S)
		o.Servers.Sieve = mailclient.Endpoint{Host: "localhost", Port: srv.Sieve.Port, Security: mailclient.StartTLS, RootCAs: srv.CA}
	}
	return o
}

// result is the steps of a checkup, as "name service result problem" each.
type result []checkup.Step

func run(t *testing.T, o checkup.Options) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	return slices.Collect(checkup.Run(ctx, o))
}

func (r result) step(t *testing.T, name checkup.Name, service discover.Service) checkup.Step {
	t.Helper()
	for _, s := range r {
		if s.Name == name && s.Service == service {
			return s
		}
	}
	t.Fatalf("no step %s of %s in %+v", name, service, r)
	return checkup.Step{}
}

// want looks at the outcome of a step, and that none before it failed.
func (r result) want(t *testing.T, name checkup.Name, service discover.Service, outcome checkup.Result, problem checkup.Problem, advice checkup.Advice) checkup.Step {
	t.Helper()
	s := r.step(t, name, service)
	if s.Result != outcome || s.Problem != problem || s.Advice != advice {
		t.Errorf("%s of %s: %+v, want %s %s %s", name, service, s, outcome, problem, advice)
	}
	return s
}

// empty says that nothing was left in a user's mailboxes.
func empty(t *testing.T, srv *testmail.Server, u testmail.User, boxes ...string) {
	t.Helper()
	talk := srv.Talk(t, u)
	for _, box := range boxes {
		if n := talk.Count(box); n != 0 {
			t.Errorf("%d mails were left in %s", n, box)
		}
	}
}

func TestACheckupOfServersAsTheyShouldBe(t *testing.T) {
	testmail.EachHouse(t, func(t *testing.T, srv *testmail.Server) {
		u := srv.NewUser(t)
		r := run(t, options(srv, u))
		for _, s := range r {
			if s.Result == checkup.Failed || s.Result == checkup.LeftOut || s.Result == checkup.Warning && s.Problem != checkup.NotTLS && s.Problem != checkup.Expiring {
				t.Errorf("%+v", s)
			}
		}
		if srv.Kind != "demo" {
			if c := r.step(t, checkup.Secure, discover.Submission).Facts.Certificate; c == nil || len(c.Faults) > 0 {
				t.Errorf("%+v", c)
			}
			r.want(t, checkup.Capabilities, discover.POP3, checkup.OK, "", "")
			r.want(t, checkup.Capabilities, discover.Sieve, checkup.OK, "", "")
		}
		if s := r.step(t, checkup.Folders, discover.IMAP); s.Facts.Roles[mailclient.RoleSent] == "" || s.Facts.Mailboxes < 5 {
			t.Errorf("%+v", s.Facts)
		}
		if s := r.step(t, checkup.SignIn, discover.IMAP); s.Facts.Login != u.Address || !slices.Contains(s.Facts.Capabilities, "UIDPLUS") {
			t.Errorf("%+v", s.Facts)
		}
		if s := r.step(t, checkup.RoundTrip, discover.Submission); s.Facts.Mailbox != "INBOX" || s.Facts.FilesSent || s.Facts.Way <= 0 {
			t.Errorf("%+v", s.Facts)
		}
		empty(t, srv, u, "INBOX", "Drafts", "Sent")
	})
}

func TestACheckupWithoutAnAccountLooksAtTheServersAlone(t *testing.T) {
	srv := testmail.Demo(t)
	o := options(srv, testmail.User{})
	r := run(t, o)
	r.want(t, checkup.Secure, discover.IMAP, checkup.Warning, checkup.NotTLS, checkup.UseTLS)
	r.want(t, checkup.Capabilities, discover.Submission, checkup.OK, "", "")
	r.want(t, checkup.SignIn, discover.IMAP, checkup.LeftOut, checkup.NeedsAccount, "")
	r.want(t, checkup.RoundTrip, discover.Submission, checkup.LeftOut, checkup.NeedsAccount, "")
}

func TestWhatMayBeWrongWithAServer(t *testing.T) {
	srv := testmail.Dovecot(t, testmail.DovecotOptions{})
	silent := testmail.Listen(t, func(c net.Conn) { _, _ = io.WriteString(c, "* BYE closed today\r\n") })
	for _, c := range []struct {
		name    string
		ep      mailclient.Endpoint
		step    checkup.Name
		problem checkup.Problem
		advice  checkup.Advice
	}{
		{"no such host", mailclient.Endpoint{Host: "no-such-host.invalid", Port: 993, Security: mailclient.TLS}, checkup.Resolve, checkup.Problem(mailclient.NoSuchHost), checkup.FixName},
		{"nobody there", mailclient.Endpoint{Host: "127.0.0.1", Port: 1, Security: mailclient.TLS}, checkup.Secure, checkup.Problem(mailclient.Unreachable), checkup.OpenPort},
		{"unknown authority", mailclient.Endpoint{Host: "localhost", Port: srv.IMAPS.Port, Security: mailclient.TLS}, checkup.Secure, checkup.Problem(mailclient.CertUnknown), checkup.TrustCert},
		{"another name", mailclient.Endpoint{Host: "localhost.localdomain", Port: srv.IMAPS.Port, Security: mailclient.TLS, RootCAs: srv.CA, Via: to(srv.IMAPS)}, checkup.Secure, checkup.Problem(mailclient.CertName), checkup.UseCertName},
		{"another key", mailclient.Endpoint{Host: "localhost", Port: srv.IMAPS.Port, Security: mailclient.TLS, Pin: strings.Repeat("a", 64)}, checkup.Secure, checkup.Problem(mailclient.CertChanged), checkup.ComparePin},
		{"TLS on the wrong port", mailclient.Endpoint{Host: "localhost", Port: srv.IMAP.Port, Security: mailclient.TLS, RootCAs: srv.CA}, checkup.Secure, checkup.Problem(mailclient.WrongProtocol), checkup.OtherMode},
		{"closed", plain(silent), checkup.Secure, checkup.Problem(mailclient.Bye), checkup.TryLater},
		{"no way to sign in", imap(t, func(verb, _ string) string {
			if verb == "CAPABILITY" {
				return "* CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=GSSAPI"
			}
			return ""
		}), checkup.Capabilities, checkup.NoMechanism, checkup.OtherMode},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := checkup.Options{Servers: discover.Servers{IMAP: c.ep, SMTP: plain(testmail.NewScript(t).Address)}, Address: "anna@example.test", Password: "x", Resolver: names{}}
			r := run(t, o)
			r.want(t, c.step, discover.IMAP, checkup.Failed, c.problem, c.advice)
			r.want(t, checkup.SignIn, discover.IMAP, checkup.LeftOut, checkup.NeedsAnother, "")
			r.want(t, checkup.Rehearse, discover.Submission, checkup.LeftOut, checkup.NeedsAnother, "")
			r.want(t, checkup.Secure, discover.Submission, checkup.Warning, checkup.NotTLS, checkup.UseTLS)
		})
	}
}

// names is a resolver in which only invalid names do not exist.
type names struct{ discover.Resolver }

func (names) LookupHost(_ context.Context, host string) ([]string, error) {
	if strings.HasSuffix(host, ".invalid") {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return []string{"127.0.0.1"}, nil
}

// to is a Dialer that goes to one server.
type to testmail.Address

func (a to) DialContext(ctx context.Context, network, _ string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, network, testmail.Address(a).String())
}

// imap is a server that answers what answer says before "OK", or all of it if that begins with the tag; "" is OK alone.
func imap(t *testing.T, answer func(verb, line string) string) mailclient.Endpoint {
	t.Helper()
	return plain(testmail.Listen(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		_, _ = io.WriteString(c, "* OK ready\r\n")
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			words := strings.Fields(line)
			if len(words) < 2 {
				continue
			}
			say := answer(strings.ToUpper(words[1]), line)
			switch {
			case strings.HasPrefix(say, "NO "):
				say = words[0] + " " + say
			case say != "":
				say += "\r\n" + words[0] + " OK"
			default:
				say = words[0] + " OK"
			}
			if _, err := fmt.Fprintf(c, "%s\r\n", say); err != nil {
				return
			}
		}
	}))
}

func TestD7_ASecondFormOfTheNameIsTriedOnceAndOnlyIfWanted(t *testing.T) {
	for _, c := range []struct {
		name, right string
		local, both bool
		result      checkup.Result
		problem     checkup.Problem
		tries       int
	}{
		{"the local part is right", `"anna"`, false, true, checkup.Warning, checkup.OtherLogin, 2},
		{"the address is right", `"anna@example.test"`, true, true, checkup.Warning, checkup.OtherLogin, 2},
		{"neither is", `"ben"`, false, true, checkup.Failed, checkup.Password, 2},
		{"not wanted", `"anna"`, false, false, checkup.Failed, checkup.Password, 1},
		{"not needed", `"anna"`, true, true, checkup.OK, "", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			tries := make(chan string, 10)
			ep := imap(t, func(verb, line string) string {
				switch verb {
				case "CAPABILITY":
					return "* CAPABILITY IMAP4rev1 UIDPLUS"
				case "LOGIN":
					tries <- line
					if !strings.Contains(line, "LOGIN "+c.right+" ") {
						return "NO [AUTHENTICATIONFAILED] wrong"
					}
				}
				return ""
			})
			o := checkup.Options{Servers: discover.Servers{IMAP: ep, SMTP: ep, Local: c.local}, Address: "anna@example.test", Password: "x", OtherForm: c.both}
			for s := range checkup.Run(t.Context(), o) {
				if s.Name != checkup.SignIn {
					continue
				}
				if s.Result != c.result || s.Problem != c.problem || c.problem == checkup.OtherLogin && `"`+s.Facts.Login+`"` != c.right {
					t.Errorf("%+v", s)
				}
				break
			}
			if len(tries) != c.tries {
				t.Errorf("%d tries, want %d", len(tries), c.tries)
			}
		})
	}
}

func TestWhatMayBeWrongWithAnAccount(t *testing.T) {
	t.Run("the password", func(t *testing.T) {
		srv := testmail.Demo(t)
		u := srv.NewUser(t)
		u.Password = "wrong"
		r := run(t, options(srv, u))
		r.want(t, checkup.SignIn, discover.IMAP, checkup.Failed, checkup.Password, checkup.CheckPassword)
		r.want(t, checkup.RoundTrip, discover.Submission, checkup.LeftOut, checkup.NeedsAnother, "")
	})
	t.Run("no folders, and no way to remove one mail alone", func(t *testing.T) {
		srv := testmail.Dovecot(t, testmail.DovecotOptions{NoRoles: true, Without: "UIDPLUS"})
		u := srv.NewUser(t)
		o := checkup.Options{Servers: discover.Servers{IMAP: plain(srv.IMAP), SMTP: plain(testmail.NewScript(t).Address)}, Address: u.Address, Password: u.Password}
		r := run(t, o)
		s := r.want(t, checkup.Folders, discover.IMAP, checkup.Warning, checkup.NoRoles, checkup.MakeFolders)
		if len(s.Facts.Missing) != 4 {
			t.Errorf("missing: %v", s.Facts.Missing)
		}
		r.want(t, checkup.Keep, discover.IMAP, checkup.Warning, checkup.LeftMarked, checkup.RemoveByHand)
		r.want(t, checkup.RoundTrip, discover.Submission, checkup.LeftOut, checkup.NotWanted, "")
	})
	t.Run("a full mailbox", func(t *testing.T) {
		srv := testmail.Dovecot(t, testmail.DovecotOptions{Quota: "messages=1"})
		u := srv.NewUser(t)
		srv.Deliver(t, u, testmail.Mail("Ben <ben@example.test>", "full", "full"))
		o := checkup.Options{Servers: discover.Servers{IMAP: plain(srv.IMAP), SMTP: plain(testmail.NewScript(t).Address)}, Address: u.Address, Password: u.Password}
		run(t, o).want(t, checkup.Keep, discover.IMAP, checkup.Failed, checkup.Quota, checkup.MakeRoom)
	})
}

func TestWhatMayBeWrongWithSending(t *testing.T) {
	srv := testmail.Demo(t)
	for _, c := range []struct {
		name, at, say string
		step          checkup.Name
		problem       checkup.Problem
		advice        checkup.Advice
	}{
		{"the password", "AUTH", "535 5.7.8 no", checkup.Rehearse, checkup.Password, checkup.CheckPassword},
		{"trouble", "AUTH", "454 4.7.0 later", checkup.Rehearse, checkup.Trouble, checkup.TryLater},
		{"the sender at MAIL", "MAIL", "550 5.7.1 not yours", checkup.Rehearse, checkup.Sender, checkup.AllowSender},
		{"the sender at RCPT", "RCPT", "553 5.7.1 Sender address rejected: not owned by user", checkup.Rehearse, checkup.Sender, checkup.AllowSender},
		{"the recipient", "RCPT", "550 5.1.1 no such user", checkup.Rehearse, checkup.Refused, checkup.LookAtLog},
		{"the line is cut", "MAIL", testmail.HangUp, checkup.Rehearse, checkup.Problem(mailclient.Unreachable), checkup.OpenPort},
		{"the text", "dot", "554 5.7.1 spam", checkup.RoundTrip, checkup.Refused, checkup.LookAtLog},
		{"the mail does not come", "dot", "250 taken", checkup.RoundTrip, checkup.NotArrived, checkup.LookAtLog},
	} {
		t.Run(c.name, func(t *testing.T) {
			script := testmail.NewScript(t)
			script.Say(c.at, c.say)
			o := options(srv, srv.NewUser(t))
			o.Servers.SMTP, o.RoundTrip = plain(script.Address), time.Second
			r := run(t, o)
			r.want(t, c.step, discover.Submission, checkup.Failed, c.problem, c.advice)
			if c.step == checkup.Rehearse && len(script.Texts()) > 0 {
				t.Error("a mail was sent")
			}
		})
	}
	t.Run("a server for small mails", func(t *testing.T) {
		script := testmail.NewScript(t)
		script.Say("EHLO", "250-here\r\n250-SIZE 1000000\r\n250 AUTH PLAIN")
		o := options(srv, srv.NewUser(t))
		o.Servers.SMTP, o.RoundTrip = plain(script.Address), 0
		run(t, o).want(t, checkup.Rehearse, discover.Submission, checkup.Warning, checkup.TooSmall, checkup.RaiseLimit)
	})
}

func TestAMailThatComesIntoJunkAndACopyThatTheServerFiles(t *testing.T) {
	srv := testmail.Dovecot(t, testmail.DovecotOptions{})
	u, script := srv.NewUser(t), testmail.NewScript(t)
	o := options(srv, u)
	o.Servers.SMTP = plain(script.Address)
	talk := srv.Talk(t, u)
	delivered := make(chan bool)
	go func() {
		defer close(delivered)
		for len(script.Texts()) == 0 {
			select {
			case <-t.Context().Done():
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
		talk.Append("Sent", "", script.Texts()[0])
		talk.Append("Junk", "", script.Texts()[0])
	}()
	s := run(t, o).want(t, checkup.RoundTrip, discover.Submission, checkup.Warning, checkup.InJunk, checkup.TeachJunk)
	<-delivered
	if s.Facts.Mailbox != "Junk" || !s.Facts.FilesSent {
		t.Errorf("%+v", s.Facts)
	}
	if text := script.Texts()[0]; !strings.Contains(text, "Subject: =?utf-8?q?Pr=C3=BCfung?=\r\n") || !strings.Contains(text, "To: <"+u.Address+">\r\n") {
		t.Errorf("%s", text)
	}
	empty(t, srv, u, "INBOX", "Junk", "Sent", "Drafts")
}

func TestACheckupThatIsGivenUpLeavesNothing(t *testing.T) {
	srv := testmail.Demo(t)
	u := srv.NewUser(t)
	o := options(srv, u)
	o.RoundTrip = 0
	for s := range checkup.Run(t.Context(), o) { // nobody wants more
		if s.Name == checkup.SignIn {
			break
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o.Servers.SMTP = plain(testmail.Listen(t, func(c net.Conn) {
		cancel() // while it is waited for
		_, _ = io.Copy(io.Discard, c)
	}))
	for s := range checkup.Run(ctx, o) {
		if s.Service == discover.Submission && s.Name != checkup.Resolve {
			t.Errorf("%+v came after the end", s)
		}
	}
	empty(t, srv, u, "INBOX", "Drafts")
}
