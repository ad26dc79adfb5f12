package message

import "strings"

// finish makes an address of the piece read so far. comma says that one ended it, so that it may be half a name.
func (a *addressScan) finish(comma bool) {
	p := a.piece
	a.piece = piece{}
	phrase := strings.TrimSpace(strings.ReplaceAll(p.phrase.String(), "\x00", ""))
	if p.hasAngle {
		a.addAngle(&p, phrase)
		return
	}
	switch {
	case phrase == "" && len(p.comments) == 0:
		return
	case strings.Contains(phrase, "@"):
		a.flushHeld()
		a.addBare(&p, phrase)
	case comma && !p.quoted && phrase != "" && len(a.held) < 500:
		if a.held != "" {
			phrase = a.held + ", " + phrase
		}
		a.held = phrase
	default:
		a.flushHeld()
		a.addNoHost(&p, phrase)
	}
}

func (a *addressScan) addAngle(p *piece, phrase string) {
	if a.held != "" {
		if phrase == "" {
			a.flushHeld()
		} else {
			phrase = a.heldBefore(phrase)
		}
	}
	addr := cleanAddr(p.angle)
	if addr == "" && strings.Contains(phrase, "@") { // "a@b <>"
		a.addBare(p, phrase)
		return
	}
	if addr == "" && phrase == "" && len(p.comments) == 0 {
		return
	}
	if !strings.Contains(addr, "@") && strings.Contains(phrase, "@") && !strings.Contains(strings.TrimSpace(phrase), " ") { // "a@b <Name>"
		a.add(a.name(p.angle, nil), cleanAddr(phrase))
		return
	}
	a.add(a.name(phrase, p.comments), addr)
}

// addBare reads "a@b", "a @ b", "Name a@b" and "a@b (Name)".
func (a *addressScan) addBare(p *piece, phrase string) {
	words := joinAts(strings.Fields(phrase))
	var name []string
	var addrs []string
	for _, w := range words {
		if strings.Contains(w, "@") && !strings.HasPrefix(w, "=?") {
			addrs = append(addrs, w)
		} else {
			name = append(name, w)
		}
	}
	if len(addrs) == 0 {
		a.addNoHost(p, phrase)
		return
	}
	for i, addr := range addrs {
		n := ""
		if i == 0 {
			n = a.name(strings.Join(name, " "), p.comments)
		}
		a.add(n, cleanAddr(addr))
	}
}

// joinAts joins "a", "@", "b" as RFC 822 allowed them to be written.
func joinAts(words []string) (out []string) {
	for _, w := range words {
		n := len(out)
		if n > 0 && out[n-1][0] == '"' && strings.Count(out[n-1], `"`) == 1 { // a quoted local part with a space
			out[n-1] += " " + w
			continue
		}
		if n > 0 && (w[0] == '@' || strings.HasSuffix(out[n-1], "@") || (w[0] == '.' || strings.HasSuffix(out[n-1], ".")) && strings.Contains(out[n-1], "@")) {
			out[n-1] += w
			continue
		}
		out = append(out, w)
	}
	return out
}

// addNoHost adds what has no address: a word is a local address, more is a name.
func (a *addressScan) addNoHost(p *piece, phrase string) {
	decoded := decodeText(phrase, a.hint)
	if decoded != phrase && strings.Contains(decoded, "@") { // the whole address was encoded
		inner := addressScan{s: decoded}
		for inner.i < len(inner.s) {
			inner.step()
		}
		inner.finish(false)
		if len(inner.out) == 1 && strings.Contains(inner.out[0].Addr, "@") {
			a.add(inner.out[0].Name, inner.out[0].Addr)
			return
		}
	}
	name := a.name(phrase, nil)
	if phrase == "" {
		name = a.name("", p.comments)
	}
	if decoded == phrase && !strings.ContainsAny(phrase, " \t") && !p.quoted && phrase != "" {
		a.add(a.name("", p.comments), phrase)
		return
	}
	a.add(name, "")
}

func (a *addressScan) flushHeld() {
	if a.held == "" {
		return
	}
	held := a.held
	a.held = ""
	for _, h := range strings.Split(held, ", ") {
		a.addNoHost(&piece{}, strings.TrimSpace(h))
	}
}

func (a *addressScan) add(name, addr string) {
	if name == "" && addr == "" || len(a.out) >= maxAddresses {
		return
	}
	if strings.EqualFold(name, addr) {
		name = ""
	}
	a.members++
	a.out = append(a.out, Address{Name: name, Addr: addr, Group: a.group})
}

// name decodes a display name; comments stand in for a missing one.
func (a *addressScan) name(phrase string, comments []string) string {
	s := strings.TrimSpace(decodeText(phrase, a.hint))
	if n := len(s); n > 1 && (s[0] == '\'' && s[n-1] == '\'' || s[0] == '"' && s[n-1] == '"') {
		s = strings.TrimSpace(s[1 : n-1])
	}
	s = strings.Join(strings.Fields(s), " ")
	if s == "" && len(comments) > 0 {
		return strings.TrimSpace(decodeText(strings.Join(comments, " "), a.hint))
	}
	return s
}

// cleanAddr drops source routes, "mailto:", blanks and brackets around an address, and comments within.
func cleanAddr(s string) string {
	s = strings.Trim(s, " \t<>\r\n")
	if len(s) > 7 && strings.EqualFold(s[:7], "mailto:") {
		s = s[7:]
	}
	if strings.HasPrefix(s, "@") { // RFC 5322 4.4: obs-route
		if i := strings.IndexByte(s, ':'); i > 0 {
			s = s[i+1:]
		}
	}
	if strings.Contains(s, "(") && strings.Contains(s, ")") && !strings.Contains(s, `"`) {
		s = dropComments(s)
	}
	if strings.HasPrefix(s, `"`) {
		if text, n := unquote(s); n == len(s) && strings.Contains(text, "@") { // "<"a@b">"
			s = text
		}
	} else if !strings.Contains(s, `"`) {
		s = strings.Join(strings.Fields(s), "")
	}
	if n := len(s); n > 1 && (s[0] == '\'' || s[0] == '"') && s[n-1] == s[0] {
		s = s[1 : n-1]
	}
	if strings.Contains(s, "=?") && !strings.Contains(s, "@") {
		s = decodeText(s, hint{})
	}
	return strings.TrimSpace(oneLine(decodeRaw(s, hint{})))
}
