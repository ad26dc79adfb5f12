package handlers

import (
	"net/http"
	"slices"
	"strings"

	"restante/internal/i18n"
	"restante/mailclient"
	"restante/mailclient/message"
	"restante/templates"
)

// cardFields are what a card tells, in this order.
var cardFields = []string{"recipient", "from", "action", "status", "diagnostic", "next", "remote", "name", "date", "access", "text"}

// cardView is a card as the page shows it: a line for each thing it tells.
func (s *Server) cardView(r *http.Request, p *person, pl place, open *mailclient.Open, b message.Block) templates.Card {
	c := b.Card
	if c == nil {
		return templates.Card{}
	}
	v := templates.Card{Title: p.L.T("card." + c.Kind)}
	if c.Event != nil {
		s.invitation(r, p, pl, open, b, &v)
		return v
	}
	if c.Kind == "contact" {
		if v.Contacts = attachedContacts(p, pl, open, b); v.Contacts == nil {
			v.Title = ""
		}
		return v
	}
	if c.Kind == "encrypted" || c.Kind == "signed" {
		v.Lines = []string{p.L.T("card."+c.Kind+".words", "Name", c.Fields["name"])}
		return v
	}
	if c.Kind == "message" {
		v.Title, v.Mail = p.L.T("card.message"), mailCard(p, pl, open, b)
		return v
	}
	if c.Kind == "report" {
		v.Report = s.reportCard(p, pl, open, c)
		v.Title = v.Report.Title
		return v
	}
	for _, f := range cardFields {
		val := strings.TrimSpace(c.Fields[f])
		if val = cardWords(p, c, f, val); val != "" {
			v.Lines = append(v.Lines, p.L.T("card.field."+f)+": "+val)
		}
	}
	if c.Fields["number"] != "" && c.Fields["total"] != "" {
		v.Lines = append(v.Lines, p.L.T("card.part", "Number", c.Fields["number"], "Total", c.Fields["total"]))
	}
	return v
}

// encrypted says whether a mail has an encrypted part. Nothing of another site is fetched for such a mail: who sent it on
// could learn from that what is in it (SECURITY 8).
func encrypted(m *message.Message) bool {
	return slices.ContainsFunc(m.Blocks, func(b message.Block) bool { return b.Card != nil && b.Card.Kind == "encrypted" })
}

// cardWords puts what reports say in words of their own into the reader's language; what has no words
// stands as it came.
func cardWords(p *person, c *message.Card, field, value string) string {
	plain := strings.ReplaceAll(value, "-", "")
	key := ""
	switch field {
	case "action":
		key = "card." + c.Kind + "." + plain
	case "next":
		key = "card.next." + plain
	case "status":
		if key = "card.detail." + c.Fields["detail"]; i18n.Knows(key) {
			return value + " (" + p.L.T(key) + ")"
		}
	}
	if i18n.Knows(key) {
		return p.L.T(key)
	}
	return value
}
