package message

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"
)

// DecodePart undoes the transfer encoding of a text part and decodes it to clean UTF-8 with LF line ends.
func DecodePart(body []byte, encoding, charset string) string {
	return decodeBody(decodeTransfer(body, encoding), charset, false, nil, newBudget())
}

// decodeBody decodes a text. hints are the labels that the mail's other parts and header bear.
func decodeBody(b []byte, label string, html bool, hints []string, pay *budget) string {
	return cleanText(decodeCharset(b, label, html, hints, pay))
}

// decodeBest decodes bytes whose label is missing or untrue.
func decodeBest(b []byte, h hint) string { return decodeCharset(b, h.charset, false, nil, h.budget) }

// decodeCharset finds the charset in this order: BOM, the label, UTF-8 against an 8-bit label, meta, hints, detection.
func decodeCharset(b []byte, label string, html bool, hints []string, pay *budget) string {
	if text, ok := decodeBOM(b); ok {
		return text
	}
	if isASCII(b) && bytes.IndexByte(b, 0x1b) < 0 && plainKey(charsetKey(label)) {
		return string(b)
	}
	if reallyUTF8(b, charsetKey(label)) {
		return string(b)
	}
	if plainKey(charsetKey(label)) {
		if text, ok := decode2022(b); ok {
			return text
		}
	}
	if text, ok := decodeLabelled(b, label); ok {
		return text
	}
	if nearlyUTF8(b) {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	if text, ok := nearlyLabelled(b, label); ok {
		return text
	}
	if html {
		hints = append([]string{metaCharset(b)}, hints...)
	}
	for _, h := range hints {
		if key := charsetKey(h); key == "" || plainKey(key) && key == "windows1252" {
			continue
		}
		if text, ok := decodeLabelled(b, h); ok {
			return text
		}
	}
	if text, ok := decodeLabelled(b, pay.guess(b, html)); ok {
		return text
	}
	text, _ := decodeWith(b, charsets["windows1252"])
	return text
}

func decodeBOM(b []byte) (string, bool) {
	switch {
	case bytes.HasPrefix(b, []byte("\xef\xbb\xbf")):
		return strings.ToValidUTF8(string(b[3:]), "\uFFFD"), true
	case bytes.HasPrefix(b, []byte{0xff, 0xfe, 0, 0}):
		text, _ := decodeWith(b, charsets["utf32le"])
		return text, true
	case bytes.HasPrefix(b, []byte{0xff, 0xfe}) && len(b)%2 == 0:
		text, bad := decodeWith(b, charsets["utf16le"])
		return text, bad*10 <= len(text)
	case bytes.HasPrefix(b, []byte{0xfe, 0xff}) && len(b)%2 == 0:
		text, bad := decodeWith(b, charsets["utf16be"])
		return text, bad*10 <= len(text)
	}
	return "", false
}

// plainKey says whether ASCII bytes are ASCII in a charset.
func plainKey(key string) bool {
	return !escapes(key) && key != "utf7" && !strings.HasPrefix(key, "utf16") && !strings.HasPrefix(key, "utf32") && key != "viscii"
}

// reallyUTF8 says whether bytes are UTF-8 whatever the label says. A label of two-byte letters is believed
// unless there are sequences of three.
func reallyUTF8(b []byte, key string) bool {
	if isASCII(b) || bytes.IndexByte(b, 0x1b) >= 0 || !utf8.Valid(b) {
		return false
	}
	switch key {
	case "gb2312", "gbk", "gb18030", "big5", "euckr", "eucjp", "shiftjis":
		long := 0
		for _, r := range string(b) {
			if r >= 0x800 {
				long++
			}
		}
		return long > 0
	}
	return plainKey(key)
}

// decode2022 decodes text with the escape sequences of ISO-2022.
func decode2022(b []byte) (string, bool) {
	if bytes.Contains(b, []byte("\x1b$)C")) {
		return decode2022KR(b)
	}
	for _, esc := range []string{"\x1b$B", "\x1b$@", "\x1b(J", "\x1b(I", "\x1b$(D"} {
		if bytes.Contains(b, []byte(esc)) {
			text, bad := decodeWith(b, charsets["iso2022jp"])
			return text, bad*20 <= len(text)
		}
	}
	return "", false
}

// nearlyUTF8 says whether bytes are UTF-8 but for a few broken sequences.
func nearlyUTF8(b []byte) bool {
	good, bad := 0, 0
	for i := 0; i < len(b); {
		if b[i] < 0x80 {
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			bad++
		} else {
			good++
		}
		i += n
	}
	return good > 0 && bad*8 <= good
}

// nearlyLabelled decodes text that fits its label but for a few broken sequences.
func nearlyLabelled(b []byte, label string) (string, bool) {
	key := charsetKey(label)
	if key == "utf8" || key == "utf7" || noCharset[key] {
		return "", false
	}
	e := encodingFor(label)
	if e == nil {
		return "", false
	}
	text, bad := decodeWith(b, e)
	wide := 0
	for _, r := range text {
		if r >= 0x80 && r != utf8.RuneError {
			wide++
		}
	}
	return text, bad*8 <= wide || escapes(key) && bad*10 <= len(text)
}

var metaTag = regexp.MustCompile(`(?i)<(?:meta[^>]{0,300}?|\?xml[^>]{0,100}?)(?:charset|encoding)\s*=\s*["']?\s*([a-z0-9_:.\-]{2,40})`)

// metaCharset reads what HTML says of itself, in its first 4 KB.
func metaCharset(b []byte) string {
	m := metaTag.FindSubmatch(b[:min(len(b), 4096)])
	if m == nil {
		return ""
	}
	return string(m[1])
}

// windows-1252 has letters where Unicode has the C1 controls.
var c1 = []rune("€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ")

// cleanText makes decoded text fit for a page: LF line ends, no controls, valid UTF-8, no towers of marks.
func cleanText(s string) string {
	if isClean(s) {
		return s
	}
	var out strings.Builder
	out.Grow(len(s))
	marks := 0
	for i := 0; i < len(s); {
		if n := plainRun(s[i:]); n > 0 {
			out.WriteString(s[i : i+n])
			i, marks = i+n, 0
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		i += size
		switch {
		case r == '\r':
			if i < len(s) && s[i] == '\n' {
				continue
			}
			r = '\n'
		case r < ' ' && r != '\t' && r != '\n', r == 0x7f:
			continue
		case r >= 0x80 && r <= 0x9f:
			if r = c1[r-0x80]; r <= 0x9f {
				continue
			}
		}
		if isMark(r) {
			if marks++; marks > 4 {
				continue
			}
		} else {
			marks = 0
		}
		out.WriteRune(r)
	}
	return out.String()
}

func isClean(s string) bool { return plainRun(s) == len(s) }

// plainRun is how many bytes at the start of s are plain ASCII text.
func plainRun(s string) int {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' && c != '\t' && c != '\n' || c >= 0x7f {
			return i
		}
	}
	return len(s)
}
