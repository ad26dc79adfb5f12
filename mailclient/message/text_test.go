package message

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFlowedTextIsJoined(t *testing.T) {
	for _, c := range []struct {
		name, in, want string
		delSp          bool
	}{
		{"soft breaks", "one \ntwo \nthree\nfour\n", "one two three\nfour\n", false},
		{"delsp", "日本 \n語\n", "日本語\n", true},
		{"space-stuffing", " From x\n  indented\n", "From x\n indented\n", false},
		{"quotes by depth", "> a \n> b\n>> c \n> d\n", "> a b\n>> c \n> d\n", false},
		{"the signature line never flows", "a \n-- \nme\n", "a \n-- \nme\n", false},
		{"no line end at the end", "a \nb", "a b\n", false},
	} {
		if got := unflow(c.in, c.delSp); got != c.want {
			t.Errorf("%s: %q, not %q", c.name, got, c.want)
		}
	}
}

func TestQuotesAreCutByDepth(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"own text only", "hello\n\nworld\n", "0[hello\n\nworld]"},
		{"a quote at the end with its introduction", "yes\n\nOn Mon, 2 Jan 2006, Ada wrote:\n> question\n>> older\n", "0[yes] 0t[On Mon, 2 Jan 2006, Ada wrote:] 1t[question] 2t[older]"},
		{"a wrapped introduction", "ok\n\nOn Mon, 2 Jan 2006 at 10:00, Ada Lovelace\n<ada@example.org> wrote:\n> q\n", "0[ok] 0t[On Mon, 2 Jan 2006 at 10:00, Ada Lovelace\n<ada@example.org> wrote:] 1t[q]"},
		{"answers between stay open", "> one\nyes\n> two\nno\n", "1[one] 0[yes] 1[two] 0[no]"},
		{"an answer below", "> one\n\nyes\n", "1[one] 0[\nyes]"},
		{"spaces between marks", "a\n> > x\n", "0[a] 2t[x]"},
		{"signature after the quote", "a\n> x\n-- \nAda\n", "0[a] 1t[x] 0s[-- \nAda]"},
		{"signature before the quote", "a\n-- \nAda\n> x\n", "0[a] 0s[-- \nAda] 1t[x]"},
		{"nothing but a quote is not folded", "> x\n", "1[x]"},
		{"original message", "yes\n\n-----Original Message-----\nFrom: x\n\nq\n", "0[yes\n] 1t[-----Original Message-----\nFrom: x\n\nq]"},
		{"a mail that is passed on", "look\n\n---------- Forwarded message ---------\nFrom: x\n\nq\n", "0[look\n\n---------- Forwarded message ---------\nFrom: x\n\nq]"},
		{"original message in German", "ja\n-----Ursprüngliche Nachricht-----\nVon: x\n", "0[ja] 1t[-----Ursprüngliche Nachricht-----\nVon: x]"},
		{"a rule before an Outlook head", "ok\n________________________________\nFrom: x\nSent: y\n", "0[ok] 1t[________________________________\nFrom: x\nSent: y]"},
		{"a rule in a text", "a\n________________________________\nb\n", "0[a\n________________________________\nb]"},
		{"an arrow is no quote", "a -> b\n", "0[a -> b]"},
		{"nothing", "", ""},
	} {
		var got []string
		for _, s := range Quoted(c.in) {
			mark := fmt.Sprint(s.Depth)
			if s.Signature {
				mark += "s"
			}
			if s.Tail {
				mark += "t"
			}
			got = append(got, mark+"["+s.Text+"]")
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s:\n%q, not\n%q", c.name, s, c.want)
		}
	}
}

func TestLinks(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"see https://example.org/a?b=c.", "https://example.org/a?b=c"},
		{"(https://example.org/x_(y))", "https://example.org/x_(y)"},
		{"[http://a.example/]", "http://a.example/"},
		{"www.example.org, or", "https://www.example.org"},
		{"write to ada@example.org!", "mailto:ada@example.org"},
		{"mailto:ada@example.org?subject=x", "mailto:ada@example.org?subject=x"},
		{"call tel:+420123456789", "tel:+420123456789"},
		{"<https://example.org/a\nb/c>", "https://example.org/ab/c"},
		{"https://example.org/a\nb", "https://example.org/a"},
		{"“https://example.org/x”", "https://example.org/x"},
		{"https://example.org/日本。", "https://example.org/日本"},
		{"https://user@example.org/ and a@b.cz", "https://user@example.org/ mailto:a@b.cz"},
		{"> https://a.example/ >", "https://a.example/"},
		{"https:// javascript:alert(1) ahttp://x", ""},
		{"a@b @c x@ y", ""},
	} {
		var got []string
		for _, l := range Links(c.in) {
			if l.Start >= l.End || l.End > len(c.in) {
				t.Fatalf("%q: %v", c.in, l)
			}
			got = append(got, l.URL)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%q: %q, not %q", c.in, s, c.want)
		}
	}
}

func TestNamesAreMadeSafe(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"a.pdf", "a.pdf"},
		{"../../etc/passwd", "passwd"},
		{`C:\docs\new.txt`, "new.txt"},
		{"a/b\\c.txt", "c.txt"},
		{"annex\u202efdp.exe", "annexfdp.exe"},
		{".htaccess", "htaccess"},
		{"a\r\nb\x00.txt", "ab.txt"},
		{"  . ", "file"},
		{"", "file"},
		{"a.txt...", "a.txt"},
		{strings.Repeat("ü", 300) + ".pdf", strings.Repeat("ü", 196) + ".pdf"},
	} {
		if got := SafeName(c.in); got != c.want {
			t.Errorf("%q: %q, not %q", c.in, got, c.want)
		}
	}
	if got := fileName(&node{params: map[string]string{"name": "annex\u202efdp.exe"}}, map[string]int{}); got != "annex\uFFFDfdp.exe" {
		t.Errorf("an override must be visible on the page: %q", got)
	}
}

func TestPreviews(t *testing.T) {
	for _, c := range []struct {
		name, subtype, encoding, charset, body, want string
	}{
		{"plain", "plain", "7bit", "", "Hello,\r\n\r\nworld  again", "Hello, world again"},
		{"quotes are left out", "plain", "7bit", "", "> old\nnew\n-- \nme\n", "new"},
		{"nothing but a quote", "plain", "7bit", "", "> old\n", "old"},
		{"quoted-printable cut in the midst", "plain", "quoted-printable", "utf-8", "Gr=C3=BC=C3=9F=", "Grüß"},
		{"base64 cut in the midst", "plain", "base64", "utf-8", "R3LDvMOfZQ", "Grüße"},
		{"HTML", "html", "7bit", "", "<html><head><title>no</title><style>p{}</style></head><body><p>Hello&nbsp;<b>w</b>orld</p><p>again", "Hello world again"},
		{"preheader padding", "html", "7bit", "utf-8", "<div>Sale!&zwnj;&nbsp;&#8203;&#847;&shy;</div><p>Now", "Sale! Now"},
		{"view in browser", "html", "7bit", "", "<a>View in browser</a><br>News", "News"},
		{"quoted HTML", "html", "7bit", "", "<p>yes</p><div class=\"gmail_quote\">On Mon wrote:<blockquote>q</blockquote></div>", "yes"},
		{"style that was cut", "html", "7bit", "", "<p>a</p><style>p{color:red", "a"},
		{"rules and links in angles", "plain", "7bit", "", "-----\nNews <https://x.example/abc>\n", "News"},
	} {
		s := &Structure{Section: "1", Type: "text", Subtype: c.subtype, Encoding: c.encoding, Params: map[string]string{"charset": c.charset}}
		if got := DecodePreview([]byte(c.body), s); got != c.want {
			t.Errorf("%s: %q, not %q", c.name, got, c.want)
		}
	}
	long := DecodePreview([]byte(strings.Repeat("žluť ", 100)), &Structure{Type: "text", Subtype: "plain", Encoding: "8bit"})
	if utf8.RuneCountInString(long) != 200 {
		t.Error("length", utf8.RuneCountInString(long))
	}
}
