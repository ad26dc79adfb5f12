package handlers

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"restante/internal/limits"
	"restante/internal/store"
	"restante/mailclient/message"
	"restante/templates"
)

// A file that our script brings comes piece by piece, so that one whose connection is cut goes on from where it was:
// POST tells of it and is answered with its address and how much a request may bring, POST there brings what comes next,
// HEAD says where that is, POST to its stop gives it up. The POST that brings the last octet makes it a file of the
// draft, and may be said again.
const (
	pieceBytes  = 4 << 20 // that one request brings
	pieceTime   = 5 * time.Minute
	offsetField = "X-Restante-Offset"
	pieceField  = "X-Restante-Piece"
)

// beginFile takes note of a file that is to come into a draft, if there is room for it.
func (s *Server) beginFile(w http.ResponseWriter, r *http.Request, p *person) error {
	d, err := s.store.Draft(r.Context(), p.User.ID, chi.URLParam(r, "draft"))
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	size, err := strconv.ParseInt(r.PostForm.Get("size"), 10, 64)
	if err != nil || size < 0 {
		return badRequest("error.form")
	}
	modified, _ := strconv.ParseInt(r.PostForm.Get("modified"), 10, 64)
	a := store.Arriving{UserID: p.User.ID, DraftID: d.ID, Modified: modified, Name: message.SafeName(oneLine(r.PostForm.Get("name"))), Type: oneLine(r.PostForm.Get("type")), Size: size}
	a.ContentID = placed(r.PostForm.Get("as"), a.Type)
	most, all := s.bounds.Of(p.User.Address, limits.FileMB)<<20, s.bounds.Of(p.User.Address, limits.DraftsMB)<<20
	if size > most {
		return tooLargeFile(p, a.Name, most, store.ErrTooLarge)
	}
	a, err = s.store.BeginFile(r.Context(), a, all)
	if errors.Is(err, store.ErrTooLarge) {
		return noRoom(p, all, err)
	}
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/compose/"+d.ID+"/arriving/"+a.ID)
	w.Header().Set(pieceField, strconv.Itoa(pieceBytes))
	w.WriteHeader(http.StatusCreated)
	return nil
}

// receiveFile takes what comes next of a file; the answer to the last of it is that of upload.
func (s *Server) receiveFile(w http.ResponseWriter, r *http.Request, p *person) error {
	d, err := s.store.Draft(r.Context(), p.User.ID, chi.URLParam(r, "draft"))
	if err != nil {
		return err
	}
	a, err := s.store.ArrivingFile(r.Context(), p.User.ID, chi.URLParam(r, "file"))
	if err != nil {
		return err
	}
	from, err := strconv.ParseInt(r.URL.Query().Get("from"), 10, 64)
	if err != nil || r.ContentLength < 0 || r.ContentLength > pieceBytes {
		return badRequest("error.form")
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(pieceTime))
	a.DraftID = d.ID
	a, err = s.store.Receive(r.Context(), a, from, r.Body)
	switch {
	case errors.Is(err, store.ErrOffset):
		return s.fileStands(w, r, p, http.StatusConflict)
	case errors.Is(err, store.ErrTooMuch):
		return badRequest("error.form")
	case err != nil:
		return fileError(err)
	}
	if a.Received < a.Size {
		return s.fileStands(w, r, p, http.StatusNoContent)
	}
	if err := s.endFile(r.Context(), p, d, a); err != nil {
		return err
	}
	return s.answerFiles(w, r, p, d, a.ContentID)
}

// endFile makes what has come a file of the draft; of a photo what bare leaves of it.
func (s *Server) endFile(ctx context.Context, p *person, d store.Draft, a store.Arriving) (err error) {
	if a.Done {
		return nil
	}
	u := store.Upload{DraftID: d.ID, BlobID: a.BlobID, Name: a.Name, Type: a.Type, ContentID: a.ContentID, Size: a.Size}
	start := make([]byte, 3)
	if n, _ := io.ReadFull(s.store.Blob(ctx, p.User.ID, a.BlobID), start); n == 3 && string(start) == "\xff\xd8\xff" { // a JPEG
		err = bare(p, s.store.Blob(ctx, p.User.ID, a.BlobID), func(body io.Reader) (err error) {
			u.BlobID, u.Size, err = s.store.WriteBlob(ctx, p.User.ID, body, a.Size)
			return err
		})
	}
	if err != nil {
		return err
	}
	return s.store.EndFile(ctx, a, u)
}

// arrivingFile says how much of a file is here.
func (s *Server) arrivingFile(w http.ResponseWriter, r *http.Request, p *person) error {
	return s.fileStands(w, r, p, http.StatusNoContent)
}

func (s *Server) fileStands(w http.ResponseWriter, r *http.Request, p *person, status int) error {
	a, err := s.store.ArrivingFile(r.Context(), p.User.ID, chi.URLParam(r, "file"))
	if err != nil {
		return err
	}
	w.Header().Set(offsetField, strconv.FormatInt(a.Received, 10))
	w.Header().Set(pieceField, strconv.Itoa(pieceBytes))
	w.WriteHeader(status)
	return nil
}

// halfway lists the files of which a part came into a draft before their page went away. A picture for the text is none:
// it has no place there any more.
func (s *Server) halfway(ctx context.Context, p *person, d store.Draft) (out []templates.Halfway, err error) {
	if d.ID == "" {
		return nil, nil
	}
	files, err := s.store.ArrivingOf(ctx, p.User.ID, d.ID)
	for _, a := range files {
		if a.ContentID == "" {
			out = append(out, templates.Halfway{ID: a.ID, Name: a.Name, Size: a.Size, Modified: a.Modified, Words: p.L.T("files.halfway", "Done", p.L.Size(a.Received), "Total", p.L.Size(a.Size))})
		}
	}
	return out, err
}

// dropHalfway gives up the files of a name that came in part, because one has come whole.
func (s *Server) dropHalfway(ctx context.Context, p *person, d store.Draft, name string) error {
	files, err := s.halfway(ctx, p, d)
	for _, f := range files {
		if err == nil && f.Name == message.SafeName(name) {
			err = s.store.DropArriving(ctx, p.User.ID, f.ID)
		}
	}
	return err
}

// removeFile takes a file off a draft, or gives up one that is on its way there.
func (s *Server) removeFile(ctx context.Context, p *person, d store.Draft, file string) error {
	err := s.store.RemoveUpload(ctx, p.User.ID, d.ID, file)
	if errors.Is(err, store.ErrNotFound) {
		err = s.store.DropArriving(ctx, p.User.ID, file)
	}
	if errors.Is(err, store.ErrNotFound) { // it is gone
		return nil
	}
	return err
}

// dropFile gives up a file that is on its way.
func (s *Server) dropFile(w http.ResponseWriter, r *http.Request, p *person) error {
	if err := s.store.DropArriving(r.Context(), p.User.ID, chi.URLParam(r, "file")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func tooLargeFile(p *person, name string, most int64, err error) error {
	return wrap(err, http.StatusRequestEntityTooLarge, "limit.file", "File", message.SafeName(name), "Limit", p.L.Size(most))
}

func noRoom(p *person, all int64, err error) error {
	return wrap(err, http.StatusRequestEntityTooLarge, "limit.drafts", "Limit", p.L.Size(all))
}
