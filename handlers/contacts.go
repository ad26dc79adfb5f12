package handlers

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"restante/internal/contacts"
	"restante/internal/store"
	"restante/mailclient/compose"
	"restante/mailclient/message"
	"restante/templates"
)

const (
	contactsPerPage = 200
	maxFilter       = 100 // letters of a filter
)

// contactRow is a contact as the store keeps it; groups are those it belongs to.
func contactRow(id int64, c contacts.Contact, groups []int64) store.Contact {
	c.Groups = nil // they are the store's
	raw, _ := json.Marshal(c)
	row := store.Contact{ID: id, Name: c.Shown(), Sort: c.Sort(), Initial: c.Initial(), Words: c.Words(), Card: string(raw), Groups: groups}
	for _, a := range c.Addresses {
		row.Addresses = append(row.Addresses, strings.ToLower(a.Text))
	}
	return row
}

func cardOf(row store.Contact) (c contacts.Contact) {
	_ = json.Unmarshal([]byte(row.Card), &c) // our own
	return c
}

func pathContact(id int64) string { return "/contacts/" + strconv.FormatInt(id, 10) }

// contactList shows contacts, and nobody of them yet.
func (s *Server) contactList(w http.ResponseWriter, r *http.Request, p *person) error {
	page, err := s.contactsPage(r, p)
	if err != nil {
		return err
	}
	return s.ok(w, r, page)
}

// foldedWords are the words of a filter as contacts are found by them.
func foldedWords(q string) []string { return strings.Fields(message.Fold(q)) }

// contactsPage is the list that the query asks for: ?q=, ?group=, ?page=.
func (s *Server) contactsPage(r *http.Request, p *person) (templates.Contacts, error) {
	q := r.URL.Query()
	filter, number := strings.TrimSpace(q.Get("q")), max(1, atoi(q.Get("page")))
	if len(filter) > maxFilter {
		return templates.Contacts{}, badRequest("error.longquery")
	}
	groups, err := s.store.ContactGroups(r.Context(), p.User.ID)
	if err != nil {
		return templates.Contacts{}, err
	}
	ask := store.ContactQuery{Words: foldedWords(filter), N: contactsPerPage}
	title := p.L.T("contacts.title")
	if g := slices.IndexFunc(groups, func(g store.ContactGroup) bool { return strconv.FormatInt(g.ID, 10) == q.Get("group") }); g >= 0 {
		ask.Group, title = groups[g].ID, groups[g].Name
	} else if q.Get("group") != "" {
		return templates.Contacts{}, errNothingHere
	}
	ask.From = (min(number, 1000) - 1) * contactsPerPage
	rows, total, err := s.store.Contacts(r.Context(), p.User.ID, ask)
	if err != nil {
		return templates.Contacts{}, err
	}
	if len(rows) == 0 && total > 0 { // a page that was there once
		number = (total + contactsPerPage - 1) / contactsPerPage
		ask.From = (number - 1) * contactsPerPage
		if rows, total, err = s.store.Contacts(r.Context(), p.User.ID, ask); err != nil {
			return templates.Contacts{}, err
		}
	}
	frame, _ := s.frame(r, p, "contacts-page", title, "")
	page := templates.Contacts{Frame: frame, Title: title, Filter: filter, Group: ask.Group, CountWords: p.L.T("contacts.count", "N", total)}
	keep := url.Values{}
	for _, k := range []string{"q", "group", "page"} {
		if v := q.Get(k); v != "" {
			keep.Set(k, v)
		}
	}
	s.contactRows(p, &page, rows, keep, chi.URLParam(r, "contact"))
	page.Groups = append(page.Groups, templates.Option{URL: "/contacts", Words: p.L.T("contacts.all"), Current: ask.Group == 0})
	for _, g := range groups {
		id := strconv.FormatInt(g.ID, 10)
		page.Groups = append(page.Groups, templates.Option{URL: "/contacts?group=" + id, Words: g.Name, Value: id, Current: g.ID == ask.Group})
	}
	if total > contactsPerPage {
		initials, err := s.store.ContactInitials(r.Context(), p.User.ID, ask)
		if err != nil {
			return page, err
		}
		for _, i := range initials {
			page.Letters = append(page.Letters, templates.Option{Words: i.Letter, URL: with("/contacts", keep, "page", pageParam(i.Before/contactsPerPage+1)) + "#letter-" + url.PathEscape(i.Letter)})
		}
		page.Range = p.L.T("list.range", "From", p.L.Number(ask.From+1), "To", p.L.Number(ask.From+len(rows)), "Total", p.L.Number(total))
		if ask.From > 0 {
			page.Newer = with("/contacts", keep, "page", pageParam(number-1))
		}
		if ask.From+len(rows) < total {
			page.Older = with("/contacts", keep, "page", pageParam(number+1))
		}
	}
	switch {
	case total > 0:
	case filter != "":
		page.EmptyWords = p.L.T("contacts.nohits", "Words", filter)
	case ask.Group != 0:
		page.EmptyWords = p.L.T("contacts.emptygroup")
	default:
		page.EmptyWords = p.L.T("contacts.empty")
	}
	page.Back = with("/contacts", keep)
	return page, nil
}

// contactRows puts rows under their letters.
func (s *Server) contactRows(p *person, page *templates.Contacts, rows []store.Contact, keep url.Values, current string) {
	for _, row := range rows {
		if n := len(page.Sections); n == 0 || page.Sections[n-1].Letter != row.Initial {
			page.Sections = append(page.Sections, templates.ContactSection{Letter: row.Initial})
		}
		c := cardOf(row)
		v := templates.ContactRow{ID: row.ID, Name: row.Name, URL: with(pathContact(row.ID), keep), Initials: initials(row.Name, ""), Hue: hue(row.Name), Current: strconv.FormatInt(row.ID, 10) == current}
		if len(c.Addresses) > 0 {
			v.Line, v.Hue = c.Addresses[0].Text, hue(c.Addresses[0].Text)
		} else if len(c.Phones) > 0 {
			v.Line = c.Phones[0].Text
		}
		if v.Line == v.Name {
			v.Line = c.Company
		}
		section := &page.Sections[len(page.Sections)-1]
		section.Rows = append(section.Rows, v)
	}
}

// contact shows somebody beside the list.
func (s *Server) contact(w http.ResponseWriter, r *http.Request, p *person) error {
	id, err := idParam(r, "contact")
	if err != nil {
		return err
	}
	row, err := s.store.Contact(r.Context(), p.User.ID, id)
	if err != nil {
		return err
	}
	page, err := s.contactsPage(r, p)
	if err != nil {
		return err
	}
	page.Person = contactSheet(p, page, row)
	page.Head.Title = row.Name
	return s.ok(w, r, page)
}

// contactOf leads to the contact that has an address, or to the form for a new one.
func (s *Server) contactOf(w http.ResponseWriter, r *http.Request, p *person) error {
	q := r.URL.Query()
	id, err := s.store.ContactOf(r.Context(), p.User.ID, q.Get("address"))
	if errors.Is(err, store.ErrNotFound) {
		return seeOther(w, r, with("/contacts/new", url.Values{}, "address", q.Get("address"), "name", q.Get("name")))
	}
	if err != nil {
		return err
	}
	return seeOther(w, r, pathContact(id))
}

// contactSheet is all that is known of somebody, with what can be done.
func contactSheet(p *person, page templates.Contacts, row store.Contact) *templates.ContactSheet {
	c := cardOf(row)
	v := &templates.ContactSheet{Name: row.Name, Initials: initials(row.Name, ""), Hue: hue(row.Name), Company: c.Company, Position: c.Position,
		Nickname: c.Nickname, Birthday: c.Birthday, Note: c.Note, Back: page.Back, EditURL: pathContact(row.ID) + "/edit", ActionURL: pathContact(row.ID)}
	if c.Company == row.Name {
		v.Company = ""
	}
	var asks []string
	for _, a := range c.Addresses {
		full := compose.Address{Name: c.Name, Addr: a.Text}.String()
		v.Addresses = append(v.Addresses, templates.ContactValue{Label: labelWords(p, a.Label), Text: a.Text, URL: with("/compose", url.Values{"to": {full}, "back": {pathContact(row.ID)}})})
		asks = append(asks, "from:"+a.Text, "to:"+a.Text)
	}
	if len(v.Addresses) > 0 {
		v.Hue, v.WriteURL = hue(c.Addresses[0].Text), v.Addresses[0].URL
		v.AllURL = with("/search", url.Values{"q": {strings.Join(asks, " OR ")}})
	}
	for _, a := range c.Phones {
		v.Phones = append(v.Phones, templates.ContactValue{Label: labelWords(p, a.Label), Text: a.Text, URL: "tel:" + phoneDigits(a.Text)})
	}
	for _, a := range c.Places {
		v.Places = append(v.Places, templates.ContactValue{Label: labelWords(p, a.Label), Text: a.Text})
	}
	for _, a := range c.Sites {
		site := templates.ContactValue{Label: labelWords(p, a.Label), Text: a.Text}
		if u, err := url.Parse(a.Text); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" {
			site.URL = a.Text
		}
		v.Sites = append(v.Sites, site)
	}
	for _, g := range page.Groups {
		if id, err := strconv.ParseInt(g.Value, 10, 64); err == nil && slices.Contains(row.Groups, id) {
			v.Groups = append(v.Groups, templates.Option{Words: g.Words, URL: g.URL})
		}
	}
	return v
}

// phoneDigits is what of a number is dialled.
func phoneDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '+' || r == '*' || r == '#' {
			return r
		}
		return -1
	}, s)
}

// contactLabels are the kinds of values that have words of their own.
var contactLabels = []string{"", "home", "work", "mobile", "fax", "pager"}

func labelWords(p *person, label string) string {
	if label == "" || !slices.Contains(contactLabels, label) {
		return label
	}
	return p.L.T("contacts.label." + label)
}

// strangers lists people written to who are no contacts.
func (s *Server) strangers(w http.ResponseWriter, r *http.Request, p *person) error {
	page, err := s.contactsPage(r, p)
	if err != nil {
		return err
	}
	const most = 200
	people, total, err := s.store.Strangers(r.Context(), p.User.ID, 0, most)
	if err != nil {
		return err
	}
	v := &templates.ContactStrangers{}
	for _, a := range people {
		name := a.Name
		if name == "" {
			name = a.Address
		}
		v.Rows = append(v.Rows, templates.Stranger{Name: name, Given: a.Name, Address: a.Address, Initials: initials(name, a.Address), Hue: hue(a.Address),
			Words: p.L.T("contacts.written", "N", a.Written, "Date", p.L.Short(a.LastAt.In(p.Zone), s.nowFor(p)))})
	}
	if total > most {
		v.More = p.L.T("contacts.morestrangers", "N", total-most)
	}
	page.Strangers = v
	page.Head.Title = p.L.T("contacts.strangers")
	return s.ok(w, r, page)
}
