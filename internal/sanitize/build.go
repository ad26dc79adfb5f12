package sanitize

import (
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

// scope is what a node has from those around it.
type scope struct {
	depth         int
	text, ground  shade // colours of text, and of what is opaque behind it
	keep          bool  // colours stay as sent, by night too
	link, heading bool
	hidden        bool // by display, visibility, opacity or size nought
	fontZero      bool
}

// stop says that a limit is reached.
func (w *walker) stop() bool {
	w.nodes++
	if w.nodes > maxNodes || w.nodes%256 == 0 && w.ctx.Err() != nil {
		w.blocked.Cut = true
		return true
	}
	return false
}

func (w *walker) children(to, n *html.Node, sc scope) {
	if sc.depth++; sc.depth > maxDepth {
		w.blocked.Cut = true
		w.addText(to, textOf(n), sc)
		return
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if w.stop() {
			return
		}
		switch c.Type {
		case html.TextNode:
			w.addText(to, c.Data, sc)
		case html.ElementNode:
			if c.Namespace == "" {
				w.element(to, c, sc)
			}
		}
	}
}

// addText writes text where text may stand. Quotes and answers hold only what could be seen.
func (w *walker) addText(to *html.Node, s string, sc scope) {
	if onlyParts[to.Data] || w.profile != view && (sc.hidden || sc.fontZero || w.unseen(sc)) {
		return
	}
	addText(to, calm(clean(s)))
}

// unseen says whether text has the colour of what is behind it.
func (w *walker) unseen(sc scope) bool {
	return contrast(sc.text.day.over(sc.ground.day), sc.ground.day) < unseen
}

// element writes one element, or what stands for it.
func (w *walker) element(to, n *html.Node, sc scope) {
	name := n.Data
	switch {
	case name == "img":
		w.image(to, n, sc)
		return
	case name == "map":
		w.mapLinks(to, n, sc)
		return
	case name == "form":
		w.blocked.Forms = true
	case formParts[name]:
		w.blocked.Forms = true
		return
	}
	if killed[name] {
		return
	}
	if !allowed[name] {
		w.children(to, n, sc)
		return
	}
	name = w.placed(name, to, sc)
	if name == "" {
		w.children(to, n, sc)
		return
	}
	w.make(name, to, n, sc)
}

// placed is the name under which an element may stand here: its own, another's, or "" for only what it holds.
func (w *walker) placed(name string, to *html.Node, sc scope) string {
	if w.flat {
		return flatName(name)
	}
	p := parents[name]
	switch {
	case p != nil && !p[to.Data]:
		switch name {
		case "li", "dt", "dd", "summary":
			if !onlyParts[to.Data] {
				return "div"
			}
		case "rt", "rp":
			return "span"
		}
		return ""
	case onlyParts[to.Data] && p == nil:
		return ""
	case name == "tr" || name == "td" || name == "th":
		if w.cells > maxCells {
			w.blocked.Cut = true
			return ""
		}
	case headings[name] && sc.heading:
		return ""
	}
	return name
}

func flatName(name string) string {
	switch {
	case void[name] && name != "col" || name == "a":
		return name
	case name == "col":
		return ""
	case blocks[name] || name == "tr":
		return "div"
	}
	return "span"
}

// make writes the element and what it holds.
func (w *walker) make(name string, to, n *html.Node, sc scope) {
	if name == "a" {
		w.anchor(to, n, sc)
		return
	}
	w.into(element(name), to, n, sc)
}

// into puts e, made of n, under to, with attributes, style and children.
func (w *walker) into(e, to, n *html.Node, sc scope) {
	name := e.Data
	if name == "td" || name == "th" {
		w.cells += cellsOf(n)
	}
	if e.Attr == nil && len(n.Attr) > 0 {
		e.Attr = make([]html.Attribute, 0, min(len(n.Attr)+1, 8))
	}
	w.attributes(e, n)
	was := sc.hidden
	sc = w.style(e, n, sc)
	if w.profile != view && sc.hidden {
		return
	}
	to.AppendChild(e)
	if sc.hidden && !was {
		w.hiddenBoxes[e] = true
	}
	if k := quoteOf(n); k != 0 {
		w.quotes[e] = k
	}
	if void[name] {
		return
	}
	sc.heading = sc.heading || headings[name]
	if blocks[name] {
		w.made++
	}
	made := w.made
	w.children(e, n, sc)
	if name == "p" && w.made > made {
		asDiv(e)
	}
}

// asDiv turns a paragraph that holds blocks into a div that looks like one: a parser would end the paragraph.
func asDiv(e *html.Node) {
	e.Data, e.DataAtom = "div", atomOf("div")
	const margin = "margin:1em 0"
	for i, a := range e.Attr {
		if a.Key == "style" {
			e.Attr[i].Val = margin + ";" + a.Val
			return
		}
	}
	put(e, "style", margin)
}

func cellsOf(n *html.Node) int {
	return span(attr(n, "colspan")) * span(attr(n, "rowspan"))
}

func span(s string) int {
	v, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || v < 1 {
		return 1
	}
	return min(v, maxSpan)
}

// maxMarks is how many combining marks in a row are kept.
const maxMarks = 4
