package proxy

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

func pngOf(t testing.TB, w, h int) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, w, h))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// site is a web site reached under any name, and a Proxy that dials nothing else.
func site(t *testing.T, h http.HandlerFunc, o Options) *Proxy {
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	o.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, srv.Listener.Addr().String())
	}
	return New(o)
}

func TestFetchGivesPictureAndTellsNothing(t *testing.T) {
	pic, asked := pngOf(t, 3, 2), atomic.Int32{}
	var got http.Header
	for name, o := range map[string]Options{"memory": {}, "disk": {Dir: t.TempDir()}} {
		asked.Store(0)
		p := site(t, func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			got = r.Header
			w.Header().Set("Content-Type", "text/html")
			w.Write(pic)
		}, o)
		for range 3 {
			img, err := p.Fetch(t.Context(), "http://pictures.example/a.png?x=1#frag")
			if err != nil || img.Type != "image/png" || !bytes.Equal(img.Body, pic) {
				t.Fatalf("%s: %v, %v", name, img, err)
			}
		}
		if asked.Load() != 1 {
			t.Errorf("%s: asked %d times", name, asked.Load())
		}
		for k := range got {
			if k != "User-Agent" && k != "Accept" && k != "Connection" {
				t.Errorf("%s: request has %s", name, k)
			}
		}
	}
}

func TestFetchRefusesURLs(t *testing.T) {
	p := site(t, func(w http.ResponseWriter, r *http.Request) { t.Error("asked for", r.URL) }, Options{Own: []string{"Mail.example:443"}})
	for _, u := range []string{"", "x", "//a.example/x", "ftp://a.example/x", "file:///etc/passwd", "http://u:p@a.example/", "http://a.example:25/",
		"http://a.example:8080/", "http:a.example", "http://127.1/", "http://0x7f000001/", "http://2130706433/", "http://mail.example/x",
		"https://MAIL.example./x", "http://a.example/" + strings.Repeat("x", 2100), "http://[fe80::1%25eth0]/", "javascript:1"} {
		if img, err := p.Fetch(t.Context(), u); err == nil {
			t.Errorf("%q gives %s", u, img.Type)
		}
	}
}

func TestGuardedDialerIsTheDefault(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("inner host was reached") }))
	defer srv.Close()
	for _, u := range []string{"http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://169.254.169.254/latest/meta-data/"} {
		if _, err := New(Options{}).Fetch(t.Context(), u); err == nil {
			t.Errorf("%s was fetched", u)
		}
	}
}

func TestRedirectsAreCheckedAndFew(t *testing.T) {
	pic := pngOf(t, 1, 1)
	p := site(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/0", "/1", "/2", "/3":
			http.Redirect(w, r, "/"+string(r.URL.Path[1]+1), http.StatusFound)
		case "/port":
			http.Redirect(w, r, "http://a.example:22/", http.StatusFound)
		case "/file":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		default:
			w.Write(pic)
		}
	}, Options{})
	if _, err := p.Fetch(t.Context(), "http://a.example/1"); err != nil {
		t.Error("three redirects:", err)
	}
	for _, path := range []string{"0", "port", "file", "loop"} {
		if _, err := p.Fetch(t.Context(), "http://a.example/"+path); !errors.Is(err, errPicture) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestOnlyPictures(t *testing.T) {
	var many bytes.Buffer
	g := gif.GIF{}
	for range maxFrames + 1 {
		g.Image = append(g.Image, image.NewPaletted(image.Rect(0, 0, 1, 1), color.Palette{color.Black, color.White}))
		g.Delay = append(g.Delay, 1)
	}
	if err := gif.EncodeAll(&many, &g); err != nil {
		t.Fatal(err)
	}
	wide := pngOf(t, 1, 1)
	binary.BigEndian.PutUint32(wide[16:], maxSide+1)
	bodies := map[string][]byte{"html": []byte("<html><script>1</script>"), "svg": []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), "empty": nil,
		"pdf": []byte("%PDF-1.4"), "cut": []byte("\x89PNG\r\n\x1a\n"), "film": many.Bytes(), "wide": wide, "big": append(pngOf(t, 1, 1), make([]byte, maxBody)...),
		"avif": []byte("\x00\x00\x00\x1cftypavif____________")}
	p := site(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/404":
			w.WriteHeader(404)
			w.Write(pngOf(t, 1, 1))
		case "/gzip":
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(pngOf(t, 1, 1))
		}
		w.Header().Set("Content-Type", "image/png")
		w.Write(bodies[r.URL.Path[1:]])
	}, Options{})
	for _, name := range []string{"html", "svg", "empty", "pdf", "cut", "film", "wide", "big", "avif", "404", "gzip"} {
		if img, err := p.Fetch(t.Context(), "http://a.example/"+name); !errors.Is(err, errPicture) {
			t.Errorf("%s: %v, %v", name, img, err)
		}
	}
}

func TestCacheStaysBounded(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		c := newCache(dir, 1000)
		for i := range 50 {
			c.put(string(rune('a'+i)), &Image{Type: "image/png", Body: make([]byte, 100)})
		}
		if *c.sum > 1000 || len(c.at) != 10 || c.use.Len() != 10 {
			t.Errorf("holds %d bytes in %d", *c.sum, len(c.at))
		}
		if c.get("a") != nil || c.get(string(rune('a'+49))) == nil {
			t.Error("the wrong ones left")
		}
		if files, err := filepath.Glob(filepath.Join(dir, "pictures", "*")); dir != "" && (err != nil || len(files) != 10) {
			t.Errorf("%d files are left: %v", len(files), err)
		}
	}
}

func TestSlotsAreFreed(t *testing.T) {
	s := newSlots(2, 1)
	free, err := s.take(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.take(ctx, "a"); err == nil {
		t.Error("a second slot for one host")
	}
	free()
	if len(s.host) != 0 || len(s.all) != 0 {
		t.Errorf("left: %d hosts, %d slots", len(s.host), len(s.all))
	}
}

func FuzzSniff(f *testing.F) {
	f.Add([]byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"))
	f.Add(pngOf(f, 2, 2))
	f.Add([]byte("\x00\x00\x00\x1cftypavif____________ispe\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if kind, err := sniff(b); err == nil && !strings.HasPrefix(kind, "image/") {
			t.Errorf("kind %q", kind)
		}
	})
}
