package handlers

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"restante/mailclient"
	"restante/mailclient/message"
	"restante/templates"
)

// messageView is a mail as the page shows it.
func (s *Server) messageView(r *http.Request, p *person, pl place, open *mailclient.Open) *templates.Message {
	m := open.Message
	base := pathMessage(p.Account.ID, pl.slug, open.UID)
	this := mailAt(p, pl, open).q // and no mail of a folder that was made anew
	date := dateOf(open.Row).In(p.Zone)
	from := personOf(first(m.Header.From()))
	v := &templates.Message{
		UID: open.UID, Ref: strconv.FormatUint(uint64(open.UID), 10), Validity: open.UIDValidity, Role: string(pl.box.Role), Subject: subjectOf(p, m.Header.Subject()), From: from,
		Froms: personsOf(m.Header.From()), To: personsOf(m.Header.To()), Cc: personsOf(m.Header.Cc()), Bcc: personsOf(m.Header.Bcc()),
		Date: p.L.Moment(date, s.nowFor(p)), ISO: date.Format(time.RFC3339), Full: p.L.Long(date), Initials: initials(from.Name, from.Addr), Hue: hue(from.Addr),
		Flagged: open.Flags.Flagged, CanAct: !open.ReadOnly, Forever: pl.box.Role == mailclient.RoleTrash || pl.box.Role == mailclient.RoleJunk,
		ActionURL: pl.path + "/actions", ListURL: listURL(r, p, pl), Here: r.URL.RequestURI(),
		PrintURL: with(base+"/print", this), SourceURL: with(base+"/source", this), EMLURL: with(base+".eml", this), List: m.Header.Text("List-Id"),
	}
	if from.Addr == "" {
		v.From.Name = p.L.T("row.nobody")
	} else {
		v.WriteURL = with("/compose", p.naming(url.Values{"to": {from.Full}, "back": {v.Here}}))
		v.AllFromURL = with("/search", p.naming(url.Values{"q": {"from:" + from.Addr}}))
	}
	if rt := m.Header.ReplyTo(); len(rt) > 0 && !strings.EqualFold(rt[0].Addr, from.Addr) {
		v.ReplyTo = personsOf(rt)
	}
	v.Move = moveTo(p, "message", pl.boxes, pl.box.Name)
	answer := p.naming(url.Values{"in": {pl.slug}, "uid": {strconv.FormatUint(uint64(open.UID), 10)}, "back": {v.Here}})
	v.ReplyURL = with("/compose", answer, "reply", "1")
	v.ForwardURL, v.ForwardFileURL = with("/compose", answer, "forward", "1"), with("/compose", answer, "forward", "file")
	v.AgainURL, v.RedirectURL = with("/compose", answer, "again", "1"), with("/compose", answer, "redirect", "1")
	if len(m.Header.To())+len(m.Header.Cc()) > 1 || !s.mine(r, p, first(m.Header.To()).Addr) && len(m.Header.To()) > 0 {
		v.ReplyAllURL = with("/compose", answer, "replyall", "1")
	}
	if listPost(m.Header) != "" {
		v.ReplyListURL = with("/compose", answer, "reply", "list")
	}
	v.ToLine = s.toLine(r, p, m)
	v.State = strings.TrimSuffix(stateWords(p, mailclient.Row{Flags: mailclient.Flags{Seen: true, Answered: open.Flags.Answered, Forwarded: open.Flags.Forwarded}}), ", ")
	for _, k := range open.Flags.Keywords {
		if !strings.HasPrefix(k, "$") && !strings.EqualFold(k, "NonJunk") && !strings.EqualFold(k, "Junk") && !strings.EqualFold(k, "Forwarded") {
			v.Labels = append(v.Labels, templates.Label{Name: mailclient.Label(k), Keyword: k})
		}
	}
	s.warn(r, p, pl, open, v)
	if verdict(p, m) == "pass" {
		v.Checked = p.L.T("message.checked", "Domain", domainOf(from.Addr))
	}
	if open.Kept {
		v.Kept = p.L.T("away.kept")
	}
	if len(m.Faults) > 0 {
		v.Damaged = damaged(p, m)
	}
	s.showBody(r, p, pl, open, v)
	s.showFiles(p, pl, open, v)
	showUnsubscribing(p, pl, open, v)
	s.showReceipt(r, p, pl, open, v)
	return v
}

// listURL is where the way back leads: the search that the mail was found by, the inbox of all accounts, else its folder.
func listURL(r *http.Request, p *person, pl place) string {
	if words := r.URL.Query().Get("search"); words != "" {
		return with("/search", p.naming(url.Values{"q": {words}, "known": {"1"}}), "page", r.URL.Query().Get("page"))
	}
	if q := r.URL.Query(); q.Get("all") != "" {
		return with(pathAll, p.naming(nil), "filter", q.Get("filter"), "page", q.Get("page"))
	}
	return with(pl.path, listParams(r))
}

func damaged(p *person, m *message.Message) string {
	for _, f := range m.Faults {
		if strings.Contains(f.Kind, "boundary") || strings.Contains(f.Kind, "limit") || strings.Contains(f.Kind, "cut") {
			return p.L.T("message.damaged")
		}
	}
	return ""
}

// showBody fills what is read: the frame for HTML, else the text with its quotes, and cards.
func (s *Server) showBody(r *http.Request, p *person, pl place, open *mailclient.Open, v *templates.Message) {
	m := open.Message
	v.HTML = m.HTMLAlt
	if v.HTML {
		base := pathMessage(p.Account.ID, pl.slug, open.UID)
		remote := s.remoteAllowed(r, p, pl, m)
		look := s.look(r, p, m)
		v.Trust = "/trust?sender=" + url.QueryEscape(v.From.Addr)
		v.Original, v.OriginalForAll = look == "original", p.User.Settings.Letters == "original"
		q := mailAt(p, pl, open).q
		q.Set("theme", look)
		if remote {
			q.Set("remote", "1")
		}
		if v.Warning != nil && !v.Locked {
			q.Set("links", "1")
		}
		v.BodyURL = with(base+"/body", q)
		v.FrameTitle = p.L.T("message.frame", "Name", nameOr(v.From))
		doc := s.letter(p, pl, open, theme(look), remote, v.Locked) // it is asked for next
		v.KeptOut = func() *templates.Blocked {
			kept := doc.blocked()
			if kept.Trackers == 0 && (kept.Images == 0 || remote) {
				return nil
			}
			b := &templates.Blocked{TrackedBy: kept.TrackedBy}
			if kept.Trackers > 0 {
				b.Trackers = p.L.T("remote.trackers", "N", kept.Trackers)
			}
			if kept.Images > 0 && !remote {
				b.Words, b.AllowURL, b.Back = p.L.T("remote.blocked", "N", kept.Images), v.Trust, v.Here
				b.OnceURL, b.AlwaysWords = with(r.URL.Path, r.URL.Query(), "remote", pl.asks()), p.L.T("remote.always", "Address", v.From.Addr)
			}
			if encrypted(m) && b.Words != "" { // nobody can let them in
				b.Words, b.OnceURL = p.L.T("remote.encrypted", "N", kept.Images), ""
			}
			return b
		}
	}
	for _, b := range m.Blocks {
		switch b.Kind {
		case message.BlockText:
			if !v.HTML {
				v.Text = append(v.Text, segments(b.Text, v.Locked, textWords(r, p))...)
			}
		case message.BlockImage:
			if f := pictureBetween(mailAt(p, pl, open), m.Files, b.Section); f != nil && !v.HTML {
				v.Text = append(v.Text, templates.Segment{Image: f})
			}
		case message.BlockCard:
			switch c := s.cardView(r, p, pl, open, b); {
			case c.Title == "":
			case b.Card.Kind == "contact" || b.Card.Kind == "message" || b.Card.Kind == "signed":
				v.CardsBelow = append(v.CardsBelow, c)
			default:
				v.Cards = append(v.Cards, c)
			}
		}
	}
	v.Nothing = !v.HTML && len(v.Text) == 0 && len(v.Cards)+len(v.CardsBelow) == 0
}

// look is the theme of a letter: the page's, or the colours in which it was sent.
func (s *Server) look(r *http.Request, p *person, m *message.Message) string {
	if p.User.Settings.Letters == "original" {
		return "original"
	}
	if kept, err := s.store.ColoursKept(r.Context(), p.User.ID, first(m.Header.From()).Addr); err == nil && kept {
		return "original"
	}
	return p.themeName()
}

func (p *person) themeName() string {
	if p.User.Settings.Theme == "" {
		return "auto"
	}
	return p.User.Settings.Theme
}

func nameOr(a templates.Person) string {
	if a.Name != "" {
		return a.Name
	}
	return a.Addr
}

// remoteAllowed says whether the reader has asked for pictures: now (from our own page only), for this sender, or always.
// Junk never shows them by a standing rule.
func (s *Server) remoteAllowed(r *http.Request, p *person, pl place, m *message.Message) bool {
	if encrypted(m) {
		return false
	}
	if r.URL.Query().Get("remote") == pl.asks() {
		return asked(r, "remote", pl.asks())
	}
	if pl.box.Role == mailclient.RoleJunk || p.attached {
		return false
	}
	if p.User.Settings.Images == "always" {
		return true
	}
	if v := verdict(p, m); v != "" && v != "pass" { // a name that anybody could have written is no sender
		return false
	}
	ok, err := s.store.SenderTrusted(r.Context(), p.User.ID, first(m.Header.From()).Addr)
	return err == nil && ok
}

// segments are a text's quotes and lines, with its addresses as links unless they are locked. What ends the text is
// folded as one. Hits of the words in find, which have line ends between, are to be marked.
func segments(text string, locked bool, find string) (out []templates.Segment) {
	for _, seg := range message.Quoted(text) {
		v := templates.Segment{Depth: min(seg.Depth, 5), Signature: seg.Signature}
		at := 0
		links := message.Links(seg.Text)
		if locked {
			links = nil
		}
		for _, l := range links {
			if l.Start > at {
				v.Pieces = append(v.Pieces, templates.Piece{Text: seg.Text[at:l.Start], Find: find})
			}
			v.Pieces = append(v.Pieces, templates.Piece{Text: seg.Text[l.Start:l.End], URL: linkTarget(l.URL), Find: find})
			at = l.End
		}
		if at < len(seg.Text) {
			v.Pieces = append(v.Pieces, templates.Piece{Text: seg.Text[at:], Find: find})
		}
		if !seg.Tail {
			out = append(out, v)
			continue
		}
		if n := len(out); n == 0 || out[n-1].Folded == nil {
			out = append(out, templates.Segment{})
		}
		fold := &out[len(out)-1]
		fold.Folded = append(fold.Folded, v)
	}
	return out
}

// linkTarget sends mail addresses to our own form.
func linkTarget(u string) string {
	if strings.HasPrefix(strings.ToLower(u), "mailto:") {
		return "/compose?mailto=" + url.QueryEscape(u)
	}
	return u
}

func domainOf(addr string) string {
	_, d, _ := strings.Cut(strings.ToLower(addr), "@")
	return d
}

func first(list []message.Address) message.Address {
	if len(list) == 0 {
		return message.Address{}
	}
	return list[0]
}

func personOf(a message.Address) templates.Person {
	p := templates.Person{Name: a.Name, Addr: a.Addr, Full: a.Addr}
	if a.Name != "" {
		p.Full = a.Name + " <" + a.Addr + ">"
	}
	if a.Addr == "" && a.Group != "" {
		p.Full = a.Group
	}
	return p
}

func personsOf(list []message.Address) (out []templates.Person) {
	for i, a := range list {
		if i == 200 {
			break
		}
		out = append(out, personOf(a))
	}
	return out
}

// mine says whether an address is one of the person's own, with a tag or without.
func (s *Server) mine(r *http.Request, p *person, addr string) bool {
	if strings.EqualFold(addr, p.Account.Address) {
		return true
	}
	own, addr := p.own(), strings.ToLower(addr)
	return own[addr] || own[untagged(addr)]
}

// ownAddresses are those of a user's identities, in lower case; none when the store does not answer.
func (s *Server) ownAddresses(ctx context.Context, userID int64) map[string]bool {
	ids, err := s.store.Identities(ctx, userID)
	if err != nil {
		s.log.Warn("identities", "err", err.Error())
	}
	own := map[string]bool{}
	for _, id := range ids {
		own[strings.ToLower(id.Address)] = true
	}
	return own
}

func (s *Server) toLine(r *http.Request, p *person, m *message.Message) string {
	var names []string
	all := append(append([]message.Address{}, m.Header.To()...), m.Header.Cc()...)
	for i, a := range all {
		if i == 4 {
			break
		}
		switch {
		case s.mine(r, p, a.Addr):
			names = append(names, p.L.T("row.me"))
		case a.Name != "":
			names = append(names, a.Name)
		case a.Addr != "":
			names = append(names, a.Addr)
		default:
			names = append(names, a.Group)
		}
	}
	if len(names) == 0 {
		return p.L.T("message.tonobody")
	}
	line := strings.Join(names, ", ")
	if rest := len(all) - len(names); rest > 0 {
		return p.L.T("message.tomore", "Names", line, "N", rest)
	}
	return p.L.T("message.to", "Names", line)
}
