package document

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"restante/internal/limits"
	"restante/internal/store"
	"restante/mailclient/discover"
)

// Read is what admins have set by now. What the configuration sets is left out.
func Read(ctx context.Context, s *store.Store, fixed Fixed) (Document, error) {
	w, err := s.Whole(ctx)
	if err != nil {
		return Document{}, err
	}
	return read(w, fixed)
}

func read(w store.Whole, fixed Fixed) (d Document, err error) {
	if fixed.PublicURL == "" {
		d.PublicURL = w.Site[store.SitePublicURL]
	}
	for _, row := range w.Domains {
		if slices.Contains(fixed.Domains, row.Name) {
			continue
		}
		domain, err := discover.ParseDomain(row.Settings)
		if err != nil {
			return d, fmt.Errorf("the domain %s cannot be read: %w", row.Name, err)
		}
		d.Domains = append(d.Domains, domain)
	}
	for _, row := range w.Gone {
		if domain, err := discover.ParseDomain(row.Settings); err == nil { // what an older version wrote otherwise is new
			d.gone = append(d.gone, domain)
		}
	}
	for _, e := range w.Limits {
		if _, is := fixed.Limits[e.Name]; !is || e.Scope != limits.Site {
			d.Limits = append(d.Limits, e)
		}
	}
	for domain, p := range w.Senders {
		d.Senders = append(d.Senders, Senders{domain, p})
	}
	d.sort()
	return d, nil
}

// Change is one thing that a document changes. Lost says that something goes which people need: a domain, whose people
// cannot sign in any more, or the address of the site.
type Change struct {
	Words string
	Lost  bool
}

// Changes are what makes now into then, in words.
func Changes(now, then Document) []Change { return changesOf(now, then).words }

// ErrLost means that something would go that people need, and nobody said that it may.
var ErrLost = errors.New("something would go that people need")

// Apply makes a document hold: all of it, each change with its row in the audit, or nothing. Parse says what then is, of
// what is kept by now. ErrLost comes where something would be lost and lose is false. It gives what was changed, or would be.
func Apply(ctx context.Context, s *store.Store, fixed Fixed, parse func(now Document) (then Document, err error), lose bool) (done []Change, err error) {
	err = s.ChangeWhole(ctx, func(w store.Whole) (c store.WholeChange, err error) {
		now, err := read(w, fixed)
		if err != nil {
			return c, err
		}
		then, err := parse(now)
		if err != nil {
			return c, err
		}
		all := changesOf(now, then)
		done = all.words
		if !lose && slices.ContainsFunc(done, func(c Change) bool { return c.Lost }) {
			return c, ErrLost
		}
		return all.change, nil
	})
	return done, err
}

// changes are what becomes of what is kept, and the words for each.
type changes struct {
	change store.WholeChange
	words  []Change
}

func (c *changes) add(verb, object string, lost bool, words string) store.AuditRow {
	row := store.AuditRow{Who: "command line", Verb: verb, Object: object, Result: "ok"}
	c.words = append(c.words, Change{Words: words, Lost: lost})
	return row
}

func changesOf(now, then Document) *changes {
	c := &changes{}
	if now.PublicURL != then.PublicURL {
		words := fmt.Sprintf("the address of the site: %s → %s", orNone(now.PublicURL), orNone(then.PublicURL))
		c.change.Site = map[string]string{store.SitePublicURL: then.PublicURL}
		c.change.Audit = append(c.change.Audit, c.add("site", orNone(now.PublicURL)+" → "+orNone(then.PublicURL), then.PublicURL == "", words))
	}
	c.domains(now.Domains, then.Domains, now.gone)
	c.limits(now.Limits, then.Limits)
	c.senders(now.Senders, then.Senders)
	return c
}

func orNone(v string) string {
	if v == "" {
		return "none"
	}
	return v
}

// domains are what becomes of those that are there; gone are those that were.
func (c *changes) domains(now, then, gone []discover.Domain) {
	was := map[string]discover.Domain{}
	for _, d := range now {
		was[d.Name] = d
	}
	for _, d := range then {
		old, known := was[d.Name]
		delete(was, d.Name)
		told := fieldChanges(old, d)
		moved := ""
		if !d.Moved.Equal(old.Moved) && (known || slices.ContainsFunc(gone, func(g discover.Domain) bool { return g.Name == d.Name })) {
			moved = "; passwords go elsewhere: its people are told, and no other admin is asked"
		}
		if known && len(told) == 0 {
			continue
		}
		words := "the domain " + d.Name + ": "
		if !known {
			words = "the domain " + d.Name + " is new: "
		}
		c.change.Save = append(c.change.Save, store.Domain{Name: d.Name, Settings: d.Encode()})
		c.change.Audit = append(c.change.Audit, c.add("domain-save", d.Name+" "+strings.Join(told, ", "), false, words+strings.Join(told, ", ")+moved))
	}
	for _, name := range slices.Sorted(maps.Keys(was)) {
		c.change.Delete = append(c.change.Delete, name)
		c.change.Audit = append(c.change.Audit, c.add("domain-delete", name, true, "the domain "+name+" goes: its people cannot sign in any more"))
	}
}

// fieldChanges are what is another in a domain. What is a secret, or long, is not shown.
func fieldChanges(old, d discover.Domain) (out []string) {
	for _, f := range fields {
		from, to := f.get(old), f.get(d)
		switch {
		case from == to:
		case f.secret != nil || strings.Contains(from+to, "\n"):
			out = append(out, f.name+" is another")
		default:
			out = append(out, fmt.Sprintf("%s %s → %s", f.name, orNone(from), orNone(to)))
		}
	}
	return out
}

func (c *changes) limits(now, then []limits.Entry) {
	type key struct {
		limits.Scope
		of string
		limits.Name
	}
	was, stays := map[key]int64{}, map[key]bool{}
	for _, e := range now {
		was[key{e.Scope, e.Of, e.Name}] = e.Value
	}
	for _, e := range then {
		k := key{e.Scope, e.Of, e.Name}
		stays[k] = true
		if old, known := was[k]; !known || old != e.Value {
			c.limit(e, e.Words(old, known, false), false)
		}
	}
	for _, e := range now {
		if !stays[key{e.Scope, e.Of, e.Name}] {
			c.limit(e, e.Words(e.Value, true, true), true)
		}
	}
}

func (c *changes) limit(e limits.Entry, words string, gone bool) {
	row := c.add("limit", words, false, "limit "+words)
	c.change.Limits = append(c.change.Limits, store.LimitChange{Entry: e, Gone: gone, Audit: row})
}
