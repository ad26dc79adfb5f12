package handlers

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"restante/internal/contacts"
	"restante/internal/limits"
	"restante/internal/store"
	"restante/mailclient/message"
	"restante/templates"
)

// contactForm is the form of a contact as it was typed.
type contactForm struct {
	id     int64
	card   contacts.Contact
	groups []int64
	rows   int // empty rows for more addresses and numbers
	back   string
	wrong  string // what is to be mended, in words
	have   int64  // the contact that has one of the addresses already
}

// newContact shows the form for somebody new; ?name= and ?address= fill it.
func (s *Server) newContact(w http.ResponseWriter, r *http.Request, p *person) error {
	q := r.URL.Query()
	f := contactForm{card: contacts.Contact{Name: cutText(oneLine(q.Get("name")), 500)}, rows: 1, back: q.Get("back")}
	if a := strings.TrimSpace(q.Get("address")); a != "" {
		f.card.Addresses = []contacts.Value{{Text: cutText(a, 500)}}
	}
	if g := atoi64(q.Get("group")); g > 0 {
		f.groups = []int64{g}
	}
	return s.contactFormPage(w, r, p, http.StatusOK, f)
}

// editContact shows the form for somebody who is there.
func (s *Server) editContact(w http.ResponseWriter, r *http.Request, p *person) error {
	id, err := idParam(r, "contact")
	if err != nil {
		return err
	}
	row, err := s.store.Contact(r.Context(), p.User.ID, id)
	if err != nil {
		return err
	}
	return s.contactFormPage(w, r, p, http.StatusOK, contactForm{id: id, card: cardOf(row), groups: row.Groups, rows: 1})
}

func (s *Server) contactFormPage(w http.ResponseWriter, r *http.Request, p *person, status int, f contactForm) error {
	page, err := s.contactsPage(r, p)
	if err != nil {
		return err
	}
	v := &templates.ContactForm{Name: f.card.Name, Nickname: f.card.Nickname, Company: f.card.Company, Position: f.card.Position, Birthday: f.card.Birthday,
		Note: f.card.Note, Problem: f.wrong, ActionURL: "/contacts", CancelURL: "/contacts", Back: f.back, Title: p.L.T("contacts.new")}
	if f.back != "" {
		v.CancelURL = ownPath(f.back)
	}
	if f.id != 0 {
		v.ActionURL, v.CancelURL, v.Title = pathContact(f.id), pathContact(f.id), p.L.T("contacts.edit")
	}
	field := func(name string, values []contacts.Value, rows int, labels ...string) (out []templates.ContactField) {
		for range rows {
			values = append(slices.Clip(values), contacts.Value{})
		}
		for i, value := range values {
			f := templates.ContactField{Key: name + "-" + strconv.Itoa(i), Name: name, Text: value.Text}
			if value.Label != "" && !slices.Contains(labels, value.Label) {
				labels = append(labels, value.Label)
			}
			for _, l := range labels {
				words := labelWords(p, l)
				if l == "" {
					words = p.L.T("contacts.label.none")
				}
				f.Labels = append(f.Labels, templates.Option{Value: l, Words: words, Current: l == value.Label})
			}
			out = append(out, f)
		}
		return out
	}
	v.Addresses = field("address", f.card.Addresses, f.rows, "", "home", "work")
	v.Phones = field("phone", f.card.Phones, f.rows, "", "mobile", "home", "work", "fax")
	v.Places = field("place", f.card.Places, max(0, 1-len(f.card.Places)), "", "home", "work")
	v.Sites = field("site", f.card.Sites, max(0, 1-len(f.card.Sites)), "", "home", "work")
	for _, g := range page.Groups {
		if id := atoi64(g.Value); id > 0 {
			v.Groups = append(v.Groups, templates.Option{Value: g.Value, Words: g.Words, Current: slices.Contains(f.groups, id)})
		}
	}
	if f.have != 0 {
		row, err := s.store.Contact(r.Context(), p.User.ID, f.have)
		if err != nil {
			return err
		}
		v.Have = &templates.ContactRow{Name: row.Name, URL: pathContact(row.ID)}
	}
	page.Form = v
	page.Head.Title = v.Title
	s.render(w, r, status, page)
	return nil
}

// readContact reads the form. before is the contact as it was: what the form does not show of it stays.
func readContact(r *http.Request, before contacts.Contact) contactForm {
	v := r.PostForm
	c := before
	c.Name, c.Nickname, c.Company, c.Position = v.Get("name"), v.Get("nickname"), v.Get("company"), v.Get("position")
	c.Birthday, c.Note = v.Get("birthday"), v.Get("note")
	values := func(name string) (out []contacts.Value) {
		labels := v[name+"label"]
		for i, text := range v[name] {
			if strings.TrimSpace(text) == "" {
				continue
			}
			value := contacts.Value{Text: text}
			if i < len(labels) {
				value.Label = labels[i]
			}
			out = append(out, value)
		}
		return out
	}
	c.Addresses, c.Phones, c.Places, c.Sites = values("address"), values("phone"), values("place"), values("site")
	if c.Name != before.Name { // its parts are others by now
		c.Rest = slices.DeleteFunc(slices.Clone(c.Rest), func(l contacts.Line) bool { return l.Name == "N" })
	}
	f := contactForm{card: c, rows: 1, back: v.Get("back")}
	for _, g := range v["group"] {
		f.groups = append(f.groups, atoi64(g))
	}
	return f
}

// saveContact keeps somebody new (POST /contacts) or changes one who is there.
func (s *Server) saveContact(w http.ResponseWriter, r *http.Request, p *person) error {
	if err := parseForm(r); err != nil {
		return err
	}
	var before contacts.Contact
	var id int64
	var err error
	if r.URL.Path != "/contacts" {
		if id, err = idParam(r, "contact"); err != nil {
			return err
		}
		row, err := s.store.Contact(r.Context(), p.User.ID, id)
		if errors.Is(err, store.ErrNotFound) && r.PostFormValue("action") != "delete" {
			f := readContact(r, contacts.Contact{})
			f.wrong = p.L.T("contacts.gone")
			return s.contactFormPage(w, r, p, http.StatusUnprocessableEntity, f)
		}
		if err != nil {
			return err
		}
		if r.PostFormValue("action") == "delete" {
			return s.deleteContacts(w, r, p, []int64{id}, r.PostFormValue("back"))
		}
		before = cardOf(row)
	}
	f := readContact(r, before)
	f.id = id
	if r.PostFormValue("action") == "more" {
		f.rows = 3
		return s.contactFormPage(w, r, p, http.StatusOK, f)
	}
	tidy := f.card
	if bad := tidy.Tidy(); len(bad) > 0 {
		f.wrong = p.L.T("identity.bad", "Address", bad[0])
		return s.contactFormPage(w, r, p, http.StatusUnprocessableEntity, f)
	}
	if tidy.Empty() {
		f.wrong = p.L.T("contacts.nobody")
		return s.contactFormPage(w, r, p, http.StatusUnprocessableEntity, f)
	}
	if id == 0 && r.PostFormValue("twice") == "" {
		if f.have, err = s.keptAlready(r.Context(), p, tidy); err != nil {
			return err
		}
		if f.have != 0 {
			return s.contactFormPage(w, r, p, http.StatusUnprocessableEntity, f)
		}
	}
	if name := groupName(r.PostFormValue("newgroup")); name != "" {
		g, err := s.store.MakeGroup(r.Context(), p.User.ID, name, message.Fold(name))
		if err != nil {
			return s.groupProblem(w, r, p, err, r.URL.Path)
		}
		f.groups = append(f.groups, g)
	}
	ids, was, err := s.store.ChangeContacts(r.Context(), p.User.ID, store.ContactChange{Save: []store.Contact{contactRow(id, tidy, f.groups)}, Most: s.bounds.Of(p.User.Address, limits.Contacts)})
	if errors.Is(err, store.ErrTooMany) {
		f.wrong = p.L.T("contacts.toomany", "N", s.bounds.Of(p.User.Address, limits.Contacts))
		return s.contactFormPage(w, r, p, http.StatusUnprocessableEntity, f)
	}
	if err != nil {
		return err
	}
	return s.contactSaved(w, r, p, ids[0], was, tidy.Shown(), f.back)
}

// keptAlready gives the id of a contact that has one of c's addresses, 0 for none.
func (s *Server) keptAlready(ctx context.Context, p *person, c contacts.Contact) (int64, error) {
	for _, a := range c.Addresses {
		if id, err := s.store.ContactOf(ctx, p.User.ID, a.Text); !errors.Is(err, store.ErrNotFound) {
			return id, err
		}
	}
	return 0, nil
}

// contactSaved leads to who was saved, or back to where somebody was kept from.
func (s *Server) contactSaved(w http.ResponseWriter, r *http.Request, p *person, id int64, was []store.Contact, name, back string) error {
	words, u := p.L.T("contacts.done.saved"), &undoContacts{Restore: was}
	if len(was) == 0 {
		words, u = p.L.T("contacts.done.kept", "Name", name), &undoContacts{Remove: []int64{id}}
	}
	done := s.undoable(r, p, "contacts", words, undoStep{Contacts: u})
	if back == "" {
		back = pathContact(id)
	} else {
		done.LinkURL, done.LinkWords = pathContact(id), p.L.T("contacts.open")
	}
	s.putFlash(r, done)
	return seeOther(w, r, back)
}

// forgetStranger takes somebody out of the people written to.
func (s *Server) forgetStranger(w http.ResponseWriter, r *http.Request, p *person) error {
	if err := parseForm(r); err != nil {
		return err
	}
	if err := s.store.ForgetPerson(r.Context(), p.User.ID, r.PostFormValue("address")); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	s.putFlash(r, flash{Words: p.L.T("contacts.done.forgotten", "Address", r.PostFormValue("address"))})
	return seeOther(w, r, "/contacts/written")
}

// exportContacts writes contacts as vCards, all or a group; ?version=3 for older programs.
func (s *Server) exportContacts(w http.ResponseWriter, r *http.Request, p *person) error {
	version := "4.0"
	if r.URL.Query().Get("version") == "3" {
		version = "3.0"
	}
	list, err := s.contactsOf(r.Context(), p.User.ID, atoi64(r.URL.Query().Get("group")))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/vcard; charset=utf-8")
	w.Header().Set("Content-Disposition", disposition("attachment", "contacts.vcf"))
	return contacts.WriteVCards(w, version, list)
}

// contactsOf are a user's contacts with the names of their groups: all, or those of a group.
func (s *Server) contactsOf(ctx context.Context, userID, group int64) ([]contacts.Contact, error) {
	groups, err := s.store.ContactGroups(ctx, userID)
	if err != nil {
		return nil, err
	}
	rows, _, err := s.store.Contacts(ctx, userID, store.ContactQuery{Group: group})
	if err != nil {
		return nil, err
	}
	member := map[int64][]string{}
	for _, g := range groups {
		in, _, err := s.store.Contacts(ctx, userID, store.ContactQuery{Group: g.ID})
		if err != nil {
			return nil, err
		}
		for _, row := range in {
			member[row.ID] = append(member[row.ID], g.Name)
		}
	}
	list := make([]contacts.Contact, len(rows))
	for i, row := range rows {
		list[i] = cardOf(row)
		list[i].Groups = member[row.ID]
	}
	return list, nil
}
