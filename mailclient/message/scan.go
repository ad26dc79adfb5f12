package message

import (
	"bytes"
	"strings"
)

// scanOptions say what stands before and after a header.
type scanOptions struct {
	top  bool                   // a whole mail: an mbox line and blank lines may come first
	stop func(line []byte) bool // a boundary line, which ends any header
}

// scanHeader reads fields from i on and returns where the body begins.
func scanHeader(raw []byte, i int, o scanOptions) (fields []field, body int) {
	s := headerScan{raw: raw, o: o, fieldAt: -1, noField: -1}
	limit := min(len(raw), i+maxHeader)
	if o.top {
		i = skipTop(raw, i)
	}
	for i < limit {
		line, next := nextLine(raw, i)
		if o.stop != nil && o.stop(line) {
			break
		}
		if isBlank(line) {
			if len(line) > 0 && len(s.fields) > 0 && s.followed(next) { // white space only: a fold with nothing
				i = next
				continue
			}
			return s.done(), next
		}
		if !s.take(line, next) {
			break
		}
		i = next
	}
	for i >= limit && i < len(raw) { // what is over the limit is left out
		line, next := nextLine(raw, i)
		i = next
		if isBlank(line) {
			break
		}
	}
	return s.done(), i
}

// skipTop skips blank lines and an mbox line before a mail.
func skipTop(raw []byte, i int) int {
	if bytes.HasPrefix(raw[i:], []byte("\xef\xbb\xbf")) {
		i += 3
	}
	for n := 0; i < len(raw) && n < 1000; n++ {
		line, next := nextLine(raw, i)
		mbox := bytes.HasPrefix(line, []byte("From ")) || bytes.HasPrefix(line, []byte(">From "))
		if !isBlank(line) && (!mbox || isField(line)) {
			break
		}
		i = next
	}
	return i
}

type headerScan struct {
	raw     []byte
	o       scanOptions
	fields  []field
	value   []byte // of the last field, still growing
	fieldAt int    // a place where a field is known to follow, with no blank line before it
	noField int    // a place from which none follows
}

// take uses one line that is not blank; false means that the body has begun.
func (s *headerScan) take(line []byte, next int) bool {
	folded := line[0] == ' ' || line[0] == '\t'
	switch {
	case folded && len(s.fields) > 0:
		s.grow(line)
	case isField(line):
		s.begin(line)
	case folded && isField(bytes.TrimLeft(line, " \t")): // the very first field, indented
		s.begin(bytes.TrimLeft(line, " \t"))
	case !s.followed(next):
		return false
	case len(s.fields) > 0 && s.lostIndent():
		s.grow(line)
	}
	return true
}

// lostIndent says whether a line that is no field continues the last one: free text may be cut anywhere,
// while a field with a grammar is rather followed by junk, unless it is plainly unfinished.
func (s *headerScan) lostIndent() bool {
	v := bytes.TrimSpace(s.value)
	switch s.fields[len(s.fields)-1].name {
	case "subject", "comments", "keywords", "content-description", "x-mailer", "user-agent":
		return true
	case "from", "to", "cc", "bcc", "reply-to", "references", "dkim-signature", "received":
		return true
	}
	return len(v) == 0 || v[len(v)-1] == ';' || v[len(v)-1] == ',' || bytes.Count(v, []byte{'"'})%2 == 1
}

func (s *headerScan) begin(line []byte) {
	s.flush()
	name, value, _ := bytes.Cut(line, []byte{':'})
	s.fields = append(s.fields, field{name: strings.ToLower(string(bytes.TrimSpace(name)))})
	s.value = append(s.value[:0], value...)
}

func (s *headerScan) grow(line []byte) {
	if len(s.value)+len(line) < maxField {
		s.value = append(append(s.value, ' '), bytes.TrimLeft(line, " \t")...)
	}
}

func (s *headerScan) flush() {
	if n := len(s.fields); n > 0 {
		v := s.value[:min(len(s.value), maxField)]
		if bytes.IndexByte(v, 0) >= 0 {
			v = bytes.ReplaceAll(v, []byte{0}, nil)
		}
		s.fields[n-1].value = string(bytes.Trim(v, " \t"))
	}
}

func (s *headerScan) done() []field {
	s.flush()
	return s.fields
}

// followed says whether a field comes at or after i, before any blank line. Answers are kept, so that
// many odd lines cost one look.
func (s *headerScan) followed(i int) bool {
	if i <= s.fieldAt {
		return true
	}
	if s.noField >= 0 && i <= s.noField {
		return false
	}
	for at := i; at < len(s.raw) && at < i+64<<10; {
		line, next := nextLine(s.raw, at)
		if isBlank(line) || s.o.stop != nil && s.o.stop(line) {
			s.noField = at
			return false
		}
		if isField(line) && !looksProse(line) {
			s.fieldAt = at
			return true
		}
		at = next
	}
	s.noField = len(s.raw)
	return false
}

// isField says whether a line begins with a field name and a colon. 8-bit bytes in names are let through.
func isField(line []byte) bool {
	i := bytes.IndexByte(line, ':')
	if i <= 0 || i > 200 {
		return false
	}
	name := bytes.TrimRight(line[:i], " \t")
	for _, c := range name {
		if c <= ' ' || c == 0x7f {
			return false
		}
	}
	return len(name) > 0 && !bytes.HasPrefix(line[i:], []byte("://"))
}

// looksProse tells a line of a letter with a colon in it from a field: after junk only names of the usual make count.
func looksProse(line []byte) bool {
	name := bytes.TrimRight(line[:bytes.IndexByte(line, ':')], " \t")
	if len(name) > 60 {
		return true
	}
	for _, c := range name {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
			return true
		}
	}
	return false
}
