package sanitize

import (
	"math"
	"strings"
)

// grammar is what values a property takes: up to most of its words, lengths (clamped, in px), percentages, numbers,
// colours, and a picture.
type grammar struct {
	words                                  map[string]bool
	lengths, percents, numbers, colors     bool
	pictures, strings, commas, slash, zero bool
	min, max, least, most                  float64 // of lengths; least..most of numbers
	items                                  int
}

// read checks a value and gives it in our own words.
func (g grammar) read(vals []token) (out []piece, ok bool) {
	items, pictures := 0, 0
	for i, t := range vals {
		p, ok := piece{}, false
		switch {
		case t.kind == space:
			if i > 0 && i < len(vals)-1 && !vals[i-1].is(",") && !vals[i+1].is(",") {
				out = append(out, piece{text: " "})
			}
			continue
		case t.is(",") && g.commas, t.is("/") && g.slash:
			p, ok = piece{text: t.text}, true
		default:
			items++
			p, ok = g.one(t)
		}
		if p.url != "" {
			pictures++
		}
		if !ok || items > g.items || pictures > 1 {
			return nil, false
		}
		out = append(out, p)
	}
	return out, items > 0
}

func (g grammar) one(t token) (piece, bool) {
	if c, ok := colorOf(t); ok && g.colors {
		return piece{color: &c}, true
	}
	switch t.kind {
	case word:
		w := t.lower()
		return piece{text: w}, g.words[w]
	case number:
		if t.n == 0 && g.lengths && !g.numbers {
			return piece{text: "0"}, true
		}
		if g.zero && g.lengths && !g.numbers { // quirks: a bare number is pixels
			return g.length(token{kind: length, n: t.n, unit: "px"})
		}
		return piece{text: num(clamp(t.n, g.least, g.most))}, g.numbers
	case percent:
		return piece{text: num(clamp(t.n, g.lowest(), 1000)) + "%"}, g.percents
	case length:
		return g.length(t)
	case quoted:
		return piece{text: `"` + t.text + `"`}, g.strings && harmless(t.text) && len(t.text) <= 20
	case link:
		return piece{url: t.text}, g.pictures && t.text != ""
	case function:
		return g.function(t)
	}
	return piece{}, false
}

func (g grammar) lowest() float64 {
	if g.min < 0 {
		return -100
	}
	return 0
}

func clamp(v, low, high float64) float64 { return math.Max(low, math.Min(high, v)) }

// units gives the size of a unit in px, as far as it can be known.
var units = map[string]float64{"px": 1, "pt": 4.0 / 3, "em": 16, "rem": 16, "ex": 8, "ch": 8, "cm": 37.8, "mm": 3.78, "in": 96, "pc": 16}

// length clamps; a width of the window becomes one of the box, as the frame grows with what it holds.
func (g grammar) length(t token) (piece, bool) {
	if t.unit == "vw" && g.percents {
		return piece{text: num(clamp(t.n, 0, 100)) + "%"}, true
	}
	if t.unit == "fr" && g.words["minmax"] {
		return piece{text: num(clamp(t.n, 0, 100)) + "fr"}, true
	}
	size, ok := units[t.unit]
	if !ok || !g.lengths {
		return piece{}, false
	}
	n := clamp(t.n, g.min/size, g.max/size)
	if n == 0 {
		return piece{text: "0"}, true
	}
	return piece{text: num(n) + t.unit}, true
}

func (g grammar) function(t token) (piece, bool) {
	switch name := t.lower(); name {
	case "calc", "min", "max", "clamp":
		if !g.lengths {
			return piece{}, false
		}
		s, ok := formula(t, 0)
		return piece{text: "clamp(" + num(g.min) + "px," + s + "," + num(g.max) + "px)"}, ok
	case "repeat", "minmax", "fit-content":
		s, ok := tracks(t)
		return piece{text: s}, ok && g.words["minmax"]
	}
	return piece{}, false
}

// formula writes calc() and its kin from numbers and known units.
func formula(t token, depth int) (string, bool) {
	name := t.lower()
	if depth > 4 || name != "" && name != "calc" && name != "min" && name != "max" && name != "clamp" {
		return "", false
	}
	var b strings.Builder
	b.WriteString(name + "(")
	for _, a := range trim(t.args) {
		switch {
		case a.kind == space:
			b.WriteByte(' ')
		case a.kind == number:
			b.WriteString(num(clamp(a.n, -10_000, 10_000)))
		case a.kind == percent:
			b.WriteString(num(clamp(a.n, -1000, 1000)) + "%")
		case a.kind == length && units[a.unit] > 0:
			b.WriteString(num(clamp(a.n, -10_000, 10_000)) + a.unit)
		case a.kind == mark && strings.Contains("+-*/", a.text), a.is(",") && name != "" && name != "calc":
			b.WriteString(a.text)
		case a.kind == function:
			s, ok := formula(a, depth+1)
			if !ok {
				return "", false
			}
			b.WriteString(s)
		default:
			return "", false
		}
	}
	return b.String() + ")", true
}

// tracks writes repeat(3,1fr), minmax(…) of a grid.
func tracks(t token) (string, bool) {
	name := t.lower()
	args := split(t.args, ",")
	if want := map[string]int{"repeat": 2, "minmax": 2, "fit-content": 1}[name]; len(args) != want {
		return "", false
	}
	var parts []string
	for i, item := range args {
		item = trim(item)
		if name == "repeat" && i == 0 {
			if len(item) != 1 || item[0].kind != number {
				return "", false
			}
			parts = append(parts, num(clamp(math.Trunc(item[0].n), 1, 24)))
			continue
		}
		if len(item) != 1 {
			return "", false
		}
		s, ok := track(item[0], name == "repeat")
		if !ok {
			return "", false
		}
		parts = append(parts, s)
	}
	return name + "(" + strings.Join(parts, ",") + ")", true
}

// tracksIn is how many tracks a grid gets.
func tracksIn(vals []token) (n int) {
	for _, t := range vals {
		switch {
		case t.kind == space:
		case t.kind == function && t.lower() == "repeat" && len(trim(t.args)) > 0 && trim(t.args)[0].kind == number:
			n += int(clamp(trim(t.args)[0].n, 1, 100))
		default:
			n++
		}
	}
	return n
}

// track writes the size of one track; within repeat() that may be a function again.
func track(a token, repeated bool) (string, bool) {
	switch {
	case a.kind == word:
		return a.lower(), trackWords[a.lower()]
	case a.kind == percent:
		return num(clamp(a.n, 0, 100)) + "%", true
	case a.kind == length && (a.unit == "fr" || units[a.unit] > 0):
		return num(clamp(a.n, 0, 2000)) + a.unit, true
	case a.kind == number && a.n == 0:
		return "0", true
	case a.kind == function && repeated && a.lower() == "minmax":
		return tracks(a)
	}
	return "", false
}

// colorOf reads a colour: a name, #…, or a function of plain numbers.
func colorOf(t token) (rgba, bool) {
	switch t.kind {
	case word:
		if t.lower() == "transparent" {
			return rgba{}, true
		}
		c, ok := colorNames[t.lower()]
		if !ok {
			return rgba{}, false
		}
		return hexColor(c)
	case hash:
		return hexColor(t.text)
	case function:
		return colorFunction(t)
	}
	return rgba{}, false
}

// colorFunction reads rgb(), hsl(), lab() and their kin, in either spelling (CSS Color 4).
func colorFunction(t token) (rgba, bool) {
	var v []token
	for _, a := range t.args {
		switch {
		case a.kind == space, a.is(","), a.is("/"):
		case a.kind == number, a.kind == percent, a.kind == length && angles[a.unit] != 0:
			v = append(v, a)
		case a.kind == word && a.lower() == "none":
			v = append(v, token{kind: number})
		default:
			return rgba{}, false
		}
	}
	if len(v) != 3 && len(v) != 4 {
		return rgba{}, false
	}
	c, ok := convert(t.lower(), v)
	if ok && len(v) == 4 {
		c.a = grid(part(v[3], 1))
	}
	return c, ok
}

var angles = map[string]float64{"deg": 1, "grad": 0.9, "rad": 180 / math.Pi, "turn": 360}

// part is a number, or a percentage of whole.
func part(t token, whole float64) float64 {
	if t.kind == percent {
		return t.n / 100 * whole
	}
	return t.n
}

// share is 0 to 1 from a percentage or from a number of hundredths.
func share(t token) float64 { return clamp(t.n/100, 0, 1) }

func degrees(t token) float64 {
	if t.kind == length {
		return math.Mod(t.n*angles[t.unit], 360)
	}
	return math.Mod(t.n, 360)
}

func convert(name string, v []token) (rgba, bool) {
	hue := degrees(v[2]) * math.Pi / 180
	switch name {
	case "rgb", "rgba":
		return rgb(part(v[0], 255)/255, part(v[1], 255)/255, part(v[2], 255)/255), true
	case "hsl", "hsla":
		return fromHSL(degrees(v[0]), share(v[1]), share(v[2])), true
	case "hwb":
		return fromHWB(degrees(v[0]), share(v[1]), share(v[2])), true
	case "lab":
		return fromLab(clamp(part(v[0], 100), 0, 100), clamp(part(v[1], 125), -200, 200), clamp(part(v[2], 125), -200, 200)), true
	case "lch":
		c := clamp(part(v[1], 150), 0, 250)
		return fromLab(clamp(part(v[0], 100), 0, 100), c*math.Cos(hue), c*math.Sin(hue)), true
	case "oklab":
		p, q := clamp(part(v[1], 0.4), -1, 1), clamp(part(v[2], 0.4), -1, 1)
		return fromOKLCH(clamp(part(v[0], 1), 0, 1), math.Hypot(p, q), math.Atan2(q, p)), true
	case "oklch":
		return fromOKLCH(clamp(part(v[0], 1), 0, 1), clamp(part(v[1], 0.4), 0, 1), hue), true
	}
	return rgba{}, false
}
