package handlers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"restante/internal/store"
	"restante/mailclient"
	"restante/templates"
)

const (
	pathAll     = "/mail/all/INBOX"
	maxUnified  = 200             // pages of it
	unifiedTime = 8 * time.Second // for one account: a slow one does not hold up the others
	unifiedRead = 500             // mails of an account that are read at once
)

// inboxPart is what one account has of the inbox of all.
type inboxPart struct {
	*person
	rows  []mailclient.Row // the newest, as many as the page may need
	total int
	note  string // what is missing, and why
}

// unified lists the inboxes of all accounts, newest first. What one server does not tell hides nothing of the others.
func (s *Server) unified(w http.ResponseWriter, r *http.Request, p *person) error {
	q := url.Values{}
	for _, name := range []string{"page", "filter"} {
		q.Set(name, r.URL.Query().Get(name))
	}
	lq, err := listQueryFrom(q, p.Zone)
	if err != nil {
		return err
	}
	if lq.Page > maxUnified {
		return badRequest("error.page")
	}
	parts, err := s.inboxes(r, p, lq)
	if err != nil {
		return err
	}
	return s.ok(w, r, s.unifiedPage(r, p, lq, parts))
}

// inboxes asks all accounts at once.
func (s *Server) inboxes(r *http.Request, p *person, lq mailclient.ListQuery) ([]inboxPart, error) {
	parts := make([]inboxPart, len(p.Accounts))
	var all errgroup.Group
	for i, a := range p.Accounts {
		all.Go(func() (err error) {
			parts[i], err = s.inboxOf(r, p, a.ID, lq)
			return err
		})
	}
	return parts, all.Wait()
}

// inboxOf is the part of one account. An error is one of the account that the person has signed in with, if it is they
// who are to do something about it; of another it is told.
func (s *Server) inboxOf(r *http.Request, p *person, account int64, lq mailclient.ListQuery) (part inboxPart, err error) {
	at := slices.IndexFunc(p.Accounts, func(a store.Account) bool { return a.ID == account })
	address := p.Accounts[at].Address
	tell := func(words string) string { return p.L.T("accounts.all.note", "Address", address, "Words", words) }
	there, err := s.as(p, account)
	if err != nil {
		pr := problemOf(err)
		return inboxPart{note: p.L.T(pr.Key, pr.Args...)}, nil
	}
	here := *there // plays and waits beside the others
	part.person = &here
	ctx, cancel := context.WithTimeout(r.Context(), unifiedTime)
	defer cancel()
	s.playNow(r.WithContext(ctx), part.person)
	part.rows, part.total, err = newest(ctx, part.person, lq)
	var refused *mailclient.SignInError
	switch o, out := here.Mail.Outage(); {
	case err == nil && out:
		part.note = tell(awayWords(p, o.Err))
	case err == nil:
	case r.Context().Err() != nil:
		return part, err
	case errors.As(err, &refused) && !refused.Temporary && here.Account.Further():
		part.note = p.L.T("accounts.refused", "Address", address)
	case !here.Account.Further() && (needsProvider(p, err) || errors.As(err, &refused) && !refused.Temporary):
		return part, err
	case errors.Is(err, context.DeadlineExceeded):
		part.note = tell(p.L.T("accounts.all.slow"))
	default:
		pr := problemOf(err)
		s.logProblem(r, pr)
		part.note = tell(p.L.T(pr.Key, pr.Args...))
	}
	return part, nil
}

// newest are the first mails of an account's inbox, as many as the pages up to one may show, and how many there are.
func newest(ctx context.Context, p *person, lq mailclient.ListQuery) (rows []mailclient.Row, total int, err error) {
	most := lq.Page * perPage
	lq.PerPage = min(most, unifiedRead)
	for lq.Page = 1; len(rows) < most; lq.Page++ {
		list, err := p.Mail.List(ctx, "INBOX", lq)
		if err != nil {
			return rows, total, err
		}
		rows, total = append(rows, list.Rows...), list.Total
		if lq.Page >= list.Pages {
			break
		}
	}
	return rows, total, nil
}

// unifiedRow is a mail with the account that it lies in.
type unifiedRow struct {
	mailclient.Row
	of *person
}

// merged are the mails of all parts, in the order of PROTOCOLS L15: by date, then account, then the newest UID.
func merged(parts []inboxPart) (rows []unifiedRow, total int) {
	for _, part := range parts {
		total += part.total
		for _, row := range part.rows {
			rows = append(rows, unifiedRow{row, part.person})
		}
	}
	slices.SortStableFunc(rows, func(x, y unifiedRow) int {
		return cmp.Or(y.Received.Compare(x.Received), cmp.Compare(x.of.Account.ID, y.of.Account.ID), cmp.Compare(y.UID, x.UID))
	})
	return rows, total
}

func (s *Server) unifiedPage(r *http.Request, p *person, lq mailclient.ListQuery, parts []inboxPart) templates.Mail {
	rows, total := merged(parts)
	var list mailclient.List
	from, to := list.Paging(lq.Tidy(), total)
	from, to = min(from, len(rows)), min(to, len(rows))
	rows = rows[from:to]
	title := p.L.T("accounts.all")
	frame, _ := s.frame(r, p, "mail", title, pathAll)
	frame.HasList = true
	page := templates.Mail{Frame: frame, PaneMode: p.User.Settings.ReadingPane, ReaderWords: title, Beside: r.Header.Get(headerOpen) != ""}
	for _, row := range rows {
		list.Rows = append(list.Rows, row.Row)
	}
	q := url.Values{}
	if lq.Filter != mailclient.FilterNone {
		q.Set("filter", string(lq.Filter))
	}
	v := templates.List{Title: title, Role: "inbox", Range: rangeWords(p.L, list), Here: with(pathAll, q, "page", pageParam(list.Page)), ActionURL: pathAll + "/actions", CanAct: true}
	v.Rows = s.rows(p, list, func(mailclient.Row) string { return "" }, false, true)
	for i, row := range rows {
		out := &v.Rows[i]
		out.URL, out.Folder, out.Whole = pathMessage(row.of.Account.ID, "INBOX", row.UID), short(p.Accounts, row.of.Account), row.of.Account.Address
		out.Ref = fmt.Sprintf("%d.%s", row.of.Account.ID, hitRef("INBOX", row.UIDValidity, row.UID))
		out.Key = out.Ref
	}
	for _, f := range []struct{ filter, key string }{{"", "filter.all"}, {"unread", "filter.unread"}, {"flagged", "filter.flagged"}, {"attachments", "filter.files"}} {
		v.Filters = append(v.Filters, templates.Option{URL: with(pathAll, nil, "filter", f.filter), Words: p.L.T(f.key), Current: q.Get("filter") == f.filter})
	}
	var notes []string
	for _, part := range parts {
		if part.note != "" {
			notes = append(notes, part.note)
		}
	}
	v.Note = strings.Join(notes, " ")
	if v.EmptyWords = p.L.T("accounts.all.empty"); lq.Filter != mailclient.FilterNone {
		v.EmptyWords, v.AllURL = p.L.T("accounts.all.nofilter"), pathAll
	}
	if list.Page > 1 {
		v.Newer = with(pathAll, q, "page", pageParam(list.Page-1))
	}
	if list.Page < min(list.Pages, maxUnified) {
		v.Older = with(pathAll, q, "page", pageParam(list.Page+1))
	}
	page.List = v
	return page
}

// picks are mails of one account that a form of the inbox of all names.
type picks struct {
	*person
	refs []string // as those of a search have them
}

// pickedAll sorts the mails that a form names by their accounts.
func (s *Server) pickedAll(r *http.Request, p *person) (out []picks, err error) {
	for _, ref := range r.PostForm["uid"] {
		account, hit, _ := strings.Cut(ref, ".")
		id, err := strconv.ParseInt(account, 10, 64)
		if err != nil {
			return nil, badRequest("error.form")
		}
		at := slices.IndexFunc(out, func(o picks) bool { return o.Account.ID == id })
		if at < 0 {
			there, err := s.as(p, id)
			if err != nil {
				return nil, err
			}
			at, out = len(out), append(out, picks{person: there})
		}
		out[at].refs = append(out[at].refs, hit)
	}
	return out, nil
}

// actOnUnified does something to mails in the inboxes of several accounts, each at its own server, with one Undo for all.
func (s *Server) actOnUnified(w http.ResponseWriter, r *http.Request, p *person) error {
	f, err := actFormFrom(r)
	if err != nil {
		return err
	}
	if f.all || len(r.PostForm["uid"]) > perPage*maxUnified {
		return badRequest("error.form")
	}
	f.back = ownPath(cmp.Or(f.back, pathAll))
	groups, err := s.pickedAll(r, p)
	if err != nil {
		return err
	}
	if f.action == "open" { // Enter in a check of the list
		_, _, uid, ok := hitFrom(groups[0].refs[0])
		if !ok {
			return badRequest("error.form")
		}
		return seeOther(w, r, pathMessage(groups[0].Account.ID, "INBOX", uid))
	}
	if (f.action == "move" || f.action == "copy") && (len(groups) > 1 || groups[0].Account.ID != p.Account.ID) { // the folders on the page are this account's
		return badRequest("accounts.moveone")
	}
	var done []acted
	var told telling
	for _, g := range groups {
		one, t, err := s.actIn(r, g, f)
		if err != nil {
			one = acted{account: g.Account.ID, total: len(g.refs), failed: err}
		} else {
			told = t
		}
		done = append(done, one)
	}
	words, err := s.tellTaken(r, p, told, done...)
	if err != nil {
		return err
	}
	s.putFlash(r, words)
	s.hub.tell(p.User.ID, "mail")
	return seeOther(w, r, f.back)
}

// actIn does what a form says to the picked mails of one account.
func (s *Server) actIn(r *http.Request, g picks, f actForm) (done acted, t telling, err error) {
	boxes, err := g.Mail.Mailboxes(r.Context())
	if err != nil {
		return done, t, err
	}
	refs, err := pickedHits(g.refs, boxes)
	if err != nil {
		return done, t, err
	}
	a, t, err := s.actOf(r, g.person, boxes, f)
	if err != nil {
		return done, t, err
	}
	var steps []mailclient.Step
	for _, ref := range refs {
		if ref.Mailbox != a.To {
			steps = append(steps, mailclient.Step{Act: a, Ref: ref})
		}
	}
	if long(steps) {
		return done, t, badRequest("error.form")
	}
	return s.carryOut(r, g.person, steps, t), t, nil
}
