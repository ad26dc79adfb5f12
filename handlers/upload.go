package handlers

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"restante/internal/store"
	"restante/mailclient/submit"
	"restante/templates"
)

// upload takes files into a draft and answers with their list, for our script; else with the draft's page. A picture
// for the text has its address in X-Restante-Picture.
func (s *Server) upload(w http.ResponseWriter, r *http.Request, p *person) error {
	d, err := s.store.Draft(r.Context(), p.User.ID, chi.URLParam(r, "draft"))
	if err != nil {
		return err
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(uploadTime))
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		return badRequest("error.form")
	}
	values := url.Values{}
	if err := s.readParts(r, p, &d, values); err != nil { // a file that broke off is not kept
		return err
	}
	if r.Header.Get("X-Restante") == "" {
		return seeOther(w, r, "/compose/"+d.ID)
	}
	return s.answerFiles(w, r, p, d, values.Get("cid"))
}

// answerFiles answers our script with the list of a draft's files, and where the picture of that Content-ID is.
func (s *Server) answerFiles(w http.ResponseWriter, r *http.Request, p *person, d store.Draft, cid string) error {
	files, err := s.store.Uploads(r.Context(), p.User.ID, d.ID)
	if err != nil {
		return err
	}
	if cid != "" {
		w.Header().Set("X-Restante-Picture", pictureAddress(picturesOfDraft(d.ID, files)(cid), cid))
	}
	page := templates.Compose{Frame: templates.Frame{Head: s.head(r, p, "")}, Files: draftFiles(p, d, files)}
	if page.Halfway, err = s.halfway(r.Context(), p, d); err != nil {
		return err
	}
	var b bytes.Buffer
	if err := templates.RenderPart(&b, page, "draft-files", page); err != nil {
		return err
	}
	w.Header().Set("X-Restante-Fragment", "1")
	_, err = b.WriteTo(w)
	return err
}

// sendLimit is the SIZE of the person's submission server, 0 while it is not known.
func (s *Server) sendLimit(p *person) int64 {
	offer, _ := s.offered(p)
	return offer.Size
}

// offered is what the person's submission server offers, asked for once an hour, and whether that is known. The first page
// that wants it waits a moment for it.
func (s *Server) offered(p *person) (submit.Offer, bool) {
	key := net.JoinHostPort(p.Servers.SMTP.Host, strconv.Itoa(p.Servers.SMTP.Port))
	s.sizeMu.Lock()
	defer s.sizeMu.Unlock()
	known, ok := s.sizes[key]
	if ok && s.now().Before(known.until) {
		return known.offer, known.heard
	}
	known.until = s.now().Add(time.Minute) // while it is asked for, or silent
	s.sizes[key] = known
	heard := make(chan struct{})
	go func() { // ends within 5 s
		defer close(heard)
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		offer, err := submit.Ask(ctx, submit.Options{Server: p.Servers.SMTP, Credentials: s.queue.Credentials(p.cred)})
		if err != nil {
			return
		}
		s.sizeMu.Lock()
		defer s.sizeMu.Unlock()
		s.sizes[key] = offerKnown{until: s.now().Add(time.Hour), offer: offer, heard: true}
	}()
	if ok {
		return known.offer, known.heard
	}
	s.sizeMu.Unlock()
	select {
	case <-heard:
	case <-time.After(time.Second):
	}
	s.sizeMu.Lock()
	return s.sizes[key].offer, s.sizes[key].heard
}

// offerKnown is an offer as last heard, and until when it holds.
type offerKnown struct {
	until time.Time
	offer submit.Offer
	heard bool
}
