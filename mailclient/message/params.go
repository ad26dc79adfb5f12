package message

import (
	"strconv"
	"strings"
)

// parseParams reads "value; name=x; name*0*=..." (RFC 2045 5.1, RFC 2231) as it is found: the value in lower case,
// the parameters by lower-case name, decoded.
func parseParams(v string, h hint) (value string, params map[string]string) {
	value, raw := splitParams(v)
	return value, mergeParams(raw, h)
}

// param is one parameter before continuations are joined.
type param struct {
	name, value string
	quoted      bool
}

func splitParams(v string) (value string, raw []param) {
	end := strings.IndexAny(v, "; \t(,")
	if end < 0 {
		end = len(v)
	}
	value = strings.ToLower(strings.Trim(v[:end], " \t\"'"))
	if strings.Contains(value, "=") { // no value at all: "name=x", "; charset=y"
		value, end = "", 0
	}
	if rest := strings.TrimLeft(v[end:], " \t"); strings.HasPrefix(rest, "/") && !strings.Contains(value, "/") { // "text /plain"
		sub, _, _ := strings.Cut(rest[1:], ";")
		value += "/" + strings.ToLower(strings.TrimSpace(sub))
		end = len(v) - len(rest) + 1 + len(sub)
	}
	for i := end; i < len(v) && len(raw) < maxParams; {
		p, next := nextParam(v, i)
		if p.name != "" {
			raw = append(raw, p)
		}
		i = next
	}
	return value, raw
}

// nextParam reads one parameter from i on; its name is "" when there is none.
func nextParam(v string, i int) (p param, next int) {
	for i < len(v) && (isSpace(v[i]) || v[i] == ';' || v[i] == ',') {
		i++
	}
	if i < len(v) && v[i] == '(' { // a comment
		if j := strings.IndexByte(v[i:], ')'); j > 0 {
			return p, i + j + 1
		}
	}
	start := i
	for i < len(v) && v[i] != '=' && v[i] != ';' {
		i++
	}
	name := strings.TrimSpace(v[start:i])
	if i >= len(v) || v[i] == ';' {
		return p, i
	}
	if j := strings.LastIndexAny(name, " \t,("); j >= 0 { // junk, or a missing separator, before the name
		name = name[j+1:]
	}
	p.name = strings.ToLower(strings.Trim(name, `"'`))
	i++
	for i < len(v) && isSpace(v[i]) {
		i++
	}
	if i < len(v) && v[i] == '"' {
		return quotedParam(p, v, i)
	}
	end := bareEnd(v, i)
	p.value = strings.TrimSpace(v[i:end])
	if n := len(p.value); n > 1 && p.value[0] == '\'' && p.value[n-1] == '\'' {
		p.value = p.value[1 : n-1]
	}
	return p, end
}

// quotedParam reads a quoted value. One that never closes goes up to the next "; name=".
func quotedParam(p param, v string, i int) (param, int) {
	p.quoted = true
	var out strings.Builder
	path := windowsPath(v[i+1:])
	for j := i + 1; j < len(v); j++ {
		switch c := v[j]; {
		case c == '"' && (j+1 == len(v) || closesParam(v[j+1:])):
			p.value = out.String()
			return p, j + 1
		case c == '\\' && j+1 < len(v) && !(path && v[j+1] != '"' && v[j+1] != '\\'):
			j++
			out.WriteByte(v[j])
		default:
			out.WriteByte(c)
		}
	}
	end := bareEnd(v, i+1)
	p.value = strings.Trim(v[i+1:end], "\" \t")
	return p, end
}

// closesParam says whether a quote before rest closes a value, rather than standing in a name such as a "b" c.
func closesParam(rest string) bool {
	rest = strings.TrimLeft(rest, " \t")
	if rest == "" || rest[0] == ';' || rest[0] == ',' || rest[0] == '(' {
		return true
	}
	name, _, ok := strings.Cut(rest[:min(len(rest), 40)], "=") // the separator is missing
	return ok && isParamName(strings.TrimSpace(name)) || !strings.Contains(rest, `"`)
}

func isParamName(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '*' || c == '_') {
			return false
		}
	}
	return s != ""
}

// windowsPath says whether a backslash is a path's: "C:\x" or "\\server\x".
func windowsPath(s string) bool {
	return len(s) > 2 && s[1] == ':' && s[2] == '\\' && (len(s) < 4 || s[3] != '\\') || strings.HasPrefix(s, `\\`) && !strings.HasPrefix(s, `\\\\`)
}

// bareEnd finds where an unquoted value ends: at a semicolon that a parameter or nothing follows, or at
// white space before the next "name=".
func bareEnd(v string, i int) int {
	looks := 0
	for j := i; j < len(v); j++ {
		switch v[j] {
		case ';':
			if looks++; looks > 200 || startsParam(v[j+1:]) {
				return j
			}
		case ' ', '\t':
			if looks++; looks > 200 {
				continue
			}
			if name, _, ok := strings.Cut(v[j+1:min(len(v), j+41)], "="); ok && knownParam(name) {
				return j
			}
		}
	}
	return len(v)
}

func startsParam(rest string) bool {
	rest = strings.TrimLeft(rest, " \t;")
	if rest == "" || rest[0] == '(' {
		return true
	}
	name, _, ok := strings.Cut(rest[:min(len(rest), 60)], "=")
	return ok && isParamName(strings.TrimSpace(name))
}

func knownParam(name string) bool {
	name, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(name)), "*")
	switch name {
	case "name", "filename", "charset", "boundary", "format", "type", "size", "x-mac-type", "x-mac-creator", "delsp", "creation-date", "modification-date":
		return true
	}
	return false
}

// mergeParams joins the continuations of RFC 2231 and decodes values. Of "name" and "name*" the starred one counts.
func mergeParams(raw []param, h hint) map[string]string {
	out := map[string]string{}
	starred := map[string][]param{}
	for _, p := range raw {
		base, rest, ok := strings.Cut(p.name, "*")
		if ok && base != "" {
			starred[base] = append(starred[base], param{name: rest, value: p.value})
			continue
		}
		if _, doubled := out[p.name]; !doubled && p.value != "" {
			out[p.name] = decodeParam(p.value, h)
		}
	}
	for base, pieces := range starred {
		if v := join2231(pieces, h); v != "" {
			out[base] = v
		}
	}
	return out
}

// decodeParam decodes a plain value: encoded-words, and charset'lang'text where the star was forgotten.
func decodeParam(v string, h hint) string {
	if cs, rest, ok := strings.Cut(v, "'"); ok && isParamName(cs) && strings.Contains(rest, "%") {
		if lang, text, ok := strings.Cut(rest, "'"); ok && len(lang) < 12 && (encodingFor(cs) != nil || charsetKey(cs) == "utf8") {
			if s, ok := decodeLabelled(unpercent(text), cs); ok {
				return oneLine(s)
			}
		}
	}
	return strings.TrimSpace(decodeText(v, h))
}

// join2231 joins pieces "0*", "1", "2*" in the order of their numbers and decodes them as one.
func join2231(pieces []param, h hint) string {
	byNumber := map[int]param{}
	last := -1
	for i, p := range pieces {
		n, err := strconv.Atoi(strings.TrimSuffix(p.name, "*"))
		if err != nil || n < 0 || n >= maxParams {
			n = i
			if p.name == "" {
				n = 0
			}
		}
		if _, doubled := byNumber[n]; doubled {
			continue
		}
		byNumber[n] = p
		last = max(last, n)
	}
	var all []byte
	charset, encoded, first := "", false, true
	for n := 0; n <= last; n++ {
		p, ok := byNumber[n]
		if !ok {
			continue
		}
		star := p.name == "" || strings.HasSuffix(p.name, "*")
		v := p.value
		if first {
			if cs, rest, ok := strings.Cut(v, "'"); ok && (star || strings.Contains(rest, "'")) && len(cs) < 40 {
				if _, text, ok := strings.Cut(rest, "'"); ok {
					charset, v, encoded = cs, text, true
				}
			}
			first = false
		}
		if star || encoded && strings.Contains(v, "%") { // later pieces forget the star
			all = append(all, unpercent(v)...)
			encoded = true
		} else {
			all = append(all, v...)
		}
	}
	if text, ok := decodeLabelled(all, charset); ok && charset != "" {
		return oneLine(text)
	}
	return strings.TrimSpace(oneLine(decodeWords(string(all), hint{charset, h.budget})))
}

func unpercent(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
			out = append(out, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
			continue
		}
		out = append(out, s[i])
	}
	return out
}
