package sanitize

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// quoteKind says how a node begins a quote.
type quoteKind byte

const (
	wholeQuote quoteKind = iota + 1 // the node is the quote
	quoteHead                       // the quote is the node and all that follows
	quoteName                       // the node names the writer of the quote that follows
)

var (
	quoteClasses = set("gmail_quote gmail_quote_container yahoo_quoted protonmail_quote moz-signature-quote zmail_extra tutanota_quote front-blockquote")
	headClasses  = set("OutlookMessageHeader gmail_extra_head")
	quoteIDs     = set("isReplyContent replySplit")
	quoteNames   = set("quote messageReplySection")
	headIDs      = set("divRplyFwdMsg appendonsend mail-editor-reference-message-container ms-outlook-mobile-reference-message OLK_SRC_BODY_SECTION zwchr")
)

// quoteOf says whether an element of the mail begins a quote, by the marks of the programs that wrote it.
func quoteOf(n *html.Node) quoteKind {
	if n.Data == "blockquote" && strings.EqualFold(attr(n, "type"), "cite") || quoteIDs[attr(n, "id")] || n.Data == "div" && quoteNames[attr(n, "name")] {
		return wholeQuote
	}
	if headIDs[attr(n, "id")] {
		return quoteHead
	}
	for _, c := range strings.Fields(attr(n, "class")) {
		if quoteClasses[c] {
			return wholeQuote
		}
		if headClasses[c] {
			return quoteHead
		}
		if c == "moz-cite-prefix" {
			return quoteName
		}
	}
	// Outlook draws a line over the names of the mail it quotes.
	if n.Data == "div" && strings.Contains(strings.ToLower(attr(n, "style")), "border-top") && outlookLine.MatchString(firstText(n, 0)) {
		return quoteHead
	}
	return 0
}

// firstText is the first text below n that is not blank.
func firstText(n *html.Node, depth int) string {
	for c := n.FirstChild; c != nil && depth < 10; c = c.NextSibling {
		if c.Type == html.TextNode && strings.TrimSpace(c.Data) != "" {
			return c.Data
		}
		if s := firstText(c, depth+1); s != "" {
			return s
		}
	}
	return ""
}

// fold puts the quoted tail of a mail into a details element. Answers between quotes stay open, and so does a mail
// that is nothing but a quote, or passes one on.
func (w *walker) fold(root *html.Node) {
	f := folder{w: w, root: root, last: w.lastSeen(root)}
	f.find(root)
	if f.start == nil || f.staysOpen() {
		return
	}
	start := f.climb(f.start)
	to := start.Parent
	if !f.before || to == nil || to.Data == "p" || onlyParts[to.Data] || to.Data == "ul" || to.Data == "ol" || within(to, "a") || !w.after(f, start) {
		return
	}
	if f.kind == wholeQuote {
		start = w.nameBefore(start)
	}
	if !w.seenBefore(root, start) {
		return
	}
	d := w.details()
	to.InsertBefore(d, start)
	for n := start; n != nil; {
		next := n.NextSibling
		to.RemoveChild(n)
		d.AppendChild(n)
		n = next
	}
}

func (w *walker) details() *html.Node {
	words := w.o.Quoted
	if words == "" {
		words = "Quoted text"
	}
	d, s := element("details"), element("summary")
	put(d, "class", "quoted")
	put(s, "aria-label", words)
	addText(s, "···")
	d.AppendChild(s)
	return d
}

// folder looks for the first node, in the order of reading, that begins the tail.
type folder struct {
	w           *walker
	root, start *html.Node
	last        *html.Node // the last node that can be seen
	kind        quoteKind
	before      bool // something can be seen before start
	heads       int  // looked at
}

func (f *folder) find(n *html.Node) {
	for c := n.FirstChild; c != nil && f.start == nil; c = c.NextSibling {
		if f.w.hiddenBoxes[c] {
			continue
		}
		if k := f.kindOf(c); k == quoteHead || k == wholeQuote && (f.last == nil || holds(c, f.last)) && !f.w.answered(c) {
			f.start, f.kind = c, k
			return
		}
		if seen(c) {
			f.before = true
		}
		f.find(c)
	}
}

// staysOpen says whether the quote is there to be read: it is a mail that is passed on, or what stands before it speaks of
// answers within it.
func (f *folder) staysOpen() bool {
	const most = 8 << 10 // bytes that are looked at
	var before strings.Builder
	var walk func(n *html.Node) (found bool)
	walk = func(n *html.Node) bool {
		if n.Type == html.TextNode {
			before.WriteString(n.Data)
			before.WriteByte('\n')
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			if c == f.start || before.Len() > most || walk(c) {
				return true
			}
		}
		return false
	}
	walk(f.root)
	before.WriteString(firstText(f.start, 0))
	return forwardLine.MatchString(before.String()) || withinLine.MatchString(before.String())
}

func (f *folder) kindOf(n *html.Node) quoteKind {
	if n.Type == html.TextNode && (ruled(n.Data) && originalLine.MatchString(n.Data) || f.headed(n)) {
		return quoteHead
	}
	if n.Data == "blockquote" && f.w.quotes[n] == 0 && f.w.nameBefore(n) != n {
		return wholeQuote
	}
	return f.w.quotes[n]
}

// maxHeads is how many texts are looked at that may begin a head.
const maxHeads = 50

// headed says whether a text begins a head of From, Sent and Subject, as programs write that mark nothing.
func (f *folder) headed(n *html.Node) bool {
	if start := n.Data[:min(len(n.Data), 40)]; !strings.Contains(start, ":") && !strings.Contains(start, "：") || !outlookLine.MatchString(n.Data) {
		return false
	}
	if f.heads++; f.heads > maxHeads {
		return false
	}
	for up := 0; n.Parent != nil && up < 3 && n.PrevSibling == nil && !blocks[n.Data]; up++ {
		n = n.Parent
	}
	var head strings.Builder
	looks := 0
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		for ; n != nil && looks < 60 && head.Len() < 600; n = n.NextSibling {
			looks++
			if n.Type == html.TextNode {
				head.WriteString(n.Data[:min(len(n.Data), 300)] + " ")
			}
			walk(n.FirstChild)
		}
	}
	walk(n)
	return sentWord.MatchString(head.String()) && subjectWord.MatchString(head.String())
}

// ruled says whether text begins with a line drawn of marks, as originalLine does: most has none.
func ruled(s string) bool {
	s = strings.TrimLeft(s, "\t\n\f\r ")
	return s != "" && (s[0] == '-' || s[0] == '_')
}

// climb goes up while nothing stands before the node, so that the quote's own boxes go along.
func (f *folder) climb(n *html.Node) *html.Node {
	for p := n.Parent; p != nil && p != f.root && p.Parent != nil; p = n.Parent {
		for s := n.PrevSibling; s != nil; s = s.PrevSibling {
			if f.w.lastSeen(s) != nil {
				return n
			}
		}
		if onlyParts[p.Data] || parents[p.Data] != nil {
			return n
		}
		n = p
	}
	return n
}

// after says whether the quote goes on to the end of what can be seen.
func (w *walker) after(f folder, start *html.Node) bool {
	return f.last == nil || holds(start.Parent, f.last)
}

// seen says whether a node itself draws something.
func seen(n *html.Node) bool {
	return n.Type == html.TextNode && strings.TrimSpace(n.Data) != "" || n.Data == "img" || n.Data == "span" && attr(n, "class") == "blocked"
}

// lastSeen is the last node below n, or n, that can be seen.
func (w *walker) lastSeen(n *html.Node) *html.Node {
	if seen(n) {
		return n
	}
	if w.hiddenBoxes[n] {
		return nil
	}
	for c := n.LastChild; c != nil; c = c.PrevSibling {
		if l := w.lastSeen(c); l != nil {
			return l
		}
	}
	return nil
}

func holds(n, inner *html.Node) bool {
	for p := inner; p != nil; p = p.Parent {
		if p == n {
			return true
		}
	}
	return false
}

func within(n *html.Node, name string) bool {
	for ; n != nil; n = n.Parent {
		if n.Data == name {
			return true
		}
	}
	return false
}

// seenBefore says whether something can be seen before n.
func (w *walker) seenBefore(root, n *html.Node) bool {
	for ; n != nil && n != root; n = n.Parent {
		for s := n.PrevSibling; s != nil; s = s.PrevSibling {
			if w.lastSeen(s) != nil {
				return true
			}
		}
	}
	return false
}

// answered says whether a quote's box holds more than its head and one quote: then somebody answered in between.
func (w *walker) answered(box *html.Node) bool {
	if box.Data == "blockquote" {
		return false
	}
	var walk func(n *html.Node, inQuote bool) bool
	quotes := 0
	walk = func(n *html.Node, after bool) bool {
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			if c.Data == "blockquote" {
				quotes++
				continue
			}
			if quotes > 0 && seen(c) || walk(c, after) {
				return true
			}
		}
		return false
	}
	return walk(box, false)
}

// nameBefore goes back to the line that names the writer of the quote, if it stands right before.
func (w *walker) nameBefore(n *html.Node) *html.Node {
	var parts []string
	at := n
	for s := n.PrevSibling; s != nil && len(parts) < 8; s = s.PrevSibling {
		if s.Type == html.ElementNode && (s.Data == "br" || s.Data == "hr") && len(parts) > 0 {
			break
		}
		if w.quotes[s] == quoteName {
			return s
		}
		text := textOf(s)
		if strings.TrimSpace(text) != "" {
			parts = append([]string{strings.TrimSpace(text)}, parts...)
			at = s
			if blocks[s.Data] {
				break
			}
		} else if w.lastSeen(s) != nil {
			break
		}
	}
	line := strings.Join(parts, " ")
	if nameLine.MatchString(line) && strings.ContainsAny(line, "0123456789@") && !slices.Contains(strings.Split(line, ""), "\n") {
		return at
	}
	return n
}
