package jobs

import (
	"cmp"
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/riverqueue/river"

	"restante/internal/store"
	"restante/mailclient"
	"restante/mailclient/discover"
)

// Each server of each domain is looked at this often, by one node: what is down shows within a minute.
const (
	watchEvery  = 40 * time.Second
	watchServer = 12 * time.Second // for one server
	watchPass   = 35 * time.Second // for all; of more than can be looked at, those seen longest ago come first
	watchAtOnce = 16
)

type watchArgs struct{}

// Kind names the job for River.
func (watchArgs) Kind() string { return "watch" }

// LookAtServers has all servers of the domains looked at now: one was set up, or changed.
func (q *Queue) LookAtServers(ctx context.Context) error {
	_, err := q.client.Insert(ctx, watchArgs{}, nil)
	return err
}

type watchWorker struct {
	river.WorkerDefaults[watchArgs]
	q *Queue
}

// Timeout is some more than a pass takes.
func (*watchWorker) Timeout(*river.Job[watchArgs]) time.Duration { return watchPass + watchServer }

// Work looks at the servers of all domains that are set up, and notes how each answers: for the pages, which wait for
// none of them.
func (w *watchWorker) Work(ctx context.Context, _ *river.Job[watchArgs]) error {
	return w.q.lookAtServers(ctx)
}

// watchedServer is one that is to be looked at.
type watchedServer struct {
	domain  string
	service discover.Service
	at      mailclient.Endpoint
	looked  time.Time
}

func (q *Queue) lookAtServers(ctx context.Context) error {
	began := time.Now()
	all, err := q.watchedServers(ctx)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	var failed error
	var busy sync.WaitGroup
	slots := make(chan struct{}, watchAtOnce)
	for _, v := range all {
		slots <- struct{}{}
		if ctx.Err() != nil || time.Since(began) > watchPass-watchServer {
			break
		}
		busy.Go(func() {
			defer func() { <-slots }()
			err := q.lookAt(ctx, v)
			mu.Lock()
			defer mu.Unlock()
			failed = errors.Join(failed, err)
		})
	}
	busy.Wait()
	if failed != nil || ctx.Err() != nil { // what was broken off is no failure: the next look comes soon
		return failed
	}
	return q.store.ForgetWatched(ctx, began.Add(-time.Hour))
}

// watchedServers are those of the domains that are set up, the one that was looked at longest ago first.
func (q *Queue) watchedServers(ctx context.Context) (out []watchedServer, err error) {
	seen, err := q.store.Watched(ctx)
	if err != nil {
		return nil, err
	}
	for _, d := range q.servers.Own() {
		for _, v := range []watchedServer{
			{d.Domain, discover.IMAP, d.IMAP, time.Time{}}, {d.Domain, discover.Submission, d.SMTP, time.Time{}},
			{d.Domain, discover.Sieve, d.Sieve, time.Time{}}, {d.Domain, discover.POP3, d.POP3, time.Time{}},
		} {
			if v.at.Host == "" {
				continue
			}
			if i := slices.IndexFunc(seen, func(w store.Watched) bool { return w.Domain == v.domain && w.Service == string(v.service) }); i >= 0 {
				v.looked = seen[i].Looked
			}
			out = append(out, v)
		}
	}
	slices.SortStableFunc(out, func(a, b watchedServer) int { return a.looked.Compare(b.looked) })
	return out, nil
}

// lookAt notes how a server answers. A look that was broken off says nothing.
func (q *Queue) lookAt(ctx context.Context, v watchedServer) error {
	within, cancel := context.WithTimeout(ctx, watchServer)
	defer cancel()
	probe := discover.Try(within, v.service, v.at)
	if ctx.Err() != nil {
		return nil
	}
	w := store.Watched{Domain: v.domain, Service: string(v.service), Server: net.JoinHostPort(v.at.Host, strconv.Itoa(v.at.Port)), Problem: string(probe.Problem)}
	if c := probe.Certificate; c != nil {
		w.CertUntil = c.NotAfter
		if len(c.Faults) > 0 {
			w.Problem = cmp.Or(w.Problem, string(c.Faults[0]))
		}
	}
	if err := q.store.SaveWatched(ctx, w); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}
