package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"restante/internal/index"
	"restante/internal/store"
	"restante/mailclient"
	"restante/templates"
)

const (
	playLease = time.Minute      // for one act that waited
	playTime  = 10 * time.Second // that a page waits for all of them
)

// waitingAct is an act that waits for the mail server, how lists are to be as they were before it, and by how many mails
// more are unread for it in which mailboxes. Of a move, what was known of where it goes to.
type waitingAct struct {
	Step     mailclient.Step `json:"step"`
	Back     mailclient.Step `json:"back"`
	Unread   map[string]int  `json:"unread,omitempty"`
	Validity uint32          `json:"validity,omitempty"`
	UIDNext  uint32          `json:"uidnext,omitempty"`
}

// wait has a step wait until the mail server can be used; lists show it at once. It gives the id that takes it back.
func (s *Server) wait(ctx context.Context, p *person, st mailclient.Step, t telling) (int64, error) {
	words, err := json.Marshal(t)
	if err != nil {
		return 0, err
	}
	a := waitingAct{Step: st}
	a.Back, a.Unread = p.Mail.Pretend(ctx, st)
	if st.Kind == mailclient.ActMove {
		boxes, _ := p.Mail.Mailboxes(ctx) // which tells no more than what is known
		for _, b := range boxes {
			if b.Name == st.To && b.StatusKnown {
				a.Validity, a.UIDNext = b.UIDValidity, b.UIDNext
			}
		}
	}
	act, err := json.Marshal(a)
	if err != nil {
		return 0, err
	}
	id, err := s.store.AddWaiting(ctx, store.WaitingAct{UserID: p.User.ID, AccountID: p.Account.ID, Act: string(act), Words: string(words)})
	if err != nil {
		s.unwait(ctx, p, string(act))
	}
	p.ahead = nil // what is told behind the page is another by now
	if errors.Is(err, store.ErrTooManyWaiting) {
		return 0, wrap(err, http.StatusServiceUnavailable, "wait.toomany", "Limit", store.MaxWaiting)
	}
	return id, err
}

// maxWaitingMails is how many mails an act may be about that waits here. A larger one is the queue's.
const maxWaitingMails = 2000

// canWait says whether steps wait for a mail server that cannot be used.
func canWait(p *person, steps []mailclient.Step) bool {
	total := 0
	for _, st := range steps {
		total += st.Size()
	}
	_, out := p.Mail.Outage()
	return out && total <= maxWaitingMails
}

// mailboxes are the account's, with so many mails unread as there are to be once what waits has been done.
func (s *Server) mailboxes(ctx context.Context, p *person) ([]mailclient.Mailbox, error) {
	boxes, err := p.Mail.Mailboxes(ctx)
	if err != nil {
		return nil, err
	}
	if b := s.behind(ctx, p); b.err != nil || b.Waiting == 0 {
		return boxes, nil
	}
	acts, err := s.store.Waiting(ctx, p.User.ID, p.Account.ID)
	if err != nil {
		return nil, err
	}
	more := map[string]int{}
	for _, w := range acts {
		var act struct{ Unread map[string]int }
		if json.Unmarshal([]byte(w.Act), &act) == nil {
			for name, n := range act.Unread {
				more[name] += n
			}
		}
	}
	boxes = slices.Clone(boxes)
	for i := range boxes {
		boxes[i].Unseen = uint32(max(0, int(boxes[i].Unseen)+more[boxes[i].Name]))
	}
	return boxes, nil
}

// unwait has lists show mails as they were before an act that waits no more.
func (s *Server) unwait(ctx context.Context, p *person, act string) {
	var w waitingAct
	if json.Unmarshal([]byte(act), &w) == nil {
		p.Mail.Recall(ctx, w.Back)
	}
}

// unwaited takes acts out of those that wait, the last one first. False: one of them waits no more.
func (s *Server) unwaited(ctx context.Context, p *person, ids []int64) (all bool, err error) {
	all = true
	for i := len(ids) - 1; i >= 0; i-- {
		w, err := s.store.DropWaiting(ctx, p.User.ID, ids[i])
		if errors.Is(err, store.ErrNotFound) {
			all = false
			continue
		}
		if err != nil {
			return false, err
		}
		s.unwait(ctx, p, w.Act)
	}
	return all, nil
}

// playNow does what waits, as far as it gets while a person waits: once the mail server can be used, and before
// anything else is asked of it.
func (s *Server) playNow(r *http.Request, p *person) {
	if b := s.behind(r.Context(), p); b.err != nil || b.Waiting == 0 {
		return
	}
	if _, out := p.Mail.Outage(); out {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), playTime)
	defer cancel()
	if err := s.play(ctx, p); err != nil && !index.Away(err) {
		s.logProblem(r, problemOf(err))
	}
	p.ahead = nil
}

// play does what waits, in its order. It ends at the first act that must wait on.
func (s *Server) play(ctx context.Context, p *person) error {
	for {
		w, err := s.store.TakeWaiting(ctx, p.User.ID, p.Account.ID, playLease)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		var act waitingAct
		if err := json.Unmarshal([]byte(w.Act), &act); err != nil {
			return errors.Join(err, s.store.EndWaiting(ctx, w.ID, "error.500", 0))
		}
		missed, err := playStep(ctx, p, act)
		after := context.WithoutCancel(ctx) // what was done is noted
		if waitsOn(err) {
			return errors.Join(err, s.store.LeaveWaiting(after, w.ID))
		}
		problem := ""
		switch {
		case err != nil: // lists show what the server has
			problem = problemOf(err).Key
			p.Mail.Recall(after, act.Back)
		case missed > 0:
			problem = "error.gone"
		}
		if err := s.store.EndWaiting(after, w.ID, problem, missed); err != nil {
			return err
		}
		p.Mail.Settled(after, act.Step)
	}
}

// playStep does a step that waited. missed are its mails to which it was not done.
func playStep(ctx context.Context, p *person, act waitingAct) (missed int, err error) {
	st := act.Step
	all := len(st.Ref.UIDs)
	there, err := p.Mail.FreshFlags(ctx, st.Ref.Mailbox, st.Ref.UIDValidity, st.Ref.UIDs)
	if err != nil {
		return all, err
	}
	gone := st.Ref
	gone.UIDs = nil
	uids := st.Ref.UIDs
	st.Ref.UIDs = nil
	for _, uid := range uids {
		if fl, ok := there[uid]; ok && (!fl.Deleted || st.Kind == mailclient.ActExpunge) {
			st.Ref.UIDs = append(st.Ref.UIDs, uid)
		} else {
			gone.UIDs = append(gone.UIDs, uid)
		}
	}
	if missed, err = unmoved(ctx, p, act, gone); err != nil || len(st.Ref.UIDs) == 0 {
		return missed, err
	}
	res, err := p.Mail.Run(ctx, st)
	if err != nil {
		missed += len(st.Ref.UIDs) - res.Done
	}
	return missed, err
}

// unmoved are how many of the mails that are gone are not where an act would have them: it may have been done, and the
// answer lost.
func unmoved(ctx context.Context, p *person, act waitingAct, gone mailclient.Ref) (n int, err error) {
	n = len(gone.UIDs)
	switch {
	case act.Step.Kind == mailclient.ActExpunge:
		return 0, nil
	case n == 0 || act.UIDNext == 0:
		return n, nil
	}
	ids := p.Mail.HeldIDs(ctx, gone)
	if len(ids) == 0 {
		return n, nil
	}
	arrived, err := p.Mail.Arrived(ctx, act.Step.To, act.Validity, act.UIDNext)
	if waitsOn(err) {
		return n, err
	}
	for _, id := range ids {
		if arrived[id] {
			n--
		}
	}
	return n, nil
}

// waitsOn says whether an act can be done another time that came to this: nothing was wrong with it.
func waitsOn(err error) bool {
	var lost *mailclient.ConnectError
	var full *mailclient.FullError
	var sign *mailclient.SignInError
	var token *mailclient.TokenError
	return errors.As(err, &lost) || errors.As(err, &full) || errors.As(err, &sign) || errors.As(err, &token) ||
		errors.Is(err, mailclient.ErrBusy) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// tellMissed says once what of the acts that waited could not be done.
func (s *Server) tellMissed(r *http.Request, p *person, f *templates.Frame) {
	if f.Flash != nil || r.Method != http.MethodGet || r.Header.Get("Sec-Purpose") != "" {
		return
	}
	missed, err := s.store.TellWaiting(r.Context(), p.User.ID)
	if err != nil {
		s.logProblem(r, problemOf(err))
		return
	}
	var lines []string
	for _, w := range missed {
		var t telling
		if json.Unmarshal([]byte(w.Words), &t) != nil || t.Key == "done.read" && w.Problem == "error.gone" { // which mostly nobody asked for
			continue
		}
		host := ""
		if there, err := s.as(p, w.AccountID); err == nil {
			host = there.Mail.Host()
		}
		lines = append(lines, p.L.T("wait.missed", "What", t.words(p, max(w.Missed, 1)), "Why", p.L.T(missedKey(w.Problem), "Host", host)))
	}
	if len(lines) > maxMissed {
		lines = append(lines[:maxMissed], p.L.T("wait.more", "N", len(lines)-maxMissed))
	}
	if len(lines) > 0 {
		f.Flash = flash{Words: strings.Join(lines, " "), Failed: true}.shown()
	}
}

// maxMissed is how many acts that could not be done are told one by one.
const maxMissed = 5

// missedKey is the sentence for what an act that waited came to.
func missedKey(problem string) string {
	switch problem {
	case "error.gone":
		return "wait.gone"
	case "error.renewed":
		return "wait.renewed"
	case "error.refused":
		return "wait.refused"
	}
	return problem
}
