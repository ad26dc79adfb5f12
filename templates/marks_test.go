package templates_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"restante/templates"
)

func TestWhatWasSearchedForIsMarked(t *testing.T) {
	for _, c := range []struct{ text, words, want string }{
		{"Five harbours", "harbour", "Five [harbour]s"},
		{"HARBOUR and Harbour", "harbour", "[HARBOUR] and [Harbour]"},
		{"Grüße aus Zürich", "zurich\ngrusse", "[Grüße] aus [Zürich]"},
		{"Zu\u0308rich, ecrit", "zürich\nÉCRIT", "[Zu\u0308rich], [ecrit]"},
		{"Cafe\u0301", "cafe", "[Cafe\u0301]"},
		{"Straße", "s", "[S]tra[ß]e"},
		{"Straße", "strasse", "[Straße]"},
		{"ﬁnd the ﬁle", "file\nf", "[ﬁ]nd the [ﬁle]"},
		{"東京の天気", "天気", "東京の[天気]"},
		{"Сегодня", "СЕГ", "[Сег]одня"},
		{"İstanbul", "istanbul", "[İstanbul]"},
		{"ananas", "ana", "[ana]nas"},
		{"car, carpet", "car\ncarpet", "[car], [carpet]"},
		{"a <b> & c", "<b>", "a [<b>] & c"},
		{"nothing", "", "nothing"},
		{"nothing", "\n \n", "nothing"},
		{"", "x", ""},
		{"bad \xff bytes", "bytes", "bad \xff [bytes]"},
	} {
		var b strings.Builder
		for _, r := range templates.Marked(c.text, c.words) {
			if r.Hit {
				fmt.Fprintf(&b, "[%s]", r.Text)
			} else {
				b.WriteString(r.Text)
			}
		}
		if b.String() != c.want {
			t.Errorf("%q in %q: %q, want %q", c.words, c.text, b.String(), c.want)
		}
	}
}

// FuzzMarked: the runs are the text, and cut no letter.
func FuzzMarked(f *testing.F) {
	f.Add("Grüße aus Zu\u0308rich ßﬁ", "zurich\nss\nf")
	f.Add("\u0308\u0301", "\u0301")
	f.Add("\xff\xc3", "\xff")
	f.Add("Straße", "s")
	f.Fuzz(func(t *testing.T, text, words string) {
		whole := ""
		for _, r := range templates.Marked(text, words) {
			if utf8.ValidString(text) && !utf8.ValidString(r.Text) {
				t.Errorf("%q is cut in a letter", r.Text)
			}
			if r.Hit && r.Text == "" {
				t.Error("a mark is empty")
			}
			whole += r.Text
		}
		if whole != text {
			t.Errorf("%q came out as %q", text, whole)
		}
	})
}
