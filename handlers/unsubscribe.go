package handlers

import (
	"net/http"
	"net/url"
	"strings"

	"restante/mailclient"
	"restante/mailclient/message"
	"restante/templates"
)

// unsubscribing is the way out of a list that a mail names (RFC 2369 3.2): one address, the best first.
type unsubscribing struct {
	oneClick bool   // our server may ask (RFC 8058)
	url      string // of the site, or mailto:
	host     string
}

// unsubscribingOf is the way out of the list that a mail came by. Our server asks in the reader's place only at an
// address that the sender's signature covers, as our mail server has found (RFC 8058 4).
func unsubscribingOf(p *person, h message.Header) (best unsubscribing) {
	for part := range strings.SplitSeq(h.Get("List-Unsubscribe"), ",") {
		_, part, ok := strings.Cut(part, "<")
		if part, _, _ = strings.Cut(part, ">"); !ok || len(part) > 2000 {
			continue
		}
		u, err := url.Parse(strings.TrimSpace(part))
		if err != nil {
			continue
		}
		switch {
		case u.Scheme == "mailto" && best.url == "":
			address, _, _ := strings.Cut(u.Opaque, "?")
			best = unsubscribing{url: u.String(), host: domainOf(address)}
		case u.Scheme == "https" && u.Host != "" && u.User == nil && !strings.HasPrefix(best.url, "https:"):
			oneClick := !p.attached && strings.EqualFold(strings.TrimSpace(h.Get("List-Unsubscribe-Post")), "List-Unsubscribe=One-Click") &&
				h.Signed(p.Servers.Authserv, "List-Unsubscribe", "List-Unsubscribe-Post")
			if oneClick || best.url == "" {
				best = unsubscribing{oneClick: oneClick, url: u.String(), host: u.Hostname()}
			}
		}
	}
	return best
}

// listArchive is the page with the old mails of the list that a mail came by (RFC 2369 3.6), "" where there is none.
func listArchive(h message.Header) string {
	_, u, _ := strings.Cut(h.Get("List-Archive"), "<")
	u, _, ok := strings.Cut(u, ">")
	parsed, err := url.Parse(strings.TrimSpace(u))
	if !ok || err != nil || len(u) > 2000 || parsed.Scheme != "https" && parsed.Scheme != "http" || parsed.Host == "" || parsed.User != nil {
		return ""
	}
	return parsed.String()
}

// showUnsubscribing puts the way out of a list beside the sender; not in Junk, whose senders shall not learn who reads.
func showUnsubscribing(p *person, pl place, open *mailclient.Open, v *templates.Message) {
	u := unsubscribingOf(p, open.Message.Header)
	v.ListArchive = listArchive(open.Message.Header)
	switch {
	case u.url == "" || pl.box.Role == mailclient.RoleJunk:
	case u.oneClick:
		v.Unsubscribe = &templates.Unsubscribe{AskURL: mailAt(p, pl, open).act("unsubscribe"), Words: p.L.T("unsubscribe.ask", "Host", u.host), Back: v.Here}
	case strings.HasPrefix(u.url, "mailto:"):
		v.Unsubscribe = &templates.Unsubscribe{LinkURL: linkTarget(u.url) + "&back=" + url.QueryEscape(v.Here), Words: p.L.T("unsubscribe.mail")}
	default:
		v.Unsubscribe = &templates.Unsubscribe{LinkURL: u.url, Away: true, Words: p.L.T("unsubscribe.link", "Host", u.host)}
	}
}

// unsubscribe asks the sender of a list's mail to send no more.
func (s *Server) unsubscribe(w http.ResponseWriter, r *http.Request, p *person) error {
	if err := parseForm(r); err != nil {
		return err
	}
	pl, open, err := s.openAt(r, p)
	if err != nil {
		return err
	}
	u := unsubscribingOf(p, open.Message.Header)
	if !u.oneClick || pl.box.Role == mailclient.RoleJunk {
		return badRequest("error.form")
	}
	fl := flash{Words: p.L.T("unsubscribe.asked", "Host", u.host)}
	if err := s.pictures.OneClick(r.Context(), u.url); err != nil {
		s.log.Info("a list was not left", "id", requestID(r), "err", err.Error())
		fl = flash{Words: p.L.T("unsubscribe.failed", "Host", u.host), Failed: true}
	}
	s.putFlash(r, fl)
	return seeOther(w, r, r.PostFormValue("back"))
}
