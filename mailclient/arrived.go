package mailclient

import (
	"context"
	"fmt"

	"restante/mailclient/imapx"
)

// Arrived are the Message-IDs, without brackets, of the mails that have come into a mailbox since its next UID was said
// to be uidnext, under that UIDVALIDITY; none under another one. Mails that are marked as deleted are left out.
func (s *Session) Arrived(ctx context.Context, mailbox string, validity, uidnext uint32) (ids map[string]bool, err error) {
	raw, err := s.rawName(mailbox)
	if err != nil {
		return nil, err
	}
	err = s.do(ctx, raw, true, func(c *imapx.Conn) error {
		ids = map[string]bool{}
		b, err := selectBox(ctx, c, raw)
		if err != nil || b.validity != validity {
			return err
		}
		cmd := imapx.Cmd("UID FETCH", fmt.Sprintf("%d:*", uidnext), "(UID FLAGS BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")
		if err := c.Do(ctx, cmd); err != nil { // not behind a NOOP: Dovecot hears of new mails after it alone
			return err
		}
		for _, f := range fetched(cmd) { // RFC 3501 6.4.8: n:* names the last mail, too, where none came
			if id := headerID(f.Header); id != "" && f.UID >= uidnext && !flagsOf(f.Flags).Deleted {
				ids[id] = true
			}
		}
		return nil
	})
	return ids, err
}
