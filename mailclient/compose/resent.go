package compose

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-message/mail"
)

// Fields of a mail that tell of its way to one reader, or were for them alone: it is sent on without these.
var ownTrace = []string{"return-path", "delivered-to", "x-original-to", "envelope-to", "bcc", "status", "x-status", "x-restante-draft"}

// maxHead is how much of a mail that is sent on may be its header.
const maxHead = 1 << 20

// writeResent writes a mail as it came, with the fields above it that say who sent it on to whom (RFC 5322 3.6.6).
func writeResent(w io.Writer, d Draft) error {
	if bad(d.MessageID) || bad(d.DraftID) {
		return ErrHeader
	}
	var h mail.Header
	h.Set("Resent-Message-ID", "<"+d.MessageID+">")
	for _, f := range []struct {
		name string
		list []Address
	}{{"Resent-Cc", d.Cc}, {"Resent-To", d.To}, {"Resent-From", []Address{d.From}}} {
		if err := setAddresses(&h, f.name, f.list); err != nil {
			return err
		}
	}
	h.Set("Resent-Date", d.Date.Format(time.RFC1123Z))
	if d.DraftID != "" {
		h.Set(DraftField, d.DraftID)
	}
	for fields := h.Fields(); fields.Next(); {
		raw, err := fields.Raw()
		if err != nil {
			return err
		}
		if _, err := w.Write(raw); err != nil {
			return err
		}
	}
	out := &onward{w: w}
	return errors.Join(d.Original(out), out.Close())
}

// onward passes a mail on with CRLF line ends (PROTOCOLS T9), and without the fields of ownTrace.
type onward struct {
	w    io.Writer
	head []byte // until it is whole
	body bool
	cr   bool // the last octet was one: an LF after it is of the same line end
	last byte
}

func (o *onward) Write(b []byte) (int, error) {
	n := len(b)
	if o.body {
		return n, o.pass(b)
	}
	o.head = append(o.head, b...)
	end := headEnd(o.head)
	if end < 0 && len(o.head) <= maxHead {
		return n, nil
	}
	if end < 0 {
		return 0, fmt.Errorf("the header of the mail is longer than %d octets", maxHead)
	}
	return n, o.begin(end)
}

// begin writes the header, which ends before the empty line at end, and what there is of the body.
func (o *onward) begin(end int) error {
	o.body = true
	if err := o.pass(withoutTrace(o.head[:end])); err != nil {
		return err
	}
	rest := o.head[end:]
	o.head = nil
	return o.pass(rest)
}

// Close ends the last line.
func (o *onward) Close() error {
	if !o.body {
		if err := o.begin(len(o.head)); err != nil {
			return err
		}
	}
	if o.last == '\n' {
		return nil
	}
	return o.pass([]byte("\n"))
}

func (o *onward) pass(b []byte) error {
	out := make([]byte, 0, len(b)+len(b)/32)
	for _, c := range b {
		switch {
		case c == '\n' && o.cr:
		case c == '\n' || c == '\r':
			out = append(out, '\r', '\n')
		default:
			out = append(out, c)
		}
		o.cr = c == '\r'
	}
	if len(out) > 0 {
		o.last = out[len(out)-1]
	}
	_, err := o.w.Write(out)
	return err
}

// headEnd is where the empty line after a header begins, -1 where it has not come.
func headEnd(b []byte) int {
	if bytes.HasPrefix(b, []byte("\n")) || bytes.HasPrefix(b, []byte("\r\n")) { // there is none
		return 0
	}
	end := -1
	for _, gap := range []string{"\r\n\r\n", "\n\n"} {
		if i := bytes.Index(b, []byte(gap)); i >= 0 && (end < 0 || i+len(gap)/2 < end) {
			end = i + len(gap)/2
		}
	}
	return end
}

// withoutTrace is a header without the fields of ownTrace, and without the line that a mailbox file puts before it.
func withoutTrace(head []byte) (out []byte) {
	drop := bytes.HasPrefix(head, []byte("From "))
	for i, line := range bytes.SplitAfter(head, []byte("\n")) {
		if i > 0 && len(line) > 0 && line[0] != ' ' && line[0] != '\t' || i == 0 && !drop {
			name, _, _ := strings.Cut(string(line[:min(len(line), 64)]), ":")
			drop = slices.Contains(ownTrace, strings.ToLower(strings.TrimSpace(name)))
		}
		if !drop {
			out = append(out, line...)
		}
	}
	return out
}
