package handlers

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"restante/internal/store"
	"restante/mailclient"
	"restante/mailclient/compose"
	"restante/templates"
)

// receiptKeyword marks a mail whose wish for a receipt was answered, one way or the other (RFC 3503).
const receiptKeyword = "$MDNSent"

// receiptTo is where the sender of a mail wants a receipt, "" if none is to be given: to somebody else's mail, asked for
// once, and not where its sender shall not learn who reads.
func (s *Server) receiptTo(r *http.Request, p *person, pl place, open *mailclient.Open) string {
	to, wrong := compose.Recipients(open.Message.Header.Text("Disposition-Notification-To"))
	given := slices.ContainsFunc(open.Flags.Keywords, func(k string) bool { return strings.EqualFold(k, receiptKeyword) })
	away := slices.Contains([]mailclient.Role{mailclient.RoleJunk, mailclient.RoleTrash, mailclient.RoleSent, mailclient.RoleDrafts}, pl.box.Role)
	if len(to) != 1 || len(wrong) > 0 || given || away || p.attached || open.ReadOnly || s.mine(r, p, to[0].Addr) || s.mine(r, p, first(open.Message.Header.From()).Addr) {
		return ""
	}
	_, err := s.store.ReceiptItem(r.Context(), p.User.ID, p.Account.ID, pl.box.Name, open.UIDValidity, open.UID)
	if !errors.Is(err, store.ErrNotFound) {
		return ""
	}
	return to[0].Addr
}

// showReceipt asks, below the sender, whether they are to be told that their mail was read.
func (s *Server) showReceipt(r *http.Request, p *person, pl place, open *mailclient.Open, v *templates.Message) {
	if p.User.Settings.Receipts == "never" {
		return
	}
	to := s.receiptTo(r, p, pl, open)
	if to == "" {
		return
	}
	v.Receipt = &templates.Receipt{URL: mailAt(p, pl, open).act("receipt"), Back: v.Here, Words: p.L.T("receipt.asks", "Name", nameOr(v.From))}
	if !strings.EqualFold(to, v.From.Addr) {
		v.Receipt.Words = p.L.T("receipt.asks.other", "Name", nameOr(v.From), "Address", to)
	}
}

// receipt sends the receipt that a mail asks for, by the outbox like any mail, or notes that none is given.
func (s *Server) receipt(w http.ResponseWriter, r *http.Request, p *person) error {
	if err := parseForm(r); err != nil {
		return err
	}
	pl, open, err := s.openAt(r, p)
	if err != nil {
		return err
	}
	give := r.PostFormValue("receipt")
	to := s.receiptTo(r, p, pl, open)
	switch {
	case give != "send" && give != "none":
		return badRequest("error.form")
	case to == "": // pressed twice
	case give == "none":
		act := mailclient.Act{Kind: mailclient.ActFlags, Add: []string{receiptKeyword}}
		_, err = p.Mail.Run(r.Context(), mailclient.Step{Act: act, Ref: mailclient.Ref{Mailbox: pl.box.Name, UIDValidity: open.UIDValidity, UIDs: []uint32{open.UID}}})
	default:
		err = s.sendReceipt(r, p, pl, open, to)
	}
	if err != nil {
		return err
	}
	return seeOther(w, r, r.PostFormValue("back"))
}

func (s *Server) sendReceipt(r *http.Request, p *person, pl place, open *mailclient.Open, to string) error {
	ids, err := s.identities(r.Context(), p)
	from := identitiesOf(p, ids)
	if err != nil || len(from) == 0 {
		return errors.Join(err, badRequest("error.form"))
	}
	h := open.Message.Header
	who, ok := writtenTo(from, h)
	if !ok {
		who = sender{identity: from[0].ID}
	}
	me, _ := senderOf(from, store.DraftFields{IdentityID: who.identity, As: who.as})
	d := store.Draft{UserID: p.User.ID, AccountID: p.Account.ID, Fields: store.DraftFields{
		IdentityID: who.identity, As: who.as, To: to, Subject: cutText(p.L.T("receipt.subject", "Subject", oneLine(h.Subject())), 500),
		Body:      p.L.T("receipt.text", "Subject", oneLine(h.Subject()), "Time", p.L.Long(dateOf(open.Row).In(p.Zone)), "Address", me.Address),
		Receipted: compose.ReadReceipt(me.Address, h.MessageID()), InReplyTo: h.MessageID(), References: compose.References(h.References(), h.InReplyTo(), h.MessageID()),
		AnswerKind: store.ReceiptKind, AnswerAccount: p.Account.ID, AnswerMailbox: pl.box.Name, AnswerValidity: open.UIDValidity, AnswerUID: open.UID,
	}}
	refused, err := s.sendByItself(r, p, d)
	if len(refused.wrong) > 0 {
		s.putFlash(r, flash{Words: refused.wrong[0].Words, Failed: true})
	}
	return err
}
