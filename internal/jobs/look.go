package jobs

import (
	"context"
	"slices"
	"strings"
	"time"

	"restante/internal/store"
	"restante/mailclient"
)

// looks are the waits before each look for a mail that was perhaps sent; after the last one only the person knows.
var looks = []time.Duration{2 * time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}

// lookFor looks for an uncertain mail where it may have come to by itself: it was sent then, and what follows a sent mail
// follows. Nothing that it does or fails to find sends the mail again. store.ErrNotFound: its writer decided meanwhile.
func (q *Queue) lookFor(ctx context.Context, item *store.OutboxItem) error {
	found, looked, err := q.find(ctx, item)
	if err != nil {
		q.log.Warn("look for an uncertain mail", "item", item.ID, "err", err)
	}
	if found != "" {
		item.Arrived()
		item.State, item.Problem, item.ServerText = store.Accepted, found, ""
	} else {
		item.Looked, item.NextAt = strings.Join(looked, " "), time.Time{}
		if item.Looks++; item.Looks < len(q.looks) {
			item.NextAt = time.Now().Add(q.looks[item.Looks])
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := q.store.RecordLook(ctx, *item, q.node); err != nil {
		return err
	}
	q.tell(*item)
	if !item.NextAt.IsZero() && item.State == store.Uncertain {
		q.Wake(item.ID, item.NextAt)
	}
	return nil
}

// find looks for an uncertain mail in Sent, where the server may have filed it, and in the inbox: for itself where a person
// wrote to themselves, and for what answers it or tells what became of it; each only where no earlier part of the same mail can be what is found. It says where it looked.
func (q *Queue) find(ctx context.Context, item *store.OutboxItem) (found string, looked []string, err error) {
	s, account, cred, err := q.access(ctx, item)
	if err != nil {
		return "", nil, err
	}
	session := q.session(account, s, cred)
	look := func(mailbox, name string) (bool, error) {
		ref, err := finder(session, item)(ctx, mailbox, item.MessageID)
		if err == nil {
			looked = append(looked, name)
		}
		return len(ref.UIDs) > 0, err
	}
	if len(item.Reached) == 0 && !item.Filed {
		box, err := session.MailboxByRole(ctx, mailclient.RoleSent, false, "")
		if err == nil {
			var there bool
			if there, err = look(box.Name, "sent"); there {
				return store.FoundInSent, looked, nil
			}
		}
		if err != nil {
			return "", looked, err
		}
	}
	to, err := q.toThemselves(ctx, account, item)
	if err != nil {
		return "", looked, err
	}
	if to {
		if there, err := look("INBOX", "inbox"); there {
			return store.FoundInInbox, looked, nil
		} else if err != nil {
			return "", looked, err
		}
	}
	if len(item.Reached) > 0 {
		return "", looked, nil
	}
	named, err := session.Named(ctx, "INBOX", item.MessageID, item.Created.AddDate(0, 0, -1)) // the server's day may be another
	if err == nil && !to {
		looked = append(looked, "inbox")
	}
	if named {
		found = store.FoundAnswer
	}
	return found, looked, err
}

// toThemselves says whether the uncertain text was for an address of its writer, and nothing of the mail went there before.
func (q *Queue) toThemselves(ctx context.Context, a store.Account, item *store.OutboxItem) (bool, error) {
	ids, err := q.store.Identities(ctx, item.UserID)
	own := func(r string) bool {
		return strings.EqualFold(r, a.Address) || slices.ContainsFunc(ids, func(i store.Identity) bool { return strings.EqualFold(r, i.Address) })
	}
	return slices.ContainsFunc(item.Perhaps, own) && !slices.ContainsFunc(item.Reached, own), err
}
