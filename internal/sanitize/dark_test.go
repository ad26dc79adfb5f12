package sanitize

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// worn are the colours a reader by night has at some place of a document, read from what was written.
type worn struct{ text, ground rgba }

var inStyle = regexp.MustCompile(`(?:^|;)(color|background-color):(?:light-dark\(([^,]+),([^)]+)\)|([^;]+))`)

func colorText(t *testing.T, s string) rgba {
	t.Helper()
	toks := lexCSS(s)
	c, ok := colorOf(toks[0])
	if !ok {
		t.Fatalf("no colour: %q", s)
	}
	return c
}

// measure calls f for each text with what is worn there by night.
func measure(t *testing.T, n *html.Node, at worn, f func(string, worn)) {
	t.Helper()
	if n.Type == html.TextNode && strings.TrimSpace(n.Data) != "" {
		f(n.Data, at)
	}
	if n.Type == html.ElementNode {
		switch {
		case n.Data == "style" || n.Data == "summary":
			return
		case n.Data == "a":
			at.text = linkDark
		case attr(n, "class") == "text" || n.Data == "body":
			at.text = inkDark
		}
		for _, m := range inStyle.FindAllStringSubmatch(attr(n, "style"), -1) {
			night := colorText(t, m[3]+m[4])
			if m[1] == "color" {
				at.text = night
			} else if night.a > 0 {
				at.ground = night.over(at.ground)
			}
		}
		at.text = at.text.over(at.ground)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		measure(t, c, at, f)
	}
}

func TestDarkLettersCanBeRead(t *testing.T) {
	for _, file := range letterFiles(t) {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range []Options{{Theme: "dark"}, ours("dark"), ours("auto")} {
			doc := Document(context.Background(), []Part{{HTML: string(b)}}, o).String()
			tree, err := html.Parse(strings.NewReader(doc))
			if err != nil {
				t.Fatal(err)
			}
			texts := 0
			measure(t, tree, worn{inkDark, sheetDark}, func(s string, at worn) {
				if at.text == at.ground {
					return // hidden by day, and so by night: TestHiddenTextStaysHidden
				}
				if texts++; contrast(at.text, at.ground) < enough {
					t.Errorf("%s: %q is %v on %v: %.2f", filepath.Base(file), s, at.text, at.ground, contrast(at.text, at.ground))
				}
			})
			if texts == 0 {
				t.Errorf("%s: no text is left", file)
			}
		}
	}
}

func TestPushFindsAReadableColour(t *testing.T) {
	for r := 0; r < 256; r += 51 {
		for g := 0; g < 256; g += 51 {
			for b := 0; b < 256; b += 51 {
				ground := rgb(float64(r)/255, float64(g)/255, float64(b)/255)
				for _, text := range []rgba{black, white, ground, hex("808080"), hex("ff0000"), hex("0000ff")} {
					if c := contrast(push(text, ground), ground); c < enough {
						t.Fatalf("%v on %v: %.2f", text, ground, c)
					}
				}
			}
		}
	}
}

func TestDarkMapping(t *testing.T) {
	dark := func(s string) string { return darken(hex(s)).String() }
	if l, _, _ := darken(white).oklch(); l < 0.19 || l > 0.2 {
		t.Errorf("white has lightness %.3f by night", l)
	}
	if l, _, _ := darken(black).oklch(); l < 0.92 || l > 0.93 {
		t.Errorf("black has lightness %.3f by night", l)
	}
	if dark("1a82e2") != "#1a82e2" {
		t.Error("a brand's blue does not stay")
	}
	if _, c, _ := darken(hex("00ff00")).oklch(); c > 0.125 {
		t.Errorf("chroma %.3f", c)
	}
}

func TestColoursByDayAreTheLettersOwn(t *testing.T) {
	letter := `<div style="background:#fff;color:#123456">x <span style="color:rgb(1,2,3)">y</span></div>`
	for theme, want := range map[string][]string{
		"original": {"background-color:#ffffff;color:#123456", "color:#010203", "background:#fff"},
		"light":    {"background-color:#ffffff;color:#123456", "color:#010203"},
		"dark":     {"background-color:light-dark(#ffffff,", "color:light-dark(#123456,", "color:light-dark(#010203,", "color-scheme:dark"},
		"auto":     {"color:light-dark(#123456,", "color-scheme:light dark"},
	} {
		doc := Document(context.Background(), []Part{{HTML: letter}}, Options{Theme: theme}).String()
		for _, s := range want {
			if !strings.Contains(doc, s) {
				t.Errorf("%s: no %q in %s", theme, s, doc)
			}
		}
	}
}

func TestHiddenTextStaysHidden(t *testing.T) {
	letter := `<body style="background:#fff"><p style="color:#fff">salt</p><p style="color:#ddd">pale</p>`
	doc := Document(context.Background(), []Part{{HTML: letter}}, Options{Theme: "dark"}).String()
	tree, err := html.Parse(strings.NewReader(doc))
	if err != nil {
		t.Fatal(err)
	}
	measure(t, tree, worn{inkDark, sheetDark}, func(s string, at worn) {
		if hidden := at.text == at.ground; hidden != (s == "salt") {
			t.Errorf("%q is %v on %v", s, at.text, at.ground)
		}
	})
}

func TestTheLettersOwnNightIsUsed(t *testing.T) {
	letter := `<style>.c{background:#fff;color:#222}.n{display:none}@media (prefers-color-scheme:dark){.c{background:#102030!important;color:#eeeeee!important}.n{display:block!important}}</style><div class=c>x<p class=n>y</p></div>`
	for theme, want := range map[string]string{
		"auto":  "@media (prefers-color-scheme:dark){#part-0 .m-n{display:block!important}}",
		"dark":  "#part-0 .m-n{display:block}",
		"light": "background-color:#ffffff;color:#222222",
	} {
		doc := Document(context.Background(), []Part{{HTML: letter}}, Options{Theme: theme}).String()
		if !strings.Contains(doc, want) {
			t.Errorf("%s: no %q in %s", theme, want, doc)
		}
		if theme != "light" && !strings.Contains(doc, "background-color:light-dark(#ffffff,#102030);color:light-dark(#222222,#eeeeee)") {
			t.Errorf("%s: the night's colours are not in %s", theme, doc)
		}
		if theme == "light" && strings.Contains(doc, "m-n{display:block") {
			t.Errorf("a rule of the night holds by day: %s", doc)
		}
	}
}

func TestColourFunctions(t *testing.T) {
	for in, want := range map[string]string{
		"#abc": "#aabbcc", "#abcd": "#aabbccdd", "RED": "#ff0000", "rgb(1 2 3 / 50%)": "#01020380", "rgba(255,0,0,1)": "#ff0000", "rgb(100%,0%,0%)": "#ff0000",
		"hsl(120,100%,25%)": "#008000", "hsl(0.5turn 100% 50%)": "#00ffff", "hwb(0 100% 0%)": "#ffffff", "lab(100 0 0)": "#ffffff", "lch(0 0 0)": "#000000",
		"oklch(1 0 0)": "#ffffff", "oklab(0 0 0)": "#000000", "oklch(62.8% 0.2577 29.23)": "#ff0000", "lab(54.29 80.8 69.89)": "#ff0000", "windowtext": "#000000", "transparent": "transparent",
	} {
		toks, _ := nest(lexCSS(in))
		if c, ok := colorOf(toks[0]); !ok || c.String() != want {
			t.Errorf("%s: %v, not %s", in, c, want)
		}
	}
	for _, in := range []string{"rgb(1,2)", "rgb(var(--x),0,0)", "color(display-p3 1 0 0)", "#12345", "nocolour", "rgb(1,2,3,4,5)", "rgb(calc(1),2,3)"} {
		toks, _ := nest(lexCSS(in))
		if c, ok := colorOf(toks[0]); ok {
			t.Errorf("%s: %v", in, c)
		}
	}
}
