package compose

import (
	"net/mail"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Recipients reads a list as a person types or pastes it: commas, semicolons and new lines separate,
// "Name <a@b>" and bare addresses mix. Doubles (same local part, same domain) are dropped.
// wrong holds what is no address, as it was typed.
func Recipients(s string) (list []Address, wrong []string) {
	seen := map[string]bool{}
	for _, piece := range split(s) {
		a, ok := one(piece)
		if !ok {
			wrong = append(wrong, piece)
			continue
		}
		if key := key(a.Addr); !seen[key] {
			seen[key] = true
			list = append(list, a)
		}
	}
	return list, wrong
}

// split cuts at separators outside of quotes, comments and angle brackets.
func split(s string) (out []string) {
	var b strings.Builder
	quoted, escaped, angle := false, false, false
	flush := func() {
		if t := strings.TrimSpace(b.String()); t != "" {
			out = append(out, t)
		}
		b.Reset()
		angle = false
	}
	for _, r := range s {
		switch {
		case r == '\n' || r == '\r' || r == ';' && !quoted || r == ',' && !quoted && !angle:
			quoted, escaped = false, false
			flush()
			continue
		case escaped:
			escaped = false
		case r == '\\':
			escaped = quoted
		case r == '"':
			quoted = !quoted
		case r == '<' && !quoted:
			angle = true
		case r == '>' && !quoted:
			angle = false
		}
		b.WriteRune(r)
	}
	flush()
	return out
}

func one(s string) (Address, bool) {
	s = strings.TrimPrefix(s, "mailto:")
	if a, err := mail.ParseAddress(s); err == nil {
		return Address{Name: clean(a.Name), Addr: a.Address}, Valid(a.Address)
	}
	name, rest, ok := strings.Cut(s, "<") // a name with specials that was not quoted
	if !ok {
		return Address{Addr: s}, Valid(s)
	}
	addr := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), ">"))
	return Address{Name: clean(strings.Trim(strings.TrimSpace(name), `"`)), Addr: addr}, Valid(addr)
}

func clean(name string) string {
	return strings.Join(strings.FieldsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }), " ")
}

// Valid says whether addr can be written to: local@domain by a strict grammar, at most 254 octets, no quoting,
// no address literal (SECURITY 5.2).
func Valid(addr string) bool {
	at := strings.LastIndexByte(addr, '@')
	if at < 1 || at > 64 || len(addr) > 254 || !utf8.ValidString(addr) {
		return false
	}
	local, domain := addr[:at], addr[at+1:]
	if strings.ContainsAny(local, " \t\r\n\x00\"(),:;<>@[\\]") || strings.HasPrefix(local, ".") || strings.HasSuffix(local, ".") || strings.Contains(local, "..") {
		return false
	}
	for _, r := range local {
		if r < 0x21 || r == 0x7f {
			return false
		}
	}
	ascii, err := idna.Lookup.ToASCII(domain)
	return err == nil && ascii != "" && !strings.HasPrefix(domain, ".")
}

// Envelope gives the address as SMTP sends it: the domain in ASCII (RFC 5891). utf8 says that SMTPUTF8 is needed all the same.
func Envelope(addr string) (out string, needsUTF8 bool) {
	at := strings.LastIndexByte(addr, '@')
	if at < 0 {
		return addr, false
	}
	domain, err := idna.Lookup.ToASCII(addr[at+1:])
	if err != nil {
		domain = addr[at+1:]
	}
	for _, r := range addr[:at] {
		needsUTF8 = needsUTF8 || r >= utf8.RuneSelf
	}
	return addr[:at] + "@" + domain, needsUTF8
}

func key(addr string) string {
	at := strings.LastIndexByte(addr, '@')
	return addr[:at] + strings.ToLower(addr[at:])
}

// Format writes a list as a form field holds it.
func Format(list []Address) string {
	parts := make([]string, len(list))
	for i, a := range list {
		parts[i] = a.String()
	}
	return strings.Join(parts, ", ")
}

// String is the address as a person types it: Name <a@b>, the name quoted where it must be.
func (a Address) String() string {
	if a.Name == "" {
		return a.Addr
	}
	if strings.ContainsAny(a.Name, `,;<>()@:"\[]`) {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(a.Name) + `" <` + a.Addr + ">"
	}
	return a.Name + " <" + a.Addr + ">"
}
