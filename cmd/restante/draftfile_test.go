package main

import (
	"archive/zip"
	"bytes"
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
