package handlers

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"restante/mailclient"
	"restante/templates"
)

// search looks through all folders, or with ?in= through one, which is a list of its own.
func (s *Server) search(w http.ResponseWriter, r *http.Request, p *person) error {
	q := r.URL.Query()
	if in := q.Get("in"); in != "" && q.Get("q") != "" {
		return seeOther(w, r, with(pathMailbox(p.Account.ID, in), url.Values{"q": {q.Get("q")}}))
	}
	words := q.Get("q")
	page, err := pageNumber(q.Get("page"))
	if err != nil {
		return err
	}
	if len(words) > 1024 {
		return badRequest("error.longquery")
	}
	title := p.L.T("search.start")
	var list mailclient.List
	if words != "" {
		title = p.L.T("search.title", "Query", words)
		sq, err := mailclient.ParseSearch(words, p.Zone)
		if err != nil {
			return badSearch(err, words)
		}
		if list, err = p.Mail.Search(r.Context(), sq, page, perPage); err != nil {
			return err
		}
	}
	frame, boxes := s.frame(r, p, "mail search-page", title, "")
	frame.Query, frame.HasList = words, true
	v := templates.Mail{Frame: frame, PaneMode: "none"}
	v.List = s.searchView(p, q, list, boxes, title)
	v.List.Search = searchForm(p, cmp.Or(words, q.Get("mend")), boxes)
	return s.ok(w, r, v)
}

// badSearch names the word that was not understood, and leads to where the search can be mended.
func badSearch(err error, query string) error {
	p := &Problem{Status: http.StatusBadRequest, Key: "error.query", URL: with("/search", url.Values{}, "mend", query), Next: "search.mend", err: err}
	var bad *mailclient.QueryError
	if errors.As(err, &bad) {
		p.Key, p.Args = "error.queryword", []any{"Word", bad.Term}
	}
	return p
}

func pageNumber(v string) (int, error) {
	if v == "" {
		return 1, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 {
		return 0, badRequest("error.page")
	}
	return n, nil
}

// searchView is the list of hits: each with its folder, none to act on here.
func (s *Server) searchView(p *person, q url.Values, list mailclient.List, boxes []mailclient.Mailbox, title string) templates.List {
	v := templates.List{Title: title, Range: rangeWords(p.L, list), Here: with("/search", q)}
	byName := map[string]mailclient.Mailbox{}
	for _, b := range boxes {
		byName[b.Name] = b
	}
	v.Rows = s.rows(p, list, func(row mailclient.Row) string {
		b := byName[row.Mailbox]
		return with(pathMessage(p.Account.ID, Slug(row.Mailbox, b.Delimiter), row.UID), url.Values{"back": {with("/search", q)}})
	}, false, true)
	for i, row := range list.Rows {
		v.Rows[i].Folder = fullDisplay(byName[row.Mailbox], p)
		v.Rows[i].Key = Slug(row.Mailbox, byName[row.Mailbox].Delimiter) + "-" + v.Rows[i].Key
	}
	if list.Incomplete {
		v.Note = p.L.T("list.incomplete") + " " + list.Note
	}
	if list.Page > 1 {
		v.Newer = with("/search", q, "page", pageParam(list.Page-1))
	}
	if list.Page < list.Pages {
		v.Older = with("/search", q, "page", pageParam(list.Page+1))
	}
	v.EmptyWords = p.L.T("search.none", "Query", q.Get("q"))
	return v
}

func searchForm(p *person, query string, boxes []mailclient.Mailbox) *templates.SearchForm {
	f := &templates.SearchForm{Query: query}
	for _, b := range boxes {
		if b.Selectable {
			f.Folders = append(f.Folders, templates.Option{Value: Slug(b.Name, b.Delimiter), Words: fullDisplay(b, p)})
		}
	}
	if query == "" {
		for _, w := range searchWords {
			f.Tips = append(f.Tips, templates.HelpWord{Word: w.word, Words: p.L.T(w.key)})
		}
	}
	return f
}

// searchWords are the words of the search language and the catalogue key of their meaning.
var searchWords = []struct{ word, key string }{
	{"from:", "word.from"}, {"to:", "word.to"}, {"subject:", "word.subject"}, {"in:", "word.in"}, {"has:attachment", "word.file"}, {"is:unread", "word.unread"},
	{"before:2026-01-31", "word.before"}, {"after:2026-01-01", "word.after"}, {"larger:5m", "word.larger"}, {"-word", "word.not"}, {`"two words"`, "word.quote"},
}
