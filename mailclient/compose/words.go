package compose

import (
	"encoding/base64"
	"fmt"
	"mime"
	"strings"
	"unicode"
	"unicode/utf8"
)

// plain says whether a header can hold s as it stands: ASCII, which no reader takes for an encoded word, and in which
// a line can be folded.
func plain(s string) bool {
	since := 0
	for i := range len(s) {
		if since++; s[i] == ' ' {
			since = 0
		}
		if s[i] < ' ' || s[i] > '~' || since > 200 {
			return false
		}
	}
	return !strings.Contains(s, "=?")
}

// encoded writes s as encoded words (RFC 2047), so short that any of our fields begins with one on its first line of
// 76 octets; else the line is not folded at all.
func encoded(s string) string {
	const longest, octets = 64, 39
	if q := mime.QEncoding.Encode("utf-8", s); len(q) <= longest && !strings.ContainsFunc(s, special) {
		return q
	}
	var words []string
	for _, piece := range pieces(s, octets) {
		words = append(words, "=?utf-8?B?"+base64.StdEncoding.EncodeToString([]byte(piece))+"?=")
	}
	return strings.Join(words, " ") // the space between encoded words is not part of the text
}

// special are the characters that may not stand in a name as they are (RFC 2047 5.3).
func special(r rune) bool {
	return r > ' ' && r <= '~' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
}

// pieces cuts s between characters into pieces of at most n octets.
func pieces(s string, n int) (out []string) {
	for len(s) > n {
		end := n
		for end > n-utf8.UTFMax && !utf8.RuneStart(s[end]) {
			end--
		}
		out, s = append(out, s[:end]), s[end:]
	}
	return append(out, s)
}

// named writes "; key=value" for a parameter, in UTF-8 and in pieces where it must be (RFC 2231).
func named(key, value string) string {
	if plain(value) && len(value) < 60 {
		return strings.TrimPrefix(mime.FormatMediaType("x/x", map[string]string{key: value}), "x/x")
	}
	cut := pieces(value, 18) // of which each octet may become three
	if len(cut) == 1 {
		return "; " + key + "*=utf-8''" + percented(value)
	}
	var b strings.Builder
	charset := "utf-8''"
	for i, piece := range cut {
		fmt.Fprintf(&b, "; %s*%d*=%s%s", key, i, charset, percented(piece))
		charset = ""
	}
	return b.String()
}

// percented writes all but the safest octets as %XX.
func percented(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
