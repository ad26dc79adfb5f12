package imapx

import (
	"strconv"
	"strings"
)

// parse reads a framed response. ok is false for what is none (O97 to O99).
func parse(segs []segment) (Response, bool) {
	first := strings.TrimLeft(segs[0].text, " ")
	if strings.HasPrefix(first, "+") {
		return Response{Tag: "+", Text: strings.TrimLeft(first[1:], " ")}, true
	}
	tag, rest, _ := strings.Cut(first, " ")
	if tag == "" || len(tag) > 64 {
		return Response{}, false
	}
	rest = strings.TrimLeft(rest, " ")
	word, tail, _ := strings.Cut(rest, " ")
	r := Response{Tag: tag}
	if n, err := strconv.ParseUint(word, 10, 32); err == nil && tag == "*" {
		r.Number = uint32(n)
		word, tail, _ = strings.Cut(strings.TrimLeft(tail, " "), " ")
	} else if err != nil && tag == "*" && word != "" && isDigits(word) {
		return Response{}, false
	}
	if i := strings.IndexByte(word, '('); i > 0 { // FETCH(UID ...
		word, tail = word[:i], word[i:]+" "+tail
	}
	r.Type = strings.ToUpper(word)
	if r.Type == "" {
		return r, false
	}
	r.Rest = tail
	if statusWords[r.Type] {
		r.Code, r.Args, r.Text = code(tail)
		return r, true
	}
	if tag != "*" {
		r.Type = "BAD" // O105: a tagged line that is no status
		r.Text = rest
		return r, isTag(tag)
	}
	p := parser{segs: segs}
	p.segs = append([]segment{{text: tail, lit: segs[0].lit, has: segs[0].has}}, segs[1:]...)
	r.Nodes = p.nodes()
	if (r.Type == "EXISTS" || r.Type == "EXPUNGE" || r.Type == "RECENT") && r.Number == 0 && len(r.Nodes) > 0 {
		r.Number = r.Nodes[0].Number32() // O32: swapped
	}
	return r, true
}

func isDigits(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}

func isTag(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' || strings.IndexByte(`(){%*"\+`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// code splits a response code from the text of a status response (O4, O12, O13).
func code(s string) (name, args, text string) {
	s = strings.TrimLeft(s, " ")
	if !strings.HasPrefix(s, "[") {
		return "", "", s
	}
	end, quoted := -1, false
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ']' && !quoted:
			end = i
		}
		if end >= 0 {
			break
		}
	}
	if end < 0 { // no end: the last ] whatever quotes say, else the whole line
		if end = strings.LastIndexByte(s, ']'); end < 0 {
			s += "]"
			end = len(s) - 1
		}
	}
	text = strings.TrimLeft(s[end+1:], " ")
	name, args, _ = strings.Cut(strings.TrimSpace(s[1:end]), " ")
	return strings.ToUpper(name), strings.TrimSpace(args), text
}

// parser turns segments into nodes; it never fails and always moves on.
type parser struct {
	segs  []segment
	pos   int // in segs[0].text
	count int
}

func (p *parser) nodes() []Node { return p.list(0, false) }

// list reads nodes up to the closing parenthesis, or to the end.
func (p *parser) list(depth int, inner bool) []Node {
	var out []Node
	for len(p.segs) > 0 && p.count < maxNodes {
		s := p.segs[0].text
		if p.pos >= len(s) {
			seg := p.segs[0]
			p.segs, p.pos = p.segs[1:], 0
			if seg.has {
				p.count++
				out = append(out, Node{Kind: String, Text: seg.lit})
			}
			continue
		}
		switch c := s[p.pos]; c {
		case ' ', '\t':
			p.pos++
		case ')':
			p.pos++
			if inner {
				return out
			}
		case '(':
			p.pos++
			p.count++
			if depth >= maxNesting {
				continue // too deep: what is inside stands here
			}
			out = append(out, Node{Kind: List, List: p.list(depth+1, true)})
		case '"':
			p.count++
			out = append(out, Node{Kind: String, Text: p.quoted()})
		default:
			p.count++
			out = append(out, p.atom())
		}
	}
	return out
}

// quoted reads a quoted string; a quote that nothing follows which may follow a string is part of it (O55).
func (p *parser) quoted() string {
	s := p.segs[0].text
	var b strings.Builder
	for p.pos++; p.pos < len(s); p.pos++ {
		switch c := s[p.pos]; {
		case c == '\\' && p.pos+1 < len(s):
			p.pos++
			b.WriteByte(s[p.pos])
		case c == '"' && (p.pos+1 == len(s) || strings.IndexByte(` )("`, s[p.pos+1]) >= 0):
			p.pos++
			return b.String()
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// atom reads an atom, with all that stands in brackets as in BODY[HEADER.FIELDS (TO)]<0>.
func (p *parser) atom() Node {
	s := p.segs[0].text
	start := p.pos
	for p.pos < len(s) {
		c := s[p.pos]
		if c == ' ' || c == '(' || c == ')' || c == '"' || c == '\t' {
			break
		}
		if c == '[' && p.pos > start {
			if end := strings.IndexByte(s[p.pos:], ']'); end >= 0 {
				p.pos += end
			}
		}
		p.pos++
	}
	a := s[start:p.pos]
	if strings.EqualFold(a, "NIL") {
		return Node{Kind: Nil}
	}
	return Node{Kind: Atom, Text: a}
}
