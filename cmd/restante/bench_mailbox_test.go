package main

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"restante/internal/testmail"
	"restante/internal/testproc"
)

const (
	letterCount = 12      // letters in HTML of letterSize
	letterSize  = 100_000 // bytes
	fileSize    = 20 << 20
)

// fill writes n mails into the INBOX of a new user's maildir, the newest arrived now: conversations, HTML, files;
// among the newest some large letters ("Catalogue"), and one with a file of 20 MB ("Film").
func fill(t testing.TB, mail *testmail.Server, name string, n int) testmail.User {
	t.Helper()
	uid, gid, err := testproc.IDs("mail")
	if err != nil {
		t.Fatal(err)
	}
	home := filepath.Join(filepath.Dir(filepath.Dir(mail.CAFile)), "mail", name)
	for _, d := range []string{"", "Maildir", "Maildir/cur", "Maildir/new", "Maildir/tmp"} {
		if err := os.Mkdir(filepath.Join(home, d), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(filepath.Join(home, d), uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	w := &writer{dir: filepath.Join(home, "Maildir/cur"), rand: rand.New(rand.NewPCG(1, uint64(n))), n: n, now: time.Now()}
	for i := range n {
		if err := w.write(i); err != nil {
			t.Fatal(err)
		}
	}
	return testmail.User{Address: name + "@" + mail.Domain, Password: testmail.Password}
}

// writer makes up mails, the same ones each time.
type writer struct {
	dir  string
	rand *rand.Rand
	n    int
	now  time.Time
}

func (w *writer) write(i int) error {
	at := w.now.Add(-time.Duration(w.n-i) * 11 * time.Minute)
	flags := "S"
	switch r := w.rand.IntN(20); {
	case i < w.n-60 && r == 0, i >= w.n-60 && r < 6:
		flags = ""
	case r == 7:
		flags = "RS"
	case r == 8:
		flags = "FS"
	}
	path := filepath.Join(w.dir, fmt.Sprintf("%d.M%dP1.bench:2,%s", at.Unix(), i, flags))
	if err := os.WriteFile(path, []byte(w.mail(i, at)), 0o644); err != nil {
		return err
	}
	return os.Chtimes(path, at, at)
}

func (w *writer) mail(i int, at time.Time) string {
	var b strings.Builder
	who := w.rand.IntN(300)
	topic := i / 4
	subject := words(rand.New(rand.NewPCG(2, uint64(topic))), 4)
	b.WriteString("Return-Path: <x@example.org>\nReceived: from mx.example.org by mail.example.test with ESMTPS id 4Zt; " + at.Format(time.RFC1123Z) + "\n")
	fmt.Fprintf(&b, "From: %s %s <%s.%d@example.org>\nTo: Anna <anna@example.test>\n", first[who%len(first)], last[who%len(last)], strings.ToLower(first[who%len(first)]), who)
	fmt.Fprintf(&b, "Date: %s\nMessage-ID: <%d.bench@example.org>\n", at.Format(time.RFC1123Z), i)
	if i%4 > 0 {
		fmt.Fprintf(&b, "In-Reply-To: <%d.bench@example.org>\nReferences: <%d.bench@example.org>\n", i-1, topic*4)
		subject = "Re: " + subject
	}
	b.WriteString("MIME-Version: 1.0\n")
	switch back := w.n - i; {
	case back == 40:
		fmt.Fprintf(&b, "Subject: Film %d\n", i)
		w.mixed(&b, fileSize)
	case back <= 2*letterCount && back%2 == 0:
		fmt.Fprintf(&b, "Subject: Catalogue %d\n", back)
		w.alternative(&b, letterSize)
	default:
		fmt.Fprintf(&b, "Subject: %s\n", subject)
		switch r := w.rand.IntN(10); {
		case r < 6:
			b.WriteString("Content-Type: text/plain; charset=utf-8\n\n" + w.text(300+w.rand.IntN(2500)))
		case r < 9:
			w.alternative(&b, 2000+w.rand.IntN(6000))
		default:
			w.mixed(&b, 4000+w.rand.IntN(10_000))
		}
	}
	return b.String()
}

func (w *writer) alternative(b *strings.Builder, size int) {
	b.WriteString("Content-Type: multipart/alternative; boundary=bb\n\n--bb\nContent-Type: text/plain; charset=utf-8\n\n")
	b.WriteString(w.text(800) + "--bb\nContent-Type: text/html; charset=utf-8\n\n<html><head><style>p{margin:8px} .a{color:#335}</style></head><body><table width=600><tr><td>")
	for end := b.Len() + size; b.Len() < end; {
		fmt.Fprintf(b, "<h2 style=\"color:#224466\">%s</h2>\n<p class=a style=\"font-size:14px\">%s <a href=\"https://shop.example.org/%s\">%s</a></p>\n",
			words(w.rand, 3), w.text(400), words(w.rand, 1), words(w.rand, 2))
	}
	b.WriteString("</td></tr></table></body></html>\n--bb--\n")
}

func (w *writer) mixed(b *strings.Builder, size int) {
	b.WriteString("Content-Type: multipart/mixed; boundary=bb\n\n--bb\nContent-Type: text/plain; charset=utf-8\n\n" + w.text(500))
	b.WriteString("--bb\nContent-Type: application/octet-stream; name=file.bin\nContent-Disposition: attachment; filename=file.bin\nContent-Transfer-Encoding: base64\n\n")
	raw := make([]byte, size)
	for i := 0; i+8 <= len(raw); i += 8 {
		v := w.rand.Uint64()
		for j := range 8 {
			raw[i+j] = byte(v >> (8 * j))
		}
	}
	for line := 57; len(raw) > 0; raw = raw[line:] {
		line = min(line, len(raw))
		b.WriteString(base64.StdEncoding.EncodeToString(raw[:line]) + "\n")
	}
	b.WriteString("--bb--\n")
}

// text is about size bytes of lines.
func (w *writer) text(size int) string {
	var b strings.Builder
	for b.Len() < size {
		b.WriteString(words(w.rand, 9+w.rand.IntN(4)) + ".\n")
		if w.rand.IntN(6) == 0 {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func words(r *rand.Rand, n int) string {
	out := make([]string, n)
	for i := range out {
		out[i] = vocabulary[r.IntN(len(vocabulary))]
	}
	return strings.Join(out, " ")
}

var (
	vocabulary = strings.Fields(`harbour invoice meeting quarter report garden ticket winter letter engine budget contract holiday
		paper window river mountain schedule draft review delivery order address number summer station kitchen camera music
		museum bridge island coffee market office project release version question answer photo travel train flight hotel
		dinner school teacher doctor insurance account payment receipt update change small large early late before after
		tomorrow yesterday please thanks regards about between without almost always never often again`)
	first = strings.Fields("Anna Ben Clara David Elena Felix Greta Hugo Ida Jonas Kaya Lars Mira Nils Olga Pavel")
	last  = strings.Fields("Berg Costa Dupont Evans Fischer Gruber Hansen Ivanova Jensen Kowalski Lindqvist Moreau Novak")
)
