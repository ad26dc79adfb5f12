package mailclient

import (
	"context"
	"errors"
	"slices"
	"time"

	"restante/mailclient/imapx"
)

const (
	trialTime = 15 * time.Second       // for one try
	trialWait = 500 * time.Millisecond // that who begins a try waits for it
	relapse   = time.Minute            // an outage that comes sooner after another is the same one
)

// trials are how long after a failure, and after more of them, a server that cannot be used is tried again. The one who
// watches has a pace of its own.
var trials = []time.Duration{2 * time.Second, 5 * time.Second, 15 * time.Second, 30 * time.Second}

// Outage is a server that cannot be used for now.
type Outage struct {
	Err   error     // *ConnectError, or the *SignInError of a server in trouble
	Since time.Time // when that was first seen
}

// OutageError means that a server cannot be used for now, and that it was not asked: it is tried from time to time.
type OutageError struct{ Outage }

func (e *OutageError) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *OutageError) Unwrap() error { return e.Err }

// outage is what a session knows of it.
type outage struct {
	Outage               // Err is nil while the server can be used
	next   time.Time     // when it is tried again
	fails  int           // in a row
	trial  chan struct{} // closed once the try under way has ended; nil while there is none
	ended  chan struct{} // closed once the server is back
	over   time.Time     // when the last one was
}

// Outage says whether the server cannot be used for now.
func (s *Session) Outage() (Outage, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.Outage, s.out.Err != nil
}

// usable gives an *OutageError while the server cannot be used. When its time has come a try begins, for which this
// waits a moment.
func (s *Session) usable(ctx context.Context) error {
	s.mu.Lock()
	if s.out.Err == nil {
		s.mu.Unlock()
		return nil
	}
	begun := s.out.trial == nil && !time.Now().Before(s.out.next)
	var trial chan struct{}
	if begun {
		trial = s.try()
	}
	s.mu.Unlock()
	if begun {
		select {
		case <-trial:
		case <-time.After(trialWait):
		case <-ctx.Done():
		}
	}
	if o, out := s.Outage(); out {
		return &OutageError{o}
	}
	return nil
}

// Retry tries a server that cannot be used now, and waits until it is known what came of it.
func (s *Session) Retry(ctx context.Context) {
	s.mu.Lock()
	if s.out.Err == nil {
		s.mu.Unlock()
		return
	}
	trial := s.try()
	s.mu.Unlock()
	select {
	case <-trial:
	case <-ctx.Done():
	}
}

// try begins a try, or gives the one under way. s.mu is held.
func (s *Session) try() chan struct{} {
	if s.out.trial == nil {
		s.out.trial = make(chan struct{})
		go s.trying(s.out.trial)
	}
	return s.out.trial
}

// trying connects and reads the mailboxes: a server may let people in and then fall silent. It ends within trialTime.
func (s *Session) trying(done chan struct{}) {
	defer close(done)
	ctx, cancel := context.WithTimeout(context.Background(), trialTime)
	defer cancel()
	s.dropFree()
	err := s.trial(ctx)
	var no *RefusedError
	if err == nil || errors.As(err, &no) {
		s.reached()
	} else {
		s.failed(err)
	}
	s.mu.Lock()
	s.out.trial = nil
	s.mu.Unlock()
}

func (s *Session) trial(ctx context.Context) error {
	if !s.work.try() {
		return ErrBusy // those who have the seats will find out
	}
	c, err := s.dial(ctx, nil)
	if err != nil {
		s.work.leave()
		return err
	}
	err = s.readTree(ctx, c)
	s.release(c)
	return err
}

// failed notes what a connection came to; what says nothing of the server is passed over.
func (s *Session) failed(err error) {
	var connect *ConnectError
	var sign *SignInError
	down := errors.As(err, &connect) && !errors.Is(err, context.Canceled) || errors.As(err, &sign) && sign.Temporary
	if crowded(err) {
		down = false
	}
	s.mu.Lock()
	if !down {
		s.out.next = time.Now().Add(trials[0])
		s.mu.Unlock()
		return
	}
	first := s.out.Err == nil
	if first && s.stands() && (connect == nil || connect.Kind != Timeout) {
		s.mu.Unlock()
		return
	}
	if first {
		s.out.ended = make(chan struct{})
		if time.Since(s.out.over) > relapse {
			s.out.Since, s.out.fails = time.Now(), 0
		}
	}
	s.out.Err = err
	s.out.next = time.Now().Add(trials[min(s.out.fails, len(trials)-1)])
	s.out.fails++
	second, w := s.out.fails == 2, s.watch // a server that restarts is back before
	s.mu.Unlock()
	if second && w != nil {
		s.tell(w, Event{Kind: EventLost})
	}
}

// stands says whether a connection is there that nobody uses now. s.mu is held.
func (s *Session) stands() bool {
	return slices.ContainsFunc(s.free, func(c *imapx.Conn) bool { return c.Err() == nil })
}

// reached notes that the server answers.
func (s *Session) reached() {
	s.heard()
	if w := s.watcher(); s.forgive() && w != nil {
		s.tell(w, Event{Kind: EventBack})
	}
}

// forgive counts the server as one that can be used; false where it is already.
func (s *Session) forgive() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.out.Err == nil {
		return false
	}
	s.out.Err, s.out.over = nil, time.Now()
	close(s.out.ended)
	return true
}

// back is closed once the server can be used; nil while it can.
func (s *Session) back() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.out.Err == nil {
		return nil
	}
	return s.out.ended
}

// Silent tells that somebody has waited for the server since a moment: where it has said nothing to anybody since then,
// it counts as one that cannot be used, and is tried at once: it may be slow.
func (s *Session) Silent(since time.Time) {
	if s.answered.Load() >= since.UnixNano() {
		return
	}
	if _, out := s.Outage(); out {
		return
	}
	s.failed(&ConnectError{Host: s.Host(), Kind: Timeout})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.try()
}

// heard notes that the server says something.
func (s *Session) heard() { s.answered.Store(time.Now().UnixNano()) }

// silence is how long the server must have said nothing before a command that ran out of time tells that it is away.
const silence = 8 * time.Second

// heardOf notes what a command came to that began at a moment.
func (s *Session) heardOf(began time.Time, err error) {
	var lost *ConnectError
	switch {
	case !errors.As(err, &lost) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded):
		s.reached()
	case lost != nil && lost.Kind == Timeout && errors.Is(err, context.DeadlineExceeded) && time.Since(began) > silence:
		s.Silent(began)
	}
}
