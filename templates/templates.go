// Package templates holds every page as a typed struct and its HTML. It embeds,
// parses once for each language, and executes; it reads no data and decides
// nothing beyond if and range. Start at Render and the page structs.
package templates

import (
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"sync"

	"restante/internal/i18n"
	"restante/static"
)

//go:embed *.html partials/*.html
var files embed.FS

// Page is a struct that one of the templates shows.
type Page interface{ template() string }

// Localised gives the language of a page.
type Localised interface{ localizer() *i18n.Localizer }

var sets sync.Map // language -> *template.Template

func set(l *i18n.Localizer) (*template.Template, error) {
	if s, ok := sets.Load(l.Lang); ok {
		return s.(*template.Template), nil
	}
	s, err := read(l, func(s *template.Template) {
		fold(s, map[string]func(string) string{"t": func(id string) string { return l.T(id) }, "asset": static.URL})
	})
	if err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	sets.Store(l.Lang, s)
	return s, nil
}

// read parses all templates for one language; before they are executed, prepare may change them.
func read(l *i18n.Localizer, prepare func(*template.Template)) (*template.Template, error) {
	rows := fragments[Row]{name: "row"}
	entries := fragments[FolderEntry]{name: "folder-entry"}
	options := fragments[Option]{name: "option"}
	s, err := template.New("").Funcs(template.FuncMap{
		"t":       l.T,
		"asset":   static.URL,
		"rows":    rows.all,
		"marked":  Marked,
		"entry":   entries.html,
		"options": options.all,
		"jsWords": func() (string, error) { return scriptWords(l) },
	}).ParseFS(files, "*.html", "partials/*.html")
	if err != nil {
		return nil, err
	}
	prepare(s)
	rows.set, entries.set, options.set = s, s, s
	return s, nil
}

// scriptWords are the texts that scripts say, as JSON; "" in English, which they know themselves.
func scriptWords(l *i18n.Localizer) (string, error) {
	if l.Lang == "en" {
		return "", nil
	}
	raw, err := json.Marshal(l.Words("js."))
	return string(raw), err
}

// Render writes a page in its language.
func Render(w io.Writer, p Page) error {
	return execute(w, p, p.template())
}

// RenderPart writes one partial of a page, such as "list" or "message", with the page as its data.
func RenderPart(w io.Writer, p Page, part string, data any) error {
	s, err := set(p.(Localised).localizer())
	if err != nil {
		return err
	}
	return s.ExecuteTemplate(w, part, data)
}

func execute(w io.Writer, p Page, name string) error {
	s, err := set(p.(Localised).localizer())
	if err != nil {
		return err
	}
	return s.ExecuteTemplate(w, name, p)
}
