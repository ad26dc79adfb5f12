package sanitize

import (
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/net/html"
)

// attributes writes the attributes of n that e may have, each with a value of our own making.
func (w *walker) attributes(e, n *html.Node) {
	for i, a := range n.Attr {
		if i >= maxAttrs || a.Namespace != "" || len(a.Val) > maxValue || hasAttr(e, a.Key) {
			continue
		}
		if a.Key == "id" || a.Key == "name" && n.Data == "a" {
			w.name(e, a.Val)
			continue
		}
		if a.Key == "class" {
			w.classes(e, a.Val)
			continue
		}
		if val, ok := attribute(e.Data, a.Key, a.Val); ok && !w.flat {
			put(e, a.Key, val)
		}
	}
}

// name writes an id with our prefix. A name attribute is never written: it would shadow properties of the document.
func (w *walker) name(e *html.Node, id string) {
	if w.profile == view && nameable(id) && !hasAttr(e, "id") {
		put(e, "id", w.own(id))
	}
}

// own is a name of the mail with our prefix.
func (w *walker) own(name string) string {
	if w.same {
		return name
	}
	return w.prefix + name
}

// classes writes those classes that the written CSS asks for.
func (w *walker) classes(e *html.Node, val string) {
	if w.profile != view {
		return
	}
	var kept []string
	for i, c := range strings.Fields(val) {
		if i < 32 && nameable(c) && (w.same || w.used[c] || w.used["*"]) {
			kept = append(kept, w.own(c))
		}
	}
	if len(kept) > 0 {
		put(e, "class", strings.Join(kept, " "))
	}
}

var (
	aligned   = set("div p h1 h2 h3 h4 h5 h6 hr table caption col colgroup thead tbody tfoot tr td th img")
	valigned  = set("col colgroup thead tbody tfoot tr td th")
	sized     = set("table td th col hr img")
	dated     = set("time del ins")
	spanning  = set("td th")
	listed    = set("ol ul li dir")
	tableOnly = set("border cellpadding cellspacing rules frame")
)

// attribute checks one attribute of an element and gives the value to write.
func attribute(name, key, val string) (string, bool) {
	word := strings.ToLower(strings.TrimSpace(val))
	switch key {
	case "align":
		return word, aligned[name] && alignWords[word]
	case "valign":
		return word, valigned[name] && valignWords[word]
	case "width", "height":
		return dimension(val, sized[name])
	case "dir":
		return word, dirWords[word]
	case "lang":
		return word, languageTag(word)
	case "title", "aria-label":
		s := shortText(val)
		return s, s != ""
	case "role":
		return word, roleWords[word]
	case "aria-hidden":
		return word, trueWords[word]
	case "clear":
		return word, name == "br" && clearWords[word]
	case "nowrap":
		return "nowrap", spanning[name]
	case "size":
		return fontSize(word, name)
	case "datetime":
		return word, dated[name] && len(word) <= 40 && harmless(word) && word != ""
	case "open":
		return "", name == "details"
	}
	if tableOnly[key] {
		return tableAttribute(name, key, word)
	}
	if spanning[name] || name == "col" || name == "colgroup" {
		return spanAttribute(name, key, val)
	}
	return listAttribute(name, key, val)
}

func tableAttribute(name, key, word string) (string, bool) {
	switch key {
	case "rules":
		return word, name == "table" && rulesWords[word]
	case "frame":
		return word, name == "table" && frameWords[word]
	}
	v, err := strconv.Atoi(strings.TrimSuffix(word, "px"))
	return strconv.Itoa(min(max(v, 0), 200)), name == "table" && err == nil
}

func spanAttribute(name, key, val string) (string, bool) {
	switch key {
	case "colspan", "rowspan":
		return strconv.Itoa(span(val)), spanning[name]
	case "span":
		return strconv.Itoa(span(val)), !spanning[name]
	}
	return "", false
}

func listAttribute(name, key, val string) (string, bool) {
	val = strings.TrimSpace(val)
	switch key {
	case "type":
		if name == "blockquote" {
			return "cite", strings.EqualFold(val, "cite")
		}
		return val, listed[name] && listWords[val]
	case "start", "value":
		v, err := strconv.Atoi(val)
		return strconv.Itoa(v), err == nil && (name == "ol" && key == "start" || name == "li" && key == "value") && v > -1_000_000 && v < 1_000_000
	case "reversed":
		return "", name == "ol"
	}
	return "", false
}

// dimension is a number of pixels up to 4000, or a percentage.
func dimension(val string, ok bool) (string, bool) {
	val = strings.TrimSpace(val)
	end := 0
	for end < len(val) && val[end] >= '0' && val[end] <= '9' {
		end++
	}
	v, err := strconv.Atoi(val[:min(end, 6)])
	if err != nil || !ok {
		return "", false
	}
	if strings.HasSuffix(val, "%") {
		return strconv.Itoa(min(v, 100)) + "%", true
	}
	return strconv.Itoa(min(v, 4000)), true
}

func fontSize(word, name string) (string, bool) {
	v, err := strconv.Atoi(word)
	if name == "hr" {
		return strconv.Itoa(v), err == nil && v >= 0 && v <= 50
	}
	signed := strings.HasPrefix(word, "+") || strings.HasPrefix(word, "-")
	if err != nil || name != "font" || v < -7 || v > 7 || v < 1 && !signed {
		return "", false
	}
	if v > 0 && signed {
		return "+" + strconv.Itoa(v), true
	}
	return strconv.Itoa(v), true
}

// languageTag has the shape of BCP 47.
func languageTag(s string) bool {
	if s == "" || len(s) > 35 {
		return false
	}
	for i, p := range strings.Split(s, "-") {
		if len(p) < 1 || len(p) > 8 || !nameable(p) || strings.Contains(p, "_") || i == 0 && strings.ContainsAny(p, "0123456789") {
			return false
		}
	}
	return true
}

// shortText is text for an attribute: one line, not too long, without marks that turn its direction.
func shortText(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return -1
		}
		return r
	}, clean(s))
	if r := []rune(s); len(r) > maxText {
		s = string(r[:maxText])
	}
	return calm(s)
}

// calm keeps at most four combining marks in a row, so that no letter grows over its neighbours' lines.
func calm(s string) string {
	row, ascii := 0, true
	for i := 0; i < len(s) && ascii; i++ {
		ascii = s[i] < 0x80
	}
	if ascii {
		return s
	}
	return strings.Map(func(r rune) rune {
		if !unicode.Is(unicode.Mn, r) && !unicode.Is(unicode.Me, r) {
			row = 0
			return r
		}
		if row++; row > maxMarks {
			return -1
		}
		return r
	}, s)
}
