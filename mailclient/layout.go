package mailclient

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"errors"
	"io"
	"slices"
)

// probe is how much of the begin and of the end of a part is looked at before its size is believed.
const probe = 4096

// layout is how a base64 part stands on the server: lines of one length, as RFC 2045 6.8 has them, but for the last.
// Then it is known which octets stand for which.
type layout struct {
	line int64 // letters of a line
	end  int64 // octets up to the last letter
	size int64 // decoded
}

// errUneven means that the middle of a part is not as its begin and its end let one believe.
var errUneven = errors.New("a part's lines are not of one length")

// layoutOf finds the layout of a part of so many octets by the first of them, and the last from probe before the end.
// ok is false if it has none, or if it is not as long as the server says.
func layoutOf(octets int64, head, tail []byte) (l layout, ok bool) {
	l.line = int64(bytes.Index(head, []byte("\r\n")))
	if l.line < 4 || l.line%4 != 0 || int64(len(tail)) != min(octets, probe) {
		return layout{}, false
	}
	begin := octets - int64(len(tail))
	text := bytes.TrimRight(tail, "\r\n")
	l.end = begin + int64(len(text))
	letters := l.end - 2*(l.end/l.stride())
	unpadded := bytes.TrimRight(text, "=")
	pads := int64(len(text) - len(unpadded))
	if pads > 2 || bytes.IndexByte(unpadded, '=') >= 0 || letters%4 != 0 || !l.fits(head, 0) || !l.fits(tail, begin) || !letters64(head) || !letters64(tail) {
		return layout{}, false
	}
	l.size = letters/4*3 - pads
	return l, true
}

func (l layout) stride() int64 { return l.line + 2 }

// at gives the first octet to be read for what is decoded from off on, and how much of the decoded comes before that.
// The end of the line before is read too: it is there only if all lines before are as they should be.
func (l layout) at(off int64) (octet, before int64) {
	bytesALine := l.line / 4 * 3
	n := off / bytesALine
	return max(0, n*l.stride()-2), off - n*bytesALine
}

// fits says whether lines end in the octets at a place just where the layout has it, and whether what fills up the
// last letters stands there alone.
func (l layout) fits(octets []byte, place int64) bool {
	for len(octets) > 0 && place < l.end {
		in := place % l.stride()
		n := min(l.line-in, l.end-place, int64(len(octets)))
		switch {
		case in == l.line && octets[0] != '\r', in == l.line+1 && octets[0] != '\n':
			return false
		case in >= l.line:
			n = 1
		case bytes.IndexByte(octets[:n], '\n') >= 0 || bytes.IndexByte(octets[:n], '\r') >= 0:
			return false
		default:
			if pad := bytes.IndexByte(octets[:n], '='); pad >= 0 && place+int64(pad) < l.end-2 {
				return false
			}
		}
		octets, place = octets[n:], place+n
	}
	return len(bytes.Trim(octets, "\r\n")) == 0
}

// letters64 says whether all octets are of the alphabet, with line ends and filling.
func letters64(octets []byte) bool {
	for _, c := range octets {
		if !(c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '+' || c == '/' || c == '=' || c == '\r' || c == '\n') {
			return false
		}
	}
	return true
}

// evenWriter writes what the octets from a place on stand for, as long as they fit the layout.
type evenWriter struct {
	to io.Writer
	layout
	place   int64
	skip    int64 // decoded bytes that nobody has asked for
	letters []byte
	decoded []byte
}

// Write is that of io.Writer.
func (e *evenWriter) Write(octets []byte) (n int, err error) {
	if !e.fits(octets, e.place) {
		return 0, errUneven
	}
	for n < len(octets) && err == nil {
		in, here := e.place%e.stride(), int64(1)
		switch {
		case e.place >= e.end:
			here = int64(len(octets) - n)
		case in < e.line:
			here = min(e.line-in, e.end-e.place, int64(len(octets)-n))
			e.letters = append(e.letters, octets[n:n+int(here)]...)
		}
		e.place += here
		n += int(here)
		if len(e.letters) >= 32<<10 || e.place >= e.end {
			err = e.decode()
		}
	}
	return n, err
}

// decode writes what the letters stand for that came, four by four.
func (e *evenWriter) decode() error {
	whole := len(e.letters) &^ 3
	if e.place >= e.end {
		whole = len(e.letters)
	}
	e.decoded = slices.Grow(e.decoded[:0], base64.StdEncoding.DecodedLen(whole))
	n, err := base64.StdEncoding.Decode(e.decoded[:cap(e.decoded)], e.letters[:whole])
	e.letters = append(e.letters[:0], e.letters[whole:]...)
	skipped := min(e.skip, int64(n))
	e.skip -= skipped
	if n > int(skipped) {
		_, failed := e.to.Write(e.decoded[skipped:n])
		err = cmp.Or(err, failed)
	}
	return err
}

// close says whether all has come.
func (e *evenWriter) close() error {
	if e.place < e.end {
		return errUneven
	}
	return nil
}
