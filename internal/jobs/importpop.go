package jobs

import (
	"context"
	"crypto/rand"
	"errors"
	"math/big"
	"path/filepath"
	"strconv"
	"time"

	"github.com/riverqueue/river"

	"restante/internal/store"
	"restante/mailclient/pop3"
)

// importQueue is apart from the others: a first import may take days.
const importQueue = "import"

const (
	importers     = 8 // runs at once on this node
	importSettle  = 15 * time.Second
	progressEvery = 2 * time.Second
	askedTime     = 10 * time.Minute // after which a run that was asked for is asked for again
)

type importArgs struct {
	SourceID int64 `json:"source_id"`
}

// Kind names the job for River.
func (importArgs) Kind() string { return "importpop" }

// InsertOpts puts the job into its queue.
func (importArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: importQueue, MaxAttempts: 1}
}

type importWorker struct {
	river.WorkerDefaults[importArgs]
	q *Queue
}

// Timeout is none: what a run waits for has deadlines of its own.
func (*importWorker) Timeout(*river.Job[importArgs]) time.Duration { return -1 }

// Work is one run of a source. Whatever it leaves undone, the next one takes up.
func (w *importWorker) Work(ctx context.Context, job *river.Job[importArgs]) error {
	q := w.q
	q.mu.Lock()
	delete(q.asked, job.Args.SourceID)
	q.mu.Unlock()
	o, err := q.store.TakeSource(ctx, job.Args.SourceID, q.node, lease)
	if errors.Is(err, store.ErrNotFound) {
		return nil // paused, removed, not due, or another worker has it
	}
	if err != nil {
		return err
	}
	held, letGo := q.holdSource(ctx, o.ID)
	l := &popLedger{store: q.store, hold: store.Hold{SourceID: o.ID, Node: q.node}, tell: func() { q.tellImport(o.UserID) }}
	out := pop3.Outcome{Kind: pop3.Broken}
	if l.run.ID, err = q.store.StartRun(held, l.hold); err == nil {
		out = q.importFrom(held, &o, l)
	}
	letGo()
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	l.count(out.Progress)
	l.run.Outcome, l.run.Server, l.run.ServerText = string(out.Kind), out.Host, text(out.Text)
	err = errors.Join(err, q.store.RecordRun(end, l.hold, l.run), q.finishSource(end, o, out))
	q.log.Info("import", "source", o.ID, "outcome", string(out.Kind), "done", out.Progress.Done, "of", out.Progress.Total, "deleted", out.Progress.Deleted)
	q.tellImport(o.UserID)
	if errors.Is(err, store.ErrNotFound) { // taken over by another, which writes what is to be written
		return nil
	}
	return err
}

// finishSource lets go of a source, with when it is due again.
func (q *Queue) finishSource(ctx context.Context, o store.Source, out pop3.Outcome) error {
	plan := pop3.Plan{Every: o.Every, Last: pop3.OutcomeKind(o.Problem), Failures: o.Failures}.After(out, time.Now(), jitter())
	o.Paused, o.Problem, o.Failures, o.NextAt, o.NotBefore = plan.Paused, string(plan.Last), plan.Failures, plan.Next, plan.NotBefore
	if o.Once && out.Kind == pop3.Done && !out.More { // all is here
		o.Paused = true
	}
	if out.Kind == pop3.Done {
		o.NoUIDL = out.NoUIDL
	}
	if out.Kind != pop3.Stopped {
		o.Server, o.ServerText = out.Host, text(out.Text)
	}
	return q.store.FinishSource(ctx, o, q.node)
}

// jitter is from -1 to 1, so that not all sources of a server are read at once.
func jitter() float64 {
	const most = 2000
	n, err := rand.Int(rand.Reader, big.NewInt(most+1))
	if err != nil {
		return 0
	}
	return float64(n.Int64())*2/most - 1
}

// holdSource renews the lease of a source until letGo is called. held ends when the source is not ours any more, when
// nobody could say so for half of the lease, and when the queue stops.
func (q *Queue) holdSource(ctx context.Context, id int64) (held context.Context, letGo func()) {
	held, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer cancel()
		beat := time.NewTicker(lease / 8)
		defer beat.Stop()
		for last := time.Now(); time.Since(last) < lease/2; {
			select {
			case <-held.Done():
				return
			case <-q.ending:
				return
			case <-beat.C:
			}
			within, stop := context.WithTimeout(held, lease/8)
			err := q.store.HoldSource(within, id, q.node, lease)
			stop()
			if errors.Is(err, store.ErrNotFound) {
				return
			}
			if err == nil {
				last = time.Now()
			}
		}
	}()
	return held, func() { cancel(); <-done }
}

// Interrupted says of a source that runs that its worker has given no sign for a while: it was killed, and another goes on
// once its lease has ended.
func Interrupted(o store.Source) bool {
	const signs = 3 // that are missed
	return o.Running && time.Until(o.Until) < lease-signs*lease/8
}

// importFrom brings over what a source has.
func (q *Queue) importFrom(ctx context.Context, o *store.Source, l *popLedger) pop3.Outcome {
	a, servers, err := q.account(ctx, o.UserID, o.AccountID)
	if errors.Is(err, errNoServers) {
		return pop3.Outcome{Kind: pop3.TargetAway, Text: err.Error()}
	}
	if err != nil {
		return pop3.Outcome{Kind: pop3.Broken, Text: err.Error(), Err: err}
	}
	cred, err := q.openCredential(targetPlace(*o), o.TargetCred)
	if err != nil {
		return pop3.Outcome{Kind: pop3.TargetSignIn, Text: err.Error(), Err: err}
	}
	password, err := q.ring.Open(sealPurpose, sourcePlace(*o), o.Cred)
	if err != nil {
		return pop3.Outcome{Kind: pop3.WrongLogin, Text: err.Error(), Err: err}
	}
	options := q.popOptions(*o, string(password))
	target := &popTarget{source: *o, session: q.session(a, servers, cred)}
	out := pop3.Import{
		Source: strconv.FormatInt(o.ID, 10), Ledger: l, Spool: q.spool(o.ID), Policy: policyOf(*o), Settle: q.imports.Settle,
		Target: target,
		Dial: func(ctx context.Context) (pop3.Session, error) {
			c, err := pop3.Dial(ctx, options)
			if err != nil {
				return nil, err
			}
			return c, nil
		},
		Now: time.Now, Token: rand.Text, Sleep: sleep,
	}.Run(ctx)
	if out.Text == "" && target.refused != "" { // it went into the inbox, which is to be told
		out.Host, out.Text = servers.IMAP.Host, target.refused
	}
	return out
}

// spool is where the mails of a source wait for their APPEND, on this node.
func (q *Queue) spool(sourceID int64) pop3.Dir {
	return pop3.Dir(filepath.Join(q.imports.Spool, strconv.FormatInt(sourceID, 10)))
}

func policyOf(o store.Source) pop3.Policy {
	p := pop3.Policy{Delete: o.Keep != store.KeepAll}
	if o.Keep == store.KeepDays {
		p.After = time.Duration(o.Days) * 24 * time.Hour
	}
	return p
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

func (q *Queue) tellImport(userID int64) {
	if q.imports.Notify != nil {
		q.imports.Notify(userID)
	}
}

// wakeSources inserts a job for each source that is due and has none waiting.
func (q *Queue) wakeSources(ctx context.Context) error {
	due, err := q.store.DueSources(ctx)
	for _, id := range due {
		if insErr := q.askForRun(ctx, id); insErr != nil {
			return errors.Join(err, insErr)
		}
	}
	return err
}

func (q *Queue) askForRun(ctx context.Context, id int64) error {
	q.mu.Lock()
	waits := time.Since(q.asked[id]) < askedTime
	if !waits {
		q.asked[id] = time.Now()
	}
	q.mu.Unlock()
	if waits {
		return nil
	}
	_, err := q.client.Insert(ctx, importArgs{SourceID: id}, nil)
	return err
}
