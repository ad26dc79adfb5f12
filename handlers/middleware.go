package handlers

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strings"
	"time"
	"unicode/utf8"

	"restante/internal/limits"

	"github.com/klauspost/compress/gzhttp"
)

type contextKey int

const (
	keyRequestID contextKey = iota
	keyNonce
)

// requestID is the id that the log line and the error page share.
func requestID(r *http.Request) string {
	id, _ := r.Context().Value(keyRequestID).(string)
	return id
}

func nonceOf(r *http.Request) string {
	n, _ := r.Context().Value(keyNonce).(string)
	return n
}

// statusWriter remembers the status for the log, and leaves a client that takes nothing any more.
type statusWriter struct {
	http.ResponseWriter
	status int
	rc     *http.ResponseController
}

const (
	writeIdle = 30 * time.Second
	slowWrite = 4 << 10 // bytes a second of a line that is still fit for use
)

func (w *statusWriter) WriteHeader(code int) {
	if w.status == 0 {
		w.status = code
	}
	w.ResponseWriter.WriteHeader(code)
}

func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	_ = w.rc.SetWriteDeadline(time.Now().Add(writeIdle + time.Duration(len(b)/slowWrite)*time.Second))
	return w.ResponseWriter.Write(b)
}

// Flush sends what was written: whoever compresses asks for no more than this.
func (w *statusWriter) Flush() {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	_ = w.rc.Flush()
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// observed gives each request an id and a log line, without its query.
func (s *Server) observed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := make([]byte, 6)
		rand.Read(b)
		id := hex.EncodeToString(b)
		sw := &statusWriter{ResponseWriter: w, rc: http.NewResponseController(w)}
		start := time.Now()
		next.ServeHTTP(sw, r.WithContext(context.WithValue(r.Context(), keyRequestID, id)))
		s.log.Debug("request", "id", id, "method", r.Method, "route", routeOf(r), "status", sw.status, "ms", time.Since(start).Milliseconds())
	})
}

// routeOf is the first part of the path alone: folder names are the person's own.
func routeOf(r *http.Request) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	return "/" + first
}

// recovered turns a panic into a 500 page and a log line.
func (s *Server) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(v)
			}
			s.log.Error("panic", "id", requestID(r), "value", fmt.Sprint(v), "stack", string(debug.Stack()))
			if started(w) { // too late for a page: the connection ends, so that nothing looks whole
				panic(http.ErrAbortHandler)
			}
			s.fail(w, r, errBroken)
		}()
		next.ServeHTTP(w, r)
	})
}

// knownHost refuses names that are not ours, so that no foreign name can be bound to us (SECURITY 4.4).
func (s *Server) knownHost(next http.Handler) http.Handler {
	public, _ := url.Parse(s.conf.PublicURL)
	known := func(host string) bool { return strings.EqualFold(host, public.Host) || loopback(host) }
	if s.conf.PublicURL == "" {
		known = local
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !known(r.Host) && !(s.conf.PublicURL == "" && settingUpPath(r.URL.Path)) {
			s.refuse(w, r, "This site does not answer to that name.", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// settingUpPath says whether a path is one of the set-up, which answers to any name until the site has one: what opens
// it is the link, which no foreign name knows.
func settingUpPath(path string) bool {
	return strings.HasPrefix(path, "/setup/") || strings.HasPrefix(path, "/static/")
}

func loopback(hostport string) bool {
	host, a := hostOf(hostport)
	return host == "localhost" || a.IsLoopback()
}

// local says whether a host is an address or a name that nobody can have registered to bind it to one of ours.
func local(hostport string) bool {
	host, a := hostOf(hostport)
	if a.IsValid() || !strings.Contains(host, ".") {
		return true
	}
	for _, end := range []string{".localhost", ".local", ".lan", ".internal", ".home.arpa", ".test"} {
		if strings.HasSuffix(host, end) {
			return true
		}
	}
	return false
}

// hostOf is the name in a Host header, and the address if it is one.
func hostOf(hostport string) (string, netip.Addr) {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	a, _ := netip.ParseAddr(strings.Trim(host, "[]"))
	return strings.ToLower(host), a
}

// sameOrigin refuses writes that another site sends with the person's cookie, and their probing reads. A browser says
// with each write where it comes from; one that does not, and has a cookie, is not believed.
func (s *Server) sameOrigin(next http.Handler) http.Handler {
	protect := http.NewCrossOriginProtection()
	protect.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.fail(w, r, errStale) }))
	guarded := protect.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if reading(r) && r.Header.Get("Sec-Fetch-Site") == "cross-site" &&
			(r.Header.Get("Sec-Fetch-Mode") != "navigate" || r.Header.Get("Sec-Fetch-Dest") != "document") {
			s.refuse(w, r, "This is not for other sites.", http.StatusForbidden)
			return
		}
		if !reading(r) && r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "" &&
			r.Header.Get("Cookie") != "" && strings.HasPrefix(r.UserAgent(), "Mozilla/") {
			s.fail(w, r, errStale)
			return
		}
		guarded.ServeHTTP(w, r)
	})
}

// refuse answers, before anything of the request is believed, with a line of text.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, words string, status int) {
	s.logProblem(r, &Problem{Status: status, Key: "error.stale"})
	s.setHeaders(w, classText)
	http.Error(w, words, status)
}

// reading says whether a request only asks for something.
func reading(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// readable refuses paths and queries that are no text: no database and no mail server takes such bytes.
func (s *Server) readable(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isText(r.URL.Path) {
			s.fail(w, r, errNothingHere)
			return
		}
		for name, values := range r.URL.Query() {
			if !isText(append(values, name)...) {
				s.fail(w, r, badRequest("error.badinput"))
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// isText says whether all strings are UTF-8 without NUL.
func isText(all ...string) bool {
	for _, s := range all {
		if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
			return false
		}
	}
	return true
}

// bounded limits what a request may send, by its kind. Of files it takes what anybody who is signed in may bring; what
// this one may, ownBound says once it is known who it is.
func (s *Server) bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if bringsFiles(r) {
			most := s.bounds.Whole(limits.UploadMB)
			if _, err := r.Cookie(s.sessions.Cookie.Name); err == nil {
				most = s.bounds.Most(limits.UploadMB)
			}
			boundBody(w, r, most<<20, "limit.upload")
		} else if r.Body != nil {
			boundBody(w, r, formBytes, "error.413")
		}
		next.ServeHTTP(w, r)
	})
}

// ownBound limits the files that a person's request may bring.
func (s *Server) ownBound(w http.ResponseWriter, r *http.Request, p *person) {
	if most := s.bounds.Of(p.User.Address, limits.UploadMB); bringsFiles(r) && most < s.bounds.Most(limits.UploadMB) {
		boundBody(w, r, most<<20, "limit.upload")
	}
}

func bringsFiles(r *http.Request) bool {
	return r.Body != nil && strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data")
}

func boundBody(w http.ResponseWriter, r *http.Request, limit int64, key string) {
	r.Body = &drained{ReadCloser: http.MaxBytesReader(w, r.Body, limit), rest: r.Body, most: 4 * limit, rc: http.NewResponseController(w), key: key}
}

// drained is a bounded body. What comes beyond the bound is thrown away for a while: a browser that is cut off in
// the middle of sending shows its own error in the place of our page.
type drained struct {
	io.ReadCloser
	rest io.Reader
	most int64
	rc   *http.ResponseController
	key  string // of the words for it
}

func (d *drained) Read(b []byte) (int, error) {
	n, err := d.ReadCloser.Read(b)
	var tooLarge *http.MaxBytesError
	if !errors.As(err, &tooLarge) {
		return n, err
	}
	if d.most > 0 {
		_ = d.rc.SetReadDeadline(time.Now().Add(30 * time.Second))
		_, _ = io.CopyN(io.Discard, d.rest, d.most)
		d.most = 0
	}
	return n, wrap(err, http.StatusRequestEntityTooLarge, d.key, "Limit", tooLarge.Limit>>20)
}

// compressed gzips pages, with random padding: they hold a nonce beside foreign text.
func (s *Server) compressed(next http.Handler) http.Handler {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(1024), gzhttp.CompressionLevel(1), gzhttp.RandomJitter(64, 0, false))
	if err != nil {
		panic(err) // constant options
	}
	return wrap(next)
}

// clientBlock is the network block a request came from.
func (s *Server) clientBlock(r *http.Request) string { return s.clientNetwork(r).block }

// shownBlock is a block as people read it: one that is a single address is that.
func shownBlock(block string) string { return strings.TrimSuffix(block, "/32") }

// clientNetwork is where a request came from: the rightmost hop that no trusted proxy names.
func (s *Server) clientNetwork(r *http.Request) network {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return network{"unknown", "unknown"}
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return network{"unknown", "unknown"}
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && s.trusted(addr); i-- {
		next, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		addr = next
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		return network{block(addr, 64), block(addr, 48)}
	}
	return network{block(addr, 32), block(addr, 24)}
}

func block(a netip.Addr, bits int) string {
	p, err := a.Prefix(bits)
	if err != nil {
		return a.String()
	}
	return p.String()
}

func (s *Server) trusted(a netip.Addr) bool {
	for _, p := range s.conf.Proxies() {
		if p.Contains(a.Unmap()) {
			return true
		}
	}
	return false
}
