package mailclient

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"restante/mailclient/imapx"
	"restante/mailclient/wire"
)

// Session is an account's mail, shared by all of its tabs and devices. Its methods are safe for use by many
// goroutines; each waits for a free connection, at most until its context ends or 30 seconds. Errors are those of
// this package: *ConnectError, *SignInError, *RefusedError and the variables.
type Session struct {
	pool    *Pool
	host    *seats
	work    *seats // for connections that do not watch
	changes atomic.Uint64
	acted   atomic.Uint64
	asked   atomic.Int32 // requests of the person that are under way

	answered atomic.Int64 // when the server last said anything

	mu     sync.Mutex
	ep     Endpoint
	cred   Credentials
	used   time.Time
	bound  int // of connections, one of them to watch
	free   []*imapx.Conn
	closed bool
	wrong  wrong
	crowd  crowd
	anew   chan struct{} // closed and replaced when the credentials change
	tree   tree
	rows   rowCache
	places places
	order  dateOrder
	mixed  map[boxKey]map[uint32]time.Time // mailboxes whose UIDs are not in the order of their dates, with the dates asked for
	opened openCache
	found  finding
	watch  *watch
	out    outage
}

const waitTime = 30 * time.Second

// wrongTime is how long a refused password is not tried again but by SignIn: each try counts toward a lockout (C6).
const wrongTime = time.Minute

// wrong is the last refused sign-in.
type wrong struct {
	ep   Endpoint
	cred Credentials
	err  error
	at   time.Time
}

func (w *wrong) again(ep Endpoint, cred Credentials) error {
	if w.err == nil || w.ep != ep || w.cred != cred || time.Since(w.at) > wrongTime {
		return nil
	}
	return w.err
}

func (w *wrong) learn(ep Endpoint, cred Credentials, err error) {
	var sign *SignInError
	if errors.As(err, &sign) && !sign.Temporary {
		*w = wrong{ep, cred, err, time.Now()}
	}
}

func newSession(p *Pool, host *seats, ep Endpoint, cred Credentials) *Session {
	return &Session{pool: p, host: host, work: newSeats(p.limits.PerAccount - 1), bound: p.limits.PerAccount, ep: ep, cred: cred, used: time.Now(), anew: make(chan struct{})}
}

// Bound says how many connections the account may have from now on, 2 or more, one of them to watch.
func (s *Session) Bound(n int) {
	n = max(n, 2)
	s.mu.Lock()
	fewer, changed := n < s.bound, n != s.bound
	if changed {
		s.bound = n
		s.seat()
	}
	s.mu.Unlock()
	if fewer {
		s.dropFree()
	}
}

// seat gives out the seats for work that are there: as many as allowed, without what the server will not have.
func (s *Session) seat() { s.work.set(max(1, s.bound-1-s.crowd.withheld)) }

func (s *Session) renew(ep Endpoint, cred Credentials) {
	s.mu.Lock()
	s.used = time.Now()
	changed := s.ep != ep || s.cred != cred
	s.ep, s.cred = ep, cred
	var drop []*imapx.Conn
	if changed {
		drop, s.free = s.free, nil
		close(s.anew)
		s.anew = make(chan struct{})
	}
	s.mu.Unlock()
	if changed {
		s.forgive() // it is not known that this one cannot be used
	}
	s.logout(drop)
}

func (s *Session) forgotten(after time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Since(s.used) > after && len(s.free) == 0 && s.watch == nil
}

func (s *Session) closeIdle(after time.Duration) {
	s.mu.Lock()
	var drop []*imapx.Conn
	keep := s.free[:0]
	for _, c := range s.free {
		if c.Err() != nil || time.Since(c.Used()) > after {
			drop = append(drop, c)
		} else {
			keep = append(keep, c)
		}
	}
	s.free = keep
	s.opened.tidy()
	s.mu.Unlock()
	s.logout(drop)
}

func (s *Session) logout(conns []*imapx.Conn) {
	for _, c := range conns {
		go func() {
			c.Logout(context.Background())
			s.closedOne()
		}()
	}
}

// close logs everything out and waits for it, at most 3 s.
func (s *Session) close() {
	s.mu.Lock()
	s.closed = true
	drop := s.free
	s.free = nil
	w := s.watch
	s.watch = nil
	s.mu.Unlock()
	var wg sync.WaitGroup
	for _, c := range drop {
		wg.Go(func() {
			c.Logout(context.Background())
			s.closedOne()
		})
	}
	if w != nil {
		w.stop()
		wg.Go(func() { <-w.ended })
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(3 * time.Second):
	}
}

func (s *Session) closedOne() {
	s.host.leave()
	s.pool.global.leave()
}

// dial opens one more connection under the caps.
func (s *Session) dial(ctx context.Context, data func(imapx.Response)) (*imapx.Conn, error) {
	if err := s.enterHost(ctx); err != nil {
		return nil, err
	}
	if err := s.pool.global.take(ctx); err != nil {
		s.host.leave()
		return nil, ErrBusy
	}
	s.mu.Lock()
	ep, cred, closed, known := s.ep, s.cred, s.closed, s.wrong.again(s.ep, s.cred)
	s.mu.Unlock()
	if closed {
		s.closedOne()
		return nil, &ConnectError{Host: ep.Host, Kind: Lost, Text: "signed out"}
	}
	if known != nil {
		s.closedOne()
		return nil, known
	}
	c, err := dial(ctx, imapx.Options{
		Host: ep.Host, Port: ep.Port, Security: string(ep.Security), RootCAs: ep.RootCAs, Pin: ep.Pin, Dial: ep.Server().Via,
		Username: cred.Username, Password: cred.Password, Data: data, Heard: s.heard,
	}, cred.Tokens)
	if err != nil {
		s.closedOne()
		s.mu.Lock()
		s.wrong.learn(ep, cred, err)
		s.mu.Unlock()
		s.failed(err)
		return nil, err
	}
	return c, nil
}

// hostTime is how long a connection waits for room at its host.
const hostTime = 10 * time.Second

// enterHost waits for room at the host. *FullError: others have it all.
func (s *Session) enterHost(ctx context.Context) error {
	wait, cancel := context.WithTimeout(ctx, hostTime)
	defer cancel()
	if s.host.try() {
		return nil
	}
	s.pool.spare(s.host)
	if s.host.take(wait) == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ErrBusy
	}
	s.pool.mu.Lock()
	defer s.pool.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	return &FullError{Host: s.ep.Host, Most: s.pool.perHost}
}

// spare closes a connection to a host that its session does not need: it has another one, or more.
func (p *Pool) spare(host *seats) {
	p.mu.Lock()
	all := slices.Collect(maps.Values(p.sessions))
	p.mu.Unlock()
	for _, s := range all {
		if s.host == host && s.giveUp() {
			return
		}
	}
}

// giveUp closes one of the connections that nobody uses, unless it is the only one.
func (s *Session) giveUp() bool {
	s.mu.Lock()
	n := len(s.free)
	if n == 0 || n == 1 && s.work.idle() {
		s.mu.Unlock()
		return false
	}
	drop := s.free[0]
	s.free = slices.Delete(s.free, 0, 1)
	s.mu.Unlock()
	s.logout([]*imapx.Conn{drop})
	return true
}

// dial signs in with the password in o, or else with an access token.
func dial(ctx context.Context, o imapx.Options, tokens Tokens) (c *imapx.Conn, err error) {
	if tokens == nil {
		return imapx.Dial(ctx, o)
	}
	err = wire.WithToken(ctx, tokens, func(token string) (err error) {
		o.Token = token
		c, err = imapx.Dial(ctx, o)
		return err
	}, func(err error) bool {
		var no *SignInError
		return errors.As(err, &no) && !no.Temporary && no.Code != "CANNOT"
	})
	return c, err
}

// acquire gives a free connection, best one that has raw selected, or opens one. Where the server takes no more it
// waits for one that stands.
func (s *Session) acquire(ctx context.Context, raw string) (*imapx.Conn, error) {
	wait, cancel := context.WithTimeout(ctx, waitTime)
	defer cancel()
	s.widen()
	for {
		if err := s.usable(ctx); err != nil {
			return nil, err
		}
		if err := s.work.take(wait); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, ErrBusy
		}
		if c := s.takeFree(raw); c != nil {
			return c, nil
		}
		if isBehind(ctx) && !s.work.alone() { // what is done behind opens no connection beside those that work
			s.work.leave()
			select {
			case <-wait.Done():
				return nil, ErrBusy
			case <-time.After(passStep):
			}
			continue
		}
		c, err := s.dial(ctx, nil)
		if err == nil {
			return c, nil
		}
		if crowded(err) && s.narrow() {
			continue
		}
		s.work.leave()
		if !crowded(err) || !s.hush(wait) {
			if o, out := s.Outage(); out && ctx.Err() == nil {
				return nil, &OutageError{o}
			}
			return nil, err
		}
	}
}

func (s *Session) takeFree(raw string) *imapx.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	best := -1
	for i := len(s.free) - 1; i >= 0; i-- {
		c := s.free[i]
		if c.Err() != nil {
			s.free = append(s.free[:i], s.free[i+1:]...)
			go s.closedOne()
			best = -1
			i = len(s.free)
			continue
		}
		if b := boxOf(c); best < 0 || b != nil && b.raw == raw {
			best = i
		}
	}
	if best < 0 {
		return nil
	}
	c := s.free[best]
	s.free = append(s.free[:best], s.free[best+1:]...)
	return c
}

// dropFree closes the connections that nobody uses.
func (s *Session) dropFree() {
	s.mu.Lock()
	drop := s.free
	s.free = nil
	s.mu.Unlock()
	s.logout(drop)
}

func (s *Session) release(c *imapx.Conn) {
	s.mu.Lock()
	dead := c.Err() != nil || s.closed
	if !dead {
		s.free = append(s.free, c)
	}
	s.mu.Unlock()
	if dead {
		c.Close()
		s.closedOne()
	}
	s.work.leave()
}

// do runs f on a connection. What may be done twice is done once more when the connection was lost under it (C20).
func (s *Session) do(ctx context.Context, raw string, twice bool, f func(*imapx.Conn) error) error {
	if isBehind(ctx) {
		s.letPass(ctx)
	} else {
		s.asked.Add(1)
		defer s.asked.Add(-1)
	}
	for try := 0; ; try++ {
		c, err := s.acquire(ctx, raw)
		if err != nil {
			return err
		}
		if !twice && time.Since(c.Used()) > 30*time.Second {
			if s.ping(ctx, c) != nil { // it may have died while it was idle: better to know before than after
				s.release(c)
				continue
			}
		}
		if b := boxOf(c); b != nil && s.renewed(b) {
			c.Box = nil
		}
		began := time.Now()
		err = f(c)
		s.heardOf(began, err)
		var no *RefusedError
		if errors.As(err, &no) {
			c.Box = nil // Dovecot keeps a selection of a mailbox that is gone, and lets one of that name slip under it
		}
		s.release(c)
		var before *notBegun
		if lost(err) && (twice || errors.As(err, &before)) && try == 0 && ctx.Err() == nil {
			s.dropFree() // what ended one has likely ended the others, which do not know it yet
			continue
		}
		if lost(err) && try > 0 { // it lets people in, and is lost each time
			s.failed(err)
		}
		return err
	}
}

// renewed says whether a selected mailbox has another UIDVALIDITY in the tree: it was deleted and made anew.
func (s *Session) renewed(b *box) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.tree.boxes {
		if s.tree.raw[m.Name] == b.raw {
			return m.StatusKnown && m.UIDValidity != 0 && m.UIDValidity != b.validity
		}
	}
	return false
}

func (s *Session) ping(ctx context.Context, c *imapx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return c.Do(ctx, imapx.Cmd("NOOP"))
}

// lost says whether err is a connection that ended.
func lost(err error) bool {
	var e *ConnectError
	return errors.As(err, &e) && (e.Kind == Lost || e.Kind == Bye || e.Kind == Timeout)
}

// SignIn opens a connection now, so that what is wrong with address, server or password shows.
func (s *Session) SignIn(ctx context.Context) error {
	s.mu.Lock()
	s.wrong = wrong{}
	s.mu.Unlock()
	s.forgive() // it is tried now
	return s.do(ctx, "", true, func(*imapx.Conn) error { return nil })
}

// Capabilities are the server's, upper case.
func (s *Session) Capabilities(ctx context.Context) (map[string]bool, error) {
	var caps map[string]bool
	err := s.do(ctx, "", true, func(c *imapx.Conn) error { caps = c.Caps(); return nil })
	return caps, err
}
