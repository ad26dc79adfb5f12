package sanitize

import (
	"slices"
	"strings"
)

// piece is a part of a value: text of our own making, a colour, or the address of a picture.
type piece struct {
	text  string
	color *rgba
	url   string
}

// decl is one declaration, checked. A shorthand may give several.
type decl struct {
	prop      string
	value     []piece
	important bool
}

// parseDecls reads the declarations of a block or of a style attribute; what it does not know it leaves out.
func parseDecls(in []token, most int) (out []decl) {
	for _, item := range split(in, ";") {
		item = trim(item)
		if len(out) >= most {
			break
		}
		if hasBroken(item) {
			break
		}
		if len(item) < 3 || item[0].kind != word {
			continue
		}
		rest := trim(item[1:])
		if len(rest) == 0 || !rest[0].is(":") {
			continue
		}
		value, important := cutImportant(trim(rest[1:]))
		vals, ok := nest(value)
		if !ok || len(vals) == 0 {
			continue
		}
		for _, d := range declare(item[0].lower(), vals) {
			d.important = important
			out = append(out, d)
		}
	}
	return out
}

func hasBroken(in []token) bool {
	for _, t := range in {
		if t.kind == broken {
			return true
		}
	}
	return false
}

func cutImportant(in []token) ([]token, bool) {
	if n := len(in); n > 1 && in[n-1].kind == word && in[n-1].lower() == "important" {
		if rest := trim(in[:n-1]); len(rest) > 0 && rest[len(rest)-1].is("!") {
			return trim(rest[:len(rest)-1]), true
		}
	}
	return in, false
}

// declare checks one property and its value.
func declare(prop string, vals []token) []decl {
	switch prop {
	case "background":
		return background(vals)
	case "background-image":
		if v, ok := imageOf(vals); ok {
			return []decl{{prop: prop, value: v}}
		}
		return nil
	case "font":
		return font(vals)
	case "font-family":
		if fam := family(vals); fam != "" {
			return []decl{{prop: prop, value: []piece{{text: fam}}}}
		}
		return nil
	case "position":
		return nil
	case "grid-template-columns":
		if tracksIn(vals) > 24 {
			return nil
		}
	}
	g, ok := properties[prop]
	if !ok {
		return nil
	}
	if len(vals) == 1 && vals[0].kind == word {
		if w := vals[0].lower(); w == "inherit" || w == "initial" || w == "unset" {
			return []decl{{prop: prop, value: []piece{{text: w}}}}
		}
	}
	if prop == "font-size" && tiny(vals) {
		return []decl{{prop: prop, value: []piece{{text: "0"}}}}
	}
	value, ok := g.read(vals)
	if !ok {
		return nil
	}
	return []decl{{prop: prop, value: value}}
}

// tiny says whether text of this size is meant to be hidden: it stays so, and is not brought up to the least size.
func tiny(vals []token) bool {
	return len(vals) == 1 && (vals[0].kind == number && vals[0].n <= 2 || vals[0].kind == length && units[vals[0].unit] > 0 && vals[0].n*units[vals[0].unit] <= 2)
}

// text is the value when it has neither colours nor pictures, in lower case.
func (d decl) text() string {
	var b strings.Builder
	for _, p := range d.value {
		b.WriteString(p.text)
	}
	return b.String()
}

// color is the value when it is one colour.
func (d decl) color() (rgba, bool) {
	if len(d.value) == 1 && d.value[0].color != nil {
		return *d.value[0].color, true
	}
	return rgba{}, false
}

// colors are all colours in the value.
func (d decl) colors() (out []rgba) {
	for _, p := range d.value {
		if p.color != nil {
			out = append(out, *p.color)
		}
	}
	return out
}

// picture is the address of the picture in the value.
func (d decl) picture() string {
	for _, p := range d.value {
		if p.url != "" {
			return p.url
		}
	}
	return ""
}

// background takes the shorthand apart, so that colours and pictures can be followed one by one. Of several layers
// the last is read, which holds the colour.
func background(vals []token) []decl {
	layers := split(vals, ",")
	color, image := decl{prop: "background-color", value: []piece{{color: &rgba{}}}}, decl{prop: "background-image", value: []piece{{text: "none"}}}
	out := []decl{color, image}
	var place, size []token
	for _, t := range layers[len(layers)-1] {
		if c, ok := colorOf(t); ok {
			out[0].value = []piece{{color: &c}}
			continue
		}
		if v, ok := imageOf([]token{t}); ok {
			out[1].value = v
			continue
		}
		switch {
		case t.is("/"):
			size = []token{}
		case t.kind == word && repeatWords[t.lower()]:
			out = append(out, decl{prop: "background-repeat", value: []piece{{text: t.lower()}}})
		case t.kind == word && backgroundRest[t.lower()]:
		case size != nil:
			size = append(size, t)
		default:
			place = append(place, t)
		}
	}
	for prop, v := range map[string][]token{"background-position": trim(place), "background-size": trim(size)} {
		if len(v) == 0 {
			continue
		}
		d := declare(prop, v)
		if d == nil {
			return nil
		}
		out = append(out, d...)
	}
	return sortedTail(out)
}

// sortedTail puts what a map gave in any order into one.
func sortedTail(out []decl) []decl {
	if n := len(out); n > 3 && out[n-2].prop > out[n-1].prop {
		out[n-2], out[n-1] = out[n-1], out[n-2]
	}
	return out
}

// font takes the shorthand apart: style and weight, size, line height, families. What it does not name is as usual
// again, also where a line is higher around it.
func font(vals []token) []decl {
	usual := []piece{{text: "normal"}}
	out := []decl{{prop: "font-style", value: usual}, {prop: "font-weight", value: usual}, {prop: "line-height", value: usual}}
	say := func(i int, vals []token) bool {
		d := declare(out[i].prop, vals)
		if d != nil {
			out[i] = d[0]
		}
		return d != nil
	}
	vals = trim(vals)
	if len(vals) == 1 && vals[0].lower() == "inherit" {
		return slices.Concat(declare("font-style", vals), declare("font-weight", vals), declare("line-height", vals), declare("font-size", vals), declare("font-family", vals))
	}
	for len(vals) > 0 && (vals[0].kind == word || vals[0].kind == number) && !properties["font-size"].words[vals[0].lower()] {
		i := 0
		if vals[0].kind == number || weightWords[vals[0].lower()] {
			i = 1
		}
		if v := vals[0].lower(); v != "normal" && v != "small-caps" && !say(i, vals[:1]) {
			return nil
		}
		vals = trim(vals[1:])
	}
	if len(vals) == 0 {
		return nil
	}
	size := declare("font-size", vals[:1])
	vals = trim(vals[1:])
	if len(vals) > 1 && vals[0].is("/") {
		vals = trim(vals[1:])
		say(2, vals[:1])
		vals = trim(vals[1:])
	}
	fam := family(vals)
	if size == nil || fam == "" {
		return nil
	}
	return append(append(out, size...), decl{prop: "font-family", value: []piece{{text: fam}}})
}

// family writes up to five font names, the last one generic.
func family(vals []token) string {
	var names []string
	generic := "sans-serif"
	for _, item := range split(vals, ",") {
		name := fontName(trim(item))
		switch {
		case name == "":
			continue
		case genericFonts[strings.ToLower(name)]:
			generic = strings.ToLower(name)
		case len(names) < 4:
			names = append(names, `"`+name+`"`)
		}
	}
	if len(names) == 0 && generic == "inherit" {
		return generic
	}
	if generic == "inherit" {
		generic = "sans-serif"
	}
	return strings.Join(append(names, generic), ",")
}

func fontName(item []token) string {
	var words []string
	for _, t := range item {
		switch t.kind {
		case word, quoted:
			words = append(words, t.text)
		case space:
		default:
			return ""
		}
	}
	name := strings.Join(words, " ")
	if !harmless(name) || len(name) > 64 {
		return ""
	}
	return name
}

// harmless says whether s can stand in a CSS string without escapes: letters, digits, space and a few marks.
func harmless(s string) bool {
	for _, r := range s {
		if r < ' ' || r < 0x80 && !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(" -_.,:+/*|", r)) ||
			r >= 0x7f && r < 0xa1 || r == 0xfffd || r >= 0x2000 && r <= 0x200f || r >= 0x2028 && r <= 0x202f || r >= 0x2060 && r <= 0x206f || r == 0xfeff {
			return false
		}
	}
	return !strings.Contains(s, "/*") && !strings.Contains(s, "*/")
}
