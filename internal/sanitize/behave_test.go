package sanitize

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// shown is the body of a document of one part.
func shown(p Part, o Options) (string, Blocked) {
	doc := Document(context.Background(), []Part{p}, o)
	_, body, _ := strings.Cut(doc.String(), "<body>\n")
	return strings.TrimSuffix(body, "\n</body></html>\n"), doc.Blocked()
}

// inside is what HTML becomes, without the box around it.
func inside(s string, o Options) string {
	out, _ := shown(Part{HTML: s}, o)
	return strings.TrimSuffix(strings.TrimPrefix(out, `<div id="part-0">`), "</div>")
}

const outside = `referrerpolicy="no-referrer" rel="noopener noreferrer nofollow"`

func TestLinks(t *testing.T) {
	link := func(href, text string) string {
		return `<a href="` + href + `" ` + outside + ` target="_blank">` + text + `</a>`
	}
	for in, want := range map[string]string{
		`<a href="https://a.test/x?y=1&z=2">go</a>`:                     link("https://a.test/x?y=1&amp;z=2", "go"),
		`<a href=" HTTPS://A.TEST:443/ü ">go</a>`:                       link("https://a.test:443/%C3%BC", "go"),
		`<a href="https://bücher.example/">go</a>`:                      link("https://xn--bcher-kva.example/", "go"),
		`<a href="www.a.test">go</a>`:                                   link("https://www.a.test", "go"),
		`<a href="mailto:ada@keller.example?subject=a b&bcc=c">m</a>`:   link("/compose?mailto=mailto%3Aada%40keller.example%3Fsubject%3Da%2520b", "m"),
		`<a href="tel:+49 (30) 12">t</a>`:                               link("tel:+493012", "t"),
		`<a href="/settings">own</a>`:                                   "<span>own</span>",
		`<a href="xmpp:a@b.test">x</a>`:                                 "<span>x</span>",
		`<a href="#Top">up</a><a name="Top">top</a>`:                    `<a href="#m-Top">up</a><span id="m-Top">top</span>`,
		`<a href="https://evil.test/">www.bank.example</a>`:             link("/leave?u=https://evil.test/", "www.bank.example"),
		`<a href="https://evil.test/">Go to https://bank.example/x</a>`: link("/leave?u=https://evil.test/", "Go to https://bank.example/x"),
		`<a href="https://evil.test/">b&#8203;ank.com</a>`:              link("/leave?u=https://evil.test/", "b\u200bank.com"),
		`<a href="https://www.bank.com/x">bank.com</a>`:                 link("https://www.bank.com/x", "bank.com"),
		`<a href="https://login.bank.co.uk/">www.bank.co.uk</a>`:        link("https://login.bank.co.uk/", "www.bank.co.uk"),
		`<a href="https://evil.co.uk/">www.bank.co.uk</a>`:              link("/leave?u=https://evil.co.uk/", "www.bank.co.uk"),
		`<a href="https://bank.com@evil.test/">here</a>`:                link("/leave?u=https://evil.test/", "here"),
		`<a href="https://evil.test/">Log in to bank.com</a>`:           link("/leave?u=https://evil.test/", "Log in to bank.com"),
		`<a href="https://docs.test/">report.pdf</a>`:                   link("https://docs.test/", "report.pdf"),
		`<a href="https://docs.test/">ada@keller.com</a>`:               link("https://docs.test/", "ada@keller.com"),
		`<map name=m><area href="https://a.test/" alt="Left"></map>`:    link("https://a.test/", "Left") + " ",
	} {
		if got := inside(in, ours("light")); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
	if got := inside(`<a href="https://evil.test/">bank.com</a>`, Options{}); got != "<span>bank.com</span>" {
		t.Errorf("a lying link without a page that asks: %s", got)
	}
}

func TestPictures(t *testing.T) {
	const dot = "R0lGODlhAQABAAAAACw="
	img := func(src, alt, more string) string {
		return `<img alt="` + alt + `" decoding="async" ` + more + `loading="lazy" referrerpolicy="no-referrer" src="` + src + `">`
	}
	for in, want := range map[string]string{
		`<img src="cid:logo@x" alt="Logo" height=20>`:                               img("/part/2", "Logo", `height="20" `),
		`<img src="cid:logo%40x">`:                                                  img("/part/2", "", ""),
		`<img src="logo.png">`:                                                      img("/part/2", "", ""),
		`<img src="https://a.test/b.png">`:                                          img("/proxy?u=https%3A%2F%2Fa.test%2Fb.png", "", ""),
		`<img src="data:image/png;base64,` + dot + `">`:                             img("data:image/gif;base64,"+dot, "", ""),
		`<img src="data:image/svg+xml;base64,` + dot + `">`:                         "",
		`<img src="cid:gone" alt="Gone">`:                                           `<span title="Gone">Gone</span>`,
		`<img src="https://a.test/b.png" width=1 height=1>`:                         "",
		`<img src="https://a.test/b.png" style="width:1px;height:2px">`:             "",
		`<img src="https://a.test/b.png" style="display:none">`:                     "",
		`<img src="https://u1.ct.sendgrid.net/wf/open?upn=x">`:                      "",
		`<img src="logo.png" width=600 height=200 style="border:0">`:                `<img alt="" decoding="async" height="200" loading="lazy" referrerpolicy="no-referrer" src="/part/2" style="border:0;height:initial;aspect-ratio:600/200" width="600">`,
		`<img src="https://a.test/line.png" width="600" height="1">`:                `<img alt="" decoding="async" height="1" loading="lazy" referrerpolicy="no-referrer" src="/proxy?u=https%3A%2F%2Fa.test%2Fline.png" width="600">`,
		`<p style="background:url(https://a.test/b.png) no-repeat">x</p>`:           `<p style="background-image:url(&#34;/proxy?u=https%3A%2F%2Fa.test%2Fb.png&#34;);background-repeat:no-repeat">x</p>`,
		`<picture><source srcset="https://a.test/1"><img src="logo.png"></picture>`: img("/part/2", "", ""),
	} {
		if got := inside(in, ours("light")); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestWhatIsKeptOutIsCounted(t *testing.T) {
	letter := `<style>.b{background:url(https://a.test/css.png)}</style><body background="https://a.test/bg.png"><form><input></form>
		<img src="https://a.test/1.png" width=100 height=50 alt="One"><img src="//a.test/2.png"><img src="https://a.test/t.gif" width=1 height=1><img src="cid:x">`
	out, blocked := shown(Part{HTML: letter}, Options{})
	if !reflect.DeepEqual(blocked, Blocked{Images: 4, Trackers: 1, TrackedBy: []string{"a.test"}, Forms: true}) {
		t.Errorf("%+v", blocked)
	}
	if !strings.Contains(out, `<span class="blocked" style="width:min(100px,100%);aspect-ratio:100/50" title="One">One</span>`) {
		t.Errorf("the place of a blocked picture is not kept: %s", out)
	}
	if n := CountRemote(letter); n != 4 {
		t.Errorf("CountRemote says %d", n)
	}
	if n := CountRemote(`<img src=cid:x><img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">`); n != 0 {
		t.Errorf("CountRemote says %d for the mail's own pictures", n)
	}
}

func TestTrackersAreNamed(t *testing.T) {
	letter := `<style>.px{width:1px;height:1px}@media(max-width:480px){.small{display:block!important}}</style><img class=px src="https://news.example/a"><img src="https://u1.ct.sendgrid.net/wf/open?upn=x" width=300>
		<img src="https://pixel.emltrk.com/x" width=300 height=200><img src="https://news.example/b" style="display:none"><td background="https://shop.list-manage.com/track/open.php?u=1">x</td>
		<table background="https://shop.list-manage.com/track/open.php?u=1"><tr><td>x</table><img class=small style="display:none" width=320 height=90 src="https://news.example/phone.png"><img src="https://news.example/c.png" width=2 height=90>`
	for _, o := range []Options{{}, ours("light")} {
		out, blocked := shown(Part{HTML: letter}, o)
		if names := strings.Join(blocked.TrackedBy, " "); blocked.Trackers != 5 || names != "news.example SendGrid Litmus Mailchimp" {
			t.Errorf("%d by %s", blocked.Trackers, names)
		}
		if seen := strings.Count(out, "news.example") + strings.Count(out, `class="blocked"`); seen != 2 {
			t.Errorf("%d pictures that can be seen are left: %s", seen, out)
		}
	}
}

func TestBrokenHTMLIsMended(t *testing.T) {
	for in, want := range map[string]string{
		`<p>a<div>b`:                      `<p>a</p><div>b</div>`,
		`<p><table><tr><td>x</table></p>`: `<div style="margin:1em 0"><table><tbody><tr><td>x</td></tr></tbody></table></div>`,
		`<li>x</li>`:                      `<div>x</div>`,
		`<b>a<i>b</b>c</i>`:               `<b>a<i>b</i></b><i>c</i>`,
		`<table>x<tr><td>y`:               `x<table><tbody><tr><td>y</td></tr></tbody></table>`,
		`<font color=red size=+2 face="Arial,evil(">x</font>`: `<font size="+2" style="font-family:&#34;Arial&#34;,sans-serif;color:#ff0000">x</font>`,
		`<o:p>&nbsp;</o:p><blink>x</blink>`:                   "\u00a0x",
		"a\x00b\x1b[0mc":                                      "ab[0mc",
		`<td>cell</td>`:                                       `cell`,
		`<h1>a<h2>b</h2></h1>`:                                `<h1>a</h1><h2>b</h2>`,
		"<p>z\u0301\u0301\u0301\u0301\u0301\u0301\u0301":      "<p>z\u0301\u0301\u0301\u0301</p>",
	} {
		if got := inside(in, Options{}); got != want {
			t.Errorf("%q\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestDeepAndCutMailsSayThatTheyAre(t *testing.T) {
	out, blocked := shown(Part{HTML: strings.Repeat("<div>", 300) + "<b>deep</b> text"}, Options{})
	if !blocked.Cut || !strings.Contains(out, "deep text") {
		t.Errorf("%+v %.100s", blocked, out)
	}
	out, blocked = shown(Part{HTML: strings.Repeat("<div>", 3000) + "<script>no</script>deeper &lt;b&gt; text"}, Options{})
	if !blocked.Plain || !strings.Contains(out, "deeper &lt;b&gt; text") || strings.Contains(out, "no") && strings.Contains(out, ">no") {
		t.Errorf("%+v %.100s", blocked, out)
	}
	if _, blocked = shown(Part{HTML: "<p>" + strings.Repeat("x", maxInput)}, Options{}); !blocked.Cut {
		t.Error("a mail over the limit is not said to be cut")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if doc := Document(ctx, []Part{{HTML: strings.Repeat("<p>x", 5000)}}, Options{}); !doc.Blocked().Cut {
		t.Error("an ended request goes on")
	}
}

func TestStyles(t *testing.T) {
	for in, want := range map[string]string{
		`width:5000px;height:99999px;padding:300px;font-size:200px`: "width:2000px;height:10000px;padding:200px;font-size:96px",
		`font-size:1px`:                     "font-size:0",
		`width:100vw`:                       "width:100%",
		`margin:-5px auto;text-indent:-1em`: "margin:0 auto;text-indent:0",
		`width:calc(100% - 20px)`:           "width:clamp(0px,calc(100% - 20px),2000px)",
		`font:italic bold 12px/1.5 "Times New Roman",serif`:          `font-style:italic;font-weight:bold;line-height:1.5;font-size:12px;font-family:&#34;Times New Roman&#34;,serif`,
		`color:red!important`:                                        "color:#ff0000",
		`border:1px solid #ccc;border-radius:4px 5px`:                "border:1px solid #cccccc;border-radius:4px 5px",
		`background:#fff;background:nonsense;display:blok`:           "background-color:#ffffff",
		`co\6cor:r\65 d`:                                             "color:#ff0000",
		`color/**/:/**/blue`:                                         "color:#0000ff",
		`color:red;"bad` + "\n" + `;color:blue`:                      "color:#ff0000",
		`position:relative;float:left;z-index:5;mso-x:y;-webkit-a:b`: "float:left",
		`line-height:99;opacity:7;flex:1 1 0%;order:500`:             "line-height:4;opacity:1;flex:1 1 0%;order:100",
		`background:linear-gradient(to right, red 0%, #00f8 100%)`:   "background-image:linear-gradient(to right, #ff0000 0%, #0000ff88 100%)",
		`grid-template-columns:repeat(2,minmax(10px,1fr))`:           "grid-template-columns:repeat(2,minmax(10px,1fr))",
		`grid-template-columns:2fr 1fr`:                              "grid-template-columns:2fr 1fr",
		`grid-template-columns:repeat(2,repeat(2,1fr))`:              "",
		`font:16px Arial`:                                            `font-style:normal;font-weight:normal;line-height:normal;font-size:16px;font-family:&#34;Arial&#34;,sans-serif`,
		`grid-template-columns:repeat(2,1fr)`:                        "grid-template-columns:repeat(2,1fr)",
		`width:300`:                                                  "width:300px",
	} {
		got := inside(`<p style="`+strings.ReplaceAll(in, `"`, "&quot;")+`">x</p>`, Options{})
		got = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSuffix(strings.TrimPrefix(got, "<p"), ">x</p>"), ` style="`), `"`)
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestSheets(t *testing.T) {
	for in, want := range map[string]string{
		`.a,.b>p{margin:1px}`:                 "#part-0 .m-a,#part-0 .m-b>p{margin:1px}",
		`body.x #y p:first-child{margin:1px}`: "#part-0.m-x #m-y p:nth-child(1){margin:1px}",
		`html,:root,html body p{margin:1px}`:  "#part-0,#part-0,#part-0 p{margin:1px}",
		`@media only screen and (max-width:600px){.a{width:100%!important;color:#fff!important}}`: "@media (max-width:600px){#part-0 .m-a{width:100%!important;color:#ffffff!important}}",
		`@media (400px<=width<40em){p{margin:1px}}`:                                               "@media (max-width:40em) and (min-width:400px){#part-0 p{margin:1px}}",
		`@media print{p{margin:1px}}`:                                                             "@media print{#part-0 p{margin:1px}}",
		`@media screen{p{margin:1px}}`:                                                            "#part-0 p{margin:1px}",
		`p:nth-child(2n+1):not(.x){margin:1px}`:                                                   "#part-0 p:nth-child(2n+1):not(.m-x){margin:1px}",
		`p:nth-child( odd ){margin:1px}`:                                                          "#part-0 p:nth-child(2n+1){margin:1px}",
		`[class~="a"] p,a[href^=tel]{margin:1px}`:                                                 `#part-0 [class~="m-a"] p,#part-0 a[href^="tel"]{margin:1px}`,
		`p::after{content:"-";margin:1px}`:                                                        `#part-0 p::after{content:"-";margin:1px}`,
		`p:visited{margin:1px}a:focus{margin:1px}x-y{margin:1px}`:                                 "",
		`.a .b .c .d .e{margin:1px}`:                                                              "",
		`<!-- p{margin:1px} -->`:                                                                  "#part-0 p{margin:1px}",
		`p{margin:1px;color:red}`:                                                                 "#part-0 p{margin:1px}",
	} {
		w := newWalker(context.Background(), Options{Theme: "light"}, 0)
		w.sheet = &sheet{}
		w.sheet.addUnder(in, "", anyScheme)
		w.sheet.index(false)
		w.begin()
		if got := strings.TrimSpace(w.css); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestCascadeOfColours(t *testing.T) {
	for in, want := range map[string]string{
		`<style>p{color:red}.a{color:blue}</style><p class=a>x`:                              "color:#0000ff",
		`<style>.a{color:blue}p{color:red}#i{color:lime}</style><p class=a id=i>x`:           "color:#00ff00",
		`<style>p{color:red!important}.a{color:blue}</style><p class=a style="color:lime">x`: "color:#ff0000",
		`<style>p{color:red}</style><p style="color:lime">x`:                                 "color:#00ff00",
		`<style>div>p:first-child{color:red}</style><div><p>x</div>`:                         "color:#ff0000",
		`<style>@media (max-width:1px){p{color:red}}</style><p style="color:lime">x`:         "color:#00ff00",
	} {
		if got := inside(in, Options{}); !strings.Contains(got, `<p`) || !strings.Contains(got, `style="`+want+`">x</p>`) {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestPlainText(t *testing.T) {
	link := func(href, text string) string {
		return `<a href="` + href + `" ` + outside + ` target="_blank">` + text + `</a>`
	}
	for in, want := range map[string]string{
		"See https://a.test/x_(y), or (www.a.test).": "See " + link("https://a.test/x_(y)", "https://a.test/x_(y)") + ", or (" + link("https://www.a.test", "www.a.test") + ").",
		"<https://a.test/?a=1&b=2>":                  "&lt;" + link("https://a.test/?a=1&amp;b=2", "https://a.test/?a=1&amp;b=2") + "&gt;",
		"mail ada@keller.example.":                   "mail " + link("/compose?mailto=mailto%3Aada%40keller.example", "ada@keller.example") + ".",
		"javascript:alert(1) <script>x</script>":     "javascript:alert(1) &lt;script&gt;x&lt;/script&gt;",
		"a\n> b\n>> c\n> d\ne":                       "a<blockquote>b<blockquote>c</blockquote>d</blockquote>e",
		"Hi\n\n-- \nBen\nwww.ben.test":               "Hi\n<div class=\"sig\">-- \nBen\n" + link("https://www.ben.test", "www.ben.test") + "</div>",
		"Yes.\n\nOn 3 March 2025, Ada wrote:\n> No?": "Yes.\n" + `<details class="quoted"><summary aria-label="Quoted text">···</summary>On 3 March 2025, Ada wrote:<blockquote>No?</blockquote></details>`,
		"> only a quote":                             "<blockquote>only a quote</blockquote>",
		"Fine.\n-----Original Message-----\nFrom: A": `Fine.<details class="quoted"><summary aria-label="Quoted text">···</summary>-----Original Message-----` + "\nFrom: A</details>",
	} {
		got, _ := shown(Part{Text: in}, ours("light"))
		got = strings.TrimSuffix(strings.TrimPrefix(got, `<div class="text" dir="auto">`), "</div>")
		if got != want {
			t.Errorf("%q\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestOnlyTheQuotedTailIsFolded(t *testing.T) {
	for in, want := range map[string]string{
		`Yes.<blockquote type=cite>No?</blockquote>`:                                                                                         `Yes.[<blockquote type="cite">No?</blockquote>]`,
		`Yes.<div class=moz-cite-prefix>On 1/1/25, A wrote:</div><blockquote type=cite>No?</blockquote>`:                                     `Yes.[<div>On 1/1/25, A wrote:</div><blockquote type="cite">No?</blockquote>]`,
		`<div>On 1/1/25, A wrote:</div><blockquote type=cite>No?</blockquote>`:                                                               `<div>On 1/1/25, A wrote:</div><blockquote type="cite">No?</blockquote>`,
		`<p>Yes.</p><p>On 1/1/25, A wrote:</p><blockquote type=cite>No?</blockquote>`:                                                        `<p>Yes.</p>[<p>On 1/1/25, A wrote:</p><blockquote type="cite">No?</blockquote>]`,
		`Yes.<p>On 1/1/25, A wrote:</p><blockquote>No?</blockquote>`:                                                                         `Yes.[<p>On 1/1/25, A wrote:</p><blockquote>No?</blockquote>]`,
		`Yes.<p>As the poet says:</p><blockquote>No?</blockquote>`:                                                                           `Yes.<p>As the poet says:</p><blockquote>No?</blockquote>`,
		`<blockquote type=cite>a?</blockquote>b<blockquote type=cite>c?</blockquote>d`:                                                       `<blockquote type="cite">a?</blockquote>b<blockquote type="cite">c?</blockquote>d`,
		`x<blockquote type=cite>a?</blockquote>b<blockquote type=cite>c?</blockquote>`:                                                       `x<blockquote type="cite">a?</blockquote>b[<blockquote type="cite">c?</blockquote>]`,
		`Hi<div class=gmail_quote>On 1/1 A wrote:<blockquote>q</blockquote></div>`:                                                           `Hi[<div>On 1/1 A wrote:<blockquote>q</blockquote></div>]`,
		`Hi<div class=gmail_quote>A:<blockquote>q</blockquote>my answer</div>`:                                                               `Hi<div>A:<blockquote>q</blockquote>my answer</div>`,
		`<div>Hi<br>-----Original Message-----<br>From: A<br>Text</div>`:                                                                     `<div>Hi<br>[-----Original Message-----<br>From: A<br>Text]</div>`,
		`<div>Hi</div><div><div style="border:none;border-top:solid red 1pt"><b>Von:</b> A</div></div><p>q</p>`:                              `<div>Hi</div>[<div><div style="border:none;border-top:solid #ff0000 1pt"><b>Von:</b> A</div></div><p>q</p>]`,
		`Look<div class=gmail_quote>---------- Forwarded message ---------<br>x</div>`:                                                       `Look<div>---------- Forwarded message ---------<br>x</div>`,
		`Look<blockquote type=cite><div>Begin forwarded message:</div>x</blockquote>`:                                                        `Look<blockquote type="cite"><div>Begin forwarded message:</div>x</blockquote>`,
		`Hi<div class=moz-cite-prefix>On 1/1/25, A wrote:</div><blockquote type=cite>a?</blockquote>b<blockquote type=cite>c?</blockquote>d`: `Hi<div>On 1/1/25, A wrote:</div><blockquote type="cite">a?</blockquote>b<blockquote type="cite">c?</blockquote>d`,
		`<p>See my answers below.</p><div id=divRplyFwdMsg><b>From:</b> A</div><p>q?</p><p>answer</p>`:                                       `<p>See my answers below.</p><div id="m-divRplyFwdMsg"><b>From:</b> A</div><p>q?</p><p>answer</p>`,
		`<p>Antworten in Rot.</p><hr id=zwchr><p>q? <font color=red>ja</font></p>`:                                                           `<p>Antworten in Rot.</p><hr id="m-zwchr"><p>q? <font style="color:#ff0000">ja</font></p>`,
		`<p>Yes.</p><p><b>Von:</b> A<br><b>Gesendet:</b> heute<br><b>Betreff:</b> x</p><p>q</p>`:                                             `<p>Yes.</p>[<p><b>Von:</b> A<br><b>Gesendet:</b> heute<br><b>Betreff:</b> x</p><p>q</p>]`,
		`<p>From: the roof, all is seen.</p><p>q</p>`:                                                                                        `<p>From: the roof, all is seen.</p><p>q</p>`,
		`<div style="display:none">peek</div><div class=gmail_quote>A:<blockquote>q</blockquote></div>`:                                      `<div style="display:none">peek</div><div>A:<blockquote>q</blockquote></div>`,
		`<div class=gmail_quote>---------- Forwarded message<br>x</div>`:                                                                     `<div>---------- Forwarded message<br>x</div>`,
	} {
		got := inside(in, Options{Quoted: "Q"})
		got = strings.ReplaceAll(got, `<details class="quoted"><summary aria-label="Q">···</summary>`, "[")
		if got = strings.ReplaceAll(got, "</details>", "]"); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestQuoteHoldsWhatAReaderSaw(t *testing.T) {
	for in, want := range map[string]string{
		`<style>.k{display:none}.r{color:red;position:fixed}</style><p class=k>kobold</p><p class=r id=x>red</p>`:                                                                 `<div><p>red</p></div>`,
		`<style>@media (min-width:1px){.k{display:none}}@media (max-width:480px){.d{display:none}}@media print{.d{display:none}}</style><p class=k>kobold</p><p class=d>seen</p>`: `<div><p>seen</p></div>`,
		`<p style="font-size:0">nought</p><p style="color:#fff">white</p><p style="opacity:0">x</p><b>seen</b>`:                                                                   `<div><p style="font-size:0"></p><p></p><b>seen</b></div>`,
		`<body bgcolor=#000 text=#fff><img src=https://a.test/x.png alt=Hero><img src="cid:a@b">`:                                                                                 `<div>[Hero]<img alt="" src="cid:a@b"></div>`,
		`<a href="https://a.test/x" class=b>go</a> <a href="mailto:a@b.test">m</a>`:                                                                                               `<div><a href="https://a.test/x">go</a> <a href="mailto:a@b.test">m</a></div>`,
		`<div style="width:9px;background:#eee;text-align:right;font-weight:bold">x</div>`:                                                                                        `<div><div style="font-weight:bold;text-align:right">x</div></div>`,
	} {
		if got := Quote(in); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestOutgoingKeepsWhatAPersonWrote(t *testing.T) {
	for _, s := range []string{
		`<div>Hello <b>bold</b> <i>italic</i> <s>strike</s> <u>under</u></div>`,
		`<ul><li>one</li><li>two</li></ul><ol start="3"><li>three</li></ol>`,
		`<blockquote type="cite"><p>quoted</p></blockquote>`,
		`<a href="https://a.test/x?y=1&amp;z=2">link</a>`,
		`<a href="mailto:a@b.test">mail</a>`,
		`<span style="color:#c0392b">red</span> <span style="font-size:20px">big</span>`,
		`<img alt="me" height="20" src="cid:abc@restante">`,
		`<img alt="" src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">`,
		`<img alt="logo" src="https://company.test/logo.png">`,
		`<pre>a
  b</pre><code>x</code><hr><h1>Title</h1><p dir="rtl">x</p>`,
		`<table border="1"><tbody><tr><td colspan="2">x</td></tr></tbody></table>`,
	} {
		if got := Outgoing(s); got != "<div>"+s+"</div>" {
			t.Errorf("%s\n became %s", s, got)
		}
	}
}

func TestLettersKeepTheirText(t *testing.T) {
	for _, s := range everyLetter(t) {
		out, _ := identity(s)
		words := func(s string) int { return len(strings.Fields(tokenText(s))) }
		if before, after := words(s), words(out); after < before*9/10 {
			t.Errorf("%.60q had %d words and has %d", s, before, after)
		}
	}
}

func TestLettersLookAsTheyDid(t *testing.T) {
	for _, file := range letterFiles(t) {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		doc := Document(context.Background(), []Part{{HTML: string(b)}}, ours("auto")).String()
		mustBeClean(t, file, doc)
		golden := filepath.Join("testdata", "golden", filepath.Base(file))
		if *update {
			if err := os.WriteFile(golden, []byte(doc), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if string(want) != doc {
			t.Errorf("%s is not as in %s; go test -update writes it anew", file, golden)
		}
	}
}

func TestNoLinksLeavesWordsAndPlacesWithinTheMail(t *testing.T) {
	out := Document(context.Background(), []Part{
		{HTML: `<a href="#below">down</a> <a href="https://bank.example/">in</a> <a href="mailto:a@b.example">write</a> <map name="m"><area href="https://x.example" alt="map"></map><img usemap="#m" src="cid:1"> <p id="below">here</p>`},
		{Text: "See https://bank.example/ or write to a@b.example"},
	}, Options{NoLinks: true}).String()
	if strings.Count(out, "href=") != 1 || !strings.Contains(out, `href="#m-below"`) {
		t.Errorf("links are left: %s", out)
	}
	for _, words := range []string{"in</span>", "write</span>", "https://bank.example/ or write to a@b.example"} {
		if !strings.Contains(out, words) {
			t.Errorf("%q is lost: %s", words, out)
		}
	}
}
