package main

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

// TestFoldersMoveUnderAnyNameAndBack: also one with a sign that no new folder may have, and what was renamed or moved
// is put back by Undo.
func TestFoldersMoveUnderAnyNameAndBack(t *testing.T) {
	srv := testmail.Demo(t)
	s := newSite(t, srv, testdb.SQLite(t), nil)
	anna := srv.NewUser(t)
	talk := srv.Talk(t, anna)
	talk.Do(`CREATE "50%% off"`)
	talk.Do(`CREATE Work`)
	v := s.signIn(anna)
	folders := func() (names []string) {
		for _, a := range v.all("a[data-mailbox]") {
			names = append(names, attr(a, "data-mailbox"))
		}
		return names
	}
	v.get("/mail/1/mailboxes")
	before := folders()
	for _, c := range []struct{ action, field, to, words string }{
		{"reparent", "parent", "Work", "Folder 50% off moved."}, {"rename", "newname", "Half price", "Folder renamed to Half price."}, {"delete", "sure", "1", "moved to Trash"},
	} {
		v.get("/mail/1/mailboxes").folderForm("50% off").set(c.field, c.to).press("action", c.action).want(200).says("[role=status]", c.words)
		if after := folders(); slices.Equal(before, after) {
			t.Errorf("%s changed nothing", c.action)
		}
		v.formAround("button[data-undo]").press("", "").want(200).says("[role=status]", "Undone.")
		if after := folders(); !slices.Equal(before, after) {
			t.Errorf("%s taken back: %q", c.action, after)
		}
	}
	v.get("/mail/1/mailboxes")
	if hide, change := len(v.all("button[value=unsubscribe]"))+len(v.all("button[value=subscribe]")), len(v.all("input[name=newname]")); hide != change {
		t.Errorf("%d folders can be hidden or shown, %d renamed: not the inbox", hide, change)
	}
}

// TestLabelsAreWords: of any language and more than one.
func TestLabelsAreWords(t *testing.T) {
	srv := testmail.Demo(t)
	s := newSite(t, srv, testdb.SQLite(t), nil)
	anna := srv.NewUser(t)
	srv.Deliver(t, anna, testmail.Mail("Ben <ben@keller.example>", "A letter", "Text."))
	v := s.signIn(anna).open("A letter")
	v.form("form[id=label-form]").set("label", "Für später").press("action", "label").want(200).says("[role=status]", "Labelled Für später")
	if got := v.texts("li[class=label]"); !slices.Equal(got, []string{"Für später×"}) {
		t.Errorf("the mail has the labels %q", got)
	}
	v.formAround("button[value=unlabel]").press("action", "unlabel").want(200).says("[role=status]", "Label Für später removed.")
	if v.has("li[class=label]") {
		t.Errorf("the label stays: %q", v.texts("li[class=label]"))
	}
}

// TestAMailMarkedUnreadLeadsToItsList: no other is opened, and read, in its place.
func TestAMailMarkedUnreadLeadsToItsList(t *testing.T) {
	srv := testmail.Demo(t)
	s := newSite(t, srv, testdb.SQLite(t), nil)
	anna := srv.NewUser(t)
	for n := range 3 {
		srv.Deliver(t, anna, testmail.Mail("Ben <ben@keller.example>", fmt.Sprintf("Letter %d", n), "Text."))
	}
	v := s.signIn(anna).open("Letter 1")
	v.form("form[class=message-bar]").press("action", "unread").want(200).says("[role=status]", "Marked unread.")
	if n := len(v.all("[data-unread]")); v.url.RequestURI() != "/mail/1/INBOX" || n != 3 {
		t.Errorf("at %s, %d are unread", v.url, n)
	}
	v.get("/search?q=" + url.QueryEscape("from:ben")).open("Letter 1")
	if v.form("form[class=message-bar]").press("action", "unread").want(200); v.url.Path != "/search" || len(v.all("[data-unread]")) != 3 {
		t.Errorf("at %s, %d are unread", v.url, len(v.all("[data-unread]")))
	}
}

// TestDeletingForeverNamesTheNumber: without scripts a page asks.
func TestDeletingForeverNamesTheNumber(t *testing.T) {
	srv := testmail.Demo(t)
	s := newSite(t, srv, testdb.SQLite(t), nil)
	anna := srv.NewUser(t)
	for n := range 3 {
		srv.Deliver(t, anna, testmail.Mail("Ben <ben@keller.example>", fmt.Sprintf("Letter %d", n), "Text."))
	}
	v := s.signIn(anna)
	v.form("[data-list]").set("uid", v.row("Letter 0"), v.row("Letter 1")).press("action", "trash").want(200)
	v.get("/mail/1/Trash").form("[data-list]").set("uid", v.row("Letter 0"), v.row("Letter 1")).press("action", "delete").want(200).says("h1", "Delete 2 messages for good?")
}

// TestWithoutAReadingPaneAMailHasThePage: at each width, with scripts and after a step to another mail.
func TestWithoutAReadingPaneAMailHasThePage(t *testing.T) {
	b, _, _ := tabWith(t, 3)
	b.open("/settings")
	ask[bool](b, `(document.querySelector("[name=reading_pane]").value = "none", true)`)
	b.press("Save")
	b.sees("Kept.")
	b.open("/mail/1/INBOX")
	b.press("Letter 1")
	const alone = `document.querySelector("#subject")?.innerText === $ && document.querySelector("#list").getBoundingClientRect().height === 0 && document.querySelector(".message-bar").getBoundingClientRect().top < 80`
	b.until("the mail has the page", alone, "Letter 1")
	b.click("[rel=next]")
	b.until("so has the next", alone, "Letter 0")
	b.click(".message-bar .back")
	b.until("back is the list", `!document.querySelector("#subject") && document.querySelectorAll(".row").length === 3`)
}

// TestAFoldersNameStandsBesideTheSenders: what is found tells where, and covers nobody's name.
func TestAFoldersNameStandsBesideTheSenders(t *testing.T) {
	srv := testmail.Demo(t)
	anna := srv.NewUser(t)
	talk := srv.Talk(t, anna)
	talk.Do(`CREATE "Work/Projects with long names/2026"`)
	talk.Append("Work/Projects with long names/2026", "", testmail.Mail("somebody.with-a-long-name@keller.example", "Found", "Text."))
	b := newTab(t, newSite(t, srv, testdb.SQLite(t), nil), wide)
	b.signIn(anna)
	b.open("/search?q=Found")
	b.until("the two stand side by side", `(() => { const name = document.querySelector(".row-name"), folder = document.querySelector(".row-folder")?.getBoundingClientRect(); return folder?.width > 40 && folder.left >= name.getBoundingClientRect().right - parseFloat(getComputedStyle(name).paddingRight); })()`)
}

// TestAPlaceOnThePageIsNoNewPage: a link to one, such as those that skip, loads nothing and moves the focus.
func TestAPlaceOnThePageIsNoNewPage(t *testing.T) {
	b, _, _ := tabWith(t, 2)
	stands := `(globalThis.stands = document.body, performance.clearResourceTimings(), true)`
	for path, c := range map[string]struct{ link, focus string }{"/mail/1/INBOX": {"a.skip", "list"}, "/mail/1/mailboxes": {"a[href='#new-name']", "new-name"}} {
		b.open(path)
		ask[bool](b, stands)
		ask[bool](b, `(document.querySelector($).click(), true)`, c.link)
		b.until("the focus is there, on the same page", `(document.activeElement.id === $ || location.hash === "#" + $) && globalThis.stands === document.body && !performance.getEntriesByType("resource").some((e) => e.name.endsWith($))`, c.focus, c.focus, path)
	}
}

// TestThePageOfFoldersBeginsWithThem: on a phone without scripts it is how people go from one to another, and see where
// something is unread.
func TestThePageOfFoldersBeginsWithThem(t *testing.T) {
	srv := testmail.Demo(t)
	s := newSite(t, srv, testdb.SQLite(t), nil)
	anna := srv.NewUser(t)
	srv.Deliver(t, anna, testmail.Mail("Ben <ben@keller.example>", "A letter", "Text."))
	v := s.signIn(anna).get("/mail/1/mailboxes").want(200)
	v.says("p[class=folder-line]", "1 unread")
	words := text(v.one("main"))
	if strings.Index(words, "Trash") > strings.Index(words, "Create folder") {
		t.Error("the form for a new folder stands before them")
	}
}

// TestWhatWasDoneInAnotherTabIsNotSaidToBeDoneHere: the mail was archived there, and is not deleted here.
func TestWhatWasDoneInAnotherTabIsNotSaidToBeDoneHere(t *testing.T) {
	srv := testmail.Demo(t)
	s := newSite(t, srv, testdb.SQLite(t), nil)
	anna := srv.NewUser(t)
	srv.Deliver(t, anna, testmail.Mail("Ben <ben@keller.example>", "A letter", "Text."))
	v := s.signIn(anna).open("A letter")
	here := v.form("form[class=message-bar]")
	v.form("form[class=message-bar]").press("action", "archive").want(200)
	here.press("action", "trash").want(200).says("[role=status]", "Nothing was done.")
}

// TestAllInAFolderAreMeantOnlyAsLongAsAllArePicked: who unpicks one, acts on one row, or lets go of all, means no others.
func TestAllInAFolderAreMeantOnlyAsLongAsAllArePicked(t *testing.T) {
	b, srv, anna := tabWith(t, 53)
	talk := srv.Talk(t, anna)
	flagged := func() (n int) {
		for _, flags := range talk.Flags("INBOX") {
			n += strings.Count(flags, `\Flagged`)
		}
		return n
	}
	every := func() {
		b.open("/mail/1/INBOX")
		b.click(`.row:has([aria-label*="Letter 52"]) .pick`)
		b.click(".action-page")
		b.click("label.all")
		b.until("the bar says so", `document.querySelector(".action-count").innerText === "✕ All 53 in Inbox"`)
	}
	every()
	b.click(`.row:has([aria-label*="Letter 50"]) .pick`)
	b.until("49 are picked", `document.querySelector(".action-count").innerText === "✕ 49 selected" && !document.querySelector(".all input").checked`)
	b.keys("s")
	b.sees("49 flagged.")
	if n := flagged(); n != 49 {
		t.Errorf("%d are flagged, not the 49 that were picked", n)
	}
	b.keys("z")
	b.sees("Undone.")
	every()
	b.keys("\x1b")
	b.until("nothing is picked", `!document.querySelector(".rows input:checked") && document.querySelector(".action-bar").getBoundingClientRect().height === 0`)
	every()
	b.keys("s")
	b.sees("53 flagged.")
}

// TestAMailOfARebuiltFolderIsNotTakenForAnother: what its page leads to is that mail, or nothing.
func TestAMailOfARebuiltFolderIsNotTakenForAnother(t *testing.T) {
	testmail.Each(t, func(t *testing.T, srv *testmail.Server) {
		s := newSite(t, srv, testdb.SQLite(t), nil)
		anna := srv.NewUser(t)
		talk := srv.Talk(t, anna)
		file := func(name string) string {
			return "From: Ben <ben@keller.example>\r\nSubject: " + name + "\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\nContent-Disposition: attachment; filename=" + name + "\r\n\r\n" + name + "\r\n--b--\r\n"
		}
		talk.Do("CREATE Work")
		talk.Append("Work", "", file("old.txt"))
		v := s.signIn(anna).get("/mail/1/Work").open("old.txt")
		var links []string
		for _, a := range v.all("a") {
			if href := attr(a, "href"); strings.HasPrefix(href, "/mail/1/Work/1/") && !strings.Contains(href, "reply") || strings.HasPrefix(href, "/mail/1/Work/1.eml") {
				links = append(links, href)
			}
		}
		if len(links) < 4 {
			t.Fatalf("the page leads to %q", links)
		}
		for _, href := range links {
			v.get(href).want(200)
		}
		was := strings.Join(talk.Do("STATUS Work (UIDVALIDITY)"), "")
		for is := was; is == was; is = strings.Join(talk.Do("STATUS Work (UIDVALIDITY)"), "") {
			talk.Do("DELETE Work")
			talk.Do("CREATE Work")
		}
		talk.Append("Work", "", file("new.txt"))
		for _, href := range links {
			if v.get(href); v.status != 404 && !strings.Contains(string(v.body), "old.txt") || strings.Contains(string(v.body), "new.txt") {
				t.Errorf("%s: %d %.200s", href, v.status, v.body)
			}
		}
	})
}
