package main

import (
	"bytes"
	"net/mail"
	"strings"
	"testing"
	"time"

	"restante/internal/testdb"
)

// TestAMailThatIsSentLater waits in the outbox for its time, and can be had back, called off, or sent now.
func TestAMailThatIsSentLater(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		w := newSender(t, db)
		write := func() *form {
			return w.get("/compose").form("form[data-compose]").set("to", "one@other.test").set("bcc", "two@other.test").set("subject", "Later").
				set("body", "The words of it.").set("important", "1").set("receipt", "1").attach("attachments", file{"scan.bin", w.file})
		}
		past := time.Now().UTC().Add(-time.Hour).Format("2006-01-02T15:04")
		write().set("at", past).press("action", "schedule").want(422)
		w.says("[role=alert]", "That time is past.")
		if f := w.form("form[data-compose]"); f.values.Get("at") != past || f.values.Get("body") != "The words of it." || f.values.Get("receipt") != "1" {
			t.Errorf("the form holds %q", f.values)
		}
		choice := attr(w.one("button[name=later]"), "value")

		write().set("subject", "").press("later", choice).want(422) // asked on the way, the time is kept
		w.says("[role=alert]", "no subject")
		w.form("form[data-compose]").set("subject", "Later").press("anyway", "subject").want(200)
		w.get("/outbox").says("[data-outbox]", "Sends ")
		if w.has("button[value=undo]") {
			t.Error("it is shown as one that goes out at once")
		}
		w.press("edit")
		f := w.form("form[data-compose]")
		if v := f.values; v.Get("to") != "one@other.test" || v.Get("bcc") != "two@other.test" || v.Get("important") != "1" || v.Get("receipt") != "1" || v.Get("delivery") == "1" {
			t.Errorf("the draft holds %q", v)
		}
		if w.get(attr(w.one("a[data-attachment]"), "href")).want(200); !bytes.Equal(w.body, w.file) {
			t.Error("the file is not what it was")
		}
		f.press("later", choice).want(200)
		w.get("/outbox")
		w.press("cancel")
		if w.says("[role=status]", "back in your drafts"); w.has("[data-outbox]") {
			t.Error("it waits still")
		}
		if w.get("/mail/1/Drafts").want(200); w.row("Later") == "" {
			t.Error("it is not among the drafts")
		}
		w.open("Later").form("form[data-compose]").press("later", choice).want(200)
		w.s.restart()
		if n := len(w.script.Texts()); n != 0 {
			t.Fatalf("%d mails left before their time", n)
		}
		w.get("/outbox")
		w.press("sendnow")
		eventually(t, "it left", func() bool { return len(w.script.Texts()) == 1 })
		m, err := mail.ReadMessage(strings.NewReader(w.script.Texts()[0]))
		if err != nil {
			t.Fatal(err)
		}
		if date, err := m.Header.Date(); err != nil || time.Since(date).Abs() > time.Hour {
			t.Errorf("it is dated %s, %v", date, err)
		}
		if m.Header.Get("Importance") != "high" || !strings.Contains(m.Header.Get("Disposition-Notification-To"), w.user.Address) || m.Header.Get("Bcc") != "" {
			t.Errorf("its head is %v", m.Header)
		}
		eventually(t, "nothing waits", func() bool { return !w.get("/outbox").want(200).has("[data-outbox]") })
	})
}

// TestWhatTheSendingServerCannotDoIsSaidBeforeSending: receipts of delivery, and addresses beyond ASCII.
func TestWhatTheSendingServerCannotDoIsSaidBeforeSending(t *testing.T) {
	t.Parallel()
	w := newSender(t, testdb.SQLite(t))
	w.get("/compose").form("form[data-compose]").set("to", "grüße@other.test").set("subject", "Hello").set("body", "x").press("action", "send").want(422)
	w.says("[role=alert]", "cannot send to grüße@other.test")
	w.form("form[data-compose]").set("to", "one@other.test").set("delivery", "1").press("action", "send").want(422)
	w.says("[role=alert]", "gives no delivery receipts")
	w.form("form[data-compose]").press("action", "send").want(200) // known now
	eventually(t, "it left", func() bool { return len(w.script.Texts()) == 1 })
	eventually(t, "nothing waits", func() bool { return !w.get("/outbox").want(200).has("[data-outbox]") })

	offers := newSender(t, testdb.SQLite(t))
	offers.script.Say("EHLO", "250-ready\r\n250-DSN\r\n250 AUTH PLAIN")
	send := func() *visitor {
		return offers.get("/compose").form("form[data-compose]").set("to", "one@other.test").set("subject", "Told").set("body", "x").set("delivery", "1").press("action", "send").want(200)
	}
	send()
	eventually(t, "it left", func() bool { return len(offers.script.Texts()) == 1 })
	if said := strings.Join(offers.script.Said(), "\n"); !strings.Contains(said, "RET=HDRS ENVID=") || !strings.Contains(said, "NOTIFY=SUCCESS,FAILURE,DELAY") {
		t.Errorf("the server heard %s", said)
	}
	offers.script.Say("EHLO", "250-ready\r\n250 AUTH PLAIN") // meanwhile it gives none
	send()
	offers.comes("sent")
	offers.says("[data-outbox]", "so there will be none")
	offers.press("seen")
	if offers.get("/outbox").has("[data-outbox]") {
		t.Error("it is told again")
	}
}

// TestWhoFilesWhatIsSentIsAChoice of each account.
func TestWhoFilesWhatIsSentIsAChoice(t *testing.T) {
	t.Parallel()
	w := newSender(t, testdb.SQLite(t))
	send := func(want int) {
		before := len(w.script.Texts())
		w.get("/compose").form("form[data-compose]").set("to", "one@other.test").set("subject", "Filed").set("body", "x").press("action", "send").want(200)
		eventually(t, "it left", func() bool { return len(w.script.Texts()) == before+1 })
		eventually(t, "nothing waits", func() bool { return !w.get("/outbox").want(200).has("[data-outbox]") })
		if n := w.s.mail.Talk(t, w.user).Count("Sent"); n != want {
			t.Errorf("Sent holds %d mails, not %d", n, want)
		}
	}
	for _, c := range []struct {
		mode string
		sent int
	}{{"none", 0}, {"append", 1}, {"server", 1}, {"auto", 2}} {
		w.get("/settings/accounts").formAround("select[name=sent]").set("sent", c.mode).press("action", "sent").want(200)
		if now := chosen(t, w.one("select[name=sent]")); now != c.mode {
			t.Errorf("%s was chosen, %s is shown", c.mode, now)
		}
		send(c.sent)
	}
	w.get("/settings/accounts").formAround("select[name=sent]").set("sent", "twice").press("action", "sent").want(400)
}
