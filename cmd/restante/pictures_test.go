package main

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

func onePixel(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 40, 30))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func illustrated(picture []byte) string {
	return "From: Rosa <rosa@ridge.example>\r\nTo: somebody@example.test\r\nSubject: The ridge\r\nMessage-ID: <ridge@ridge.example>\r\nMIME-Version: 1.0\r\n" +
		"Date: Tue, 03 Nov 2026 14:32:00 +0100\r\nContent-Type: multipart/related; boundary=\"cut\"\r\n\r\n" +
		"--cut\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Look:</p><img src=\"cid:hat&amp;1@ridge\" alt=\"The hat\">\r\n" +
		"--cut\r\nContent-Type: image/png; name=\"hat.png\"\r\nContent-ID: <hat&1@ridge>\r\nContent-Disposition: inline; filename=\"hat.png\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
		lines(base64.StdEncoding.EncodeToString(picture)) + "\r\n--cut--\r\n"
}

// TestAPhotoThatIsAttachedTellsNoPlace, unless its sender wants that; what is only passed on stays as it came.
func TestAPhotoThatIsAttachedTellsNoPlace(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 40, 30)), nil); err != nil {
		t.Fatal(err)
	}
	plain := b.Bytes()
	photo := append(append(append([]byte{}, plain[:2]...), "\xff\xe1\x00\x12Exif\x00\x00GPS 47.10N"...), plain[2:]...)
	srv := testmail.Demo(t)
	s := newSite(t, srv, testdb.SQLite(t), nil)
	anna := srv.NewUser(t)
	v := s.signIn(anna)
	arrives := func(subject string) []byte {
		t.Helper()
		eventually(t, subject+" arrives", func() bool { return v.get("/mail/1/INBOX").row(subject) != "" })
		v.open(subject).want(200)
		return v.get(attr(v.one("a[data-download]"), "href")).want(200).body
	}
	send := func(subject string) []byte {
		t.Helper()
		v.get("/compose").form("form[data-compose]").set("to", anna.Address).set("subject", subject).set("body", "x").attach("attachments", file{"dyke.jpg", photo}).press("action", "send").want(200)
		return arrives(subject)
	}
	if got := send("Bare"); !bytes.Equal(got, plain) {
		t.Errorf("%d bytes arrived, want %d", len(got), len(plain))
	}
	v.get("/settings").form("form[class=settings-form]").set("bare_photos").press("", "").want(200)
	if got := send("Whole"); !bytes.Equal(got, photo) {
		t.Errorf("%d bytes arrived, want all %d", len(got), len(photo))
	}
	v.get("/settings").form("form[class=settings-form]").set("bare_photos", "1").press("", "").want(200)
	v.get("/mail/1/INBOX").open("Whole").want(200)
	v.follow("a[data-command=forward]").want(200)
	v.form("form[data-compose]").set("to", anna.Address).set("subject", "Passed on").press("action", "send").want(200)
	if got := arrives("Passed on"); !bytes.Equal(got, photo) {
		t.Errorf("%d bytes were passed on, want all %d", len(got), len(photo))
	}
}

// TestPicturesInTheTextGoAlong: in an answer and in a forward, on the screen and to the other side.
func TestPicturesInTheTextGoAlong(t *testing.T) {
	srv := testmail.Demo(t)
	s := newSite(t, srv, testdb.SQLite(t), nil)
	anna, ben := srv.NewUser(t), srv.NewUser(t)
	picture := onePixel(t)
	srv.Deliver(t, anna, illustrated(picture))
	v := s.signIn(anna)
	for _, how := range []string{"reply", "forward"} {
		t.Run(how, func(t *testing.T) {
			v.get("/mail/1/INBOX").open("The ridge").want(200)
			v.follow("a[data-command=" + how + "]").want(200)
			letter := rawText(v.one("textarea[name=html]"))
			f := v.form("form[data-compose]").set("to", ben.Address).set("subject", how+" of the ridge").set("html", letter)
			v.get(source(t, letter)).want(200)
			if !bytes.Equal(v.body, picture) || v.header.Get("Content-Type") != "image/png" {
				t.Errorf("the new letter shows %d bytes of %s", len(v.body), v.header.Get("Content-Type"))
			}
			f.press("action", "save").want(200)
			letter = rawText(v.one("textarea[name=html]"))
			f = v.form("form[data-compose]").set("html", letter)
			v.get(source(t, letter)).want(200)
			if !bytes.Equal(v.body, picture) || v.header.Get("Content-Type") != "image/png" {
				t.Errorf("the kept draft shows %d bytes of %s", len(v.body), v.header.Get("Content-Type"))
			}
			f.press("action", "send").want(200)
			other := s.signIn(ben)
			eventually(t, "it arrives", func() bool { return other.get("/mail/2/INBOX").row(how+" of the ridge") != "" })
			other.open(how + " of the ridge").want(200)
			if other.has("a[data-attachment]") {
				t.Error("the picture is listed as a file too")
			}
			other.openAttribute("iframe[data-message-body]", "src").want(200)
			other.get(source(t, string(other.body))).want(200)
			if !bytes.Equal(other.body, picture) {
				t.Errorf("the other side sees %d bytes", len(other.body))
			}
		})
	}
}

// source is the address of the first picture in a letter.
func source(t *testing.T, letter string) string {
	t.Helper()
	_, rest, ok := strings.Cut(letter, `src="`)
	if !ok {
		t.Fatalf("no picture in %s", letter)
	}
	src, _, _ := strings.Cut(rest, `"`)
	return strings.ReplaceAll(src, "&amp;", "&")
}

// openAttribute opens the address in an attribute of an element.
func (v *visitor) openAttribute(selector, key string) *visitor {
	v.t.Helper()
	return v.get(attr(v.one(selector), key))
}
