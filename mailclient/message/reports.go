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
	words, next := statusWords(code, action)
	f := map[string]string{"action": actionWords(action), "status": code, "next": next, "host": decodeText(host, hint{}), "remote": decodeText(afterType(g.Get("Remote-MTA")), hint{}),
		"diagnostic": strings.Join(strings.Fields(decodeText(afterType(g.Get("Diagnostic-Code")), hint{})), " ")}
	if words != "" {
		f["status"] = code + " (" + words + ")"
	}
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

func actionWords(action string) string {
	switch action {
	case "failed":
		return "not delivered"
	case "delayed":
		return "delayed, still being tried"
	case "delivered":
		return "delivered"
	case "relayed":
		return "passed on to a system that sends no reports"
	case "expanded":
		return "passed on to several addresses"
	}
	return action
}

// statusDetails are the details of RFC 3463 3 that people meet, by subject and detail.
var statusDetails = map[string]string{
	"1.0": "something is wrong with the address", "1.1": "there is no such mailbox", "1.2": "there is no such mail domain", "1.3": "the address is not well formed",
	"1.4": "the address fits several mailboxes", "1.6": "the mailbox has moved", "1.7": "the sender's address is not well formed", "1.8": "the sender's mail domain does not exist",
	"1.10": "the domain accepts no mail",
	"2.0":  "something is wrong with the mailbox", "2.1": "the mailbox is switched off", "2.2": "the mailbox is full", "2.3": "the message is too large for the mailbox",
	"2.4": "the mailing list could not be expanded",
	"3.0": "something is wrong with the receiving system", "3.1": "the receiving system is full", "3.2": "the receiving system accepts no mail at present",
	"3.3": "the receiving system lacks a needed feature", "3.4": "the message is too large for the receiving system",
	"4.0": "there was trouble on the way", "4.1": "the receiving system did not answer", "4.2": "the connection broke", "4.3": "the directory of addresses could not be asked",
	"4.4": "no way to the receiving system is known", "4.5": "the mail systems are too busy", "4.6": "the message went in a circle", "4.7": "it could not be delivered in time",
	"5.0": "the mail systems did not understand each other", "5.3": "there are too many recipients",
	"6.0": "something is wrong with the message's content", "6.1": "such content is not accepted", "6.3": "the content had to be changed, which was not possible",
	"7.0": "a rule of security forbids it", "7.1": "the receiving system refuses this message", "7.2": "the sender may not write to this list", "7.23": "the sender's domain could not be confirmed",
	"7.26": "the sender's domain could not be confirmed", "7.25": "the sending system has no valid name",
}

// statusSubjects stand in for details that are not listed.
var statusSubjects = map[string]string{"1": "1.0", "2": "2.0", "3": "3.0", "4": "4.0", "5": "5.0", "6": "6.0", "7": "7.0"}

// statusWords puts a code of RFC 3463 into words, and says what the sender may do next.
func statusWords(code, action string) (words, next string) {
	class, rest, _ := strings.Cut(code, ".")
	subject, _, _ := strings.Cut(rest, ".")
	words = statusDetails[rest]
	if words == "" {
		words = statusDetails[statusSubjects[subject]]
	}
	switch {
	case action == "delivered" || action == "relayed" || action == "expanded" || class == "2":
		return words, ""
	case action == "delayed" || class == "4" && action != "failed":
		return words, "Nothing need be done: delivery is tried again."
	case rest == "1.1" || rest == "1.2" || rest == "1.3" || rest == "1.6" || rest == "1.10":
		return words, "Check the address, or ask the recipient for the right one."
	case rest == "2.3" || rest == "3.4":
		return words, "Send a smaller message."
	case rest == "2.2" || subject == "3" || subject == "4":
		return words, "Try again later, or reach the recipient another way."
	case subject == "7" || subject == "6":
		return words, "Ask the recipient's administrator, with the words of the server."
	}
	return words, ""
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
		out = append(out, &Card{Kind: "receipt", Fields: map[string]string{"recipient": decodeText(afterType(who), hint{}), "action": receiptWords(d),
			"id": strings.Trim(g.Get("Original-Message-ID"), "<> "), "diagnostic": g.Text("Error")}})
	}
	return out
}

// receiptWords puts "manual-action/MDN-sent-manually; displayed" into words.
func receiptWords(d string) string {
	kind := strings.ToLower(afterType(d))
	if i := strings.IndexByte(kind, '/'); i > 0 {
		kind = kind[:i]
	}
	switch kind = strings.TrimSpace(kind); kind {
	case "displayed":
		return "opened"
	case "deleted":
		return "deleted, perhaps unread"
	case "dispatched":
		return "passed on"
	case "processed":
		return "handled by a program"
	case "denied":
		return "the recipient sends no receipts"
	case "failed":
		return "the receipt could not be made"
	}
	return kind
}

// feedbackCards tells of a complaint (RFC 5965).
func feedbackCards(n *node) (out []*Card) {
	for _, g := range fieldGroups(n.cardBytes()) {
		if g.Get("Feedback-Type") == "" && g.Get("Source-IP") == "" && g.Get("Version") == "" {
			continue
		}
		out = append(out, &Card{Kind: "arf", Fields: map[string]string{"action": feedbackWords(g.Get("Feedback-Type")), "recipient": joinAddresses(g.addresses("Original-Rcpt-To")),
			"from": joinAddresses(g.addresses("Original-Mail-From")), "name": g.Text("User-Agent"), "source": g.Get("Source-IP"), "date": g.Text("Arrival-Date")}})
	}
	return out
}

func feedbackWords(kind string) string {
	switch kind = strings.ToLower(strings.TrimSpace(kind)); kind {
	case "abuse":
		return "reported as unwanted mail"
	case "fraud":
		return "reported as fraud"
	case "virus":
		return "reported as carrying a virus"
	case "not-spam":
		return "reported as not unwanted"
	case "opt-out":
		return "asked to be taken off the list"
	case "auth-failure":
		return "the sender could not be confirmed"
	}
	return kind
}
