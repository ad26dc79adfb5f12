package message

import (
	"bytes"
	"strings"
)

// card tells in words of a part that is for programs, and says whether n was one.
func (v *viewer) card(n *node) bool {
	switch n.kind() {
	case "message/delivery-status", "message/global-delivery-status", "text/delivery-status":
		v.technicalCard(n, deliveryCards)
	case "message/disposition-notification", "message/global-disposition-notification":
		v.technicalCard(n, receiptCards)
	case "message/feedback-report", "text/feedback-report":
		v.technicalCard(n, feedbackCards)
	case "text/rfc822-headers", "message/rfc822-headers", "message/global-headers":
		v.listedCard(n, headersCards)
	case "text/calendar", "application/ics", "text/x-vcalendar":
		v.listedCard(n, calendarCards)
	case "text/vcard", "text/x-vcard", "text/directory":
		v.listedCard(n, contactCards)
	case "message/partial":
		v.listedCard(n, partialCards)
	case "message/external-body":
		v.technicalCard(n, externalCards)
	case "application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature", "application/applefile", "application/pgp-encrypted":
		n.technical = true
		v.file(n)
	default:
		return false
	}
	return true
}

const maxCardBytes = 256 << 10

// technicalCard shows cards in place of a part that is folded away.
func (v *viewer) technicalCard(n *node, read func(*node) []*Card) {
	n.technical = true
	v.listedCard(n, read)
}

// listedCard shows cards beside a part that is listed as a file too.
func (v *viewer) listedCard(n *node, read func(*node) []*Card) {
	v.file(n)
	if !v.want(n, maxCardBytes) {
		return
	}
	for _, c := range read(n) {
		v.addCard(n, c)
	}
}

func (v *viewer) addCard(n *node, c *Card) {
	if v.dry {
		return
	}
	for k, s := range c.Fields {
		if s = cutRunes(strings.TrimSpace(cleanText(strings.ToValidUTF8(s, "\uFFFD"))), maxExcerptText); s == "" {
			delete(c.Fields, k)
		} else {
			c.Fields[k] = s
		}
	}
	v.m.Blocks = append(v.m.Blocks, Block{Kind: BlockCard, Section: n.section, Card: c})
}

// cardBytes are the decoded bytes of a part that a card is made of, bounded alike by both ways of reading.
func (n *node) cardBytes() []byte {
	b := n.decodedBody()
	return b[:min(len(b), maxCardBytes)]
}

// fieldGroups reads the groups of fields, with blank lines between, of a report (RFC 3464 2.1). At most 100.
func fieldGroups(b []byte) (groups []Header) {
	b = bytes.TrimLeft(b, "\r\n \t")
	for i := 0; i < len(b) && len(groups) < 100; {
		fields, end := scanHeader(b, i, scanOptions{})
		if len(fields) > 0 {
			groups = append(groups, newHeader(b[i:end], fields))
		}
		if end <= i {
			break
		}
		i = end
	}
	return groups
}

// afterType drops the type before a value: "rfc822; joe@example.org" (RFC 3464 2.1.2).
func afterType(v string) string {
	if _, rest, ok := strings.Cut(v, ";"); ok {
		return strings.TrimSpace(rest)
	}
	return v
}

// contactCards gives the people of a vCard part (RFC 6350) to whoever reads vCards.
func contactCards(n *node) []*Card {
	return []*Card{{Kind: "contact", Fields: map[string]string{}, Raw: n.cardBytes()}}
}

// headersCards tells of a mail of which only the head came back.
func headersCards(n *node) []*Card {
	return []*Card{mailCard(ReadHeader(n.cardBytes()), "")}
}

// partialCards tells which piece of a split mail this is (RFC 2046 5.2.2).
func partialCards(n *node) []*Card {
	return []*Card{{Kind: "partial", Fields: map[string]string{"number": n.params["number"], "total": n.params["total"], "id": n.params["id"]}}}
}

// externalCards tells where a body lies that the mail only points to (RFC 2046 5.2.3). It is never fetched.
func externalCards(n *node) []*Card {
	p := n.params
	where := p["url"]
	if where == "" {
		for _, s := range []string{p["site"], p["server"], p["directory"], p["name"]} {
			if s = strings.Trim(s, "/"); s != "" {
				where = strings.TrimPrefix(where+"/"+s, "/")
			}
		}
		if site := p["site"]; site != "" && strings.Contains(strings.ToLower(p["access-type"]), "ftp") {
			where = "ftp://" + where
		}
	}
	inner := ReadHeader(n.cardBytes())
	f := map[string]string{"location": oneLine(strings.ReplaceAll(where, " ", "")), "access": p["access-type"], "expires": p["expiration"], "size": p["size"]}
	if f["name"] = p["name"]; f["name"] == "" {
		f["name"] = inner.Text("Content-Description")
	}
	return []*Card{{Kind: "external", Fields: f}}
}

// encrypted tells that a mail is encrypted and lists what can be saved of it (RFC 1847 2.2, RFC 3156).
func (v *viewer) encrypted(n *node) {
	name := "OpenPGP"
	for i, c := range n.children {
		if c.is("application", "pgp-encrypted") {
			c.technical = true
		} else if i == 0 && c.typ == "application" && len(n.children) > 1 {
			name = n.params["protocol"]
			c.technical = true
		}
	}
	v.addCard(n, &Card{Kind: "encrypted", Fields: map[string]string{"name": name}})
	v.mixed(n, place{})
}

// signedCard tells, below the mail, what it was signed with (RFC 1847 2.1). Nothing is checked.
func (v *viewer) signedCard(n *node) {
	name := "S/MIME"
	if strings.Contains(strings.ToLower(n.params["protocol"]), "pgp") {
		name = "OpenPGP"
	}
	v.addCard(n, &Card{Kind: "signed", Fields: map[string]string{"name": name}})
}

// inlinePGP tells of an encrypted message within a text (RFC 4880 6.2).
func (v *viewer) inlinePGP(text string) {
	if i := strings.Index(text, "-----BEGIN PGP MESSAGE-----"); i >= 0 && (i == 0 || text[i-1] == '\n') {
		v.addCard(v.root, &Card{Kind: "encrypted", Fields: map[string]string{"name": "OpenPGP"}})
	}
}
