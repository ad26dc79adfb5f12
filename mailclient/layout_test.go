package mailclient

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"restante/mailclient/message"
)

// lined is base64 in lines of some length, with an end.
func lined(body []byte, length int, end string) string {
	var lines []string
	for line := range slices.Chunk([]byte(base64.StdEncoding.EncodeToString(body)), length) {
		lines = append(lines, string(line))
	}
	return strings.Join(lines, "\r\n") + end
}

func layoutFor(octets string) (layout, bool) {
	return layoutOf(int64(len(octets)), []byte(octets[:min(len(octets), probe)]), []byte(octets[max(0, len(octets)-probe):]))
}

// strictly reads what is decoded from off on.
func strictly(l layout, octets string, off int64) ([]byte, error) {
	octet, before := l.at(off)
	var out bytes.Buffer
	w := &evenWriter{to: &out, layout: l, place: octet, skip: before}
	_, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{strings.NewReader(octets[octet:])}, make([]byte, 1001))
	return out.Bytes(), cmp.Or(err, w.close())
}

func TestALayoutTellsWhereEachByteStands(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789abcdef!"), 1000)
	for _, size := range []int{3000, 3001, 3002, 5700, 5701, 17000} {
		for _, length := range []int{4, 60, 64, 76, 1000} {
			for _, end := range []string{"", "\r\n", "\r\n\r\n"} {
				octets := lined(body[:size], length, end)
				l, ok := layoutFor(octets)
				if !ok || l.size != int64(size) {
					t.Fatalf("%d bytes in lines of %d with %q: %+v, %v", size, length, end, l, ok)
				}
				for _, off := range []int{0, 1, 44, 45, 46, 56, 57, 58, size / 2, size - 2, size - 1, size} {
					if got, err := strictly(l, octets, int64(off)); err != nil || !bytes.Equal(got, body[off:size]) {
						t.Fatalf("%d bytes in lines of %d with %q, from %d: %d bytes, %v", size, length, end, off, len(got), err)
					}
				}
			}
		}
	}
}

func TestALayoutIsNotBelievedOfUnevenLines(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789abcdef!"), 2000)
	even := lined(body, 76, "\r\n")
	for name, octets := range map[string]string{
		"empty": "", "one long line": base64.StdEncoding.EncodeToString(body), "lines of 75": lined(body, 75, "\r\n"), "bare LF": strings.ReplaceAll(even, "\r\n", "\n"),
		"a footer": even + "--\r\nlist\r\n", "words before": "hello world\r\n" + even, "filling in the middle": lined(body[:5701], 76, "\r\n") + even,
		"a short line at the begin": "QUJD\r\n" + even, "a short line at the end": even + "QUJD\r\nQUJD\r\n", "no filling": strings.TrimRight(lined(body[:5701], 76, ""), "="),
		"a letter after the filling": "QUJD\r\nQU=D", "the URL alphabet": strings.ReplaceAll(even, "M", "-"),
	} {
		if l, ok := layoutFor(octets); ok {
			t.Errorf("%s: %+v", name, l)
		}
	}
	head, tail := []byte(even[:probe]), []byte(even[len(even)-probe:])
	if l, ok := layoutOf(int64(len(even))-1, head, append(tail, '\n')); ok {
		t.Errorf("more than the server says: %+v", l)
	}
}

// TestAnUnevenMiddleIsFoundBeforeItDoesHarm: begin, end and length say nothing of it.
func TestAnUnevenMiddleIsFoundBeforeItDoesHarm(t *testing.T) {
	even := lined(bytes.Repeat([]byte("0123456789abcdef!"), 2000), 76, "\r\n")
	const at = 100 * 78
	for name, middle := range map[string]string{
		"a line of junk": strings.Repeat("!", 76) + "\r\n", "an empty line": strings.Repeat("A", 74) + "\r\n\r\n", "a longer line": strings.Repeat("A", 78),
		"filling": strings.Repeat("A", 75) + "=\r\n", "two short lines": strings.Repeat("A", 37) + "\r\n" + strings.Repeat("A", 37) + "\r\n",
	} {
		octets := even[:at] + middle + even[at+78:]
		l, ok := layoutFor(octets)
		if !ok || len(octets) != len(even) {
			t.Fatal(name, len(octets), len(even))
		}
		for _, off := range []int64{0, 90 * 57, 100*57 + 3} {
			got, err := strictly(l, octets, off)
			var corrupt base64.CorruptInputError
			if !errors.Is(err, errUneven) && !errors.As(err, &corrupt) {
				t.Errorf("%s, from %d: %d bytes, %v", name, off, len(got), err)
			}
		}
	}
}

// FuzzLayout: whatever is read by a layout is what reading it all gives.
func FuzzLayout(f *testing.F) {
	for _, length := range []int{4, 60, 76} {
		f.Add(lined(bytes.Repeat([]byte("abc"), 100), length, "\r\n"), uint16(7))
	}
	f.Add("QUJD\r\nQUJD\r\nQQ==\r\n\r\n", uint16(3))
	f.Fuzz(func(t *testing.T, octets string, at uint16) {
		l, ok := layoutFor(octets)
		if !ok {
			return
		}
		off := int64(at) % (l.size + 1)
		got, err := strictly(l, octets, off)
		if err != nil {
			return
		}
		want, err := io.ReadAll(message.NewDecoder(strings.NewReader(octets), "base64"))
		if err != nil || int64(len(want)) != l.size || !bytes.Equal(got, want[off:]) {
			t.Errorf("%q from %d: %q of %q (%d)", octets, off, got, want, l.size)
		}
	})
}
