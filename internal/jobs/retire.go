package jobs

import (
	"context"

	"github.com/riverqueue/river"

	"restante/internal/store"
	"restante/mailclient/pop3"
)

type retireArgs struct {
	UserID int64 `json:"user_id"`
}

// Kind names the job for River.
func (retireArgs) Kind() string { return "retire" }

type retireWorker struct {
	river.WorkerDefaults[retireArgs]
	q *Queue
}

// Work gives up what a provider gave for a user who has signed out.
func (w *retireWorker) Work(ctx context.Context, job *river.Job[retireArgs]) error {
	return w.q.retire(ctx, job.Args.UserID)
}

func (q *Queue) retire(ctx context.Context, userID int64) error {
	if q.tokens == nil {
		return nil
	}
	return q.tokens.Retire(ctx, userID)
}

// SignedOut has what a provider gave for a user given up, in the background, where it is not needed any more.
func (q *Queue) SignedOut(ctx context.Context, userID int64) error {
	_, err := q.client.Insert(ctx, retireArgs{UserID: userID}, nil)
	return err
}

// SignedInAgain lets go on what waited until a person has signed in at their provider again: mails of the account, and
// sources that are read by the same token.
func (q *Queue) SignedInAgain(ctx context.Context, a store.Account, c Credential) error {
	if err := q.sendWaiting(ctx, a, &c); err != nil {
		return err
	}
	return q.goOnWith(ctx, a.UserID, c.Token)
}

// sendWaiting sends the mails of an account that wait for its sign-in: with c, or nil where they have what they need.
func (q *Queue) sendWaiting(ctx context.Context, a store.Account, c *Credential) error {
	waiting, err := q.store.WaitingForSignIn(ctx, a.UserID, a.ID)
	if err != nil {
		return err
	}
	return q.sendAgain(ctx, a.UserID, waiting, c)
}

// goOnWith runs the sources that stood because a token was dead.
func (q *Queue) goOnWith(ctx context.Context, userID, token int64) error {
	all, err := q.store.Sources(ctx, userID)
	if err != nil {
		return err
	}
	for _, o := range all {
		if o.TokenID != token || o.Problem != string(pop3.WrongLogin) {
			continue
		}
		if err := q.RunSource(ctx, userID, o.ID); err != nil {
			return err
		}
	}
	return nil
}
