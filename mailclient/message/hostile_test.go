package message

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// hostile mails are made to cost much: each must be read all the same.
func hostile() map[string][]byte {
	out := map[string][]byte{}
	add := func(name, s string) { out[name] = []byte(s) }
	var deep, flat, addrs, params, fields, nested strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&deep, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
		fmt.Fprintf(&addrs, "a%d@x, ", i*7)
		fmt.Fprintf(&params, "; p%d*%d*=utf-8''x", i%50, i)
		nested.WriteString("Content-Type: message/rfc822\n\n")
	}
	for i := range 200000 {
		flat.WriteString("--b\n\nx\n")
		fmt.Fprintf(&fields, "X-%d: y\n", i)
	}
	add("deep multiparts", deep.String())
	add("flat parts", "Content-Type: multipart/mixed; boundary=b\n\n"+flat.String())
	add("many addresses", "To: "+strings.Repeat(addrs.String(), 10)+"\n\n")
	add("8-bit names", "From: "+strings.Repeat("\xe9\xff <a@b>,", 20000)+"\n\n")
	add("8-bit words", "Subject: "+strings.Repeat("=?x?Q?=E9=FF?= a ", 15000)+"\n\n")
	add("8-bit parts", "Content-Type: multipart/mixed; boundary=b\n\n"+strings.Repeat("--b\nContent-Type: a/b; name=\xe9\xff\n\n\n--b\n\n\xe9\xff\n", 1000))
	add("open quotes", "To: "+strings.Repeat(`"a <b (`, 100000)+"\n\n")
	add("many parameters", "Content-Type: text/plain"+params.String()+"\n\nx")
	add("many fields", fields.String()+"\nx")
	add("nested mails", nested.String())
	add("no end of header", strings.Repeat("junk without colon\n", 300000))
	add("encoded words", "Subject: "+strings.Repeat("=?utf-8?B?YQ?= ", 200000)+"\n\n")
	add("half encoded words", "Subject: "+strings.Repeat("=?utf-8?Q?", 200000)+"\n\n")
	add("begins", "\n"+strings.Repeat("begin 644 x\n", 300000))
	add("yencs", "\n"+strings.Repeat("=ybegin  name=x\n=yend\n", 200000))
	add("binhexes", "\n"+strings.Repeat(string(binHexMark)+"\n", 100000))
	add("zeros", "\nbegin 644 x\n"+strings.Repeat("M\n", 2000000)+"end\n")
	add("open tags", "Content-Type: text/html\n\n"+strings.Repeat("<a href='", 400000))
	add("open comments", "Content-Type: text/html\n\n"+strings.Repeat("<!--<style><", 300000))
	add("dashes", "Content-Type: multipart/mixed\n\n"+strings.Repeat("--\n--a\n---\n", 300000))
	add("quotes", "\n"+strings.Repeat(strings.Repeat("> ", 50)+"x\ny\n", 50000))
	add("many originals", "\n"+strings.Repeat("----- Original Message -----\nFrom: x@y\n", 100000))
	add("links", "\n"+strings.Repeat("<http://a@b ", 300000))
	add("ats", "\n"+strings.Repeat("a@", 2000000))
	add("flowed", "Content-Type: text/plain; format=flowed\n\n"+strings.Repeat(">>>>>>>>>>a \n", 300000))
	add("cids", "Content-Type: text/html\n\n"+strings.Repeat("<img src=cid:", 300000))
	add("base64 of nothing", "Content-Transfer-Encoding: base64\n\n"+strings.Repeat("=\n", 2000000))
	add("escape sequences", "\n"+strings.Repeat("\x1b$B\x1b(B", 1000000))
	add("marks", "\n"+strings.Repeat("a"+strings.Repeat("\u0301", 100), 30000))
	add("high bytes", "\n"+strings.Repeat("\xe9\xf8 ", 1500000))
	add("calendar", "Content-Type: text/calendar\n\nBEGIN:VEVENT\n"+strings.Repeat("SUMMARY;a=\";b=\":x\n", 100000))
	add("calendar zones", "Content-Type: text/calendar\n\nBEGIN:VEVENT\n"+strings.Repeat("DTSTART;TZID=a/b/c/d/e/f/g:20260101T000000\nATTENDEE;CN=x:mailto:%41\n", 50000))
	add("enriched", "Content-Type: text/enriched\n\n"+strings.Repeat("<a\n", 700000))
	enc := []byte("From: a\n\ninner")
	for range 25 {
		var b bytes.Buffer
		b.WriteString("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n")
		writeBase64(&b, enc)
		enc = b.Bytes()
	}
	out["base64 in base64"] = enc
	return out
}

func TestHostileMailsAreReadAllTheSame(t *testing.T) {
	for name, raw := range hostile() {
		t.Run(name, func(t *testing.T) {
			checkMessage(t, Read(raw), 0)
		})
	}
}
