package main

import (
	"testing"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

// TestUndoOfADelete brings a mail back once and leaves none behind, whatever the server can do.
func TestUndoOfADelete(t *testing.T) {
	for name, without := range map[string][]string{"all": nil, "no MOVE": {"MOVE"}, "no UIDPLUS": {"UIDPLUS"}, "neither": {"MOVE", "UIDPLUS"}} {
		t.Run(name, func(t *testing.T) {
			srv := testmail.Demo(t, without...)
			s := newSite(t, srv, testdb.SQLite(t), nil)
			u := srv.NewUser(t)
			srv.Deliver(t, u, testmail.Mail("Ben <ben@keller.example>", "Harbour", "Still there?"), testmail.Mail("Ben <ben@keller.example>", "Other", "Hm."))
			v := s.signIn(u)
			v.form("form[data-list]").set("uid", v.row("Harbour")).press("action", "trash").want(200)
			if v.row("Harbour") != "" {
				t.Error("it is still in the inbox")
			}
			v.formAround("button[data-undo]").press("", "").want(200)
			if n := len(v.get("/mail/1/INBOX").want(200).all("[data-uid]")); n != 2 {
				t.Errorf("the inbox holds %d mails after Undo, not 2", n)
			}
			if n := len(v.get("/mail/1/Trash").want(200).all("[data-uid]")); n != 0 {
				t.Errorf("Trash holds %d mails after Undo", n)
			}
		})
	}
}
