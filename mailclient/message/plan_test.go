package message

import (
	"strings"
	"testing"
)

func TestImplausibleStructuresAreReadByBytes(t *testing.T) {
	text := &Structure{Section: "1", Type: "text", Subtype: "plain", Encoding: "7bit", Size: 10}
	mixed := "Content-Type: multipart/mixed; boundary=q\n\n"
	for _, c := range []struct {
		name, header string
		s            *Structure
		odd          bool
	}{
		{"a plain mail", "Subject: x\n\n", text, false},
		{"a multipart", mixed, &Structure{Type: "multipart", Subtype: "mixed", Children: []*Structure{text}}, false},
		{"no structure", "Subject: x\n\n", nil, true},
		{"a multipart with no parts", mixed, &Structure{Type: "multipart", Subtype: "mixed"}, true},
		{"a multipart with nothing in it", mixed, &Structure{Type: "multipart", Subtype: "mixed", Children: []*Structure{{Section: "1", Type: "text", Subtype: "plain"}}}, true},
		{"no type", "Subject: x\n\n", &Structure{Section: "1", Size: 10}, true},
		{"a multipart told as text", mixed, text, true},
		{"no boundary", "Content-Type: multipart/mixed\n\n", &Structure{Type: "multipart", Subtype: "mixed", Children: []*Structure{text}}, true},
		{"two Content-Types", "Content-Type: text/plain\nContent-Type: text/html\n\n", text, true},
		{"text within the header", "Subject: x\nand here begins the letter\n\n", text, true},
		{"an international mail attached", mixed, &Structure{Type: "multipart", Subtype: "mixed", Children: []*Structure{text, {Section: "2", Type: "message", Subtype: "global", Size: 10}}}, true},
	} {
		if got := NewPlan(ReadHeader([]byte(c.header)), c.s).Implausible(); got != c.odd {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestFetchedTextThatIsAMultipartIsImplausible(t *testing.T) {
	s := &Structure{Type: "multipart", Subtype: "mixed", Children: []*Structure{{Section: "1", Type: "text", Subtype: "plain", Encoding: "7bit", Size: 20}}}
	p := NewPlan(ReadHeader([]byte("Content-Type: multipart/mixed; boundary=q\n\n")), s)
	p.Assemble(map[string][]byte{"1": []byte("--q\r\n\r\nx\r\n--q--\r\n")}, nil)
	if !p.Implausible() {
		t.Error("not seen")
	}
}

func TestOnlyWhatIsShownIsWanted(t *testing.T) {
	raw := crlf([]byte(parts("mixed", parts("alternative", plainPart, htmlPart), pdfPart, "Content-Type: message/rfc822\n\nSubject: x\n\ny")))
	srv := serverReads(raw, "", false, 0)
	var got []string
	for _, w := range NewPlan(ReadHeader(srv.header), srv.structure("", true)).Wanted() {
		s := w.Section
		if w.HeaderOnly {
			s += " head"
		}
		if w.MIME {
			s += " mime"
		}
		got = append(got, s)
	}
	if s, want := strings.Join(got, ", "), "1.1 mime, 1.2 mime, 3.HEADER, 3.1, 2 head mime, 3 head mime"; s != want {
		t.Errorf("%s, not %s", s, want)
	}
}

func TestPartsThatCameNotAreShownAsCut(t *testing.T) {
	p := NewPlan(ReadHeader([]byte("Subject: x\n\n")), &Structure{Section: "1", Type: "text", Subtype: "plain", Size: 10})
	m := p.Assemble(nil, nil)
	if len(m.Blocks) != 1 || !m.Blocks[0].Cut || len(m.Faults) == 0 {
		t.Errorf("%v %v", m.Blocks, m.Faults)
	}
}

func TestUntrueEncodingsAreCorrectedForTheDownload(t *testing.T) {
	line := strings.Repeat("QUJD", 19) + "\r\n"
	s := &Structure{Section: "1", Type: "image", Subtype: "png", Encoding: "7bit", Size: int64(len(line) * 100)}
	p := NewPlan(ReadHeader([]byte("Content-Type: image/png\n\n")), s)
	if w := p.Wanted(); len(w) != 1 || w[0].HeaderOnly || w[0].Max != maxSample {
		t.Fatal("the beginning must be looked at:", w)
	}
	p.Assemble(map[string][]byte{"1": []byte(strings.Repeat(line, 30))[:maxSample]}, nil)
	if s.Encoding != "base64" {
		t.Error(s.Encoding)
	}
}

func TestLongTextsAreCutAtALine(t *testing.T) {
	m := Read([]byte("\n" + strings.Repeat("0123456789012345678901234567890123456789\n", 60000)))
	b := m.Blocks[0]
	if !b.Cut || len(b.Text) > maxShown || !strings.HasSuffix(b.Text, "\n") {
		t.Errorf("%v, %d bytes", b.Cut, len(b.Text))
	}
}
