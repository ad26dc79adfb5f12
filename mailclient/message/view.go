package message

import (
	"bytes"
	"strings"
)

// viewer decides what of a tree is shown and what is listed (RFC 8621 4.1.4, with practice). It goes the same way
// over trees from bytes and from a BODYSTRUCTURE, where most bodies are not at hand; what it misses it notes in wants.
type viewer struct {
	m     *Message
	root  *node
	whole bool // read from bytes: all bodies are there
	dry   bool // only which parts are shown and listed is asked, nothing is decoded
	depth int  // of attached mails
	wants []Want
	pay   *budget
	hints []string // charsets that the mail's labels name
	texts []*node  // shown as text, in order
	plain []*node  // the plain kind where another was chosen
	files []*node  // listed, in order
	cards int
}

// place is where in its surroundings a part stands.
type place struct {
	first   bool // nothing of the body came before it
	related bool
}

func newViewer(root *node, whole bool, depth int) *viewer {
	return &viewer{m: &Message{Header: root.header}, root: root, whole: whole, depth: depth, pay: root.pay}
}

// message walks the tree and fills the Message.
func (v *viewer) message() *Message {
	v.m.Date = v.m.Header.Date()
	v.m.headerFaults()
	for _, f := range v.root.faults {
		v.m.fault(f.Kind, f.Where)
	}
	v.expand(v.root)
	v.gatherHints()
	v.part(v.root, place{first: true})
	v.rescue()
	v.finishAlt()
	v.list()
	return v.m
}

func (v *viewer) gatherHints() {
	seen := map[string]bool{}
	add := func(cs string) {
		if cs != "" && !seen[cs] && len(v.hints) < 20 {
			seen[cs] = true
			v.hints = append(v.hints, cs)
		}
	}
	v.root.each(func(n *node) { add(n.params["charset"]) })
	if len(v.hints) > 0 && v.m.Header.charset == "" && !isASCII(v.m.Header.Raw) {
		v.m.Header.charset = v.hints[0] // raw letters in the header are most likely of the body's charset
	}
}

// want notes that a part's body is needed, and says whether it is there.
func (v *viewer) want(n *node, most int64) bool {
	if v.dry || n.body != nil || n.decoded != nil {
		return !v.dry
	}
	if !v.whole {
		v.wants = append(v.wants, Want{Section: n.section, Max: most, MIME: n != v.root && !n.isMail()})
	}
	return false
}

// part shows or lists one node of the tree.
func (v *viewer) part(n *node, at place) {
	switch {
	case n.spare:
		return
	case n.isSMIME():
		v.smime(n, at)
	case n.opened: // a TNEF file
		v.file(n)
		v.mixed(n, place{related: true})
	case n.typ == "multipart":
		v.multipart(n, at)
	case n.isMail():
		v.attachedMail(n)
	case v.card(n):
	case n.shows(at):
		v.text(n)
		if n.subtype == "plain" && n.dispParams["filename"] != "" { // shown, and a file all the same
			v.file(n)
		}
	default:
		v.file(n)
	}
}

func (v *viewer) multipart(n *node, at place) {
	switch n.subtype {
	case "alternative":
		v.alternative(n, at)
	case "related":
		v.related(n, at)
	case "encrypted":
		v.encrypted(n)
	case "appledouble":
		v.appleDouble(n, at)
	case "report":
		for _, c := range n.children {
			c.returned = true
		}
		v.mixed(n, at)
	case "signed":
		v.mixed(n, at)
		v.signedCard(n)
	default:
		v.mixed(n, at)
	}
}

// mixed shows parts one after the other: texts in order, an inline picture between texts where it stands.
func (v *viewer) mixed(n *node, at place) {
	for i, c := range n.children {
		if !v.dry && c.typ == "image" && c.disposition == "inline" && i > 0 && len(v.texts) > 0 && c.isPicture() {
			v.m.Blocks = append(v.m.Blocks, Block{Kind: BlockImage, Section: c.section})
		}
		v.part(c, place{first: at.first && i == 0})
	}
}

// isPicture says whether every browser shows such a picture.
func (n *node) isPicture() bool {
	switch n.subtype {
	case "png", "jpeg", "jpg", "pjpeg", "gif", "webp", "bmp":
		return true
	}
	return false
}

// appleDouble shows the data fork; the resource fork is of use to nobody (RFC 1740).
func (v *viewer) appleDouble(n *node, at place) {
	for _, c := range n.children {
		if c.is("application", "applefile") {
			c.technical = true
			v.file(c)
			continue
		}
		v.part(c, at)
	}
}

// related shows the root and lists the rest, which the root may refer to (RFC 2387).
func (v *viewer) related(n *node, at place) {
	root := relatedRoot(n)
	for i, c := range n.children {
		c.inRelated = i != root
		switch {
		case i == root:
			v.part(c, place{first: at.first || c.rawName() == ""})
		case c.is("text", "plain") && c.id == "" && c.rawName() == "" && c.disposition != "attachment" && n.children[root].rank() == rankHTML:
			v.loser(c)
		default:
			v.part(c, place{related: true})
		}
	}
}

// relatedRoot finds the part that start= names, else the first HTML, else the first text, else the first part.
func relatedRoot(n *node) int {
	best, bestRank := 0, 0
	for i, c := range n.children {
		if start := trimID(n.params["start"]); start != "" && c.id == start && c.rank() > 0 {
			return i
		}
		if r := c.rank(); r > bestRank {
			best, bestRank = i, r
		}
	}
	return best
}

// The kinds of an alternative, the best last. An HTML part with neither text nor picture loses to plain that has some.
const (
	rankNone  = iota
	rankBlank // plain text without any
	rankEmpty
	rankPlain
	rankRich
	rankHTML
)

// rank says how well a part of an alternative can be shown.
func (n *node) rank() int {
	if n.typ == "multipart" {
		best := rankNone
		for _, c := range n.children {
			if r := c.rank(); c.typ != "" && r > best {
				best = r
			}
			if n.subtype == "signed" {
				break
			}
		}
		return best
	}
	if n.typ != "text" || n.disposition == "attachment" && n.rawName() != "" {
		return rankNone
	}
	switch n.subtype {
	case "html":
		if n.blankHTML() {
			return rankEmpty
		}
		return rankHTML
	case "enriched", "richtext":
		return rankRich
	case "plain":
		if n.body != nil && len(bytes.TrimSpace(n.body)) == 0 {
			return rankBlank
		}
		return rankPlain
	}
	return rankNone
}

// alternative shows the best kind, whatever the order; of several the last. A calendar becomes a card beside it.
func (v *viewer) alternative(n *node, at place) {
	best := -1
	for i, c := range n.children {
		if best < 0 || c.rank() >= n.children[best].rank() {
			best = i
		}
	}
	if best >= 0 && n.children[best].rank() == rankNone { // used as mixed: nothing is to be hidden
		v.mixed(n, at)
		return
	}
	for i, c := range n.children {
		if i == best || n.children[best].twin(c) {
			v.part(c, place{first: true})
		} else {
			v.loser(c)
		}
	}
}

// twin says whether another leaf is of the same kind and says something else: senders use alternative for mixed.
func (n *node) twin(c *node) bool {
	if n.typ != "text" || c.typ != "text" || n.rank() != c.rank() {
		return false
	}
	return c.size != n.size || c.body != nil && n.body != nil && !bytes.Equal(c.decodedBody(), n.decodedBody())
}

// loser hides the texts of the kind that was not chosen, and lists the rest of it.
func (v *viewer) loser(n *node) {
	switch {
	case n.typ == "multipart":
		for _, c := range n.children {
			v.loser(c)
		}
	case n.rank() == rankPlain || n.rank() == rankBlank:
		v.want(n, maxShown)
		v.plain = append(v.plain, n)
	case n.rank() > rankNone:
		v.want(n, maxShown)
	case n.typ == "text" && (n.subtype == "x-amp-html" || n.subtype == "watch-html"):
	default:
		v.part(n, place{})
	}
}

// fileTexts are kinds of text that are files rather than letters.
var fileTexts = map[string]bool{"calendar": true, "vcard": true, "x-vcard": true, "directory": true, "csv": true, "rtf": true, "xml": true,
	"css": true, "javascript": true, "x-amp-html": true, "watch-html": true, "tab-separated-values": true, "vtt": true, "x-vcalendar": true}

// shows says whether a leaf is shown as text: unless it is an attachment, has a name and does not come first,
// stands beside the root of a related, or is of a kind for programs.
func (n *node) shows(at place) bool {
	if n.typ != "text" || fileTexts[n.subtype] || n.disposition == "attachment" || at.related {
		return false
	}
	return at.first || n.rawName() == ""
}

func (v *viewer) file(n *node) { v.files = append(v.files, n) }

// rescue shows a text that would only be listed, when it is the only one: the body of a TNEF file, or an attachment
// without a name.
func (v *viewer) rescue() {
	if len(v.texts) > 0 {
		return
	}
	var spare []*node
	v.root.each(func(n *node) {
		if n.spare {
			spare = append(spare, n)
		}
	})
	if len(spare) > 0 {
		v.text(spare[0])
		return
	}
	at := -1
	for i, n := range v.files {
		if n.typ == "text" && !fileTexts[n.subtype] && n.rawName() == "" && !n.technical {
			if at >= 0 {
				return
			}
			at = i
		}
	}
	if at >= 0 {
		n := v.files[at]
		v.files = append(v.files[:at], v.files[at+1:]...)
		v.text(n)
	}
}

// finishAlt fills HTMLAlt and PlainAlt.
func (v *viewer) finishAlt() {
	for _, b := range v.m.Blocks {
		v.m.HTMLAlt = v.m.HTMLAlt || b.Kind == BlockHTML
	}
	var texts []string
	for _, n := range v.plain {
		if text, _ := v.plainText(n); strings.TrimSpace(text) != "" {
			texts = append(texts, text)
		}
	}
	v.m.PlainAlt = strings.Join(texts, "\n")
}
