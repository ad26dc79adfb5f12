package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"restante/internal/config"
	"restante/internal/store"
	"restante/internal/testdb"
	"restante/internal/testmail"
)

// TestAServerThatIsDownShows on the overview and on its domain's row, with who waits; and no more when it is up again.
func TestAServerThatIsDownShows(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		mail := testmail.Demo(t)
		gone := testmail.NewScript(t)
		gone.Say("greeting", testmail.HangUp)
		mail.Submission = gone.Address
		s := newSite(t, mail, db, nil)
		u := mail.NewUser(t)
		s.signIn(u)
		v := s.office()
		overview := func() string { return strings.Join(v.get("/admin").want(200).texts("main"), " ") }
		words := fmt.Sprintf("SMTP %s:%d is silent since", gone.Address.Host, gone.Address.Port)
		eventually(t, "the server is down", func() bool { return strings.Contains(overview(), words) })
		v.get("/admin/domains").want(200).says("li", words)
		v.says("li", "last sign-in 20")

		// The next look is due soon; tests do not wait for it.
		gone.Say("greeting", "")
		for _, w := range mustList(t, s) {
			w.Problem = ""
			if err := s.house.store.SaveWatched(t.Context(), w); err != nil {
				t.Fatal(err)
			}
		}
		if strings.Contains(overview(), words) {
			t.Error("a server that is up again is told as down")
		}

		w := mustList(t, s)[0]
		w.CertUntil = time.Now().Add(9*24*time.Hour + time.Hour)
		if err := s.house.store.SaveWatched(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(overview(), "ends in 9 days") {
			t.Errorf("the overview says %q", overview())
		}
		v.get("/admin/domains").want(200).says("li", "certificate ends in 9 days")
	})
}

func mustList(t *testing.T, s *site) []store.Watched {
	t.Helper()
	list, err := s.house.store.Watched(t.Context())
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	return list
}

// TestAdminsHearOfAnAdminThatTheCommandMade until each says that they know.
func TestAdminsHearOfAnAdminThatTheCommandMade(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		s := newSite(t, testmail.Demo(t), db, nil)
		v := s.office()
		s.makeAdmin("mia")
		typed(t, "another fine set of words\n")
		var out bytes.Buffer
		if err := createAdmin(t.Context(), s.house.store, "Ben", &out, &out); err != nil {
			t.Fatal(err, out.String())
		}
		v.get("/admin").want(200).says("main", "made another admin, ben")
		v.form("form[action=/admin/news]").press("", "").want(200)
		if v.has("form[action=/admin/news]") {
			t.Error("who knows is told again")
		}
		mia, ben := newVisitor(t, s.base), newVisitor(t, s.base)
		mia.get("/admin/login").adminTries("mia", adminPassword).want(200).says("main", "made another admin, ben")
		if ben.get("/admin/login").adminTries("ben", "another fine set of words").want(200); ben.has("form[action=/admin/news]") {
			t.Error("the new one is told of themselves")
		}
		v.get("/admin/audit").want(200).says("tbody", "Knows of another admin")
		v.says("tbody", "Made an admin")
	})
}

// typed has the standard input say something.
func typed(t *testing.T, words string) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.WriteString(words); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	was := os.Stdin
	os.Stdin = r
	t.Cleanup(func() { os.Stdin = was; _ = r.Close() })
}

// TestWrongSignInsOfAdminsAreInTheAudit counted, cleaned, and bounded however many come from wherever.
func TestWrongSignInsOfAdminsAreInTheAudit(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		s := newSite(t, testmail.Demo(t), db, func(c *config.Config) { c.TrustedProxies = []string{"127.0.0.0/8"} })
		v := s.office()
		try := func(from, name string) {
			t.Helper()
			f := strings.NewReader("username=" + name + "&password=wrong")
			w := newVisitor(t, s.base)
			w.do(w.newRequest(http.MethodPost, "/admin/login", f, "Content-Type", "application/x-www-form-urlencoded", "X-Forwarded-For", from))
		}
		for range 6 {
			try("192.0.2.1", "owner")
		}
		try("198.51.100.7", "%E2%80%AEroot%0D%0A%1b%5B31m"+strings.Repeat("x", 150))
		rows := wrongRows(t, s)
		if len(rows) != 3 || rows[2].Object != "owner" || rows[1].Object != "owner ×5" || rows[2].Network != "192.0.2.1/32" {
			t.Fatalf("noted: %+v", rows)
		}
		if o := rows[0].Object; len(o) > 64 || !strings.HasPrefix(o, "root [31mxxx") {
			t.Errorf("the name is noted as %q", o)
		}
		for i := range 50 {
			try(fmt.Sprintf("%d.0.0.5", i+20), fmt.Sprintf("owner%d", i))
		}
		if rows = wrongRows(t, s); len(rows) != 40 || rows[0].Object != "…" || rows[1].Object == "…" {
			t.Errorf("a flood makes %d rows, the last on %q", len(rows), rows[0].Object)
		}
		v.get("/admin/audit?verb=sign-in-wrong").want(200).says("tbody", "A wrong sign-in")
	})
}

func wrongRows(t *testing.T, s *site) []store.AuditRow {
	t.Helper()
	rows, err := s.house.store.Audit(t.Context(), store.AuditQuery{Verb: "sign-in-wrong", N: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}
