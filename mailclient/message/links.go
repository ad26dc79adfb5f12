package message

import (
	"regexp"
	"strings"
)

// Link is a place in a text that can be followed.
type Link struct {
	Start, End int    // bytes of the text
	URL        string // where to, with its scheme
}

const maxLinks = 5000

// Links finds http, https, mailto, tel, bare "www." and bare mail addresses in plain text, in order and without
// overlap, at most 5,000. Closing punctuation and brackets that were not opened inside are left out; a link goes over
// a line's end only within "<...>" (RFC 3986 appendix C).
func Links(text string) (out []Link) {
	for at := 0; at < len(text) && len(out) < maxLinks; {
		var l Link
		ok := false
		switch c := text[at]; {
		case c == '@':
			l, ok = addressAt(text, at)
			ok = ok && (len(out) == 0 || l.Start >= out[len(out)-1].End)
		case strings.IndexByte("hHmMtTwW", c) >= 0 && (at == 0 || !wordByte(text[at-1])):
			if scheme := schemeAt(text[at:]); scheme > 0 {
				l, ok = linkAt(text, at, scheme)
			}
		}
		if at++; ok {
			out = append(out, l)
			at = max(l.End, at)
		}
	}
	return out
}

// schemeAt gives the length of the scheme, or "www.", that s begins with; 0 for none.
func schemeAt(s string) int {
	for _, p := range []string{"https://", "http://", "mailto:", "www.", "tel:"} {
		if len(s) > len(p) && strings.EqualFold(s[:len(p)], p) {
			return len(p)
		}
	}
	return 0
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

func linkAt(text string, start, scheme int) (Link, bool) {
	end := start
	for end < len(text) && !endsLink(text[end:]) {
		end++
	}
	if start > 0 && text[start-1] == '<' {
		if whole, n := angleURL(text[start:]); n > 0 {
			return Link{start, start + n, withScheme(whole)}, true
		}
	}
	url := trimLink(text[start:end])
	if strings.Trim(url[min(len(url), scheme):], "/.:-") == "" {
		return Link{}, false
	}
	return Link{start, start + len(url), withScheme(url)}, true
}

// endsLink says whether a link ends before s: at white space, quotes, angle brackets, invisible and CJK punctuation.
func endsLink(s string) bool {
	if s[0] < 0x80 {
		return s[0] <= ' ' || strings.IndexByte("<>\"`{}\\^", s[0]) >= 0
	}
	for _, p := range []string{"\u00a0", "\u200b", "\u200e", "\u200f", "\u2028", "\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u3000", "\u3001", "\u3002", "\uff0c", "\uff09", "\u300d", "\u300f", "\u3011", "\u00bb", "\u201c", "\u201d", "\u2019", "\ufffc"} {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// angleURL reads a URL up to ">", over at most three line ends.
func angleURL(s string) (url string, n int) {
	end := strings.IndexByte(s[:min(len(s), 4000)], '>')
	if end <= 0 || strings.Count(s[:end], "\n") > 3 || strings.ContainsAny(s[:end], "<\" ") {
		return "", 0
	}
	return strings.ReplaceAll(s[:end], "\n", ""), end
}

// trimLink drops what more likely belongs to the sentence: closing punctuation, and brackets not opened within.
func trimLink(s string) string {
	counts := map[byte]int{}
	for i := 0; i < len(s); i++ {
		if strings.IndexByte("()[]", s[i]) >= 0 {
			counts[s[i]]++
		}
	}
	for s != "" {
		c := s[len(s)-1]
		open := map[byte]byte{')': '(', ']': '['}[c]
		switch {
		case strings.IndexByte(".,;:!?'*_|~", c) >= 0:
		case open != 0 && counts[c] > counts[open]:
			counts[c]--
		case strings.HasSuffix(s, "…"):
			s = s[:len(s)-2]
		default:
			return s
		}
		s = s[:len(s)-1]
	}
	return s
}

func withScheme(s string) string {
	if len(s) > 4 && strings.EqualFold(s[:4], "www.") {
		return "https://" + s
	}
	return s
}

var hostName = regexp.MustCompile(`^(?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}`)

// addressAt reads the bare mail address whose "@" stands at i.
func addressAt(text string, i int) (Link, bool) {
	start := i
	for start > 0 && i-start < 64 && (wordByte(text[start-1]) || strings.IndexByte(".%+-", text[start-1]) >= 0) {
		start--
	}
	if start > 0 && (strings.IndexByte("@/:=", text[start-1]) >= 0 || text[start-1] >= 0x80) {
		return Link{}, false
	}
	for start < i && strings.IndexByte("._%+-", text[start]) >= 0 {
		start++
	}
	host := hostName.FindString(text[i+1 : min(len(text), i+300)])
	if start == i || host == "" {
		return Link{}, false
	}
	end := i + 1 + len(host)
	return Link{start, end, "mailto:" + text[start:end]}, true
}
