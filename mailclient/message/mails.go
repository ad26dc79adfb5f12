package message

import (
	"strconv"
	"strings"
	"time"
)

func itoa(n int) string { return strconv.Itoa(n) }

const (
	maxNestedCards = 20
	maxExcerptText = 1000 // runes of an attached mail that its card shows
)

// attachedMail lists a nested mail, tells of it in a card, and reads it when all bytes are there.
func (v *viewer) attachedMail(n *node) {
	v.file(n)
	if v.dry {
		return
	}
	v.wantMail(n)
	n.openEncoded()
	if n.nested == nil {
		return
	}
	if v.cards < maxNestedCards {
		v.cards++
		v.addCard(n, mailCard(n.nestedHeader, n.excerpt()))
	}
	if v.whole && v.depth < maxNested {
		v.m.Nested = append(v.m.Nested, newViewer(n.nested, true, v.depth+1).message())
	}
}

// wantMail asks for the head of an attached mail and the beginning of its text; all of its head when the server could
// not look into it.
func (v *viewer) wantMail(n *node) {
	if v.whole || n.body != nil {
		return
	}
	if n.nested == nil {
		v.wants = append(v.wants, Want{Section: n.section, Max: maxHead, MIME: true})
		return
	}
	v.wants = append(v.wants, Want{Section: n.section + ".HEADER", Max: maxHead})
	if t := firstText(n.nested); t != nil {
		v.wants = append(v.wants, Want{Section: t.section, Max: maxExcerpt, MIME: t != n.nested})
	}
}

// openEncoded parses an attached mail that came encoded, which servers do not look into.
func (n *node) openEncoded() {
	if n.nested != nil || n.body == nil || n.from == nil {
		return
	}
	n.nested = readTree(n.decodedBody(), n.section, n.pay, 1)
	n.nestedHeader = n.nested.header
}

// mailCard tells of an attached mail.
func mailCard(h Header, text string) *Card {
	f := map[string]string{"name": h.Subject(), "from": joinAddresses(h.From()), "text": text, "id": h.MessageID()}
	if t := h.Date(); !t.IsZero() {
		f["date"] = showTime(t)
	}
	return &Card{Kind: "message", Fields: f}
}

func joinAddresses(list []Address) string {
	var out []string
	for _, a := range list[:min(len(list), 5)] {
		if a.Name != "" && a.Addr != "" {
			out = append(out, a.Name+" <"+a.Addr+">")
		} else {
			out = append(out, a.Name+a.Addr)
		}
	}
	return strings.Join(out, ", ")
}

// showTime writes a time alike for readers of all languages.
func showTime(t time.Time) string { return t.Format("2006-01-02 15:04 -07:00") }

// excerpt gives the beginning of the text of an attached mail; only so much of it as is fetched anyway, so that
// both ways of reading see the same.
func (n *node) excerpt() string {
	t := firstText(n.nested)
	if t == nil || t.body == nil {
		return ""
	}
	part := *t
	part.body, part.decoded = t.body[:min(len(t.body), maxExcerpt)], nil
	v := viewer{m: &Message{}, root: &part, pay: n.pay}
	text, _ := v.plainText(&part)
	return cutRunes(strings.TrimSpace(text), maxExcerptText)
}

// cutRunes cuts a text to at most n runes, with a sign that it was.
func cutRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return strings.TrimSpace(s[:i]) + " …"
		}
		n--
	}
	return s
}

// firstText finds the part that tells best what a mail says, in plain text where there is some.
func firstText(root *node) *node {
	v := dryView(root)
	for _, n := range v.plain {
		if n.size > 0 {
			return n
		}
	}
	for _, n := range v.texts {
		if n.size > 0 && !strings.Contains(n.section, "!") {
			return n
		}
	}
	return nil
}

// dryView finds which parts of a tree are shown and listed, decoding nothing.
func dryView(root *node) *viewer {
	v := newViewer(root, false, 0)
	v.dry = true
	v.part(root, place{first: true})
	v.rescue()
	return v
}
