package imapx

import (
	"bufio"
	"errors"
	"io"
	"strconv"
	"strings"
)

// Bounds of what a server may say (PROTOCOLS O).
const (
	maxLine    = 1 << 20  // outside literals
	maxList    = 10 << 20 // SEARCH, SORT and ESEARCH lines
	maxLiteral = 64 << 20
	maxNesting = 200
	maxNodes   = 500_000
	maxJunk    = 100
	maxAnswer  = 96 << 20  // of memory, that the data of one command takes
	maxUnasked = 1_000_000 // responses between two commands
)

var (
	errLine    = errors.New("line too long")
	errLiteral = errors.New("literal too long")
	errFlood   = errors.New("answer without end")
)

// Kind is what a Node is.
type Kind uint8

// The kinds of nodes.
const (
	Atom Kind = iota
	String
	Nil
	List
)

// Node is one piece of a response: an atom, a string (quoted or literal), NIL or a list.
type Node struct {
	Kind Kind
	Text string // of Atom and String, raw bytes
	List []Node
}

// Is says whether n is the atom or string word, in any case.
func (n Node) Is(word string) bool {
	return (n.Kind == Atom || n.Kind == String) && strings.EqualFold(n.Text, word)
}

// Number is the non-negative number that n stands for; anything else is 0 (PROTOCOLS O49).
func (n Node) Number() int64 {
	v, err := strconv.ParseInt(n.Text, 10, 64)
	if err != nil || v < 0 {
		return 0
	}
	return v
}

// Number32 is like Number, and 0 for what is beyond 32 bits (O16).
func (n Node) Number32() uint32 {
	v := n.Number()
	if v > 1<<32-1 {
		return 0
	}
	return uint32(v)
}

// Response is one response of a server.
type Response struct {
	Tag    string // "*", "+" or a tag
	Type   string // upper case: OK, FETCH, EXISTS ...
	Number uint32 // before the type, as in "* 12 EXISTS"
	Nodes  []Node // after the type
	Code   string // of a status response, upper case, without its arguments
	Args   string // the arguments of the code
	Text   string // of a status response or a continuation
	Rest   string // raw text after the type, for lines read by their own rules
}

// weight is some measure of the memory that a response takes.
func (r Response) weight() int { return 512 + len(r.Rest) + weight(r.Nodes) }

func weight(nodes []Node) (n int) {
	for _, e := range nodes {
		n += 64 + len(e.Text) + weight(e.List)
	}
	return n
}

// segment is text, followed by a literal if has.
type segment struct {
	text string
	lit  string
	has  bool
}

// reader frames what a server says: lines that may hold literals.
type reader struct {
	br    *bufio.Reader
	trace *trace
}

// line reads up to LF, bounded, without its line end and lone CRs.
func (r *reader) line() (string, error) {
	var b []byte
	for {
		part, err := r.br.ReadSlice('\n')
		b = append(b, part...)
		if err == nil {
			break
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			if errors.Is(err, io.EOF) && len(b) > 0 {
				err = io.ErrUnexpectedEOF
			}
			return "", err
		}
		if len(b) > maxLine && !listLine(b) || len(b) > maxList {
			return "", errLine
		}
	}
	s := strings.TrimRight(string(b), "\r\n")
	if strings.ContainsAny(s, "\r\x00") {
		s = strings.NewReplacer("\r", "", "\x00", "").Replace(s)
	}
	return s, nil
}

func listLine(b []byte) bool {
	head := strings.ToUpper(string(b[:min(len(b), 12)]))
	for _, p := range []string{"* SEARCH", "* SORT", "* ESEARCH", "* VANISHED"} {
		if strings.HasPrefix(head, p) {
			return true
		}
	}
	return false
}

// response reads one response with its literals.
func (r *reader) response() ([]segment, error) {
	var segs []segment
	total := 0
	for {
		s, err := r.line()
		if err != nil {
			return nil, err
		}
		size, cut, ok := literalAt(s)
		if !ok || len(segs) == 0 && statusLine(s) {
			r.trace.server(s)
			return append(segs, segment{text: s}), nil
		}
		total += int(min(size, maxLiteral+1))
		if size > maxLiteral || total > maxLiteral {
			return nil, errLiteral
		}
		lit, err := r.literal(size)
		if err != nil {
			return nil, err
		}
		r.trace.server(s)
		segs = append(segs, segment{text: s[:cut], lit: lit, has: true})
		if len(segs) > 20_000 {
			return nil, errLine
		}
	}
}

// literal reads size bytes into a string without a second copy: they may be many.
func (r *reader) literal(size int64) (string, error) {
	var b strings.Builder
	b.Grow(int(size))
	for left := int(size); left > 0; {
		if _, err := r.br.Peek(1); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return "", err
		}
		part, err := r.br.Peek(min(left, r.br.Buffered()))
		if err != nil {
			return "", err
		}
		b.Write(part)
		if _, err := r.br.Discard(len(part)); err != nil {
			return "", err
		}
		left -= len(part)
	}
	return b.String(), nil
}

// literalAt finds {n}, {n+} or ~{n} at the end of s, with stray spaces (O72, O73).
func literalAt(s string) (size int64, cut int, ok bool) {
	if !strings.HasSuffix(s, "}") {
		return 0, 0, false
	}
	i := strings.LastIndexByte(s, '{')
	if i < 0 {
		return 0, 0, false
	}
	digits := strings.TrimSuffix(strings.TrimSpace(s[i+1:len(s)-1]), "+")
	size, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
	if err != nil || size < 0 {
		return 0, 0, false
	}
	if i > 0 && s[i-1] == '~' {
		i--
	}
	if i > 0 && s[i-1] != ' ' && s[i-1] != '(' && s[i-1] != '"' && s[i-1] != ')' {
		return 0, 0, false
	}
	return size, i, true
}

var statusWords = map[string]bool{"OK": true, "NO": true, "BAD": true, "BYE": true, "PREAUTH": true}

// statusLine says whether s is a status response, in which nothing is a literal.
func statusLine(s string) bool {
	if strings.HasPrefix(s, "+") {
		return true
	}
	_, rest, _ := strings.Cut(s, " ")
	word, _, _ := strings.Cut(strings.TrimLeft(rest, " "), " ")
	return statusWords[strings.ToUpper(word)]
}
