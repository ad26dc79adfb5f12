package pop3_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"restante/internal/testmail"
	"restante/mailclient/pop3"
	"restante/mailclient/wire"
)

func TestMain(m *testing.M) { testmail.Main(m) }

// script is a server that answers the lines it is sent, in turn: each step is what is expected, "=>", and what is sent
// for it. The first has nothing before the arrow. "\n" stands for CRLF, "\v" for a bare line feed.
func script(t *testing.T, steps ...string) pop3.Options {
	t.Helper()
	at := testmail.Listen(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		for _, s := range steps {
			want, answer, _ := strings.Cut(s, "=>")
			for line := range strings.SplitSeq(want, "|") {
				if line == "" {
					continue
				}
				got, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if got = strings.TrimRight(got, "\r\n"); got != line {
					t.Errorf("the server was told %q, not %q", got, line)
					return
				}
			}
			if _, err := c.Write([]byte(strings.NewReplacer("\n", "\r\n", "\v", "\n").Replace(answer))); err != nil {
				return
			}
		}
	})
	return pop3.Options{Host: at.Host, Port: at.Port, Security: "plain", Username: "anna", Password: "pass  word "}
}

var usual = []string{"=>+OK ready\n", "CAPA=>+OK\nUSER\nUIDL\nTOP\n.\n", "USER anna=>+OK\n", "PASS pass  word =>+OK\n", "CAPA=>+OK\nUIDL\nTOP\n.\n"}

func dial(t *testing.T, o pop3.Options) *pop3.Client {
	t.Helper()
	c, err := pop3.Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func listing(c *pop3.Client, ctx context.Context) (out []pop3.Entry, uids bool, err error) {
	uids, err = c.Listing(ctx, func(e pop3.Entry) error { out = append(out, e); return nil })
	return out, uids, err
}

func TestSignIn(t *testing.T) {
	for name, steps := range map[string][]string{
		"USER and PASS, spaces and all":     usual,
		"a server without CAPA":             {"=>+OK\n", "CAPA=>-ERR what\n", "USER anna=>+OK\n", "PASS pass  word =>+OK in\n", "CAPA=>-ERR what\n"},
		"PLAIN, whose answer is asked for":  {"=>+OK\n", "CAPA=>+OK\nSASL LOGIN PLAIN\n.\n", "AUTH PLAIN=>+\n", "AGFubmEAcGFzcyAgd29yZCA==>+OK\n", "CAPA=>+OK\n.\n"},
		"LOGIN":                             {"=>+OK\n", "CAPA=>+OK\nSASL LOGIN\n.\n", "AUTH LOGIN=>+ VXNlcm5hbWU6\n", "YW5uYQ===>+ UGFzc3dvcmQ6\n", "cGFzcyAgd29yZCA==>+OK\n", "CAPA=>+OK\n.\n"},
		"a mechanism refused, then another": {"=>+OK\n", "CAPA=>+OK\nSASL PLAIN\n.\n", "AUTH PLAIN=>-ERR Unsupported mechanism\n", "USER anna=>+OK\n", "PASS pass  word =>+OK\n", "CAPA=>+OK\n.\n"},
	} {
		t.Run(name, func(t *testing.T) { dial(t, script(t, steps...)) })
	}
	t.Run("APOP by consent", func(t *testing.T) {
		o := script(t, "=>+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>\n", "CAPA=>-ERR\n", "APOP mrose c4c9334bac560ecc979e58001b3e22fb=>+OK\n", "CAPA=>-ERR\n")
		o.Username, o.Password, o.APOP = "mrose", "tanstaaf", true // RFC 1939 7
		dial(t, o)
	})
	t.Run("APOP without a timestamp sends nothing", func(t *testing.T) {
		o := script(t, "=>+OK ready\n", "CAPA=>-ERR\n", "QUIT=>")
		o.APOP = true
		refusedTo(t, o, wire.NoTLS)
	})
}

func refusedTo(t *testing.T, o pop3.Options, kind wire.ConnectKind) {
	t.Helper()
	_, err := pop3.Dial(t.Context(), o)
	var e *wire.ConnectError
	if !errors.As(err, &e) || e.Kind != kind {
		t.Errorf("%v, not %s", err, kind)
	}
}

func TestARefusedSignInSaysWhy(t *testing.T) {
	for answer, want := range map[string]pop3.Reason{
		"-ERR [IN-USE] Do you have another session?": pop3.InUse, "-ERR [in-use] x": pop3.InUse, "-ERR [LOGIN-DELAY] minimum 60 seconds": pop3.Delay,
		"-ERR [SYS/TEMP] disk": pop3.Temporary, "-ERR [SYS/PERM] gone": pop3.Permanent, "-ERR [AUTH] no": pop3.Password, "-ERR mailbox is locked by another": pop3.InUse,
		"-ERR Maildrop already in use": pop3.InUse, "-ERR please wait 5 minutes": pop3.Delay, "-ERR logins too frequent": pop3.Delay, "-ERR invalid password": pop3.Unclear, "-ERR": pop3.Unclear,
	} {
		steps := slices.Clone(usual)
		steps[3] = "PASS pass  word =>" + answer + "\n"
		_, err := pop3.Dial(t.Context(), script(t, steps...))
		var e *pop3.RefusedError
		if !errors.As(err, &e) || e.Reason() != want {
			t.Errorf("%s: %v, not %s", answer, err, want)
		}
	}
}

func TestListing(t *testing.T) {
	long := strings.Repeat("u", 513)
	for name, c := range map[string]struct {
		steps []string
		want  []pop3.Entry
		uids  bool
		odd   int
	}{
		"each in turn": {[]string{"STAT=>+OK 2 320\n", "LIST=>+OK\n1 120\n2 200\n.\n", "UIDL=>+OK\n1 a\n2 B{x\n.\n"}, []pop3.Entry{{1, "a", 120}, {2, "B{x", 200}}, true, 0},
		"lines without sense, doubles, stuffed dots": {[]string{"STAT=>+OK hello\n", "LIST=>+OK\nx\n1 -5\n3 7\n.\n", "UIDL=>+OK\n1 same\n2 same\nnonsense\n0 zero\n3\n4 " + long + "\n..5 x\n 5  spaced \n.\n"},
			[]pop3.Entry{{1, "same", 0}, {2, "same", 0}, {5, "spaced", 0}, {3, "", 7}}, true, 8},
		"no UIDL":               {[]string{"STAT=>+OK 3 9\n", "LIST=>+OK\n1 3\n.\n", "UIDL=>-ERR no\n"}, []pop3.Entry{{1, "", 3}, {2, "", 0}, {3, "", 0}}, false, 0},
		"neither LIST nor UIDL": {[]string{"STAT=>+OK 1 9\n", "LIST=>-ERR\n", "UIDL=>-ERR no\n"}, []pop3.Entry{{1, "", 0}}, false, 0},
		"nothing":               {[]string{"STAT=>+OK 0 0\n", "LIST=>+OK\n.\n", "UIDL=>+OK\n.\n"}, nil, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			cl := dial(t, script(t, append(slices.Clone(usual), c.steps...)...))
			got, uids, err := listing(cl, t.Context())
			if err != nil || uids != c.uids || !slices.Equal(got, c.want) || cl.Odd() != c.odd {
				t.Errorf("%v, uids %v, %d odd, %v", got, uids, cl.Odd(), err)
			}
		})
	}
	t.Run("pipelined", func(t *testing.T) {
		steps := append(slices.Clone(usual[:4]), "CAPA=>+OK\nPIPELINING\n.\n", "STAT|LIST|UIDL=>+OK 1 5\n+OK\n1 5\n.\n+OK\n1 a\n.\n")
		if got, _, err := listing(dial(t, script(t, steps...)), t.Context()); err != nil || len(got) != 1 || got[0].UID != "a" {
			t.Errorf("%v, %v", got, err)
		}
	})
}

func TestRetrGivesTheBytesOfTheMail(t *testing.T) {
	big := strings.Repeat("x", 200_000)
	for name, c := range map[string]struct {
		wire, want string
		nuls       int64
	}{
		"plain":               {"Subject: a\r\n\r\ntext\r\n.\r\n", "Subject: a\r\n\r\ntext\r\n", 0},
		"empty":               {".\r\n", "", 0},
		"dots":                {"..\r\n...\r\n.a\r\n..\r\n.\r\n", ".\r\n..\r\na\r\n.\r\n", 0},
		"bare line feeds":     {"a\nb\n..c\n.\n", "a\r\nb\r\n.c\r\n", 0},
		"bare CR":             {"a\rb\r\r\nc\r\n.\r\n", "a\r\nb\r\n\r\nc\r\n", 0},
		"NUL":                 {"a\x00b\r\x00\nc\x00\r\n.\r\n", "ab\r\nc\r\n", 3},
		"a line of 200,000":   {big + "\r\n" + "." + big + "\r\n.\r\n", big + "\r\n" + big + "\r\n", 0},
		"8-bit, no UTF-8":     {"\xe4\xff\r\n.\r\n", "\xe4\xff\r\n", 0},
		"a dot far in a line": {big + ".\r\n.\r\n", big + ".\r\n", 0},
	} {
		t.Run(name, func(t *testing.T) {
			sent := strings.NewReplacer("\r\n", "\n", "\n", "\v").Replace(c.wire)
			cl := dial(t, script(t, append(slices.Clone(usual), "RETR 7=>+OK 3 octets\n"+sent, "NOOP=>+OK\n")...))
			var got bytes.Buffer
			n, err := cl.Retr(t.Context(), 7, &got, 0, 0)
			if err != nil || got.String() != c.want || n.Bytes != int64(len(c.want)) || n.NULs != c.nuls {
				t.Errorf("%q (%d bytes, %d NULs), %v", shorten(got.String()), n.Bytes, n.NULs, err)
			}
			if err := cl.Noop(t.Context()); err != nil {
				t.Errorf("the session is out of step: %v", err)
			}
		})
	}
}

// TestP14_TheNextMailIsAskedForAhead, and is read past when something else is wanted.
func TestP14_TheNextMailIsAskedForAhead(t *testing.T) {
	steps := append(slices.Clone(usual[:4]), "CAPA=>+OK\nPIPELINING\n.\n", "RETR 1|RETR 2=>+OK\none\n.\n", "RETR 3=>+OK\ntwo\n.\n+OK\nthree\n.\n", "NOOP=>+OK\n",
		"RETR 4|RETR 5=>+OK\nfour\n.\n-ERR gone\n", "RETR 6=>+OK\nsix\n.\n")
	c := dial(t, script(t, steps...))
	for _, m := range []struct {
		number, then int
		want         string
	}{{1, 2, "one\r\n"}, {2, 3, "two\r\n"}, {0, 0, ""}, {4, 5, "four\r\n"}, {6, 0, "six\r\n"}} {
		if m.number == 0 {
			if err := c.Noop(t.Context()); err != nil {
				t.Fatal(err)
			}
			continue
		}
		var got bytes.Buffer
		if _, err := c.Retr(t.Context(), m.number, &got, 0, m.then); err != nil || got.String() != m.want {
			t.Fatalf("mail %d: %q, %v", m.number, got.String(), err)
		}
	}
}

func shorten(s string) string { return s[:min(len(s), 100)] }

func TestASessionThatBreaks(t *testing.T) {
	retr := func(c *pop3.Client, ctx context.Context) error {
		_, err := c.Retr(ctx, 1, &bytes.Buffer{}, 0, 0)
		return err
	}
	list := func(c *pop3.Client, ctx context.Context) error { _, _, err := listing(c, ctx); return err }
	for name, c := range map[string]struct {
		step string
		do   func(*pop3.Client, context.Context) error
		kind wire.ConnectKind
	}{
		"within the listing":        {"STAT=>+OK 2 2\n", list, wire.Lost},
		"within RETR":               {"RETR 1=>+OK\nhalf a li", retr, wire.Lost},
		"before the lone dot":       {"RETR 1=>+OK\na line\n", retr, wire.Lost},
		"before QUIT is answered":   {"QUIT=>", (*pop3.Client).Quit, wire.Lost},
		"garbage for an answer":     {"NOOP=>220 smtp.example ready\n", (*pop3.Client).Noop, wire.WrongProtocol},
		"an answer without its end": {"NOOP=>" + strings.Repeat("+", 300_000), (*pop3.Client).Noop, wire.Lost},
	} {
		t.Run(name, func(t *testing.T) {
			cl := dial(t, script(t, append(slices.Clone(usual), c.step)...))
			err := c.do(cl, t.Context())
			var e *wire.ConnectError
			if !errors.As(err, &e) || e.Kind != c.kind {
				t.Errorf("%v, not %s", err, c.kind)
			}
			if err := cl.Dele(t.Context(), 1); !errors.As(err, &e) {
				t.Errorf("after it, DELE gives %v", err)
			}
		})
	}
	t.Run("too big", func(t *testing.T) {
		cl := dial(t, script(t, append(slices.Clone(usual), "RETR 1=>+OK\n0123456789\n.\n")...))
		if _, err := cl.Retr(t.Context(), 1, &bytes.Buffer{}, 5, 0); !errors.Is(err, pop3.ErrTooBig) {
			t.Error(err)
		}
	})
	t.Run("a silent server, and somebody who gives up", func(t *testing.T) {
		hold := make(chan struct{})
		defer close(hold)
		at := testmail.Listen(t, func(net.Conn) { <-hold })
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := pop3.Dial(ctx, pop3.Options{Host: at.Host, Port: at.Port, Security: "plain"}); err == nil {
			t.Error("no error")
		}
	})
	for name, c := range map[string]struct {
		greeting string
		kind     wire.ConnectKind
	}{"IMAP": {"* OK ready\n", wire.WrongProtocol}, "no": {"-ERR come back\n", wire.Bye}, "nothing": {"", wire.Lost}} {
		t.Run("a greeting of "+name, func(t *testing.T) { refusedTo(t, script(t, "=>"+c.greeting), c.kind) })
	}
	t.Run("no STLS where it is wanted", func(t *testing.T) {
		o := script(t, "=>+OK\n", "CAPA=>+OK\nUSER\n.\n")
		o.Security = "starttls"
		refusedTo(t, o, wire.NoTLS)
	})
	t.Run("bytes behind STLS", func(t *testing.T) {
		o := script(t, "=>+OK\n", "CAPA=>+OK\nSTLS\n.\n", "STLS=>+OK\n+OK injected\n")
		o.Security = "starttls"
		refusedTo(t, o, wire.Injected)
	})
}

func TestC1_APinnedKeyIsTrustedAndNoOther(t *testing.T) {
	srv := testmail.Dovecot(t, testmail.DovecotOptions{})
	u := srv.NewUser(t)
	for security, at := range map[string]testmail.Address{"tls": srv.POP3S, "starttls": srv.POP3} {
		o := pop3.Options{Host: at.Host, Port: at.Port, Security: security, Pin: srv.Pin(t, srv.POP3S), Username: u.Address, Password: u.Password}
		dial(t, o)
		o.Pin = strings.Repeat("0", 64)
		refusedTo(t, o, wire.CertChanged)
	}
}

func TestDovecot(t *testing.T) {
	srv := testmail.Dovecot(t, testmail.DovecotOptions{})
	for _, security := range []string{"tls", "starttls", "plain"} {
		t.Run(security, func(t *testing.T) {
			u := srv.NewUser(t)
			texts := []string{"one", ".a line that begins with a dot\n..\n.\nend", "grüße " + strings.Repeat("long ", 100_000)}
			for n, text := range texts {
				srv.Deliver(t, u, testmail.Mail("Ben <ben@keller.example>", fmt.Sprintf("Letter %d", n), text))
			}
			at := srv.POP3
			if security == "tls" {
				at = srv.POP3S
			}
			o := pop3.Options{Host: at.Host, Port: at.Port, Security: security, RootCAs: srv.CA, Username: u.Address, Password: u.Password}
			c := dial(t, o)
			all, uids, err := listing(c, t.Context())
			if err != nil || !uids || len(all) != 3 || all[2].Size < 400_000 || c.Odd() != 0 {
				t.Fatalf("%v, %v, %v", all, uids, err)
			}
			for n, text := range texts {
				var got bytes.Buffer
				if _, err := c.Retr(t.Context(), n+1, &got, 0, 0); err != nil || !strings.HasSuffix(got.String(), strings.ReplaceAll(text, "\n", "\r\n")+"\r\n") {
					t.Errorf("mail %d: %d bytes, %v", n+1, got.Len(), err)
				}
			}
			head, err := c.Top(t.Context(), 2)
			if err != nil || !strings.Contains(string(head), "Subject: Letter 1\r\n") || strings.Contains(string(head), "a line that begins") {
				t.Errorf("%q, %v", head, err)
			}
			if uid, err := c.UIDOf(t.Context(), 2); err != nil || uid != all[1].UID {
				t.Errorf("%q, %v", uid, err)
			}
			var no *pop3.RefusedError
			if _, err := c.UIDOf(t.Context(), 9); !errors.As(err, &no) {
				t.Errorf("a mail that is not there: %v", err)
			}
			if err := errors.Join(c.Noop(t.Context()), c.Dele(t.Context(), 2), c.Quit(t.Context())); err != nil {
				t.Fatal(err)
			}
			c = dial(t, o)
			if left, _, err := listing(c, t.Context()); err != nil || len(left) != 2 || left[1].UID != all[2].UID {
				t.Errorf("after QUIT there are %v, %v", left, err)
			}
			if err := c.Dele(t.Context(), 1); err != nil {
				t.Error(err)
			}
			c.Close()
			if left, _, err := listing(dial(t, o), t.Context()); err != nil || len(left) != 2 {
				t.Errorf("without QUIT there are %v, %v", left, err)
			}
			o.Password = "wrong"
			if _, err := pop3.Dial(t.Context(), o); !errors.As(err, &no) || no.Reason() != pop3.Password {
				t.Errorf("a wrong password: %v", err)
			}
		})
	}
	if _, err := pop3.Dial(t.Context(), pop3.Options{Host: srv.POP3S.Host, Port: srv.POP3S.Port, Security: "tls", Username: "a", Password: "b"}); err == nil {
		t.Error("an unknown authority is trusted")
	}
}

// FuzzClient hears anything from a server.
func FuzzClient(f *testing.F) {
	for _, s := range []string{"+OK\r\n-ERR\r\n+OK\r\n+OK\r\n-ERR\r\n+OK 2 4\r\n+OK\r\n1 2\r\n.\r\n+OK\r\n1 a\r\n2 b\r\n.\r\n+OK\r\nSubject: a\r\n\r\n.\r\n+OK\r\na\r\n..\r\n.\r\n+OK\r\n",
		"+OK <a@b>\r\n+OK\r\nSASL PLAIN SCRAM-SHA-256\r\n.\r\n+ \r\n+ cj1h\r\n-ERR\r\n", "-ERR [", "+OK\n.\n.\n.\n", "+OK\r\n+OK\r\n\x00.\r\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		ours, theirs := net.Pipe()
		defer ours.Close()
		go func() { _, _ = theirs.Write(said); _ = theirs.Close() }()
		go func() { _, _ = io.Copy(io.Discard, theirs) }()
		c, err := pop3.Dial(t.Context(), pop3.Options{Host: "fuzz", Security: "plain", Username: "a", Password: "b",
			Dial: func(context.Context, string, string) (net.Conn, error) { return ours, nil }})
		if err != nil {
			return
		}
		_, _, _ = listing(c, t.Context())
		_, _ = c.Top(t.Context(), 1)
		var got bytes.Buffer
		if n, err := c.Retr(t.Context(), 1, &got, 1<<20, 0); err == nil && (int64(got.Len()) != n.Bytes || bytes.IndexByte(got.Bytes(), 0) >= 0) {
			t.Fatalf("%d bytes, told as %d", got.Len(), n.Bytes)
		}
		_ = c.Quit(t.Context())
	})
}
