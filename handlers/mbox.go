package handlers

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"regexp"
)

// fromLine is what stands before each mail of an mbox file (RFC 4155), and hardly ever in a text: it ends with a date.
var fromLine = regexp.MustCompile(`^From .*\d\d:\d\d.* \d{4}\b`)

// eachMail gives the mails of a file one by one: of an mbox file, as Unix and Thunderbird keep their folders, all that are
// in it, else the file itself. do reads what it is given to its end. The first error ends it.
func eachMail(file io.Reader, do func(io.Reader) error) error {
	in := bufio.NewReaderSize(file, 64<<10)
	if head, _ := in.Peek(512); !fromLine.Match(firstLine(head)) {
		return do(in)
	}
	m := &mbox{in: in, blank: true}
	_, _ = m.Read(nil) // to where the first begins
	for m.begins {
		m.begins = false
		if err := do(m); err != nil {
			return err
		}
	}
	return m.err
}

func firstLine(b []byte) []byte {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	return line
}

// mbox reads one mail of a file up to the line that begins the next.
type mbox struct {
	in     *bufio.Reader
	line   []byte // what of the line read last was not given out yet
	inside bool   // of a line that was longer than the buffer
	blank  bool   // the line before was empty, or there is none
	begins bool   // a mail begins here
	err    error  // of in, but for its end
}

// Read gives a mail's bytes, and io.EOF at its end. An escaped ">From " gets back what it was.
func (m *mbox) Read(b []byte) (int, error) {
	for len(m.line) == 0 {
		if m.begins {
			return 0, io.EOF
		}
		line, err := m.in.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) && len(line) == 0 {
			if !errors.Is(err, io.EOF) {
				m.err = err
				return 0, err
			}
			return 0, io.EOF
		}
		within := m.inside
		m.inside = errors.Is(err, bufio.ErrBufferFull)
		if !within && m.blank && fromLine.Match(line) {
			m.begins = true
			continue
		}
		m.blank = !within && len(bytes.TrimRight(line, "\r\n")) == 0
		if bare := bytes.TrimLeft(line, ">"); !within && len(bare) < len(line) && bytes.HasPrefix(bare, []byte("From ")) {
			line = line[1:]
		}
		m.line = line
	}
	n := copy(b, m.line)
	m.line = m.line[n:]
	return n, nil
}
