package sanitize

import (
	"context"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

func atomOf(name string) atom.Atom { return atom.Lookup([]byte(name)) }

// profile is what the output is for.
type profile byte

const (
	view     profile = iota // a document of its own, with styles and themes
	quote                   // into an editor: what a reader saw, without layout
	outgoing                // out of an editor: what the person wrote
)

// walker cleans one part.
type walker struct {
	ctx         context.Context
	o           Options
	profile     profile
	index       int
	prefix      string // before the mail's own ids and classes
	themed      bool   // colours are written for day and night
	rightToLeft bool   // the letter as a whole: what is too wide sticks out to the left
	flat        bool   // second try: only div and span
	same        bool   // for tests: prefixes and addresses stay, nothing is folded
	blocked     Blocked
	css         string

	sheet       *sheet
	used        map[string]bool // classes that the written CSS asks for
	nodes       int
	made        int // blocks made, to see whether a paragraph holds one
	cells       int
	links       int
	images      int
	data        int
	peeks       int
	peeked      bool // the style of an element was made of what it holds
	linkDay     rgba
	quotes      map[*html.Node]quoteKind // nodes of the new tree that begin a quote
	hiddenBoxes map[*html.Node]bool      // and those that are not seen, with all they hold
	pushed      map[[2]rgba]rgba
	styled      map[styleKey]styled
	nights      map[rgba]rgba     // what darken gave
	inlines     map[string][]decl // what style attributes say
	pictures    map[string]string
}

func newWalker(ctx context.Context, o Options, index int) *walker {
	w := &walker{ctx: ctx, o: o, index: index, prefix: "m-"}
	if index > 0 {
		w.prefix = "m" + strconv.Itoa(index) + "-"
	}
	w.themed = o.Theme == "dark" || o.Theme == "auto"
	return w
}

// rootID names the element around the part; no mail can have it, as its names have a prefix.
func (w *walker) rootID() string { return "part-" + strconv.Itoa(w.index) }

// lineEnds makes line ends one, as a browser does; a form feed is a space.
func lineEnds(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r", "\n"), "\f", " ")
}

// part cleans a part and gives its HTML, and what reads it once more, if it needs to be; its CSS is in w.css.
func (w *walker) part(p Part) (string, func() string) {
	switch {
	case p.Image != "":
		root := &html.Node{Type: html.DocumentNode}
		img := element("img")
		put(img, "class", "picture")
		put(img, "src", p.Image)
		put(img, "alt", "")
		root.AppendChild(img)
		return render(root, 0), nil
	case p.Text != "":
		return w.plain(p.Text), nil
	}
	return w.unread(p.HTML)
}

// html cleans foreign HTML.
func (w *walker) html(s string) string {
	_, read := w.unread(s)
	return read()
}

// unread cleans foreign HTML. What it gives is not to be shown before read has seen that it reads as it was made: what
// does not is flattened, then made text.
func (w *walker) unread(s string) (out string, read func() string) {
	if len(s) > maxInput {
		s, w.blocked.Cut = s[:maxInput], true
	}
	s, cut := bound(clean(lineEnds(s)))
	w.blocked.Cut = w.blocked.Cut || cut
	doc, err := html.ParseWithOptions(strings.NewReader(s), html.ParseOptionEnableScripting(false))
	if err != nil {
		out = w.textOnly(tokenText(s))
		return out, func() string { return out }
	}
	w.styles(doc)
	before := w.blocked
	write := func(flat bool) (*html.Node, string) {
		w.flat, w.blocked = flat, before
		w.begin()
		root := w.tree(doc)
		return root, render(root, len(s))
	}
	root, out := write(false)
	return out, func() string {
		if readsAs(out, root) {
			return out
		}
		if root, out := write(true); readsAs(out, root) {
			return out
		}
		w.begin()
		return w.textOnly(textOf(w.tree(doc)))
	}
}

func (w *walker) textOnly(s string) string {
	w.blocked.Plain, w.css = true, ""
	root := &html.Node{Type: html.DocumentNode}
	div := element("div")
	if w.profile == view {
		put(div, "class", "text")
	}
	addText(div, clean(s))
	root.AppendChild(div)
	return render(root, 0)
}

// begin sets the counters back.
func (w *walker) begin() {
	w.nodes, w.made, w.cells, w.links, w.images, w.data, w.peeks = 0, 0, 0, 0, 0, 0, 0
	w.quotes, w.hiddenBoxes = map[*html.Node]quoteKind{}, map[*html.Node]bool{}
	w.pushed, w.pictures = map[[2]rgba]rgba{}, map[string]string{}
	w.sheet.steps = 0
	w.nights, w.inlines, w.styled = map[rgba]rgba{}, map[string][]decl{}, map[styleKey]styled{}
	w.css, w.used = w.writeSheet()
}

// styles reads all style elements.
func (w *walker) styles(doc *html.Node) {
	w.sheet = &sheet{}
	var find func(n *html.Node, depth int)
	find = func(n *html.Node, depth int) {
		if n.Type == html.ElementNode && (n.Namespace != "" || n.Data == "noscript" || n.Data == "template") || depth > 512 {
			return
		}
		if n.Type == html.ElementNode && n.Data == "style" {
			w.sheet.element(n)
			return
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			find(c, depth+1)
		}
	}
	find(doc, 0)
	w.sheet.index(w.profile != view)
}

// tree builds the new tree.
func (w *walker) tree(doc *html.Node) *html.Node {
	root := &html.Node{Type: html.DocumentNode}
	body := bodyOf(doc)
	if body == nil {
		return root
	}
	sc := scope{text: shade{inkLight, inkDark}, ground: shade{sheetLight, sheetDark}}
	if !w.themed {
		sc = scope{text: shade{inkLight, inkLight}, ground: shade{sheetLight, sheetLight}}
	}
	w.linkDay = linkLight
	if c, ok := legacyColor(attr(body, "link")); ok {
		w.linkDay = c
	}
	div := element("div")
	if w.profile == view && !w.same {
		put(div, "id", w.rootID())
	}
	root.AppendChild(div)
	w.attributes(div, body)
	if of := body.Parent; of.Data == "html" {
		for _, key := range []string{"dir", "lang"} {
			if val, ok := attribute("div", key, attr(of, key)); ok && !hasAttr(div, key) {
				put(div, key, val)
			}
		}
	}
	w.rightToLeft = attr(div, "dir") == "rtl"
	sc = w.style(div, body, sc)
	w.children(div, body, sc)
	w.blocked.Cut = w.blocked.Cut || w.sheet.cut
	if w.profile == view && !w.same {
		w.fold(div)
	}
	return root
}

func bodyOf(n *html.Node) *html.Node {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type != html.ElementNode {
			continue
		}
		if c.Data == "body" {
			return c
		}
		if c.Data == "html" {
			return bodyOf(c)
		}
	}
	return nil
}

// textOf is all text below n, with line ends after blocks.
func textOf(n *html.Node) string {
	var b strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
		if b.Len() > 0 && (blocks[n.Data] || n.Data == "br" || n.Data == "tr") {
			b.WriteByte('\n')
		}
	}
	walk(n)
	return b.String()
}

// formatting are the elements that a parser opens again after they were closed in the wrong order.
var formatting = set("a b big code em font i nobr s small strike strong tt u")

// maxReopened bounds what a parser may make of elements that were never closed.
const maxReopened = 400_000

// bound cuts HTML that would make a parser open forgotten formatting elements again and again, which multiplies nodes.
// It estimates only; what is a tag is decided by the parser.
func bound(s string) (string, bool) {
	if tags, open := count(s); (2*tags+1)*(open-24) <= maxReopened {
		return s, false // even if none of them were ever closed
	}
	z := html.NewTokenizer(strings.NewReader(s))
	z.SetMaxBuf(0)
	open, cost, at := 0, 0, 0
	for {
		tt := z.Next()
		if tt == html.ErrorToken {
			return s, false
		}
		at += len(z.Raw())
		if tt == html.StartTagToken || tt == html.EndTagToken {
			if name, _ := z.TagName(); formatting[string(name)] {
				if tt == html.StartTagToken {
					open++
				} else if open > 0 {
					open--
				}
			}
		}
		if cost += max(0, open-24); cost > maxReopened {
			return s[:min(at, len(s))], true
		}
	}
}

// count gives no fewer tags, and no fewer beginnings of formatting elements, than a parser finds in s.
func count(s string) (tags, starts int) {
	for {
		at := strings.IndexByte(s, '<')
		if at < 0 {
			return tags, starts
		}
		tags++
		s = s[at+1:]
		end := 0
		for end < len(s) && end < 8 && (s[end]|0x20 >= 'a' && s[end]|0x20 <= 'z') {
			end++
		}
		if formatting[strings.ToLower(s[:end])] {
			starts++
		}
	}
}

// tokenText is the text of HTML that is nested too deep to be parsed.
func tokenText(s string) string {
	z := html.NewTokenizer(strings.NewReader(s))
	var b strings.Builder
	skip := ""
	for {
		switch z.Next() {
		case html.ErrorToken:
			return b.String()
		case html.TextToken:
			if skip == "" {
				b.WriteString(html.UnescapeString(string(z.Raw())))
			}
		case html.StartTagToken:
			if name, _ := z.TagName(); skip == "" && killed[string(name)] && !formParts[string(name)] {
				skip = string(name)
			} else if blocks[string(name)] || string(name) == "br" {
				b.WriteByte('\n')
			}
		case html.EndTagToken:
			if name, _ := z.TagName(); string(name) == skip {
				skip = ""
			}
		}
	}
}
