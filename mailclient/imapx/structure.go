package imapx

import (
	"strconv"
	"strings"

	"restante/mailclient/message"
)

const maxParts = 2000

// ParseStructure reads a BODYSTRUCTURE as far as it makes sense; nil when nothing of it does (O58 to O66).
func ParseStructure(n Node) *message.Structure {
	left := maxParts
	return structure(n, "", true, &left, 0)
}

// structure reads the node at a section. top is true for what is the whole body of a mail: its only part is "1".
func structure(n Node, section string, top bool, left *int, depth int) *message.Structure {
	if n.Kind != List || len(n.List) == 0 || *left <= 0 || depth > 100 {
		return nil
	}
	*left--
	if l := n.List; l[0].Kind == List {
		return multipart(l, section, left, depth)
	} else if len(l) >= 2 && (l[0].Kind == Nil || l[0].Is("multipart")) && l[1].Kind != List {
		return &message.Structure{Section: section, Type: "multipart", Subtype: lower(l[1])} // O64
	} else if len(l) == 1 || l[1].Kind == List || l[1].Kind == Nil && len(l) < 7 {
		return &message.Structure{Section: section, Type: "multipart", Subtype: lower(l[0])}
	}
	if top {
		section = sub(section, 1)
	}
	return leaf(n.List, section, left, depth)
}

func sub(section string, i int) string {
	if section == "" {
		return strconv.Itoa(i)
	}
	return section + "." + strconv.Itoa(i)
}

func multipart(l []Node, section string, left *int, depth int) *message.Structure {
	s := &message.Structure{Section: section, Type: "multipart", Subtype: "mixed"}
	i := 0
	for ; i < len(l) && l[i].Kind == List; i++ {
		if c := structure(l[i], sub(section, i+1), false, left, depth+1); c != nil {
			s.Children = append(s.Children, c)
		}
	}
	l = l[i:]
	if len(l) > 0 && l[0].Text != "" {
		s.Subtype = lower(l[0])
	}
	if len(l) > 1 {
		s.Params = params(l[1])
	}
	if len(l) > 2 {
		s.Disposition, s.DispositionParams = disposition(l[2])
	}
	if len(l) > 4 {
		s.Location = l[4].Text
	}
	return s
}

func leaf(l []Node, section string, left *int, depth int) *message.Structure {
	at := func(i int) Node {
		if i < len(l) {
			return l[i]
		}
		return Node{Kind: Nil}
	}
	s := &message.Structure{
		Section: section, Type: lower(at(0)), Subtype: lower(at(1)), Params: params(at(2)),
		ID: strings.Trim(at(3).Text, "<> "), Description: at(4).Text, Encoding: lower(at(5)), Size: at(6).Number(),
	}
	if s.Type == "" {
		s.Type, s.Subtype = "application", "octet-stream"
	}
	if s.Encoding == "" {
		s.Encoding = "7bit"
	}
	next := 7
	switch {
	case s.Type == "text" && !isExtension(at(7)):
		next = 8
	case s.Type == "message" && (s.Subtype == "rfc822" || s.Subtype == "global") && at(7).Kind == List && at(8).Kind == List:
		next = 10
		if c := structure(at(8), section, true, left, depth+1); c != nil {
			s.Children = []*message.Structure{c}
		}
	}
	s.Disposition, s.DispositionParams = disposition(at(next + 1))
	s.Location = at(next + 3).Text
	return s
}

// isExtension says that a text part's line count was left out.
func isExtension(n Node) bool {
	return n.Kind == List || n.Kind == String && !isDigits(strings.TrimPrefix(n.Text, "-"))
}

func lower(n Node) string { return strings.ToLower(strings.TrimSpace(n.Text)) }

func params(n Node) map[string]string {
	if n.Kind != List || len(n.List) == 0 {
		return nil
	}
	m := map[string]string{}
	for i := 0; i+1 < len(n.List) && i < 400; i += 2 {
		if n.List[i].Kind != List && n.List[i+1].Kind != List && n.List[i].Text != "" && n.List[i+1].Kind != Nil {
			m[strings.ToLower(n.List[i].Text)] = n.List[i+1].Text
		}
	}
	return m
}

func disposition(n Node) (string, map[string]string) {
	if n.Kind != List {
		return lower(n), nil
	}
	if len(n.List) == 0 {
		return "", nil
	}
	d := lower(n.List[0])
	if len(n.List) > 1 {
		return d, params(n.List[1])
	}
	return d, nil
}
