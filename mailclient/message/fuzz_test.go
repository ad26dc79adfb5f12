package message

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzRead(f *testing.F) {
	for _, r := range corpus(f) {
		if raw := rawMail(f, r); len(raw) < 16<<10 {
			f.Add(raw)
		}
	}
	f.Add(mailWith("application/ms-tnef", sampleTNEF()))
	f.Fuzz(func(t *testing.T, raw []byte) {
		checkMessage(t, Read(raw), 0)
		if m, ok := byStructure(crlf(raw)); ok {
			checkMessage(t, m, 0)
		}
	})
}

// checkMessage checks what must hold of any mail.
func checkMessage(t *testing.T, m *Message, depth int) {
	t.Helper()
	if depth > maxNested {
		t.Fatal("nested too deep")
	}
	valid := func(what, s string) {
		if !utf8.ValidString(s) || strings.ContainsAny(s, "\x00\x01\x1b\r") {
			t.Fatalf("%s is not fit for a page: %q", what, s)
		}
	}
	valid("subject", m.Header.Subject())
	for _, a := range m.Header.From() {
		valid("name", a.Name)
		valid("address", a.Addr)
	}
	for _, b := range m.Blocks {
		valid("text", b.Text)
		if b.Card != nil {
			for k, v := range b.Card.Fields {
				valid(k, v)
			}
		}
		Quoted(b.Text)
		Links(b.Text)
	}
	valid("plain", m.PlainAlt)
	valid("preview", m.Preview())
	seen := map[string]bool{}
	for _, f := range m.Files {
		valid("file name", f.Name)
		if f.Name == "" || strings.ContainsAny(f.Name, `/\`) || seen[f.Section] {
			t.Fatalf("file %q at %q", f.Name, f.Section)
		}
		seen[f.Section] = true
	}
	for _, n := range m.Nested {
		checkMessage(t, n, depth+1)
	}
}

func FuzzHeader(f *testing.F) {
	for _, s := range []string{"From: a@b\nSubject: =?utf-8?B?4pyT?=\n\nbody", "Subject: a\nb without colon\nTo: x\n\n", " From: a\n\n", "a:\r\n \r\n\r\nb", "Date: Mon, 32 Jan\n",
		"References: <a@b> <c @ d> e@f\n\n", "Content-Type: multipart/mixed; boundary*0=a; boundary*1=b\n\n",
		"Authentication-Results: mx (a; \\) b); dmarc=pass \"x; spf=fail\n\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		h := ReadHeader(raw)
		h.Date()
		h.Verdict("mx", "dmarc")
		for _, s := range append(append(h.References(), h.InReplyTo()...), h.Subject(), h.MessageID(), h.Text("X-Any")) {
			_ = s
		}
		if s := h.Subject(); !utf8.ValidString(s) || strings.Contains(s, "\n") {
			t.Fatalf("subject %q", s)
		}
	})
}

func FuzzAddress(f *testing.F) {
	for _, s := range []string{"a@b", "Miller, Jane <j@x>", `"a\"b" <c@d>, e`, "g: a@b, c@d;", "undisclosed-recipients:;", "<<a@b>>", "<a@b", "mailto:a@b", "=?utf-8?Q?a,b?= <c@d>", "@x,@y:a@b", `"a b"@c (d (e) f)`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		list := Addresses(s)
		if len(list) > maxAddresses {
			t.Fatal("too many")
		}
		for _, a := range list {
			if !utf8.ValidString(a.Name+a.Addr+a.Group+a.Shown()) || strings.ContainsAny(a.Name+a.Addr, "\r\n\x00") {
				t.Fatalf("%q", a)
			}
		}
	})
}

func FuzzParams(f *testing.F) {
	for _, s := range []string{"text/plain; charset=x", `a/b; name="c`, "a/b; n*0*=utf-8''%e2; n*1=x", "text/plain charset=utf-8", `attachment; filename="C:\x\y.txt"`, "; ; a=b;;", "x; a=b=c; d='e f'"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		_, params := parseParams(s, hint{budget: newBudget()})
		if len(params) > maxParams {
			t.Fatal("too many")
		}
		for k, v := range params {
			if !utf8.ValidString(v) {
				t.Fatalf("%q: %q", k, v)
			}
		}
	})
}

func FuzzTNEF(f *testing.F) {
	f.Add(sampleTNEF())
	f.Add([]byte("\x78\x9f\x3e\x22\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 4 {
			binary.LittleEndian.PutUint32(b, tnefSignature)
		}
		if tn, ok := readTNEF(b, 0); ok {
			_ = tn.mail()
		}
		checkMessage(t, Read(mailWith("application/ms-tnef", b)), 0)
		if raw, ok := decompressRTF(b); ok && len(raw) > maxRTF+20 {
			t.Fatal("RTF too long")
		}
		readRTF(string(b))
	})
}

// FuzzUU checks the small decoders of files inside texts and of transfer encodings.
func FuzzUU(f *testing.F) {
	for _, s := range []string{"a\nbegin 644 x\n#86)C\n`\nend\nb", "=ybegin line=128 size=3 name=x\nabc\n=yend size=3\n", "begin 644 x\n", "begin-base64 644 x\nYWJj\n====\n", "QQ==\n\n____\nfooter text here"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		rest, files := cutUU(b)
		total := len(rest)
		for _, file := range files {
			total += len(file.body)
		}
		if int64(total) > 3*decodedLimit(b) {
			t.Fatalf("%d bytes out of %d", total, len(b))
		}
		for _, enc := range []string{"base64", "quoted-printable", "uuencode"} {
			if out := decodeTransfer(b, enc); int64(len(out)) > decodedLimit(b) {
				t.Fatalf("%s: %d bytes out of %d", enc, len(out), len(b))
			}
		}
	})
}

// mailWith is a mail whose only part is an attachment of a type.
func mailWith(typ string, body []byte) []byte {
	var b bytes.Buffer
	b.WriteString("Subject: s\r\nContent-Type: " + typ + "\r\nContent-Transfer-Encoding: base64\r\n\r\n")
	writeBase64(&b, body)
	return b.Bytes()
}
