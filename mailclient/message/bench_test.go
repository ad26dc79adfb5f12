package message

import (
	"bytes"
	"strings"
	"testing"
)

func BenchmarkCorpus(b *testing.B) {
	var raws [][]byte
	for _, r := range corpus(b) {
		raws = append(raws, rawMail(b, r))
	}
	for b.Loop() {
		for _, raw := range raws {
			Read(raw)
		}
	}
}

// BenchmarkMegabyte reads a mail of some 1 MB of HTML, text and a file.
func BenchmarkMegabyte(b *testing.B) {
	var raw bytes.Buffer
	line := "<p>Some text with a <a href='https://example.org/'>link</a> and ümläuts.</p>\n"
	raw.WriteString("Subject: x\nContent-Type: multipart/mixed; boundary=q\n\n--q\nContent-Type: text/html; charset=utf-8\n\n" + strings.Repeat(line, 5000) + "--q\nContent-Type: a/b; name=x\nContent-Transfer-Encoding: base64\n\n")
	writeBase64(&raw, make([]byte, 450<<10))
	raw.WriteString("--q--\n")
	b.SetBytes(int64(raw.Len()))
	for b.Loop() {
		Read(raw.Bytes())
	}
}

func BenchmarkTextOfAMegabyte(b *testing.B) {
	text := strings.Repeat("> Some quoted text with https://example.org/ links and ada@example.org in it.\nAn answer.\n", 11000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		for _, s := range Quoted(text) {
			Links(s.Text)
		}
	}
}
