package handlers

import (
	"cmp"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"restante/internal/store"
	"restante/mailclient"
	"restante/templates"
)

// atOnce is how many mails an act may have to be done while a person waits; more are done in the background.
const atOnce = 500

// long says whether steps are for the background.
func long(steps []mailclient.Step) bool {
	total := 0
	for _, st := range steps {
		total += st.Size()
	}
	return total > atOnce
}

// startWork hands steps to the queue. The pages tell how far it is: nothing is to be said now.
func (s *Server) startWork(r *http.Request, p *person, steps []mailclient.Step, t telling) (flash, error) {
	words, err := json.Marshal(t)
	if err != nil {
		return flash{}, err
	}
	return flash{}, s.store.InTx(r.Context(), func(tx *sql.Tx) error {
		_, err := s.queue.AddWorkTx(r.Context(), tx, p.Account, steps, string(words), p.cred)
		return err
	})
}

// NotifyWork is told by the jobs when an act in the background has come on.
func (s *Server) NotifyWork(userID int64) { s.hub.tell(userID, "mail") }

// workBack are the steps that take work back.
func (s *Server) workBack(r *http.Request, p *person, id int64) (steps []mailclient.Step, err error) {
	batches, err := s.store.WorkBack(r.Context(), p.User.ID, id)
	for _, raw := range batches {
		var some []mailclient.Step
		if err := json.Unmarshal([]byte(raw), &some); err != nil {
			return nil, err
		}
		steps = append(steps, some...)
	}
	return steps, err
}

// stopWork ends an act in the background; what it has done can be undone.
func (s *Server) stopWork(w http.ResponseWriter, r *http.Request, p *person) error {
	id, err := idParam(r, "work")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	if err := s.store.StopWork(r.Context(), p.User.ID, id); err != nil && !errors.Is(err, store.ErrNotFound) { // it has ended by itself
		return err
	}
	return seeOther(w, r, r.PostFormValue("back"))
}

// tellWork puts an act in the background on a page: how far it is, or once, what came of it.
func (s *Server) tellWork(r *http.Request, p *person, f *templates.Frame) {
	if f.Flash != nil {
		return
	}
	work, err := s.store.NewestWork(r.Context(), p.User.ID)
	if err != nil {
		return // told in another tab meanwhile
	}
	var t telling
	if err := json.Unmarshal([]byte(work.Words), &t); err != nil {
		s.log.Error("work", "id", requestID(r), "err", err.Error())
		return
	}
	switch work.State {
	case store.WorkWaiting, store.WorkRunning, store.WorkStopping:
		f.Work = &templates.Work{ID: work.ID, Words: p.L.T("work.doing", "N", work.Total), Count: p.L.T("list.of", "At", p.L.Number(work.At), "Total", p.L.Number(work.Total)),
			At: work.At, Total: work.Total, URL: fmt.Sprintf("/work/%d", work.ID)}
		return
	}
	if r.Method != http.MethodGet || s.store.TellWork(r.Context(), p.User.ID, work.ID) != nil { // another tab has told it
		return
	}
	done := flash{Words: t.words(p, work.Done), Failed: work.State == store.WorkFailed}
	if work.Done < work.Total && work.State != store.WorkDone {
		done.Words += " " + p.L.T("work.ended."+cmp.Or(work.Problem, "stopped"), "N", work.Total-work.Done)
	}
	if back, err := s.store.WorkBack(r.Context(), p.User.ID, work.ID); err == nil && len(back) > 0 {
		done = flash{Words: done.Words, Failed: done.Failed, Undo: s.undoable(r, p, "work", done.Words, undoStep{Account: work.AccountID, Work: work.ID}).Undo}
	}
	f.Flash = done.shown()
}
