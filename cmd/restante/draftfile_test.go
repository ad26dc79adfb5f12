package main

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

// TestFilesAreLookedAtBeforeTheyAreSent: pictures, texts and PDF, by their bytes; everything else is saved.
func TestFilesAreLookedAtBeforeTheyAreSent(t *testing.T) {
	s := newSite(t, testmail.Demo(t), testdb.SQLite(t), nil)
	v := s.signIn(s.mail.NewUser(t))
	pdf := []byte("%PDF-1.4\n%%EOF\n")
	draft := v.get("/compose").form("form[data-compose]").set("subject", "Plans").attach("attachments",
		file{"ridge.png", noise(t, 300)}, file{"tide.csv", []byte("when;how\n<b>noon</b>;high\n")}, file{"plan.pdf", pdf}, file{"page.html", []byte("<script>alert(1)</script>")}, file{"fake.pdf", []byte("<html>")}, file{"a.bin", []byte("x")}).
		press("action", "save").want(200).url.Path
	look := func(name string) *visitor {
		for _, a := range v.get(draft).want(200).all("a[data-attachment]") {
			if text(a) == name {
				return v.get(attr(a, "href")).want(200)
			}
		}
		t.Fatal(name, "is not listed")
		return nil
	}
	if n := len(v.get(draft).all("img[class=thumb]")); n != 1 {
		t.Errorf("%d small pictures", n)
	}
	v.get(attr(v.one("img[class=thumb]"), "src")).want(200)
	if kind := v.header.Get("Content-Type"); kind != "image/jpeg" || len(v.body) > 60_000 {
		t.Errorf("the small picture is %s of %d bytes", kind, len(v.body))
	}
	look("ridge.png").says("h1", "ridge.png")
	v.get(attr(v.one("img"), "src")).want(200)
	look("tide.csv").says("pre", "<b>noon</b>;high")
	look("page.html").says("pre", "<script>alert(1)</script>")
	if v := look("plan.pdf"); v.header.Get("Content-Type") != "application/pdf" || !strings.HasPrefix(v.header.Get("Content-Disposition"), "inline") || !bytes.Equal(v.body, pdf) {
		t.Errorf("the PDF comes as %s, %s", v.header.Get("Content-Type"), v.header.Get("Content-Disposition"))
	}
	for _, name := range []string{"fake.pdf", "a.bin"} {
		if v := look(name); !strings.HasPrefix(v.header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%s comes as %s", name, v.header.Get("Content-Disposition"))
		}
	}
	other := s.signIn(s.mail.NewUser(t))
	for _, a := range v.get(draft).all("a[data-attachment]") {
		other.get(attr(a, "href")).want(404)
	}
}

// TestADroppedFolderGoesAsOneFile: a ZIP that anybody opens, wherever on the page it was dropped.
func TestADroppedFolderGoesAsOneFile(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	dir := filepath.Join(t.TempDir(), "Tides")
	want := map[string]string{"Tides/today.txt": "high at noon", "Tides/Später/morgen.txt": strings.Repeat("low ", 100_000), "Tides/Später/empty": ""}
	for name, words := range want {
		file := filepath.Join(filepath.Dir(dir), name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(words), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d.open("/mail/1/INBOX")
	d.keys("c")
	d.until("the form is docked", docked+`.length === 1 && document.querySelector("form[data-docked] .editor")`)
	x, y := d.at("", ".row") // beside the form
	for _, kind := range []string{"dragEnter", "dragOver", "drop"} {
		call(d.tab, input.DispatchDragEvent, input.DispatchDragEventParams{Type: input.DispatchDragEventType(kind), X: x, Y: y,
			Data: &input.DragData{Items: []*input.DragDataItem{}, Files: []string{dir}, DragOperationsMask: 1}})
	}
	d.until("it is among the files", `document.querySelector("[data-files] a[data-attachment]")?.innerText === "Tides.zip"`)
	v := d.s.signIn(d.anna)
	v.get(ask[string](d.tab, `document.querySelector("[data-files] a[data-attachment]").getAttribute("href")`)).want(200)
	z, err := zip.NewReader(bytes.NewReader(v.body), int64(len(v.body)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != want[f.Name] {
			t.Errorf("%s holds %d octets, %v", f.Name, len(got), err)
		}
	}
	if slices.Sort(names); len(names) != len(want) {
		t.Errorf("it holds %q", names)
	}
}

// TestFilesOfAMailGoIntoAnother from server to server: by a page that asks where, and dragged onto the form that lies beside it.
func TestFilesOfAMailGoIntoAnother(t *testing.T) {
	plan, tide := randomBytes(t, 300_000), []byte("high at noon")
	d := newDesk(t, withFiles("Plans", map[string][]byte{"plan.bin": plan, "tide.txt": tide}))
	v := d.s.signIn(d.anna)
	v.get("/compose").form("form[data-compose]").set("subject", "Begun before").set("body", "Kept.").press("action", "save").want(200)
	draft := v.url.Path
	uid := v.get("/mail/1/INBOX").row("Plans")
	attach := ""
	for _, a := range v.get("/mail/1/INBOX/" + uid).want(200).all("a[href]") {
		if strings.HasPrefix(text(a), "Attach to a message") {
			attach = attr(a, "href")
		}
	}
	asked := v.get(attach).want(200).form("form[class=card]")
	if n := len(asked.values["section"]); n != 2 {
		t.Errorf("%d files are chosen", n)
	}
	if got := asked.values.Get("draft"); "/compose/"+got != draft {
		t.Errorf("the draft that is offered first is %q", got)
	}
	asked.set("section").press("", "").want(400).says("[role=alert]", "Choose a file of this message first.")
	v.get(attach).form("form[class=card]").press("", "").want(200)
	if v.url.Path != draft || v.form("form[data-compose]").values.Get("body") != "Kept." {
		t.Errorf("it led to %s", v.url.Path)
	}
	got := map[string][]byte{}
	for _, a := range v.all("a[data-attachment]") {
		w := d.s.signIn(d.anna)
		w.get(strings.TrimSuffix(attr(a, "href"), "/view")).want(200)
		got[text(a)] = w.body
	}
	if !bytes.Equal(got["plan.bin"], plan) || !bytes.Equal(got["tide.txt"], tide) {
		t.Errorf("%d files came", len(got))
	}
	v.get(attach).form("form[class=card]").set("draft", "").press("", "").want(200)
	if n := len(v.all("a[data-attachment]")); v.url.Path == draft || n != 2 {
		t.Errorf("a new message with %d files at %s", n, v.url.Path)
	}
	d.s.signIn(d.ben).get(attach).want(404)
	v.do(v.newRequest("POST", attach, strings.NewReader("section=2&draft=nope"), "Content-Type", "application/x-www-form-urlencoded")).want(404)

	d.open("/mail/1/INBOX")
	d.keys("c")
	d.until("the form is docked", docked+`.length === 1 && document.querySelector("form[data-docked] .editor")`)
	d.reads("Plans")
	if !drags(d.tab, "plan.bin") {
		t.Error("it is not taken")
	}
	d.until("it is among the files of the form", `document.querySelector("form[data-docked] [data-files] a[data-attachment]")?.innerText === "plan.bin"`)
	d.press("Attach to a message…")
	d.until("the page asks", `document.querySelector("main input[name=section]")`)
	d.click(`main .filled`)
	d.until("the draft opens", `document.querySelector("form[data-compose]") && document.querySelectorAll("[data-files] a[data-attachment]").length === 3`)
}

// drags drops the file of the mail that is open on the form, and says whether that takes it.
func drags(b *tab, name string) bool {
	b.t.Helper()
	return ask[bool](b, `(() => {
		const dataTransfer = new DataTransfer(), link = [...document.querySelectorAll("[data-message] a[data-attachment]")].find((a) => a.innerText === $);
		dataTransfer.setData("text/uri-list", link.href);
		return !document.querySelector("form[data-docked]").dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
	})()`, name)
}

// withFiles is a mail with files.
func withFiles(subject string, files map[string][]byte) string {
	var b strings.Builder
	b.WriteString("From: Rosa <rosa@ridge.example>\r\nTo: a@x.test\r\nSubject: " + subject + "\r\nDate: Mon, 02 Nov 2026 10:00:00 +0000\r\nMessage-ID: <files@ridge.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee there.\r\n")
	for name, content := range files {
		b.WriteString("--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=" + name + "\r\nContent-Transfer-Encoding: base64\r\n\r\n")
		for line := range slices.Chunk([]byte(base64.StdEncoding.EncodeToString(content)), 76) {
			b.Write(line)
			b.WriteString("\r\n")
		}
	}
	return b.String() + "--b--\r\n"
}
