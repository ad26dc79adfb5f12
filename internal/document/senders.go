package document

import (
	"fmt"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"restante/internal/limits"
	"restante/internal/store"
)

// Senders is what is said of the sender addresses of a domain's people.
type Senders struct {
	Domain string
	store.Policy
}

// senderTexts and senderFlags are its settings, in the order in which they are written.
var (
	senderTexts = []struct {
		name string
		most int // bytes
		of   func(*store.Policy) *string
	}{
		{"lock", store.MaxPolicyLine, func(p *store.Policy) *string { return &p.Lock }},
		{"name", store.MaxPolicyLine, func(p *store.Policy) *string { return &p.Name }},
		{"organization", store.MaxPolicyLine, func(p *store.Policy) *string { return &p.Organization }},
		{"signature", store.MaxPolicyText, func(p *store.Policy) *string { return &p.Signature }},
		{"signature_html", store.MaxPolicyHTML, func(p *store.Policy) *string { return &p.SignHTML }},
		{"footer", store.MaxPolicyText, func(p *store.Policy) *string { return &p.Footer }},
		{"footer_html", store.MaxPolicyHTML, func(p *store.Policy) *string { return &p.FooterHTML }},
	}
	senderFlags = []struct {
		name string
		of   func(*store.Policy) *bool
	}{
		{"no_tags", func(p *store.Policy) *bool { return &p.NoTags }},
		{"no_any", func(p *store.Policy) *bool { return &p.NoAny }},
	}
)

// senders reads the tables [senders."example.org"].
func (r *reader) senders(t *table) (out []Senders) {
	for _, name := range t.names() {
		domain, ok := limits.Whose(limits.Domain, name)
		if !ok {
			t.fault(name, "%q is no domain", name)
		}
		if slices.ContainsFunc(out, func(s Senders) bool { return s.Domain == domain }) {
			t.fault(name, "the sender addresses of %s stand here twice", domain)
		}
		own := t.table(name)
		if own == nil {
			continue
		}
		s := Senders{Domain: domain}
		for _, f := range senderTexts {
			v := own.text(f.name)
			switch {
			case len(v) > f.most:
				own.fault(f.name, "%s has %d bytes at most", f.name, f.most)
			case strings.ContainsRune(v, 0) || f.most == store.MaxPolicyLine && strings.ContainsAny(v, "\r\n"):
				own.fault(f.name, "%s is one line of text", f.name)
			}
			*f.of(&s.Policy) = v
		}
		for _, f := range senderFlags {
			*f.of(&s.Policy) = own.flag(f.name)
		}
		if s.Lock != "" && s.Lock != store.LockAddresses && s.Lock != store.LockAll {
			own.fault("lock", "%s is not %s or %s", shown(s.Lock), store.LockAddresses, store.LockAll)
		}
		for _, pair := range [][3]string{{s.Signature, s.SignHTML, "signature"}, {s.Footer, s.FooterHTML, "footer"}} {
			if pair[0] == "" && pair[1] != "" {
				own.fault(pair[2]+"_html", "%s is missing: mail in plain text has it", pair[2])
			}
		}
		own.rest()
		if s.Policy != (store.Policy{}) {
			out = append(out, s)
		}
	}
	return out
}

func (w *writer) senders(s Senders) {
	w.line("\n[%s]", toml.Key{"senders", s.Domain})
	for _, f := range senderFlags {
		if *f.of(&s.Policy) {
			w.line("%s = true", f.name)
		}
	}
	for _, f := range senderTexts {
		w.text(f.name, *f.of(&s.Policy))
	}
}

func (c *changes) senders(now, then []Senders) {
	of := func(list []Senders) map[string]store.Policy {
		out := map[string]store.Policy{}
		for _, s := range list {
			out[s.Domain] = s.Policy
		}
		return out
	}
	was, will := of(now), of(then)
	var domains []string
	for _, s := range slices.Concat(now, then) {
		domains = append(domains, s.Domain)
	}
	slices.Sort(domains)
	for _, domain := range slices.Compact(domains) {
		old, p := was[domain], will[domain]
		var told []string
		for _, f := range senderTexts {
			switch from, to := *f.of(&old), *f.of(&p); {
			case from == to:
			case f.most > store.MaxPolicyLine:
				told = append(told, f.name+" is another")
			default:
				told = append(told, fmt.Sprintf("%s %s → %s", f.name, orNone(from), orNone(to)))
			}
		}
		for _, f := range senderFlags {
			if from, to := *f.of(&old), *f.of(&p); from != to {
				told = append(told, fmt.Sprintf("%s %t → %t", f.name, from, to))
			}
		}
		if len(told) == 0 {
			continue
		}
		if c.change.Senders == nil {
			c.change.Senders = map[string]store.Policy{}
		}
		c.change.Senders[domain] = p
		words := strings.Join(told, ", ")
		c.change.Audit = append(c.change.Audit, c.add("senders", domain+": "+words, false, "sender addresses of "+domain+": "+words))
	}
}
