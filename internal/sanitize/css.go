package sanitize

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tdewolff/parse/v2"
	"github.com/tdewolff/parse/v2/css"
)

// Limits of SECURITY.md 6 for CSS.
const (
	maxCSS       = 256 << 10
	maxRules     = 2000
	maxSelectors = 8000
	maxDecls     = 20_000
	maxNested    = 16
	maxMedia     = 2
	maxMatches   = 20_000_000
)

// kind is what a token is.
type kind byte

const (
	word     kind = iota + 1 // an identifier, in lower case
	hash                     // #…
	quoted                   // a string, escapes read
	link                     // url(…)
	number                   // 12
	percent                  // 12%
	length                   // 12px: any number with a unit
	function                 // name(
	keyword                  // @name
	space                    // white space and comments
	mark                     // any other character, or two of a match like ^=
	broken                   // a bad string or bad url: nothing after it in its block counts
)

// token is one token with its escapes read: text as it means, never as it was spelled.
type token struct {
	kind kind
	text string // name, string, URL or mark; case kept
	unit string
	n    float64
	args []token // of a function, by nest
}

func (t token) is(s string) bool { return t.kind == mark && t.text == s }

// lower is the name of an identifier or function: CSS compares ASCII without case.
func (t token) lower() string { return strings.ToLower(t.text) }

// lexCSS reads tokens. Comments become space, and spaces in a row are one.
func lexCSS(s string) (out []token) {
	l := css.NewLexer(parse.NewInputString(s))
	for {
		tt, data := l.Next()
		if tt == css.ErrorToken {
			return out
		}
		t := tokenOf(tt, string(data))
		if t.kind == space && len(out) > 0 && out[len(out)-1].kind == space {
			continue
		}
		out = append(out, t)
	}
}

func tokenOf(tt css.TokenType, s string) token {
	switch tt {
	case css.WhitespaceToken, css.CommentToken, css.CDOToken, css.CDCToken:
		return token{kind: space}
	case css.IdentToken, css.CustomPropertyNameToken:
		return token{kind: word, text: unescape(s)}
	case css.HashToken:
		return token{kind: hash, text: unescape(s[1:])}
	case css.FunctionToken:
		return token{kind: function, text: unescape(strings.TrimSuffix(s, "("))}
	case css.AtKeywordToken:
		return token{kind: keyword, text: unescape(s[1:])}
	case css.StringToken:
		return token{kind: quoted, text: unquote(s)}
	case css.URLToken:
		return token{kind: link, text: insideURL(s)}
	case css.NumberToken, css.PercentageToken, css.DimensionToken:
		return numeric(s)
	case css.BadStringToken, css.BadURLToken, css.UnicodeRangeToken, css.CustomPropertyValueToken:
		return token{kind: broken}
	}
	return token{kind: mark, text: s}
}

// numeric reads a number and its unit.
func numeric(s string) token {
	end := numberEnd(s)
	n, err := strconv.ParseFloat(s[:end], 64)
	if err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
		return token{kind: broken}
	}
	switch unit := s[end:]; unit {
	case "":
		return token{kind: number, n: n}
	case "%":
		return token{kind: percent, n: n}
	default:
		return token{kind: length, n: n, unit: strings.ToLower(unescape(unit))}
	}
}

func numberEnd(s string) int {
	digits := func(i int) int {
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		return i
	}
	i := 0
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
	}
	i = digits(i)
	if i+1 < len(s) && s[i] == '.' && digits(i+1) > i+1 {
		i = digits(i + 1)
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		j := i + 1
		if j < len(s) && (s[j] == '+' || s[j] == '-') {
			j++
		}
		if k := digits(j); k > j {
			return k
		}
	}
	return i
}

// unescape reads CSS escapes (CSS Syntax 3, 4.3.7).
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			i++
			continue
		}
		r, n := escaped(s[i+1:])
		b.WriteString(r)
		i += 1 + n
	}
	return b.String()
}

// escaped reads what follows a backslash: what it means, and its length.
func escaped(s string) (string, int) {
	n := 0
	for n < 6 && n < len(s) && strings.IndexByte("0123456789abcdefABCDEF", s[n]) >= 0 {
		n++
	}
	if n == 0 {
		if s == "" || s[0] == '\n' {
			return "", min(len(s), 1) // a line feed after a backslash is nothing, in strings
		}
		_, size := utf8.DecodeRuneInString(s)
		return s[:size], size
	}
	v, _ := strconv.ParseUint(s[:n], 16, 32)
	if n < len(s) && (s[n] == ' ' || s[n] == '\t' || s[n] == '\n') {
		n++
	}
	if v == 0 || v > utf8.MaxRune || v >= 0xd800 && v < 0xe000 {
		return "\uFFFD", n
	}
	return string(rune(v)), n
}

func unquote(s string) string {
	quote := s[:1]
	s = s[1:]
	if strings.HasSuffix(s, quote) && !strings.HasSuffix(s, `\`+quote) {
		s = s[:len(s)-1]
	}
	return unescape(s)
}

// insideURL is what url(…) holds, quoted or not.
func insideURL(s string) string {
	_, s, _ = strings.Cut(s, "(")
	s = strings.TrimSpace(strings.TrimSuffix(s, ")"))
	if s != "" && (s[0] == '"' || s[0] == '\'') {
		return unquote(s)
	}
	return unescape(s)
}

// nest puts the arguments of functions inside of them. It fails on what is not balanced, on blocks, and on depth.
func nest(in []token) ([]token, bool) {
	out, rest, ok := nestTo(in, "", 0)
	return out, ok && len(rest) == 0
}

func nestTo(in []token, until string, depth int) (out, rest []token, ok bool) {
	for len(in) > 0 {
		t := in[0]
		in = in[1:]
		switch {
		case t.kind == mark && t.text == until:
			return out, in, true
		case t.kind == broken || depth > maxNested || t.kind == mark && strings.ContainsAny(t.text, "{}[])"):
			return nil, nil, false
		case t.kind == function || t.is("("):
			if t.args, in, ok = nestTo(in, ")", depth+1); !ok {
				return nil, nil, false
			}
			if t.kind == mark {
				t.kind, t.text = function, ""
			}
		}
		out = append(out, t)
	}
	return out, nil, until == ""
}

// trim drops space at both ends.
func trim(in []token) []token {
	for len(in) > 0 && in[0].kind == space {
		in = in[1:]
	}
	for len(in) > 0 && in[len(in)-1].kind == space {
		in = in[:len(in)-1]
	}
	return in
}

// split cuts at a mark, outside of functions and blocks.
func split(in []token, at string) (out [][]token) {
	depth, start := 0, 0
	for i, t := range in {
		switch {
		case t.kind == function && t.args == nil || t.kind == mark && strings.ContainsAny(t.text, "([{"):
			depth++
		case t.kind == mark && strings.ContainsAny(t.text, ")]}"):
			depth--
		case depth <= 0 && t.is(at):
			out, start = append(out, in[start:i]), i+1
		}
	}
	return append(out, in[start:])
}

// num writes a number as CSS, without exponent.
func num(v float64) string {
	s := strconv.FormatFloat(math.Round(v*1000)/1000, 'f', -1, 64)
	if s == "-0" {
		return "0"
	}
	return s
}
