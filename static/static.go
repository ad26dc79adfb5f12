// Package static holds the bytes that browsers keep: styles, scripts, icons,
// fonts. It embeds them, gives each a fingerprinted URL, and serves them with
// their own headers. Start at URL and Handler.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:generate go run ./generate

//go:embed css js icons fonts vendor
var files embed.FS

// types are the only ones served.
var types = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
	".woff2": "font/woff2", ".png": "image/png", ".txt": "text/plain; charset=utf-8",
}

// asset is one file as it is served.
type asset struct {
	body  []byte
	ctype string
	small func() []byte // gzipped, made when first asked for; nil when it would be no smaller
}

// squeezed are the types that compress well: fonts and pictures are compressed already.
var squeezed = map[string]bool{".css": true, ".js": true, ".svg": true, ".txt": true}

func newAsset(body []byte, ctype, ext string) asset {
	a := asset{body: body, ctype: ctype, small: func() []byte { return nil }}
	if squeezed[ext] {
		a.small = sync.OnceValue(func() []byte { return squeeze(body) })
	}
	return a
}

func squeeze(body []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		panic(err) // a level there is
	}
	_, _ = w.Write(body) // a buffer takes all
	_ = w.Close()
	if b.Len() >= len(body) {
		return nil
	}
	return bytes.Clone(b.Bytes())
}

var byName, byURL = load()

// load reads every file once. CSS is joined into app.css in layer order; names in url() and import get their fingerprints.
func load() (names map[string]string, urls map[string]asset) {
	names, urls = map[string]string{}, map[string]asset{}
	add := func(name string, body []byte) {
		ctype, ok := types[path.Ext(name)]
		if !ok {
			return
		}
		sum := sha256.Sum256(body)
		ext := path.Ext(name)
		url := "/static/" + strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext
		names[name] = url
		urls[url] = newAsset(body, ctype, ext)
	}
	walk := func(dir string, f func(name string, body []byte)) {
		err := fs.WalkDir(files, dir, func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			body, err := files.ReadFile(p)
			if err == nil {
				f(p, body)
			}
			return err
		})
		if err != nil {
			panic(err) // embedded
		}
	}
	for _, dir := range []string{"icons", "fonts", "vendor"} {
		walk(dir, func(name string, body []byte) {
			if name == "icons/icons.svg" {
				name = "icons.svg"
			}
			add(name, body)
		})
	}
	add("app.css", stylesheet(names))
	scripts := map[string][]byte{}
	walk("js", func(name string, body []byte) { scripts[strings.TrimPrefix(name, "js/")] = body })
	for name, body := range linkModules(scripts, names) {
		add(name, body)
	}
	return names, urls
}

// sheets are the parts of app.css in order; each opens its own @layer.
var sheets = []string{"reset", "tokens", "base", "layout", "components", "list", "reader", "cards", "compose", "screens", "contacts", "imports", "admin", "state", "print"}

func stylesheet(names map[string]string) []byte {
	var b strings.Builder
	b.WriteString("@layer reset, tokens, base, layout, components, screens, state, print;\n")
	for _, s := range sheets {
		body, err := files.ReadFile("css/" + s + ".css")
		if err != nil {
			panic(err) // embedded
		}
		b.Write(body)
	}
	out := b.String()
	for name, url := range names {
		out = strings.ReplaceAll(out, `url("`+name+`")`, `url("`+url+`")`)
	}
	return []byte(out)
}

// linkModules gives every script its fingerprint and rewrites the imports of the others to it, leaves first.
func linkModules(scripts map[string][]byte, names map[string]string) map[string][]byte {
	done := map[string][]byte{}
	urlOf := func(name string, body []byte) string {
		sum := sha256.Sum256(body)
		return "/static/" + strings.TrimSuffix(name, ".js") + "." + hex.EncodeToString(sum[:6]) + ".js"
	}
	var link func(name string, depth int) string
	link = func(name string, depth int) string {
		if body, ok := done[name]; ok {
			return urlOf(name, body)
		}
		body := string(scripts[name])
		if depth < 10 {
			for other := range scripts {
				if other != name && strings.Contains(body, `"./`+other+`"`) {
					body = strings.ReplaceAll(body, `"./`+other+`"`, `"`+link(other, depth+1)+`"`)
				}
			}
			for other, url := range names {
				body = strings.ReplaceAll(body, `"asset:`+other+`"`, `"`+url+`"`)
			}
		}
		done[name] = []byte(body)
		return urlOf(name, done[name])
	}
	for name := range scripts {
		link(name, 0)
	}
	return done
}

// URL is the fingerprinted address of an asset, such as "app.css" or "icons/postmark.svg".
func URL(name string) string {
	if u, ok := byName[name]; ok {
		return u
	}
	return "/static/missing/" + name
}

// Bytes is an asset by its own name, for those served at fixed addresses (the service worker).
func Bytes(name string) []byte { return byURL[byName[name]].body }

// Handler serves /static/…; headers of its class are set before it.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, ok := byURL[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Type", a.ctype)
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("Vary", "Accept-Encoding")
		if small := a.small(); small != nil && r.Header.Get("Range") == "" && takesGzip(r) {
			h.Set("Content-Encoding", "gzip")
			h.Set("Content-Length", strconv.Itoa(len(small)))
			_, _ = w.Write(small) // who hangs up needs no more
			return
		}
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(a.body)))
	})
}

// takesGzip says whether a browser wants an answer gzipped (RFC 9110 12.5.3: a weight of 0 is a no).
func takesGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			return strings.Trim(strings.TrimPrefix(strings.TrimSpace(weight), "q="), "0.") != "" || weight == ""
		}
	}
	return false
}
