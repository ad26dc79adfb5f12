package message

import "strings"

// deliveryCards tells what became of a mail, one card for all recipients that fared alike (RFC 3464).
func deliveryCards(n *node) (out []*Card) {
	groups := fieldGroups(n.cardBytes())
	host := ""
	at := map[string]*Card{}
	for _, g := range groups {
		if mta := g.Get("Reporting-MTA"); mta != "" {
			host = afterType(mta)
		}
		who := g.Get("Final-Recipient")
		if who == "" {
			who = g.Get("Original-Recipient")
		}
		if who = decodeText(afterType(who), hint{}); who == "" && g.Get("Action") == "" {
			continue
		}
		c := deliveryCard(g, host)
		key := c.Fields["action"] + "\n" + c.Fields["status"] + "\n" + c.Fields["diagnostic"]
		if same, ok := at[key]; ok {
			same.Fields["recipient"] += ", " + who
			continue
		}
		c.Fields["recipient"] = who
		at[key] = c
		out = append(out, c)
	}
	return out
}

func deliveryCard(g Header, host string) *Card {
	code := statusCode(g.Get("Status"))
	action := strings.ToLower(strings.TrimSpace(g.Get("Action")))
	if i := strings.IndexAny(action, " \t(;"); i > 0 {
		action = action[:i]
	}
	detail, next := statusDetail(code, action)
	f := map[string]string{"action": action, "status": code, "detail": detail, "next": next, "host": decodeText(host, hint{}), "remote": decodeText(afterType(g.Get("Remote-MTA")), hint{}),
		"diagnostic": strings.Join(strings.Fields(decodeText(afterType(g.Get("Diagnostic-Code")), hint{})), " ")}
	return &Card{Kind: "report", Fields: f}
}

// statusCode finds "5.1.1" in a Status field, which may carry words.
func statusCode(v string) string {
	for _, w := range strings.FieldsFunc(v, func(r rune) bool { return r != '.' && (r < '0' || r > '9') }) {
		if parts := strings.Split(w, "."); len(parts) == 3 && len(parts[0]) == 1 && len(w) <= 9 && parts[1] != "" && parts[2] != "" {
			return w
		}
	}
	return ""
}

// statusDetails are the details of RFC 3463 3 that people meet: subject and detail.
var statusDetails = map[string]bool{}

func init() {
	for _, d := range strings.Fields("1.0 1.1 1.2 1.3 1.4 1.6 1.7 1.8 1.10 2.0 2.1 2.2 2.3 2.4 3.0 3.1 3.2 3.3 3.4 4.0 4.1 4.2 4.3 4.4 4.5 4.6 4.7 5.0 5.3 6.0 6.1 6.3 7.0 7.1 7.2 7.23 7.26 7.25") {
		statusDetails[d] = true
	}
}

// statusDetail is the part of a code of RFC 3463 that says what is the matter, or its subject where the detail is not
// one that people meet; and what the sender may do next: again, address, smaller, later, admin, or nothing.
func statusDetail(code, action string) (detail, next string) {
	class, rest, _ := strings.Cut(code, ".")
	subject, _, _ := strings.Cut(rest, ".")
	if detail = rest; !statusDetails[detail] {
		if detail = subject + ".0"; !statusDetails[detail] {
			detail = ""
		}
	}
	switch {
	case action == "delivered" || action == "relayed" || action == "expanded" || class == "2":
		return detail, ""
	case action == "delayed" || class == "4" && action != "failed":
		return detail, "again"
	case rest == "1.1" || rest == "1.2" || rest == "1.3" || rest == "1.6" || rest == "1.10":
		return detail, "address"
	case rest == "2.3" || rest == "3.4":
		return detail, "smaller"
	case rest == "2.2" || subject == "3" || subject == "4":
		return detail, "later"
	case subject == "7" || subject == "6":
		return detail, "admin"
	}
	return detail, ""
}

// receiptCards tells that a mail was read, or thrown away (RFC 8098 3.2.6).
func receiptCards(n *node) (out []*Card) {
	for _, g := range fieldGroups(n.cardBytes()) {
		d := g.Get("Disposition")
		who := g.Get("Final-Recipient")
		if who == "" {
			who = g.Get("Original-Recipient")
		}
		if d == "" && who == "" {
			continue
		}
		out = append(out, &Card{Kind: "receipt", Fields: map[string]string{"recipient": decodeText(afterType(who), hint{}), "action": receiptKind(d),
			"id": strings.Trim(g.Get("Original-Message-ID"), "<> "), "diagnostic": g.Text("Error")}})
	}
	return out
}

// receiptKind takes "displayed" from "manual-action/MDN-sent-manually; displayed".
func receiptKind(d string) string {
	kind, _, _ := strings.Cut(strings.ToLower(afterType(d)), "/")
	return strings.TrimSpace(kind)
}

// feedbackCards tells of a complaint (RFC 5965).
func feedbackCards(n *node) (out []*Card) {
	for _, g := range fieldGroups(n.cardBytes()) {
		if g.Get("Feedback-Type") == "" && g.Get("Source-IP") == "" && g.Get("Version") == "" {
			continue
		}
		out = append(out, &Card{Kind: "arf", Fields: map[string]string{"action": strings.ToLower(strings.TrimSpace(g.Get("Feedback-Type"))), "recipient": joinAddresses(g.addresses("Original-Rcpt-To")),
			"from": joinAddresses(g.addresses("Original-Mail-From")), "name": g.Text("User-Agent"), "source": g.Get("Source-IP"), "date": g.Text("Arrival-Date")}})
	}
	return out
}
