package compose

import (
	"strings"
	"testing"
	"unicode/utf8"
)

const longText = "The quick brown fox jumps over the lazy dog and then over a number of other animals that were not quick enough to leave."

func TestFlowed(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"short\n\nlines \n", "short\n\nlines\n"},
		{longText, "The quick brown fox jumps over the lazy dog and then over a number of \nother animals that were not quick enough to leave.\n"},
		{"> " + longText, "> The quick brown fox jumps over the lazy dog and then over a number of \n> other animals that were not quick enough to leave.\n"},
		{">> a\n> > b\n>\n>", ">> a\n>> b\n>\n>\n"},
		{"-- \nAnna", "-- \nAnna\n"},
		{" indented\nFrom here\n", "  indented\n From here\n"},
		{strings.Repeat("x", 200), strings.Repeat("x", 200) + "\n"},
		{strings.Repeat("x", 100) + " and more words", strings.Repeat("x", 100) + " \nand more words\n"},
	} {
		if got := Flowed(c.in); got != c.want {
			t.Errorf("%q flows as\n%q, not\n%q", c.in, got, c.want)
		}
	}
}

// FuzzFlowed: put together as RFC 3676 says, it is what was written.
func FuzzFlowed(f *testing.F) {
	for _, s := range []string{longText, "> " + longText, "a\n b\n>c\n> > d\n-- \nx", "  two  spaces   " + longText} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) || strings.ContainsRune(s, '\r') {
			t.Skip()
		}
		var want []string
		for _, line := range strings.Split(strings.TrimSuffix(s, "\n"), "\n") {
			n, text := quoteMarks(line)
			if text != "-- " {
				text = strings.TrimRight(text, " ")
			}
			want = append(want, strings.Repeat(">", n)+text)
		}
		if got := unflow(Flowed(s)); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%q is read as %q, not %q", s, got, want)
		}
	})
}

// unflow reads format=flowed without DelSp.
func unflow(s string) (out []string) {
	open := false
	for _, line := range strings.Split(strings.TrimSuffix(s, "\n"), "\n") {
		text := strings.TrimLeft(line, ">")
		n := len(line) - len(text)
		text = strings.TrimPrefix(text, " ")
		if open {
			out[len(out)-1] += text
		} else {
			out = append(out, strings.Repeat(">", n)+text)
		}
		open = strings.HasSuffix(text, " ") && text != "-- "
	}
	return out
}
