package message

import (
	"bytes"
	"strings"
)

// isSMIME says whether a part is a CMS message (RFC 8551 3.2).
func (n *node) isSMIME() bool {
	return n.is("application", "pkcs7-mime") || n.is("application", "x-pkcs7-mime")
}

// mayHoldMail says whether an S/MIME part is signed rather than encrypted, as far as its label tells: the mail is inside.
func (n *node) mayHoldMail() bool {
	kind := strings.ToLower(n.params["smime-type"])
	return n.isSMIME() && (kind == "" || strings.HasPrefix(kind, "signed")) && !strings.HasSuffix(strings.ToLower(n.rawName()), ".p7c")
}

// openSMIME makes the signed mail inside the child of its part. The signature is not checked.
func (v *viewer) openSMIME(n *node) {
	inner, ok := signedContent(n.decodedBody())
	if !ok {
		return
	}
	n.opened, n.technical = true, true
	n.children = []*node{readTree(inner, n.section+"!1", v.pay, 1)}
}

// smime tells what an S/MIME part is: enveloped ones are encrypted, others signed.
func (v *viewer) smime(n *node, at place) {
	v.file(n)
	kind := strings.ToLower(n.params["smime-type"])
	switch {
	case n.opened:
		v.mixed(n, at)
		v.addCard(n, &Card{Kind: "signed", Fields: map[string]string{"name": "S/MIME"}})
	case kind == "certs-only":
	case strings.HasPrefix(kind, "signed") || strings.HasPrefix(kind, "compressed"):
		v.addCard(n, &Card{Kind: "signed", Fields: map[string]string{"name": "S/MIME"}})
	default:
		v.addCard(n, &Card{Kind: "encrypted", Fields: map[string]string{"name": "S/MIME"}})
	}
}

// The object identifiers of signedData and data (RFC 5652 5.1 and 4).
var (
	oidSigned = []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2}
	oidData   = []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1}
)

// signedContent takes the signed bytes out of a CMS SignedData; false when it is none, or they are not in it.
func signedContent(b []byte) ([]byte, bool) {
	info := berChildren(berInside(b, 0x30), 2)
	if len(info) < 2 || !bytes.Equal(info[0].content, oidSigned) {
		return nil, false
	}
	signed := berChildren(berInside(info[1].content, 0x30), 3)
	if len(signed) < 3 || signed[2].tag != 0x30 {
		return nil, false
	}
	inner := berChildren(signed[2].content, 2)
	if len(inner) < 2 || !bytes.Equal(inner[0].content, oidData) || inner[1].tag != 0xa0 {
		return nil, false
	}
	octets, ok := berOctets(inner[1].content)
	return octets, ok && len(octets) > 0
}

// berElement is one element of BER (X.690 8.1).
type berElement struct {
	tag     byte
	content []byte
}

const maxBERDepth = 16

// berRead reads the element that b begins with and what follows it; false when there is none. Lengths may be
// indefinite, and content may be cut off.
func berRead(b []byte, depth int) (e berElement, rest []byte, ok bool) {
	if len(b) < 2 || depth > maxBERDepth || b[0]&31 == 31 {
		return e, nil, false
	}
	e.tag = b[0]
	n := int(b[1])
	b = b[2:]
	if n == 0x80 {
		return berIndefinite(e, b, depth)
	}
	if n > 0x80 {
		digits := n - 0x80
		if digits > 4 || digits > len(b) {
			return e, nil, false
		}
		n = 0
		for _, c := range b[:digits] {
			n = n<<8 | int(c)
		}
		b = b[digits:]
	}
	if n > len(b) {
		n = len(b)
	}
	e.content = b[:n]
	return e, b[n:], true
}

// berIndefinite finds the two zeros that end an element of indefinite length.
func berIndefinite(e berElement, b []byte, depth int) (berElement, []byte, bool) {
	at := b
	for len(at) >= 2 && (at[0] != 0 || at[1] != 0) {
		_, next, ok := berRead(at, depth+1)
		if !ok {
			return e, nil, false
		}
		at = next
	}
	e.content = b[:len(b)-len(at)]
	return e, at[min(2, len(at)):], true
}

// berInside gives the content of the element b begins with, when it has this tag.
func berInside(b []byte, tag byte) []byte {
	if e, _, ok := berRead(b, 0); ok && e.tag == tag {
		return e.content
	}
	return nil
}

// berChildren reads up to n elements.
func berChildren(b []byte, n int) (out []berElement) {
	for len(b) > 0 && len(out) < n {
		e, rest, ok := berRead(b, 0)
		if !ok {
			break
		}
		out = append(out, e)
		b = rest
	}
	return out
}

// berOctets joins an octet string that may come in pieces.
func berOctets(b []byte) ([]byte, bool) {
	e, _, ok := berRead(b, 0)
	if !ok || e.tag&^0x20 != 4 {
		return nil, false
	}
	if e.tag == 4 {
		return e.content, true
	}
	var out []byte
	for b := e.content; len(b) > 0; {
		piece, rest, ok := berRead(b, 0)
		if !ok || piece.tag != 4 {
			break
		}
		out = append(out, piece.content...)
		b = rest
	}
	return out, true
}
