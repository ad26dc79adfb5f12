package main

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

// TestASearchInTextsAsksNoServer where the admin lets texts be kept, in one folder and in all, even while the server is
// away; and asks it again, with nothing left on the disk, once they are to be kept no more. Nothing of it needs scripts.
func TestASearchInTextsAsksNoServer(t *testing.T) {
	srv := testmail.Dovecot(t, testmail.DovecotOptions{})
	b := newBehindTap(t, srv, testdb.SQLite(t), "Apples", "Bread")
	b.talk.Append("INBOX", "", strings.Replace(testmail.Mail("Ben <ben@example.test>", "Cider", "<p>F&uuml;r dich: a barrel of <b>cid</b>er, 東京 style</p>"), "text/plain", "text/html", 1))
	b.makeAdmin("owner")
	admin := newVisitor(t, b.base)
	admin.get("/admin/login").adminTries("owner", adminPassword).want(200)
	sets := func(mb string) {
		admin.get("/admin/limits").want(200).form("form[class=limits]").set("texts_mb", mb).press("", "").want(200).says("[role=status]", "saved")
	}
	texts := filepath.Join(b.conf.Data, "index", "1.texts")
	finds := func(q string, asks bool, want ...string) {
		t.Helper()
		for _, page := range []string{"/mail/1/INBOX", "/search"} {
			b.tap.Forget()
			b.v.get(page + "?" + url.Values{"q": {q}}.Encode()).want(200)
			var got []string
			for _, s := range b.v.all("span[class=row-subject]") {
				got = append(got, text(s))
			}
			if strings.Join(got, "|") != strings.Join(want, "|") {
				t.Errorf("%s in %s: %q, not %q", q, page, got, want)
			}
			if said := b.tap.Said(); strings.Contains(said, "SEARCH") != asks && (!asks || page != "/search") { // which knows what the folder's has found
				t.Errorf("%s in %s: asked %s", q, page, said)
			}
		}
	}
	finds("barrel", true, "Cider")
	sets("50")
	b.v.get("/mail/1/INBOX").want(200)
	eventually(t, "the texts are kept", func() bool {
		b.v.get("/mail/1/INBOX").want(200)
		b.tap.Forget()
		b.v.get("/mail/1/INBOX?q=body:barrel").want(200)
		return !strings.Contains(b.tap.Said(), "SEARCH")
	})
	finds("barrel", false, "Cider")
	finds(`body:"für dich" 東京`, false, "Cider")
	finds(`"text of" -bread`, false, "Apples")
	finds("body:ead OR body:arrel", false, "Cider", "Bread")
	b.away(true)
	finds(`"text of" -bread`, false, "Apples")
	b.away(false)

	if _, err := os.Stat(texts); err != nil {
		t.Error(err)
	}
	sets("")
	if left, _ := filepath.Glob(texts + "*"); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
	eventually(t, "the server is there again", func() bool {
		b.v.get("/mail/1/INBOX").want(200)
		return b.v.banner() == ""
	})
	finds("barrels", true)
}

// TestTheAdminReadsWhatKeepingTextsMeans, in their language, on the page of the site and on those of a person.
func TestTheAdminReadsWhatKeepingTextsMeans(t *testing.T) {
	l := newLimited(t, testmail.Demo(t), testdb.SQLite(t), nil)
	for _, page := range []string{"/admin/limits", asked("/admin/limits", "person", l.user.Address)} {
		l.admin.get(page).want(200).says("form[class=limits]", "not encrypted, to be read by the service's own user alone")
	}
	l.admin.do(l.admin.newRequest("GET", "/admin/limits", strings.NewReader(""), "Accept-Language", "de"))
	l.admin.want(200).says("form[class=limits]", "unverschlüsselt, nur vom Benutzer des Dienstes zu lesen")
	l.sets("", "texts_mb", "-1").want(422).says("[class=wrong]", "A whole number from 0 to 102")
	l.sets("", "text_kb", "0").want(422).says("[class=wrong]", "A whole number from 1 to 1")
	l.sets(l.user.Address, "texts_mb", "200").want(200).says("[role=status]", "saved")
}
