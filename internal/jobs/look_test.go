package jobs_test

import (
	"database/sql"
	"testing"
	"time"

	"restante/internal/store"
	"restante/internal/testdb"
	"restante/internal/testmail"
)

// TestT13_AMailThatWasPerhapsSentIsLookedFor: found in Sent or in the inbox of who wrote to themselves it is sent, and
// said to be; else it stays uncertain, with where it was looked for, and after the last look it is left to the person.
func TestT13_AMailThatWasPerhapsSentIsLookedFor(t *testing.T) {
	for _, c := range []struct {
		name, in string // the mailbox that it comes to by itself
		self     bool
		want     store.OutboxState
		problem  string
		looked   string
		sent     int
	}{
		{"the server filed it", "Sent", false, store.Sent, store.FoundInSent, "", 1},
		{"it came back", "INBOX", true, store.Sent, store.FoundInInbox, "", 1},
		{"a copy that somebody sent on proves nothing", "INBOX", false, store.Uncertain, "uncertain", "sent inbox", 0},
		{"an answer came", "answer", false, store.Sent, store.FoundAnswer, "", 1},
		{"it was sent back", "bounce", false, store.Sent, store.FoundAnswer, "", 1},
		{"the mail that was sent on lies there", "original", true, store.Uncertain, "uncertain", "sent inbox", 1},
		{"the server filed what was sent on", "resent", false, store.Sent, store.FoundInSent, "", 1},
		{"nowhere", "", true, store.Uncertain, "uncertain", "sent inbox", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			testdb.Each(t, func(t *testing.T, db testdb.DB) {
				h, script := scripted(t, db)
				script.Say("dot", testmail.HangUp)
				item := h.post(t, "x", h.anna.Password, func(o *store.OutboxItem) {
					if c.self {
						o.Recipients = []string{"a@x.test", h.anna.Address}
					}
					if c.in == "original" || c.in == "resent" {
						o.AnswerKind = store.RedirectKind
					}
				})
				switch c.in {
				case "":
				case "original":
					for _, box := range []string{"Sent", "INBOX"} {
						h.srv.Talk(t, h.anna).Append(box, "", "Message-ID: <"+item.MessageID+">\r\nSubject: x\r\n\r\nx\r\n")
					}
				case "resent":
					h.srv.Talk(t, h.anna).Append("Sent", "", "Resent-Message-ID: <"+item.MessageID+">\r\nMessage-ID: <o@x.test>\r\nResent-Message-ID: <before@x.test>\r\nSubject: x\r\n\r\nx\r\n")
				case "answer":
					h.srv.Talk(t, h.anna).Append("INBOX", "", "Message-ID: <1@x.test>\r\nReferences: <0@x.test>\r\n <"+item.MessageID+">\r\nSubject: Re: x\r\n\r\ny\r\n")
				case "bounce":
					h.srv.Talk(t, h.anna).Append("INBOX", "", "From: MAILER-DAEMON@x.test\r\nSubject: Undelivered\r\n\r\nSee below\r\n\r\nMessage-ID: <"+item.MessageID+">\r\n")
				default:
					h.srv.Talk(t, h.anna).Append(c.in, "", "Message-ID: <"+item.MessageID+">\r\nSubject: x\r\n\r\nx\r\n")
				}
				start(t, h.queue)
				var o store.OutboxItem
				h.until(t, func() (err error) {
					if o, err = h.store.OutboxItem(ctx, h.user.ID, item.ID); err == nil && (o.State != c.want || o.State == store.Uncertain && (o.Looks < 2 || !o.NextAt.IsZero())) {
						err = errNotYet
					}
					return err
				})
				if o.Problem != c.problem || o.Looked != c.looked {
					t.Errorf("%+v", o)
				}
				h.has(t, h.anna, "Sent", c.sent)
				told, err := h.store.Outbox(ctx, h.user.ID)
				if err != nil || len(told) != 1 {
					t.Errorf("%d items are told, %v", len(told), err)
				}
				if c.want == store.Sent {
					ok(t, h.store.SeenOutbox(ctx, h.user.ID, item.ID))
					if told, err = h.store.Outbox(ctx, h.user.ID); err != nil || len(told) != 0 {
						t.Errorf("%d items are told once seen, %v", len(told), err)
					}
				}
				if n := len(script.Texts()); n != 1 {
					t.Errorf("%d mails left", n)
				}
			})
		})
	}
}

// TestT13_ACopyOfWhatOthersGotProvesNothing: the copy in Sent, and the mail that somebody sent to themselves, are of the
// part of a mail that came through before.
func TestT13_ACopyOfWhatOthersGotProvesNothing(t *testing.T) {
	h, script := scripted(t, testdb.SQLite(t))
	script.Say("RCPT b@x.test", "451 4.7.1 come again")
	start(t, h.queue)
	item := h.post(t, "x", h.anna.Password, to(h.anna.Address, "b@x.test"))
	h.becomes(t, item.ID, store.Waiting)
	h.srv.Talk(t, h.anna).Append("INBOX", "", "Message-ID: <"+item.MessageID+">\r\nSubject: x\r\n\r\nx\r\n")
	script.Say("RCPT b@x.test", "")
	script.Say("dot", testmail.HangUp)
	h.retry(t, h.queue, item.ID)
	h.until(t, func() error {
		if o, err := h.store.OutboxItem(ctx, h.user.ID, item.ID); err != nil || o.State != store.Uncertain || o.Looks < 2 {
			return errNotYet
		}
		return nil
	})
}

// TestT13_ALookThatTheWriterOvertakesChangesNothing: they sent it again while it was looked for.
func TestT13_ALookThatTheWriterOvertakesChangesNothing(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		h := build(t, db, testmail.Demo(t), nil)
		item := h.post(t, "x", h.anna.Password, nil)
		h.left(t, item.ID, store.Dot, h.ben.Address)
		looking, err := h.store.TakeOutbox(ctx, item.ID, "one", time.Minute)
		ok(t, err)
		h.until(t, func() error { // not within the same millisecond
			if time.Since(looking.Updated) < 2*time.Millisecond {
				return errNotYet
			}
			return nil
		})
		ok(t, h.store.InTx(ctx, func(tx *sql.Tx) error { return h.store.RetryOutboxTx(ctx, tx, h.user.ID, item.ID, nil) }))
		looking.Arrived()
		looking.State = store.Accepted
		if err := h.store.RecordLook(ctx, looking, "one"); err == nil {
			t.Error("the look won")
		}
		h.becomes(t, item.ID, store.Waiting)
	})
}
