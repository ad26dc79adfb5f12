package handlers

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"restante/mailclient"
	"restante/mailclient/message"
	"restante/templates"
)

const (
	maxUnfolded = 20 // letters of a conversation that stand open beside the one that was asked for
	maxUnread   = 5  // of them, such as nobody has read
	fewFolded   = 4  // folded letters in a row that stand for themselves
)

// conversations says whether a list shows conversations: as its address says, else as the person wishes.
func conversations(q url.Values, p *person) (bool, error) {
	switch q.Get("threads") {
	case "":
		return p.User.Settings.Conversations, nil
	case "1":
		return true, nil
	case "0":
		return false, nil
	}
	return false, badRequest("error.threads")
}

// setConversations keeps whether a person's lists show conversations.
func (s *Server) setConversations(w http.ResponseWriter, r *http.Request, p *person, box mailclient.Mailbox, on bool) error {
	set := p.User.Settings
	set.Conversations = on
	if err := s.store.SaveSettings(r.Context(), p.User.ID, set); err != nil {
		return err
	}
	return seeOther(w, r, pathMailbox(p.Account.ID, Slug(box.Name, box.Delimiter)))
}

// talkRow shows a row as the conversation that it is the newest mail of.
func (s *Server) talkRow(p *person, m mailclient.Row, v *templates.Row) {
	c := m.Conversation
	v.Unread, v.Flagged, v.Files = c.Unread, c.Flagged, c.Files
	m.Flags.Seen, m.Flags.Flagged, m.HasAttachment = !c.Unread, c.Flagged, c.Files
	v.State = stateWords(p, m)
	if c.Mails > 1 {
		v.Count, v.Name = c.Mails, s.talkNames(p, c.People)
		v.State += p.L.T("message.letters", "N", c.Mails) + ", "
	}
}

// talkNames are the people of a conversation, by their first names where there are several: who began it, and the last.
func (s *Server) talkNames(p *person, people []message.Address) string {
	var names []string
	for _, a := range people {
		name, _ := namesOf([]message.Address{a})
		if p.own()[strings.ToLower(a.Addr)] {
			name = p.L.T("row.me")
		} else if first, _, ok := strings.Cut(a.Name, " "); ok && len(people) > 1 && !strings.HasSuffix(first, ",") && !strings.HasSuffix(first, ".") {
			name = first
		}
		names = append(names, name)
	}
	if len(names) > 3 {
		names = append(names[:1:1], append([]string{"…"}, names[len(names)-2:]...)...)
	}
	return strings.ReplaceAll(strings.Join(names, ", "), ", …, ", " … ")
}

// converse adds the other letters of a mail's conversation to its view, and gives the UID of the row that stands for all.
func (s *Server) converse(r *http.Request, p *person, pl place, open *mailclient.Open, v *templates.Message) (row uint32, err error) {
	mails, err := p.Mail.Conversation(r.Context(), pl.box.Name, open.UID)
	row = open.UID
	if err != nil || len(mails) < 2 {
		return row, err
	}
	main := slices.IndexFunc(mails, func(m mailclient.Row) bool { return m.Mailbox == pl.box.Name && m.UID == open.UID })
	if main < 0 {
		return row, nil
	}
	alone := *r // what was allowed one mail is allowed no other
	alone.URL = &url.URL{Path: r.URL.Path, RawQuery: listParams(r).Encode()}
	wanted := r.URL.Query()["open"]
	readsOn := r.Header.Get(headerNews) == "" && r.Header.Get(headerLetter) == ""
	unread, without := 0, v.ListURL // where a letter that goes alone leaves its reader
	for i, m := range mails {
		if m.Mailbox == pl.box.Name {
			row = m.UID
		}
		if i == main {
			continue
		}
		if m.Mailbox == pl.box.Name {
			without = with(pathMessage(p.Account.ID, pl.slug, m.UID), alone.URL.Query())
		}
		l := s.foldedLetter(&alone, p, pl, m, wanted)
		isUnread := !m.Flags.Seen && !m.Flags.Draft && !s.written(p, pl, m) && unread < maxUnread && readsOn
		if (isUnread || slices.Contains(wanted, l.Ref) || slices.Contains(wanted, "all")) && !m.Flags.Draft && len(v.Before)+len(v.After) < maxUnfolded {
			if isUnread {
				unread++
			}
			s.unfold(r, p, pl, m, &l)
			if l.Open != nil {
				v.ReadAfter = max(v.ReadAfter, l.Open.ReadAfter)
			}
		}
		if i < main {
			v.Before = append(v.Before, l)
		} else {
			v.After = append(v.After, l)
		}
	}
	v.Conversation, v.Letters = true, p.L.T("message.letters", "N", len(mails))
	v.Tools = s.letterTools(p, pl, open.UID, open.UIDValidity, without)
	v.Tools.ListURL = v.ListURL
	v.Before, v.After = foldRuns(v.Before), foldRuns(v.After)
	if slices.ContainsFunc(append(slices.Clone(v.Before), v.After...), func(l templates.Letter) bool { return l.Open == nil }) {
		v.UnfoldURL = with(r.URL.Path, listParams(r), "open", "all")
	}
	return row, nil
}

// written says that a letter of a conversation is the reader's own, in another folder: some servers keep what was sent as
// unread.
func (s *Server) written(p *person, pl place, m mailclient.Row) bool {
	return m.Mailbox != pl.box.Name && len(m.From) > 0 && p.own()[strings.ToLower(m.From[0].Addr)]
}

// inTalk leads from a mail in a list of single ones to its conversation, where the person wishes to see those.
func (s *Server) inTalk(r *http.Request, p *person, pl place, uid uint32, v *templates.Message) error {
	if !p.User.Settings.Conversations && !r.URL.Query().Has("threads") {
		return nil
	}
	mails, err := p.Mail.Conversation(r.Context(), pl.box.Name, uid)
	if len(mails) > 1 {
		v.Letters = p.L.T("message.letters", "N", len(mails))
		v.TalkURL = with(pathMessage(p.Account.ID, pl.slug, uid), url.Values{"threads": {"1"}})
	}
	return err
}

// stillUnread has the row of a conversation that was opened say whether a letter of it is unread still.
func stillUnread(list mailclient.List, row uint32, v *templates.Message) {
	at := slices.IndexFunc(list.Rows, func(m mailclient.Row) bool { return m.UID == row && m.Conversation != nil })
	if at < 0 || v.ReadAfter > 0 {
		return
	}
	list.Rows[at].Conversation.Unread = slices.ContainsFunc(slices.Concat(v.Before, v.After), func(l templates.Letter) bool { return l.Unread && l.Folder == "" })
}

// foldRuns puts letters that follow each other folded, and are many, behind one line.
func foldRuns(all []templates.Letter) (out []templates.Letter) {
	for i := 0; i < len(all); {
		run := i
		for run < len(all) && all[run].Open == nil && !all[run].Unread {
			run++
		}
		if run-i > fewFolded {
			out = append(out, templates.Letter{Folded: all[i:run]})
		} else {
			out = append(out, all[i:run]...)
		}
		if i = run; i < len(all) {
			out = append(out, all[i])
			i++
		}
	}
	return out
}

// foldedLetter is a mail of a conversation in one line, which opens it beside those that are open.
func (s *Server) foldedLetter(r *http.Request, p *person, pl place, m mailclient.Row, open []string) templates.Letter {
	v := rowView(p, m, s.nowFor(p), false)
	slug := slugOf(pl.boxes, m.Mailbox)
	if len(m.From) > 0 {
		v.Name = s.talkNames(p, m.From[:1])
	}
	v.Unread = v.Unread && !s.written(p, pl, m)
	l := templates.Letter{Row: v, Ref: hitRef(slug, m.UIDValidity, m.UID), Draft: m.Flags.Draft}
	q := r.URL.Query()
	q["open"] = append(slices.Clone(open[:min(len(open), maxUnfolded)]), l.Ref)
	l.URL = with(r.URL.Path, q) + "#letter-" + l.Ref
	if m.Flags.Draft {
		l.URL = pathDraftMail(p, slug, m.UID)
	}
	if m.Mailbox != pl.box.Name {
		for _, b := range pl.boxes {
			if b.Name == m.Mailbox {
				l.Folder = fullDisplay(b, p)
			}
		}
	}
	return l
}

// unfold opens a letter beside the one that was asked for. One that cannot be had stays folded.
func (s *Server) unfold(r *http.Request, p *person, pl place, m mailclient.Row, l *templates.Letter) {
	for _, b := range pl.boxes {
		if b.Name != m.Mailbox {
			continue
		}
		slug := Slug(b.Name, b.Delimiter)
		there := place{box: b, boxes: pl.boxes, slug: slug, path: pathMailbox(p.Account.ID, slug), ref: l.Ref}
		r := ofLetter(r, l.Ref)
		open, err := p.Mail.Open(r.Context(), b.Name, m.UIDValidity, m.UID)
		if err != nil {
			s.log.Info("letter of a conversation", "err", err.Error())
			return
		}
		marked, after := s.markOpened(r, p, open)
		l.Unread = l.Unread && !marked
		l.Open = s.messageView(r, p, there, open)
		l.Open.ReadAfter = after
		l.Open.Tools = s.letterTools(p, there, m.UID, m.UIDValidity, l.Open.Here)
		l.Open.Tools.ListURL = listURL(r, p, pl)
		return
	}
}

// ofLetter is the request of a conversation's page as far as it is about one letter of it.
func ofLetter(r *http.Request, ref string) *http.Request {
	q := listParams(r)
	q.Set("open", ref)
	for _, name := range []string{"remote", "links"} {
		if r.URL.Query().Get(name) == ref {
			q.Set(name, ref)
		}
	}
	one := *r
	one.URL = &url.URL{Path: r.URL.Path, RawQuery: q.Encode()}
	return &one
}

// letterTools are what can be done to one letter of a conversation alone.
func (s *Server) letterTools(p *person, pl place, uid, validity uint32, here string) *templates.LetterTools {
	return &templates.LetterTools{UID: uid, Validity: validity, ActionURL: pl.path + "/actions", Here: here,
		AloneURL: with(pathMessage(p.Account.ID, pl.slug, uid), url.Values{"threads": {"0"}})}
}

// together are the mails of a form with all others of their conversations, where it says that its list shows those.
func (s *Server) together(ctx context.Context, r *http.Request, p *person, ref mailclient.Ref) (mailclient.Ref, error) {
	if r.PostFormValue("threads") != "1" || len(ref.UIDs) == 0 {
		return ref, nil
	}
	return p.Mail.Together(ctx, ref)
}
