package compose

import (
	"strings"
	"testing"
)

func TestALetterGoesOutDressed(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"<div>plain</div>", "<div>plain</div>"},
		{"a &lt; b &amp; c", "a &lt; b &amp; c"},
		{`<blockquote type="cite"><pre>as it was</pre></blockquote>`, `<blockquote type="cite" style="margin:8px 0 8px 4px;padding-left:12px;border-left:2px solid #bdbab3"><pre>as it was</pre></blockquote>`},
		{`<blockquote style="border:0">x</blockquote>`, `<blockquote style="border:0">x</blockquote>`},
		{"<code>x</code>", `<code style="font-family:Consolas,Menlo,monospace;font-size:13px">x</code>`},
		{`<table style="border-collapse:collapse"><tbody><tr><td style="width:9pt">1</td><td>2</td></tr></tbody></table>`,
			`<table style="border-collapse:collapse"><tbody><tr><td style="width:9pt">1</td><td style="border:1px solid #bdbab3;padding:4px 8px">2</td></tr></tbody></table>`},
		{strings.Repeat("<div>", 400) + "deep" + strings.Repeat("</div>", 400), strings.Repeat("<div>", 400) + "deep" + strings.Repeat("</div>", 400)},
	} {
		if got := Dress(c.in, "A < B"); got != `<!DOCTYPE html><html><head><meta charset="utf-8"><title>A &lt; B</title></head><body><div style="font-family:&#39;Segoe UI&#39;,Helvetica,Arial,sans-serif;font-size:15px">`+c.want+"</div></body></html>\n" {
			t.Errorf("%.60s goes out as %s", c.in, got)
		}
	}
	if got := Dress("", ""); got != "" {
		t.Errorf("a plain letter gets %s", got)
	}
}
