package message

import "strings"

// SearchedTimes is how many times the bytes of text that are wanted of a mail are asked for at most: there is markup.
const SearchedTimes = 8

const (
	maxSearched       = 40       // parts of a mail in whose texts it is found
	maxSearchedHeader = 16 << 10 // bytes of an attached mail's header
)

// Searched is a part of a mail in whose text the mail is found.
type Searched struct {
	Section string // "2.HEADER" for the header of an attached mail
	Max     int64  // bytes of it that give so much text as is wanted, mostly
	Size    int64  // of all of it, 0 for a header
	part    *Structure
}

// SearchedIn are the parts in whose texts a mail is found, as a server's SEARCH looks through them (RFC 3501 6.4.4): all
// texts, attached ones and those of attached mails too, and the headers of these. most is how many bytes of text are
// wanted. all says that there are no more.
func SearchedIn(s *Structure, most int64) (parts []Searched, all bool) {
	if s == nil {
		return nil, false
	}
	all = true
	left := SearchedTimes * most
	var walk func(s *Structure, depth int)
	add := func(p Searched) {
		if left -= min(p.Max, p.Size); left < 0 || len(parts) == maxSearched {
			all = false
			return
		}
		parts = append(parts, p)
	}
	walk = func(s *Structure, depth int) {
		if depth > maxDepth {
			all = false
			return
		}
		switch {
		case s.Type == "text":
			p := Searched{Section: s.Section, Max: 2 * most, Size: s.Size, part: s} // encoded
			if s.Subtype == "html" {
				p.Max = 6 * most // with its markup
			}
			add(p)
		case s.Type == "message" && len(s.Children) > 0:
			add(Searched{Section: s.Section + ".HEADER", Max: maxSearchedHeader})
		case s.Type == "message": // of a report; or a mail that the server does not open
			add(Searched{Section: s.Section, Max: 2 * most, Size: s.Size, part: s})
			all = all && s.Subtype != "rfc822" && s.Subtype != "global"
		}
		for _, c := range s.Children {
			walk(c, depth+1)
		}
	}
	walk(s, 0)
	return parts, all
}

// Empty says that there is nothing in it.
func (p Searched) Empty() bool { return p.part != nil && p.Size == 0 }

// Text is what there is to be found in the beginning of the part; all says that it is not the beginning alone.
func (p Searched) Text(body []byte) (text string, all bool) {
	if p.part == nil {
		h := ReadHeader(body)
		people := append(append(append([]string{h.Subject()}, written(h.From())...), written(h.To())...), written(h.Cc())...)
		return strings.Join(people, "\n"), int64(len(body)) < p.Max
	}
	s := p.part
	n := treeOf(&Structure{Section: s.Section, Type: s.Type, Subtype: s.Subtype, Params: s.Params, Encoding: s.Encoding}, 0, newBudget())
	all = int64(len(body)) < p.Max && int64(len(body)) >= s.Size
	if n.body = body; !all {
		n.body = cutBroken(body, n.encoding)
	}
	v := viewer{m: &Message{}, root: n, pay: n.pay}
	text, cut := v.plainText(n)
	return text, all && !cut
}

func written(list []Address) (out []string) {
	for _, a := range list {
		out = append(out, a.Name+" <"+a.Addr+">")
	}
	return out
}

// FoldText is Fold for a text that is looked through: what cannot be seen is out of it, and white space is one space each.
func FoldText(s string) string {
	return Fold(strings.Join(strings.Fields(dropInvisible(strings.ToValidUTF8(s, ""))), " "))
}
