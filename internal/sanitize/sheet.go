package sanitize

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// scheme is what a rule asks of the reader's colours.
type scheme byte

const (
	anyScheme scheme = iota
	nightOnly
	dayOnly
)

// block is a rule as the mail has it: selectors, conditions and declarations.
type block struct {
	selectors []selector
	decls     []decl
	media     []string // conditions, outermost first, in our own words
	scheme    scheme
}

// rule is one selector of a block that holds without conditions; the cascade is made of these.
type rule struct {
	selector
	*block
}

// sheet is the mail's CSS.
type sheet struct {
	blocks                  []*block
	rules                   []rule // by weight, then as they came
	byKey                   map[string][]uint16
	schemed                 bool // some rule is for the night or the day only, and has a colour
	selectors, decls, depth int
	cut                     bool
	pictured                bool                // some rule has a background picture
	steps                   int                 // spent in matching
	classes                 map[string][]string // of class attributes, as they are spelled
	ids                     []uint16            // that matching looks at
	found                   []byte              // what it finds
	sets                    map[string][]rule   // that matched a node, by their places in rules
}

// list reads rules one after the other.
func (s *sheet) list(in []token, media []string, sch scheme) {
	for len(in) > 0 {
		prelude, body, rest := nextRule(in)
		in = rest
		if len(s.blocks) >= maxRules || s.selectors > maxSelectors || s.decls > maxDecls {
			s.cut = true
			return
		}
		prelude = trim(prelude)
		switch {
		case len(prelude) == 0 || body == nil:
		case prelude[0].kind != keyword:
			s.block(prelude, body, media, sch)
		case prelude[0].lower() == "media" && s.depth < maxMedia:
			s.media(prelude[1:], body, media, sch)
		}
	}
}

// nextRule cuts one rule off: what stands before "{", what stands in the block, and the rest. An at-rule without a
// block has a nil body.
func nextRule(in []token) (prelude, body, rest []token) {
	in = trim(in)
	at := len(in) > 0 && in[0].kind == keyword
	for i, t := range in {
		if at && t.is(";") {
			return in[:i], nil, in[i+1:]
		}
		if t.is("{") {
			end := blockEnd(in[i+1:])
			body = in[i+1 : i+1+end]
			if body == nil {
				body = []token{}
			}
			return in[:i], body, in[min(i+2+end, len(in)):]
		}
	}
	return in, nil, nil
}

func blockEnd(in []token) int {
	depth := 0
	for i, t := range in {
		switch {
		case t.is("{"):
			depth++
		case t.is("}"):
			if depth == 0 {
				return i
			}
			depth--
		}
	}
	return len(in)
}

func (s *sheet) media(prelude, body []token, media []string, sch scheme) {
	text, asked, ok := parseMedia(prelude)
	if !ok || asked != anyScheme && sch != anyScheme && asked != sch {
		return
	}
	if asked != anyScheme {
		sch = asked
	}
	if text != "" {
		media = append(slices.Clip(media), text)
	}
	s.depth++
	s.list(body, media, sch)
	s.depth--
}

func (s *sheet) block(prelude, body []token, media []string, sch scheme) {
	b := &block{media: media, scheme: sch, decls: parseDecls(body, maxDecls-s.decls)}
	for i, part := range split(prelude, ",") {
		if sel, ok := parseSelector(part); ok && i < 20 {
			b.selectors = append(b.selectors, sel)
		}
	}
	s.decls += len(b.decls)
	s.selectors += len(b.selectors)
	if len(b.decls) > 0 && len(b.selectors) > 0 {
		s.blocks = append(s.blocks, b)
	}
}

// index makes the sheet ready for matching. In a usual window, rules under conditions that are true there count too:
// text that such a rule hides was not seen.
func (s *sheet) index(inUsual bool) {
	s.byKey, s.classes, s.sets = map[string][]uint16{}, map[string][]string{}, map[string][]rule{}
	for _, b := range s.blocks {
		s.pictured = s.pictured || slices.ContainsFunc(b.decls, func(d decl) bool { return d.picture() != "" || len(d.colors()) > 1 })
		if slices.ContainsFunc(b.media, func(m string) bool { return !inUsual || !isTrue(m) }) {
			continue
		}
		for _, sel := range b.selectors {
			if sel.element == "" && !slices.ContainsFunc(sel.steps, func(c compound) bool { return c.hover }) {
				s.rules = append(s.rules, rule{sel, b})
			}
		}
		s.schemed = s.schemed || b.scheme != anyScheme && slices.ContainsFunc(b.decls, func(d decl) bool { return isInk(d.prop) })
	}
	slices.SortStableFunc(s.rules, func(a, b rule) int { return a.weight - b.weight })
	for i, r := range s.rules {
		key := r.steps[len(r.steps)-1].key()
		s.byKey[key] = append(s.byKey[key], uint16(i)) // rules are maxSelectors, and those of one block more
	}
}

func isInk(prop string) bool { return prop == "color" || prop == "background-color" }

// key is the rarest thing a node must have to match.
func (c compound) key() string {
	switch {
	case c.id != "":
		return "#" + c.id
	case len(c.classes) > 0:
		return "." + c.classes[0]
	}
	return c.tag
}

// classesOf are the classes of a node of the mail, at most 32.
func (s *sheet) classesOf(n *html.Node) []string {
	if v := attr(n, "class"); v != "" {
		if c, ok := s.classes[v]; ok {
			return c
		}
		c := strings.Fields(v)
		s.classes[v] = c[:min(len(c), 32)]
		return s.classes[v]
	}
	return nil
}

// matching gives the rules for n, weakest first: the same slice for all nodes that the same ones are for.
func (s *sheet) matching(n *html.Node) []rule {
	if len(s.rules) == 0 || s.steps > maxMatches {
		return nil
	}
	ids := append(append(s.ids[:0], s.byKey[""]...), s.byKey[n.Data]...)
	if id := attr(n, "id"); id != "" {
		ids = append(ids, s.byKey["#"+id]...)
	}
	for _, c := range s.classesOf(n) {
		ids = append(ids, s.byKey["."+c]...)
	}
	s.ids = ids
	slices.Sort(ids)
	s.steps += len(ids)
	s.found = s.found[:0]
	for _, i := range slices.Compact(ids) {
		if s.steps++; s.steps > maxMatches {
			s.cut = true
			break
		}
		if s.match(s.rules[i].steps, n) {
			s.found = append(s.found, byte(i>>8), byte(i))
			s.steps += len(s.rules[i].decls)
		}
	}
	return s.set(s.found)
}

// set gives the rules at these places, two bytes each.
func (s *sheet) set(places []byte) []rule {
	out, ok := s.sets[string(places)]
	if !ok {
		for i := 0; i < len(places); i += 2 {
			out = append(out, s.rules[int(places[i])<<8|int(places[i+1])])
		}
		if len(s.sets) < 1000 {
			s.sets[string(places)] = out
		}
	}
	return out
}

// match says whether the chain ends at n.
func (s *sheet) match(steps []compound, n *html.Node) bool {
	last := len(steps) - 1
	if s.steps++; s.steps > maxMatches || !s.fits(steps[last], n) {
		return false
	}
	if last == 0 {
		return true
	}
	switch steps[last].joint {
	case '>':
		return n.Parent != nil && s.match(steps[:last], n.Parent)
	case '+':
		prev := before(n)
		return prev != nil && s.match(steps[:last], prev)
	case '~':
		for p := before(n); p != nil; p = before(p) {
			if s.match(steps[:last], p) {
				return true
			}
		}
		return false
	}
	for p := n.Parent; p != nil; p = p.Parent {
		if s.match(steps[:last], p) {
			return true
		}
	}
	return false
}

// before is the element before n.
func before(n *html.Node) *html.Node {
	for p := n.PrevSibling; p != nil; p = p.PrevSibling {
		if p.Type == html.ElementNode {
			return p
		}
	}
	return nil
}

func (s *sheet) fits(c compound, n *html.Node) bool {
	if n.Type != html.ElementNode || c.tag != "" && c.tag != n.Data || c.id != "" && attr(n, "id") != c.id || c.link && !hasAttr(n, "href") {
		return false
	}
	classes := s.classesOf(n)
	for _, want := range c.classes {
		if !slices.Contains(classes, want) {
			return false
		}
	}
	for _, a := range c.attrs {
		if !a.fits(n, classes) {
			return false
		}
	}
	for _, p := range c.places {
		ok, steps := p.among(n)
		if s.steps += steps; !ok {
			return false
		}
	}
	return c.not == nil || !s.fits(*c.not, n)
}

func (a attrTest) fits(n *html.Node, classes []string) bool {
	v := attr(n, a.key)
	switch a.op {
	case "":
		return hasAttr(n, a.key)
	case "=":
		return v == a.value
	case "~=":
		return slices.Contains(classes, a.value)
	case "^=":
		return strings.HasPrefix(v, a.value)
	case "*=":
		return strings.Contains(v, a.value)
	}
	return false
}
