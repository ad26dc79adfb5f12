package message

import (
	"slices"
	"strings"
)

// Verdict returns what the server called authserv says of a method ("dmarc", "spf", "dkim"): "pass", "fail" and the
// like, in lower case; "" when it says nothing. Only the topmost Authentication-Results counts, since anybody can
// write one below it, and of several results of a method the best (RFC 8601).
func (h Header) Verdict(authserv, method string) string {
	out := ""
	for _, r := range h.results(authserv) {
		if r.method == method && (out == "" || r.value == "pass") {
			out = r.value
		}
	}
	return out
}

// result is what a server found of one method; more are the words that it says of it, in lower case.
type result struct {
	method, value string
	more          []string
}

func (h Header) results(authserv string) (out []result) {
	all := h.Values("Authentication-Results")
	if authserv == "" || len(all) == 0 {
		return nil
	}
	parts := strings.Split(uncommented(all[0]), ";")
	if id := strings.Fields(parts[0]); len(id) == 0 || !strings.EqualFold(id[0], authserv) {
		return nil
	}
	for _, part := range parts[1:] {
		words := strings.Fields(strings.ToLower(part))
		if len(words) == 0 {
			continue
		}
		name, value, _ := strings.Cut(words[0], "=")
		name, _, _ = strings.Cut(name, "/") // a version
		out = append(out, result{name, value, words[1:]})
	}
	return out
}

// Signed says whether the server called authserv found a DKIM signature good that covers these fields, each of which
// stands in the mail once: a second one would be nobody's (RFC 6376 5.4.2).
func (h Header) Signed(authserv string, fields ...string) bool {
	for _, f := range fields {
		if len(h.Values(f)) != 1 {
			return false
		}
	}
	for _, r := range h.results(authserv) {
		if r.method != "dkim" || r.value != "pass" {
			continue
		}
		for _, signature := range h.Values("DKIM-Signature") {
			if tags := dkimTags(signature); r.isOf(tags) && covers(tags["h"], fields) {
				return true
			}
		}
	}
	return false
}

// isOf says whether a result is that of a signature: of its domain and, where the server tells it, of its first
// characters (RFC 6008).
func (r result) isOf(tags map[string]string) bool {
	domain := false
	for _, w := range r.more {
		name, value, _ := strings.Cut(w, "=")
		switch name {
		case "header.d":
			domain = strings.EqualFold(value, tags["d"])
		case "header.i":
			domain = domain || strings.HasSuffix(value, "@"+strings.ToLower(tags["d"]))
		case "header.b":
			if !strings.HasPrefix(strings.ToLower(tags["b"]), value) {
				return false
			}
		}
	}
	return domain && tags["d"] != ""
}

// dkimTags reads "d=example.org; h=from:to" (RFC 6376 3.2); white space within values means nothing in the tags read here.
func dkimTags(s string) map[string]string {
	tags := map[string]string{}
	for part := range strings.SplitSeq(s, ";") {
		if k, v, ok := strings.Cut(part, "="); ok {
			tags[strings.ToLower(strings.TrimSpace(k))] = strings.Join(strings.Fields(v), "")
		}
	}
	return tags
}

func covers(signed string, fields []string) bool {
	names := strings.Split(strings.ToLower(signed), ":")
	for _, f := range fields {
		if !slices.Contains(names, strings.ToLower(f)) {
			return false
		}
	}
	return true
}

// uncommented drops comments, which may be nested, and what stands in quotes.
func uncommented(s string) string {
	var b strings.Builder
	depth, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && (quoted || depth > 0):
			i++
		case c == '"' && depth == 0:
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case depth == 0:
			b.WriteByte(c)
		}
	}
	return b.String()
}
