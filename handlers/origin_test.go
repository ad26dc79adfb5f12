package handlers

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"restante/internal/config"
)

func gate(public string) http.Handler {
	s := New(Options{Config: config.Config{PublicURL: public}, Log: slog.New(slog.DiscardHandler)})
	return s.knownHost(s.sameOrigin(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })))
}

// TestOnlyOurOwnNamesAreAnswered: a name that somebody registered may be bound to any address, ours too.
func TestOnlyOurOwnNamesAreAnswered(t *testing.T) {
	for _, c := range []struct {
		public, host string
		ok           bool
	}{
		{"", "127.0.0.1:8080", true}, {"", "localhost", true}, {"", "[::1]:8080", true}, {"", "192.168.1.7:8080", true}, {"", "restante:8080", true},
		{"", "mail.home.arpa", true}, {"", "nas.LAN:80", true}, {"", "evil.example:8080", false}, {"", "127.0.0.1.nip.io", false}, {"", "localhost.evil.example", false},
		{"https://mail.example.org", "mail.example.org", true}, {"https://mail.example.org", "MAIL.example.org", true}, {"https://mail.example.org", "127.0.0.1:8080", true},
		{"https://mail.example.org", "evil.example", false}, {"https://mail.example.org", "mail.example.org:99", false}, {"https://mail.example.org", "192.168.1.7", false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = c.host
		w := httptest.NewRecorder()
		gate(c.public).ServeHTTP(w, r)
		if ok := w.Code == http.StatusTeapot; ok != c.ok || !ok && w.Code != http.StatusMisdirectedRequest {
			t.Errorf("with %q %s is answered with %d", c.public, c.host, w.Code)
		}
	}
}

func TestABrowserSaysWhereAWriteComesFrom(t *testing.T) {
	const browser, cookie = "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0", "restante=x"
	for _, c := range []struct {
		agent, cookie, site, origin string
		ok                          bool
	}{
		{browser, cookie, "same-origin", "", true}, {browser, cookie, "", "http://127.0.0.1", true}, {browser, "", "", "", true},
		{"curl/8", cookie, "", "", true}, {"Lynx/2.9", cookie, "", "", true},
		{browser, cookie, "", "", false}, {browser, cookie, "cross-site", "", false}, {browser, cookie, "same-site", "", false}, {browser, cookie, "", "null", false},
		{"curl/8", "", "", "https://evil.example", false},
	} {
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/logout", strings.NewReader(""))
		for name, value := range map[string]string{"User-Agent": c.agent, "Cookie": c.cookie, "Sec-Fetch-Site": c.site, "Origin": c.origin} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		w := httptest.NewRecorder()
		gate("").ServeHTTP(w, r)
		if ok := w.Code == http.StatusTeapot; ok != c.ok {
			body, _ := io.ReadAll(w.Body)
			t.Errorf("%+v: %d %.80s", c, w.Code, body)
		}
	}
}
