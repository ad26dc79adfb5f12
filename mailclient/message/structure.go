package message

import "strings"

// treeOf makes the tree that a BODYSTRUCTURE tells of, without bodies. What the server decoded or mangled is read
// again by our own rules; the parts' own headers are put in later. Without pay no charset is guessed.
func treeOf(s *Structure, depth int, pay *budget) *node {
	n := &node{
		section: s.Section, typ: s.Type, subtype: s.Subtype, params: structParams(s.Params), encoding: encodingOf(s.Encoding),
		size: s.Size, id: trimID(s.ID), description: decodeText(s.Description, hint{}), location: strings.Join(strings.Fields(s.Location), ""),
		disposition: dispositionOf(s.Disposition), dispParams: structParams(s.DispositionParams), from: s, pay: pay,
	}
	if len(s.MIMEHeader) > 0 {
		n.setPartHeader(s.MIMEHeader)
	}
	if depth > maxDepth {
		return n
	}
	switch {
	case n.typ == "multipart":
		for _, c := range s.Children {
			n.children = append(n.children, treeOf(c, depth+1, pay))
		}
	case n.isMail() && len(s.Children) > 0 && (n.encoding == "7bit" || n.encoding == "8bit"):
		n.nested = treeOf(s.Children[0], depth+1, pay)
		n.setNestedHeader(s.NestedHeader)
	}
	return n
}

// structParams decodes parameters that a server has split for us: continuations may still be apart.
func structParams(params map[string]string) map[string]string {
	raw := make([]param, 0, len(params))
	for k, v := range params {
		if strings.EqualFold(k, "charset") && strings.EqualFold(v, "us-ascii") {
			continue // Dovecot says so where the mail says nothing
		}
		raw = append(raw, param{name: strings.ToLower(k), value: v})
	}
	return mergeParams(raw, hint{})
}

// setPartHeader reads a part's own header, which is believed rather than the BODYSTRUCTURE. The tree stays as it is.
func (n *node) setPartHeader(raw []byte) {
	fields, end := scanHeader(raw, 0, scanOptions{})
	n.setHeader(newHeader(raw[:end], fields), nil)
}

func (n *node) setNestedHeader(raw []byte) {
	if len(raw) == 0 || n.nested == nil {
		return
	}
	n.nestedHeader = ReadHeader(raw)
	if n.nested.typ == "multipart" {
		n.nested.header = n.nestedHeader
		return
	}
	n.nested.setHeader(n.nestedHeader, nil)
	if n.nestedHeader.rest != nil && n.nested.typ == "text" { // the body began without a blank line
		n.nested.body = append(append([]byte{}, n.nestedHeader.rest...), n.nested.body...)
		n.nested.size = int64(len(n.nested.body))
	}
}
