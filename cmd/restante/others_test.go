package main

import (
	"testing"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

// TestTheOthersGetAMailThatWasRefusedForOne once its writer says so, and nobody gets it before.
func TestTheOthersGetAMailThatWasRefusedForOne(t *testing.T) {
	t.Parallel()
	srv := testmail.Postfix(t, testmail.PostfixOptions{Refuse: "nobody@example.test=550 5.1.1 no such person"})
	s := newSite(t, srv, testdb.SQLite(t), nil)
	anna, ben := srv.NewUser(t), srv.NewUser(t)
	v, other := s.signIn(anna), s.signIn(ben)
	v.get("/compose").want(200)
	v.form("form[data-compose]").set("to", "nobody@example.test, "+ben.Address).set("subject", "For two").set("body", "Hello.").press("action", "send").want(200)
	eventually(t, "it is refused", func() bool { return v.get("/outbox").want(200).has("[data-state=rejected]") })
	if other.get("/mail/2/INBOX").want(200).row("For two") != "" {
		t.Error("it went out before anybody was asked")
	}
	v.formAround("button[value=rest]").press("action", "rest").want(200)
	eventually(t, "the other has it", func() bool { return other.get("/mail/2/INBOX").want(200).row("For two") != "" })
	eventually(t, "nothing waits", func() bool { return !v.get("/outbox").want(200).has("[data-outbox]") })
}

// TestADeletedFolderGoesToTrash with its mail, and Undo brings it back.
func TestADeletedFolderGoesToTrash(t *testing.T) {
	testmail.Each(t, func(t *testing.T, srv *testmail.Server) {
		s := newSite(t, srv, testdb.SQLite(t), nil)
		u := srv.NewUser(t)
		srv.Deliver(t, u, testmail.Mail("Ben <ben@keller.example>", "Harbour", "Still there?"))
		v := s.signIn(u)
		v.get("/mail/1/mailboxes").form("form[class=card new-folder]").set("name", "Old").press("action", "create").want(200)
		v.get("/mail/1/INBOX")
		v.form("form[data-list]").set("uid", v.row("Harbour")).set("to", "Old").press("action", "move").want(200)
		v.get("/mail/1/mailboxes")
		f := v.form("form[action=/mail/1/mailboxes]")
		f.values = map[string][]string{"name": {"Old"}, "action": {"delete"}}
		f.press("", "").want(200)
		v.formAround("input[name=sure]").press("action", "delete").want(200)
		undo := v.formAround("button[data-undo]")
		if v.get("/mail/1/Trash~Old").want(200).row("Harbour") == "" {
			t.Error("the mail is not in the folder under Trash")
		}
		v.get("/mail/1/Old").want(404)
		undo.press("", "").want(200)
		if v.get("/mail/1/Old").want(200).row("Harbour") == "" {
			t.Error("Undo did not bring the folder back with its mail")
		}
	})
}
