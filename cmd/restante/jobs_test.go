package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

// office is an admin of a site, signed in.
func (s *site) office() *visitor {
	s.t.Helper()
	s.makeAdmin("owner")
	v := newVisitor(s.t, s.base)
	v.get("/admin/login").adminTries("owner", adminPassword).want(200)
	return v
}

// TestAnAdminStopsALetterAndItsWriterHasIt: nothing of the letter is seen on the way, and nothing of it is lost.
func TestAnAdminStopsALetterAndItsWriterHasIt(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		w := newSender(t, db)
		v := w.s.office()
		v.get("/admin/jobs").want(200).says("main", "No job is there")
		w.script.Say("RCPT", "451 4.7.1 <one@other.test> and “Harbour plans” come back later")
		w.send("Harbour plans")
		w.comes("waiting")

		v.get("/admin/jobs?state=waiting&kind=send").want(200).says("main", w.user.Address)
		v.says("main", "Next try")
		v.says("main", "come back later")
		for _, secret := range []string{"Harbour", "one@other", "two@other", "The words of it"} {
			if strings.Contains(string(v.body), secret) {
				t.Errorf("the page of jobs shows %q", secret)
			}
		}
		v.get("/admin/jobs?state=failed").want(200).says("main", "No job is there")
		v.get("/admin/jobs").want(200)
		v.get(attr(v.one("a[class=\"button danger-quiet\"]"), "href")).want(200).says("main", "The letter is not lost")
		v.formAround("button[value=drop]").press("action", "drop").want(200).says("[role=status]", "lies in its writer's Outbox")

		w.comes("rejected")
		w.says("[data-outbox]", "the admin of this site stopped it")
		v.get("/admin/jobs").want(200).says("main", "Stopped by an admin")
		before := len(w.script.Texts())
		w.script.Say("RCPT", "")
		f := w.press("edit").form("form[data-compose]")
		if f.values.Get("subject") != "Harbour plans" || !strings.Contains(f.values.Get("to"), "two@other.test") || !w.has("a[data-attachment]") {
			t.Errorf("its writer has %q", f.values)
		}
		f.press("action", "send").want(200)
		eventually(t, "it left", func() bool { return len(w.script.Texts()) == before+1 })

		v.get("/admin/audit?verb=job-drop").want(200).says("tbody", "send 1 "+w.user.Address)
	})
}

// TestAnAdminTriesAgainWhatWaitsAndNeverWhatWasPerhapsSent.
func TestAnAdminTriesAgainWhatWaitsAndNeverWhatWasPerhapsSent(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		w := newSender(t, db)
		v := w.s.office()
		w.script.Say("RCPT", "451 4.7.1 come back")
		w.send("First")
		w.comes("waiting")
		w.script.Say("RCPT", "")
		v.get("/admin/jobs").want(200)
		v.formAround("button[value=retry]").press("action", "retry").want(200).says("[role=status]", "Tried now")
		eventually(t, "it left", func() bool { return len(w.script.Texts()) == 1 })
		eventually(t, "nothing waits", func() bool { return !w.get("/outbox").want(200).has("[data-outbox]") })

		w.script.Say("dot", testmail.HangUp)
		w.send("Second")
		w.comes("uncertain")
		left := len(w.script.Texts())
		v.get("/admin/jobs").want(200).says("main", "Only its writer can say")
		if v.has("button[value=retry]") || v.has("a[class=\"button danger-quiet\"]") {
			t.Error("a mail that was perhaps sent can be tried again or dropped")
		}
		for _, action := range []string{"retry", "drop"} { // a form of before
			v.do(v.newRequest("POST", "/admin/jobs/send/2", strings.NewReader("action="+action), "Content-Type", "application/x-www-form-urlencoded")).want(200).says("[role=status]", "has gone on meanwhile")
		}
		w.comes("uncertain")
		if n := len(w.script.Texts()); n != left {
			t.Errorf("it was sent %d times more", n-left)
		}
	})
}

// TestAnAdminPausesImports: their person sees it, and cannot start what is paused.
func TestAnAdminPausesImports(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		s, w, _, _, pop, old := importsOn(t, db, 2)
		v := s.office()
		w.filledIn(pop.POP3, old).press("action", "start").want(200)
		eventually(t, "all is here", func() bool { return strings.Contains(w.state(), "All is here: 2 mails") })

		v.get("/admin/jobs?kind=import").want(200).says("main", "127.0.0.1")
		v.says("main", "every 15 minutes")
		if strings.Contains(string(v.body), old.Address) {
			t.Error("the name of the old mailbox is shown to an admin")
		}
		for _, one := range []bool{true, false} {
			form := "form[action=/admin/jobs/import/1]"
			if !one {
				form = "form[class=\"bar info\"]"
			}
			v.form(form).press("action", "pause").want(200)
			v.says("main", "Paused by an admin")
			if !strings.Contains(w.state(), "admin of this site has paused it") || w.has("form[data-source-run]") {
				t.Errorf("its person sees %q", w.state())
			}
			pop.Deliver(t, old, testmail.Mail("Ben <ben@old.test>", fmt.Sprint("Late ", one), "Once more."))
			w.do(w.newRequest("POST", "/imports/1", strings.NewReader("action=run"), "Content-Type", "application/x-www-form-urlencoded")).want(200).says("[role=alert]", "Nothing was started")
			if !one {
				form = "form[class=\"bar warn\"]"
			}
			v.form(form).press("action", "resume").want(200)
			want := map[bool]string{true: "All is here: 3 mails", false: "All is here: 4 mails"}[one]
			if !one { // who let all go on did not ask for a look
				w.get("/imports").form("form[data-source-run]").press("action", "run").want(200)
			}
			eventually(t, want, func() bool { return strings.Contains(w.state(), want) })
			v.get("/admin/jobs?kind=import").want(200)
		}
		v.get("/admin/audit").want(200)
		for _, verb := range []string{"Paused an import", "Let an import go on", "Paused all imports", "Let all imports go on"} {
			v.says("tbody", verb)
		}
	})
}

// TestAnAdminSeesWhatFailsOfTheProgramItself, has it tried again, and forgets it.
func TestAnAdminSeesWhatFailsOfTheProgramItself(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		s := newSite(t, testmail.Demo(t), db, nil)
		v := s.office()
		if _, err := s.house.store.DB().ExecContext(t.Context(), `INSERT INTO river_job (kind, args, max_attempts) VALUES ('nobody-knows-it', '{}', 25)`); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it has failed", func() bool {
			return strings.Contains(strings.Join(v.get("/admin/jobs?kind=task").want(200).texts("main"), " "), "nobody-knows-it")
		})
		v.says("main", "Failed. Next try")
		v.get("/admin").want(200).says("main", "One task of the program itself has failed")
		v.get("/admin/jobs").want(200)
		v.formAround("button[value=retry]").press("action", "retry").want(200).says("[role=status]", "Tried now: nobody-knows-it")
		eventually(t, "it has failed again", func() bool { return v.get("/admin/jobs?kind=task").want(200).has("a[class=\"button danger-quiet\"]") })
		v.get(attr(v.one("a[class=\"button danger-quiet\"]"), "href")).want(200).says("main", "Nothing is lost")
		v.formAround("button[value=drop]").press("action", "drop").want(200)
		v.get("/admin/jobs?kind=task").want(200).says("main", "No job is there")
	})
}

// locks has an admin lock a user out, or let them in again.
func (s *site) locks(v *visitor, action, address string) {
	s.t.Helper()
	u, _, err := s.house.store.EnsureUser(s.t.Context(), address, address)
	if err != nil {
		s.t.Fatal(err)
	}
	page := fmt.Sprintf("/admin/people/%d", u.ID)
	v.get(page).want(200).form("form[action="+page+"]").press("action", action).want(200)
}

// TestWhoIsLockedHasTheirJobsWait: letters and imports, as the page of jobs tells, until they are let in again.
func TestWhoIsLockedHasTheirJobsWait(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		due := func(s *site, table string) {
			t.Helper()
			if _, err := s.house.store.DB().ExecContext(t.Context(), `UPDATE `+table+` SET next_at = 0`); err != nil {
				t.Fatal(err)
			}
		}
		w := newSender(t, db)
		v := w.s.office()
		w.script.Say("RCPT", "451 4.7.1 come back")
		w.send("Harbour plans")
		w.comes("waiting")
		w.script.Say("RCPT", "")
		w.s.locks(v, "lock", w.user.Address)
		due(w.s, "outbox")
		w.s.house.queue.Wake(1, time.Now())
		v.get("/admin/jobs?state=paused").want(200).says("main", "Waits: its person is locked")
		if v.has("button[value=retry]") {
			t.Error("an admin may have it sent all the same")
		}
		w.s.restart()
		if n := len(w.script.Texts()); n != 0 {
			t.Errorf("%d letters left", n)
		}
		w.s.locks(v, "unlock", w.user.Address)
		eventually(t, "it leaves", func() bool { return len(w.script.Texts()) == 1 })
	})
	t.Run("an import", func(t *testing.T) {
		s, w, u, _, pop, old := importsOn(t, testdb.SQLite(t), 2)
		v := s.office()
		w.filledIn(pop.POP3, old).press("action", "start").want(200)
		eventually(t, "all is here", func() bool { return strings.Contains(w.state(), "All is here: 2 mails") })
		s.locks(v, "lock", u.Address)
		pop.Deliver(t, old, testmail.Mail("Ben <ben@old.test>", "Late", "Once more."))
		if _, err := s.house.store.DB().ExecContext(t.Context(), `UPDATE sources SET next_at = 0`); err != nil {
			t.Fatal(err)
		}
		v.get("/admin/jobs?kind=import").want(200).says("main", "Waits: its person is locked")
		s.locks(v, "unlock", u.Address)
		s.signIn(u)
		eventually(t, "the late one is here", func() bool {
			o, err := s.house.store.Source(t.Context(), 1, 1)
			return err == nil && !o.Running && o.NextAt.After(time.Now())
		})
	})
}
