package handlers

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"restante/internal/jobs"
	"restante/internal/store"
	"restante/mailclient"
)

// hub tells the open pages of a person what has happened.
type hub struct {
	mu     sync.Mutex
	tabs   map[int64]map[chan string]bool
	ending chan struct{}
	once   sync.Once
}

func newHub() *hub { return &hub{tabs: map[int64]map[chan string]bool{}, ending: make(chan struct{})} }

// tell sends a word to all pages of a person; one that does not listen misses it.
func (h *hub) tell(userID int64, kind string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for ch := range h.tabs[userID] {
		select {
		case ch <- kind:
		default:
		}
	}
}

func (h *hub) close() { h.once.Do(func() { close(h.ending) }) }

const maxTabs = 20 // streams of one person

func (h *hub) join(userID int64) (ch chan string, leave func(), ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.tabs[userID] == nil {
		h.tabs[userID] = map[chan string]bool{}
	}
	if len(h.tabs[userID]) >= maxTabs {
		return nil, nil, false
	}
	ch = make(chan string, 16)
	h.tabs[userID][ch] = true
	return ch, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if delete(h.tabs[userID], ch); len(h.tabs[userID]) == 0 {
			delete(h.tabs, userID)
		}
	}, true
}

// news is an event in one of a person's accounts.
type news struct {
	mailclient.Event
	of *person
}

// watchAll tells what happens in accounts until ctx ends: one watcher each, whatever many pages listen.
func watchAll(ctx context.Context, all []*person) (<-chan news, error) {
	out := make(chan news, 16)
	for _, there := range all {
		mail, err := there.Mail.Watch(ctx)
		if err != nil {
			return nil, err
		}
		go func() {
			for {
				select {
				case <-ctx.Done():
					return
				case e := <-mail:
					select {
					case <-ctx.Done():
						return
					case out <- news{e, there}:
					}
				}
			}
		}()
	}
	return out, nil
}

// sameAccess says whether an account is signed in to as another.
func sameAccess(x, y store.Account) bool {
	return x.ID == y.ID && x.Servers == y.Servers && bytes.Equal(x.Cred, y.Cred)
}

// events is the stream of what happens: mail, outbox, import, session, server. Each has a JSON object as its data.
func (s *Server) events(w http.ResponseWriter, r *http.Request, p *person) error {
	if r.Method == http.MethodHead {
		return nil
	}
	own, leave, ok := s.hub.join(p.User.ID)
	if !ok {
		return &Problem{Status: http.StatusTooManyRequests, Key: "error.busy"}
	}
	defer leave()
	all := s.everywhere(p)
	mail, err := watchAll(r.Context(), all)
	if err != nil {
		return err
	}
	rc := http.NewResponseController(w)
	write := func(event string, data any) error {
		raw, err := json.Marshal(data)
		if err != nil {
			return err
		}
		_ = rc.SetWriteDeadline(time.Now().Add(30 * time.Second))
		if _, err := fmt.Fprintf(w, "event: %s\ndata: %s\n\n", event, raw); err != nil {
			return err
		}
		return rc.Flush()
	}
	if err := write("hello", map[string]string{"version": s.version, "seen": strconv.FormatUint(changesIn(all), 10)}); err != nil {
		return nil // the page is gone
	}
	beat := time.NewTicker(25 * time.Second)
	defer beat.Stop()
	owed := func() { s.fileOwed(r.Context(), r, p, s.now().Add(-filingPause)) }
	owed()
	var plays sync.WaitGroup
	defer plays.Wait()
	var playing sync.Map // accounts whose acts are being played: no slow one holds up the news of the others
	played := func(there *person) {
		if _, on := playing.LoadOrStore(there.Account.ID, true); on {
			return
		}
		plays.Go(func() {
			defer playing.Delete(there.Account.ID)
			b, err := s.store.Behind(r.Context(), p.User.ID, there.Account.ID)
			if _, out := there.Mail.Outage(); err != nil || out || b.Waiting == 0 {
				return
			}
			if s.play(r.Context(), there) == nil {
				s.hub.tell(p.User.ID, "mail")
			}
		})
	}
	for {
		var err error
		select {
		case <-r.Context().Done():
			return nil
		case <-s.hub.ending:
			return nil
		case <-beat.C:
			alive, e := s.store.SessionAlive(r.Context(), p.Hash)
			if e == nil && !alive {
				_ = write("session", map[string]bool{"ended": true})
				return nil
			}
			if now, e := s.store.Accounts(r.Context(), p.User.ID); e == nil && !slices.EqualFunc(now, p.Accounts, sameAccess) { // as for "accounts", at another node
				return nil
			}
			for _, there := range all {
				s.pool.Session(jobs.SessionKey(there.Account.ID), there.Servers.IMAP, s.queue.Credentials(there.cred))
				played(there)
			}
			owed()
			err = write("beat", map[string]int64{"t": time.Now().Unix()})
		case e := <-mail:
			if e.Kind == mailclient.EventBack {
				played(e.of)
			}
			if e.Kind == mailclient.EventChanged {
				e.of.Mail.Hear(e.Mailbox)
			}
			err = write("mail", map[string]any{"kind": e.Kind, "mailbox": e.Mailbox, "count": e.Count, "account": e.of.Account.ID})
		case kind := <-own:
			if kind == "accounts" { // they are others now: the page comes again at once
				return nil
			}
			for _, there := range all {
				if kind == "outbox" { // the conversation of what was sent waits for it
					there.Mail.LookOver(r.Context(), mailclient.RoleSent, mailclient.RoleDrafts)
				}
			}
			err = write(kind, map[string]string{})
		}
		if err != nil {
			return nil
		}
	}
}
