package static

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

func fetch(t *testing.T, name string, header map[string]string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, URL(name), nil)
	for k, v := range header {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w.Result()
}

func TestAssetsComeGzippedToWhoTakesIt(t *testing.T) {
	for _, c := range []struct {
		name, asset string
		header      map[string]string
		gzipped     bool
	}{
		{"a browser", "app.css", map[string]string{"Accept-Encoding": "gzip, deflate, br, zstd"}, true},
		{"with a weight", "app.js", map[string]string{"Accept-Encoding": "br;q=1.0, gzip;q=0.8"}, true},
		{"one that refuses it", "app.css", map[string]string{"Accept-Encoding": "gzip;q=0, br"}, false},
		{"one that says nothing", "app.css", nil, false},
		{"a range", "app.css", map[string]string{"Accept-Encoding": "gzip", "Range": "bytes=0-9"}, false},
		{"a font", "fonts/serif-latin.woff2", map[string]string{"Accept-Encoding": "gzip"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			res := fetch(t, c.asset, c.header)
			if got := res.Header.Get("Content-Encoding") == "gzip"; got != c.gzipped {
				t.Fatalf("gzipped: %v", got)
			}
			if res.Header.Get("Vary") != "Accept-Encoding" {
				t.Error("a cache may give it to others")
			}
			if !c.gzipped {
				return
			}
			z, err := gzip.NewReader(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(z)
			if err != nil || !bytes.Equal(body, Bytes(c.asset)) {
				t.Errorf("the bytes are not the asset's: %v", err)
			}
		})
	}
}

func TestUnknownAssetsAreNotFound(t *testing.T) {
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/static/app.000000000000.css", nil))
	if w.Code != http.StatusNotFound {
		t.Errorf("status %d", w.Code)
	}
}
