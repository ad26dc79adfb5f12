package main

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"restante/internal/testmail"
)

const people = 50

// program is the built Restante, running as an admin would run it.
type program struct {
	t    testing.TB
	cmd  *exec.Cmd
	base string
}

// buildProgram builds Restante.
func buildProgram(t testing.TB) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "restante")
	if out, err := exec.Command("go", "build", "-o", file, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return file
}

// startProgram serves the test's mail servers by the preset in the environment, on SQLite in a directory.
func startProgram(t testing.TB, mail *testmail.Server, file, data string) *program {
	t.Helper()
	return startProgramAt(t, mail, file, data, "127.0.0.1:0")
}

func startProgramAt(t testing.TB, mail *testmail.Server, file, data, at string) *program {
	t.Helper()
	p := &program{t: t, cmd: exec.Command(file, "serve", "-listen", at, "-data", data, "-log", "error")}
	p.cmd.Env = append(os.Environ(), "RESTANTE_DOMAIN="+mail.Domain, "RESTANTE_DOMAIN_IMAP=imaps://"+mail.IMAPS.String(),
		"RESTANTE_DOMAIN_SMTP=smtps://"+mail.Submissions.String(), "RESTANTE_CA_FILE="+mail.CAFile, "RESTANTE_ALLOW_HOSTS=127.0.0.0/8")
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.stop)
	line, err := bufio.NewReader(out).ReadString('\n')
	address := strings.Index(line, "http://")
	if err != nil || address < 0 {
		t.Fatalf("it says %q, %v", line, err)
	}
	p.base = strings.TrimSpace(line[address:])
	return p
}

// kill ends it as a power cut would.
func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

func (p *program) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	_ = p.cmd.Wait()
}

// pss is the proportional share of memory in KiB.
func (p *program) pss() int {
	p.t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "Pss:" {
			n, err := strconv.Atoi(f[1])
			if err != nil {
				p.t.Fatal(err)
			}
			return n
		}
	}
	p.t.Fatal("no Pss")
	return 0
}

// settledPSS is what stays when nothing happens for some seconds.
func (p *program) settledPSS() int {
	time.Sleep(5 * time.Second)
	return p.pss()
}

// memory measures the program idle, with people who have signed in and look at a mail, and while a file streams.
func (b *bench) memory() {
	p := startProgram(b.t, b.mail, buildProgram(b.t), filepath.Join(b.t.TempDir(), "data"))
	idle := p.settledPSS()
	b.fact("memory (PSS), idle", "", "%.1f MB", float64(idle)/1024)
	film := fill(b.t, b.mail, "benchfilm", 100)
	users := make([]testmail.User, people)
	for i := range users {
		users[i] = fill(b.t, b.mail, fmt.Sprintf("benchperson%d", i), 200)
	}
	p.streaming(b, film)
	before := p.settledPSS()
	var all []*browser
	for _, u := range users {
		all = append(all, p.reads(u))
	}
	after := p.settledPSS()
	b.fact(fmt.Sprintf("memory (PSS) for each of %d signed-in users", people), "<= 0.2 MB", "%.2f MB", float64(after-before)/1024/people)
	b.fact(fmt.Sprintf("memory (PSS) with %d signed-in users", people), "", "%.1f MB", float64(after)/1024)
	for _, v := range all {
		v.close()
	}
}

// reads signs a person in who lists the inbox, opens a mail, and hears news.
func (p *program) reads(u testmail.User) *browser {
	p.t.Helper()
	v := newBrowser(p.t, p.base)
	v.signIn(u)
	v.get(v.inbox + "/150")
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.base+"/events", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	res, err := v.client.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = res.Body.Close() })
	if _, err := bufio.NewReader(res.Body).ReadString('\n'); err != nil {
		p.t.Fatal(err)
	}
	return v
}

// most looks at the memory, every so often, until the function it gives is called, which tells the most that it was.
func (p *program) most(every time.Duration) (end func() int) {
	most, stop, ended := 0, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			most = max(most, p.pss())
			select {
			case <-stop:
				return
			case <-time.After(every):
			}
		}
	}()
	return func() int { close(stop); <-ended; return most }
}

// streaming looks at the memory all the time while 20 MB stream, to a fast reader.
func (p *program) streaming(b *bench, u testmail.User) {
	w := dialWire(b.t, b.mail, u)
	w.say("SELECT INBOX")
	path := fmt.Sprintf("/%d/parts/2?download=1", w.uids(`SUBJECT "Film"`)[0])
	w.close()
	v := newBrowser(b.t, p.base)
	defer v.close()
	v.signIn(u)
	v.get(v.inbox)
	before := p.settledPSS()
	most := p.most(5 * time.Millisecond)
	for range 3 {
		v.get(v.inbox + path)
	}
	more := most() - before
	b.fact("more memory (PSS) while 20 MB stream, three times", "< 8 MB", "%.1f MB", float64(more)/1024)
	v.post("/logout", nil)
}
