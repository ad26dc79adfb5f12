package jobs

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"restante/internal/store"
	"restante/mailclient"
)

const (
	workBatch = 500             // mails between two looks at whether to stop
	workTime  = 2 * time.Minute // for a batch
	workLease = 3 * time.Minute
	workTries = 5 // at a batch, when the server is away
)

type workArgs struct {
	WorkID int64 `json:"work_id"`
}

// Kind names the job for River.
func (workArgs) Kind() string { return "work" }

type workWorker struct {
	river.WorkerDefaults[workArgs]
	q *Queue
}

// AddWorkTx puts an act on many mails into the caller's transaction, to be done at once in the background. words are
// the caller's own, kept beside it.
func (q *Queue) AddWorkTx(ctx context.Context, tx *sql.Tx, a store.Account, steps []mailclient.Step, words string, c Credential) (id int64, err error) {
	raw, err := json.Marshal(steps)
	if err != nil {
		return 0, err
	}
	w := store.Work{UserID: a.UserID, AccountID: a.ID, Steps: string(raw), Words: words, Cred: q.sealCredential(workPlace(a.UserID, a.ID), c)}
	for _, st := range steps {
		w.Total += st.Size()
	}
	if id, err = q.store.AddWorkTx(ctx, tx, w); err != nil {
		return 0, err
	}
	_, err = q.client.InsertTx(ctx, tx, workArgs{WorkID: id}, nil)
	return id, err
}

func workPlace(userID, accountID int64) string {
	return fmt.Sprintf("work/cred/%d/%d", userID, accountID)
}

// Work does an act batch by batch. What a killed worker has done and not recorded is passed over by the next one, for
// those mails are gone from where they were.
func (ww *workWorker) Work(ctx context.Context, job *river.Job[workArgs]) error {
	q := ww.q
	w, err := q.store.TakeWork(ctx, job.Args.WorkID, q.node, workLease)
	if errors.Is(err, store.ErrNotFound) {
		return nil // ended, or another worker has it
	}
	if err != nil {
		return err
	}
	var next time.Time
	if w.State, err = q.workOn(ctx, &w); err != nil {
		if w.Problem = workProblem(err); ctx.Err() != nil {
			w.State = store.WorkWaiting // this node stops; whoever looks next goes on
		} else if w.Problem == "silent" && w.Tries < workTries {
			w.Tries++
			w.State, next = store.WorkWaiting, time.Now().Add(time.Duration(w.Tries)*5*time.Second)
		} else {
			w.State = store.WorkFailed
		}
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := q.store.FinishWork(end, w, q.node, next); err != nil {
		return err
	}
	q.log.Info("work", "work", w.ID, "state", string(w.State), "done", w.Done, "of", w.Total, "problem", w.Problem)
	q.tellWork(w.UserID)
	if !next.IsZero() {
		_, err = q.client.Insert(end, workArgs{WorkID: w.ID}, &river.InsertOpts{ScheduledAt: next.Add(10 * time.Millisecond)})
	}
	return err
}

func (q *Queue) tellWork(userID int64) {
	if q.notifyWork != nil {
		q.notifyWork(userID)
	}
}

// workOn does what is left of w, and gives the state it ends in.
func (q *Queue) workOn(ctx context.Context, w *store.Work) (store.WorkState, error) {
	var steps []mailclient.Step
	if err := json.Unmarshal([]byte(w.Steps), &steps); err != nil {
		return store.WorkFailed, err
	}
	session, err := q.workSession(ctx, w)
	if err != nil {
		return store.WorkFailed, err
	}
	state := w.State
	for state != store.WorkStopping {
		st, ok := batchAt(steps, w.At)
		if !ok {
			return store.WorkDone, nil
		}
		if state, err = q.workBatch(ctx, session, w, st); err != nil {
			return store.WorkFailed, err
		}
		q.tellWork(w.UserID)
		if state == store.WorkWaiting { // until its person is let in again
			return state, nil
		}
	}
	return store.WorkStopped, nil
}

func (q *Queue) workSession(ctx context.Context, w *store.Work) (*mailclient.Session, error) {
	a, s, err := q.account(ctx, w.UserID, w.AccountID)
	if err != nil {
		return nil, err
	}
	c, err := q.openCredential(workPlace(w.UserID, w.AccountID), w.Cred)
	if err != nil {
		return nil, err
	}
	return q.session(a, s, c), nil
}

// workBatch does one batch and records it, also what was done of one that failed.
func (q *Queue) workBatch(ctx context.Context, session *mailclient.Session, w *store.Work, st mailclient.Step) (store.WorkState, error) {
	within, cancel := context.WithTimeout(ctx, workTime)
	res, failed := session.Run(within, st)
	cancel()
	if errors.Is(failed, mailclient.ErrGone) {
		failed = nil
	}
	back := ""
	if len(res.Back) > 0 {
		raw, err := json.Marshal(res.Back)
		if err != nil {
			return "", err
		}
		back = string(raw)
	}
	w.Done += res.Done
	switch {
	case failed == nil:
		w.At, w.Tries = w.At+st.Size(), 0
	case st.Kind == mailclient.ActCopy:
		w.Tries = workTries // twice would be two copies
	}
	record, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	state, err := q.store.RecordWork(record, *w, q.node, back, workLease)
	return state, errors.Join(failed, err)
}

// batchAt is the next part of steps of which at mails have had their turn; false at their end.
func batchAt(steps []mailclient.Step, at int) (mailclient.Step, bool) {
	for _, st := range steps {
		n := st.Size()
		if at >= n {
			at -= n
			continue
		}
		if len(st.Ref.UIDs) > 0 { // those that are named by Message-IDs are few
			st.Ref.UIDs = st.Ref.UIDs[at:min(at+workBatch, n)]
			st.MessageIDs = nil
		}
		return st, true
	}
	return mailclient.Step{}, false
}

// workProblem names what ended work, for the words on the page.
func workProblem(err error) string {
	var refused *mailclient.RefusedError
	var signIn *mailclient.SignInError
	var lost *mailclient.ConnectError
	var token *mailclient.TokenError
	switch {
	case errors.As(err, &token) && !token.Dead:
		return "silent"
	case errors.As(err, &signIn), errors.As(err, &token):
		return "signin"
	case errors.Is(err, mailclient.ErrNoMailbox), errors.Is(err, mailclient.ErrUIDValidity):
		return "folder"
	case errors.As(err, &refused) && refused.Code == "OVERQUOTA":
		return "quota"
	case errors.As(err, &refused), errors.Is(err, mailclient.ErrNoRight):
		return "refused"
	case errors.As(err, &lost), errors.Is(err, mailclient.ErrBusy), errors.Is(err, context.DeadlineExceeded):
		return "silent"
	}
	return "broken"
}
