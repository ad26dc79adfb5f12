package handlers

import (
	"net/http"
	"strings"

	"restante/mailclient"
	"restante/templates"
)

// failInFrame answers with what went wrong where the list or the message would stand: folders and search live on.
// false means that this error takes a page of its own.
func (s *Server) failInFrame(w http.ResponseWriter, r *http.Request, p *person, err error) bool {
	if !reading(r) || !strings.HasPrefix(r.URL.Path, "/mail/") && r.URL.Path != "/search" {
		return false
	}
	if bad, ok := queryError(err); ok {
		q, slug := r.URL.Query(), ""
		if pl, err := s.place(r, p); err == nil && q.Get("search") == "" {
			slug = pl.slug
		}
		words := q.Get("search") + q.Get("q")
		return s.searchAgain(w, r, p, bad, words, slug) == nil
	}
	pr := problemAt(r, err)
	frame, boxes := s.frame(r, p, "mail", p.L.T("error.title"), "")
	frame.WriteOutlined = true
	if boxes == nil { // the server is away: there is nothing to stand beside it
		return false
	}
	s.logProblem(r, pr)
	s.render(w, r, pr.Status, templates.Broken{Frame: frame, Trouble: s.trouble(r, p, pr)})
	return true
}

// trouble says what went wrong, and leads on.
func (s *Server) trouble(r *http.Request, p *person, pr *Problem) templates.Trouble {
	t := templates.Trouble{Words: p.L.T(pr.Key, pr.Args...), ID: requestID(r), ServerSaid: pr.Server, ButtonURL: "/", ButtonWords: p.L.T("error.inbox")}
	switch {
	case pr.URL != "":
		t.ButtonURL, t.ButtonWords = pr.URL, p.L.T(pr.Next)
	case pr.Status >= 500:
		t.ButtonURL, t.ButtonWords = r.URL.RequestURI(), p.L.T("try.again")
	}
	return t
}

// goneFromList says beside its list that a message is no longer there, and leads to the next.
func (s *Server) goneFromList(w http.ResponseWriter, r *http.Request, p *person, pl place, lq mailclient.ListQuery, uid uint32, gone error) error {
	list, err := p.Mail.List(r.Context(), pl.box.Name, lq)
	if err != nil {
		return err
	}
	next := ""
	for _, row := range list.Rows {
		if row.UID < uid { // by arrival it is the one behind it
			next = with(pathMessage(p.Account.ID, pl.slug, row.UID), r.URL.Query(), "remote", "", "links", "")
			break
		}
	}
	return s.goneMessage(w, r, p, s.mailPage(r, p, pl, list), gone, next)
}

// goneMessage is the page of a list beside which a message should stand that is gone.
func (s *Server) goneMessage(w http.ResponseWriter, r *http.Request, p *person, page templates.Mail, gone error, next string) error {
	pr := problemOf(gone)
	s.logProblem(r, pr)
	t := s.trouble(r, p, pr)
	t.ButtonURL, t.ButtonWords = page.List.Here, p.L.T("error.tolist")
	if next != "" {
		t.BackURL, t.BackWords = t.ButtonURL, t.ButtonWords
		t.ButtonURL, t.ButtonWords = next, p.L.T("error.nextmessage")
	}
	page.Gone = &t
	page.WriteOutlined = true
	page.Title = p.L.T("error.prefix") + " " + page.Title
	s.render(w, r, pr.Status, page)
	return nil
}

// keepingListed is the request with the opened mail among those that stay in its list (see keepListed).
func keepingListed(r *http.Request, uid uint32) (*http.Request, error) {
	u, err := r.URL.Parse(keepListed(r.URL.RequestURI(), uid))
	if err != nil {
		return nil, errNothingHere
	}
	kept := *r
	kept.URL = u
	return &kept, nil
}
