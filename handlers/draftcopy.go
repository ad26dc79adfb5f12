package handlers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
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
	fileWait = 5 * time.Second  // that a page waits for what is owed
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
// what became of it in the folder, and what another program had done there.
func (s *Server) fileDraft(r *http.Request, p *person, d store.Draft, leaving bool) (filed, foreign) {
	if !s.filing.due(d.ID, s.now()) && !leaving {
		if d.IMAP.Rev == d.Rev {
			return isFiled, foreign{}
		}
		return filedLater, foreign{}
	}
	ctx := context.WithoutCancel(r.Context())
	was := s.copyTouched(ctx, p, d)
	if err := s.copyDraft(ctx, p, d.ID); err != nil {
		s.logProblem(r, problemOf(err))
		return notFiled, was
	}
	return isFiled, was
}

// filed is what our script is told of a draft's copy in the Drafts folder.
type filed string

const (
	isFiled    filed = "1"
	filedLater filed = "0"    // its time has not come
	notFiled   filed = "away" // the mail server does not take it now; Restante's own copy is the newer one
)

// fileOwed files what the Drafts folder lacks of drafts that were last saved before a time: a page was closed, a session
// ended or a server was away before they were filed. What cannot be filed now is owed on.
func (s *Server) fileOwed(ctx context.Context, r *http.Request, p *person, before time.Time) {
	drafts, err := s.store.OpenDrafts(ctx, p.User.ID, 50)
	for _, d := range drafts {
		if d.Updated.After(before) {
			continue
		}
		err = cmp.Or(err, s.copyDraft(ctx, p, d.ID))
	}
	if err != nil && r.Context().Err() == nil {
		s.logProblem(r, problemOf(err))
	}
}

// fileNow files all that is owed, as far as it gets while a person waits.
func (s *Server) fileNow(r *http.Request, p *person) {
	ctx, cancel := context.WithTimeout(r.Context(), fileWait)
	defer cancel()
	s.fileOwed(ctx, r, p, s.now())
}

// copyDraft puts the draft into the IMAP Drafts mailbox: the new copy first, then the old one goes (A15).
func (s *Server) copyDraft(ctx context.Context, p *person, id string) error {
	leave, err := s.copying.enter(ctx, id)
	if err != nil {
		return err
	}
	defer leave()
	d, err := s.store.Draft(ctx, p.User.ID, id)
	if err != nil || d.State != "open" || d.IMAP.Rev == d.Rev && d.IMAP.UID != 0 {
		return err
	}
	if p, err = s.as(p, d.AccountID); err != nil {
		return err
	}
	m, _, err := s.mailOf(ctx, p, d)
	if err != nil {
		return err
	}
	if m.From.Addr == "" { // the address that it is from was removed
		m.From.Addr = p.Account.Address
	}
	m.DraftID = fmt.Sprintf("%s; %d", d.ID, d.Rev)
	m.MessageID = draftMessageID(d)
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
	ours, err := p.Mail.Newest(ctx, box.Name, compose.DraftField, func(v string) bool {
		rev, ok := strings.CutPrefix(v, d.ID+"; ")
		n, err := strconv.ParseInt(rev, 10, 64)
		return ok && err == nil && d.IMAP.Rev < n && n <= d.Rev
	})
	if n := len(ours.UIDs); err == nil && uid == 0 && n > 0 {
		validity, uid = ours.UIDValidity, ours.UIDs[n-1]
	}
	seen := err
	err = s.store.SetDraftCopy(ctx, p.User.ID, d.ID, store.DraftCopy{Mailbox: box.Name, Validity: validity, UID: uid, Rev: d.Rev})
	if errors.Is(err, store.ErrNotFound) { // sent or thrown away meanwhile
		return p.expunge(ctx, mailclient.Ref{Mailbox: box.Name, UIDValidity: validity, UIDs: []uint32{uid}})
	}
	if err != nil {
		return err
	}
	ours.UIDs = slices.DeleteFunc(ours.UIDs, func(u uint32) bool { return u == uid })
	return errors.Join(seen, p.expunge(ctx, copyAt(d)), p.putAside(ctx, ours))
}

// putAside moves copies into the trash of which our store does not know: the end of their filing was not seen, or the
// store is an older one that was brought back, and what they say may stand nowhere else.
func (p *person) putAside(ctx context.Context, copies mailclient.Ref) error {
	if len(copies.UIDs) == 0 {
		return nil
	}
	trash, err := p.Mail.MailboxByRole(ctx, mailclient.RoleTrash, true, "Trash")
	if err == nil {
		_, err = p.Mail.Move(ctx, copies, trash.Name)
	}
	return err
}

// copyAt is the draft's copy in the Drafts folder.
func copyAt(d store.Draft) mailclient.Ref {
	return mailclient.Ref{Mailbox: d.IMAP.Mailbox, UIDValidity: d.IMAP.Validity, UIDs: []uint32{d.IMAP.UID}}
}

// expunge takes copies of drafts out of their folder. One of which nobody knows where it is, or whose folder was made
// anew, is gone already.
func (p *person) expunge(ctx context.Context, at mailclient.Ref) error {
	at.UIDs = slices.DeleteFunc(at.UIDs, func(uid uint32) bool { return uid == 0 })
	if len(at.UIDs) == 0 {
		return nil
	}
	err := p.Mail.Expunge(ctx, at)
	if errors.Is(err, mailclient.ErrUIDValidity) || errors.Is(err, mailclient.ErrNoMailbox) {
		return nil
	}
	return err
}

type countWriter struct{ n int64 }

func (c *countWriter) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return len(b), nil
}
