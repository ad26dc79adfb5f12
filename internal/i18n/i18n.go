// Package i18n holds every text a person sees, in each shipped language, with
// plurals, dates, numbers and sizes. Start at For and Localizer.T.
package i18n

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/BurntSushi/toml"
	goi18n "github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

//go:embed catalog/*.toml
var catalogs embed.FS

// Pseudo is a right-to-left pseudo-language for tests.
const Pseudo = "qps-plocm"

// Languages are the shipped ones, English first.
var Languages = []string{"en", "de"}

// ids are the keys of the English catalogue: all there are.
var ids []string

var bundle = func() *goi18n.Bundle {
	b := goi18n.NewBundle(language.English)
	b.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	files, err := catalogs.ReadDir("catalog")
	if err != nil {
		panic(err) // embedded
	}
	for _, f := range files {
		loaded, err := b.LoadMessageFileFS(catalogs, path.Join("catalog", f.Name()))
		if err != nil {
			panic(err) // a broken catalogue is a programmer's error
		}
		if loaded.Tag == language.English {
			for _, m := range loaded.Messages {
				ids = append(ids, m.ID)
			}
		}
	}
	return b
}()

var matcher = language.NewMatcher([]language.Tag{language.English, language.German})

// Localizer speaks one language.
type Localizer struct {
	Lang string // BCP 47
	Dir  string // ltr or rtl
	loc  *goi18n.Localizer

	mu    sync.RWMutex
	plain map[string]string
}

var speakers = map[string]*Localizer{
	"en": speaker("en"), "de": speaker("de"),
	Pseudo: {Lang: Pseudo, Dir: "rtl", loc: goi18n.NewLocalizer(bundle, "en"), plain: map[string]string{}},
}

func speaker(lang string) *Localizer {
	return &Localizer{Lang: lang, Dir: "ltr", loc: goi18n.NewLocalizer(bundle, lang), plain: map[string]string{}}
}

// For gives the localizer for a person's setting ("" = none) or the browser's Accept-Language.
func For(setting, accept string) *Localizer {
	if l, ok := speakers[setting]; ok {
		return l
	}
	if strings.HasPrefix(accept, Pseudo) {
		return speakers[Pseudo]
	}
	tags, _, err := language.ParseAcceptLanguage(accept)
	if err != nil || len(tags) == 0 {
		return speakers["en"]
	}
	_, i, _ := matcher.Match(tags...)
	return speakers[Languages[i]]
}

// Knows says whether there is a text of this id: for ids that are made of what others wrote.
func Knows(id string) bool { return slices.Contains(ids, id) }

// Words are all texts whose id begins with prefix, by id: for scripts.
func (l *Localizer) Words(prefix string) map[string]string {
	out := map[string]string{}
	for _, id := range ids {
		if strings.HasPrefix(id, prefix) {
			out[id] = l.T(id)
		}
	}
	return out
}

// T gives the text of id. args are pairs of name and value for its {{.Name}}s; a pair "N" also picks the plural.
// A text missing in this language is given in English; an unknown id stands for itself.
func (l *Localizer) T(id string, args ...any) string {
	if len(args) == 0 {
		l.mu.RLock()
		s, ok := l.plain[id]
		l.mu.RUnlock()
		if ok {
			return s
		}
	}
	data := map[string]any{}
	conf := &goi18n.LocalizeConfig{MessageID: id, TemplateData: data}
	for i := 0; i+1 < len(args); i += 2 {
		name := fmt.Sprint(args[i])
		data[name] = args[i+1]
		if name == "N" {
			conf.PluralCount = fmt.Sprint(args[i+1]) // go-i18n takes no unsigned numbers
			data[name] = l.Number(args[i+1])
		}
	}
	s, err := l.loc.Localize(conf)
	if err != nil && s == "" {
		s = id
	}
	if l.Lang == Pseudo {
		s = "⟦" + s + "⟧"
	}
	if len(args) == 0 {
		l.mu.Lock()
		l.plain[id] = s
		l.mu.Unlock()
	}
	return s
}
