package message

import (
	"bufio"
	"bytes"
	"strings"
)

// uuReader decodes a whole part that is uuencoded.
type uuReader struct {
	in    *bufio.Reader
	begun bool
	ended bool
	out   []byte
	err   error
}

func (u *uuReader) Read(p []byte) (int, error) {
	for len(u.out) == 0 && u.err == nil {
		line, err := u.in.ReadSlice('\n')
		u.out = u.line(u.out[:0], bytes.TrimRight(line, "\r\n"))
		if err != nil && err != bufio.ErrBufferFull {
			u.err = err
		}
	}
	n := copy(p, u.out)
	u.out = u.out[n:]
	if n == 0 && len(p) > 0 {
		return 0, u.err
	}
	return n, nil
}

func (u *uuReader) line(out, line []byte) []byte {
	if _, ok := uuBegin(line); ok {
		u.begun = true
		return out
	}
	if string(line) == "end" {
		u.ended = true
	}
	if !u.begun || u.ended {
		return out
	}
	out, _ = appendUU(out, line)
	return out
}

// uuBegin reads "begin 644 name".
func uuBegin(line []byte) (name string, ok bool) {
	rest, ok := bytes.CutPrefix(line, []byte("begin "))
	if !ok {
		return "", false
	}
	rest = bytes.TrimPrefix(rest, []byte("-base64 "))
	mode, file, ok := bytes.Cut(bytes.TrimSpace(rest), []byte{' '})
	if !ok || len(mode) < 3 || len(mode) > 6 {
		return "", false
	}
	for _, c := range mode {
		if c < '0' || c > '7' {
			return "", false
		}
	}
	return string(bytes.TrimSpace(file)), true
}

// appendUU decodes one line; false when it is none. Spaces lost at its end count as zeros.
func appendUU(out, line []byte) ([]byte, bool) {
	if len(line) == 0 {
		return out, false
	}
	n := int(line[0]-' ') & 63
	if line[0] < ' ' || line[0] > '`' || len(line) > 1+(n+2)/3*4+4 {
		return out, false
	}
	at := func(i int) byte {
		if i < len(line) {
			return (line[i] - ' ') & 63
		}
		return 0
	}
	for _, c := range line[1:] {
		if c < ' ' || c > '`' {
			return out, false
		}
	}
	for i := 1; n > 0; i += 4 {
		v := uint32(at(i))<<18 | uint32(at(i+1))<<12 | uint32(at(i+2))<<6 | uint32(at(i+3))
		for k := 0; k < 3 && n > 0; k++ {
			out = append(out, byte(v>>(16-8*k)))
			n--
		}
	}
	return out, true
}

// textFile is a file that stood inside a text.
type textFile struct {
	name string
	body []byte
}

const maxTextFiles = 200

// cutUU takes uuencoded, yEnc and BinHex files out of a text.
func cutUU(text []byte) (rest []byte, files []textFile) {
	if !bytes.Contains(text, []byte("begin ")) && !bytes.Contains(text, binHexMark) { // the first also in "=ybegin "
		return text, nil
	}
	total := int64(0)
	for i := 0; i < len(text); {
		if len(files) >= maxTextFiles || total > decodedLimit(text) {
			return append(rest, text[i:]...), files
		}
		line, next := nextLine(text, i)
		f, end, ok := textFileAt(text, line, i, next)
		if !ok {
			rest = append(rest, text[i:next]...)
			i = next
			continue
		}
		files = append(files, f)
		total += int64(len(f.body))
		i = end
	}
	return rest, files
}

// textFileAt reads the file that begins with the line at i; next is where the line after it begins.
func textFileAt(text, line []byte, i, next int) (f textFile, end int, ok bool) {
	if f, end, ok = uuFile(text, line, next); ok {
		return f, end, ok
	}
	if f, end, ok = yencFile(text, line, next); ok {
		return f, end, ok
	}
	return binHexFile(text, line, i, next)
}

// uuFile reads the file that a begin line opens. Without "end" it must have three good lines to be believed.
func uuFile(text, line []byte, next int) (f textFile, end int, ok bool) {
	name, ok := uuBegin(line)
	if !ok {
		return f, 0, false
	}
	f.name = strings.ToValidUTF8(name, "\uFFFD")
	lines := 0
	for i := next; i < len(text); {
		line, after := nextLine(text, i)
		if string(bytes.TrimSpace(line)) == "end" {
			return f, after, true
		}
		if int64(len(f.body)) > decodedLimit(text) {
			return f, i, true
		}
		if len(line) > 0 {
			var good bool
			if f.body, good = appendUU(f.body, line); !good {
				return f, i, lines >= 3
			}
			lines++
		}
		i = after
	}
	return f, len(text), lines >= 3
}

var binHexMark = []byte("(This file must be converted with BinHex")

// binHexFile lists BinHex (RFC 1741) as it is: from its mark to the colon that ends it. Nothing is decoded.
func binHexFile(text, line []byte, start, next int) (f textFile, end int, ok bool) {
	if !bytes.HasPrefix(line, binHexMark) {
		return f, 0, false
	}
	open := bytes.IndexByte(text[next:min(len(text), next+500)], ':')
	if open < 0 || len(bytes.TrimSpace(text[next:next+open])) > 0 {
		return f, 0, false
	}
	at := next + open + 1
	end = len(text)
	if i := bytes.IndexByte(text[at:], ':'); i >= 0 {
		_, end = nextLine(text, at+i)
	}
	return textFile{name: "binhex.hqx", body: text[start:end]}, end, true
}
