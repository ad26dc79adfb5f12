package pop3

import "time"

// Plan is when a source is looked at again (P3, P16).
type Plan struct {
	Every     time.Duration // between two runs
	Last      OutcomeKind
	Failures  int // runs that failed as the last one, one after the other
	Next      time.Time
	NotBefore time.Time // the source's LOGIN-DELAY: not even a wish goes sooner
	Paused    bool      // until somebody does something
}

// The bounds of Plan.Every.
const (
	MinEvery = 5 * time.Minute
	MaxEvery = 24 * time.Hour
)

const (
	longest = 6 * time.Hour // between two tries
	unclear = 2             // sign-ins refused without a clear reason, until it counts as the password
)

// inUse are the waits while another program reads the mailbox, before the usual time is waited.
var inUse = []time.Duration{2 * time.Minute, 5 * time.Minute, 10 * time.Minute}

// After gives the plan after a run that ended at now. jitter is from -1 to 1.
func (p Plan) After(o Outcome, now time.Time, jitter float64) Plan {
	p.Every = min(max(p.Every, MinEvery), MaxEvery)
	if o.Kind == Stopped {
		p.Next = now
		return p
	}
	if p.Failures++; p.Last != o.Kind {
		p.Failures = 1
	}
	p.Last = o.Kind
	wait := p.Every
	switch o.Kind {
	case Done:
		if p.Failures = 0; o.More {
			wait = o.Delay
		}
	case WrongLogin, TargetSignIn:
		p.Paused = true
	case UnclearLogin:
		p.Paused = p.Failures >= unclear
	case Occupied:
		if p.Failures <= len(inUse) {
			wait = inUse[p.Failures-1]
		} else {
			p.Failures = 0
		}
	case TooSoon:
		wait = max(wait, o.Delay)
	default:
		wait = backOff(p.Every, p.Failures)
	}
	p.Next = now.Add(wait + time.Duration(jitter*float64(wait)/10))
	if o.Delay > 0 {
		p.NotBefore = now.Add(o.Delay)
		if p.Next.Before(p.NotBefore) {
			p.Next = p.NotBefore
		}
	}
	return p
}

// backOff doubles with each failure, up to longest.
func backOff(every time.Duration, failures int) time.Duration {
	wait := every
	for ; failures > 0 && wait < longest; failures-- {
		wait *= 2
	}
	return min(wait, max(every, longest))
}
