package contacts

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"

	"restante/mailclient/message"
)

// Fields are what a column of a table can mean; "" is nothing. Several columns may mean the same.
var Fields = []string{"", "name", "given", "family", "nickname", "address", "phone", "mobile", "home", "work", "company", "position", "place", "site", "birthday", "note", "group"}

// Table is a CSV file: its first row, and the others.
type Table struct {
	Head   []string
	Rows   [][]string
	Lines  []int // where each row begins
	Faults []Fault
}

const maxColumns = 200

// ReadTable reads a CSV file, whatever parts its columns: comma, semicolon or tab. ErrNoContacts if it is no table.
func ReadTable(in io.Reader) (Table, error) {
	b := text(in)
	head, _ := b.Peek(4096)
	if bytes.IndexByte(head, 0) >= 0 { // a picture, a spreadsheet: no text
		return Table{}, ErrNoContacts
	}
	r := csv.NewReader(io.MultiReader(b, strings.NewReader("\n"))) // by which swallowed knows a quotation mark that is open at the end
	r.FieldsPerRecord, r.LazyQuotes, r.Comma = -1, true, comma(string(head))
	var t Table
	for size := 0; ; {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		line, _ := r.FieldPos(0)
		var broken *csv.ParseError
		if errors.As(err, &broken) {
			t.Faults = append(t.Faults, Fault{broken.StartLine, "csv", ""})
			if len(t.Faults) >= maxFaults {
				break
			}
			continue
		}
		if err != nil {
			return t, clean(err)
		}
		rows := [][]string{row}
		if rest := t.swallowed(row, r.Comma); rest != nil {
			t.Faults = append(t.Faults, Fault{line, "csv", ""})
			rows, line = rest, line+1
		}
		for i, row := range rows {
			if len(t.Rows) == MaxContacts || size > 32<<20 {
				t.Faults = append(t.Faults, Fault{line + i, "many", ""})
				return t, nil
			}
			size += t.add(row, line+i)
		}
	}
	if len(t.Head) == 0 || len(t.Rows) == 0 && len(t.Head) < 2 {
		return t, ErrNoContacts
	}
	return t, nil
}

// add takes a row in, if there is something in it, and gives how many bytes it has.
func (t *Table) add(row []string, line int) (size int) {
	if len(strings.Join(row, "")) == 0 {
		return 0
	}
	row = row[:min(len(row), maxColumns)]
	for i := range row {
		row[i] = cut(strings.TrimSpace(row[i]), maxNote)
		size += len(row[i])
	}
	if t.Head == nil {
		t.Head = row
	} else {
		if n := len(t.Head); n < len(row) && strings.Join(row[n:], "") != "" && len(t.Faults) < maxFaults {
			t.Faults = append(t.Faults, Fault{line, "wide", ""})
		}
		t.Rows, t.Lines = append(t.Rows, row), append(t.Lines, line)
	}
	return size
}

// swallowed are the rows that a quotation mark without its second has made part of a row, nil if there is no such mark.
// One of them that has a single column is nothing.
func (t *Table) swallowed(row []string, comma rune) (rows [][]string) {
	if len(row) >= len(t.Head) {
		return nil
	}
	for i, field := range row {
		if _, rest, ok := strings.Cut(field, "\n"); !ok || !strings.ContainsRune(rest, comma) {
			continue
		}
		for _, text := range strings.Split(strings.Join(row[i:], string(comma)), "\n")[1:] {
			r := csv.NewReader(strings.NewReader(text))
			r.FieldsPerRecord, r.LazyQuotes, r.Comma = -1, true, comma
			one, err := r.Read()
			if err != nil || len(one) < 2 {
				one = nil
			}
			rows = append(rows, one)
		}
		return rows
	}
	if strings.HasSuffix(row[len(row)-1], "\n") { // open at the end of the file
		return [][]string{}
	}
	return nil
}

// comma is what parts the columns: what the first line has most of, outside of quotes.
func comma(head string) rune {
	line, _, _ := strings.Cut(head, "\n")
	count := map[rune]int{}
	quoted := false
	for _, r := range line {
		if r == '"' {
			quoted = !quoted
		} else if !quoted {
			count[r]++
		}
	}
	best := ','
	for _, r := range ";\t" {
		if count[r] > count[best] {
			best = r
		}
	}
	return best
}

// known are the names of columns as Google, Outlook, Thunderbird, Apple and Nextcloud write them, in English and German,
// folded. What ends in "*" is a beginning.
var known = []struct{ name, field string }{
	{"first name", "given"}, {"given name", "given"}, {"vorname", "given"}, {"middle name", "given"},
	{"last name", "family"}, {"family name", "family"}, {"surname", "family"}, {"nachname", "family"}, {"familienname", "family"},
	{"name", "name"}, {"display name", "name"}, {"full name", "name"}, {"anzeigename", "name"}, {"file as", ""},
	{"nickname", "nickname"}, {"spitzname", "nickname"},
	{"e-mail*", "address"}, {"email*", "address"}, {"primary email", "address"}, {"secondary email", "address"}, {"mail*", "address"},
	{"mobile*", "mobile"}, {"handy*", "mobile"}, {"mobil*", "mobile"}, {"cell*", "mobile"},
	{"home phone*", "home"}, {"telefon privat*", "home"}, {"telefon (privat)*", "home"}, {"work phone*", "work"}, {"business phone*", "work"}, {"telefon geschaftlich*", "work"},
	{"phone*", "phone"}, {"telefon*", "phone"}, {"telephone*", "phone"}, {"tel*", "phone"},
	{"company", "company"}, {"organi* title", "position"}, {"organi* department", ""}, {"organi*", "company"}, {"firma", "company"}, {"job title", "position"}, {"title", ""}, {"position", "position"},
	{"address* - formatted", "place"}, {"home address", "place"}, {"postal address", "place"}, {"anschrift", "place"},
	{"web*", "site"}, {"url", "site"}, {"birthday", "birthday"}, {"geburtstag", "birthday"}, {"notes", "note"}, {"note", "note"}, {"notizen", "note"},
	{"categories", "group"}, {"kategorien", "group"}, {"labels", "group"}, {"group*", "group"}, {"gruppe*", "group"},
}

// Guess says what each column of a table means, as far as its name tells.
func (t Table) Guess() []string {
	out := make([]string, len(t.Head))
	for i, head := range t.Head {
		name := strings.ToLower(message.Fold(oneLine(head)))
		if strings.HasSuffix(name, "type") || strings.HasSuffix(name, "- label") || strings.Contains(name, "yomi") || strings.Contains(name, "phonetic") {
			continue
		}
		if at := slices.IndexFunc(known, func(k struct{ name, field string }) bool { return matches(k.name, name) }); at >= 0 {
			out[i] = known[at].field
		}
	}
	return out
}

func matches(pattern, name string) bool {
	before, after, star := strings.Cut(pattern, "*")
	return name == pattern || star && strings.HasPrefix(name, before) && strings.HasSuffix(name, after)
}

// labelled are the fields that are numbers of a kind.
var labelled = map[string]string{"phone": "", "mobile": "mobile", "home": "home", "work": "work"}

// Contacts makes contacts of the rows. fields says what each column means, by Fields; columns beyond it mean nothing.
func (t Table) Contacts(fields []string) Read {
	out := Read{Faults: slices.Clone(t.Faults)}
	for i, row := range t.Rows {
		var c Contact
		var given, family []string
		for j, v := range row {
			if j >= len(fields) || v == "" {
				continue
			}
			switch f := fields[j]; f {
			case "name":
				c.Name = join(c.Name, v, " ")
			case "given":
				given = append(given, v)
			case "family":
				family = append(family, v)
			case "nickname":
				c.Nickname = join(c.Nickname, v, " ")
			case "address":
				for _, a := range strings.Split(v, ":::") { // as Google writes several
					c.Addresses = append(c.Addresses, Value{Text: a})
				}
			case "phone", "mobile", "home", "work":
				for _, a := range strings.Split(v, ":::") {
					c.Phones = append(c.Phones, Value{labelled[f], a})
				}
			case "company":
				c.Company = join(c.Company, v, ", ")
			case "position":
				c.Position = join(c.Position, v, ", ")
			case "place":
				c.Places = append(c.Places, Value{Text: v})
			case "site":
				c.Sites = append(c.Sites, Value{Text: v})
			case "birthday":
				c.Birthday = v
			case "note":
				c.Note = join(c.Note, v, "\n")
			case "group":
				c.Groups = append(c.Groups, groups(listed(v)...)...)
			}
		}
		if c.Name == "" {
			c.Name = strings.Join(slices.Concat(given, family), " ")
		}
		for _, bad := range c.Tidy() {
			out.fault(t.Lines[i], "address", bad)
		}
		if !out.add(c, t.Lines[i]) {
			break
		}
	}
	slices.SortStableFunc(out.Faults, func(a, b Fault) int { return a.Line - b.Line })
	return out
}

func join(a, b, by string) string {
	if a == "" {
		return b
	}
	return a + by + b
}

// listed parts the names of groups: at " ::: ", as Google writes them, else at ";", else at ",". What parts them stands
// in no name.
func listed(s string) []string {
	for _, by := range []string{":::", ";"} {
		if strings.Contains(s, by) {
			return strings.Split(s, by)
		}
	}
	return strings.Split(s, ",")
}

// groups are names of groups as they are kept. That of everybody, as Google writes it, is none.
func groups(names ...string) (out []string) {
	for _, g := range names {
		if g = strings.TrimPrefix(oneLine(g), "* "); g != "" && g != "myContacts" {
			out = append(out, g)
		}
	}
	return out
}
