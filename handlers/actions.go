package handlers

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"restante/mailclient"
	"restante/templates"
)

// maxUIDs is how many mails one act may name.
const maxUIDs = 100_000

// actForm is what POST …/actions brings.
type actForm struct {
	action, to, label, back, stay string
	ref                           mailclient.Ref
	all                           bool
}

func actFormFrom(r *http.Request, box string) (f actForm, err error) {
	if err := parseForm(r); err != nil {
		return f, err
	}
	f = actForm{action: r.PostFormValue("action"), to: r.PostFormValue("to"), label: strings.TrimSpace(cmp.Or(r.PostFormValue("label"), r.PostFormValue("to"))),
		back: r.PostFormValue("back"), stay: r.PostFormValue("stay"), all: r.PostFormValue("all") == "1"}
	f.ref.Mailbox = box
	if f.ref.UIDValidity, err = validityParam(r.PostFormValue("validity")); err != nil {
		return f, err
	}
	if len(r.PostForm["uid"]) > maxUIDs {
		return f, badRequest("error.form")
	}
	seen := map[uint32]bool{}
	for _, v := range r.PostForm["uid"] {
		n, err := strconv.ParseUint(v, 10, 32)
		if err != nil || n == 0 {
			return f, badRequest("error.form")
		}
		if !seen[uint32(n)] {
			seen[uint32(n)] = true
			f.ref.UIDs = append(f.ref.UIDs, uint32(n))
		}
	}
	if len(f.ref.UIDs) == 0 && !f.all {
		return f, badRequest("error.nothingpicked")
	}
	return f, nil
}

// undoStep is how an act is taken back: kept in the store as JSON.
type undoStep struct {
	Flags   *undoFlags  `json:"flags,omitempty"`
	Move    *undoMove   `json:"move,omitempty"`
	Draft   string      `json:"draft,omitempty"` // one that was thrown away
	Folder  *undoFolder `json:"folder,omitempty"`
	Account int64       `json:"account"`
}

type undoFlags struct {
	Ref         mailclient.Ref
	Add, Remove []string
}

type undoFolder struct{ From, To string } // its name before, and now

type undoMove struct {
	From, To    string // where the mails were, and are
	UIDValidity uint32
	UIDs        []uint32 // in To; empty when the server gave none
	MessageIDs  []string
	Marked      *mailclient.Ref // the originals, which the server kept marked as deleted
}

// act does something to mails of a mailbox, then goes back with words and Undo.
func (s *Server) act(w http.ResponseWriter, r *http.Request, p *person) error {
	pl, err := s.place(r, p)
	if err != nil {
		return err
	}
	f, err := actFormFrom(r, pl.box.Name)
	if err != nil {
		return err
	}
	if f.action == "open" && len(f.ref.UIDs) > 0 { // Enter in a check of the list
		return seeOther(w, r, pathMessage(p.Account.ID, pl.slug, f.ref.UIDs[0]))
	}
	if f.action == "delete" && r.URL.Query().Get("ask") == "1" {
		return s.askForever(w, r, p, pl, f)
	}
	if f.all {
		lq, err := listQueryFrom(r.Form, p.Zone)
		if err != nil {
			return err
		}
		all, err := p.Mail.UIDs(r.Context(), pl.box.Name, lq)
		if err != nil {
			return err
		}
		f.ref.UIDs = all.UIDs
		if f.ref.UIDValidity == 0 {
			f.ref.UIDValidity = all.UIDValidity
		}
	}
	if f.ref.UIDValidity == 0 { // a form of somebody else's making: the UIDs of now are meant
		now, err := p.Mail.UIDs(r.Context(), pl.box.Name, mailclient.ListQuery{})
		if err != nil {
			return err
		}
		f.ref.UIDValidity = now.UIDValidity
	}
	done, err := s.doAct(r, p, pl, f)
	if errors.Is(err, mailclient.ErrGone) { // S18: somebody was faster
		done, err = flash{Words: p.L.T("done.already")}, nil
	}
	if err != nil {
		return err
	}
	s.putFlash(r, done)
	s.hub.tell(p.User.ID, "mail")
	back := f.back
	if back == "" {
		back = pl.path
	}
	if f.stay != "" && staysOpen[f.action] {
		back = f.stay
	}
	return seeOther(w, r, back)
}

// askForever asks once more, where no script has asked, before mails are deleted for good.
func (s *Server) askForever(w http.ResponseWriter, r *http.Request, p *person, pl place, f actForm) error {
	page := templates.Error{
		Head: s.head(r, p, p.L.T("act.forever")), Words: p.L.T("confirm.forever"), ID: requestID(r),
		RetryURL: pl.path + "/actions", RetryMethod: "post", RetryWords: p.L.T("act.forever"), Danger: true,
		ButtonURL: ownPath(cmp.Or(f.back, pl.path)), ButtonWords: p.L.T("cancel"),
	}
	if f.all {
		page.Safe = p.L.T("list.selectall", "N", int(pl.box.Messages), "Folder", display(pl.box, p))
	}
	for name, values := range r.PostForm {
		for _, v := range values {
			page.Kept = append(page.Kept, templates.Field{Name: name, Value: v})
		}
	}
	return s.ok(w, r, page)
}

// staysOpen are the acts after which the message stays on the screen.
var staysOpen = map[string]bool{"flag": true, "unflag": true, "label": true, "unlabel": true, "copy": true}

// flagActs are the acts that only change flags: what they add and take away.
var flagActs = map[string]struct{ add, remove string }{
	"read": {add: `\Seen`}, "unread": {remove: `\Seen`}, "flag": {add: `\Flagged`}, "unflag": {remove: `\Flagged`},
}

func (s *Server) doAct(r *http.Request, p *person, pl place, f actForm) (flash, error) {
	n := len(f.ref.UIDs)
	if fa, ok := flagActs[f.action]; ok {
		return s.changeFlags(r, p, f, some(fa.add), some(fa.remove))
	}
	switch f.action {
	case "label", "unlabel":
		if !keyword(f.label) {
			return flash{}, badRequest("error.label")
		}
		if f.action == "label" {
			return s.changeFlags(r, p, f, []string{f.label}, nil)
		}
		return s.changeFlags(r, p, f, nil, []string{f.label})
	case "archive":
		return s.moveToRole(r, p, pl, f, mailclient.RoleArchive, "Archive")
	case "trash":
		if pl.box.Role == mailclient.RoleTrash {
			break
		}
		return s.moveToRole(r, p, pl, f, mailclient.RoleTrash, "Trash")
	case "junk", "notjunk":
		return s.moveJunk(r, p, pl, f)
	case "move", "copy":
		return s.moveTo(r, p, pl, f)
	case "delete":
		if err := p.Mail.Expunge(r.Context(), f.ref); err != nil {
			return flash{}, err
		}
		return flash{Words: p.L.T("done.delete", "N", n)}, nil
	}
	return flash{}, badRequest("error.act")
}

func some(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// keyword says whether a label can be a keyword: an atom of RFC 3501, at most 40 characters.
func keyword(s string) bool {
	if s == "" || len(s) > 40 || strings.HasPrefix(s, `\`) {
		return false
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`(){%*"\]`, c) >= 0 {
			return false
		}
	}
	return true
}

func (s *Server) changeFlags(r *http.Request, p *person, f actForm, add, remove []string) (flash, error) {
	ctx := r.Context()
	if !f.all {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, firstAnswer)
		defer cancel()
	}
	if err := p.Mail.SetFlags(ctx, f.ref, add, remove); err != nil {
		return flash{}, err
	}
	undo := undoStep{Account: p.Account.ID, Flags: &undoFlags{Ref: f.ref, Add: remove, Remove: add}}
	return s.undoable(r, p, "flags", p.L.T("done."+f.action, "N", len(f.ref.UIDs), "Label", f.label), undo), nil
}

// undoable remembers how to take an act back. A failure to remember takes away only the Undo.
func (s *Server) undoable(r *http.Request, p *person, kind, words string, u undoStep) flash {
	raw, err := json.Marshal(u)
	if err != nil {
		return flash{Words: words}
	}
	id, err := s.store.AddAct(r.Context(), p.User.ID, kind, string(raw))
	if err != nil {
		s.log.Warn("undo not kept", "id", requestID(r), "err", err)
	}
	return flash{Words: words, Undo: id}
}

func (s *Server) moveToRole(r *http.Request, p *person, pl place, f actForm, role mailclient.Role, name string) (flash, error) {
	box, err := p.Mail.MailboxByRole(r.Context(), role, true, name)
	if err != nil {
		return flash{}, err
	}
	if box.Name == pl.box.Name {
		return flash{Words: p.L.T("done.already")}, nil
	}
	return s.move(r, p, pl, f, box)
}

func (s *Server) moveJunk(r *http.Request, p *person, pl place, f actForm) (flash, error) {
	add, remove, role, name := "$Junk", "$NotJunk", mailclient.RoleJunk, "Junk"
	if f.action == "notjunk" {
		add, remove, role, name = "$NotJunk", "$Junk", mailclient.RoleInbox, "INBOX"
	}
	if err := p.Mail.SetFlags(r.Context(), f.ref, []string{add}, []string{remove}); err != nil {
		s.log.Debug("junk keyword", "id", requestID(r), "err", err) // a server that keeps no keywords: the move is what counts
	}
	return s.moveToRole(r, p, pl, f, role, name)
}

func (s *Server) moveTo(r *http.Request, p *person, pl place, f actForm) (flash, error) {
	for _, b := range pl.boxes {
		if b.Name != f.to && Slug(b.Name, b.Delimiter) != f.to || !b.Selectable {
			continue
		}
		if f.action == "copy" {
			if _, err := p.Mail.Copy(r.Context(), f.ref, b.Name); err != nil {
				return flash{}, err
			}
			return flash{Words: p.L.T("done.copy", "N", len(f.ref.UIDs), "Folder", fullDisplay(b, p))}, nil
		}
		return s.move(r, p, pl, f, b)
	}
	return flash{}, badRequest("error.nofolderpicked")
}

func (s *Server) move(r *http.Request, p *person, pl place, f actForm, to mailclient.Mailbox) (flash, error) {
	moved, err := p.Mail.Move(r.Context(), f.ref, to.Name)
	if err != nil {
		return flash{}, err
	}
	u := &undoMove{From: pl.box.Name, To: moved.To, UIDValidity: moved.UIDValidity, MessageIDs: moved.MessageIDs}
	if moved.LeftMarked {
		u.Marked = &f.ref
	}
	for _, uid := range moved.UIDs {
		u.UIDs = append(u.UIDs, uid)
	}
	n := max(len(moved.UIDs), len(moved.MessageIDs))
	if n == 0 && len(moved.Failed) == 0 && !moved.LeftMarked {
		return flash{Words: p.L.T("done.gone"), Failed: true}, nil
	}
	n = cmp.Or(n, len(f.ref.UIDs)-len(moved.Failed))
	words := p.L.T("done.move", "N", n, "Folder", fullDisplay(to, p))
	if len(moved.Failed) > 0 {
		words += " " + p.L.T("done.stayed", "N", len(moved.Failed))
	}
	if moved.LeftMarked {
		words += " " + p.L.T("done.leftmarked")
	}
	if len(u.UIDs) == 0 && len(u.MessageIDs) == 0 {
		return flash{Words: words}, nil
	}
	return s.undoable(r, p, "move", words, undoStep{Account: p.Account.ID, Move: u}), nil
}

// undo takes an act back, once.
func (s *Server) undo(w http.ResponseWriter, r *http.Request, p *person) error {
	id, err := strconv.ParseInt(chi.URLParam(r, "act"), 10, 64)
	if err != nil {
		return errNothingHere
	}
	if err := parseForm(r); err != nil {
		return err
	}
	act, err := s.store.TakeAct(r.Context(), p.User.ID, id)
	if err != nil {
		if own, _ := s.store.HasAct(r.Context(), p.User.ID, id); !own {
			return errNothingHere
		}
		s.putFlash(r, flash{Words: p.L.T("undo.late"), Failed: true})
		return seeOther(w, r, r.PostFormValue("back"))
	}
	var u undoStep
	if err := json.Unmarshal([]byte(act.Undo), &u); err != nil {
		return err
	}
	switch {
	case u.Flags != nil:
		err = p.Mail.SetFlags(r.Context(), u.Flags.Ref, u.Flags.Add, u.Flags.Remove)
	case u.Move != nil:
		err = s.undoMove(r, p, *u.Move)
	case u.Draft != "":
		err = s.reopenDraft(r, p, u.Draft)
	case u.Folder != nil:
		err = p.Mail.RenameMailbox(r.Context(), u.Folder.To, u.Folder.From)
	}
	if err != nil {
		pr := problemOf(err)
		s.logProblem(r, pr)
		s.putFlash(r, flash{Words: p.L.T("undo.failed") + " " + p.L.T(pr.Key, pr.Args...), Failed: true})
	} else {
		s.putFlash(r, flash{Words: p.L.T("undo.done")})
	}
	s.hub.tell(p.User.ID, "mail")
	if u.Draft != "" && err == nil {
		return seeOther(w, r, "/compose/"+u.Draft)
	}
	return seeOther(w, r, r.PostFormValue("back"))
}

func (s *Server) undoMove(r *http.Request, p *person, u undoMove) error {
	ref := mailclient.Ref{Mailbox: u.To, UIDValidity: u.UIDValidity, UIDs: u.UIDs}
	if len(ref.UIDs) == 0 { // no COPYUID: the copies are found by Message-ID
		for _, id := range u.MessageIDs {
			found, err := p.Mail.FindByMessageID(r.Context(), u.To, id)
			if err != nil {
				return err
			}
			if len(found.UIDs) != 1 {
				return mailclient.ErrGone
			}
			ref.UIDValidity = found.UIDValidity
			ref.UIDs = append(ref.UIDs, found.UIDs[0])
		}
	}
	if u.Marked != nil { // the originals still stand: they are unmarked, and the copies go
		if err := p.Mail.SetFlags(r.Context(), *u.Marked, nil, []string{`\Deleted`}); err != nil {
			return err
		}
		return p.Mail.Expunge(r.Context(), ref)
	}
	_, err := p.Mail.Move(r.Context(), ref, u.From)
	return err
}
