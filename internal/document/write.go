package document

import (
	"fmt"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"restante/internal/limits"
)

// Written is the document with what the configuration sets beside it, as comments. Equal ones are equal bytes.
func (d Document) Written(fixed Fixed) string {
	w := &writer{}
	w.line("# What admins of Restante set in the pages. `restante config check FILE` says what is wrong with it and what it")
	w.line("# would change, `restante config apply FILE` changes that. Secrets stand here by reference alone.")
	w.line("format = %d", format)
	if fixed.PublicURL != "" {
		w.line("# public_url = %s # by the configuration", quoted(fixed.PublicURL))
	}
	w.text("public_url", d.PublicURL)
	w.line("# discover = %s # by the configuration", quoted(fixed.Discover))
	for _, name := range slices.Sorted(slices.Values(fixed.Domains)) {
		w.line("# the domain %s is set up by the configuration", name)
	}
	w.limits(d.Limits, fixed)
	for _, s := range d.Senders {
		w.senders(s)
	}
	for _, domain := range d.Domains {
		w.line("\n[[domain]]")
		w.text("name", domain.Name)
		for _, f := range fields {
			v := f.get(domain)
			if f.secret != nil && v != "" {
				v = sealed + v
			}
			w.text(f.name, v)
		}
	}
	return w.b.String()
}

type writer struct{ b strings.Builder }

func (w *writer) line(format string, args ...any) { fmt.Fprintf(&w.b, format+"\n", args...) }

// text writes a key, unless there is nothing to say.
func (w *writer) text(key, v string) {
	if v != "" {
		w.line("%s = %s", key, quoted(v))
	}
}

// limits writes them table by table; those of the configuration are comments.
func (w *writer) limits(all []limits.Entry, fixed Fixed) {
	if len(all)+len(fixed.Limits) == 0 {
		return
	}
	w.line("\n[limits]")
	for _, l := range limits.All {
		if n, ok := fixed.Limits[l.Name]; ok {
			w.line("# %s = %d # by the configuration", l.Name, n)
		}
	}
	last := limits.Entry{Scope: limits.Site}
	for _, e := range all {
		if e.Scope != last.Scope || e.Of != last.Of {
			w.line("\n[%s]", toml.Key{"limits", string(e.Scope), e.Of})
			last = e
		}
		w.line("%s = %d", e.Name, e.Value)
	}
}

// quoted is a text as TOML has it: in lines of its own where it has some and nothing that needs to be escaped.
func quoted(v string) string {
	if strings.Contains(v, "\n") && strings.IndexFunc(v, func(r rune) bool { return r != '\n' && (r < ' ' || r > '~') || r == '\\' || r == '"' }) < 0 {
		return `"""` + "\n" + v + `"""`
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range v {
		switch {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
