package templates

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Run is a stretch of text, marked where it is what was searched for.
type Run struct {
	Text string
	Hit  bool
}

// Find are the words whose hits are marked in the columns of a row, each list with line ends between.
type Find struct{ Name, Subject, Preview string }

// maxHits bounds the marks in one text; what follows the last stands unmarked.
const maxHits = 500

// Marked cuts text into runs at the hits of words, which have line ends between. A hit is found whatever the case of
// its letters and the marks on them; the runs together are the text, byte for byte.
func Marked(text, words string) (runs []Run) {
	var needles []string
	for _, w := range strings.Split(words, "\n") {
		if n, _ := folded(w, false); strings.TrimSpace(n) != "" {
			needles = append(needles, n)
		}
	}
	if len(needles) == 0 || text == "" {
		return []Run{{Text: text}}
	}
	plain, at := folded(text, true)
	done := 0 // of text
	for from, hits := 0, 0; hits < maxHits; hits++ {
		start, end := first(plain[from:], needles)
		if start < 0 {
			break
		}
		for at[from+end] == at[from+end-1] { // a letter that was folded to several is marked whole
			end++
		}
		begin, stop := at[from+start], at[from+end]
		from += end
		if begin > done {
			runs = append(runs, Run{Text: text[done:begin]})
		}
		runs = append(runs, Run{Text: text[begin:stop], Hit: true})
		done = stop
	}
	if done < len(text) {
		runs = append(runs, Run{Text: text[done:]})
	}
	return runs
}

// first is the leftmost hit of any needle, the longest of those that begin there; -1 for none.
func first(s string, needles []string) (start, end int) {
	start = -1
	for _, n := range needles {
		if i := strings.Index(s, n); i >= 0 && (start < 0 || i < start || i == start && i+len(n) > end) {
			start, end = i, i+len(n)
		}
	}
	return start, end
}

// folded is a text in lower case and without the marks on its letters. Where each of its bytes, and its end, came from
// in the text is told if mapped is set; the marks belong to the letter before them.
func folded(text string, mapped bool) (string, []int) {
	var b strings.Builder
	var at []int
	put := func(r rune, from int) {
		n := b.Len()
		b.WriteRune(unicode.ToLower(r))
		for ; mapped && n < b.Len(); n++ {
			at = append(at, from)
		}
	}
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r < utf8.RuneSelf:
			put(r, i)
		case r == 'ß' || r == 'ẞ':
			put('s', i)
			put('s', i)
		default:
			for _, d := range norm.NFKD.String(text[i : i+size]) {
				if !unicode.Is(unicode.Mn, d) {
					put(d, i)
				}
			}
		}
		i += size
	}
	return b.String(), append(at, len(text))
}
