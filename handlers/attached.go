package handlers

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"restante/mailclient"
	"restante/mailclient/message"
	"restante/templates"
)

const (
	maxWithin   = 5       // mails within mails
	maxAttached = 8 << 20 // bytes of one that is read
)

// within opens a mail that is a part of the open one, by the sections that lead to it. What a stranger attached is
// believed nothing that a server of ours would say of a mail.
func (s *Server) within(r *http.Request, p *person, pl *place, open *mailclient.Open, sections []string) (*mailclient.Open, error) {
	if len(sections)+len(strings.FieldsFunc(pl.in, func(r rune) bool { return r == '/' })) > maxWithin {
		return nil, errNothingHere
	}
	for _, section := range sections {
		at := slices.IndexFunc(open.Message.Files, func(f message.File) bool { return f.Section == section && isMailFile(f) })
		if at < 0 {
			return nil, errNothingHere
		}
		raw, err := s.wholePart(r, p, *pl, open, open.Message.Files[at], maxAttached)
		if err != nil {
			return nil, err
		}
		m := message.Read(raw)
		open = &mailclient.Open{Row: mailclient.Row{UID: open.UID, UIDValidity: open.UIDValidity, Mailbox: open.Mailbox, Date: m.Date, Received: m.Date}, ReadOnly: true, Message: m}
		pl.in = strings.TrimPrefix(pl.in+"/"+section, "/")
		p.attached = true
	}
	return open, nil
}

// attachedMail shows a mail within a mail on its own page.
func (s *Server) attachedMail(w http.ResponseWriter, r *http.Request, p *person, pl place, open *mailclient.Open, page templates.FilePage, section string) error {
	inner, err := s.within(r, p, &pl, open, []string{section})
	if err != nil {
		return err
	}
	page.Mail = s.messageView(r, p, pl, inner)
	page.Name = page.Mail.Subject
	page.Title = page.Name
	return s.ok(w, r, page)
}

// mailCard tells of an attached mail, or of one that came back: whose it is, how it begins, and where it can be read.
func mailCard(p *person, pl place, open *mailclient.Open, b message.Block) *templates.AttachedMail {
	f := b.Card.Fields
	v := &templates.AttachedMail{Subject: subjectOf(p, f["name"]), From: f["from"], Text: f["text"]}
	if t, err := time.Parse("2006-01-02 15:04 -07:00", f["date"]); err == nil {
		v.Date = p.L.Long(t.In(p.Zone))
	}
	if slices.ContainsFunc(open.Message.Files, func(f message.File) bool { return f.Section == b.Section && f.Nested }) {
		v.URL = mailAt(p, pl, open).file(b.Section)
	}
	return v
}
