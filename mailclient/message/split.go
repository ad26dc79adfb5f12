package message

import (
	"bytes"
	"sort"
	"strconv"
	"strings"
)

// splitter cuts the bytes of a mail into its tree. It goes once over the lines, with the boundaries of all open
// multiparts at hand, so that an outer delimiter ends whatever inner part was never closed.
type splitter struct {
	raw    []byte
	pos    int      // where to read on
	end    int      // where the content before the last delimiter ended
	stack  []string // open boundaries, the outermost first
	tok    token    // the delimiter that was met last
	budget *budget  // of this mail and all attached ones
	depth  int
	faults []Fault
}

// token is a delimiter line.
type token struct {
	level int // index of its boundary in the stack, -1 at the end of the mail
	close bool
}

// readTree parses a whole mail. section is "" but in attached mails.
func readTree(raw []byte, section string, pay *budget, depth int) *node {
	if pay == nil {
		pay = newBudget()
	}
	s := splitter{raw: raw, budget: pay, depth: depth}
	n := s.entity(section, true, false)
	n.faults = append(n.faults, s.faults...)
	return n
}

func (s *splitter) fault(kind, where string) {
	if len(s.faults) < 50 {
		s.faults = append(s.faults, Fault{Kind: kind, Where: where})
	}
}

// sub gives the section number of a child (RFC 3501 6.4.5).
func sub(section string, i int) string {
	if section == "" {
		return strconv.Itoa(i)
	}
	return section + "." + strconv.Itoa(i)
}

// entity reads a header and what belongs to it. top says that it is a whole mail, at its own or attached.
func (s *splitter) entity(section string, top, digest bool) *node {
	start := s.pos
	var stop func([]byte) bool
	if len(s.stack) > 0 {
		stop = func(line []byte) bool { t, ok := s.delimiter(line); return ok && (t.level >= 0) }
	}
	fields, body := scanHeader(s.raw, start, scanOptions{top: top, stop: stop})
	n := &node{section: section, defaultDigest: digest, pay: s.budget}
	n.setHeader(newHeader(s.raw[start:body], fields), func(types []string) string { return s.chooseType(types, body) })
	s.pos = body
	s.budget.parts++
	s.content(n, top)
	return n
}

// content reads the body of n from s.pos on.
func (s *splitter) content(n *node, top bool) {
	leafSection := n.section
	if top {
		leafSection = sub(n.section, 1)
	}
	start := s.pos
	deep := s.depth >= maxDepth || s.budget.parts >= maxParts
	switch {
	case deep && (n.typ == "multipart" || n.typ == "message"):
		s.fault("limit", "depth")
		n.typ, n.subtype = "application", "octet-stream"
		s.leaf(n, start)
	case n.typ == "multipart" && (n.encoding == "base64" || n.encoding == "quoted-printable"):
		s.encodedMultipart(n, start)
	case n.typ == "multipart":
		s.depth++
		s.multipart(n, start)
		s.depth--
	case n.isMail():
		s.leaf(n, start)
		s.openMail(n, leafSection)
	default:
		s.leaf(n, start)
	}
	if n.typ != "multipart" {
		n.section = leafSection
	}
}

// isMail says whether a part is a whole mail in itself.
func (n *node) isMail() bool {
	return n.typ == "message" && (n.subtype == "rfc822" || n.subtype == "global" || n.subtype == "news")
}

// leaf takes all up to the next delimiter as the body.
func (s *splitter) leaf(n *node, start int) {
	s.next()
	if n.body = s.raw[start:max(start, s.end)]; n.body == nil {
		n.body = []byte{}
	}
	n.size = int64(len(n.body))
}

// encodedMultipart reads a multipart that was itself encoded, which is forbidden and common.
func (s *splitter) encodedMultipart(n *node, start int) {
	s.leaf(n, start)
	raw := decodeTransfer(n.body, n.encoding)
	if delim := []byte("--" + n.params["boundary"]); !bytes.Contains(raw, delim) || bytes.Contains(n.body, delim) && !escapedHead(n.body, delim) {
		raw = n.body // the label is untrue
	}
	n.body = nil
	in := splitter{raw: raw, budget: s.budget, depth: s.depth + 1}
	in.multipart(n, 0)
	s.faults = append(s.faults, in.faults...)
}

// escapedHead says whether the header of the first part is itself quoted-printable.
func escapedHead(body, delim []byte) bool {
	head := body[bytes.Index(body, delim)+len(delim):]
	head = head[:min(len(head), 2000)]
	if i := bytes.Index(bytes.ReplaceAll(head, []byte("\r"), nil), []byte("\n\n")); i >= 0 {
		head = head[:i]
	}
	return bytes.Contains(head, []byte("=3D"))
}

// openMail parses an attached mail.
func (s *splitter) openMail(n *node, section string) {
	raw := n.decodedBody()
	if depth := strings.Count(section, "."); depth > 4*maxNested {
		s.fault("limit", section)
		return
	}
	n.nested = readTree(raw, section, s.budget, s.depth+1)
	n.nestedHeader = n.nested.header
}

// multipart reads the parts of n; the delimiter that ended it is left in s.tok for those above.
func (s *splitter) multipart(n *node, start int) {
	boundary := n.params["boundary"]
	if !s.tryMultipart(n, start, boundary) {
		end := s.end
		if guess := guessBoundary(s.raw[start:max(start, end)]); guess != "" && guess != boundary {
			s.pos = start
			s.fault("boundary", n.section)
			if s.tryMultipart(n, start, guess) {
				return
			}
		}
		s.fault("boundary", n.section) // shown as the text that it is
		s.asText(n, s.raw[start:max(start, s.end)])
	}
}

// asText makes one text part of a multipart without parts.
func (s *splitter) asText(n *node, body []byte) {
	sub := &node{pay: s.budget, section: sub(n.section, 1), typ: "text", subtype: "plain", params: map[string]string{"charset": n.params["charset"]}, encoding: n.encoding, body: body, size: int64(len(body))}
	if looksHTML(body) {
		sub.subtype = "html"
	}
	n.children = []*node{sub}
}

// tryMultipart reads parts between lines of a boundary; false when there are none.
func (s *splitter) tryMultipart(n *node, start int, boundary string) bool {
	level := len(s.stack)
	if boundary == "" {
		s.next()
		return false
	}
	s.stack = append(s.stack, boundary)
	defer func() { s.stack = s.stack[:level] }()
	s.next() // the preamble
	closed := false
	for s.tok.level == level {
		if s.tok.close {
			closed = true
			s.next() // the epilogue
			continue
		}
		if s.budget.parts >= maxParts {
			s.fault("limit", "parts")
		}
		if closed && !s.looksPart() || s.budget.parts >= maxParts {
			s.next()
			continue
		}
		n.children = append(n.children, s.entity(sub(n.section, len(n.children)+1), false, n.subtype == "digest"))
	}
	if !closed && len(n.children) > 0 {
		s.fault("cut", n.section)
	}
	return len(n.children) > 0
}

// looksPart says whether a header follows, for parts after the closing boundary.
func (s *splitter) looksPart() bool {
	line, _ := nextLine(s.raw, min(s.pos, len(s.raw)))
	return isField(line)
}

// next reads up to the next delimiter of any open boundary.
func (s *splitter) next() {
	for i := s.pos; i < len(s.raw); {
		line, next := nextLine(s.raw, i)
		if len(line) > 2 && line[0] == '-' && line[1] == '-' && len(s.stack) > 0 {
			if t, ok := s.delimiter(line); ok {
				s.end = max(s.pos, len(trimEnd(s.raw[:i])))
				s.tok, s.pos = t, next
				return
			}
		}
		i = next
	}
	s.end, s.pos, s.tok = len(s.raw), len(s.raw), token{level: -1}
}

// delimiter says whether a line is a delimiter and of which boundary. White space may follow. Junk may follow as
// long as it cannot make another boundary that is open.
func (s *splitter) delimiter(line []byte) (token, bool) {
	if len(line) < 3 || line[0] != '-' || line[1] != '-' {
		return token{}, false
	}
	rest := line[2:]
	for level := len(s.stack) - 1; level >= 0; level-- {
		after, ok := bytes.CutPrefix(rest, []byte(s.stack[level]))
		if !ok {
			continue
		}
		if isBlank(after) {
			return token{level: level}, true
		}
		if bytes.HasPrefix(after, []byte("--")) && isBlank(bytes.TrimLeft(after, "-")) {
			return token{level: level, close: true}, true
		}
	}
	return s.junkDelimiter(rest)
}

// junkDelimiter takes a delimiter with other letters behind it.
func (s *splitter) junkDelimiter(rest []byte) (token, bool) {
	best := token{level: -1}
	for level := len(s.stack) - 1; level >= 0; level-- {
		b := s.stack[level]
		after, ok := bytes.CutPrefix(rest, []byte(b))
		if !ok || best.level >= 0 && len(b) <= len(s.stack[best.level]) {
			continue
		}
		if closing := bytes.HasPrefix(after, []byte("--")); closing || len(b) >= 12 && !boundaryByte(after[0]) {
			best = token{level: level, close: closing}
		}
	}
	return best, best.level >= 0
}

func boundaryByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("'()+_,-./:=?", c) >= 0
}

// chooseType picks one of several Content-Types: the multipart whose boundary occurs, else the first that is one.
func (s *splitter) chooseType(types []string, body int) string {
	for _, t := range types[:min(len(types), 20)] {
		if _, params := parseParams(t, hint{}); params["boundary"] != "" && bytes.Contains(s.raw[body:], []byte("--"+params["boundary"])) {
			return t
		}
	}
	for _, t := range types {
		if v, _ := parseParams(t, hint{}); strings.Contains(v, "/") && !strings.HasPrefix(v, "multipart/") {
			return t
		}
	}
	return types[0]
}

// guessBoundary finds a line that begins with "--" and recurs, ends in "--" too, or stands before a part's header.
func guessBoundary(b []byte) string {
	seen := map[string]int{}
	var order []string
	for i := 0; i < len(b) && len(order) < 1000; {
		line, next := nextLine(b, i)
		i = next
		line = bytes.TrimRight(line, " \t")
		if len(line) < 3 || len(line) > 202 || !bytes.HasPrefix(line, []byte("--")) || bytes.IndexByte(line, ' ') >= 0 || len(bytes.Trim(line, "-_=")) == 0 {
			continue
		}
		name := string(line[2:])
		if closing, ok := strings.CutSuffix(name, "--"); ok && closing != "" && (seen[closing] > 0 || len(order) == 0) {
			name = closing
			seen[name]++
		}
		if seen[name]++; seen[name] == 1 {
			order = append(order, name)
		}
		if after, _ := nextLine(b, min(next, len(b))); seen[name] == 1 && len(after) > 8 && strings.EqualFold(string(after[:8]), "content-") {
			seen[name]++
		}
	}
	sort.SliceStable(order, func(i, j int) bool { return seen[order[i]] > seen[order[j]] })
	if len(order) == 0 || seen[order[0]] < 2 {
		return ""
	}
	return order[0]
}

// looksHTML says whether a text is HTML whatever its label says.
func looksHTML(b []byte) bool {
	head := bytes.ToLower(bytes.TrimLeft(b[:min(len(b), 600)], " \t\r\n\xef\xbb\xbf"))
	return bytes.HasPrefix(head, []byte("<!doctype html")) || bytes.HasPrefix(head, []byte("<html"))
}
