package handlers

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"restante/internal/index"
	"restante/mailclient"
	"restante/templates"
)

const retryTime = 12 * time.Second // for a try that a person waits for

// awayView tells of a mail server that cannot be used now, and of when the mail is that shows; nil while it can be.
func (s *Server) awayView(ctx context.Context, p *person, mailbox string) (v *templates.Away) {
	o, out := p.Mail.Outage()
	if !out {
		return nil
	}
	now := s.nowFor(p)
	defer func() {
		if b := s.behind(ctx, p); b.err == nil && b.Waiting > 0 {
			v.Waiting = p.L.T("wait.waiting", "N", b.Waiting)
		}
	}()
	v = &templates.Away{URL: with("/retry", p.naming(nil)), Words: awayWords(p, o.Err), Since: p.L.T("away.since", "Since", p.L.Moment(o.Since, now))}
	if at := p.Mail.HeardAt(mailbox); !at.IsZero() {
		v.Since = p.L.T("away.asof", "Since", p.L.Moment(o.Since, now), "At", p.L.Moment(at, now))
	}
	return v
}

// awayWords say which server cannot be used, and why.
func awayWords(p *person, err error) string {
	var connect *mailclient.ConnectError
	var sign *mailclient.SignInError
	switch {
	case errors.As(err, &connect) && connect.Kind == mailclient.Unreachable:
		return p.L.T("away.unreachable", "Host", connect.Host)
	case errors.As(err, &connect) && connect.Kind == mailclient.Timeout:
		return p.L.T("away.silent", "Host", connect.Host)
	case errors.As(err, &sign):
		return p.L.T("away.nosignin", "Host", sign.Host)
	}
	pr := problemOf(err)
	return p.L.T(pr.Key, pr.Args...)
}

// retry tries a mail server that cannot be used, at once.
func (s *Server) retry(w http.ResponseWriter, r *http.Request, p *person) error {
	if err := parseForm(r); err != nil {
		return err
	}
	_, was := p.Mail.Outage()
	ctx, cancel := context.WithTimeout(r.Context(), retryTime)
	defer cancel()
	p.Mail.Retry(ctx)
	s.playNow(r, p)
	if _, out := p.Mail.Outage(); was && !out {
		s.putFlash(r, flash{Words: p.L.T("away.back")})
	}
	return seeOther(w, r, r.PostFormValue("back"))
}

// notKept says, beside its list, that a mail cannot be read now, with what is known of it.
func (s *Server) notKept(w http.ResponseWriter, r *http.Request, p *person, pl place, list mailclient.List, uid uint32, away error) error {
	row, ok := p.Mail.Row(r.Context(), pl.box.Name, uid)
	if at := slices.IndexFunc(list.Rows, func(row mailclient.Row) bool { return row.UID == uid }); !ok && at >= 0 {
		row, ok = list.Rows[at], true
	}
	page := s.mailPage(r, p, pl, list)
	pr := problemOf(away)
	s.logProblem(r, pr)
	t := s.trouble(r, p, pr)
	t.Words = p.L.T("away.notkept")
	if ok {
		from, _ := namesOf(row.From)
		t.Facts = []string{subjectOf(p, row.Subject), from, p.L.Long(dateOf(row).In(p.Zone)), p.L.Size(row.Size)}
	}
	t.BackURL, t.BackWords = page.List.Here, p.L.T("error.tolist")
	page.Gone = &t
	page.WriteOutlined = true
	page.Title = p.L.T("error.prefix") + " " + page.Title
	s.render(w, r, pr.Status, page)
	return nil
}

// notKeptFile says of a file that it is not kept here, where the mail server cannot be asked for it.
func notKeptFile(err error) error {
	if !index.Lost(err) {
		return err
	}
	return wrap(err, http.StatusBadGateway, "away.notkept.file")
}

// isAway says whether an error is one of a server that cannot be used now, while something of a list shows.
func isAway(err error, list mailclient.List) bool { return index.Lost(err) && len(list.Rows) > 0 }
