package main

import (
	"strings"
	"testing"

	"restante/internal/store"
	"restante/internal/testdb"
	"restante/internal/testmail"
)

// autosave saves a form as our script does while its writer types, and gives whether the Drafts folder has it.
func (f *form) autosave(name, value string) (filed bool) {
	f.v.t.Helper()
	req := f.set(name, value).set("action", "save").request()
	req.Header.Set("X-Restante", "autosave")
	f.v.do(req).want(204)
	f.set("rev", f.v.header.Get("X-Restante-Rev"))
	f.action = "/compose/" + f.v.header.Get("X-Restante-Draft")
	return f.v.header.Get("X-Restante-Filed") == "1"
}

// holds are the mails of a mailbox, as they lie there.
func holds(talk *testmail.Talk, mailbox string) string {
	talk.Do("SELECT %q", mailbox)
	lines, _ := talk.Try("UID FETCH 1:* (BODY.PEEK[])")
	return strings.Join(lines, "\n")
}

// TestTheDraftsFolderGetsAllThatWasWritten, whatever ends before the copy's time has come: nobody has to write on for that.
func TestTheDraftsFolderGetsAllThatWasWritten(t *testing.T) {
	testmail.Each(t, func(t *testing.T, srv *testmail.Server) {
		for name, ends := range map[string]func(s *site, v *visitor, u testmail.User){
			"signing out": func(_ *site, v *visitor, _ testmail.User) {
				v.get("/settings").form("form[action=/logout]").press("", "").want(200)
			},
			"another sign-in": func(s *site, v *visitor, u testmail.User) {
				s.signIn(u).get("/settings/devices").formAround("button[value=others]").press("action", "others").want(200)
				v.get("/settings").says("h1", "Your mail is here.")
				s.signIn(u)
			},
			"a restart": func(s *site, v *visitor, _ testmail.User) {
				s.restart()
				v.get("/").want(200)
			},
			"a look into the folder": func(_ *site, v *visitor, _ testmail.User) { v.get("/mail/1/Drafts").want(200) },
		} {
			t.Run(name, func(t *testing.T) {
				s, u := newSite(t, srv, testdb.SQLite(t), nil), srv.NewUser(t)
				talk := srv.Talk(t, u)
				v := s.signIn(u)
				f := v.get("/compose").form("form[data-compose]").set("subject", "Filed")
				if !f.autosave("body", "Before.") {
					t.Fatal("the first copy is not made at once")
				}
				s.restart()
				f.autosave("body", "Before. Then more.")
				if f.autosave("body", "Before. Then more. And all the rest.") || strings.Contains(holds(talk, "Drafts"), "all the rest") {
					t.Fatal("the copy is made at each save")
				}
				ends(s, v, u)
				if got := holds(talk, "Drafts"); !strings.Contains(got, "all the rest") || strings.Count(got, "Before.") != 1 {
					t.Errorf("in Drafts lies:\n%s", got)
				}
			})
		}
	})
}

// TestACopyOfWhichNobodyKnowsIsPutAside: the program ended, or the line broke, after the copy had come to the folder.
func TestACopyOfWhichNobodyKnowsIsPutAside(t *testing.T) {
	testmail.Each(t, func(t *testing.T, srv *testmail.Server) {
		s := newSite(t, srv, testdb.SQLite(t), nil)
		u := srv.NewUser(t)
		talk := srv.Talk(t, u)
		v := s.signIn(u)
		f := v.get("/compose").form("form[data-compose]").set("subject", "Twice")
		f.autosave("body", "Before.")
		id := v.header.Get("X-Restante-Draft")
		if err := s.house.store.SetDraftCopy(t.Context(), 1, id, store.DraftCopy{}); err != nil {
			t.Fatal(err)
		}
		s.restart()
		if !f.autosave("body", "After.") {
			t.Error("not filed")
		}
		if got := holds(talk, "Drafts"); !strings.Contains(got, "After.") || strings.Contains(got, "Before.") {
			t.Errorf("in Drafts lies:\n%s", got)
		}
		if got := holds(talk, "Trash"); !strings.Contains(got, "Before.") {
			t.Errorf("in the trash lies:\n%s", got)
		}
	})
}

// TestAnotherProgramsDraftIsLeftAsItIs until somebody writes on it here.
func TestAnotherProgramsDraftIsLeftAsItIs(t *testing.T) {
	srv := testmail.Dovecot(t, testmail.DovecotOptions{})
	s := newSite(t, srv, testdb.SQLite(t), nil)
	u := srv.NewUser(t)
	talk := srv.Talk(t, u)
	talk.Append("Drafts", `\Draft`, "From: "+u.Address+"\r\nSubject: From elsewhere\r\nX-Mailer: Other\r\n\r\nHello\r\n")
	v := s.signIn(u)
	v.get("/mail/1/Drafts").open("From elsewhere").want(200)
	f := v.form("form[data-compose]")
	v.get("/mail/1/Drafts").want(200)
	if got := holds(talk, "Drafts"); !strings.Contains(got, "X-Mailer: Other") {
		t.Errorf("in Drafts lies:\n%s", got)
	}
	f.autosave("body", "Hello, and on.")
	if got := holds(talk, "Drafts"); !strings.Contains(got, "and on.") || strings.Contains(got, "X-Mailer: Other") {
		t.Errorf("in Drafts lies:\n%s", got)
	}
}

// TestSigningOutFilesWhatIsStillBeingWritten in a letter that lies on another page.
func TestSigningOutFilesWhatIsStillBeingWritten(t *testing.T) {
	b, srv, anna := tabWith(t, 1)
	talk := srv.Talk(t, anna)
	b.keys("c")
	b.until("the editor stands", `document.querySelector("form[data-docked] .editor")`)
	kept := func(words string) {
		b.t.Helper()
		b.click(".editor")
		b.keys(words)
		b.until("kept", `document.querySelector("[data-kept]").innerText.includes("Draft kept")`)
		ask[bool](b, `(document.querySelector("[data-kept]").innerText = "", true)`)
	}
	kept("Before.")
	eventually(t, "the first copy is made", func() bool { return strings.Contains(holds(talk, "Drafts"), "Before.") })
	kept(" And all the rest.")
	b.click("details.account > summary")
	b.press("Sign out")
	b.until("signed out", `location.pathname === "/login" && document.readyState === "complete"`)
	if got := holds(talk, "Drafts"); !strings.Contains(got, "all the rest") {
		t.Errorf("in Drafts lies:\n%s", got)
	}
}

// TestALetterOutlivesAChangedPassword: the mail server takes the one no more that the session has.
func TestALetterOutlivesAChangedPassword(t *testing.T) {
	server := newFakeIMAP(t)
	s := newSite(t, server.mail(), testdb.SQLite(t), nil)
	v := s.signIn(testmail.User{Address: "anna@fake.test", Password: "secret"})
	f := v.get("/compose").form("form[data-compose]").set("to", "ben@x.test").set("subject", "Kept").attach("attachments", file{"a.bin", []byte("abc")}).press("action", "save").want(200).form("form[data-compose]")
	was := "secret"
	server.not.Store(&was)
	s.restart() // no connection is left
	if f.autosave("body", "All of it."); v.header.Get("X-Restante-Filed") == "1" {
		t.Error("it is said to be filed")
	}
	draft := f.action
	v.get("/mail/1/INBOX")
	if !v.has("form[action=/login]") {
		t.Errorf("who has another password is answered with %d", v.status)
	}
	v = s.signIn(testmail.User{Address: "anna@fake.test", Password: "another"})
	got := v.get(draft).want(200).form("form[data-compose]").values
	if got.Get("body") != "All of it." || got.Get("to") != "ben@x.test" || !v.has("a[data-attachment]") {
		t.Errorf("the form holds %q", got)
	}
}

// TestADraftThatCannotBeFiledIsKept, its writer is told where it is, and what is only read is not said to be put back.
func TestADraftThatCannotBeFiledIsKept(t *testing.T) {
	server := newFakeIMAP(t)
	s := newSite(t, server.mail(), testdb.SQLite(t), nil)
	v := s.signIn(testmail.User{Address: "anna@fake.test", Password: "secret"})
	server.breakWith(faults["says NO"])
	v.get("/compose").form("form[data-compose]").set("subject", "Kept").set("body", "All of it.").press("action", "save").want(200)
	v.says("[role=alert]", "Your text is kept here.")
	if v.form("form[data-compose]").autosave("body", "All of it."); v.header.Get("X-Restante-Filed") != "away" {
		t.Errorf("our script is told %q", v.header.Get("X-Restante-Filed"))
	}
	v.get(v.url.Path)
	if got := v.form("form[data-compose]").values.Get("body"); got != "All of it." {
		t.Errorf("the form holds %q", got)
	}
	v.get("/mail/1/INBOX").want(409)
	v.says("[role=alert]", "The mail server refused to show this.")
}

// TestWhatAnotherProgramWroteIsNeverOverwritten: it has put its own text in the place of our copy, or taken that away.
// The writer is told, in the page that stands and in one that is opened, and both texts remain.
func TestWhatAnotherProgramWroteIsNeverOverwritten(t *testing.T) {
	srv := testmail.Dovecot(t, testmail.DovecotOptions{})
	for name, c := range map[string]struct {
		replace func(ours string) string // what it puts there, "" for nothing
		says    string
	}{
		"its own":       {func(string) string { return "Subject: Harbour\r\n\r\nTheirs.\r\n" }, "Another mail program has changed this draft."},
		"with our mark": {func(ours string) string { return strings.Replace(ours, "Before.", "Theirs.", 1) }, "Another mail program has changed this draft."},
		"nothing":       {nil, "taken out of the Drafts folder elsewhere"},
	} {
		t.Run(name, func(t *testing.T) {
			s, u := newSite(t, srv, testdb.SQLite(t), nil), srv.NewUser(t)
			talk := srv.Talk(t, u)
			v := s.signIn(u)
			f := v.get("/compose").form("form[data-compose]").set("subject", "Harbour")
			f.autosave("body", "Before.")
			draft := f.action
			_, ours, _ := strings.Cut(holds(talk, "Drafts"), "}")
			ours = strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(ours[:strings.LastIndex(ours, ")")]), "\r", ""), "\n", "\r\n") + "\r\n"
			if c.replace != nil {
				talk.Append("Drafts", `\Draft`, c.replace(ours))
			}
			talk.Do("SELECT Drafts")
			talk.Do(`UID STORE 1 +FLAGS (\Deleted)`)
			talk.Do("EXPUNGE")
			v.get(draft).says("[data-foreign]", c.says)
			theirs := strings.Contains(text(v.one("[data-foreign]")), "Look at its text")
			s.restart() // a copy is due at once
			if !f.autosave("body", "Before, and mine.") {
				t.Error("not filed")
			}
			told := v.header.Get("X-Restante-Foreign")
			if got := holds(talk, "Drafts"); !strings.Contains(got, "and mine.") || strings.Contains(got, "Theirs.") != (c.replace != nil) {
				t.Errorf("in Drafts lies:\n%s", got)
			}
			if c.replace == nil {
				if theirs || told != "-" {
					t.Errorf("it is said to lie at %q", told)
				}
				return
			}
			v.get(told).want(200)
			if got := v.form("form[data-compose]").values.Get("body"); v.url.Path == draft || strings.TrimSpace(got) != "Theirs." {
				t.Errorf("%s holds %q", v.url.Path, got)
			}
			if got := v.get(draft).form("form[data-compose]").values.Get("body"); got != "Before, and mine." {
				t.Errorf("ours is now %q", got)
			}
		})
	}
}
