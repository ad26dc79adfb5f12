package compose_test

import (
	"testing"

	"restante/mailclient/compose"
)

// TestThePlainPartIsReadable: tables have a line a row, items stand beside their bullets, and links say where they lead once.
func TestThePlainPartIsReadable(t *testing.T) {
	for html, want := range map[string]string{
		"<table><tbody><tr><td><p>A1</p></td><td><p>B1</p><p>and</p></td></tr><tr><td></td><td>B2<br>B3</td></tr></tbody></table><div>x</div>": "A1\tB1 and\n\tB2 B3\n\nx\n",
		"<ul><li><p>one</p></li><li>two<ul><li><div>deep</div></li></ul></li><li></li></ul><ol><li><p>a</p><p>b</p></li></ol>end":              "- one\n- two\n  - deep\n-\n\n1. a\nb\n\nend\n",
		`<div><a href="https://x.test/">https://x.test</a>, <a href="https://x.test/y">here</a></div>`:                                         "https://x.test, here <https://x.test/y>\n",
		"<div>a</div><ul><li><blockquote>q</blockquote></li><li><pre>p\n  r</pre></li></ul>":                                                   "a\n- > q\n- p\n  r\n",
	} {
		if got := compose.TextFromHTML(html); got != want {
			t.Errorf("%s\n%q, want\n%q", html, got, want)
		}
	}
}
