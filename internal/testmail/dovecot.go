package testmail

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"text/template"
	"time"

	"restante/internal/testproc"
)

// DovecotOptions say how a Dovecot is to differ from the usual one, the zero value. Every password but Password is
// wrong; every name before the @ is a user. Equal options share one server.
type DovecotOptions struct {
	Without        string // capabilities taken from its list, such as "MOVE UIDPLUS"; "THREAD=" is all with that prefix. It obeys them still
	Capabilities   string // the whole list instead
	Quota          string // of each user: "200K" or "messages=20"
	Separator      string // "/" if empty
	Prefix         string // of the personal namespace, such as "INBOX."
	NoRoles        bool   // only INBOX, and no special use
	Format         string // maildir (if empty), sdbox or mdbox
	MaxConnections int    // of one user; 50 if 0
	NoPlaintext    bool   // LOGINDISABLED before STARTTLS. It listens on 127.0.0.2 then: it trusts its own address
	Mechanisms     string // "plain login" if empty
	Introspection  string // where it asks about access tokens, for XOAUTH2 and OAUTHBEARER; it takes passwords beside them
	Relay          int    // where on loopback its submission hands mail on; none takes mail if 0
	Extra          string // further configuration
}

const dovecotPackages = "dovecot-imapd dovecot-pop3d dovecot-lmtpd dovecot-managesieved dovecot-sieve"

//go:embed dovecot.conf.tmpl
var dovecotConf string

var dovecotTemplate = template.Must(template.New("dovecot").Funcs(template.FuncMap{"words": strings.Fields}).Parse(dovecotConf))

var dovecots shared

// shared are servers by their options, each started once.
type shared struct {
	mu   sync.Mutex
	made map[any]func() (*Server, error)
}

func (s *shared) get(key any, start func() (*Server, error)) (*Server, error) {
	s.mu.Lock()
	if s.made == nil {
		s.made = map[any]func() (*Server, error){}
	}
	once := s.made[key]
	if once == nil {
		once = sync.OnceValues(start)
		s.made[key] = once
	}
	s.mu.Unlock()
	return once()
}

// Dovecot is the Dovecot with these options, started at the first call.
func Dovecot(t testing.TB, o DovecotOptions) *Server {
	t.Helper()
	_, err := testproc.Program("dovecot")
	testproc.Need(t, "Dovecot", dovecotPackages, errors.Join(err, testproc.Root()))
	s, err := dovecots.get(o, func() (*Server, error) { return startDovecot(o) })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// dovecotSetup is what the configuration is written from.
type dovecotSetup struct {
	DovecotOptions
	Dir, Host, Location, Advertised                     string
	UID, GID                                            int
	IMAP, IMAPS, POP3, POP3S, LMTP, Sieve, SASL, Submit int
}

func startDovecot(o DovecotOptions) (*Server, error) {
	s, err := tryPorts(func() (*Server, error) { return startDovecotOnce(o, o.Capabilities) })
	if err != nil || o.Without == "" {
		return s, err
	}
	list, err := capabilities(s.IMAP)
	if err != nil {
		return nil, err
	}
	s.process.Stop()
	return tryPorts(func() (*Server, error) { return startDovecotOnce(o, without(list, o.Without)) })
}

// tryPorts starts a server again when somebody has taken its ports.
func tryPorts(start func() (*Server, error)) (s *Server, err error) {
	for range 3 {
		if s, err = start(); err == nil {
			return s, nil
		}
	}
	return nil, err
}

func without(list, taken string) string {
	var keep []string
next:
	for _, c := range strings.Fields(list) {
		for _, w := range strings.Fields(taken) {
			if strings.EqualFold(c, w) || strings.HasSuffix(w, "=") && strings.HasPrefix(c, w) {
				continue next
			}
		}
		keep = append(keep, c)
	}
	return strings.Join(keep, " ")
}

func startDovecotOnce(o DovecotOptions, advertised string) (*Server, error) {
	conf, err := setUpDovecot(o, advertised)
	if err != nil {
		return nil, err
	}
	ca, err := ourAuthority()
	if err != nil {
		return nil, err
	}
	if err := ca.certify(filepath.Join(conf.Dir, "tls")); err != nil {
		return nil, err
	}
	if o.Introspection != "" {
		words := fmt.Sprintf("introspection_mode = auth\nintrospection_url = %s\nusername_attribute = email\nactive_attribute = active\nactive_value = true\n", o.Introspection)
		if err := os.WriteFile(filepath.Join(conf.Dir, "etc", "oauth2.conf.ext"), []byte(words), 0o644); err != nil {
			return nil, err
		}
	}
	path := filepath.Join(conf.Dir, "etc", "dovecot.conf")
	if err := writeTemplate(path, dovecotTemplate, conf); err != nil {
		return nil, err
	}
	program, err := testproc.Program("dovecot")
	if err != nil {
		return nil, err
	}
	p, err := testproc.Keep(testproc.Plan{Dir: conf.Dir, Run: fmt.Sprintf("exec %s -F -c %s", program, path)})
	if err != nil {
		return nil, err
	}
	at := func(port int) Address { return Address{conf.Host, port} }
	s := &Server{
		Kind: "dovecot", IMAP: at(conf.IMAP), IMAPS: at(conf.IMAPS), POP3: at(conf.POP3), POP3S: at(conf.POP3S), LMTP: at(conf.LMTP),
		Sieve: at(conf.Sieve), SASL: at(conf.SASL), CA: ca.pool, CAFile: filepath.Join(conf.Dir, "tls", "ca.pem"), Domain: Domain, process: p,
	}
	if o.Relay != 0 {
		s.Submission = at(conf.Submit)
	}
	err = testproc.Wait(20*time.Second, func() error { return greets(s.IMAP) })
	if err != nil {
		err = fmt.Errorf("Dovecot does not start: %w%s", err, p.Log("log/dovecot.log"))
		p.Stop()
		return nil, err
	}
	return s, nil
}

func setUpDovecot(o DovecotOptions, advertised string) (dovecotSetup, error) {
	c := dovecotSetup{DovecotOptions: o, Host: "127.0.0.1", Advertised: advertised}
	if o.NoPlaintext {
		c.Host = "127.0.0.2"
	}
	if c.Separator == "" {
		c.Separator = "/"
	}
	if c.MaxConnections == 0 {
		c.MaxConnections = 50
	}
	if c.Mechanisms == "" {
		c.Mechanisms = "plain login"
	}
	if c.Introspection != "" {
		c.Mechanisms += " xoauth2 oauthbearer"
	}
	if c.Quota != "" && !strings.Contains(c.Quota, "=") {
		c.Quota = "storage=" + c.Quota
	}
	var ok bool
	if c.Location, ok = map[string]string{"": "maildir:~/Maildir", "maildir": "maildir:~/Maildir", "sdbox": "sdbox:~/sdbox", "mdbox": "mdbox:~/mdbox"}[o.Format]; !ok {
		return c, fmt.Errorf("no mailbox format %q", o.Format)
	}
	ports, err := testproc.Ports(8)
	if err != nil {
		return c, err
	}
	c.IMAP, c.IMAPS, c.POP3, c.POP3S, c.LMTP, c.Sieve, c.SASL = ports[0], ports[1], ports[2], ports[3], ports[4], ports[5], ports[6]
	c.Submit = ports[7]
	if c.UID, c.GID, err = testproc.IDs("mail"); err != nil {
		return c, err
	}
	if c.Dir, err = testproc.Dir("dovecot"); err != nil {
		return c, err
	}
	for _, d := range []string{"run", "state", "log", "etc", "mail"} {
		if err := os.Mkdir(filepath.Join(c.Dir, d), 0o755); err != nil {
			return c, err
		}
	}
	return c, os.Chown(filepath.Join(c.Dir, "mail"), c.UID, c.GID)
}

func writeTemplate(path string, t *template.Template, data any) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(t.Execute(f, data), f.Close())
}
