package jobs_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"restante/internal/jobs"
	"restante/internal/seal"
	"restante/internal/store"
	"restante/internal/testdb"
	"restante/internal/testmail"
	"restante/internal/testproc"
	"restante/mailclient"
	"restante/mailclient/discover"
)

func TestMain(m *testing.M) { testmail.Main(m) }

var ctx = context.Background()

// soon is when the queue looks into Sent, where no test is about a server that takes its time.
var soon = []time.Duration{0, 10 * time.Millisecond}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// house is a store with one node's queue over a mail server, and its user Anna, who writes to Ben.
type house struct {
	store     *store.Store
	queue     *jobs.Queue
	pool      *mailclient.Pool
	srv       *testmail.Server
	anna, ben testmail.User
	user      store.User
	account   store.Account
	servers   discover.Servers
	ring      *seal.Ring
}

// begin makes a database with the newest schema in dir, the queue's own too.
func begin(dir string) error {
	s, err := store.Open(ctx, "", dir)
	if err != nil {
		return err
	}
	_, err = jobs.New(ctx, jobs.Options{Store: s, Log: slog.New(slog.DiscardHandler)})
	return errors.Join(err, s.Close())
}

// build makes a house; change may alter the servers. The queue is not started.
func build(t *testing.T, db testdb.DB, srv *testmail.Server, change func(*discover.Servers)) *house {
	t.Helper()
	h := &house{srv: srv, anna: srv.NewUser(t), ben: srv.NewUser(t), ring: seal.NewRing()}
	plain := func(a testmail.Address) mailclient.Endpoint {
		return mailclient.Endpoint{Host: a.Host, Port: a.Port, Security: mailclient.Plain}
	}
	h.servers = discover.Servers{Domain: srv.Domain, IMAP: plain(srv.IMAP), SMTP: plain(srv.Submission)}
	if change != nil {
		change(&h.servers)
	}
	var err error
	db.Begin(t, db.Dir, begin)
	h.store, err = store.Open(ctx, db.URL, db.Dir)
	ok(t, err)
	t.Cleanup(func() { _ = h.store.Close() })
	h.user, h.account, err = h.store.EnsureUser(ctx, h.anna.Address, h.anna.Address)
	ok(t, err)
	h.queue, h.pool = h.node(t, h.store)
	return h
}

// node makes another queue on a store, with a pool of its own.
func (h *house) node(t *testing.T, s *store.Store, change ...func(*jobs.Options)) (*jobs.Queue, *mailclient.Pool) {
	t.Helper()
	pool := mailclient.NewPool(mailclient.Limits{})
	t.Cleanup(pool.Close)
	o := jobs.Options{
		Store: s, Ring: h.ring, Pool: pool, Servers: discover.NewDirectory(h.servers), Log: slog.New(slog.DiscardHandler), Hello: "restante.test",
		Probes: soon, Looks: soon,
	}
	for _, f := range change {
		f(&o)
	}
	q, err := jobs.New(ctx, o)
	ok(t, err)
	return q, pool
}

// start lets the queue work until the test ends.
func start(t *testing.T, q *jobs.Queue) {
	t.Helper()
	ok(t, q.Start(ctx))
	t.Cleanup(func() {
		stop, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		if err := q.Stop(stop); err != nil {
			t.Error(err)
		}
	})
}

// post writes a mail with a Bcc and puts it into the outbox, due at once, under a password.
func (h *house) post(t *testing.T, subject, password string, change func(*store.OutboxItem)) store.OutboxItem {
	t.Helper()
	d, err := h.store.CreateDraft(ctx, store.Draft{UserID: h.user.ID, AccountID: h.account.ID, Fields: store.DraftFields{To: "Ben <" + h.ben.Address + ">", Subject: subject}})
	ok(t, err)
	bcc := "Bcc: secret@" + h.srv.Domain + "\r\n"
	mail := bcc + testmail.Mail(h.anna.Address, subject, "text")
	blob, size, err := h.store.WriteBlob(ctx, h.user.ID, strings.NewReader(mail), 1<<20)
	ok(t, err)
	_, id, _ := strings.Cut(mail, "Message-ID: <")
	id, _, _ = strings.Cut(id, ">")
	item := store.OutboxItem{
		UserID: h.user.ID, AccountID: h.account.ID, DraftID: d.ID, DueAt: time.Now(), BlobID: blob, Size: size, Skip: int64(len(bcc)),
		From: h.anna.Address, Recipients: []string{h.ben.Address}, Subject: subject, MessageID: id,
	}
	if change != nil {
		change(&item)
	}
	ok(t, h.store.InTx(ctx, func(tx *sql.Tx) error {
		if item.ID, err = h.store.EnqueueTx(ctx, tx, item); err != nil {
			return err
		}
		job, err := h.queue.SendTx(ctx, tx, item.ID, item.DueAt)
		if err != nil {
			return err
		}
		cred := h.queue.SealCredential(h.user.ID, item.ID, jobs.Credential{Username: h.anna.Address, Password: password})
		return h.store.SetOutboxCredTx(ctx, tx, item.ID, cred, job)
	}))
	h.queue.Wake(item.ID, item.DueAt)
	return item
}

// becomes waits until an item is in a state, and gives it.
func (h *house) becomes(t *testing.T, id int64, want store.OutboxState) (o store.OutboxItem) {
	t.Helper()
	h.until(t, func() error {
		var err error
		if o, err = h.store.OutboxItem(ctx, h.user.ID, id); err == nil && o.State != want {
			err = fmt.Errorf("item is %s (%s: %s), want %s", o.State, o.Problem, o.ServerText, want)
		}
		return err
	})
	return o
}

func (h *house) until(t *testing.T, ready func() error) {
	t.Helper()
	if err := testproc.Wait(30*time.Second, ready); err != nil {
		t.Fatal(err)
	}
}

// has waits until a mailbox of a user has n mails, and gives their sources.
func (h *house) has(t *testing.T, u testmail.User, mailbox string, n int) string {
	t.Helper()
	talk := h.srv.Talk(t, u)
	defer talk.Close()
	h.until(t, func() error {
		if got := talk.Count(mailbox); got != n {
			return fmt.Errorf("%s of %s has %d mails, want %d", mailbox, u.Address, got, n)
		}
		return nil
	})
	if n == 0 {
		return ""
	}
	talk.Do("SELECT %q", mailbox)
	return strings.Join(talk.Do("FETCH 1:* (FLAGS BODY.PEEK[])"), "\n")
}

var errNotYet = errors.New("not yet")
