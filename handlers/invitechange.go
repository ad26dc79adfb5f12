package handlers

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"restante/mailclient"
	"restante/mailclient/message"
)

const (
	earlierTime = 2 * time.Second // that a page waits for the version before
	earlierMost = 4               // mails that are looked into for it
)

// changedEvent tells what is other in an event than in the version of it that came before, and how that was answered; nil
// where that version is not at hand, or says the same.
func (s *Server) changedEvent(r *http.Request, p *person, pl place, open *mailclient.Open, now *message.Card) (lines []string) {
	mail, before := earlierVersion(r, p, pl, open, now)
	if before == nil {
		return nil
	}
	was := func(key string, args ...any) { lines = append(lines, p.L.T(key, args...)) }
	e, o := now.Event, before.Event
	when, _ := eventTime(p, e)
	if then, _ := eventTime(p, o); then != when && then != "" {
		was("invite.was.when", "When", then)
	}
	switch then := before.Fields["location"]; {
	case then == now.Fields["location"]:
	case then == "":
		was("invite.was.nowhere")
	default:
		was("invite.was.where", "Where", then)
	}
	if then := before.Fields["summary"]; then != now.Fields["summary"] && then != "" {
		was("invite.was.title", "Title", then)
	}
	switch then := repeats(p, o); {
	case then == repeats(p, e):
	case then == "":
		was("invite.was.once")
	default:
		was("invite.was.repeats", "Repeats", then)
	}
	var dropped []string
	for _, d := range e.Except {
		if !slices.ContainsFunc(o.Except, func(w message.When) bool { return w.Time.Equal(d.Time) }) {
			dropped = append(dropped, p.L.Date(d.Time))
		}
	}
	if len(dropped) > 0 {
		was("invite.dropped", "Dates", strings.Join(dropped, ", "))
	}
	if given, _ := s.answerGiven(r, p, pl, mail); given != "" {
		was("invite.before." + given)
	}
	return lines
}

// earlierVersion is the newest mail of a mailbox, older than this one and of the same sender, that has an earlier version
// of an event under the same title; nil where none is at hand.
func earlierVersion(r *http.Request, p *person, pl place, open *mailclient.Open, now *message.Card) (*mailclient.Open, *message.Card) {
	ctx, cancel := context.WithTimeout(r.Context(), earlierTime)
	defer cancel()
	title := strings.Join(strings.FieldsFunc(now.Fields["summary"], func(c rune) bool { return c == '"' || c < ' ' }), " ")
	q, err := mailclient.ParseSearch("from:"+first(open.Message.Header.From()).Addr+` subject:"`+cutText(title, 200)+`"`, p.Zone)
	if err != nil || title == "" {
		return nil, nil
	}
	list, err := p.Mail.List(ctx, pl.box.Name, mailclient.ListQuery{Page: 1, PerPage: 20, Search: &q})
	if err != nil {
		return nil, nil
	}
	looked := 0
	for _, row := range list.Rows {
		if row.UID >= open.UID || looked == earlierMost {
			continue
		}
		looked++
		o, err := p.Mail.Open(ctx, pl.box.Name, row.UIDValidity, row.UID)
		if err != nil {
			continue
		}
		for _, b := range o.Message.Blocks {
			if b.Card != nil && b.Card.Event != nil && b.Card.Fields["method"] == "request" && b.Card.Event.UID == now.Event.UID &&
				b.Card.Event.Recurrence.Time.IsZero() && b.Card.Event.Sequence < now.Event.Sequence {
				return o, b.Card
			}
		}
	}
	return nil, nil
}
