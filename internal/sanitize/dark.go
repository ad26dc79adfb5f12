package sanitize

import (
	"math"
	"slices"
	"strings"
)

// Colours of our own page around a letter, by day and by night; shell writes the same.
var (
	sheetLight, sheetDark = hex("fdfcfa"), hex("11151b")
	inkLight, inkDark     = hex("192029"), hex("e8e6e0")
	linkLight, linkDark   = hex("1b549b"), hex("8fc3f5")
	white, black          = hex("ffffff"), hex("000000")
)

const (
	// enough is the contrast that text must have (WCAG 2, AA).
	enough = 4.5
	// unseen is the contrast under which text is meant to be hidden.
	unseen = 1.12
)

// strong are the colours of buttons and brands: they stay as they are.
func strong(c rgba) bool {
	l, chroma, _ := c.oklch()
	return l >= 0.35 && l <= 0.75 && chroma > 0.1
}

// stays are the grounds that keep their colour by night, with their text: strong ones, and those that are dark already.
func stays(c rgba) bool {
	l, _, _ := c.oklch()
	return l < 0.42 || strong(c)
}

// pale says whether a gradient has none but colours that do not stay: then it is mapped like them.
func pale(colors []rgba) bool {
	return !slices.ContainsFunc(colors, func(c rgba) bool { return c.a > 0 && stays(c) })
}

// darken maps a colour for the night: lightness mirrored into 19.5 to 92.5 %, hue kept, chroma at most 0.12.
func darken(c rgba) rgba {
	if c.a == 0 || strong(c) {
		return c
	}
	l, chroma, hue := c.oklch()
	l = math.Max(0, math.Min(1, l))
	out := fromOKLCH(0.195+(1-l)*0.73, math.Min(chroma, 0.12), hue)
	out.a = c.a
	return out
}

// push moves the lightness of text away from its ground until it can be read.
func push(text, ground rgba) rgba {
	if contrast(text, ground) >= enough {
		return text
	}
	up := contrast(white, ground) >= contrast(black, ground)
	if t, ok := pushTo(text, ground, up); ok {
		return t
	}
	if up {
		return white
	}
	return black
}

func pushTo(text, ground rgba, up bool) (rgba, bool) {
	l, chroma, hue := text.oklch()
	step := -0.01
	if up {
		step = 0.01
	}
	for ; l >= 0 && l <= 1; l += step {
		if t := fromOKLCH(l, chroma, hue); contrast(t, ground) >= enough {
			return t, true
		}
	}
	return text, false
}

// settle darkens or lightens a kept ground by a little when that makes its own text readable, so that a white word on
// a blue button stays white.
func settle(ground, text rgba) rgba {
	if contrast(text, ground) >= enough || contrast(text, ground) < 2 {
		return ground
	}
	l, chroma, hue := ground.oklch()
	step := -0.01
	if text.luminance() < ground.luminance() {
		step = 0.01
	}
	for i := 0; i < 15; i++ {
		l += step
		if g := fromOKLCH(l, chroma, hue); contrast(text, g) >= enough {
			return g
		}
	}
	return ground
}

// shade is one colour by day and by night.
type shade struct{ day, night rgba }

// String writes the shade so that the document's color-scheme picks.
func (s shade) String() string {
	if s.day == s.night {
		return s.day.String()
	}
	return "light-dark(" + s.day.String() + "," + s.night.String() + ")"
}

// painted is a colour that stands in a rule, where the ground behind it is not known.
func (w *walker) painted(c rgba, themed bool, prop string) shade {
	s := shade{c, c}
	if !themed || c.a == 0 || strings.HasPrefix(prop, "background") && stays(c) {
		return s
	}
	s.night = w.darken(c)
	if prop == "color" && c.a == 255 {
		s.night = w.push(s.night, sheetDark)
	}
	return s
}
