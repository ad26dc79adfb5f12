package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"restante/internal/demo"
	"restante/internal/jobs"
	"restante/internal/store"
	"restante/internal/testdb"
	"restante/internal/testmail"
	"restante/mailclient/pop3"
)

// importing is a house whose queue imports; old is Anna's mailbox elsewhere.
type importing struct {
	*house
	old   testmail.User
	spool string
	seen  chan int64
}

func newImporting(t *testing.T, db testdb.DB, srv *testmail.Server) *importing {
	t.Helper()
	i := &importing{house: build(t, db, srv, nil), spool: t.TempDir(), seen: make(chan int64, 1000)}
	i.old = srv.NewUser(t)
	i.queue = i.importer(t)
	return i
}

// importer is a node's queue.
func (i *importing) importer(t *testing.T) *jobs.Queue {
	t.Helper()
	q, _ := i.node(t, i.store, func(o *jobs.Options) {
		o.Imports = jobs.Imports{Dial: (&net.Dialer{}).DialContext, RootCAs: i.srv.CA, Spool: i.spool, Settle: time.Second, Notify: func(userID int64) {
			select {
			case i.seen <- userID:
			default:
			}
		}}
	})
	return q
}

func (i *importing) deliver(t *testing.T, from, to int) {
	t.Helper()
	var mails []string
	for n := from; n < to; n++ {
		mails = append(mails, testmail.Mail("ben@keller.example", fmt.Sprintf("Letter %d", n), ".\ntext\n.."))
	}
	i.srv.Deliver(t, i.old, mails...)
}

// source is that of the old mailbox, by TLS.
func (i *importing) source() store.Source {
	return store.Source{Host: i.srv.POP3S.Host, Port: i.srv.POP3S.Port, Security: "tls", Username: i.old.Address, Mailbox: "Old mail", Keep: store.KeepAll, Every: 15 * time.Minute}
}

func (i *importing) add(t *testing.T, o store.Source) store.Source {
	t.Helper()
	o, err := i.queue.AddSource(ctx, i.account, o, i.old.Password, jobs.Credential{Username: i.anna.Address, Password: i.anna.Password})
	ok(t, err)
	return o
}

// ended waits until n runs have ended, and gives the source and the last one.
func (i *importing) ended(t *testing.T, o store.Source, n int) (got store.Source, run store.ImportRun) {
	t.Helper()
	i.until(t, func() error {
		runs, err := i.store.Runs(ctx, i.user.ID, o.ID, 100)
		if err != nil || len(runs) < n || runs[0].Ended.IsZero() {
			return fmt.Errorf("%d runs: %+v, %v", len(runs), runs, err)
		}
		run = runs[0]
		if got, err = i.store.Source(ctx, i.user.ID, o.ID); err == nil && got.Running {
			err = errNotYet
		}
		return err
	})
	return got, run
}

func (i *importing) atSource(t *testing.T, want int) {
	t.Helper()
	n, err := i.queue.CheckSource(ctx, i.source(), i.old.Password)
	if err != nil || n != want {
		t.Errorf("the source has %d mails, not %d: %v", n, want, err)
	}
}

// TestPop_ASourceIsReadWhileNobodyIsSignedIn: its mails come into the mailbox, once, and the history tells.
func TestPop_ASourceIsReadWhileNobodyIsSignedIn(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		i := newImporting(t, db, testmail.Dovecot(t, testmail.DovecotOptions{}))
		i.deliver(t, 0, 40)
		start(t, i.queue)
		o := i.add(t, i.source())
		got, run := i.ended(t, o, 1)
		if run.Outcome != "done" || run.Done != 40 || run.Total != 40 || run.Bytes == 0 || run.Failed != 0 || got.Problem != "done" || got.Paused || time.Until(got.NextAt) < 13*time.Minute {
			t.Errorf("%+v, %+v", run, got)
		}
		raw := i.has(t, i.anna, "Old mail", 40)
		for n := range 40 {
			if strings.Count(raw, fmt.Sprintf("Subject: Letter %d\r\n", n)) != 1 {
				t.Errorf("letter %d is not there once", n)
			}
		}
		if strings.Count(raw, "\r\n\r\n.\r\ntext\r\n..\r\n") != 40 || strings.Count(raw, fmt.Sprintf("X-Restante-Import: %d.", o.ID)) != 40 || strings.Contains(raw, `\Seen`) {
			t.Error("they are not the mails that they were")
		}
		select {
		case id := <-i.seen:
			if id != i.user.ID {
				t.Errorf("user %d heard of it", id)
			}
		default:
			t.Error("nobody heard of it")
		}
		i.deliver(t, 40, 42)
		ok(t, i.queue.RunSource(ctx, i.user.ID, o.ID))
		if _, run = i.ended(t, o, 2); run.Done != 2 {
			t.Errorf("%+v", run)
		}
		i.has(t, i.anna, "Old mail", 42)
		i.atSource(t, 42)
		if n, err := i.store.CountDeletions(ctx, i.user.ID, o.ID, store.KeepNone, 0); err != nil || n != 42 {
			t.Errorf("%d would be deleted, %v", n, err)
		}
		o.Keep = store.KeepNone
		ok(t, i.queue.ChangeSource(ctx, o))
		ok(t, i.queue.RunSource(ctx, i.user.ID, o.ID))
		if _, run = i.ended(t, o, 3); run.Deleted != 42 || run.Done != 0 {
			t.Errorf("%+v", run)
		}
		i.atSource(t, 0)
		i.has(t, i.anna, "Old mail", 42)
		ok(t, i.store.RemoveSource(ctx, i.user.ID, o.ID))
		i.has(t, i.anna, "Old mail", 42)
	})
}

// TestP3_WhatIsWrongIsTold, and what goes on by itself when it is put right.
func TestP3_WhatIsWrongIsTold(t *testing.T) {
	i := newImporting(t, testdb.SQLite(t), testmail.Dovecot(t, testmail.DovecotOptions{}))
	i.deliver(t, 0, 3)
	start(t, i.queue)
	t.Run("the source's password", func(t *testing.T) {
		o := i.source()
		var no *pop3.RefusedError
		if _, err := i.queue.CheckSource(ctx, o, "wrong"); !errors.As(err, &no) || no.Reason() != pop3.Password {
			t.Errorf("%v", err)
		}
		o, err := i.queue.AddSource(ctx, i.account, o, "wrong", jobs.Credential{Username: i.anna.Address, Password: i.anna.Password})
		ok(t, err)
		if got, run := i.ended(t, o, 1); run.Outcome != "signin" || !got.Paused || got.Problem != "signin" || got.ServerText == "" {
			t.Errorf("%+v, %+v", run, got)
		}
		ok(t, i.queue.SetSourcePassword(ctx, i.user.ID, o.ID, i.old.Password))
		if got, run := i.ended(t, o, 2); run.Outcome != "done" || got.Paused || run.Done != 3 {
			t.Errorf("%+v, %+v", run, got)
		}
		ok(t, i.store.RemoveSource(ctx, i.user.ID, o.ID))
	})
	t.Run("the account's password, until its person signs in", func(t *testing.T) {
		i.deliver(t, 3, 4)
		o, err := i.queue.AddSource(ctx, i.account, i.source(), i.old.Password, jobs.Credential{Username: i.anna.Address, Password: "old"})
		ok(t, err)
		if got, run := i.ended(t, o, 3); run.Outcome != "target" || !got.Paused {
			t.Errorf("%+v, %+v", run, got)
		}
		i.atSource(t, 4)
		ok(t, i.queue.RefreshSources(ctx, i.account, jobs.Credential{Username: i.anna.Address, Password: i.anna.Password}))
		if got, run := i.ended(t, o, 4); run.Outcome != "done" || got.Paused || run.Done != 1 {
			t.Errorf("%+v, %+v", run, got)
		}
		i.has(t, i.anna, "Old mail", 4)
		ok(t, i.store.RemoveSource(ctx, i.user.ID, o.ID))
	})
	t.Run("the mailbox, in whose place the inbox is", func(t *testing.T) {
		i.deliver(t, 4, 5)
		o := i.source()
		o.Mailbox = "/x"
		o = i.add(t, o)
		if got, run := i.ended(t, o, 5); run.Outcome != "done" || run.Done != 1 || got.ServerText == "" {
			t.Errorf("%+v, %+v", run, got)
		}
		i.has(t, i.anna, "INBOX", 1)
		ok(t, i.store.RemoveSource(ctx, i.user.ID, o.ID))
	})
	t.Run("the server", func(t *testing.T) {
		o := i.source()
		o.Username, o.Host = "other", "127.0.0.1"
		o.Port = 1
		o = i.add(t, o)
		if got, run := i.ended(t, o, 1); run.Outcome != "unreachable" || got.Paused || got.Failures != 1 {
			t.Errorf("%+v, %+v", run, got)
		}
		for what, bad := range map[string]store.Source{"host": {Port: 1, Security: "tls", Username: "a", Mailbox: "b", Keep: "keep"}, "port": {Host: "a", Security: "tls", Username: "a", Mailbox: "b", Keep: "keep"},
			"days": {Host: "a", Port: 1, Security: "tls", Username: "a", Mailbox: "b", Keep: "days"}} {
			if _, err := i.queue.AddSource(ctx, i.account, bad, "p", jobs.Credential{}); !errors.Is(err, jobs.ErrBadSource) {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

// TestP17_AFullMailboxStopsTheRun, and nothing is deleted.
func TestP17_AFullMailboxStopsTheRun(t *testing.T) {
	i := newImporting(t, testdb.SQLite(t), testmail.Dovecot(t, testmail.DovecotOptions{Quota: "messages=20"}))
	i.deliver(t, 0, 15)
	talk := i.srv.Talk(t, i.anna)
	for n := range 12 {
		talk.Append("INBOX", "", testmail.Mail("z@x.test", fmt.Sprint(n), "x"))
	}
	start(t, i.queue)
	o := i.source()
	o.Keep = store.KeepNone
	o = i.add(t, o)
	if got, run := i.ended(t, o, 1); run.Outcome != "quota" || run.Done != 8 || got.Paused || run.Deleted != 0 {
		t.Errorf("%+v, %+v", run, got)
	}
	i.atSource(t, 15)
	talk.Do("SELECT INBOX")
	talk.Do(`STORE 1:* +FLAGS (\Deleted)`)
	talk.Do("EXPUNGE")
	ok(t, i.queue.RunSource(ctx, i.user.ID, o.ID))
	if _, run := i.ended(t, o, 2); run.Outcome != "done" || run.Done != 7 {
		t.Errorf("%+v", run)
	}
	i.has(t, i.anna, "Old mail", 15)
	i.atSource(t, 0)
}

// TestP14_ARunThatIsStoppedIsTakenUpByAnother: a node stops, a person pauses.
func TestP14_ARunThatIsStoppedIsTakenUpByAnother(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		i := newImporting(t, db, testmail.Dovecot(t, testmail.DovecotOptions{}))
		i.deliver(t, 0, 300)
		tap := testmail.NewTap(t, i.srv.IMAP)
		i.servers.IMAP.Port = tap.Port
		i.queue = i.importer(t)
		ok(t, i.queue.Start(ctx))
		o := i.add(t, i.source())
		i.until(t, func() error {
			if strings.Count(tap.Said(), " APPEND ") < 50 {
				return errNotYet
			}
			return nil
		})
		tap.Mute() // the answer to an APPEND is lost
		time.Sleep(50 * time.Millisecond)
		stop, cancel := context.WithTimeout(ctx, 25*time.Second)
		defer cancel()
		ok(t, i.queue.Stop(stop))
		tap.Cut()
		tap.Unmute()
		if got, run := i.ended(t, o, 1); run.Outcome != "stopped" || run.Done >= 300 || got.Paused {
			t.Errorf("%+v, %+v", run, got)
		}
		i.queue = i.importer(t)
		start(t, i.queue)
		if _, run := i.ended(t, o, 2); run.Outcome != "done" {
			t.Errorf("%+v", run)
		}
		raw := i.has(t, i.anna, "Old mail", 300)
		for n := range 300 {
			if strings.Count(raw, fmt.Sprintf("Subject: Letter %d\r\n", n)) != 1 {
				t.Errorf("letter %d is not there once", n)
			}
		}
		ok(t, i.store.PauseSource(ctx, i.user.ID, o.ID))
		i.deliver(t, 300, 301)
		ok(t, i.queue.RunSource(ctx, i.user.ID, o.ID))
		i.ended(t, o, 3)
		i.has(t, i.anna, "Old mail", 301)
	})
}

// TestP5P6_TheOddMailboxOfTheDemo: a UID twice, a mail without one, dots, and a large mail.
func TestP5P6_TheOddMailboxOfTheDemo(t *testing.T) {
	d, err := demo.Start(t.Context(), demo.Options{Mail: true})
	ok(t, err)
	t.Cleanup(d.Close)
	i := newImporting(t, testdb.SQLite(t), testmail.OfDemo(t, d))
	users := d.Users()
	i.anna = testmail.User{Address: users[0].Address, Password: users[0].Password}
	i.old = testmail.User{Address: demo.OldUser.Address, Password: demo.OldUser.Password}
	i.user, i.account, err = i.store.EnsureUser(ctx, i.anna.Address, i.anna.Address)
	ok(t, err)
	start(t, i.queue)
	o := i.source()
	o.Host, o.Port, o.Security = i.srv.POP3.Host, i.srv.POP3.Port, "plain"
	o = i.add(t, o)
	if _, run := i.ended(t, o, 1); run.Outcome != "done" || run.Done != 40 || run.Failed != 0 {
		t.Fatalf("%+v", run)
	}
	raw := i.has(t, i.anna, "Old mail", 40)
	if strings.Count(raw, "\r\nSubject: ") != 40 || !strings.Contains(raw, "\r\n\r\n.\r\n..\r\nIn between a line,\r\n.and one that begins with a dot.\r\n...\r\n.\r\n") || len(raw) < 5_000_000 {
		t.Errorf("%d octets with %d subjects", len(raw), strings.Count(raw, "\r\nSubject: "))
	}
	ok(t, i.queue.RunSource(ctx, i.user.ID, o.ID))
	if _, run := i.ended(t, o, 2); run.Outcome != "done" || run.Done != 0 || run.Total != 0 {
		t.Errorf("once more: %+v", run)
	}
	o.Keep = store.KeepNone
	ok(t, i.queue.ChangeSource(ctx, o))
	ok(t, i.queue.RunSource(ctx, i.user.ID, o.ID))
	if _, run := i.ended(t, o, 3); run.Deleted != 40 || run.Done != 0 {
		t.Errorf("%+v", run)
	}
	if n, err := i.queue.CheckSource(ctx, o, i.old.Password); err != nil || n != 0 {
		t.Errorf("%d are left, %v", n, err)
	}
	i.has(t, i.anna, "Old mail", 40)
}
