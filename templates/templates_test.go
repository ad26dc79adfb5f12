package templates_test

import (
	"bytes"
	"errors"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"restante/internal/i18n"
	"restante/templates"
)

// pages are all there are.
var pages = []templates.Page{
	&templates.Login{}, &templates.Error{}, &templates.Mail{}, &templates.Compose{}, &templates.Outbox{}, &templates.Thrown{}, &templates.Folders{}, &templates.Settings{},
	&templates.Help{}, &templates.Leave{}, &templates.Print{}, &templates.FilePage{}, &templates.AttachPage{},
	&templates.AdminLogin{}, &templates.AdminAccount{}, &templates.SetupLink{}, &templates.Setup{}, &templates.AdminOverview{}, &templates.AdminDomains{}, &templates.AdminDomainPage{},
	&templates.AdminPeople{}, &templates.AdminSessions{}, &templates.AdminAudit{}, &templates.AdminHealth{}, &templates.AdminJobs{}, &templates.AdminDrop{}, &templates.AdminSite{}, &templates.AdminLimits{}, &templates.AdminSenders{}, &templates.AdminPersonPage{},
}

var languages = []string{"en", "de", i18n.Pseudo}

// TestEveryPageStandsFullAndEmpty executes each page with everything and with nothing in it, in each language.
func TestEveryPageStandsFullAndEmpty(t *testing.T) {
	for _, lang := range languages {
		for _, p := range pages {
			for _, full := range []bool{false, true} {
				kind := reflect.TypeOf(p).Elem()
				name := lang + " " + kind.Name() + map[bool]string{true: " full", false: " empty"}[full]
				t.Run(name, func(t *testing.T) {
					v := reflect.New(kind)
					fill(v.Elem(), i18n.For(lang, ""), full, 0)
					looksRight(t, v.Interface().(templates.Page), lang)
				})
			}
		}
	}
}

// TestFoldingChangesNothing: a page is the same, to the byte, as its templates give when nothing is worked out before.
func TestFoldingChangesNothing(t *testing.T) {
	for _, lang := range languages {
		for _, p := range pages {
			for _, full := range []bool{false, true} {
				v := reflect.New(reflect.TypeOf(p).Elem())
				fill(v.Elem(), i18n.For(lang, ""), full, 0)
				var folded, plain bytes.Buffer
				if err := errors.Join(templates.Render(&folded, v.Interface().(templates.Page)), templates.RenderUnfolded(&plain, v.Interface().(templates.Page))); err != nil {
					t.Fatal(err)
				}
				if folded.String() != plain.String() {
					t.Errorf("%s %s, full %v: folding changed the page", lang, v.Elem().Type().Name(), full)
				}
			}
		}
	}
}

// foreign is what a stranger would like to see in a page.
const foreign = `<script>alert(1)</script>"'` + "`><img src=x onerror=alert(1)> javascript:alert(1)"

// fill puts something into every field, or only the language and what a page cannot be without.
func fill(v reflect.Value, l *i18n.Localizer, full bool, depth int) {
	switch {
	case v.Type() == reflect.TypeOf(l):
		v.Set(reflect.ValueOf(l))
		return
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i), l, full, depth+1)
			}
		}
		return
	case !full && depth > 0 || depth > 8:
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), l, full, depth+1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), l, full, depth+1)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
	case reflect.String:
		v.SetString(foreign)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(3)
	case reflect.Uint, reflect.Uint32, reflect.Uint64:
		v.SetUint(3)
	case reflect.Float64:
		v.SetFloat(3)
	}
}

func looksRight(t *testing.T, p templates.Page, lang string) {
	var b bytes.Buffer
	if err := templates.Render(&b, p); err != nil {
		t.Fatal(err)
	}
	doc, err := html.Parse(&b)
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for n := range doc.Descendants() {
		switch n.Type {
		case html.TextNode:
			resolved(t, n.Data)
		case html.ElementNode:
			element(t, n)
			if id := attrOf(n, "id"); id != "" && !strings.HasSuffix(id, foreign) {
				if ids[id] && !strings.HasSuffix(id, "3") { // of things in a list, which have the same number here
					t.Errorf("the id %q stands twice", id)
				}
				ids[id] = true
			}
			if n.Data == "html" && attrOf(n, "lang") != lang {
				t.Errorf("lang is %q", attrOf(n, "lang"))
			}
		}
	}
}

func attrOf(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

var (
	key      = regexp.MustCompile(`^⟦?[a-z]+(\.[a-z0-9]+)+⟧?$`)
	hole     = regexp.MustCompile(`\{\{|<no value>|%!|ZgotmplZ`)
	notAText = map[string]bool{"restante.html": true}
)

func resolved(t *testing.T, s string) {
	t.Helper()
	s = strings.TrimSpace(s)
	if key.MatchString(s) && !notAText[s] {
		t.Errorf("the text %q was not found in the catalogue", s)
	}
	if hole.MatchString(s) {
		t.Errorf("%q has a hole", s)
	}
}

// element looks at one element: no script of its own, no style, no handler, no foreign markup.
func element(t *testing.T, n *html.Node) {
	if n.Data == "script" && n.FirstChild != nil && attrOf(n, "type") != "application/json" {
		t.Errorf("an inline script: %s", n.FirstChild.Data)
	}
	if n.Data == "script" && attrOf(n, "src") == "" && n.FirstChild == nil || n.Data == "style" {
		t.Errorf("a %s in the page", n.Data)
	}
	for _, a := range n.Attr {
		name := strings.ToLower(a.Key)
		switch {
		case strings.HasPrefix(name, "on"), strings.HasPrefix(name, "hx-on"), name == "style", name == "hx-vals" && strings.Contains(a.Val, "js:"):
			t.Errorf("<%s> has %s=%q", n.Data, a.Key, a.Val)
		case (name == "href" || name == "src" || name == "action" || name == "formaction") && strings.HasPrefix(strings.TrimSpace(strings.ToLower(a.Val)), "javascript:"):
			t.Errorf("<%s> has %s=%q", n.Data, a.Key, a.Val)
		case name == "aria-label" || name == "title" || name == "placeholder" || name == "alt":
			resolved(t, a.Val)
		}
	}
	if n.Data == "img" && strings.Contains(attrOf(n, "src"), "onerror") && attrOf(n, "onerror") != "" {
		t.Error("foreign markup became an element")
	}
}
