// Package jobs runs what outlives a request: sending, acts on many mails, imports, sweeping, looking at the servers of the
// domains. It knows the queue and when to try again; the work itself is one domain call. River keeps
// the jobs in the main database. Start at New.
package jobs

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"restante/internal/limits"
	"restante/internal/seal"
	"restante/internal/store"
	"restante/internal/tokens"
	"restante/mailclient"
	"restante/mailclient/discover"
	"restante/migrations"
)

// Queue is the durable queue and its workers on this node.
type Queue struct {
	store   *store.Store
	ring    *seal.Ring
	pool    *mailclient.Pool
	servers *discover.Directory
	limits  *limits.Book
	client  *river.Client[*sql.Tx]
	log     *slog.Logger
	node    string
	hello   string

	patience time.Duration // with a submission server's answer; 0 = what RFC 5321 asks for
	probes   []time.Duration
	looks    []time.Duration
	notify   func(userID int64, item store.OutboxItem)

	notifyWork func(userID int64)

	tokens  *tokens.Keeper
	imports Imports
	named   *named        // dials the servers that people name
	alive   *os.File      // locked, from Start to Stop
	ending  chan struct{} // closed by Stop: imports go on in another life

	mu     sync.Mutex
	held   map[int64]bool        // the outbox items that a worker of this node has
	timers map[int64]*time.Timer // by outbox id; wakes a held item when its time has come
	works  bool                  // between Start and Stop
	asked  map[int64]time.Time   // when this node has put a source's run into the queue, where it waits
}

// Options are the rooms that jobs call. Notify, if set, hears of each change of an outbox item.
type Options struct {
	Store   *store.Store
	Ring    *seal.Ring
	Pool    *mailclient.Pool
	Servers *discover.Directory
	Limits  *limits.Book // nil: the defaults
	Log     *slog.Logger
	Hello   string // our name for EHLO

	Patience time.Duration   // with a submission server's answer; 0 = what RFC 5321 asks for
	Probes   []time.Duration // before each look whether the server has filed a mail by itself; none = 1 s and 3 s
	Looks    []time.Duration // before each look for a mail that was perhaps sent; none = over an hour and a half
	Notify   func(userID int64, item store.OutboxItem)

	NotifyWork func(userID int64) // hears that an act in the background has come on

	Tokens  *tokens.Keeper // nil where nobody signs in by a provider
	Imports Imports
}

// New migrates River's tables and makes the queue; Start lets it work.
func New(ctx context.Context, o Options) (*Queue, error) {
	q := &Queue{
		store: o.Store, ring: o.Ring, pool: o.Pool, servers: o.Servers, limits: o.Limits, log: o.Log,
		node: store.NewID(), hello: o.Hello, patience: o.Patience, probes: o.Probes, looks: o.Looks, notify: o.Notify, notifyWork: o.NotifyWork, timers: map[int64]*time.Timer{}, held: map[int64]bool{},
		tokens: o.Tokens, imports: o.Imports, asked: map[int64]time.Time{}, ending: make(chan struct{}),
	}
	q.imports.Settle = cmp.Or(o.Imports.Settle, importSettle)
	if q.imports.Dial == nil {
		q.imports.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errNoDialler }
	}
	q.named = &named{q.imports.Dial}
	if len(q.probes) == 0 {
		q.probes = probes
	}
	if len(q.looks) == 0 {
		q.looks = looks
	}
	var driver riverdriver.Driver[*sql.Tx]
	if o.Store.Dialect() == migrations.SQLite {
		driver = riversqlite.New(o.Store.DB())
	} else {
		driver = riverdatabasesql.New(o.Store.DB())
	}
	if err := migrate(ctx, o.Store, driver); err != nil {
		return nil, err
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &sendWorker{q: q})
	river.AddWorker(workers, &workWorker{q: q})
	river.AddWorker(workers, &importWorker{q: q})
	river.AddWorker(workers, &sweepWorker{q: q})
	river.AddWorker(workers, &wakeWorker{q: q})
	river.AddWorker(workers, &watchWorker{q: q})
	river.AddWorker(workers, &retireWorker{q: q})
	client, err := river.NewClient(driver, &river.Config{
		Queues:            map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 32}, importQueue: {MaxWorkers: importers}},
		Workers:           workers,
		FetchPollInterval: 200 * time.Millisecond,
		FetchCooldown:     100 * time.Millisecond,
		JobTimeout:        30 * time.Minute,
		Logger:            slog.New(slog.DiscardHandler),
		SoftStopTimeout:   10 * time.Second,
		PeriodicJobs: []*river.PeriodicJob{
			river.NewPeriodicJob(river.PeriodicInterval(15*time.Minute),
				func() (river.JobArgs, *river.InsertOpts) { return sweepArgs{}, nil }, &river.PeriodicJobOpts{RunOnStart: true}),
			river.NewPeriodicJob(river.PeriodicInterval(lease/2),
				func() (river.JobArgs, *river.InsertOpts) { return wakeArgs{}, nil }, nil),
			river.NewPeriodicJob(river.PeriodicInterval(watchEvery),
				func() (river.JobArgs, *river.InsertOpts) { return watchArgs{}, nil }, &river.PeriodicJobOpts{RunOnStart: true}),
		},
	})
	if err != nil {
		return nil, fmt.Errorf("jobs: %w", err)
	}
	q.client = client
	return q, nil
}

func migrate(ctx context.Context, s *store.Store, driver riverdriver.Driver[*sql.Tx]) error {
	m, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("jobs: %w", err)
	}
	return s.WithMigrationLock(ctx, func() error {
		if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
			return fmt.Errorf("jobs: migrate: %w", err)
		}
		return nil
	})
}

// Start begins to work, and wakes what was left behind by a stop.
func (q *Queue) Start(ctx context.Context) error {
	if err := errors.Join(q.live(), q.bury(ctx)); err != nil {
		q.log.Warn("whether nodes live", "err", err) // leases do without, and take longer
	}
	if err := q.followClocks(ctx); err != nil {
		q.log.Warn("mails that go out later", "err", err)
	}
	if err := q.client.Start(ctx); err != nil {
		return fmt.Errorf("jobs: %w", err)
	}
	q.mu.Lock()
	q.works = true
	q.mu.Unlock()
	return q.wakeLeftovers(ctx)
}

// followClocks lets mails that go out later go by the clock that their writers chose, should its zone have other rules by now
// than when they chose it.
func (q *Queue) followClocks(ctx context.Context) error {
	moved, err := q.store.RescheduleOutbox(ctx, func(later string) (time.Time, error) {
		wall, zone, _ := strings.Cut(later, " ")
		loc, err := time.LoadLocation(zone)
		if err != nil {
			return time.Time{}, err
		}
		return time.ParseInLocation("2006-01-02T15:04", wall, loc)
	})
	for _, o := range moved {
		_, insErr := q.client.Insert(ctx, sendArgs{OutboxID: o.ID}, &river.InsertOpts{ScheduledAt: o.DueAt})
		err = errors.Join(err, insErr)
	}
	return err
}

// Stop interrupts imports and lets other running jobs end (10 s), then hands them back.
func (q *Queue) Stop(ctx context.Context) error {
	q.mu.Lock()
	if q.works {
		close(q.ending)
	}
	q.works = false
	for id, t := range q.timers {
		t.Stop()
		delete(q.timers, id)
	}
	q.mu.Unlock()
	if err := q.client.Stop(ctx); err != nil {
		return err
	}
	return q.leave()
}

// wakeLeftovers inserts a job for each item, act and source that is due: after a restart, and now and then as a safety
// net.
func (q *Queue) wakeLeftovers(ctx context.Context) error {
	left, err := q.store.DueWork(ctx)
	for _, id := range left {
		if _, insErr := q.client.Insert(ctx, workArgs{WorkID: id}, nil); insErr != nil {
			return errors.Join(err, insErr)
		}
	}
	items, itemsErr := q.store.DueOutbox(ctx, time.Now())
	err = errors.Join(err, itemsErr)
	for _, o := range items {
		if _, insErr := q.client.Insert(ctx, sendArgs{OutboxID: o.ID}, nil); insErr != nil {
			return errors.Join(err, insErr)
		}
	}
	return errors.Join(err, q.wakeSources(ctx))
}

// LetIn has go on what waited while a user was locked.
func (q *Queue) LetIn(ctx context.Context, userID int64) error {
	if err := q.store.LockUser(ctx, userID, false); err != nil {
		return err
	}
	return q.wakeLeftovers(ctx)
}

// SendTx puts a job for an outbox item into the caller's transaction, due at due.
func (q *Queue) SendTx(ctx context.Context, tx *sql.Tx, outboxID int64, due time.Time) (jobID int64, err error) {
	res, err := q.client.InsertTx(ctx, tx, sendArgs{OutboxID: outboxID}, &river.InsertOpts{ScheduledAt: due})
	if err != nil {
		return 0, err
	}
	return res.Job.ID, nil
}

// Wake makes sure that an item is looked at at the very second it is due: River moves scheduled jobs each 5 s only.
// To be called once its transaction is committed.
func (q *Queue) Wake(outboxID int64, due time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.works { // the job itself is enough, and River takes no jobs while it starts
		return
	}
	if old := q.timers[outboxID]; old != nil {
		old.Stop()
	}
	q.timers[outboxID] = time.AfterFunc(time.Until(due)+10*time.Millisecond, func() {
		q.mu.Lock()
		delete(q.timers, outboxID)
		works := q.works
		q.mu.Unlock()
		if !works {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if _, err := q.client.Insert(ctx, sendArgs{OutboxID: outboxID}, nil); err != nil {
			q.log.Warn("wake outbox item", "item", outboxID, "err", err)
		}
	})
}

type sweepArgs struct{}

// Kind names the job for River.
func (sweepArgs) Kind() string { return "sweep" }

type sweepWorker struct {
	river.WorkerDefaults[sweepArgs]
	q *Queue
}

// Work removes what has expired and wakes items that were left behind.
func (w *sweepWorker) Work(ctx context.Context, _ *river.Job[sweepArgs]) error {
	s := w.q.store
	return errors.Join(s.SweepSessions(ctx), s.SweepOutbox(ctx), s.SweepWork(ctx), s.SweepDrafts(ctx), s.SweepArriving(ctx), s.SweepBlobs(ctx), s.SweepTries(ctx), s.SweepDiscovered(ctx), s.SweepSources(ctx), s.SweepAdminSessions(ctx, 24*time.Hour), s.SweepAudit(ctx), w.q.sweepSpools(ctx), w.q.retire(ctx, 0))
}

type wakeArgs struct{}

// Kind names the job for River.
func (wakeArgs) Kind() string { return "wake" }

type wakeWorker struct {
	river.WorkerDefaults[wakeArgs]
	q *Queue
}

// Work wakes items that a killed process left behind.
func (w *wakeWorker) Work(ctx context.Context, _ *river.Job[wakeArgs]) error {
	return w.q.wakeLeftovers(ctx)
}
