package sanitize

import (
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// escape writes s as text or as the inside of a double-quoted attribute: the same for both, so that no place is wrong.
func escape(b *strings.Builder, s string) {
	_, _ = escaper.WriteString(b, s) // a Builder never fails
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;", "`", "&#96;")

// clean drops what no text needs: controls but tab and line feed, non-characters, and bytes that are no UTF-8.
func clean(s string) string {
	if plain(s) {
		return s
	}
	ok := func(r rune) bool {
		return r == '\t' || r == '\n' || r >= ' ' && r < 0x7f || r >= 0xa0 && r != 0xfffe && r != 0xffff && r&0xfffe != 0xfffe && (r < 0xfdd0 || r > 0xfdef)
	}
	return strings.Map(func(r rune) rune {
		if ok(r) {
			return r
		}
		return -1
	}, valid(s))
}

// plain says that s is ASCII that can be seen, with tabs and line feeds: most is, and need not be looked at closer.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= 0x7f || c < ' ' && c != '\t' && c != '\n' {
			return false
		}
	}
	return true
}

// write serialises our own tree: every end tag there, every value quoted, no end tag for void elements.
func write(b *strings.Builder, n *html.Node) {
	switch n.Type {
	case html.TextNode:
		escape(b, n.Data)
	case html.ElementNode:
		b.WriteByte('<')
		b.WriteString(n.Data)
		for _, a := range n.Attr {
			b.WriteByte(' ')
			b.WriteString(a.Key)
			b.WriteString(`="`)
			escape(b, a.Val)
			b.WriteByte('"')
		}
		b.WriteByte('>')
		if void[n.Data] {
			return
		}
		if c := n.FirstChild; n.Data == "pre" && c != nil && c.Type == html.TextNode && strings.HasPrefix(c.Data, "\n") {
			b.WriteByte('\n') // a parser eats the first line feed of a pre
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			write(b, c)
		}
		b.WriteString("</" + n.Data + ">")
	default:
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			write(b, c)
		}
	}
}

// render writes a tree of about size bytes. Attributes stand in the order of the alphabet, as some parsers sort them.
func render(n *html.Node, size int) string {
	var b strings.Builder
	b.Grow(size + size/4)
	sortAttributes(n)
	write(&b, n)
	return valid(b.String())
}

// valid is s without bytes that are no UTF-8.
func valid(s string) string {
	if utf8.ValidString(s) { // which reads ASCII in large steps
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

func sortAttributes(n *html.Node) {
	slices.SortFunc(n.Attr, func(a, b html.Attribute) int { return strings.Compare(a.Key, b.Key) })
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		sortAttributes(c)
	}
}

// readsAs says whether a browser's parser, given out, builds exactly root's children, wherever a document may put them.
// Whether scripts may run makes a difference to a noscript element alone (HTML 13.2.6.4.4 and .7).
func readsAs(out string, root *html.Node) bool {
	for _, scripting := range []bool{false, true} {
		if scripting && !strings.Contains(out, "<noscript") {
			break
		}
		nodes, err := html.ParseFragmentWithOptions(strings.NewReader(out), element("div"), html.ParseOptionEnableScripting(scripting))
		if err != nil {
			return false
		}
		back := &html.Node{Type: html.DocumentNode}
		for _, n := range nodes {
			back.AppendChild(n)
		}
		if !equal(root, back) {
			return false
		}
	}
	return true
}

// equal compares the children of two nodes, deeply.
func equal(a, b *html.Node) bool {
	x, y := a.FirstChild, b.FirstChild
	for ; x != nil && y != nil; x, y = x.NextSibling, y.NextSibling {
		if x.Type != y.Type || x.Data != y.Data || x.Namespace != y.Namespace || len(x.Attr) != len(y.Attr) {
			return false
		}
		for i := range x.Attr {
			if x.Attr[i] != y.Attr[i] {
				return false
			}
		}
		if !equal(x, y) {
			return false
		}
	}
	return x == nil && y == nil
}

func element(name string) *html.Node {
	return &html.Node{Type: html.ElementNode, Data: name, DataAtom: atomOf(name)}
}

// addText appends text, joined to text that is already last, as a parser would join it.
func addText(to *html.Node, s string) {
	if s == "" {
		return
	}
	if l := to.LastChild; l != nil && l.Type == html.TextNode {
		l.Data += s
		return
	}
	to.AppendChild(&html.Node{Type: html.TextNode, Data: s})
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key && a.Namespace == "" {
			return a.Val
		}
	}
	return ""
}

func hasAttr(n *html.Node, key string) bool {
	for _, a := range n.Attr {
		if a.Key == key {
			return true
		}
	}
	return false
}

func put(n *html.Node, key, val string) { n.Attr = append(n.Attr, html.Attribute{Key: key, Val: val}) }
