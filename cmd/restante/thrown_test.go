package main

import (
	"strings"
	"testing"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

// TestWhatWasThrownAwayCanBeBroughtBack with its people, its text and its files, into the Drafts folder too; and be
// deleted for good, which is asked once.
func TestWhatWasThrownAwayCanBeBroughtBack(t *testing.T) {
	srv := testmail.Dovecot(t, testmail.DovecotOptions{})
	s := newSite(t, srv, testdb.SQLite(t), nil)
	u := srv.NewUser(t)
	talk := srv.Talk(t, u)
	v := s.signIn(u)
	v.get("/compose").form("form[data-compose]").set("to", "ben@x.test").set("cc", "rosa@x.test").set("subject", "Harbour").set("body", "All of it.").
		attach("attachments", file{"a.bin", []byte("abc")}).press("action", "save").want(200)
	draft := v.url.Path
	v.form("form[data-compose]").set("body", "All of it, and the last words.").press("action", "discard").want(200)
	v.says("[role=status]", "Draft thrown away.")
	if got := holds(talk, "Drafts"); strings.Contains(got, "Harbour") {
		t.Errorf("in Drafts lies:\n%s", got)
	}
	v.get("/compose").form("form[data-compose]").press("action", "discard").want(200)
	v.get("/compose").form("form[data-compose]").set("body", "Never kept before.").press("action", "discard").want(200)
	v.says("a[href=/compose/thrown]", "Show")

	v.get("/mail/1/Drafts").want(200).follow("a[href=/compose/thrown]").want(200)
	if n := len(v.all("[data-thrown]")); n != 2 {
		t.Fatalf("%d drafts are listed", n)
	}
	for _, words := range []string{"Harbour", "ben@x.test, rosa@x.test · 1 file", "and the last words.", "Never kept before.", "kept until"} {
		v.says("[data-thrown]", words)
	}
	row := func() *form {
		t.Helper()
		for _, n := range v.get("/compose/thrown").want(200).all("form[action=/compose/thrown]") {
			if f := v.filled(n); "/compose/"+f.values.Get("draft") == draft {
				return f
			}
		}
		t.Fatal("it is not listed")
		return nil
	}
	stranger := s.signIn(srv.NewUser(t))
	f := row()
	stranger.do(f.set("action", "restore").request()).want(404)
	row().press("action", "restore").want(200).says("[role=status]", "The draft is back.")
	g := v.form("form[data-compose]")
	if v.url.Path != draft || g.values.Get("to") != "ben@x.test" || g.values.Get("cc") != "rosa@x.test" || g.values.Get("body") != "All of it, and the last words." || !v.has("a[data-attachment]") {
		t.Errorf("at %s came back %q", v.url.Path, g.values)
	}
	if got := holds(talk, "Drafts"); !strings.Contains(got, "last words") || !strings.Contains(got, "a.bin") {
		t.Errorf("in Drafts lies:\n%s", got)
	}
	g.press("action", "discard").want(200)
	v.get(draft).says("[role=note]", "This draft was thrown away.")
	row().press("action", "delete").want(200).says("h1", "for good?")
	v.form("form[method=post]").press("", "").want(200).says("[role=status]", "The draft is deleted.")
	if n := len(v.all("[data-thrown]")); n != 1 {
		t.Errorf("%d drafts are listed", n)
	}
	v.get(draft).want(404)
}

// TestADraftThatIsDeletedInItsFolderIsThrownAway, and can be brought back like one that was thrown away in its form.
func TestADraftThatIsDeletedInItsFolderIsThrownAway(t *testing.T) {
	srv := testmail.Dovecot(t, testmail.DovecotOptions{})
	s := newSite(t, srv, testdb.SQLite(t), nil)
	v := s.signIn(srv.NewUser(t))
	for _, subject := range []string{"Deleted", "Stays"} {
		v.get("/compose").form("form[data-compose]").set("subject", subject).set("body", "Text of "+subject).press("action", "save").want(200)
	}
	v.get("/mail/1/Drafts").want(200).does("trash", "Deleted")
	v.get("/compose/thrown").want(200)
	if n := len(v.all("[data-thrown]")); n != 1 {
		t.Fatalf("%d drafts are listed", n)
	}
	v.says("[data-thrown]", "Deleted")
	v.form("form[action=/compose/thrown]").press("action", "restore").want(200)
	if got := rawText(v.one("textarea[name=body]")); got != "Text of Deleted" {
		t.Errorf("it came back with %q", got)
	}
}
