package message

import (
	"unicode"

	gogs "github.com/gogs/chardet"
	"github.com/wlynxg/chardet"
)

func isMark(r rune) bool { return r >= 0x300 && unicode.Is(unicode.Mn, r) }

// detect guesses the charset of bytes: "" when there is no good guess.
func detect(b []byte, html bool) string {
	high := 0
	for _, c := range b {
		if c >= 0x80 {
			high++
		}
	}
	if high == 0 {
		return ""
	}
	if len(b) > 64<<10 {
		b = b[:64<<10]
	}
	if high >= 20 {
		if name := detectLong(b, html); name != "" {
			return name
		}
	}
	if r := chardet.Detect(b); r.Confidence > 0.4 {
		return r.Charset
	}
	return ""
}

// detectLong asks the detector that is right more often from some twenty letters on. Its matchers run side by
// side, so ties are broken by name.
func detectLong(b []byte, html bool) string {
	d := gogs.NewTextDetector()
	if html {
		d = gogs.NewHtmlDetector()
	}
	all, err := d.DetectAll(b)
	if err != nil {
		return ""
	}
	best := gogs.Result{}
	for _, r := range all {
		if r.Confidence > best.Confidence || r.Confidence == best.Confidence && r.Charset < best.Charset {
			best = r
		}
	}
	if best.Confidence < 10 {
		return ""
	}
	return best.Charset
}
