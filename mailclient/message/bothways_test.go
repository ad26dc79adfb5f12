package message

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// alike is how many mails of the corpus came out the same both ways last. It only goes up.
const alike = 361

// TestBothWays reads each mail of the corpus from its bytes, and by the structure and the parts that a plain
// IMAP server makes of it, and compares what is shown and listed.
func TestBothWays(t *testing.T) {
	same, odd, all := 0, 0, corpus(t)
	for _, r := range all {
		raw := crlf(rawMail(t, r))
		got, ok := byStructure(raw)
		if !ok {
			odd++
			continue
		}
		if diff := difference(got, Read(raw)); diff != "" {
			t.Logf("%s: %s", r.ID, diff)
			continue
		}
		same++
	}
	t.Logf("%d of %d mails the same both ways, %d more are read by bytes for want of a plausible structure", same, len(all), odd)
	if same < alike {
		t.Errorf("%d mails are the same both ways, %d were before", same, alike)
	}
}

// crlf makes a mail such as servers store it.
func crlf(b []byte) []byte {
	b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))
}

// byStructure reads a mail as it is read from a server; false when the plan says that it must be read by bytes.
func byStructure(raw []byte) (*Message, bool) {
	srv := serverReads(raw, "", false, 0)
	p := NewPlan(ReadHeader(srv.header), srv.structure("", true))
	if p.Implausible() {
		return nil, false
	}
	parts, mime := map[string][]byte{}, map[string][]byte{}
	for _, w := range p.Wanted() {
		body, head := srv.find(w.Section)
		if !w.HeaderOnly {
			parts[w.Section] = body[:min(int64(len(body)), w.Max)]
		}
		if w.MIME {
			mime[w.Section] = head
		}
	}
	m := p.Assemble(parts, mime)
	return m, !p.Implausible()
}

// difference tells the first thing in which two messages differ; sizes may, where one is an estimate.
func difference(a, b *Message) string {
	if len(a.Blocks) != len(b.Blocks) {
		return fmt.Sprintf("blocks %s, not %s", outline(a), outline(b))
	}
	for i := range a.Blocks {
		x, y := a.Blocks[i], b.Blocks[i]
		if x.Kind != y.Kind || x.Section != y.Section || x.Text != y.Text || x.Cut != y.Cut {
			return fmt.Sprintf("block %d %d@%s %.200q %v, not %d@%s %.200q %v", i, x.Kind, x.Section, x.Text, x.Cut, y.Kind, y.Section, y.Text, y.Cut)
		}
		if x.Card != nil && !reflect.DeepEqual(x.Card, y.Card) {
			return fmt.Sprintf("card %v, not %v", *x.Card, *y.Card)
		}
	}
	if a.PlainAlt != b.PlainAlt {
		return fmt.Sprintf("plain %.200q, not %.200q", a.PlainAlt, b.PlainAlt)
	}
	if fileList(a) != fileList(b) {
		return fmt.Sprintf("files %s, not %s", fileList(a), fileList(b))
	}
	return ""
}

func outline(m *Message) (out string) {
	for _, b := range m.Blocks {
		out += fmt.Sprintf("%d@%s ", b.Kind, b.Section)
	}
	return out
}

func fileList(m *Message) string {
	var out []string
	for _, f := range m.Files {
		out = append(out, fmt.Sprint(f.Section, " ", f.Name, " ", f.Type, " ", f.Encoding, f.ContentID, f.Location, f.Inline, f.Technical, f.Nested))
	}
	return strings.Join(out, "; ")
}
