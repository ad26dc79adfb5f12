// Package compose turns a draft into RFC 5322 bytes: headers, alternatives,
// inline pictures, files, threading. What it writes is 7-bit, CRLF and within
// 998 octets a line, so any server takes it unchanged. Start at Write.
package compose

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"strings"
	"time"

	gomessage "github.com/emersion/go-message"
	"github.com/emersion/go-message/mail"
)

// Address is a person to write to or from. Addr is local@domain.
type Address struct{ Name, Addr string }

// File is an attachment, or with a ContentID a picture inside of the HTML.
type File struct {
	Name, Type, ContentID string
	Open                  func() (io.ReadCloser, error) // called once; closed by Write
}

// Draft is a mail to be written.
type Draft struct {
	From         Address
	ReplyTo      string
	Organization string
	To, Cc, Bcc  []Address
	Subject      string
	Text         string // always: the plain text, or the plain alternative of HTML
	HTML         string // safe HTML, "" for a plain text mail
	Date         time.Time
	MessageID    string // without brackets
	InReplyTo    string
	References   []string
	Files        []File
	Calendar     string                // an iTIP reply that stands beside the text (RFC 6047 2.4), "" for none
	DraftID      string                // set for the copy in Drafts only: "id; rev"
	Original     func(io.Writer) error // the mail is this one, sent on as it came; of all else To, From, Date and MessageID count
	Important    bool
	Receipt      bool   // the reader is asked to tell From that they read it (RFC 8098 2.1)
	Receipted    string // the mail is a receipt, and this its part for programs: see ReadReceipt
}

// DraftField is the header field of a draft's copy that holds its DraftID.
const DraftField = "X-Restante-Draft"

// ErrHeader means that a field holds CR, LF or NUL and was not written (SECURITY 5.2).
var ErrHeader = errors.New("a line break or NUL in a header field")

// NewMessageID makes "random@domain": 128 random bits, nothing about host or clock.
func NewMessageID(from string) string {
	b := make([]byte, 16)
	rand.Read(b)
	from, _ = Envelope(from)
	_, domain, ok := strings.Cut(from, "@")
	if !ok || domain == "" {
		domain = "localhost"
	}
	return hex.EncodeToString(b) + "@" + domain
}

// BccField is the Bcc line with its CRLF that stands before the mail in Sent and Drafts, "" without hidden recipients.
func BccField(d Draft) (string, error) {
	if len(d.Bcc) == 0 {
		return "", nil
	}
	var h mail.Header
	if err := setAddresses(&h, "Bcc", d.Bcc); err != nil {
		return "", err
	}
	var b strings.Builder
	fields := h.Fields()
	for fields.Next() {
		raw, err := fields.Raw()
		if err != nil {
			return "", err
		}
		b.Write(raw)
	}
	return b.String(), nil
}

// Write writes the mail without its Bcc field. Files are streamed: none is whole in memory.
func Write(w io.Writer, d Draft) error {
	if d.Original != nil {
		return writeResent(w, d)
	}
	h, err := header(d)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 64<<10)
	var files, inline []File
	for _, f := range d.Files {
		if f.ContentID != "" && d.HTML != "" {
			inline = append(inline, f)
		} else {
			files = append(files, f)
		}
	}
	if len(files) == 0 {
		err = writeBody(create(out, h.Header), d, inline)
	} else {
		err = writeMixed(out, h, d, inline, files)
	}
	return errors.Join(err, out.Flush())
}

// creator makes an entity: the mail itself, or a part of a multipart.
type creator func(h gomessage.Header) (*gomessage.Writer, error)

// create gives the creator of a mail whose fields are top; body fields are added to them.
func create(w io.Writer, top gomessage.Header) creator {
	return func(h gomessage.Header) (*gomessage.Writer, error) {
		fields := h.Fields()
		for fields.Next() {
			top.Set(fields.Key(), fields.Value())
		}
		return gomessage.CreateWriter(w, top)
	}
}

func writeMixed(w io.Writer, h mail.Header, d Draft, inline, files []File) error {
	h.SetContentType("multipart/mixed", nil)
	mixed, err := gomessage.CreateWriter(w, h.Header)
	if err != nil {
		return err
	}
	if err := writeBody(mixed.CreatePart, d, inline); err != nil {
		return err
	}
	for _, f := range files {
		if err := writeFile(mixed, f, "attachment"); err != nil {
			return err
		}
	}
	return mixed.Close()
}

// writeBody writes text, or alternative(text, calendar), alternative(text, html), alternative(text, related(html, pictures)).
func writeBody(make creator, d Draft, inline []File) error {
	if d.Receipted != "" {
		return writeReceipt(make, d)
	}
	if d.HTML == "" && d.Calendar == "" {
		return writeText(make, "plain", Flowed(d.Text))
	}
	var h gomessage.Header
	h.SetContentType("multipart/alternative", nil)
	alt, err := make(h)
	if err != nil {
		return err
	}
	if err := writeText(alt.CreatePart, "plain", Flowed(d.Text)); err != nil {
		return err
	}
	switch {
	case d.Calendar != "":
		err = writeText(alt.CreatePart, "calendar; method=REPLY", d.Calendar)
	case len(inline) == 0:
		err = writeText(alt.CreatePart, "html", d.HTML)
	default:
		err = writeRelated(alt, d.HTML, inline)
	}
	return errors.Join(err, alt.Close())
}

func writeRelated(alt *gomessage.Writer, html string, inline []File) error {
	var h gomessage.Header
	h.SetContentType("multipart/related", map[string]string{"type": "text/html"})
	rel, err := alt.CreatePart(h)
	if err != nil {
		return err
	}
	if err := writeText(rel.CreatePart, "html", html); err != nil {
		return err
	}
	for _, f := range inline {
		if err := writeFile(rel, f, "inline"); err != nil {
			return err
		}
	}
	return rel.Close()
}

func writeText(make creator, subtype, text string) error {
	var h gomessage.Header
	h.Set("Content-Type", "text/"+subtype+"; charset=utf-8")
	if subtype == "plain" {
		h.Set("Content-Type", "text/plain; charset=utf-8; format=flowed")
	}
	h.Set("Content-Transfer-Encoding", "quoted-printable")
	w, err := make(h)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, canonical(text))
	return errors.Join(err, w.Close())
}

// canonical turns every kind of line end into CRLF and drops NUL (PROTOCOLS T9).
func canonical(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "").Replace(s)
	if !strings.HasSuffix(s, "\n") {
		s += "\n"
	}
	return strings.ReplaceAll(s, "\n", "\r\n")
}

func writeFile(parent *gomessage.Writer, f File, disposition string) error {
	h, err := fileHeader(f, disposition)
	if err != nil {
		return err
	}
	w, err := parent.CreatePart(h)
	if err != nil {
		return err
	}
	r, err := f.Open()
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, r.Close(), w.Close())
}

func fileHeader(f File, disposition string) (h gomessage.Header, err error) {
	if bad(f.Name) || bad(f.ContentID) {
		return h, ErrHeader
	}
	t, params, err := mime.ParseMediaType(f.Type)
	if err != nil || strings.HasPrefix(t, "multipart/") || !strings.Contains(t, "/") {
		t, params = "application/octet-stream", nil
	}
	if params == nil {
		params = map[string]string{}
	}
	params["name"] = f.Name
	if !plain(f.Name) {
		params["name"] = encoded(f.Name) // no standard allows it here, but readers that know no RFC 2231 want it
	}
	h.SetContentType(t, params)
	h.Set("Content-Disposition", disposition+named("filename", f.Name))
	h.Set("Content-Transfer-Encoding", "base64")
	if f.ContentID != "" {
		h.Set("Content-ID", "<"+f.ContentID+">")
	}
	return h, nil
}

func header(d Draft) (h mail.Header, err error) {
	for _, v := range append([]string{d.Subject, d.Organization, d.ReplyTo, d.MessageID, d.InReplyTo, d.DraftID}, d.References...) {
		if bad(v) {
			return h, ErrHeader
		}
	}
	if d.DraftID != "" {
		h.Set(DraftField, d.DraftID)
	}
	for _, f := range []struct {
		name string
		list []Address
	}{{"Cc", d.Cc}, {"To", d.To}, {"From", []Address{d.From}}} { // fields are prepended: the last set stands first
		if err := setAddresses(&h, f.name, f.list); err != nil {
			return h, err
		}
	}
	if d.ReplyTo != "" {
		if err := setAddresses(&h, "Reply-To", []Address{{Addr: d.ReplyTo}}); err != nil {
			return h, err
		}
	}
	if d.Organization != "" {
		if h.Set("Organization", d.Organization); !plain(d.Organization) {
			h.Set("Organization", encoded(d.Organization))
		}
	}
	if h.Set("Subject", d.Subject); !plain(d.Subject) {
		h.Set("Subject", encoded(d.Subject))
	}
	h.SetDate(d.Date)
	h.SetMessageID(d.MessageID)
	if d.InReplyTo != "" {
		h.SetMsgIDList("In-Reply-To", []string{d.InReplyTo})
	}
	if len(d.References) > 0 {
		h.SetMsgIDList("References", d.References)
	}
	if d.Important {
		h.Set("X-Priority", "1")
		h.Set("Importance", "high")
	}
	if d.Receipt {
		if err := setAddresses(&h, "Disposition-Notification-To", []Address{d.From}); err != nil {
			return h, err
		}
	}
	h.Set("MIME-Version", "1.0")
	return h, nil
}

// setAddresses writes a list into a field.
func setAddresses(h *mail.Header, field string, list []Address) error {
	if len(list) == 0 {
		return nil
	}
	out := make([]string, len(list))
	for i, a := range list {
		if bad(a.Name) || !Valid(a.Addr) {
			return fmt.Errorf("%w: %s", ErrHeader, field)
		}
		addr, _ := Envelope(a.Addr) // a field holds a domain in ASCII, as the envelope does
		if out[i] = (&mail.Address{Name: a.Name, Address: addr}).String(); !plain(a.Name) {
			out[i] = encoded(a.Name) + " <" + addr + ">"
		}
	}
	h.Set(field, strings.Join(out, ", "))
	return nil
}

// dateField is how Write writes the Date field: always of the same length.
const dateField = "Date: Mon, 02 Jan 2006 15:04:05 -0700\r\n"

// Redate copies a mail that Write has written, with another Date and of the same size.
func Redate(w io.Writer, mail io.Reader, date time.Time) error {
	in := bufio.NewReaderSize(mail, 4<<10)
	for {
		line, err := in.ReadString('\n')
		if err != nil && (!errors.Is(err, io.EOF) || line == "") {
			return errors.Join(err, io.ErrUnexpectedEOF)
		}
		resent, _ := strings.CutPrefix(line, "Resent-") // before the date that a mail sent on came with
		dated := strings.HasPrefix(resent, "Date: ") && len(resent) == len(dateField)
		if dated {
			line = line[:len(line)-len(resent)] + date.Format(dateField)
		}
		if _, err := io.WriteString(w, line); err != nil {
			return err
		}
		if dated || line == "\r\n" {
			_, err = io.Copy(w, in)
			return err
		}
	}
}

func bad(s string) bool { return strings.ContainsAny(s, "\r\n\x00") }
