package i18n_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"restante/internal/i18n"
)

// catalogue is a language's texts by id and plural form; "" is the form of a text without plurals.
func catalogue(t *testing.T, lang string) map[string]map[string]string {
	t.Helper()
	var raw map[string]any
	if _, err := toml.DecodeFile("catalog/active."+lang+".toml", &raw); err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string]string{}
	for id, v := range raw {
		out[id] = map[string]string{}
		switch v := v.(type) {
		case string:
			out[id][""] = v
		case map[string]any:
			for form, text := range v {
				out[id][form], _ = text.(string)
			}
		}
	}
	return out
}

var hole = regexp.MustCompile(`\{\{\s*\.(\w+)\s*\}\}`)

func holes(s string) []string {
	var out []string
	for _, m := range hole.FindAllStringSubmatch(s, -1) {
		out = append(out, m[1])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// TestGermanSaysWhatEnglishSays: the same ids, plural forms and holes; nothing empty.
func TestGermanSaysWhatEnglishSays(t *testing.T) {
	en, de := catalogue(t, "en"), catalogue(t, "de")
	for id, forms := range en {
		other, ok := de[id]
		if !ok {
			t.Errorf("German lacks %q", id)
			continue
		}
		for form, text := range forms {
			german, ok := other[form]
			switch {
			case !ok:
				t.Errorf("German %q lacks the form %q", id, form)
			case strings.TrimSpace(text) == "" || strings.TrimSpace(german) == "":
				t.Errorf("%q is empty", id)
			case !slices.Equal(holes(text), holes(german)):
				t.Errorf("%q %s has the holes %v in English, %v in German", id, form, holes(text), holes(german))
			}
		}
	}
	for id, forms := range de {
		for form := range forms {
			if _, ok := en[id][form]; !ok {
				t.Errorf("German has %q %s, English has not", id, form)
			}
		}
	}
}

var (
	asked = regexp.MustCompile(`\bT\("([a-z0-9.]+)"|\b[kK]ey: *"([a-z0-9.]+)"|badRequest\("([a-z0-9.]+)"|Status\w+, "([a-z]+\.[a-z0-9.]+)"|\bt "([a-z0-9.]+)"`)
	byJS  = regexp.MustCompile(`\bt\("([a-z0-9.]+)"`)
	begun = regexp.MustCompile(`"([a-z]+\.(?:[a-z0-9]+\.)*)"\s*\+|printf "([a-z]+\.(?:[a-z0-9]+\.)*)%|` + "`([a-z]+\\.(?:[a-z0-9]+\\.)*)\\$\\{")
	some  = regexp.MustCompile("[\"'`]([a-z]+(?:\\.[a-z0-9]+)*)[\"'`]")
)

// source is what the program is made of, without its tests and catalogues.
func source(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir("../..", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "vendor" || d.Name() == "node_modules" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && len(d.Name()) > 2) {
			return filepath.SkipDir
		}
		ext := filepath.Ext(p)
		if ext != ".go" && ext != ".html" && ext != ".js" || strings.HasSuffix(p, "_test.go") {
			return nil
		}
		b, err := os.ReadFile(p)
		out[p] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEveryTextThatIsAskedForExistsAndEachIsAskedFor(t *testing.T) {
	en := catalogue(t, "en")
	used, prefixes := map[string]bool{}, map[string]bool{}
	for file, text := range source(t) {
		found, before := asked.FindAllStringSubmatch(text, -1), ""
		if filepath.Ext(file) == ".js" {
			found, before = byJS.FindAllStringSubmatch(text, -1), "js."
		}
		for _, m := range found {
			id := before + strings.Join(m[1:], "")
			if _, ok := en[id]; !ok && !strings.HasSuffix(id, ".") {
				t.Errorf("%s asks for %q, which is in no catalogue", strings.TrimPrefix(file, "../../"), id)
			}
		}
		for _, m := range some.FindAllStringSubmatch(text, -1) {
			used[m[1]] = true
		}
		for _, m := range begun.FindAllStringSubmatch(text, -1) {
			prefixes[strings.Join(m[1:], "")] = true
		}
	}
	for id := range en {
		parent := id[:max(strings.LastIndexByte(id, '.'), 0)]
		if used[id] || strings.HasPrefix(id, "settings.") && used[parent] || used[strings.TrimSuffix(id, ".next")] && strings.HasSuffix(id, ".next") || used[strings.TrimPrefix(id, "js.")] {
			continue
		}
		open := false
		for p := range prefixes {
			open = open || strings.HasPrefix(id, p)
		}
		if !open {
			t.Errorf("nothing asks for %q", id)
		}
	}
}

func TestNumbersOfEveryKindHaveTheirPlural(t *testing.T) {
	l := i18n.For("en", "")
	for _, n := range []any{2, int64(2), uint32(2), uint64(2)} {
		if got := l.T("folder.unread", "N", n); got != "2 unread" {
			t.Errorf("%T: %q", n, got)
		}
	}
	if got := l.T("list.selectall", "N", uint32(1), "Folder", "Inbox"); got != "The one message in Inbox" {
		t.Errorf("%q", got)
	}
}

// TestScriptsFillTheirOwnHoles: what the server fills in would be nothing, and what English leaves open German does too.
func TestScriptsFillTheirOwnHoles(t *testing.T) {
	open := regexp.MustCompile(`\{\w+\}`)
	en, de := i18n.For("en", "").Words("js."), i18n.For("de", "").Words("js.")
	for id, text := range en {
		if strings.Contains(text+de[id], "no value") {
			t.Errorf("%s: %q, %q", id, text, de[id])
		}
		mine, theirs := open.FindAllString(text, -1), open.FindAllString(de[id], -1)
		slices.Sort(mine)
		slices.Sort(theirs)
		if !slices.Equal(mine, theirs) {
			t.Errorf("%s leaves open %q in English, %q in German", id, mine, theirs)
		}
	}
}
