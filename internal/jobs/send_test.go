package jobs_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"restante/internal/jobs"
	"restante/internal/store"
	"restante/internal/testdb"
	"restante/internal/testmail"
	"restante/mailclient/discover"
)

func TestT18_ASentMailIsFiledAndAllThatFollows(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		testmail.EachHouse(t, func(t *testing.T, srv *testmail.Server) {
			h := build(t, db2(t, db), srv, nil)
			talk := srv.Talk(t, h.anna)
			talk.Append("INBOX", "", testmail.Mail(h.ben.Address, "a question", "?"))
			talk.Append("Drafts", `\Draft`, testmail.Mail(h.anna.Address, "half written", "x"))
			validity := func(box string) (v uint32) {
				for _, l := range talk.Do("STATUS %q (UIDVALIDITY)", box) {
					_, _ = fmt.Sscanf(l[strings.Index(l, "UIDVALIDITY"):], "UIDVALIDITY %d", &v)
				}
				return v
			}
			item := h.post(t, "an answer", h.anna.Password, func(o *store.OutboxItem) {
				o.AnswerKind, o.AnswerMailbox, o.AnswerValidity, o.AnswerUID = "reply", "INBOX", validity("INBOX"), 1
				ok(t, h.store.SetDraftCopy(ctx, h.user.ID, o.DraftID, store.DraftCopy{Mailbox: "Drafts", Validity: validity("Drafts"), UID: 1, Rev: 1}))
			})
			start(t, h.queue)
			o := h.becomes(t, item.ID, store.Sent)
			if o.Cred != nil || !o.Filed || o.Tries != 1 {
				t.Errorf("%+v", o)
			}
			if got := h.has(t, h.ben, "INBOX", 1); !strings.Contains(got, "an answer") || strings.Contains(got, "Bcc") {
				t.Errorf("arrived: %s", got)
			}
			if got := h.has(t, h.anna, "Sent", 1); !strings.Contains(got, "Bcc: secret@") || !strings.Contains(got, `\Seen`) {
				t.Errorf("filed: %s", got)
			}
			h.has(t, h.anna, "Drafts", 0)
			if got := h.has(t, h.anna, "INBOX", 1); !strings.Contains(got, `\Answered`) {
				t.Errorf("answered: %s", got)
			}
			people, err := h.store.FindPeople(ctx, h.user.ID, nil, 5)
			if err != nil || len(people) != 1 || people[0].Address != h.ben.Address {
				t.Errorf("people %+v, %v", people, err)
			}
		})
	})
}

// TestA18_AnOriginalThatWasMovedMeanwhileIsMarked, as by somebody who answers, archives and only then sends.
func TestA18_AnOriginalThatWasMovedMeanwhileIsMarked(t *testing.T) {
	testmail.EachHouse(t, func(t *testing.T, srv *testmail.Server) {
		h := build(t, testdb.SQLite(t), srv, nil)
		talk := srv.Talk(t, h.anna)
		question := testmail.Mail(h.ben.Address, "a question", "?")
		talk.Append("INBOX", "", question)
		_, id, _ := strings.Cut(question, "Message-ID: <")
		id, _, _ = strings.Cut(id, ">")
		var validity uint32
		for _, l := range talk.Do("STATUS INBOX (UIDVALIDITY)") {
			_, _ = fmt.Sscanf(l[strings.Index(l, "UIDVALIDITY"):], "UIDVALIDITY %d", &validity)
		}
		talk.Do("SELECT INBOX")
		talk.Do("UID MOVE 1 Archive")
		item := h.post(t, "an answer", h.anna.Password, func(o *store.OutboxItem) {
			o.AnswerKind, o.AnswerMailbox, o.AnswerValidity, o.AnswerUID = "reply", "INBOX", validity, 1
			_, err := h.store.SaveDraft(ctx, h.user.ID, o.DraftID, "", store.DraftFields{InReplyTo: id})
			ok(t, err)
		})
		start(t, h.queue)
		h.becomes(t, item.ID, store.Sent)
		if got := h.has(t, h.anna, "Archive", 1); !strings.Contains(got, `\Answered`) {
			t.Errorf("answered: %s", got)
		}
	})
}

// db2 is a database of the same kind for each of several houses.
func db2(t *testing.T, db testdb.DB) testdb.DB {
	t.Helper()
	if db.URL == "" {
		return testdb.SQLite(t)
	}
	return testdb.Postgres(t)
}

func TestT19_AnUndoneItemIsNotSent(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		h := build(t, db, testmail.Demo(t), nil)
		start(t, h.queue)
		undone := h.post(t, "never", h.anna.Password, func(o *store.OutboxItem) { o.DueAt = time.Now().Add(time.Hour) })
		if _, err := h.store.UndoOutbox(ctx, h.user.ID, undone.ID, nil); err != nil {
			t.Fatal(err)
		}
		h.queue.Wake(undone.ID, time.Now())
		sent := h.post(t, "after it", h.anna.Password, nil)
		h.becomes(t, sent.ID, store.Sent)
		if got := h.has(t, h.ben, "INBOX", 1); strings.Contains(got, "never") {
			t.Error("it was sent")
		}
	})
}

func TestT13_AWrongPasswordWaitsForARightOne(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		h := build(t, db, testmail.Demo(t), nil)
		start(t, h.queue)
		item := h.post(t, "x", "wrong", nil)
		if o := h.becomes(t, item.ID, store.SignIn); o.ServerText == "" || o.Cred == nil {
			t.Errorf("%+v", o)
		}
		cred := h.queue.SealCredential(h.user.ID, item.ID, jobs.Credential{Username: h.anna.Address, Password: h.anna.Password})
		ok(t, h.store.InTx(ctx, func(tx *sql.Tx) error {
			if err := h.store.RetryOutboxTx(ctx, tx, h.user.ID, item.ID, cred); err != nil {
				return err
			}
			_, err := h.queue.SendTx(ctx, tx, item.ID, time.Now())
			return err
		}))
		h.becomes(t, item.ID, store.Sent)
		h.has(t, h.ben, "INBOX", 1)
	})
}

// TestAMailThatGoesOutLaterHasThePasswordOfTheLastSignIn, which may be newer than the mail.
func TestAMailThatGoesOutLaterHasThePasswordOfTheLastSignIn(t *testing.T) {
	h := build(t, testdb.SQLite(t), testmail.Demo(t), nil)
	start(t, h.queue)
	item := h.post(t, "x", "of old", func(o *store.OutboxItem) { o.DueAt = time.Now().Add(300 * time.Millisecond) })
	ok(t, h.queue.SignedIn(ctx, h.account, jobs.Credential{Username: h.anna.Address, Password: h.anna.Password}))
	h.queue.Wake(item.ID, item.DueAt)
	h.becomes(t, item.ID, store.Sent)
	h.has(t, h.ben, "INBOX", 1)
}

// TestAMailThatGoesOutLaterFollowsTheClockOfItsZone, whose rules were others when it was put there.
func TestAMailThatGoesOutLaterFollowsTheClockOfItsZone(t *testing.T) {
	vienna, err := time.LoadLocation("Europe/Vienna")
	ok(t, err)
	h := build(t, testdb.SQLite(t), testmail.Demo(t), nil)
	later := func(wrong, right time.Duration) store.OutboxItem {
		return h.post(t, "x", h.anna.Password, func(o *store.OutboxItem) {
			o.DueAt, o.Later = time.Now().Add(wrong), time.Now().Add(right).In(vienna).Format("2006-01-02T15:04")+" Europe/Vienna"
		})
	}
	sooner, not := later(time.Hour, -time.Minute), later(-time.Hour, time.Hour)
	start(t, h.queue)
	h.becomes(t, sooner.ID, store.Sent)
	if o := h.becomes(t, not.ID, store.Held); time.Until(o.DueAt) < 50*time.Minute {
		t.Errorf("due at %s", o.DueAt)
	}
	h.has(t, h.ben, "INBOX", 1)
}

func TestT14_ManyNodesSendEachMailOnce(t *testing.T) {
	db := testdb.Postgres(t)
	h := build(t, db, testmail.Demo(t), func(s *discover.Servers) { s.Files = true })
	start(t, h.queue)
	for range 2 {
		s, err := store.Open(ctx, db.URL, db.Dir)
		ok(t, err)
		t.Cleanup(func() { _ = s.Close() })
		q, _ := h.node(t, s)
		start(t, q)
	}
	const n = 20
	var items []store.OutboxItem
	for i := range n {
		items = append(items, h.post(t, fmt.Sprintf("mail %d", i), h.anna.Password, nil))
	}
	for _, item := range items {
		h.becomes(t, item.ID, store.Sent)
	}
	h.has(t, h.ben, "INBOX", n)
}

func TestT17_NoSecondCopyWhereTheServerFilesItself(t *testing.T) {
	h := build(t, testdb.SQLite(t), testmail.Demo(t), nil)
	first := h.post(t, "filed by the server", h.anna.Password, nil)
	// What such a server does: the mail stands in Sent by itself.
	h.srv.Talk(t, h.anna).Append("Sent", `\Seen`, "Message-ID: <"+first.MessageID+">\r\nSubject: filed by the server\r\n\r\nx\r\n")
	start(t, h.queue)
	h.becomes(t, first.ID, store.Sent)
	h.has(t, h.anna, "Sent", 1)
	ok(t, h.store.SetSentMode(ctx, h.user.ID, h.account.ID, "server", 0))
	second := h.post(t, "another", h.anna.Password, nil)
	h.becomes(t, second.ID, store.Sent)
	h.has(t, h.anna, "Sent", 1)
}

// TestAReceiptForAMailThatIsThrownAwayIsDone once it is sent: there is nothing left to mark.
func TestAReceiptForAMailThatIsThrownAwayIsDone(t *testing.T) {
	h := build(t, testdb.SQLite(t), testmail.Demo(t), nil)
	item := h.post(t, "Read: x", h.anna.Password, func(o *store.OutboxItem) {
		o.AnswerKind, o.AnswerAccount, o.AnswerMailbox, o.AnswerValidity, o.AnswerUID = store.ReceiptKind, h.account.ID, "INBOX", 1, 999
	})
	start(t, h.queue)
	h.becomes(t, item.ID, store.Sent)
	h.has(t, h.ben, "INBOX", 1)
}

func TestT13_AServerThatIsDownIsTriedLater(t *testing.T) {
	h := build(t, testdb.SQLite(t), testmail.Demo(t), func(s *discover.Servers) { s.SMTP.Port = 1 })
	start(t, h.queue)
	item := h.post(t, "x", h.anna.Password, nil)
	o := h.becomes(t, item.ID, store.Waiting)
	if wait := time.Until(o.NextAt); o.Tries != 1 || wait < 30*time.Second || wait > 2*time.Minute || o.ServerText == "" {
		t.Errorf("%+v", o)
	}
}

func TestT17_ACopyThatCannotBeFiledIsNeverSentAgain(t *testing.T) {
	h := build(t, testdb.SQLite(t), testmail.Demo(t), func(s *discover.Servers) { s.IMAP.Port = 1 })
	start(t, h.queue)
	item := h.post(t, "x", h.anna.Password, nil)
	h.until(t, func() error {
		o, err := h.store.OutboxItem(ctx, h.user.ID, item.ID)
		if err == nil && o.Problem != "unfiled" {
			err = errNotYet
		}
		return err
	})
	o := h.becomes(t, item.ID, store.Accepted)
	if o.Filed || o.Tries != 1 {
		t.Errorf("%+v", o)
	}
	h.has(t, h.ben, "INBOX", 1)
}

func TestT13_AnUncertainMailIsNeverSentAgainByItself(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		script := testmail.NewScript(t)
		script.Say("dot", testmail.HangUp)
		h := build(t, db, testmail.Demo(t), func(s *discover.Servers) { s.SMTP.Port = script.Port })
		start(t, h.queue)
		item := h.post(t, "x", h.anna.Password, nil)
		h.becomes(t, item.ID, store.Uncertain)
		h.queue.Wake(item.ID, time.Now())
		// A later item passes through the same queue: by then the wake has been looked at.
		h.becomes(t, h.post(t, "y", h.anna.Password, nil).ID, store.Uncertain)
		if n := len(script.Texts()); n != 2 {
			t.Errorf("%d texts were sent", n)
		}
	})
}

func TestT13_WhatAKilledProcessLeft(t *testing.T) {
	for _, c := range []struct {
		reached, want store.OutboxState
		arrived       int
	}{{store.Data, store.Sent, 1}, {store.Dot, store.Uncertain, 0}} {
		t.Run(string(c.reached), func(t *testing.T) {
			testdb.Each(t, func(t *testing.T, db testdb.DB) {
				h := build(t, db, testmail.Demo(t), nil)
				item := h.post(t, "x", h.anna.Password, nil)
				// A worker of a node that is no more had it, and its lease is over.
				h.until(t, func() error {
					_, err := h.store.TakeOutbox(ctx, item.ID, "dead", -time.Minute)
					return err
				})
				ok(t, h.store.SetOutboxStep(ctx, item.ID, "dead", c.reached, nil))
				start(t, h.queue)
				h.becomes(t, item.ID, c.want)
				h.has(t, h.ben, "INBOX", c.arrived)
			})
		})
	}
}

func TestAnItemWaitsForTheEndOfItsUndoWindowAcrossARestart(t *testing.T) {
	db := testdb.SQLite(t)
	h := build(t, db, testmail.Demo(t), nil)
	item := h.post(t, "x", h.anna.Password, func(o *store.OutboxItem) { o.DueAt = time.Now().Add(300 * time.Millisecond) })
	ok(t, h.queue.Stop(ctx)) // before it was due: its timer is gone
	q, _ := h.node(t, h.store)
	h.until(t, func() error {
		if time.Now().Before(item.DueAt) {
			return errNotYet
		}
		return nil
	})
	start(t, q)
	h.becomes(t, item.ID, store.Sent)
}
