package handlers

import (
	"context"
	"io"
	"net/http"
	"slices"

	"restante/internal/store"
	"restante/mailclient"
	"restante/mailclient/message"
	"restante/templates"
)

const draftsOffered = 20

// attachPage asks which files of a mail go into which draft.
func (s *Server) attachPage(w http.ResponseWriter, r *http.Request, p *person) error {
	pl, open, err := s.openAt(r, p)
	if err != nil {
		return err
	}
	drafts, err := s.store.RecentDrafts(r.Context(), p.User.ID, draftsOffered)
	if err != nil {
		return err
	}
	at := mailAt(p, pl, open)
	frame, _ := s.frame(r, p, "attach-page", p.L.T("files.attach.title"), "")
	page := templates.AttachPage{Frame: frame, ActionURL: at.act("attach"), BackURL: at.page(), Subject: subjectOf(p, open.Message.Header.Subject())}
	for _, f := range open.Message.Files {
		if !f.Inline && !f.Technical {
			page.Files = append(page.Files, templates.Option{Value: f.Section, Words: f.Name + " · " + p.L.Size(f.Size), Current: true})
		}
	}
	page.Drafts = []templates.Option{{Words: p.L.T("compose.new"), Current: len(drafts) == 0}}
	for i, d := range drafts {
		page.Drafts = append(page.Drafts, templates.Option{Value: d.ID, Words: p.L.T("files.attach.draft", "Subject", subjectOf(p, d.Fields.Subject), "Time", p.L.Short(d.Updated.In(p.Zone), s.nowFor(p))), Current: i == 0})
	}
	return s.ok(w, r, page)
}

// attachFrom copies files of a mail into a draft, or into a new one: from server to server, not by way of the browser.
func (s *Server) attachFrom(w http.ResponseWriter, r *http.Request, p *person) error {
	if err := parseForm(r); err != nil {
		return err
	}
	pl, open, err := s.openAt(r, p)
	if err != nil {
		return err
	}
	sections := r.PostForm["section"]
	files := slices.DeleteFunc(slices.Clone(open.Message.Files), func(f message.File) bool { return f.Technical || !slices.Contains(sections, f.Section) })
	if len(files) == 0 {
		return badRequest("files.attach.none")
	}
	d, err := s.draftFor(r, p, r.PostForm.Get("draft"))
	if err != nil {
		return err
	}
	for _, f := range files {
		u := store.Upload{DraftID: d.ID, Name: f.Name, Type: f.Type}
		if err := s.takeFile(r.Context(), p, pl.box.Name, open, f, u); err != nil {
			return fileError(err)
		}
	}
	if r.Header.Get("X-Restante") == "" {
		return seeOther(w, r, "/compose/"+d.ID)
	}
	return s.answerFiles(w, r, p, d, "")
}

// draftFor is the open draft of that id, or a new one for "".
func (s *Server) draftFor(r *http.Request, p *person, id string) (d store.Draft, err error) {
	if id != "" {
		d, err = s.store.Draft(r.Context(), p.User.ID, id)
		if err == nil && d.State == "sent" {
			err = errSentBefore
		}
		return d, err
	}
	ids, err := s.identities(r.Context(), p)
	if err != nil {
		return d, err
	}
	d = store.Draft{UserID: p.User.ID, AccountID: p.Account.ID}
	if len(ids) > 0 {
		d.Fields.IdentityID = ids[0].ID
	}
	begin(&d.Fields, p, ids, quoted{})
	return s.store.CreateDraft(r.Context(), d)
}

// takeFile copies one file of a mail, streamed.
func (s *Server) takeFile(ctx context.Context, p *person, box string, open *mailclient.Open, f message.File, u store.Upload) error {
	write := func(w io.Writer) error {
		if f.Body != nil {
			_, err := w.Write(f.Body)
			return err
		}
		return p.Mail.Part(ctx, box, open.UIDValidity, open.UID, f.Section, w)
	}
	return piped(write, func(r io.Reader) error { return s.addFile(ctx, p, u, r) })
}
