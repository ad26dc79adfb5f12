package compose

import (
	"cmp"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

const styleKey = "style"

// letterStyle is how the text of a letter looks where its reader has no say. Word, which shows mail in Outlook, takes its
// own serif where it does not know the first of the fonts.
const letterStyle = "font-family:'Segoe UI',Helvetica,Arial,sans-serif;font-size:15px"

// dressing are the looks of marks that readers of mail show each in their own way, or not at all.
var dressing = map[atom.Atom]string{
	atom.Blockquote: "margin:8px 0 8px 4px;padding-left:12px;border-left:2px solid #bdbab3",
	atom.Pre:        "font-family:Consolas,Menlo,monospace;font-size:13px;white-space:pre-wrap",
	atom.Code:       "font-family:Consolas,Menlo,monospace;font-size:13px",
	atom.Table:      "border-collapse:collapse",
	atom.Td:         "border:1px solid #bdbab3;padding:4px 8px",
	atom.Th:         "border:1px solid #bdbab3;padding:4px 8px;text-align:left",
}

// Dress makes safe HTML the document that goes out, under the subject as its title. Looks are style attributes: the only
// ones that every reader of mail keeps. What has a style already keeps it, and what is quoted is left as it was written.
func Dress(s, subject string) string {
	if s == "" {
		return ""
	}
	body := &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body}
	nodes, err := html.ParseFragment(strings.NewReader(s), body)
	if err != nil {
		return s
	}
	letter := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div, Attr: []html.Attribute{{Key: styleKey, Val: letterStyle}}}
	for _, n := range nodes {
		letter.AppendChild(n)
		dress(n, 0)
	}
	var b strings.Builder
	b.WriteString(`<!DOCTYPE html><html><head><meta charset="utf-8"><title>` + html.EscapeString(cmp.Or(strings.TrimSpace(subject), "-")) + "</title></head><body>")
	if html.Render(&b, letter) != nil {
		return s
	}
	return b.String() + "</body></html>\n"
}

func dress(n *html.Node, depth int) {
	if n.Type == html.ElementNode {
		if look, ok := dressing[n.DataAtom]; ok && attr(n, styleKey) == "" {
			n.Attr = append(n.Attr, html.Attribute{Key: styleKey, Val: look})
		}
		if n.DataAtom == atom.Blockquote || depth > 200 {
			return
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		dress(c, depth+1)
	}
}
