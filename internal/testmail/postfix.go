package testmail

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
	"time"

	"restante/internal/testproc"
)

// PostfixOptions say how a Postfix, and the Dovecot behind it, are to differ from the usual ones, the zero value.
// Equal options share one server.
type PostfixOptions struct {
	Dovecot        DovecotOptions
	SizeLimit      int    // octets of a mail; 60,000,000 if 0
	RecipientLimit int    // of one transaction; 1000 if 0
	OwnSender      bool   // refuse a MAIL FROM that is not the user's own (Postfix says so at RCPT)
	Refuse         string // "nobody@example.test=550 5.1.1 no such person; full@example.test=452 4.2.2 mailbox full"
	RefuseText     string // a mail with this word in its text is refused after the final dot
	NoEHLO         string // keywords that submission does not offer: "8bitmime, dsn, pipelining, smtputf8, chunking, size"
	RequireTLS     bool   // AUTH only after STARTTLS
	Extra          string // further lines of main.cf
}

const postfixPackages = "postfix " + dovecotPackages

var (
	//go:embed postfix-main.cf.tmpl
	mainConf string
	//go:embed postfix-master.cf.tmpl
	masterConf string

	mainTemplate   = template.Must(template.New("main.cf").Parse(mainConf))
	masterTemplate = template.Must(template.New("master.cf").Parse(masterConf))
	postfixes      shared
)

// Postfix is the Postfix with these options, and the Dovecot that it delivers to, started at the first call.
func Postfix(t testing.TB, o PostfixOptions) *Server {
	t.Helper()
	_, err := testproc.Program("postfix")
	testproc.Need(t, "Postfix", postfixPackages, errors.Join(err, testproc.Root()))
	dovecot := Dovecot(t, o.Dovecot)
	s, err := postfixes.get(o, func() (*Server, error) {
		return tryPorts(func() (*Server, error) { return startPostfix(o, dovecot) })
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// DovecotSubmission is a Postfix that takes mail from a Dovecot, which people submit it to.
func DovecotSubmission(t testing.TB, o PostfixOptions) *Server {
	t.Helper()
	_, err := os.Stat("/usr/lib/dovecot/submission")
	testproc.Need(t, "Dovecot's submission", "dovecot-submissiond", err)
	postfix := Postfix(t, o)
	front := o.Dovecot
	front.Relay = postfix.SMTP.Port
	s := *postfix
	s.Submission, s.Submissions = Dovecot(t, front).Submission, Address{}
	return &s
}

// postfixSetup is what the configuration is written from.
type postfixSetup struct {
	PostfixOptions
	Dir, Domain, Program   string
	LMTP, SASL             Address
	SMTP, Plain, Encrypted int
}

func startPostfix(o PostfixOptions, dovecot *Server) (*Server, error) {
	c, err := setUpPostfix(o, dovecot)
	if err != nil {
		return nil, err
	}
	ca, err := ourAuthority()
	if err != nil {
		return nil, err
	}
	if err := ca.certify(filepath.Join(c.Dir, "tls")); err != nil {
		return nil, err
	}
	p, err := testproc.Keep(testproc.Plan{
		Dir: c.Dir,
		// The daemon is in the foreground only as the first process of a container; so the keeper waits beside it.
		Run:  fmt.Sprintf("%s -c %s/etc start && exec sleep 100000", c.Program, c.Dir),
		Stop: `kill $(cat queue/pid/master.pid); n=0; while kill -0 $(cat queue/pid/master.pid) && [ $n -lt 30 ]; do sleep 0.1; n=$((n+1)); done; kill "$pid"`,
	})
	if err != nil {
		return nil, err
	}
	s := *dovecot
	s.SMTP, s.Submission, s.Submissions = Address{"127.0.0.1", c.SMTP}, Address{"127.0.0.1", c.Plain}, Address{"127.0.0.1", c.Encrypted}
	s.process = p
	err = testproc.Wait(30*time.Second, func() error {
		return errors.Join(testproc.Answers(s.Submission.String()), testproc.Answers(s.Submissions.String()))
	})
	if err != nil {
		err = fmt.Errorf("Postfix does not start: %w%s", err, p.Log("log/postfix.log"))
		p.Stop()
		return nil, err
	}
	return &s, nil
}

func setUpPostfix(o PostfixOptions, dovecot *Server) (postfixSetup, error) {
	c := postfixSetup{PostfixOptions: o, Domain: Domain, LMTP: dovecot.LMTP, SASL: dovecot.SASL}
	if c.SizeLimit == 0 {
		c.SizeLimit = 60_000_000
	}
	if c.RecipientLimit == 0 {
		c.RecipientLimit = 1000
	}
	ports, err := testproc.Ports(3)
	if err != nil {
		return c, err
	}
	c.SMTP, c.Plain, c.Encrypted = ports[0], ports[1], ports[2]
	if c.Program, err = testproc.Program("postfix"); err != nil {
		return c, err
	}
	uid, _, err := testproc.IDs("postfix")
	if err != nil {
		return c, err
	}
	if c.Dir, err = testproc.Dir("postfix"); err != nil {
		return c, err
	}
	for _, d := range []string{"etc", "queue", "lib", "log"} {
		if err := os.Mkdir(filepath.Join(c.Dir, d), 0o755); err != nil {
			return c, err
		}
	}
	if err := os.Chown(filepath.Join(c.Dir, "lib"), uid, -1); err != nil {
		return c, err
	}
	etc := filepath.Join(c.Dir, "etc")
	var refuse strings.Builder
	for _, r := range strings.Split(o.Refuse, ";") {
		if address, words, ok := strings.Cut(strings.TrimSpace(r), "="); ok {
			fmt.Fprintln(&refuse, address, words)
		}
	}
	return c, errors.Join(
		os.WriteFile(filepath.Join(etc, "refuse"), []byte(refuse.String()), 0o644),
		os.WriteFile(filepath.Join(etc, "owners"), []byte("/^([^@]*)@(.*)$/ $1@$2, $1\n"), 0o644),
		os.WriteFile(filepath.Join(etc, "body"), fmt.Appendf(nil, "/%s/ REJECT 5.7.1 this text is not welcome\n", o.RefuseText), 0o644),
		writeTemplate(filepath.Join(etc, "main.cf"), mainTemplate, c),
		writeTemplate(filepath.Join(etc, "master.cf"), masterTemplate, c),
	)
}
