package handlers

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"restante/mailclient"
	"restante/templates"
)

// hitRef names a mail in a list over several folders.
func hitRef(slug string, validity, uid uint32) string {
	return fmt.Sprintf("%s.%d.%d", slug, validity, uid)
}

// hitFrom is the way back.
func hitFrom(ref string) (slug string, validity, uid uint32, ok bool) {
	words := strings.Split(ref, ".")
	n := len(words)
	if n < 3 {
		return "", 0, 0, false
	}
	v, err1 := strconv.ParseUint(words[n-2], 10, 32)
	u, err2 := strconv.ParseUint(words[n-1], 10, 32)
	return strings.Join(words[:n-2], "."), uint32(v), uint32(u), err1 == nil && err2 == nil && u != 0
}

// hit shows a mail beside the results of the search through all folders that found it. The way on leads through them.
func (s *Server) hit(w http.ResponseWriter, r *http.Request, p *person, pl place, uid uint32) error {
	res, err := s.resultsOf(r, p, r.URL.Query().Get("search"))
	if err != nil {
		return err
	}
	open, err := p.Mail.Open(r.Context(), pl.box.Name, 0, uid)
	if err != nil && !errors.Is(err, mailclient.ErrGone) {
		return err
	}
	gone, readAfter := err, 0
	if gone == nil {
		_, readAfter = s.markOpened(r, p, open)
	}
	hits, err := p.Mail.Hits(r.Context(), res.query)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(hits, func(h mailclient.Hit) bool { return h.Mailbox == pl.box.Name && h.UID == uid })
	if at >= 0 {
		res.page = at/perPage + 1
	}
	if res.list, err = p.Mail.Found(r.Context(), res.query, res.page, perPage); err != nil {
		return err
	}
	if gone == nil {
		onlyBeside(r, &res.list, pl.box.Name, uid)
	}
	page := s.resultsPage(r, p, res)
	beside := func(i int) string {
		if at < 0 || i < 0 || i >= len(hits) {
			return ""
		}
		return res.hitPath(p, slugOf(pl.boxes, hits[i].Mailbox), hits[i].UID)
	}
	if gone != nil {
		return s.goneMessage(w, r, p, page, gone, beside(at+1))
	}
	view := s.messageView(r, p, pl, open)
	if wroteBefore(res.list, open) {
		view.Noted = nil
	}
	if err := s.inTalk(r, p, pl, uid, view); err != nil {
		return err
	}
	view.ReadAfter = readAfter
	view.Ref = hitRef(pl.slug, open.UIDValidity, uid)
	view.NewerURL, view.OlderURL = beside(at-1), beside(at+1)
	s.afterAct(p, view)
	return s.shown(w, r, showMessage(page, view))
}

// showMessage puts a mail beside its list.
func showMessage(page templates.Mail, view *templates.Message) templates.Mail {
	page.Message = view
	page.Title = view.Subject + " · " + page.Title
	page.WriteOutlined = true
	for i := range page.List.Rows {
		page.List.Rows[i].Current = page.List.Rows[i].Ref == view.Ref
	}
	return page
}

// actOnHits does something to mails that a search found in several folders, with one Undo for all.
func (s *Server) actOnHits(w http.ResponseWriter, r *http.Request, p *person) error {
	f, err := actFormFrom(r)
	if err != nil {
		return err
	}
	f.back = ownPath(f.back)
	boxes, err := p.Mail.Mailboxes(r.Context())
	if err != nil {
		return err
	}
	if f.action == "open" && !f.all { // Enter in a check of the list
		slug, _, uid, ok := hitFrom(r.PostForm["uid"][0])
		if !ok {
			return badRequest("error.form")
		}
		found := url.Values{}
		if back, err := url.Parse(f.back); err == nil {
			found.Set("search", back.Query().Get("q"))
		}
		return seeOther(w, r, with(pathMessage(p.Account.ID, slug, uid), found))
	}
	refs, err := pickedHits(r.PostForm["uid"], boxes)
	if f.all {
		refs, err = s.allHits(r, p)
	}
	if err != nil {
		return err
	}
	return s.actOn(w, r, p, boxes, f, refs)
}

// pickedHits are the mails that a form names, folder by folder.
func pickedHits(picked []string, boxes []mailclient.Mailbox) ([]mailclient.Ref, error) {
	var hits []mailclient.Hit
	for _, ref := range picked {
		slug, validity, uid, ok := hitFrom(ref)
		if !ok {
			return nil, badRequest("error.form")
		}
		b, ok := find(boxes, slug)
		if !ok {
			return nil, mailclient.ErrNoMailbox
		}
		hits = append(hits, mailclient.Hit{Mailbox: b.Name, UIDValidity: validity, UID: uid})
	}
	return refsOf(hits), nil
}

// allHits are all mails that the search of a form found.
func (s *Server) allHits(r *http.Request, p *person) ([]mailclient.Ref, error) {
	query, err := parseSearch(r.PostFormValue("q"), p.Zone)
	if err != nil {
		return nil, err
	}
	hits, err := p.Mail.Hits(r.Context(), query)
	return refsOf(hits), err
}

// refsOf sorts mails by their folders, each once.
func refsOf(hits []mailclient.Hit) (refs []mailclient.Ref) {
	at := map[string]int{}
	for _, h := range hits {
		i, ok := at[h.Mailbox]
		if !ok {
			i, at[h.Mailbox] = len(refs), len(refs)
			refs = append(refs, mailclient.Ref{Mailbox: h.Mailbox, UIDValidity: h.UIDValidity})
		}
		refs[i].UIDs = append(refs[i].UIDs, h.UID)
	}
	for i := range refs {
		slices.Sort(refs[i].UIDs)
		refs[i].UIDs = slices.Compact(refs[i].UIDs)
	}
	return refs
}
