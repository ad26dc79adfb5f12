package handlers

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"restante/internal/contacts"
	"restante/internal/disguise"
	"restante/internal/store"
	"restante/mailclient"
	"restante/mailclient/compose"
	"restante/mailclient/message"
	"restante/templates"
)

// What a search field offers at once of each kind, and how many searches a session keeps for that, of what length.
const (
	maxOffered = 4
	maxSought  = 8
	longSought = 200
)

// sought are the searches of this session, the last first.
func (s *Server) sought(r *http.Request) (list []string) {
	_ = json.Unmarshal([]byte(s.sessions.GetString(r.Context(), sessionSought)), &list) // none, at first
	return list
}

// keepSought remembers a search, until its person signs out.
func (s *Server) keepSought(r *http.Request, words string) {
	before := s.sought(r)
	if len(words) > longSought || len(before) > 0 && before[0] == words || r.Header.Get("Sec-Purpose") != "" {
		return
	}
	list := append([]string{words}, slices.DeleteFunc(before, func(o string) bool { return o == words })...)
	if raw, err := json.Marshal(list[:min(len(list), maxSought)]); err == nil {
		s.sessions.Put(r.Context(), sessionSought, string(raw))
	}
}

// suggestSearch lists what may be meant by what stands in a search field so far: people, folders, and searches of
// before. It asks no mail server anything that the session does not know.
func (s *Server) suggestSearch(w http.ResponseWriter, r *http.Request, p *person) error {
	q := strings.TrimLeft(r.URL.Query().Get("q"), " ")
	if len(q) > 500 || strings.ContainsAny(q, "\x00\r\n") {
		return badRequest("error.longquery")
	}
	page := templates.SearchOffers{Head: s.head(r, p, "")}
	before, key, word := mailclient.Unfinished(q)
	if word != "" && (key == "" || key == "from" || key == "to" || key == "cc") {
		people, err := s.offeredPeople(r.Context(), p, q, before, key, word)
		if err != nil {
			return err
		}
		page.Add("search.people", "users", people)
	}
	if word != "" && (key == "" && before == "" || key == "in") {
		page.Add("nav.folders", "folder", offeredFolders(r.Context(), p, before, key, word))
	}
	if mails, err := s.offeredMails(r.Context(), p, q); err != nil {
		return err
	} else {
		page.Add("search.mails", "mail", mails)
	}
	page.Add("search.recent", "search", s.offeredSought(r, p, q))
	w.Header().Set("X-Restante-Fragment", "1")
	return templates.RenderPart(w, page, "search-offers", page)
}

// offeredMails are the newest mails whose people, subjects or files have all these words, as far as they are known
// without the server.
func (s *Server) offeredMails(ctx context.Context, p *person, q string) (out []templates.Offer, err error) {
	words := strings.Fields(q)
	if utf8.RuneCountInString(q) < 2 || strings.ContainsAny(q, `:"`) {
		return nil, nil
	}
	rows, err := p.Mail.Suggest(ctx, words, maxOffered)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	within, cancel := context.WithTimeout(ctx, furniture)
	defer cancel()
	boxes, err := p.Mail.Mailboxes(within)
	if err != nil { // the rest is offered all the same
		return nil, nil
	}
	for _, m := range rows {
		name, _ := namesOf(m.From)
		out = append(out, templates.Offer{Words: subjectOf(p, m.Subject), More: name + " · " + p.L.Short(dateOf(m).In(p.Zone), s.nowFor(p)),
			URL: pathMessage(p.Account.ID, slugOf(boxes, m.Mailbox), m.UID)})
	}
	return out, nil
}

// offeredPeople are those whom the last word means, or all words together: each as the search for their mail.
func (s *Server) offeredPeople(ctx context.Context, p *person, q, before, key, word string) (out []templates.Offer, err error) {
	people, err := s.called(ctx, p, strings.TrimSpace(q))
	if len(people) > 0 && !strings.ContainsAny(q, `:"`) {
		before = ""
	} else if err == nil {
		people, err = s.called(ctx, p, word)
	}
	if err != nil {
		return nil, err
	}
	if key == "" {
		before += "from:"
	}
	for _, a := range people[:min(len(people), maxOffered)] {
		o := templates.Offer{Words: a.Name, More: a.Address, Query: before + a.Address}
		if a.Name == "" || a.Name == a.Address {
			o.Words, o.More = a.Address, ""
		}
		out = append(out, o)
	}
	return out, nil
}

// called are the people whose name or address begins so.
func (s *Server) called(ctx context.Context, p *person, q string) ([]store.Person, error) {
	written, err := s.writtenTo(ctx, p, q)
	if err != nil {
		return nil, err
	}
	return s.ranked(ctx, p, foldedWords(q), written)
}

// offeredFolders are those one of whose words begins so: to go there, or behind in: to search there.
func offeredFolders(ctx context.Context, p *person, before, key, word string) (out []templates.Offer) {
	ctx, cancel := context.WithTimeout(ctx, furniture)
	defer cancel()
	boxes, err := p.Mail.Mailboxes(ctx)
	if err != nil { // people and searches are offered all the same
		return nil
	}
	begin := message.Fold(word)
	for _, b := range boxes {
		name := fullDisplay(b, p)
		if len(out) == maxOffered || !b.Selectable || !contacts.Begins(name, b.Name, begin) {
			continue
		}
		o := templates.Offer{Words: name, URL: pathMailbox(p.Account.ID, Slug(b.Name, b.Delimiter))}
		if key == "in" {
			o.URL, o.Query = "", before+Slug(b.Name, b.Delimiter)
		}
		out = append(out, o)
	}
	return out
}

// offeredSought are the searches of before in which these words stand.
func (s *Server) offeredSought(r *http.Request, p *person, q string) (out []templates.Offer) {
	q = message.Fold(strings.TrimSpace(q))
	for _, words := range s.sought(r) {
		if folded := message.Fold(words); folded != q && strings.Contains(folded, q) && len(out) < maxOffered {
			out = append(out, templates.Offer{Words: words, Query: words, URL: with("/search", p.naming(url.Values{"q": {words}}))})
		}
	}
	return out
}

// slipsIn says of which addresses of a list the domain looks mistyped, or like what it is not, "" for none.
func slipsIn(p *person, list string) string {
	var out []string
	all, _ := compose.Recipients(list)
	for _, a := range all {
		domain := a.Addr[strings.LastIndexByte(a.Addr, '@')+1:]
		if meant := disguise.Meant(domain); meant != "" {
			out = append(out, p.L.T("compose.didyoumean", "Typed", a.Addr, "Meant", meant))
		}
		if ascii, odd := disguise.OddScript(domain); odd {
			out = append(out, p.L.T("compose.oddletters", "Typed", a.Addr, "Spelled", ascii))
		}
	}
	return strings.Join(out, " ")
}
