// Package testmail gives tests real mail servers: Dovecot, Courier and Postfix
// from Debian's packages, on loopback ports of their own under a temporary
// directory, and the embedded demo server. What is started lives until the test
// process ends. It knows no room of Restante but the demo server.
//
// Start at Dovecot, Postfix, Courier and Each; Talk speaks to a server behind
// Restante's back, Tap stands between Restante and a server.
package testmail

import (
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"restante/internal/demo"
	"restante/internal/testproc"
)

// Password is that of every user of these servers.
const Password = "secret"

// Domain is the part after the @ of every address on Dovecot and Postfix.
const Domain = "example.test"

// Main runs a package's tests and then stops the servers: `func TestMain(m *testing.M) { testmail.Main(m) }`.
func Main(m *testing.M) { testproc.Main(m) }

// Address is where a service listens. The zero Address means that the server does not have it.
type Address struct {
	Host string
	Port int
}

// String is host:port.
func (a Address) String() string { return net.JoinHostPort(a.Host, strconv.Itoa(a.Port)) }

// Server is a set of mail services that belong together.
type Server struct {
	Kind string // dovecot, courier or demo

	IMAP  Address // plain; STARTTLS too on Dovecot and Courier
	IMAPS Address
	POP3  Address // plain; STARTTLS too on Dovecot and Courier. On the demo server it is the mailbox of demo.OldUser
	POP3S Address
	Sieve Address
	LMTP  Address
	SASL  Address // Dovecot's auth service, for Postfix

	Submission  Address // plain; STARTTLS too on Postfix
	Submissions Address
	SMTP        Address // takes mail from anywhere for its own users

	CA     *x509.CertPool // whom the certificates are signed by
	CAFile string         // the same as a PEM file
	Domain string

	process *testproc.Server
	demo    *demo.Servers
	given   *atomic.Int64 // users of the demo server
	users   chan User     // who nobody has been given, on a server that must know them before
}

// User is somebody with a mailbox.
type User struct{ Address, Password string }

var count atomic.Int64

// NewUser makes a user with empty mailboxes whom no other test knows. On the demo server there are three at most.
func (s *Server) NewUser(t testing.TB) User {
	t.Helper()
	if s.users != nil {
		select {
		case u := <-s.users:
			return u
		default:
			t.Fatal("no users are left")
		}
	}
	if s.demo == nil {
		return User{Address: fmt.Sprintf("user%d@%s", count.Add(1), s.Domain), Password: Password}
	}
	all := s.demo.Users()
	u := all[int(s.given.Add(1))%len(all)]
	return User{Address: u.Address, Password: u.Password}
}

// Deliver puts mails into the user's INBOX, oldest first. Bare line feeds become CRLF.
func (s *Server) Deliver(t testing.TB, u User, mails ...string) {
	t.Helper()
	talk := s.Talk(t, u)
	defer talk.Close()
	for _, m := range mails {
		talk.Append("INBOX", "", crlf(m))
	}
}

// Mail writes a plain mail: who from, the subject, and the text.
func Mail(from, subject, text string) string {
	return crlf(fmt.Sprintf("From: %s\nTo: somebody@%s\nSubject: %s\nDate: %s\nMessage-ID: <%d.%d@%s>\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n%s\n",
		from, Domain, subject, time.Now().Format(time.RFC1123Z), time.Now().UnixNano(), count.Add(1), Domain, text))
}

func crlf(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
}

const demoUsers = 8

// Demo starts the embedded server for one test, empty, with capabilities taken away, such as "MOVE".
func Demo(t testing.TB, without ...string) *Server {
	t.Helper()
	users := make([]demo.User, demoUsers)
	own := strings.ToLower(rand.Text()[:6]) // what still tries to reach a server that had the port before finds nobody here
	for i := range users {
		users[i] = demo.User{Address: fmt.Sprintf("person%d-%s@%s", i, own, demo.Domain), Password: Password, Name: fmt.Sprintf("Person %d", i)}
	}
	d, err := demo.Start(t.Context(), demo.Options{Users: users, Without: without})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return OfDemo(t, d)
}

// OfDemo is a demo server that the test has started by itself.
func OfDemo(t testing.TB, d *demo.Servers) *Server {
	t.Helper()
	return &Server{Kind: "demo", IMAP: addressOf(t, d.IMAPAddr), Submission: addressOf(t, d.SMTPAddr), SMTP: addressOf(t, d.SMTPAddr), POP3: addressOf(t, d.POP3Addr), Domain: demo.Domain, demo: d, given: new(atomic.Int64)}
}

func addressOf(t testing.TB, s string) Address {
	t.Helper()
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return Address{host, n}
}

// Each runs f on the embedded server and on Dovecot.
func Each(t *testing.T, f func(t *testing.T, srv *Server)) {
	t.Helper()
	t.Run("demo", func(t *testing.T) { f(t, Demo(t)) })
	t.Run("dovecot", func(t *testing.T) { f(t, Dovecot(t, DovecotOptions{})) })
}

// EachHouse runs f where mail can be sent too: on the embedded server, and on Dovecot with Postfix.
func EachHouse(t *testing.T, f func(t *testing.T, srv *Server)) {
	t.Helper()
	t.Run("demo", func(t *testing.T) { f(t, Demo(t)) })
	t.Run("postfix", func(t *testing.T) { f(t, Postfix(t, PostfixOptions{})) })
}
