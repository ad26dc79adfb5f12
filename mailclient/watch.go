package mailclient

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"restante/mailclient/imapx"
)

const (
	idleTime  = 4 * time.Minute // then the other mailboxes are looked at, and IDLE goes on (S14, S15)
	stormTime = 250 * time.Millisecond
)

var backoff = []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute}

// probeTime is how long a server that cannot be used is left alone at most while somebody watches: their page may be one
// that asks nothing.
var probeTime = 30 * time.Second

// watch is the one watching goroutine of a session and all who listen to it.
type watch struct {
	stop  context.CancelFunc
	ended chan struct{}

	mu        sync.Mutex
	listeners map[chan Event]bool
	idle      *time.Timer   // ends the watch when nobody has come for a while
	once      chan struct{} // closed when the connection in use has ended
	cut       context.CancelFunc
	shared    time.Time // until then there is no connection for the watch alone
	hears     bool      // a connection is open that is told of each change

	plain atomic.Bool // NOTIFY is of no use
}

// alone gives a context for one connection; false when there is to be none for now.
func (w *watch) alone(ctx context.Context) (context.Context, func(), bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Now().Before(w.shared) {
		return nil, nil, false
	}
	ctx, cut := context.WithCancel(ctx)
	gone := make(chan struct{})
	w.once, w.cut = gone, cut
	return ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		cut()
		close(gone)
		w.once, w.cut = nil, nil
	}, true
}

func (w *watch) hear(on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hears = on
}

func (w *watch) share() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shared = time.Now().Add(crowdTime)
}

// Watch tells what happens in INBOX, and in the other mailboxes at once too where the server has NOTIFY, else within
// minutes, until ctx ends. All watchers of a
// session share one connection. A listener that does not read loses events, and nobody waits for it.
func (s *Session) Watch(ctx context.Context) (<-chan Event, error) {
	ch := make(chan Event, 16)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, ErrGone
	}
	if s.watch == nil {
		wctx, stop := context.WithCancel(context.Background())
		s.watch = &watch{stop: stop, ended: make(chan struct{}), listeners: map[chan Event]bool{}}
		go s.watching(wctx, s.watch)
	}
	w := s.watch
	w.mu.Lock()
	w.listeners[ch] = true
	if w.idle != nil {
		w.idle.Stop()
	}
	w.mu.Unlock()
	s.mu.Unlock()
	context.AfterFunc(ctx, func() { s.unwatch(w, ch) })
	return ch, nil
}

func (s *Session) watcher() *watch {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watch
}

func (s *Session) unwatch(w *watch, ch chan Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.listeners, ch)
	if len(w.listeners) == 0 {
		w.idle = time.AfterFunc(s.pool.limits.Linger, func() { s.endWatch(w) })
	}
}

// endWatch stops a watch that nobody listens to any more.
func (s *Session) endWatch(w *watch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.listeners) > 0 {
		return
	}
	w.stop()
	if s.watch == w {
		s.watch = nil
	}
}

// Changes counts the events of this session so far: who has seen a list at one count has missed nothing while it stays.
func (s *Session) Changes() uint64 { return s.changes.Load() }

func (s *Session) tell(w *watch, e Event) {
	s.changes.Add(1)
	w.mu.Lock()
	defer w.mu.Unlock()
	for ch := range w.listeners {
		select {
		case ch <- e:
		default:
		}
	}
}

// watching keeps a connection that watches, and opens it again when it is lost.
func (s *Session) watching(ctx context.Context, w *watch) {
	defer close(w.ended)
	for fails := 0; ctx.Err() == nil; {
		began := time.Now()
		s.mu.Lock()
		anew := s.anew // of before the try: others may come while it is refused
		s.mu.Unlock()
		err := s.watchSome(ctx, w, func() {
			s.reached()
			fails = 0
		})
		if ctx.Err() != nil {
			return
		}
		var sign *SignInError
		switch {
		case err == nil:
			continue
		case crowded(err):
			w.share()
			continue
		case errors.As(err, &sign) && !sign.Temporary:
			s.tell(w, Event{Kind: EventSignIn})
			select { // until there are others: trying these again would lead to a lockout
			case <-ctx.Done():
			case <-anew:
			}
			continue
		}
		if time.Since(began) > time.Minute {
			fails = 0
		}
		wait := backoff[min(fails, len(backoff)-1)]
		if _, out := s.Outage(); out {
			wait = min(wait, probeTime)
		}
		fails++
		wait += time.Duration(rand.Int64N(int64(wait) / 4))
		select {
		case <-ctx.Done():
		case <-s.back():
		case <-time.After(wait):
		}
	}
}

// watchSome watches over a connection of its own until that ends, or else looks once over a shared one.
func (s *Session) watchSome(ctx context.Context, w *watch, connected func()) error {
	own, ended, alone := w.alone(ctx)
	if alone {
		defer ended()
		return s.watchOnce(own, w, connected)
	}
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(s.pool.limits.Poll):
	}
	return s.do(ctx, "", true, func(c *imapx.Conn) error { return s.lookAround(ctx, c, w, true) })
}

// watchOnce watches until the connection is lost or ctx ends.
func (s *Session) watchOnce(ctx context.Context, w *watch, connected func()) error {
	ctx, cut := context.WithCancel(ctx)
	defer cut()
	seen := make(chan imapx.Response, 256)
	data := func(r imapx.Response) {
		if overflows(r) && !w.plain.Swap(true) {
			cut() // another connection hears of INBOX
		}
		select {
		case seen <- r:
		default:
		}
	}
	c, err := s.dial(ctx, data)
	if err != nil {
		return err
	}
	defer s.closedOne()
	defer func() {
		if c.Err() == nil {
			c.Logout(context.WithoutCancel(ctx))
		}
		c.Close()
	}()
	cmd := imapx.Cmd("EXAMINE", "INBOX")
	if err := c.Do(ctx, append(introduce(c), cmd)...); err != nil {
		return err
	}
	connected()
	w.hear(true)
	defer w.hear(false)
	s.missed(w, cmd)
	done := make(chan struct{})
	defer func() { <-done }()
	told, stop := context.WithCancel(ctx)
	defer stop()
	go func(exists uint32) {
		defer close(done)
		s.tellOf(told, w, seen, exists)
	}(c.Exists())
	if err := s.notify(ctx, c, w); err != nil {
		return err
	}
	for ctx.Err() == nil {
		if c.Has("IDLE") {
			err = c.Idle(ctx, idleTime)
		} else {
			err = s.poll(ctx, c)
		}
		if err != nil {
			return err
		}
		if ctx.Err() == nil {
			if err := s.lookAround(ctx, c, w, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// missed tells of mail that came before the watch began, by what the tree says and what EXAMINE answers.
func (s *Session) missed(w *watch, examine *imapx.Command) {
	b := &box{}
	for _, r := range examine.Data {
		b.learn(r)
	}
	if m, ok := s.known("INBOX"); ok && m.StatusKnown && m.UIDValidity == b.validity && b.uidnext > m.UIDNext {
		s.stale()
		s.tell(w, Event{Kind: EventNew, Mailbox: m.Name, Count: int(b.uidnext - m.UIDNext)})
	}
}

func (s *Session) poll(ctx context.Context, c *imapx.Conn) error {
	for range max(1, int(idleTime/s.pool.limits.Poll)) {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(s.pool.limits.Poll):
		}
		if err := s.noop(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// noop lets the server say what is new; its words go the way of those that come in IDLE.
func (s *Session) noop(ctx context.Context, c *imapx.Conn) error {
	cmd := imapx.Cmd("NOOP")
	cmd.On = c.Unasked
	return c.Do(ctx, cmd)
}

// tellOf turns what the server says into events, those of a moment into one.
func (s *Session) tellOf(ctx context.Context, w *watch, seen <-chan imapx.Response, exists uint32) {
	for {
		var first imapx.Response
		select {
		case <-ctx.Done():
			return
		case first = <-seen:
		}
		fresh, changed := 0, false
		var others []string
		note := func(r imapx.Response) {
			switch r.Type {
			case "EXISTS":
				if r.Number > exists {
					fresh += int(r.Number - exists)
				}
				exists = r.Number
			case "EXPUNGE":
				if exists > 0 {
					exists--
				}
				changed = true
			case "FETCH", "VANISHED":
				changed = true
			case "STATUS":
				if name := s.heardStatus(r); name != "" && !slices.Contains(others, name) {
					others = append(others, name)
				}
			}
		}
		note(first)
		timer := time.NewTimer(stormTime)
	gather:
		for {
			select {
			case r := <-seen:
				note(r)
			case <-timer.C:
				break gather
			case <-ctx.Done():
				return
			}
		}
		for _, name := range others {
			s.tell(w, Event{Kind: EventChanged, Mailbox: name})
		}
		if fresh == 0 && !changed {
			continue
		}
		s.stale()
		if fresh > 0 {
			s.tell(w, Event{Kind: EventNew, Mailbox: "INBOX", Count: fresh})
		} else {
			s.tell(w, Event{Kind: EventChanged, Mailbox: "INBOX"})
		}
	}
}

// lookAround reads the tree and tells of mailboxes whose numbers have changed, of INBOX only when inbox is set.
func (s *Session) lookAround(ctx context.Context, c *imapx.Conn, w *watch, inbox bool) error {
	s.mu.Lock()
	before := s.tree.boxes
	s.mu.Unlock()
	if err := s.readTree(ctx, c); err != nil {
		return err
	}
	s.mu.Lock()
	after := s.tree.boxes
	s.mu.Unlock()
	old := map[string]Mailbox{}
	for _, m := range before {
		old[m.Name] = m
	}
	for _, m := range after {
		o, known := old[m.Name]
		switch {
		case !known || m.Role == RoleInbox && !inbox:
		case m.Role == RoleInbox && m.UIDValidity == o.UIDValidity && m.UIDNext > o.UIDNext && o.StatusKnown:
			s.tell(w, Event{Kind: EventNew, Mailbox: m.Name, Count: int(m.UIDNext - o.UIDNext)})
		case o.Messages != m.Messages || o.Unseen != m.Unseen || o.UIDNext != m.UIDNext:
			s.tell(w, Event{Kind: EventChanged, Mailbox: m.Name})
		}
	}
	return nil
}
