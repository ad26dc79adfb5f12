package handlers

import (
	"strings"

	"restante/internal/i18n"
	"restante/mailclient/message"
	"restante/templates"
)

// cardFields are what a card tells, in this order.
var cardFields = []string{"recipient", "from", "action", "status", "diagnostic", "next", "remote", "summary", "start", "end", "repeats", "location", "organizer",
	"method", "name", "date", "access", "text"}

// cardView is a card as the page shows it: a line for each thing it tells.
func cardView(p *person, c *message.Card) templates.Card {
	if c == nil {
		return templates.Card{}
	}
	v := templates.Card{Title: p.L.T("card." + c.Kind)}
	for _, f := range cardFields {
		val := strings.TrimSpace(c.Fields[f])
		if t, ok := c.Times[f]; ok {
			val = p.L.Long(t.In(p.Zone))
		}
		if val = cardWords(p, c, f, val); val != "" {
			v.Lines = append(v.Lines, p.L.T("card.field."+f)+": "+val)
		}
	}
	if c.Fields["number"] != "" && c.Fields["total"] != "" {
		v.Lines = append(v.Lines, p.L.T("card.part", "Number", c.Fields["number"], "Total", c.Fields["total"]))
	}
	return v
}

// cardWords puts what reports and calendars say in words of their own into the reader's language; what has no words
// stands as it came.
func cardWords(p *person, c *message.Card, field, value string) string {
	plain := strings.ReplaceAll(value, "-", "")
	key := ""
	switch field {
	case "action":
		key = "card." + c.Kind + "." + plain
	case "method", "next":
		key = "card." + field + "." + plain
	case "repeats":
		key = "card.repeats." + strings.TrimPrefix(value, "freq=")
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
