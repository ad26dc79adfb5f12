package message

import (
	"bytes"
	"strings"
)

// yencFile reads the file that a "=ybegin" line opens.
func yencFile(text, line []byte, next int) (f textFile, end int, ok bool) {
	if !bytes.HasPrefix(line, []byte("=ybegin ")) {
		return f, 0, false
	}
	_, name, ok := strings.Cut(string(line), " name=")
	if !ok {
		return f, 0, false
	}
	f.name = strings.ToValidUTF8(strings.TrimSpace(name), "\uFFFD")
	for i := next; i < len(text); {
		line, after := yencLine(text, i)
		switch {
		case bytes.HasPrefix(line, []byte("=yend")):
			return f, after, true
		case !bytes.HasPrefix(line, []byte("=ypart ")):
			f.body = appendYenc(f.body, line)
		}
		i = after
	}
	return f, len(text), true
}

// yencLine is nextLine for data where a bare CR cannot stand: it is always escaped.
func yencLine(text []byte, i int) (line []byte, next int) {
	end := bytes.IndexByte(text[i:], '\n')
	if end < 0 {
		return text[i:], len(text)
	}
	return bytes.TrimSuffix(text[i:i+end], []byte{'\r'}), i + end + 1
}

func appendYenc(out, line []byte) []byte {
	for i := 0; i < len(line); i++ {
		c := line[i]
		if c == '=' && i+1 < len(line) {
			i++
			c = line[i] - 64
		}
		out = append(out, c-42)
	}
	return out
}
