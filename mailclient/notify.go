package mailclient

import (
	"context"
	"slices"
	"time"

	"restante/mailclient/imapx"
)

// notify has the server tell of the other mailboxes too, over the connection that watches INBOX (RFC 5465, S15). One that
// refuses is not asked again by this watch: the others are looked at from time to time, as without it.
func (s *Session) notify(ctx context.Context, c *imapx.Conn, w *watch) error {
	if !c.Has("NOTIFY") || w.plain.Load() {
		return nil
	}
	// RFC 5465 5.2: an unknown event is refused with [BADEVENT], and nothing is set then.
	cmd := imapx.Cmd("NOTIFY SET STATUS (selected-delayed (MessageNew MessageExpunge FlagChange)) (personal (MessageNew MessageExpunge FlagChange))")
	err := c.Do(ctx, cmd)
	if err != nil || cmd.Status != "OK" {
		w.plain.Store(true)
		return err
	}
	for _, r := range cmd.Data {
		if r.Type != "STATUS" {
			c.Unasked(r)
		} else if name := s.heardStatus(r); name != "" {
			s.tell(w, Event{Kind: EventChanged, Mailbox: name})
		}
	}
	return nil
}

// overflows says whether the server tells of no change any more: there were too many (RFC 5465 5.8).
func overflows(r imapx.Response) bool { return r.Type == "OK" && r.Code == "NOTIFICATIONOVERFLOW" }

// heardStatus takes into the tree what the server tells of a mailbox that was not asked about (O86). It gives the
// mailbox's name, "" where that is no news, or is of INBOX, which tells of itself.
func (s *Session) heardStatus(r imapx.Response) string {
	raw, items := imapx.ParseStatus(r)
	if raw == "INBOX" || len(items) == 0 {
		return ""
	}
	name := raw // Dovecot 2.3 writes it as UTF-8 here, and here alone
	if decoded, err := imapx.DecodeName(raw); err == nil {
		name = decoded
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.tree.boxes, func(m Mailbox) bool { return m.Name == name })
	if i < 0 {
		s.tree.at = time.Time{} // it is new
		return ""
	}
	m := s.tree.boxes[i]
	m.count(items)
	if m == s.tree.boxes[i] {
		return ""
	}
	s.tree.boxes = slices.Clone(s.tree.boxes)
	s.tree.boxes[i] = m
	if _, told := items["UNSEEN"]; !told {
		s.tree.at = time.Time{}
	}
	return name
}
