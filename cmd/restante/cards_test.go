package main

import (
	"strings"
	"testing"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

// mixed is a mail of several parts, each with its header.
func mixed(subject string, parts ...string) string {
	mail := "From: Ben <ben@keller.example>\nTo: anna@demo.test\nSubject: " + subject + "\nMessage-ID: <" + strings.ReplaceAll(subject, " ", ".") + "@keller.example>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b41\n\n"
	for _, p := range parts {
		mail += "--b41\n" + p + "\n"
	}
	return strings.ReplaceAll(mail+"--b41--\n", "\n", "\r\n")
}

// TestAnAttachedCardIsTakenIntoContacts: it says who it is, and what is there already is merged by the usual way.
func TestAnAttachedCardIsTakenIntoContacts(t *testing.T) {
	srv := testmail.Demo(t)
	anna := srv.NewUser(t)
	srv.Deliver(t, anna, mixed("My card", "\nHere it is.", "Content-Type: text/vcard; name=rosa.vcf\nContent-Disposition: attachment; filename=rosa.vcf\n\n"+
		"BEGIN:VCARD\nVERSION:3.0\nFN:Rosa <b>Giménez</b>\nORG:Ridge Ltd\nEMAIL:rosa@ridge.example\nTEL:+34 600 100 200\nEND:VCARD"),
		mixed("No card", "\nNothing.", "Content-Type: text/vcard; name=x.vcf\n\nnot a card"))
	v := newSite(t, srv, testdb.SQLite(t), nil).signIn(anna)
	v.open("My card").want(200)
	for _, words := range []string{"Rosa <b>Giménez</b>", "Ridge Ltd", "rosa@ridge.example", "+34 600 100 200"} {
		v.says("[class=card tear]", words)
	}
	v.formAround("button[data-take]").press("", "").want(200).says("p", "rosa.vcf has one contact")
	v.formAround("button[value=take]").press("action", "take").want(200)
	if v.get("/contacts").want(200); len(v.names()) != 1 || v.names()[0] != "Rosa <b>Giménez</b>" {
		t.Errorf("kept are %q", v.names())
	}
	v.get("/mail/1/INBOX").open("No card").want(200)
	if v.has("section[class=card tear]") {
		t.Error("what is no card is shown as one")
	}
}

// TestAMailThatCameBackIsWrittenAgain: the report says who did not get it and why; the draft is the mail that was sent,
// with its file, to them alone, and to nobody whom the mail did not name.
func TestAMailThatCameBackIsWrittenAgain(t *testing.T) {
	srv := testmail.Demo(t)
	anna, ben := srv.NewUser(t), srv.NewUser(t)
	s := newSite(t, srv, testdb.SQLite(t), nil)
	v := s.signIn(anna)
	v.get("/compose").form("form[data-compose]").set("to", "Bo <"+anna.Address+">, "+ben.Address).set("subject", "Boats").set("body", "The words of it.").
		attach("attachments", file{"scan.bin", []byte("scanned")}).press("action", "send").want(200)
	id := ""
	eventually(t, "the copy is in Sent", func() bool { return v.get("/mail/1/Sent").want(200).row("Boats") != "" })
	v.get("/mail/1/Sent/" + v.row("Boats") + "/source").want(200)
	for line := range strings.Lines(string(v.body)) {
		if rest, ok := strings.CutPrefix(strings.ToLower(line), "message-id:"); ok {
			id = strings.TrimSpace(rest)
		}
	}
	report := func(subject, who, id string) string {
		return strings.Replace(mixed(subject, "\nsorry", "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.x.test\n\nFinal-Recipient: rfc822; "+who+"\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 no such user",
			"Content-Type: text/rfc822-headers\n\nSubject: Boats\nMessage-ID: "+id), "multipart/mixed", "multipart/report; report-type=delivery-status", 1)
	}
	srv.Deliver(t, anna, report("Bounce", anna.Address, id), report("Forged", "thief@evil.example", id), report("Stale", anna.Address, "<other@demo.test>"))
	v.get("/mail/1/INBOX").open("Bounce").want(200)
	v.says("[class=card tear]", anna.Address+" did not get your mail. The reason: there is no such mailbox.")
	v.says("details", "550 no such user")
	f := v.formAround("button[data-again]").press("", "").want(200).form("form[data-compose]")
	if to, body := f.values.Get("to"), f.values.Get("body"); !strings.Contains(to, anna.Address) || strings.Contains(to, ben.Address) || !strings.Contains(body, "The words of it.") || f.values.Get("subject") != "Boats" {
		t.Errorf("the draft goes to %q with %q", to, f.values)
	}
	v.says("main", "scan.bin")
	f = v.get("/mail/1/INBOX").open("Forged").formAround("button[data-again]").press("", "").want(200).form("form[data-compose]")
	if to := f.values.Get("to"); to != "" {
		t.Errorf("a forged report makes a draft to %q", to)
	}
	v.get("/mail/1/INBOX").open("Stale").formAround("button[data-again]").press("", "").want(200).says("main", "sorry")
}
