package message

import "strings"

// Verdict returns what the server called authserv says of a method ("dmarc", "spf", "dkim"): "pass", "fail" and the
// like, in lower case; "" when it says nothing. Only the topmost Authentication-Results counts, since anybody can
// write one below it, and of several results of a method the best (RFC 8601).
func (h Header) Verdict(authserv, method string) string {
	all := h.Values("Authentication-Results")
	if authserv == "" || len(all) == 0 {
		return ""
	}
	parts := strings.Split(uncommented(all[0]), ";")
	if id := strings.Fields(parts[0]); len(id) == 0 || !strings.EqualFold(id[0], authserv) {
		return ""
	}
	out := ""
	for _, part := range parts[1:] {
		words := strings.Fields(part)
		if len(words) == 0 {
			continue
		}
		name, value, _ := strings.Cut(strings.ToLower(words[0]), "=")
		name, _, _ = strings.Cut(name, "/") // a version
		if name == method && (out == "" || value == "pass") {
			out = value
		}
	}
	return out
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
