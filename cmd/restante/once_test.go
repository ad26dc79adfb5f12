package main

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"restante/internal/config"
	"restante/internal/testdb"
	"restante/internal/testmail"
)

// twice sends a form by a button four times at once, as impatient clicks do.
func (f *form) twice(name, value string) {
	f.v.t.Helper()
	f.values.Set(name, value)
	var all sync.WaitGroup
	for range 4 {
		req := f.request()
		all.Go(func() {
			res, err := f.v.client.Do(req)
			if err != nil {
				f.v.t.Error(err)
				return
			}
			if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusOK {
				f.v.t.Errorf("status %d, %v", res.StatusCode, err)
			}
		})
	}
	all.Wait()
}

// TestADoubleClickSendsOneMail: a new one, an answer, a forward with its files, and a kept draft.
func TestADoubleClickSendsOneMail(t *testing.T) {
	t.Parallel()
	srv := testmail.Demo(t)
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		s := newSite(t, srv, db, func(c *config.Config) { c.UndoSeconds = 60 })
		anna, ben := srv.NewUser(t), srv.NewUser(t)
		srv.Deliver(t, anna, "From: "+ben.Address+"\r\nSubject: Two files\r\nMessage-ID: <two@files.test>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhere\r\n"+
			"--b\r\nContent-Type: text/csv; name=a.csv\r\n\r\n1,2\r\n--b\r\nContent-Type: text/csv; name=b.csv\r\n\r\n3,4\r\n--b--\r\n")
		v := s.signIn(anna)
		uid := v.row("Two files")
		write := func(from, subject string) *form {
			f := v.get(from).form("form[data-compose]").set("to", ben.Address).set("subject", subject)
			return f.set("body", f.values.Get("body")+"Once.")
		}
		write("/compose", "New").twice("action", "send")
		write("/compose", "With a file").attach("attachments", file{"c.csv", []byte("5,6")}).twice("action", "send")
		write("/compose?in=INBOX&uid="+uid+"&reply=1", "Answer").twice("action", "send")
		write("/compose?in=INBOX&uid="+uid+"&forward=1", "Forward").twice("action", "send")
		write("/compose", "Kept").press("action", "save").want(200)
		v.form("form[data-compose]").twice("action", "send")
		waiting := v.get("/outbox").texts("h2")
		for _, subject := range []string{"New", "With a file", "Answer", "Forward", "Kept"} {
			if n := strings.Count(strings.Join(waiting, "\n")+"\n", subject+"\n"); n != 1 {
				t.Errorf("%s waits %d times", subject, n)
			}
		}
		for v.has("button[value=sendnow]") {
			v.formAround("button[value=sendnow]").press("action", "sendnow").want(200)
		}
		other := s.signIn(ben)
		for subject, files := range map[string]int{"With a file": 1, "Forward": 2} {
			eventually(t, subject+" arrives", func() bool { return other.get("/mail/2/INBOX").row(subject) != "" })
			if n := len(other.open(subject).all("a[data-attachment]")); n != files {
				t.Errorf("%s came with %d files", subject, n)
			}
		}
	})
}

// TestAFormThatIsGoneBackToIsANewLetter, once its first was sent or written on elsewhere.
func TestAFormThatIsGoneBackToIsANewLetter(t *testing.T) {
	srv := testmail.Demo(t)
	s := newSite(t, srv, testdb.SQLite(t), func(c *config.Config) { c.UndoSeconds = 60 })
	v := s.signIn(srv.NewUser(t))
	f := v.get("/compose").form("form[data-compose]").set("to", "x@x.test").set("subject", "First").set("body", "One.")
	f.press("action", "send").want(200)
	f.set("subject", "Second").press("action", "send").want(200)
	f = v.get("/compose").form("form[data-compose]").set("to", "x@x.test").set("subject", "Third").set("body", "Three.")
	f.press("action", "save").want(200)
	first := v.url.Path
	v.form("form[data-compose]").set("body", "Three and more.").press("action", "save").want(200)
	f.set("body", "Three, otherwise.").press("action", "save").want(200)
	if v.url.Path == first || !strings.Contains(v.get(first).form("form[data-compose]").values.Get("body"), "and more") {
		t.Error("an old form went over newer text")
	}
	if n := len(v.get("/outbox").all("[data-outbox]")); n != 2 {
		t.Errorf("%d letters were sent", n)
	}
}

// TestALetterOnItsWayIsNotOpenedAsASecondDraft from its copy in Drafts.
func TestALetterOnItsWayIsNotOpenedAsASecondDraft(t *testing.T) {
	srv := testmail.Demo(t)
	s := newSite(t, srv, testdb.SQLite(t), func(c *config.Config) { c.UndoSeconds = 60 })
	v := s.signIn(srv.NewUser(t))
	v.get("/compose").form("form[data-compose]").set("to", "x@x.test").set("subject", "On its way").set("body", "One.").press("action", "save").want(200)
	v.form("form[data-compose]").press("action", "send").want(200)
	v.get("/mail/1/Drafts").open("On its way").want(200)
	if v.url.Path != "/outbox" {
		t.Errorf("it opened as %s", v.url)
	}
	v.form("form[class=outbox-acts]").press("action", "undo").want(200)
	draft := v.url.Path
	if v.get("/mail/1/Drafts").open("On its way").want(200); v.url.Path != draft {
		t.Errorf("taken back, it opened as %s, not %s", v.url, draft)
	}
}

// TestPressingSendAgainAnswersWhatWasAsked: each question comes once.
func TestPressingSendAgainAnswersWhatWasAsked(t *testing.T) {
	srv := testmail.Demo(t)
	s := newSite(t, srv, testdb.SQLite(t), func(c *config.Config) { c.UndoSeconds = 60 })
	v := s.signIn(srv.NewUser(t))
	v.get("/compose").form("form[data-compose]").set("to", "x@x.test").set("body", "The scan is attached.").press("action", "send").want(422)
	v.says("[role=alert]", "subject")
	v.form("form[data-compose]").press("action", "send").want(422)
	v.says("[role=alert]", "attachment")
	v.form("form[data-compose]").press("action", "send").want(200)
	if n := len(v.get("/outbox").all("[data-outbox]")); n != 1 {
		t.Errorf("%d letters were sent", n)
	}
}

// TestADraftOfAnotherProgramKeepsItsSender, who is one of several.
func TestADraftOfAnotherProgramKeepsItsSender(t *testing.T) {
	srv := testmail.Demo(t)
	s := newSite(t, srv, testdb.SQLite(t), nil)
	u := srv.NewUser(t)
	v := s.signIn(u)
	v.get("/settings/identities/new").form("form[data-identity-form]").set("address", "second@x.test").set("name", "Second").press("", "").want(200)
	srv.Talk(t, u).Append("Drafts", `\Draft`, "From: Second <SECOND@x.test>\r\nTo: a@x.test\r\nSubject: From elsewhere\r\nIn-Reply-To: <1@x.test> <2@x.test>\r\n\r\nHello\r\n")
	v.get("/mail/1/Drafts").open("From elsewhere").want(200)
	if from := chosen(t, v.one("select[name=from]")); from == "1" {
		t.Error("it would go out from the first")
	}
}

// TestWhatIsWrittenAfterSendingElsewhereIsADraftOfItsOwn, and does not go out before somebody has seen that.
func TestWhatIsWrittenAfterSendingElsewhereIsADraftOfItsOwn(t *testing.T) {
	srv := testmail.Demo(t)
	s := newSite(t, srv, testdb.SQLite(t), func(c *config.Config) { c.UndoSeconds = 60 })
	v := s.signIn(srv.NewUser(t))
	v.get("/compose").form("form[data-compose]").set("to", "x@x.test").set("subject", "Both").set("body", "One.").attach("attachments", file{"a.bin", []byte("abc")}).press("action", "save").want(200)
	first := v.url.Path
	elsewhere := v.form("form[data-compose]")
	v.get(first).form("form[data-compose]").press("action", "send").want(200)
	elsewhere.set("body", "One and more.").press("action", "send").want(409)
	v.says("[role=alert]", "was sent meanwhile")
	f := v.form("form[data-compose]")
	if f.values.Get("body") != "One and more." || attr(f.node, "action") == first || !v.has("a[data-attachment]") {
		t.Errorf("%s shows %q", attr(f.node, "action"), f.values)
	}
	if n := len(v.tab().get("/outbox").all("[data-outbox]")); n != 1 {
		t.Errorf("%d letters were sent", n)
	}
	f.press("action", "send").want(200)
	if n := len(v.get("/outbox").all("[data-outbox]")); n != 2 {
		t.Errorf("%d letters were sent", n)
	}
}

// TestADoubleClickOnSendInTheBrowser, in a docked letter and on a page of its own.
func TestADoubleClickOnSendInTheBrowser(t *testing.T) {
	d := newDesk(t)
	const fill = `(() => {
		const f = document.querySelector($);
		f.elements.to.value = $;
		f.elements.to.dispatchEvent(new Event("input", { bubbles: true }));
		f.elements.subject.value = $;
		return true;
	})()`
	const clicks = `(() => {
		const send = document.querySelector($).querySelector("[data-command=send]");
		send.click();
		send.click();
		setTimeout(() => send.click(), 30);
		return true;
	})()`
	for _, c := range []struct{ name, form string }{{"docked", "form[data-docked]"}, {"page", "main form[data-compose]"}} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "page" {
				d.open("/compose")
			} else {
				d.keys("c")
			}
			d.until("the editor stands", `document.querySelector($)?.querySelector(".editor")`, c.form)
			ask[bool](d.tab, fill, c.form, d.ben.Address, "Twice "+c.name)
			d.click(c.form + " .editor")
			d.keys("Once.")
			ask[bool](d.tab, clicks, c.form)
			d.until("it is sent", `!document.querySelector($)`, c.form)
			d.gets("Twice " + c.name)
			talk := d.s.mail.Talk(t, d.ben)
			v := d.s.signIn(d.anna)
			eventually(t, "nothing waits", func() bool { return !v.get("/outbox").has("[data-outbox]") })
			talk.Do("SELECT INBOX")
			if found := talk.Do("UID SEARCH SUBJECT %q", "Twice "+c.name); len(found) == 0 || len(strings.Fields(found[0])) != 3 {
				t.Errorf("not one mail came: %q", found)
			}
		})
	}
}

// TestAFileKeepsTheQuotationMarksOfItsName, which browsers write as %22 in a form.
func TestAFileKeepsTheQuotationMarksOfItsName(t *testing.T) {
	_, _, v := smallSite(t, nil)
	v.get("/compose").form("form[data-compose]").set("subject", "Quoted").attach("attachments", file{"the %22new%22 plan, 100%.txt", []byte("abc")}).press("action", "save").want(200)
	v.says("a[data-attachment]", `the "new" plan, 100%.txt`)
}
