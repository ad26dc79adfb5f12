package jobs

import (
	"context"
	"errors"
	"time"

	"restante/internal/store"
	"restante/mailclient"
	"restante/mailclient/discover"
)

// probes are the waits before looking whether the server has filed the mail by itself (PROTOCOLS T17).
var probes = []time.Duration{2 * time.Second, 3 * time.Second, 10 * time.Second}

const (
	learned = 3            // how many probes must agree before no other mail waits for them,
	holds   = learned + 50 // and how many mails that is good for
)

// fileSent puts the copy of a mail into Sent, unless the server does so itself or none is wanted.
func (q *Queue) fileSent(ctx context.Context, session *mailclient.Session, s discover.Servers, a store.Account, item *store.OutboxItem, fresh bool) error {
	if item.IdentityID != 0 && item.Server != s.SMTP.Host && a.SentMode != "none" { // the account's own server knows nothing of it
		a.SentMode, s.Files = "append", false
	}
	auto := a.SentMode == "auto"
	if a.SentMode == "server" || a.SentMode == "none" || auto && s.Files {
		return nil
	}
	box, err := session.MailboxByRole(ctx, mailclient.RoleSent, true, "Sent")
	if err != nil {
		return err
	}
	waits := q.probes
	if auto && a.SentSeen >= learned || !auto && !s.Files {
		waits = []time.Duration{0} // for a copy of ours, from before something broke
	}
	found, err := q.filed(ctx, session, box.Name, item, waits)
	if err != nil {
		return err
	}
	if auto && item.Problem != "unfiled" && fresh {
		if err := q.learn(ctx, a, found); err != nil {
			return err
		}
	}
	if found {
		return nil
	}
	blob := q.store.Blob(ctx, item.UserID, item.BlobID)
	_, _, err = session.Append(ctx, box.Name, []string{`\Seen`}, item.Updated, item.Size, blob)
	return err
}

// finder looks for mails in a mailbox by what names an item there: its Message-ID, or what it was sent on by, where others
// may lie that have the same Message-ID.
func finder(session *mailclient.Session, item *store.OutboxItem) func(ctx context.Context, mailbox, id string) (mailclient.Ref, error) {
	if item.AnswerKind == store.RedirectKind {
		return session.FindByResentID
	}
	return session.FindByMessageID
}

// filed looks for the mail in Sent.
func (q *Queue) filed(ctx context.Context, session *mailclient.Session, box string, item *store.OutboxItem, waits []time.Duration) (found bool, err error) {
	for _, wait := range waits {
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(wait):
		}
		ref, err := finder(session, item)(ctx, box, item.MessageID)
		if err != nil || len(ref.UIDs) > 0 {
			return err == nil, err
		}
	}
	return false, nil
}

// learn counts the mails that the server has not filed by itself, and from time to time begins anew.
func (q *Queue) learn(ctx context.Context, a store.Account, found bool) error {
	seen := a.SentSeen + 1
	if found || seen > holds {
		seen = 0
	}
	err := q.store.LearnSent(ctx, a.UserID, a.ID, seen)
	if errors.Is(err, store.ErrNotFound) { // its person chose meanwhile
		return nil
	}
	return err
}
