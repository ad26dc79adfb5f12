package message

import (
	"bytes"
	"html"
	"strings"
)

// blankHTML says whether an HTML part whose body is at hand has neither text nor picture.
func (n *node) blankHTML() bool {
	if n.body == nil && n.decoded == nil || n.cut {
		return false
	}
	if n.blank == 0 {
		n.blank = -1
		if emptyHTML(n.decodedBody()) {
			n.blank = 1
		}
	}
	return n.blank == 1
}

func emptyHTML(b []byte) bool {
	if len(b) > 64<<10 {
		return false
	}
	lower := bytes.ToLower(b)
	for _, tag := range []string{"<img", "<object", "<video", "<svg", "<input", "<iframe", "background="} {
		if bytes.Contains(lower, []byte(tag)) {
			return false
		}
	}
	return strings.TrimSpace(dropInvisible(htmlText(strings.ToValidUTF8(string(b), "\uFFFD")))) == ""
}

// blockTags begin a new line.
var blockTags = map[string]bool{"p": true, "div": true, "br": true, "tr": true, "li": true, "h1": true, "h2": true, "h3": true, "h4": true, "h5": true, "h6": true,
	"table": true, "ul": true, "ol": true, "blockquote": true, "hr": true, "pre": true, "section": true, "article": true, "header": true, "footer": true, "dt": true, "dd": true, "center": true}

// silentTags hold nothing to read.
var silentTags = map[string]bool{"style": true, "script": true, "title": true, "head": true, "template": true, "noscript": true, "xml": true}

// htmlText is the text of HTML in one fast pass: for previews and excerpts, never for showing a mail.
func htmlText(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); {
		lt := strings.IndexByte(s[i:], '<')
		if lt < 0 {
			writeHTMLText(&out, s[i:])
			break
		}
		writeHTMLText(&out, s[i:i+lt])
		i += lt
		if strings.HasPrefix(s[i:], "<!--") {
			i = after(s, i+4, "-->")
			continue
		}
		name, end := tagAt(s, i)
		if name == "" {
			out.WriteByte('<')
			i++
			continue
		}
		i = end
		if silentTags[name] && !(name == "head" && !containsFold(s[i:], "</head")) {
			i = afterClosing(s, i, name)
		} else if blockTags[strings.TrimPrefix(name, "/")] {
			out.WriteByte('\n')
		} else if name == "td" || name == "th" {
			out.WriteByte(' ')
		}
	}
	return out.String()
}

// Words are what there is to read in the body, as far as its first n bytes of text or HTML have it, and whether a link
// stands there: for looking at, never for showing a mail.
func (m *Message) Words(n int) (words string, links bool) {
	var out strings.Builder
	for _, b := range m.Blocks {
		text := b.Text[:min(n, len(b.Text))]
		switch b.Kind {
		case BlockHTML:
			links = links || containsFold(text, "href")
			text = htmlText(text)
		case BlockText:
			links = links || strings.Contains(text, "://")
		default:
			continue
		}
		out.WriteString(text + "\n")
	}
	return dropInvisible(strings.ToValidUTF8(out.String(), "")), links
}

// writeHTMLText writes text between tags: white space runs are one space, entities decoded.
func writeHTMLText(out *strings.Builder, s string) {
	if strings.IndexByte(s, '&') >= 0 {
		var run strings.Builder
		squeezeInto(&run, s)
		out.WriteString(html.UnescapeString(run.String()))
		return
	}
	squeezeInto(out, s)
}

func squeezeInto(out *strings.Builder, s string) {
	from, space := 0, false // s[from:i] is to be written yet
	for i := range len(s) {
		switch blank := s[i] == ' ' || s[i] == '\t' || s[i] == '\n' || s[i] == '\r'; {
		case blank && !space:
			out.WriteString(s[from:i])
			out.WriteByte(' ')
			space = true
		case !blank && space:
			from, space = i, false
		}
	}
	if !space {
		out.WriteString(s[from:])
	}
}

// tagAt reads the tag that begins at i: its name in lower case, with "/" before a closing one, and where it ends.
func tagAt(s string, i int) (name string, end int) {
	j := i + 1
	if j < len(s) && (s[j] == '/' || s[j] == '!' || s[j] == '?') {
		j++
	}
	start := j
	for j < len(s) && (s[j] >= 'a' && s[j] <= 'z' || s[j] >= 'A' && s[j] <= 'Z' || s[j] >= '0' && s[j] <= '9' || s[j] == ':') {
		j++
	}
	if j == start && (start >= len(s) || s[start-1] == '<') {
		return "", i
	}
	name = strings.ToLower(s[i+1 : j])
	if name == "" {
		name = "?"
	}
	quote := byte(0)
	for ; j < len(s); j++ {
		switch c := s[j]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case (c == '"' || c == '\'') && s[j-1] == '=':
			if strings.IndexByte(s[j+1:min(len(s), j+1+16<<10)], c) >= 0 {
				quote = c
			}
		case c == '>':
			return name, j + 1
		}
	}
	return name, len(s)
}

func after(s string, i int, end string) int {
	if j := strings.Index(s[min(i, len(s)):], end); j >= 0 {
		return i + j + len(end)
	}
	return len(s)
}

// afterClosing is where the element that was opened ends; one that never closes ends where it began.
func afterClosing(s string, i int, name string) int {
	for at := i; ; {
		j := strings.Index(s[at:], "</")
		if j < 0 {
			if name == "style" || name == "script" {
				return len(s)
			}
			return i
		}
		at += j + 2
		if len(s)-at >= len(name) && strings.EqualFold(s[at:at+len(name)], name) {
			return after(s, at, ">")
		}
	}
}

// containsFold looks for an ASCII text whatever its letter case, in the first 64 KB.
func containsFold(s, part string) bool {
	s = s[:min(len(s), 64<<10)]
	for i := range max(0, len(s)-len(part)+1) {
		if s[i]|0x20 == part[0]|0x20 && strings.EqualFold(s[i:i+len(part)], part) {
			return true
		}
	}
	return false
}

// dropInvisible takes out the characters that senders pad previews with.
func dropInvisible(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '\u200b', '\u200c', '\u200d', '\u2060', '\ufeff', '\u00ad', '\u034f', '\u180e', '\u2007', '\u061c', '\u200e', '\u200f', '\u115f', '\u1160', '\u3164', '\ufffc':
			return -1
		case '\u00a0', '\u202f':
			return ' '
		}
		return r
	}, s)
}
