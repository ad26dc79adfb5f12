package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

// filmed is a mail with a file of those bytes, in base64 lines of 76 letters.
func filmed(body []byte) string {
	var lines strings.Builder
	for s := base64.StdEncoding.EncodeToString(body); s != ""; {
		n := min(76, len(s))
		lines.WriteString(s[:n] + "\r\n")
		s = s[n:]
	}
	return "From: a@b.test\r\nSubject: Film\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=cut\r\n\r\n--cut\r\nContent-Type: text/plain\r\n\r\nx\r\n" +
		"--cut\r\nContent-Type: video/mp4; name=film.mp4\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n" + lines.String() +
		"--cut\r\nContent-Type: text/csv; name=table.csv\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
		strings.Repeat("gr=C3=BC=C3=9Fe;1;2;3\r\n", 1000) + "--cut--\r\n"
}

func TestABrokenDownloadGoesOnWhereItBroke(t *testing.T) {
	t.Parallel()
	testmail.Each(t, func(t *testing.T, srv *testmail.Server) {
		s := newSite(t, srv, testdb.SQLite(t), nil)
		u := srv.NewUser(t)
		film := make([]byte, 3_000_001)
		_, _ = rand.NewChaCha8([32]byte{1}).Read(film)
		srv.Deliver(t, u, filmed(film))
		v := s.signIn(u)
		links := v.get("/mail/1/INBOX").open("Film").all("a[data-download]")
		path := attr(links[0], "href")
		whole := v.get(path).want(200)
		etag := v.header.Get("ETag")
		if !bytes.Equal(whole.body, film) || v.header.Get("Content-Length") != "3000001" || v.header.Get("Accept-Ranges") != "bytes" || !strings.HasPrefix(etag, `"`) {
			t.Fatalf("%d bytes, %v", len(whole.body), v.header)
		}
		for _, c := range []struct {
			headers []string
			status  int
			from    int
			upTo    int
			told    string
		}{
			{[]string{"Range", "bytes=0-"}, 206, 0, 3_000_001, "bytes 0-3000000/3000001"},
			{[]string{"Range", "bytes=2000000-"}, 206, 2_000_000, 3_000_001, "bytes 2000000-3000000/3000001"},
			{[]string{"Range", "bytes=100-199"}, 206, 100, 200, "bytes 100-199/3000001"},
			{[]string{"Range", "bytes=-7"}, 206, 2_999_994, 3_000_001, "bytes 2999994-3000000/3000001"},
			{[]string{"Range", "bytes=2999999-9999999"}, 206, 2_999_999, 3_000_001, "bytes 2999999-3000000/3000001"},
			{[]string{"Range", "bytes=2000000-", "If-Range", etag}, 206, 2_000_000, 3_000_001, "bytes 2000000-3000000/3000001"},
			{[]string{"Range", "bytes=2000000-", "If-Range", `"another"`}, 200, 0, 3_000_001, ""},
			{[]string{"Range", "bytes=2000000-", "If-Range", "W/" + etag}, 200, 0, 3_000_001, ""},
			{[]string{"Range", "bytes=0-1,5-6"}, 200, 0, 3_000_001, ""},
			{[]string{"Range", "bytes=3000001-"}, 416, 0, -1, "bytes */3000001"},
			{[]string{"Range", "lines=1-2"}, 200, 0, 3_000_001, ""},
			{[]string{"If-None-Match", etag}, 304, 0, 0, ""},
		} {
			v.do(v.newRequest(http.MethodGet, path, strings.NewReader(""), c.headers...))
			if v.status != c.status || c.told != "" && v.header.Get("Content-Range") != c.told {
				t.Errorf("%q: status %d, %q", c.headers, v.status, v.header.Get("Content-Range"))
			}
			if c.upTo >= 0 && !bytes.Equal(v.body, film[c.from:c.upTo]) {
				t.Errorf("%q: %d bytes", c.headers, len(v.body))
			}
			if v.status != 304 && (!strings.HasPrefix(v.header.Get("Content-Security-Policy"), "sandbox") || v.header.Get("X-Content-Type-Options") != "nosniff") {
				t.Errorf("%q: headers %v", c.headers, v.header)
			}
		}
		if v.do(v.newRequest(http.MethodHead, path, strings.NewReader(""))).want(200).header.Get("Content-Length") != "3000001" {
			t.Errorf("HEAD: %v", v.header)
		}
		if got := v.broken(path, etag, 700_000); !bytes.Equal(got, film) {
			t.Errorf("after %d breaks: %d bytes", 4, len(got))
		}
		table := v.do(v.newRequest(http.MethodGet, attr(links[1], "href"), strings.NewReader(""), "Range", "bytes=5-")).want(200)
		if string(table.body) != strings.Repeat("grüße;1;2;3\r\n", 999)+"grüße;1;2;3" || v.header.Get("Accept-Ranges") != "none" {
			t.Errorf("a file whose length is not known: %d bytes, %v", len(table.body), v.header)
		}
	})
}

// broken downloads a file over a line that breaks each n bytes.
func (v *visitor) broken(path, etag string, n int64) (got []byte) {
	v.t.Helper()
	for {
		req := v.newRequest(http.MethodGet, path, strings.NewReader(""), "Range", fmt.Sprintf("bytes=%d-", len(got)), "If-Range", etag)
		res, err := v.client.Do(req)
		if err != nil {
			v.t.Fatal(err)
		}
		piece, err := io.ReadAll(io.LimitReader(res.Body, n))
		_ = res.Body.Close()
		if err != nil || res.StatusCode != http.StatusPartialContent {
			v.t.Fatalf("status %d, %v", res.StatusCode, err)
		}
		if got = append(got, piece...); int64(len(piece)) < n {
			return got
		}
	}
}
