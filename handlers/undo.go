package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"restante/internal/index"
	"restante/mailclient"
)

// undoStep is how an act is taken back: kept in the store as JSON.
type undoStep struct {
	Steps   []mailclient.Step `json:"steps,omitempty"`
	Work    int64             `json:"work,omitempty"`  // an act that ran in the background
	Draft   string            `json:"draft,omitempty"` // one that was thrown away
	Folder  *undoFolder       `json:"folder,omitempty"`
	Account int64             `json:"account"`
	Also    []undoStep        `json:"also,omitempty"` // of the same act, in other accounts

	Waiting []int64 `json:"waiting,omitempty"` // acts that wait for the mail server

	Contacts *undoContacts `json:"contacts,omitempty"`
}

type undoFolder struct{ From, To string } // its name before, and now

// undoable remembers how to take an act back. A failure to remember takes away only the Undo.
func (s *Server) undoable(r *http.Request, p *person, kind, words string, u undoStep) flash {
	raw, err := json.Marshal(u)
	if err != nil {
		return flash{Words: words}
	}
	id, err := s.store.AddAct(r.Context(), p.User.ID, kind, string(raw))
	if err != nil {
		s.log.Warn("undo not kept", "id", requestID(r), "err", err)
	}
	return flash{Words: words, Undo: id}
}

// undo takes an act back, once.
func (s *Server) undo(w http.ResponseWriter, r *http.Request, p *person) error {
	id, err := idParam(r, "act")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	act, err := s.store.TakeAct(r.Context(), p.User.ID, id)
	if err != nil {
		if own, _ := s.store.HasAct(r.Context(), p.User.ID, id); !own {
			return errNothingHere
		}
		s.putFlash(r, flash{Words: p.L.T("undo.late"), Failed: true})
		return seeOther(w, r, r.PostFormValue("back"))
	}
	var u undoStep
	if err := json.Unmarshal([]byte(act.Undo), &u); err != nil {
		return err
	}
	done, err := s.takeBack(r, p, u)
	if err != nil {
		pr := problemOf(err)
		s.logProblem(r, pr)
		done = flash{Words: p.L.T("undo.failed") + " " + p.L.T(pr.Key, pr.Args...), Failed: true}
	}
	s.putFlash(r, done)
	s.hub.tell(p.User.ID, "mail")
	if u.Draft != "" && err == nil {
		return seeOther(w, r, "/compose/"+u.Draft)
	}
	back := r.PostFormValue("back")
	if u.Contacts != nil && len(u.Contacts.Remove) > 0 && strings.HasPrefix(back, "/contacts/") { // who stood there has gone
		back = "/contacts"
	}
	return seeOther(w, r, back)
}

func (s *Server) takeBack(r *http.Request, p *person, u undoStep) (done flash, err error) {
	done = flash{Words: p.L.T("undo.done")}
	for _, other := range u.Also {
		if back, err := s.takeBack(r, p, other); err != nil || back.Failed {
			return back, err
		} else if len(other.Waiting)+len(other.Steps) > 0 && len(back.Words) > len(done.Words) {
			done = back
		}
	}
	if u.Account != 0 {
		if p, err = s.as(p, u.Account); errors.Is(err, errNothingHere) { // the account is gone
			return flash{Words: p.L.T("undo.late"), Failed: true}, nil
		} else if err != nil {
			return done, err
		}
	}
	if u.Work != 0 {
		if u.Steps, err = s.workBack(r, p, u.Work); err != nil {
			return done, err
		}
	}
	if len(u.Waiting) > 0 {
		all, err := s.unwaited(r.Context(), p, u.Waiting)
		if err != nil || !all {
			return flash{Words: p.L.T("undo.late"), Failed: true}, err
		}
	}
	switch {
	case len(u.Waiting) > 0 && len(u.Steps) == 0:
	case len(u.Steps) > 0:
		if long(u.Steps) {
			return s.startWork(r, p, u.Steps, telling{Key: "done.undone"})
		}
		ctx, cancel := context.WithTimeout(r.Context(), actTime)
		defer cancel()
		for _, st := range u.Steps {
			_, err := p.Mail.Run(ctx, st)
			if index.Away(err) && len(st.Ref.UIDs) > 0 {
				_, err = s.wait(ctx, p, st, telling{Key: "done.undone"})
				done.Words = p.L.T("undo.done") + " " + p.L.T("wait.later")
			}
			if err != nil {
				return done, unknownOutcome(err)
			}
		}
	case u.Draft != "":
		err = s.reopenDraft(r, p, u.Draft)
	case u.Contacts != nil:
		err = s.contactsBack(r, p, u.Contacts)
	case u.Folder != nil:
		err = p.Mail.RenameMailbox(r.Context(), u.Folder.To, u.Folder.From)
	default:
		done = flash{Words: p.L.T("undo.late"), Failed: true}
	}
	return done, err
}
