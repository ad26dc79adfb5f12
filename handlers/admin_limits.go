package handlers

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"restante/internal/i18n"
	"restante/internal/limits"
	"restante/internal/store"
	"restante/templates"
)

// boundedBy is for whom limits are set: the site, a domain or a person.
type boundedBy struct {
	scope limits.Scope
	of    string
}

// boundedOf reads it from the fields domain and person, by which both the page and its form name it.
func boundedOf(v url.Values) (b boundedBy, ok bool) {
	for _, scope := range []limits.Scope{limits.Domain, limits.Person} {
		if written := v.Get(string(scope)); written != "" {
			of, ok := limits.Whose(scope, written)
			return boundedBy{scope, of}, ok
		}
	}
	return boundedBy{scope: limits.Site}, true
}

// page is where limits of these alone are shown.
func (b boundedBy) page() string {
	if b.scope == limits.Site {
		return "/admin/limits"
	}
	return with("/admin/limits", url.Values{string(b.scope): {b.of}})
}

// wider is the limit that holds where none is set for these.
func (b boundedBy) wider(book *limits.Book, l limits.Limit) int64 {
	switch b.scope {
	case limits.Domain:
		return book.Whole(l.Name)
	case limits.Person:
		return book.Wide(limits.DomainOf(b.of), l.Name)
	}
	return l.Default
}

// limitsPage shows the limits of the site, of a domain or of a person.
func (s *Server) limitsPage(w http.ResponseWriter, r *http.Request, who *officer) error {
	if err := s.setup.Reload(r.Context()); err != nil { // what was set a moment ago by another node or the command line
		return err
	}
	b, ok := boundedOf(r.URL.Query())
	if !ok {
		return s.showLimits(w, r, who, boundedBy{scope: limits.Site}, limitsTyped{problem: who.l.T("limits.nobody")})
	}
	return s.showLimits(w, r, who, b, limitsTyped{})
}

// limitsTyped is a form of limits that cannot be taken: what stood in it, and what is wrong with each field.
type limitsTyped struct {
	values  url.Values
	wrong   map[limits.Name]string
	problem string
}

func (s *Server) showLimits(w http.ResponseWriter, r *http.Request, who *officer, b boundedBy, typed limitsTyped) error {
	title, status := who.l.T("admin.limits"), http.StatusOK
	if b.scope != limits.Site {
		title += ": " + b.of
	}
	if typed.problem != "" {
		status = http.StatusUnprocessableEntity
	}
	page := templates.AdminLimits{AdminFrame: s.desk(r, who, "limits", title), Form: s.limitForm(who.l, b, typed, b.page()), Problem: typed.problem, Site: b.scope == limits.Site}
	if page.Site {
		own, err := s.store.Limits(r.Context())
		if err != nil {
			return err
		}
		page.Own = ownLimits(who.l, own)
	}
	s.render(w, r, status, page)
	return nil
}

// ownLimits are the domains and people with limits of their own.
func ownLimits(l *i18n.Localizer, entries []limits.Entry) (out []templates.AdminDomain) {
	var last boundedBy
	for _, e := range entries {
		if e.Scope == limits.Site {
			continue
		}
		if b := (boundedBy{e.Scope, e.Of}); b != last {
			last = b
			out = append(out, templates.AdminDomain{Name: e.Of, URL: b.page()})
		}
		row := &out[len(out)-1]
		row.Lines = append(row.Lines, l.T("limits.of."+string(e.Name))+": "+l.T("limits.unit."+string(e.Name), "N", int(e.Value)))
	}
	return out
}

// limitForm is the form of limits; back is where it leads once it is saved.
func (s *Server) limitForm(l *i18n.Localizer, b boundedBy, typed limitsTyped, back string) templates.LimitForm {
	f := templates.LimitForm{Back: back}
	switch b.scope {
	case limits.Domain:
		f.Domain = b.of
	case limits.Person:
		f.Person = b.of
	}
	kind := ""
	for _, v := range limits.All {
		if v.SiteOnly && b.scope != limits.Site {
			continue
		}
		if v.Kind != kind {
			kind = v.Kind
			f.Groups = append(f.Groups, templates.LimitGroup{Words: l.T("limits.kind." + kind)})
		}
		if v.Name == limits.TextsMB {
			f.Groups[len(f.Groups)-1].About = l.T("limits.about.search")
		}
		group, row := &f.Groups[len(f.Groups)-1], s.limitRow(l, b, v, typed)
		group.Rows = append(group.Rows, row)
		f.Some = f.Some || row.Value != ""
	}
	return f
}

func (s *Server) limitRow(l *i18n.Localizer, b boundedBy, v limits.Limit, typed limitsTyped) templates.LimitRow {
	row := templates.LimitRow{ID: string(v.Name), Words: l.T("limits.of." + string(v.Name)), Unit: l.T("limits.in." + string(v.Name)), Wrong: typed.wrong[v.Name]}
	unit := func(n int64) string { return l.T("limits.unit."+string(v.Name), "N", int(n)) }
	row.Hint = l.T("limits.default", "Limit", unit(v.Default))
	switch b.scope {
	case limits.Domain:
		row.Hint = l.T("limits.else.site", "Limit", unit(b.wider(s.bounds, v)))
	case limits.Person:
		row.Hint = l.T("limits.else.domain", "Limit", unit(b.wider(s.bounds, v)))
	}
	if n, ok := s.bounds.Set(b.scope, b.of, v.Name); ok {
		row.Value = strconv.FormatInt(n, 10)
	}
	row.Was = row.Value
	if typed.values != nil {
		row.Value = cutText(typed.values.Get(row.ID), 20)
	}
	if n, ok := s.bounds.Fixed(v.Name); ok && b.scope == limits.Site {
		row.Value, row.Fixed = strconv.FormatInt(n, 10), true
		row.Hint += " " + l.T("limits.fixed", "Name", "RESTANTE_"+strings.ToUpper(row.ID))
	}
	return row
}

// saveLimits takes the form of limits: all of it, or nothing where a field is wrong. An empty field takes a limit away.
func (s *Server) saveLimits(w http.ResponseWriter, r *http.Request, who *officer) error {
	if err := parseForm(r); err != nil {
		return err
	}
	b, ok := boundedOf(r.PostForm)
	if !ok {
		return badRequest("limits.nobody")
	}
	if err := s.setup.Reload(r.Context()); err != nil {
		return err
	}
	changes, wrong := s.limitChanges(r, who, b)
	if len(wrong) > 0 {
		return s.showLimits(w, r, who, b, limitsTyped{values: r.PostForm, wrong: wrong, problem: who.l.T("limits.wrong")})
	}
	if err := s.store.ChangeLimits(r.Context(), changes); err != nil {
		return err
	}
	if err := s.setup.Reload(r.Context()); err != nil {
		return err
	}
	words := who.l.T("limits.saved")
	if len(changes) == 0 {
		words = who.l.T("limits.same")
	}
	if err := s.say(r, who, words); err != nil {
		return err
	}
	return seeOther(w, r, adminPath(r.PostForm.Get("back")))
}

// limitChanges are what the form changes, each with its row of the audit, and the words for fields that are wrong.
func (s *Server) limitChanges(r *http.Request, who *officer, b boundedBy) (changes []store.LimitChange, wrong map[limits.Name]string) {
	wrong = map[limits.Name]string{}
	for _, v := range limits.All {
		was, name := r.PostForm["was_"+string(v.Name)], string(v.Name)
		if _, fixed := s.bounds.Fixed(v.Name); !r.PostForm.Has(name) || fixed && b.scope == limits.Site || slices.Contains(was, r.PostForm.Get(name)) {
			continue // left as it stood there: another admin may have changed it meanwhile
		}
		c := store.LimitChange{Entry: limits.Entry{Scope: b.scope, Of: b.of, Name: v.Name}}
		old, set := s.bounds.Set(b.scope, b.of, v.Name)
		text := strings.TrimSpace(r.PostForm.Get(name))
		var err error
		if c.Value, err = strconv.ParseInt(text, 10, 64); text == "" {
			c.Gone, err = true, nil
		} else if err == nil {
			err = c.Check()
		}
		switch {
		case errors.Is(err, limits.ErrSiteOnly):
			continue
		case err != nil:
			wrong[v.Name] = who.l.T("limits.range", "Least", who.l.Number(v.Least), "Most", who.l.Number(v.Most))
			continue
		case c.Gone && !set, !c.Gone && set && old == c.Value:
			continue
		}
		c.Audit = s.auditRow(r, who, "limit", c.Words(old, set, c.Gone), "ok")
		changes = append(changes, c)
	}
	return changes, wrong
}
