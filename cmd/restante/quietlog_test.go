package main

import (
	"regexp"
	"strings"
	"testing"

	"restante/internal/config"
	"restante/internal/testdb"
	"restante/internal/testmail"
)

// TestNothingOfAMailIsInTheLog: at level info a day of mail, and what goes wrong in one, leaves no address, subject,
// text, folder name, search or password in the log.
func TestNothingOfAMailIsInTheLog(t *testing.T) {
	t.Parallel()
	srv := testmail.Postfix(t, testmail.PostfixOptions{Refuse: "nobody@example.test=550 5.1.1 <nobody@example.test>: no such person"})
	s := newSite(t, srv, testdb.SQLite(t), func(c *config.Config) { c.Log = "info" })
	j := &journey{t: t, s: s, payload: randomBytes(t, 3000), anna: srv.NewUser(t), ben: srv.NewUser(t)}
	srv.Deliver(t, j.anna, letters(j.payload)...)
	signInFrom(newVisitor(t, s.base), "", j.anna.Address, "hunter2").want(401)
	signInFrom(newVisitor(t, s.base), "", "stranger@nowhere.example", "hunter2").want(401)
	j.v = s.signIn(j.anna)
	j.reads()
	j.flagsAndMoves()
	j.makesAFolder()
	j.searches()
	j.keepsADraft()
	j.answers()
	j.v.get("/compose").form("form[data-compose]").set("to", "nobody@example.test").set("subject", "Harbour lights").set("body", "x").press("action", "send").want(200)
	eventually(t, "it is refused", func() bool { return j.v.get("/outbox").has("[data-outbox][data-state=rejected]") })
	j.v.get("/mail/1/INBOX?q=has:nothing+harbour&sort=evil").want(400)
	j.v.get("/mail/1/Secret~20folder").want(404)
	j.v.get("/mail/1/mailboxes").form("form[class=card new-folder]").set("name", "Secret*folder").press("action", "create")
	j.v.get("/search?q=subject:harbour").want(200)
	j.signsOut()
	s.end()
	log := s.log.String()
	if !strings.Contains(log, "msg=sign-in") || !strings.Contains(log, "msg=outbox") || strings.Contains(log, "level=DEBUG") {
		t.Errorf("this is not the log of a day at level info: %s", log)
	}
	address := regexp.MustCompile(`[\w.+-]+@[\w-]+`)
	for _, l := range strings.Split(log, "\n") {
		if address.MatchString(l) {
			t.Errorf("an address is in the log: %s", l)
		}
		for _, secret := range []string{"harbour", "figures", "thought", "totals", "größe", "maria", "secret", "hunter2", "scan", "täglich", "quarter", "stranger"} {
			if strings.Contains(strings.ToLower(l), secret) {
				t.Errorf("%q is in the log: %s", secret, l)
			}
		}
	}
}
