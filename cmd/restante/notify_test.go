package main

import (
	"testing"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

// TestFoldersCountAtOnceWhatComesIntoThem, where the server tells of it, though another folder is open.
func TestFoldersCountAtOnceWhatComesIntoThem(t *testing.T) {
	srv := testmail.Dovecot(t, testmail.DovecotOptions{})
	anna := srv.NewUser(t)
	talk := srv.Talk(t, anna)
	talk.Do("CREATE Work")
	talk.Do("SUBSCRIBE Work")
	b := newTab(t, newSite(t, srv, testdb.SQLite(t), nil), wide)
	b.signIn(anna)
	b.until("the folder is there", `document.querySelector('[data-mailbox="Work"]')`)
	counts := func(n string) {
		t.Helper()
		b.until("the folder counts "+n, `(document.querySelector('[data-mailbox="Work"]').dataset.unreadCount ?? "0") === $`, n)
	}
	talk.Append("Work", "", testmail.Mail("Ben <ben@keller.example>", "Plan", "The text."))
	counts("1")
	talk.Do("SELECT Work")
	talk.Do(`STORE 1 +FLAGS (\Seen)`)
	counts("0")
	b.open("/mail/1/Work")
	talk.Append("Work", "", testmail.Mail("Ben <ben@keller.example>", "Another plan", "The text."))
	b.until("the list that is open shows it", `[...document.querySelectorAll("#list [data-uid]")].some((e) => e.innerText.includes("Another plan"))`)
}
