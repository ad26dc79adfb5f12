// Package contacts holds what is known of the people somebody keeps. It reads vCard (RFC 6350, RFC 2426) and CSV, writes
// vCard, and finds who is there twice. It knows no database and no page. Start at Contact.
package contacts

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"restante/mailclient/compose"
	"restante/mailclient/message"
)

// Bounds of one contact. What is more is cut.
const (
	maxText   = 500    // bytes of a name or another single line
	maxNote   = 20_000 // bytes of the note
	maxValues = 50     // addresses, numbers, and so on, each
)

// Contact is a person, or a company, as somebody keeps them.
type Contact struct {
	UID       string   `json:"uid,omitempty"` // of its vCard
	Name      string   `json:"name,omitempty"`
	Nickname  string   `json:"nickname,omitempty"`
	Company   string   `json:"company,omitempty"`
	Position  string   `json:"position,omitempty"`
	Birthday  string   `json:"birthday,omitempty"`
	Note      string   `json:"note,omitempty"`
	Addresses []Value  `json:"addresses,omitempty"` // of mail
	Phones    []Value  `json:"phones,omitempty"`
	Places    []Value  `json:"places,omitempty"` // postal addresses, in lines
	Sites     []Value  `json:"sites,omitempty"`
	Groups    []string `json:"groups,omitempty"` // as a file names them
	Rest      []Line   `json:"rest,omitempty"`   // what a vCard said besides: it goes out again as it came
}

// Value is one of several: a mail address, a number. Label is "home", "work", "mobile", or words of somebody's own.
type Value struct {
	Label string `json:"label,omitempty"`
	Text  string `json:"text"`
}

// Line is a property of a vCard that means nothing here.
type Line struct {
	Name   string              `json:"name"`
	Group  string              `json:"group,omitempty"`
	Params map[string][]string `json:"params,omitempty"`
	Value  string              `json:"value"`
}

// Shown is what a contact is called: the name, else whatever else there is.
func (c Contact) Shown() string {
	return cmp.Or(c.Name, c.Nickname, c.Company, first(c.Addresses), first(c.Phones))
}

// Empty says whether there is nothing to know the contact by.
func (c Contact) Empty() bool { return c.Shown() == "" }

func first(v []Value) string {
	if len(v) == 0 {
		return ""
	}
	return v[0].Text
}

// Tidy trims a contact and holds it to the bounds. Bad are the mail addresses that are none; they stay out.
func (c *Contact) Tidy() (bad []string) {
	for _, s := range []*string{&c.UID, &c.Name, &c.Nickname, &c.Company, &c.Position, &c.Birthday} {
		*s = oneLine(*s)
	}
	c.Note = cut(strings.TrimSpace(plain(c.Note, true)), maxNote)
	c.Addresses = tidied(c.Addresses, func(s string) (string, bool) {
		s = oneLine(strings.TrimPrefix(s, "mailto:"))
		if s != "" && !compose.Valid(s) {
			bad = append(bad, s)
			return "", false
		}
		return s, true
	}, maxValues)
	line := func(s string) (string, bool) { return oneLine(s), true }
	c.Phones, c.Sites = tidied(c.Phones, line, maxValues), tidied(c.Sites, line, maxValues)
	c.Places = tidied(c.Places, func(s string) (string, bool) { return cut(strings.TrimSpace(plain(s, true)), 4*maxText), true }, maxValues)
	return bad
}

// tidied are the values that are something, each once, up to n.
func tidied(in []Value, tidy func(string) (string, bool), n int) (out []Value) {
	seen := map[string]bool{}
	for _, v := range in {
		text, ok := tidy(v.Text)
		if key := strings.ToLower(text); !ok || text == "" || seen[key] || len(out) == n {
			continue
		} else {
			seen[key] = true
		}
		out = append(out, Value{oneLine(v.Label), text})
	}
	return out
}

func oneLine(s string) string {
	return cut(strings.Join(strings.Fields(plain(s, false)), " "), maxText)
}

// plain takes out what no name or note has: controls, and marks that turn the direction of what follows.
func plain(s string, lines bool) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' && lines, r == '\t':
			return r
		case r == '\n' || r == '\r':
			return ' '
		case unicode.IsControl(r), r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return -1
		}
		return r
	}, s)
}

func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}

// Begins says whether an address, a name, or one of the words of a name begins with prefix, which is folded.
func Begins(name, address, prefix string) bool {
	name = message.Fold(name)
	return strings.HasPrefix(message.Fold(address), prefix) || strings.HasPrefix(name, prefix) || strings.Contains(name, " "+prefix)
}

// Words are the beginnings of words by which a contact is found, folded, each after a space.
func (c Contact) Words() string {
	var b strings.Builder
	for _, s := range []string{c.Name, c.Nickname, c.Company} {
		for _, w := range strings.FieldsFunc(message.Fold(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) }) {
			b.WriteString(" " + w)
		}
	}
	for _, v := range c.Addresses {
		address := strings.ReplaceAll(message.Fold(v.Text), " ", "")
		b.WriteString(" " + address)
		if at := strings.LastIndexByte(address, '@'); at >= 0 {
			b.WriteString(" " + address[at+1:])
		}
	}
	for _, v := range c.Phones {
		if d := digits(v.Text); d != "" {
			b.WriteString(" " + d + " " + strings.TrimPrefix(d, "+"))
		}
	}
	return cut(b.String(), 4*maxText)
}

// digits are what of a number it is found by.
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '+' {
			return r
		}
		return -1
	}, s)
}

// Initial is the heading under which a contact stands: its first letter, "#" for what begins with none.
func (c Contact) Initial() string {
	if r, _ := utf8.DecodeRuneInString(strings.ToUpper(message.Fold(c.Shown()))); unicode.IsLetter(r) {
		return string(r)
	}
	return "#"
}

// Sort is what contacts are ordered by, byte by byte: those under one heading stand together.
func (c Contact) Sort() string {
	return cut(strings.ToLower(c.Initial())+" "+message.Fold(c.Shown()), maxText)
}

// Score is how near somebody stands who was written to so many times, the last time so long ago: often counts, by its
// logarithm, and fades with the months. Who was never written to has the least.
func Score(written int64, ago time.Duration) float64 {
	if written <= 0 {
		return 0
	}
	const fades = 60 * 24 * time.Hour
	return math.Log2(1+float64(written)) * (0.25 + 0.75*math.Exp(-max(0, ago).Hours()/fades.Hours()))
}

// Merge puts what b knows into a: a's name and note stand first, nothing of either is lost.
func Merge(a, b Contact) Contact {
	spare := func(to *string, from string) {
		if *to == "" {
			*to = from
		} else if from != "" && !strings.EqualFold(*to, from) {
			a.Note = strings.TrimSpace(a.Note + "\n" + from)
		}
	}
	spare(&a.Name, b.Name)
	spare(&a.Nickname, b.Nickname)
	spare(&a.Company, b.Company)
	spare(&a.Position, b.Position)
	spare(&a.Birthday, b.Birthday)
	if b.Note != "" && !strings.Contains(a.Note, b.Note) {
		a.Note = strings.TrimSpace(a.Note + "\n" + b.Note)
	}
	both := func(a, b []Value) []Value {
		return tidied(slices.Concat(a, b), func(s string) (string, bool) { return s, true }, math.MaxInt)
	}
	for _, v := range []struct{ of, more *[]Value }{{&a.Addresses, &b.Addresses}, {&a.Phones, &b.Phones}, {&a.Places, &b.Places}, {&a.Sites, &b.Sites}} {
		*v.of = both(*v.of, *v.more)
		for len(*v.of) > maxValues { // there is no room for it as what it is
			last := len(*v.of) - 1
			a.Note, *v.of = strings.TrimSpace(a.Note+"\n"+(*v.of)[last].Text), (*v.of)[:last]
		}
	}
	for _, g := range b.Groups {
		if !slices.Contains(a.Groups, g) {
			a.Groups = append(a.Groups, g)
		}
	}
	for _, l := range b.Rest {
		if !slices.ContainsFunc(a.Rest, func(have Line) bool { return have.Name == l.Name && (single[l.Name] || have.Value == l.Value) }) {
			a.Rest = append(a.Rest, l)
		}
	}
	if a.UID == "" {
		a.UID = b.UID
	}
	a.Tidy()
	return a
}

// Doubles are sets of contacts that are one person: they share a mail address, or are called alike by a name of more
// than one word. It gives their places in list, each set in their order there.
func Doubles(list []Contact) (sets [][]int) {
	leader := make([]int, len(list))
	var find func(i int) int
	find = func(i int) int {
		if leader[i] != i {
			leader[i] = find(leader[i])
		}
		return leader[i]
	}
	known := map[string]int{}
	for i, c := range list {
		leader[i] = i
		for _, k := range c.Keys() {
			if j, ok := known[k]; ok {
				a, b := find(i), find(j)
				leader[max(a, b)] = min(a, b)
			} else {
				known[k] = i
			}
		}
	}
	at := map[int]int{}
	for i := range list {
		l := find(i)
		n, ok := at[l]
		if !ok {
			n = len(sets)
			at[l], sets = n, append(sets, nil)
		}
		sets[n] = append(sets[n], i)
	}
	return slices.DeleteFunc(sets, func(s []int) bool { return len(s) < 2 })
}

// Keys are what two contacts share when they are one person.
func (c Contact) Keys() (keys []string) {
	for _, a := range c.Addresses {
		keys = append(keys, "a:"+strings.ToLower(a.Text))
	}
	if words := strings.Fields(message.Fold(c.Name)); len(words) > 1 {
		slices.Sort(words) // "Keller, Anna" is "Anna Keller"
		for i := range words {
			words[i] = strings.Trim(words[i], ",.;")
		}
		slices.Sort(words)
		keys = append(keys, "n:"+strings.Join(words, " "))
	}
	return keys
}
