package handlers

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"restante/internal/i18n"
	"restante/internal/store"
	"restante/mailclient"
	"restante/mailclient/compose"
	"restante/mailclient/message"
	"restante/templates"
)

// invitationAnswers are what a person can say to an invitation, as it is kept and as calendars say it (RFC 5545 3.2.12).
var invitationAnswers = []struct{ kept, said string }{{"accepted", "ACCEPTED"}, {"tentative", "TENTATIVE"}, {"declined", "DECLINED"}}

// invitation is an event as its card tells it, with the buttons that answer it where it waits for an answer.
func (s *Server) invitation(r *http.Request, p *person, pl place, open *mailclient.Open, b message.Block, v *templates.Card) {
	e, method := b.Card.Event, b.Card.Fields["method"]
	in := &templates.Invitation{Back: r.URL.RequestURI(), Summary: b.Card.Fields["summary"], Where: b.Card.Fields["location"], Text: b.Card.Fields["text"],
		SaveURL: mailAt(p, pl, open).part(b.Section, "download", "1")}
	v.Invitation, v.Lines = in, nil
	in.When, in.TheirTime = eventTime(p, e)
	if in.When == "" {
		in.When = b.Card.Fields["start"]
	}
	if t := e.Start.Time; !t.IsZero() {
		if e.Start.Known {
			t = t.In(p.Zone)
		}
		in.Day, in.Month = strconv.Itoa(t.Day()), p.L.MonthShort(t)
	}
	in.Repeats = repeats(p, e)
	if a := e.Organizer; a.Addr != "" {
		in.Organizer = personOf(a).Full
	}
	v.Title = p.L.T("card.invitation")
	switch method {
	case "cancel":
		v.Title, in.Bad = p.L.T("invite.cancelled"), p.L.T("invite.cancelled.words")
	case "accepted", "declined", "tentative":
		v.Title = p.L.T("invite.answer")
		if len(e.Attendees) > 0 {
			in.State = p.L.T("invite.says."+method, "Name", nameOr(personOf(e.Attendees[0].Address)))
		}
		return
	case "request", "add":
		in.Guests = guests(p, e)
		if e.Cancelled {
			in.Bad = p.L.T("invite.cancelled.words")
			break
		}
		s.answerable(r, p, pl, open, b, in)
	default:
		if v.Title = p.L.T("invite.event"); i18n.Knows("card.method." + method) {
			in.State = p.L.T("card.method." + method)
		}
	}
	switch {
	case !e.Recurrence.Time.IsZero():
		in.Notes = append(in.Notes, p.L.T("invite.one"))
		if !e.Start.Time.Equal(e.Recurrence.Time) && !e.Start.Time.IsZero() {
			was, _ := eventTime(p, &message.Event{Start: e.Recurrence})
			in.Changes = []string{p.L.T("invite.was.when", "When", was)}
		}
	case method == "request" && e.Sequence > 0:
		if in.Changes = s.changedEvent(r, p, pl, open, b.Card); in.Changes == nil {
			in.Notes = append(in.Notes, p.L.T("invite.changed"))
		}
	}
}

// answerable adds how an invitation was answered, or the buttons to do so.
func (s *Server) answerable(r *http.Request, p *person, pl place, open *mailclient.Open, b message.Block, in *templates.Invitation) {
	e := b.Card.Event
	if _, ok := s.asAttendee(r, p, e); !ok {
		if !s.mine(r, p, e.Organizer.Addr) {
			in.Notes = append(in.Notes, p.L.T("invite.notyou"))
		}
		return
	}
	given, words := s.answerGiven(r, p, pl, open)
	in.State = words
	in.AnswerURL = mailAt(p, pl, open).act("answer")
	in.Section, in.Given = b.Section, given
	for _, a := range invitationAnswers {
		in.Answers = append(in.Answers, templates.InvitationAnswer{Name: a.kept, Words: p.L.T("invite.act." + a.kept), Given: a.kept == given})
	}
}

// answerGiven tells how an invitation was answered: by what is on its way or was sent lately, else by the mail's keyword.
func (s *Server) answerGiven(r *http.Request, p *person, pl place, open *mailclient.Open) (answer, words string) {
	item, err := s.store.InvitationAnswer(r.Context(), p.User.ID, p.Account.ID, pl.box.Name, open.UIDValidity, open.UID)
	switch {
	case err == nil && (item.State == store.Sent || item.State == store.Accepted):
		return item.AnswerKind, p.L.T("invite.given." + item.AnswerKind)
	case err == nil && item.State == store.Held:
		return item.AnswerKind, p.L.T("invite.given."+item.AnswerKind) + " " + p.L.T("invite.held", "Time", item.DueAt.In(p.Zone).Format("15:04:05"))
	case err == nil:
		return item.AnswerKind, p.L.T("invite.outbox")
	case !errors.Is(err, store.ErrNotFound):
		s.log.Warn("answer to an invitation", "err", err.Error())
	}
	for _, a := range invitationAnswers {
		if slices.ContainsFunc(open.Flags.Keywords, func(k string) bool { return strings.EqualFold(k, mailclient.InvitationKeyword(a.kept)) }) {
			return a.kept, p.L.T("invite.given." + a.kept)
		}
	}
	return "", ""
}

// asAttendee is the identity of the person whom an invitation asks, the one that it names first.
func (s *Server) asAttendee(r *http.Request, p *person, e *message.Event) (id store.Identity, ok bool) {
	ids, err := s.identities(r.Context(), p)
	if err != nil || s.fromHere(r, p, e.Organizer.Addr) || !compose.Valid(e.Organizer.Addr) {
		return id, false
	}
	for _, a := range e.Attendees {
		for _, id := range append(identitiesOf(p, ids), ids...) {
			if strings.EqualFold(id.Address, a.Addr) {
				return id.Identity, true
			}
		}
	}
	return id, false
}

// answerInvitation sends the organiser of an invitation the person's answer, by the outbox like any mail.
func (s *Server) answerInvitation(w http.ResponseWriter, r *http.Request, p *person) error {
	if err := parseForm(r); err != nil {
		return err
	}
	pl, open, err := s.openAt(r, p)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(invitationAnswers, func(a struct{ kept, said string }) bool { return a.kept == r.PostFormValue("answer") })
	blocks := slices.DeleteFunc(slices.Clone(open.Message.Blocks), func(b message.Block) bool {
		return b.Card == nil || b.Card.Event == nil || b.Section != r.PostFormValue("section")
	})
	if at < 0 || len(blocks) == 0 {
		return badRequest("error.form")
	}
	card, answer := blocks[0].Card, invitationAnswers[at]
	id, ok := s.asAttendee(r, p, card.Event)
	if method := card.Fields["method"]; !ok || card.Event.Cancelled || method != "request" && method != "add" {
		return badRequest("error.form")
	}
	if before, err := s.store.InvitationAnswer(r.Context(), p.User.ID, p.Account.ID, pl.box.Name, open.UIDValidity, open.UID); err == nil && before.State == store.Held {
		if before.AnswerKind == answer.kept { // pressed twice
			return seeOther(w, r, r.PostFormValue("back"))
		}
		if err := s.takeBackAnswer(r, p, before.ID); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	refused, err := s.sendAnswer(r, p, pl, open, card, id, answer.kept, answer.said)
	if err != nil {
		return err
	}
	if len(refused.wrong) > 0 {
		s.putFlash(r, flash{Words: refused.wrong[0].Words, Failed: true})
	}
	return seeOther(w, r, r.PostFormValue("back"))
}

func (s *Server) sendAnswer(r *http.Request, p *person, pl place, open *mailclient.Open, card *message.Card, id store.Identity, kept, said string) (refused again, err error) {
	h, me := open.Message.Header, compose.Address{Name: id.Name, Addr: id.Address}
	note := strings.TrimSpace(cutText(r.PostFormValue("note"), 2000))
	summary := card.Fields["summary"]
	if summary == "" {
		summary = h.Subject()
	}
	text := p.L.T("invite.mail."+kept, "Name", nameOr(templates.Person{Name: id.Name, Addr: id.Address}), "Subject", summary)
	if note != "" {
		text += "\n\n" + note
	}
	d := store.Draft{UserID: p.User.ID, AccountID: id.AccountID, Fields: store.DraftFields{
		IdentityID: id.ID, To: compose.Format([]compose.Address{{Name: card.Event.Organizer.Name, Addr: card.Event.Organizer.Addr}}),
		Subject: cutText(p.L.T("invite.subject."+kept, "Subject", oneLine(summary)), 500), Body: text,
		Calendar:  compose.InvitationReply(card.Event, me, said, note, s.now()),
		InReplyTo: h.MessageID(), References: compose.References(h.References(), h.InReplyTo(), h.MessageID()),
		AnswerKind: kept, AnswerAccount: p.Account.ID, AnswerMailbox: pl.box.Name, AnswerValidity: open.UIDValidity, AnswerUID: open.UID,
	}}
	return s.sendByItself(r, p, d)
}

// sendByItself sends a mail that nobody has written by hand. refused says what stands against it.
func (s *Server) sendByItself(r *http.Request, p *person, d store.Draft) (refused again, err error) {
	if d, err = s.store.CreateDraft(r.Context(), d); err != nil {
		return refused, err
	}
	m, wrong, err := s.mailOf(r.Context(), p, d)
	if refused.wrong = wrong; err == nil && len(wrong) == 0 {
		refused, err = s.accept(r, p, d, m, leaving{})
	}
	if err != nil || len(refused.wrong) > 0 {
		err = errors.Join(err, s.store.SetDraftState(r.Context(), p.User.ID, d.ID, "discarded"))
	}
	return refused, err
}

// byItself says whether a mail was made by sendByItself: an answer to an invitation, or a receipt.
func byItself(item store.OutboxItem) bool {
	return item.AnswerKind == store.ReceiptKind || slices.ContainsFunc(invitationAnswers, func(a struct{ kept, said string }) bool { return a.kept == item.AnswerKind })
}

// takeBackAnswer takes an answer to an invitation, or a receipt, out of the outbox. ErrNotFound: it is on its way.
func (s *Server) takeBackAnswer(r *http.Request, p *person, item int64) error {
	draft, err := s.store.UndoOutbox(r.Context(), p.User.ID, item, withoutReached)
	if err != nil {
		return err
	}
	return s.store.SetDraftState(r.Context(), p.User.ID, draft, "discarded")
}

// undoAnswer takes an answer to an invitation, or a receipt, back and shows what asked for it again.
func (s *Server) undoAnswer(w http.ResponseWriter, r *http.Request, p *person, item store.OutboxItem) error {
	err := s.takeBackAnswer(r, p, item.ID)
	if errors.Is(err, store.ErrNotFound) {
		return s.tooLate(w, r, p)
	}
	if err != nil {
		return err
	}
	words := "invite.undone"
	if item.AnswerKind == store.ReceiptKind {
		words = "receipt.undone"
	}
	s.putFlash(r, flash{Words: p.L.T(words)})
	s.hub.tell(p.User.ID, "outbox")
	to := "/outbox"
	if p, err = s.as(p, cmp.Or(item.AnswerAccount, item.AccountID)); err != nil {
		return seeOther(w, r, to)
	}
	boxes, err := p.Mail.Mailboxes(r.Context())
	if at := slices.IndexFunc(boxes, func(b mailclient.Mailbox) bool { return b.Name == item.AnswerMailbox }); err == nil && at >= 0 {
		to = pathMessage(p.Account.ID, Slug(boxes[at].Name, boxes[at].Delimiter), item.AnswerUID)
	}
	return seeOther(w, r, to)
}

// eventTime is when an event is, by the reader's clock, and by the clock of its own zone where that shows another time.
func eventTime(p *person, e *message.Event) (when, theirs string) {
	if e.Start.Time.IsZero() {
		return "", ""
	}
	if e.Start.Day {
		days := p.L.DayLong(e.Start.Time)
		if e.End.Day && e.End.Time.After(e.Start.Time) {
			return days + " – " + p.L.DayLong(e.End.Time), ""
		}
		return days + ", " + p.L.T("invite.allday"), ""
	}
	if !e.Start.Known {
		when = span(p.L, e.Start.Time, e.End.Time, "")
		if e.Start.Zone != "" {
			when += " (" + e.Start.Zone + ")"
		}
		return when, ""
	}
	end := e.End.Time
	if !e.End.Known {
		end = time.Time{}
	}
	here := e.Start.Time.In(p.Zone)
	when = span(p.L, here, end, " MST")
	_, ours := here.Zone()
	if _, offset := e.Start.Time.Zone(); e.Start.Zone != "" && offset != ours {
		theirs = p.L.T("invite.theirtime", "Zone", e.Start.Zone, "When", span(p.L, e.Start.Time, end, ""))
	}
	return when, theirs
}

// span is from start to end, in the zone of start; zone is how that is written.
func span(l *i18n.Localizer, start, end time.Time, zone string) string {
	end = end.In(start.Location())
	switch {
	case !end.After(start):
		return l.DayLong(start) + start.Format(", 15:04"+zone)
	case end.YearDay() == start.YearDay() && end.Year() == start.Year():
		return l.DayLong(start) + start.Format(", 15:04") + end.Format("–15:04"+zone)
	}
	return l.DayLong(start) + start.Format(", 15:04") + " – " + l.DayLong(end) + end.Format(", 15:04"+zone)
}

// weekdays are the days of rules (RFC 5545 3.3.10).
var weekdays = []string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}

// repeats says in words how an event comes again: how often, on which days of the week, until when.
func repeats(p *person, e *message.Event) string {
	if e.Rule == "" {
		return ""
	}
	rule := map[string]string{}
	for part := range strings.SplitSeq(e.Rule, ";") {
		k, v, _ := strings.Cut(part, "=")
		rule[k] = v
	}
	key := "card.repeats." + strings.ToLower(rule["FREQ"])
	if !i18n.Knows(key) {
		return p.L.T("invite.repeats.other")
	}
	n, err := strconv.Atoi(rule["INTERVAL"])
	if err != nil || n < 1 || n > 1000 {
		n = 1
	}
	words := p.L.T(key, "N", n)
	var days []string
	for d := range strings.SplitSeq(rule["BYDAY"], ",") {
		if i := slices.Index(weekdays, d); i >= 0 && rule["FREQ"] == "WEEKLY" {
			days = append(days, p.L.Weekday(time.Weekday(i)))
		}
	}
	if len(days) > 0 {
		words = p.L.T("invite.repeats.on", "Often", words, "Days", strings.Join(days, ", "))
	}
	if count, err := strconv.Atoi(rule["COUNT"]); err == nil && count > 0 {
		return words + ", " + p.L.T("invite.repeats.times", "N", count)
	}
	for _, layout := range []string{"20060102T150405Z", "20060102T150405", "20060102"} {
		if t, err := time.Parse(layout, rule["UNTIL"]); err == nil {
			if len(layout) == 16 {
				t = t.In(p.Zone)
			}
			return words + ", " + p.L.T("invite.repeats.until", "Date", p.L.Date(t))
		}
	}
	return words
}

// guests are those whom an event asks, with what they answered; the first fifty of many.
func guests(p *person, e *message.Event) (lines []string) {
	const most = 50
	for i, a := range e.Attendees {
		if i == most {
			return append(lines, p.L.T("invite.moreguests", "N", len(e.Attendees)-most))
		}
		line := nameOr(personOf(a.Address))
		if key := "invite.guest." + strings.ToLower(a.Answer); i18n.Knows(key) {
			line += " · " + p.L.T(key)
		}
		lines = append(lines, line)
	}
	return lines
}
