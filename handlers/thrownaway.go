package handlers

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"restante/internal/store"
	"restante/mailclient"
	"restante/mailclient/compose"
	"restante/templates"
)

const pathThrown = "/compose/thrown"

const mostThrown = 200 // that one page shows

// thrownAway lists the drafts that were thrown away and can still be brought back.
func (s *Server) thrownAway(w http.ResponseWriter, r *http.Request, p *person) error {
	drafts, err := s.store.DiscardedDrafts(r.Context(), p.User.ID, mostThrown)
	if err != nil {
		return err
	}
	frame, _ := s.frame(r, p, "thrown", p.L.T("thrown.title"), "")
	page := templates.Thrown{Frame: frame, BackURL: s.draftsFolder(r.Context(), p)}
	for _, d := range drafts {
		files, err := s.store.Uploads(r.Context(), p.User.ID, d.ID)
		if err != nil {
			return err
		}
		people := slices.DeleteFunc([]string{d.Fields.To, d.Fields.Cc, d.Fields.Bcc}, func(l string) bool { return l == "" })
		v := templates.ThrownDraft{ID: d.ID, Subject: subjectOf(p, d.Fields.Subject), To: strings.Join(people, ", "), Preview: cutText(oneLine(textOf(d.Fields)), 200),
			When: p.L.T("thrown.when", "Time", p.L.Moment(d.Updated, s.nowFor(p)), "Day", p.L.Short(d.Updated.Add(store.DiscardedFor), s.nowFor(p)))}
		if len(files) > 0 {
			v.Files = p.L.T("thrown.files", "N", len(files))
		}
		page.Drafts = append(page.Drafts, v)
	}
	return s.ok(w, r, page)
}

// draftsFolder is the page of the person's Drafts folder, or of all folders where none is known.
func (s *Server) draftsFolder(ctx context.Context, p *person) string {
	if box, err := p.Mail.MailboxByRole(ctx, mailclient.RoleDrafts, false, ""); err == nil {
		return pathMailbox(p.Account.ID, Slug(box.Name, box.Delimiter))
	}
	return "/"
}

// textOf is what a draft says, as plain text.
func textOf(f store.DraftFields) string {
	if f.HTML != "" {
		return compose.TextFromHTML(f.HTML)
	}
	return f.Body
}

// actOnThrown brings a draft back, or deletes it for good once that was asked.
func (s *Server) actOnThrown(w http.ResponseWriter, r *http.Request, p *person) error {
	if err := parseForm(r); err != nil {
		return err
	}
	d, err := s.store.Draft(r.Context(), p.User.ID, r.PostForm.Get("draft"))
	if err != nil {
		return err
	}
	if d.State != "discarded" {
		return errSentBefore
	}
	switch r.PostForm.Get("action") {
	case "restore":
		if err := s.reopenDraft(r, p, d.ID); err != nil {
			return err
		}
		s.putFlash(r, flash{Words: p.L.T("thrown.restored")})
		return seeOther(w, r, "/compose/"+d.ID)
	case "delete":
		return s.ok(w, r, templates.Error{
			Head: s.head(r, p, p.L.T("act.forever")), Words: p.L.T("thrown.confirm"), Safe: subjectOf(p, d.Fields.Subject), Danger: true,
			RetryURL: pathThrown, RetryMethod: "post", RetryWords: p.L.T("act.forever"), ButtonURL: pathThrown, ButtonWords: p.L.T("cancel"),
			Kept: []templates.Field{{Name: "draft", Value: d.ID}, {Name: "action", Value: "forever"}},
		})
	case "forever":
		if err := s.store.DropDraft(r.Context(), p.User.ID, d.ID); err != nil {
			return err
		}
		s.putFlash(r, flash{Words: p.L.T("thrown.deleted")})
		return seeOther(w, r, pathThrown)
	}
	return badRequest("error.act")
}
