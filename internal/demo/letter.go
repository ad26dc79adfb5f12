package demo

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"
)

// letter is a sample mail before it is written out as MIME.
type letter struct {
	box     string
	flags   string // words: seen, flagged, answered, draft, forwarded
	from    mail.Address
	to, cc  []mail.Address
	subject string
	date    time.Time
	id      string   // without brackets; empty: made from subject and date
	refs    []string // Message-IDs of the conversation so far, oldest first
	text    string
	html    string
	flowed  bool
	inline  []file   // pictures shown by cid in html
	files   []file   // attachments
	extra   []string // further header lines
	raw     []byte   // the whole message, when it is written by hand
}

// file is an attachment or an inline picture.
type file struct {
	name, media string
	data        []byte
	cid         string
	plain       bool // the data goes out as it is: for message/rfc822 and text/calendar
}

func (l *letter) messageID() string {
	if l.id == "" {
		h := fnv.New64a()
		fmt.Fprint(h, l.subject, l.date.UnixNano(), l.from.Address)
		_, host, _ := strings.Cut(l.from.Address, "@")
		l.id = fmt.Sprintf("%x.%d@%s", h.Sum64(), l.date.Unix(), host)
	}
	return l.id
}

// bytes writes the letter.
func (l *letter) bytes() []byte {
	if l.raw != nil {
		return withCRLF(l.raw)
	}
	var b bytes.Buffer
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
		}
	}
	field("Date", l.date.Format(time.RFC1123Z))
	field("From", l.from.String())
	field("To", addressList(l.to))
	field("Cc", addressList(l.cc))
	field("Subject", foldedWords(l.subject))
	field("Message-ID", "<"+l.messageID()+">")
	if n := len(l.refs); n > 0 {
		field("In-Reply-To", "<"+l.refs[n-1]+">")
		field("References", "<"+strings.Join(l.refs, ">\r\n <")+">")
	}
	for _, line := range l.extra {
		b.WriteString(line + "\r\n")
	}
	field("MIME-Version", "1.0")
	b.Write(l.body())
	return b.Bytes()
}

// foldedWords encodes a subject as RFC 2047 says, a line for each encoded word.
func foldedWords(s string) string {
	return strings.ReplaceAll(mime.QEncoding.Encode("utf-8", s), "?= =?", "?=\r\n =?")
}

func addressList(list []mail.Address) string {
	var all []string
	for _, a := range list {
		all = append(all, a.String())
	}
	return strings.Join(all, ",\r\n ")
}

// body nests text, HTML, inline pictures and attachments as most programs do.
func (l *letter) body() []byte {
	part := l.textPart()
	if l.html != "" {
		rich := encodedPart("text/html; charset=utf-8", l.html)
		if len(l.inline) > 0 {
			parts := [][]byte{rich}
			for _, f := range l.inline {
				parts = append(parts, filePart(f))
			}
			rich = l.multipart("related", parts)
		}
		if l.text == "" {
			part = rich
		} else {
			part = l.multipart("alternative", [][]byte{part, rich})
		}
	}
	if len(l.files) == 0 {
		return part
	}
	parts := [][]byte{part}
	for _, f := range l.files {
		parts = append(parts, filePart(f))
	}
	return l.multipart("mixed", parts)
}

func (l *letter) textPart() []byte {
	media := "text/plain; charset=utf-8"
	if l.flowed {
		media += "; format=flowed"
	}
	return encodedPart(media, l.text)
}

func encodedPart(media, text string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "Content-Type: %s\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", media)
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write(withCRLF([]byte(text))) // a buffer takes all
	_ = w.Close()
	return b.Bytes()
}

func filePart(f file) []byte {
	var b bytes.Buffer
	params := map[string]string{}
	if f.name != "" {
		params["name"] = f.name
	}
	if f.plain && f.media != "message/rfc822" {
		params["charset"] = "utf-8"
	}
	media, more, _ := mime.ParseMediaType(f.media)
	for k, v := range more {
		params[k] = v
	}
	fmt.Fprintf(&b, "Content-Type: %s\r\n", mime.FormatMediaType(media, params))
	switch {
	case f.cid != "":
		fmt.Fprintf(&b, "Content-ID: <%s>\r\nContent-Disposition: %s\r\n", f.cid, mime.FormatMediaType("inline", map[string]string{"filename": f.name}))
	case f.name != "":
		fmt.Fprintf(&b, "Content-Disposition: %s\r\n", mime.FormatMediaType("attachment", map[string]string{"filename": f.name}))
	}
	if f.plain {
		b.WriteString("Content-Transfer-Encoding: 8bit\r\n\r\n")
		b.Write(withCRLF(f.data))
		return b.Bytes()
	}
	b.WriteString("Content-Transfer-Encoding: base64\r\n\r\n")
	code := base64.StdEncoding.EncodeToString(f.data)
	for len(code) > 76 {
		b.WriteString(code[:76] + "\r\n")
		code = code[76:]
	}
	b.WriteString(code + "\r\n")
	return b.Bytes()
}

func (l *letter) multipart(kind string, parts [][]byte) []byte {
	boundary := fmt.Sprintf("=_%s_%x", kind, l.date.UnixNano())
	var b bytes.Buffer
	fmt.Fprintf(&b, "Content-Type: multipart/%s; boundary=\"%s\"\r\n\r\n", kind, boundary)
	for _, p := range parts {
		fmt.Fprintf(&b, "--%s\r\n%s\r\n", boundary, p)
	}
	fmt.Fprintf(&b, "--%s--\r\n", boundary)
	return b.Bytes()
}
