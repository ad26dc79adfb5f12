package message

import (
	"regexp"
	"slices"
	"strings"
)

const (
	previewRunes = 200
	previewBytes = 64 << 10
)

// DecodePreview makes the preview of a list row, at most 200 runes on one line, of the beginning of the body of part
// s: quotes, signature, links to a web view and invisible padding are left out.
func DecodePreview(body []byte, s *Structure) string {
	if s == nil {
		return ""
	}
	n := treeOf(&Structure{Section: s.Section, Type: s.Type, Subtype: s.Subtype, Params: s.Params, Encoding: s.Encoding, MIMEHeader: s.MIMEHeader}, 0, newBudget())
	n.body = cutBroken(body[:min(len(body), previewBytes)], n.encoding)
	v := viewer{m: &Message{}, root: n, pay: n.pay}
	if n.subtype == "html" {
		return preview(ownHTML(decodeBody(n.decodedBody(), n.params["charset"], true, nil, n.pay)))
	}
	text, _ := v.plainText(n)
	return preview(text)
}

// quoteMarks begin the quoted mail in HTML, as the common programs write it.
var quoteMarks = regexp.MustCompile(`(?i)<blockquote|<div[^>]{0,200}(gmail_quote|gmail_attr|moz-cite-prefix|yahoo_quoted|divRplyFwdMsg|appendonsend|border-top: ?solid #[0-9a-f]{6} 1\.0pt)`)

// ownHTML is the text of HTML before the mail that it quotes, or all of it when nothing stands before.
func ownHTML(s string) string {
	if m := quoteMarks.FindStringIndex(s); m != nil {
		if own := htmlText(s[:m[0]]); strings.TrimSpace(dropInvisible(own)) != "" {
			return own
		}
	}
	return htmlText(s)
}

// cutBroken drops an escape of quoted-printable that the end of a window cut.
func cutBroken(b []byte, encoding string) []byte {
	if encoding == "quoted-printable" {
		for i := 1; i <= 2 && i <= len(b); i++ {
			if b[len(b)-i] == '=' {
				return b[:len(b)-i]
			}
		}
	}
	return b
}

// Preview gives the first 200 characters of what a mail shows, as a list row has them.
func (m *Message) Preview() string {
	if m.PlainAlt != "" {
		return preview(m.PlainAlt)
	}
	for _, b := range m.Blocks {
		text := ""
		switch b.Kind {
		case BlockText:
			text = preview(b.Text[:min(len(b.Text), previewBytes)])
		case BlockHTML:
			text = preview(ownHTML(b.Text[:min(len(b.Text), previewBytes)]))
		}
		if text != "" {
			return text
		}
	}
	return ""
}

// webView is a line that only leads elsewhere.
var webView = regexp.MustCompile(`(?i)(view|read|open|see|display).{0,40}\b(browser|online|web ?page|web version)\b|unsubscribe|(im|in ihrem|in deinem) browser (ansehen|anzeigen|öffnen|betrachten)|abmelden|abbestellen|voir.{0,30}(navigateur|en ligne)|désabonner|ver.{0,30}navegador|visualizza.{0,30}browser|bekijk.{0,30}(browser|online)`)

// webWords are what webView looks for; one of them is in every line that it matches. Looking for them is far cheaper.
var webWords = []string{"browser", "online", "web", "unsubscribe", "abmelden", "abbestellen", "navigateur", "en ligne", "sabonner", "navegador"}

// leadsElsewhere says whether a line is for those who would rather read elsewhere.
func leadsElsewhere(line string) bool {
	if len(line) >= 200 {
		return false
	}
	lower := strings.ToLower(line)
	return slices.ContainsFunc(webWords, func(w string) bool { return strings.Contains(lower, w) }) && webView.MatchString(line)
}

func preview(text string) string {
	text = dropInvisible(strings.ToValidUTF8(text[:min(len(text), previewBytes)], ""))
	segs := Quoted(text)
	out := previewOf(segs, false)
	if out == "" { // nothing but quotes
		out = previewOf(segs, true)
	}
	return out
}

func previewOf(segs []Seg, quotes bool) string {
	var words []string
	length := 0
	for _, s := range segs {
		if !quotes && (s.Depth > 0 || s.Signature || s.Tail) {
			continue
		}
		for line := range strings.SplitSeq(s.Text, "\n") {
			if leadsElsewhere(line) || ruler(line) {
				continue
			}
			for _, w := range strings.Fields(line) {
				if strings.HasPrefix(w, "<http") || strings.HasPrefix(w, "[http") || strings.HasPrefix(w, "[cid:") {
					continue
				}
				words = append(words, w)
				if length += len([]rune(w)) + 1; length > previewRunes {
					return string([]rune(oneLine(strings.Join(words, " ")))[:previewRunes])
				}
			}
		}
	}
	return oneLine(strings.Join(words, " "))
}

// ruler says whether a line is drawn rather than written.
func ruler(line string) bool {
	line = strings.TrimSpace(line)
	return len(line) > 3 && strings.Trim(line, "-_=*~#+.–—─━ ") == ""
}

// FirstText finds the part that a preview is best made of: plain text where there is some, else what is shown. nil
// when there is no text.
func FirstText(s *Structure) *Structure {
	if s == nil {
		return nil
	}
	root := treeOf(s, 0, nil)
	n := firstText(root)
	for inner := root; n == nil && inner != nil && inner.nested != nil; inner = inner.nested {
		n = firstText(inner.nested)
	}
	if n == nil {
		return nil
	}
	return n.from
}

// Attached are the names of a mail's files, and whether there are any to be listed: pictures that its HTML most likely
// shows itself, signatures and reports are none.
func Attached(s *Structure) (names []string, some bool) {
	if s == nil {
		return nil, false
	}
	for _, n := range dryView(treeOf(s, 0, nil)).files {
		if name := cleanName(n.rawName(), "\uFFFD"); name != "" {
			names = append(names, name)
		}
		switch {
		case n.technical, n.returned, n.size == 0 && n.rawName() == "" && !n.isMail():
		case n.inRelated && (n.id != "" || n.location != ""), n.typ == "image" && n.id != "" && n.disposition != "attachment":
		case n.is("text", "calendar") && n.rawName() == "", n.is("text", "rfc822-headers"):
		default:
			some = true
		}
	}
	return names, some
}

// HasPDF says whether one of a mail's files is a PDF, by its type or by its name.
func HasPDF(s *Structure) bool {
	if s == nil {
		return false
	}
	for _, n := range dryView(treeOf(s, 0, nil)).files {
		if n.is("application", "pdf") || strings.HasSuffix(strings.ToLower(n.rawName()), ".pdf") {
			return true
		}
	}
	return false
}
