package handlers

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"restante/internal/contacts"
	"restante/internal/limits"
	"restante/internal/store"
	"restante/mailclient"
	"restante/mailclient/compose"
	"restante/mailclient/message"
	"restante/templates"
)

// newDraft makes a draft from the query: empty, to somebody, an answer, a forward, or a mail in Drafts, and goes to it.
// Reading only: the draft is kept from its first save on.
func (s *Server) newDraft(w http.ResponseWriter, r *http.Request, p *person) error {
	q := r.URL.Query()
	d := store.Draft{UserID: p.User.ID, AccountID: p.Account.ID}
	ids, err := s.identities(r.Context(), p)
	if err != nil {
		return err
	}
	from := ids
	if q.Has("account") || q.Has("uid") {
		from = identitiesOf(p, ids)
	}
	if len(from) > 0 {
		d.Fields.IdentityID = from[0].ID
	}
	var fresh freshDraft
	switch {
	case q.Get("uid") != "":
		fresh, err = s.draftFromMail(r, p, ids, &d)
	case q.Get("mailto") != "":
		err = fillMailto(&d.Fields, q.Get("mailto"))
	default:
		fill(&d.Fields, q)
	}
	if err != nil {
		return err
	}
	if fresh.goTo != "" {
		return seeOther(w, r, fresh.goTo)
	}
	if fresh.heading == "" {
		fresh.heading = p.L.T("compose.new")
		begin(&d.Fields, p, ids, quoted{})
	}
	page := s.composePage(r, p, d, nil, ids)
	page.Heading, page.FocusTo = fresh.heading, d.Fields.To == ""
	page.Below = p.User.Settings.AnswerBelow && strings.HasPrefix(d.Fields.AnswerKind, "reply")
	page.BackURL, page.Note = ownPath(q.Get("back")), fresh.note
	page.Hidden = append(page.Hidden, templates.Field{Name: "back", Value: page.BackURL}, templates.Field{Name: "carry", Value: fresh.carry}, templates.Field{Name: "once", Value: store.NewID()}, templates.Field{Name: "begun", Value: begunAs(d.Fields)})
	page.Files = append(page.Files, fresh.files...)
	return s.ok(w, r, page)
}

func fill(f *store.DraftFields, q url.Values) {
	f.To, f.Cc, f.Bcc, f.Subject, f.Body = oneLine(q.Get("to")), oneLine(q.Get("cc")), oneLine(q.Get("bcc")), oneLine(q.Get("subject")), q.Get("body")
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// fillMailto reads a mailto: URL (RFC 6068). Attachments are never taken from it.
func fillMailto(f *store.DraftFields, raw string) error {
	u, err := url.Parse(raw)
	if err != nil || !strings.EqualFold(u.Scheme, "mailto") {
		return badRequest("error.mailto")
	}
	to, err := url.PathUnescape(u.Opaque)
	if err != nil {
		return badRequest("error.mailto")
	}
	q := url.Values{}
	for k, v := range u.Query() {
		q[strings.ToLower(k)] = v
	}
	if more := q.Get("to"); more != "" {
		to = strings.Trim(to+", "+more, ", ")
	}
	q.Set("to", to)
	fill(f, q)
	return nil
}

// freshDraft is what newDraft learns of the mail that is answered or forwarded.
type freshDraft struct {
	heading string
	note    string
	goTo    string // an existing draft to go to instead
	carry   string // files of the original to take over at the first save
	files   []templates.File
}

// draftFromMail fills a draft from the mail that ?in= and ?uid= name.
func (s *Server) draftFromMail(r *http.Request, p *person, ids []sending, d *store.Draft) (f freshDraft, err error) {
	q := r.URL.Query()
	slug := q.Get("in")
	if slug == "" {
		slug = q.Get("draft")
	}
	boxes, err := p.Mail.Mailboxes(r.Context())
	if err != nil {
		return f, err
	}
	box, ok := find(boxes, slug)
	uid, numErr := strconv.ParseUint(q.Get("uid"), 10, 32)
	if !ok || numErr != nil {
		return f, errNothingHere
	}
	open, err := p.Mail.Open(r.Context(), box.Name, 0, uint32(uid))
	if err != nil {
		return f, err
	}
	if q.Get("draft") != "" {
		return s.continueDraft(r, p, box, open, ids)
	}
	d.Fields.AnswerAccount, d.Fields.AnswerMailbox, d.Fields.AnswerValidity, d.Fields.AnswerUID = p.Account.ID, box.Name, open.UIDValidity, open.UID
	if who, ok := writtenTo(identitiesOf(p, ids), open.Message.Header); ok {
		d.Fields.IdentityID, d.Fields.As = who.identity, who.as
	}
	defer func() {
		shown := showPictures(d.Fields.HTML, picturesOf(p, box, open))
		if f.carry == "" && shown != d.Fields.HTML {
			f.carry = "pictures"
		}
		d.Fields.HTML = shown
	}()
	switch {
	case q.Get("redirect") != "":
		fillRedirect(p, open, d, &f)
	case q.Get("again") != "":
		fillAgain(p, open, fieldsOf(open, identitiesOf(p, ids)), d, &f)
	case q.Get("forward") == "file" && len(q["uid"]) > 1:
		uids, err := fewUIDs(q["uid"])
		if err != nil {
			return f, err
		}
		begin(&d.Fields, p, ids, quoted{})
		fillSeveral(p, uids, d, &f)
	case q.Get("forward") != "":
		f.heading = p.L.T("compose.forward")
		s.fillForward(p, open, d, q.Get("forward") == "file", &f, ids)
	default:
		f.heading = p.L.T("compose.reply")
		all := q.Get("replyall") != ""
		s.fillReply(r, p, open, d, all, ids)
		if all && d.Fields.As == "" && s.hiddenRecipient(r, p, open.Message.Header) {
			f.note = p.L.T("compose.hidden")
		}
		if list := listPost(open.Message.Header); list != "" && q.Get("reply") == "list" {
			d.Fields.To, d.Fields.Cc = list, ""
		}
	}
	return f, nil
}

// continueDraft goes on with a mail that lies in Drafts: ours by its row, a foreign client's by reading it.
func (s *Server) continueDraft(r *http.Request, p *person, box mailclient.Mailbox, open *mailclient.Open, ids []sending) (f freshDraft, err error) {
	at := store.DraftCopy{Mailbox: box.Name, Validity: open.UIDValidity, UID: open.UID}
	d, err := s.store.DraftAt(r.Context(), p.User.ID, p.Account.ID, at)
	if err == nil {
		return freshDraft{goTo: "/compose/" + d.ID}, nil
	}
	mark := open.Message.Header.Get(compose.DraftField)
	if id, _, ok := strings.Cut(mark, ";"); ok {
		if d, err := s.store.Draft(r.Context(), p.User.ID, strings.TrimSpace(id)); err == nil && d.State == "open" && !otherCopy(d, mark, open.UID) {
			return freshDraft{goTo: "/compose/" + d.ID}, nil
		}
		waiting, err := s.store.Outbox(r.Context(), p.User.ID)
		if err != nil {
			return f, err
		}
		if slices.ContainsFunc(waiting, func(it store.OutboxItem) bool { return it.DraftID == strings.TrimSpace(id) }) {
			return freshDraft{goTo: "/outbox"}, nil // its copy stays in Drafts until it is sent
		}
	}
	d = store.Draft{UserID: p.User.ID, AccountID: p.Account.ID, IMAP: at, Fields: fieldsOf(open, identitiesOf(p, ids))}
	if d, err = s.store.CreateDraft(r.Context(), d); err != nil {
		return f, err
	}
	if err := s.takeFiles(r.Context(), p, box.Name, open, d.ID, false); err != nil {
		return f, err
	}
	return freshDraft{goTo: "/compose/" + d.ID}, nil
}

// takeFiles copies the files of a mail into a draft, one after the other, streamed; only the pictures of its text
// where an answer needs no more.
func (s *Server) takeFiles(ctx context.Context, p *person, box string, open *mailclient.Open, draft string, pictures bool) error {
	for _, f := range open.Message.Files {
		inText := f.Inline && f.ContentID != "" && strings.HasPrefix(f.Type, "image/")
		if f.Technical || pictures && !inText {
			continue
		}
		u := store.Upload{DraftID: draft, Name: f.Name, Type: f.Type}
		if inText {
			u.ContentID = f.ContentID
		}
		if err := s.takeFile(ctx, p, box, open, f, u); err != nil {
			return err
		}
	}
	return nil
}

// addFile streams one file into the draft that u names.
func (s *Server) addFile(ctx context.Context, p *person, u store.Upload, body io.Reader) error {
	u, err := s.writeFile(ctx, p, u, body)
	if err == nil {
		_, err = s.store.AddUpload(ctx, u)
	}
	return err
}

// writeFile streams a file into the store; it belongs to no draft yet.
func (s *Server) writeFile(ctx context.Context, p *person, u store.Upload, body io.Reader) (store.Upload, error) {
	have, err := s.store.DraftBytes(ctx, p.User.ID)
	if err != nil {
		return u, err
	}
	most, all := s.bounds.Of(p.User.Address, limits.FileMB)<<20, s.bounds.Of(p.User.Address, limits.DraftsMB)<<20
	blob, size, err := s.store.WriteBlob(ctx, p.User.ID, body, max(0, min(most, all-have)))
	switch {
	case errors.Is(err, store.ErrTooLarge) && all-have < most:
		return u, noRoom(p, all, err)
	case errors.Is(err, store.ErrTooLarge):
		return u, tooLargeFile(p, u.Name, most, err)
	case err != nil:
		return u, err
	}
	u.UserID, u.BlobID, u.Size, u.Name = p.User.ID, blob, size, message.SafeName(u.Name)
	return u, nil
}

// draft shows a kept draft.
func (s *Server) draft(w http.ResponseWriter, r *http.Request, p *person) error {
	d, err := s.store.Draft(r.Context(), p.User.ID, chi.URLParam(r, "draft"))
	if err != nil {
		return err
	}
	if d.State == "sent" {
		return seeOther(w, r, "/outbox")
	}
	if p, err = s.as(p, d.AccountID); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), foreignWait)
	defer cancel()
	touched := meanwhile(func() foreign { return s.copyTouched(ctx, p, d) })
	ids, err := s.identities(r.Context(), p)
	if err != nil {
		return err
	}
	files, err := s.store.Uploads(r.Context(), p.User.ID, d.ID)
	if err != nil {
		return err
	}
	page := s.composePage(r, p, d, files, ids)
	page.KeptWords = p.L.T("compose.kept", "Time", d.Updated.In(p.Zone).Format("15:04"))
	if d.State == "discarded" {
		page.Note = p.L.T("thrown.open")
	}
	was := touched()
	page.Foreign, page.ForeignURL = was.words, was.url
	if page.Other, err = s.writtenElsewhere(r.Context(), p, d); err != nil {
		return err
	}
	return s.ok(w, r, page)
}

// composePage is the form for a draft, kept (with an id) or not yet.
func (s *Server) composePage(r *http.Request, p *person, d store.Draft, files []store.Upload, ids []sending) templates.Compose {
	frame, _ := s.frame(r, p, "compose", p.L.T("compose.new"), "")
	frame.WriteOutlined = true
	page := templates.Compose{
		Frame: frame, DraftID: d.ID, Rev: d.Rev, Heading: p.L.T("compose.new"), ActionURL: "/compose", BackURL: "/",
		To: d.Fields.To, Cc: d.Fields.Cc, Bcc: d.Fields.Bcc, Subject: d.Fields.Subject, Body: d.Fields.Body, HTML: d.Fields.HTML,
		Account: p.Accounts[0].ID, CopyKey: s.copyKey(p),
	}
	page.ToHint, page.CcHint, page.BccHint = slipsIn(p, page.To), slipsIn(p, page.Cc), slipsIn(p, page.Bcc)
	page.Rich = d.Fields.HTML != "" || !p.User.Settings.PlainText && strings.TrimSpace(d.Fields.Body) == ""
	if d.ID != "" {
		page.ActionURL += "/" + d.ID
		if d.Fields.Subject != "" {
			page.Heading = d.Fields.Subject
		}
	}
	page.Hidden = append(page.Hidden, hiddenAnswer(d.Fields)...)
	page.Identities = s.senderOptions(p, ids, d.Fields)
	page.HTML = showSigned(showPictures(page.HTML, picturesOfDraft(d.ID, files)))
	page.Files = draftFiles(p, d, files)
	page.Halfway, _ = s.halfway(r.Context(), p, d) // nothing is lost with the list
	if written, err := s.people(r, p); err == nil {
		page.People, _ = s.suggestions(r.Context(), p, "", written, 50)
	}
	if all, err := s.store.Templates(r.Context(), p.User.ID); err == nil {
		for _, t := range all {
			page.Canned = append(page.Canned, templates.Option{Value: strconv.FormatInt(t.ID, 10), Words: t.Name})
		}
	}
	page.Redirect = d.Fields.AnswerKind == store.RedirectKind
	page.Rich = page.Rich && !page.Redirect
	now := s.nowFor(p)
	page.Later, page.Zone, page.AtMin, page.AtMax = laterChoices(p, now), p.Zone.String(), now.Format(laterLayout), now.AddDate(1, 0, 0).Format(laterLayout)
	page.Important, page.Receipt, page.Delivery = d.Fields.Important, d.Fields.Receipt, d.Fields.Delivery
	page.FileLimit = s.bounds.Of(p.User.Address, limits.FileMB) << 20
	limit := s.bounds.Of(p.User.Address, limits.MailMB) << 20
	from, _ := senderOf(ids, d.Fields)
	if size := s.sendLimit(s.through(p, from.Identity)); size > 0 {
		limit = min(limit, size)
	}
	page.Limit = limit * 57 / 78 // base64 and its line ends
	page.LimitWords = p.L.T("compose.limit", "Size", p.L.Size(page.Limit))
	page.TooBigWords = p.L.T("compose.toomuch", "Limit", p.L.Size(page.Limit))
	return page
}

// draftFiles are the files of a draft that stand below its text.
func draftFiles(p *person, d store.Draft, files []store.Upload) (out []templates.File) {
	for _, f := range files {
		if inText(d, f) || leftOut(d, f) {
			continue
		}
		out = append(out, draftFileView(p, d, f))
	}
	return out
}

// copyKey seals the browser's own copies of drafts. It is the person's alone, and the same at each sign-in until the
// server key changes.
func (s *Server) copyKey(p *person) string {
	return base64.RawURLEncoding.EncodeToString(s.ring.MAC("draft-copy/1", strconv.FormatInt(p.Accounts[0].ID, 10)))
}

const candidates = 200 // for suggestions, of each kind

// people are those most written to. Who is new here begins with those of their Sent folder.
func (s *Server) people(r *http.Request, p *person) ([]store.Person, error) {
	known, err := s.store.FindPeople(r.Context(), p.User.ID, nil, candidates)
	if err != nil || len(known) > 0 {
		return known, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second) // a page to write on waits for no slow server
	defer cancel()
	box, err := p.Mail.MailboxByRole(ctx, mailclient.RoleSent, false, "")
	if err != nil {
		return nil, err
	}
	list, err := p.Mail.List(ctx, box.Name, mailclient.ListQuery{PerPage: 200})
	if err != nil {
		return nil, err
	}
	ours, err := s.store.Sending(r.Context(), p.User.ID) // whose people are counted once they are sent
	if err != nil {
		return nil, err
	}
	var sent []store.Person
	for _, row := range list.Rows {
		if slices.Contains(ours, row.MessageID) {
			continue
		}
		for _, a := range row.To {
			if compose.Valid(a.Addr) {
				sent = append(sent, store.Person{Name: a.Name, Address: a.Addr})
			}
		}
	}
	if err := s.store.AddPeople(r.Context(), p.User.ID, sent); err != nil {
		return nil, err
	}
	return s.store.FindPeople(r.Context(), p.User.ID, nil, candidates)
}

// suggestions are people and groups whose words begin with q, as they are written into a field: up to n, the first being
// whom the person writes to most often and most lately. A group stands for all of its members, after those whose own name
// begins with q and before those who are found by another of their words. written are those that q finds among the people
// written to.
func (s *Server) suggestions(ctx context.Context, p *person, q string, written []store.Person, n int) (out []templates.Suggestion, err error) {
	words := foldedWords(q)
	people, err := s.ranked(ctx, p, words, written)
	if err != nil {
		return nil, err
	}
	var groups, named, others []templates.Suggestion
	if len(words) > 0 {
		if groups, err = s.suggestedGroups(ctx, p, words); err != nil {
			return nil, err
		}
	}
	for _, a := range people {
		text := compose.Address{Name: a.Name, Addr: a.Address}.String()
		if v := (templates.Suggestion{Words: text, Text: text}); namedSo(a.Name, words) {
			named = append(named, v)
		} else {
			others = append(others, v)
		}
	}
	named = named[:min(len(named), max(0, n-len(groups)))]
	out = slices.Concat(named, groups, others)
	return out[:min(n, len(out))], nil
}

// ranked are the people written to, with those among the contacts whose words begin so, best known first.
func (s *Server) ranked(ctx context.Context, p *person, words []string, written []store.Person) ([]store.Person, error) {
	people, err := s.store.ContactAddresses(ctx, p.User.ID, words, candidates)
	if err != nil {
		return nil, err
	}
	kept := people
	for _, a := range written {
		if !slices.ContainsFunc(kept, func(k store.Person) bool { return k.Address == a.Address }) {
			people = append(people, a)
		}
	}
	now := s.now()
	score := func(a store.Person) float64 { return contacts.Score(a.Written, now.Sub(a.LastAt)) }
	slices.SortStableFunc(people, func(a, b store.Person) int { return cmp.Compare(score(b), score(a)) })
	return people, nil
}

// writtenTo are people written to whose name, or address, begins with q.
func (s *Server) writtenTo(ctx context.Context, p *person, q string) ([]store.Person, error) {
	begin := message.Fold(q)
	fits := func(known store.Person) bool { return contacts.Begins(known.Name, known.Address, begin) }
	return s.store.FindPeople(ctx, p.User.ID, fits, candidates)
}

// namedSo says whether each of the words, folded, begins one of a name's.
func namedSo(name string, words []string) bool {
	folded := " " + message.Fold(name)
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(folded, " "+w) })
}

// suggestedGroups are the groups whose words begin so, two at most.
func (s *Server) suggestedGroups(ctx context.Context, p *person, words []string) (out []templates.Suggestion, err error) {
	groups, err := s.store.ContactGroups(ctx, p.User.ID)
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		if g.Members == 0 || len(out) == 2 || !namedSo(g.Name, words) {
			continue
		}
		members, err := s.store.GroupAddresses(ctx, p.User.ID, g.ID)
		if err != nil {
			return nil, err
		}
		var all []string
		for _, m := range members {
			all = append(all, compose.Address{Name: m.Name, Addr: m.Address}.String())
		}
		if len(all) > 0 {
			out = append(out, templates.Suggestion{Words: p.L.T("contacts.groupof", "Group", g.Name, "N", len(all)), Text: strings.Join(all, ", ")})
		}
	}
	return out, nil
}

// suggestPeople lists people written to, for the recipient fields.
func (s *Server) suggestPeople(w http.ResponseWriter, r *http.Request, p *person) error {
	q := strings.TrimSpace(r.URL.Query().Get("q"))
	if len(q) > 100 {
		return badRequest("error.longquery")
	}
	written, err := s.writtenTo(r.Context(), p, q)
	if err != nil {
		return err
	}
	found, err := s.suggestions(r.Context(), p, q, written, 6)
	if err != nil {
		return err
	}
	page := templates.Compose{Frame: templates.Frame{Head: s.head(r, p, "")}, People: found}
	w.Header().Set("X-Restante-Fragment", "1")
	return templates.RenderPart(w, page, "people", page)
}
