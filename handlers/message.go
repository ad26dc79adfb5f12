package handlers

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"restante/internal/index"
	"restante/mailclient"
	"restante/templates"
)

// idParam is an id of ours in the path.
func idParam(r *http.Request, name string) (int64, error) {
	id, err := strconv.ParseInt(chi.URLParam(r, name), 10, 64)
	if err != nil || id <= 0 {
		return 0, errNothingHere
	}
	return id, nil
}

// uidParam is the UID in the path.
func uidParam(r *http.Request) (uint32, error) {
	n, err := strconv.ParseUint(chi.URLParam(r, "uid"), 10, 32)
	if err != nil || n == 0 {
		return 0, errNothingHere
	}
	return uint32(n), nil
}

// What scripts say of why they ask for a mail.
const (
	headerBeside = "X-Restante-Beside" // the list stands on their page already: of that, they get the one row that changed
	headerAct    = "X-Restante-Act"    // they have just acted on a mail: what opens then was not asked for
	headerRead   = "X-Restante-Read"   // the mail has been shown for its time
	headerNews   = "X-Restante-News"   // with headerBeside: letters may have come to what stands open; none opens by it
	headerLetter = "X-Restante-Letter" // with headerBeside: of a conversation they want the one letter that the address names
	headerOpen   = "X-Restante-Open"   // of a list: a mail stands open beside it on their page
)

// message shows a mail beside its list, and marks it read once it is shown.
func (s *Server) message(w http.ResponseWriter, r *http.Request, p *person) error {
	uid, err := uidParam(r)
	if err != nil {
		return err
	}
	pl, err := s.place(r, p)
	if err != nil {
		return err
	}
	if pl.box.Role == mailclient.RoleDrafts {
		return seeOther(w, r, pathDraftMail(p, pl.slug, uid))
	}
	if r.URL.Query().Get("search") != "" {
		return s.hit(w, r, p, pl, uid)
	}
	if r.URL.Query().Get("all") != "" && pl.box.Role == mailclient.RoleInbox {
		return s.messageOfAll(w, r, p, pl, uid)
	}
	if r, err = keepingListed(r, uid); err != nil {
		return err
	}
	lq, err := listQueryOf(r.URL.Query(), p)
	if err != nil {
		return err
	}
	ctx, user := r.Context(), p.User.ID
	p.own = meanwhile(func() map[string]bool { return s.ownAddresses(ctx, user) })
	if sender, ok := p.Mail.Sender(pl.box.Name, uid); ok {
		s.meet(ctx, p, sender)
	}
	read := p.Mail.OpenInList
	if besideList(r) {
		read = p.Mail.OpenBeside
	}
	open, list, err := read(ctx, pl.box.Name, uid, lq)
	if errors.Is(err, mailclient.ErrGone) {
		return s.goneFromList(w, r, p, pl, lq, uid, err)
	}
	if isAway(err, list) {
		return s.notKept(w, r, p, pl, list, uid, err)
	}
	if err != nil {
		return err
	}
	if r, list, err = s.pageWith(r, p, pl, lq, list, uid); err != nil {
		return err
	}
	marked, readAfter := s.markOpened(r, p, open)
	if marked {
		pl.box.Unseen = max(pl.box.Unseen, 1) - 1
		for i := range list.Rows {
			list.Rows[i].Flags.Seen = list.Rows[i].Flags.Seen || list.Rows[i].UID == uid
		}
	}
	viewed := meanwhile(func() *templates.Message { return s.messageView(r, p, pl, open) })
	newer, older := s.steps(r, p, pl, lq, list, uid)
	known := wroteBefore(list, open)
	view := viewed()
	row := uid
	if lq.Conversations {
		if row, err = s.converse(r, p, pl, open, view); err != nil {
			return err
		}
		if marked || open.Flags.Seen {
			stillUnread(list, row, view)
		}
	} else if err = s.inTalk(r, p, pl, uid, view); err != nil {
		return err
	}
	onlyBeside(r, &list, pl.box.Name, row)
	page := s.mailPage(r, p, pl, list)
	view.Ref = strconv.FormatUint(uint64(row), 10)
	view.NewerURL, view.OlderURL = newer, older
	s.afterAct(p, view)
	view.ReadAfter = max(view.ReadAfter, readAfter)
	if known {
		view.Noted = nil
	}
	return s.shown(w, r, showMessage(page, view))
}

// shown answers with a mail beside its list, or without what stands on a script's page already.
func (s *Server) shown(w http.ResponseWriter, r *http.Request, page templates.Mail) error {
	if besideList(r) {
		return s.ok(w, r, templates.Beside{Mail: page})
	}
	return s.ok(w, r, page)
}

func besideList(r *http.Request) bool { return r.Header.Get(headerBeside) != "" }

// pageWith is the page of the list on which a mail stands, and the request for it: an address may be older than the
// mails that came since. The page that was asked for stays when the mail is on none.
func (s *Server) pageWith(r *http.Request, p *person, pl place, lq mailclient.ListQuery, list mailclient.List, uid uint32) (*http.Request, mailclient.List, error) {
	if slices.ContainsFunc(list.Rows, func(row mailclient.Row) bool { return row.UID == uid }) {
		return r, list, nil
	}
	_, _, position, err := p.Mail.Neighbours(r.Context(), pl.box.Name, lq, uid)
	if err != nil {
		return nil, list, err
	}
	page := (position-1)/perPage + 1
	if position == 0 || page == list.Page {
		return r, list, nil
	}
	lq.Page = page
	if list, err = p.Mail.List(r.Context(), pl.box.Name, lq); err != nil {
		return nil, list, err
	}
	u, err := r.URL.Parse(with(r.URL.Path, r.URL.Query(), "page", pageParam(page)))
	if err != nil {
		return nil, list, errNothingHere
	}
	moved := *r
	moved.URL = u
	return &moved, list, nil
}

// onlyBeside leaves of a list the row of the opened mail, for a script on whose page the others stand.
func onlyBeside(r *http.Request, list *mailclient.List, mailbox string, uid uint32) {
	if besideList(r) {
		list.Rows = slices.DeleteFunc(list.Rows, func(row mailclient.Row) bool { return row.UID != uid || row.Mailbox != mailbox })
	}
}

// markOpened marks an unread mail that was opened read: now, or by a script after so many milliseconds. A failure leaves
// it unread: it is shown all the same.
func (s *Server) markOpened(r *http.Request, p *person, open *mailclient.Open) (marked bool, after int) {
	if open.Flags.Seen || open.ReadOnly {
		return false, 0
	}
	now, later := s.marksRead(r, p)
	if !now {
		return false, int(later.Milliseconds())
	}
	err := p.Mail.MarkSeen(r.Context(), open)
	if _, listed := p.Mail.Row(r.Context(), open.Mailbox, open.UID); listed && index.Away(err) {
		read := mailclient.Ref{Mailbox: open.Mailbox, UIDValidity: open.UIDValidity, UIDs: []uint32{open.UID}}
		_, err = s.wait(r.Context(), p, mailclient.Step{Act: flagActs["read"], Ref: read}, telling{Key: "done.read"})
	}
	return err == nil, 0
}

// marksRead says whether a mail that this request opens is read now, or by a script once it has been shown for a time:
// by the person's setting, and when it opened by itself after an act. A prefetch opens nothing.
func (s *Server) marksRead(r *http.Request, p *person) (now bool, later time.Duration) {
	scripts := r.Header.Get("X-Restante") != ""
	switch {
	case r.Header.Get(headerNews) != "" || r.Header.Get("Sec-Purpose") != "" || r.Header.Get("Purpose") != "" || r.Method != http.MethodGet || p.User.Settings.MarkRead == "hand":
		return false, 0
	case scripts && r.Header.Get(headerRead) == "" && p.User.Settings.MarkRead == "later":
		return false, 3 * time.Second
	case scripts && r.Header.Get(headerAct) != "":
		return false, 2 * time.Second
	}
	return true, 0
}

// steps finds the addresses of the mails before and after one, "" where there is none: on the same page of the list,
// else asked for.
func (s *Server) steps(r *http.Request, p *person, pl place, lq mailclient.ListQuery, list mailclient.List, uid uint32) (newerURL, olderURL string) {
	q := listParams(r)
	link := func(uid uint32, page int) string {
		if uid == 0 {
			return ""
		}
		return with(pathMessage(p.Account.ID, pl.slug, uid), q, "page", pageParam(page))
	}
	var newer, older uint32
	at := slices.IndexFunc(list.Rows, func(row mailclient.Row) bool { return row.UID == uid })
	if at == 0 && list.Page == 1 && len(list.Rows) > 1 { // the newest
		older = list.Rows[1].UID
	} else if at > 0 && at < len(list.Rows)-1 {
		newer, older = list.Rows[at-1].UID, list.Rows[at+1].UID
	} else if n, o, _, err := p.Mail.Neighbours(r.Context(), pl.box.Name, lq, uid); err == nil {
		newer, older = n, o
	}
	before, after := list.Page, list.Page
	if at == 0 {
		before--
	}
	if at == len(list.Rows)-1 {
		after++
	}
	return link(newer, before), link(older, after)
}

// afterAct is where a message's page leads once the message has gone.
func (s *Server) afterAct(p *person, v *templates.Message) {
	v.NextURL = v.ListURL
	if p.User.Settings.AfterAct != "list" && v.OlderURL != "" {
		v.NextURL = v.OlderURL
	}
}

// print shows one mail for paper.
func (s *Server) print(w http.ResponseWriter, r *http.Request, p *person) error {
	pl, open, err := s.openAt(r, p)
	if err != nil {
		return err
	}
	view := s.messageView(r, p, pl, open)
	h := s.head(r, p, view.Subject)
	h.Theme = "light"
	return s.ok(w, r, templates.Print{Head: h, Message: view})
}

// openAt opens the mail that the path names.
func (s *Server) openAt(r *http.Request, p *person) (pl place, open *mailclient.Open, err error) {
	uid, err := uidParam(r)
	if err != nil {
		return pl, nil, err
	}
	if pl, err = s.place(r, p); err != nil {
		return pl, nil, err
	}
	validity, err := validityParam(r.URL.Query().Get("v"))
	if err != nil {
		return pl, nil, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), firstAnswer)
	defer cancel()
	if open, err = p.Mail.Reopen(ctx, pl.box.Name, validity, uid); err != nil {
		return pl, nil, err
	}
	if in := r.URL.Query().Get("in"); in != "" {
		open, err = s.within(r, p, &pl, open, strings.Split(in, "/"))
	}
	return pl, open, err
}

func validityParam(v string) (uint32, error) {
	if v == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(v, 10, 32)
	if err != nil {
		return 0, badRequest("error.form")
	}
	return uint32(n), nil
}
