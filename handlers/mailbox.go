package handlers

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"restante/internal/i18n"
	"restante/mailclient"
	"restante/mailclient/message"
	"restante/templates"
)

const (
	perPage      = 50
	worthTelling = 1000 // mails of a folder whose index is filled before the page tells of it
)

func (s *Server) home(w http.ResponseWriter, r *http.Request, p *person) error {
	s.fileNow(r, p)
	return seeOther(w, r, pathMailbox(p.Accounts[0].ID, "INBOX"))
}

// place is a mailbox as the request names it.
type place struct {
	box   mailclient.Mailbox
	boxes []mailclient.Mailbox
	slug  string
	path  string // of the mailbox
	ref   string // of a letter that stands beside the mail that the path names: what is asked for it alone bears its name
	in    string // of a mail within the mail that the path names: the sections of those around it, with / between
}

// hasTalks says that conversations can be listed: each draft of one stands for itself.
func (pl place) hasTalks() bool { return pl.box.Role != mailclient.RoleDrafts }

func (s *Server) place(r *http.Request, p *person) (pl place, err error) {
	slug, err := url.PathUnescape(chi.URLParam(r, "mailbox"))
	if err != nil {
		return pl, errNothingHere
	}
	ctx, cancel := context.WithTimeout(r.Context(), firstAnswer)
	defer cancel()
	boxes, err := s.mailboxes(ctx, p)
	if err != nil {
		return pl, err
	}
	box, ok := find(boxes, slug)
	if !ok || !box.Selectable {
		return pl, mailclient.ErrNoMailbox
	}
	slug = Slug(box.Name, box.Delimiter)
	s.playNow(r, p)
	return place{box: box, boxes: boxes, slug: slug, path: pathMailbox(p.Account.ID, slug)}, nil
}

// listQueryFrom reads ?page, sort, order, filter and q. A bad value is a 400 with words.
func listQueryFrom(q url.Values, loc *time.Location) (lq mailclient.ListQuery, err error) {
	lq = mailclient.ListQuery{Page: 1, PerPage: perPage, Sort: mailclient.SortDate}
	if v := q.Get("page"); v != "" {
		if lq.Page, err = strconv.Atoi(v); err != nil || lq.Page < 1 {
			return lq, badRequest("error.page")
		}
	}
	switch v := mailclient.Sort(q.Get("sort")); v {
	case "":
	case mailclient.SortDate, mailclient.SortFrom, mailclient.SortTo, mailclient.SortSubject, mailclient.SortSize:
		lq.Sort = v
		lq.Ascending = v != mailclient.SortDate && v != mailclient.SortSize
	default:
		return lq, badRequest("error.sort")
	}
	switch q.Get("order") {
	case "":
	case "asc":
		lq.Ascending = true
	case "desc":
		lq.Ascending = false
	default:
		return lq, badRequest("error.sort")
	}
	switch v := mailclient.Filter(q.Get("filter")); v {
	case mailclient.FilterNone, mailclient.FilterUnread, mailclient.FilterFlagged, mailclient.FilterAttachments:
		lq.Filter = v
	default:
		return lq, badRequest("error.filter")
	}
	if lq.Also, err = keptListed(q); err != nil {
		return lq, err
	}
	if v := q.Get("q"); v != "" {
		sq, err := parseSearch(v, loc)
		if err != nil {
			return lq, err
		}
		lq.Search = &sq
	}
	return lq, nil
}

// listQueryOf is listQueryFrom, with what the person wishes: conversations stand in the order of date, and no search
// finds them.
func listQueryOf(q url.Values, p *person) (lq mailclient.ListQuery, err error) {
	if lq, err = listQueryFrom(q, p.Zone); err == nil {
		lq.Conversations, err = conversations(q, p)
		lq.Conversations = lq.Conversations && lq.Sort == mailclient.SortDate && lq.Search == nil
	}
	return lq, err
}

// parseSearch reads the words of a search. A *mailclient.QueryError says what is not understood.
func parseSearch(words string, loc *time.Location) (mailclient.SearchQuery, error) {
	if len(words) > 1024 {
		return mailclient.SearchQuery{}, badRequest("error.longquery")
	}
	return mailclient.ParseSearch(words, loc)
}

// mailbox shows one page of a mailbox, newest first.
func (s *Server) mailbox(w http.ResponseWriter, r *http.Request, p *person) error {
	lq, err := listQueryOf(r.URL.Query(), p)
	if err != nil {
		return err
	}
	pl, err := s.place(r, p)
	if err != nil {
		return err
	}
	lq.Conversations = lq.Conversations && pl.hasTalks()
	if lq.Search != nil && lq.Search.In != "" { // another folder may be meant
		if b, ok := folderNamed(p, pl.boxes, lq.Search.In); !ok || b.Name != pl.box.Name {
			return s.searchIn(w, r, p, lq.Search.In, r.URL.Query().Get("q"))
		}
	}
	if day := r.URL.Query().Get("on"); day != "" {
		return s.jump(w, r, p, pl, lq, day)
	}
	if pl.box.Role == mailclient.RoleDrafts && lq.Page <= 1 {
		s.fileNow(r, p)
	}
	list, err := p.Mail.List(r.Context(), pl.box.Name, lq)
	if err != nil {
		return err
	}
	if words := r.URL.Query().Get("q"); words != "" {
		s.keepSought(r, words)
	}
	page := s.mailPage(r, p, pl, list)
	if pl.box.Role == mailclient.RoleDrafts && list.Page <= 1 {
		page.List.ThrownURL = pathThrown
		page.List.Kept, err = s.keptDrafts(r, p)
	}
	if err != nil {
		return err
	}
	return s.ok(w, r, page)
}

// jump goes to the page of the list on which a day's mails stand.
func (s *Server) jump(w http.ResponseWriter, r *http.Request, p *person, pl place, lq mailclient.ListQuery, day string) error {
	on, err := time.Parse(time.DateOnly, day)
	if err != nil || on.Year() < 1970 || on.Year() > 9998 {
		return badRequest("error.date")
	}
	page, err := p.Mail.PageAt(r.Context(), pl.box.Name, lq, on)
	if err != nil {
		return err
	}
	return seeOther(w, r, with(pl.path, r.URL.Query(), "on", "", "filter", "", "q", "", "sort", "", "keep", "", "page", pageParam(page)))
}

// keptDrafts are drafts that did not reach the folder: the mail server was away, or is yet to be asked.
func (s *Server) keptDrafts(r *http.Request, p *person) (out []templates.Option, err error) {
	drafts, err := s.store.OpenDrafts(r.Context(), p.User.ID, 50)
	for _, d := range drafts {
		if d.IMAP.UID == 0 && d.AccountID == p.Account.ID {
			out = append(out, templates.Option{URL: "/compose/" + d.ID, Words: subjectOf(p, d.Fields.Subject) + " · " + p.L.Short(d.Updated.In(p.Zone), s.nowFor(p))})
		}
	}
	return out, err
}

// mailPage is the page of a list, to which a message may be added.
func (s *Server) mailPage(r *http.Request, p *person, pl place, list mailclient.List) templates.Mail {
	title := display(pl.box, p)
	frame, _ := s.frame(r, p, "mail", title, pl.box.Name)
	frame.HasList = true
	frame.SearchScope, frame.Query = pl.slug, r.URL.Query().Get("q")
	page := templates.Mail{Frame: frame, PaneMode: p.User.Settings.ReadingPane, Beside: r.Header.Get(headerOpen) != ""}
	if frame.Query != "" {
		page.SearchURL, page.SearchScope = pl.path, ""
	}
	if besideList(r) {
		page.List = templates.List{Rows: s.mailboxRows(r, p, pl, list)}
		return page
	}
	page.List = s.listView(r, p, pl, list)
	unread := pl.box.Unseen
	if page.ReaderWords = title; unread > 0 {
		page.ReaderWords = p.L.T("reader.unread", "N", int(unread), "Folder", title)
	}
	return page
}

func (s *Server) listView(r *http.Request, p *person, pl place, list mailclient.List) templates.List {
	q := listParams(r)
	here := with(pl.path, q)
	v := templates.List{
		Title: display(pl.box, p), Name: pl.box.Name, Role: string(pl.box.Role), Range: rangeWords(p.L, list), Validity: list.Mailbox.UIDValidity,
		Here: here, ActionURL: pl.path + "/actions", CanAct: !list.ReadOnly, Forwards: true, ManageURL: pathFolders(p.Account.ID),
		Forever: pl.box.Role == mailclient.RoleTrash || pl.box.Role == mailclient.RoleJunk,
	}
	v.Top = moveTo(p, "top", pl.boxes, pl.box.Name)
	if v.Forever {
		v.EmptyURL = v.ManageURL
	}
	for _, f := range []struct{ filter, key string }{{"", "filter.all"}, {"unread", "filter.unread"}, {"flagged", "filter.flagged"}, {"attachments", "filter.files"}} {
		v.Filters = append(v.Filters, templates.Option{URL: with(pl.path, q, "filter", f.filter, "page", "", "keep", ""), Words: p.L.T(f.key), Current: q.Get("filter") == f.filter})
	}
	v.Sorts = sortOptions(p, pl, q)
	if sort := q.Get("sort"); (sort == "" || sort == string(mailclient.SortDate)) && q.Get("filter") == "" && q.Get("q") == "" {
		v.JumpURL, v.Order = pl.path, q.Get("order")
		if n := len(list.Rows); n > 0 {
			v.Shown = list.Rows[0].Received.In(p.Zone).Format(time.DateOnly)
		}
	}
	v.Talks, _ = conversations(q, p) // it was read before
	v.Talks = v.Talks && pl.hasTalks()
	v.Conversations = v.Talks && q.Get("q") == "" && (q.Get("sort") == "" || q.Get("sort") == string(mailclient.SortDate))
	done, on := p.Mail.Filling(pl.box.Name)
	if on && max(list.Total, int(pl.box.Messages)) >= worthTelling {
		all := max(list.Total, done, int(pl.box.Messages))
		v.Filling = templates.Progress{Words: p.L.T("list.filling", "Done", p.L.Number(done), "All", p.L.Number(all)), Done: done, All: all}
	}
	if list.Left > 0 {
		v.MoreURL, v.MoreWords = with(pl.path, q, "wait", "1"), p.L.T("search.left", "N", list.Left)
	} else if _, out := p.Mail.Outage(); list.Incomplete && out && list.Note == "" {
		v.Note = p.L.T("away.part")
	} else if list.Incomplete && on {
		v.Note = p.L.T("list.sofar", "N", p.L.Number(done))
	} else if list.Incomplete {
		v.Note = p.L.T("list.incomplete")
	}
	if list.Total > len(list.Rows) && list.Pages > 1 {
		v.AllWords = p.L.T("list.selectall", "N", list.Total, "Folder", v.Title)
		if q.Get("q") != "" {
			v.AllWords = p.L.T("search.selectall", "N", list.Total)
		}
		for _, k := range []string{"q", "filter"} {
			if q.Get(k) != "" {
				v.AllQuery = append(v.AllQuery, templates.Field{Name: k, Value: q.Get(k)})
			}
		}
	}
	if words := wordsIn(q.Get("q"), pl); words != "" {
		v.Save = saveForm(p, words, here)
	}
	v.EmptyWords, v.AllURL = emptyWords(p, pl, q)
	if list.Left > 0 && list.Total == 0 {
		v.EmptyWords, v.AllURL = v.MoreWords, ""
	}
	if words := q.Get("q"); words != "" {
		v.Words = searchChips(p, pl.boxes, words, func(t mailclient.Term) string {
			if t.Key == "in" { // which is how it came here
				return with("/search", p.naming(nil), "q", t.Without)
			}
			return with(pl.path, q, "q", t.Without, "page", "", "keep", "")
		})
		v.Found = &templates.Found{Words: p.L.T("list.found", "Folder", v.Title, "Query", words, "N", list.Total),
			ClearURL: pl.path, EverywhereURL: with("/search", p.naming(nil), "q", words)}
		if list.Left > 0 {
			v.Found.Words = p.L.T("list.foundsofar", "Folder", v.Title, "Query", words, "N", list.Total)
		}
	}
	if list.Page > 1 {
		v.Newer = with(pl.path, q, "page", pageParam(list.Page-1), "keep", "")
	}
	if list.Page < list.Pages {
		v.Older = with(pl.path, q, "page", pageParam(list.Page+1), "keep", "")
	}
	v.Rows = s.mailboxRows(r, p, pl, list)
	return v
}

// mailboxRows are the rows of a list in one mailbox.
func (s *Server) mailboxRows(r *http.Request, p *person, pl place, list mailclient.List) []templates.Row {
	q := listParams(r)
	rows := s.rows(p, list, func(row mailclient.Row) string { return with(pathMessage(p.Account.ID, pl.slug, row.UID), q) },
		pl.box.Role == mailclient.RoleSent || pl.box.Role == mailclient.RoleDrafts, q.Get("sort") == "" || q.Get("sort") == "date")
	if query, err := parseSearch(q.Get("q"), p.Zone); err == nil {
		markRows(rows, query)
	}
	return rows
}

// listParams are the parameters of a request that are of its list: what was allowed one mail is allowed no other.
func listParams(r *http.Request) url.Values {
	q := r.URL.Query()
	for _, once := range []string{"sel", "remote", "links", "open", "wait"} {
		q.Del(once)
	}
	return q
}

func pageParam(n int) string {
	if n <= 1 {
		return ""
	}
	return strconv.Itoa(n)
}

func sortOptions(p *person, pl place, q url.Values) (out []templates.Option) {
	now, order := q.Get("sort"), q.Get("order")
	if now == "" {
		now = "date"
	}
	for _, name := range []string{"date", "from", "to", "subject", "size"} {
		next := ""
		current := now == name
		if current { // pressing it again turns it round
			next = map[string]string{"": "asc", "asc": "desc", "desc": "asc"}[order]
			if order == "" && name != "date" && name != "size" {
				next = "desc"
			}
		}
		sort := name
		if name == "date" {
			sort = ""
		}
		out = append(out, templates.Option{URL: with(pl.path, q, "sort", sort, "order", next, "page", "", "keep", ""), Words: p.L.T("sort." + name), Current: current})
	}
	return out
}

func emptyWords(p *person, pl place, q url.Values) (words, all string) {
	switch {
	case q.Get("q") != "":
		return p.L.T("list.notfound", "Query", q.Get("q")), with("/search", p.naming(nil), "q", q.Get("q"))
	case q.Get("filter") != "":
		return p.L.T("list.nofilter", "Folder", display(pl.box, p)), pl.path
	case pl.box.Role == mailclient.RoleInbox:
		return p.L.T("list.emptyinbox"), ""
	}
	return p.L.T("list.empty"), ""
}

func rangeWords(l *i18n.Localizer, list mailclient.List) string {
	if list.Total == 0 || len(list.Rows) == 0 {
		return ""
	}
	from := (list.Page-1)*perPage + 1
	return l.T("list.range", "From", l.Number(from), "To", l.Number(from+len(list.Rows)-1), "Total", l.Number(list.Total))
}

// rows are the mails of a list as they are shown; toNames puts the recipients in the place of the sender, days puts
// headings between days: where the list is in their order.
func (s *Server) rows(p *person, list mailclient.List, link func(mailclient.Row) string, toNames, days bool) []templates.Row {
	now := s.nowFor(p)
	out := make([]templates.Row, 0, len(list.Rows))
	day := ""
	for i, m := range list.Rows {
		v := rowView(p, m, now, toNames)
		v.URL = link(m)
		if m.Conversation != nil {
			s.talkRow(p, m, &v)
		}
		if d := p.L.Day(dateOf(m), now); days && d != day {
			if day = d; i > 0 {
				v.Day = d
			}
		}
		out = append(out, v)
	}
	return out
}

func dateOf(m mailclient.Row) time.Time {
	if m.Date.IsZero() || m.Date.After(time.Now().Add(24*time.Hour)) {
		return m.Received
	}
	return m.Date
}

func rowView(p *person, m mailclient.Row, now time.Time, toNames bool) templates.Row {
	date := dateOf(m).In(p.Zone)
	people := m.From
	if toNames {
		people = m.To
	}
	name, addr := namesOf(people)
	if name == "" {
		name = p.L.T(map[bool]string{true: "row.norecipient", false: "row.nobody"}[toNames])
	}
	v := templates.Row{
		Key: strconv.FormatUint(uint64(m.UIDValidity), 36) + "-" + strconv.FormatUint(uint64(m.UID), 36), UID: m.UID, Ref: strconv.FormatUint(uint64(m.UID), 10), Name: name, Subject: subjectOf(p, m.Subject),
		Date: p.L.Short(date, now), ISO: date.Format(time.RFC3339), Full: p.L.Long(date), Initials: initials(name, addr), Hue: hue(addr),
		Unread: !m.Flags.Seen, Flagged: m.Flags.Flagged, Answered: m.Flags.Answered, Forwarded: m.Flags.Forwarded, Files: m.HasAttachment,
	}
	if toNames {
		v.Name = p.L.T("row.to", "Name", name)
	}
	if !p.User.Settings.NoPreviews {
		v.Preview = m.Preview
	}
	v.State = stateWords(p, m)
	return v
}

func stateWords(p *person, m mailclient.Row) string {
	words := ""
	for _, w := range []struct {
		on  bool
		key string
	}{{!m.Flags.Seen, "state.unread"}, {m.Flags.Flagged, "state.flagged"}, {m.Flags.Answered, "state.answered"}, {m.Flags.Forwarded, "state.forwarded"}, {m.HasAttachment, "state.files"}} {
		if w.on {
			words += p.L.T(w.key) + ", "
		}
	}
	return words
}

// namesOf gives the first three names, and the first address; both empty for nobody.
func namesOf(people []message.Address) (names, first string) {
	if len(people) == 0 {
		return "", ""
	}
	for i, a := range people {
		if i == 3 {
			names += " …"
			break
		}
		if i > 0 {
			names += ", "
		}
		if a.Name != "" {
			names += a.Name
		} else {
			names += a.Addr
		}
	}
	return names, people[0].Addr
}

func subjectOf(p *person, subject string) string {
	if subject == "" {
		return p.L.T("row.nosubject")
	}
	return subject
}
