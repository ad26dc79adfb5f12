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
