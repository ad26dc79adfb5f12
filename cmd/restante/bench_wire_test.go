package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"restante/internal/testmail"
)

// wire speaks IMAP as fast as can be: it writes commands and throws away what comes but for the last lines.
type wire struct {
	t    testing.TB
	conn net.Conn
	r    *bufio.Reader
	tag  int
}

// dialWire connects as Restante does, over TLS, and signs in.
func dialWire(t testing.TB, mail *testmail.Server, u testmail.User) *wire {
	t.Helper()
	conn, err := tls.Dial("tcp", mail.IMAPS.String(), &tls.Config{RootCAs: mail.CA, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{t: t, conn: conn, r: bufio.NewReaderSize(conn, 64<<10)}
	if _, err := w.r.ReadSlice('\n'); err != nil {
		t.Fatal(err)
	}
	w.say(fmt.Sprintf("LOGIN %q %q", u.Address, u.Password))
	return w
}

func (w *wire) close() { _ = w.conn.Close() }

// say sends commands in one flight and reads until all are answered by OK. It gives the short untagged lines.
func (w *wire) say(commands ...string) (lines []string) {
	w.t.Helper()
	var b strings.Builder
	for _, c := range commands {
		w.tag++
		fmt.Fprintf(&b, "x%d %s\r\n", w.tag, c)
	}
	_ = w.conn.SetDeadline(time.Now().Add(2 * time.Minute))
	if _, err := io.WriteString(w.conn, b.String()); err != nil {
		w.t.Fatal(err)
	}
	for left := len(commands); left > 0; {
		l, err := w.r.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			w.t.Fatal(err)
		}
		if n := literal(l); n > 0 {
			if _, err := w.r.Discard(n); err != nil {
				w.t.Fatal(err)
			}
			continue
		}
		if len(l) > 0 && l[0] == 'x' {
			if _, status, _ := bytes.Cut(l, []byte(" ")); !bytes.HasPrefix(status, []byte("OK")) && l[1] >= '0' && l[1] <= '9' {
				w.t.Fatalf("%q: %s", commands, l)
			}
			left--
		} else if len(l) > 2 && l[0] == '*' {
			lines = append(lines, string(bytes.TrimSpace(l)))
		}
	}
	return lines
}

// literal is the {n} at the end of a line, 0 if there is none.
func literal(l []byte) int {
	if !bytes.HasSuffix(l, []byte("}\r\n")) {
		return 0
	}
	n, err := strconv.Atoi(string(l[bytes.LastIndexByte(l, '{')+1 : len(l)-3]))
	if err != nil {
		return 0
	}
	return n
}

// uids are those that a search finds.
func (w *wire) uids(search string) (out []int) {
	w.t.Helper()
	for _, l := range w.say("UID SEARCH " + search) {
		if rest, ok := strings.CutPrefix(l, "* SEARCH"); ok {
			for _, f := range strings.Fields(rest) {
				n, err := strconv.Atoi(f)
				if err != nil {
					w.t.Fatal(err)
				}
				out = append(out, n)
			}
		}
	}
	return out
}

// browser gets pages as a browser does, compressed, and throws them away.
type browser struct {
	t      testing.TB
	base   string
	client *http.Client
	inbox  string // path of the inbox after sign-in
}

func newBrowser(t testing.TB, base string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, base: base, client: &http.Client{Jar: jar, Transport: &http.Transport{}, Timeout: 2 * time.Minute}}
}

func (v *browser) close() { v.client.CloseIdleConnections() }

// get gives how many bytes came, compressed as they were.
func (v *browser) get(path string) int64 { return v.ask(path, nil) }

// beside is get as a script does it on whose page the list stands.
func (v *browser) beside(path string) int64 {
	return v.ask(path, http.Header{"X-Restante": {"1"}, "X-Restante-Beside": {"1"}})
}

func (v *browser) ask(path string, head http.Header) int64 {
	v.t.Helper()
	req, err := http.NewRequest(http.MethodGet, v.base+path, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	maps.Copy(req.Header, head)
	n, _ := v.do(req)
	return n
}

// watch holds the stream of news open, as each page with scripts does. What it gives ends it.
func (v *browser) watch() (end func()) {
	v.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.base+"/events", nil)
	if err != nil {
		v.t.Fatal(err)
	}
	stream := &http.Client{Jar: v.client.Jar}
	res, err := stream.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
	}()
	return func() {
		cancel()
		<-done
		stream.CloseIdleConnections()
	}
}

// fills says whether the index of the inbox is being filled.
func (v *browser) fills() bool {
	v.t.Helper()
	res, err := v.client.Get(v.base + v.inbox)
	if err != nil {
		v.t.Fatal(err)
	}
	page, err := io.ReadAll(res.Body)
	if err := cmp.Or(err, res.Body.Close()); err != nil {
		v.t.Fatal(err)
	}
	return strings.Contains(string(page), "data-filling")
}

// post sends a form and follows where it leads.
func (v *browser) post(path string, form url.Values) *url.URL {
	v.t.Helper()
	req, err := http.NewRequest(http.MethodPost, v.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	_, at := v.do(req)
	return at
}

func (v *browser) do(req *http.Request) (int64, *url.URL) {
	v.t.Helper()
	req.Header.Set("Accept-Encoding", "gzip")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := v.client.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, res.Body)
	if err := cmp.Or(err, res.Body.Close()); err != nil {
		v.t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		v.t.Fatalf("%s %s: status %d", req.Method, req.URL, res.StatusCode)
	}
	return n, res.Request.URL
}

// signIn ends at the inbox.
func (v *browser) signIn(u testmail.User) {
	v.t.Helper()
	v.inbox = v.post("/login", url.Values{"username": {u.Address}, "password": {u.Password}}).Path
	if !strings.HasSuffix(v.inbox, "/INBOX") {
		v.t.Fatalf("sign-in led to %s", v.inbox)
	}
}
