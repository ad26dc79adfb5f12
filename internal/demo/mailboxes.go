package demo

import (
	"maps"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
)

const delim = "/"

var (
	errTryCreate   = no(imap.ResponseCodeTryCreate, "No such mailbox")
	errNoMailbox   = no(imap.ResponseCodeNonExistent, "No such mailbox")
	errExists      = no(imap.ResponseCodeAlreadyExists, "Mailbox already exists")
	errInboxStays  = no(imap.ResponseCodeCannot, "INBOX cannot be deleted")
	errBadName     = no(imap.ResponseCodeCannot, "Not a mailbox name")
	errUseTaken    = no("USEATTR", "Another mailbox has this special use")
	errUseTwice    = no("USEATTR", "A mailbox has one special use here")
	errIntoItself  = no(imap.ResponseCodeCannot, "A mailbox cannot move into itself")
	errReadOnlyBox = no("READ-ONLY", "Mailbox was opened with EXAMINE")
)

func no(code imap.ResponseCode, text string) *imap.Error {
	return &imap.Error{Type: imap.StatusResponseTypeNo, Code: code, Text: text}
}

func bad(text string) *imap.Error {
	return &imap.Error{Type: imap.StatusResponseTypeBad, Code: imap.ResponseCodeClientBug, Text: text}
}

// canonicalName spells INBOX in capitals, RFC 3501 5.1, and drops a delimiter at the end.
func canonicalName(name string) string {
	name = strings.TrimSuffix(name, delim)
	if strings.EqualFold(name, "INBOX") {
		return "INBOX"
	}
	if len(name) > 6 && strings.EqualFold(name[:6], "INBOX/") {
		return "INBOX/" + name[6:]
	}
	return name
}

func validName(name string) bool {
	return name != "" && !strings.HasPrefix(name, delim) && !strings.Contains(name, "//") &&
		!strings.ContainsAny(name, "\x00\r\n")
}

// create makes a mailbox and the parents it lacks.
func (a *account) create(name string, uses []imap.MailboxAttr) error {
	name = canonicalName(name)
	if !validName(name) {
		return errBadName
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.boxes[name] != nil {
		return errExists
	}
	use, err := a.freeUse(uses)
	if err != nil {
		return err
	}
	a.createParents(name)
	a.addBox(name, use)
	return a.commit()
}

// freeUse checks a CREATE-SPECIAL-USE request, RFC 6154 3.
func (a *account) freeUse(uses []imap.MailboxAttr) (imap.MailboxAttr, error) {
	if len(uses) == 0 {
		return "", nil
	}
	if len(uses) > 1 {
		return "", errUseTwice
	}
	for _, box := range a.boxes {
		if box.use == uses[0] {
			return "", errUseTaken
		}
	}
	return uses[0], nil
}

func (a *account) createParents(name string) {
	for _, parent := range parents(name) {
		if a.boxes[parent] == nil {
			a.addBox(parent, "")
		}
	}
}

// parents lists the names above a mailbox, the topmost first.
func parents(name string) []string {
	var list []string
	for i := range name {
		if name[i] == '/' {
			list = append(list, name[:i])
		}
	}
	return list
}

// delete removes a mailbox; its children stay. It gives the sessions that have it selected.
func (a *account) delete(name string) ([]*session, error) {
	name = canonicalName(name)
	a.mu.Lock()
	defer a.mu.Unlock()
	box := a.boxes[name]
	switch {
	case name == "INBOX":
		return nil, errInboxStays
	case box == nil:
		return nil, errNoMailbox
	}
	delete(a.boxes, name)
	delete(a.subscribed, name)
	box.messages = nil
	return slices.Collect(maps.Keys(box.viewers)), a.commit(box)
}

// rename moves a mailbox and all below it. RFC 3501 6.3.5: renaming INBOX moves its
// messages and leaves it empty.
func (a *account) rename(from, to string) error {
	from, to = canonicalName(from), canonicalName(to)
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.boxes[from] == nil && !a.isParent(from):
		return errNoMailbox
	case !validName(to):
		return errBadName
	case a.boxes[to] != nil:
		return errExists
	case strings.HasPrefix(to, from+delim):
		return errIntoItself
	}
	a.createParents(to)
	if from == "INBOX" {
		return a.renameInbox(to)
	}
	for _, name := range a.sortedNames() {
		if name == from || strings.HasPrefix(name, from+delim) {
			a.renameOne(name, to+strings.TrimPrefix(name, from))
		}
	}
	return a.commit()
}

func (a *account) renameInbox(to string) error {
	inbox, box := a.boxes["INBOX"], a.addBox(to, "")
	a.copy(inbox, box, inbox.messages)
	inbox.messages = nil
	return a.commit(inbox, box)
}

func (a *account) renameOne(from, to string) {
	box := a.boxes[from]
	delete(a.boxes, from)
	box.name = to
	a.boxes[to] = box
	if a.subscribed[from] {
		delete(a.subscribed, from)
		a.subscribed[to] = true
	}
}

// subscribe remembers a name, RFC 3501 6.3.6, whether or not there is such a mailbox.
func (a *account) subscribe(name string, on bool) error {
	name = canonicalName(name)
	a.mu.Lock()
	defer a.mu.Unlock()
	if on {
		a.subscribed[name] = true
	} else {
		delete(a.subscribed, name)
	}
	return a.commit()
}

// isParent says whether a mailbox lies below the name.
func (a *account) isParent(name string) bool {
	for other := range a.boxes {
		if strings.HasPrefix(other, name+delim) {
			return true
		}
	}
	return false
}

func (a *account) sortedNames() []string {
	names := make([]string, 0, len(a.boxes))
	for name := range a.boxes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// status fills every item of STATUS.
func (box *mailbox) status() *imap.StatusData {
	var unseen, deleted, recent, total uint32
	var size, deletedSize int64
	limit := uint32(appendLimit)
	for _, m := range box.messages {
		n := int64(len(m.content.raw))
		size += n
		total++
		if !m.has(imap.FlagSeen) {
			unseen++
		}
		if m.has(imap.FlagDeleted) {
			deleted++
			deletedSize += n
		}
	}
	return &imap.StatusData{
		Mailbox: box.name, NumMessages: &total, NumRecent: &recent, UIDNext: box.uidNext,
		UIDValidity: box.uidValidity, NumUnseen: &unseen, NumDeleted: &deleted, Size: &size,
		AppendLimit: &limit, DeletedStorage: &deletedSize,
	}
}
