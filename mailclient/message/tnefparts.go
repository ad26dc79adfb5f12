package message

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// nodes makes parts of what a TNEF file holds: bodies, which are shown when the mail has no other, and files.
func (t *tnefFile) nodes(from *node) (out []*node) {
	text := func(subtype, s string, charset string, raw []byte) {
		if raw == nil {
			raw = []byte(s)
		}
		n := virtual(from, len(out)+1, "", raw)
		n.typ, n.subtype, n.params, n.spare, n.disposition = "text", subtype, map[string]string{"charset": charset}, true, ""
		out = append(out, n)
	}
	switch {
	case len(bytes.TrimSpace(t.html)) > 0:
		text("html", "", t.codepage, t.html)
	case strings.TrimSpace(t.htmlText) != "":
		text("html", t.htmlText, "utf-8", nil)
	case strings.TrimSpace(t.text) != "":
		text("plain", t.text, "utf-8", nil)
	case strings.TrimSpace(t.rtf) != "":
		text("plain", t.rtf, "utf-8", nil)
	}
	for _, a := range t.files {
		if n := a.node(from, len(out)+1); n != nil {
			out = append(out, n)
		} else {
			t.whole = false
		}
	}
	return out
}

// node makes a part of an attachment; nil when it holds nothing.
func (a *tnefAttachment) node(from *node, i int) *node {
	name := a.long
	if strings.TrimSpace(name) == "" {
		name = a.name
	}
	if a.mail != nil {
		raw := a.mail.mail()
		n := virtual(from, i, "", raw)
		n.typ, n.subtype = "message", "rfc822"
		n.nested = readTree(raw, n.section, from.pay, 1)
		n.nestedHeader = n.nested.header
		return n
	}
	if !a.hasData {
		return nil
	}
	n := virtual(from, i, name, a.data)
	if a.id != "" {
		n.id, n.disposition = a.id, "inline"
	}
	if typ, sub, ok := strings.Cut(a.mime, "/"); ok && isParamName(typ) && typ != "multipart" && typ != "message" && isToken(sub) {
		n.typ, n.subtype = typ, sub
		if n.id == "" {
			n.disposition = "attachment"
		}
	}
	return n
}

func isToken(s string) bool {
	return s != "" && !strings.ContainsAny(s, " \t\r\n/;\"()<>@,:\\[]?=") && isASCII(s)
}

// mail writes a message that was attached inside a TNEF file as a mail of its own, so that it can be read and saved.
func (t *tnefFile) mail() []byte {
	var b bytes.Buffer
	field := func(name, v string) {
		if v != "" {
			b.WriteString(name + ": " + wordFor(v) + "\r\n")
		}
	}
	field("Subject", t.subject)
	if t.from != "" {
		name, addr, _ := strings.Cut(strings.TrimSuffix(t.from, ">"), "<")
		b.WriteString("From: " + wordFor(strings.TrimSpace(name)) + " <" + strings.Map(dropBreak, addr) + ">\r\n")
	}
	const boundary = "----=_tnef_parts"
	b.WriteString("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"" + boundary + "\"\r\n\r\n")
	holder := &node{section: "0"}
	for _, n := range t.nodes(holder) {
		b.WriteString("--" + boundary + "\r\nContent-Type: " + n.kind())
		if cs := n.params["charset"]; cs != "" {
			b.WriteString("; charset=" + cs)
		}
		b.WriteString("\r\nContent-Transfer-Encoding: base64\r\n")
		if name := cleanName(n.rawName(), ""); name != "" {
			b.WriteString("Content-Disposition: attachment; filename=\"" + wordFor(strings.ReplaceAll(name, `"`, "'")) + "\"\r\n")
		}
		if n.id != "" {
			b.WriteString("Content-ID: <" + strings.Map(dropBreak, n.id) + ">\r\n")
		}
		b.WriteString("\r\n")
		writeBase64(&b, n.body)
	}
	b.WriteString("--" + boundary + "--\r\n")
	return b.Bytes()
}

func dropBreak(r rune) rune {
	if r < ' ' || r == '<' || r == '>' {
		return -1
	}
	return r
}

// wordFor writes a value as encoded-words of at most 45 bytes each when it is not plain (RFC 2047).
func wordFor(s string) string {
	s = oneLine(s)
	if isASCII(s) && !strings.Contains(s, "=?") && len(s) < 900 {
		return s
	}
	var words []string
	for s != "" {
		n := min(len(s), 45)
		for n < len(s) && n > 0 && s[n]&0xc0 == 0x80 {
			n--
		}
		words = append(words, "=?utf-8?B?"+base64.StdEncoding.EncodeToString([]byte(s[:n]))+"?=")
		s = s[n:]
	}
	return strings.Join(words, "\r\n ")
}

func writeBase64(b *bytes.Buffer, data []byte) {
	for len(data) > 0 {
		n := min(len(data), 57)
		b.WriteString(base64.StdEncoding.EncodeToString(data[:n]) + "\r\n")
		data = data[n:]
	}
}
