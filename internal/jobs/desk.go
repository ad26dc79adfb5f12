package jobs

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"restante/internal/store"
)

// RetrySend has an outbox item tried at once, as an admin may: see store.RetryStoppedTx.
func (q *Queue) RetrySend(ctx context.Context, id int64) error {
	now := time.Now()
	err := q.store.InTx(ctx, func(tx *sql.Tx) error {
		if err := q.store.RetryStoppedTx(ctx, tx, id); err != nil {
			return err
		}
		_, err := q.SendTx(ctx, tx, id, now)
		return err
	})
	if err != nil {
		return err
	}
	q.Wake(id, now)
	return q.tellOf(ctx, id)
}

// StopSend takes an outbox item from the queue, as an admin may: see store.StopOutbox.
func (q *Queue) StopSend(ctx context.Context, id int64) error {
	if err := q.store.StopOutbox(ctx, id); err != nil {
		return err
	}
	return q.tellOf(ctx, id)
}

// tellOf tells the pages of an item's writer.
func (q *Queue) tellOf(ctx context.Context, id int64) error {
	item, err := q.store.OutboxItemForJob(ctx, id)
	if err == nil {
		q.tell(item)
	}
	return err
}

// StopWork ends anybody's act in the background, as an admin may.
func (q *Queue) StopWork(ctx context.Context, userID, id int64) error {
	err := q.store.StopAnyWork(ctx, id)
	if err == nil {
		q.tellWork(userID)
	}
	return err
}

// HoldImport has an admin pause a source, or let it go on, at once if it is due.
func (q *Queue) HoldImport(ctx context.Context, userID, id int64, held bool) error {
	if err := q.store.SetSourceHeld(ctx, id, held); err != nil {
		return err
	}
	q.tellImport(userID)
	if held {
		return nil
	}
	return q.askForRun(ctx, id)
}

// HoldImports has an admin pause all imports, or let them go on but for those that are held one by one.
func (q *Queue) HoldImports(ctx context.Context, held bool) error {
	value := ""
	if held {
		value = "1"
	}
	if err := q.store.SetSite(ctx, store.SiteImportsHeld, value); err != nil || held {
		return err
	}
	return q.wakeSources(ctx)
}

// Trouble is a task of the program itself, or a worker of one of the other jobs, that has ended in an error.
type Trouble struct {
	ID     int64
	Task   string // its kind
	Tries  int
	Last   time.Time // its latest error
	Next   time.Time // its next try; zero when there is none
	Words  string    // of the error, without addresses
	GaveUp bool
	Woken  bool // a worker of another job, which is woken again without it
}

// woken are the kinds of jobs that wakeLeftovers puts into the queue again.
var woken = []string{sendArgs{}.Kind(), workArgs{}.Kind(), importArgs{}.Kind()}

// Troubles lists up to n tasks that ended in an error and have not succeeded since, the newest first.
func (q *Queue) Troubles(ctx context.Context, n int) ([]Trouble, error) {
	list, err := q.client.JobList(ctx, river.NewJobListParams().States(rivertype.JobStateRetryable, rivertype.JobStateDiscarded).OrderBy(river.JobListOrderByID, river.SortOrderDesc).First(n))
	if err != nil {
		return nil, err
	}
	var out []Trouble
	for _, j := range list.Jobs {
		t := Trouble{ID: j.ID, Task: j.Kind, Tries: j.Attempt, GaveUp: j.State == rivertype.JobStateDiscarded, Woken: slices.Contains(woken, j.Kind)}
		if !t.GaveUp {
			t.Next = j.ScheduledAt
		}
		if last := len(j.Errors) - 1; last >= 0 {
			t.Last, t.Words = j.Errors[last].At, store.Masked(j.Errors[last].Error, "")
		}
		out = append(out, t)
	}
	return out, nil
}

// RetryTask has a task tried at once. store.ErrNotFound: there is none.
func (q *Queue) RetryTask(ctx context.Context, id int64) error {
	_, err := q.client.JobRetry(ctx, id)
	return notThere(err)
}

// DropTask forgets a task that ended in an error. Nothing is lost by it: what it was for is found again by those that look
// for what was left behind. store.ErrNotFound: there is none, or it runs.
func (q *Queue) DropTask(ctx context.Context, id int64) error {
	_, err := q.client.JobDelete(ctx, id)
	return notThere(err)
}

func notThere(err error) error {
	if errors.Is(err, river.ErrNotFound) || errors.Is(err, rivertype.ErrJobRunning) {
		return store.ErrNotFound
	}
	return err
}
