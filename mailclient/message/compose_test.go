package message_test

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"restante/mailclient/compose"
	"restante/mailclient/message"
)

// TestWhatComposeWroteIsReadAsWritten is the round trip: subjects, people, texts and files with anything in them.
func TestWhatComposeWroteIsReadAsWritten(t *testing.T) {
	texts := []string{"plain", "Grüße, „Zitat“ – 5 €", "日本語の件名がとても長いときにも文字が割れないこと、何度折り返しても同じであること", "emoji 👩‍👩‍👧 and ✓", strings.Repeat("long words ", 40),
		"=?utf-8?Q?b?=", "What does =?utf-8?Q?b?= mean, " + strings.Repeat("für uns alle, ", 9) + "=?iso-8859-1?Q?=FC?="}
	for _, s := range texts {
		s = strings.TrimSpace(s)
		body := "Hello " + s + "\n\n> quoted\n-- \nme\n"
		file, name := []byte("bytes \x00\xff "+s), strings.ReplaceAll(s, "=?", "")+".bin"
		d := compose.Draft{
			From: compose.Address{Name: "Ada " + s[:5], Addr: "ada@example.org"}, To: []compose.Address{{Name: `"Miller, Jane" (x)`, Addr: "jane@example.org"}, {Addr: "bo@example.org"}},
			Subject: s, Text: body, HTML: "<p>Hello " + s + "</p>", Date: time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC), MessageID: "1@example.org", References: []string{"0@example.org"},
			Files: []compose.File{{Name: name, Type: "application/octet-stream", Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(file)), nil }}},
		}
		var raw bytes.Buffer
		if err := compose.Write(&raw, d); err != nil {
			t.Fatal(err)
		}
		m := message.Read(raw.Bytes())
		if m.Header.Subject() != s || m.Header.MessageID() != "1@example.org" || !m.Header.Date().Equal(d.Date) {
			t.Errorf("header: %q, not %q", m.Header.Subject(), s)
		}
		if to := m.Header.To(); len(to) != 2 || to[0].Name != d.To[0].Name || to[1].Addr != "bo@example.org" {
			t.Errorf("people: %q", to)
		}
		if strings.TrimSpace(m.PlainAlt) != strings.TrimSpace(body) || !m.HTMLAlt || !strings.Contains(m.Blocks[0].Text, s) {
			t.Errorf("text: %q, not %q", m.PlainAlt, body)
		}
		if len(m.Files) != 1 || m.Files[0].Name != message.SafeName(name) || !bytes.Equal(m.Files[0].Body, file) {
			t.Errorf("files: %d, %q", len(m.Files), m.Files[0].Name)
		}
		if len(m.Faults) > 0 {
			t.Error(m.Faults)
		}
	}
}
