package handlers

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"restante/internal/store"
	"restante/templates"
)

const (
	maxSaved     = 30 // searches of a person that stand beside their folders
	longSaveName = 60 // letters of the name of one
)

// saveSearch keeps a search beside the folders, by a name, or forgets one.
func (s *Server) saveSearch(w http.ResponseWriter, r *http.Request, p *person) error {
	if err := parseForm(r); err != nil {
		return err
	}
	words, back := strings.TrimSpace(r.PostFormValue("q")), ownPath(cmp.Or(r.PostFormValue("back"), "/search"))
	set := p.User.Settings
	kept := slices.DeleteFunc(slices.Clone(set.Searches), func(o store.SavedSearch) bool { return o.Words == words })
	done := flash{Words: p.L.T("search.forgotten")}
	switch r.PostFormValue("action") {
	case "forget":
	case "keep":
		_, err := parseSearch(words, p.Zone)
		if bad, ok := queryError(err); ok {
			return badSearch(bad)
		}
		if err != nil {
			return err
		}
		name := strings.Join(strings.Fields(cmp.Or(strings.TrimSpace(r.PostFormValue("name")), words)), " ")
		if words == "" || !utf8.ValidString(name) || strings.ContainsAny(name, "\x00") {
			return badRequest("error.form")
		}
		if runes := []rune(name); len(runes) > longSaveName {
			name = string(runes[:longSaveName-1]) + "…"
		}
		if len(kept) >= maxSaved {
			return badRequest("error.manysearches")
		}
		kept = append(kept, store.SavedSearch{Name: name, Words: words})
		slices.SortStableFunc(kept, func(x, y store.SavedSearch) int {
			return strings.Compare(strings.ToLower(x.Name), strings.ToLower(y.Name))
		})
		done.Words = p.L.T("search.kept", "Name", name)
	default:
		return badRequest("error.act")
	}
	set.Searches = kept
	if err := s.store.SaveSettings(r.Context(), p.User.ID, set); err != nil {
		return err
	}
	s.putFlash(r, done)
	return seeOther(w, r, back)
}

// wordsIn are the words of a search in a folder, which they name; "" for none.
func wordsIn(words string, pl place) string {
	if words == "" || strings.Contains(words, "in:") {
		return words
	}
	return words + " in:" + pl.slug
}

// savedSearches are those of a person beside their folders; the one of this page is marked.
func savedSearches(r *http.Request, p *person) (out []templates.Option) {
	here := r.URL.Query().Get("q")
	for _, o := range p.User.Settings.Searches {
		out = append(out, templates.Option{URL: with("/search", p.naming(url.Values{"q": {o.Words}})), Words: o.Name, Current: o.Words == here})
	}
	return out
}

// saveForm is the form by which the search of a page is kept, or forgotten.
func saveForm(p *person, words, back string) *templates.SaveSearch {
	f := &templates.SaveSearch{Query: words, Name: words, Back: back}
	for _, o := range p.User.Settings.Searches {
		if o.Words == words {
			f.Name, f.Kept = o.Name, true
		}
	}
	return f
}
