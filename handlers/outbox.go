package handlers

import (
	"database/sql"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"restante/internal/jobs"
	"restante/internal/store"
	"restante/mailclient"
	"restante/templates"
)

// outbox lists what was accepted and is not proven sent.
func (s *Server) outbox(w http.ResponseWriter, r *http.Request, p *person) error {
	items, err := s.store.Outbox(r.Context(), p.User.ID)
	if err != nil {
		return err
	}
	frame, _ := s.frame(r, p, "outbox", p.L.T("nav.outbox"), "")
	page := templates.Outbox{Frame: frame}
	for _, it := range items {
		page.Items = append(page.Items, s.outboxItem(p, it))
	}
	return s.ok(w, r, page)
}

// outboxActs are the buttons of each state; the first is the filled one.
var outboxActs = map[store.OutboxState][]string{
	store.Held: {"undo", "sendnow"}, store.Waiting: {"retry", "edit", "discard"}, store.Rejected: {"edit", "retry", "discard"},
	store.SignIn: {"retry", "edit", "discard"}, store.BadFrom: {"edit", "discard"}, store.TooBig: {"edit", "discard"},
	store.Config: {"edit", "retry", "discard"}, store.Uncertain: {"arrived", "again", "edit"}, store.Partly: {"arrived", "edit"},
}

func (s *Server) outboxItem(p *person, it store.OutboxItem) templates.OutboxItem {
	subject, to := subjectOf(p, it.Subject), strings.Join(it.Recipients, ", ")
	v := templates.OutboxItem{
		ID: it.ID, State: string(it.State), Subject: subject, To: to, ServerSaid: it.ServerText, AskPassword: it.State == store.SignIn,
		Failed: slices.Contains([]store.OutboxState{store.Rejected, store.SignIn, store.BadFrom, store.TooBig, store.Config, store.Uncertain}, it.State),
	}
	v.Label = p.L.T("outbox.item", "State", p.L.T("outbox.state."+string(it.State)), "Subject", subject, "To", to)
	v.Words = s.outboxWords(p, it)
	for addr, words := range it.Results {
		v.Refused = append(v.Refused, addr+": "+words)
	}
	slices.Sort(v.Refused)
	acts := outboxActs[it.State]
	if it.State == store.Rejected && len(others(it)) > 0 && len(it.Results) > 0 {
		acts = []string{"edit", "rest", "retry", "discard"}
	}
	for i, name := range acts {
		v.Acts = append(v.Acts, templates.OutboxAct{Name: name, Words: p.L.T("outbox.act." + name), Filled: i == 0})
	}
	return v
}

func (s *Server) outboxWords(p *person, it store.OutboxItem) string {
	clock := func() string { return it.NextAt.In(p.Zone).Format("15:04") }
	switch it.State {
	case store.Held:
		return p.L.T("outbox.words.held", "Time", it.DueAt.In(p.Zone).Format("15:04:05"))
	case store.Waiting:
		if it.ServerText != "" && it.Problem != "unreachable" {
			return p.L.T("outbox.words.later", "Time", clock())
		}
		return p.L.T("outbox.words.waiting", "Time", clock())
	case store.Connecting, store.Data, store.Dot:
		return p.L.T("outbox.words.sending")
	case store.Accepted:
		if it.Problem == "unfiled" {
			return p.L.T("outbox.words.notfiled")
		}
		return p.L.T("outbox.words.accepted")
	case store.BadFrom:
		return p.L.T("outbox.words.identity", "From", it.From)
	case store.TooBig:
		if limit := s.sendLimit(p); limit > 0 {
			return p.L.T("outbox.words.toobig", "Limit", p.L.Size(limit))
		}
		return p.L.T("outbox.words.toobig.unknown")
	case store.Config:
		if key, ok := connectKeys[mailclient.ConnectKind(it.Problem)]; ok {
			return p.L.T(key, "Host", it.Server)
		}
	case store.Rejected:
		if len(it.Results) > 0 {
			return p.L.T("outbox.words.recipient")
		}
	}
	return p.L.T("outbox.words." + string(it.State))
}

// others are the recipients that the server did not refuse.
func others(it store.OutboxItem) (out []string) {
	for _, r := range it.Recipients {
		if _, refused := it.Results[r]; !refused {
			out = append(out, r)
		}
	}
	return out
}

// actOnOutbox does what the person decides about an item.
func (s *Server) actOnOutbox(w http.ResponseWriter, r *http.Request, p *person) error {
	id, err := strconv.ParseInt(chi.URLParam(r, "id"), 10, 64)
	if err != nil {
		return errNothingHere
	}
	if err := parseForm(r); err != nil {
		return err
	}
	if _, err := s.store.OutboxItem(r.Context(), p.User.ID, id); err != nil {
		return err
	}
	action := r.FormValue("action")
	switch action {
	case "undo", "edit":
		draft, err := s.store.UndoOutbox(r.Context(), p.User.ID, id)
		if errors.Is(err, store.ErrNotFound) {
			s.putFlash(r, flash{Words: p.L.T("outbox.undolate"), Failed: true})
			return seeOther(w, r, "/outbox")
		}
		if err != nil {
			return err
		}
		s.putFlash(r, flash{Words: p.L.T("outbox.undone")})
		s.hub.tell(p.User.ID, "outbox")
		return seeOther(w, r, "/compose/"+draft)
	case "retry", "again", "sendnow":
		return s.retryOutbox(w, r, p, id, nil)
	case "rest":
		item, err := s.store.OutboxItem(r.Context(), p.User.ID, id)
		if err != nil {
			return err
		}
		return s.retryOutbox(w, r, p, id, others(item))
	case "arrived", "discard":
		state, words := store.Sent, "outbox.settled"
		if action == "discard" {
			state, words = store.Undone, "outbox.discarded"
		}
		if err := s.store.SettleOutbox(r.Context(), p.User.ID, id, state); err != nil {
			return err
		}
		s.putFlash(r, flash{Words: p.L.T(words)})
		s.hub.tell(p.User.ID, "outbox")
		return seeOther(w, r, "/outbox")
	}
	return badRequest("error.act")
}

// retryOutbox makes an item due now, with the password of this session or the one just typed.
// only, when it is not empty, are the recipients that are left.
func (s *Server) retryOutbox(w http.ResponseWriter, r *http.Request, p *person, id int64, only []string) error {
	cred := p.cred
	if pw := r.PostFormValue("password"); pw != "" && len(pw) <= 1024 {
		cred = jobs.Credential{Username: p.cred.Username, Password: pw}
	}
	now := s.now()
	err := s.store.InTx(r.Context(), func(tx *sql.Tx) error {
		if len(only) > 0 {
			if err := s.store.SetRecipientsTx(r.Context(), tx, p.User.ID, id, only); err != nil {
				return err
			}
		}
		if err := s.store.RetryOutboxTx(r.Context(), tx, p.User.ID, id, s.queue.SealCredential(p.User.ID, id, cred)); err != nil {
			return err
		}
		_, err := s.queue.SendTx(r.Context(), tx, id, now)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		s.putFlash(r, flash{Words: p.L.T("outbox.undolate"), Failed: true})
		return seeOther(w, r, "/outbox")
	}
	if err != nil {
		return err
	}
	s.queue.Wake(id, now)
	s.putFlash(r, flash{Words: p.L.T("outbox.retrying")})
	return seeOther(w, r, "/outbox")
}
