package handlers

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"restante/internal/store"
	"restante/mailclient"
	"restante/mailclient/compose"
)

// filing remembers when each draft was last put into the Drafts folder by this process.
type filing struct {
	mu   sync.Mutex
	last map[string]time.Time
}

const (
	copyTime = 12 * time.Second // for the copy of a draft without files
	slowLine = 100 << 10        // octets a second to a mail server that is still fit for use
)

// filingPause is the least time between two copies of one draft that a script asks for.
const filingPause = 20 * time.Second

// due says whether a draft's copy may be made anew now, and if so notes it.
func (f *filing) due(id string, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now.Sub(f.last[id]) < filingPause {
		return false
	}
	if f.last == nil || len(f.last) > 10_000 {
		f.last = map[string]time.Time{}
	}
	f.last[id] = now
	return true
}

// fileDraft brings the copy in the Drafts folder up to the draft, when it is due or the writer leaves. It says
// whether the folder has this revision; if not, Restante's own copy is the newer one.
func (s *Server) fileDraft(r *http.Request, p *person, d store.Draft, leaving bool) bool {
	if !s.filing.due(d.ID, s.now()) && !leaving {
		return d.IMAP.Rev == d.Rev
	}
	if err := s.copyDraft(context.WithoutCancel(r.Context()), p, d); err != nil {
		s.logProblem(r, problemOf(err))
		return false
	}
	return true
}

// copyDraft puts the draft into the IMAP Drafts mailbox: the new copy first, then the old one goes (A15).
func (s *Server) copyDraft(ctx context.Context, p *person, d store.Draft) error {
	if d.IMAP.Rev == d.Rev && d.IMAP.UID != 0 {
		return nil
	}
	m, _, err := s.mailOf(ctx, p, d)
	if err != nil {
		return err
	}
	m.DraftID = fmt.Sprintf("%s; %d", d.ID, d.Rev)
	m.MessageID = "draft-" + d.ID + "@restante.invalid"
	bcc, err := compose.BccField(m)
	if err != nil {
		return err
	}
	var counted countWriter
	if err := compose.Write(&counted, m); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, copyTime+time.Duration(counted.n/slowLine)*time.Second)
	defer cancel()
	box, err := p.Mail.MailboxByRole(ctx, mailclient.RoleDrafts, true, "Drafts")
	if err != nil {
		return err
	}
	var validity, uid uint32
	err = piped(withBcc(bcc, m), func(r io.Reader) (err error) {
		validity, uid, err = p.Mail.Append(ctx, box.Name, []string{`\Draft`, `\Seen`}, m.Date, counted.n+int64(len(bcc)), r)
		return err
	})
	if err != nil {
		return err
	}
	if uid == 0 {
		if ref, err := p.Mail.FindByMessageID(ctx, box.Name, m.MessageID); err == nil && len(ref.UIDs) > 0 {
			validity, uid = ref.UIDValidity, ref.UIDs[len(ref.UIDs)-1]
		}
	}
	if err := s.store.SetDraftCopy(ctx, p.User.ID, d.ID, store.DraftCopy{Mailbox: box.Name, Validity: validity, UID: uid, Rev: d.Rev}); err != nil {
		return err
	}
	if d.IMAP.UID == 0 || d.IMAP.UID == uid {
		return nil
	}
	return p.Mail.Expunge(ctx, mailclient.Ref{Mailbox: d.IMAP.Mailbox, UIDValidity: d.IMAP.Validity, UIDs: []uint32{d.IMAP.UID}})
}

type countWriter struct{ n int64 }

func (c *countWriter) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return len(b), nil
}
