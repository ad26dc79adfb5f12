package discover_test

import (
	"context"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"restante/internal/testmail"
	"restante/mailclient"
	"restante/mailclient/discover"
)

func TestTryShowsWhatRealServersAre(t *testing.T) {
	srv := testmail.Postfix(t, testmail.PostfixOptions{})
	for _, c := range []struct {
		name     string
		service  discover.Service
		at       testmail.Address
		security mailclient.Security
		has      string
	}{
		{"imaps", discover.IMAP, srv.IMAPS, mailclient.TLS, "IDLE"},
		{"imap", discover.IMAP, srv.IMAP, mailclient.StartTLS, "IDLE"},
		{"imap in the open", discover.IMAP, srv.IMAP, mailclient.Plain, "IDLE"},
		{"submissions", discover.Submission, srv.Submissions, mailclient.TLS, "SIZE"},
		{"submission", discover.Submission, srv.Submission, mailclient.StartTLS, "SIZE"},
		{"pop3s", discover.POP3, srv.POP3S, mailclient.TLS, "UIDL"},
		{"pop3", discover.POP3, srv.POP3, mailclient.StartTLS, "UIDL"},
		{"sieve", discover.Sieve, srv.Sieve, mailclient.StartTLS, "SIEVE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ep := mailclient.Endpoint{Host: "localhost", Port: c.at.Port, Security: c.security, RootCAs: srv.CA}
			p := discover.Try(t.Context(), c.service, ep)
			if p.Problem != "" || !p.Has(c.has) || !slices.Contains(p.Mechanisms, "PLAIN") || p.Trusted() != (c.security != mailclient.Plain) {
				t.Errorf("%+v", p)
			}
			if c.security == mailclient.Plain {
				return
			}
			ep.RootCAs, ep.Host = nil, "127.0.0.1"
			p = discover.Try(t.Context(), c.service, ep)
			if p.Problem != "" || p.Trusted() || p.Certificate.Subject != "localhost" || p.Certificate.Issuer != "Restante test authority" || p.Certificate.SelfSigned || len(p.Capabilities) == 0 {
				t.Errorf("an unknown authority: %+v %+v", p, p.Certificate)
			}
		})
	}
}

// odd serves lines as they come: what is sent at first, and after each line that is heard.
func odd(t *testing.T, answers ...string) mailclient.Endpoint {
	t.Helper()
	at := testmail.Listen(t, func(c net.Conn) {
		b := make([]byte, 1000)
		for _, a := range answers {
			if _, err := io.WriteString(c, strings.ReplaceAll(a, "\n", "\r\n")); err != nil {
				return
			}
			if _, err := c.Read(b); err != nil {
				return
			}
		}
	})
	return mailclient.Endpoint{Host: at.Host, Port: at.Port, Security: mailclient.Plain}
}

func TestTryOddServers(t *testing.T) {
	const starttls = mailclient.StartTLS
	for _, c := range []struct {
		name     string
		service  discover.Service
		security mailclient.Security
		answers  []string
		want     mailclient.ConnectKind
		text     string
	}{
		{"IMAP says goodbye", discover.IMAP, "", []string{"* BYE too many\x1b[31m connections\n"}, mailclient.Bye, "too many [31m connections"},
		{"IMAP lets in whoever comes", discover.IMAP, starttls, []string{"* PREAUTH hello\n"}, mailclient.Injected, ""},
		{"IMAP without STARTTLS", discover.IMAP, starttls, []string{"* OK\n", "* CAPABILITY IMAP4rev1\np1 OK\n"}, mailclient.NoTLS, ""},
		{"IMAP refuses STARTTLS", discover.IMAP, starttls, []string{"* OK\n", "* CAPABILITY IMAP4rev1 STARTTLS\np1 OK\n", "p2 NO not now\n"}, mailclient.NoTLS, "not now"},
		{"IMAP with bytes behind STARTTLS", discover.IMAP, starttls, []string{"* OK\n", "* CAPABILITY IMAP4rev1 STARTTLS\np1 OK\n", "p2 OK\n* OK injected\n"}, mailclient.Injected, ""},
		{"IMAP goes away", discover.IMAP, "", []string{"* OK\n"}, mailclient.Lost, ""},
		{"IMAP talks for ever", discover.IMAP, "", []string{"* OK\n", strings.Repeat("* 1 EXISTS\n", 400)}, mailclient.WrongProtocol, ""},
		{"HTTP where IMAP should be", discover.IMAP, "", []string{"HTTP/1.1 400 Bad Request\n"}, mailclient.WrongProtocol, ""},
		{"SMTP is closed", discover.Submission, "", []string{"554-go\n554 away\n"}, mailclient.Bye, "554 away"},
		{"SMTP knows no EHLO", discover.Submission, "", []string{"220 hello\n", "502 what\n"}, mailclient.Bye, "502 what"},
		{"SMTP without STARTTLS", discover.Submission, starttls, []string{"220 hello\n", "250-here\n250 SIZE\n"}, mailclient.NoTLS, ""},
		{"IMAP where SMTP should be", discover.Submission, "", []string{"* OK ready\n"}, mailclient.WrongProtocol, ""},
		{"POP3 refuses", discover.POP3, "", []string{"-ERR [IN-USE] later\n"}, mailclient.Bye, "[IN-USE] later"},
		{"POP3 with bytes behind STLS", discover.POP3, starttls, []string{"+OK\n", "+OK\nSTLS\n.\n", "+OK\n+OK more\n"}, mailclient.Injected, ""},
		{"POP3 without CAPA", discover.POP3, "", []string{"+OK\n", "-ERR what\n", "+OK bye\n"}, "", ""},
		{"Sieve says goodbye", discover.Sieve, "", []string{"BYE \"no\"\n"}, mailclient.Bye, `"no"`},
		{"SMTP where Sieve should be", discover.Sieve, "", []string{"220 hello\n"}, mailclient.WrongProtocol, ""},
		{"no TLS on the port of TLS", discover.IMAP, mailclient.TLS, []string{"* OK in the open\n"}, mailclient.WrongProtocol, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			ep := odd(t, c.answers...)
			if c.security != "" {
				ep.Security = c.security
			}
			if p := discover.Try(t.Context(), c.service, ep); p.Problem != c.want || p.Text != c.text && c.want != mailclient.WrongProtocol {
				t.Errorf("%+v, want %q %q", p, c.want, c.text)
			}
		})
	}
}

func TestTryIsCancelledAndStaysAwayFromOpenConnections(t *testing.T) {
	at := testmail.Listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	ctx, cancel := context.WithCancel(t.Context())
	via := &dialer{func(ctx context.Context, network, _ string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, at.String())
		cancel()
		return c, err
	}}
	ep := mailclient.Endpoint{Host: "imap.example.test", Port: 143, Security: mailclient.StartTLS, Via: via}
	if p := discover.Try(ctx, discover.IMAP, ep); p.Problem != mailclient.Timeout {
		t.Errorf("%+v", p)
	}
	public := &dialer{func(context.Context, string, string) (net.Conn, error) { return elsewhere{}, nil }}
	ep = mailclient.Endpoint{Host: "imap.example.test", Port: 143, Security: mailclient.Plain, Via: public}
	if p := discover.Try(t.Context(), discover.IMAP, ep); p.Problem != mailclient.NoTLS {
		t.Errorf("%+v", p)
	}
}

// elsewhere is a connection to a public address.
type elsewhere struct{ net.Conn }

func (elsewhere) Close() error                { return nil }
func (elsewhere) SetDeadline(time.Time) error { return nil }
func (elsewhere) RemoteAddr() net.Addr        { return &net.TCPAddr{IP: net.IPv4(8, 8, 8, 8), Port: 143} }

// dialer is a function as a mailclient.Dialer, which has to be comparable.
type dialer struct {
	f func(ctx context.Context, network, address string) (net.Conn, error)
}

func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return d.f(ctx, network, address)
}
