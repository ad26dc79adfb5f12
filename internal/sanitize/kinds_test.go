package sanitize

import (
	"bytes"
	"context"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// sample is a mail in the manner of one program or one newsletter.
type sample struct{ name, html string }

// placeholder stands in testdata/kinds for a picture of one colour, [[600x200 cc3333]], a sentence, [[s]], or a
// paragraph, [[p]]. No mail asks any site for anything that can be seen.
var placeholder = regexp.MustCompile(`\[\[(?:(\d+)x(\d+) ([0-9a-f]{6})|([sp]))\]\]`)

const (
	sentence  = "The ferry leaves at nine and is back before the evening tide."
	paragraph = sentence + " Whoever wants to come along finds us at the northern pier, next to the old lighthouse; bring bread, a warm coat and somebody who can sing. " +
		"Children travel free of charge, dogs pay half, and the sea decides about the rest."
)

// kinds are the mails of testdata/kinds. Written for these tests, dedicated to the public domain (CC0-1.0).
func kinds(t testing.TB) (out []sample) {
	t.Helper()
	files, err := filepath.Glob("testdata/kinds/*.html")
	if err != nil || len(files) < 60 {
		t.Fatal("there are fewer than 60 kinds in testdata", err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		html := placeholder.ReplaceAllStringFunc(string(b), func(s string) string {
			m := placeholder.FindStringSubmatch(s)
			switch m[4] {
			case "s":
				return sentence
			case "p":
				return paragraph
			}
			return plainPicture(m[1], m[2], m[3])
		})
		out = append(out, sample{strings.TrimSuffix(filepath.Base(f), ".html"), html})
	}
	return out
}

// everyLetter is all the mails in testdata.
func everyLetter(t testing.TB) []string {
	out := letters(t)
	for _, k := range kinds(t) {
		out = append(out, k.html)
	}
	return out
}

// plainPicture is a picture of one colour as a data: URL.
func plainPicture(width, height, hue string) string {
	w, _ := strconv.Atoi(width)
	h, _ := strconv.Atoi(height)
	c := hex(hue)
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewPaletted(image.Rect(0, 0, w, h), color.Palette{color.RGBA{c.r, c.g, c.b, c.a}})); err != nil {
		panic(err)
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())
}

// TestKindsAreFoldedAtTheirQuotes: what was answered is folded, whatever program wrote it; answers, mails that are
// passed on and all that is no answer stay open.
func TestKindsAreFoldedAtTheirQuotes(t *testing.T) {
	for _, k := range kinds(t) {
		doc := Document(context.Background(), []Part{{HTML: k.html}}, Options{}).String()
		_, body, _ := strings.Cut(doc, "<body>")
		open, folded, found := strings.Cut(body, "<details class=\"quoted\">")
		answers := strings.Contains(k.name, "-reply") || k.name == "outlook-original-message"
		if found != answers {
			t.Errorf("%s: folded %v", k.name, found)
		}
		if found && (!strings.Contains(folded, sentence) || strings.Contains(open, sentence) || len(strings.Fields(tokenText(open))) < 2) {
			t.Errorf("%s: open is %q", k.name, tokenText(open))
		}
	}
}
