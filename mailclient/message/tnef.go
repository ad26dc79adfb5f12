package message

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// Limits of TNEF files (MS-OXTNEF): what one of them may hold.
const (
	maxTNEFAttributes = 20000
	maxTNEFProps      = 5000
	maxTNEFFiles      = 500
	maxTNEFDepth      = 4
)

// Attributes of MS-OXTNEF 2.1.3.3 that are of use.
const (
	attSubject       = 0x00018004
	attBody          = 0x0002800c
	attOEMCodepage   = 0x00069007
	attMAPIProps     = 0x00069003
	attAttachRend    = 0x00069002
	attAttachTitle   = 0x00018010
	attAttachData    = 0x0006800f
	attAttachProps   = 0x00069005
	tnefSignature    = 0x223e9f78
	levelAttachment  = 2
	propAttachMethod = 0x3705
	propAttachData   = 0x3701
)

// tnefFile is what one winmail.dat holds.
type tnefFile struct {
	subject  string
	from     string // "Name <address>"
	codepage string
	text     string
	html     []byte // as it came
	htmlText string // already decoded: out of RTF
	rtf      string // text of an RTF body that holds no HTML
	files    []tnefAttachment
	whole    bool // everything was read
}

type tnefAttachment struct {
	name, long, mime, id string
	data                 []byte
	hasData              bool
	mail                 *tnefFile // an attached mail
}

// isTNEF says whether a part is Outlook's container, by its type or by name alone.
func (n *node) isTNEF() bool {
	if n.typ != "application" {
		return false
	}
	return n.subtype == "ms-tnef" || n.subtype == "vnd.ms-tnef" || strings.EqualFold(strings.TrimSpace(n.rawName()), "winmail.dat")
}

// expand opens the containers of a tree, TNEF and signed S/MIME: what they hold become their children, and they are
// folded away when all of it was read.
func (v *viewer) expand(root *node) {
	root.each(func(n *node) {
		tnef := n.isTNEF()
		if n.opened || v.dry || !tnef && !n.mayHoldMail() || strings.Count(n.section, "!") >= maxContainers {
			return
		}
		if n.size > maxOpened || !v.want(n, maxOpened) || n.cut {
			return
		}
		if tnef {
			v.openTNEF(n)
		} else {
			v.openSMIME(n)
		}
	})
}

func (v *viewer) openTNEF(n *node) {
	t, ok := readTNEF(n.decodedBody(), 0)
	if !ok {
		v.m.fault("tnef", n.section)
		return
	}
	n.opened = true
	n.children = t.nodes(n)
	n.technical = t.whole
}

// readTNEF reads a TNEF stream as far as it goes; false when it is none.
func readTNEF(b []byte, depth int) (*tnefFile, bool) {
	if len(b) < 6 || binary.LittleEndian.Uint32(b) != tnefSignature {
		return nil, false
	}
	t := &tnefFile{whole: true}
	b = b[6:] // the key after the signature is of no use
	for n := 0; len(b) >= 9; n++ {
		level, id, size := b[0], binary.LittleEndian.Uint32(b[1:]), binary.LittleEndian.Uint32(b[5:])
		b = b[9:]
		if level != 1 && level != levelAttachment || n >= maxTNEFAttributes {
			t.whole = false
			break
		}
		cut := uint64(size)+2 > uint64(len(b))
		data := b[:min(uint64(size), uint64(len(b)))]
		t.attribute(level, id, data, depth)
		if cut {
			t.whole = t.whole && uint64(size) <= uint64(len(b)) // only the checksum may be missing
			break
		}
		b = b[size+2:]
	}
	return t, true
}

func (t *tnefFile) attribute(level byte, id uint32, data []byte, depth int) {
	switch {
	case id == attOEMCodepage && len(data) >= 4:
		t.codepage = codepageName(binary.LittleEndian.Uint32(data))
	case id == attSubject && t.subject == "":
		t.subject = oneLine(t.oem(data))
	case id == attBody && t.text == "":
		t.text = cleanText(t.oem(data))
	case id == attMAPIProps && level == 1:
		for _, p := range readProps(data) {
			t.property(p)
		}
	case level == levelAttachment:
		t.attachmentAttribute(id, data, depth)
	}
}

func (t *tnefFile) attachmentAttribute(id uint32, data []byte, depth int) {
	if id == attAttachRend || len(t.files) == 0 {
		if len(t.files) >= maxTNEFFiles {
			t.whole = false
			return
		}
		t.files = append(t.files, tnefAttachment{})
	}
	a := &t.files[len(t.files)-1]
	switch id {
	case attAttachTitle:
		a.name = t.oem(data)
	case attAttachData:
		a.data, a.hasData = data, true
	case attAttachProps:
		for _, p := range readProps(data) {
			a.property(p, t, depth)
		}
	}
}

// oem decodes bytes of the mail's old code page, up to a NUL.
func (t *tnefFile) oem(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return decodeCharset(b, t.codepage, false, nil, nil)
}

// codepageName names a Windows code page.
func codepageName(n uint32) string {
	switch n {
	case 65001:
		return "utf-8"
	case 20127, 28591:
		return "windows-1252"
	case 932:
		return "shift_jis"
	case 936, 54936:
		return "gb18030"
	case 949:
		return "euc-kr"
	case 950:
		return "big5"
	case 50220, 50221, 50222:
		return "iso-2022-jp"
	case 20866:
		return "koi8-r"
	case 21866:
		return "koi8-u"
	case 20932, 51932:
		return "euc-jp"
	}
	if n >= 28592 && n <= 28605 {
		return "iso-8859-" + itoa(int(n-28590))
	}
	return "cp" + itoa(int(n))
}

// property takes a property of the message (MS-OXPROPS).
func (t *tnefFile) property(p tnefProp) {
	switch p.id {
	case 0x0037: // PidTagSubject
		if s := t.text1(p); s != "" {
			t.subject = oneLine(s)
		}
	case 0x1000: // PidTagBody
		if s := t.text1(p); s != "" {
			t.text = cleanText(s)
		}
	case 0x1013: // PidTagHtml
		if p.kind == propUnicode {
			t.htmlText = cleanText(t.text1(p))
		} else {
			t.html = p.value
		}
	case 0x1009: // PidTagRtfCompressed
		t.fromRTF(p.value)
	case 0x3fde: // PidTagInternetCodepage
		if len(p.value) >= 4 && binary.LittleEndian.Uint32(p.value) > 0 && t.codepage == "" {
			t.codepage = codepageName(binary.LittleEndian.Uint32(p.value))
		}
	case 0x0c1a: // PidTagSenderName
		t.from = strings.TrimSpace(oneLine(t.text1(p)) + " " + t.from)
	case 0x5d01, 0x0c1f: // PidTagSenderSmtpAddress, PidTagSenderEmailAddress
		if s := oneLine(t.text1(p)); strings.Contains(s, "@") && !strings.Contains(t.from, "@") {
			t.from = strings.TrimSpace(t.from + " <" + s + ">")
		}
	}
}

func (t *tnefFile) fromRTF(b []byte) {
	raw, ok := decompressRTF(b)
	if !ok {
		return
	}
	html, text := readRTF(raw)
	if html != "" && t.htmlText == "" {
		t.htmlText = cleanText(html)
	} else if text != "" {
		t.rtf = cleanText(text)
	}
}

// text1 decodes a property that is a string.
func (t *tnefFile) text1(p tnefProp) string {
	if p.kind == propUnicode {
		return utf16LE(p.value)
	}
	return t.oem(p.value)
}

func (a *tnefAttachment) property(p tnefProp, t *tnefFile, depth int) {
	switch p.id {
	case 0x3707: // PidTagAttachLongFilename
		a.long = t.text1(p)
	case 0x3704, 0x3001: // PidTagAttachFilename, PidTagDisplayName
		if a.name == "" || p.id == 0x3001 && a.long == "" && strings.Contains(a.name, "~") {
			a.name = t.text1(p)
		}
	case 0x370e: // PidTagAttachMimeTag
		a.mime = strings.ToLower(t.text1(p))
	case 0x3712: // PidTagAttachContentId
		a.id = trimID(t.text1(p))
	case propAttachData:
		a.object(p, t, depth)
	}
}

// object takes the content of an attachment: bytes, or another message after the id of its interface.
func (a *tnefAttachment) object(p tnefProp, t *tnefFile, depth int) {
	b := p.value
	if p.kind == propObject && len(b) > 16 {
		b = b[16:]
	}
	if depth < maxTNEFDepth {
		if inner, ok := readTNEF(b, depth+1); ok {
			a.mail = inner
			t.whole = t.whole && inner.whole
			return
		}
	}
	if len(b) > 0 && (!a.hasData || len(a.data) == 0) {
		a.data, a.hasData = b, true
	}
}
