// Package checkup tries out the servers of a mail domain, with an account of the
// domain where one is given: name, certificate, capabilities, sign-in, folders,
// keeping a mail, sending up to the text, and a mail to oneself. It leaves nothing
// behind. What it says is data, for whoever has words. Start at Run.
package checkup

import (
	"context"
	"iter"
	"strings"
	"time"

	"restante/mailclient"
	"restante/mailclient/discover"
	"restante/mailclient/wire"
)

// Name is what a step looks at.
type Name string

// The steps, in their order. The first three are made for each service that is set up.
const (
	Resolve      Name = "resolve"      // the host has an address
	Secure       Name = "secure"       // it answers, with a certificate that is trusted
	Capabilities Name = "capabilities" // it can what is needed
	SignIn       Name = "sign-in"      // IMAP takes name and password
	Folders      Name = "folders"      // there are mailboxes for drafts, sent mail, junk and trash
	Keep         Name = "keep"         // a mail can be put into a mailbox, and removed
	Rehearse     Name = "rehearse"     // submission takes name, password, sender and recipient
	RoundTrip    Name = "round-trip"   // a mail to oneself arrives
)

// Result is what a step came to.
type Result string

// The results.
const (
	OK      Result = "ok"
	Warning Result = "warning" // it works, and something should be known
	Failed  Result = "failed"
	LeftOut Result = "left-out" // not tried: it needs what failed, or what was not given
)

// Problem is why a step is not OK. Those of a connection are ConnectKinds.
type Problem string

// The problems beside those of a connection.
const (
	NotTLS       Problem = "in-the-open"   // warning: without encryption, to an address of an own network
	Expiring     Problem = "cert-expiring" // warning: the certificate ends within two weeks
	NoMechanism  Problem = "no-sign-in"    // no way to sign in is offered that is understood
	Password     Problem = "password"      // name or password is refused
	OtherLogin   Problem = "other-login"   // warning: only the other form of the name is taken; see Facts.Login
	Trouble      Problem = "trouble"       // the server says that it has trouble, or too much to do
	NoRoles      Problem = "no-roles"      // warning: mailboxes are missing; see Facts.Missing
	Quota        Problem = "quota"         // the mailbox is full
	Refused      Problem = "refused"       // the server refuses it otherwise
	LeftMarked   Problem = "left-marked"   // warning: the mail stands marked as deleted, for the server cannot remove it alone
	LeftBehind   Problem = "left-behind"   // warning: the mail could not be removed
	Sender       Problem = "sender"        // the address may not send
	TooSmall     Problem = "too-small"     // warning: the server takes mails of less than 10 MB
	NotArrived   Problem = "not-arrived"   // within the time
	InJunk       Problem = "in-junk"       // warning: it arrived there
	NeedsAnother Problem = "needs-another" // left out: a step before it failed
	NeedsAccount Problem = "needs-account" // left out: no account was given
	NotWanted    Problem = "not-wanted"    // left out: it was not asked for
)

// Advice is what to do about a problem.
type Advice string

// The advices.
const (
	FixName       Advice = "fix-name"       // check the host's name, and the DNS
	OpenPort      Advice = "open-port"      // check the port, the firewall and whether the server runs
	AllowHost     Advice = "allow-host"     // an inner address: allow it (RESTANTE_ALLOW_HOSTS)
	OtherMode     Advice = "other-mode"     // check port and encryption: another protocol or mode is spoken there
	RenewCert     Advice = "renew-cert"     // renew the certificate
	UseCertName   Advice = "use-cert-name"  // use a name that the certificate is for; see Facts.Certificate
	TrustCert     Advice = "trust-cert"     // compare the fingerprint on the server, then pin it; or give its authority (RESTANTE_CA_FILE)
	ComparePin    Advice = "compare-pin"    // the key has changed: compare before it is pinned anew
	CheckPassword Advice = "check-password" // check name and password; perhaps an app password is needed
	UseLogin      Advice = "use-login"      // set the domain's sign-in name to this form
	TryLater      Advice = "try-later"
	MakeFolders   Advice = "make-folders"
	MakeRoom      Advice = "make-room"
	AllowSender   Advice = "allow-sender" // let the account send as its address
	RaiseLimit    Advice = "raise-limit"
	LookAtLog     Advice = "look-at-log" // of the mail server: it knows why
	TeachJunk     Advice = "teach-junk"  // let the filter know the sender
	RemoveByHand  Advice = "remove-by-hand"
	UseTLS        Advice = "use-tls"
)

var advices = map[Problem]Advice{
	Problem(wire.NoSuchHost): FixName, Problem(wire.Unreachable): OpenPort, Problem(wire.Timeout): OpenPort, Problem(wire.Lost): TryLater, Problem(wire.Bye): TryLater,
	Problem(wire.Forbidden): AllowHost, Problem(wire.NoTLS): OtherMode, Problem(wire.WrongProtocol): OtherMode, Problem(wire.Injected): LookAtLog,
	Problem(wire.CertExpired): RenewCert, Problem(wire.CertName): UseCertName, Problem(wire.CertUnknown): TrustCert, Problem(wire.CertChanged): ComparePin,
	NotTLS: UseTLS, Expiring: RenewCert, NoMechanism: OtherMode, Password: CheckPassword, OtherLogin: UseLogin, Trouble: TryLater, NoRoles: MakeFolders,
	Quota: MakeRoom, Refused: LookAtLog, LeftMarked: RemoveByHand, LeftBehind: RemoveByHand, Sender: AllowSender, TooSmall: RaiseLimit,
	NotArrived: LookAtLog, InJunk: TeachJunk,
}

// Facts are what a step saw. Each step fills those that are its own.
type Facts struct {
	Addresses    []string                   `json:"addresses,omitempty"`   // Resolve
	Certificate  *wire.Certificate          `json:"certificate,omitempty"` // Secure
	Capabilities []string                   `json:"capabilities,omitempty"`
	Mechanisms   []string                   `json:"mechanisms,omitempty"`
	Login        string                     `json:"login,omitempty"`     // SignIn: the name that was taken
	Mailboxes    int                        `json:"mailboxes,omitempty"` // Folders: how many there are
	Roles        map[mailclient.Role]string `json:"roles,omitempty"`     // Folders: by which name
	Missing      []mailclient.Role          `json:"missing,omitempty"`   // Folders: of drafts, sent, junk and trash
	Mailbox      string                     `json:"mailbox,omitempty"`   // Keep, RoundTrip: where the mail was
	SizeLimit    int64                      `json:"size_limit,omitempty"`
	Way          time.Duration              `json:"way,omitempty"`         // RoundTrip: how long the mail took
	FilesSent    bool                       `json:"files_sent,omitempty"`  // RoundTrip: the server itself puts sent mail into Sent
	SecondForm   bool                       `json:"second_form,omitempty"` // SignIn: a second form of the name was tried
}

// Step is one step and what it came to.
type Step struct {
	Name    Name             `json:"name"`
	Service discover.Service `json:"service"`
	Host    string           `json:"host"`
	Result  Result           `json:"result"`
	Problem Problem          `json:"problem,omitempty"`
	Advice  Advice           `json:"advice,omitempty"`
	Text    string           `json:"text,omitempty"` // the server's own words, at most 500 bytes
	Facts   Facts            `json:"facts"`
	Took    time.Duration    `json:"took"`
}

// Options are what is tried, and with whose account.
type Options struct {
	Servers  discover.Servers
	Resolver discover.Resolver // nil: the system's

	Address   string // "": nothing that needs an account is tried
	Password  string
	OtherForm bool // try the other form of the sign-in name once, if the first is refused (PROTOCOLS D7)

	RoundTrip time.Duration // how long a mail to oneself is waited for, at most 5 minutes; 0: none is sent
	Subject   string        // of the mails that are tried with; "" is Restante
	HelloName string        // our own name for EHLO
}

// Run takes the steps in their order, each with its own deadline, and gives each when it is done. It ends early when
// ctx does or nobody wants the next; what was put onto the server is removed even then, but for a mail that is still on
// its way.
func Run(ctx context.Context, o Options) iter.Seq[Step] {
	return func(yield func(Step) bool) {
		r := begin(o)
		defer r.pool.Close()
		for _, next := range r.steps() {
			step := r.take(ctx, next)
			if ctx.Err() != nil || !yield(step) {
				return
			}
		}
	}
}

// run is one checkup.
type run struct {
	o       Options
	pool    *mailclient.Pool
	session *mailclient.Session
	cred    mailclient.Credentials

	probes map[discover.Service]discover.Probe
	fails  map[Name]map[discover.Service]bool
	roles  map[mailclient.Role]string
	single bool // the server can remove one mail alone (UIDPLUS)
}

// stage is a step that is to be taken.
type stage struct {
	name    Name
	service discover.Service
	within  time.Duration
	needs   []Name // of the same service, or of IMAP
	account bool
	do      func(context.Context, *Step)
}

func begin(o Options) *run {
	o.RoundTrip = min(o.RoundTrip, 5*time.Minute)
	if o.Subject == "" {
		o.Subject = "Restante"
	}
	return &run{
		o: o, pool: mailclient.NewPool(mailclient.Limits{}), cred: mailclient.Credentials{Username: o.Servers.Username(o.Address), Password: o.Password},
		probes: map[discover.Service]discover.Probe{}, fails: map[Name]map[discover.Service]bool{}, roles: map[mailclient.Role]string{},
	}
}

func (r *run) steps() (out []stage) {
	for _, s := range []discover.Service{discover.IMAP, discover.Submission, discover.POP3, discover.Sieve} {
		if r.o.Servers.Of(s).Host == "" {
			continue
		}
		out = append(out,
			stage{name: Resolve, service: s, within: 5 * time.Second, do: r.resolve},
			stage{name: Secure, service: s, within: 20 * time.Second, needs: []Name{Resolve}, do: r.secure},
			stage{name: Capabilities, service: s, within: time.Second, needs: []Name{Resolve, Secure}, do: r.capabilities})
	}
	servers := []Name{Resolve, Secure, Capabilities}
	signedIn := append(servers, SignIn)
	return append(out,
		stage{SignIn, discover.IMAP, 90 * time.Second, servers, true, r.signIn},
		stage{Folders, discover.IMAP, 30 * time.Second, signedIn, true, r.folders},
		stage{Keep, discover.IMAP, time.Minute, signedIn, true, r.keep},
		stage{Rehearse, discover.Submission, time.Minute, signedIn, true, r.rehearse},
		stage{RoundTrip, discover.Submission, r.o.RoundTrip + 2*time.Minute, append(signedIn, Rehearse), true, r.roundTrip},
	)
}

func (r *run) take(ctx context.Context, next stage) (s Step) {
	s = Step{Name: next.name, Service: next.service, Host: r.o.Servers.Of(next.service).Host, Result: OK}
	began := time.Now()
	defer func() {
		s.Took = time.Since(began)
		if s.Result != OK && s.Result != LeftOut {
			s.Advice = advices[s.Problem]
		}
		if s.Result == Failed || s.Result == LeftOut {
			r.failed(next)
		}
	}()
	switch {
	case next.account && r.o.Address == "":
		s.leave(NeedsAccount)
		return s
	case next.name == RoundTrip && r.o.RoundTrip == 0:
		s.leave(NotWanted)
		return s
	case r.lacks(next):
		s.leave(NeedsAnother)
		return s
	}
	within, cancel := context.WithTimeout(ctx, next.within)
	defer cancel()
	next.do(within, &s)
	return s
}

func (r *run) failed(t stage) {
	if r.fails[t.name] == nil {
		r.fails[t.name] = map[discover.Service]bool{}
	}
	r.fails[t.name][t.service] = true
}

// lacks says whether a step failed that this one needs.
func (r *run) lacks(t stage) bool {
	for _, n := range t.needs {
		if r.fails[n][t.service] || t.account && r.fails[n][discover.IMAP] {
			return true
		}
	}
	return false
}

func (s *Step) leave(p Problem) { s.Result, s.Problem = LeftOut, p }
func (s *Step) warn(p Problem)  { s.Result, s.Problem = Warning, p }
func (s *Step) fail(p Problem, text string) {
	s.Result, s.Problem, s.Text = Failed, p, strings.ToValidUTF8(text[:min(len(text), 500)], "")
}
