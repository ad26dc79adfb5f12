package main

import (
	"bytes"
	"encoding/base64"
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

// TestAMailWithinAMailIsRead in place, with its own text, pictures, files, and mails within it; nothing that it says of
// its own proof is believed.
func TestAMailWithinAMailIsRead(t *testing.T) {
	testmail.Each(t, func(t *testing.T, srv *testmail.Server) {
		anna := srv.NewUser(t)
		picture := onePixel(t)
		deepest := "From: Zed <zed@deep.example>\nSubject: The deepest\n\nAt the bottom.\n"
		inner := "Authentication-Results: mail.test; dmarc=pass\nFrom: Rosa <rosa@ridge.example>\nTo: Ben <ben@keller.example>\nSubject: The ridge\nDate: Tue, 03 Nov 2026 14:32:00 +0100\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=in\n\n" +
			"--in\nContent-Type: multipart/related; boundary=rel\n\n--rel\nContent-Type: text/html\n\n<p>It snowed.</p><img src=\"cid:hat@x\"><img src=\"https://pictures.example/a.png\" width=90 height=90><script>alert(1)</script>\n" +
			"--rel\nContent-Type: image/png; name=hat.png\nContent-ID: <hat@x>\nContent-Transfer-Encoding: base64\n\n" + strings.ReplaceAll(lines(base64.StdEncoding.EncodeToString(picture)), "\r\n", "\n") + "\n--rel--\n" +
			"--in\n" + filed("text/plain", "notes.txt", []byte("the notes")) + "\n--in\nContent-Type: message/rfc822\n\n" + deepest + "--in--"
		srv.Deliver(t, anna, mixed("Fwd", "\nSee below.", "Content-Type: message/rfc822\n\n"+inner))
		s := newSite(t, srv, testdb.SQLite(t), nil)
		v := s.signIn(anna)
		v.open("Fwd").want(200).says("[class=card tear]", "The ridge")
		outer := v.url.Path
		v.says("[class=card tear]", "Tuesday, 3 November 2026, 13:32 UTC")
		v.follow("a[data-mail]").want(200).says("h1", "The ridge")
		page := v.url.RequestURI()
		v.says("dd", "Rosa <rosa@ridge.example>")
		if !v.has("a[data-allow-remote]") {
			t.Error("pictures of other sites are shown, or cannot be")
		}
		v.openAttribute("iframe[data-message-body]", "src").want(200)
		if body := string(v.body); !strings.Contains(body, "It snowed.") || strings.Contains(body, "alert") || strings.Contains(body, "/proxy") {
			t.Errorf("its letter is %s", body)
		}
		if v.get(source(t, string(v.body))).want(200); !bytes.Equal(v.body, picture) {
			t.Errorf("its picture is %d bytes", len(v.body))
		}
		v.get(page).file("notes.txt").want(200).says("pre", "the notes")
		if back := attr(v.one("a[class=icon-button]"), "href"); v.get(back).url.RequestURI() != page {
			t.Errorf("the way back leads to %s", back)
		}
		v.get(page).follow("a[data-mail]").want(200).says("h1", "The deepest")
		v.says("[data-message-text]", "At the bottom.")
		v.follow("a[class=icon-button]").want(200).says("h1", "The ridge")
		if v.follow("a[class=icon-button]").want(200); v.url.Path != outer {
			t.Errorf("the way out leads to %s", v.url)
		}
		v.get(outer + "/body?in=7").want(404)
	})
}

// TestEncryptedMailsFetchNothing, by no wish: what another site is asked for could carry off what is decrypted. Signed
// ones are shown, and nothing is claimed of their signature.
func TestEncryptedMailsFetchNothing(t *testing.T) {
	srv := testmail.Demo(t)
	anna := srv.NewUser(t)
	srv.Deliver(t, anna, mixed("Secret", "Content-Type: text/html\n\n<p>Look.</p><img src=\"https://pictures.example/a.png\" width=90 height=90>",
		"Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=enc\n\n--enc\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--enc\nContent-Type: application/octet-stream; name=encrypted.asc\n\n-----BEGIN PGP MESSAGE-----\n--enc--"),
		mixed("Sealed", "Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=sig\n\n--sig\nContent-Type: text/plain\n\nThe words.\n--sig\nContent-Type: application/pgp-signature; name=s.asc\n\nx\n--sig--"))
	v := newSite(t, srv, testdb.SQLite(t), nil).signIn(anna)
	v.open("Secret").want(200).says("[class=card tear]", "encrypted with OpenPGP. Restante cannot open it")
	v.says("form", "could give away what is encrypted here")
	if v.has("a[data-allow-remote]") {
		t.Error("there is a button for pictures")
	}
	body := attr(v.one("iframe[data-message-body]"), "src")
	v.get(body + "&remote=1").want(200)
	if strings.Contains(string(v.body), "/proxy") || strings.Contains(v.header.Get("Content-Security-Policy"), "/proxy") {
		t.Error("asked for directly, the pictures come")
	}
	v.get("/mail/1/INBOX").open("Sealed").want(200).says("[data-message-text]", "The words.")
	v.says("[class=card tear]", "It was not checked here.")
}

// TestAPictureBetweenTextsStandsThere, as Apple's mail writes it; and a mail that came as a plain file is read all the same.
func TestAPictureBetweenTextsStandsThere(t *testing.T) {
	srv := testmail.Demo(t)
	anna := srv.NewUser(t)
	srv.Deliver(t, anna, mixed("Between", "\nBefore it.", strings.Replace(filed("image/jpeg", "hat.jpg", photograph(t, 400, 300)), "attachment", "inline", 1), "\nAfter it.",
		filed("application/octet-stream", "kept.eml", []byte("From: Rosa <rosa@ridge.example>\r\nSubject: The kept one\r\n\r\nOnce upon a time.\r\n"))))
	v := newSite(t, srv, testdb.SQLite(t), nil).signIn(anna)
	v.open("Between").want(200)
	if got := text(v.one("[data-message-text]")); !strings.Contains(got, "Before it.") || !strings.Contains(got, "After it.") {
		t.Errorf("it reads %q", got)
	}
	var order []string
	for n := range v.one("[data-message-text]").Descendants() {
		if n.Data == "img" {
			order = append(order, attr(n, "alt"))
		} else if s := strings.TrimSpace(n.Data); strings.HasSuffix(s, "it.") {
			order = append(order, s)
		}
	}
	if strings.Join(order, "|") != "Before it.|hat.jpg|After it." {
		t.Errorf("in order it is %q", order)
	}
	if got := size(t, v, attr(v.one("img[alt=hat.jpg]"), "src")); got.X != 400 {
		t.Errorf("the picture is %v", got)
	}
	v.get("/mail/1/INBOX").open("Between").file("kept.eml").want(200).says("h1", "The kept one")
	v.says("[data-message-text]", "Once upon a time.")
}

// TestPaperShowsTheCardsOfAMail: an invitation with those who are asked, people, and what became of a mail; without what
// is to be pressed.
func TestPaperShowsTheCardsOfAMail(t *testing.T) {
	srv := testmail.Demo(t)
	anna, ben := srv.NewUser(t), srv.NewUser(t)
	srv.Deliver(t, anna, invites(ben, anna, "Boats", "REQUEST", oneHour),
		mixed("People", "\nThey.", "Content-Type: text/vcard\n\nBEGIN:VCARD\nVERSION:3.0\nFN:Rosa Giménez\nEMAIL:rosa@ridge.example\nEND:VCARD"),
		strings.Replace(mixed("Bounce", "\nsorry", "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.x.test\n\nFinal-Recipient: rfc822; bo@x.test\nAction: failed\nStatus: 5.1.1",
			"Content-Type: text/rfc822-headers\n\nSubject: Boats\nMessage-ID: <sent@x.test>"), "multipart/mixed", "multipart/report; report-type=delivery-status", 1))
	s := newSite(t, srv, testdb.SQLite(t), nil)
	v := s.signIn(anna)
	v.get("/mail/1/INBOX/1/print").want(200).says("[class=card tear]", "08:00–09:00")
	v.get("/mail/1/INBOX/2/print").want(200).says("[class=card tear]", "Rosa Giménez")
	v.get("/mail/1/INBOX/3/print").want(200).says("[class=card tear]", "bo@x.test")
	b := newTab(t, s, wide)
	b.signIn(anna)
	for _, path := range []string{"/mail/1/INBOX/1/print", "/mail/1/INBOX/2/print", "/mail/1/INBOX/3/print"} {
		b.open(path)
		b.until("nothing is to be pressed", `document.querySelector(".card").checkVisibility() && ![...document.querySelectorAll(".card button, .card a")].some((e) => e.checkVisibility())`)
	}
	b.open("/mail/1/INBOX/1/print")
	b.until("those who are asked are told", `document.querySelector(".card details li").checkVisibility({ contentVisibilityAuto: true })`)
}
