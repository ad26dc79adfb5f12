package mailclient

import (
	"bytes"
	"errors"
	"io"
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

// evenReader hands on the octets from a place on as long as they fit the layout.
type evenReader struct {
	in io.Reader
	layout
	place int64
}

func (r *evenReader) Read(b []byte) (int, error) {
	n, err := r.in.Read(b)
	if !r.fits(b[:n], r.place) {
		return 0, errUneven
	}
	r.place += int64(n)
	if err == io.EOF && r.place < r.end {
		err = errUneven
	}
	return n, err
}
