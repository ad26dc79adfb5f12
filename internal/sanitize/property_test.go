package sanitize

import (
	"context"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

// identity cleans with names and addresses left as they are, so that cleaning twice can be compared.
func identity(s string) (string, Blocked) {
	o := Options{Part: contentID, Remote: func(u string) string { return u }}
	w := newWalker(context.Background(), o, 0)
	w.same = true
	out := w.html(s)
	return out, w.blocked
}

func everyAttack() (out []string) {
	for _, list := range attacks {
		out = append(out, list...)
	}
	return out
}

func checkTwice(t *testing.T, s string) {
	t.Helper()
	once, blocked := identity(s)
	if blocked.Cut || blocked.Plain {
		return
	}
	if twice, _ := identity(once); twice != "<div>"+once+"</div>" {
		t.Errorf("%.300q\nonce:  %.1500s\ntwice: %.1500s", s, once, twice)
	}
}

func TestSanitisingTwiceIsSanitisingOnce(t *testing.T) {
	for _, a := range append(everyAttack(), everyLetter(t)...) {
		checkTwice(t, a)
	}
}

// TestCountIsNoFewerThanAParserFinds: by it, the cutting of what would multiply is left out.
func TestCountIsNoFewerThanAParserFinds(t *testing.T) {
	for _, s := range append(everyAttack(), everyLetter(t)...) {
		tags, starts := count(s)
		found, begun := 0, 0
		for z := html.NewTokenizer(strings.NewReader(s)); z.Next() != html.ErrorToken; {
			found++
			if tok := z.Token(); tok.Type == html.StartTagToken && formatting[tok.Data] {
				begun++
			}
		}
		if found > 2*tags+1 || begun > starts {
			t.Errorf("%.200q: %d tokens of at most %d, %d beginnings of at most %d", s, found, 2*tags+1, begun, starts)
		}
	}
}

func TestOutputReadsAsWritten(t *testing.T) {
	for _, a := range append(everyAttack(), everyLetter(t)...) {
		out, _ := identity(a)
		if out == "" {
			continue
		}
		for _, parent := range []string{"div", "body", "td", "template"} {
			for _, scripting := range []bool{true, false} {
				nodes, err := html.ParseFragmentWithOptions(strings.NewReader(out), element(parent), html.ParseOptionEnableScripting(scripting))
				if err != nil || len(nodes) != 1 {
					t.Errorf("%.200q in %s: %d nodes, %v", a, parent, len(nodes), err)
					continue
				}
				if again := render(&html.Node{Type: html.DocumentNode, FirstChild: nodes[0], LastChild: nodes[0]}, 0); again != out {
					t.Errorf("%.200q in %s reads as %.500q, not %.500q", a, parent, again, out)
				}
			}
		}
	}
}

func TestPartsStayApart(t *testing.T) {
	open := `<div><table><tr><td><b><a href="https://a.test"><style>p{color:red}`
	doc := Document(context.Background(), []Part{{HTML: open + "</style>one"}, {HTML: "<p>two</p>"}, {Text: "three"}, {Image: "/part/9"}}, Options{})
	tree, err := html.Parse(strings.NewReader(doc.String()))
	if err != nil {
		t.Fatal(err)
	}
	var shape []string
	for c := bodyOf(tree).FirstChild; c != nil; c = c.NextSibling {
		if c.Type == html.ElementNode {
			shape = append(shape, c.Data+attr(c, "id")+attr(c, "class"))
		}
	}
	if got := strings.Join(shape, " "); got != "divpart-0 hrbetween divpart-1 hrbetween divtext hrbetween imgpicture" {
		t.Error(got)
	}
	if !strings.Contains(doc.String(), `<div id="part-1"><p>two</p></div>`) {
		t.Error("the second part took something from the first")
	}
}

func TestHugeMailsEndInTime(t *testing.T) {
	for name, s := range map[string]string{
		"text":                many("lorem ipsum ", 90_000),
		"cells":               "<table>" + many("<tr><td>x<td>y", 80_000),
		"links":               many(`<a href="https://a.test/x">www.b.test</a> `, 25_000),
		"styles":              many(`<p style="color:red;margin:1px;background:#fff">x`, 22_000),
		"rules and nodes":     "<style>" + many(".a .b .c{color:red}", 10_000) + "</style>" + many("<p class='a b c'>x", 40_000),
		"universal rules":     "<style>" + many("*{color:red}", 2000) + "</style>" + many("<p>x", 90_000),
		"long rules":          "<style>p{" + many("color:red;", 20_000) + "}</style>" + many("<p>x", 90_000),
		"nested links":        many("<table><td><a href=https://a.test>", 150) + many("word ", 100_000),
		"nested quotes":       many("<div class=gmail_quote>", 190) + many("<p>x", 90_000),
		"places":              "<style>" + many("p:nth-child(2n+1){color:red}", 500) + "</style>" + many("<p>x", 100_000),
		"siblings":            "<style>" + many("a~p~p~p{color:red}", 1000) + "</style>" + many("<p>x", 100_000),
		"forgotten fonts":     "<div>" + manyFonts(400) + "</div>" + many("<div>x</div>", 80_000),
		"forgotten in tables": many("<table><b><i><u><td>", 50_000),
		"deep":                many("<div>", 200_000),
		"deep inline":         many("<b>", 300_000),
		"quotes":              many("<blockquote type=cite>x", 50_000),
		"attributes":          "<p " + many("a=b ", 250_000) + ">x",
		"entities":            many("&NotEqualTilde;&#x1F600;", 40_000),
		"comments":            many("<!-- x -->", 100_000),
		"parens":              `<p style="width:` + many("calc(", 10_000) + `">x`,
		"breaks":              many("<br>", 250_000),
		"one word links":      many("www.", 250_000),
		"heads":               many("<p>From: x", 90_000),
		"nested heads":        many("<div><b>From: x</b>", 190) + many("<p>From: y", 60_000),
		"heads and quotes":    many("<b>From:</b> x <blockquote>y</blockquote>", 20_000),
		"hidden quotes":       many("<div style=display:none><blockquote type=cite>x</blockquote></div>", 15_000),
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			for _, p := range []Part{{HTML: s}, {Text: s}} {
				doc := Document(context.Background(), []Part{p}, Options{Theme: "dark"})
				if len(doc.String()) > maxOutput+8<<10 {
					t.Errorf("%d bytes came out", len(doc.String()))
				}
			}
			if d := time.Since(start); d > 2*slack*maxTime {
				t.Errorf("took %v", d)
			}
		})
	}
}

// many repeats s; less often under the race detector, which costs tenfold.
func many(s string, n int) string { return strings.Repeat(s, max(n/slack, 150)) }

func manyFonts(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("<font size=" + num(float64(i)) + ">")
	}
	return b.String()
}

func FuzzDocument(f *testing.F) {
	for _, a := range everyAttack() {
		f.Add(a)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, theme := range []string{"light", "dark"} {
			mustBeClean(t, s, Document(context.Background(), []Part{{HTML: s}}, ours(theme)).String())
		}
		mustBeClean(t, s, Document(context.Background(), []Part{{Text: s}}, ours("auto")).String())
		checkTwice(t, s)
	})
}

func FuzzCSS(f *testing.F) {
	for _, a := range append(attacks["style elements"], attacks["styles in attributes"]...) {
		f.Add(a)
	}
	f.Add("@media (300px <= width <= 40em){p:nth-child(2n+1)>a{background:linear-gradient(to top,red,oklch(50% .1 20)) no-repeat 0 0/cover!important}}")
	f.Fuzz(func(t *testing.T, s string) {
		w := newWalker(context.Background(), ours("dark"), 0)
		w.sheet = &sheet{}
		w.sheet.addUnder(s, "", anyScheme)
		w.sheet.index(false)
		w.begin()
		checkSheet(w.css, func(format string, args ...any) { t.Errorf("%q: "+format, append([]any{s}, args...)...) })
		for _, d := range parseDecls(lexCSS(s), 1000) {
			out := w.print(d, true)
			if out == "" || d.prop == "color" && d.text() == "" && len(d.value) == 0 {
				continue
			}
			checkDeclarations(out, func(format string, args ...any) { t.Errorf("%q: "+format, append([]any{s}, args...)...) })
			again := parseDecls(lexCSS(out), 10)
			if d.picture() == "" && (len(again) != 1 || w.print(again[0], true) != out) {
				t.Errorf("%q gave %q, which is read as %v", s, out, again)
			}
		}
	})
}

func FuzzOutgoing(f *testing.F) {
	for _, a := range everyAttack() {
		f.Add(a)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out := Outgoing(s)
		inert(t, s, out)
		inert(t, s, Quote(s))
		CountRemote(s)
	})
}

func BenchmarkDocument(b *testing.B) {
	s := strings.Join(letters(b), "\n")
	s = strings.Repeat(s, 1+(1<<20)/len(s))[:1<<20]
	b.SetBytes(int64(len(s)))
	b.ReportAllocs()
	for b.Loop() {
		Document(context.Background(), []Part{{HTML: s}}, Options{Theme: "dark"})
	}
}
