package compose

import (
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// Recipients reads a list as a person types or pastes it: addresses with names or without, between commas, semicolons,
// new lines, tabs or mere spaces; "Last, First <a@b>", groups, mailto: links, and tables with a person a line. Doubles
// (same local part, same domain) are dropped. wrong holds what is no address, as it was typed. static/js/addresses.js
// reads the same; testdata/recipients.json holds for both.
func Recipients(s string) (list []Address, wrong []string) {
	seen := map[string]bool{}
	for _, r := range read(lines(unseen.Replace(s))) {
		if !Valid(r.Addr) {
			wrong = append(wrong, r.typed)
			continue
		}
		if key := key(r.Addr); !seen[key] {
			seen[key] = true
			list = append(list, r.Address)
		}
	}
	return list, wrong
}

// unseen is what address books and pages put around what is copied of them.
var unseen = strings.NewReplacer("\u200b", "", "\u200e", "", "\u200f", "", "\u202a", "", "\u202b", "", "\u202c", "", "\u202d", "", "\u202e", "",
	"\u2066", "", "\u2067", "", "\u2068", "", "\u2069", "", "\ufeff", "", "\u00a0", " ")

// cell is what stands before a separator.
type cell struct {
	text string
	sep  rune
}

// recipient is an address, right or not, with the words it was read from.
type recipient struct {
	Address
	typed string
}

// lines cuts a text at separators outside of quotes and angle brackets.
func lines(s string) (out [][]cell) {
	var line []cell
	var b strings.Builder
	var ends []int // of brackets in b
	quoted, escaped, angle := false, false, false
	flush := func(sep rune) {
		text, from := b.String(), 0
		last := strings.LastIndexByte(text, '@')
		for _, end := range ends { // where another address follows, one has ended
			if end < last {
				line = append(line, cell{strings.TrimSpace(text[from:end]), ' '})
				from = end
			}
		}
		if t := strings.TrimSpace(text[from:]); t != "" {
			line = append(line, cell{t, sep})
		}
		b.Reset()
		ends, quoted, escaped, angle = nil, false, false, false
	}
	for _, r := range s + "\n" {
		switch {
		case r == '\n' || r == '\r':
			if flush(r); len(line) > 0 {
				out, line = append(out, line), nil
			}
			continue
		case !quoted && (strings.ContainsRune(";；\t", r) || !angle && strings.ContainsRune(",，、", r)):
			flush(r)
			continue
		case escaped:
			escaped = false
		case r == '\\':
			escaped = quoted
		case r == '"':
			quoted = !quoted
		case r == '<' && !quoted:
			angle = true
		case r == '>' && !quoted && angle:
			angle = false
			ends = append(ends, b.Len()+1)
		}
		b.WriteRune(r)
	}
	return out
}

func read(lines [][]cell) (out []recipient) {
	body, table := tableOf(lines)
	for _, line := range body {
		if table {
			out = append(out, ofRow(line))
			continue
		}
		for i := 0; i < len(line); i++ {
			text := line[i].text
			if i+1 < len(line) && isLast(line, i) { // Last, First <a@b>
				i++
				text += ", " + line[i].text
			}
			out = append(out, ofCell(text, line[i].sep)...)
		}
	}
	return out
}

// tableOf gives the lines without the names of columns, and says whether each has a person: one address among other
// cells. A single line is a table when tabs are in it.
func tableOf(lines [][]cell) (body [][]cell, table bool) {
	body = lines
	if len(lines) > 1 && len(lines[0]) > 1 && addresses(lines[0]) == 0 {
		body = lines[1:]
	}
	for _, line := range body {
		if len(line) < 2 || addresses(line) != 1 || len(lines) == 1 && line[0].sep != '\t' {
			return lines, false
		}
	}
	return body, true
}

func addresses(line []cell) (n int) {
	for _, c := range line {
		n += strings.Count(c.text, "@")
	}
	return n
}

// ofRow reads a line of a table: the first two cells with letters are the name.
func ofRow(line []cell) (r recipient) {
	var name []string
	for _, c := range line {
		if strings.Contains(c.text, "@") {
			r = one(c.text)
		} else if strings.ContainsFunc(c.text, unicode.IsLetter) && len(name) < 2 {
			name = append(name, unquoted(c.text))
		}
	}
	if r.Name != "" { // Last, First <a@b>
		r.Name = clean(strings.Join(append(name, r.Name), ", "))
	} else {
		r.Name = clean(strings.Join(name, " "))
	}
	return r
}

// isLast says whether a cell is the last name of whom the next one gives the first name and the address.
func isLast(line []cell, i int) bool {
	c, next := line[i], line[i+1].text
	before := i == 0 || line[i-1].sep != ',' || strings.Contains(line[i-1].text, "@")
	bracket := strings.IndexByte(next, '<')
	return c.sep == ',' && before && !strings.ContainsAny(c.text, `@<":`) && bracket > 0 && !strings.ContainsAny(next[:bracket], `@"`)
}

// ofCell reads an address, several between spaces, or the begin of a group.
func ofCell(text string, sep rune) (out []recipient) {
	if name, rest, ok := strings.Cut(text, ":"); ok && !strings.ContainsAny(name, `@<"([`) && !strings.EqualFold(name, "mailto") {
		if rest = strings.TrimSpace(rest); rest == "" && sep == ';' { // undisclosed-recipients:;
			return nil
		} else if strings.Contains(rest, "@") {
			text = rest
		}
	}
	words := strings.Fields(text)
	for _, w := range words {
		if !strings.Contains(w, "@") || strings.ContainsAny(w, `<>"()[]`) {
			return []recipient{one(text)}
		}
	}
	for _, w := range words {
		out = append(out, one(w))
	}
	return out
}

// inBrackets is an address after a name, as programs write it that put no angle brackets around it.
var inBrackets = regexp.MustCompile(`^(.*?)[\[(]([^\[\]()\s]+@[^\[\]()\s]+)[\])]$`)

func one(typed string) recipient {
	name, addr := "", unquoted(typed)
	if a, err := mail.ParseAddress(addr); err == nil {
		name, addr = a.Name, a.Address
	} else if before, rest, ok := strings.Cut(typed, "<"); ok { // a name with specials that was not quoted
		name, addr = before, strings.TrimSuffix(strings.TrimSpace(rest), ">")
	} else if m := inBrackets.FindStringSubmatch(typed); m != nil {
		name, addr = m[1], m[2]
	}
	addr = strings.TrimSpace(addr)
	if len(addr) > 7 && strings.EqualFold(addr[:7], "mailto:") {
		addr, _, _ = strings.Cut(addr[7:], "?")
		if plain, err := url.PathUnescape(addr); err == nil {
			addr = plain
		}
	}
	if at := strings.LastIndexByte(addr, '@'); at > 0 { // the rest of a link
		domain, _, _ := strings.Cut(addr[at:], "?")
		addr = addr[:at] + domain
	}
	if name = clean(unquoted(name)); strings.EqualFold(name, addr) {
		name = ""
	}
	return recipient{Address{Name: name, Addr: addr}, typed}
}

// quotes are those that programs put around names.
var quotes = []string{`""`, "''", "“”", "„“", "””", "‘’", "«»"}

// unquoted takes quotes from around a name or an address.
func unquoted(s string) string {
	s = strings.TrimSpace(s)
	for _, q := range quotes {
		r := []rune(q)
		if inner, ok := strings.CutPrefix(s, string(r[0])); ok && strings.HasSuffix(inner, string(r[1])) {
			return strings.TrimSpace(strings.TrimSuffix(inner, string(r[1])))
		}
	}
	return s
}

func clean(name string) string {
	return strings.Join(strings.FieldsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }), " ")
}
