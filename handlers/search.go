package handlers

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"restante/mailclient"
	"restante/templates"
)

const (
	firstTime = 400 * time.Millisecond // until what a search has found shows, while it goes on
	moreTime  = 1500 * time.Millisecond
)

// search looks through all folders, or with ?in= or a word in: through one, which is a list of its own.
func (s *Server) search(w http.ResponseWriter, r *http.Request, p *person) error {
	q := r.URL.Query()
	words := q.Get("q")
	if in := q.Get("in"); in != "" && words != "" {
		return seeOther(w, r, with(pathMailbox(p.Account.ID, in), url.Values{"q": {words}}))
	}
	res, err := s.resultsOf(r, p, words)
	if err != nil {
		return err
	}
	if words == "" {
		return s.ok(w, r, s.searchStart(r, p, "", ""))
	}
	if res.query.In != "" {
		return s.searchIn(w, r, p, res.query.In, words)
	}
	switch scripts := r.Header.Get("X-Restante") != ""; {
	case q.Get("wait") == "1":
		res.list, err = p.Mail.Await(r.Context(), res.query, res.page, perPage, moreTime)
	case q.Get("known") != "1" && scripts && res.page == 1: // which ask for more
		res.list, err = p.Mail.Seek(r.Context(), res.query, res.page, perPage, firstTime)
	case q.Get("known") == "1":
		res.list, err = p.Mail.Found(r.Context(), res.query, res.page, perPage)
	default:
		res.list, err = p.Mail.Search(r.Context(), res.query, res.page, perPage)
	}
	if err != nil {
		return err
	}
	s.keepSought(r, words)
	return s.ok(w, r, s.resultsPage(r, p, res))
}

// searchStart is the page with the form, and the words that narrow a search.
func (s *Server) searchStart(r *http.Request, p *person, words, in string) templates.Mail {
	frame, boxes := s.frame(r, p, "mail search-page", p.L.T("search.start"), "")
	frame.Query = words
	form := searchForm(p, words, boxes)
	form.Recent = s.offeredSought(r, p, "")
	for i, f := range form.Folders {
		form.Folders[i].Current = f.Value == in
	}
	for _, w := range searchWords {
		form.Tips = append(form.Tips, templates.HelpWord{Word: w.word, Words: p.L.T(w.key)})
	}
	return templates.Mail{Frame: frame, PaneMode: "none", List: templates.List{Title: p.L.T("search.start"), Here: with("/search", p.naming(nil)), Search: form}}
}

// searchAgain shows the form of a search that was not understood: what is wrong stands beside its field.
func (s *Server) searchAgain(w http.ResponseWriter, r *http.Request, p *person, bad *mailclient.QueryError, words, in string) error {
	pr := badSearch(bad)
	s.logProblem(r, pr)
	page := s.searchStart(r, p, words, in)
	page.Title = p.L.T("error.prefix") + " " + page.Title
	page.List.Search.Wrong = p.L.T(pr.Key, pr.Args...)
	s.render(w, r, pr.Status, page)
	return nil
}

// badSearch says what is wrong with a word of a search.
func badSearch(bad *mailclient.QueryError) *Problem {
	return wrap(bad, http.StatusBadRequest, "search.wrong."+bad.Why, "Word", bad.Term)
}

// searchIn goes on in the folder that the word in: names.
func (s *Server) searchIn(w http.ResponseWriter, r *http.Request, p *person, name, words string) error {
	boxes, err := p.Mail.Mailboxes(r.Context())
	if err != nil {
		return err
	}
	if b, ok := folderNamed(p, boxes, name); ok {
		return seeOther(w, r, with(pathMailbox(p.Account.ID, Slug(b.Name, b.Delimiter)), url.Values{"q": {words}}))
	}
	return &mailclient.QueryError{Term: name, Why: "folder"}
}

// folderNamed finds the folder that a person calls name: by its name, its whole name, or what it is for.
func folderNamed(p *person, boxes []mailclient.Mailbox, name string) (mailclient.Mailbox, bool) {
	same := func(words ...string) bool {
		for _, w := range words {
			if w != "" && strings.EqualFold(w, name) {
				return true
			}
		}
		return false
	}
	for _, whole := range []bool{true, false} {
		for _, b := range boxes {
			if b.Selectable && (same(b.Name, display(b, p), string(b.Role), Slug(b.Name, b.Delimiter)) || !whole && same(leaf(b), strings.ReplaceAll(fullDisplay(b, p), " / ", "/"))) {
				return b, true
			}
		}
	}
	return mailclient.Mailbox{}, false
}

// results is what a search through all folders found, a page of it.
type results struct {
	words string
	query mailclient.SearchQuery
	page  int
	list  mailclient.List
}

// resultsOf reads a search through all folders; its list is still to be had.
func (s *Server) resultsOf(r *http.Request, p *person, words string) (res results, err error) {
	res.words = words
	if res.page, err = pageNumber(r.URL.Query().Get("page")); err != nil {
		return res, err
	}
	res.query, err = parseSearch(words, p.Zone)
	return res, err
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

// path is the address of a page of the results; known asks for them as they were found.
func (res results) path(p *person, page int, known bool) string {
	q := url.Values{"q": {res.words}}
	if known {
		q.Set("known", "1")
	}
	return with("/search", p.naming(q), "page", pageParam(page))
}

// hitPath is the address of a mail beside the results that it is one of.
func (res results) hitPath(p *person, slug string, uid uint32) string {
	return with(pathMessage(p.Account.ID, slug, uid), url.Values{"search": {res.words}}, "page", pageParam(res.list.Page))
}

// resultsPage is the list of hits, to which a message may be added.
func (s *Server) resultsPage(r *http.Request, p *person, res results) templates.Mail {
	title := p.L.T("search.title", "Query", res.words)
	if len(p.Accounts) > 1 { // the others are not looked through
		title = p.L.T("search.titlein", "Query", res.words, "Account", p.Account.Address)
	}
	frame, boxes := s.frame(r, p, "mail search-page", title, "")
	frame.Query, frame.HasList = res.words, true
	v := templates.Mail{Frame: frame, PaneMode: p.User.Settings.ReadingPane, Beside: r.Header.Get(headerOpen) != "", ReaderWords: p.L.T("search.results", "N", res.list.Total)}
	v.List = s.resultsView(p, res, boxes, title)
	v.List.Search, v.List.Save = searchForm(p, res.words, boxes), saveForm(p, res.words, res.path(p, 1, false))
	return v
}

// resultsView is the list of hits, each with its folder.
func (s *Server) resultsView(p *person, res results, boxes []mailclient.Mailbox, title string) templates.List {
	list := res.list
	v := templates.List{
		Title: title, Range: rangeWords(p.L, list), Here: res.path(p, list.Page, true), ActionURL: with("/search/actions", p.naming(nil)), CanAct: true,
		EmptyWords: p.L.T("search.none", "Query", res.words),
	}
	for _, a := range p.Accounts {
		if len(p.Accounts) > 1 {
			there := *p
			there.Account = a
			v.Filters = append(v.Filters, templates.Option{Words: a.Address, URL: with("/search", there.naming(nil), "q", res.words), Current: a.ID == p.Account.ID})
		}
	}
	v.Words = searchChips(p, boxes, res.words, func(t mailclient.Term) string { return with("/search", p.naming(nil), "q", t.Without) })
	v.Top = moveTo(p, "top", boxes, "")
	byName := map[string]mailclient.Mailbox{}
	for _, b := range boxes {
		byName[b.Name] = b
	}
	link := func(row mailclient.Row) string {
		return res.hitPath(p, Slug(row.Mailbox, byName[row.Mailbox].Delimiter), row.UID)
	}
	v.Rows = s.rows(p, list, link, false, true)
	markRows(v.Rows, res.query)
	for i, row := range list.Rows {
		b := byName[row.Mailbox]
		v.Rows[i].Folder = fullDisplay(b, p)
		v.Rows[i].Ref = hitRef(Slug(b.Name, b.Delimiter), row.UIDValidity, row.UID)
		v.Rows[i].Key = v.Rows[i].Ref
	}
	if list.Incomplete {
		v.Note = p.L.T("list.incomplete") + " " + list.Note
	}
	if list.Left > 0 {
		v.MoreURL, v.MoreWords = with("/search", p.naming(url.Values{"q": {res.words}, "known": {"1"}, "wait": {"1"}}), "page", pageParam(list.Page)), p.L.T("search.left", "N", list.Left)
		if list.Total == 0 {
			v.EmptyWords = v.MoreWords
		}
	}
	if list.Page > 1 {
		v.Newer = res.path(p, list.Page-1, true)
	}
	if list.Page < list.Pages {
		v.Older = res.path(p, list.Page+1, true)
	}
	if list.Pages > 1 {
		v.AllWords, v.AllQuery = p.L.T("search.selectall", "N", list.Total), []templates.Field{{Name: "q", Value: res.words}}
	}
	if !res.query.Everywhere {
		v.Widen = with("/search", p.naming(url.Values{"q": {res.words + " in:anywhere"}}))
	}
	return v
}

// markRows lets rows show what they were found by.
func markRows(rows []templates.Row, query mailclient.SearchQuery) {
	words := func(keys ...string) string { return strings.Join(query.Words(append(keys, "")...), "\n") }
	find := templates.Find{Name: words("from", "to", "cc"), Subject: words("subject"), Preview: words("body")}
	for i := range rows {
		rows[i].Find = find
	}
}

// textWords are the words of the search that an opened mail was found by, as far as its text may have them.
func textWords(r *http.Request, p *person) string {
	q := r.URL.Query()
	query, err := parseSearch(cmp.Or(q.Get("search"), q.Get("q")), p.Zone)
	if err != nil {
		return ""
	}
	return strings.Join(query.Words("", "body"), "\n")
}

func searchForm(p *person, query string, boxes []mailclient.Mailbox) *templates.SearchForm {
	f := &templates.SearchForm{Query: query, Account: p.naming(nil).Get("account")}
	for _, b := range boxes {
		if b.Selectable {
			f.Folders = append(f.Folders, templates.Option{Value: Slug(b.Name, b.Delimiter), Words: fullDisplay(b, p)})
		}
	}
	return f
}

// queryError is the word of a search that was not understood, if that is what err is about.
func queryError(err error) (bad *mailclient.QueryError, ok bool) {
	ok = errors.As(err, &bad)
	return bad, ok
}

// searchWords are the words of the search language and the catalogue key of their meaning.
var searchWords = []struct{ word, key string }{
	{"from:", "word.from"}, {"to:", "word.to"}, {"cc:", "word.cc"}, {"subject:", "word.subject"}, {"body:", "word.body"}, {"filename:", "word.filename"}, {"newer_than:7d", "word.age"}, {"in:", "word.in"}, {"has:attachment", "word.file"}, {"has:pdf", "word.pdf"}, {"is:unread", "word.unread"},
	{"before:2026-01-31", "word.before"}, {"after:2026-01-01", "word.after"}, {"larger:5m", "word.larger"}, {"-word", "word.not"}, {`"two words"`, "word.quote"}, {"one OR two", "word.or"},
}
