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

// inboxOfAll are the newest mails of all inboxes, as many as a page may need, how many there are, and what is missing.
type inboxOfAll struct {
	rows  []unifiedRow
	total int
	notes []string
}

// inboxPart is what one account has of it.
type inboxPart struct {
	*person
	rows  []mailclient.Row // the newest, as many as the page may need
	total int
	note  string // what is missing, and why
}

// unified lists the inboxes of all accounts, newest first. What one server does not tell hides nothing of the others.
func (s *Server) unified(w http.ResponseWriter, r *http.Request, p *person) error {
	lq, err := unifiedQueryFrom(r, p)
	if err != nil {
		return err
	}
	all, err := s.inboxes(r, p, lq)
	if err != nil {
		return err
	}
	return s.ok(w, r, s.unifiedPage(r, p, lq, all))
}

func unifiedQueryFrom(r *http.Request, p *person) (lq mailclient.ListQuery, err error) {
	q := url.Values{}
	for _, name := range []string{"page", "filter"} {
		q.Set(name, r.URL.Query().Get(name))
	}
	if lq, err = listQueryFrom(q, p.Zone); err == nil && lq.Page > maxUnified {
		err = badRequest("error.page")
	}
	return lq, err
}

// messageOfAll shows a mail beside the inbox of all accounts, through which the way on leads.
func (s *Server) messageOfAll(w http.ResponseWriter, r *http.Request, p *person, pl place, uid uint32) error {
	lq, err := unifiedQueryFrom(r, p)
	if err != nil {
		return err
	}
	open, err := p.Mail.Open(r.Context(), pl.box.Name, 0, uid)
	if err != nil && !errors.Is(err, mailclient.ErrGone) {
		return err
	}
	gone := err
	here := func(row unifiedRow) bool { return row.of.Account.ID == p.Account.ID && row.UID == uid }
	before, err := s.inboxes(r, p, lq) // as they were: what is read now does not leave a filter at once
	if err != nil {
		return err
	}
	at, readAfter := slices.IndexFunc(before.rows, here), 0
	if gone == nil {
		var marked bool
		if marked, readAfter = s.markOpened(r, p, open); marked && at >= 0 {
			before.rows[at].Flags.Seen = true
		}
	}
	if at >= 0 {
		lq.Page = at / perPage
	}
	page := s.unifiedPage(r, p, lq, before)
	beside := func(i int) string {
		if at < 0 || i < 0 || i >= len(before.rows) {
			return ""
		}
		return unifiedPath(before.rows[i], lq, i/perPage+1)
	}
	if gone != nil {
		return s.goneMessage(w, r, p, page, gone, beside(at+1))
	}
	view := s.messageView(r, p, pl, open)
	if err := s.inTalk(r, p, pl, uid, view); err != nil {
		return err
	}
	view.ReadAfter = readAfter
	view.Ref = unifiedRef(p, open.UIDValidity, uid)
	view.NewerURL, view.OlderURL = beside(at-1), beside(at+1)
	s.afterAct(p, view)
	return s.shown(w, r, showMessage(page, view))
}

// unifiedRef names a mail in the inbox of all accounts.
func unifiedRef(p *person, validity, uid uint32) string {
	return fmt.Sprintf("%d.%s", p.Account.ID, hitRef("INBOX", validity, uid))
}

// unifiedPath is the address of a mail beside the page of the inbox of all accounts on which it stands.
func unifiedPath(row unifiedRow, lq mailclient.ListQuery, page int) string {
	return with(pathMessage(row.of.Account.ID, "INBOX", row.UID), url.Values{"all": {"1"}}, "filter", string(lq.Filter), "page", pageParam(page))
}

// inboxes asks all accounts at once.
func (s *Server) inboxes(r *http.Request, p *person, lq mailclient.ListQuery) (inboxOfAll, error) {
	parts := make([]inboxPart, len(p.Accounts))
	var all errgroup.Group
	for i, a := range p.Accounts {
		all.Go(func() (err error) {
			parts[i], err = s.inboxOf(r, p, a.ID, lq)
			return err
		})
	}
	err := all.Wait()
	return merged(parts), err
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
	case !p.Account.Further() && !here.Account.Further() && (needsProvider(p, err) || errors.As(err, &refused) && !refused.Temporary):
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

// newest are the first mails of an account's inbox, as many as the pages up to one may show and one more, to which the way
// on leads from the last of them; and how many there are.
func newest(ctx context.Context, p *person, lq mailclient.ListQuery) (rows []mailclient.Row, total int, err error) {
	most := lq.Page*perPage + 1
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
func merged(parts []inboxPart) (all inboxOfAll) {
	for _, part := range parts {
		all.total += part.total
		for _, row := range part.rows {
			all.rows = append(all.rows, unifiedRow{row, part.person})
		}
		if part.note != "" {
			all.notes = append(all.notes, part.note)
		}
	}
	slices.SortStableFunc(all.rows, func(x, y unifiedRow) int {
		return cmp.Or(y.Received.Compare(x.Received), cmp.Compare(x.of.Account.ID, y.of.Account.ID), cmp.Compare(y.UID, x.UID))
	})
	return all
}

func (s *Server) unifiedPage(r *http.Request, p *person, lq mailclient.ListQuery, all inboxOfAll) templates.Mail {
	var list mailclient.List
	from, to := list.Paging(lq.Tidy(), all.total)
	from, to = min(from, len(all.rows)), min(to, len(all.rows))
	rows := all.rows[from:to]
	title := p.L.T("accounts.all")
	frame, _ := s.frame(r, p, "mail", title, pathAll)
	frame.HasList = true
	page := templates.Mail{Frame: frame, PaneMode: p.User.Settings.ReadingPane, ReaderWords: title, Beside: r.Header.Get(headerOpen) != ""}
	if n := frame.Switcher; len(n) > 0 && n[0].Unread > 0 {
		page.ReaderWords = p.L.T("reader.unread", "N", int(n[0].Unread), "Folder", title)
	}
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
		out.URL, out.Folder, out.Whole = unifiedPath(row, lq, list.Page), short(p.Accounts, row.of.Account), row.of.Account.Address
		out.Ref = unifiedRef(row.of, row.UIDValidity, row.UID)
		out.Key = out.Ref
	}
	for _, f := range []struct{ filter, key string }{{"", "filter.all"}, {"unread", "filter.unread"}, {"flagged", "filter.flagged"}, {"attachments", "filter.files"}} {
		v.Filters = append(v.Filters, templates.Option{URL: with(pathAll, nil, "filter", f.filter), Words: p.L.T(f.key), Current: q.Get("filter") == f.filter})
	}
	v.Note = strings.Join(all.notes, " ")
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
		return seeOther(w, r, with(pathMessage(groups[0].Account.ID, "INBOX", uid), url.Values{"all": {"1"}}))
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
