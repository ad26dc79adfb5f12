package message

import (
	"strings"
)

// node is one part of a mail. Trees of them are built from bytes or from a BODYSTRUCTURE, and read by one viewer.
type node struct {
	section       string
	header        Header // of the part; that of the whole mail at its root
	typ, subtype  string
	params        map[string]string
	disposition   string // "inline", "attachment" or ""
	dispParams    map[string]string
	encoding      string // of encodingOf
	id            string
	description   string
	location      string
	noType        bool // no Content-Type was given
	children      []*node
	size          int64  // encoded octets
	body          []byte // encoded, nil when it is not at hand
	cut           bool   // body is only its beginning
	decoded       []byte // cache of decodedBody
	nested        *node  // the root of an attached mail
	nestedHeader  Header
	faults        []Fault
	technical     bool
	defaultDigest bool
	spare         bool       // a body out of a TNEF file: shown when the mail has no other
	returned      bool       // the mail that a report is about
	inRelated     bool       // a part beside the root of a multipart/related
	opened        bool       // TNEF: its parts are among the children
	pay           *budget    // for guesses
	blank         int8       // of HTML: 1 blank, -1 not, 0 not yet known
	from          *Structure // where it was told of, nil when read from bytes
}

func (n *node) kind() string { return n.typ + "/" + n.subtype }

func (n *node) is(typ, subtype string) bool { return n.typ == typ && n.subtype == subtype }

// setHeader reads what a part's own header says of it. Where two Content-Types stand, choose picks one.
func (n *node) setHeader(h Header, choose func([]string) string) {
	n.header = h
	types := h.Values("Content-Type")
	ctype := h.Get("Content-Type")
	if len(types) > 1 && choose != nil {
		ctype = choose(types)
	}
	n.setType(ctype)
	if v := h.Get("Content-Disposition"); v != "" {
		d, params := parseParams(v, hint{h.charset, n.pay})
		n.disposition, n.dispParams = dispositionOf(d), params
	}
	if v := h.Get("Content-Transfer-Encoding"); v != "" {
		n.encoding = encodingOf(v)
	} else if n.encoding == "" {
		n.encoding = "7bit"
	}
	if v := h.Get("Content-ID"); v != "" {
		n.id = trimID(v)
	}
	if v := h.Get("Content-Description"); v != "" {
		n.description = decodeText(v, hint{h.charset, n.pay})
	}
	if v := h.Get("Content-Location"); v != "" {
		n.location = strings.Join(strings.Fields(v), "")
	}
}

func trimID(v string) string { return strings.Trim(strings.TrimSpace(v), "<> \t") }

// dispositionOf takes what is neither inline nor empty as an attachment, as RFC 2183 2.8 asks.
func dispositionOf(d string) string {
	switch d {
	case "", "inline":
		return d
	}
	return "attachment"
}

// setType reads a Content-Type. What is no type is text/plain for text, and a file else.
func (n *node) setType(v string) {
	value, params := parseParams(v, hint{n.header.charset, n.pay})
	n.params = params
	typ, sub, ok := strings.Cut(value, "/")
	typ, sub = strings.TrimSpace(typ), strings.TrimSpace(sub)
	sub, _, _ = strings.Cut(sub, "/")
	switch {
	case v == "" && n.typ != "": // as the BODYSTRUCTURE said
	case value == "" || typ == "text" && sub == "":
		n.noType = value == ""
		typ, sub = "text", "plain"
		if n.defaultDigest && n.noType {
			typ, sub = "message", "rfc822"
		}
		if n.noType && (params["name"] != "") && params["charset"] == "" {
			typ, sub = "application", "octet-stream"
		}
		n.typ, n.subtype = typ, sub
	case !ok || typ == "" || sub == "":
		n.typ, n.subtype = oddType(typ, sub)
	default:
		n.typ, n.subtype = typ, sub
	}
}

// oddType makes a type of a half one.
func oddType(typ, sub string) (string, string) {
	switch {
	case typ == "multipart":
		return "multipart", "mixed"
	case typ == "html" || sub == "html":
		return "text", "html"
	case typ == "plain" || sub == "plain" || typ == "text":
		return "text", "plain"
	case typ == "message":
		return "message", "rfc822"
	case typ == "image" || typ == "audio" || typ == "video":
		return typ, "unknown"
	}
	return "application", "octet-stream"
}

// decodedBody undoes the transfer encoding; nil when the body is not at hand.
func (n *node) decodedBody() []byte {
	if n.decoded == nil && n.body != nil {
		n.decoded = decodeTransfer(n.body, n.encoding)
		if n.encoding == "7bit" && n.typ != "text" && n.typ != "message" && allBase64(n.body) {
			n.decoded, n.encoding = decodeTransfer(n.body, "base64"), "base64"
		}
		if n.decoded == nil {
			n.decoded = []byte{}
		}
	}
	return n.decoded
}

// allBase64 says whether a part labelled 7bit is base64 all the same: full lines of the alphabet only, with padding right.
func allBase64(b []byte) bool {
	letters, lines := 0, 0
	for i := 0; i < len(b); {
		line, next := nextLine(b, i)
		i = next
		if isBlank(line) {
			continue
		}
		lines++
		for _, c := range line {
			if base64Value[c] == 255 && c != '=' || c == '-' || c == '_' {
				return false
			}
		}
		letters += len(line)
		if i < len(b) && len(line) < 60 && len(b)-i > 4 {
			return false
		}
	}
	return letters >= 40 && letters%4 == 0
}

// decodedSize gives the size of a part once decoded, and whether it is exact.
func (n *node) decodedSize() (int64, bool) {
	if n.body != nil && !n.cut {
		return int64(len(n.decodedBody())), true
	}
	switch n.encoding {
	case "base64":
		return n.size * 57 / 78, false // lines of 76 letters and CRLF carry 57 bytes
	case "uuencode":
		return n.size * 45 / 63, false
	case "quoted-printable":
		return n.size, false
	}
	return n.size, true
}

// rawName gives the name that a part was given, decoded but not made safe.
func (n *node) rawName() string {
	for _, v := range []string{n.dispParams["filename"], n.params["name"], n.params["filename"], n.dispParams["name"]} {
		if strings.TrimSpace(v) != "" {
			return v
		}
	}
	return ""
}

// each calls f for n and all parts below, attached mails left out.
func (n *node) each(f func(*node)) {
	f(n)
	for _, c := range n.children {
		c.each(f)
	}
}
