package handlers

import (
	"context"
	"errors"
	"html"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"restante/internal/sanitize"
	"restante/internal/store"
	"restante/mailclient/compose"
	"restante/templates"
)

const (
	maxCanned = 64 << 10 // bytes of a template's text
	maxTitle  = 200      // characters of its name and of its subject
)

var shortcut = regexp.MustCompile(`^[\p{L}\p{N}_+-]{0,40}$`)

// blank is a place in a template that is filled when it is put into a letter.
var blank = regexp.MustCompile(`\{(name|first|address|me|date)\}`)

// blanks gives what the places of a template stand for in a letter. What nobody knows yet stays as it is, to be seen.
func (s *Server) blanks(p *person, to, me string) map[string]string {
	known := map[string]string{"{me}": me, "{date}": p.L.Date(s.nowFor(p))}
	if list, _ := compose.Recipients(to); len(list) > 0 {
		name := list[0].Name
		if name == "" {
			name, _, _ = strings.Cut(list[0].Addr, "@")
		}
		first, _, _ := strings.Cut(name, " ")
		if last, given, ok := strings.Cut(name, ", "); ok && last != "" { // "Keller, Maria"
			first, _, _ = strings.Cut(given, " ")
		}
		known["{name}"], known["{first}"], known["{address}"] = name, first, list[0].Addr
	}
	return known
}

// filled is a text with its places filled, each value written by as.
func filled(text string, known map[string]string, as func(string) string) string {
	return blank.ReplaceAllStringFunc(text, func(place string) string {
		if v, ok := known[place]; ok && v != "" {
			return as(v)
		}
		return place
	})
}

func itself(s string) string { return s }

// filledTemplate is a template with its places filled, as text and as HTML.
func filledTemplate(t store.Template, known map[string]string) templates.Template {
	v := templates.Template{ID: t.ID, Name: t.Name, Shortcut: t.Shortcut, Subject: filled(t.Subject, known, itself), Body: filled(t.Body, known, itself), HTML: filled(t.HTML, known, html.EscapeString)}
	if v.HTML == "" {
		v.HTML = compose.HTMLFromText(v.Body)
	}
	return v
}

// myName is how an identity of the person is called, by its id.
func (s *Server) myName(ctx context.Context, p *person, identity int64) (string, error) {
	ids, err := s.identities(ctx, p)
	for _, id := range ids {
		if id.ID == identity && id.Name != "" {
			return id.Name, nil
		}
	}
	return p.User.Settings.Name, err
}

// templatesFor gives a person's templates, their places filled for a letter to ?to= from the identity ?from=.
func (s *Server) templatesFor(w http.ResponseWriter, r *http.Request, p *person) error {
	q := r.URL.Query()
	if len(q.Get("to")) > maxCanned {
		return badRequest("error.form")
	}
	all, err := s.store.Templates(r.Context(), p.User.ID)
	if err != nil {
		return err
	}
	me, err := s.myName(r.Context(), p, atoi64(q.Get("from")))
	if err != nil {
		return err
	}
	known := s.blanks(p, q.Get("to"), me)
	page := templates.Canned{Head: s.head(r, p, "")}
	for _, t := range all {
		page.Templates = append(page.Templates, filledTemplate(t, known))
	}
	w.Header().Set("X-Restante-Fragment", "1")
	return templates.RenderPart(w, page, "canned", page)
}

// putTemplate puts a template before the text of a draft, for who writes without scripts. A letter without a subject takes
// that of the template.
func (s *Server) putTemplate(ctx context.Context, p *person, f *store.DraftFields, id int64) error {
	all, err := s.store.Templates(ctx, p.User.ID)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(t store.Template) bool { return t.ID == id })
	if at < 0 {
		return store.ErrNotFound
	}
	me, err := s.myName(ctx, p, f.IdentityID)
	if err != nil {
		return err
	}
	t := filledTemplate(all[at], s.blanks(p, f.To, me))
	if f.HTML != "" {
		f.HTML = t.HTML + f.HTML
	}
	f.Body = strings.TrimRight(t.Body, "\n") + "\n" + f.Body
	if f.Subject == "" {
		f.Subject = t.Subject
	}
	return nil
}

// templatesTab lists the templates, each with its form, and a form for a new one.
func (s *Server) templatesTab(r *http.Request, p *person, page *templates.Settings) error {
	all, err := s.store.Templates(r.Context(), p.User.ID)
	for _, t := range all {
		page.Templates = append(page.Templates, templates.Template{ID: t.ID, Name: t.Name, Shortcut: t.Shortcut, Subject: t.Subject, Body: t.Body, HTML: t.HTML})
	}
	page.Templates = append(page.Templates, templates.Template{Open: len(all) == 0})
	return err
}

// saveTemplate keeps, changes or removes a template.
func (s *Server) saveTemplate(w http.ResponseWriter, r *http.Request, p *person) error {
	ctx, form := r.Context(), r.PostForm
	t := store.Template{ID: atoi64(form.Get("id")), UserID: p.User.ID, Name: oneLine(form.Get("name")), Shortcut: strings.Trim(oneLine(form.Get("shortcut")), ";: "),
		Subject: oneLine(form.Get("subject")), Body: strings.ReplaceAll(form.Get("body"), "\r\n", "\n"), HTML: form.Get("html")}
	if err := checkText(form); err != nil {
		return err
	}
	if form.Get("action") == "delete" {
		if err := s.store.DeleteTemplate(ctx, p.User.ID, t.ID); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		s.putFlash(r, flash{Words: p.L.T("templates.deleted")})
		return seeOther(w, r, "/settings/templates")
	}
	if t.HTML != "" {
		t.HTML = sanitize.Outgoing(t.HTML)
		t.Body = compose.TextFromHTML(t.HTML)
	}
	wrong := ""
	switch {
	case t.Name == "" || strings.TrimSpace(t.Body) == "":
		wrong = "templates.empty"
	case utf8.RuneCountInString(t.Name) > maxTitle || utf8.RuneCountInString(t.Subject) > maxTitle || len(t.Body)+len(t.HTML) > maxCanned:
		wrong = "templates.toolong"
	case !shortcut.MatchString(t.Shortcut):
		wrong = "templates.shortcut.bad"
	}
	if wrong == "" {
		err := s.store.SaveTemplate(ctx, t)
		if err == nil {
			s.putFlash(r, flash{Words: p.L.T("templates.saved", "Name", t.Name)})
			return seeOther(w, r, "/settings/templates")
		}
		if !errors.Is(err, store.ErrEnough) {
			return err
		}
		wrong = "templates.enough"
	}
	page := s.settingsFrame(r, p, "templates")
	if err := s.templatesTab(r, p, &page); err != nil {
		return err
	}
	page.Problem = p.L.T(wrong, "N", store.MaxTemplates)
	for i := range page.Templates {
		if page.Templates[i].Open = page.Templates[i].ID == t.ID; page.Templates[i].Open {
			page.Templates[i] = templates.Template{ID: t.ID, Name: t.Name, Shortcut: t.Shortcut, Subject: t.Subject, Body: t.Body, HTML: t.HTML, Open: true}
		}
	}
	s.render(w, r, http.StatusUnprocessableEntity, page)
	return nil
}
