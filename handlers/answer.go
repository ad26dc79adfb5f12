package handlers

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"restante/internal/sanitize"
	"restante/internal/store"
	"restante/mailclient"
	"restante/mailclient/compose"
	"restante/mailclient/message"
	"restante/templates"
)

// quoted is the mail that is answered or forwarded, with the line or head above it.
type quoted struct {
	above string
	mail  *message.Message
	mark  bool   // as a quote, not as it is
	part  string // what alone of it is quoted, "" for all
	below bool   // the answer is written below it
}

// begin gives a draft its first text: room to write, the signature, and below it what is quoted, or the other way round.
// Who writes plain text by default gets no HTML. Who wants a hidden copy of each mail is told so by its field.
func begin(f *store.DraftFields, p *person, ids []sending, q quoted) {
	id, _ := senderOf(ids, *f)
	if id.Bcc != "" && !strings.Contains(strings.ToLower(f.Bcc), strings.ToLower(id.Bcc)) {
		f.Bcc = strings.Trim(f.Bcc+", "+id.Bcc, ", ")
	}
	sign := signatureOf(id.Identity, f.AnswerKind != "")
	rich := !p.User.Settings.PlainText
	if q.mail == nil {
		f.HTML = sign.html(f.Body, "")
		if f.Body = sign.text(f.Body, ""); !rich || f.Body == "" {
			f.HTML = ""
		}
		return
	}
	text := cmp.Or(q.part, plainOf(q.mail))
	if q.mark {
		text = compose.QuoteText(text)
	}
	text = q.above + "\n" + text
	f.Body = sign.text("", text)
	if q.below {
		f.Body = strings.TrimRight(text, "\n") + "\n\n" + strings.TrimPrefix(sign.text("", ""), "\n")
	}
	if !rich {
		return
	}
	quote := htmlOf(q.mail)
	if q.part != "" {
		quote = compose.HTMLFromText(q.part)
	}
	if q.mark {
		quote = "<blockquote type=\"cite\">" + quote + "</blockquote>"
	}
	quote = compose.HTMLFromText(q.above) + quote
	f.HTML = sign.html("", quote)
	if q.below {
		f.HTML = quote + sign.html("", "")
	}
}

// plainOf is the text of a mail for quoting: only what a reader could see.
func plainOf(m *message.Message) string {
	var out []string
	for _, b := range m.Blocks {
		switch b.Kind {
		case message.BlockHTML:
			out = append(out, compose.TextFromHTML(sanitize.Quote(b.Text)))
		case message.BlockText:
			out = append(out, b.Text)
		}
	}
	return strings.Join(out, "\n")
}

// htmlOf is the same with its formatting, cleaned; its pictures keep their cid: addresses.
func htmlOf(m *message.Message) string {
	var out strings.Builder
	for _, b := range m.Blocks {
		switch b.Kind {
		case message.BlockHTML:
			out.WriteString(sanitize.Quote(b.Text))
		case message.BlockText:
			out.WriteString(compose.HTMLFromText(b.Text))
		}
	}
	return out.String()
}

// answerTo is to whom an answer goes: the list or Reply-To, else the sender; to all with those who got it too, but for whom
// it is written as.
func (s *Server) answerTo(r *http.Request, p *person, h message.Header, all bool, as string) (to, cc []compose.Address) {
	direct, sender := firstOf(h.ReplyTo(), h.From()), first(h.From()).Addr
	var others []message.Address
	own := s.fromHere(r, p, sender)
	if own { // answering one's own mail goes to whom it went
		direct = h.To()
	}
	if all {
		if others = h.Cc(); !own {
			direct = append(append([]message.Address{}, direct...), h.To()...)
		}
	}
	seen := map[string]bool{}
	pick := func(list []message.Address) (out []compose.Address) {
		for _, a := range list {
			key := strings.ToLower(a.Addr)
			here := s.mine(r, p, a.Addr) && (own || !strings.EqualFold(a.Addr, sender))
			if seen[key] || !compose.Valid(a.Addr) || all && (here || strings.EqualFold(a.Addr, as)) {
				continue
			}
			seen[key] = true
			out = append(out, compose.Address{Name: a.Name, Addr: a.Addr})
		}
		return out
	}
	if to, cc = pick(direct), pick(others); len(to) == 0 && len(direct) > 0 { // a mail to oneself
		to = []compose.Address{{Name: direct[0].Name, Addr: direct[0].Addr}}
	}
	return to, cc
}

// fromHere says whether what an address sends is sent by the account that the person is in. What they send by another of
// their accounts comes here as from anybody.
func (s *Server) fromHere(r *http.Request, p *person, addr string) bool {
	if mine := s.mine(r, p, addr); !mine || strings.EqualFold(addr, p.Account.Address) {
		return mine
	}
	ids, err := s.store.Identities(r.Context(), p.User.ID)
	return err != nil || slices.ContainsFunc(ids, func(id store.Identity) bool {
		return id.AccountID == p.Account.ID && strings.EqualFold(id.Address, addr)
	})
}

// hiddenRecipient says whether a mail came to the person as Bcc: it names them nowhere, and no list sent it.
func (s *Server) hiddenRecipient(r *http.Request, p *person, h message.Header) bool {
	for _, a := range slices.Concat(h.From(), h.To(), h.Cc()) {
		if s.mine(r, p, a.Addr) {
			return false
		}
	}
	return h.Get("List-Id") == "" && h.Get("List-Post") == ""
}

// listPost is the address to which a mailing list takes answers (RFC 2369 3.4), "" where there is none.
func listPost(h message.Header) string {
	for _, part := range strings.Split(h.Get("List-Post"), ",") {
		addr, ok := strings.CutPrefix(strings.ToLower(strings.Trim(part, " <>\t")), "mailto:")
		addr, _, _ = strings.Cut(addr, "?")
		if ok && compose.Valid(addr) {
			return addr
		}
	}
	return ""
}

func firstOf(lists ...[]message.Address) []message.Address {
	for _, l := range lists {
		if len(l) > 0 {
			return l
		}
	}
	return nil
}

func (s *Server) fillReply(r *http.Request, p *person, open *mailclient.Open, d *store.Draft, all bool, ids []sending) {
	h := open.Message.Header
	f := &d.Fields
	f.AnswerKind = "reply"
	if all {
		f.AnswerKind = "replyall"
	}
	to, cc := s.answerTo(r, p, h, all, f.As)
	f.To, f.Cc = compose.Format(to), compose.Format(cc)
	f.Subject = compose.ReplySubject(h.Subject())
	f.InReplyTo = h.MessageID()
	f.References = compose.References(h.References(), h.InReplyTo(), h.MessageID())
	date := p.L.Long(dateOf(open.Row).In(p.Zone))
	above := p.L.T("compose.wrote", "Name", nameOr(personOf(first(h.From()))), "Date", date)
	part := strings.TrimSpace(strings.ReplaceAll(r.URL.Query().Get("quote"), "\r\n", "\n"))
	begin(f, p, ids, quoted{above: above, mail: open.Message, mark: true, part: part, below: p.User.Settings.AnswerBelow})
}

func (s *Server) fillForward(p *person, open *mailclient.Open, d *store.Draft, asFile bool, f *freshDraft, ids []sending) {
	h := open.Message.Header
	d.Fields.AnswerKind, d.Fields.AnswerID = "forward", h.MessageID()
	d.Fields.Subject = compose.ForwardSubject(h.Subject())
	if asFile {
		begin(&d.Fields, p, ids, quoted{})
		f.carry = "message"
		f.files = []templates.File{{Name: emlName(h.Subject()), Size: p.L.Size(open.Size), Icon: "mail"}}
		return
	}
	begin(&d.Fields, p, ids, quoted{above: forwardHead(p, open), mail: open.Message})
	bringFiles(p, open, d, f)

}

// forwardHead tells, above a forwarded mail, who wrote it, when and to whom.
func forwardHead(p *person, open *mailclient.Open) string {
	h := open.Message.Header
	head := "---------- " + p.L.T("compose.forwarded") + " ----------\n"
	for _, l := range []struct{ key, value string }{
		{"field.from", joinFull(h.From())}, {"field.date", p.L.Long(dateOf(open.Row).In(p.Zone))}, {"field.subject", h.Subject()},
		{"field.to", joinFull(h.To())}, {"field.cc", joinFull(h.Cc())},
	} {
		if l.value != "" {
			head += p.L.T(l.key) + ": " + l.value + "\n"
		}
	}
	return head
}

func emlName(subject string) string {
	if subject == "" {
		subject = "message"
	}
	return message.SafeName(strings.ReplaceAll(subject, "/", "-")) + ".eml"
}

func joinFull(list []message.Address) string {
	var out []string
	for _, p := range personsOf(list) {
		out = append(out, p.Full)
	}
	return strings.Join(out, ", ")
}
