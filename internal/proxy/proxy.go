// Package proxy fetches the pictures that mails name on other sites, so that the
// site meets the server and never the reader. It follows no name to an inner
// address, sends nothing about anybody, and gives back pictures only, of a type
// it has seen for itself. Whoever calls checks that the URL was signed. By the same guarded way it asks the senders of
// lists to stop.
// Start at Fetch.
package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"

	"restante/internal/netguard"
)

const (
	maxURL       = 2048
	maxBody      = 10 << 20
	maxRedirects = 3
	maxAtOnce    = 64 // in all
	maxPerHost   = 4
	fetchTime    = 10 * time.Second
	firstByte    = 5 * time.Second
	slowest      = 1 << 10 // bytes a second
)

// Image is a picture: its type as its bytes say, and the bytes.
type Image struct {
	Type string // image/png, image/jpeg, image/gif, image/webp or image/avif
	Body []byte // at most 10 MB; shared with other callers, never to be changed
}

// Options set up a Proxy; the zero value is the usual one.
type Options struct {
	Own  []string // host names and addresses of this site, never fetched
	Dir  string   // where pictures are kept for a day; "" keeps them in memory
	Size int64    // bytes to keep at most; 0 means 64 MB in memory, 512 MB on disk
	// Dial connects to the sites; nil means the guarded dialler. Another one must make the same checks.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Proxy fetches and keeps pictures. It is safe for use by many goroutines.
type Proxy struct {
	own    map[string]bool
	client http.Client
	kept   cache
	flight singleflight.Group
	slots  *slots
}

// errPicture is in the chain of every refusal; callers show one placeholder for all of them.
var errPicture = errors.New("no picture")

// New makes a Proxy.
func New(o Options) *Proxy {
	if o.Dial == nil {
		d, _ := netguard.New(netguard.Options{Ports: netguard.WebPorts}) // fails only for allowed hosts, of which there are none
		o.Dial = d.DialContext
	}
	p := &Proxy{own: map[string]bool{}, kept: newCache(o.Dir, o.Size), slots: newSlots(maxAtOnce, maxPerHost)}
	for _, h := range o.Own {
		if name, _, err := net.SplitHostPort(h); err == nil {
			h = name
		}
		if h, ok := netguard.Host(h); ok {
			p.own[h] = true
		}
	}
	p.client = http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // we follow, with checks
		Transport: &http.Transport{DialContext: o.Dial, DisableKeepAlives: true, DisableCompression: true, TLSHandshakeTimeout: 3 * time.Second,
			ResponseHeaderTimeout: firstByte, MaxResponseHeaderBytes: 64 << 10, ForceAttemptHTTP2: false},
	}
	return p
}

// Fetch gives the picture at rawURL (http or https, usual ports), from what is kept or from its site, within ten
// seconds and 10 MB. An error says why for the log; to the outside all of them must look the same.
func (p *Proxy) Fetch(ctx context.Context, rawURL string) (*Image, error) {
	u, err := p.check(rawURL)
	if err != nil {
		return nil, err
	}
	key := u.String()
	if img := p.kept.get(key); img != nil {
		return img, nil
	}
	// One fetch for all who wait; it goes on when the first of them leaves.
	ch := p.flight.DoChan(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTime)
		defer cancel()
		img, err := p.fetch(ctx, u)
		if err == nil {
			p.kept.put(key, img)
		}
		return img, err
	})
	select {
	case r := <-ch:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*Image), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// check parses a URL and refuses all that no picture of a mail needs.
func (p *Proxy) check(raw string) (*url.URL, error) {
	if len(raw) > maxURL {
		return nil, fmt.Errorf("%w: URL of %d bytes", errPicture, len(raw))
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPicture, err)
	}
	host, ok := netguard.Host(u.Hostname())
	port := u.Port()
	switch {
	case u.Scheme != "http" && u.Scheme != "https", u.Opaque != "", u.User != nil:
		return nil, fmt.Errorf("%w: not a plain http address", errPicture)
	case !ok || p.own[host]:
		return nil, fmt.Errorf("%w: host", errPicture)
	case port != "" && port != "80" && port != "443":
		return nil, fmt.Errorf("%w: port %s", errPicture, port)
	}
	u.Host, u.Fragment, u.RawFragment = host, "", ""
	if strings.Contains(host, ":") {
		u.Host = "[" + host + "]"
	}
	if port != "" {
		u.Host += ":" + port
	}
	return u, nil
}

// fetch asks the site, following at most three redirects, each checked like the first URL.
func (p *Proxy) fetch(ctx context.Context, u *url.URL) (*Image, error) {
	for range maxRedirects + 1 {
		img, next, err := p.once(ctx, u)
		if err != nil || img != nil {
			return img, err
		}
		to, err := u.Parse(next)
		if err != nil {
			return nil, fmt.Errorf("%w: redirect: %w", errPicture, err)
		}
		if u.Scheme == "https" && to.Scheme == "http" {
			return nil, fmt.Errorf("%w: redirect from https to http", errPicture)
		}
		if u, err = p.check(to.String()); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%w: more than %d redirects", errPicture, maxRedirects)
}

// once makes one request: the picture, or where to go next.
func (p *Proxy) once(ctx context.Context, u *url.URL) (img *Image, next string, err error) {
	free, err := p.slots.take(ctx, u.Hostname())
	if err != nil {
		return nil, "", err
	}
	defer free()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", errPicture, err)
	}
	req.Header = http.Header{"User-Agent": {"Mozilla/5.0 (compatible; mail pictures)"}, "Accept": {"image/*"}}
	resp, err := p.client.Do(req)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", errPicture, err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case 301, 302, 303, 307, 308:
		return nil, resp.Header.Get("Location"), nil
	case http.StatusOK:
	default:
		return nil, "", fmt.Errorf("%w: status %d", errPicture, resp.StatusCode)
	}
	if e := resp.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return nil, "", fmt.Errorf("%w: encoding %q", errPicture, e)
	}
	body, err := readAll(resp.Body)
	if err != nil {
		return nil, "", err
	}
	kind, err := sniff(body)
	if err != nil {
		return nil, "", err
	}
	return &Image{Type: kind, Body: body}, "", nil
}

// readAll reads a body of at most maxBody; a site slower than slowest over three seconds is left.
func readAll(r io.Reader) ([]byte, error) {
	var out []byte
	start := time.Now()
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Read(buf)
		if out = append(out, buf[:n]...); len(out) > maxBody {
			return nil, fmt.Errorf("%w: more than %d bytes", errPicture, maxBody)
		}
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errPicture, err)
		}
		if s := time.Since(start).Seconds(); s > 3 && float64(len(out)) < s*slowest {
			return nil, fmt.Errorf("%w: too slow", errPicture)
		}
	}
}
