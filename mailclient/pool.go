package mailclient

import (
	"context"
	"sync"
	"time"

	"restante/mailclient/imapx"
)

// Limits bound how many connections are open at once. Zero values mean the defaults.
type Limits struct {
	PerAccount int           // 3, one of them to watch; a session may have another bound
	PerHost    int           // 200; SetPerHost changes it
	Global     int           // 2000
	Idle       time.Duration // 2 minutes: an unused connection is closed after it
	Linger     time.Duration // 1 minute: a watch that nobody listens to ends after it; a page that follows another takes it over
	Poll       time.Duration // 1 minute: how often a server without IDLE is asked for news
}

// Pool holds the sessions of all accounts. It is safe for use by many goroutines.
type Pool struct {
	limits Limits
	global *seats
	stop   context.CancelFunc
	ended  chan struct{}

	mu       sync.Mutex
	sessions map[string]*Session
	hosts    map[string]*seats
	perHost  int
}

// NewPool makes a pool; Close ends it.
func NewPool(l Limits) *Pool {
	if l.PerAccount < 2 {
		l.PerAccount = 3
	}
	if l.PerHost == 0 {
		l.PerHost = 200
	}
	if l.Global == 0 {
		l.Global = 2000
	}
	if l.Idle == 0 {
		l.Idle = 2 * time.Minute
	}
	if l.Linger == 0 {
		l.Linger = time.Minute
	}
	if l.Poll == 0 {
		l.Poll = time.Minute
	}
	ctx, stop := context.WithCancel(context.Background())
	p := &Pool{
		limits: l, global: newSeats(l.Global), stop: stop, ended: make(chan struct{}),
		sessions: map[string]*Session{}, hosts: map[string]*seats{}, perHost: l.PerHost,
	}
	go p.tidy(ctx)
	return p
}

// Session is the one session of an account, made at the first call. Other credentials replace the ones it had.
// It opens no connection.
func (p *Pool) Session(key string, ep Endpoint, cred Credentials) *Session {
	p.mu.Lock()
	s := p.sessions[key]
	if s == nil {
		host := p.hosts[ep.Host]
		if host == nil {
			host = newSeats(p.perHost)
			p.hosts[ep.Host] = host
		}
		s = newSession(p, host, ep, cred)
		p.sessions[key] = s
	}
	p.mu.Unlock()
	s.renew(ep, cred)
	return s
}

// SetPerHost says how many connections a host takes from now on. Those that stand beyond it stay until they end.
func (p *Pool) SetPerHost(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.perHost = n
	for _, host := range p.hosts {
		host.set(n)
	}
}

// Rename gives the session of one key to another, with its connections: a sign-in tries before it knows whose account
// it is. A session that the new key has already stays, and takes over the connections.
func (p *Pool) Rename(from, to string) {
	p.mu.Lock()
	s, old := p.sessions[from], p.sessions[to]
	delete(p.sessions, from)
	if s != nil && old == nil {
		p.sessions[to] = s
	}
	p.mu.Unlock()
	if s == nil || old == nil {
		return
	}
	s.mu.Lock()
	ep, cred := s.ep, s.cred
	s.mu.Unlock()
	old.renew(ep, cred)
	if c := s.takeFree(""); c != nil && (s.host != old.host || !old.adopt(c)) {
		s.logout([]*imapx.Conn{c})
	}
	go s.close()
}

// adopt takes a connection over that another session of the same account and host opened, if there is room for it.
func (s *Session) adopt(c *imapx.Conn) bool {
	if !s.work.try() {
		return false
	}
	defer s.work.leave()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.free) > 0 || c.Err() != nil {
		return false
	}
	s.free = append(s.free, c)
	return true
}

// Drop forgets a session and logs its connections out.
func (p *Pool) Drop(key string) {
	p.mu.Lock()
	s := p.sessions[key]
	delete(p.sessions, key)
	p.mu.Unlock()
	if s != nil {
		s.close()
	}
}

// Close logs out every connection, within 3 seconds.
func (p *Pool) Close() {
	p.stop()
	<-p.ended
	p.mu.Lock()
	all := p.sessions
	p.sessions = map[string]*Session{}
	p.mu.Unlock()
	var wg sync.WaitGroup
	for _, s := range all {
		wg.Go(s.close)
	}
	wg.Wait()
}

// tidy closes unused connections and forgets sessions that nobody asked for in an hour.
func (p *Pool) tidy(ctx context.Context) {
	defer close(p.ended)
	t := time.NewTicker(max(p.limits.Idle/4, 10*time.Millisecond))
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		p.mu.Lock()
		all := make([]*Session, 0, len(p.sessions))
		for key, s := range p.sessions {
			if s.forgotten(time.Hour) {
				delete(p.sessions, key)
			}
			all = append(all, s)
		}
		p.mu.Unlock()
		for _, s := range all {
			s.closeIdle(p.limits.Idle)
		}
	}
}
