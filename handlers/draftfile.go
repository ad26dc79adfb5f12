package handlers

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"restante/internal/picture"
	"restante/internal/store"
	"restante/mailclient/message"
	"restante/templates"
)

// pathDraftFile is where a file of a draft is served.
func pathDraftFile(draft, file string) string { return "/compose/" + draft + "/files/" + file }

// asFile is a file of a draft as one of a mail.
func asFile(u store.Upload) message.File {
	return message.File{Name: u.Name, Type: u.Type, Size: u.Size, Exact: true}
}

// draftFileView is a file in the list of a draft: what can be looked at opens, everything else is saved.
func draftFileView(p *person, d store.Draft, u store.Upload) templates.File {
	at := pathDraftFile(d.ID, u.ID)
	v := templates.File{ID: u.ID, Name: u.Name, Size: p.L.Size(u.Size), Bytes: u.Size, Icon: fileIcon(u.Type, u.Name), URL: at}
	switch fileKind(asFile(u)) {
	case "image":
		v.URL, v.Opens = at+"/view", true
		if canReduce(asFile(u)) {
			v.ThumbURL = at + "/small"
		}
	case "text":
		v.URL, v.Opens = at+"/view", true
	case "pdf": // in the browser's own viewer
		v.URL, v.Opens = at+"?open=1", true
	}
	return v
}

// draftFile serves a file of a draft back to its writer.
func (s *Server) draftFile(w http.ResponseWriter, r *http.Request, p *person) error {
	u, err := s.fileOfDraft(r, p)
	if err != nil {
		return err
	}
	body := bufio.NewReader(s.store.Blob(r.Context(), p.User.ID, u.BlobID))
	magic, err := body.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", disposition("attachment", u.Name))
	if kind := trueKind(inlineKind(u.Type, u.Name), magic); u.ContentID != "" && strings.HasPrefix(kind, "image/") { // stands in the text
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Content-Disposition", disposition("inline", u.Name))
	}
	if r.URL.Query().Get("open") == "1" {
		partHeaders(w.Header(), r, asFile(u), magic)
	}
	w.Header().Set("Content-Length", strconv.FormatInt(u.Size, 10))
	_, err = io.Copy(w, body)
	return err
}

func (s *Server) fileOfDraft(r *http.Request, p *person) (store.Upload, error) {
	return s.store.Upload(r.Context(), p.User.ID, chi.URLParam(r, "draft"), chi.URLParam(r, "file"))
}

// draftFilePage shows a picture or a text among the files of a draft, as who gets it will.
func (s *Server) draftFilePage(w http.ResponseWriter, r *http.Request, p *person) error {
	u, err := s.fileOfDraft(r, p)
	if err != nil {
		return err
	}
	d, err := s.store.Draft(r.Context(), p.User.ID, u.DraftID)
	if err != nil {
		return err
	}
	f, at := asFile(u), pathDraftFile(d.ID, u.ID)
	page := templates.FilePage{Head: s.head(r, p, f.Name), Name: f.Name, Size: p.L.Size(f.Size), Kind: fileKind(f), Warning: fileWarning(p, f.Name),
		BackURL: "/compose/" + d.ID, Subject: subjectOf(p, d.Fields.Subject), URL: at + "?open=1", DownloadURL: at}
	switch page.Kind {
	case "image":
		page.ImageURL = at + "/small?side=" + strconv.Itoa(largeSide)
		if !canReduce(f) {
			page.ImageURL = page.URL
		}
	case "text":
		raw, err := io.ReadAll(io.LimitReader(s.store.Blob(r.Context(), p.User.ID, u.BlobID), maxTextShown+1))
		if err != nil {
			return err
		}
		page.Cut = len(raw) > maxTextShown
		page.Text = shownText(raw[:min(len(raw), maxTextShown)])
	}
	return s.ok(w, r, page)
}

// smallOfDraft serves a smaller copy of a picture among the files of a draft.
func (s *Server) smallOfDraft(w http.ResponseWriter, r *http.Request, p *person) error {
	u, err := s.fileOfDraft(r, p)
	if err != nil {
		return err
	}
	return s.serveSmall(w, r, asFile(u), "private, max-age=86400, immutable", func(ctx context.Context) ([]byte, error) {
		b := &cappedBuffer{most: picture.MaxFile}
		_, err := io.Copy(b, s.store.Blob(ctx, p.User.ID, u.BlobID))
		return b.Bytes(), err
	})
}
