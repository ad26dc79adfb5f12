package sanitize

import (
	"strconv"
	"strings"
)

// maxSteps is how many compounds a selector may have.
const maxSteps = 4

// parseSelector reads one selector, without commas. What is not on the list makes it fail.
func parseSelector(in []token) (s selector, ok bool) {
	p := selectorParser{in: trim(in)}
	for joint := byte(' '); ; {
		c, ok := p.compound()
		if !ok {
			return s, false
		}
		c.joint = joint
		s.steps = append(s.steps, c)
		if joint = p.joint(); joint == 0 {
			break
		}
	}
	s.element = p.element
	s.steps = dropHTML(s.steps)
	for i, c := range s.steps {
		if i > 0 && c.tag == "body" {
			return s, false
		}
		s.weight += c.weight()
	}
	return s, len(p.in) == 0 && len(s.steps) > 0 && len(s.steps) <= maxSteps
}

// dropHTML takes "html" and ":root" for the mail's body, which is all that is left of them.
func dropHTML(steps []compound) []compound {
	if len(steps) > 1 && steps[0].tag == "html" {
		steps = steps[1:]
		steps[0].joint = ' '
	}
	for i := range steps {
		if steps[i].tag == "html" {
			steps[i].tag = "body"
		}
	}
	return steps
}

type selectorParser struct {
	in      []token
	element string
}

func (p *selectorParser) next() token {
	if len(p.in) == 0 {
		return token{}
	}
	t := p.in[0]
	p.in = p.in[1:]
	return t
}

func (p *selectorParser) peek() token {
	if len(p.in) == 0 {
		return token{}
	}
	return p.in[0]
}

// joint reads a combinator; 0 at the end.
func (p *selectorParser) joint() byte {
	j := byte(0)
	for {
		switch t := p.peek(); {
		case t.kind == space:
			if p.next(); j == 0 {
				j = ' '
			}
		case t.is(">"), t.is("+"), t.is("~"):
			if j != 0 && j != ' ' {
				return j
			}
			j = p.next().text[0]
		case t.kind == 0:
			return 0
		default:
			return j
		}
	}
}

func (p *selectorParser) compound() (c compound, ok bool) {
	read := 0
	for ; ; read++ {
		t := p.peek()
		switch {
		case t.kind == word && read == 0:
			if c.tag = t.lower(); !allowed[c.tag] && c.tag != "body" && c.tag != "html" {
				return c, false
			}
		case t.is("*") && read == 0:
		case t.kind == hash && c.id == "" && nameable(t.text):
			c.id = t.text
		case t.is("."):
			p.next()
			if t = p.peek(); t.kind != word || !nameable(t.text) {
				return c, false
			}
			c.classes = append(c.classes, t.text)
		case t.is("["):
			p.next()
			if !p.attr(&c) {
				return c, false
			}
		case t.is(":"):
			p.next()
			if !p.pseudo(&c) {
				return c, false
			}
			continue
		default:
			return c, read > 0
		}
		p.next()
	}
}

// nameable says whether a class or id may be kept.
func nameable(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_') {
			return false
		}
	}
	return true
}

// attr reads what follows "[", up to but without "]". Only class, id and the start of href can be asked for.
func (p *selectorParser) attr(c *compound) bool {
	key := p.next()
	test := attrTest{key: key.lower()}
	if key.kind != word || test.key != "class" && test.key != "id" && test.key != "href" {
		return false
	}
	if op := p.peek(); op.kind == mark && op.text != "]" {
		p.next()
		v := p.next()
		test.op, test.value = op.text, v.text
		if v.kind != word && v.kind != quoted || !harmless(v.text) || len(v.text) > 64 || v.text == "" {
			return false
		}
	}
	switch test.key + test.op {
	case "class", "class~=", "class^=", "class*=", "class=", "id=", "id", "href^=":
	default:
		return false
	}
	if test.key == "href" && test.value != "tel" && test.value != "tel:" && test.value != "sms" && test.value != "mailto" {
		return false
	}
	if test.key != "href" && !nameable(test.value) && test.op != "" {
		return false
	}
	c.attrs = append(c.attrs, test)
	return p.peek().is("]")
}

// pseudo reads what follows ":", all of it.
func (p *selectorParser) pseudo(c *compound) bool {
	t := p.next()
	if t.is(":") {
		t = p.next()
		return p.pseudoElement(t)
	}
	if t.kind == function {
		return p.pseudoFunction(t, c)
	}
	if t.kind != word {
		return false
	}
	switch t.lower() {
	case "first-child":
		c.places = append(c.places, place{b: 1})
	case "last-child":
		c.places = append(c.places, place{b: 1, last: true})
	case "only-child":
		c.places = append(c.places, place{only: true})
	case "first-of-type":
		c.places = append(c.places, place{b: 1, typed: true})
	case "last-of-type":
		c.places = append(c.places, place{b: 1, last: true, typed: true})
	case "link":
		c.link = true
	case "hover":
		c.hover = true
	case "root":
		c.tag = "html"
	default:
		return p.pseudoElement(t)
	}
	return true
}

func (p *selectorParser) pseudoElement(t token) bool {
	if name := t.lower(); t.kind == word && (name == "before" || name == "after") && p.element == "" {
		p.element = "::" + name
		return len(p.in) == 0
	}
	return false
}

func (p *selectorParser) pseudoFunction(t token, c *compound) bool {
	var args []token
	for {
		a := p.next()
		if a.kind == 0 || a.kind == function || a.is("(") {
			return false
		}
		if a.is(")") {
			break
		}
		args = append(args, a)
	}
	switch name := t.lower(); name {
	case "nth-child", "nth-of-type":
		pl, ok := nth(args)
		pl.typed = name == "nth-of-type"
		c.places = append(c.places, pl)
		return ok
	case "not":
		sub := selectorParser{in: trim(args)}
		n, ok := sub.compound()
		c.not = &n
		return ok && len(sub.in) == 0 && sub.element == "" && c.tag != "html" && n.tag != "body" && n.tag != "html" && !n.hover
	}
	return false
}

// nth reads odd, even, 3, 2n, 2n+1, -n+3.
func nth(args []token) (place, bool) {
	var b strings.Builder
	for _, t := range args {
		switch t.kind {
		case word, mark:
			b.WriteString(t.lower())
		case number:
			if b.Len() > 0 && t.n >= 0 && !strings.HasSuffix(b.String(), "+") && !strings.HasSuffix(b.String(), "-") {
				b.WriteByte('+')
			}
			b.WriteString(num(t.n))
		case length:
			b.WriteString(num(t.n) + t.unit)
		}
	}
	s := strings.ReplaceAll(b.String(), "+-", "-")
	switch s {
	case "odd":
		return place{a: 2, b: 1}, true
	case "even":
		return place{a: 2}, true
	}
	before, after, step := strings.Cut(s, "n")
	if !step {
		v, err := strconv.Atoi(s)
		return place{b: v}, err == nil && v > -1000 && v < 1000
	}
	pl := place{a: 1}
	if before == "-" {
		pl.a = -1
	} else if before != "" && before != "+" {
		v, err := strconv.Atoi(before)
		if err != nil {
			return pl, false
		}
		pl.a = v
	}
	if after != "" {
		v, err := strconv.Atoi(after)
		if err != nil {
			return pl, false
		}
		pl.b = v
	}
	return pl, pl.a > -1000 && pl.a < 1000 && pl.b > -1000 && pl.b < 1000
}
