package main

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"image"
	"image/jpeg"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

// filed is a part that is a file, in base64.
func filed(kind, name string, body []byte) string {
	return "Content-Type: " + kind + "; name=\"" + name + "\"\nContent-Disposition: attachment; filename=\"" + name + "\"\nContent-Transfer-Encoding: base64\n\n" + strings.ReplaceAll(lines(base64.StdEncoding.EncodeToString(body)), "\r\n", "\n")
}

func photograph(t *testing.T, w, h int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, w, h)), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func archive(t *testing.T, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, n := range names {
		w, err := z.Create(n)
		if err == nil {
			_, err = w.Write(bytes.Repeat([]byte("words "), 1000))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// file opens the page of a file that the open mail lists.
func (v *visitor) file(name string) *visitor {
	v.t.Helper()
	for _, a := range v.all("a[data-attachment]") {
		if text(a) == name {
			return v.get(attr(a, "href"))
		}
	}
	v.t.Fatalf("%s lists no %s", v.url, name)
	return v
}

// TestFilesAreLookedAtOnAPageOfTheirOwn: pictures one after the other and made smaller by the server, text that nobody
// runs, sounds and films by ranges, and what is in an archive; each with the way back and to save it.
func TestFilesAreLookedAtOnAPageOfTheirOwn(t *testing.T) {
	srv := testmail.Demo(t)
	anna := srv.NewUser(t)
	film := append([]byte("\x00\x00\x00\x18ftypmp42"), make([]byte, 200_000)...)
	cut := photograph(t, 640, 480)[:1000]
	srv.Deliver(t, anna, mixed("Files", "\nLook.", filed("image/jpeg", "one.jpg", photograph(t, 3000, 1500)), filed("text/html", "page.html", []byte("<script>alert(1)</script> gr\xfc\xdfe")),
		filed("image/jpeg", "two.jpg", photograph(t, 300, 200)), filed("video/mp4", "film.mp4", film), filed("application/zip", "all.zip", archive(t, "a/plan.txt", "b/run.exe", "../../etc/passwd")),
		filed("application/zip", "bad.zip", []byte("PK\x03\x04 no archive")), filed("application/octet-stream", "odd.bin", []byte{0, 1, 2}), filed("image/png", "bomb.png", []byte("\x89PNG\r\n\x1a\nno picture")), filed("image/jpeg", "cut.jpg", cut)))
	v := newSite(t, srv, testdb.SQLite(t), nil).signIn(anna)
	back := v.open("Files").want(200).url.Path
	if thumb := attr(v.all("img[class=thumb]")[0], "src"); size(t, v, thumb) != image.Pt(192, 96) {
		t.Errorf("the thumb is %v", size(t, v, thumb))
	}

	v.get(back).file("one.jpg").want(200)
	if v.has("a[rel=prev]") || !strings.HasPrefix(attr(v.one("a[class=icon-button]"), "href"), back) {
		t.Error("the way back leads elsewhere")
	}
	page := v.url.RequestURI()
	if got := size(t, v, attr(v.one("img[alt]"), "src")); got != image.Pt(2000, 1000) {
		t.Errorf("the picture is %v", got)
	}
	v.get(page).follow("a[rel=next]").want(200).says("h1", "two.jpg")
	v.follow("a[rel=next]").want(200).says("h1", "bomb.png")
	on := attr(v.one("a[rel=next]"), "href")
	v.get(attr(v.one("img[alt]"), "src")).want(http.StatusUnsupportedMediaType)
	v.get(on).want(200).says("h1", "cut.jpg")
	if v.get(attr(v.one("img[alt]"), "src")).want(200); !bytes.Equal(v.body, cut) {
		t.Errorf("what only a browser may read comes as %d bytes", len(v.body))
	}

	v.get(back).file("page.html").want(200).says("pre", "<script>alert(1)</script> grüße")
	if v.follow("a[data-download]"); v.header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("it is saved as %s", v.header.Get("Content-Type"))
	}

	src := attr(v.get(back).file("film.mp4").want(200).one("video"), "src")
	v.do(v.newRequest(http.MethodGet, src, strings.NewReader(""), "Range", "bytes=100000-100009", "Sec-Fetch-Dest", "video"))
	if v.status != http.StatusPartialContent || v.header.Get("Content-Type") != "video/mp4" || len(v.body) != 10 {
		t.Errorf("the film comes with %d as %s", v.status, v.header.Get("Content-Type"))
	}
	v.do(v.newRequest(http.MethodGet, src, strings.NewReader(""), "Sec-Fetch-Dest", "document"))
	if !strings.HasPrefix(v.header.Get("Content-Disposition"), "attachment") {
		t.Error("a film can be opened as a page")
	}

	v.get(back).file("all.zip").want(200).says("p", "3 entries, 18 KB unpacked.")
	v.says("td", "../../etc/passwd")
	v.says("strong", "can be a program")
	v.get(back).file("bad.zip").want(200).says("p", "damaged")
	if v.get(back).file("odd.bin").want(200); v.header.Get("Content-Type") != "application/octet-stream" {
		t.Error("what cannot be shown is not saved at once")
	}
	v.get(back + "/files/" + url.PathEscape("9.9")).want(404)
}

func size(t *testing.T, v *visitor, src string) image.Point {
	t.Helper()
	v.get(src).want(200)
	c, _, err := image.DecodeConfig(bytes.NewReader(v.body))
	if err != nil {
		t.Fatal(err)
	}
	return image.Pt(c.Width, c.Height)
}
