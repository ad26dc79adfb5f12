package mailclient

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/emersion/go-imap/v2/imapclient"

	"restante/mailclient/imapx"
)

// NameError says why a mailbox cannot be called so: the end of a catalogue key, and the sign that cannot stand there.
type NameError struct{ Why, Sign string }

func (e *NameError) Error() string { return "mailbox name: " + e.Why + " " + e.Sign }

// Unwrap makes it one kind of bad input.
func (e *NameError) Unwrap() error { return ErrBadInput }

// maxName is how long a name may be, encoded.
const maxName = 255

// NewName checks the name of a mailbox to be made, one level, under parent ("" for the top), and gives its full name.
// The error is a *NameError (M9): empty, long, control, delimiter, wildcard (* and %, which mean any name to LIST),
// space (at its ends), inbox (which is there already) or parent (which has no room for others, or is not there).
func NewName(boxes []Mailbox, parent, name string) (string, error) {
	name = norm.NFC.String(name)
	switch {
	case name != strings.TrimSpace(name):
		return "", &NameError{Why: "space"}
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 }):
		return "", &NameError{Why: "control"}
	case strings.ContainsAny(name, "*%"):
		return "", &NameError{"wildcard", string(name[strings.IndexAny(name, "*%")])}
	}
	return NameUnder(boxes, parent, name)
}

// NameUnder is the full name of a mailbox under parent ("" for the top): its own name may be any that stands on the
// server already. The error is a *NameError: empty, long, delimiter, inbox or parent.
func NameUnder(boxes []Mailbox, parent, name string) (string, error) {
	delimiter, prefix := "", ""
	found := parent == ""
	for _, m := range boxes {
		if parent != "" && m.Name == parent {
			found = !m.NoChildren
			delimiter, prefix = m.Delimiter, m.Name+m.Delimiter
		}
		if parent == "" && m.Role == RoleInbox {
			delimiter, prefix = m.Delimiter, m.Prefix
		}
	}
	full := prefix + name
	switch {
	case name == "":
		return "", &NameError{Why: "empty"}
	case delimiter != "" && strings.Contains(name, delimiter):
		return "", &NameError{"delimiter", delimiter}
	case len(imapx.EncodeName(full)) > maxName:
		return "", &NameError{Why: "long"}
	case !found:
		return "", &NameError{Why: "parent"}
	case parent == "" && strings.EqualFold(full, "INBOX"):
		return "", &NameError{Why: "inbox"}
	}
	return full, nil
}

// CreateMailbox makes a mailbox and subscribes to it. One that exists already is no error.
func (s *Session) CreateMailbox(ctx context.Context, name string) error {
	return s.create(ctx, name, "")
}

func (s *Session) create(ctx context.Context, name string, use string) error {
	raw, err := s.rawName(name)
	if err != nil {
		return err
	}
	defer s.stale()
	return s.do(ctx, "", true, func(c *imapx.Conn) error {
		cmd := imapx.Cmd("CREATE", imapx.Str(raw))
		if use != "" && c.Has("CREATE-SPECIAL-USE") {
			cmd = imapx.Cmd("CREATE", imapx.Str(raw), "(USE ("+use+"))")
		}
		if err := c.Do(ctx, cmd); err != nil {
			return err
		}
		if cmd.Status != "OK" && use != "" && cmd.Code != "ALREADYEXISTS" {
			cmd = imapx.Cmd("CREATE", imapx.Str(raw))
			if err := c.Do(ctx, cmd); err != nil {
				return err
			}
		}
		if cmd.Status != "OK" && cmd.Code != "ALREADYEXISTS" {
			return cmd.Err(c.Host)
		}
		return c.Do(ctx, imapx.Cmd("SUBSCRIBE", imapx.Str(raw))) // a refusal does no harm
	})
}

var roleUses = map[Role]string{
	RoleDrafts: `\Drafts`, RoleSent: `\Sent`, RoleArchive: `\Archive`, RoleJunk: `\Junk`, RoleTrash: `\Trash`,
}

// MailboxByRole is the mailbox with a role. If there is none and create is set it is made under localName (M13).
// ErrNoMailbox otherwise.
func (s *Session) MailboxByRole(ctx context.Context, role Role, create bool, localName string) (Mailbox, error) {
	boxes, err := s.Mailboxes(ctx)
	if err != nil {
		return Mailbox{}, err
	}
	byRole := func(boxes []Mailbox) (Mailbox, bool) {
		for _, m := range boxes {
			if m.Role == role {
				return m, true
			}
		}
		return Mailbox{}, false
	}
	if m, ok := byRole(boxes); ok {
		return m, nil
	}
	if !create || roleUses[role] == "" {
		return Mailbox{}, ErrNoMailbox
	}
	name, err := NewName(boxes, "", localName)
	if err != nil {
		return Mailbox{}, err
	}
	if err := s.create(ctx, name, roleUses[role]); err != nil {
		return Mailbox{}, err
	}
	if boxes, err = s.Mailboxes(ctx); err != nil {
		return Mailbox{}, err
	}
	if m, ok := byRole(boxes); ok {
		return m, nil
	}
	m, _ := s.known(name)
	m.Role = role
	return m, nil
}

// RenameMailbox renames a mailbox with all its children, and carries their subscriptions (M14). INBOX cannot be.
func (s *Session) RenameMailbox(ctx context.Context, from, to string) error {
	boxes, err := s.Mailboxes(ctx)
	if err != nil {
		return err
	}
	raw, err := s.rawName(from)
	if err != nil {
		return err
	}
	target, err := s.rawName(to)
	if err != nil || raw == "INBOX" || raw == target {
		return cmp.Or(err, ErrBadInput)
	}
	family := subtree(boxes, from)
	s.unselect(from)
	defer s.unselect(from) // one may have been in use until now
	defer s.stale()
	return s.do(ctx, "", false, func(c *imapx.Conn) error {
		leave(c, raw)
		cmd := imapx.Cmd("RENAME", imapx.Str(raw), imapx.Str(target))
		if err := c.Do(ctx, cmd); err != nil {
			return err
		}
		if cmd.Status != "OK" {
			return cmd.Err(c.Host)
		}
		var cmds []*imapx.Command
		for _, m := range family {
			old, err := s.rawName(m.Name)
			if err != nil || !m.Subscribed {
				continue
			}
			cmds = append(cmds, imapx.Cmd("UNSUBSCRIBE", imapx.Str(old)), imapx.Cmd("SUBSCRIBE", imapx.Str(target+strings.TrimPrefix(old, raw))))
		}
		if len(cmds) == 0 {
			return nil
		}
		return c.Do(ctx, cmds...)
	})
}

// subtree is a mailbox with all below it, deepest first.
func subtree(boxes []Mailbox, name string) []Mailbox {
	var out []Mailbox
	for _, m := range boxes {
		if m.Name == name || m.Delimiter != "" && strings.HasPrefix(m.Name, name+m.Delimiter) {
			out = append(out, m)
		}
	}
	slices.SortStableFunc(out, func(a, b Mailbox) int { return cmp.Compare(len(b.Name), len(a.Name)) })
	return out
}

// leave forgets that a mailbox is selected, and unselects it where the server can: never by CLOSE, which expunges.
func leave(c *imapx.Conn, raw string) {
	if b := boxOf(c); b == nil || b.raw != raw && !strings.HasPrefix(b.raw, raw) {
		return
	}
	c.Box = nil
}

// DeleteMailbox deletes a mailbox and all below it, deepest first, with the mail in them. INBOX cannot be.
func (s *Session) DeleteMailbox(ctx context.Context, name string) error {
	boxes, err := s.Mailboxes(ctx)
	if err != nil {
		return err
	}
	family := subtree(boxes, name)
	if len(family) == 0 {
		return ErrNoMailbox
	}
	if strings.EqualFold(name, "INBOX") {
		return ErrBadInput
	}
	s.unselect(name)
	defer s.unselect(name)
	defer s.stale()
	return s.do(ctx, "", true, func(c *imapx.Conn) error {
		c.Box = nil
		if c.Has("UNSELECT") {
			if err := c.Do(ctx, imapx.Cmd("UNSELECT")); err != nil {
				return err
			}
		}
		for _, m := range family {
			raw, err := s.rawName(m.Name)
			if err != nil {
				return err
			}
			gone := imapx.Cmd("DELETE", imapx.Str(raw))
			if err := c.Do(ctx, gone, imapx.Cmd("UNSUBSCRIBE", imapx.Str(raw))); err != nil {
				return err
			}
			if gone.Status != "OK" && gone.Code != "NONEXISTENT" && m.Selectable {
				return gone.Err(c.Host)
			}
		}
		return nil
	})
}

// unselect closes free connections that have a mailbox, or one below it, selected.
func (s *Session) unselect(name string) {
	raw, err := s.rawName(name)
	if err != nil {
		return
	}
	s.mu.Lock()
	var drop []*imapx.Conn
	s.free = slices.DeleteFunc(s.free, func(c *imapx.Conn) bool {
		b := boxOf(c)
		hit := b != nil && strings.HasPrefix(b.raw, raw)
		if hit {
			drop = append(drop, c)
		}
		return hit
	})
	s.mu.Unlock()
	s.logout(drop)
}

// Subscribe shows or hides a mailbox in the tree, here and in other programs.
func (s *Session) Subscribe(ctx context.Context, name string, on bool) error {
	raw, err := s.rawName(name)
	if err != nil {
		return err
	}
	text, err := imapx.DecodeName(raw)
	if err != nil {
		return ErrNoMailbox
	}
	defer s.stale()
	return s.do(ctx, "", true, func(c *imapx.Conn) error {
		return c.With(ctx, "SUBSCRIBE", 0, func(cl *imapclient.Client) error {
			if on {
				return cl.Subscribe(text).Wait()
			}
			return cl.Unsubscribe(text).Wait()
		})
	})
}
