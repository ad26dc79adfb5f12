package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"restante/internal/limits"
	"restante/internal/store"
	"restante/internal/testdb"
	"restante/internal/testmail"
)

// line is what lies between a browser and the site. It can be cut: then nobody gets through until it is mended.
type line struct {
	listener net.Listener
	to       string
	brought  atomic.Int64 // octets, to the site
	cutAt    atomic.Int64 // that many of them: then it is cut, 0 for never

	mu    sync.Mutex
	down  bool
	conns []net.Conn
}

func newLine(t *testing.T, s *site) *line {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{listener: ln, to: strings.TrimPrefix(s.base, "http://")}
	t.Cleanup(func() { _ = ln.Close(); l.cut(true) })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go l.carry(c)
		}
	}()
	s.base = "http://" + ln.Addr().String()
	return l
}

func (l *line) carry(c net.Conn) {
	defer c.Close()
	up, err := net.Dial("tcp", l.to)
	if err != nil {
		return
	}
	defer up.Close()
	l.mu.Lock()
	if l.down {
		l.mu.Unlock()
		return
	}
	l.conns = append(l.conns, c, up)
	l.mu.Unlock()
	go func() { _, _ = io.Copy(c, up); _ = c.Close() }()
	buf := make([]byte, 64<<10)
	for {
		n, err := c.Read(buf)
		if at := l.cutAt.Load(); at > 0 && l.brought.Add(int64(n)) > at {
			l.cutAt.Store(0)
			l.cut(true)
			return
		}
		if _, werr := up.Write(buf[:n]); err != nil || werr != nil {
			return
		}
	}
}

func (l *line) cut(down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down = down; down {
		for _, c := range l.conns {
			_ = c.Close()
		}
		l.conns = nil
	}
}

func (l *line) isDown() bool { l.mu.Lock(); defer l.mu.Unlock(); return l.down }

// drops lets files of so many MiB, each of another octet, fall on the form that is open.
func (b *tab) drops(name string, mb int) {
	b.t.Helper()
	ask[bool](b, `(() => {
		const dataTransfer = new DataTransfer(), name = $, mb = $;
		dataTransfer.items.add(new File(Array.from({ length: mb }, (_, i) => new Uint8Array(1 << 20).fill(i)), name, { lastModified: 1_700_000_000_000 }));
		return document.querySelector("form[data-compose]").dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true })) || true;
	})()`, name, mb)
}

// octets is what drops brings.
func octets(mb int) []byte {
	var b bytes.Buffer
	for i := range mb {
		b.Write(bytes.Repeat([]byte{byte(i)}, 1<<20))
	}
	return b.Bytes()
}

// roomy is a site that takes large files.
func roomy(t *testing.T, mail *testmail.Server) *limited {
	t.Helper()
	l := newLimited(t, mail, testdb.SQLite(t), nil)
	for name, value := range map[string]string{"file_mb": "300", "mail_mb": "400", "drafts_mb": "700"} {
		l.sets("", name, value).want(200)
	}
	return l
}

// TestAFileOf200MBGoesOnWhereTheLineWasCut, twice, while the text is kept and Send says what it waits for.
func TestAFileOf200MBGoesOnWhereTheLineWasCut(t *testing.T) {
	t.Parallel()
	const mb = 200
	l := roomy(t, testmail.Postfix(t, testmail.PostfixOptions{SizeLimit: 400 << 20}))
	through := newLine(t, l.site)
	b := newTab(t, l.site, wide)
	b.expect("ERR_", "Failed to load", "Failed to fetch", "NetworkError")
	b.signIn(l.user)
	b.open("/compose?to=a@x.test&subject=Film")
	b.until("the editor stands", `document.querySelector(".editor")`)
	before := through.brought.Load()
	through.cutAt.Store(before + 61<<20)
	b.drops("film.bin", mb)
	b.drops("small.bin", 1)
	eventually(t, "the line is cut", through.isDown)
	b.sees("No connection: ")
	b.press("Send")
	b.sees("Files are waiting for the connection. Your text is kept")
	through.cutAt.Store(through.brought.Load() + 70<<20)
	through.cut(false)
	eventually(t, "the line is cut again", through.isDown)
	b.sees("No connection: ")
	through.cutAt.Store(1 << 40)
	through.cut(false)
	b.until("both are there", `document.querySelectorAll("[data-files] a[data-attachment]").length === 2 && !document.querySelector("[data-uploading]")`)
	if brought := through.brought.Load() - before; brought > (mb+20)<<20 {
		t.Errorf("%d MB were brought for one file of %d MB", brought>>20, mb)
	}
	v := l.signIn(l.user)
	v.get(ask[string](b, `[...document.querySelectorAll("[data-files] a[data-attachment]")].find((a) => a.innerText.includes("film.bin")).getAttribute("href")`)).want(200)
	if sha256.Sum256(v.body) != sha256.Sum256(octets(mb)) {
		t.Errorf("another file is there, of %d octets", len(v.body))
	}
}

// TestAFileThatIsGivenUpLeavesNothing, and makes room.
func TestAFileThatIsGivenUpLeavesNothing(t *testing.T) {
	t.Parallel()
	l := roomy(t, testmail.Demo(t))
	l.sets("", "drafts_mb", "10").want(200)
	through := newLine(t, l.site)
	b := newTab(t, l.site, wide)
	b.expect("ERR_", "Failed to load", "413")
	b.signIn(l.user)
	b.open("/compose?to=a@x.test&subject=Film")
	b.until("the editor stands", `document.querySelector(".editor")`)
	through.cutAt.Store(through.brought.Load() + 5<<20)
	b.drops("film.bin", 7)
	eventually(t, "the line is cut", through.isDown)
	b.sees("No connection: ")
	through.cutAt.Store(1 << 40)
	through.cut(false)
	b.press("Stop film.bin")
	b.until("it is gone", `!document.querySelector("[data-files] .file")`)
	b.until("its room is free", `fetch("/settings").then(() => true)`)
	b.drops("other.bin", 8)
	b.until("another one comes", `document.querySelector("[data-files] a[data-attachment]")?.innerText.includes("other.bin")`)
	b.drops("third.bin", 3)
	b.sees("fill the room that your admin gives you: 10")
}

// TestAFileGoesOnAfterItsPageWasLeft: once it is chosen again, from where it was; one that was changed meanwhile begins
// anew. Nothing is sent without it unasked.
func TestAFileGoesOnAfterItsPageWasLeft(t *testing.T) {
	t.Parallel()
	const mb = 6
	l := roomy(t, testmail.Demo(t))
	through := newLine(t, l.site)
	b := newTab(t, l.site, wide)
	b.expect("ERR_", "Failed to load", "Failed to fetch", "NetworkError", "404")
	b.signIn(l.user)
	b.open("/compose?to=a@x.test&subject=Film")
	b.until("the editor stands", `document.querySelector(".editor")`)
	leaves := func(name string) {
		t.Helper()
		through.cutAt.Store(through.brought.Load() + 5<<20)
		b.drops(name, mb)
		eventually(t, "the line is cut", through.isDown)
		b.sees("No connection: ")
		through.cutAt.Store(1 << 40)
		through.cut(false)
		b.open(ask[string](b, "location.pathname"))
		b.until("it says how much came over", `/\d.* of 6.0 MB came over. Choose the file again to go on/.test(document.querySelector("[data-halfway]")?.innerText)`)
	}
	leaves("film.bin")
	b.expect("422")
	b.until("the editor stands", `document.querySelector(".editor")`)
	b.press("Send")
	b.sees("film.bin has not come over whole. It does not go along.")
	without := l.signIn(l.user).get(ask[string](b, "location.pathname")).form("form[data-compose]")
	without.set("action", "send")
	without.v.do(without.request()).want(422).says("[role=alert]", "film.bin has not come over whole")

	before := through.brought.Load()
	b.drops("film.bin", mb)
	b.until("it is there", `document.querySelector("[data-files] a[data-attachment]")?.innerText.includes("film.bin") && !document.querySelector("[data-uploading], [data-halfway]")`)
	if brought := through.brought.Load() - before; brought > 3<<20 {
		t.Errorf("%d MB were brought to go on with a file of %d MB", brought>>20, mb)
	}
	v := l.signIn(l.user)
	file := func(name string) []byte {
		return v.get(ask[string](b, `[...document.querySelectorAll("[data-files] a[data-attachment]")].find((a) => a.innerText.includes($)).getAttribute("href")`, name)).want(200).body
	}
	if !bytes.Equal(file("film.bin"), octets(mb)) {
		t.Error("another file is there")
	}

	leaves("notes.bin")
	ask[bool](b, `(() => {
		const dataTransfer = new DataTransfer();
		dataTransfer.items.add(new File([new Uint8Array(6 << 20).fill(7)], "notes.bin", { lastModified: 1_700_000_060_000 }));
		return document.querySelector("form[data-compose]").dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true })) || true;
	})()`)
	b.until("it is there", `document.querySelectorAll("[data-files] a[data-attachment]").length === 2 && !document.querySelector("[data-uploading], [data-halfway]")`)
	if !bytes.Equal(file("notes.bin"), bytes.Repeat([]byte{7}, mb<<20)) {
		t.Error("it is a mixture of two")
	}
	leaves("given-up.bin")
	b.press("Take over") // the other one is a device of its own
	b.until("it is written here", `!document.querySelector("[data-other]")`)
	b.press("Remove given-up.bin")
	b.until("it is gone", `!document.querySelector("[data-halfway]")`)
}

// begins tells of a file and gives its address.
func (v *visitor) begins(draft, name, size string) string {
	v.t.Helper()
	v.do(v.newRequest(http.MethodPost, draft+"/arriving", strings.NewReader("name="+name+"&size="+size), "Content-Type", "application/x-www-form-urlencoded", "X-Restante", "1"))
	return v.header.Get("Location")
}

func (v *visitor) brings(file string, from int, content []byte) *visitor {
	v.t.Helper()
	return v.do(v.newRequest(http.MethodPost, fmt.Sprintf("%s?from=%d", file, from), strings.NewReader(string(content)), "Content-Type", "application/octet-stream", "X-Restante", "1"))
}

// TestPiecesOfAFile: who may bring them, in which order, and what is said of those that are wrong.
func TestPiecesOfAFile(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		l := newLimited(t, testmail.Demo(t), db, nil)
		draft := strings.SplitN(l.writes("a@x.test").press("action", "save").want(200).url.Path, "?", 2)[0]
		content := randomBytes(t, 5<<20)
		if l.anna.begins(draft, "film.bin", fmt.Sprint(51<<20)); l.anna.status != 413 {
			t.Errorf("a file that is too large is answered with %d", l.anna.status)
		}
		l.anna.says("[role=alert]", "larger than your admin lets a file be")
		file := l.anna.begins(draft, "tide.bin", fmt.Sprint(len(content)))
		if l.anna.status != 201 || file == "" {
			t.Fatalf("status %d, at %q", l.anna.status, file)
		}
		ben := l.signIn(l.mail.NewUser(t))
		ben.brings(file, 0, content[:10]).want(404)
		l.anna.brings(file, 10, content[10:20]).want(409)
		l.anna.brings(file, 0, content).want(400) // more than a request may bring
		l.anna.brings(file, 0, content[:3<<20]).want(204)
		l.anna.brings(file, 0, content[:3<<20]).want(409)
		if at := l.anna.header.Get("X-Restante-Offset"); at != fmt.Sprint(3<<20) {
			t.Errorf("it is told to go on from %q", at)
		}
		l.anna.do(l.anna.newRequest(http.MethodHead, file, strings.NewReader(""))).want(204)
		if at := l.anna.header.Get("X-Restante-Offset"); at != fmt.Sprint(3<<20) {
			t.Errorf("asked, it says %q", at)
		}
		for range 2 { // the answer to the last may be lost
			l.anna.brings(file, 3<<20, content[3<<20:])
			l.anna.brings(file, 5<<20, nil).want(200)
			if n := len(l.anna.all("a[data-attachment]")); n != 1 {
				t.Errorf("%d files are listed", n)
			}
		}
		l.anna.get(attr(l.anna.one("a[data-attachment]"), "href")).want(200)
		if !bytes.Equal(l.anna.body, content) {
			t.Errorf("%d octets come back", len(l.anna.body))
		}
		l.anna.do(l.anna.newRequest(http.MethodPost, file+"/stop", strings.NewReader(""))).want(404)
	})
}

// TestALargeFileIsNeverWholeInMemory, neither as it comes nor as it goes: 200 MB through the program as an admin runs it.
func TestALargeFileIsNeverWholeInMemory(t *testing.T) {
	const pieces, most = 50, 40 << 10 // of 4 MiB; KiB of growth
	t.Setenv("RESTANTE_UNDO_SECONDS", "0")
	mail := testmail.Postfix(t, testmail.PostfixOptions{SizeLimit: 400 << 20})
	data := t.TempDir()
	s, err := store.Open(t.Context(), "", data)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[limits.Name]int64{limits.FileMB: 300, limits.MailMB: 400} {
		if err := s.ChangeLimits(t.Context(), []store.LimitChange{{Entry: limits.Entry{Scope: limits.Site, Name: name, Value: value}}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	p := startProgram(t, mail, buildProgram(t), data)
	from, to := mail.NewUser(t), mail.NewUser(t)
	v := newVisitor(t, p.base)
	v.get("/login").form("form[action=/login]").set("username", from.Address).set("password", from.Password).press("", "").want(200)
	subject := ""
	compose := func(attached int) *visitor {
		subject = fmt.Sprintf("Film of %d", attached)
		draft := v.get("/compose").form("form[data-compose]").set("to", to.Address).set("subject", subject).press("action", "save").want(200).url.Path
		piece := randomBytes(t, 4<<20)
		file := v.begins(draft, "film.bin", fmt.Sprint(attached<<22))
		for i := range attached {
			v.brings(file, i<<22, piece)
		}
		v.want(200)
		return v.get(draft).form("form[data-compose]").press("action", "send").want(200)
	}
	sent := func() bool {
		return !v.get("/outbox").want(200).has("[data-outbox]") && v.get("/").want(200).follow("a[data-mailbox=Sent]").row(subject) != ""
	}
	compose(1)
	eventually(t, "a small one is sent", sent)
	before, end := p.pss(), p.most(20*time.Millisecond)
	compose(pieces)
	eventually(t, "it is sent", sent)
	grown := end() - before
	t.Logf("the program grew by %.1f MB", float64(grown)/1024)
	if grown > most {
		t.Error("that is more than 40 MB")
	}
}
