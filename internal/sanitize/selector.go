package sanitize

import (
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

// compound is one step of a selector: "td.price:first-child" and how it hangs on the step before.
type compound struct {
	joint   byte // ' ', '>', '+' or '~'; ' ' for the first
	tag     string
	id      string
	classes []string
	attrs   []attrTest
	places  []place
	link    bool
	hover   bool
	not     *compound
}

// attrTest is [key], or [key op value] for a short list of keys.
type attrTest struct{ key, op, value string }

// place is :nth-child(an+b) and its kin, counted from the end with last, among equals with typed.
type place struct {
	a, b        int
	last, typed bool
	only        bool
}

// selector is a chain of steps; element is "::before", "::after" or "".
type selector struct {
	steps   []compound
	element string
	weight  int // specificity: ids, classes, types in 10 bits each
}

func (c compound) weight() int {
	w := (len(c.classes) + len(c.attrs) + len(c.places)) << 10
	if c.id != "" {
		w += 1 << 20
	}
	if c.tag != "" {
		w++
	}
	if c.link || c.hover {
		w += 1 << 10
	}
	if c.not != nil {
		w += c.not.weight()
	}
	return w
}

// write writes a selector in our own words, under the mail's root and with our prefix before its names.
func (s selector) write(root, prefix string) string {
	var b strings.Builder
	for i, c := range s.steps {
		if i == 0 && c.tag != "body" {
			b.WriteString(root + " ")
		}
		if i > 0 {
			b.WriteByte(c.joint)
		}
		if c.tag == "body" {
			c.tag = ""
			b.WriteString(root)
			c.write(&b, prefix, true)
			continue
		}
		c.write(&b, prefix, false)
	}
	return b.String() + s.element
}

func (c compound) write(b *strings.Builder, prefix string, begun bool) {
	start := b.Len()
	b.WriteString(c.tag)
	if c.id != "" {
		b.WriteString("#" + prefix + c.id)
	}
	for _, cl := range c.classes {
		b.WriteString("." + prefix + cl)
	}
	for _, a := range c.attrs {
		a.write(b, prefix)
	}
	if c.link {
		b.WriteString(":link")
	}
	for _, p := range c.places {
		b.WriteString(p.String())
	}
	if c.not != nil {
		b.WriteString(":not(")
		c.not.write(b, prefix, false)
		b.WriteByte(')')
	}
	if c.hover {
		b.WriteString(":hover")
	}
	if b.Len() == start && !begun {
		b.WriteByte('*')
	}
}

func (a attrTest) write(b *strings.Builder, prefix string) {
	v := a.value
	if a.op != "" && a.op != "*=" && a.key != "href" {
		v = prefix + v
	}
	b.WriteString("[" + a.key + a.op)
	if a.op != "" {
		b.WriteString(`"` + v + `"`)
	}
	b.WriteByte(']')
}

// String writes the place as CSS.
func (p place) String() string {
	if p.only {
		return ":only-child"
	}
	name := ":nth"
	if p.last {
		name += "-last"
	}
	if p.typed {
		return name + "-of-type(" + p.formula() + ")"
	}
	return name + "-child(" + p.formula() + ")"
}

func (p place) formula() string {
	s := strconv.Itoa(p.b)
	if p.a == 0 {
		return s
	}
	if p.b >= 0 {
		s = "+" + s
	}
	return strconv.Itoa(p.a) + "n" + s
}

// among says whether n stands at the place; it gives the steps that counting took.
func (p place) among(n *html.Node) (bool, int) {
	index, steps := 1, 0
	count := func(next func(*html.Node) *html.Node) {
		for s := next(n); s != nil; s = next(s) {
			steps++
			if s.Type == html.ElementNode && (!p.typed || s.Data == n.Data) {
				index++
			}
		}
	}
	before := func(n *html.Node) *html.Node { return n.PrevSibling }
	after := func(n *html.Node) *html.Node { return n.NextSibling }
	if p.last || p.only {
		count(after)
	}
	if !p.last {
		count(before)
	}
	if p.only {
		return index == 1, steps
	}
	if p.a == 0 {
		return index == p.b, steps
	}
	return (index-p.b)%p.a == 0 && (index-p.b)/p.a >= 0, steps
}
