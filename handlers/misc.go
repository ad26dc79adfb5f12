package handlers

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"restante/static"
	"restante/templates"
)

// healthz says that the program runs.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") }

// readyz says that the database answers.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
	defer cancel()
	if err := s.store.Ping(ctx); err != nil {
		s.log.Error("not ready", "err", err.Error())
		http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "ready\n")
}

func (s *Server) nothingHere(http.ResponseWriter, *http.Request) error { return errNothingHere }

func (s *Server) wrongMethod(w http.ResponseWriter, r *http.Request) error {
	if routes := chi.RouteContext(r.Context()).Routes; routes != nil {
		for _, m := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
			asked := m
			if m == http.MethodHead {
				asked = http.MethodGet
			}
			if routes.Match(chi.NewRouteContext(), asked, r.URL.EscapedPath()) {
				w.Header().Add("Allow", m)
			}
		}
	}
	return &Problem{Status: http.StatusMethodNotAllowed, Key: "error.method"}
}

// serviceWorker keeps the offline page at hand; it keeps no mail.
func (s *Server) serviceWorker(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, strings.NewReplacer("CSS_URL", static.URL("app.css"), "ICON_URL", static.URL("icons/postmark.svg")).Replace(workerScript))
}

const workerScript = `const kept = "restante-offline-1";
self.addEventListener("install", (e) => e.waitUntil(caches.open(kept).then((c) => c.addAll(["/offline", "CSS_URL", "ICON_URL"])).then(() => self.skipWaiting())));
self.addEventListener("activate", (e) => e.waitUntil(caches.keys().then((names) => Promise.all(names.filter((n) => n !== kept).map((n) => caches.delete(n)))).then(() => self.clients.claim())));
self.addEventListener("fetch", (e) => {
	const url = new URL(e.request.url);
	if (e.request.mode === "navigate") {
		e.respondWith(fetch(e.request).catch(() => caches.match("/offline")));
	} else if (url.origin === location.origin && url.pathname.startsWith("/static/")) {
		e.respondWith(fetch(e.request).catch(() => caches.match(e.request).then((hit) => hit || Response.error())));
	}
});
`

// manifest lets a phone keep Restante on its home screen.
func (s *Server) manifest(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/manifest+json")
	w.Header().Set("Cache-Control", "max-age=3600")
	_, _ = io.WriteString(w, `{"name":"Restante","short_name":"Restante","id":"/","start_url":"/","scope":"/","display":"standalone","background_color":"#f3f1ec","theme_color":"#f3f1ec",`+
		`"icons":[{"src":"`+static.URL("icons/postmark-192.png")+`","sizes":"192x192","type":"image/png"},{"src":"`+static.URL("icons/postmark-512.png")+`","sizes":"512x512","type":"image/png","purpose":"any"},`+
		`{"src":"`+static.URL("icons/postmark.svg")+`","sizes":"any","type":"image/svg+xml"}]}`)
}

func (s *Server) offline(w http.ResponseWriter, r *http.Request) error {
	l := browserLanguage(r)
	return s.ok(w, r, templates.Error{Head: templates.Head{L: l, Nonce: nonceOf(r), Title: l.T("offline.title"), Theme: "auto"},
		Words: l.T("offline.title"), Safe: l.T("offline.words"), ButtonURL: "/", ButtonWords: l.T("offline.retry"), ID: requestID(r)})
}

// editorFrame is an empty document in which foreign HTML may be read without running.
func (s *Server) editorFrame(w http.ResponseWriter, _ *http.Request, _ *person) error {
	_, err := io.WriteString(w, "<!doctype html><html><head><meta charset=\"utf-8\"><title></title></head><body></body></html>\n")
	return err
}

// shortcuts are the keys of UX 8 and the catalogue key of what they do.
var shortcuts = []struct {
	keys []string
	key  string
}{
	{[]string{"j", "↓"}, "key.next"}, {[]string{"k", "↑"}, "key.prev"}, {[]string{"PgDn", "PgUp"}, "key.eight"}, {[]string{"Home", "End"}, "key.ends"},
	{[]string{"o", "Enter"}, "key.open"}, {[]string{"u", "Esc"}, "key.back"}, {[]string{"n", "p"}, "key.step"}, {[]string{";"}, "key.letters"},
	{[]string{"x"}, "key.select"}, {[]string{"Shift+J", "Shift+K"}, "key.extend"}, {[]string{"*", "a/n/r/u/s"}, "key.selectsome"}, {[]string{"Ctrl+A"}, "key.selectpage"},
	{[]string{"e"}, "key.archive"}, {[]string{"#", "Delete"}, "key.delete"}, {[]string{"!"}, "key.junk"}, {[]string{"Shift+I"}, "key.read"}, {[]string{"Shift+U"}, "key.unread"},
	{[]string{"s"}, "key.flag"}, {[]string{"v"}, "key.move"}, {[]string{"l"}, "key.label"}, {[]string{"[", "]"}, "key.archiveand"}, {[]string{"."}, "key.more"}, {[]string{"r"}, "key.reply"}, {[]string{"a"}, "key.replyall"}, {[]string{"f"}, "key.forward"},
	{[]string{"c"}, "key.write"}, {[]string{"Shift+C"}, "key.writetab"}, {[]string{"Ctrl+Enter"}, "key.send"}, {[]string{"/"}, "key.search"}, {[]string{"z"}, "key.undo"},
	{[]string{"g", "i/f/d/s/t/a"}, "key.go"}, {[]string{"g", "l"}, "key.folders"}, {[]string{"F6"}, "key.panes"}, {[]string{"?"}, "key.help"},
}

func (s *Server) help(w http.ResponseWriter, r *http.Request, p *person) error {
	frame, _ := s.frame(r, p, "help", p.L.T("nav.help"), "")
	page := templates.Help{Frame: frame, Version: s.version}
	for _, k := range shortcuts {
		page.Keys = append(page.Keys, templates.HelpKey{Keys: k.keys, Words: p.L.T(k.key)})
	}
	for _, word := range searchWords {
		page.Words = append(page.Words, templates.HelpWord{Word: word.word, Words: p.L.T(word.key)})
	}
	return s.ok(w, r, page)
}

// leave asks before a link is followed whose words name another host than it goes to.
func (s *Server) leave(w http.ResponseWriter, r *http.Request, p *person) error {
	raw, ok := s.signed("leave", p, r)
	u, err := url.Parse(raw)
	if !ok || err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return errNothingHere
	}
	page := templates.Leave{Head: s.head(r, p, p.L.T("leave.title")), Words: p.L.T("leave.goes"), Host: u.Host, URL: raw}
	if strings.Contains(u.Hostname(), "xn--") {
		page.ASCII = u.Hostname()
	}
	return s.ok(w, r, page)
}

// deviceOf names a browser and its system from the User-Agent: "Firefox/Linux", "" when unknown.
func deviceOf(ua string) string {
	pick := func(pairs ...string) string {
		for i := 0; i+1 < len(pairs); i += 2 {
			if strings.Contains(ua, pairs[i]) {
				return pairs[i+1]
			}
		}
		return ""
	}
	browser := pick("Edg", "Edge", "OPR/", "Opera", "Firefox", "Firefox", "Chrome", "Chrome", "Safari", "Safari", "curl", "curl")
	system := pick("iPhone", "iPhone", "iPad", "iPad", "Android", "Android", "Windows", "Windows", "Mac OS", "macOS", "CrOS", "ChromeOS", "Linux", "Linux")
	if browser == "" || system == "" {
		return ""
	}
	return browser + "/" + system
}
