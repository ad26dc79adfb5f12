package index

import (
	"context"
	"errors"
	"time"

	"restante/mailclient"
)

const (
	soon     = 600 * time.Millisecond // how long a page waits for a server that could not be used a moment ago
	coldTime = 8 * time.Second        // and for a list of which the index has a part
	hardTime = 3 * time.Second        // if the server has to look at all mails for it,
	slowTime = time.Minute            // and how long it is not asked for such a list again then
)

// Away says whether an error is one of a server that cannot be used for now, and that was not asked.
func Away(err error) bool {
	var out *mailclient.OutageError
	return errors.As(err, &out)
}

// Lost says whether an error is one of a server that cannot be used for now, or was lost amid an answer: what the index
// has shows then.
func Lost(err error) bool {
	var connect *mailclient.ConnectError
	return Away(err) || errors.As(err, &connect)
}

// await waits for what was asked of the server: for grace where it can be used, and not at all where it cannot and others
// are asking already. Its error is that of what it waited for, nil where that takes longer.
func (m *Mail) await(ctx context.Context, r *run, others bool) error {
	wait, began := grace, time.Now()
	if _, out := m.Outage(); out && others {
		return nil
	} else if out {
		wait = soon
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-r.done:
		return r.err
	case <-timer.C:
		m.Silent(began)
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// heardAt is when the server last told of a mailbox what the index has of it, or of all of them with no name.
func (f *file) heardAt(mailbox string) time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := f.forest.at
	if b := f.boxes[mailbox]; b != nil && b.asked.After(at) {
		at = b.asked
	}
	return at
}

// HeardAt is when the server last told what the index has of a mailbox; with no name, of the account's mailboxes.
func (m *Mail) HeardAt(mailbox string) time.Time {
	f, done := m.ix.use(m.account, m.owner)
	if f == nil {
		return time.Time{}
	}
	defer done()
	return f.heardAt(mailbox)
}
