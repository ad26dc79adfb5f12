package handlers

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"restante/internal/jobs"
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
	mail, err := p.Mail.Watch(r.Context())
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
	if err := write("hello", map[string]string{"version": s.version, "seen": strconv.FormatUint(p.Mail.Changes(), 10)}); err != nil {
		return nil // the page is gone
	}
	beat := time.NewTicker(25 * time.Second)
	defer beat.Stop()
	owed := func() { s.fileOwed(r.Context(), r, p, s.now().Add(-filingPause)) }
	owed()
	played := func() {
		b, err := s.store.Behind(r.Context(), p.User.ID, p.Account.ID)
		if _, out := p.Mail.Outage(); err != nil || out || b.Waiting == 0 {
			return
		}
		if s.play(r.Context(), p) == nil {
			s.hub.tell(p.User.ID, "mail")
		}
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
			s.pool.Session(jobs.SessionKey(p.Account.ID), p.Servers.IMAP, s.queue.Credentials(p.cred))
			owed()
			played()
			err = write("beat", map[string]int64{"t": time.Now().Unix()})
		case e := <-mail:
			if e.Kind == mailclient.EventBack {
				played()
			}
			if e.Kind == mailclient.EventChanged {
				p.Mail.Hear(e.Mailbox)
			}
			err = write("mail", map[string]any{"kind": e.Kind, "mailbox": e.Mailbox, "count": e.Count})
		case kind := <-own:
			if kind == "outbox" { // the conversation of what was sent waits for it
				p.Mail.LookOver(r.Context(), mailclient.RoleSent, mailclient.RoleDrafts)
			}
			err = write(kind, map[string]string{})
		}
		if err != nil {
			return nil
		}
	}
}
