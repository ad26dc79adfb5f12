package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"restante/internal/store"
	"restante/internal/testdb"
	"restante/internal/testmail"
)

// TestPasswordsGoElsewhereOnlyWhenAnotherAdminAgrees: until then all is as it was, and afterwards people are told.
func TestPasswordsGoElsewhereOnlyWhenAnotherAdminAgrees(t *testing.T) {
	t.Parallel()
	srv := testmail.Postfix(t, testmail.PostfixOptions{})
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		s := newcomer(t, srv, db)
		owner := s.admin("owner")
		pem, err := os.ReadFile(srv.CAFile)
		if err != nil {
			t.Fatal(err)
		}
		owner.get("/admin/domains/new").want(200).formAround("button[value=look]").set("domain", "example.test").press("action", "look").want(200)
		owner.formAround("button[value=save]").attach("ca", file{"ca.pem", pem}).set("current", adminPassword).press("action", "save").want(200)
		owner.says("[role=status]", "example.test is saved")
		page := owner.url.Path
		seen := store.Watched{Domain: "example.test", Service: "imap", Server: "mail.example.test:993", CertUntil: time.Now().Add(90 * 24 * time.Hour)}
		if err := s.house.store.SaveWatched(t.Context(), seen); err != nil {
			t.Fatal(err)
		}
		owner.get(page).want(200).says("main", "Answers; certificate valid until") // as the watch has seen it
		u := srv.NewUser(t)
		v := s.signIn(u)
		if v.has("form[action=/settings/moved]") {
			t.Error("somebody is told of a change that was none")
		}

		second := s.admin("second")
		const elsewhere = "4650"
		ask := func() {
			owner.get(page).want(200).formAround("button[value=save]").set("submission_port", elsewhere).set("current", adminPassword).press("action", "save").want(200)
		}
		ask()
		owner.says("[role=status]", "waits for another admin")
		owner.says("section", "You asked for this change")
		if owner.has("button[value=agree]") {
			t.Error("who asked may agree")
		}
		port := func() string {
			return attr(second.get(page).want(200).one("input[name=submission_port]"), "value")
		}
		if got := port(); got != "465" {
			t.Fatalf("before anybody agreed it holds: %s", got)
		}
		second.says("section", "owner asked for this change")
		second.says("section", "mail.example.test:465 TLS becomes mail.example.test:"+elsewhere+" TLS")
		second.get("/admin").want(200).says("main", "owner wants to change where the passwords of example.test go")

		second.get(page).formAround("button[value=agree]").set("current", "not this one").press("action", "agree").want(422)
		stale := second.get(page).formAround("button[value=agree]").set("current", adminPassword)
		owner.get(page).formAround("button[value=refuse]").press("action", "refuse").want(200).says("[role=status]", "The change is off")
		stale.press("action", "agree").want(409).says("[role=alert]", "is over")

		ask()
		second.get(page).formAround("button[value=agree]").set("current", adminPassword).press("action", "agree").want(200).says("[role=status]", "example.test is saved")
		if got := port(); got != elsewhere {
			t.Errorf("agreed, and it is %s", got)
		}
		if second.has("button[value=agree]") {
			t.Error("it waits still")
		}
		owner.get("/admin/audit").want(200)
		for _, words := range []string{"Asked for a change of a domain", "Agreed to a change of a domain", "Put off a change of a domain"} {
			owner.says("tbody", words)
		}

		v.get("/mail/1/INBOX").want(200).says("[role=status]", "your admin changed the servers of example.test")
		v.form("form[action=/settings/moved]").press("", "").want(200)
		if v.get("/settings").has("form[action=/settings/moved]") || !strings.Contains(string(v.body), u.Address) {
			t.Error("they are told again")
		}
	})
}

// admin makes an admin and signs them in.
func (s *site) admin(name string) *visitor {
	s.t.Helper()
	s.makeAdmin(name)
	v := newVisitor(s.t, s.base)
	return v.get("/admin/login").want(200).adminTries(name, adminPassword).want(200)
}

// TestADomainThatIsAddedAgainIsAChangeOfWhatItWas: to take it out first goes round nobody, in the pages or with one
// whose people the program found the servers of itself.
func TestADomainThatIsAddedAgainIsAChangeOfWhatItWas(t *testing.T) {
	t.Parallel()
	srv := testmail.Postfix(t, testmail.PostfixOptions{})
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		s := newcomer(t, srv, db)
		owner, second := s.admin("owner"), s.admin("second")
		pem, err := os.ReadFile(srv.CAFile)
		if err != nil {
			t.Fatal(err)
		}
		add := func(port string) {
			owner.get("/admin/domains/new").want(200).formAround("button[value=look]").set("domain", "example.test").press("action", "look").want(200)
			owner.formAround("button[value=save]").attach("ca", file{"ca.pem", pem}).set("submission_port", port).set("current", adminPassword).press("action", "save").want(200)
		}
		add("465")
		owner.says("[role=status]", "example.test is saved")
		page := owner.url.Path
		u := srv.NewUser(t)
		s.signIn(u)
		drop := func() {
			owner.get(page).want(200).formAround("button[value=delete]").set("confirm", "example.test").set("current", adminPassword).press("action", "delete").want(200)
		}

		drop()
		add("465")
		owner.says("[role=status]", "example.test is saved") // as it was: nobody has to agree
		drop()
		add("4650")
		owner.says("[role=status]", "waits for another admin")
		newVisitor(t, s.base).get("/login").tries(u.Address, u.Password).want(401)
		second.get("/admin/domains").want(200).says("main", "A change waits")
		second.get(page).want(200).says("section", "is not set up now")
		second.says("h1", "example.test")
		second.says("section", "mail.example.test:465 TLS becomes mail.example.test:4650 TLS")
		owner.get(page).formAround("button[value=refuse]").press("action", "refuse").want(200).says("[role=status]", "The change is off")
		second.get(page).want(404)

		add("4650")
		second.get(page).formAround("button[value=agree]").set("current", adminPassword).press("action", "agree").want(200).says("[role=status]", "example.test is saved")
		s.signIn(u).says("[role=status]", "your admin changed the servers of example.test")
		if err := s.house.store.DeleteDomain(t.Context(), "example.test"); err != nil {
			t.Fatal(err)
		}

		if _, _, err := s.house.store.EnsureUser(t.Context(), "eva@found.test", "eva"); err != nil {
			t.Fatal(err)
		}
		owner.get("/admin/domains/new").want(200).formAround("button[value=look]").set("domain", "found.test").press("action", "look").want(200)
		owner.formAround("button[value=save]").set("imap_host", "evil.test").set("submission_host", "evil.test").set("current", adminPassword).press("action", "save").want(200)
		owner.says("[role=status]", "waits for another admin")
	})
}
