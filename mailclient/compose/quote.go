package compose

import (
	"regexp"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// replyPrefix are the marks of answers and forwards in many languages (PROTOCOLS L8).
var replyPrefix = regexp.MustCompile(`(?i)^\s*(re|fw|fwd|aw|wg|sv|vs|vb|tr|rv|res|enc|ref|odp|pd|ynt|ilt|antw|doorst|rif|i|r|inoltr|回复|答复|转发|回覆|轉寄)(\[\d+\]|\(\d+\))?\s*[:：]\s*`)

// BaseSubject is a subject without the marks of answers and forwards.
func BaseSubject(s string) string {
	for {
		next := replyPrefix.ReplaceAllString(s, "")
		if next == s {
			return strings.TrimSpace(s)
		}
		s = next
	}
}

// ReplySubject and ForwardSubject put one mark before the base subject.
func ReplySubject(s string) string { return strings.TrimSpace("Re: " + BaseSubject(s)) }

// ForwardSubject puts "Fwd:" before the base subject.
func ForwardSubject(s string) string { return strings.TrimSpace("Fwd: " + BaseSubject(s)) }

// References are the ids an answer names (RFC 5322 3.6.4): the original's and its own, at most 50, the first kept.
func References(original []string, inReplyTo []string, id string) []string {
	refs := append([]string{}, original...)
	if len(refs) == 0 && len(inReplyTo) == 1 {
		refs = append(refs, inReplyTo[0])
	}
	if id != "" {
		refs = append(refs, id)
	}
	if len(refs) > 50 {
		refs = append(refs[:1:1], refs[len(refs)-49:]...)
	}
	return refs
}

// QuoteText puts "> " before each line, joined with deeper quotes as ">> ".
func QuoteText(s string) string {
	lines := strings.Split(strings.TrimRight(strings.ReplaceAll(s, "\r\n", "\n"), "\n"), "\n")
	for i, l := range lines {
		switch {
		case strings.HasPrefix(l, ">"):
			lines[i] = ">" + l
		case l == "":
			lines[i] = ">"
		default:
			lines[i] = "> " + l
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

// HTMLFromText writes plain text as an editor's lines: a <div> a line, escaped, leading spaces kept.
func HTMLFromText(s string) string {
	var b strings.Builder
	for _, l := range strings.Split(strings.TrimSuffix(strings.ReplaceAll(s, "\r\n", "\n"), "\n"), "\n") {
		if strings.TrimSpace(l) == "" {
			b.WriteString("<div><br></div>")
			continue
		}
		text := strings.TrimLeft(l, " ")
		b.WriteString("<div>" + strings.Repeat("&nbsp;", len(l)-len(text)) + html.EscapeString(text) + "</div>")
	}
	return b.String()
}

// TextFromHTML writes HTML as readable plain text: paragraphs, lists, links with their targets, quotes with ">".
func TextFromHTML(s string) string {
	doc, err := html.Parse(strings.NewReader(s))
	if err != nil {
		return s
	}
	t := &texter{}
	t.walk(doc, 0)
	return strings.TrimSpace(squeeze(t.b.String())) + "\n"
}

type texter struct {
	b     strings.Builder
	pre   bool
	order []int // item numbers of open lists; -1 for bullets
	item  int   // where the text of the last item begins: on the line of its bullet
}

var blocks = map[atom.Atom]bool{
	atom.P: true, atom.Div: true, atom.Ul: true, atom.Ol: true, atom.Table: true, atom.Tr: true, atom.Pre: true, atom.Section: true,
	atom.H1: true, atom.H2: true, atom.H3: true, atom.H4: true, atom.H5: true, atom.H6: true, atom.Article: true, atom.Header: true, atom.Footer: true,
}

func (t *texter) walk(n *html.Node, depth int) {
	if depth > 200 {
		return
	}
	if n.Type == html.TextNode {
		t.text(n.Data)
		return
	}
	switch n.DataAtom {
	case atom.Head, atom.Script, atom.Style, atom.Title, atom.Template:
		return
	case atom.Br:
		t.b.WriteByte('\n')
		return
	case atom.Hr:
		t.line()
		t.b.WriteString("----\n")
		return
	case atom.Img:
		if alt := attr(n, "alt"); alt != "" {
			t.b.WriteString("[" + alt + "]")
		}
		return
	case atom.Blockquote:
		t.quote(n, depth)
		return
	case atom.A:
		t.link(n, depth)
		return
	case atom.Td, atom.Th:
		t.cell(n, depth)
		return
	}
	t.block(n, depth)
}

func (t *texter) block(n *html.Node, depth int) {
	within := len(t.order) // lists
	isBlock := blocks[n.DataAtom] || n.DataAtom == atom.Li
	if isBlock {
		t.line()
	}
	switch n.DataAtom {
	case atom.Ul:
		t.order = append(t.order, -1)
		defer func() { t.order = t.order[:len(t.order)-1] }()
	case atom.Ol:
		t.order = append(t.order, 0)
		defer func() { t.order = t.order[:len(t.order)-1] }()
	case atom.Li:
		t.bullet()
	case atom.Pre:
		t.pre = true
		defer func() { t.pre = false }()
	}
	t.children(n, depth)
	if n.DataAtom == atom.Li {
		t.item = 0 // one without a text has its line too
	}
	if isBlock {
		t.line()
	}
	if within > 0 {
		return
	}
	switch n.DataAtom {
	case atom.P, atom.Ul, atom.Ol, atom.Table, atom.H1, atom.H2, atom.H3:
		t.b.WriteByte('\n')
	}
}

// cell writes a cell of a table, all of it on the line of its row.
func (t *texter) cell(n *html.Node, depth int) {
	inner := &texter{}
	inner.children(n, depth)
	t.b.WriteString(strings.Join(strings.Fields(inner.b.String()), " ") + "\t")
}

func (t *texter) children(n *html.Node, depth int) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		t.walk(c, depth+1)
	}
}

func (t *texter) text(s string) {
	if t.pre {
		t.b.WriteString(s)
		return
	}
	words := strings.Fields(s)
	if len(words) == 0 {
		if s != "" && !t.atLineStart() {
			t.b.WriteByte(' ')
		}
		return
	}
	if !t.atLineStart() && strings.TrimLeft(s[:1], " \t\r\n") == "" {
		t.b.WriteByte(' ')
	}
	t.b.WriteString(strings.Join(words, " "))
	if strings.TrimRight(s[len(s)-1:], " \t\r\n") == "" {
		t.b.WriteByte(' ')
	}
}

func (t *texter) atLineStart() bool {
	s := t.b.String()
	return s == "" || strings.HasSuffix(s, "\n") || strings.HasSuffix(s, " ")
}

func (t *texter) line() {
	if s := t.b.String(); s != "" && !strings.HasSuffix(s, "\n") && (t.item == 0 || len(s) > t.item) {
		t.b.WriteByte('\n')
	}
}

func (t *texter) bullet() {
	if len(t.order) == 0 {
		return
	}
	t.b.WriteString(strings.Repeat("  ", len(t.order)-1))
	last := &t.order[len(t.order)-1]
	if *last < 0 {
		t.b.WriteString("- ")
	} else {
		*last++
		t.b.WriteString(itoa(*last) + ". ")
	}
	t.item = t.b.Len()
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}

func (t *texter) quote(n *html.Node, depth int) {
	inner := &texter{}
	inner.children(n, depth)
	t.line()
	t.b.WriteString(QuoteText(strings.TrimSpace(squeeze(inner.b.String()))))
}

func (t *texter) link(n *html.Node, depth int) {
	start := t.b.Len()
	t.children(n, depth)
	href := attr(n, "href")
	shown := strings.TrimSpace(t.b.String()[start:])
	if strings.HasPrefix(href, "http") && shown != strings.TrimSuffix(href, "/") && shown != href && strings.TrimSuffix(href, "/") != "https://"+shown && strings.TrimSuffix(href, "/") != "http://"+shown {
		t.b.WriteString(" <" + href + ">")
	}
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// squeeze drops spaces at line ends and more than one empty line in a row.
func squeeze(s string) string {
	lines := strings.Split(s, "\n")
	out := lines[:0]
	empty := 0
	for _, l := range lines {
		l = strings.TrimRight(l, " \t")
		if l == "" {
			if empty++; empty > 1 {
				continue
			}
		} else {
			empty = 0
		}
		out = append(out, l)
	}
	return strings.Join(out, "\n")
}
