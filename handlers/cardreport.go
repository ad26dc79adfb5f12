package handlers

import (
	"net/http"
	"slices"
	"strings"

	"restante/internal/i18n"
	"restante/internal/store"
	"restante/mailclient"
	"restante/mailclient/message"
	"restante/templates"
)

// reportCard says what became of a mail: who has it or not, why, and what can be done. What is for administrators is
// folded away.
func (s *Server) reportCard(p *person, pl place, open *mailclient.Open, c *message.Card) *templates.Report {
	action := c.Fields["action"]
	if !i18n.Knows("report.title." + action) {
		action = "other"
	}
	v := &templates.Report{Title: p.L.T("report.title." + action), Failed: action == "failed",
		Words: p.L.T("report.words."+action, "Whom", c.Fields["recipient"])}
	if key := "card.detail." + c.Fields["detail"]; i18n.Knows(key) && action != "delivered" && action != "relayed" && action != "expanded" {
		v.Why = p.L.T("report.why", "Reason", p.L.T(key))
	}
	if key := "card.next." + c.Fields["next"]; i18n.Knows(key) {
		v.Next = p.L.T(key)
	}
	for _, f := range []string{"status", "diagnostic", "remote"} {
		if val := cardWords(p, c, f, c.Fields[f]); val != "" {
			v.Details = append(v.Details, p.L.T("card.field."+f)+": "+val)
		}
	}
	if v.Failed && returnedID(open.Message) != "" {
		v.AgainURL = mailAt(p, pl, open).act("again")
	}
	return v
}

// returnedID is the Message-ID of the mail that a report is about, "" when it does not tell.
func returnedID(m *message.Message) string {
	for _, b := range m.Blocks {
		if b.Card != nil && b.Card.Kind == "message" {
			return b.Card.Fields["id"]
		}
	}
	return ""
}

// writeAgain makes a draft of the sent mail that a report is about, to those of its recipients who did not get it. A
// report can be forged: it names nobody whom the mail did not name, and nothing leaves unseen.
func (s *Server) writeAgain(w http.ResponseWriter, r *http.Request, p *person) error {
	pl, open, err := s.openAt(r, p)
	if err != nil {
		return err
	}
	sent, original, err := s.sentMail(r, p, returnedID(open.Message))
	if err != nil {
		return err
	}
	if original == nil {
		s.putFlash(r, flash{Words: p.L.T("report.nooriginal"), Failed: true})
		return seeOther(w, r, pathMessage(p.Account.ID, pl.slug, open.UID))
	}
	ids, err := s.identities(r.Context(), p)
	if err != nil {
		return err
	}
	var to []message.Address
	h := original.Message.Header
	for _, a := range slices.Concat(h.To(), h.Cc(), h.Bcc()) {
		for _, b := range open.Message.Blocks {
			if b.Card != nil && b.Card.Kind == "report" && b.Card.Fields["action"] == "failed" &&
				slices.ContainsFunc(strings.Split(b.Card.Fields["recipient"], ", "), func(who string) bool { return strings.EqualFold(who, a.Addr) }) {
				to = append(to, a)
			}
		}
	}
	d := store.Draft{UserID: p.User.ID, AccountID: p.Account.ID, Fields: fieldsOf(original, identitiesOf(p, ids))}
	d.Fields.To, d.Fields.Cc, d.Fields.Bcc = joinFull(to), "", ""
	if d, err = s.store.CreateDraft(r.Context(), d); err != nil {
		return err
	}
	if err := s.takeFiles(r.Context(), p, sent.Name, original, d.ID, false); err != nil {
		return err
	}
	return seeOther(w, r, "/compose/"+d.ID)
}

// sentMail finds a mail in Sent by its Message-ID; nil when it is not there.
func (s *Server) sentMail(r *http.Request, p *person, id string) (sent mailclient.Mailbox, open *mailclient.Open, err error) {
	if id == "" {
		return sent, nil, nil
	}
	boxes, err := p.Mail.Mailboxes(r.Context())
	if err != nil {
		return sent, nil, err
	}
	at := slices.IndexFunc(boxes, func(b mailclient.Mailbox) bool { return b.Role == mailclient.RoleSent && b.Selectable })
	if at < 0 {
		return sent, nil, nil
	}
	sent = boxes[at]
	ref, err := p.Mail.FindByMessageID(r.Context(), sent.Name, id)
	if err != nil || len(ref.UIDs) == 0 {
		return sent, nil, err
	}
	open, err = p.Mail.Open(r.Context(), sent.Name, ref.UIDValidity, ref.UIDs[len(ref.UIDs)-1])
	return sent, open, err
}

// fieldsOf are those of a draft that says what a mail of the person says.
func fieldsOf(open *mailclient.Open, ids []sending) store.DraftFields {
	h := open.Message.Header
	f := store.DraftFields{To: joinFull(h.To()), Cc: joinFull(h.Cc()), Bcc: joinFull(h.Bcc()), Subject: h.Subject(), Body: plainOf(open.Message),
		InReplyTo: strings.Join(h.InReplyTo()[:min(1, len(h.InReplyTo()))], ""), References: h.References()}
	if len(ids) > 0 {
		f.IdentityID = ids[0].ID
	}
	if who, ok := senderFor(ids, []string{first(h.From()).Addr}, exact, anyOf); ok {
		f.IdentityID, f.As = who.identity, who.as
	}
	if open.Message.HTMLAlt {
		f.HTML = htmlOf(open.Message)
	}
	return f
}
