package message

import (
	"bytes"
	"mime"
	"net/textproto"
	"strings"
)

// served is a part as a plain IMAP server sees it: by the letter of RFC 2045 and 2046, with none of our tolerance.
type served struct {
	section      string
	header, body []byte
	fields       textproto.MIMEHeader
	typ          string
	params       map[string]string
	children     []*served
	mail         *served
}

// serverReads parses one entity and all below it.
func serverReads(raw []byte, section string, digest bool, depth int) *served {
	p := &served{section: section, header: raw, fields: textproto.MIMEHeader{}}
	if i := bytes.Index(raw, []byte("\r\n\r\n")); i >= 0 {
		p.header, p.body = raw[:i+4], raw[i+4:]
	}
	if bytes.HasPrefix(raw, []byte("\r\n")) {
		p.header, p.body = raw[:2], raw[2:]
	}
	last := ""
	for _, line := range strings.Split(string(p.header), "\r\n") {
		if k, v, ok := strings.Cut(line, ":"); ok && line[0] != ' ' && line[0] != '\t' {
			last = textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(k))
			p.fields.Add(last, strings.TrimSpace(v))
		} else if n := len(p.fields[last]); n > 0 && line != "" {
			p.fields[last][n-1] += " " + strings.TrimSpace(line)
		}
	}
	p.typ, p.params = mediaType(p.fields.Get("Content-Type"))
	if p.typ == "" {
		if p.typ = "text/plain"; digest {
			p.typ = "message/rfc822"
		}
	}
	switch {
	case depth > 100:
	case strings.HasPrefix(p.typ, "multipart/"):
		p.split(depth)
	case p.typ == "message/rfc822":
		p.mail = serverReads(p.body, section, false, depth+1)
	}
	return p
}

// split cuts a multipart at its delimiters.
func (p *served) split(depth int) {
	boundary := p.params["boundary"]
	if boundary == "" {
		return
	}
	start := -1
	for i := 0; i < len(p.body); {
		end := bytes.Index(p.body[i:], []byte("\r\n"))
		next := i + end + 2
		if end < 0 {
			end, next = len(p.body)-i, len(p.body)
		}
		line := p.body[i : i+end]
		if bytes.HasPrefix(line, []byte("--"+boundary)) {
			if start >= 0 {
				p.add(p.body[start:max(start, i-2)], depth)
			}
			start = next
			if bytes.HasPrefix(line[2+len(boundary):], []byte("--")) {
				return
			}
		}
		i = next
	}
	if start >= 0 {
		p.add(p.body[start:], depth)
	}
}

func (p *served) add(raw []byte, depth int) {
	p.children = append(p.children, serverReads(raw, sub(p.section, len(p.children)+1), p.typ == "multipart/digest", depth+1))
}

// mediaType reads a value with parameters; of one that is not well formed only the type.
func mediaType(v string) (string, map[string]string) {
	if v == "" {
		return "", nil
	}
	typ, params, err := mime.ParseMediaType(v)
	if err == nil || err == mime.ErrInvalidMediaParameter {
		return typ, params
	}
	typ, rest, _ := strings.Cut(v, ";")
	params = map[string]string{}
	for s := range strings.SplitSeq(rest, ";") {
		if k, v, ok := strings.Cut(s, "="); ok {
			params[strings.ToLower(strings.TrimSpace(k))] = strings.Trim(strings.TrimSpace(v), `"`)
		}
	}
	return strings.ToLower(strings.TrimSpace(typ)), params
}

// structure is the BODYSTRUCTURE, as our IMAP client hands it over.
func (p *served) structure(section string, top bool) *Structure {
	typ, subtype, ok := strings.Cut(p.typ, "/")
	if !ok {
		typ, subtype = "application", "octet-stream"
	}
	s := &Structure{Section: section, Type: typ, Subtype: subtype, Params: p.params, Size: int64(len(p.body))}
	if d := p.fields.Get("Content-Disposition"); d != "" {
		s.Disposition, s.DispositionParams = mediaType(d)
	}
	s.Location = p.fields.Get("Content-Location")
	if typ == "multipart" {
		s.Size = 0
		for i, c := range p.children {
			s.Children = append(s.Children, c.structure(sub(section, i+1), false))
		}
		return s
	}
	if top {
		s.Section = sub(section, 1)
	}
	s.ID, s.Description = p.fields.Get("Content-Id"), p.fields.Get("Content-Description")
	if s.Encoding = strings.ToLower(p.fields.Get("Content-Transfer-Encoding")); s.Encoding == "" {
		s.Encoding = "7bit"
	}
	if p.mail != nil {
		s.Children = []*Structure{p.mail.structure(s.Section, true)}
	}
	return s
}

// find gives the bytes of BODY[section] and of BODY[section.MIME].
func (p *served) find(section string) (body, head []byte) {
	if want, ok := strings.CutSuffix(section, ".HEADER"); ok {
		if at := p.at(want, true); at != nil && at.mail != nil {
			return at.mail.header, nil
		}
		return []byte{}, nil
	}
	if at := p.at(section, true); at != nil {
		return append([]byte{}, at.body...), at.header
	}
	return []byte{}, nil
}

// at walks to a section. top says that p is a whole mail, whose only part is 1.
func (p *served) at(section string, top bool) *served {
	number, rest, _ := strings.Cut(section, ".")
	switch {
	case section == "":
		return p
	case len(p.children) > 0:
		for i, c := range p.children {
			if itoa(i+1) == number {
				return c.at(rest, false)
			}
		}
		return nil
	case top && number == "1":
		return p.at(rest, false)
	case !top && p.mail != nil:
		return p.mail.at(section, true)
	}
	return nil
}
