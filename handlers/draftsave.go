package handlers

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"restante/internal/store"
	"restante/mailclient"
	"restante/templates"
)

// postDraft saves, sends or throws away a draft. Whatever happens after the save, the draft is kept.
func (s *Server) postDraft(w http.ResponseWriter, r *http.Request, p *person) error {
	d := store.Draft{UserID: p.User.ID, AccountID: p.Account.ID}
	var err error
	if id := chi.URLParam(r, "draft"); id != "" {
		if d, err = s.store.Draft(r.Context(), p.User.ID, id); err != nil {
			_ = parseForm(r)
			return &Problem{Status: problemOf(err).Status, Key: problemOf(err).Key, Retry: "/compose", err: err} // as a new draft
		}
	}
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(uploadTime)) // an upload over a slow line
	f, err := s.readDraft(r, p, &d)
	if err != nil {
		return s.draftBroken(w, r, p, d, err)
	}
	if f.action == "discard" && d.ID == "" && f.untouched() {
		return s.discardDraft(w, r, p, d, f.back)
	}
	letGo, fresh, err := s.holdDraft(r.Context(), p, &d, &f)
	if err != nil {
		return err
	}
	defer letGo()
	sent, sending := d.State == "sent", f.sends()
	if sent && sending && sameText(d.Fields, f.fields) { // by the first of two clicks
		return seeOther(w, r, "/outbox")
	}
	if sent && (f.action == "discard" || sameText(d.Fields, f.fields)) {
		return errSentBefore
	}
	if f.action == "discard" {
		if f.whole && f.rev >= d.Rev && !fresh && !sameText(d.Fields, f.fields) { // what was written last comes back with it
			if _, err := s.store.SaveDraft(r.Context(), p.User.ID, d.ID, p.Hash, f.fields); err != nil {
				return err
			}
		}
		return s.discardDraft(w, r, p, d, f.back)
	}
	if f.same && f.rev != 0 && f.rev < d.Rev { // written elsewhere since, and not here
		w.Header().Set("X-Restante-Draft", d.ID)
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if p, err = s.writer(r.Context(), p, &d, &f.fields); err != nil {
		return err
	}
	if f.action == "canned" {
		if err := s.putTemplate(r.Context(), p, &f.fields, atoi64(f.canned)); err != nil {
			return err
		}
		fresh = false
	}
	err = s.saveDraft(r.Context(), p, &d, f, fresh)
	if errors.Is(err, errLeftBehind) && sending && !sent {
		return s.leftBehind(w, r, p, d, f)
	}
	if err != nil && !errors.Is(err, errLeftBehind) {
		return err
	}
	if f.action == "canned" {
		return seeOther(w, r, "/compose/"+d.ID)
	}
	if len(f.lost) > 0 { // and nothing goes out without them
		words := p.L.T("compose.lost", "Files", strings.Join(f.lost, ", "))
		return s.composeAgain(w, r, p, d, again{wrong: []templates.FieldError{{Field: "attachments", Words: words}}})
	}
	if f.remove != "" {
		if err := s.removeFile(r.Context(), p, d, f.remove); err != nil {
			return err
		}
		return seeOther(w, r, "/compose/"+d.ID)
	}
	if sent && sending { // elsewhere, and written on here
		return s.composeAgain(w, r, p, d, again{status: http.StatusConflict, wrong: []templates.FieldError{{Field: "body", Words: p.L.T("compose.sentmeanwhile")}}})
	}
	if sending {
		return s.send(w, r, p, d, f)
	}
	if !slices.Contains([]string{"", "save", "take", "both"}, f.action) {
		return badRequest("error.act")
	}
	letGo() // the copy in the Drafts folder takes its time
	return s.draftSaved(w, r, p, d, f)
}

var errSentBefore = &Problem{Status: http.StatusConflict, Key: "compose.gone", URL: "/outbox", Next: "nav.outbox"}

// draftBroken keeps what came of a form that broke off or was too much, and shows it with the words for that.
func (s *Server) draftBroken(w http.ResponseWriter, r *http.Request, p *person, d store.Draft, why error) error {
	if len(r.PostForm) == 0 || d.State == "sent" || r.Header.Get("X-Restante") != "" {
		return why
	}
	r = r.WithContext(context.WithoutCancel(r.Context())) // whoever hung up finds it among the drafts
	typed := url.Values{"to": {d.Fields.To}, "cc": {d.Fields.Cc}, "bcc": {d.Fields.Bcc}, "subject": {d.Fields.Subject}, "body": {d.Fields.Body}, "html": {d.Fields.HTML}}
	for name, values := range r.PostForm { // a field that did not come leaves what was kept
		typed[name] = values
	}
	f, err := draftFormFrom(typed, d.Fields)
	if err != nil {
		return why
	}
	letGo, fresh, err := s.holdDraft(r.Context(), p, &d, &f)
	if err != nil {
		return why
	}
	defer letGo()
	if d.State == "sent" && sameText(d.Fields, f.fields) {
		return why
	}
	if p, err = s.writer(r.Context(), p, &d, &f.fields); err != nil || s.saveDraft(r.Context(), p, &d, f, fresh) != nil {
		return why
	}
	pr := problemOf(why)
	s.logProblem(r, pr)
	return s.composeAgain(w, r, p, d, again{status: pr.Status, wrong: []templates.FieldError{{Field: "body", Words: p.L.T(pr.Key, pr.Args...)}}})
}

// saveDraft keeps the form's fields, which a fresh draft has already. An older form does not overwrite a newer draft,
// and what was written on after sending is not what was sent: it becomes a draft of its own.
func (s *Server) saveDraft(ctx context.Context, p *person, d *store.Draft, f draftForm, fresh bool) error {
	switch {
	case fresh:
	case d.State == "sent", f.action == "both", f.rev != 0 && f.rev < d.Rev && !sameText(d.Fields, f.fields):
		made, err := s.store.CreateDraft(ctx, store.Draft{UserID: p.User.ID, AccountID: p.Account.ID, Fields: f.fields, WrittenBy: p.Hash})
		if err != nil {
			return err
		}
		if err := s.copyUploads(ctx, p, d.ID, made.ID); err != nil {
			return err
		}
		*d = made
	default:
		if d.WrittenBy != "" && d.WrittenBy != p.Hash {
			defer s.hub.tell(p.User.ID, "draft")
		}
		rev, err := s.store.SaveDraft(ctx, p.User.ID, d.ID, p.Hash, f.fields)
		if errors.Is(err, store.ErrNotFound) {
			return errSentBefore
		}
		if err != nil {
			return err
		}
		d.Fields, d.Rev = f.fields, rev
	}
	return s.takeOver(ctx, p, d)
}

func sameText(a, b store.DraftFields) bool {
	return a.To == b.To && a.Cc == b.Cc && a.Bcc == b.Bcc && a.Subject == b.Subject && a.Body == b.Body && a.HTML == b.HTML
}

func (s *Server) copyUploads(ctx context.Context, p *person, from, to string) error {
	files, err := s.store.Uploads(ctx, p.User.ID, from)
	if err != nil {
		return err
	}
	for _, u := range files {
		blob := s.store.Blob(ctx, p.User.ID, u.BlobID)
		if err := s.addFile(ctx, p, store.Upload{DraftID: to, Name: u.Name, Type: u.Type, ContentID: u.ContentID}, blob); err != nil {
			return err
		}
	}
	return nil
}

// takeOver brings what is still to come of the mail that is answered or forwarded into the draft: all of it, else
// nothing, and the next save tries again.
func (s *Server) takeOver(ctx context.Context, p *person, d *store.Draft) error {
	if d.Fields.Carry == "" {
		return nil
	}
	before, err := s.store.Uploads(ctx, p.User.ID, d.ID)
	if err != nil {
		return err
	}
	err = s.takeCarried(ctx, p, d)
	gone := errors.Is(err, mailclient.ErrGone) || errors.Is(err, mailclient.ErrNoMailbox) || errors.Is(err, mailclient.ErrUIDValidity)
	if err != nil && (!gone || d.Fields.Carry != "pictures") { // an answer goes without the pictures of a mail that is gone
		if gone {
			err = errLeftBehind
		}
		return errors.Join(err, s.dropUploads(context.WithoutCancel(ctx), p, d.ID, before))
	}
	d.Fields.Carry = ""
	d.Rev, err = s.store.SaveDraft(ctx, p.User.ID, d.ID, p.Hash, d.Fields)
	return err
}

var errLeftBehind = errors.New("what was to go along is no longer there")

// leftBehind says, before a letter goes out, that what was to go along with it is gone. Sent once more, it goes without.
func (s *Server) leftBehind(w http.ResponseWriter, r *http.Request, p *person, d store.Draft, f draftForm) (err error) {
	d.Fields.Carry = ""
	if d.Rev, err = s.store.SaveDraft(r.Context(), p.User.ID, d.ID, p.Hash, d.Fields); err != nil {
		return err
	}
	return s.composeAgain(w, r, p, d, again{form: f, wrong: []templates.FieldError{{Field: "attachments", Words: p.L.T("compose.leftbehind")}}})
}

// dropUploads takes all files off a draft but those that it is to keep.
func (s *Server) dropUploads(ctx context.Context, p *person, draft string, keep []store.Upload) error {
	files, err := s.store.Uploads(ctx, p.User.ID, draft)
	if err != nil {
		return err
	}
	for _, u := range files {
		if slices.Contains(keep, u) {
			continue
		}
		if err := s.store.RemoveUpload(ctx, p.User.ID, draft, u.ID); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) takeCarried(ctx context.Context, p *person, d *store.Draft) error {
	if d.Fields.AnswerUID == 0 {
		return nil
	}
	p, err := s.as(p, cmp.Or(d.Fields.AnswerAccount, d.AccountID))
	if errors.Is(err, errNothingHere) { // the account is removed
		return mailclient.ErrGone
	}
	if err != nil {
		return err
	}
	if strings.HasPrefix(d.Fields.Carry, carriedMails) {
		return s.takeMails(ctx, p, d)
	}
	open, err := p.Mail.Open(ctx, d.Fields.AnswerMailbox, d.Fields.AnswerValidity, d.Fields.AnswerUID)
	if err != nil {
		return err
	}
	switch d.Fields.Carry {
	case "files", "pictures":
		return s.takeFiles(ctx, p, d.Fields.AnswerMailbox, open, d.ID, d.Fields.Carry == "pictures")
	case "message":
		u := store.Upload{DraftID: d.ID, Name: emlName(open.Subject), Type: "message/rfc822"}
		return piped(func(w io.Writer) error { return p.Mail.Raw(ctx, d.Fields.AnswerMailbox, open.UIDValidity, open.UID, w) },
			func(r io.Reader) error { return s.addFile(ctx, p, u, r) })
	}
	return badRequest("error.form")
}

// draftSaved answers a save: for our script with the revision alone, else with the draft's page.
func (s *Server) draftSaved(w http.ResponseWriter, r *http.Request, p *person, d store.Draft, f draftForm) error {
	w.Header().Set("X-Restante-Draft", d.ID)
	w.Header().Set("X-Restante-Rev", strconv.FormatInt(d.Rev, 10))
	if kind := r.Header.Get("X-Restante"); kind == "autosave" || kind == "leave" {
		state, was := s.fileDraft(r, p, d, kind == "leave")
		w.Header().Set("X-Restante-Filed", string(state))
		if was.words != "" {
			w.Header().Set("X-Restante-Foreign", cmp.Or(was.url, "-"))
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if f.action == "both" {
		s.putFlash(r, flash{Words: p.L.T("compose.botharekept")})
	}
	if f.action == "save" {
		if err := s.copyDraft(r.Context(), p, d.ID); err != nil {
			s.logProblem(r, problemOf(err))
			s.putFlash(r, flash{Words: p.L.T("compose.notfiled"), Failed: true})
		} else {
			s.putFlash(r, flash{Words: p.L.T("compose.saved")})
		}
	}
	return seeOther(w, r, "/compose/"+d.ID)
}

func (s *Server) discardDraft(w http.ResponseWriter, r *http.Request, p *person, d store.Draft, back string) error {
	done := flash{Words: p.L.T("compose.discarded")}
	if d.ID != "" {
		if err := s.store.SetDraftState(r.Context(), p.User.ID, d.ID, "discarded"); err != nil {
			return err
		}
		s.dropCopy(r, p, d)
		done = s.undoable(r, p, "draft", done.Words, undoStep{Account: d.AccountID, Draft: d.ID})
		done.LinkURL, done.LinkWords = pathThrown, p.L.T("thrown.look")
	}
	s.putFlash(r, done)
	return seeOther(w, r, back)
}

// dropCopy takes the draft out of the Drafts folder. A server that refuses costs a stale copy, nothing else.
func (s *Server) dropCopy(r *http.Request, p *person, d store.Draft) {
	if d.IMAP.UID == 0 {
		return
	}
	p, err := s.as(p, d.AccountID)
	if err == nil {
		err = p.expunge(r.Context(), copyAt(d))
	}
	if err == nil {
		err = s.store.SetDraftCopy(r.Context(), p.User.ID, d.ID, store.DraftCopy{})
	}
	if err != nil {
		s.logProblem(r, problemOf(err))
	}
}

// reopenDraft brings a draft that was thrown away back, and its copy into the Drafts folder.
func (s *Server) reopenDraft(r *http.Request, p *person, id string) error {
	if err := s.store.SetDraftState(r.Context(), p.User.ID, id, "open"); err != nil {
		return err
	}
	d, err := s.store.Draft(r.Context(), p.User.ID, id)
	if err != nil {
		return err
	}
	s.fileDraft(r, p, d, true)
	return nil
}
