package compose_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"restante/mailclient/compose"
)

// FuzzRecipients: what is taken as a recipient is a valid address, can be written and is read back as the same.
func FuzzRecipients(f *testing.F) {
	for _, s := range []string{
		"", "a@b.test", "Ada <ada@b.test>, ben@b.test; c@d.test", `"Last, First" <x@y.test>`, "a@b.test\r\nBcc: evil@x.test", "a@b.test>\nRCPT TO:<c@d.test", "Grüße <ü@müller.test>",
		"<a@b.test>", "a@b.test,", ",,;", `"unclosed <a@b.test>`, "group: a@b.test, c@d.test;", "a@b@c", "(comment) a@b.test", "\x00@b.test", "\xff <a@b.test>", "A <a@[127.0.0.1]>", `"0\",<0@0"`, `"Last \"Nick\", First" <x@y.test>, b@c.test`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		list, wrong := compose.Recipients(s)
		for _, w := range wrong {
			if strings.TrimSpace(w) == "" {
				t.Errorf("%q: an empty recipient is wrong", s)
			}
		}
		for _, a := range list {
			if !compose.Valid(a.Addr) {
				t.Errorf("%q gave the address %q, which is none", s, a.Addr)
			}
			if strings.ContainsAny(a.Addr, "\r\n\x00 <>") {
				t.Errorf("%q gave the address %q", s, a.Addr)
			}
		}
		if !utf8.ValidString(s) || strings.ContainsAny(s, "\r\n\x00") {
			return
		}
		again, bad := compose.Recipients(compose.Format(list))
		if len(bad) > 0 || len(again) != len(list) {
			t.Fatalf("%q is written as %q and read back as %v, %q", s, compose.Format(list), again, bad)
		}
		for i := range list {
			if again[i].Addr != list[i].Addr {
				t.Errorf("%q: %q came back as %q", s, list[i].Addr, again[i].Addr)
			}
		}
	})
}

// FuzzTextFromHTML: any HTML gives text that is text.
func FuzzTextFromHTML(f *testing.F) {
	for _, s := range []string{
		"", "<p>Hello <b>you</b></p>", "<blockquote>a<blockquote>b</blockquote></blockquote>", "<ul><li>one<li>two</ul>", "<table><tr><td>a<td>b</table>", "<a href='x'>y</a>",
		"<script>alert(1)</script>", "<style>p{}</style>x", "<pre>  a\n b</pre>", "&lt;b&gt;&nbsp;&#0;&#xD800;", "<svg><title>x</title></svg>", "<p>\xff\x00", strings.Repeat("<div>", 600) + "x",
		strings.Repeat("<blockquote>", 300) + "x", "<textarea><p>", "<br><br><br>", "<img alt='a'>", "<!-- x -->y",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text := compose.TextFromHTML(s)
		if utf8.ValidString(s) && !utf8.ValidString(text) {
			t.Errorf("%q gave %q", s, text)
		}
		if strings.Contains(text, "\r") {
			t.Errorf("%q gave a CR", s)
		}
	})
}

// FuzzHTMLFromText: text becomes HTML without markup of its own, and comes back as it was but for white space.
func FuzzHTMLFromText(f *testing.F) {
	for _, s := range []string{"", "Hello", "a\n\nb", "<script>alert(1)</script>", "> quoted\n>> twice\nmine", "a & b < c > d \"e\"", "  indented", "\ttab"} {
		f.Add(s)
	}
	words := func(s string) string {
		return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r <= ' ' || r == '>' || r == '\u00a0' }), "")
	}
	f.Fuzz(func(t *testing.T, s string) {
		out := compose.HTMLFromText(s)
		if strings.Contains(strings.ToLower(out), "<script") {
			t.Errorf("%q gave %q", s, out)
		}
		for _, r := range s {
			if r == utf8.RuneError || r < ' ' && r != '\n' && r != '\t' || r > '~' {
				return // what HTML has no way to say, and white space of other scripts
			}
		}
		if got := compose.TextFromHTML(out); words(got) != words(s) {
			t.Errorf("%q came back as %q", s, got)
		}
	})
}
