package sanitize

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// The checker has lists of its own, so that a slip in the lists of the sanitiser is seen.
var (
	mayElements = words3(`a abbr acronym address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del
		details dfn dir div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hgroup hr i img ins kbd li main mark nav ol p
		pre q rp rt ruby s samp section small span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var wbr`)
	mayAttributes = words3(`href target rel referrerpolicy src loading decoding alt title width height align valign size border cellpadding
		cellspacing rules frame nowrap clear colspan rowspan span start value type reversed dir lang datetime open id class role
		aria-label aria-hidden style`)
	mayFunctions = words3(`light-dark calc min max clamp linear-gradient radial-gradient url repeat minmax fit-content not nth-child
		nth-last-child nth-of-type nth-last-of-type`)
	mayProperties = regexp.MustCompile(`^(background-(color|image|position|repeat|size)|border(-[a-z-]+)?|box-(sizing|shadow)|caption-side|clear|color|content|direction|display|empty-cells|float|font-(family|size|style|variant|weight)|(min-|max-)?(width|height)|hyphens|(letter|word)-spacing|line-height|list-style(-type|-position)?|margin(-[a-z-]+)?|opacity|outline(-[a-z]+)?|overflow(-[xy]|-wrap)?|padding(-[a-z-]+)?|object-fit|table-layout|text-(align|decoration|decoration-line|decoration-style|decoration-color|indent|overflow|transform|shadow)|unicode-bidi|vertical-align|visibility|white-space|word-(break|wrap)|(align|justify)-[a-z]+|flex(-[a-z]+)?|(row-|column-)?gap|order|grid-template-columns)$`)
	mayLink       = regexp.MustCompile(`^(https?://[^\s"'<>\\]+|/leave\?u=|/compose\?mailto=mailto%3A|tel:|sms:|#m\d*-[A-Za-z0-9_-]+$)`)
	mayPicture    = regexp.MustCompile(`^(/part/|/proxy\?u=|data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+$)`)
	stringsInIt   = regexp.MustCompile(`"[^"]*"`)
	functionsIn   = regexp.MustCompile(`([a-z-]*)\(`)
	urlsIn        = regexp.MustCompile(`url\("([^"]*)"\)`)
	shadowing     = regexp.MustCompile(`^(m\d*-|part-\d+$)`)
)

func words3(s string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}

// faults lists what is in a document that must not be. Our own shell's style and head are known and left out.
func faults(doc string) (out []string) {
	head, rest, ok := strings.Cut(doc, "</style>")
	if !ok || strings.Count(head, "<style>") != 1 {
		return []string{"the shell is broken"}
	}
	for _, scripting := range []bool{true, false} {
		tree, err := html.ParseWithOptions(strings.NewReader("<!DOCTYPE html><head>"+rest), html.ParseOptionEnableScripting(scripting))
		if err != nil {
			return []string{err.Error()}
		}
		check(tree, &out)
	}
	return out
}

func check(n *html.Node, out *[]string) {
	bad := func(format string, args ...any) { *out = append(*out, fmt.Sprintf(format, args...)) }
	switch n.Type {
	case html.CommentNode:
		bad("comment %q", n.Data)
	case html.ElementNode:
		switch {
		case n.Data == "html" || n.Data == "head" || n.Data == "body":
			if len(n.Attr) > 0 {
				bad("attributes on %s", n.Data)
			}
		case n.Data == "style":
			checkSheet(n.FirstChild.Data, bad)
			return
		default:
			if n.Namespace != "" || !mayElements[n.Data] {
				bad("element %s:%s", n.Namespace, n.Data)
			}
			checkAttributes(n, bad)
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		check(c, out)
	}
}

// mayRatio is what is added to the style of pictures and of their places, from their width and height.
var mayRatio = regexp.MustCompile(`((?:height:initial|width:min\(\d+px,100%\)));aspect-ratio:\d+/\d+$`)

func checkAttributes(n *html.Node, bad func(string, ...any)) {
	for _, a := range n.Attr {
		switch {
		case a.Namespace != "" || !mayAttributes[a.Key]:
			bad("attribute %s on %s", a.Key, n.Data)
		case a.Key == "href" && (n.Data != "a" || !mayLink.MatchString(a.Val)):
			bad("link %q", a.Val)
		case a.Key == "src" && (n.Data != "img" || !mayPicture.MatchString(a.Val)):
			bad("picture %q", a.Val)
		case a.Key == "id" && !shadowing.MatchString(a.Val):
			bad("id %q", a.Val)
		case a.Key == "class":
			for _, c := range strings.Fields(a.Val) {
				if !shadowing.MatchString(c) && !words3("text sig blocked picture between quoted")[c] {
					bad("class %q", c)
				}
			}
		case a.Key == "style":
			checkDeclarations(mayRatio.ReplaceAllString(a.Val, "$1"), bad)
		case a.Key == "role" && !words3("presentation none img heading")[a.Val]:
			bad("role %q", a.Val)
		}
	}
	if n.Data == "a" && !strings.HasPrefix(attr(n, "href"), "#") && (attr(n, "target") != "_blank" || !strings.Contains(attr(n, "rel"), "noopener")) {
		bad("link without target or rel")
	}
}

func checkSheet(css string, bad func(string, ...any)) {
	for _, block := range strings.Split(strings.ReplaceAll(css, "\n", ""), "}") {
		for strings.HasPrefix(block, "@media ") {
			_, block, _ = strings.Cut(block, "{")
		}
		if block == "" {
			continue
		}
		selectors, decls, _ := strings.Cut(block, "{")
		for _, s := range strings.Split(selectors, ",") {
			if !strings.HasPrefix(s, "#part-") {
				bad("selector %q", s)
			}
			if regexp.MustCompile(`:(visited|target|checked|focus|active|has|is|where|host)`).MatchString(s) {
				bad("selector %q", s)
			}
		}
		checkDeclarations(decls, bad)
	}
	if strings.Count(css, "{") != strings.Count(css, "}") {
		bad("blocks are not balanced")
	}
}

func checkDeclarations(decls string, bad func(string, ...any)) {
	for _, u := range urlsIn.FindAllStringSubmatch(decls, -1) {
		if !mayPicture.MatchString(u[1]) {
			bad("css url %q", u[1])
		}
	}
	bare := stringsInIt.ReplaceAllString(decls, `""`)
	if strings.ContainsAny(decls, "<\\@{}") || strings.Contains(decls, "/*") || strings.ContainsAny(bare, "'") {
		bad("css text %q", decls)
	}
	for _, f := range functionsIn.FindAllStringSubmatch(bare, -1) {
		if !mayFunctions[f[1]] && f[1] != "" {
			bad("css function %q", f[1])
		}
	}
	for _, d := range strings.Split(bare, ";") {
		prop, val, ok := strings.Cut(d, ":")
		if !ok || !mayProperties.MatchString(prop) || val == "" {
			bad("css declaration %q", d)
		}
		if strings.Contains(val, "url(") && prop != "background-image" {
			bad("css url in %q", d)
		}
	}
}

// ours are the options of a reader who allowed remote pictures.
func ours(theme string) Options {
	return Options{
		Theme: theme,
		Part: func(ref string) string {
			if ref == "cid:logo@x" || ref == "logo.png" {
				return "/part/2"
			}
			return ""
		},
		Remote: func(u string) string { return "/proxy?u=" + url.QueryEscape(u) },
		Leave:  func(u string) string { return "/leave?u=" + u },
	}
}

func mustBeClean(t *testing.T, source string, doc string) {
	t.Helper()
	if f := faults(doc); len(f) > 0 {
		t.Errorf("%.300q\ngave %v\nin %.2000s", source, f, doc[strings.Index(doc, "<body>"):])
	}
}
