package handlers

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"restante/mailclient"
	"restante/templates"
)

// folders shows all mailboxes with what can be done to them.
func (s *Server) folders(w http.ResponseWriter, r *http.Request, p *person) error {
	return s.foldersPage(w, r, p, http.StatusOK, folderNote{})
}

// folderNote is what the page of folders says beside them.
type folderNote struct {
	problem, said string // said are the server's words
	typed         string // a name that was not taken
	at            string // the folder it was typed for, "" for a new one
	ask           *templates.Confirm
}

func (s *Server) foldersPage(w http.ResponseWriter, r *http.Request, p *person, status int, note folderNote) error {
	frame, boxes := s.frame(r, p, "folders-page", p.L.T("nav.folders"), "")
	page := templates.Folders{Frame: frame, ActionURL: pathFolders(p.Account.ID), Problem: note.problem, ServerSaid: note.said, Confirm: note.ask}
	if note.at == "" {
		page.NewName = note.typed
	}
	for i, b := range boxes {
		if !b.NoChildren && !b.Shared {
			page.Parents = append(page.Parents, templates.Option{Value: b.Name, Words: fullDisplay(b, p)})
		}
		depth := 0
		if b.Delimiter != "" && b.Role == mailclient.RoleNone {
			depth = min(strings.Count(strings.TrimPrefix(b.Name, b.Prefix), b.Delimiter), 6)
		}
		item := templates.FolderItem{
			Folder: folder(b, p, "", nil, 0), Key: strconv.Itoa(i), Depth: depth, Leaf: leaf(b),
			CanChange: b.Role != mailclient.RoleInbox, Subscribed: b.Subscribed, Open: note.at == b.Name,
		}
		if item.Open && note.typed != "" {
			item.Leaf = note.typed
		}
		if n := item.Folder.Unread; n > 0 {
			item.UnreadWords = p.L.T("folder.unread", "N", int(n))
		}
		item.Folder.Unread = b.Unseen
		if b.StatusKnown {
			item.CountWords = p.L.T("folders.count", "N", int(b.Messages))
		}
		page.List = append(page.List, item)
	}
	s.render(w, r, status, page)
	return nil
}

// folderProblem shows the page with what is wrong with a form; what was typed stays.
func (s *Server) folderProblem(w http.ResponseWriter, r *http.Request, p *person, words string, note folderNote) error {
	note.problem = words
	return s.foldersPage(w, r, p, http.StatusUnprocessableEntity, note)
}

// badName says why a folder cannot be called so.
func badName(p *person, err error) string {
	var bad *mailclient.NameError
	if !errors.As(err, &bad) {
		return p.L.T("error.name")
	}
	return p.L.T("folders.name."+bad.Why, "Sign", bad.Sign)
}

// folderForm is what the forms of the folders page bring.
type folderForm struct {
	action, name, newName, parent string
	sure, forever                 bool
}

// changeFolders makes, renames, moves, deletes, empties, marks read, shows and hides mailboxes.
func (s *Server) changeFolders(w http.ResponseWriter, r *http.Request, p *person) error {
	if err := parseForm(r); err != nil {
		return err
	}
	f := folderForm{action: r.PostFormValue("action"), name: r.PostFormValue("name"), newName: r.PostFormValue("newname"),
		parent: r.PostFormValue("parent"), sure: r.PostFormValue("sure") == "1", forever: r.PostFormValue("forever") == "1"}
	ctx, cancel := context.WithTimeout(r.Context(), firstAnswer)
	defer cancel()
	boxes, err := p.Mail.Mailboxes(ctx)
	if err != nil {
		return err
	}
	if f.action == "create" {
		return s.createFolder(w, r, p, boxes, f)
	}
	var box mailclient.Mailbox
	for _, b := range boxes {
		if b.Name == f.name {
			box = b
		}
	}
	if box.Name == "" {
		return mailclient.ErrNoMailbox
	}
	switch f.action {
	case "rename", "reparent":
		return s.renameFolder(w, r, p, boxes, box, f)
	case "delete", "empty":
		return s.clearFolder(w, r, p, boxes, box, f)
	case "markread":
		return s.actOnAll(w, r, p, box, mailclient.FilterUnread, flagActs["read"], telling{Key: "folders.done.markread", Folder: display(box, p)})
	case "conversations", "singles":
		return s.setConversations(w, r, p, box, f.action == "conversations")
	case "subscribe", "unsubscribe":
		if err := p.Mail.Subscribe(r.Context(), box.Name, f.action == "subscribe"); err != nil {
			return err
		}
		return s.folderDone(w, r, p, flash{Words: p.L.T("folders.done."+f.action, "Folder", display(box, p))}, "")
	}
	return badRequest("error.act")
}

func (s *Server) folderDone(w http.ResponseWriter, r *http.Request, p *person, done flash, back string) error {
	s.putFlash(r, done)
	s.hub.tell(p.User.ID, "mail")
	if back == "" {
		back = pathFolders(p.Account.ID)
	}
	return seeOther(w, r, back)
}

func (s *Server) createFolder(w http.ResponseWriter, r *http.Request, p *person, boxes []mailclient.Mailbox, f folderForm) error {
	name := strings.TrimSpace(f.name)
	full, err := mailclient.NewName(boxes, f.parent, name)
	if err != nil {
		return s.folderProblem(w, r, p, badName(p, err), folderNote{typed: f.name})
	}
	if taken(boxes, full) {
		return s.folderProblem(w, r, p, p.L.T("error.exists"), folderNote{typed: f.name})
	}
	ctx, cancel := context.WithTimeout(r.Context(), firstAnswer)
	defer cancel()
	if err := p.Mail.CreateMailbox(ctx, full); err != nil {
		return s.folderRefused(w, r, p, err, folderNote{typed: f.name})
	}
	return s.folderDone(w, r, p, flash{Words: p.L.T("folders.done.create", "Folder", name)}, "")
}

func taken(boxes []mailclient.Mailbox, name string) bool {
	return slices.ContainsFunc(boxes, func(b mailclient.Mailbox) bool { return b.Name == name })
}

// folderRefused shows the page with the server's refusal; what was typed stays.
func (s *Server) folderRefused(w http.ResponseWriter, r *http.Request, p *person, err error, note folderNote) error {
	var no *mailclient.RefusedError
	if !errors.As(err, &no) {
		return err
	}
	pr := problemOf(err)
	s.logProblem(r, pr)
	if note.problem, note.said = p.L.T(pr.Key, pr.Args...), pr.Server; pr.Key == "error.refused" {
		note.problem = p.L.T("folders.refused")
	}
	return s.foldersPage(w, r, p, pr.Status, note)
}

func (s *Server) renameFolder(w http.ResponseWriter, r *http.Request, p *person, boxes []mailclient.Mailbox, box mailclient.Mailbox, f folderForm) error {
	if box.Role == mailclient.RoleInbox {
		return s.folderProblem(w, r, p, p.L.T("folders.isspecial", "Folder", display(box, p)), folderNote{})
	}
	name, parent, note, naming := leaf(box), f.parent, folderNote{at: box.Name}, mailclient.NameUnder
	if f.action == "rename" {
		if name = strings.TrimSpace(f.newName); name != leaf(box) {
			naming = mailclient.NewName
		}
		parent, note.typed = parentOf(box), f.newName
		if box.Prefix != "" && parent+box.Delimiter == box.Prefix {
			parent = ""
		}
	}
	full, err := naming(boxes, parent, name)
	switch {
	case err != nil:
		return s.folderProblem(w, r, p, badName(p, err), note)
	case box.Delimiter != "" && strings.HasPrefix(full, box.Name+box.Delimiter):
		return s.folderProblem(w, r, p, p.L.T("folders.name.inside"), note)
	case full != box.Name && taken(boxes, full):
		return s.folderProblem(w, r, p, p.L.T("error.exists"), note)
	case full != box.Name:
		if err := p.Mail.RenameMailbox(r.Context(), box.Name, full); err != nil {
			return s.folderRefused(w, r, p, err, note)
		}
	}
	words := p.L.T("folders.done."+f.action, "Folder", name)
	if full == box.Name {
		return s.folderDone(w, r, p, flash{Words: words}, "")
	}
	return s.folderDone(w, r, p, s.undoable(r, p, "folder", words, undoStep{Account: p.Account.ID, Folder: &undoFolder{From: box.Name, To: full}}), "")
}

// askFolder asks before a folder is emptied or deleted, with the number of mails that go.
func (s *Server) askFolder(w http.ResponseWriter, r *http.Request, p *person, box mailclient.Mailbox, action string, n int, toTrash bool) error {
	key, button := "folders.confirm."+action, map[string]string{"delete": "folders.delete", "empty": "folders.empty"}[action]
	if toTrash {
		key = "folders.confirm.trash"
	}
	ask := &templates.Confirm{Words: p.L.T(key, "Folder", fullDisplay(box, p), "N", n), Name: box.Name, Action: action, Button: p.L.T(button), Forever: !toTrash}
	return s.foldersPage(w, r, p, http.StatusOK, folderNote{ask: ask})
}

func inTrash(boxes []mailclient.Mailbox, box mailclient.Mailbox) bool {
	for _, b := range boxes {
		if b.Role == mailclient.RoleTrash {
			return box.Name == b.Name || b.Delimiter != "" && strings.HasPrefix(box.Name, b.Name+b.Delimiter)
		}
	}
	return false
}

// folderToTrash moves a folder with all below it under Trash (PROTOCOLS M16). nil means that the server does not do so.
func (s *Server) folderToTrash(r *http.Request, p *person, boxes []mailclient.Mailbox, box mailclient.Mailbox) (*flash, error) {
	trash, err := p.Mail.MailboxByRole(r.Context(), mailclient.RoleTrash, true, "Trash")
	if err != nil {
		return nil, err
	}
	full, err := mailclient.NameUnder(boxes, trash.Name, leaf(box))
	for i := 2; err == nil && taken(boxes, full); i++ {
		full, err = mailclient.NameUnder(boxes, trash.Name, leaf(box)+" "+strconv.Itoa(i))
	}
	if err != nil {
		return nil, nil
	}
	err = p.Mail.RenameMailbox(r.Context(), box.Name, full)
	var no *mailclient.RefusedError
	if errors.As(err, &no) {
		s.logProblem(r, problemOf(err))
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	done := s.undoable(r, p, "folder", p.L.T("folders.done.trash", "Folder", fullDisplay(box, p)), undoStep{Account: p.Account.ID, Folder: &undoFolder{From: box.Name, To: full}})
	return &done, nil
}

// clearFolder empties or deletes a mailbox, after it has asked with the number of mails that go.
func (s *Server) clearFolder(w http.ResponseWriter, r *http.Request, p *person, boxes []mailclient.Mailbox, box mailclient.Mailbox, f folderForm) error {
	n := int(box.Messages)
	if f.action == "delete" {
		if box.Role == mailclient.RoleInbox {
			return s.folderProblem(w, r, p, p.L.T("folders.isspecial", "Folder", display(box, p)), folderNote{})
		}
		for _, b := range boxes {
			if box.Delimiter != "" && strings.HasPrefix(b.Name, box.Name+box.Delimiter) {
				n += int(b.Messages)
			}
		}
	}
	name := fullDisplay(box, p)
	toTrash := f.action == "delete" && !f.forever && !inTrash(boxes, box)
	if !f.sure {
		return s.askFolder(w, r, p, box, f.action, n, toTrash)
	}
	if toTrash {
		done, err := s.folderToTrash(r, p, boxes, box)
		if err != nil {
			return err
		}
		if done != nil {
			return s.folderDone(w, r, p, *done, "")
		}
		return s.askFolder(w, r, p, box, f.action, n, false) // the server moves no folder there
	}
	if f.action == "delete" {
		if err := p.Mail.DeleteMailbox(r.Context(), box.Name); err != nil {
			return s.folderRefused(w, r, p, err, folderNote{at: box.Name})
		}
		return s.folderDone(w, r, p, flash{Words: p.L.T("folders.done.delete", "Folder", name)}, "")
	}
	return s.actOnAll(w, r, p, box, mailclient.FilterNone, mailclient.Act{Kind: mailclient.ActExpunge}, telling{Key: "folders.done.empty", Folder: name})
}

// actOnAll does something to all mails of a folder that match a filter now: mail that comes meanwhile is left alone.
func (s *Server) actOnAll(w http.ResponseWriter, r *http.Request, p *person, box mailclient.Mailbox, filter mailclient.Filter, a mailclient.Act, t telling) error {
	all, err := p.Mail.UIDs(r.Context(), box.Name, mailclient.ListQuery{Filter: filter})
	if err != nil {
		return err
	}
	done := flash{Words: t.words(p, 0)}
	if len(all.UIDs) > 0 {
		if done, err = s.take(r, p, []mailclient.Step{{Act: a, Ref: all}}, t); err != nil {
			return err
		}
	}
	return s.folderDone(w, r, p, done, pathMailbox(p.Account.ID, Slug(box.Name, box.Delimiter)))
}
