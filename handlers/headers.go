package handlers

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// class is the set of headers a route answers with (SECURITY 3).
type class int

const (
	classApp class = iota + 1
	classMessage
	classEditor
	classDownload
	classSource
	classProxy
	classEvents
	classStatic
	classWorker
	classText
)

const powerful = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), microphone=(), midi=(), payment=(), serial=(), usb=(), clipboard-write=(self)"

// appPolicy is that of every page: the editor too sets its styles without style attributes in markup.
func appPolicy(nonce string) string {
	return "default-src 'none'; script-src 'nonce-" + nonce + "'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; frame-src 'self'; " +
		"font-src 'self'; media-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; " +
		"require-trusted-types-for 'script'; trusted-types htmx dompurify restante"
}

var policies = map[class]string{
	classMessage:  messagePolicy("data:"),
	classEditor:   "default-src 'none'; style-src 'unsafe-inline'; img-src blob: data: 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'",
	classDownload: "sandbox; default-src 'none'",
	classSource:   "sandbox; default-src 'none'; frame-ancestors 'none'",
	classProxy:    "sandbox; default-src 'none'",
	classEvents:   "default-src 'none'",
	classStatic:   "default-src 'none'",
	classWorker:   "default-src 'none'; connect-src 'self'",
	classText:     "default-src 'none'",
}

// messagePolicy is the policy of a mail's own document, whose pictures may come from the places named.
func messagePolicy(pictures string) string {
	return "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox; default-src 'none'; script-src 'none'; style-src 'unsafe-inline'; " +
		"img-src " + pictures + "; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
}

// allowPictures lets a mail's document show its own parts (below base) and, once the reader has agreed, what our
// proxy fetches; no other path of this site.
func (s *Server) allowPictures(w http.ResponseWriter, r *http.Request, base string, remote bool) {
	hosts := []string{r.Host}
	if u, err := url.Parse(s.conf.PublicURL); err == nil && u.Host != "" && !strings.EqualFold(u.Host, r.Host) {
		hosts = append(hosts, u.Host)
	}
	places := "data:"
	for _, h := range hosts {
		if !plainHost.MatchString(h) { // an IPv6 address: policies have no word for it
			places += " 'self'"
			continue
		}
		places += " " + h + strings.NewReplacer(";", "%3B", ",", "%2C").Replace(base) + "/parts/"
		if remote {
			places += " " + h + "/proxy"
		}
	}
	w.Header().Set("Content-Security-Policy", messagePolicy(places))
}

var plainHost = regexp.MustCompile(`^[A-Za-z0-9.-]+(:[0-9]+)?$`)

// setHeaders writes the headers of a class. It gives the nonce of an app page, else "".
func (s *Server) setHeaders(w http.ResponseWriter, c class) (nonce string) {
	h := w.Header()
	for _, left := range []string{"Content-Disposition", "Content-Length", "X-Download-Options", "X-Accel-Buffering", "ETag", "Last-Modified", "Accept-Ranges", "Content-Range"} {
		h.Del(left) // of another class, when an error page takes the place of a file
	}
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("X-DNS-Prefetch-Control", "off")
	h.Set("Permissions-Policy", powerful)
	h.Set("X-Robots-Tag", "noindex")
	h.Set("Origin-Agent-Cluster", "?1")
	h.Set("X-Frame-Options", "DENY")
	if strings.HasPrefix(s.conf.PublicURL, "https://") {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	switch c {
	case classApp:
		b := make([]byte, 16)
		rand.Read(b)
		nonce = base64.RawStdEncoding.EncodeToString(b)
		h.Set("Content-Security-Policy", appPolicy(nonce))
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Cache-Control", "no-store")
		h.Set("Vary", "HX-Request, Cookie")
		return nonce
	case classMessage, classEditor:
		h.Set("X-Frame-Options", "SAMEORIGIN")
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Cache-Control", "no-store")
	case classSource:
		h.Set("Content-Type", "text/plain; charset=utf-8")
		h.Set("Cache-Control", "no-store")
	case classDownload:
		h.Set("X-Download-Options", "noopen")
		h.Set("Cache-Control", "private, no-store")
	case classProxy:
		h.Set("Cache-Control", "private, max-age=86400")
	case classEvents:
		h.Set("Content-Type", "text/event-stream")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Accel-Buffering", "no")
	case classWorker:
		h.Set("Content-Type", "text/javascript; charset=utf-8")
		h.Set("Cache-Control", "no-cache")
	case classText:
		h.Set("Content-Type", "text/plain; charset=utf-8")
		h.Set("Cache-Control", "no-store")
	}
	h.Set("Content-Security-Policy", policies[c])
	return ""
}

// class serves h with the headers of c.
func (s *Server) class(c class, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.setHeaders(w, c)
		h(w, r)
	}
}
