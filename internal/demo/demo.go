// Package demo runs an IMAP, a submission and a POP3 server on loopback, filled with sample
// mail when asked, for `restante demo` and for quick tests.
//
// It is a mail server to talk to and nothing more: it knows no room of Restante, listens on
// 127.0.0.1 alone, speaks without TLS, and sends nothing outside. Start reading at Start;
// account.go holds the mail, session.go speaks IMAP over it, smtp.go takes mail in,
// pop3.go has an old mailbox elsewhere.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-smtp"
)

// Domain is the part after the @ of every address that receives mail here.
const Domain = "demo.test"

// User is a person with a mailbox on the demo servers.
type User struct {
	Address  string // signs in with this, or with the part before the @
	Password string
	Name     string
}

// Options says what Start sets up.
type Options struct {
	Mail    bool      // fill new accounts with the sample mail
	Dir     string    // keep mail in this directory; empty: in memory only
	Without []string  // IMAP capabilities to hide and refuse, such as "IDLE" or "UIDPLUS"
	Now     time.Time // the moment the sample mail ends at; zero: now
	Users   []User    // nil: anna@demo.test and ben@demo.test, password "demo"
}

// Servers are the running demo servers. Its methods may be called from any goroutine.
type Servers struct {
	IMAPAddr string // host:port, plain
	SMTPAddr string // host:port, plain
	POP3Addr string // host:port, plain; OldUser's, whose mailbox is empty without Options.Mail
	Domain   string

	users    []User
	accounts map[string]*account // by lower-case address
	without  capNames
	imap     *imapserver.Server
	smtp     *smtp.Server
	imapLn   *listener
	smtpLn   net.Listener
	pop      *popServer
	stop     func() bool
	serving  sync.WaitGroup
	close    sync.Once
}

// Start listens and serves until the context ends or Close is called.
func Start(ctx context.Context, o Options) (*Servers, error) {
	s := &Servers{Domain: Domain, users: o.Users, without: namesOf(o.Without), accounts: map[string]*account{}}
	if o.Users == nil {
		s.users = defaultUsers()
	}
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	for _, u := range s.users {
		a, err := openAccount(u, o)
		if err != nil {
			return nil, fmt.Errorf("demo: %s: %w", u.Address, err)
		}
		s.accounts[strings.ToLower(u.Address)] = a
	}
	fill := func() []oldMail { return nil }
	if o.Mail {
		fill = oldMails(o.Now)
	}
	if err := s.listen(fill); err != nil {
		return nil, err
	}
	s.stop = context.AfterFunc(ctx, s.shutDown)
	return s, nil
}

func defaultUsers() []User {
	return []User{
		{Address: "anna@" + Domain, Password: "demo", Name: "Anna Keller"},
		{Address: "ben@" + Domain, Password: "demo", Name: "Ben Okafor"},
	}
}

// openAccount loads what Dir holds, or makes a new account with its default mailboxes.
func openAccount(u User, o Options) (*account, error) {
	a := newAccount(u, o.Dir)
	found, err := a.load()
	if err != nil || found {
		return a, err
	}
	a.nextValidity = uint32(o.Now.Unix())
	a.addDefaults()
	if o.Mail {
		if err := a.fill(o.Now); err != nil {
			return nil, err
		}
	}
	return a, a.save()
}

func (s *Servers) listen(old func() []oldMail) error {
	imapLn, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("demo: IMAP: %w", err)
	}
	smtpLn, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return errors.Join(fmt.Errorf("demo: SMTP: %w", err), imapLn.Close())
	}
	popLn, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return errors.Join(fmt.Errorf("demo: POP3: %w", err), imapLn.Close(), smtpLn.Close())
	}
	s.POP3Addr, s.pop = popLn.Addr().String(), newPopServer(popLn, old)
	s.IMAPAddr, s.SMTPAddr = imapLn.Addr().String(), smtpLn.Addr().String()
	s.imapLn, s.smtpLn = newListener(imapLn, s.without), smtpLn
	s.imap = imapserver.New(&imapserver.Options{
		NewSession: func(c *imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return &session{servers: s, conn: c.NetConn()}, nil, nil
		},
		Caps:         offered(s.without),
		InsecureAuth: true,
		Logger:       log.New(io.Discard, "", 0),
	})
	s.smtp = newSubmission(s)
	s.serving.Go(func() { _ = s.imap.Serve(s.imapLn) })
	s.serving.Go(func() { _ = s.smtp.Serve(smtpLn) })
	s.serving.Go(s.pop.serve)
	return nil
}

// Users lists who may sign in.
func (s *Servers) Users() []User { return append([]User(nil), s.users...) }

// Close stops the servers and cuts their connections. It may be called twice.
func (s *Servers) Close() {
	s.stop()
	s.shutDown()
}

func (s *Servers) shutDown() {
	s.close.Do(func() {
		<-s.imapLn.serving   // go-imap's server may not be closed while it begins
		_ = s.imapLn.Close() // both by ourselves: a server that is closed before it serves knows no listener yet
		_ = s.smtpLn.Close()
		s.pop.close()
		s.imapLn.cut()
		_ = s.imap.Close()
		_ = s.smtp.Close()
		s.serving.Wait()
	})
}

// Deliver puts a message into the INBOX of a local address, as if it had just arrived.
// Bare line feeds become CRLF.
func (s *Servers) Deliver(to string, raw []byte) error {
	a := s.account(to)
	if a == nil {
		return fmt.Errorf("demo: no such address: %s", to)
	}
	_, err := a.append("INBOX", raw, time.Now(), nil)
	return err
}

// Messages returns the bytes of each message in a mailbox, in the order of their UIDs;
// nil when there is no such user or mailbox. The bytes must not be changed.
func (s *Servers) Messages(user, name string) [][]byte {
	a := s.account(user)
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	box := a.boxes[canonicalName(name)]
	if box == nil {
		return nil
	}
	raws := make([][]byte, 0, len(box.messages))
	for _, m := range box.messages {
		raws = append(raws, m.content.raw)
	}
	return raws
}

// Flags returns the flags of each message in a mailbox, in the order of Messages.
func (s *Servers) Flags(user, name string) [][]string {
	a := s.account(user)
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	box := a.boxes[canonicalName(name)]
	if box == nil {
		return nil
	}
	all := make([][]string, 0, len(box.messages))
	for _, m := range box.messages {
		all = append(all, flagStrings(m.flagList()))
	}
	return all
}

// Mailboxes lists the names of a user's mailboxes, sorted.
func (s *Servers) Mailboxes(user string) []string {
	a := s.account(user)
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.sortedNames()
}

// account finds who has an address; nil when nobody has.
func (s *Servers) account(address string) *account {
	return s.accounts[strings.ToLower(strings.TrimSpace(address))]
}

// signIn returns the account for a name and password, or nil.
func (s *Servers) signIn(name, password string) *account {
	if !strings.Contains(name, "@") {
		name += "@" + Domain
	}
	a := s.account(name)
	if a == nil || a.user.Password != password {
		return nil
	}
	return a
}

func flagStrings(flags []imap.Flag) []string {
	names := make([]string, 0, len(flags))
	for _, f := range flags {
		names = append(names, string(f))
	}
	return names
}

func isNotExist(err error) bool { return errors.Is(err, os.ErrNotExist) }
