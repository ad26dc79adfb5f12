package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"restante/internal/config"
	"restante/internal/testdb"
	"restante/internal/testmail"
)

// sender is a person who sends through a submission server that follows a script.
type sender struct {
	*visitor
	t      *testing.T
	s      *site
	user   testmail.User
	script *testmail.Script
	file   []byte
}

func newSender(t *testing.T, db testdb.DB) *sender {
	t.Helper()
	w := &sender{t: t, script: testmail.NewScript(t), file: randomBytes(t, 20_000)}
	mail := testmail.Demo(t)
	mail.Submission = w.script.Address
	w.s = newSite(t, mail, db, nil)
	w.user = mail.NewUser(t)
	w.visitor = w.s.signIn(w.user)
	return w
}

// send writes a mail with a file to two people.
func (w *sender) send(subject string) {
	w.t.Helper()
	w.get("/compose").form("form[data-compose]").set("to", "one@other.test, two@other.test").set("subject", subject).set("body", "The words of it.").
		attach("attachments", file{"scan.bin", w.file}).press("action", "send").want(200)
}

// comes waits for the outbox to show an item in a state.
func (w *sender) comes(state string) {
	w.t.Helper()
	eventually(w.t, "the item is "+state, func() bool { return w.get("/outbox").want(200).has("[data-outbox][data-state=" + state + "]") })
}

func (w *sender) press(act string) *visitor {
	w.t.Helper()
	return w.form("form[class=outbox-acts]").press("action", act).want(200)
}

// refusals are what a submission server can say, and what the outbox makes of it.
var refusals = []struct {
	name, step, answer string
	state, words       string
	server             string // its words, under Details
	acts               []string
	left               int // mails that left although something went wrong
}{
	{"all recipients refused", "RCPT", "550 5.1.1 no such person", "rejected", "refused these recipients", "no such person", []string{"edit", "retry", "discard"}, 0},
	{"one recipient refused", "RCPT two@other.test", "550 5.1.1 no such person", "rejected", "refused some of the recipients", "no such person", []string{"edit", "retry", "discard"}, 0},
	{"sender refused", "MAIL", "553 5.7.1 not your address", "identity", "does not let you send as", "not your address", []string{"edit", "discard"}, 0},
	{"too large", "MAIL", "552 5.3.4 over the limit", "toobig", "larger than the server takes", "over the limit", []string{"edit", "discard"}, 0},
	{"wrong password", "AUTH", "535 5.7.8 wrong password", "signin", "sign in again", "wrong password", []string{"retry", "edit", "discard"}, 0},
	{"greylisted", "RCPT", "451 4.7.1 come back", "waiting", "come again later", "come back", []string{"retry", "edit", "discard"}, 0},
	{"server down", "greeting", testmail.HangUp, "waiting", "cannot be reached", "", []string{"retry", "edit", "discard"}, 0},
	{"refused as spam", "dot", "554 5.7.1 looks like spam", "rejected", "the server refused it", "looks like spam", []string{"edit", "retry", "discard"}, 1},
	{"line lost after the final dot", "dot", testmail.HangUp, "uncertain", "Perhaps sent", "", []string{"arrived", "look", "again", "edit"}, 1},
}

func TestTheOutboxSaysWhatBecameOfAMailAndWhatToDo(t *testing.T) {
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			testdb.Each(t, func(t *testing.T, db testdb.DB) {
				w := newSender(t, db)
				w.script.Say(c.step, c.answer)
				for _, act := range c.acts {
					before := len(w.script.Texts())
					w.script.Say(c.step, c.answer)
					w.send(act)
					w.comes(c.state)
					w.says("[data-outbox]", c.words)
					w.says("[data-outbox]", c.server)
					if n := len(w.script.Texts()) - before; n != c.left {
						t.Errorf("%d mails left", n)
					}
					w.script.Say(c.step, "")
					w.actOn(act, before+c.left)
				}
				want := 0 // each that left by a button stands in Sent once
				for _, act := range c.acts {
					if act == "retry" || act == "again" || act == "edit" || act == "arrived" || act == "look" {
						want++
					}
				}
				if n := w.s.mail.Talk(t, w.user).Count("Sent"); n != want {
					t.Errorf("Sent holds %d mails, not %d", n, want)
				}
			})
		})
	}
}

// actOn presses a button of the one item in the outbox and looks at what follows; left is how many mails had left.
func (w *sender) actOn(act string, left int) {
	w.t.Helper()
	var have []string
	for _, b := range w.all("button[name=action]") {
		have = append(have, attr(b, "value"))
	}
	if !slices.Contains(have, act) {
		w.t.Fatalf("no button %s among %q", act, have)
	}
	if act == "retry" && w.has("input[name=password]") {
		w.form("form[class=outbox-acts]").set("password", w.user.Password).press("action", act)
	} else {
		w.press(act)
	}
	switch act {
	case "look":
		eventually(w.t, "it was looked for", func() bool {
			return strings.Contains(strings.Join(w.get("/outbox").want(200).texts("[data-outbox]"), ""), "Found neither in Sent nor in your inbox")
		})
		w.press("arrived")
		eventually(w.t, "nothing waits", func() bool { return !w.get("/outbox").want(200).has("[data-outbox]") })
	case "arrived", "discard":
		eventually(w.t, "nothing waits", func() bool { return !w.get("/outbox").want(200).has("[data-outbox]") })
		if act == "discard" {
			w.get("/compose/thrown").says("[data-thrown]", act)
		}
	case "retry", "again":
		eventually(w.t, "it left", func() bool { return len(w.script.Texts()) == left+1 })
		eventually(w.t, "nothing waits", func() bool { return !w.get("/outbox").want(200).has("[data-outbox]") })
	case "edit":
		f := w.form("form[data-compose]")
		if f.values.Get("subject") != act || !strings.Contains(f.values.Get("body"), "The words of it.") || !strings.Contains(f.values.Get("to"), "two@other.test") {
			w.t.Errorf("the draft holds %q", f.values)
		}
		w.get(attr(w.one("a[data-attachment]"), "href")).want(200)
		if !bytes.Equal(w.body, w.file) {
			w.t.Error("the file is not what it was")
		}
		f.press("action", "send").want(200)
		eventually(w.t, "it left", func() bool { return len(w.script.Texts()) == left+1 })
		eventually(w.t, "nothing waits", func() bool { return !w.get("/outbox").want(200).has("[data-outbox]") })
	}
}

func TestAMailThatWasPerhapsSentIsNotSentAgainByItself(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		w := newSender(t, db)
		w.script.Say("dot", testmail.HangUp)
		w.send("perhaps")
		w.comes("uncertain")
		w.script.Say("dot", "")
		w.s.restart()
		w.send("another")
		eventually(t, "another left", func() bool { return len(w.script.Texts()) == 2 })
		eventually(t, "the first alone is left", func() bool { return len(w.get("/outbox").all("[data-outbox]")) == 1 })
		w.comes("uncertain")
		w.says("[data-outbox]", "perhaps")
		w.press("arrived")
		eventually(t, "nothing waits", func() bool { return !w.get("/outbox").want(200).has("[data-outbox]") })
		if n := len(w.script.Texts()); n != 2 {
			t.Errorf("%d mails left", n)
		}
	})
}

// TestOneWhoIsPutOffIsWaitedForAlone: the outbox says who has the mail and who is waited for, and no button sends it to
// anybody twice.
func TestOneWhoIsPutOffIsWaitedForAlone(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		w := newSender(t, db)
		for _, act := range []string{"retry", "edit", "enough"} {
			w.script.Say("RCPT two@other.test", "451 4.7.1 come again")
			before := len(w.script.Recipients())
			w.send(act)
			w.comes("waiting")
			w.says("[data-outbox]", "Partly sent; waiting for two@other.test.")
			w.says("[data-outbox]", "Sent to one@other.test.")
			w.script.Say("RCPT two@other.test", "")
			w.press(act)
			want := "[[one@other.test] [two@other.test]]"
			switch act {
			case "edit":
				f := w.form("form[data-compose]")
				if f.values.Get("to") != "two@other.test" {
					t.Errorf("the draft goes to %q", f.values.Get("to"))
				}
				f.press("action", "send").want(200)
			case "enough":
				want = "[[one@other.test]]"
			}
			eventually(t, "nothing waits", func() bool { return !w.get("/outbox").want(200).has("[data-outbox]") })
			if got := fmt.Sprint(w.script.Recipients()[before:]); got != want {
				t.Errorf("%s: sent to %s, want %s", act, got, want)
			}
		}
	})
}

// TestNobodySendsWithoutEnd: a mail beyond the limits is not sent, says when it may be, and is kept.
func TestNobodySendsWithoutEnd(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		srv := testmail.Demo(t)
		s := newSite(t, srv, db, func(c *config.Config) { c.MailsPerHour, c.RecipientsPerDay, c.UndoSeconds = 2, 5, 60 })
		v := s.signIn(srv.NewUser(t))
		send := func(status int, to ...string) *visitor {
			t.Helper()
			return v.get("/compose").form("form[data-compose]").set("to", strings.Join(to, ", ")).set("subject", "One of many").set("body", "Kept.").press("action", "send").want(status)
		}
		kept := func(words string) {
			t.Helper()
			v.says("[role=alert]", words)
			if f := v.form("form[data-compose]"); f.values.Get("body") != "Kept." {
				t.Errorf("the form holds %q", f.values)
			}
		}
		send(422, "a@x.test", "b@x.test", "c@x.test", "d@x.test", "e@x.test", "f@x.test")
		kept("one mail may have 5")
		send(200, "a@x.test", "b@x.test", "c@x.test")
		send(429, "a@x.test", "b@x.test", "c@x.test")
		kept("you can send this")
		send(200, "d@x.test")
		send(429, "e@x.test")
		kept("you can send this")
		v.get("/outbox").form("form[class=outbox-acts]").press("action", "undo").want(200)
		send(200, "e@x.test") // what was taken back does not count
		if n := len(v.get("/outbox").want(200).all("[data-outbox]")); n != 2 {
			t.Errorf("%d mails are in the outbox", n)
		}
	})
}

// TestA18_AnOriginalMovedWhileItIsAnsweredOrForwardedIsMarked, by a form that has no draft yet.
func TestA18_AnOriginalMovedWhileItIsAnsweredOrForwardedIsMarked(t *testing.T) {
	t.Parallel()
	testmail.EachHouse(t, func(t *testing.T, srv *testmail.Server) {
		s := newSite(t, srv, testdb.SQLite(t), nil)
		for kind, mark := range map[string]string{"reply": `\Answered`, "forward": "$Forwarded"} {
			anna := srv.NewUser(t)
			talk := srv.Talk(t, anna)
			talk.Append("INBOX", "", testmail.Mail("ben@other.test", "a question", "?"))
			v := s.signIn(anna)
			v.get("/").want(200)
			uid := attr(v.one("[data-uid]"), "data-uid")
			f := v.get("/compose?" + kind + "=1&in=INBOX&uid=" + uid).want(200).form("form[data-compose]")
			talk.Do("SELECT INBOX")
			talk.Do("UID MOVE 1:* Archive")
			f.set("to", anna.Address).press("action", "send").want(200)
			eventually(t, "the original is marked", func() bool {
				talk.Do("SELECT Archive")
				return strings.Contains(strings.Join(talk.Do("FETCH 1:* (FLAGS)"), "\n"), mark)
			})
		}
	})
}

// TestSomebodyNamedTwiceGetsAMailOnce, whichever lines it is.
func TestSomebodyNamedTwiceGetsAMailOnce(t *testing.T) {
	w := newSender(t, testdb.SQLite(t))
	w.get("/compose").form("form[data-compose]").set("to", "One <one@other.test>").set("cc", "one@OTHER.test, two@other.test").set("bcc", "two@other.test").
		set("subject", "once").set("body", "x").press("action", "send").want(200)
	eventually(t, "it left", func() bool { return len(w.script.Recipients()) > 0 })
	if got := fmt.Sprint(w.script.Recipients()); got != "[[one@other.test two@other.test]]" {
		t.Errorf("sent to %s", got)
	}
}

// TestAMailThatWasPerhapsSentIsFoundAndSaidToBeSent, when the server has filed it by itself.
func TestAMailThatWasPerhapsSentIsFoundAndSaidToBeSent(t *testing.T) {
	t.Parallel()
	w := newSender(t, testdb.SQLite(t))
	w.script.Say("dot", testmail.HangUp)
	w.send("perhaps")
	w.comes("uncertain")
	w.says("[data-outbox]", "It is looked for at")
	talk := w.s.mail.Talk(t, w.user)
	talk.Append("Sent", `\Seen`, w.script.Texts()[0])
	w.comes("sent")
	w.says("[data-outbox]", "Sent after all: it stands in Sent.")
	w.press("seen")
	if w.get("/outbox").want(200).has("[data-outbox]") {
		t.Error("it is told again")
	}
	if n := talk.Count("Sent"); n != 1 || len(w.script.Texts()) != 1 {
		t.Errorf("Sent holds %d, %d left", n, len(w.script.Texts()))
	}
}

func TestAServerThatIsDownAndComesBack(t *testing.T) {
	t.Parallel()
	testmail.EachHouse(t, func(t *testing.T, srv *testmail.Server) {
		testdb.Each(t, func(t *testing.T, db testdb.DB) {
			tap := testmail.NewTap(t, srv.Submission)
			mail := *srv
			mail.Submission, mail.Submissions, mail.IMAPS = tap.Address, testmail.Address{}, testmail.Address{}
			s := newSite(t, &mail, db, nil)
			anna, ben := srv.NewUser(t), srv.NewUser(t)
			v := s.signIn(anna)
			tap.Refuse(true)
			v.get("/compose").form("form[data-compose]").set("to", ben.Address).set("subject", "Patience").set("body", "x").press("action", "send").want(200)
			eventually(t, "it waits", func() bool { return v.get("/outbox").has("[data-outbox][data-state=waiting]") })
			v.says("[data-outbox]", "cannot be reached")
			v.form("form[class=outbox-acts]").press("action", "retry").want(200)
			eventually(t, "it waits again", func() bool { return strings.Contains(s.log.String(), "state=waiting tries=2") })
			s.restart()
			tap.Refuse(false)
			eventually(t, "it waits after the restart", func() bool { return v.get("/outbox").has("button[value=retry]") })
			v.form("form[class=outbox-acts]").press("action", "retry").want(200)
			inbox := srv.Talk(t, ben)
			before := 0
			eventually(t, "it arrives", func() bool { before = inbox.Count("INBOX"); return before > 0 })
			eventually(t, "nothing waits", func() bool { return !v.get("/outbox").has("[data-outbox]") })
			if n := inbox.Count("INBOX"); n != 1 {
				t.Errorf("it arrived %d times", n)
			}
			if n := srv.Talk(t, anna).Count("Sent"); n != 1 {
				t.Errorf("Sent holds it %d times", n)
			}
		})
	})
}

// TestASendingServerThatDoesNotExistIsNamed, which is not the same as none that is set up.
func TestASendingServerThatDoesNotExistIsNamed(t *testing.T) {
	mail := testmail.Demo(t)
	mail.Submission.Host = "no-such-host.invalid"
	s := newSite(t, mail, testdb.SQLite(t), nil)
	w := &sender{t: t, s: s, user: mail.NewUser(t)}
	w.visitor = s.signIn(w.user)
	w.send("nowhere")
	w.comes("config")
	w.says("[data-outbox]", "There is no server named no-such-host.invalid.")
}

// TestUndoInTimeSendsNothing: by the button that the page offers, by that of the outbox, and across a restart.
func TestUndoInTimeSendsNothing(t *testing.T) {
	t.Parallel()
	testmail.EachHouse(t, func(t *testing.T, srv *testmail.Server) {
		testdb.Each(t, func(t *testing.T, db testdb.DB) {
			s := newSite(t, srv, db, func(c *config.Config) { c.UndoSeconds = 60 })
			anna, ben := srv.NewUser(t), srv.NewUser(t)
			v := s.signIn(anna)
			write := func(subject string) {
				v.get("/compose").form("form[data-compose]").set("to", ben.Address).set("subject", subject).set("body", "Unsaid.").press("action", "send").want(200)
			}
			back := func(subject string) {
				t.Helper()
				if f := v.form("form[data-compose]"); f.values.Get("subject") != subject || !strings.Contains(f.values.Get("body"), "Unsaid.") {
					t.Errorf("%s came back as %q", subject, f.values)
				}
			}
			write("by the toast")
			v.formAround("button[data-undo]").press("", "").want(200)
			back("by the toast")
			write("by the outbox")
			v.get("/outbox").form("form[class=outbox-acts]").press("action", "undo").want(200)
			back("by the outbox")
			write("after a restart")
			s.restart()
			v.get("/outbox").form("form[class=outbox-acts]").press("action", "undo").want(200)
			back("after a restart")
			write("now")
			v.get("/outbox").form("form[class=outbox-acts]").press("action", "sendnow").want(200)
			talk := srv.Talk(t, ben)
			eventually(t, "the one sent at once arrives", func() bool { return talk.Count("INBOX") > 0 })
			eventually(t, "nothing waits", func() bool { return !v.get("/outbox").has("[data-outbox]") })
			if n := talk.Count("INBOX"); n != 1 {
				t.Errorf("%d mails arrived", n)
			}
		})
	})
}
