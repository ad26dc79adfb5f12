package handlers

import (
	"context"
	"strconv"
	"strings"
	"time"

	"restante/internal/store"
	"restante/mailclient/compose"
	"restante/mailclient/message"
)

// foreignWait is how long the page of a draft waits to hear whether another program has touched its copy.
const foreignWait = time.Second

// foreign says what another mail program has done to a draft's copy in the Drafts folder.
type foreign struct {
	words string // "" is nothing
	url   string // its text, where it has left one
}

// copyTouched looks whether the copy of a draft was changed by another program, which puts another mail in its place, or was
// taken out of the folder. What stands there then is never overwritten: it is somebody's text.
func (s *Server) copyTouched(ctx context.Context, p *person, d store.Draft) (f foreign) {
	if d.IMAP.UID == 0 || d.State != "open" {
		return f
	}
	p, err := s.as(p, d.AccountID)
	if err != nil {
		return f
	}
	gone, after, err := p.Mail.Instead(ctx, copyAt(d), []string{compose.DraftField, "MESSAGE-ID", "IN-REPLY-TO", "SUBJECT"}, func(uid uint32, h message.Header) bool {
		if mark := h.Get(compose.DraftField); mark != "" {
			return otherCopy(d, mark, uid)
		}
		return h.MessageID() == draftMessageID(d) || d.Fields.Subject != "" && h.Subject() == d.Fields.Subject ||
			d.Fields.InReplyTo != "" && strings.Join(h.InReplyTo(), "") == d.Fields.InReplyTo
	})
	if err != nil || !gone {
		return f
	}
	if now, err := s.store.Draft(ctx, p.User.ID, d.ID); err != nil || now.IMAP != d.IMAP { // we ourselves have put another there
		return f
	}
	if n := len(after.UIDs); n > 0 {
		if boxes, err := p.Mail.Mailboxes(ctx); err == nil {
			return foreign{words: p.L.T("compose.foreign"), url: pathDraftMail(p, slugOf(boxes, d.IMAP.Mailbox), after.UIDs[n-1])}
		}
	}
	return foreign{words: p.L.T("compose.takenout")}
}

// otherCopy says that a mail which bears the mark of a copy of the draft is not one of ours: another program has changed
// it and left the mark.
func otherCopy(d store.Draft, mark string, uid uint32) bool {
	id, rev, _ := strings.Cut(mark, ";")
	n, err := strconv.ParseInt(strings.TrimSpace(rev), 10, 64)
	return strings.TrimSpace(id) == d.ID && err == nil && n <= d.IMAP.Rev && d.IMAP.UID != 0 && uid != d.IMAP.UID
}

func draftMessageID(d store.Draft) string { return "draft-" + d.ID + "@restante.invalid" }
