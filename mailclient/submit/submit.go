// Package submit hands a finished mail to a submission server (RFC 6409) and
// says exactly what became of it: the outcome table of PROTOCOLS T13. It never
// decides to try again, and never sends twice. Start at Send.
package submit

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	"restante/mailclient"
	"restante/mailclient/wire"
)

// Kind is what became of a mail.
type Kind string

// The outcomes of a try. Only Retry may be tried again without a person's word.
const (
	Sent      Kind = "sent"
	Partly    Kind = "partly"   // sent to some; Refused has the others
	Rejected  Kind = "rejected" // the mail or all recipients, for good
	Retry     Kind = "retry"    // provably not accepted: later
	SignIn    Kind = "signin"
	Identity  Kind = "identity" // the sender address is not allowed
	TooLarge  Kind = "toobig"
	Config    Kind = "config" // no such host, certificate, encryption missing
	Uncertain Kind = "uncertain"
)

// Outcome is what a try came to. Text are the server's own words, Code its reply code (0: none came).
type Outcome struct {
	Kind  Kind
	Phase string // connect, auth, mail, rcpt, data, dot
	Code  int
	Text  string
	Why   mailclient.ConnectKind // with Config: what is wrong with the connection, "" when it is something else
	Limit int64                  // the server's SIZE, with TooLarge

	Accepted []string          // with Sent, Partly and Uncertain: the recipients of the text that was sent
	Refused  map[string]string // recipient -> words
	Later    map[string]string // recipient -> words of a temporary refusal, or of a limit
	More     bool              // with Partly: some of Later are only beyond what one mail may have, and can follow at once
	Untold   bool              // Receipts were wanted, and the server gives none
	Wait     time.Duration     // with Retry: no sooner than after that
}

// Mail is what is to be sent. Body must be canonical: CRLF line ends, no bare CR or LF, no Bcc field.
type Mail struct {
	From       string
	Recipients []string
	Size       int64 // exact octets of Body
	Body       io.Reader
	UTF8       bool   // an address is internationalised: SMTPUTF8 is needed
	Receipts   bool   // the server is asked to tell of each delivery, where it offers that (RFC 3461)
	ID         string // names the mail in what is told of it: its Message-ID
	Partly     bool   // go on when only some recipients are refused for good; temporary refusals never hold up the others
}

// Options are the server, the sign-in, and hooks.
type Options struct {
	Server      mailclient.Endpoint
	Credentials mailclient.Credentials
	HelloName   string        // our own name for EHLO, "" = localhost
	Timeout     time.Duration // per phase; 0 = RFC 5321 4.5.3.2

	// Step is called before the act it names, "data" or "dot", with the recipients whom the server has accepted; an
	// error stops there.
	Step func(phase string, accepted []string) error
}

// Send makes one try over a new connection. The error is nil: every failure is an Outcome.
func Send(ctx context.Context, o Options, m Mail) Outcome {
	s := &try{o: o, m: m, phase: "connect"}
	defer s.end()
	stop := context.AfterFunc(ctx, s.end)
	defer stop()
	return s.run(ctx)
}

// RefusedError is the outcome of a question that the server did not answer.
type RefusedError struct{ Outcome Outcome }

func (e *RefusedError) Error() string { return fmt.Sprintf("%s: %s", e.Outcome.Kind, e.Outcome.Text) }

// Offer is what a server can do for a mail.
type Offer struct {
	Size     int64 // that a mail may have, in octets; 0: it did not say
	Receipts bool  // it tells of deliveries (DSN)
	UTF8     bool  // it takes addresses beyond ASCII
}

// Ask asks the server what it offers, signing in as a send would. The error is a *RefusedError.
func Ask(ctx context.Context, o Options) (offer Offer, err error) {
	s := &try{o: o, phase: "connect"}
	offer.Size, err = s.ask(ctx, func() (Outcome, bool) {
		offer.Receipts, _ = s.c.Extension("DSN")
		offer.UTF8, _ = s.c.Extension("SMTPUTF8")
		return Outcome{}, true
	})
	return offer, err
}

// Rehearse does what Send does up to the text: it signs in, says who sends m and to whom, and takes that back. No mail
// is sent; m needs no Body. It gives the server's SIZE, 0 if it did not say. The error is a *RefusedError.
func Rehearse(ctx context.Context, o Options, m Mail) (int64, error) {
	s := &try{o: o, m: m, phase: "connect"}
	return s.ask(ctx, func() (Outcome, bool) {
		if out, ok := s.envelope(); !ok {
			return out, false
		}
		if err := s.c.Reset(); err != nil {
			return s.lost(err), false
		}
		return Outcome{}, true
	})
}

type try struct {
	o     Options
	m     Mail
	phase string
	conn  net.Conn
	c     *smtp.Client
	rcpt  *smtp.RcptOptions

	mu    sync.Mutex // guards ended, and conn while it is set
	ended bool
}

// end closes the connection for good. It may be called by any goroutine.
func (s *try) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.close()
}

func (s *try) close() {
	if s.conn != nil {
		_ = s.conn.Close()
	}
}

// use takes a connection, unless the try was given up meanwhile.
func (s *try) use(conn net.Conn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return errors.Join(context.Canceled, conn.Close())
	}
	s.conn = conn
	return nil
}

func (s *try) run(ctx context.Context) Outcome {
	if out, ok := s.open(ctx); !ok {
		return out
	}
	some, ok := s.envelope()
	if !ok {
		_ = s.c.Quit()
		return some
	}
	out := s.data()
	if out.Kind == Sent && len(some.Refused)+len(some.Later) > 0 {
		out.Kind, out.Text = Partly, some.Text // what the others wait for says more than where the mail is queued
	}
	out.Accepted, out.Refused, out.Later, out.More = s.m.Recipients, some.Refused, some.Later, some.More
	told, _ := s.c.Extension("DSN")
	out.Untold = s.m.Receipts && !told
	return out
}

// ask signs in, asks what is asked for, and takes leave. It gives the server's SIZE.
func (s *try) ask(ctx context.Context, question func() (Outcome, bool)) (int64, error) {
	defer s.end()
	stop := context.AfterFunc(ctx, s.end)
	defer stop()
	if out, ok := s.open(ctx); !ok {
		return 0, &RefusedError{out}
	}
	size, _ := s.c.MaxMessageSize()
	out, ok := question()
	_ = s.c.Quit()
	if !ok {
		return int64(size), &RefusedError{out}
	}
	return int64(size), nil
}

// open connects, secures and signs in.
func (s *try) open(ctx context.Context) (Outcome, bool) {
	if s.o.Credentials.Tokens != nil {
		return s.openByToken(ctx)
	}
	if err := s.connect(ctx); err != nil {
		return connectOutcome(err), false
	}
	return s.byPassword(ctx)
}

func (s *try) connect(ctx context.Context) error {
	s.phase = "connect"
	ep := s.o.Server
	dialCtx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	server := ep.Server()
	raw, err := server.Dial(dialCtx)
	if err != nil {
		return err
	}
	if ep.Security == mailclient.Plain && !wire.Private(raw.RemoteAddr()) {
		return errors.Join(errNoTLS, raw.Close())
	}
	if err := s.use(raw); err != nil {
		return err
	}
	conf := server.TLS()
	_ = raw.SetDeadline(time.Now().Add(s.timeout(5 * time.Minute))) // the greeting, TLS included
	switch ep.Security {
	case mailclient.TLS:
		t := tls.Client(raw, conf)
		if err := t.HandshakeContext(dialCtx); err != nil {
			return err
		}
		s.c = smtp.NewClient(t)
	case mailclient.StartTLS:
		s.c, err = smtp.NewClientStartTLS(raw, conf)
		if err != nil && strings.Contains(err.Error(), "doesn't support STARTTLS") {
			return errNoTLS
		}
	default:
		s.c = smtp.NewClient(raw)
	}
	if err != nil {
		return err
	}
	s.c.CommandTimeout, s.c.SubmissionTimeout = s.timeout(5*time.Minute), s.timeout(10*time.Minute)
	name := s.o.HelloName
	if name == "" {
		name = "localhost"
	}
	return s.c.Hello(name) // again after STARTTLS, whose handshake comes with it
}

func (s *try) timeout(usual time.Duration) time.Duration {
	if s.o.Timeout > 0 {
		return s.o.Timeout
	}
	return usual
}

// envelope sends MAIL and RCPT; ok is false when nothing may follow.
func (s *try) envelope() (Outcome, bool) {
	if limit, _ := s.c.MaxMessageSize(); limit > 0 && s.m.Size > int64(limit) {
		return Outcome{Kind: TooLarge, Phase: "mail", Limit: int64(limit), Text: fmt.Sprintf("the server takes %d octets", limit)}, false
	}
	s.phase = "mail"
	opts := &smtp.MailOptions{Size: s.m.Size}
	if s.m.UTF8 {
		if ok, _ := s.c.Extension("SMTPUTF8"); !ok {
			return Outcome{Kind: Rejected, Phase: "mail", Text: "this server cannot send to addresses with letters beyond ASCII"}, false
		}
		opts.UTF8 = true
	}
	if s.m.Receipts {
		opts.Return, opts.EnvelopeID = smtp.DSNReturnHeaders, s.m.ID
		s.rcpt = &smtp.RcptOptions{Notify: []smtp.DSNNotify{smtp.DSNNotifySuccess, smtp.DSNNotifyFailure, smtp.DSNNotifyDelayed}}
	}
	err := s.c.Mail(s.m.From, opts)
	if refusesParameter(err) { // T13: once again without
		s.rcpt = nil
		err = s.c.Mail(s.m.From, &smtp.MailOptions{UTF8: opts.UTF8})
	}
	if err != nil {
		return s.mailOutcome(err), false
	}
	s.phase = "rcpt"
	return s.recipients()
}

// recipients names them to the server. Those whom it takes later do not hold up the others, nor do those who are
// too many for one mail (T8, T13).
func (s *try) recipients() (Outcome, bool) {
	out := Outcome{Phase: "rcpt", Refused: map[string]string{}, Later: map[string]string{}}
	var accepted []string
	var last *smtp.SMTPError
	for i, rcpt := range s.m.Recipients {
		if most := s.atOnce(); len(accepted) == most {
			out.Text = fmt.Sprintf("one mail takes %d recipients", most)
			out.leave(s.m.Recipients[i:])
			break
		}
		err := s.c.Rcpt(rcpt, s.rcpt)
		if err == nil {
			accepted = append(accepted, rcpt)
			continue
		}
		if !errors.As(err, &last) || last.Code == 421 {
			return s.lost(err), false
		}
		out.Code, out.Text = last.Code, words(last)
		if len(accepted) > 0 && tooMany(last) {
			out.leave(s.m.Recipients[i:])
			break
		}
		if last.Code/100 == 4 {
			out.Later[rcpt] = out.Text
		} else {
			out.Refused[rcpt] = out.Text
		}
	}
	return s.rcptOutcome(out, accepted, last)
}

// leave puts recipients off to a further mail, which may follow at once.
func (out *Outcome) leave(beyond []string) {
	out.More = true
	for _, rcpt := range beyond {
		out.Later[rcpt] = out.Text
	}
}

// usualLimit is how many recipients every server has to take in one mail (RFC 5321 4.5.3.1.8).
const usualLimit = 100

// atOnce is how many recipients one mail may have: what the server says (RFC 9422), at most a thousand.
func (s *try) atOnce() int {
	_, limits := s.c.Extension("LIMITS")
	for _, l := range strings.Fields(strings.ToUpper(limits)) {
		if value, ok := strings.CutPrefix(l, "RCPTMAX="); ok {
			if n, err := strconv.Atoi(value); err == nil && n > 0 {
				return min(n, 1000)
			}
		}
	}
	return usualLimit
}

// rcptOutcome says what the answers come to, and whether the text follows.
func (s *try) rcptOutcome(out Outcome, accepted []string, last *smtp.SMTPError) (Outcome, bool) {
	none := len(accepted) == 0
	switch {
	case len(out.Refused) == 0 && !none, s.m.Partly && !none:
		s.m.Recipients = accepted
		return out, true
	case len(out.Later) > 0 && none && (len(out.Refused) == 0 || s.m.Partly):
		out.Kind = Retry
	case none && last != nil && aboutSender(last):
		out.Kind = Identity
	default:
		out.Kind = Rejected
	}
	return out, false
}

// data sends the text. From the moment the final dot may have been written, a failure is Uncertain.
func (s *try) data() Outcome {
	s.phase = "data"
	if err := s.step("data"); err != nil {
		return Outcome{Kind: Retry, Phase: "data", Text: err.Error()}
	}
	w, err := s.c.Data()
	if err != nil {
		out := s.lost(err)
		if out.Code/100 == 5 {
			out.Kind = Rejected
		}
		return out
	}
	_ = s.conn.SetDeadline(time.Time{})
	n, err := io.Copy(w, &paced{s: s, r: s.m.Body})
	if err == nil && n != s.m.Size {
		err = fmt.Errorf("the mail has %d octets instead of %d", n, s.m.Size)
	}
	if err != nil {
		s.close() // without the dot the server has nothing
		return Outcome{Kind: Retry, Phase: "data", Text: err.Error()}
	}
	if err := s.step("dot"); err != nil {
		s.close()
		return Outcome{Kind: Retry, Phase: "data", Text: err.Error()}
	}
	s.phase = "dot"
	resp, err := w.CloseWithResponse()
	if err != nil {
		return s.dotOutcome(err)
	}
	_ = s.c.Quit() // T13: a QUIT that fails after 250 changes nothing
	return Outcome{Kind: Sent, Phase: "dot", Code: 250, Text: resp.StatusText}
}

func (s *try) step(phase string) error {
	if s.o.Step == nil {
		return nil
	}
	return s.o.Step(phase, s.m.Recipients)
}

// paced gives each block its own deadline (RFC 5321 4.5.3.2.5).
type paced struct {
	s *try
	r io.Reader
}

func (p *paced) Read(b []byte) (int, error) {
	_ = p.s.conn.SetWriteDeadline(time.Now().Add(p.s.timeout(3 * time.Minute)))
	return p.r.Read(b)
}

var errNoTLS = errors.New("the server offers no encryption")

// connectOutcome sorts what can go wrong before sign-in.
func connectOutcome(err error) Outcome {
	out := Outcome{Kind: Retry, Phase: "connect", Text: err.Error()}
	var reply *smtp.SMTPError
	why := wire.Classify("", err).Kind
	if errors.Is(err, errNoTLS) {
		why = mailclient.NoTLS
	}
	switch {
	case slices.Contains([]mailclient.ConnectKind{mailclient.NoTLS, mailclient.NoSuchHost, mailclient.CertExpired, mailclient.CertName, mailclient.CertUnknown, mailclient.CertChanged}, why):
		out.Kind, out.Why = Config, why
	case errors.As(err, &reply):
		if out.Code, out.Text = reply.Code, words(reply); out.Code/100 == 5 {
			out.Wait = time.Hour // T13: it takes nobody now
		}
	}
	return out
}
