package message

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// text shows a text part. One that is blank beside others is not shown.
func (v *viewer) text(n *node) {
	have := v.want(n, maxShown)
	v.texts = append(v.texts, n)
	if v.dry {
		return
	}
	if !have {
		v.m.Blocks = append(v.m.Blocks, Block{Kind: kindOf(n), Section: n.section, Cut: true})
		return
	}
	b := Block{Kind: kindOf(n), Section: n.section, Cut: n.cut}
	switch {
	case b.Kind == BlockHTML:
		body, cut := n.shownBytes()
		b.Text, b.Cut = decodeBody(body, n.params["charset"], true, v.hints, v.pay), b.Cut || cut
	default:
		var cut bool
		b.Text, cut = v.plainText(n)
		b.Flowed, b.Cut = n.flowed(), b.Cut || cut
		v.uuFiles(n)
	}
	if b.Cut {
		v.m.fault("limit", "text "+n.section)
	}
	if strings.TrimSpace(b.Text) == "" && n != v.root {
		return
	}
	v.inlinePGP(b.Text)
	v.m.Blocks = append(v.m.Blocks, b)
}

func kindOf(n *node) BlockKind {
	if n.subtype == "html" {
		return BlockHTML
	}
	return BlockText
}

func (n *node) flowed() bool { return strings.EqualFold(n.params["format"], "flowed") }

// shownBytes gives the decoded bytes of a text up to the limit, cut between characters.
func (n *node) shownBytes() ([]byte, bool) {
	body := n.decodedBody()
	if len(body) <= maxShown {
		return body, false
	}
	end := maxShown
	if i := bytes.LastIndexByte(body[maxShown-64<<10:maxShown], '\n'); i > 0 {
		end = maxShown - 64<<10 + i + 1
	}
	return body[:end], true
}

// plainText decodes a part to plain text: uuencoded files are out of it, flowed lines joined, markup gone.
func (v *viewer) plainText(n *node) (text string, cut bool) {
	body, cut := n.shownBytes()
	if n.subtype != "html" {
		body, _ = cutUU(body)
	}
	text = decodeBody(body, n.params["charset"], n.subtype == "html", v.hints, v.pay)
	switch {
	case n.subtype == "enriched" || n.subtype == "richtext":
		text = enrichedText(text)
	case n.subtype == "html":
		text = htmlText(text)
	case n.flowed():
		text = unflow(text, strings.EqualFold(n.params["delsp"], "yes"))
	}
	return text, cut
}

// uuFiles lists the files that stand in a text in uuencode or yEnc.
func (v *viewer) uuFiles(n *node) {
	_, files := cutUU(n.decodedBody())
	for i, f := range files {
		v.file(virtual(n, i+1, f.name, f.body))
	}
}

// virtual makes a part of a file that was found inside another. Its section has a "!".
func virtual(n *node, i int, name string, body []byte) *node {
	if body == nil {
		body = []byte{}
	}
	return &node{pay: n.pay, section: n.section + "!" + itoa(i), typ: "application", subtype: "octet-stream", encoding: "8bit", disposition: "attachment",
		params: map[string]string{}, dispParams: map[string]string{"filename": name}, body: body, decoded: body, size: int64(len(body))}
}

// enrichedText drops the markup of RFC 1896: single line breaks are spaces, of several one counts less.
func enrichedText(s string) string {
	var out strings.Builder
	param := false
	for i := 0; i < len(s); {
		switch {
		case strings.HasPrefix(s[i:], "<<"):
			out.WriteByte('<')
			i += 2
		case s[i] == '<':
			end := strings.IndexByte(s[i:], '>')
			if end < 0 {
				out.WriteString(s[i:])
				return out.String()
			}
			tag := strings.ToLower(s[i+1 : i+end])
			if tag == "param" || tag == "/param" {
				param = tag == "param"
			} else if tag == "nl" {
				out.WriteByte('\n')
			}
			i += end + 1
		case s[i] == '\n':
			n := len(s[i:]) - len(strings.TrimLeft(s[i:], "\n"))
			out.WriteString(strings.Repeat("\n", n-1))
			if n == 1 {
				out.WriteByte(' ')
			}
			i += n
		default:
			_, n := utf8.DecodeRuneInString(s[i:])
			if !param {
				out.WriteString(s[i : i+n])
			}
			i += n
		}
	}
	return out.String()
}
