package mailclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"restante/mailclient/imapx"
)

// Spot is a mailbox as it stands: what is appended now gets no UID below UIDNext. It is 0 where the server does not say.
type Spot struct {
	Mailbox              string
	UIDValidity, UIDNext uint32
	Most                 int64 // octets of the largest mail that is taken, 0 if unknown
}

// Spot selects a mailbox, and so makes each Append that follows cheap: Dovecot reads the whole list of a maildir's UIDs
// for every mail that comes to one that is not selected. ErrNoMailbox: it is not there.
func (s *Session) Spot(ctx context.Context, mailbox string) (Spot, error) {
	at := Spot{Mailbox: mailbox}
	raw, err := s.rawName(mailbox)
	if err != nil {
		return at, err
	}
	err = s.do(ctx, raw, true, func(c *imapx.Conn) error {
		at.Most, c.Box = appendLimit(c), nil // UIDNEXT is to be fresh
		b, err := selectBox(ctx, c, raw)
		if err == nil {
			at.UIDValidity, at.UIDNext = b.validity, b.uidnext
		}
		return err
	})
	return at, err
}

// appendLimit is what the server says in its capabilities (RFC 7889).
func appendLimit(c *imapx.Conn) int64 {
	for name := range c.Caps() {
		if n, ok := strings.CutPrefix(name, "APPENDLIMIT="); ok {
			if most, err := strconv.ParseInt(n, 10, 64); err == nil && most > 0 {
				return most
			}
		}
	}
	return 0
}

// Marked is what FindMarked has found: a mail, or that there surely is none, or neither.
type Marked struct {
	Ref    Ref // of one UID, if it was found
	Absent bool
}

// Found says whether the mail was found.
func (m Marked) Found() bool { return len(m.Ref.UIDs) > 0 }

// everywhere is how long a mail is looked for in all mailboxes.
const everywhere = time.Minute

// FindMarked looks for a mail that was appended to a spot, or perhaps was not, by a word in one of its header fields:
// among what has come there since, and if that leaves it open, in all mailboxes, for it may have been moved.
func (s *Session) FindMarked(ctx context.Context, at Spot, field, word string) (Marked, error) {
	m, err := s.findSince(ctx, at, field, word)
	if err != nil || m.Found() || m.Absent {
		return m, err
	}
	boxes, err := s.Mailboxes(ctx)
	if err != nil {
		return m, err
	}
	ctx, cancel := context.WithTimeout(ctx, everywhere)
	defer cancel()
	for _, b := range boxes {
		if !b.Selectable || b.Shared {
			continue
		}
		ref, err := s.findBySearch(ctx, b.Name, field, word)
		if len(ref.UIDs) > 0 || lost(err) {
			return Marked{Ref: ref}, err
		}
	}
	return m, nil
}

func (s *Session) findSince(ctx context.Context, at Spot, field, word string) (m Marked, err error) {
	raw, err := s.rawName(at.Mailbox)
	if err != nil {
		return m, err
	}
	err = s.do(ctx, raw, true, func(c *imapx.Conn) error {
		m, c.Box = Marked{}, nil // UIDNEXT is to be fresh
		b, err := selectBox(ctx, c, raw)
		if errors.Is(err, ErrNoMailbox) {
			return nil
		}
		if err != nil || b.validity != at.UIDValidity || at.UIDNext == 0 || b.uidnext < at.UIDNext {
			return err
		}
		if b.uidnext == at.UIDNext {
			m.Absent = true
			return nil
		}
		cmd := imapx.Cmd("UID FETCH", fmt.Sprintf("%d:%d", at.UIDNext, b.uidnext-1), "(UID BODY.PEEK[HEADER.FIELDS ("+field+")])")
		if err := c.Do(ctx, cmd); err != nil {
			return err
		}
		if cmd.Status != "OK" {
			return cmd.Err(c.Host)
		}
		seen := map[uint32]bool{}
		for _, f := range collect(cmd.Data) {
			seen[f.UID] = f.UID >= at.UIDNext
			if bytes.Contains(f.Header, []byte(word)) {
				m.Ref = Ref{Mailbox: at.Mailbox, UIDValidity: b.validity, UIDs: []uint32{f.UID}}
			}
		}
		m.Absent = !m.Found() && len(seen) == int(b.uidnext-at.UIDNext) // else one is gone, and may have been it
		return nil
	})
	return m, err
}

func (s *Session) findBySearch(ctx context.Context, mailbox, field, word string) (ref Ref, err error) {
	raw, err := s.rawName(mailbox)
	if err != nil {
		return ref, err
	}
	err = s.do(ctx, raw, true, func(c *imapx.Conn) error {
		b, err := selectBox(ctx, c, raw)
		if err != nil {
			return err
		}
		uids, _, err := searchBox(ctx, c, []any{"HEADER " + field, imapx.Str(word)})
		if len(uids) > 0 {
			ref = Ref{Mailbox: mailbox, UIDValidity: b.validity, UIDs: uids[len(uids)-1:]}
		}
		return err
	})
	return ref, err
}
