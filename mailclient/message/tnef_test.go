package message

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"
)

// tnefWriter builds TNEF files for tests (MS-OXTNEF 2.1).
type tnefWriter struct{ bytes.Buffer }

func newTNEF() *tnefWriter {
	w := &tnefWriter{}
	w.u32(tnefSignature)
	w.u16(1)
	return w
}

func (w *tnefWriter) u16(n uint16) { w.Write(binary.LittleEndian.AppendUint16(nil, n)) }
func (w *tnefWriter) u32(n uint32) { w.Write(binary.LittleEndian.AppendUint32(nil, n)) }

func (w *tnefWriter) attribute(level byte, id uint32, data []byte) {
	w.WriteByte(level)
	w.u32(id)
	w.u32(uint32(len(data)))
	w.Write(data)
	sum := uint16(0)
	for _, c := range data {
		sum += uint16(c)
	}
	w.u16(sum)
}

type testProp struct {
	kind, id uint16
	value    []byte
}

func propList(props ...testProp) []byte {
	w := &tnefWriter{}
	w.u32(uint32(len(props)))
	for _, p := range props {
		w.u16(p.kind)
		w.u16(p.id)
		if p.id >= 0x8000 {
			w.Write(make([]byte, 16))
			w.u32(1)
			w.u32(6)
			w.Write([]byte("a\x00b\x00\x00\x00\x00\x00"))
		}
		if propSize(p.kind) > 0 {
			w.Write(p.value)
			continue
		}
		w.u32(1)
		w.u32(uint32(len(p.value)))
		w.Write(p.value)
		w.Write(make([]byte, (4-len(p.value)%4)%4))
	}
	return w.Bytes()
}

func unicodeBytes(s string) (out []byte) {
	for _, u := range utf16.Encode([]rune(s + "\x00")) {
		out = binary.LittleEndian.AppendUint16(out, u)
	}
	return out
}

// sampleTNEF holds an HTML body, a file with a long name, a picture the body shows, and an attached message.
func sampleTNEF() []byte {
	inner := newTNEF()
	inner.attribute(1, attMAPIProps, propList(
		testProp{propUnicode, 0x0037, unicodeBytes("Inner ✓")},
		testProp{propUnicode, 0x0c1a, unicodeBytes("Ada")},
		testProp{propUnicode, 0x5d01, unicodeBytes("ada@example.org")},
		testProp{propUnicode, 0x1000, unicodeBytes("inner text")}))
	w := newTNEF()
	w.attribute(1, attOEMCodepage, []byte{0xe4, 4, 0, 0, 0, 0, 0, 0})
	w.attribute(1, attMAPIProps, propList(
		testProp{0x000b, 0x8001, []byte{1, 0, 0, 0}},
		testProp{0x0003, 0x3fde, []byte{0xe9, 0xfd, 0, 0}},
		testProp{propBinary, 0x1013, []byte(`<html><body>Hello <img src="cid:pic@x"></body></html>`)}))
	w.attribute(levelAttachment, attAttachRend, make([]byte, 14))
	w.attribute(levelAttachment, attAttachTitle, []byte("QUARTE~1.PDF\x00"))
	w.attribute(levelAttachment, attAttachData, []byte("%PDF-1.4 x"))
	w.attribute(levelAttachment, attAttachProps, propList(testProp{propUnicode, 0x3707, unicodeBytes("Quarterly report – März.pdf")}, testProp{propString, 0x370e, []byte("application/pdf\x00")}))
	w.attribute(levelAttachment, attAttachRend, make([]byte, 14))
	w.attribute(levelAttachment, attAttachTitle, []byte("p.png\x00"))
	w.attribute(levelAttachment, attAttachData, []byte("\x89PNG\r\n\x1a\n"))
	w.attribute(levelAttachment, attAttachProps, propList(testProp{propString, 0x3712, []byte("pic@x\x00")}, testProp{propString, 0x370e, []byte("image/png\x00")}))
	w.attribute(levelAttachment, attAttachRend, make([]byte, 14))
	w.attribute(levelAttachment, attAttachProps, propList(testProp{0x0003, propAttachMethod, []byte{5, 0, 0, 0}}, testProp{propObject, propAttachData, append(make([]byte, 16), inner.Bytes()...)}))
	return w.Bytes()
}

func TestTNEF_BodyFilesAndMessagesAreOpened(t *testing.T) {
	m := Read(mailWith("application/ms-tnef; name=winmail.dat", sampleTNEF()))
	if !m.HTMLAlt || !strings.Contains(shownHTML(m), "Hello") {
		t.Errorf("body: %s", outline(m))
	}
	want := "1 winmail.dat application/ms-tnef true; 1!2 Quarterly report – März.pdf application/pdf false; 1!3 p.png image/png inline false; 1!4 Inner ✓.eml message/rfc822 false"
	var got []string
	for _, f := range m.Files {
		s := f.Section + " " + f.Name + " " + f.Type
		if f.Inline {
			s += " inline"
		}
		got = append(got, s+map[bool]string{true: " true", false: " false"}[f.Technical])
	}
	if s := strings.Join(got, "; "); s != want {
		t.Errorf("files\n%s, not\n%s", s, want)
	}
	if len(m.Nested) != 1 || m.Nested[0].Header.Subject() != "Inner ✓" || !strings.Contains(shownText(m.Nested[0]), "inner text") || m.Nested[0].Header.From()[0].Addr != "ada@example.org" {
		t.Error("attached message not read")
	}
}

func TestTNEF_TheMailsOwnBodyGoesFirst(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("Content-Type: multipart/mixed; boundary=x\n\n--x\n\nown text\n--x\nContent-Type: application/octet-stream; name=\"WINMAIL.DAT\"\nContent-Transfer-Encoding: base64\n\n")
	writeBase64(&b, sampleTNEF())
	b.WriteString("\n--x--\n")
	m := Read(b.Bytes())
	if m.HTMLAlt || strings.TrimSpace(shownText(&Message{Blocks: m.Blocks})) != "own text" || len(m.Files) != 4 {
		t.Errorf("%s %s", outline(m), fileList(m))
	}
}

func TestTNEF_CutFileKeepsItsContainer(t *testing.T) {
	b := sampleTNEF()
	m := Read(mailWith("application/ms-tnef; name=winmail.dat", b[:len(b)-200]))
	if len(m.Files) == 0 || m.Files[0].Technical {
		t.Error("the container of a file that was not read whole must be listed:", fileList(m))
	}
}

func TestRTF(t *testing.T) {
	compressed := "\x2d\x00\x00\x00\x2b\x00\x00\x00LZFu\xf1\xc5\xc7\xa7\x03\x00\x0a\x00rcpg125\x42\x32\x0a\xf3 hel\x09\x00 bw\x05\xb0ld}\x0a\x80\x0f\xa0"
	if s, ok := decompressRTF([]byte(compressed)); !ok || s != "{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n" {
		t.Errorf("decompressed %q", s)
	}
	for _, c := range []struct{ rtf, html, text string }{
		{`{\rtf1\ansi\ansicpg1252\pard hello \b world\b0\par {\*\generator x;}gr\'fc\'dfe}`, "", "hello world\ngrüße"},
		{`{\rtf1\ansi\uc1 \u8364?5 \u-10179?\u-8704?}`, "", "€5 😀"},
		{`{\rtf1\ansi{\fonttbl{\f0\fcharset0 A;}{\f1\fcharset204 B;}}\f1 \'cf\'f0\f0  x\'e9}`, "", "Пр xé"},
		{`{\rtf1\ansi\fromhtml1 {\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 caf\'e9 & so{\*\htmltag72 </p>}\htmlrtf }\htmlrtf0}`, "<p>café & so</p>", ""},
	} {
		if html, text := readRTF(c.rtf); html != c.html || text != c.text {
			t.Errorf("%s: %q, %q", c.rtf, html, text)
		}
	}
}
