package message

import (
	"strings"
)

// Addresses reads the value of an address field (RFC 5322 3.4) as tolerantly as mail needs.
func Addresses(value string) []Address { return parseAddresses(value, hint{budget: newBudget()}) }

// addressScan reads one address field.
type addressScan struct {
	s       string
	i       int
	hint    hint
	out     []Address
	group   string
	inGroup bool
	members int    // of the open group
	open    int    // quotes and comments that were never closed: after some, none is looked for
	held    string // a phrase without address before a comma: half of "Miller, Jane <j@x>"
	piece   piece
}

// piece is what stands between two separators.
type piece struct {
	phrase   strings.Builder
	comments []string
	angle    string
	hasAngle bool
	quoted   bool
}

func parseAddresses(value string, h hint) []Address {
	if len(value) > maxHeader {
		value = value[:maxHeader]
	}
	a := addressScan{s: decodeRaw(value, h), hint: h} // raw bytes once for all, since escapes look like brackets
	for a.i < len(a.s) && len(a.out) < maxAddresses {
		a.step()
	}
	a.finish(false)
	a.endGroup()
	return a.out
}

func (a *addressScan) step() {
	switch c := a.s[a.i]; c {
	case '"':
		a.quotedString()
	case '(':
		a.comment()
	case '<':
		a.angle()
	case ',', '\n', '\r':
		a.i++
		a.finish(c == ',')
	case ';':
		a.i++
		a.finish(false)
		a.endGroup()
	case ':':
		a.colon()
	case '=':
		if _, n := wordAt(a.s[a.i:]); n > 0 { // opaque: a comma within separates nothing
			a.piece.phrase.WriteString(a.s[a.i : a.i+n])
			a.i += n
			return
		}
		fallthrough
	default:
		a.piece.phrase.WriteByte(c)
		a.i++
	}
}

// quotedString reads up to the closing quote. One that never closes is a letter like others.
func (a *addressScan) quotedString() {
	text, n := "", 0
	if a.open < 20 {
		text, n = unquote(a.s[a.i:])
	}
	if n == 0 {
		a.open++
		a.i++
		return
	}
	rest := strings.TrimLeft(a.s[a.i+n:], " \t")
	if strings.HasPrefix(a.s[a.i+n:], "@") || strings.HasPrefix(rest, "@") && !strings.Contains(text, "@") { // a quoted local part
		a.piece.phrase.WriteString(a.s[a.i : a.i+n])
	} else {
		a.piece.phrase.WriteString(text)
		a.piece.quoted = true
	}
	a.i += n
}

// unquote reads the quoted string that s begins with; n is its length, 0 when it never closes.
func unquote(s string) (text string, n int) {
	var out strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return out.String(), i + 1
		case '\\':
			if i+1 < len(s) {
				i++
			}
		}
		out.WriteByte(s[i])
	}
	return "", 0
}

func (a *addressScan) comment() {
	depth := 0
	start := a.i + 1
	for i := a.i; i < len(a.s) && a.open < 20; i++ {
		switch a.s[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				a.piece.comments = append(a.piece.comments, unescape(a.s[start:i]))
				a.piece.phrase.WriteByte(' ')
				a.i = i + 1
				return
			}
		}
	}
	a.open++
	a.piece.phrase.WriteByte('(')
	a.i++
}

func unescape(s string) string {
	if !strings.Contains(s, "\\") {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		out.WriteByte(s[i])
	}
	return out.String()
}

// angle reads "<addr>": doubled brackets, and one that never closes up to the next separator.
func (a *addressScan) angle() {
	i := a.i
	for i < len(a.s) && (a.s[i] == '<' || a.s[i] == ' ') {
		i++
	}
	end, quoted := i, false
	for ; end < len(a.s); end++ {
		c := a.s[end]
		if c == '\\' && quoted {
			end++
			continue
		}
		if c == '"' && (quoted || strings.Contains(a.s[end+1:], "\"")) {
			quoted = !quoted
		}
		if !quoted && (c == '>' || c == ',' && !routed(a.s[i:end]) || c == ';' || c == '<') {
			break
		}
	}
	end = min(end, len(a.s))
	text := a.s[i:end]
	for end < len(a.s) && a.s[end] == '>' {
		end++
	}
	a.i = end
	if a.piece.hasAngle && strings.Contains(a.piece.angle, "@") { // a second one without separator
		a.finish(false)
	}
	if a.piece.hasAngle { // "<Name> <a@b>"
		a.piece.phrase.WriteString(a.piece.angle)
	}
	a.piece.angle, a.piece.hasAngle = text, true
}

// routed says whether a comma may stand in a source route "@a,@b:c@d".
func routed(s string) bool {
	return len(s) < 1000 && strings.HasPrefix(s, "@") && !strings.Contains(s, ":")
}

// colon begins a group, or belongs to "mailto:" and the like.
func (a *addressScan) colon() {
	a.i++
	p := strings.TrimSpace(a.piece.phrase.String())
	switch {
	case len(p) > 500:
		a.piece.phrase.WriteByte(':')
	case strings.EqualFold(p, "mailto"):
		a.piece = piece{}
	case a.piece.hasAngle || p == "" || strings.Contains(p, "@"):
		a.piece.phrase.WriteByte(':')
	case a.inGroup || !a.groupAhead():
		a.piece.phrase.WriteByte(':')
	default:
		a.inGroup, a.members = true, 0
		a.group = strings.TrimSpace(decodeText(a.heldBefore(p), a.hint))
		a.piece = piece{}
	}
}

// groupAhead tells "Friends: a@b, c@d;" from a name with a colon in it: "Re: x <a@b>".
func (a *addressScan) groupAhead() bool {
	rest := a.s[a.i:]
	if strings.Contains(rest, ";") {
		return true
	}
	rest = strings.TrimSpace(rest)
	first, _, _ := strings.Cut(rest, ",")
	angle := strings.IndexByte(first, '<')
	return rest == "" || angle < 0 && strings.Contains(first, "@")
}

func (a *addressScan) heldBefore(p string) string {
	if a.held != "" {
		p = a.held + ", " + p
		a.held = ""
	}
	return p
}

func (a *addressScan) endGroup() {
	if a.inGroup && a.members == 0 {
		a.out = append(a.out, Address{Group: a.group})
	}
	a.inGroup, a.group = false, ""
}
