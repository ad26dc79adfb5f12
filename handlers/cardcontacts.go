package handlers

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"restante/internal/contacts"
	"restante/mailclient"
	"restante/mailclient/message"
	"restante/templates"
)

// attachedContacts are the people of a vCard that came with a mail, the first of many; nil when there are none.
func attachedContacts(p *person, pl place, open *mailclient.Open, b message.Block) *templates.AttachedContacts {
	const most = 5
	read, _ := contacts.ReadVCards(bytes.NewReader(b.Card.Raw)) // of a long one the begin
	if len(read.Contacts) == 0 {
		return nil
	}
	v := &templates.AttachedContacts{Section: b.Section, AddURL: mailAt(p, pl, open).act("contacts")}
	for i, c := range read.Contacts {
		if i == most {
			v.More = p.L.T("card.contact.more", "N", len(read.Contacts)-most)
			break
		}
		one := templates.AttachedContact{Name: c.Shown(), About: strings.Join(slices.DeleteFunc([]string{c.Position, c.Company}, func(s string) bool { return s == "" || s == c.Shown() }), ", ")}
		for _, reached := range reachedBy(c) {
			if reached != one.Name {
				one.Lines = append(one.Lines, reached)
			}
		}
		one.Lines = one.Lines[:min(len(one.Lines), 6)]
		if len(c.Addresses) > 0 {
			one.WriteURL = with("/compose", url.Values{"to": {c.Addresses[0].Text}})
		}
		v.People = append(v.People, one)
	}
	return v
}

// maxAttachedContacts is how much of an attached vCard is read (SECURITY 6).
const maxAttachedContacts = 1 << 20

// takeAttachedContacts reads a vCard that came with a mail as if it had been uploaded, and leads to its preview.
func (s *Server) takeAttachedContacts(w http.ResponseWriter, r *http.Request, p *person) error {
	if err := parseForm(r); err != nil {
		return err
	}
	pl, open, err := s.openAt(r, p)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(open.Message.Files, func(f message.File) bool { return f.Section == r.PostFormValue("section") })
	if at < 0 {
		return errNothingHere
	}
	f := open.Message.Files[at]
	raw, err := s.wholePart(r, p, pl, open, f, maxAttachedContacts)
	if err != nil {
		return err
	}
	read, err := contacts.ReadVCards(bytes.NewReader(raw))
	if err != nil || len(read.Contacts)+len(read.Faults) == 0 {
		return s.importAsks(w, r, p, http.StatusUnprocessableEntity, p.L.T("contacts.notafile", "File", f.Name))
	}
	return s.keepContactFile(w, r, p, f.Name, contactFile{Read: &read})
}
