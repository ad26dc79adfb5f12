package main

import (
	"fmt"
	"strings"
	"testing"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

// searcher is a visitor whose account has needles in three folders and hay in the inbox.
func searcher(t *testing.T, srv *testmail.Server) (*site, *visitor, *testmail.Talk) {
	t.Helper()
	s := newSite(t, srv, testdb.SQLite(t), nil)
	u := srv.NewUser(t)
	talk := srv.Talk(t, u)
	for i, box := range []string{"Archive", "Sent", "INBOX", "INBOX"} {
		talk.Append(box, "", testmail.Mail("Priya <priya@raman.example>", fmt.Sprintf("Needle %d", i), "sharp"))
	}
	talk.Append("INBOX", "", testmail.Mail("Ben <ben@keller.example>", "Hay", "soft"))
	return s, s.signIn(u), talk
}

// rowIn is the name in forms of the mail with this subject, and the folder that its row names.
func (v *visitor) rowIn(subject string) (ref, folder string) {
	for _, n := range v.all("[data-uid]") {
		if strings.Contains(text(n), subject) {
			for _, f := range allIn(v.t, n, "span[class=row-folder]") {
				folder = text(f)
			}
			return attr(n, "data-uid"), folder
		}
	}
	return "", ""
}

// TestHitsOfSeveralFoldersAreActedOnAtOnce, with one Undo for all, whatever the server can do.
func TestHitsOfSeveralFoldersAreActedOnAtOnce(t *testing.T) {
	testmail.Each(t, func(t *testing.T, srv *testmail.Server) {
		_, v, _ := searcher(t, srv)
		v.get("/search?q=subject:needle").want(200)
		if n := len(v.all("[data-uid]")); n != 4 {
			t.Fatalf("%d hits: %q", n, v.texts("[data-uid]"))
		}
		refs := func(subjects ...string) (out []string) {
			for _, s := range subjects {
				ref, _ := v.rowIn(s)
				out = append(out, ref)
			}
			return out
		}
		v.form("form[data-list]").set("uid", refs("Needle 0", "Needle 2")...).press("action", "flag").want(200)
		v.says("[data-status]", "2 flagged.")
		if n := len(v.all("[data-flagged]")); n != 2 || v.url.Path != "/search" {
			t.Errorf("%d flagged at %s", n, v.url)
		}
		v.form("form[data-list]").set("uid", refs("Needle 0", "Needle 1", "Needle 2")...).press("action", "trash").want(200)
		v.says("[data-status]", "3 moved to Trash.")
		if n := len(v.all("[data-uid]")); n != 1 {
			t.Errorf("%d hits are left", n)
		}
		v.formAround("button[data-undo]").press("", "").want(200)
		v.says("[data-status]", "Undone.")
		for subject, want := range map[string]string{"Needle 0": "Archive", "Needle 1": "Sent", "Needle 2": "Inbox", "Needle 3": "Inbox"} {
			if _, folder := v.rowIn(subject); folder != want {
				t.Errorf("%s is in %q after Undo", subject, folder)
			}
		}
		to := v.form("form[data-list]").set("uid", refs("Needle 1", "Needle 3")...).set("to", "Archive").press("action", "move").want(200)
		to.says("[data-status]", "2 moved to Archive.")
		if _, folder := v.rowIn("Needle 3"); folder != "Archive" {
			t.Errorf("a hit that was moved is listed in %q", folder)
		}
		v.get("/mail/1/Archive").want(200)
		if n := len(v.all("[data-uid]")); n != 3 {
			t.Errorf("Archive holds %d", n)
		}
	})
}

// TestHitsAreReadBesideTheResults: the way on, back, and past the end of an act leads through the results.
func TestHitsAreReadBesideTheResults(t *testing.T) {
	_, v, talk := searcher(t, testmail.Demo(t))
	v.get("/search?q=needle").want(200)
	results := len(v.all("[data-uid]"))
	v.open("Needle 3").want(200)
	v.says("h1", "Needle 3")
	if len(v.all("[data-uid]")) != results || len(v.all("[data-current]")) != 1 {
		t.Errorf("beside it stand %q", v.texts("[data-uid]"))
	}
	v.follow("a[rel=next]").want(200).says("h1", "Needle 2") // they came at once: by folder then
	v.follow("a[rel=next]").want(200).says("h1", "Needle 1")
	if v.has("a[rel=next]") {
		t.Error("there is something behind the last hit")
	}
	v.follow("a[rel=prev]").want(200)
	v.form("form[class=message-bar]").press("action", "archive").want(200)
	v.says("h1", "Needle 1")
	v.says("[data-status]", "Moved to Archive.")
	if _, folder := v.rowIn("Needle 2"); folder != "Archive" {
		t.Errorf("beside it the archived one is listed in %q", folder)
	}
	v.follow("a[class=icon-button back]").want(200)
	if v.url.Path != "/search" || len(v.all("[data-uid]")) != results {
		t.Errorf("the way back leads to %s with %q", v.url, v.texts("[data-uid]"))
	}

	ref, _ := v.rowIn("Needle 3")
	v.form("form[data-list]").set("uid", ref).press("action", "open").want(200).says("h1", "Needle 3") // Enter in its check
	if len(v.all("[data-uid]")) != results {
		t.Errorf("beside it stand %q", v.texts("[data-uid]"))
	}
	here := v.url.RequestURI()
	talk.Do("SELECT INBOX")
	for _, l := range talk.Do("UID SEARCH SUBJECT \"Needle 3\"") {
		if uid, ok := strings.CutPrefix(l, "* SEARCH "); ok {
			talk.Do("UID STORE %s +FLAGS.SILENT (\\Deleted)", strings.TrimSpace(uid))
		}
	}
	talk.Do("EXPUNGE")
	v.get(here).want(404)
	v.says("[role=alert]", "This message is no longer here.")
	v.follow("a[class=button filled]").want(200).says("h1", "Needle 2")
	v.says("h2", "Search")
}

// TestAllThatASearchFoundIsActedOn, also what stands on other pages.
func TestAllThatASearchFoundIsActedOn(t *testing.T) {
	srv := testmail.Demo(t)
	_, v, talk := searcher(t, srv)
	for i := range 60 {
		talk.Append("Archive", "", testmail.Mail("Priya <priya@raman.example>", fmt.Sprintf("Needle more %d", i), "sharp"))
	}
	v.get("/search?q=subject:needle").want(200).says("label", "All 64 found")
	v.form("form[data-list]").set("all", "1").press("action", "flag").want(200)
	v.says("[data-status]", "64 flagged.")
	v.get("/search?q=is:flagged").want(200).says("label", "All 64 found")
	v.get("/mail/1/Archive?q=more").want(200).says("label", "All 60 found")
	v.form("form[data-list]").set("all", "1").press("action", "trash").want(200).says("[data-status]", "60 moved to Trash.")
	v.get("/search?q=subject:needle").want(200)
	if n := len(v.all("[data-uid]")); n != 4 {
		t.Errorf("%d hits are left", n)
	}
	v.follow("p[class=widen]") // junk and Trash too
}

// TestOpenedMailsStayInTheirListUntilItIsLeft: the one that was unread and is no longer does not vanish under the
// reader's eyes, nor the one whose flag went.
func TestOpenedMailsStayInTheirListUntilItIsLeft(t *testing.T) {
	testmail.Each(t, func(t *testing.T, srv *testmail.Server) {
		s := newSite(t, srv, testdb.SQLite(t), nil)
		u := srv.NewUser(t)
		talk := srv.Talk(t, u)
		for i := range 4 {
			talk.Append("INBOX", map[bool]string{true: `\Flagged`, false: `\Seen`}[i > 0], testmail.Mail("Ben <ben@keller.example>", fmt.Sprintf("Letter %d", i), "x"))
		}
		v := s.signIn(u)
		count := func(where string, n int) {
			t.Helper()
			if got := len(v.all("[data-uid]")); got != n {
				t.Errorf("%s: %d mails, not %d: %q", where, got, n, v.texts("[data-uid]"))
			}
		}
		for _, list := range []string{"/mail/1/INBOX?filter=unread", "/mail/1/INBOX?q=is:unread"} {
			v.get(list).want(200).open("Letter 3").want(200)
			count("opened one of three", 3)
			v.open("Letter 1").want(200)
			count("opened another", 3)
			v.follow("a[rel=prev]").want(200).says("h1", "Letter 2")
			v.follow("a[class=icon-button back]").want(200)
			count("back in the list", 3)
			if n := len(v.all("[data-unread]")); n != 0 {
				t.Errorf("%d are drawn unread", n)
			}
			v.get(list).want(200)
			count("left and come again", 0)
			talk.Do("SELECT INBOX")
			talk.Do(`STORE 2:4 -FLAGS.SILENT (\Seen)`)
			talk.Do("UNSELECT")
		}
		v.get("/mail/1/INBOX?filter=flagged").want(200).open("Letter 2").want(200)
		v.form("form[class=message-bar]").press("action", "unflag").want(200).says("h1", "Letter 2")
		count("its flag is gone", 3)
		v.get("/mail/1/INBOX?filter=flagged").want(200)
		count("come again", 2)
		v.form("form[data-list]").set("uid", v.row("Letter 3")).press("action", "unflag").want(200)
		count("unflagged in the list", 2)
		v.formAround("button[data-undo]").press("", "").want(200)
		v.get("/mail/1/INBOX?filter=flagged&keep=x").want(400)
	})
}

// TestWhatWentWrongStandsInTheFrame: folders, list and search live on.
func TestWhatWentWrongStandsInTheFrame(t *testing.T) {
	_, v, _ := searcher(t, testmail.Demo(t))
	for path, words := range map[string]string{
		"/mail/1/INBOX/999": "This message is no longer here.", "/mail/1/INBOX/999?filter=unread": "This message is no longer here.",
		"/mail/1/Gone": "This folder was removed or renamed elsewhere.", "/mail/1/Gone/7": "This folder was removed or renamed elsewhere.",
		"/mail/1/INBOX/x": "There is nothing at this address.", "/mail/1/INBOX/999?search=needle": "This message is no longer here.",
	} {
		v.get(path).want(404).says("h1", words)
		v.says("[role=alert]", words)
		if !v.has("a[data-mailbox=INBOX]") || !v.has("form[role=search]") {
			t.Errorf("%s stands without folders or search", path)
		}
		if n := len(v.all("h1")); n != 1 {
			t.Errorf("%s has %d headings", path, n)
		}
		if strings.Contains(path, "INBOX/999") && !v.has("[data-uid]") {
			t.Errorf("%s stands without its list", path)
		}
	}
	v.get("/mail/1/INBOX/999").follow("a[class=button filled]").want(200).says("h1", "Hay") // the next one
}

// TestWordsOfASearchAreUnderstoodOrExplained beside the field, which keeps them.
func TestWordsOfASearchAreUnderstoodOrExplained(t *testing.T) {
	_, v, _ := searcher(t, testmail.Demo(t))
	for query, n := range map[string]int{
		"from:+priya": 4, "subject:hay+OR+subject:\"needle+3\"": 2, "needle+-subject:\"needle+3\"": 3, "in:archive+needle": 1, "in:Inbox+needle": 2, "larger:1m": 0, "has:pdf": 0,
	} {
		v.get("/search?q=" + query).want(200)
		if got := len(v.all("[data-uid]")); got != n {
			t.Errorf("%s finds %d, not %d", query, got, n)
		}
	}
	v.get("/mail/1/INBOX?q=in:archive+needle").want(200)
	if v.url.Path != "/mail/1/Archive" {
		t.Errorf("in:archive is looked for in %s", v.url.Path)
	}
	for query, words := range map[string]string{
		"larger:big": "“larger:big” has no size", "before:someday": "Write it like 2026-01-31", "from:": "Say what to look for behind “from:”.", "in:nowhere+x": "There is no folder “nowhere”.", "is:odd": "is:unread",
	} {
		for _, page := range []string{"/search?q=", "/mail/1/INBOX?q=", "/mail/1/INBOX/1?q=", "/mail/1/INBOX/1?search="} {
			if strings.Contains(query, "in:") && strings.Contains(page, "INBOX/1") {
				continue
			}
			v.get(page+query).want(400).says("p[id=words-wrong]", words)
			field := v.one("input[id=words]")
			if attr(field, "value") != strings.ReplaceAll(query, "+", " ") || attr(field, "aria-describedby") != "words-wrong" || !v.has("a[data-mailbox=INBOX]") {
				t.Errorf("%s%s: the field says %q", page, query, attr(field, "value"))
			}
		}
	}
}

// TestANameThatAFolderCannotHaveIsExplained, and stays where it was typed.
func TestANameThatAFolderCannotHaveIsExplained(t *testing.T) {
	srv := testmail.Demo(t)
	s := newSite(t, srv, testdb.SQLite(t), nil)
	v := s.signIn(srv.NewUser(t))
	v.get("/mail/1/mailboxes").want(200).form("form[class=card new-folder]").set("name", "Work").press("action", "create").want(200)
	v.form("form[class=card new-folder]").set("name", "Play").press("action", "create").want(200)
	for name, words := range map[string]string{
		"100 %": "“%” stands for any name", "a*": "“*” stands for any name", "a/b": "“/” separates folders", "inbox": "The inbox is there already.", "Work": "There is already a folder of that name.",
		strings.Repeat("long", 99): "too long", "": "Give the folder a name.", "a\x01b": "signs that cannot be seen",
	} {
		v.form("form[class=card new-folder]").set("name", name).press("action", "create").want(422).says("[role=alert]", words)
		if got := attr(v.one("input[id=new-name]"), "value"); got != name {
			t.Errorf("%q has become %q", name, got)
		}
		if strings.ToLower(name) == "inbox" {
			continue
		}
		f := v.folderForm("Play")
		f.set("newname", name).press("action", "rename").want(422).says("[role=alert]", words)
		if got := v.folderForm("Play").values.Get("newname"); got != name && name != "" || !v.has("details[open]") {
			t.Errorf("%q has become %q", name, got)
		}
	}
	v.folderForm("Work").set("parent", "Work").press("action", "reparent").want(422).says("[role=alert]", "into itself")
	v.folderForm("Work").set("parent", "Play").press("action", "reparent").want(200).says("[data-status]", "Folder Work moved.")
}

// folderForm is the form in which a folder is changed.
func (v *visitor) folderForm(name string) *form {
	v.t.Helper()
	for _, n := range v.all("form") {
		if f := v.filled(n); f.values.Get("name") == name && f.values.Has("newname") {
			return f
		}
	}
	v.t.Fatalf("%s has no form for %s", v.url, name)
	return nil
}

// TestReportsSpeakTheReadersLanguage, also where their words are those of a protocol.
func TestReportsSpeakTheReadersLanguage(t *testing.T) {
	srv := testmail.Demo(t)
	s := newSite(t, srv, testdb.SQLite(t), nil)
	u := srv.NewUser(t)
	srv.Talk(t, u).Append("INBOX", "", "From: MAILER-DAEMON@x.test\r\nSubject: Bounce\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nsorry\r\n"+
		"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.x.test\r\n\r\nFinal-Recipient: rfc822; bo@x.test\r\nAction: failed\r\nStatus: 5.1.1\r\n"+
		"--b\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nSUMMARY:Lunch\r\nDTSTART:20261106T110000Z\r\nRRULE:FREQ=WEEKLY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n--b--\r\n")
	v := s.signIn(u)
	v.do(v.newRequest("GET", "/mail/1/INBOX/1", strings.NewReader(""), "Accept-Language", "de"))
	page := strings.Join(v.texts("section[class=card tear]"), " ")
	for _, words := range []string{"bo@x.test hat Ihre Mail nicht bekommen.", "5.1.1 (dieses Postfach gibt es nicht)", "Prüfen Sie die Adresse", "Einladung", "jede Woche"} {
		if !strings.Contains(page, words) {
			t.Errorf("no card says %q: %q", words, page)
		}
	}
}

// TestWhatWasSearchedForIsMarked in sender, subject and first line of the rows, in one folder and in all, and in the text
// of the opened mail; by the word's key only where it was looked for. What a mail says is never markup.
func TestWhatWasSearchedForIsMarked(t *testing.T) {
	srv := testmail.Demo(t)
	u := srv.NewUser(t)
	s := newSite(t, srv, testdb.SQLite(t), nil)
	srv.Deliver(t, u, testmail.Mail("Zoé Tailor <zoe@tailor.example>", "<b>Zoé</b> & the thread", "Ask Zoe: https://zoe.example/a\n> zoé said so\n"))
	v := s.signIn(u)
	marks := func() string {
		var out []string
		for _, m := range v.all("mark") {
			out = append(out, text(m))
		}
		return strings.Join(out, " ")
	}
	for _, c := range []struct{ path, list, open string }{
		{"/mail/1/INBOX?q=zoe", "Zoé Zoé Zoe", "Zoe zoe zoé"},
		{"/search?q=zoe", "Zoé Zoé Zoe", "Zoe zoe zoé"},
		{"/search?q=subject:zo%C3%A9", "Zoé", ""},
		{"/mail/1/INBOX?q=from:zoe", "Zoé", ""},
		{"/search?q=is:read", "", ""},
	} {
		v.get(c.path).want(200)
		if got := marks(); !strings.HasPrefix(got, c.list) || c.list == "" && got != "" {
			t.Errorf("%s marks %q, want %q", c.path, got, c.list)
		}
		v.says("[data-uid]", "<b>Zoé</b> & the thread")
		if v.has("b") {
			t.Errorf("%s: a subject became markup", c.path)
		}
		v.follow("[data-message-link]").want(200)
		var got []string
		for _, m := range allIn(t, v.one("[data-message-text]"), "mark") {
			got = append(got, text(m))
		}
		if strings.Join(got, " ") != c.open {
			t.Errorf("%s: the text has the marks %q, want %q", c.path, got, c.open)
		}
	}
}

// TestASearchIsKeptBesideTheFolders by its name, finds what comes later too, and is forgotten.
func TestASearchIsKeptBesideTheFolders(t *testing.T) {
	_, v, talk := searcher(t, testmail.Demo(t))
	v.get("/search?q=subject:needle").want(200)
	v.form("form[class=save-search]").set("name", " My  needles ").press("action", "keep").want(200)
	v.says("[data-status]", "“My needles” stands beside the folders now.")
	talk.Append("INBOX", "", testmail.Mail("Priya <priya@raman.example>", "Needle 9", "sharp"))
	v.get("/mail/1/INBOX").want(200)
	for _, a := range v.all("a[class=folder]") {
		if text(a) == "My needles" {
			v.get(attr(a, "href")).want(200)
		}
	}
	if n := len(v.all("[data-uid]")); n != 5 || v.url.Path != "/search" {
		t.Errorf("%d hits at %s", n, v.url)
	}
	v.form("form[class=save-search]").press("action", "forget").want(200)
	v.says("[data-status]", "The search is forgotten.")
	v.get("/mail/1/INBOX?q=needle").want(200)
	v.form("form[class=save-search]").press("action", "keep").want(200)
	if v.get(attr(v.all("a[class=folder]")[len(v.all("a[class=folder]"))-1], "href")); !strings.Contains(v.url.Path, "INBOX") {
		t.Errorf("a search in a folder leads to %s", v.url)
	}
	v.get("/search?q=larger:5m").want(200)
	v.form("form[class=save-search]").set("q", "larger:much").press("action", "keep").want(400)
}
