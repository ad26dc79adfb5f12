package handlers

import (
	"sort"
	"strings"

	"restante/mailclient"
	"restante/templates"
)

// roleOrder is the order in which special folders stand.
var roleOrder = map[mailclient.Role]int{
	mailclient.RoleInbox: 1, mailclient.RoleDrafts: 2, mailclient.RoleSent: 3, mailclient.RoleArchive: 4,
	mailclient.RoleJunk: 5, mailclient.RoleTrash: 6, mailclient.RoleAll: 7, mailclient.RoleFlagged: 8,
}

var roleIcons = map[mailclient.Role]string{
	mailclient.RoleInbox: "inbox", mailclient.RoleDrafts: "file-pen-line", mailclient.RoleSent: "send", mailclient.RoleArchive: "archive",
	mailclient.RoleJunk: "shield-alert", mailclient.RoleTrash: "trash-2", mailclient.RoleAll: "mails", mailclient.RoleFlagged: "flag",
}

// display is a mailbox's name as a person reads it: special ones in their language, others without the namespace's prefix.
func display(b mailclient.Mailbox, p *person) string {
	if b.Role != mailclient.RoleNone {
		return p.L.T("role." + string(b.Role))
	}
	return leaf(b)
}

func leaf(b mailclient.Mailbox) string {
	name := strings.TrimPrefix(b.Name, b.Prefix)
	if b.Delimiter != "" {
		if i := strings.LastIndex(name, b.Delimiter); i >= 0 && i+len(b.Delimiter) < len(name) {
			name = name[i+len(b.Delimiter):]
		}
	}
	return name
}

// fullDisplay is the whole path of a mailbox for choices: "Projects / Lighthouse".
func fullDisplay(b mailclient.Mailbox, p *person) string {
	if b.Role != mailclient.RoleNone || b.Delimiter == "" {
		return display(b, p)
	}
	return strings.ReplaceAll(strings.TrimPrefix(b.Name, b.Prefix), b.Delimiter, " / ")
}

func parentOf(b mailclient.Mailbox) string {
	if b.Delimiter == "" {
		return ""
	}
	i := strings.LastIndex(b.Name, b.Delimiter)
	if i <= 0 {
		return ""
	}
	return b.Name[:i]
}

// tree sorts mailboxes into the special ones and the rest, nested. Hidden are those not subscribed, unless nothing is.
func tree(boxes []mailclient.Mailbox, p *person, current string) (special, others []templates.Folder) {
	any := false
	for _, b := range boxes {
		any = any || b.Subscribed
	}
	children := map[string][]mailclient.Mailbox{}
	known := map[string]bool{}
	for _, b := range boxes {
		known[b.Name] = true
	}
	var roots, roles []mailclient.Mailbox
	for _, b := range boxes {
		parent := parentOf(b)
		switch {
		case b.Role != mailclient.RoleNone:
			roles = append(roles, b)
		case any && !b.Subscribed && b.Selectable && b.Name != current:
		case parent != "" && known[parent] && !strings.EqualFold(parent, "INBOX"):
			children[parent] = append(children[parent], b)
		default:
			roots = append(roots, b)
		}
	}
	sort.SliceStable(roles, func(i, j int) bool { return roleOrder[roles[i].Role] < roleOrder[roles[j].Role] })
	for _, b := range roles {
		special = append(special, folder(b, p, current, children, 0))
	}
	for _, b := range byName(roots) {
		others = append(others, folder(b, p, current, children, 0))
	}
	return special, others
}

func byName(boxes []mailclient.Mailbox) []mailclient.Mailbox {
	sort.SliceStable(boxes, func(i, j int) bool { return strings.ToLower(leaf(boxes[i])) < strings.ToLower(leaf(boxes[j])) })
	return boxes
}

func folder(b mailclient.Mailbox, p *person, current string, children map[string][]mailclient.Mailbox, depth int) templates.Folder {
	icon := roleIcons[b.Role]
	if icon == "" {
		icon = "folder"
	}
	f := templates.Folder{FolderEntry: templates.FolderEntry{
		Name: b.Name, Display: display(b, p), URL: pathMailbox(p.Account.ID, Slug(b.Name, b.Delimiter)), Icon: icon,
		Unread: b.Unseen, ShowCount: b.Role == mailclient.RoleInbox || b.Role == mailclient.RoleNone, Selectable: b.Selectable, Current: b.Name == current,
	}}
	if b.Role == mailclient.RoleDrafts || b.Role == mailclient.RoleSent || b.Role == mailclient.RoleTrash {
		f.Unread = 0
	}
	if depth > 30 {
		return f
	}
	for _, c := range byName(children[b.Name]) {
		f.Children = append(f.Children, folder(c, p, current, children, depth+1))
	}
	return f
}

// find is the mailbox of a slug in the path.
func find(boxes []mailclient.Mailbox, slug string) (mailclient.Mailbox, bool) {
	for _, b := range boxes {
		if Slug(b.Name, b.Delimiter) == slug {
			return b, true
		}
	}
	for _, b := range boxes { // INBOX in any letter case
		if b.Role == mailclient.RoleInbox && strings.EqualFold(slug, "inbox") {
			return b, true
		}
	}
	return mailclient.Mailbox{}, false
}

// slugOf is the slug of the mailbox of this name.
func slugOf(boxes []mailclient.Mailbox, name string) string {
	for _, b := range boxes {
		if b.Name == name {
			return Slug(b.Name, b.Delimiter)
		}
	}
	return Slug(name, "")
}

// moveTo is the choice of a folder for mails of another; those used last stand on top. where keeps the ids of two
// choices on a page apart.
func moveTo(p *person, where string, boxes []mailclient.Mailbox, current string) templates.MoveTo {
	m := templates.MoveTo{Where: where, Targets: targets(boxes, p, current)}
	for _, name := range p.Recent {
		for _, t := range m.Targets {
			if t.Value == name {
				m.Recent = append(m.Recent, t)
			}
		}
	}
	return m
}

// targets are the folders that mail can be moved to.
func targets(boxes []mailclient.Mailbox, p *person, current string) (out []templates.Option) {
	list := append([]mailclient.Mailbox{}, boxes...)
	sort.SliceStable(list, func(i, j int) bool {
		ri, rj := roleOrder[list[i].Role], roleOrder[list[j].Role]
		if ri == 0 {
			ri = 100
		}
		if rj == 0 {
			rj = 100
		}
		if ri != rj {
			return ri < rj
		}
		return strings.ToLower(list[i].Name) < strings.ToLower(list[j].Name)
	})
	for _, b := range list {
		if b.Selectable && b.Name != current && b.Role != mailclient.RoleAll && b.Role != mailclient.RoleFlagged && b.Role != mailclient.RoleDrafts {
			out = append(out, templates.Option{Value: b.Name, Words: fullDisplay(b, p)})
		}
	}
	return out
}
