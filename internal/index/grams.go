package index

import (
	"strings"
	"unicode/utf8"
)

// maxGrams is how many grams of a word are looked up: what is found by them is looked at in any case.
const maxGrams = 12

// grams are what a text is looked up by: each three letters in a row, and of scripts without spaces each letter and each
// two. All grams of a word are among those of any text in which it stands. None has a letter that divides words.
func grams(text string) map[string]bool {
	out := map[string]bool{}
	var a, b rune // the two before
	for _, c := range text {
		if c < utf8.RuneSelf && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			c += 0x700 // FTS5 splits at it: Syriac, three letters of which nobody takes for three signs
		}
		switch {
		case wide(c):
			out[string(c)] = true
			if wide(b) {
				out[string([]rune{b, c})] = true
			}
		case a != 0 && b != 0 && !wide(a) && !wide(b):
			out[string([]rune{a, b, c})] = true
		}
		a, b = b, c
	}
	return out
}

// wide says whether a letter is one of a script that is written without spaces, where words are one or two letters.
func wide(c rune) bool { return c >= 0x2e80 && c < 0xfb00 || c >= 0x20000 }

// lookup is the FTS5 query for the mails that may have a word, "" where any may; exact says that they do.
func lookup(word string) (query string, exact bool) {
	found := grams(word)
	if found[word] {
		return `"` + word + `"`, true
	}
	var some []string
	for g := range found {
		if len(some) < maxGrams {
			some = append(some, `"`+g+`"`)
		}
	}
	return strings.Join(some, " AND "), false
}
