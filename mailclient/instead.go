package mailclient

import (
	"context"
	"slices"
	"strings"

	"restante/mailclient/imapx"
	"restante/mailclient/message"
)

// Instead says whether a mail has left its mailbox, and which of the mails that came there after it stand in its place:
// those that are picked by their header fields, newest last. A mailbox that was made anew, or into which too much has
// come to be sure, is not said to have lost it.
func (s *Session) Instead(ctx context.Context, at Ref, fields []string, picked func(uid uint32, h message.Header) bool) (gone bool, after Ref, err error) {
	empty := true
	after, err = s.among(ctx, at.Mailbox, strings.Join(fields, " "), func(_ *imapx.Conn, ref *Ref, newest []imapx.Fetch) error {
		uid := at.UIDs[0]
		empty = false
		known := len(newest) < lookedAt || slices.ContainsFunc(newest, func(f imapx.Fetch) bool { return f.UID <= uid })
		if ref.UIDValidity != at.UIDValidity || !known || slices.ContainsFunc(newest, func(f imapx.Fetch) bool { return f.UID == uid }) {
			return nil
		}
		gone = true
		for _, f := range newest {
			if f.UID > uid && picked(f.UID, message.ReadHeader(f.Header)) {
				ref.UIDs = append(ref.UIDs, f.UID)
			}
		}
		return nil
	})
	return gone || err == nil && empty && after.UIDValidity == at.UIDValidity, after, err
}
