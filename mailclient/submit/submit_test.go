package submit_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"restante/internal/testmail"
	"restante/internal/testproc"
	"restante/mailclient"
	"restante/mailclient/submit"
)

func TestMain(m *testing.M) { testmail.Main(m) }

func plain(at testmail.Address) mailclient.Endpoint {
	return mailclient.Endpoint{Host: at.Host, Port: at.Port, Security: mailclient.Plain}
}

func options(ep mailclient.Endpoint, u testmail.User) submit.Options {
	return submit.Options{Server: ep, Credentials: mailclient.Credentials{Username: u.Address, Password: u.Password}, HelloName: "restante.test"}
}

func mail(from, text string, to ...string) submit.Mail {
	body := testmail.Mail(from, "from a test", text)
	return submit.Mail{From: from, Recipients: to, Size: int64(len(body)), Body: strings.NewReader(body)}
}

func send(t *testing.T, o submit.Options, m submit.Mail) submit.Outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return submit.Send(ctx, o, m)
}

// arrives waits until a user has n mails, and gives the last one.
func arrives(t *testing.T, srv *testmail.Server, u testmail.User, n int) string {
	t.Helper()
	talk := srv.Talk(t, u)
	err := testproc.Wait(20*time.Second, func() error {
		if got := talk.Count("INBOX"); got != n {
			return fmt.Errorf("%d mails, want %d", got, n)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	talk.Do("SELECT INBOX")
	return strings.Join(talk.Do("FETCH %d (BODY.PEEK[])", n), "\r\n")
}

func TestT13_Sent(t *testing.T) {
	testmail.EachHouse(t, func(t *testing.T, srv *testmail.Server) {
		anna, ben, cleo := srv.NewUser(t), srv.NewUser(t), srv.NewUser(t)
		var steps []string
		o := options(plain(srv.Submission), anna)
		o.Step = func(phase string, _ []string) error { steps = append(steps, phase); return nil }
		out := send(t, o, mail(anna.Address, "first\n.\n..dots\nGrüße", ben.Address, cleo.Address))
		if out.Kind != submit.Sent || out.Code != 250 || out.Phase != "dot" {
			t.Fatalf("%+v", out)
		}
		if !slices.Equal(steps, []string{"data", "dot"}) {
			t.Errorf("steps %q", steps)
		}
		for _, u := range []testmail.User{ben, cleo} {
			if got := arrives(t, srv, u, 1); !strings.Contains(got, "\r\nfirst\r\n.\r\n..dots\r\nGrüße\r\n") {
				t.Errorf("arrived as %q", got)
			}
		}
	})
}

// TestTextCannotEndAMailAndBeginAnother: whatever line ends a text has, it is one mail (SMTP smuggling).
func TestTextCannotEndAMailAndBeginAnother(t *testing.T) {
	testmail.EachHouse(t, func(t *testing.T, srv *testmail.Server) {
		anna, ben := srv.NewUser(t), srv.NewUser(t)
		for i, end := range []string{"\n.\n", "\n.\r\n", "\r.\r", "\r\n.\n", "\r\n.\r", "\r.\r\n", "\r\n\x00.\r\n", "\r\n.\r\n"} {
			inner := "MAIL FROM:<" + anna.Address + ">\r\nRCPT TO:<" + ben.Address + ">\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\n"
			body := "From: " + anna.Address + "\r\nSubject: outer\r\n\r\nbefore" + end + inner + "after\r\n"
			out := send(t, options(plain(srv.Submission), anna), submit.Mail{From: anna.Address, Recipients: []string{ben.Address}, Size: int64(len(body)), Body: strings.NewReader(body)})
			if out.Kind != submit.Sent {
				t.Fatalf("%q: %+v", end, out)
			}
			got := arrives(t, srv, ben, i+1)
			if !strings.Contains(got, "before") || !strings.Contains(got, "smuggled") || !strings.Contains(got, "after") || !strings.Contains(got, "Subject: outer") {
				t.Errorf("%q arrived as %q", end, got)
			}
		}
	})
}

func TestC1_SecureModes(t *testing.T) {
	srv := testmail.Postfix(t, testmail.PostfixOptions{RequireTLS: true})
	anna, pin := srv.NewUser(t), srv.Pin(t, srv.Submissions)
	for _, c := range []struct {
		name string
		ep   mailclient.Endpoint
		want submit.Kind
		why  mailclient.ConnectKind
	}{
		{"starttls", mailclient.Endpoint{Host: "localhost", Port: srv.Submission.Port, Security: mailclient.StartTLS, RootCAs: srv.CA}, submit.Sent, ""},
		{"tls", mailclient.Endpoint{Host: "localhost", Port: srv.Submissions.Port, Security: mailclient.TLS, RootCAs: srv.CA}, submit.Sent, ""},
		{"unknown authority", mailclient.Endpoint{Host: "localhost", Port: srv.Submissions.Port, Security: mailclient.TLS}, submit.Config, mailclient.CertUnknown},
		{"unknown authority by starttls", mailclient.Endpoint{Host: "localhost", Port: srv.Submission.Port, Security: mailclient.StartTLS}, submit.Config, mailclient.CertUnknown},
		{"pinned key", mailclient.Endpoint{Host: "127.0.0.1", Port: srv.Submissions.Port, Security: mailclient.TLS, Pin: pin}, submit.Sent, ""},
		{"pinned key by starttls", mailclient.Endpoint{Host: "127.0.0.1", Port: srv.Submission.Port, Security: mailclient.StartTLS, Pin: pin}, submit.Sent, ""},
		{"another key than was pinned", mailclient.Endpoint{Host: "localhost", Port: srv.Submissions.Port, Security: mailclient.TLS, RootCAs: srv.CA, Pin: strings.Repeat("0", 64)}, submit.Config, mailclient.CertChanged},
		{"no AUTH without encryption", plain(srv.Submission), submit.Config, ""},
		{"starttls not offered", mailclient.Endpoint{Host: "127.0.0.1", Port: testmail.Demo(t).Submission.Port, Security: mailclient.StartTLS}, submit.Config, mailclient.NoTLS},
	} {
		if out := send(t, options(c.ep, anna), mail(anna.Address, "x", anna.Address)); out.Kind != c.want || out.Why != c.why {
			t.Errorf("%s: %+v, want %s", c.name, out, c.want)
		}
	}
}

func TestT13_RefusedRecipients(t *testing.T) {
	srv := testmail.Postfix(t, testmail.PostfixOptions{Refuse: "nobody@example.test=550 5.1.1 no such person; full@example.test=452 4.2.2 mailbox full"})
	anna, ben := srv.NewUser(t), srv.NewUser(t)
	o := options(plain(srv.Submission), anna)

	out := send(t, o, mail(anna.Address, "x", "nobody@example.test"))
	if out.Kind != submit.Rejected || out.Phase != "rcpt" || out.Code != 550 || !strings.Contains(out.Refused["nobody@example.test"], "no such person") {
		t.Errorf("all refused: %+v", out)
	}
	out = send(t, o, mail(anna.Address, "x", ben.Address, "nobody@example.test"))
	if out.Kind != submit.Rejected || len(out.Refused) != 1 {
		t.Errorf("one refused: %+v", out)
	}
	m := mail(anna.Address, "to the others", ben.Address, "nobody@example.test")
	m.Partly = true
	out = send(t, o, m)
	if out.Kind != submit.Partly || len(out.Refused) != 1 {
		t.Errorf("one refused, the others wanted: %+v", out)
	}
	if got := arrives(t, srv, ben, 1); !strings.Contains(got, "to the others") {
		t.Errorf("arrived: %q", got)
	}
	out = send(t, o, mail(anna.Address, "to whom has room", ben.Address, "full@example.test"))
	if out.Kind != submit.Partly || len(out.Later) != 1 || out.More || !slices.Equal(out.Accepted, []string{ben.Address}) || !strings.Contains(out.Text, "mailbox full") {
		t.Errorf("one put off: %+v", out)
	}
	if got := arrives(t, srv, ben, 2); !strings.Contains(got, "to whom has room") {
		t.Errorf("arrived: %q", got)
	}
	if out = send(t, o, mail(anna.Address, "x", "full@example.test")); out.Kind != submit.Retry || len(out.Later) != 1 {
		t.Errorf("all put off: %+v", out)
	}
}

// TestT8_TooManyRecipientsForOneMail: those beyond the limit are left for a further mail, whether the server says so
// before, at the one that is too many, or not at all.
func TestT8_TooManyRecipientsForOneMail(t *testing.T) {
	var many []string
	for i := range 120 {
		many = append(many, fmt.Sprintf("p%d@example.test", i))
	}
	for _, c := range []struct {
		name, step, answer string
		taken              int
	}{
		{"it does not say", "", "", 100},
		{"RFC 9422", "EHLO", "250-ready\r\n250-LIMITS MAILMAX=9 RCPTMAX=3\r\n250 AUTH PLAIN", 3},
		{"RFC 9422, more than usual", "EHLO", "250-ready\r\n250-LIMITS RCPTMAX=110\r\n250 AUTH PLAIN", 110},
		{"at the one too many", "RCPT p7@example.test", "452 4.5.3 too many recipients", 7},
		{"by the old code", "RCPT p7@example.test", "552 too many recipients", 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := testmail.NewScript(t)
			srv.Say(c.step, c.answer)
			u := testmail.User{Address: "a@example.test", Password: "x"}
			out := send(t, options(plain(srv.Address), u), mail(u.Address, "text", many...))
			if out.Kind != submit.Partly || !out.More || !slices.Equal(out.Accepted, many[:c.taken]) || len(out.Later) != 120-c.taken || len(out.Refused) != 0 {
				t.Errorf("%+v", out)
			}
			if len(srv.Texts()) != 1 {
				t.Errorf("%d texts", len(srv.Texts()))
			}
		})
	}
}

func TestT13_RefusedSender(t *testing.T) {
	srv := testmail.Postfix(t, testmail.PostfixOptions{OwnSender: true})
	anna, ben := srv.NewUser(t), srv.NewUser(t)
	out := send(t, options(plain(srv.Submission), anna), mail("boss@example.test", "x", ben.Address))
	if out.Kind != submit.Identity || out.Text == "" {
		t.Errorf("Postfix: %+v", out)
	}
	if out = send(t, options(plain(srv.Submission), anna), mail(anna.Address, "x", ben.Address)); out.Kind != submit.Sent {
		t.Errorf("her own address: %+v", out)
	}
	d := testmail.Demo(t)
	u := d.NewUser(t)
	if out = send(t, options(plain(d.Submission), u), mail("boss@demo.test", "x", u.Address)); out.Kind != submit.Identity {
		t.Errorf("demo: %+v", out)
	}
}

func TestT4_TooLarge(t *testing.T) {
	for _, no := range []string{"", "size"} { // with the limit in EHLO, and without
		srv := testmail.Postfix(t, testmail.PostfixOptions{SizeLimit: 20_000, NoEHLO: no})
		anna := srv.NewUser(t)
		out := send(t, options(plain(srv.Submission), anna), mail(anna.Address, strings.Repeat("0123456789\n", 10_000), anna.Address))
		if out.Kind != submit.TooLarge || no == "" && out.Limit != 20_000 {
			t.Errorf("without %q: %+v", no, out)
		}
		offer, err := submit.Ask(t.Context(), options(plain(srv.Submission), anna))
		if err != nil || no == "" && offer.Size != 20_000 || !offer.Receipts || !offer.UTF8 {
			t.Errorf("%+v, %v", offer, err)
		}
	}
}

func TestT13_RefusedText(t *testing.T) {
	srv := testmail.Postfix(t, testmail.PostfixOptions{RefuseText: "unwelcome"})
	anna := srv.NewUser(t)
	out := send(t, options(plain(srv.Submission), anna), mail(anna.Address, "this is unwelcome", anna.Address))
	if out.Kind != submit.Rejected || out.Phase != "dot" || out.Code/100 != 5 {
		t.Errorf("%+v", out)
	}
}

func TestT13_SignIn(t *testing.T) {
	testmail.EachHouse(t, func(t *testing.T, srv *testmail.Server) {
		anna := srv.NewUser(t)
		o := options(plain(srv.Submission), anna)
		o.Credentials.Password = "wrong"
		if out := send(t, o, mail(anna.Address, "x", anna.Address)); out.Kind != submit.SignIn || out.Code != 535 {
			t.Errorf("%+v", out)
		}
	})
}

// TestC6_SigningIn by the strongest mechanism that the server has. One that it cannot do leads to the next, over a new
// connection; a refused password does not, and is tried once.
func TestC6_SigningIn(t *testing.T) {
	u := testmail.User{Address: "a@example.test", Password: "x"}
	for _, c := range []struct {
		name, offers string
		says         map[string]string
		tried        []string
		want         submit.Kind
	}{
		{"unsupported after all", "PLAIN LOGIN", map[string]string{"AUTH PLAIN": "504 5.5.4 no such thing"}, []string{"PLAIN", "LOGIN"}, submit.Sent},
		{"Postfix without the mechanism", "SCRAM-SHA-1 PLAIN", map[string]string{"AUTH SCRAM-SHA-1": "535 5.7.8 Error: authentication failed: Invalid authentication mechanism"}, []string{"SCRAM-SHA-1", "PLAIN"}, submit.Sent},
		{"a challenge that is none", "SCRAM-SHA-256 PLAIN", map[string]string{"AUTH SCRAM-SHA-256": "334 eHl6"}, []string{"SCRAM-SHA-256", "PLAIN"}, submit.Sent},
		{"a wrong password", "SCRAM-SHA-256 SCRAM-SHA-1 PLAIN LOGIN", map[string]string{"AUTH": "535 5.7.8 authentication failed"}, []string{"SCRAM-SHA-256"}, submit.SignIn},
		{"the proof is wrong", "SCRAM-SHA-256 PLAIN", map[string]string{"AUTH": "535 5.7.8 e=invalid-proof"}, []string{"SCRAM-SHA-256"}, submit.SignIn},
		{"later", "PLAIN LOGIN", map[string]string{"AUTH": "454 4.7.0 too many sign-ins"}, []string{"PLAIN"}, submit.Retry},
		{"none of them works", "PLAIN LOGIN", map[string]string{"AUTH": "504 5.5.4 no"}, []string{"PLAIN", "LOGIN"}, submit.Config},
	} {
		srv := testmail.NewScript(t)
		srv.Say("EHLO", "250-ready\r\n250 AUTH "+c.offers)
		for step, answer := range c.says {
			srv.Say(step, answer)
		}
		out := send(t, options(plain(srv.Address), u), mail(u.Address, "text", "b@example.test"))
		if tried := srv.Mechanisms(); out.Kind != c.want || !slices.Equal(tried, c.tried) {
			t.Errorf("%s: %+v by %q, want %s by %q", c.name, out, tried, c.want, c.tried)
		}
	}
	for _, mechs := range []string{"", "plain login scram-sha-1 scram-sha-256"} {
		o := testmail.PostfixOptions{Dovecot: testmail.DovecotOptions{Mechanisms: mechs}}
		for name, srv := range map[string]*testmail.Server{"Postfix": testmail.Postfix(t, o), "Dovecot": testmail.DovecotSubmission(t, o)} {
			anna, ben := srv.NewUser(t), srv.NewUser(t)
			if out := send(t, options(plain(srv.Submission), anna), mail(anna.Address, "by "+mechs, ben.Address)); out.Kind != submit.Sent {
				t.Errorf("%s with %s: %+v", name, mechs, out)
			}
			arrives(t, srv, ben, 1)
			o := options(plain(srv.Submission), anna)
			o.Credentials.Password = "wrong"
			if out := send(t, o, mail(anna.Address, "x", ben.Address)); out.Kind != submit.SignIn {
				t.Errorf("%s with %s and a wrong password: %+v", name, mechs, out)
			}
		}
	}
}

func TestT13_NoServer(t *testing.T) {
	u := testmail.User{Address: "a@example.test", Password: "x"}
	for _, c := range []struct {
		host string
		want submit.Kind
	}{{"127.0.0.1", submit.Retry}, {"no-such-host.invalid", submit.Config}} {
		ep := mailclient.Endpoint{Host: c.host, Port: 1, Security: mailclient.Plain}
		if out := send(t, options(ep, u), mail(u.Address, "x", u.Address)); out.Kind != c.want {
			t.Errorf("%s: %+v", c.host, out)
		}
	}
}

func TestT6_AddressesBeyondASCII(t *testing.T) {
	with, without := testmail.Postfix(t, testmail.PostfixOptions{}), testmail.Postfix(t, testmail.PostfixOptions{NoEHLO: "smtputf8"})
	for _, c := range []struct {
		srv  *testmail.Server
		want submit.Kind
	}{{with, submit.Sent}, {without, submit.Rejected}} {
		anna := c.srv.NewUser(t)
		m := mail(anna.Address, "x", "grüße@example.test")
		m.UTF8 = true
		if out := send(t, options(plain(c.srv.Submission), anna), m); out.Kind != c.want {
			t.Errorf("%+v, want %s", out, c.want)
		}
	}
}

// TestT8_Receipts are asked for where the server gives them.
func TestT8_Receipts(t *testing.T) {
	u := testmail.User{Address: "a@example.test", Password: "x"}
	for _, c := range []struct {
		name, step, answer, mail, rcpt string
		untold                         bool
	}{
		{"offered", "EHLO", "250-ready\r\n250-DSN\r\n250 AUTH PLAIN", "MAIL FROM:<a@example.test> RET=HDRS ENVID=7@example.test", "RCPT TO:<b@example.test> NOTIFY=SUCCESS,FAILURE,DELAY", false},
		{"not offered", "EHLO", "250-ready\r\n250 AUTH PLAIN", "MAIL FROM:<a@example.test>", "RCPT TO:<b@example.test>", true},
	} {
		srv := testmail.NewScript(t)
		srv.Say(c.step, c.answer)
		m := mail(u.Address, "text", "b@example.test")
		m.Receipts, m.ID = true, "7@example.test"
		out := send(t, options(plain(srv.Address), u), m)
		if said := srv.Said(); out.Kind != submit.Sent || out.Untold != c.untold || !slices.Contains(said, c.mail) || !slices.Contains(said, c.rcpt) {
			t.Errorf("%s: %+v after %q", c.name, out, said)
		}
	}
	srv := testmail.NewScript(t)
	srv.Say("EHLO", "250-ready\r\n250-DSN\r\n250 AUTH PLAIN")
	srv.Say("MAIL FROM:<a@example.test> RET=HDRS ENVID=7@example.test", "555 5.5.4 not today")
	m := mail(u.Address, "text", "b@example.test")
	m.Receipts, m.ID = true, "7@example.test"
	if out := send(t, options(plain(srv.Address), u), m); out.Kind != submit.Sent || !slices.Contains(srv.Said(), "RCPT TO:<b@example.test>") {
		t.Errorf("refused: %+v after %q", out, srv.Said())
	}
}

func TestT14_AStepThatFailsStopsBeforeTheNetwork(t *testing.T) {
	srv := testmail.Demo(t)
	u := srv.NewUser(t)
	for _, phase := range []string{"data", "dot"} {
		o := options(plain(srv.Submission), u)
		o.Step = func(p string, _ []string) error {
			if p == phase {
				return errors.New("disk full")
			}
			return nil
		}
		if out := send(t, o, mail(u.Address, "x", u.Address)); out.Kind != submit.Retry {
			t.Errorf("%s: %+v", phase, out)
		}
	}
	if n := srv.Talk(t, u).Count("INBOX"); n != 0 {
		t.Errorf("%d mails were sent", n)
	}
}

func TestT13_ABodyThatEndsEarlyIsNotSent(t *testing.T) {
	srv := testmail.Demo(t)
	u := srv.NewUser(t)
	m := mail(u.Address, "x", u.Address)
	m.Body = io.MultiReader(io.LimitReader(m.Body, 30), brokenReader{})
	if out := send(t, options(plain(srv.Submission), u), m); out.Kind != submit.Retry {
		t.Errorf("broken: %+v", out)
	}
	m = mail(u.Address, "x", u.Address)
	m.Body = io.LimitReader(m.Body, 30)
	if out := send(t, options(plain(srv.Submission), u), m); out.Kind == submit.Sent {
		t.Errorf("cut off without an error: %+v", out)
	}
	if n := srv.Talk(t, u).Count("INBOX"); n != 0 {
		t.Errorf("%d mails were sent", n)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("disk broken") }

// script is what a submission server says at the steps that it has.
type script map[string]string

func (s script) start(t *testing.T) mailclient.Endpoint {
	t.Helper()
	srv := testmail.NewScript(t)
	for step, answer := range s {
		srv.Say(step, answer)
	}
	return plain(srv.Address)
}

func TestT13_EveryAnswerHasItsOutcome(t *testing.T) {
	for _, c := range []struct {
		name string
		s    script
		want submit.Kind
	}{
		{"all well", script{}, submit.Sent},
		{"dropped at the greeting", script{"greeting": testmail.HangUp}, submit.Retry},
		{"421 greeting", script{"greeting": "421 busy"}, submit.Retry},
		{"554 greeting", script{"greeting": "554 go away"}, submit.Retry},
		{"quota of the day at MAIL", script{"MAIL": "550 5.4.5 Daily user sending quota exceeded"}, submit.Retry},
		{"quota of the day after the dot", script{"dot": "550 5.4.5 Daily user sending quota exceeded"}, submit.Retry},
		{"too fast", script{"MAIL": "554 5.7.0 Try again later"}, submit.Retry},
		{"SendAsDenied after the dot", script{"dot": "554 5.2.252 SendAsDenied; a@example.test not allowed to send as b@example.test"}, submit.Identity},
		{"sender not owned, at MAIL", script{"MAIL": "553 5.7.1 Sender address rejected: not owned by user"}, submit.Identity},
		{"sender not owned, at RCPT", script{"RCPT": "553 5.7.1 <a@example.test>: Sender address rejected: not owned by user a"}, submit.Identity},
		{"sign-in wanted at MAIL", script{"MAIL": "530 5.7.0 Authentication required"}, submit.SignIn},
		{"421 at EHLO", script{"EHLO": "421 4.3.2 closing"}, submit.Retry},
		{"421 at AUTH", script{"AUTH": "421 4.7.0 too many"}, submit.Retry},
		{"421 at MAIL", script{"MAIL": "421 4.7.0 too many"}, submit.Retry},
		{"421 at DATA", script{"DATA": "421 4.3.0 closing"}, submit.Retry},
		{"503 at DATA", script{"DATA": "503 5.5.1 no valid recipients"}, submit.Rejected},
		{"a web page", script{"greeting": "<html>"}, submit.Retry},
		{"multi-line greeting", script{"greeting": "220-one\r\n220 two"}, submit.Sent},
		{"no AUTH", script{"EHLO": "250 hello"}, submit.Config},
		{"old form of AUTH", script{"EHLO": "250-hello\r\n250 AUTH=LOGIN PLAIN"}, submit.Sent},
		{"454 at AUTH", script{"AUTH": "454 4.7.0 later"}, submit.Retry},
		{"535 at AUTH", script{"AUTH": "535 5.7.8 no"}, submit.SignIn},
		{"534 at AUTH", script{"AUTH": "534 5.7.9 app password"}, submit.SignIn},
		{"432 at AUTH", script{"AUTH": "432 4.7.12 change it"}, submit.SignIn},
		{"550 at MAIL", script{"MAIL": "550 5.7.1 not you"}, submit.Identity},
		{"555 at MAIL", script{"MAIL": "555 5.5.4 what is that"}, submit.Rejected},
		{"552 at MAIL", script{"MAIL": "552 5.3.4 too big"}, submit.TooLarge},
		{"452 at MAIL", script{"MAIL": "452 4.3.1 full"}, submit.Retry},
		{"451 at RCPT", script{"RCPT": "451 4.7.1 greylisted"}, submit.Retry},
		{"421 at RCPT", script{"RCPT": "421 4.7.0 closing"}, submit.Retry},
		{"550 at RCPT", script{"RCPT": "550 5.1.1 unknown"}, submit.Rejected},
		{"relaying denied", script{"RCPT": "554 5.7.1 Relay access denied"}, submit.Identity},
		{"dropped at RCPT", script{"RCPT": testmail.HangUp}, submit.Retry},
		{"554 at DATA", script{"DATA": "554 no"}, submit.Rejected},
		{"451 at DATA", script{"DATA": "451 later"}, submit.Retry},
		{"dropped at DATA", script{"DATA": testmail.HangUp}, submit.Retry},
		{"dropped after the dot", script{"dot": testmail.HangUp}, submit.Uncertain},
		{"garbage after the dot", script{"dot": "what?"}, submit.Uncertain},
		{"354 after the dot", script{"dot": "354 go on"}, submit.Uncertain},
		{"451 after the dot", script{"dot": "451 4.3.0 later"}, submit.Retry},
		{"421 after the dot", script{"dot": "421 4.3.0 closing"}, submit.Retry},
		{"554 after the dot", script{"dot": "554 5.7.1 spam"}, submit.Rejected},
		{"552 after the dot", script{"dot": "552 5.3.4 too big"}, submit.TooLarge},
		{"250 without a word", script{"dot": "250 "}, submit.Sent},
		{"250 in several lines", script{"dot": "250-2.0.0 queued\r\n250 2.0.0 as 7"}, submit.Sent},
		{"QUIT refused", script{"QUIT": testmail.HangUp}, submit.Sent},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := testmail.User{Address: "a@example.test", Password: "x"}
			out := send(t, options(c.s.start(t), u), mail(u.Address, "text", "b@example.test"))
			if out.Kind != c.want {
				t.Errorf("%+v, want %s", out, c.want)
			}
		})
	}
}

func TestT13_DroppedInMidTextIsNotSent(t *testing.T) {
	u := testmail.User{Address: "a@example.test", Password: "x"}
	// Large enough not to fit into the buffers on the way.
	out := send(t, options(script{"text": testmail.HangUp}.start(t), u), mail(u.Address, strings.Repeat("0123456789\n", 3_000_000), "b@example.test"))
	if out.Kind != submit.Retry {
		t.Errorf("%+v", out)
	}
}

func TestT2_ASilentServerIsLeft(t *testing.T) {
	u := testmail.User{Address: "a@example.test", Password: "x"}
	o := options(script{"greeting": testmail.Silent}.start(t), u)
	o.Timeout = 100 * time.Millisecond
	if out := send(t, o, mail(u.Address, "x", u.Address)); out.Kind != submit.Retry {
		t.Errorf("%+v", out)
	}
	o.Timeout = 0
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if out := submit.Send(ctx, o, mail(u.Address, "x", u.Address)); out.Kind != submit.Retry {
		t.Errorf("cancelled: %+v", out)
	}
}

func TestARehearsalSendsNothingAndMeetsWhatASendWould(t *testing.T) {
	srv := testmail.Postfix(t, testmail.PostfixOptions{OwnSender: true, Refuse: "nobody@example.test=550 5.1.1 no such person", SizeLimit: 100_000})
	anna := srv.NewUser(t)
	o := options(plain(srv.Submission), anna)
	for _, c := range []struct {
		name, from, to string
		size           int64
		want           submit.Kind // "": nothing stands against it
	}{
		{"to oneself", anna.Address, anna.Address, 500, ""},
		{"as somebody else", "ben@" + srv.Domain, anna.Address, 500, submit.Identity},
		{"to nobody", anna.Address, "nobody@example.test", 500, submit.Rejected},
		{"too large", anna.Address, anna.Address, 200_000, submit.TooLarge},
	} {
		limit, err := submit.Rehearse(t.Context(), o, submit.Mail{From: c.from, Recipients: []string{c.to}, Size: c.size})
		var no *submit.RefusedError
		if got := errors.As(err, &no); got != (c.want != "") || got && no.Outcome.Kind != c.want || limit != 100_000 {
			t.Errorf("%s: %d, %v", c.name, limit, err)
		}
	}
	script := testmail.NewScript(t)
	if _, err := submit.Rehearse(t.Context(), options(plain(script.Address), anna), submit.Mail{From: anna.Address, Recipients: []string{anna.Address}}); err != nil || len(script.Texts()) > 0 {
		t.Errorf("%v, sent %q", err, script.Texts())
	}
}
