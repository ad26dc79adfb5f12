package main

import (
	"fmt"
	"strings"
	"testing"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

// does presses a button of the list on the page for the mails with these subjects.
func (v *visitor) does(action string, subjects ...string) *visitor {
	v.t.Helper()
	var uids []string
	for _, s := range subjects {
		uids = append(uids, v.row(s))
	}
	return v.form("form[data-list]").set("uid", uids...).press("action", action).want(200)
}

// marked says whether the mail with a subject shows a mark in the list on the page.
func (v *visitor) marked(subject, mark string) bool {
	for _, n := range v.all("[data-uid]") {
		if strings.Contains(text(n), subject) {
			_, on := attribute(n, mark)
			return on
		}
	}
	return false
}

// TestWhatIsDoneWhileTheMailServerIsAwayWaits: it shows at once, can be undone, outlives a restart, and is done in its
// order when the server is back. What cannot be done any more is told once.
func TestWhatIsDoneWhileTheMailServerIsAwayWaits(t *testing.T) {
	testmail.Each(t, func(t *testing.T, srv *testmail.Server) {
		b := newBehindTap(t, srv, testdb.SQLite(t), "One", "Two", "Three", "Four", "Five")
		v := b.v
		v.get("/mail/1/INBOX").does("archive", "Five") // the folder is made
		v.get("/mail/1/INBOX").want(200).open("Four").want(200)
		b.indexed(t, "the mail", "SELECT COUNT(*) FROM shown")
		v.form("form[class=message-bar]").press("action", "unread").want(200)
		b.away(true)
		soon(t, "acting with the server away", func() {
			v.get("/mail/1/INBOX").want(200).does("flag", "One")
			v.says("[data-status]", "when it is back")
			v.does("archive", "Two", "Three")
			v.says("[data-status]", "2 moved to Archive.")
			v.open("Four").want(200) // which marks it read
			v.get("/mail/1/INBOX").does("trash", "One")
			v.formAround("button[data-undo]").press("", "").want(200)
		})
		b.restart()
		v = b.v.get("/mail/1/INBOX").want(200)
		if !v.marked("One", "data-flagged") || v.row("Two") != "" || v.row("Three") != "" || v.marked("Four", "data-unread") {
			t.Errorf("the list shows %q", v.texts("[data-uid]"))
		}
		if said := v.banner(); !strings.Contains(said, "3 changes wait for the server.") {
			t.Errorf("the banner says %q", said)
		}
		v.does("flag", "Four")
		v.formAround("button[data-undo]").press("", "").want(200)
		if v.marked("Four", "data-flagged") {
			t.Error("a flag that was taken back shows")
		}
		b.talk.Do("SELECT INBOX")
		b.talk.Do(`UID STORE 3 +FLAGS (\Deleted)`)
		b.talk.Do("EXPUNGE")
		b.away(false)
		v.form("form[action=/retry]").press("", "").want(200)
		v.get("/mail/1/INBOX").want(200)
		if said := string(v.body); !strings.Contains(said, "“Moved to Archive.”") || !strings.Contains(said, "deleted elsewhere meanwhile") {
			t.Errorf("what could not be done is not told: %q", v.texts("[role=alert]"))
		}
		if v.get("/mail/1/INBOX"); strings.Contains(string(v.body), "meanwhile") || v.banner() != "" {
			t.Error("it is told twice, or the banner stays")
		}
		flags := b.talk.Flags("INBOX")
		if len(flags) != 2 || !strings.Contains(flags[1], `\Flagged`) || strings.Contains(flags[4], `\Flagged`) || !strings.Contains(flags[4], `\Seen`) {
			t.Errorf("the server has %v", flags)
		}
		if n := b.talk.Count("Archive"); n != 2 {
			t.Errorf("%d in Archive, not 2", n)
		}
		if n := b.talk.Count("Trash"); n != 0 {
			t.Errorf("%d in Trash after Undo", n)
		}
	})
}

// TestWhatWaitedForAFolderThatWasMadeAnewIsDropped: its mails are others now.
func TestWhatWaitedForAFolderThatWasMadeAnewIsDropped(t *testing.T) {
	b := newBehindTap(t, testmail.Dovecot(t, testmail.DovecotOptions{}), testdb.SQLite(t), "One")
	b.talk.Do("CREATE Box")
	b.talk.Append("Box", "", testmail.Mail("a@x.test", "Old", "alt"))
	b.restart() // and so it is heard of at once
	b.v.get("/mail/1/Box").want(200)
	b.kept(t, "Box")
	b.away(true)
	b.v.get("/mail/1/Box").want(200).does("flag", "Old")
	b.talk.Do("DELETE Box")
	b.talk.Do("CREATE Box")
	b.talk.Append("Box", "", testmail.Mail("a@x.test", "New", "neu"))
	b.away(false)
	b.v.form("form[action=/retry]").press("", "").want(200)
	if b.v.get("/mail/1/INBOX").want(200); !strings.Contains(string(b.v.body), "rebuilt on the server") {
		t.Errorf("it is not told: %q", b.v.texts("[role=alert]"))
	}
	if flags := b.talk.Flags("Box"); strings.Contains(fmt.Sprint(flags), "Flagged") {
		t.Errorf("another mail was flagged: %v", flags)
	}
}

// unread is how many unread mails the page tells of folders.
func (v *visitor) unread(names ...string) (out string) {
	for _, name := range names {
		for _, n := range v.all(`[data-mailbox="` + name + `"]`) {
			count, _ := attribute(n, "data-unread-count")
			out += name + " " + count + " "
		}
	}
	return strings.TrimSpace(out)
}

// TestFoldersCountWhatWaits as if it had been done: marks, moves and what is taken back; and in the end what the server has.
func TestFoldersCountWhatWaits(t *testing.T) {
	testmail.Each(t, func(t *testing.T, srv *testmail.Server) {
		b := newBehindTap(t, srv, testdb.SQLite(t), "One", "Two", "Three", "Four")
		b.v.get("/mail/1/INBOX").does("archive", "Four") // the folder is made
		b.v.get("/mail/1/INBOX").want(200)
		b.away(true)
		counts := func(after, want string) {
			t.Helper()
			if got := b.v.get("/mail/1/INBOX").want(200).unread("INBOX", "Archive"); got != want {
				t.Errorf("after %s: %s, not %s", after, got, want)
			}
		}
		counts("nothing", "INBOX 3 Archive 1")
		b.v.does("read", "One")
		counts("a mark", "INBOX 2 Archive 1")
		b.v.does("archive", "Two", "One")
		counts("a move", "INBOX 1 Archive 2")
		b.v.does("archive", "Three")
		b.v.formAround("button[data-undo]").press("", "").want(200)
		counts("a move that was taken back", "INBOX 1 Archive 2")
		b.restart()
		counts("a restart", "INBOX 1 Archive 2")
		b.away(false)
		b.v.form("form[action=/retry]").press("", "").want(200)
		counts("the server's return", "INBOX 1 Archive 2")
		b.talk.Do("SELECT Archive")
		b.talk.Do(`STORE 1:* +FLAGS (\Seen)`)
		eventually(t, "only what the server says counts", func() bool { return b.v.get("/mail/1/Archive").want(200).row("Two") != "" })
		b.restart()
		counts("all", "INBOX 1 Archive 0")
	})
}

// TestAMoveThatWasDoneThoughItsAnswerWasLostIsToldAsDone, and so is a deletion; what lay in the folder before is no sign.
func TestAMoveThatWasDoneThoughItsAnswerWasLostIsToldAsDone(t *testing.T) {
	testmail.Each(t, func(t *testing.T, srv *testmail.Server) {
		b := newBehindTap(t, srv, testdb.SQLite(t), "One", "Two", "Three", "Four")
		b.v.get("/mail/1/INBOX").does("archive", "Four") // the folder is made
		b.talk.Do("SELECT INBOX")
		b.talk.Do("UID COPY 3 Archive") // before it is moved
		b.restart()
		b.v.get("/mail/1/INBOX").want(200)
		b.away(true)
		b.v.get("/mail/1/INBOX").does("archive", "One", "Two")
		b.v.does("archive", "Three")
		for _, uid := range []string{"1", "2"} { // as the server does it that is lost before it says so
			b.talk.Do("UID COPY %s Archive", uid)
			b.talk.Do(`UID STORE %s +FLAGS (\Deleted)`, uid)
		}
		b.talk.Do(`UID STORE 3 +FLAGS (\Deleted)`)
		b.talk.Do("EXPUNGE")
		b.away(false)
		b.v.form("form[action=/retry]").press("", "").want(200)
		b.v.get("/mail/1/INBOX").want(200)
		if told := strings.Join(b.v.texts("[role=alert]"), " "); strings.Count(told, "“") != 1 || !strings.Contains(told, "deleted elsewhere") {
			t.Errorf("it tells %q", told)
		}
		if list := b.v.get("/mail/1/Archive").want(200); list.row("One") == "" || list.row("Two") == "" {
			t.Errorf("the folder shows %q", list.texts("[data-uid]"))
		}
		if n := b.talk.Count("Archive"); n != 4 {
			t.Errorf("%d in Archive, not 4", n)
		}
	})
}
