package pop3

import (
	"cmp"
	"errors"
	"time"

	"restante/mailclient/wire"
)

// OutcomeKind is how a run ended.
type OutcomeKind string

// The outcomes. Source kinds are about the POP3 server, the others name whom they are about.
const (
	Done         OutcomeKind = "done"
	Stopped      OutcomeKind = "stopped"     // paused, removed, or this program ends
	Quota        OutcomeKind = "quota"       // the target has no room
	TargetSignIn OutcomeKind = "target"      // the target wants another password
	TargetAway   OutcomeKind = "target-away" // the target does not answer, or takes nothing
	Disk         OutcomeKind = "disk"        // our own has too little room
	WrongLogin   OutcomeKind = "signin"      // surely the password of the source
	UnclearLogin OutcomeKind = "signin?"     // probably
	Occupied     OutcomeKind = "in-use"      // another program reads the source
	TooSoon      OutcomeKind = "delay"       // the source wants to be left alone for a while
	Hiccup       OutcomeKind = "temporary"
	Closed       OutcomeKind = "permanent" // the source will not, until somebody does something about it
	Config       OutcomeKind = "config"    // certificate, encryption
	Nowhere      OutcomeKind = "nowhere"   // no such host, or one that the dialler does not go to: which of these is told to nobody
	Unreached    OutcomeKind = "unreachable"
	Broken       OutcomeKind = "broken" // our own database or disk
)

// Outcome is how a run ended.
type Outcome struct {
	Kind       OutcomeKind
	Host, Text string // whose words, and the words
	Progress   Progress
	Delay      time.Duration // that the source wants between two sessions
	More       bool          // and that alone has ended the run
	NoUIDL     bool          // the source has none (P5)
	Err        error
}

// endError ends a run.
type endError struct{ Outcome }

func (e *endError) Error() string { return string(e.Kind) + ": " + e.Text }
func (e *endError) Unwrap() error { return e.Err }

func outcomeOf(err error) Outcome {
	var end *endError
	switch {
	case err == nil:
		return Outcome{Kind: Done}
	case errors.Is(err, ErrStopped):
		return Outcome{Kind: Stopped}
	case errors.As(err, &end):
		return end.Outcome
	}
	return SourceOutcome(err)
}

var reasons = map[Reason]OutcomeKind{
	InUse: Occupied, Delay: TooSoon, Temporary: Hiccup, Permanent: Closed, Password: WrongLogin, Unclear: UnclearLogin, Refused: Hiccup,
}

// configKinds are what no time heals.
var configKinds = map[wire.ConnectKind]bool{
	wire.CertExpired: true, wire.CertName: true, wire.CertUnknown: true, wire.NoTLS: true, wire.Injected: true, wire.WrongProtocol: true,
}

// SourceOutcome is what an error of Dial, or of a session, comes to for a run.
func SourceOutcome(err error) Outcome {
	out := Outcome{Kind: Unreached, Text: err.Error(), Err: err}
	var no *RefusedError
	var lost *wire.ConnectError
	var token *wire.TokenError
	switch {
	case errors.As(err, &token):
		out.Host, out.Text = token.Provider, token.Text
		if token.Dead {
			out.Kind = WrongLogin
		}
	case errors.As(err, &no):
		out.Kind, out.Host, out.Text = reasons[no.Reason()], no.Host, no.Text
	case errors.As(err, &lost):
		out.Host, out.Text = lost.Host, lost.Text
		switch {
		case configKinds[lost.Kind]:
			out.Kind = Config
		case lost.Kind == wire.NoSuchHost, lost.Kind == wire.Forbidden: // else names of an inner network could be told by it
			out.Kind, out.Text = Nowhere, ""
		}
	}
	return out
}

// dialError is a session that could not be opened: a refusal, or what no time heals, ends the run.
func dialError(err error) error {
	if out := SourceOutcome(err); out.Kind != Unreached {
		return &endError{out}
	}
	return err
}

var troubles = map[Trouble]OutcomeKind{OverQuota: Quota, NoSignIn: TargetSignIn}

// targetEnd ends the run for what a target says.
func targetEnd(err error) error {
	var no *NotTakenError
	if !errors.As(err, &no) {
		return &endError{Outcome{Kind: TargetAway, Text: err.Error(), Err: err}}
	}
	return &endError{Outcome{Kind: cmp.Or(troubles[no.Why], TargetAway), Host: no.Host, Text: no.Text, Err: err}}
}
