package handlers

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"restante/internal/limits"
	"restante/internal/sanitize"
	"restante/internal/store"
	"restante/mailclient"
	"restante/mailclient/compose"
	"restante/templates"
)

// mailOf makes the mail of a draft, and what is wrong with it.
func (s *Server) mailOf(ctx context.Context, p *person, d store.Draft) (m compose.Draft, wrong []templates.FieldError, err error) {
	ids, err := s.identities(ctx, p)
	if err != nil {
		return m, nil, err
	}
	if id, ok := senderOf(ids, d.Fields); ok {
		m.From, m.ReplyTo, m.Organization = compose.Address{Name: id.Name, Addr: id.Address}, id.ReplyTo, id.Organization
	} else {
		wrong = append(wrong, templates.FieldError{Field: "from", Words: p.L.T("compose.identity")})
	}
	for _, l := range []struct {
		field, value string
		to           *[]compose.Address
	}{{"to", d.Fields.To, &m.To}, {"cc", d.Fields.Cc, &m.Cc}, {"bcc", d.Fields.Bcc, &m.Bcc}} {
		list, bad := compose.Recipients(l.value)
		*l.to = list
		for _, b := range bad {
			wrong = append(wrong, templates.FieldError{Field: l.field, Words: p.L.T("compose.badaddress", "Address", b)})
		}
	}
	if n := len(m.To) + len(m.Cc) + len(m.Bcc); n == 0 && len(wrong) == 0 {
		wrong = append(wrong, templates.FieldError{Field: "to", Words: p.L.T("compose.norecipient")})
	} else if most := min(s.bounds.Of(p.User.Address, limits.RecipientsPerMail), s.bounds.Of(p.User.Address, limits.RecipientsPerDay)); int64(n) > most {
		wrong = append(wrong, templates.FieldError{Field: "to", Words: p.L.T("compose.toomany", "N", n, "Limit", most)})
	}
	m.Subject, m.Text, m.Date = d.Fields.Subject, d.Fields.Body, s.nowFor(p)
	m.InReplyTo, m.References, m.Calendar = d.Fields.InReplyTo, d.Fields.References, d.Fields.Calendar
	m.Important, m.Receipt, m.Receipted = d.Fields.Important, d.Fields.Receipt, d.Fields.Receipted
	if d.Fields.HTML != "" {
		m.HTML = sanitize.Outgoing(d.Fields.HTML)
		m.Text = compose.TextFromHTML(m.HTML)
	}
	if d.Fields.AnswerKind == store.RedirectKind {
		m.Original = s.original(ctx, p, d.Fields)
		return m, wrong, nil
	}
	files, err := s.store.Uploads(ctx, p.User.ID, d.ID)
	for _, u := range files {
		if leftOut(d, u) {
			continue
		}
		cid := ""
		if inText(d, u) {
			cid = u.ContentID
		}
		m.Files = append(m.Files, compose.File{Name: u.Name, Type: u.Type, ContentID: cid, Open: func() (io.ReadCloser, error) {
			return io.NopCloser(s.store.Blob(ctx, p.User.ID, u.BlobID)), nil
		}})
	}
	return m, wrong, errors.Join(err, s.signPictures(ctx, p, &m))
}

// asks is what a person should be asked before this goes out, unless they were: the name of the question and words.
func (s *Server) asks(p *person, d store.Draft, files int, told string) *templates.Asking {
	if d.Fields.Subject == "" && d.Fields.AnswerKind != store.RedirectKind {
		if ask := question(told, "subject", p.L.T("compose.nosubject")); ask != nil {
			return ask
		}
	}
	own, _, _ := strings.Cut(strings.ToLower(d.Fields.Body), "\n>")
	if files == 0 && slices.ContainsFunc(fileWords(), func(word string) bool { return strings.Contains(own, word) }) {
		if ask := question(told, "files", p.L.T("compose.missingfile")); ask != nil {
			ask.File = true
			return ask
		}
	}
	if offer, known := s.offered(p); d.Fields.Delivery && known && !offer.Receipts {
		return question(told, "delivery", p.L.T("send.nodelivery"))
	}
	return nil
}

// send puts the finished mail into the outbox, in one transaction, and goes back at once with Undo.
func (s *Server) send(w http.ResponseWriter, r *http.Request, p *person, d store.Draft, f draftForm) error {
	m, wrong, err := s.mailOf(r.Context(), p, d)
	if err != nil {
		return err
	}
	ids, err := s.identities(r.Context(), p)
	if err != nil {
		return err
	}
	id, _ := senderOf(ids, d.Fields)
	by := s.through(p, id.Identity)
	if offer, known := s.offered(by); known && !offer.UTF8 {
		for _, a := range slices.Concat(m.To, m.Cc, m.Bcc) {
			if _, beyond := compose.Envelope(a.Addr); beyond {
				wrong = append(wrong, templates.FieldError{Field: "to", Words: p.L.T("send.noutf8", "Address", a.Addr)})
			}
		}
	}
	var when leaving
	if f.later {
		var bad string
		if when, bad = leavingAt(f.at, s.nowFor(p)); bad != "" {
			wrong = append(wrong, templates.FieldError{Field: "at", Words: p.L.T(bad, "Time", clockOf(f.at))})
		}
	}
	told := cmp.Or(f.anyway, f.asked)
	ask := s.asks(by, d, len(m.Files), told)
	if ask == nil {
		ask = s.nudge(r, p, d, m, told)
	}
	halfway, err := s.halfway(r.Context(), p, d)
	if err != nil {
		return err
	}
	if len(halfway) > 0 {
		ask = cmp.Or(question(told, "halfway", p.L.T("compose.halfway", "File", halfway[0].Name)), ask)
	}
	if len(wrong) > 0 || ask != nil {
		return s.composeAgain(w, r, p, d, again{wrong: wrong, ask: ask, form: f})
	}
	d.Fields.Delivery = d.Fields.Delivery && !strings.Contains(told, "delivery") // they know that it gives none
	refused, err := s.accept(r, p, d, m, when)
	if err != nil {
		return err
	}
	if len(refused.wrong) > 0 {
		return s.composeAgain(w, r, p, d, refused)
	}
	return seeOther(w, r, f.back)
}

// accept puts a mail into the outbox, its draft being sent from then on, and leaves the message with Undo. refused says
// what stands against it.
func (s *Server) accept(r *http.Request, p *person, d store.Draft, m compose.Draft, when leaving) (refused again, err error) {
	ctx := r.Context()
	if p, err = s.writer(ctx, p, &d, &d.Fields); err != nil { // whose server it goes to
		return refused, err
	}
	ids, err := s.identities(ctx, p)
	if err != nil {
		return refused, err
	}
	id, _ := senderOf(ids, d.Fields)
	if m, err = s.footed(ctx, m); err != nil {
		return refused, err
	}
	m.MessageID, m.HTML = compose.NewMessageID(m.From.Addr), compose.Dress(m.HTML, m.Subject)
	if when.wall == "" {
		when.at = s.now().Add(s.undoWindow(p))
	} else {
		m.Date = when.at
	}
	bcc, err := compose.BccField(m)
	if err != nil {
		return refused, wrap(err, http.StatusBadRequest, "error.badinput")
	}
	blob, size, err := s.writeMail(ctx, p, bcc, m)
	if m.Original != nil && (errors.Is(err, mailclient.ErrGone) || errors.Is(err, mailclient.ErrNoMailbox) || errors.Is(err, mailclient.ErrUIDValidity)) {
		return again{status: http.StatusConflict, wrong: []templates.FieldError{{Field: "body", Words: p.L.T("compose.originalgone")}}}, nil
	}
	if err != nil {
		return refused, err
	}
	tooLarge := func(words string, limit int64) again {
		return again{wrong: []templates.FieldError{{Field: "body", Words: p.L.T(words, "Size", p.L.Size(size), "Limit", p.L.Size(limit))}}}
	}
	if limit := s.bounds.Of(p.User.Address, limits.MailMB) << 20; size > limit {
		return tooLarge("limit.mail", limit), nil
	}
	if limit := s.sendLimit(s.through(p, id.Identity)); limit > 0 && size > limit {
		return tooLarge("compose.toobig", limit), nil
	}
	item := store.OutboxItem{
		UserID: p.User.ID, AccountID: p.Account.ID, DraftID: d.ID, DueAt: when.at, Later: when.wall, Receipts: d.Fields.Delivery, BlobID: blob, Size: size, Skip: int64(len(bcc)),
		From: m.From.Addr, Subject: m.Subject, MessageID: m.MessageID, AnswerKind: d.Fields.AnswerKind, AnswerMailbox: d.Fields.AnswerMailbox,
		AnswerValidity: d.Fields.AnswerValidity, AnswerUID: d.Fields.AnswerUID,
	}
	if slices.ContainsFunc(p.Accounts, func(a store.Account) bool { return a.ID == d.Fields.AnswerAccount }) {
		item.AnswerAccount = d.Fields.AnswerAccount
	}
	if id.Server != "" {
		item.IdentityID = id.ID
	}
	everybody, _ := compose.Recipients(strings.Join([]string{d.Fields.To, d.Fields.Cc, d.Fields.Bcc}, "\n")) // each once
	for _, a := range everybody {
		item.Recipients = append(item.Recipients, a.Addr)
	}
	var until time.Time
	most := sendLimits{mails: int(s.bounds.Of(p.User.Address, limits.MailsPerHour)), recipients: int(s.bounds.Of(p.User.Address, limits.RecipientsPerDay))}
	err = s.store.InTx(ctx, func(tx *sql.Tx) error {
		past, err := s.store.SendingTx(ctx, tx, p.User.ID, s.now().Add(-24*time.Hour))
		if err != nil {
			return err
		}
		until = most.until(past, len(item.Recipients), s.now())
		if !until.IsZero() {
			return errSentEnough
		}
		if item.ID, err = s.store.EnqueueTx(ctx, tx, item); err != nil {
			return err
		}
		jobID, err := s.queue.SendTx(ctx, tx, item.ID, item.DueAt)
		if err != nil {
			return err
		}
		return s.store.SetOutboxCredTx(ctx, tx, item.ID, s.queue.SealCredential(p.User.ID, item.ID, sealedFor(p, item)), jobID)
	})
	switch {
	case errors.Is(err, errSentEnough):
		words := p.L.T("compose.enough", "Mails", p.L.T("limits.unit.mails_per_hour", "N", most.mails), "Recipients", p.L.T("limits.unit.recipients_per_day", "N", most.recipients), "Time", p.L.Short(until.In(p.Zone).Add(time.Minute), s.nowFor(p)))
		return again{status: http.StatusTooManyRequests, wrong: []templates.FieldError{{Field: "to", Words: words}}}, nil
	case errors.Is(err, store.ErrNotFound):
		return refused, errSentBefore
	}
	if err != nil {
		return refused, err
	}
	s.queue.Wake(item.ID, item.DueAt)
	s.log.Info("accepted for sending", "id", requestID(r), "item", item.ID, "bytes", size)
	fl := flash{Words: p.L.T("compose.sending")}
	if n := int(s.undoWindow(p).Seconds()); when.wall != "" {
		fl = flash{Words: p.L.T("later.sends", "Time", p.L.Ahead(when.at, s.nowFor(p))), UndoMail: item.ID}
	} else if n > 0 {
		fl = flash{Words: p.L.T("compose.sendsin", "N", n), UndoMail: item.ID}
	}
	s.putFlash(r, fl)
	s.hub.tell(p.User.ID, "outbox")
	return refused, nil
}

var errSentEnough = errors.New("the limit of mails or recipients is reached")

func (s *Server) undoWindow(p *person) time.Duration {
	if u := p.User.Settings.Undo; u != nil {
		return time.Duration(*u) * time.Second
	}
	return s.conf.UndoWindow()
}

// writeMail streams the mail into a blob, the Bcc field before it: for the copy in Sent alone.
func (s *Server) writeMail(ctx context.Context, p *person, bcc string, m compose.Draft) (blob string, size int64, err error) {
	err = piped(withBcc(bcc, m), func(r io.Reader) (err error) {
		blob, size, err = s.store.WriteBlob(ctx, p.User.ID, r, 2<<30)
		return err
	})
	if errors.Is(err, compose.ErrHeader) {
		err = wrap(err, http.StatusBadRequest, "error.badinput")
	}
	return blob, size, err
}

// again says why a draft is shown once more: what is to be mended or asked.
type again struct {
	status int // 0 = 422
	wrong  []templates.FieldError
	ask    *templates.Asking
	form   draftForm // as it came
}

// composeAgain shows the kept draft with what is to be mended or asked.
func (s *Server) composeAgain(w http.ResponseWriter, r *http.Request, p *person, d store.Draft, why again) error {
	ids, err := s.identities(r.Context(), p)
	if err != nil {
		return err
	}
	files, err := s.store.Uploads(r.Context(), p.User.ID, d.ID)
	if err != nil {
		return err
	}
	page := s.composePage(r, p, d, files, ids)
	page.Errors, page.Asking, page.At = why.wrong, why.ask, why.form.at
	if page.Asking != nil && why.form.later {
		page.Asking.Later = why.form.at
	}
	page.KeptWords = p.L.T("compose.kept", "Time", s.nowFor(p).Format("15:04"))
	beside := map[string]*string{"to": &page.ToWrong, "cc": &page.CcWrong, "bcc": &page.BccWrong}
	for _, e := range why.wrong {
		if words := beside[e.Field]; words != nil {
			*words = strings.TrimSpace(*words + " " + e.Words)
		}
	}
	w.Header().Set("X-Restante-Draft", d.ID)
	s.render(w, r, cmp.Or(why.status, http.StatusUnprocessableEntity), page)
	return nil
}
