package proxy

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestOneClickAsksOnce, with the constant words and nothing of the reader, and goes nowhere else.
func TestOneClickAsksOnce(t *testing.T) {
	var got []string
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		got = append(got, r.Method+" "+r.URL.String()+" "+r.Header.Get("Content-Type")+" "+string(body))
		if err != nil || r.Header.Get("Cookie")+r.Header.Get("Referer") != "" {
			t.Error(err, r.Header)
		}
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}
	}))
	defer srv.Close()
	p := New(Options{Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, srv.Listener.Addr().String())
	}})
	p.client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, ServerName: "example.com"}
	if err := p.OneClick(t.Context(), "https://list.example/stop?id=7"); err != nil {
		t.Error(err)
	}
	if err := p.OneClick(t.Context(), "https://list.example/moved"); err == nil {
		t.Error("a redirect counts as an answer")
	}
	for _, u := range []string{"http://list.example/stop", "mailto:a@b.test", "https://u:p@list.example/", "https://list.example:8443/"} {
		if err := p.OneClick(t.Context(), u); err == nil {
			t.Errorf("%s was asked", u)
		}
	}
	if len(got) != 2 || got[0] != "POST /stop?id=7 application/x-www-form-urlencoded List-Unsubscribe=One-Click" {
		t.Errorf("asked were %q", got)
	}
	if err := New(Options{}).OneClick(t.Context(), "https://127.0.0.1/"); err == nil {
		t.Error("an inner host was asked")
	}
}
