package compose_test

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"regexp"
	"strings"
	"testing"

	"restante/mailclient/compose"
)

var quoted = regexp.MustCompile(`=\?utf-8\?q\?(.*?)\?=`)

// TestADomainIsInASCIIOnTheWay: a field in other letters needs a server with SMTPUTF8 (RFC 6532), which an address whose
// domain alone has them does not.
func TestADomainIsInASCIIOnTheWay(t *testing.T) {
	anna, bo := compose.Address{Name: "Anna Bücher", Addr: "anna@bücher.example"}, compose.Address{Addr: "bo@Пример.рф"}
	var raw bytes.Buffer
	d := compose.Draft{From: anna, To: []compose.Address{bo}, Cc: []compose.Address{anna}, ReplyTo: "post@bücher.example", Subject: "x", Text: "x", MessageID: compose.NewMessageID(anna.Addr)}
	if err := compose.Write(&raw, d); err != nil {
		t.Fatal(err)
	}
	m, err := mail.ReadMessage(&raw)
	if err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]string{
		"From": "=?utf-8?q?Anna_B=C3=BCcher?= <anna@xn--bcher-kva.example>", "Cc": "=?utf-8?q?Anna_B=C3=BCcher?= <anna@xn--bcher-kva.example>",
		"To": "<bo@xn--e1afmkfd.xn--p1ai>", "Reply-To": "<post@xn--bcher-kva.example>",
	} {
		if got := m.Header.Get(field); got != want {
			t.Errorf("%s: %s", field, got)
		}
	}
	if id := m.Header.Get("Message-Id"); !strings.HasSuffix(id, "@xn--bcher-kva.example>") {
		t.Error(id)
	}
}

// TestHeadersAreAsTheStandardsWantThem: folded lines of at most 76 octets round encoded words (RFC 2047 2), names of
// files by RFC 2231, and what any library reads is what was written.
func TestHeadersAreAsTheStandardsWantThem(t *testing.T) {
	for _, s := range []string{
		"Grüße", "Bén Müller, Jr.", "Übersicht größer 😀 “quoted” ; x.pdf", strings.Repeat("äöüß😀", 40), strings.Repeat("Sehr langer Name für viele ", 7) + "x", "日本語.txt",
		strings.Repeat("x", 190), "a =?utf-8?q?b?= c", `quote " and \ and ; 'x' %41 *.txt`, "plain words.txt",
	} {
		file := compose.File{Name: s, Type: "application/pdf", Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("x")), nil }}
		person := compose.Address{Name: s, Addr: "a@b.test"}
		var raw bytes.Buffer
		if err := compose.Write(&raw, compose.Draft{From: person, To: []compose.Address{person, person}, Subject: s, Text: "x", MessageID: "1@b.test", Files: []compose.File{file}}); err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(raw.String(), "\r\n") {
			if len(line) > 76 && !strings.HasPrefix(line, " boundary=") && !strings.Contains(line, strings.Repeat("x", 190)) {
				t.Errorf("%d octets: %s", len(line), line)
			}
		}
		for _, word := range quoted.FindAllStringSubmatch(raw.String(), -1) {
			if strings.ContainsAny(word[1], `,.;:<>()[]@"\`) {
				t.Errorf("%s may not stand in a name", word[0])
			}
		}
		m, err := mail.ReadMessage(&raw)
		if err != nil {
			t.Fatal(err)
		}
		words := &mime.WordDecoder{}
		if got, err := words.DecodeHeader(m.Header.Get("Subject")); got != s || err != nil {
			t.Errorf("subject %q, %v", got, err)
		}
		for _, field := range []string{"From", "To"} {
			if list, err := m.Header.AddressList(field); err != nil || list[0].Name != s || list[len(list)-1].Address != "a@b.test" {
				t.Errorf("%s: %q, %v", field, m.Header.Get(field), err)
			}
		}
		_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
		if err != nil {
			t.Fatal(err)
		}
		parts := multipart.NewReader(m.Body, params["boundary"])
		if _, err := parts.NextPart(); err != nil {
			t.Fatal(err)
		}
		part, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		if part.FileName() != s && !strings.Contains(s, `\`) { // of which it takes the last alone
			t.Errorf("file %q of %s", part.FileName(), part.Header.Get("Content-Disposition"))
		}
		_, params, err = mime.ParseMediaType(part.Header.Get("Content-Type"))
		if name, _ := words.DecodeHeader(params["name"]); name != s || err != nil {
			t.Errorf("name %q, %v", name, err)
		}
	}
}
