// Package document is everything that admins set in the pages as one TOML document: it is written in one fixed order,
// so that equal states are equal bytes; it is read strictly, with every fault told by its line; and what it changes is
// said in words before it is done, all of it or nothing. What the configuration sets is not the document's: it stands
// there as a comment. A secret stands in it by reference alone. Start at Parse, Document.String and Apply; what is to be
// said of a domain is in fields.go.
package document

import (
	"fmt"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"restante/internal/config"
	"restante/internal/limits"
	"restante/mailclient/discover"
)

// Document is what admins have set.
type Document struct {
	PublicURL string            // "" is none
	Domains   []discover.Domain // by their names
	Limits    []limits.Entry    // in the order in which they are written
	Senders   []Senders         // by their domains
	gone      []discover.Domain // that were taken out, as they were: of what is kept alone
}

// Fixed is what the configuration sets, and pages and documents cannot.
type Fixed struct {
	PublicURL string
	Domains   []string
	Limits    limits.Set
	Discover  string // whether servers of other domains are looked for
}

// Fault is something in a document that cannot be. Line counts from 1; 0 is the whole.
type Fault struct {
	Line  int
	Words string
}

func (f Fault) String() string {
	if f.Line == 0 {
		return f.Words
	}
	return fmt.Sprintf("line %d: %s", f.Line, f.Words)
}

const (
	format  = 1
	maxText = 16 << 20 // bytes of a document
)

// Parse reads a document. Of one that is no TOML it tells the first fault, else all of them; without faults d is whole.
// What is kept of secrets is in now.
func Parse(text string, fixed Fixed, secrets Secrets, now Document) (d Document, faults []Fault) {
	if len(text) > maxText {
		return d, []Fault{{Words: fmt.Sprintf("a document has %d MB at most", maxText>>20)}}
	}
	raw := map[string]any{}
	if _, err := toml.Decode(text, &raw); err != nil {
		return d, []Fault{syntaxFault(text, err)}
	}
	if len(raw) == 0 { // a file that was cut off or never written would take every limit away
		return d, []Fault{{Words: fmt.Sprintf("nothing stands in it; what is exported has at least: format = %d", format)}}
	}
	r := &reader{lines: linesOf(text), fixed: fixed, secrets: secrets, now: now}
	d = r.document(raw)
	slices.SortStableFunc(r.faults, func(a, b Fault) int { return a.Line - b.Line })
	return d, r.faults
}

func (r *reader) document(raw map[string]any) (d Document) {
	top := table{reader: r, values: raw}
	if n, ok := top.number("format"); ok && n != format {
		top.fault("format", "this program reads format %d, not %d", format, n)
	}
	if v := top.text("public_url"); v != "" {
		public, ok := config.SiteURL(v)
		switch {
		case r.fixed.PublicURL != "":
			top.fault("public_url", "the configuration sets the address (RESTANTE_PUBLIC_URL): it is changed there; take this line out")
		case !ok:
			top.fault("public_url", "%s is not https:// or http:// and a host, without a path", shown(v))
		}
		d.PublicURL = public
	}
	if limit := top.table("limits"); limit != nil {
		d.Limits = r.limits(limit)
	}
	if senders := top.table("senders"); senders != nil {
		d.Senders = r.senders(senders)
	}
	for _, t := range top.tables("domain") {
		d.Domains = append(d.Domains, r.domain(t, d.Domains))
	}
	top.rest()
	d.sort()
	return d
}

func (d *Document) sort() {
	slices.SortFunc(d.Senders, func(a, b Senders) int { return strings.Compare(a.Domain, b.Domain) })
	slices.SortFunc(d.Domains, func(a, b discover.Domain) int { return strings.Compare(a.Name, b.Name) })
	at := func(e limits.Entry) int {
		return slices.IndexFunc(limits.All, func(l limits.Limit) bool { return l.Name == e.Name })
	}
	slices.SortFunc(d.Limits, func(a, b limits.Entry) int {
		if a.Scope != b.Scope {
			return slices.Index(scopes, a.Scope) - slices.Index(scopes, b.Scope)
		}
		if a.Of != b.Of {
			return strings.Compare(a.Of, b.Of)
		}
		return at(a) - at(b)
	})
}

var scopes = []limits.Scope{limits.Site, limits.Domain, limits.Person}

// limits reads the limits of the site, and in the tables domain and person those of each.
func (r *reader) limits(t *table) (out []limits.Entry) {
	out = r.limitsOf(t, limits.Site, "")
	for _, scope := range scopes[1:] {
		each := t.table(string(scope))
		if each == nil {
			continue
		}
		before := map[string]bool{}
		for _, name := range each.names() {
			of, ok := limits.Whose(scope, name)
			if !ok {
				each.fault(name, "%q is no %s", name, map[limits.Scope]string{limits.Domain: "domain", limits.Person: "mail address"}[scope])
			}
			if ok && before[of] {
				each.fault(name, "the limits of %s stand here twice", of)
			}
			before[of] = true
			if own := each.table(name); own != nil {
				out = append(out, r.limitsOf(own, scope, of)...)
				own.rest()
			}
		}
	}
	t.rest()
	return out
}

func (r *reader) limitsOf(t *table, scope limits.Scope, of string) (out []limits.Entry) {
	for _, l := range limits.All {
		n, ok := t.number(string(l.Name))
		if !ok {
			continue
		}
		e := limits.Entry{Scope: scope, Of: of, Name: l.Name, Value: n}
		if err := e.Check(); err != nil {
			t.fault(string(l.Name), "%v", err)
		}
		if _, fixed := r.fixed.Limits[l.Name]; fixed && scope == limits.Site {
			t.fault(string(l.Name), "the configuration sets this limit (RESTANTE_%s): it is changed there; take this line out", strings.ToUpper(string(l.Name)))
		}
		out = append(out, e)
	}
	return out
}

func (r *reader) domain(t *table, before []discover.Domain) (d discover.Domain) {
	name := t.text("name")
	ascii, ok := discover.HostName(name)
	d.Name = ascii
	same := func(o discover.Domain) bool { return o.Name == ascii }
	switch {
	case name == "":
		t.fault("", "a domain has a name")
	case !ok:
		t.fault("name", "%q is no domain", name)
	case slices.ContainsFunc(before, same):
		t.fault("name", "the domain %s stands here twice", ascii)
	case slices.Contains(r.fixed.Domains, ascii):
		t.fault("name", "the configuration sets the domain %s up: it is changed there; take it out here", ascii)
	}
	var old discover.Domain
	if i := slices.IndexFunc(r.now.Domains, same); i >= 0 {
		old = r.now.Domains[i]
	}
	faults := len(r.faults)
	for _, f := range fields {
		v := t.text(f.name)
		if f.secret != nil && v != "" {
			var err error
			if v, err = r.secrets.kept(v, f.get(old), *f.secret, ascii); err != nil {
				t.fault(f.name, "%v", err)
				continue
			}
		}
		if err := f.set(&d, v); err != nil {
			t.fault(f.name, "%v", err)
		}
	}
	if err := d.Check(); err != nil && len(r.faults) == faults && ok {
		t.fault("name", "the domain %s: %v", ascii, err)
	}
	t.rest()
	if i := slices.IndexFunc(r.now.gone, same); i >= 0 {
		old = r.now.gone[i]
	}
	keepSources(&d, old)
	return d
}
