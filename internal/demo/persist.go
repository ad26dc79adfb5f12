package demo

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
)

// On disk an account is a directory: index.json names mailboxes, UIDs and flags, and
// messages/ has one file for each distinct message, named by its SHA-256.

type savedAccount struct {
	NextValidity uint32         `json:"nextValidity"`
	Subscribed   []string       `json:"subscribed"`
	Mailboxes    []savedMailbox `json:"mailboxes"`
}

type savedMailbox struct {
	Name        string         `json:"name"`
	UIDValidity uint32         `json:"uidValidity"`
	UIDNext     uint32         `json:"uidNext"`
	Use         string         `json:"use,omitempty"`
	Messages    []savedMessage `json:"messages"`
}

type savedMessage struct {
	UID   uint32    `json:"uid"`
	Date  time.Time `json:"date"`
	Flags []string  `json:"flags"`
	File  string    `json:"file"`
}

func accountDir(dir, address string) string {
	safe := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) || r < ' ' {
			return '_'
		}
		return r
	}, strings.ToLower(address))
	return filepath.Join(dir, strings.TrimLeft(safe, "."))
}

func (a *account) indexPath() string           { return filepath.Join(a.dir, "index.json") }
func (a *account) filePath(name string) string { return filepath.Join(a.dir, "messages", name) }

// keep makes the content of a message, on disk too when the account has a directory.
// It takes no lock.
func (a *account) keep(raw []byte) (*content, error) {
	c := &content{raw: withCRLF(raw)}
	if a.dir == "" {
		return c, nil
	}
	sum := sha256.Sum256(c.raw)
	c.sum = hex.EncodeToString(sum[:])
	if _, err := os.Stat(a.filePath(c.sum)); err == nil {
		return c, nil
	}
	return c, writeAtomic(a.filePath(c.sum), c.raw)
}

// save writes the index; the caller holds the lock.
func (a *account) save() error {
	if a.dir == "" {
		return nil
	}
	saved := savedAccount{NextValidity: a.nextValidity}
	for name := range a.subscribed {
		saved.Subscribed = append(saved.Subscribed, name)
	}
	for _, name := range a.sortedNames() {
		box := a.boxes[name]
		sb := savedMailbox{Name: name, UIDValidity: box.uidValidity, UIDNext: uint32(box.uidNext), Use: string(box.use)}
		for _, m := range box.messages {
			sb.Messages = append(sb.Messages, savedMessage{
				UID: uint32(m.uid), Date: m.date, Flags: flagStrings(m.flagList()), File: m.content.sum,
			})
		}
		saved.Mailboxes = append(saved.Mailboxes, sb)
	}
	index, err := json.MarshalIndent(saved, "", "\t")
	if err != nil {
		return fmt.Errorf("index of %s: %w", a.user.Address, err)
	}
	return writeAtomic(a.indexPath(), index)
}

// load reads the index; false when there is none. Files that no mailbox names are removed.
func (a *account) load() (bool, error) {
	if a.dir == "" {
		return false, nil
	}
	index, err := os.ReadFile(a.indexPath())
	if isNotExist(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var saved savedAccount
	if err := json.Unmarshal(index, &saved); err != nil {
		return false, fmt.Errorf("%s: %w", a.indexPath(), err)
	}
	a.nextValidity = saved.NextValidity
	for _, name := range saved.Subscribed {
		a.subscribed[name] = true
	}
	contents := map[string]*content{}
	for _, sb := range saved.Mailboxes {
		if err := a.loadBox(sb, contents); err != nil {
			return false, err
		}
	}
	return true, a.sweep(contents)
}

func (a *account) loadBox(sb savedMailbox, contents map[string]*content) error {
	box := &mailbox{
		name: sb.Name, uidValidity: sb.UIDValidity, uidNext: imap.UID(sb.UIDNext),
		use: imap.MailboxAttr(sb.Use), changed: make(chan struct{}), viewers: map[*session]bool{},
	}
	a.boxes[sb.Name] = box
	for _, sm := range sb.Messages {
		c := contents[sm.File]
		if c == nil {
			raw, err := os.ReadFile(a.filePath(filepath.Base(sm.File)))
			if err != nil {
				return fmt.Errorf("mailbox %s: %w", sb.Name, err)
			}
			c = &content{raw: raw, sum: sm.File}
			contents[sm.File] = c
		}
		a.mod++
		m := &message{uid: imap.UID(sm.UID), date: sm.Date, content: c, flags: map[string]imap.Flag{}, mod: a.mod}
		for _, f := range sm.Flags {
			m.setFlags(imap.StoreFlagsAdd, []imap.Flag{imap.Flag(f)})
		}
		box.messages = append(box.messages, m)
	}
	return nil
}

// sweep removes the files of messages that are in no mailbox.
func (a *account) sweep(used map[string]*content) error {
	files, err := os.ReadDir(filepath.Join(a.dir, "messages"))
	if isNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, f := range files {
		if used[f.Name()] == nil {
			if err := os.Remove(a.filePath(f.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeAtomic replaces a file as a whole: a reader sees the old or the new one.
func writeAtomic(path string, data []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
