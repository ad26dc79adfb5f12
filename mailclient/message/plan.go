package message

import (
	"bytes"
	"strings"
)

const (
	maxWants   = 120 // parts asked for at once
	maxHead    = 64 << 10
	maxExcerpt = 8 << 10 // of an attached mail's text, for its card
	maxOpened  = 8 << 20 // of a container: TNEF, signed S/MIME
	maxSample  = 2 << 10 // of a part whose encoding is doubted
)

// Want is a part that Assemble needs: the bytes of a section, its MIME header, or both.
type Want struct {
	Section    string // "1.2", or "2.HEADER" for the header of an attached mail
	Max        int64  // no more bytes than this are needed; 0 leaves it to the caller
	HeaderOnly bool   // the section's own bytes are not needed
	MIME       bool   // its MIME header is
}

// Plan says which parts of a mail must be fetched so that it can be shown, and puts them together.
type Plan struct {
	header    Header
	structure *Structure
	root      *node
	wants     []Want
	odd       bool
}

// NewPlan reads the structure of a mail whose header is h. Nothing of s is changed but Encoding, by Assemble, where a
// part's own header says otherwise.
func NewPlan(h Header, s *Structure) *Plan {
	p := &Plan{header: h, structure: s}
	if s == nil {
		p.odd = true
		return p
	}
	p.root = treeOf(s, 0, newBudget())
	p.odd = oddHeader(h, s) || p.root.implausible(0)
	p.setRoot()
	p.plan()
	return p
}

// setRoot takes what the mail's own header says of its root, which stays a multipart or a leaf as the server has it.
func (p *Plan) setRoot() {
	if p.root.typ != "multipart" {
		p.root.setHeader(p.header, nil)
		return
	}
	p.root.header = p.header
	if _, params := parseParams(p.header.Get("Content-Type"), p.header.hint()); len(params) > 0 {
		p.root.params = params
	}
}

// oddHeader says whether a header and the structure told of contradict each other.
func oddHeader(h Header, s *Structure) bool {
	types := h.Values("Content-Type")
	if h.rest != nil || len(types) > 1 {
		return true
	}
	n := node{}
	n.setType(h.Get("Content-Type"))
	if n.typ == "multipart" && n.params["boundary"] == "" {
		return true
	}
	return (n.typ == "multipart") != (s.Type == "multipart") || (n.isMail() && s.Type != "message")
}

// implausible says whether a structure cannot be that of a mail: a multipart with no parts or none with bytes, no
// type at all, a message/global, which servers open or not.
func (n *node) implausible(depth int) bool {
	if depth >= maxDepth || n.typ == "" || n.is("message", "global") {
		return true
	}
	if n.nested != nil && n.nested.implausible(depth+1) {
		return true
	}
	if n.typ != "multipart" {
		return false
	}
	full := false
	for _, c := range n.children {
		if c.implausible(depth + 1) {
			return true
		}
		full = full || c.size > 0 || len(c.children) > 0
	}
	return !full
}

// Implausible says that the structure makes no sense, so that the mail must be read by bytes. After Assemble it may
// say so anew, of what was fetched.
func (p *Plan) Implausible() bool { return p.odd }

// Wanted lists what Assemble needs, no section twice.
func (p *Plan) Wanted() []Want { return p.wants }

func (p *Plan) plan() {
	v := newViewer(p.root, false, 0)
	v.message()
	at := map[string]int{}
	add := func(w Want) {
		if i, ok := at[w.Section]; ok {
			p.wants[i].MIME = p.wants[i].MIME || w.MIME
			p.wants[i].HeaderOnly = p.wants[i].HeaderOnly && w.HeaderOnly
			p.wants[i].Max = max(p.wants[i].Max, w.Max)
		} else if len(p.wants) < maxWants && w.Section != "" {
			at[w.Section] = len(p.wants)
			p.wants = append(p.wants, w)
		}
	}
	for _, w := range v.wants {
		add(w)
	}
	p.root.each(func(n *node) {
		if n.sampled() {
			add(Want{Section: n.section, Max: maxSample})
		}
		if n != p.root && (n.typ != "multipart" || n.subtype == "related") {
			add(Want{Section: n.section, HeaderOnly: true, MIME: true})
		}
	})
}

// Assemble puts the fetched parts (by section, upper case) and MIME headers (by section) together to a mail. What is
// missing is shown as cut. Ask Implausible again afterwards.
func (p *Plan) Assemble(parts, mime map[string][]byte) *Message {
	if p.root == nil {
		return &Message{Header: p.header, Date: p.header.Date()}
	}
	f := fetched{parts: parts, mime: mime, limit: map[string]int64{}}
	for _, w := range p.wants {
		f.limit[w.Section] = w.Max
	}
	p.root.fill(f)
	p.setRoot()
	p.root.each(func(n *node) { p.odd = p.odd || p.oddPart(n) })
	m := newViewer(p.root, false, 0).message()
	for _, b := range m.Blocks {
		if b.Cut && b.Text == "" {
			m.fault("limit", b.Section)
		}
	}
	return m
}

// oddPart says whether a fetched part shows that the server got the tree wrong.
func (p *Plan) oddPart(n *node) bool {
	if n.from != nil && (n.typ == "multipart") != (n.from.Type == "multipart") {
		return true
	}
	if n.typ != "text" || n.body == nil {
		return false
	}
	b := p.root.params["boundary"]
	return b != "" && bytes.HasPrefix(bytes.TrimLeft(n.body, "\r\n"), []byte("--"+b))
}

// fetched is what came from the server for a plan.
type fetched struct {
	parts, mime map[string][]byte
	limit       map[string]int64 // of what was asked for
}

// fill puts bodies and headers into a tree, those of attached mails too.
func (n *node) fill(f fetched) {
	n.each(func(n *node) {
		if h := f.mime[n.section]; len(h) > 0 {
			n.setPartHeader(h)
		}
		if n.from != nil && n.typ != "multipart" {
			n.from.Encoding = n.encoding
		}
		if body, ok := f.parts[n.section]; ok && n.typ != "multipart" {
			n.setBody(body, f.limit[n.section])
		}
		if n.nested != nil {
			n.nested.fill(f)
		}
		n.setNestedHeader(f.parts[n.section+".HEADER"])
	})
}

// setBody takes the fetched bytes of a part, of which there may be more than limit.
func (n *node) setBody(body []byte, limit int64) {
	n.body, n.cut = body, limit > 0 && int64(len(body)) >= limit && n.size > int64(len(body))
	if n.sampled() {
		if sampleBase64(body, n.cut) {
			n.encoding, n.from.Encoding = "base64", "base64"
		}
		n.body, n.cut = nil, false
	}
}

// sampled says whether only the beginning of a part is looked at, for the sake of its encoding: what is no text and
// yet labelled 7bit may be base64 all the same.
func (n *node) sampled() bool {
	return n.from != nil && n.encoding == "7bit" && n.typ != "text" && n.typ != "message" && n.typ != "multipart" && !n.isTNEF() && !n.isSMIME() && n.size >= 40 && n.size%2 == 0 && strings.Contains("application image audio video", n.typ)
}

// sampleBase64 is allBase64 for the beginning of a part.
func sampleBase64(b []byte, cut bool) bool {
	if !cut {
		return allBase64(b)
	}
	i := bytes.LastIndexByte(b, '\n')
	return i > 0 && allBase64(b[:i+1])
}
