package handlers

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"restante/internal/contacts"
	"restante/internal/limits"
	"restante/internal/store"
	"restante/mailclient/compose"
	"restante/mailclient/message"
	"restante/templates"
)

// actOnContacts does something with the contacts that are ticked.
func (s *Server) actOnContacts(w http.ResponseWriter, r *http.Request, p *person) error {
	if err := parseForm(r); err != nil {
		return err
	}
	back := r.PostFormValue("back")
	var ids []int64
	for _, v := range r.PostForm["id"] {
		id, err := strconv.ParseInt(v, 10, 64)
		if err != nil || len(ids) >= 1000 {
			return badRequest("error.form")
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		s.putFlash(r, flash{Words: p.L.T("contacts.none"), Failed: true})
		return seeOther(w, r, back)
	}
	switch r.PostFormValue("action") {
	case "write":
		return s.writeTo(w, r, p, ids)
	case "delete":
		return s.deleteContacts(w, r, p, ids, back)
	case "merge":
		return s.mergeContacts(w, r, p, [][]int64{ids}, back)
	case "group", "ungroup":
		return s.changeMembers(w, r, p, ids, back)
	}
	return badRequest("error.act")
}

func (s *Server) writeTo(w http.ResponseWriter, r *http.Request, p *person, ids []int64) error {
	var to []string
	for _, id := range ids {
		row, err := s.store.Contact(r.Context(), p.User.ID, id)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if c := cardOf(row); len(c.Addresses) > 0 {
			to = append(to, compose.Address{Name: c.Name, Addr: c.Addresses[0].Text}.String())
		}
	}
	return seeOther(w, r, with("/compose", url.Values{"to": {strings.Join(to, ", ")}, "back": {r.PostFormValue("back")}}))
}

// undoContacts takes a change of contacts back.
type undoContacts struct {
	Remove  []int64         `json:"remove,omitempty"`
	Restore []store.Contact `json:"restore,omitempty"`
	Group   *undoGroup      `json:"group,omitempty"`
}

// undoGroup takes a change of a group's members back; a group that has gone comes back by its name.
type undoGroup struct {
	Name    string
	In, Out []int64 // put back in, taken out again
}

func (s *Server) deleteContacts(w http.ResponseWriter, r *http.Request, p *person, ids []int64, back string) error {
	_, before, err := s.store.ChangeContacts(r.Context(), p.User.ID, store.ContactChange{Delete: ids})
	if err != nil {
		return err
	}
	if len(before) == 0 { // by another tab
		s.putFlash(r, flash{Words: p.L.T("contacts.gonealready"), Failed: true})
		return seeOther(w, r, back)
	}
	words := p.L.T("contacts.done.deleted", "N", len(before))
	if len(before) == 1 {
		words = p.L.T("contacts.done.deletedone", "Name", before[0].Name)
	}
	s.putFlash(r, s.undoable(r, p, "contacts", words, undoStep{Contacts: &undoContacts{Restore: before}}))
	return seeOther(w, r, back)
}

// mergeContacts makes one contact of each set, the first of it.
func (s *Server) mergeContacts(w http.ResponseWriter, r *http.Request, p *person, sets [][]int64, back string) error {
	var ch store.ContactChange
	for _, set := range sets {
		var whole *store.Contact
		var card contacts.Contact
		for _, id := range set {
			row, err := s.store.Contact(r.Context(), p.User.ID, id)
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			if whole == nil {
				whole, card = &row, cardOf(row)
				continue
			}
			card = contacts.Merge(card, cardOf(row))
			for _, g := range row.Groups {
				if !slices.Contains(whole.Groups, g) {
					whole.Groups = append(whole.Groups, g)
				}
			}
			ch.Delete = append(ch.Delete, id)
		}
		if whole != nil {
			ch.Save = append(ch.Save, contactRow(whole.ID, card, whole.Groups))
		}
	}
	if len(ch.Delete) == 0 {
		s.putFlash(r, flash{Words: p.L.T("contacts.mergetwo"), Failed: true})
		return seeOther(w, r, back)
	}
	_, before, err := s.store.ChangeContacts(r.Context(), p.User.ID, ch)
	if err != nil {
		return err
	}
	s.putFlash(r, s.undoable(r, p, "contacts", p.L.T("contacts.done.merged", "N", len(before)), undoStep{Contacts: &undoContacts{Restore: before}}))
	return seeOther(w, r, back)
}

// groupName is a name as a group may have it, "" for none.
func groupName(s string) string { return cutText(oneLine(s), 100) }

// changeMembers puts contacts into a group, a new one if its name is given, or takes them out.
func (s *Server) changeMembers(w http.ResponseWriter, r *http.Request, p *person, ids []int64, back string) error {
	in := r.PostFormValue("action") == "group"
	id, _ := strconv.ParseInt(r.PostFormValue("group"), 10, 64)
	name := groupName(r.PostFormValue("newgroup"))
	if in && id == 0 {
		if name == "" {
			s.putFlash(r, flash{Words: p.L.T("contacts.whichgroup"), Failed: true})
			return seeOther(w, r, back)
		}
		var err error
		if id, err = s.store.MakeGroup(r.Context(), p.User.ID, name, message.Fold(name)); err != nil {
			return s.groupProblem(w, r, p, err, back)
		}
	}
	groups, err := s.store.ContactGroups(r.Context(), p.User.ID)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(groups, func(g store.ContactGroup) bool { return g.ID == id })
	if at < 0 {
		return errNothingHere
	}
	were, err := s.store.ChangeMembers(r.Context(), p.User.ID, id, ids, in)
	if err != nil {
		return err
	}
	u, key := &undoGroup{Name: groups[at].Name, In: were}, "contacts.done.out"
	if in {
		u, key = &undoGroup{Name: groups[at].Name, Out: were}, "contacts.done.in"
	}
	s.putFlash(r, s.undoable(r, p, "contacts", p.L.T(key, "N", len(were), "Group", groups[at].Name), undoStep{Contacts: &undoContacts{Group: u}}))
	return seeOther(w, r, back)
}

func (s *Server) groupProblem(w http.ResponseWriter, r *http.Request, p *person, err error, back string) error {
	if !errors.Is(err, store.ErrTooMany) {
		return err
	}
	s.putFlash(r, flash{Words: p.L.T("contacts.toomanygroups"), Failed: true})
	return seeOther(w, r, back)
}

// changeGroup renames or deletes a group.
func (s *Server) changeGroup(w http.ResponseWriter, r *http.Request, p *person) error {
	if err := parseForm(r); err != nil {
		return err
	}
	id, err := strconv.ParseInt(r.PostFormValue("group"), 10, 64)
	if err != nil {
		return errNothingHere
	}
	here := "/contacts?group=" + strconv.FormatInt(id, 10)
	switch r.PostFormValue("action") {
	case "rename":
		name := groupName(r.PostFormValue("name"))
		if name == "" {
			s.putFlash(r, flash{Words: p.L.T("contacts.whichgroup"), Failed: true})
			return seeOther(w, r, here)
		}
		ok, err := s.store.RenameGroup(r.Context(), p.User.ID, id, name, message.Fold(name))
		if err != nil {
			return err
		}
		if !ok {
			s.putFlash(r, flash{Words: p.L.T("contacts.groupexists", "Group", name), Failed: true})
		}
		return seeOther(w, r, here)
	case "delete":
		name, members, err := s.store.DeleteGroup(r.Context(), p.User.ID, id)
		if err != nil {
			return err
		}
		s.putFlash(r, s.undoable(r, p, "contacts", p.L.T("contacts.done.group", "Group", name), undoStep{Contacts: &undoContacts{Group: &undoGroup{Name: name, In: members}}}))
		return seeOther(w, r, "/contacts")
	}
	return badRequest("error.act")
}

// contactsBack takes a change back.
func (s *Server) contactsBack(r *http.Request, p *person, u *undoContacts) error {
	ctx := r.Context()
	most := max(contacts.MaxContacts, s.bounds.Of(p.User.Address, limits.Contacts)) // a limit that came meanwhile takes nothing away
	if _, _, err := s.store.ChangeContacts(ctx, p.User.ID, store.ContactChange{Delete: u.Remove, Save: u.Restore, Most: most}); err != nil {
		return err
	}
	if u.Group == nil {
		return nil
	}
	id, err := s.store.MakeGroup(ctx, p.User.ID, u.Group.Name, message.Fold(u.Group.Name))
	if err == nil {
		_, err = s.store.ChangeMembers(ctx, p.User.ID, id, u.Group.In, true)
	}
	if err == nil {
		_, err = s.store.ChangeMembers(ctx, p.User.ID, id, u.Group.Out, false)
	}
	return err
}

// doubles shows contacts that are there twice.
func (s *Server) doubles(w http.ResponseWriter, r *http.Request, p *person) error {
	page, err := s.contactsPage(r, p)
	if err != nil {
		return err
	}
	rows, sets, err := s.findDoubles(r, p)
	if err != nil {
		return err
	}
	v := &templates.ContactDoubles{Count: len(sets)}
	for i, set := range sets {
		if i == 100 {
			break
		}
		var d templates.ContactDouble
		for _, at := range set {
			c := cardOf(rows[at])
			d.IDs = append(d.IDs, rows[at].ID)
			d.People = append(d.People, templates.ContactRow{ID: rows[at].ID, Name: rows[at].Name, URL: pathContact(rows[at].ID), Line: strings.Join(reachedBy(c), ", "),
				Initials: initials(rows[at].Name, ""), Hue: hue(rows[at].Name)})
		}
		v.Sets = append(v.Sets, d)
	}
	page.Doubles = v
	page.Head.Title = p.L.T("contacts.doubles")
	return s.ok(w, r, page)
}

// reachedBy are the addresses and numbers of a contact.
func reachedBy(c contacts.Contact) (out []string) {
	for _, v := range slices.Concat(c.Addresses, c.Phones) {
		out = append(out, v.Text)
	}
	return out
}

func (s *Server) findDoubles(r *http.Request, p *person) (rows []store.Contact, sets [][]int, err error) {
	if rows, _, err = s.store.Contacts(r.Context(), p.User.ID, store.ContactQuery{}); err != nil {
		return nil, nil, err
	}
	list := make([]contacts.Contact, len(rows))
	for i, row := range rows {
		list[i] = cardOf(row)
	}
	return rows, contacts.Doubles(list), nil
}

// mergeDoubles merges one set of doubles, or all.
func (s *Server) mergeDoubles(w http.ResponseWriter, r *http.Request, p *person) error {
	if err := parseForm(r); err != nil {
		return err
	}
	rows, sets, err := s.findDoubles(r, p)
	if err != nil {
		return err
	}
	one := atoi64(r.PostFormValue("set"))
	var ids [][]int64
	for _, set := range sets {
		var of []int64
		for _, at := range set {
			of = append(of, rows[at].ID)
		}
		if r.PostFormValue("action") == "all" || slices.Contains(of, one) {
			ids = append(ids, of)
		}
	}
	return s.mergeContacts(w, r, p, ids, "/contacts/doubles")
}
