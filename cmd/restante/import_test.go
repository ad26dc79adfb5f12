package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"restante/internal/config"
	"restante/internal/jobs"
	"restante/internal/seal"
	"restante/internal/store"
	"restante/internal/testdb"
	"restante/internal/testmail"
	"restante/internal/testproc"
	"restante/mailclient"
	"restante/mailclient/discover"
)

// importer is a data directory in which a person imports from a POP3 mailbox.
type importer struct {
	t      testing.TB
	mail   *testmail.Server // of the person
	from   *testmail.Server // of the old mailbox
	data   string
	conf   config.Config
	person testmail.User
	old    testmail.User
	source store.Source
}

// newImporter sets a source up in a data directory, as the pages do, for a new person.
func newImporter(t testing.TB, mail *testmail.Server, old testmail.User, keep store.Keep, data string) *importer {
	t.Helper()
	return newImporterOf(t, mail, mail.NewUser(t), mail, old, keep, data)
}

func newImporterOf(t testing.TB, mail *testmail.Server, person testmail.User, from *testmail.Server, old testmail.User, keep store.Keep, data string) *importer {
	t.Helper()
	i := &importer{t: t, mail: mail, from: from, data: data, person: person, old: old}
	i.conf = config.Default()
	i.conf.Data, i.conf.KeyFile = i.data, i.data+".key"
	i.open(func(ctx context.Context, s *store.Store, q *jobs.Queue) error {
		u, a, err := s.EnsureUser(ctx, i.person.Address, i.person.Address)
		if err != nil {
			return err
		}
		o := store.Source{UserID: u.ID, Host: from.POP3.Host, Port: from.POP3.Port, Security: "starttls", Username: i.old.Address, Mailbox: "Old mail", Keep: keep, Every: 15 * time.Minute}
		i.source, err = q.AddSource(ctx, a, o, i.old.Password, jobs.Credential{Username: i.person.Address, Password: i.person.Password})
		return err
	})
	return i
}

// open looks into the database beside the program.
func (i *importer) open(f func(ctx context.Context, s *store.Store, q *jobs.Queue) error) {
	i.t.Helper()
	ctx := i.t.Context()
	fail := func(err error) {
		i.t.Helper()
		if err != nil {
			i.t.Fatal(err)
		}
	}
	fail(i.conf.EnsureData())
	ring, _, err := seal.LoadOrCreate(i.conf.KeyFile)
	fail(err)
	s, err := store.Open(ctx, "", i.data)
	fail(err)
	pool := mailclient.NewPool(mailclient.Limits{})
	defer pool.Close()
	q, err := jobs.New(ctx, jobs.Options{Store: s, Ring: ring, Pool: pool, Servers: discover.NewDirectory(), Log: slog.New(slog.DiscardHandler)})
	fail(err)
	fail(f(ctx, s, q))
	fail(s.Close())
}

// ended waits until the first run has ended. Meanwhile it shows how far it is.
func (i *importer) ended(each ...func(store.ImportRun)) (run store.ImportRun) {
	i.t.Helper()
	i.open(func(ctx context.Context, s *store.Store, _ *jobs.Queue) error {
		return testproc.Wait(30*time.Minute, func() error {
			runs, err := s.Runs(ctx, i.source.UserID, i.source.ID, 1)
			for _, r := range runs {
				for _, f := range each {
					f(r)
				}
			}
			if err != nil || len(runs) == 0 || runs[0].Ended.IsZero() {
				return fmt.Errorf("%+v, %v", runs, err)
			}
			run = runs[0]
			return nil
		})
	})
	return run
}

// arrived waits until the mailbox has at least so many mails.
func (i *importer) arrived(n int) {
	i.t.Helper()
	talk := i.mail.Talk(i.t, i.person)
	defer talk.Close()
	err := testproc.Wait(2*time.Minute, func() error {
		got := 0
		if lines, _ := talk.Try(`LIST "" "Old mail"`); len(lines) > 0 {
			got = talk.Count("Old mail")
		}
		if got < n {
			return fmt.Errorf("%d mails, not %d", got, n)
		}
		return nil
	})
	if err != nil {
		i.t.Fatal(err)
	}
}

// TestP17_SigningInLetsImportsGoOn that the account's new password has stopped.
func TestP17_SigningInLetsImportsGoOn(t *testing.T) {
	mail := testmail.Postfix(t, testmail.PostfixOptions{})
	old, person := mail.NewUser(t), mail.NewUser(t)
	mail.Deliver(t, old, testmail.Mail("ben@keller.example", "Letter", "text"))
	db := testdb.SQLite(t)
	s := newSite(t, mail, db, func(c *config.Config) {
		c.AllowHosts, c.CAFile, c.KeyFile = []string{"127.0.0.0/8"}, mail.CAFile, c.Data+".key"
	})
	stale := person
	stale.Password = "that of last year"
	i := newImporterOf(t, mail, stale, mail, old, store.KeepAll, s.conf.Data)
	if run := i.ended(); run.Outcome != "target" || run.Done != 0 {
		t.Errorf("%+v", run)
	}
	s.signIn(person)
	i.person = person
	i.arrived(1)
}

// TestP19_AKilledProgramLosesAndDoublesNothing: it is killed in the midst of an import that deletes at the source, some
// times, and started again.
func TestP19_AKilledProgramLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	mail := testmail.Postfix(t, testmail.PostfixOptions{})
	emptied(t, mail, mail, 600, 40, 250, 520)
}

// TestX86_CourierIsEmptiedThoughTheProgramIsKilled: another server, which makes its UIDs of file names, and wants to be
// left alone for 10 s between two sessions.
func TestX86_CourierIsEmptiedThoughTheProgramIsKilled(t *testing.T) {
	t.Parallel()
	emptied(t, testmail.Postfix(t, testmail.PostfixOptions{}), testmail.Courier(t), 150, 60)
}

// emptied has n mails of a new mailbox brought over and deleted there, by a program that is killed each time that so
// many have arrived.
func emptied(t *testing.T, mail, from *testmail.Server, n int, kills ...int) {
	t.Helper()
	old := from.NewUser(t)
	var mails []string
	for k := range n {
		mails = append(mails, testmail.Mail("ben@keller.example", fmt.Sprintf("Letter %d", k), strings.Repeat("text ", 1000)))
	}
	from.Deliver(t, old, mails...)
	i := newImporterOf(t, mail, mail.NewUser(t), from, old, store.KeepNone, filepath.Join(t.TempDir(), "data"))
	file := buildProgram(t)
	for _, at := range kills {
		p := startProgram(t, mail, file, i.data)
		i.arrived(at)
		p.kill()
	}
	p := startProgram(t, mail, file, i.data)
	i.arrived(n)
	talk := from.Talk(t, old)
	if err := testproc.Wait(time.Minute, func() error {
		if left := talk.Count("INBOX"); left > 0 {
			return fmt.Errorf("%d mails are left at the source", left)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	p.stop()
	there := mail.Talk(t, i.person)
	there.Do(`SELECT "Old mail"`)
	all := strings.Join(there.Do("FETCH 1:* (BODY.PEEK[HEADER.FIELDS (Subject)])"), "\n")
	for k := range n {
		if got := strings.Count(all, fmt.Sprintf("Subject: Letter %d\r\n", k)); got != 1 {
			t.Errorf("letter %d is there %d times", k, got)
		}
	}
}
