package main

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"restante/internal/config"
	"restante/internal/store"
	"restante/internal/testdb"
	"restante/internal/testmail"
)

// filledIn is the form of a source, as a person fills it in for a mailbox on the server of mail.
func (v *visitor) filledIn(at testmail.Address, u testmail.User) *form {
	v.t.Helper()
	return v.get("/imports").want(200).form("form[data-source]").set("host", at.Host).set("port", fmt.Sprint(at.Port)).set("security", "none").
		set("username", u.Address).set("password", u.Password).set("mailbox", "INBOX").set("keep", "keep")
}

// state is what the first source's card says.
func (v *visitor) state() string {
	v.t.Helper()
	return strings.Join(v.get("/imports").want(200).texts("[data-source-state]"), " ")
}

// importSite is Restante over the demo's IMAP server, with an old mailbox on Dovecot's POP3 server.
func importSite(t *testing.T, db testdb.DB, mails int) (v *visitor, anna testmail.User, imap, pop *testmail.Server, old testmail.User) {
	t.Helper()
	_, v, anna, imap, pop, old = importsOn(t, db, mails)
	return v, anna, imap, pop, old
}

// importsOn is importSite with the site itself.
func importsOn(t *testing.T, db testdb.DB, mails int) (s *site, v *visitor, anna testmail.User, imap, pop *testmail.Server, old testmail.User) {
	t.Helper()
	imap, pop = testmail.Demo(t), testmail.Dovecot(t, testmail.DovecotOptions{})
	s = newSite(t, imap, db, func(c *config.Config) { c.AllowHosts = []string{"127.0.0.1"} })
	anna, old = imap.NewUser(t), pop.NewUser(t)
	for i := range mails {
		pop.Deliver(t, old, testmail.Mail("Ben <ben@old.test>", fmt.Sprintf("Old mail %d", i), "Once upon a time."))
	}
	return s, s.signIn(anna), anna, imap, pop, old
}

func TestAnOldMailboxIsBroughtOver(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		v, _, _, pop, old := importSite(t, db, 5)
		wrong := old
		wrong.Password = "wrong"
		v.filledIn(pop.POP3, wrong).press("action", "start").want(422).says("[role=alert]", "refuses name or password")
		if got := attr(v.one("input[name=username]"), "value"); got != old.Address {
			t.Errorf("what was typed is gone: %q", got)
		}
		if attr(v.one("input[type=password]"), "value") != "" {
			t.Error("the password stands in the page")
		}
		v.filledIn(pop.POP3, old).set("mailbox", newMailbox).press("action", "start").want(200).says("[role=status]", "5 mails are at")
		eventually(t, "all is here", func() bool { return strings.Contains(v.state(), "All is here: 5 mails") })
		v.filledIn(pop.POP3, old).press("action", "start").want(409).says("[role=alert]", "imported already")

		var folder string
		for _, a := range v.get("/imports").all("a[data-mailbox]") {
			if strings.Contains(attr(a, "data-mailbox"), "@") {
				folder = attr(a, "href")
			}
		}
		if n := len(v.get(folder).want(200).all("[data-uid]")); n != 5 {
			t.Errorf("%d mails in the folder of the address", n)
		}

		pop.Deliver(t, old, testmail.Mail("Ben <ben@old.test>", "One more", "x"))
		v.get("/imports").form("form[data-source-run]").press("action", "run").want(200)
		eventually(t, "one more is here", func() bool { return strings.Contains(v.state(), "All is here: 6 mails") })

		card := attr(v.one("section[data-source-card]"), "data-source-card")
		save := func() *form { return v.get("/imports").formAround("select[id=into-" + card + "]") }
		save().set("keep", "delete").press("action", "save").want(200).says("[role=alert]", "6 mails at 127.0.0.1 would be deleted there")
		if talk := pop.Talk(t, old); talk.Count("INBOX") != 6 {
			t.Error("something is deleted before it was confirmed")
		}
		v.formAround("input[name=sure]").press("action", "save").want(200)
		v.says("[data-source-state]", "6 mails are to be deleted")
		v.form("form[data-source-run]").press("action", "run").want(200)
		eventually(t, "they are deleted there", func() bool { return pop.Talk(t, old).Count("INBOX") == 0 })
		if n := len(v.get(folder).want(200).all("[data-uid]")); n != 6 {
			t.Errorf("%d mails are here after those there were deleted", n)
		}

		eventually(t, "the run has ended", func() bool { return !strings.Contains(v.state(), "Looking") })
		v.formAround("button[value=pause]").press("action", "pause").want(200).says("[data-source-state]", "Paused")
		v.form("form[data-source-run]").press("action", "run").want(200)
		eventually(t, "it goes on", func() bool { return strings.Contains(v.state(), "All is here") })
		v.formAround("button[value=remove]").press("action", "remove").want(200)
		if v.has("[data-source-card]") {
			t.Error("what was removed is still there")
		}
	})
}

const newMailbox = "+"

func TestAManyAreNotDeletedThereWithoutAnotherWord(t *testing.T) {
	v, _, _, pop, old := importSite(t, testdb.SQLite(t), 101)
	v.filledIn(pop.POP3, old).set("keep", "delete").press("action", "start").want(200).says("[role=alert]", "101 mails at 127.0.0.1 would be deleted there")
	if !v.has("a[autofocus]") || v.has("button[autofocus]") {
		t.Error("a key that is pressed once too often deletes them")
	}
	eventually(t, "all is here", func() bool { return strings.Contains(v.state(), "All is here: 101 mails") })
	if n := pop.Talk(t, old).Count("INBOX"); n != 101 {
		t.Errorf("%d are left there, though nobody confirmed", n)
	}
}

func TestAPersonIsToldWhatIsDeletedThere(t *testing.T) {
	v, _, _, pop, old := importSite(t, testdb.SQLite(t), 2)
	v.filledIn(pop.POP3, old).set("keep", "days").set("days", "3").press("action", "start").want(200).says("[role=status]", "3 days after a mail came here, it is deleted there")
	eventually(t, "all is here", func() bool { return strings.Contains(v.state(), "All is here: 2 mails") })
	v.says("[data-source-state]", "3 days after a mail came here, it is deleted there") // for as long as it holds
}

// TestMailsThatAreDeletedLaterAreToldOfBeforehand: when it is decided, nothing is to be deleted yet.
func TestMailsThatAreDeletedLaterAreToldOfBeforehand(t *testing.T) {
	v, _, _, pop, old := importSite(t, testdb.SQLite(t), 3)
	v.filledIn(pop.POP3, old).press("action", "start").want(200)
	eventually(t, "all is here", func() bool { return strings.Contains(v.state(), "All is here: 3 mails") })
	v.formAround("select[name=keep]").set("keep", "days").set("days", "30").press("action", "save").want(200).says("[role=alert]", "3 mails at 127.0.0.1 would be deleted there, each 30 days after it came here")
	if v.get("/imports").want(200); strings.Contains(strings.Join(v.texts("[data-source-state]"), " "), "deleted") {
		t.Error("it holds before it was confirmed")
	}
	v.formAround("select[name=keep]").set("keep", "days").set("days", "30").press("action", "save").want(200)
	v.formAround("input[name=sure]").press("action", "save").want(200).says("[data-source-state]", "30 days after a mail came here, it is deleted there")
	v.formAround("select[name=keep]").set("days", "60").press("action", "save").want(200).says("[data-source-state]", "60 days") // later: nothing to ask
}

func TestOnlyNowIsOnce(t *testing.T) {
	v, _, _, pop, old := importSite(t, testdb.SQLite(t), 2)
	v.filledIn(pop.POP3, old).set("every", "once").press("action", "start").want(200)
	eventually(t, "it has ended", func() bool { return strings.Contains(v.state(), "Finished: 2 mails brought over") })
}

func TestServersThatNobodyMayNameAreRefusedWithWords(t *testing.T) {
	imap := testmail.Demo(t)
	s := newSite(t, imap, testdb.SQLite(t), nil)
	u := imap.NewUser(t)
	v := s.signIn(u)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	at := ln.Addr().(*net.TCPAddr)
	for name, set := range map[string][2]string{
		"an inner address": {"host", "169.254.169.254"}, "this machine": {"port", fmt.Sprint(at.Port)}, "no port": {"port", "99999"}, "no host": {"host", "a b"}, "days": {"keep", "days"},
	} {
		f := v.filledIn(testmail.Address{Host: "127.0.0.1", Port: 110}, testmail.User{Address: "x@y.test", Password: "x"}).set("days", "")
		f.set(set[0], set[1]).press("action", "start").want(422)
		if len(strings.Join(v.texts("[role=alert]"), "")) < 20 {
			t.Errorf("%s: no words", name)
		}
	}
	v.filledIn(testmail.Address{Host: "127.0.0.1", Port: 110}, testmail.User{Address: "x@y.test"}).press("action", "start").want(422).says("[role=alert]", "Type the password")
	v.get("/imports").form("form[data-source]").set("username", "nobody").press("action", "find").want(422).says("[role=alert]", "is no mail address")
	for range 25 {
		if v.filledIn(testmail.Address{Host: "127.0.0.1", Port: 110}, testmail.User{Address: "x@y.test", Password: "x"}).press("action", "start"); v.status == 429 {
			return
		}
	}
	t.Error("servers can be tried without end")
}

func TestMailsComeInFromFiles(t *testing.T) {
	imap := testmail.Demo(t)
	s := newSite(t, imap, testdb.SQLite(t), nil)
	u := imap.NewUser(t)
	v := s.signIn(u)
	v.get("/imports").want(200).form("form[action=/imports/files]").attach("files", file{"a.eml", []byte("From: a@x.test\nSubject: Unix lines\nDate: Mon, 2 Feb 2015 10:00:00 +0000\n\nbody\n.\nend")},
		file{"b.eml", []byte("From: b@x.test\r\nSubject: Mail lines\r\nDate: Tue, 3 Feb 2015 10:00:00 +0000\r\n\r\nbody\r\n")}, file{"c.txt", []byte("no mail at all")}).press("", "").want(200)
	v.says("[role=alert]", "2 mails brought in")
	v.says("[role=alert]", "c.txt is no mail")
	v.get("/mail/1/INBOX").want(200)
	if v.row("Unix lines") == "" || v.row("Mail lines") == "" {
		t.Errorf("the inbox has %q", v.texts("[data-uid]"))
	}
	v.get("/mail/1/INBOX/" + v.row("Unix lines") + "/source").want(200)
	if !strings.Contains(string(v.body), "\r\n\r\nbody\r\n.\r\nend") {
		t.Errorf("it came as %q", v.body)
	}
	v.get("/imports").form("form[action=/imports/files]").press("", "").want(200).says("[role=alert]", "Choose a file first")
}

// TestAFileThatWasBroughtInBefore makes no second mail, unless it is another one or goes elsewhere.
func TestAFileThatWasBroughtInBefore(t *testing.T) {
	testmail.Each(t, func(t *testing.T, imap *testmail.Server) {
		v := newSite(t, imap, testdb.SQLite(t), nil).signIn(imap.NewUser(t))
		bring := func(text, mailbox, want string) {
			t.Helper()
			v.get("/imports").form("form[action=/imports/files]").set("mailbox", mailbox).attach("files", file{"a.eml", []byte(text)}).press("", "").want(200)
			v.says("[role=status]", want)
		}
		const mail = "From: a@x.test\nSubject: Once\nDate: Mon, 2 Feb 2015 10:00:00 +0000\nMessage-ID: <once@x.test>\n\n.\nbody\n"
		bring(mail, "INBOX", "One mail brought in.")
		bring(mail, "INBOX", "0 mails brought in. One was there already.")
		bring(strings.ReplaceAll(mail, "\n", "\r\n"), "INBOX", "One was there already.")
		bring(mail+"more\n", "INBOX", "One mail brought in.")
		bring(mail, "Archive", "One mail brought in.")
		if v.get("/mail/1/INBOX"); len(v.texts("[data-uid]")) != 2 {
			t.Errorf("the inbox has %q", v.texts("[data-uid]"))
		}
	})
}

func TestAFileOfManyMailsIsManyMails(t *testing.T) {
	imap := testmail.Demo(t)
	s := newSite(t, imap, testdb.SQLite(t), nil)
	v := s.signIn(imap.NewUser(t))
	whole := "From - Mon Feb  2 10:00:00 2015\nFrom: a@x.test\nSubject: The first\nDate: Mon, 2 Feb 2015 10:00:00 +0000\n\nbody\n\nFrom here on it is text.\n>From there too\n\n" +
		"From b@x.test Tue Feb  3 10:00:00 2015\r\nFrom: b@x.test\r\nSubject: The second\r\nDate: Tue, 3 Feb 2015 10:00:00 +0000\r\n\r\nend"
	v.get("/imports").form("form[action=/imports/files]").attach("files", file{"Old folder.mbox", []byte(whole)}, file{"empty.eml", nil}, file{"junk.eml", []byte("\x00\x01 no mail")}).press("", "").want(200)
	v.says("[role=alert]", "2 mails brought in")
	v.says("[role=alert]", "junk.eml is no mail")
	v.get("/mail/1/INBOX").want(200)
	if v.row("The first") == "" || v.row("The second") == "" {
		t.Fatalf("the inbox has %q", v.texts("[data-uid]"))
	}
	v.get("/mail/1/INBOX/" + v.row("The first") + "/source").want(200)
	if body := string(v.body); strings.Contains(body, "Feb  2") || !strings.Contains(body, "\r\nFrom here on it is text.\r\nFrom there too\r\n") || strings.Contains(body, "second") {
		t.Errorf("it came as %q", body)
	}
}

func TestSourcesOfOthersAreNobodysBusiness(t *testing.T) {
	imap, pop := testmail.Demo(t), testmail.Dovecot(t, testmail.DovecotOptions{})
	s := newSite(t, imap, testdb.SQLite(t), func(c *config.Config) { c.AllowHosts = []string{"127.0.0.1"} })
	anna, ben, old := imap.NewUser(t), imap.NewUser(t), pop.NewUser(t)
	v := s.signIn(anna)
	v.filledIn(pop.POP3, old).press("action", "start").want(200)
	w := s.signIn(ben)
	w.get("/imports").want(200)
	if w.has("[data-source-card]") {
		t.Error("another's source is shown")
	}
	for _, act := range []string{"run", "pause", "remove", "save", "password"} {
		w.do(w.newRequest("POST", "/imports/1", strings.NewReader("action="+act), "Content-Type", "application/x-www-form-urlencoded"))
		if w.status != 404 {
			t.Errorf("%s: %d", act, w.status)
		}
	}
	if v.get("/imports"); !v.has("[data-source-card]") {
		t.Error("it is gone")
	}
}

// TestNewsOfImportsLeaveWhatIsTypedAsItIs: the page that stands there is the answer to a form, which must not be sent
// again; and what a source needs is asked for without a reload.
func TestNewsOfImportsLeaveWhatIsTypedAsItIs(t *testing.T) {
	v, _, _, pop, old := importSite(t, testdb.SQLite(t), 2)
	b := newTab(t, &site{base: v.base}, wide)
	b.borrow(v)
	b.expect("422")
	b.open("/imports")
	if id := ask[string](b, `document.activeElement.id`); id != "src-username" {
		t.Errorf("%q has the focus", id)
	}
	ask[bool](b, `(() => { const f = document.querySelector("form[data-source]"); f.elements.username.value = "somebody@old.test"; f.elements.host.value = "127.0.0.1"; f.querySelector(".filled").click(); return true; })()`)
	b.sees("Type the password of the old mailbox.")
	b.settled()
	b.click("#src-password")
	b.keys("half a passw")

	v.filledIn(pop.POP3, old).set("mailbox", newMailbox).press("action", "start").want(200)
	b.until("the source that was added elsewhere is there", `document.querySelector("[data-source-card]")`)
	b.until("it tells how far it is", `document.querySelector("[data-source-state]").textContent.includes("All is here: 2 mails")`)
	b.until("the folder that it made is there", `[...document.querySelectorAll("nav.folders a[data-mailbox]")].some((a) => a.dataset.mailbox.includes("@"))`)
	if got := ask[string](b, `document.querySelector("#src-password").value`); got != "half a passw" {
		t.Errorf("what was being typed is now %q", got)
	}
	v.get("/imports").formAround("input[name=password]").set("password", "wrong").press("action", "password").want(200)
	b.until("the password is asked for", `[...document.querySelectorAll("[data-source-card] input[type=password]")].some((f) => !f.closest("details"))`)
	b.open("/imports")
	if ask[string](b, `getComputedStyle(document.querySelector(".new-source:not([open]) > summary"), "::before").content`) == "none" {
		t.Error("nothing shows that the form for another source unfolds")
	}
	v.get("/imports").formAround("button[value=remove]").press("action", "remove").want(200)
}

// TestFormsOfImportsThatNoBrowserSends break nothing, and a new folder may be chosen later too.
func TestFormsOfImportsThatNoBrowserSends(t *testing.T) {
	v, _, _, pop, old := importSite(t, testdb.SQLite(t), 1)
	v.filledIn(pop.POP3, old).set("keep", "bogus").press("action", "start").want(422)
	v.filledIn(pop.POP3, old).press("action", "start").want(200)
	eventually(t, "all is here", func() bool { return strings.Contains(v.state(), "All is here") })
	card := attr(v.one("section[data-source-card]"), "data-source-card")
	save := func() *form { return v.get("/imports").formAround("select[id=into-" + card + "]") }
	save().set("keep", "bogus").press("action", "save").want(422).says("[role=alert]", "could not be read")
	save().set("mailbox", "").press("action", "save").want(200).says("[role=status]", "Kept")
	save().set("mailbox", newMailbox).press("action", "save").want(200).says("[role=status]", "Kept")
	if got := v.get("/imports").formAround("select[id=into-" + card + "]").values.Get("mailbox"); got != old.Address {
		t.Errorf("the mails go into %q", got)
	}
}

// TestAWrongNumberOfDaysKeepsWhatWasTyped in the card of the source that is being changed, and names the field.
func TestAWrongNumberOfDaysKeepsWhatWasTyped(t *testing.T) {
	v, _, _, pop, old := importSite(t, testdb.SQLite(t), 1)
	v.filledIn(pop.POP3, old).press("action", "start").want(200)
	eventually(t, "all is here", func() bool { return strings.Contains(v.state(), "All is here") })
	v.get("/imports").formAround("select[id=into-1]").set("keep", "days").set("days", "4000").set("markread", "1").set("port", "1110").press("action", "save").want(422)
	v.says("[role=alert]", "from 1 to 3650")
	days := v.one("input[id=days-1]")
	if attr(days, "value") != "4000" || attr(days, "aria-invalid") != "true" || text(v.one("span[id=bad-days-1]")) == "" {
		t.Errorf("the field holds %q", attr(days, "value"))
	}
	f := v.formAround("select[id=into-1]")
	if f.values.Get("keep") != "days" || f.values.Get("port") != "1110" || f.values.Get("markread") != "1" {
		t.Errorf("what was typed is now %v", f.values)
	}
	f.set("days", "30").set("port", fmt.Sprint(pop.POP3.Port)).press("action", "save").want(200)
	v.formAround("input[name=sure]").press("action", "save").want(200) // the one mail will be deleted there
	if f := v.get("/imports").formAround("select[id=into-1]"); f.values.Get("days") != "30" {
		t.Errorf("kept is %v", f.values)
	}
}

// TestADayThatCannotBeHoldsNothingUpWhereNoneIsAskedFor: the field is out of sight then, and nobody could mend it.
func TestADayThatCannotBeHoldsNothingUpWhereNoneIsAskedFor(t *testing.T) {
	v, _, _, pop, old := importSite(t, testdb.SQLite(t), 1)
	b := newTab(t, &site{base: v.base}, wide)
	b.borrow(v)
	b.expect("422")
	b.open("/imports")
	fill := func(keep, days string) {
		ask[bool](b, `((u, w, h, p, keep, days) => { const f = document.querySelector("form[data-source]"), e = f.elements; e.username.value = u; e.password.value = w; e.host.value = h; e.port.value = p; e.security.value = "none"; e.days.value = days; f.querySelector("[name=keep][value=" + keep + "]").checked = true; f.querySelector(".filled").click(); return true; })`+
			fmt.Sprintf("(%q, %q, %q, %q, %q, %q)", old.Address, old.Password, pop.POP3.Host, fmt.Sprint(pop.POP3.Port), keep, days))
	}
	fill("days", "0")
	b.sees("Type how many days, from 1 to 3650.")
	b.settled()
	if ask[string](b, `document.activeElement.id`) != "src-days" || !ask[bool](b, `document.querySelector("#src-days").ariaInvalid === "true"`) {
		t.Error("the field that is wrong is not shown")
	}
	fill("keep", "0")
	b.sees("All is here: one mail")
}

// TestARefusedSourceLeavesNoFolder behind at the person's own server.
func TestARefusedSourceLeavesNoFolder(t *testing.T) {
	v, anna, imap, pop, old := importSite(t, testdb.SQLite(t), 1)
	v.filledIn(pop.POP3, old).press("action", "start").want(200)
	eventually(t, "all is here", func() bool { return strings.Contains(v.state(), "All is here") })
	v.filledIn(pop.POP3, old).set("mailbox", newMailbox).press("action", "start").want(409)
	talk := imap.Talk(t, anna)
	if list := talk.Do(`LIST "" "*"`); strings.Contains(strings.Join(list, "\n"), "@") {
		t.Errorf("the server has the folders %q", list)
	}
}

// TestPauseAndAKillShowAtOnce: nobody has to wait for a lease to end to see that nothing runs.
func TestPauseAndAKillShowAtOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		s, v, _, _, pop, old := importsOn(t, db, 1)
		v.filledIn(pop.POP3, old).press("action", "start").want(200)
		eventually(t, "all is here", func() bool { return strings.Contains(v.state(), "All is here") })
		if err := s.house.store.RunSource(t.Context(), 1, 1); err != nil {
			t.Fatal(err)
		}
		runs := func(lease time.Duration) { // a worker elsewhere, as far as anybody can see
			t.Helper()
			if _, err := s.house.store.TakeSource(t.Context(), 1, "elsewhere", lease); err != nil {
				t.Fatal(err)
			}
			h := store.Hold{SourceID: 1, Node: "elsewhere"}
			id, err := s.house.store.StartRun(t.Context(), h)
			if err == nil {
				err = s.house.store.RecordRun(t.Context(), h, store.ImportRun{ID: id, Total: 100, Done: 7})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		runs(time.Minute)
		if words := v.state(); !strings.Contains(words, "7 of 100") {
			t.Errorf("a run shows as %q", words)
		}
		v.get("/imports").formAround("button[value=pause]").press("action", "pause").want(200)
		if words := v.state(); !strings.Contains(words, "Paused. What is on its way") {
			t.Errorf("paused, it shows as %q", words)
		}
		if err := s.house.store.FinishSource(t.Context(), store.Source{ID: 1}, "elsewhere"); err != nil {
			t.Fatal(err)
		}
		if err := s.house.store.RunSource(t.Context(), 1, 1); err != nil {
			t.Fatal(err)
		}
		runs(20 * time.Second) // of a worker that was to hold it for a minute, and has died
		if words := v.state(); !strings.Contains(words, "Interrupted. It goes on by itself") || strings.Contains(words, "7 of 100") {
			t.Errorf("after a kill it shows as %q", words)
		}
	})
}

// TestWhatGoesOnCountsWhatIsHereAlready: a run that was cut off is one import to its person, not two.
func TestWhatGoesOnCountsWhatIsHereAlready(t *testing.T) {
	s, v, _, _, pop, old := importsOn(t, testdb.SQLite(t), 3)
	v.filledIn(pop.POP3, old).press("action", "start").want(200)
	eventually(t, "all is here", func() bool { return strings.Contains(v.state(), "All is here") })
	if err := s.house.store.RunSource(t.Context(), 1, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := s.house.store.TakeSource(t.Context(), 1, "elsewhere", time.Minute); err != nil {
		t.Fatal(err)
	}
	h := store.Hold{SourceID: 1, Node: "elsewhere"}
	id, err := s.house.store.StartRun(t.Context(), h)
	if err == nil {
		err = s.house.store.AddLedger(t.Context(), h, []store.LedgerRow{{ID: 101, UIDL: []byte("a"), State: "seen"}, {ID: 102, UIDL: []byte("b"), State: "seen"}})
	}
	if err == nil {
		err = s.house.store.RecordRun(t.Context(), h, store.ImportRun{ID: id, Total: 2})
	}
	if err != nil {
		t.Fatal(err)
	}
	if words := v.state(); !strings.Contains(words, "3 of 5") {
		t.Errorf("what goes on shows as %q", words)
	}
}

// TestWhatMayNotBeNamedIsSaidInOneSentence: whether there is such a host in an inner network is told to nobody.
func TestWhatMayNotBeNamedIsSaidInOneSentence(t *testing.T) {
	imap := testmail.Demo(t)
	s := newSite(t, imap, testdb.SQLite(t), nil)
	v := s.signIn(imap.NewUser(t))
	for _, host := range []string{"10.20.30.40", "localhost", "no-such-host.invalid"} {
		v.filledIn(testmail.Address{Host: host, Port: 995}, testmail.User{Address: "x@y.test", Password: "x"}).press("action", "start").want(422).says("[role=alert]", "There is no server "+host+", or the admin of this site does not let people name it")
	}
}
