package main

import (
	"testing"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

// TestWhatOneMailIsAllowedIsAllowedNoOther: pictures once shown, or links once opened, are those of that mail alone.
func TestWhatOneMailIsAllowedIsAllowedNoOther(t *testing.T) {
	srv := testmail.Demo(t)
	anna := srv.NewUser(t)
	for _, subject := range []string{"First", "Second", "Third"} {
		srv.Deliver(t, anna, "From: Ben <ben@keller.example>\r\nTo: anna@demo.test\r\nSubject: "+subject+"\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<p>Text.</p><img src=\"https://pictures.example/a.png\" width=90 height=90>\r\n")
	}
	v := newSite(t, srv, testdb.SQLite(t), nil).signIn(anna)
	v.open("Second").want(200).follow("a[data-allow-remote]").want(200)
	if v.has("a[data-allow-remote]") {
		t.Fatal("the pictures are still kept away")
	}
	shown := v.url.RequestURI()
	v.open("Third").want(200)
	if !v.has("a[data-allow-remote]") || v.url.RawQuery != "" {
		t.Errorf("from the list another mail opens with its pictures, as %s", v.url)
	}
	v.get(shown).follow("a[rel=next]").want(200)
	if !v.has("a[data-allow-remote]") {
		t.Error("the way on opens another mail with its pictures")
	}
	talk := srv.Talk(t, anna)
	talk.Do("SELECT INBOX")
	talk.Do("UID STORE 2 +FLAGS.SILENT (\\Deleted)")
	talk.Do("EXPUNGE")
	v.get(shown + "&links=1").want(404).follow("a[class=button filled]").want(200)
	if !v.has("a[data-allow-remote]") || v.url.RawQuery != "" {
		t.Errorf("what follows a mail that is gone opens with what that was allowed, as %s", v.url)
	}
}
