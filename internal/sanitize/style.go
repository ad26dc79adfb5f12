package sanitize

import (
	"slices"
	"sort"
	"strings"

	"golang.org/x/net/html"
)

// inlineDecls are the declarations of a style attribute: the same ones again for one that is spelled the same, as most
// are; nobody may change them.
func (w *walker) inlineDecls(n *html.Node) []decl {
	v := attr(n, "style")
	if v == "" || len(v) > maxStyle {
		return nil
	}
	out, ok := w.inlines[v]
	if !ok {
		out = parseDecls(lexCSS(clean(v)), 500)
		if len(w.inlines) < 1000 {
			w.inlines[v] = out
		}
	}
	return out
}

// legacyColor reads a colour of an old attribute: a name, or digits with or without "#".
func legacyColor(s string) (rgba, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	if c, ok := colorNames[s]; ok {
		return hexColor(c)
	}
	s = strings.TrimPrefix(s, "#")
	if len(s) != 3 && len(s) != 6 {
		return rgba{}, false
	}
	return hexColor(s)
}

// hints are what old attributes and the element itself say of its looks, weaker than any rule.
func hints(n *html.Node) (out []decl) {
	add := func(prop, key string) {
		if c, ok := legacyColor(attr(n, key)); ok {
			out = append(out, decl{prop: prop, value: []piece{{color: &c}}})
		}
	}
	switch n.Data {
	case "body":
		add("color", "text")
		add("background-color", "bgcolor")
	case "table", "tbody", "thead", "tfoot", "tr", "td", "th":
		add("background-color", "bgcolor")
	case "font":
		add("color", "color")
		if f := attr(n, "face"); f != "" {
			out = append(out, decl{prop: "font-family", value: []piece{{text: family(lexCSS(f))}}})
		}
	case "hr":
		add("border-color", "color")
		if len(out) > 0 {
			out = append(out, decl{prop: "border-style", value: []piece{{text: "solid"}}})
		}
	case "mark":
		yellow, ink := hex("ffff00"), black
		out = append(out, decl{prop: "background-color", value: []piece{{color: &yellow}}}, decl{prop: "color", value: []piece{{color: &ink}}})
	}
	switch n.Data {
	case "body", "table", "td", "th", "tr":
		if u := stripURL(attr(n, "background")); u != "" && len(u) < maxValue {
			out = append(out, decl{prop: "background-image", value: []piece{{url: u}}})
		}
	}
	return out
}

// looks are the declarations that win for a node, one a property. They are few: to walk them is faster than a map.
type looks []decl

// of is what a property has.
func (l looks) of(prop string) (decl, bool) {
	if i := slices.IndexFunc(l, func(d decl) bool { return d.prop == prop }); i >= 0 {
		return l[i], true
	}
	return decl{}, false
}

func (l *looks) apply(decls []decl) {
	for _, d := range decls {
		i := slices.IndexFunc(*l, func(have decl) bool { return have.prop == d.prop })
		if i < 0 {
			*l = append(*l, d)
		} else if d.important || !(*l)[i].important {
			(*l)[i] = d
		}
	}
}

// cascade says which declarations win for n, for which there are these rules, by day and by night.
func (w *walker) cascade(rules []rule, hints, inline []decl) (day, night looks) {
	if len(hints)+len(inline)+len(rules) == 0 {
		return nil, nil
	}
	one := func(skip scheme) looks {
		l := make(looks, 0, len(hints)+len(inline)+len(rules))
		l.apply(hints)
		for _, r := range rules {
			if r.scheme != skip {
				l.apply(r.decls)
			}
		}
		l.apply(inline)
		return l
	}
	day = one(nightOnly)
	if !w.themed || !w.sheet.schemed {
		return day, day
	}
	return day, one(dayOnly)
}

// styling are the attributes that have a say in how an element looks.
var styling = [...]string{"style", "bgcolor", "background", "color", "face", "text"}

// styleKey is all that the style of an element hangs on.
type styleKey struct {
	made, name string
	attrs      [len(styling)]string
	rules      *rule // the first of them: the same for the same ones
	scope      scope
}

// styled is what style found.
type styled struct {
	css   string
	scope scope
}

// style writes the style attribute of e, made of n, and gives the scope of what it holds. Most elements of a letter look
// like another one of it.
func (w *walker) style(e, n *html.Node, sc scope) scope {
	rules := w.sheet.matching(n)
	key := styleKey{made: e.Data, name: n.Data, scope: sc}
	if len(rules) > 0 {
		key.rules = &rules[0]
	}
	for i, name := range styling {
		key.attrs[i] = attr(n, name)
	}
	s, ok := w.styled[key]
	if !ok {
		w.peeked = false
		s.css, s.scope = w.styleOf(e.Data, n, rules, sc)
		if !w.peeked && len(w.styled) < 1000 {
			w.styled[key] = s
		}
	}
	if s.css != "" {
		put(e, "style", s.css)
	}
	return s.scope
}

// styleOf is the style of n when an element of this name is made of it, and the scope of what it holds.
func (w *walker) styleOf(name string, n *html.Node, rules []rule, sc scope) (string, scope) {
	inline, hint := w.inlineDecls(n), hints(n)
	day, night := w.cascade(rules, hint, inline)
	out := w.visible(day, sc)
	parts := w.colors(n, name, day, night, sc, &out)
	if w.flat && w.profile == view {
		parts = nil
	}
	switch {
	case w.flat:
	case w.profile == view:
		parts = append(w.written(slices.Concat(hint, inline), day, out), parts...)
	default:
		parts = append(w.frozen(day), parts...)
	}
	return strings.Join(parts, ";"), out
}

// visible follows what hides a node and all below it.
func (w *walker) visible(l looks, sc scope) scope {
	is := func(prop string, words ...string) bool {
		d, ok := l.of(prop)
		for _, v := range words {
			if ok && d.text() == v {
				return true
			}
		}
		return false
	}
	nought := is("height", "0", "1px") || is("max-height", "0", "1px") || is("width", "0") || is("max-width", "0")
	if is("display", "none") || is("opacity", "0", "0%") || nought && is("overflow", "hidden") {
		sc.hidden = true
	}
	if v, ok := l.of("visibility"); ok && v.text() != "visible" {
		sc.hidden = true
	}
	if v, ok := l.of("font-size"); ok {
		sc.fontZero = v.text() == "0" || sc.fontZero && (strings.HasSuffix(v.text(), "%") || strings.HasSuffix(v.text(), "em") && !strings.HasSuffix(v.text(), "rem") || v.text() == "inherit")
	}
	return sc
}

// written are a node's own declarations as text, but for colours of text and ground, which colors writes, and those
// that an important rule overrides. Of two for one property the last counts.
func (w *walker) written(decls []decl, win looks, sc scope) (out []string) {
	var props []string
	for _, d := range decls {
		if isInk(d.prop) || w.idle(d) {
			continue
		}
		if over, _ := win.of(d.prop); over.important && !d.important {
			continue
		}
		text := w.print(d, sc.keep || stays(sc.ground.day))
		if text == "" {
			continue
		}
		if i := slices.Index(props, d.prop); i >= 0 {
			props, out = slices.Delete(props, i, i+1), slices.Delete(out, i, i+1)
		}
		props, out = append(props, d.prop), append(out, text)
	}
	return out
}

// idle says whether a declaration takes away a picture that no rule gave.
func (w *walker) idle(d decl) bool {
	return d.prop == "background-image" && d.text() == "none" && !w.sheet.pictured
}

// frozenProps are what quotes and answers keep of a mail's looks; the rest is layout.
var frozenProps = set("font-family font-size font-style font-weight font-variant text-align text-decoration text-decoration-line text-transform direction white-space list-style-type vertical-align")

// outgoingProps are what an editor may have written besides.
var outgoingProps = set("margin margin-left margin-right margin-top margin-bottom padding padding-left padding-right padding-top padding-bottom border-left border width height max-width line-height border-collapse")

// frozen are the declarations that win, in the order of the alphabet: no style sheet goes along.
func (w *walker) frozen(l looks) (out []string) {
	for _, d := range l {
		if frozenProps[d.prop] || w.profile == outgoing && outgoingProps[d.prop] {
			if s := w.print(d, true); s != "" {
				out = append(out, s)
			}
		}
	}
	sort.Strings(out)
	return out
}

// print writes a declaration; "" when its picture may not be shown.
func (w *walker) print(d decl, keep bool) string {
	var b strings.Builder
	keep = keep || d.prop == "background-image" && !pale(d.colors())
	b.WriteString(d.prop + ":")
	for _, p := range d.value {
		switch {
		case p.color != nil:
			b.WriteString(w.painted(*p.color, w.themed && !keep, d.prop).String())
		case p.url != "":
			u := cssURL(w.background(p.url))
			if u == "" {
				return ""
			}
			b.WriteString(u)
		default:
			b.WriteString(p.text)
		}
	}
	return b.String()
}

// background gives the address of a background picture; each is counted once.
func (w *walker) background(src string) string {
	if w.profile != view {
		return ""
	}
	if u, ok := w.pictures[src]; ok {
		return u
	}
	u, remote := "", false
	if to, ok := webURL(src); ok && trackedAt(to) != "" && w.ownPart(stripURL(src)) == "" {
		w.keepOut(trackedAt(to))
	} else {
		u, remote = w.picture(src)
	}
	if u == "" && remote {
		w.blocked.Images++
	}
	if len(w.pictures) < maxImages {
		w.pictures[src] = u
	}
	return u
}

// writeSheet writes the mail's CSS under its root, and says which classes it asks for.
func (w *walker) writeSheet() (string, map[string]bool) {
	used := map[string]bool{}
	if w.profile != view || w.flat {
		return "", used
	}
	root := "#" + w.rootID()
	var b strings.Builder
	for _, bl := range w.sheet.blocks {
		media, ok := w.conditions(bl)
		if !ok {
			continue
		}
		decls := w.blockDecls(bl, len(media) > 0)
		if decls == "" {
			continue
		}
		var sels []string
		for _, s := range bl.selectors {
			sels = append(sels, s.write(root, w.own("")))
			s.note(used)
		}
		for _, m := range media {
			b.WriteString("@media " + m + "{")
		}
		b.WriteString(strings.Join(sels, ",") + "{" + decls + "}" + strings.Repeat("}", len(media)) + "\n")
	}
	css := b.String()
	if len(css) > 2*maxCSS || strings.ContainsAny(css, "<\\") || strings.Contains(css, "/*") || clean(css) != css {
		return "", map[string]bool{}
	}
	return css, used
}

// conditions are those under which a block is written: a query for the night follows the system, not the reader's
// choice, so it is written only when the two are one.
func (w *walker) conditions(b *block) ([]string, bool) {
	if b.scheme == anyScheme {
		return b.media, true
	}
	switch w.o.Theme {
	case "auto":
		query := "(prefers-color-scheme:dark)"
		if b.scheme == dayOnly {
			query = "(prefers-color-scheme:light)"
		}
		return append([]string{query}, b.media...), true
	case "dark":
		return b.media, b.scheme == nightOnly
	}
	return b.media, b.scheme == dayOnly
}

// blockDecls writes a block's declarations. The colours of rules that always hold are written on each element, where
// what is behind them is known; a rule under a condition keeps its importance, as it is there to override.
func (w *walker) blockDecls(b *block, conditional bool) string {
	var out []string
	hover := false
	for _, s := range b.selectors {
		for _, c := range s.steps {
			hover = hover || c.hover
		}
	}
	loose := hover || b.selectors[0].element != ""
	for _, d := range b.decls {
		if isInk(d.prop) && (!conditional && !loose || b.scheme != anyScheme) || hover && d.picture() != "" || d.prop == "content" && b.selectors[0].element == "" || w.idle(d) {
			continue
		}
		text := w.print(d, b.scheme != anyScheme)
		if text == "" {
			continue
		}
		if conditional && d.important {
			text += "!important"
		}
		out = append(out, text)
	}
	return strings.Join(out, ";")
}

// note says which classes a selector asks for; "*" when it asks for a part of their names.
func (s selector) note(used map[string]bool) {
	for _, c := range s.steps {
		c.note(used)
	}
}

func (c compound) note(used map[string]bool) {
	for _, cl := range c.classes {
		used[cl] = true
	}
	for _, a := range c.attrs {
		if a.key == "class" {
			used["*"] = true
		}
	}
	if c.not != nil {
		c.not.note(used)
	}
}

// element reads a style element of the mail.
func (s *sheet) element(n *html.Node) {
	if t := strings.ToLower(strings.TrimSpace(attr(n, "type"))); t != "" && t != "text/css" {
		return
	}
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	text := b.String()
	if m := attr(n, "media"); m != "" {
		cond, sch, ok := parseMedia(lexCSS(clean(m)))
		if !ok {
			return
		}
		s.addUnder(text, cond, sch)
		return
	}
	s.addUnder(text, "", anyScheme)
}

// addUnder reads a style element that holds under a condition.
func (s *sheet) addUnder(text, cond string, sch scheme) {
	if len(text) > maxCSS {
		text, s.cut = text[:maxCSS], true
	}
	var media []string
	if cond != "" {
		media = []string{cond}
	}
	s.list(lexCSS(clean(text)), media, sch)
}
