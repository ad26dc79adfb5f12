package document

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// reader reads a document, and goes on behind a fault to find the others.
type reader struct {
	lines   lines
	fixed   Fixed
	secrets Secrets
	now     Document
	faults  []Fault
}

// syntaxFault is what the TOML library says of a text; of a line with a secret not, for it shows what it stumbles over.
func syntaxFault(text string, err error) Fault {
	var parse toml.ParseError
	if !errors.As(err, &parse) {
		return Fault{Words: err.Error()}
	}
	f := Fault{Line: parse.Position.Line, Words: parse.Message}
	all := strings.Split(text, "\n")
	if at := min(f.Line, len(all)); at > 0 && strings.Contains(all[at-1], "secret") {
		f.Words = `this is no TOML (what stands here is not shown: it may be a secret). Wanted is "env:NAME", "file:/path" or "sealed:…"`
	}
	return f
}

// shown is a value of a document as a fault names it: no address that may hold a name, a password or a token.
func shown(v string) string {
	if strings.ContainsAny(v, "@?#") {
		return "what stands here"
	}
	return strconv.Quote(v)
}

// table is one of the document's. What is asked for is known; rest tells of what was not.
type table struct {
	*reader
	path   string
	values map[string]any
	known  []string
}

func (t *table) fault(name, words string, args ...any) {
	at := t.path
	if name != "" {
		at = below(t.path, name)
	}
	t.faults = append(t.faults, Fault{t.lines.of(at), fmt.Sprintf(words, args...)})
}

func (t *table) value(name string) (any, bool) {
	t.known = append(t.known, name)
	v, ok := t.values[name]
	return v, ok
}

func (t *table) text(name string) string {
	v, ok := t.value(name)
	s, is := v.(string)
	if ok && !is {
		t.fault(name, "%s: words in quotes are wanted", name)
	}
	return s
}

func (t *table) number(name string) (n int64, ok bool) {
	v, there := t.value(name)
	if n, ok = v.(int64); there && !ok {
		t.fault(name, "%s: a whole number is wanted, without quotes", name)
	}
	return n, ok
}

func (t *table) flag(name string) bool {
	v, there := t.value(name)
	on, is := v.(bool)
	if there && !is {
		t.fault(name, "%s: true or false is wanted, without quotes", name)
	}
	return on
}

func (t *table) table(name string) *table {
	v, ok := t.value(name)
	if !ok {
		return nil
	}
	values, is := v.(map[string]any)
	if !is {
		t.fault(name, "%s: a table is wanted, [%s]", name, below(t.path, name))
		return nil
	}
	return &table{reader: t.reader, path: below(t.path, name), values: values}
}

func (t *table) tables(name string) (out []*table) {
	v, ok := t.value(name)
	if !ok {
		return nil
	}
	if list, ok := v.([]any); ok && len(list) == 0 {
		return nil
	}
	list, is := v.([]map[string]any)
	if !is {
		t.fault(name, "%s: tables are wanted, each under [[%s]]", name, name)
	}
	for i, values := range list {
		out = append(out, &table{reader: t.reader, path: nth(below(t.path, name), i), values: values})
	}
	return out
}

func (t *table) names() []string { return slices.Sorted(maps.Keys(t.values)) }

// rest tells of what the document says and nobody asked for.
func (t *table) rest() {
	for _, name := range t.names() {
		if !slices.Contains(t.known, name) {
			t.fault(name, "%q is nothing that can be set here", name)
		}
	}
}
