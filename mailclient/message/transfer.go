package message

import (
	"bufio"
	"bytes"
	"io"
	"strings"
)

// base64Value maps a byte to its value in the alphabet, or to 255. The URL alphabet counts too.
var base64Value = func() (t [256]byte) {
	for i := range t {
		t[i] = 255
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		t[c] = byte(i)
	}
	t['-'], t['_'] = 62, 63
	return t
}()

// encodingOf gives the nearest sense of a Content-Transfer-Encoding: base64, quoted-printable, uuencode, or 8bit for as it is.
func encodingOf(v string) string {
	v = strings.ToLower(strings.Trim(v, " \t\"'"))
	if i := strings.IndexAny(v, ";, \t\"("); i > 0 {
		v = v[:i]
	}
	letters := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, v)
	switch {
	case strings.Contains(letters, "base64") || letters == "b64" || letters == "b":
		return "base64"
	case strings.HasPrefix(letters, "quoted") || strings.HasSuffix(letters, "printable") || letters == "qp" || letters == "q":
		return "quoted-printable"
	case strings.Contains(letters, "uue") || letters == "uu" || letters == "xuu":
		return "uuencode"
	case letters == "7bit" || letters == "7bits":
		return "7bit"
	}
	return "8bit"
}

// NewDecoder undoes a transfer encoding as a stream. It never fails but with an error of r: what is damaged is left out or kept as it is.
func NewDecoder(r io.Reader, encoding string) io.Reader {
	switch encodingOf(encoding) {
	case "base64":
		return &base64Reader{in: bufio.NewReaderSize(r, 32<<10)}
	case "quoted-printable":
		return &qpReader{in: bufio.NewReaderSize(r, 32<<10)}
	case "uuencode":
		return &uuReader{in: bufio.NewReaderSize(r, 32<<10)}
	}
	return r
}

// decodeTransfer is NewDecoder for bytes at hand.
func decodeTransfer(body []byte, encoding string) []byte {
	switch encodingOf(encoding) {
	case "7bit", "8bit":
		return body
	}
	out, _ := io.ReadAll(io.LimitReader(NewDecoder(bytes.NewReader(body), encoding), decodedLimit(body)))
	return out
}

// decodedLimit bounds what is decoded: lines of uuencode stand for up to 45 zeros that are not there.
func decodedLimit(body []byte) int64 { return 2*int64(len(body)) + 1024 }

// base64Reader skips white space and junk, takes padding anywhere and stops at text that follows the data.
type base64Reader struct {
	in    *bufio.Reader
	bits  uint32
	n     int  // letters in bits
	begun bool // at the begin of a line
	ended bool // padding was seen: what follows may be a footer
	out   []byte
	err   error
}

func (b *base64Reader) Read(p []byte) (int, error) {
	for len(b.out) == 0 && b.err == nil {
		b.fill()
	}
	n := copy(p, b.out)
	b.out = b.out[n:]
	if n == 0 && len(p) > 0 {
		return 0, b.err
	}
	return n, nil
}

func (b *base64Reader) fill() {
	line, err := b.in.ReadSlice('\n')
	b.out = b.out[:0]
	if !b.footer(line) {
		b.take(line)
	} else {
		err = io.EOF
	}
	if err != nil && err != bufio.ErrBufferFull {
		b.flush()
		b.err = err
	}
}

// footer says whether a line is the text that lists append after the data: after padding it has other letters than base64,
// before that it has spaces between words.
func (b *base64Reader) footer(line []byte) bool {
	line = bytes.TrimSpace(line)
	if len(line) == 0 || b.n != 0 && !b.ended {
		return false
	}
	odd := 0
	for _, c := range line {
		if base64Value[c] == 255 && c != '=' {
			odd++
		}
	}
	if b.ended {
		return odd > 0 && len(line) > 1 || bytes.HasPrefix(line, []byte("--")) || bytes.HasPrefix(line, []byte("____"))
	}
	return b.begun && (odd*4 > len(line) && len(line) > 8 || odd >= 3 && len(bytes.Fields(line)) >= 4)
}

func (b *base64Reader) take(line []byte) {
	for i, c := range line {
		v := base64Value[c]
		switch {
		case c == '=':
			b.flush()
			b.ended = b.begun
			if i+1 < len(line) && isSpace(line[i+1]) && len(bytes.TrimSpace(line[i+1:]))%4 != 0 { // words, no further run
				return
			}
		case v < 64:
			b.begun, b.ended = true, false
			b.bits = b.bits<<6 | uint32(v)
			if b.n++; b.n == 4 {
				b.out = append(b.out, byte(b.bits>>16), byte(b.bits>>8), byte(b.bits))
				b.n, b.bits = 0, 0
			}
		}
	}
}

func (b *base64Reader) flush() {
	switch b.n {
	case 2:
		b.out = append(b.out, byte(b.bits>>4))
	case 3:
		b.out = append(b.out, byte(b.bits>>10), byte(b.bits>>2))
	}
	b.n, b.bits = 0, 0
}

// qpReader decodes quoted-printable; bad pairs are kept as text.
type qpReader struct {
	in   *bufio.Reader
	held []byte // a pair that the buffer cut
	out  []byte
	err  error
}

func (q *qpReader) Read(p []byte) (int, error) {
	for len(q.out) == 0 && q.err == nil {
		q.fill()
	}
	n := copy(p, q.out)
	q.out = q.out[n:]
	if n == 0 && len(p) > 0 {
		return 0, q.err
	}
	return n, nil
}

func (q *qpReader) fill() {
	slice, err := q.in.ReadSlice('\n')
	line := append(q.held, slice...)
	q.held = nil
	if err == bufio.ErrBufferFull { // a pair must not be cut
		if i := bytes.LastIndexByte(line[max(0, len(line)-2):], '='); i >= 0 {
			i += max(0, len(line)-2)
			q.held = append(q.held, line[i:]...)
			line = line[:i]
		}
	}
	q.out = appendQP(q.out[:0], line, err != bufio.ErrBufferFull)
	if err != nil && err != bufio.ErrBufferFull {
		q.err = err
	}
}

// appendQP decodes one line. whole says that it has its end.
func appendQP(out, line []byte, whole bool) []byte {
	text, end := line, []byte(nil)
	if whole {
		text = bytes.TrimRight(line, "\r\n")
		end = line[len(text):]
		text = bytes.TrimRight(text, " \t")
		if n := len(text); n > 0 && text[n-1] == '=' {
			text, end = text[:n-1], nil
		}
	}
	for i := 0; i < len(text); i++ {
		if text[i] == '=' && i+2 < len(text) && isHex(text[i+1]) && isHex(text[i+2]) {
			out = append(out, unhex(text[i+1])<<4|unhex(text[i+2]))
			i += 2
			continue
		}
		out = append(out, text[i])
	}
	return append(out, end...)
}
