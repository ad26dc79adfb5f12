package contacts

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/emersion/go-vcard"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

const (
	maxCard    = 1 << 20  // bytes of one vCard; a picture makes it large
	maxPicture = 32 << 10 // of a property that is kept as it came
	maxRest    = 64 << 10 // of all of them
	// MaxContacts is how many contacts somebody keeps, and so how many are read from a file.
	MaxContacts = 20_000
	maxFaults   = 1000
)

// Fault is something in a file that was not understood. Line counts from 1. Kind is the id of its words: "line", "end",
// "version", "empty", "address", "large", "csv", "many"; Text is what stands there, cut.
type Fault struct {
	Line int
	Kind string
	Text string
}

// Read is what was found in a file.
type Read struct {
	Contacts []Contact
	Lines    []int // where each contact begins
	Faults   []Fault
	Pictures int // contacts whose pictures were too large to be kept
}

func (r *Read) fault(line int, kind, text string) {
	if len(r.Faults) < maxFaults {
		r.Faults = append(r.Faults, Fault{line, kind, cut(oneLine(text), 100)})
	}
}

// add takes a tidy contact in; false when there is no more room.
func (r *Read) add(c Contact, line int) bool {
	if c.Empty() {
		r.fault(line, "empty", "")
		return true
	}
	if len(r.Contacts) == MaxContacts {
		r.fault(line, "many", "")
		return false
	}
	r.Contacts, r.Lines = append(r.Contacts, c), append(r.Lines, line)
	return true
}

// ErrNoContacts means that a file is neither vCard nor CSV.
var ErrNoContacts = errors.New("contacts: no vCard and no table")

// text decodes a file: by its byte order mark, else UTF-8, and what is neither is windows-1252.
func text(in io.Reader) *bufio.Reader {
	b := bufio.NewReaderSize(transform.NewReader(in, unicode.BOMOverride(transform.Nop)), 64<<10)
	head, _ := b.Peek(32 << 10)
	for i := 0; i < 3 && len(head) > 0 && !validSoFar(head); i++ {
		head = head[:len(head)-1] // a letter may be cut
	}
	if !validSoFar(head) {
		return bufio.NewReaderSize(transform.NewReader(b, charmap.Windows1252.NewDecoder()), 64<<10)
	}
	return b
}

func validSoFar(b []byte) bool { return bytes.Equal(bytes.ToValidUTF8(b, nil), b) }

// IsVCard says whether a file begins as vCards do.
func IsVCard(head []byte) bool {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	const begin = "BEGIN:VCARD"
	return len(head) >= len(begin) && strings.EqualFold(string(head[:len(begin)]), begin)
}

// ReadVCards reads vCards of version 3 and 4, one by one: the file is never whole in memory. A line that is none is left
// out and told; so is a card that does not end. The error is that of in.
func ReadVCards(in io.Reader) (Read, error) {
	var out Read
	s := &splitter{in: text(in)}
	for {
		card, err := s.next(&out)
		if err != nil {
			return out, clean(err)
		}
		c, ok := out.contact(card)
		for _, bad := range c.Tidy() {
			out.fault(card.lineOf(bad), "address", bad)
		}
		if ok && !out.add(c, card.line) {
			return out, nil
		}
	}
}

func clean(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return fmt.Errorf("contacts: %w", err)
}

// card is the text of one vCard: its lines, unfolded, without the first and the last.
type card struct {
	line  int
	lines []numbered
	last  []byte // of the line that is being put together
}

// lineOf is where a card names a mail address, else where the card begins.
func (c *card) lineOf(address string) int {
	for _, l := range c.lines {
		if name, value, _ := strings.Cut(l.text, ":"); strings.Contains(strings.ToUpper(name), vcard.FieldEmail) && strings.Contains(oneLine(unescape.Replace(value)), address) {
			return l.n
		}
	}
	return c.line
}

// fold goes on with the last line.
func (c *card) fold(s string) {
	if c.last == nil {
		c.last = []byte(c.lines[len(c.lines)-1].text)
	}
	c.last = append(c.last, s...)
}

// close ends the last line.
func (c *card) close() {
	if c.last != nil {
		c.lines[len(c.lines)-1].text, c.last = string(c.last), nil
	}
}

type numbered struct {
	n    int
	text string
}

// splitter cuts a file into cards.
type splitter struct {
	in *bufio.Reader
	n  int // of the line read last
}

// line reads a line without its end. A longer one than a card may be is cut.
func (s *splitter) line() (numbered, error) {
	var b []byte
	for {
		part, err := s.in.ReadSlice('\n')
		if len(b) <= maxCard {
			b = append(b, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil && len(b) == 0 {
			return numbered{}, err
		}
		s.n++
		return numbered{s.n, string(bytes.TrimRight(b, "\r\n"))}, nil
	}
}

// next gives the next card that is whole.
func (s *splitter) next(out *Read) (card, error) {
	var c card
	size, inside := 0, false
	for {
		l, err := s.line()
		if err != nil {
			if inside {
				out.fault(c.line, "end", "")
			}
			return c, err
		}
		word := strings.ToUpper(strings.TrimSpace(l.text))
		switch {
		case word == "BEGIN:VCARD":
			if inside {
				out.fault(c.line, "end", "")
			}
			c, size, inside = card{line: l.n}, 0, true
		case !inside:
			if word != "" {
				out.fault(l.n, "line", l.text)
			}
		case word == "END:VCARD":
			if c.close(); size <= maxCard {
				return c, nil
			}
			out.fault(c.line, "large", "")
			inside = false
		default:
			if size += len(l.text); size > maxCard {
				continue
			}
			if len(c.lines) > 0 && (strings.HasPrefix(l.text, " ") || strings.HasPrefix(l.text, "\t")) {
				c.fold(l.text[1:])
			} else if word != "" {
				c.close()
				c.lines = append(c.lines, l)
			}
		}
	}
}

// inCategories is a line that lists names. The decoder makes its escaped commas like those between the names: so they
// are put aside, as a control, which no name has.
var (
	inCategories = regexp.MustCompile(`(?i)^([a-z0-9-]+\.)?CATEGORIES[;:]`)
	aside        = strings.NewReplacer(`\\`, `\\`, `\,`, "\x1f", "\x1f", "")
)

// categories are the names of groups that a card lists.
func categories(values []string) (out []string) {
	for _, v := range values {
		for g := range strings.SplitSeq(v, ",") {
			out = append(out, strings.ReplaceAll(g, "\x1f", ","))
		}
	}
	return groups(out...)
}

// decode reads lines of one card.
func decode(lines ...numbered) (vcard.Card, int) {
	var b strings.Builder
	b.WriteString("BEGIN:VCARD\r\n")
	for _, l := range lines {
		if inCategories.MatchString(l.text) {
			l.text = aside.Replace(l.text)
		}
		b.WriteString(l.text + "\r\n")
	}
	b.WriteString("END:VCARD\r\n")
	v, err := vcard.NewDecoder(strings.NewReader(b.String())).Decode()
	if err != nil {
		return nil, 0
	}
	n := 0
	for _, f := range v {
		n += len(f)
	}
	return v, n
}

// single are properties of which a card has one.
var single = map[string]bool{"N": true, "REV": true, "PRODID": true, "KIND": true, "GENDER": true, "ANNIVERSARY": true, "X-ABSHOWAS": true}

// ours are the properties that a Contact has fields for; dropped are those that say nothing to anybody else.
var (
	ours    = map[string]bool{"VERSION": true, "UID": true, "FN": true, "NICKNAME": true, "ORG": true, "TITLE": true, "BDAY": true, "NOTE": true, "EMAIL": true, "TEL": true, "ADR": true, "URL": true, "CATEGORIES": true, "X-ABLABEL": true}
	dropped = map[string]bool{"REV": true, "PRODID": true, "SOURCE": true, "CLIENTPIDMAP": true}
)

// contact makes a contact of a card; false when it cannot be read.
func (r *Read) contact(in card) (c Contact, ok bool) {
	v, n := decode(in.lines...)
	if n != len(in.lines) { // which were passed over?
		in.lines = slices.DeleteFunc(in.lines, func(l numbered) bool {
			_, n := decode(l)
			if n != 1 {
				r.fault(l.n, "line", l.text)
			}
			return n != 1
		})
		v, _ = decode(in.lines...)
	}
	if version := v.Value(vcard.FieldVersion); version != "3.0" && version != "4.0" {
		r.fault(in.line, "version", version)
		return c, false
	}
	for _, fields := range v {
		for _, f := range fields {
			f.Value = unescape.Replace(f.Value)
		}
	}
	c = Contact{
		UID: v.Value(vcard.FieldUID), Name: v.PreferredValue(vcard.FieldFormattedName), Nickname: v.Value(vcard.FieldNickname),
		Company: strings.Trim(strings.ReplaceAll(v.Value(vcard.FieldOrganization), ";", ", "), ", "), Position: v.Value(vcard.FieldTitle),
		Birthday: v.Value(vcard.FieldBirthday), Note: strings.Join(v.Values(vcard.FieldNote), "\n"), Groups: categories(v.Values(vcard.FieldCategories)),
		Addresses: values(v, vcard.FieldEmail), Phones: values(v, vcard.FieldTelephone), Sites: values(v, vcard.FieldURL),
	}
	if n := v.Name(); c.Name == "" && n != nil {
		c.Name = strings.Join(strings.Fields(strings.Join([]string{n.HonorificPrefix, n.GivenName, n.AdditionalName, n.FamilyName, n.HonorificSuffix}, " ")), " ")
	}
	for i, a := range v.Addresses() {
		lines := []string{a.PostOfficeBox, a.ExtendedAddress, a.StreetAddress, strings.TrimSpace(a.PostalCode + " " + a.Locality), a.Region, a.Country}
		lines = slices.DeleteFunc(lines, func(s string) bool { return strings.TrimSpace(s) == "" })
		c.Places = append(c.Places, Value{label(v, v[vcard.FieldAddress][i]), strings.Join(lines, "\n")})
	}
	for i, p := range c.Phones {
		c.Phones[i].Text = strings.TrimPrefix(p.Text, "tel:")
	}
	r.rest(v, &c)
	return c, true
}

// unescape does what the decoder leaves undone, and takes out bare carriage returns.
var unescape = strings.NewReplacer(`\;`, ";", `\N`, "\n", "\r", "")

// rest keeps what has no field, in the order of its names.
func (r *Read) rest(v vcard.Card, c *Contact) {
	names := make([]string, 0, len(v))
	for name := range v {
		names = append(names, name)
	}
	slices.Sort(names)
	size, large := 0, false
	for _, name := range names {
		if ours[name] || dropped[name] {
			continue
		}
		for _, f := range v[name] {
			if len(f.Value) > maxPicture || size+len(f.Value) > maxRest {
				large = true
				continue
			}
			size += len(f.Value)
			l := Line{Name: name, Group: f.Group, Value: f.Value}
			for k, values := range f.Params {
				if !strings.ContainsAny(k+strings.Join(values, ""), ":;,\"\n\r") { // the encoder puts nothing in quotes
					if l.Params == nil {
						l.Params = map[string][]string{}
					}
					l.Params[k] = values
				}
			}
			c.Rest = append(c.Rest, l)
		}
	}
	if large {
		r.Pictures++
	}
}

func values(v vcard.Card, name string) (out []Value) {
	fields := slices.Clone(v[name])
	slices.SortStableFunc(fields, func(a, b *vcard.Field) int { return preference(a) - preference(b) })
	for _, f := range fields {
		out = append(out, Value{label(v, f), f.Value})
	}
	return out
}

// preference is 0 for what somebody prefers.
func preference(f *vcard.Field) int {
	if f.Params.Get(vcard.ParamPreferred) != "" || f.Params.HasType("pref") {
		return 0
	}
	return 1
}

// label is what a value is called: in words of somebody's own (as Apple writes them), else by its type.
func label(v vcard.Card, f *vcard.Field) string {
	if f.Group != "" {
		for _, l := range v["X-ABLABEL"] {
			if strings.EqualFold(l.Group, f.Group) {
				return strings.TrimSuffix(strings.TrimPrefix(l.Value, "_$!<"), ">!$_")
			}
		}
	}
	for _, t := range f.Params.Types() {
		switch t {
		case "home", "work", "fax", "pager":
			return t
		case "cell", "mobile", "iphone":
			return "mobile"
		}
	}
	return ""
}

// WriteVCards writes contacts as vCards of version "3.0" or "4.0".
func WriteVCards(w io.Writer, version string, list []Contact) error {
	enc := vcard.NewEncoder(w)
	for _, c := range list {
		if err := enc.Encode(c.card(version)); err != nil {
			return fmt.Errorf("contacts: %w", err)
		}
	}
	return nil
}

func (c Contact) card(version string) vcard.Card {
	v := vcard.Card{}
	v.SetValue(vcard.FieldVersion, version)
	v.SetValue(vcard.FieldFormattedName, c.Shown())
	for name, s := range map[string]string{vcard.FieldUID: c.UID, vcard.FieldNickname: c.Nickname, vcard.FieldOrganization: c.Company,
		vcard.FieldTitle: c.Position, vcard.FieldBirthday: c.Birthday, vcard.FieldNote: c.Note} {
		if s != "" {
			v.SetValue(name, s)
		}
	}
	for _, l := range c.Rest {
		v.Add(l.Name, &vcard.Field{Group: l.Group, Params: l.Params, Value: l.Value})
	}
	if v.Value(vcard.FieldName) == "" {
		given, family := c.Name, ""
		if i := strings.LastIndexByte(given, ' '); i > 0 {
			given, family = given[:i], given[i+1:]
		}
		v.SetName(&vcard.Name{GivenName: given, FamilyName: family})
	}
	group := 0
	add := func(name string, values []Value, make func(text string) *vcard.Field) {
		for _, x := range values {
			f := make(x.Text)
			switch x.Label {
			case "":
			case "home", "work", "fax", "pager":
				f.Params = vcard.Params{vcard.ParamType: {x.Label}}
			case "mobile":
				f.Params = vcard.Params{vcard.ParamType: {"cell"}}
			default: // in words of somebody's own
				group++
				f.Group = fmt.Sprintf("item%d", group)
				v.Add("X-ABLABEL", &vcard.Field{Group: f.Group, Value: x.Label})
			}
			v.Add(name, f)
		}
	}
	value := func(text string) *vcard.Field { return &vcard.Field{Value: text} }
	add(vcard.FieldEmail, c.Addresses, value)
	add(vcard.FieldTelephone, c.Phones, value)
	add(vcard.FieldURL, c.Sites, value)
	add(vcard.FieldAddress, c.Places, func(text string) *vcard.Field {
		escaped := strings.NewReplacer(";", ",").Replace(text)
		return &vcard.Field{Value: ";;" + escaped + ";;;;"}
	})
	for _, g := range c.Groups { // a line for each: the encoder would make one word of them
		v.AddValue(vcard.FieldCategories, g)
	}
	return v
}
