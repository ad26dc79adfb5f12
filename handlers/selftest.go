package handlers

import (
	"bufio"
	"context"
	"crypto/hmac"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"restante/internal/i18n"
	"restante/mailclient/wire"
	"restante/templates"
)

// The site fetches itself as a browser would, to see what stands between. What it sees of its own request is told to
// nobody else: the request is signed, for half a minute.
const (
	selfHeader = "X-Restante-Self"
	selfCookie = "restante-self"
	selfTime   = 10 * time.Second
	selfPause  = 1200 * time.Millisecond // between the two lines that the site says
	selfFresh  = 30 * time.Second
)

// seen is what the site saw of its own request.
type seen struct {
	Host, Proto, Forwarded, Cookie, Peer string
	Trusted                              bool
}

// selfLine is one thing that was tried, and what it came to: ok, warn or bad.
type selfLine struct {
	Key   string `json:"k"` // of its words
	State string `json:"s"`
	Arg   string `json:"a,omitempty"`
}

func (s *Server) selfToken(at time.Time) string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	return stamp + "." + hex.EncodeToString(s.ring.MAC("self-test/1", stamp))
}

func (s *Server) selfAsked(token string) bool {
	stamp, _, _ := strings.Cut(token, ".")
	sec, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || s.now().Sub(time.Unix(sec, 0)).Abs() > selfFresh {
		return false
	}
	return hmac.Equal([]byte(token), []byte(s.selfToken(time.Unix(sec, 0))))
}

// self tells the site what it sees of its own request, in two lines with a pause between.
func (s *Server) self(w http.ResponseWriter, r *http.Request) {
	if !s.selfAsked(r.Header.Get(selfHeader)) {
		s.fail(w, r, errNothingHere)
		return
	}
	s.setHeaders(w, classEvents)
	v := seen{Host: r.Host, Proto: r.Header.Get("X-Forwarded-Proto"), Forwarded: r.Header.Get("X-Forwarded-For"), Peer: r.RemoteAddr}
	if c, err := r.Cookie(selfCookie); err == nil {
		v.Cookie = c.Value
	}
	if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		v.Peer, v.Trusted = at.Addr().Unmap().String(), s.trusted(at.Addr())
	}
	http.SetCookie(w, &http.Cookie{Name: selfCookie, Value: v.Cookie, Path: "/setup/self", HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: 60})
	raw, err := json.Marshal(v)
	if err != nil {
		return
	}
	_, _ = w.Write(append(raw, '\n'))
	_ = http.NewResponseController(w).Flush()
	select {
	case <-r.Context().Done():
		return
	case <-time.After(selfPause):
	}
	_, _ = io.WriteString(w, "end\n")
}

// fetchSelf asks for the site at an address, and says what came of it.
func (s *Server) fetchSelf(ctx context.Context, public string) []selfLine {
	ctx, cancel := context.WithTimeout(ctx, selfTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, public+"/setup/self", nil)
	if err != nil {
		return []selfLine{{"self.away", "bad", ""}}
	}
	req.Header.Set(selfHeader, s.selfToken(s.now()))
	req.AddCookie(&http.Cookie{Name: selfCookie, Value: "kept"})
	client := http.Client{
		Transport:     &http.Transport{DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext, TLSHandshakeTimeout: 5 * time.Second, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(req)
	if err != nil {
		return []selfLine{awayLine(public, err)}
	}
	defer func() { _ = res.Body.Close() }()
	out := []selfLine{{"self.https", "ok", ""}}
	if strings.HasPrefix(public, "http://") {
		out[0] = selfLine{"self.http", "warn", ""}
	}
	if at := res.Header.Get("Location"); res.StatusCode >= 300 && res.StatusCode < 400 && at != "" {
		return append(out, selfLine{"self.moved", "bad", cutText(at, 200)})
	}
	in := bufio.NewReader(io.LimitReader(res.Body, 16<<10))
	first, err := in.ReadBytes('\n')
	began := time.Now()
	var v seen
	if err != nil || json.Unmarshal(first, &v) != nil || res.StatusCode != http.StatusOK {
		if res.StatusCode == http.StatusMisdirectedRequest {
			return append(out, selfLine{"self.nothost", "bad", "?"})
		}
		return append(out, selfLine{"self.other", "bad", strconv.Itoa(res.StatusCode)})
	}
	_, err = in.ReadBytes('\n')
	return append(out, hostLine(public, v), proxyLine(public, v), cookieLine(v, res), streamLine(time.Since(began), err))
}

func awayLine(public string, err error) selfLine {
	u, _ := url.Parse(public)
	var dns *net.DNSError
	switch e := wire.Classify(u.Hostname(), err); {
	case errors.As(err, &dns):
		return selfLine{"self.noname", "bad", u.Hostname()}
	case e.Kind == wire.CertExpired || e.Kind == wire.CertName || e.Kind == wire.CertUnknown:
		return selfLine{"self.certificate", "bad", string(e.Kind)}
	}
	return selfLine{"self.away", "bad", u.Host}
}

func hostLine(public string, v seen) selfLine {
	if u, err := url.Parse(public); err == nil && strings.EqualFold(u.Host, v.Host) {
		return selfLine{"self.host", "ok", ""}
	}
	return selfLine{"self.nothost", "bad", v.Host}
}

func proxyLine(public string, v seen) selfLine {
	behind := strings.HasPrefix(public, "https://") // this program itself speaks no TLS
	switch {
	case v.Forwarded != "" && !v.Trusted:
		return selfLine{"self.nottrusted", "warn", v.Peer}
	case v.Forwarded != "":
		return selfLine{"self.forwarded", "ok", ""}
	case behind:
		return selfLine{"self.notforwarded", "warn", ""}
	}
	return selfLine{"self.direct", "ok", ""}
}

func cookieLine(v seen, res *http.Response) selfLine {
	for _, c := range res.Cookies() {
		if c.Name == selfCookie && c.HttpOnly && v.Cookie == "kept" {
			return selfLine{"self.cookie", "ok", ""}
		}
	}
	return selfLine{"self.nocookie", "bad", ""}
}

func streamLine(took time.Duration, err error) selfLine {
	if err != nil || took < selfPause/2 {
		return selfLine{"self.held", "warn", ""}
	}
	return selfLine{"self.stream", "ok", ""}
}

// bad says whether an address was not tested, or not well.
func bad(lines []selfLine) bool {
	return len(lines) == 0 || slices.ContainsFunc(lines, func(v selfLine) bool { return v.State == "bad" })
}

// selfLines are what was tried, in words, with what to change at the proxy.
func selfLines(l *i18n.Localizer, lines []selfLine) (out []templates.TestLine) {
	for _, v := range lines {
		t := templates.TestLine{State: v.State, Words: l.T(v.Key, "Arg", v.Arg)}
		if v.State != "ok" {
			t.Do = l.T(v.Key+".next", "Arg", v.Arg)
		}
		out = append(out, t)
	}
	return out
}
