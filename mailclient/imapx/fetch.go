package imapx

import (
	"strconv"
	"strings"
	"time"

	"restante/mailclient/message"
)

// Fetch is what FETCH responses told of one mail.
type Fetch struct {
	Seq       uint32
	UID       uint32 // 0 when it was not said
	Flags     []string
	HasFlags  bool
	Date      time.Time // INTERNALDATE, zero when impossible
	Size      int64
	Header    []byte              // BODY[HEADER] or BODY[HEADER.FIELDS ...]
	Bodies    map[string][]byte   // section, upper case, without its window -> bytes; "" is the whole mail
	Structure *message.Structure  // nil when there was none to be read
	Items     map[string]([]Node) // all other items
}

// Window is a piece of a section, upper case. Offset is -1 when the server did not say it (O68).
type Window struct {
	Section string
	Offset  int64
	Text    string
}

// Windows are the pieces of bodies in a FETCH response, without a copy of them: servers may answer two windows in one
// go, before either's OK, so it is Offset that tells them apart. uid is 0 when it was not said.
func Windows(r Response) (uid uint32, out []Window) {
	items := itemsOf(r)
	for i := 0; i+1 < len(items); i++ {
		if items[i].Kind != Atom {
			continue
		}
		name, v := strings.ToUpper(items[i].Text), items[i+1]
		i++
		if name == "UID" {
			uid = v.Number32()
		}
		section, ok := sectionOf(name)
		if !ok {
			continue
		}
		w := Window{Section: section, Offset: -1, Text: v.Text}
		if _, at, ok := strings.Cut(name, "]<"); ok {
			if n, err := strconv.ParseInt(strings.TrimSuffix(at, ">"), 10, 64); err == nil {
				w.Offset = n
			}
		}
		out = append(out, w)
	}
	return uid, out
}

// itemsOf are the names and values of a FETCH response.
func itemsOf(r Response) []Node {
	if len(r.Nodes) > 0 && r.Nodes[0].Kind == List {
		return r.Nodes[0].List
	}
	return r.Nodes
}

// ParseFetch reads one FETCH response as far as it goes.
func ParseFetch(r Response) Fetch {
	f := Fetch{Seq: r.Number}
	items := itemsOf(r)
	for i := 0; i+1 < len(items); i++ {
		if items[i].Kind != Atom {
			continue
		}
		f.item(strings.ToUpper(items[i].Text), items[i+1])
		i++
	}
	return f
}

func (f *Fetch) item(name string, v Node) {
	switch name {
	case "UID":
		f.UID = v.Number32()
	case "FLAGS":
		f.Flags, f.HasFlags = words(v), true
	case "INTERNALDATE":
		f.Date = ParseDate(v.Text)
	case "RFC822.SIZE":
		f.Size = v.Number()
	case "BODYSTRUCTURE", "BODY":
		f.Structure = ParseStructure(v)
	case "RFC822.HEADER":
		f.Header = []byte(v.Text)
	case "RFC822":
		f.body("", v)
	case "RFC822.TEXT":
		f.body("TEXT", v)
	default:
		section, ok := sectionOf(name)
		switch {
		case !ok:
			if f.Items == nil {
				f.Items = map[string][]Node{}
			}
			f.Items[name] = []Node{v}
		case strings.HasPrefix(section, "HEADER"):
			f.Header = append(f.Header, v.Text...)
		default:
			f.body(section, v)
		}
	}
}

func (f *Fetch) body(section string, v Node) {
	if f.Bodies == nil {
		f.Bodies = map[string][]byte{}
	}
	f.Bodies[section] = []byte(v.Text)
}

// Merge adds what another response told of the same mail (O43).
func (f *Fetch) Merge(g Fetch) {
	if g.HasFlags {
		f.Flags, f.HasFlags = g.Flags, true
	}
	if !g.Date.IsZero() {
		f.Date = g.Date
	}
	if g.Size > 0 {
		f.Size = g.Size
	}
	if g.Header != nil {
		f.Header = g.Header
	}
	if g.Structure != nil {
		f.Structure = g.Structure
	}
	for k, v := range g.Items {
		if f.Items == nil {
			f.Items = map[string][]Node{}
		}
		f.Items[k] = v
	}
	for k, v := range g.Bodies {
		if f.Bodies == nil {
			f.Bodies = map[string][]byte{}
		}
		f.Bodies[k] = v
	}
}

// sectionOf is the section in BODY[...]<0> or BINARY[...], in any of its echoed forms (F9).
func sectionOf(name string) (string, bool) {
	rest, ok := strings.CutPrefix(name, "BODY[")
	if !ok {
		if rest, ok = strings.CutPrefix(name, "BODY.PEEK["); !ok {
			if rest, ok = strings.CutPrefix(name, "BINARY["); !ok {
				return "", false
			}
		}
	}
	section, _, _ := strings.Cut(rest, "]")
	section, _, _ = strings.Cut(section, " ")
	return section, true
}

func words(n Node) []string {
	var out []string
	if n.Kind != List {
		if n.Text != "" {
			out = append(out, n.Text)
		}
		return out
	}
	for _, w := range n.List {
		if w.Kind != List && w.Text != "" {
			out = append(out, w.Text)
		}
	}
	return out
}

// Words are the atoms and strings of a list, as in FLAGS.
func Words(n Node) []string { return words(n) }

var dateLayouts = []string{
	"_2-Jan-2006 15:04:05 -0700", "2-Jan-2006 15:04:05 -0700", "2-Jan-2006 15:04:05 MST", "2-Jan-2006 15:04:05", "2-Jan-06 15:04:05 -0700",
}

// ParseDate reads an INTERNALDATE as servers write it; zero for impossible ones (O50, O51).
func ParseDate(s string) time.Time {
	s = strings.TrimSpace(s)
	for _, l := range dateLayouts {
		if t, err := time.Parse(l, s); err == nil && t.Year() >= 1970 {
			return t
		}
	}
	return time.Time{}
}

// Mailbox is one LIST, LSUB or XLIST line.
type Mailbox struct {
	Raw        string // name as on the wire
	Delimiter  string // "" = flat
	Attributes map[string]bool
	Lsub       bool
}

// ParseList reads a LIST line by what servers do (O78 to O83).
func ParseList(r Response) (Mailbox, bool) {
	m := Mailbox{Attributes: map[string]bool{}, Lsub: r.Type == "LSUB"}
	nodes := r.Nodes
	if len(nodes) > 0 && nodes[0].Kind == List {
		for _, w := range words(nodes[0]) {
			m.Attributes[strings.ToLower(w)] = true
		}
		nodes = nodes[1:]
	}
	if len(nodes) < 2 {
		return m, false
	}
	if nodes[0].Kind != Nil {
		m.Delimiter = nodes[0].Text
	}
	m.Raw = nodes[1].Text
	if nodes[1].Kind == Nil {
		m.Raw = "NIL"
	}
	if nodes[1].Kind == Atom {
		for _, n := range nodes[2:] { // an unquoted name with spaces goes on to the end
			if n.Kind != Atom {
				break
			}
			m.Raw += " " + n.Text
		}
	}
	if strings.EqualFold(m.Raw, "INBOX") {
		m.Raw = "INBOX"
	}
	return m, m.Raw != ""
}

// ParseStatus reads a STATUS line: the raw name and its numbers by upper-case item (O84, O85).
func ParseStatus(r Response) (raw string, items map[string]int64) {
	items = map[string]int64{}
	nodes := r.Nodes
	var name []string
	for len(nodes) > 0 && nodes[0].Kind != List {
		if len(name) > 0 && itemsHere(nodes) {
			break
		}
		name = append(name, nodes[0].Text)
		nodes = nodes[1:]
	}
	if len(nodes) > 0 && nodes[0].Kind == List {
		nodes = nodes[0].List
	}
	for i := 0; i+1 < len(nodes); i += 2 {
		if nodes[i].Kind == Atom && isDigits(nodes[i+1].Text) {
			items[strings.ToUpper(nodes[i].Text)] = nodes[i+1].Number()
		}
	}
	return strings.Join(name, " "), items
}

// itemsHere says whether status items begin here, without their parentheses.
func itemsHere(nodes []Node) bool {
	switch strings.ToUpper(nodes[0].Text) {
	case "MESSAGES", "UNSEEN", "UIDNEXT", "UIDVALIDITY", "RECENT", "HIGHESTMODSEQ":
		return len(nodes) > 1 && isDigits(nodes[1].Text)
	}
	return false
}
