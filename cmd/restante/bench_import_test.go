package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"restante/internal/store"
	"restante/internal/testmail"
)

const (
	importCount = 2000
	importMany  = 50_000 // small ones
)

// importing takes the pace of an import beside RETR and APPEND spoken raw, one after the other: three times each in turn,
// into new mailboxes.
func (b *bench) importing() {
	old := fill(b.t, b.mail, "benchpop", importCount)
	file := buildProgram(b.t)
	var raw, ours, ratio, first []float64
	for range 3 {
		data := filepath.Join(b.t.TempDir(), "data")
		i := newImporter(b.t, b.mail, old, store.KeepAll, data)
		p := startProgram(b.t, b.mail, file, data)
		first = append(first, took(func() { i.arrived(1) }).Seconds())
		run := i.ended()
		p.stop()
		if run.Outcome != "done" || run.Done != importCount {
			b.t.Fatalf("%+v", run)
		}
		ours = append(ours, importCount/run.Ended.Sub(run.Started).Seconds())
		raw = append(raw, b.importRaw(old, b.mail.NewUser(b.t), "INBOX", importCount))
		ratio = append(ratio, ours[len(ours)-1]/raw[len(raw)-1])
	}
	b.t.Logf("ours %.0f, raw %.0f, %.2f", ours, raw, ratio)
	b.fact(fmt.Sprintf("POP3 import: mails a second, of %d", importCount), ">= 0.8 of raw", "%.0f, raw %.0f (%.2f)", median(ours), median(raw), median(ratio))
	b.fact("POP3 import: the first mail is there after", "< 5 s", "%.1f s", median(first))
}

// importMemory brings very many mails: what is slow with each mail that is there already shows in the last of them.
func (b *bench) importMemory() {
	file := buildProgram(b.t)
	old := fillSmall(b.t, b.mail, "benchpopmany", importMany)
	data := filepath.Join(b.t.TempDir(), "data")
	p := startProgram(b.t, b.mail, file, data)
	defer p.stop()
	before := p.settledPSS()
	most := p.most(50 * time.Millisecond)
	i := newImporter(b.t, b.mail, old, store.KeepAll, data)
	var early, late store.ImportRun // when a tenth is there, and when but a tenth is left
	run := i.ended(func(r store.ImportRun) {
		if r.Done <= importMany/10 {
			early = r
		}
		if r.Done <= importMany*9/10 {
			late = r
		}
	})
	more := most() - before
	if run.Outcome != "done" || run.Done != importMany {
		b.t.Fatalf("%+v", run)
	}
	pace := func(mails int, from, to time.Time) float64 { return float64(mails) / to.Sub(from).Seconds() }
	b.fact(fmt.Sprintf("POP3 import: more memory (PSS) with %d small mails", run.Done), "< 60 MB", "%.1f MB", float64(more)/1024)
	b.fact("POP3 import: mails a second, of these", "", "%.0f, of the first tenth %.0f, of the last %.0f", pace(run.Done, run.Started, run.Ended),
		pace(early.Done, early.Started, early.Updated), pace(run.Done-late.Done, late.Updated, run.Ended))
	raw := b.importRaw(old, i.person, i.source.Mailbox, importCount)
	b.fact("POP3 import: mails a second raw, into the same full mailbox", "", "%.0f", raw)
}

// fillSmall writes n mails of some hundred octets into the INBOX of a new user's maildir.
func fillSmall(t testing.TB, mail *testmail.Server, name string, n int) testmail.User {
	t.Helper()
	u := fill(t, mail, name, 0)
	cur := filepath.Join(filepath.Dir(filepath.Dir(mail.CAFile)), "mail", name, "Maildir", "cur")
	for k := range n {
		text := fmt.Sprintf("Received: by mx.example.org; Mon, 2 Feb 2026 10:00:00 +0000\nMessage-ID: <%d@example.org>\nFrom: a@example.org\nSubject: Note %d\n\nShort and good.\n", k, k)
		if err := os.WriteFile(filepath.Join(cur, fmt.Sprintf("%d.M%dP1.bench:2,S", 1_700_000_000+k, k)), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return u
}

// importRaw gives the mails a second that RETR and APPEND bring over, of n, into a mailbox that is selected.
func (b *bench) importRaw(old, person testmail.User, mailbox string, n int) float64 {
	b.t.Helper()
	conn, err := tls.Dial("tcp", b.mail.POP3S.String(), &tls.Config{RootCAs: b.mail.CA, MinVersion: tls.VersionTLS12})
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	r := bufio.NewReaderSize(conn, 64<<10)
	line := func() []byte {
		l, err := r.ReadBytes('\n')
		if err != nil {
			b.t.Fatal(err)
		}
		return l
	}
	say := func(command string) {
		b.t.Helper()
		if _, err := io.WriteString(conn, command+"\r\n"); err != nil {
			b.t.Fatal(err)
		}
		if l := line(); l[0] != '+' {
			b.t.Fatalf("%s: %s", command, l)
		}
	}
	line()
	start := time.Now()
	say("USER " + old.Address)
	say("PASS " + old.Password)
	w := dialWire(b.t, b.mail, person)
	defer w.close()
	w.say("SELECT " + strconv.Quote(mailbox))
	for k := range n {
		say("RETR " + strconv.Itoa(k+1))
		var mail bytes.Buffer
		for {
			l := line()
			if l[0] == '.' {
				if l = l[1:]; len(l) == 2 {
					break
				}
			}
			mail.Write(l)
		}
		w.say(fmt.Sprintf("APPEND %q {%d+}\r\n%s", mailbox, mail.Len(), mail.String()))
	}
	return float64(n) / time.Since(start).Seconds()
}
