package message

import (
	"fmt"
	"strings"
	"testing"
)

// parts writes a multipart of a subtype; each part is its header lines, a blank line, and its body.
func parts(subtype string, list ...string) string {
	boundary := fmt.Sprintf("b%d", len(strings.Join(list, "")))
	out := "Content-Type: multipart/" + subtype + "; boundary=" + boundary + "\n\n"
	for _, p := range list {
		out += "--" + boundary + "\n" + p + "\n"
	}
	return out + "--" + boundary + "--\n"
}

const (
	plainPart = "Content-Type: text/plain\n\nplain text"
	htmlPart  = "Content-Type: text/html\n\n<p>HTML <img src='cid:i1'></p>"
	pngPart   = "Content-Type: image/png; name=i.png\nContent-ID: <i1>\n\nx"
	png2Part  = "Content-Type: image/png; name=j.png\nContent-ID: <i2>\n\ny"
	pdfPart   = "Content-Type: application/pdf; name=a.pdf\nContent-Disposition: attachment\n\nz"
	icsPart   = "Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Lunch\\, long\nDTSTART;TZID=Europe/Prague:20261106T120000\nDURATION:PT1H30M\nLOCATION:Café\nORGANIZER;CN=Ada:mailto:ada@x.test\nEND:VEVENT\nEND:VCALENDAR"
)

// seen writes what a mail shows and lists: t text, h HTML, i picture, c card; files with (inline) and (technical).
func seen(m *Message) string {
	var out []string
	for _, b := range m.Blocks {
		switch b.Kind {
		case BlockText:
			out = append(out, "t:"+strings.TrimSpace(b.Text))
		case BlockHTML:
			out = append(out, "h:"+strings.TrimSpace(htmlText(b.Text)))
		case BlockImage:
			out = append(out, "i:"+b.Section)
		case BlockCard:
			out = append(out, "c:"+b.Card.Kind)
		}
	}
	for _, f := range m.Files {
		s := f.Name
		if f.Inline {
			s += "(inline)"
		}
		if f.Technical {
			s += "(technical)"
		}
		out = append(out, s)
	}
	return strings.Join(out, " | ")
}

func TestWhatIsShownAndListed(t *testing.T) {
	mail := "Content-Type: message/rfc822\n\nSubject: Inner/one\nFrom: x@y\n\ninner text"
	for _, c := range []struct{ name, in, want string }{
		{"no MIME at all", "Subject: x\n\nhello", "t:hello"},
		{"alternative", parts("alternative", plainPart, htmlPart), "h:HTML"},
		{"alternative in the wrong order", parts("alternative", htmlPart, plainPart), "h:HTML"},
		{"empty HTML loses", parts("alternative", plainPart, "Content-Type: text/html\n\n<html><body><br></body></html>"), "t:plain text"},
		{"alternative used as mixed", parts("alternative", pdfPart, pngPart), "a.pdf | i.png"},
		{"two texts in an alternative", parts("alternative", plainPart, "Content-Type: text/plain\n\nother"), "t:plain text | t:other"},
		{"invitation beside the text", parts("alternative", plainPart, icsPart), "t:plain text | c:calendar | invitation 1.ics"},
		{"related", parts("related", htmlPart, pngPart, png2Part), "h:HTML | i.png(inline) | j.png"},
		{"related with the picture first", parts("related", pngPart, htmlPart), "h:HTML | i.png(inline)"},
		{"related with start", strings.Replace(parts("related", "Content-Type: text/html\n\n<p>other", "Content-ID: <r>\n"+htmlPart), "related;", "related; start=\"<r>\";", 1), "h:HTML | part 1.html"},
		{"picture of the HTML in mixed", parts("mixed", htmlPart, pngPart), "h:HTML | i.png(inline)"},
		{"text, picture, text", parts("mixed", plainPart, strings.Replace(pngPart, "\n\n", "\nContent-Disposition: inline\n\n", 1), "\nmore"), "t:plain text | i:2 | t:more | i.png"},
		{"a picture of the HTML is not shown twice", parts("mixed", htmlPart, strings.Replace(pngPart, "\n\n", "\nContent-Disposition: inline\n\n", 1)), "h:HTML | i.png(inline)"},
		{"a named text after the first is a file", parts("mixed", plainPart, "Content-Type: text/plain; name=x.txt\n\nx"), "t:plain text | x.txt"},
		{"an attached text is a file", parts("mixed", plainPart, "Content-Disposition: attachment\n\nx"), "t:plain text | part 1.txt"},
		{"unless it is the only one and has no name", parts("mixed", "Content-Disposition: attachment\n\nx", pdfPart), "t:x | a.pdf"},
		{"signed", parts("signed", plainPart, "Content-Type: application/pgp-signature; name=s.asc\n\nsig"), "t:plain text | c:signed | s.asc(technical)"},
		{"encrypted", parts("encrypted", "Content-Type: application/pgp-encrypted\n\nVersion: 1", "Content-Type: application/octet-stream; name=e.asc\n\nx"), "c:encrypted | part 1.asc(technical) | e.asc"},
		{"S/MIME enveloped", "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\n\nx", "c:encrypted | smime.p7m"},
		{"AppleDouble", parts("appledouble", "Content-Type: application/applefile; name=r\n\nx", pdfPart), "r(technical) | a.pdf"},
		{"an attached mail", parts("mixed", plainPart, mail), "t:plain text | c:message | Inner-one.eml"},
		{"digest", parts("digest", "\nSubject: one\n\nx", "\nSubject: two\n\ny"), "c:message | c:message | one.eml | two.eml"},
		{"unknown multipart", parts("strange", plainPart, pdfPart), "t:plain text | a.pdf"},
		{"partial", "Content-Type: message/partial; number=2; total=3; id=x\n\nx", "c:partial | part 1"},
		{"external body", "Content-Type: message/external-body; access-type=URL; url=\"https://x.test/a\"\n\nContent-Type: a/b\n\n", "c:external | part 1(technical)"},
		{"enriched", "Content-Type: text/enriched\n\n<bold>a</bold><param>red</param>\nb\n\nc<<d", "t:a b\nc<d"},
		{"uuencode in a text", "\nhi\nbegin 644 x.bin\n#86)C\n`\nend\n", "t:hi | x.bin"},
		{"the same file twice", parts("mixed", plainPart, pdfPart, pdfPart), "t:plain text | a.pdf | a.pdf(technical)"},
		{"two files of one name", parts("mixed", plainPart, pdfPart, strings.Replace(pdfPart, "\nz", "\nother", 1)), "t:plain text | a.pdf | a (2).pdf"},
		{"AMP is hidden", parts("alternative", plainPart, "Content-Type: text/x-amp-html\n\n<html amp>", htmlPart), "h:HTML"},
		{"a file beside the HTML of an alternative", parts("alternative", plainPart, parts("mixed", htmlPart, pdfPart)), "h:HTML | a.pdf"},
		{"boundary that never occurs", "Content-Type: multipart/mixed; boundary=never\n\nthere is text", "t:there is text"},
		{"no boundary parameter", "Content-Type: multipart/mixed\n\n--q\n\nfound\n--q--\n", "t:found"},
		{"multipart in base64", "Content-Type: multipart/mixed; boundary=q\nContent-Transfer-Encoding: base64\n\nLS1xCgpmb3VuZAotLXEtLQo=\n", "t:found"},
		{"multipart labelled quoted-printable", "Content-Transfer-Encoding: quoted-printable\n" + parts("mixed", plainPart, "Content-Type: a/b; name=x\nContent-Transfer-Encoding: base64\n\nYQ=="), "t:plain text | x"},
		{"parts after the closing boundary", parts("mixed", plainPart) + "\n--b41--\nContent-Type: text/plain\n\nlate", "t:plain text"},
	} {
		m := Read([]byte(c.in))
		if got := seen(m); got != c.want {
			t.Errorf("%s: %s, not %s", c.name, got, c.want)
		}
		if other, ok := byStructure(crlf([]byte(c.in))); ok && !strings.Contains(c.name, "same file twice") {
			if diff := difference(other, Read(crlf([]byte(c.in)))); diff != "" {
				t.Errorf("%s by structure: %s", c.name, diff)
			}
		}
	}
}

func TestPlainAlternativeIsKept(t *testing.T) {
	m := Read([]byte(parts("alternative", plainPart, htmlPart)))
	if m.PlainAlt != "plain text" || !m.HTMLAlt || m.Preview() != "plain text" {
		t.Errorf("%q %v %q", m.PlainAlt, m.HTMLAlt, m.Preview())
	}
}

func TestCardsAreReadable(t *testing.T) {
	report := parts("report", plainPart, "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.x.test\n\nFinal-Recipient: rfc822; bo@x.test\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 no such\n user\n\nFinal-Recipient: rfc822; cy@x.test\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 no such user\n",
		"Content-Type: text/rfc822-headers\n\nSubject: first\nFrom: Ada <ada@x.test>\nDate: 2 Jan 2006 15:04:05 +0100")
	for _, c := range []struct{ name, in, want string }{
		{"delivery report", report, "report action=failed detail=1.1 diagnostic=550 no such user host=mx.x.test next=address recipient=bo@x.test, cy@x.test status=5.1.1"},
		{"delayed", "Content-Type: message/delivery-status\n\nFinal-Recipient: rfc822; a@b\nAction: delayed\nStatus: 4.4.1 (x)\n", "report action=delayed detail=4.1 next=again recipient=a@b status=4.4.1"},
		{"receipt", "Content-Type: message/disposition-notification\n\nFinal-Recipient: rfc822;a@b\nDisposition: manual-action/MDN-sent-manually; displayed\n", "receipt action=displayed recipient=a@b"},
		{"complaint", "Content-Type: message/feedback-report\n\nFeedback-Type: abuse\nVersion: 1\nOriginal-Rcpt-To: <a@b>\nSource-IP: 192.0.2.1\n", "arf action=abuse recipient=a@b source=192.0.2.1"},
		{"invitation", icsPart, "calendar end=2026-11-06 13:30 (Europe/Prague) location=Café method=request organizer=Ada <ada@x.test> start=2026-11-06 12:00 (Europe/Prague) summary=Lunch, long"},
		{"whole days", "Content-Type: text/calendar\n\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20260101\nDTEND;VALUE=DATE:20260103\nSUMMARY:Tr\n ip\nEND:VEVENT\n", "calendar end=2026-01-02 start=2026-01-01 summary=Trip"},
		{"partial", "Content-Type: message/partial; number=2; total=3; id=x\n\nx", "partial id=x number=2 total=3"},
		{"external body", "Content-Type: message/external-body; access-type=anon-ftp; site=ftp.x.test; directory=/pub; name=a.txt\n\n", "external access=anon-ftp location=ftp://ftp.x.test/pub/a.txt name=a.txt"},
		{"attached mail", "Content-Type: message/rfc822\n\nSubject: s\nFrom: Ada <a@x>\nDate: 2 Jan 2006 15:04:05 +0100\n\n" + strings.Repeat("long ", 300), "message date=2006-01-02 15:04 +01:00 from=Ada <a@x> name=s text=" + strings.Repeat("long ", 200) + "…"},
		{"inline OpenPGP", "\n-----BEGIN PGP MESSAGE-----\n\nx\n", "encrypted name=OpenPGP"},
	} {
		got := ""
		for _, b := range Read([]byte(c.in)).Blocks {
			if b.Card != nil && got == "" {
				got = b.Card.Kind
				for _, k := range strings.Fields("access action date detail diagnostic end from host id location method next number organizer recipient source start status summary text name total") {
					if v := b.Card.Fields[k]; v != "" && k != "name" && k != "text" {
						got += " " + k + "=" + v
					}
				}
				for _, k := range []string{"name", "text"} {
					if v := b.Card.Fields[k]; v != "" {
						got += " " + k + "=" + v
					}
				}
			}
		}
		want := sortedFields(c.want)
		if sortedFields(got) != want {
			t.Errorf("%s:\n%s, not\n%s", c.name, got, c.want)
		}
	}
}

// sortedFields makes the order of fields in a line not matter.
func sortedFields(s string) string {
	words := strings.Fields(s)
	counts := map[string]int{}
	for _, w := range words {
		counts[w]++
	}
	return fmt.Sprint(counts)
}

func TestRowsKnowFilesAndText(t *testing.T) {
	for _, c := range []struct {
		name, in, text string
		files          bool
	}{
		{"plain", "\nhello", "1", false},
		{"alternative", parts("alternative", plainPart, htmlPart), "1", false},
		{"HTML with its pictures", parts("related", htmlPart, pngPart), "1", false},
		{"a file", parts("mixed", parts("alternative", plainPart, htmlPart), pdfPart), "1.1", true},
		{"only a file", pdfPart, "", true},
		{"signed", parts("signed", plainPart, "Content-Type: application/pgp-signature\n\nsig"), "1", false},
		{"report", parts("report", plainPart, "Content-Type: message/delivery-status\n\nAction: failed\n", "Content-Type: message/rfc822\n\nSubject: x\n\ny"), "1", false},
		{"attached mail", parts("mixed", plainPart, "Content-Type: message/rfc822\n\nSubject: x\n\ny"), "1", true},
		{"nothing but an attached mail", "Content-Type: message/rfc822\n\nSubject: x\n\ny", "1.1", true},
	} {
		s := serverReads(crlf([]byte(c.in)), "", false, 0).structure("", true)
		text := ""
		if n := FirstText(s); n != nil {
			text = n.Section
		}
		if names, files := Attached(s); text != c.text || files != c.files {
			t.Errorf("%s: text %q, files %v %q", c.name, text, files, names)
		}
	}
}
