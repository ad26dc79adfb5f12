package sanitize

import "strings"

// mediaFeatures are what a mail may ask of the window: its width, and how it is held.
var mediaFeatures = map[string]string{
	"width": "width", "min-width": "min-width", "max-width": "max-width",
	"device-width": "width", "min-device-width": "min-width", "max-device-width": "max-width",
	"orientation": "orientation", "prefers-reduced-motion": "prefers-reduced-motion",
}

// parseMedia reads the conditions of an @media rule. text is "" when they hold on every screen.
func parseMedia(prelude []token) (text string, sch scheme, ok bool) {
	vals, ok := nest(trim(prelude))
	if !ok {
		return "", 0, false
	}
	var texts []string
	always := false
	for i, q := range split(vals, ",") {
		t, s, ok := mediaQuery(trim(q))
		if !ok || i > 0 && len(texts) > 0 && s != sch {
			continue
		}
		sch, always = s, always || t == ""
		texts = append(texts, t)
	}
	if len(texts) == 0 {
		return "", 0, false
	}
	if always {
		return "", sch, true
	}
	return strings.Join(texts, ","), sch, true
}

// mediaQuery reads one query.
func mediaQuery(q []token) (text string, sch scheme, ok bool) {
	var parts []string
	not := false
	for i, t := range q {
		switch w := t.lower(); {
		case t.kind == space:
		case t.kind == word && (w == "only" || w == "and"):
		case t.kind == word && w == "not" && i == 0:
			not = true
		case t.kind == word && (w == "all" || w == "screen") && !not:
		case t.kind == word && (w == "print" || w == "screen"):
			parts = append(parts, w)
		case t.kind == function && t.text == "":
			p, s, ok := mediaFeature(t.args)
			if !ok || s != anyScheme && not {
				return "", 0, false
			}
			if s != anyScheme {
				sch = s
				continue
			}
			parts = append(parts, p)
		default:
			return "", 0, false
		}
	}
	if not && (len(parts) == 0 || parts[0] != "print" && parts[0] != "screen") {
		return "", 0, false
	}
	text = strings.Join(parts, " and ")
	if not {
		text = "not " + text
	}
	return text, sch, len(q) > 0
}

// mediaFeature reads what stands in one pair of parentheses: (name: value) or a range.
func mediaFeature(in []token) (text string, sch scheme, ok bool) {
	in = trim(in)
	if len(in) < 3 || in[0].kind != word {
		return mediaRange(in)
	}
	name := in[0].lower()
	rest := trim(in[1:])
	if !rest[0].is(":") {
		return mediaRange(in)
	}
	if rest = trim(rest[1:]); len(rest) != 1 {
		return "", 0, false
	}
	v := rest[0]
	if name == "prefers-color-scheme" {
		switch v.lower() {
		case "dark":
			return "", nightOnly, true
		case "light":
			return "", dayOnly, true
		}
		return "", 0, false
	}
	feature, ok := mediaFeatures[name]
	if !ok {
		return "", 0, false
	}
	if feature == "orientation" || feature == "prefers-reduced-motion" {
		w := v.lower()
		return "(" + feature + ":" + w + ")", 0, w == "portrait" || w == "landscape" || w == "reduce" || w == "no-preference"
	}
	size, ok := mediaSize(v)
	return "(" + feature + ":" + size + ")", 0, ok
}

func mediaSize(v token) (string, bool) {
	if v.kind == number && v.n == 0 {
		return "0", true
	}
	if v.kind != length || units[v.unit] == 0 {
		return "", false
	}
	return num(clamp(v.n, 0, 10_000)) + v.unit, true
}

// mediaRange reads (width <= 600px) and (300px < width < 600px).
func mediaRange(in []token) (string, scheme, bool) {
	var b strings.Builder
	width := false
	for _, t := range in {
		size, isSize := mediaSize(t)
		switch {
		case t.kind == space:
		case t.kind == word && t.lower() == "width" && !width:
			width = true
			b.WriteString("width")
		case t.is("<"), t.is(">"), t.is("="):
			b.WriteString(map[string]string{"<": "less", ">": "more", "=": "even"}[t.text])
		case isSize:
			b.WriteString(size)
		default:
			return "", 0, false
		}
	}
	return rangeText(b.String(), width)
}

// rangeText turns the range into min-width and max-width, so that no "<" is ever written.
func rangeText(s string, width bool) (string, scheme, bool) {
	before, after, ok := strings.Cut(s, "width")
	if !ok || !width {
		return "", 0, false
	}
	var parts []string
	add := func(op, size string) bool {
		name := map[string]string{"less": "max-width", "lesseven": "max-width", "more": "min-width", "moreeven": "min-width", "even": "width"}[op]
		parts = append(parts, "("+name+":"+size+")")
		return name != "" && size != "" && !strings.ContainsAny(size, "lv")
	}
	if after != "" {
		i := strings.IndexAny(after, "0123456789")
		if i < 0 || !add(after[:i], after[i:]) {
			return "", 0, false
		}
	}
	if before != "" {
		i := strings.IndexAny(before, "lme")
		for i > 0 && !strings.Contains(" less lesseven more moreeven even ", " "+before[i:]+" ") && i < len(before)-1 {
			i++
		}
		flip := map[string]string{"less": "more", "lesseven": "moreeven", "more": "less", "moreeven": "lesseven", "even": "even"}
		if i <= 0 || !add(flip[before[i:]], before[:i]) {
			return "", 0, false
		}
	}
	return strings.Join(parts, " and "), 0, len(parts) > 0
}

// usual is the width of a reader's window, in px, for those who must know what a reader saw.
const usual = 720

// isTrue says whether a condition in our own words is true in a reader's usual window.
func isTrue(text string) bool {
	for _, q := range strings.Split(text, ",") {
		rest, not := strings.CutPrefix(q, "not ")
		all := true
		for _, p := range strings.Split(rest, " and ") {
			all = all && partHolds(p)
		}
		if all != not {
			return true
		}
	}
	return false
}

func partHolds(p string) bool {
	name, val, ok := strings.Cut(strings.Trim(p, "()"), ":")
	if !ok {
		return p != "print"
	}
	v := numeric(val)
	size := v.n
	if v.kind == length {
		size *= units[v.unit]
	}
	switch name {
	case "min-width":
		return size <= usual
	case "max-width":
		return size >= usual
	case "width":
		return size == usual
	}
	return val == "landscape" || val == "no-preference"
}
