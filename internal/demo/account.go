package demo

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
)

// account is one person's mail. Its lock guards all mailboxes, messages and flags; it is
// held for work in memory and for saving to disk, never while a connection is written to.
type account struct {
	user User
	dir  string // empty: memory only

	mu           sync.Mutex
	boxes        map[string]*mailbox
	subscribed   map[string]bool
	nextValidity uint32
	mod          uint64 // grows with every change of a message
}

// mailbox is a named list of messages in the order of their UIDs, guarded by its account's lock.
type mailbox struct {
	name        string
	uidValidity uint32
	uidNext     imap.UID
	use         imap.MailboxAttr // special use, or empty
	messages    []*message
	mod         uint64
	changed     chan struct{} // closed and replaced at each change
	viewers     map[*session]bool
}

// message is one message in one mailbox. Flags and mod are guarded by the account's lock.
type message struct {
	uid     imap.UID
	date    time.Time
	content *content
	flags   map[string]imap.Flag // by lower-case name
	mod     uint64
}

// content is the immutable bytes of a message, shared by its copies.
type content struct {
	raw  []byte
	sum  string // file name on disk
	once sync.Once
	text searchText
}

func newAccount(u User, dir string) *account {
	a := &account{user: u, boxes: map[string]*mailbox{}, subscribed: map[string]bool{}}
	if dir != "" {
		a.dir = accountDir(dir, u.Address)
	}
	return a
}

// addDefaults makes INBOX and the mailboxes with a special use.
func (a *account) addDefaults() {
	a.addBox("INBOX", "")
	a.addBox("Drafts", imap.MailboxAttrDrafts)
	a.addBox("Sent", imap.MailboxAttrSent)
	a.addBox("Archive", imap.MailboxAttrArchive)
	a.addBox("Junk", imap.MailboxAttrJunk)
	a.addBox("Trash", imap.MailboxAttrTrash)
}

// addBox makes an empty mailbox with a UIDVALIDITY that no other ever had, and subscribes to it.
func (a *account) addBox(name string, use imap.MailboxAttr) *mailbox {
	a.nextValidity++
	box := &mailbox{name: name, uidValidity: a.nextValidity, uidNext: 1, use: use, changed: make(chan struct{}), viewers: map[*session]bool{}}
	a.boxes[name] = box
	a.subscribed[name] = true
	return box
}

// append adds a message to a mailbox.
func (a *account) append(name string, raw []byte, date time.Time, flags []imap.Flag) (*imap.AppendData, error) {
	c, err := a.keep(raw)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	box := a.boxes[canonicalName(name)]
	if box == nil {
		return nil, errTryCreate
	}
	m := a.add(box, c, date, flags)
	return &imap.AppendData{UIDValidity: box.uidValidity, UID: m.uid}, a.commit(box)
}

// add puts a message at the end of a mailbox; the caller holds the lock and commits.
func (a *account) add(box *mailbox, c *content, date time.Time, flags []imap.Flag) *message {
	a.mod++
	m := &message{uid: box.uidNext, date: date, content: c, flags: map[string]imap.Flag{}, mod: a.mod}
	m.setFlags(imap.StoreFlagsAdd, flags)
	box.uidNext++
	box.messages = append(box.messages, m)
	return m
}

// copy puts the messages into another mailbox of the same account and says which UIDs they got.
func (a *account) copy(from, to *mailbox, messages []*message) *imap.CopyData {
	data := &imap.CopyData{UIDValidity: to.uidValidity}
	for _, m := range messages {
		data.SourceUIDs.AddNum(m.uid)
		data.DestUIDs.AddNum(a.add(to, m.content, m.date, m.flagList()).uid)
	}
	return data
}

// remove takes messages out of a mailbox; the caller holds the lock and commits.
func (a *account) remove(box *mailbox, gone func(*message) bool) {
	box.messages = slices.DeleteFunc(slices.Clone(box.messages), gone)
}

// commit makes the changes of a command known to idling sessions and to the disk.
func (a *account) commit(boxes ...*mailbox) error {
	a.mod++
	for _, box := range boxes {
		box.mod = a.mod
		close(box.changed)
		box.changed = make(chan struct{})
	}
	return a.save()
}

// store changes the flags of a message; the caller holds the lock and commits.
func (a *account) store(m *message, op imap.StoreFlagsOp, flags []imap.Flag) {
	a.mod++
	m.mod = a.mod
	m.setFlags(op, flags)
}

func (m *message) setFlags(op imap.StoreFlagsOp, flags []imap.Flag) {
	if op == imap.StoreFlagsSet {
		m.flags = map[string]imap.Flag{}
	}
	for _, f := range flags {
		key := strings.ToLower(string(f))
		switch {
		case key == `\recent` || key == `\*`: // RFC 3501 2.3.2: not the client's to set
		case op == imap.StoreFlagsDel:
			delete(m.flags, key)
		default:
			m.flags[key] = canonicalFlag(f)
		}
	}
}

func (m *message) has(f imap.Flag) bool {
	_, ok := m.flags[strings.ToLower(string(f))]
	return ok
}

func (m *message) flagList() []imap.Flag {
	list := make([]imap.Flag, 0, len(m.flags))
	for _, f := range m.flags {
		list = append(list, f)
	}
	slices.Sort(list)
	return list
}

var systemFlags = []imap.Flag{imap.FlagSeen, imap.FlagAnswered, imap.FlagFlagged, imap.FlagDeleted, imap.FlagDraft}

// canonicalFlag spells a system flag as the RFC does; keywords stay as the client wrote them.
func canonicalFlag(f imap.Flag) imap.Flag {
	for _, known := range systemFlags {
		if strings.EqualFold(string(known), string(f)) {
			return known
		}
	}
	return f
}

// withCRLF turns bare line feeds into CRLF.
func withCRLF(raw []byte) []byte {
	if !bytes.Contains(raw, []byte("\n")) || bytes.Count(raw, []byte("\n")) == bytes.Count(raw, []byte("\r\n")) {
		return raw
	}
	raw = bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n"))
}
