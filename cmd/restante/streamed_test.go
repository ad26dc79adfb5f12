package main

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"restante/internal/store"
	"restante/internal/testdb"
	"restante/internal/testmail"
	"restante/mailclient"
	"restante/mailclient/discover"
)

// TestADomainsTestShowsEachCheckAsItEnds: what is known of one server stands in the page while another lets us wait.
func TestADomainsTestShowsEachCheckAsItEnds(t *testing.T) {
	for _, encoding := range []string{"gzip", "identity"} {
		t.Run(encoding, func(t *testing.T) {
			mail := testmail.Demo(t)
			silent, err := net.Listen("tcp", "127.0.0.1:0") // it takes connections in and says nothing
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = silent.Close() }()
			s := newSite(t, mail, testdb.SQLite(t), nil)
			place := func(host string, port int) discover.Place {
				return discover.Place{Host: host, Port: port, Security: mailclient.Plain}
			}
			d := discover.Domain{Name: "other.test", IMAP: place(mail.IMAP.Host, mail.IMAP.Port), Submission: place("127.0.0.1", silent.Addr().(*net.TCPAddr).Port)}
			if err := s.house.store.SaveDomain(t.Context(), store.Domain{Name: d.Name, Settings: d.Encode()}); err != nil {
				t.Fatal(err)
			}
			if err := s.house.reload(t.Context()); err != nil {
				t.Fatal(err)
			}
			v := s.office()
			req := v.newRequest(http.MethodPost, "/admin/domains/other.test", strings.NewReader("action=test&address=anna@other.test&password=x"), "Content-Type", "application/x-www-form-urlencoded", "Accept-Encoding", encoding)
			res, err := v.client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = res.Body.Close() }()
			if res.StatusCode != 200 || res.Header.Get("X-Accel-Buffering") != "no" || res.Header.Get("No-Gzip-Compression") != "" {
				t.Errorf("status %d, headers %v", res.StatusCode, res.Header)
			}
			page := readUntil(t, res.Body, "IMAP 127.0.0.1 can what is needed")
			if strings.Contains(page, "</html>") || strings.Contains(page, "SMTP 127.0.0.1 can what is needed") {
				t.Error("the page came as a whole")
			}
			_ = silent.Close()
			page += readUntil(t, res.Body, "</html>")
			if !strings.Contains(page, "Signing in") {
				t.Error("the checks after the silent server are not there")
			}
			v.get("/admin/domains/other.test").want(200).says("main", "Signing in") // what came of it is kept
		})
	}
}

// readUntil reads up to some words, which have to come within a minute.
func readUntil(t *testing.T, r io.ReadCloser, words string) string {
	t.Helper()
	late := time.AfterFunc(time.Minute, func() { _ = r.Close() })
	defer late.Stop()
	var got strings.Builder
	b := make([]byte, 1)
	for !strings.HasSuffix(got.String(), words) {
		if _, err := r.Read(b); err != nil {
			t.Fatalf("%q did not come: %v; what came is %q", words, err, got.String())
		}
		got.Write(b)
	}
	return got.String()
}
