package message

import (
	"bytes"
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// DecodeText decodes the value of a field of free text (RFC 2047 as it is found, RFC 6532, raw 8-bit) to one line.
func DecodeText(value string) string { return decodeText(value, hint{budget: newBudget()}) }

// decodeText decodes a value; h tells of raw 8-bit bytes in it.
func decodeText(value string, h hint) string {
	return oneLine(decodeWords(value, h))
}

// oneLine turns line breaks and controls into spaces and drops what cannot be shown.
func oneLine(s string) string {
	s = cleanText(s)
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || r == '\r' || r == '\u2028' || r == '\u2029' || r == '\u0085' {
			return ' '
		}
		return r
	}, s)
}

// word is one encoded-word.
type word struct {
	charset string
	base64  bool
	text    string // still encoded
	raw     string // as it came
}

// decodeWords decodes encoded-words anywhere in s and raw bytes between them.
func decodeWords(s string, h hint) string {
	if !strings.Contains(s, "=?") {
		return decodeRaw(s, h)
	}
	var out strings.Builder
	var run []word // neighbours with only white space between
	left := maxEncodedWords
	plain := 0 // where text that is no word began
	for i := 0; i < len(s); {
		w, n := wordAt(s[i:])
		if n == 0 || left == 0 {
			i++
			if j := strings.Index(s[i:], "=?"); j >= 0 && left > 0 {
				i += j
				continue
			}
			break
		}
		left--
		if gap := s[plain:i]; len(run) == 0 || strings.TrimSpace(gap) != "" {
			out.WriteString(decodeRun(run, h))
			run = run[:0]
			out.WriteString(decodeRaw(gap, h))
		}
		run = append(run, w)
		i += n
		plain = i
	}
	out.WriteString(decodeRun(run, h))
	out.WriteString(decodeRaw(s[plain:], h))
	return out.String()
}

// wordAt reads the encoded-word that s begins with; n is its length, 0 when there is none.
func wordAt(s string) (w word, n int) {
	if !strings.HasPrefix(s, "=?") {
		return w, 0
	}
	q := strings.IndexByte(s[2:min(len(s), 82)], '?')
	if q < 0 || len(s) < q+6 || s[q+4] != '?' {
		return w, 0
	}
	charset := s[2 : 2+q]
	if strings.ContainsAny(charset, " \t=<>@,") {
		return w, 0
	}
	charset, _, _ = strings.Cut(charset, "*") // RFC 2231 5: a language
	switch s[q+3] {
	case 'B', 'b':
		w.base64 = true
	case 'Q', 'q':
	default:
		return w, 0
	}
	start := q + 5
	end := wordEnd(s, start, w.base64)
	if end < 0 {
		return w, 0
	}
	w.charset, w.text, w.raw = charset, s[start:end], s[:end+2]
	return w, end + 2
}

// wordEnd finds the "?=" that ends a word. In Q a "?=" before a hex pair is a raw question mark and an encoded
// byte, when the word ends later.
func wordEnd(s string, start int, b64 bool) int {
	first := -1
	for at := start; at < len(s); {
		j := strings.Index(s[at:], "?=")
		if j < 0 {
			break
		}
		end := at + j
		if first < 0 {
			first = end
		} else if strings.Contains(s[first:end], "=?") {
			break
		}
		rest := s[end+2:]
		if b64 || len(rest) < 2 || !isHex(rest[0]) || !isHex(rest[1]) {
			return end
		}
		at = end + 2
	}
	return first
}

// decodeRun decodes neighbours: those of one charset are joined as bytes first, since senders split characters.
func decodeRun(run []word, h hint) string {
	var out strings.Builder
	for i := 0; i < len(run); {
		j := i + 1
		for j < len(run) && strings.EqualFold(run[j].charset, run[i].charset) {
			j++
		}
		out.WriteString(decodeSame(run[i:j], h))
		i = j
	}
	return out.String()
}

// decodeSame decodes words of one charset. B words cut at odd places are joined as text first, unless only what each
// says for itself makes sense: then it was the padding that was missing.
func decodeSame(run []word, h hint) string {
	raw, ok := bytesOf(run, true)
	text, fits := decodeLabelled(raw, run[0].charset)
	if !ok || !fits || hasControl(text) {
		apart, okApart := bytesOf(run, false)
		if t, fitsApart := decodeLabelled(apart, run[0].charset); okApart && fitsApart && !hasControl(t) {
			return t
		}
	}
	if ok && fits {
		return text
	}
	var as strings.Builder
	anyB := false
	for _, w := range run {
		as.WriteString(w.raw)
		anyB = anyB || w.base64
	}
	if anyB || !ok {
		return as.String()
	}
	return decodeBest(raw, hint{budget: h.budget})
}

// bytesOf gives the bytes that words stand for; false when a B word is none.
func bytesOf(run []word, join bool) ([]byte, bool) {
	var raw bytes.Buffer
	for i := 0; i < len(run); i++ {
		w := run[i]
		if !w.base64 {
			raw.Write(decodeQ(w.text))
			continue
		}
		parts := []string{w.text}
		for join && i+1 < len(run) && run[i+1].base64 && cutBase64(parts) {
			i++
			parts = append(parts, run[i].text)
		}
		b, ok := wordBase64(strings.Join(parts, ""))
		if !ok {
			return nil, false
		}
		raw.Write(b)
	}
	return raw.Bytes(), true
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' && r != '\n' && r != '\r' && r != 0x1b })
}

// cutBase64 says whether a text that comes in pieces does not end where base64 may.
func cutBase64(pieces []string) bool {
	n := 0
	for _, text := range pieces {
		for i := 0; i < len(text); i++ {
			if text[i] == '=' {
				return false
			}
			if !isSpace(text[i]) {
				n++
			}
		}
	}
	return n%4 != 0
}

// wordBase64 decodes the text of a B word; false when it is none.
func wordBase64(text string) ([]byte, bool) {
	good := make([]byte, 0, len(text))
	bad := 0
	var out []byte
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '=':
			if len(good) > 0 {
				out = append(out, decode64(good)...)
				good = good[:0]
			}
		case c == '-':
			good = append(good, '+')
		case c == '_':
			good = append(good, '/')
		case base64Value[c] < 64:
			good = append(good, c)
		case !isSpace(c):
			bad++
		}
	}
	out = append(out, decode64(good)...)
	return out, bad*4 <= len(text)
}

// decode64 decodes letters of the alphabet only, whatever their number.
func decode64(good []byte) []byte {
	if len(good)%4 == 1 {
		good = good[:len(good)-1]
	}
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(good)))
	n, _ := base64.RawStdEncoding.Decode(out, good)
	return out[:n]
}

// decodeQ decodes the text of a Q word; bad pairs are kept.
func decodeQ(text string) []byte {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '_':
			out = append(out, ' ')
		case c == '=' && i+2 < len(text) && isHex(text[i+1]) && isHex(text[i+2]):
			out = append(out, unhex(text[i+1])<<4|unhex(text[i+2]))
			i += 2
		default:
			out = append(out, c)
		}
	}
	return out
}

// decodeRaw decodes text that is no encoded-word.
func decodeRaw(s string, h hint) string {
	if isASCII(s) && strings.IndexByte(s, 0x1b) < 0 {
		return s
	}
	if utf8.ValidString(s) && strings.IndexByte(s, 0x1b) < 0 {
		return s
	}
	return decodeBest([]byte(s), h)
}
