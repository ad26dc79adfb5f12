package message

import "bytes"

// nextLine returns the line that begins at i without its end, and where the next one begins.
// CRLF, LF and bare CR all end a line.
func nextLine(raw []byte, i int) (line []byte, next int) {
	rest := raw[i:]
	end := bytes.IndexByte(rest, '\n')
	if cr := bytes.IndexByte(rest[:orAll(end, rest)], '\r'); cr >= 0 {
		if cr+1 < len(rest) && rest[cr+1] == '\n' {
			return rest[:cr], i + cr + 2
		}
		return rest[:cr], i + cr + 1
	}
	if end < 0 {
		return rest, len(raw)
	}
	return rest[:end], i + end + 1
}

func orAll(i int, b []byte) int {
	if i < 0 {
		return len(b)
	}
	return i
}

// trimEnd drops the one line end that b ends with.
func trimEnd(b []byte) []byte {
	if n := len(b); n > 0 && b[n-1] == '\n' {
		b = b[:n-1]
	} else if n > 0 && b[n-1] == '\r' {
		return b[:n-1]
	}
	if n := len(b); n > 0 && b[n-1] == '\r' {
		b = b[:n-1]
	}
	return b
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func isBlank(line []byte) bool { return len(bytes.Trim(line, " \t\x00\v\f")) == 0 }

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c >= 'a':
		return c - 'a' + 10
	}
	return c - 'A' + 10
}

func isASCII[T string | []byte](s T) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
