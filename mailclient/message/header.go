package message

import (
	"bytes"
	"strings"
	"time"
)

// Header is the ordered header of a mail or of a part. It is read with ReadHeader.
type Header struct {
	Raw []byte // as it came, up to the blank line

	fields  []field
	charset string // what 8-bit bytes in values most likely are; "" for unknown
	read    bool
	rest    []byte // what followed, where only a header was given, when it is more than blank lines
}

// field is one field of a header, unfolded but not decoded.
type field struct {
	name  string // lower case
	value string // raw bytes
}

// ReadHeader reads the header of a whole mail as far as it makes sense; what follows the blank line is ignored.
func ReadHeader(raw []byte) Header {
	fields, end := scanHeader(raw, 0, scanOptions{top: true})
	h := newHeader(raw[:end], fields)
	if h.rest = raw[end:]; len(bytes.TrimSpace(h.rest)) == 0 {
		h.rest = nil
	}
	return h
}

func newHeader(raw []byte, fields []field) Header {
	h := Header{Raw: raw, fields: fields, read: true}
	if !isASCII(raw) {
		_, params := parseParams(h.Get("Content-Type"), hint{})
		h.charset = params["charset"]
	}
	return h
}

func (h Header) all() []field {
	if !h.read && len(h.Raw) > 0 {
		return ReadHeader(h.Raw).fields
	}
	return h.fields
}

func (h Header) hint() hint { return hint{h.charset, newBudget()} }

// Get returns the first value of a field that is not empty, unfolded and not decoded.
func (h Header) Get(name string) string {
	name = strings.ToLower(name)
	for _, f := range h.all() {
		if f.name == name && f.value != "" {
			return f.value
		}
	}
	return ""
}

// Values returns all values of a field in their order, unfolded and not decoded.
func (h Header) Values(name string) (out []string) {
	name = strings.ToLower(name)
	for _, f := range h.all() {
		if f.name == name {
			out = append(out, f.value)
		}
	}
	return out
}

// Text returns the first value of a field that is not empty, decoded to one line of UTF-8.
func (h Header) Text(name string) string { return decodeText(h.Get(name), h.hint()) }

// Subject returns the decoded subject, "" when there is none.
func (h Header) Subject() string {
	for _, v := range h.Values("Subject") {
		if s := strings.TrimSpace(decodeText(v, h.hint())); s != "" {
			return s
		}
	}
	return ""
}

// From returns the authors: of all From fields, since a second one is a disguise that should be seen.
// Without any, Sender and Return-Path stand in.
func (h Header) From() []Address {
	for _, name := range []string{"From", "Sender", "Return-Path"} {
		if list := h.addresses(name); len(list) > 0 {
			return distinct(list)
		}
	}
	return nil
}

// distinct drops what was said before.
func distinct(list []Address) (out []Address) {
	seen := map[Address]bool{}
	for _, a := range list {
		if !seen[a] {
			seen[a] = true
			out = append(out, a)
		}
	}
	return out
}

// Sender returns the addresses of Sender.
func (h Header) Sender() []Address { return h.addresses("Sender") }

// ReplyTo returns the addresses of Reply-To.
func (h Header) ReplyTo() []Address { return h.addresses("Reply-To") }

// To returns the addresses of To.
func (h Header) To() []Address { return h.addresses("To") }

// Cc returns the addresses of Cc.
func (h Header) Cc() []Address { return h.addresses("Cc") }

// Bcc returns the addresses of Bcc.
func (h Header) Bcc() []Address { return h.addresses("Bcc") }

func (h Header) addresses(name string) (out []Address) {
	for _, v := range h.Values(name) {
		out = append(out, parseAddresses(v, h.hint())...)
		if len(out) >= maxAddresses {
			return out[:maxAddresses]
		}
	}
	return out
}

// Date returns the first Date that makes sense, else that of the topmost Received; zero when there is none.
func (h Header) Date() time.Time {
	for _, v := range h.Values("Date") {
		if t, ok := parseDate(v); ok {
			return t
		}
	}
	for _, name := range []string{"Resent-Date", "Delivery-Date"} {
		if t, ok := parseDate(h.Get(name)); ok {
			return t
		}
	}
	if v := h.Get("Received"); v != "" {
		if i := strings.LastIndexByte(v, ';'); i >= 0 {
			t, _ := parseDate(v[i+1:])
			return t
		}
	}
	return time.Time{}
}

// MessageID returns the Message-ID without brackets.
func (h Header) MessageID() string {
	for _, v := range h.Values("Message-ID") {
		if ids := parseIDs(v); len(ids) > 0 {
			return ids[0]
		}
	}
	return ""
}

// InReplyTo returns the ids of In-Reply-To without brackets.
func (h Header) InReplyTo() []string { return parseIDs(strings.Join(h.Values("In-Reply-To"), " ")) }

// References returns the ids of References without brackets, at most 1,000.
func (h Header) References() []string { return parseIDs(strings.Join(h.Values("References"), " ")) }

// parseIDs reads msg-ids: in brackets with spaces or folds within, or bare words with an @.
func parseIDs(v string) (out []string) {
	for len(out) < maxIDs {
		i := strings.IndexByte(v, '<')
		bare := v
		if i >= 0 {
			bare = v[:i]
		}
		for _, w := range strings.FieldsFunc(bare, func(r rune) bool { return r <= ' ' || r == ',' || r == '>' }) {
			if strings.Contains(w, "@") && len(out) < maxIDs && !strings.ContainsAny(w, "()\"") {
				out = append(out, w)
			}
		}
		if i < 0 {
			return out
		}
		v = v[i+1:]
		end := strings.IndexAny(v, "<>")
		if end < 0 {
			end = len(v)
		}
		if id := strings.Join(strings.Fields(v[:end]), ""); id != "" {
			out = append(out, id)
		}
		v = v[end:]
		v = strings.TrimPrefix(v, ">")
	}
	return out
}
