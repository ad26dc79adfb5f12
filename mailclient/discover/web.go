package discover

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"restante/mailclient/wire"
)

const (
	maxPage      = 64 << 10
	maxRedirects = 5
	maxDepth     = 50 // elements within one another
)

var (
	errStatus   = errors.New("no such page")
	errNonsense = errors.New("not what was asked for")
	errTooMany  = errors.New("too many requests for one lookup")
)

// page is one to fetch. With a body it is a POST of XML.
type page struct {
	url  string
	body string
}

// read fetches a page of at most 64 KB, within five seconds, over at most five redirects, which lead from https to
// https alone.
func (q *quest) read(ctx context.Context, p page) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	method, body := http.MethodGet, io.Reader(nil)
	if p.body != "" {
		method, body = http.MethodPost, strings.NewReader(p.body)
	}
	req, err := http.NewRequestWithContext(ctx, method, p.url, body)
	if err != nil {
		return nil, err
	}
	if p.body != "" {
		req.Header.Set("Content-Type", "text/xml; charset=utf-8")
	}
	req.Header.Set("User-Agent", "Restante")
	if err := q.request(req, nil); err != nil {
		return nil, err
	}
	transport := &http.Transport{
		DialContext: q.dialWeb, DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: maxPage,
		TLSClientConfig: &tls.Config{RootCAs: q.o.RootCAs, MinVersion: tls.VersionTLS12},
	}
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport, CheckRedirect: q.request}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: %s", errStatus, resp.Status)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxPage+1))
	if err == nil && len(b) > maxPage {
		err = fmt.Errorf("%w: longer than %d bytes", errNonsense, maxPage)
	}
	return b, err
}

func (q *quest) dialWeb(ctx context.Context, network, address string) (net.Conn, error) {
	if q.o.Dial == nil {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	return q.o.Dial.DialContext(ctx, network, address)
}

// request checks each request before it is made: the first one, and those that redirects lead to.
func (q *quest) request(req *http.Request, via []*http.Request) error {
	u := req.URL
	if _, ok := hostName(u.Hostname()); !ok || u.User != nil || u.Port() != "" || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("%w: %s", errNonsense, u.Redacted())
	}
	if len(via) > 0 && (len(via) > maxRedirects || req.Method == http.MethodPost || via[len(via)-1].URL.Scheme == "https" && u.Scheme != "https") {
		return http.ErrUseLastResponse
	}
	if q.requests.Add(1) > maxRequests {
		return errTooMany
	}
	return nil
}

// cameOf says what an error of read, of parsing or of DNS means.
func cameOf(err error) Came {
	var dns *net.DNSError
	switch {
	case err == nil:
		return CameAnswer
	case errors.Is(err, errStatus):
		return CameNothing
	case errors.Is(err, errNonsense):
		return CameNonsense
	case errors.As(err, &dns) && dns.IsNotFound:
		return CameNothing
	}
	switch wire.Classify("", err).Kind {
	case wire.Forbidden:
		return CameForbidden
	case wire.CertName, wire.CertExpired, wire.CertUnknown:
		return CameUntrusted
	case wire.WrongProtocol:
		return CameNonsense
	}
	return CameSilence
}

// readXML fills v from XML of which nothing can be made but elements and text: no document type, no entities of its
// own, not deeper than 50.
func readXML(b []byte, v any) error {
	d := xml.NewDecoder(bytes.NewReader(b))
	for depth := 0; ; {
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("%w: %w", errNonsense, err)
		}
		switch t.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		case xml.Directive:
			return fmt.Errorf("%w: a document type", errNonsense)
		}
		if depth > maxDepth {
			return fmt.Errorf("%w: deeper than %d", errNonsense, maxDepth)
		}
	}
	if err := xml.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%w: %w", errNonsense, err)
	}
	return nil
}

// at is an address on a host with a path and a query.
func at(scheme, host, path string, query url.Values) string {
	u := url.URL{Scheme: scheme, Host: host, Path: path, RawQuery: query.Encode()}
	return u.String()
}
