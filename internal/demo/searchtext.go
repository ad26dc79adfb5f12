package demo

import (
	"bytes"
	"encoding/base64"
	"html"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"regexp"
	"strings"
	"time"

	"golang.org/x/text/encoding/htmlindex"
)

// maxDepth bounds how deep parts within parts are read for a search.
const maxDepth = 12

// searchText is a message as SEARCH sees it: decoded and in lower case.
type searchText struct {
	header map[string][]string // by canonical field name
	date   time.Time
	body   string
}

// readable decodes a message once; it is kept with the content.
func (c *content) readable() *searchText {
	c.once.Do(func() {
		c.text.header = map[string][]string{}
		m, err := mail.ReadMessage(bytes.NewReader(c.raw))
		if err != nil {
			return
		}
		for name, values := range m.Header {
			for _, v := range values {
				c.text.header[name] = append(c.text.header[name], fold(decodeWords(v)))
			}
		}
		c.text.date, _ = m.Header.Date()
		var b strings.Builder
		readText(&b, textproto.MIMEHeader(m.Header), m.Body, 0)
		c.text.body = fold(b.String())
	})
	return &c.text
}

func (t *searchText) hasHeader(key, value string) bool {
	for _, v := range t.header[textproto.CanonicalMIMEHeaderKey(key)] {
		if strings.Contains(v, value) {
			return true
		}
	}
	return false
}

func (t *searchText) anyHeader(value string) bool {
	for key := range t.header {
		if t.hasHeader(key, value) {
			return true
		}
	}
	return false
}

func fold(s string) string { return strings.ToLower(s) }

// readText collects the text of a part and of all below it.
func readText(b *strings.Builder, h textproto.MIMEHeader, body io.Reader, depth int) {
	media, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		media = "text/plain"
	}
	switch {
	case depth > maxDepth:
	case strings.HasPrefix(media, "multipart/"):
		mr := multipart.NewReader(body, params["boundary"])
		for {
			p, err := mr.NextRawPart()
			if err != nil {
				return
			}
			readText(b, p.Header, p, depth+1)
		}
	case media == "message/rfc822":
		m, err := mail.ReadMessage(decoded(h, body))
		if err != nil {
			return
		}
		b.WriteString(decodeWords(m.Header.Get("Subject")) + "\n")
		readText(b, textproto.MIMEHeader(m.Header), m.Body, depth+1)
	case strings.HasPrefix(media, "text/"):
		text := inUTF8(params["charset"], decoded(h, body))
		if media == "text/html" {
			text = withoutTags(text)
		}
		b.WriteString(text + "\n")
	}
}

func decoded(h textproto.MIMEHeader, body io.Reader) io.Reader {
	switch strings.ToLower(strings.TrimSpace(h.Get("Content-Transfer-Encoding"))) {
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		return quotedprintable.NewReader(body)
	}
	return body
}

func inUTF8(charset string, r io.Reader) string {
	if cr, err := charsetReader(charset, r); err == nil {
		r = cr
	}
	text, _ := io.ReadAll(r) // what could be read is searched
	return string(text)
}

// charsetReader knows the charsets of the web, ISO-2022-JP and KOI8-R among them.
func charsetReader(charset string, r io.Reader) (io.Reader, error) {
	if charset == "" {
		return r, nil
	}
	enc, err := htmlindex.Get(charset)
	if err != nil {
		return nil, err
	}
	return enc.NewDecoder().Reader(r), nil
}

// decodeWords turns the encoded words of a header field into text, RFC 2047.
func decodeWords(s string) string {
	dec := mime.WordDecoder{CharsetReader: charsetReader}
	if text, err := dec.DecodeHeader(s); err == nil {
		return text
	}
	return s
}

var (
	unseen = regexp.MustCompile(`(?is)<(style|script|head)\b.*?</(style|script|head)>`)
	tag    = regexp.MustCompile(`(?s)<[^>]*>`)
	spaces = regexp.MustCompile(`\s+`)
)

func withoutTags(s string) string {
	s = tag.ReplaceAllString(unseen.ReplaceAllString(s, " "), "")
	return spaces.ReplaceAllString(html.UnescapeString(s), " ")
}
