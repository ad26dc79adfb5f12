package oauth

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"restante/internal/netguard"
)

const (
	askTime   = 15 * time.Second // for one step of a sign-in: a request, and the keys for it
	maxAnswer = 256 << 10
	docLives  = time.Hour // a discovery document is read anew after it
	failLives = 10 * time.Second
	maxKnown  = 1000 // providers in memory
)

// Client goes to providers. It is safe for use by many goroutines.
type Client struct {
	roots *x509.CertPool
	allow []string
	via   http.RoundTripper

	mu    sync.Mutex
	known map[Settings]kept
	ways  map[string]http.RoundTripper // by the host of an issuer
}

type kept struct {
	provider *Provider
	err      error // of the last look, if there was never another
	until    time.Time
}

// NewClient makes a client. roots are whom providers are trusted by, nil is the system's. allow are hosts and networks
// that are open though private, as for netguard.Options; the host of an issuer always is, for the admin named it. via,
// where it is not nil, replaces the network.
func NewClient(roots *x509.CertPool, allow []string, via http.RoundTripper) *Client {
	return &Client{roots: roots, allow: allow, via: via, known: map[Settings]kept{}, ways: map[string]http.RoundTripper{}}
}

// Provider gives a provider, whose discovery document it reads where it was not read of late. Errors are *Fault.
func (c *Client) Provider(ctx context.Context, s Settings) (*Provider, error) {
	c.mu.Lock()
	k, ok := c.known[s]
	c.mu.Unlock()
	if ok && time.Now().Before(k.until) {
		return k.provider, k.err
	}
	p, err := c.Look(ctx, s)
	if err == nil || ctx.Err() != nil {
		return p, err
	}
	if k.provider != nil { // it was one before
		err = nil
	}
	c.keep(s, kept{provider: k.provider, err: err, until: time.Now().Add(failLives)})
	return k.provider, err
}

// Look reads a provider's discovery document anew. Errors are *Fault.
func (c *Client) Look(ctx context.Context, s Settings) (*Provider, error) {
	p := &Provider{settings: s, client: c}
	if err := checkURL(s.IssuerURL(), s.IssuerURL()); err != nil {
		return nil, p.fault(BadURL, s.IssuerURL(), err)
	}
	ctx, cancel := c.context(ctx, s)
	defer cancel()
	if err := p.doc.read(ctx, s.IssuerURL()); err != nil {
		var f *Fault
		if errors.As(err, &f) {
			return nil, p.fault(f.Kind, f.Text, f.Err)
		}
		return nil, p.fault(kindOf(err), "", err)
	}
	if err := p.sound(); err != nil {
		return nil, err
	}
	config := oidc.ProviderConfig{IssuerURL: p.doc.IssuerURL, AuthURL: p.doc.AuthURL, TokenURL: p.doc.TokenURL, JWKSURL: p.doc.KeysURL, Algorithms: p.doc.algorithms()}
	// The key set keeps the context that it is made with, for all its later requests.
	p.oidc = config.NewProvider(oidc.ClientContext(context.Background(), c.http(s)))
	c.keep(s, kept{provider: p, until: time.Now().Add(docLives)})
	return p, nil
}

func (c *Client) keep(s Settings, k kept) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) >= maxKnown {
		clear(c.known)
	}
	c.known[s] = k
}

// document is what is read of a discovery document (OpenID Connect Discovery 3, RFC 8414 2).
type document struct {
	IssuerURL   string   `json:"issuer"`
	AuthURL     string   `json:"authorization_endpoint"`
	TokenURL    string   `json:"token_endpoint"`
	KeysURL     string   `json:"jwks_uri"`
	RevokeURL   string   `json:"revocation_endpoint"`
	Algorithms  []string `json:"id_token_signing_alg_values_supported"`
	Challenges  []string `json:"code_challenge_methods_supported"`
	Styles      []string `json:"token_endpoint_auth_methods_supported"`
	SendsIssuer bool     `json:"authorization_response_iss_parameter_supported"`
}

func (d *document) read(ctx context.Context, issuer string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, issuer+"/.well-known/openid-configuration", nil)
	if err != nil {
		return err
	}
	res, err := clientOf(ctx).Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		kind := NoDocument
		if res.StatusCode >= 500 {
			kind = Away
		}
		return &Fault{Kind: kind, Text: res.Status}
	}
	if err := json.NewDecoder(res.Body).Decode(d); err != nil {
		return &Fault{Kind: Nonsense, Err: err}
	}
	return nil
}

func clientOf(ctx context.Context) *http.Client {
	c, _ := ctx.Value(oauth2.HTTPClient).(*http.Client)
	return c
}

// signs are the ways to sign that are believed: none by a secret that both know, and never none at all.
var signs = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA}

func (d *document) algorithms() (out []string) {
	for _, a := range d.Algorithms {
		if slices.Contains(signs, a) {
			out = append(out, a)
		}
	}
	return out
}

// style is how the client shows its secret; the request's body where the provider takes that alone.
func (d *document) style() oauth2.AuthStyle {
	if len(d.Styles) > 0 && !slices.Contains(d.Styles, "client_secret_basic") {
		return oauth2.AuthStyleInParams
	}
	if slices.Contains(d.Styles, "client_secret_post") {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

// sound says whether the document is one of this issuer that can be worked with.
func (p *Provider) sound() error {
	want := p.settings.IssuerURL()
	same := strings.TrimSuffix(p.doc.IssuerURL, "/") == want
	if p.settings.Kind == Microsoft { // which names a tenant by its id, however it was asked for
		same = strings.HasPrefix(p.doc.IssuerURL, microsoftHost)
	}
	if !same {
		return p.fault(OtherName, p.doc.IssuerURL, nil)
	}
	for _, u := range []string{p.doc.AuthURL, p.doc.TokenURL, p.doc.KeysURL} {
		if err := checkURL(u, want); err != nil {
			return p.fault(Nonsense, u, err)
		}
	}
	if p.doc.RevokeURL != "" && checkURL(p.doc.RevokeURL, want) != nil {
		p.doc.RevokeURL = ""
	}
	if len(p.doc.Challenges) > 0 && !slices.Contains(p.doc.Challenges, "S256") {
		return p.fault(NoPKCE, "", nil)
	}
	return nil
}

var errURL = errors.New("not an address by https")

// checkURL says whether a URL is one by https. One by http is for an issuer on this machine alone.
func checkURL(raw, issuer string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return errURL
	}
	at, err := url.Parse(issuer)
	if u.Scheme == "https" || err == nil && u.Scheme == "http" && at.Scheme == "http" && here(u.Hostname()) && here(at.Hostname()) {
		return nil
	}
	return errURL
}

func here(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// Revoke tells the provider that a refresh token is given up, where it has a place for that (RFC 7009).
func (p *Provider) Revoke(ctx context.Context, refresh string) error {
	if p.doc.RevokeURL == "" {
		return nil
	}
	ctx, cancel := p.client.context(ctx, p.settings)
	defer cancel()
	form := url.Values{"token": {refresh}, "token_type_hint": {"refresh_token"}, "client_id": {p.settings.ClientID}}
	if p.settings.Secret != "" && p.doc.style() == oauth2.AuthStyleInParams {
		form.Set("client_secret", p.settings.Secret)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.doc.RevokeURL, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if p.settings.Secret != "" && p.doc.style() == oauth2.AuthStyleInHeader {
		req.SetBasicAuth(url.QueryEscape(p.settings.ClientID), url.QueryEscape(p.settings.Secret))
	}
	res, err := clientOf(ctx).Do(req)
	if err != nil {
		return p.fault(kindOf(err), "", err)
	}
	if err := res.Body.Close(); err != nil || res.StatusCode == http.StatusOK {
		return err
	}
	return p.fault(Away, res.Status, nil)
}

// context is one within which requests go to a provider.
func (c *Client) context(ctx context.Context, s Settings) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	return oidc.ClientContext(ctx, c.http(s)), cancel
}

func (c *Client) http(s Settings) *http.Client {
	return &http.Client{
		Transport: bounded{c.way(s)}, Timeout: askTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// way is how a provider is reached: its own host wherever that is, what else its document names as the public internet
// and what the admin allows.
func (c *Client) way(s Settings) http.RoundTripper {
	if c.via != nil {
		return c.via
	}
	host := ""
	if u, err := url.Parse(s.IssuerURL()); err == nil {
		host = u.Hostname()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if w := c.ways[host]; w != nil {
		return w
	}
	dial := func(context.Context, string, string) (net.Conn, error) { return nil, netguard.ErrRefused }
	if guard, err := netguard.New(netguard.Options{Allow: append(slices.Clone(c.allow), host), Wait: 5 * time.Second}); err == nil {
		dial = guard.DialContext
	}
	if len(c.ways) >= maxKnown {
		clear(c.ways)
	}
	c.ways[host] = &http.Transport{
		DialContext: dial, TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: 10 * time.Second, MaxResponseHeaderBytes: 64 << 10,
		IdleConnTimeout: 30 * time.Second, MaxIdleConns: 4, TLSClientConfig: &tls.Config{RootCAs: c.roots, MinVersion: tls.VersionTLS12},
	}
	return c.ways[host]
}

// bounded ends an answer that is too long.
type bounded struct{ http.RoundTripper }

// RoundTrip is that of http.RoundTripper.
func (b bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := b.RoundTripper.RoundTrip(req)
	if err == nil {
		res.Body = &cut{ReadCloser: res.Body, left: maxAnswer}
	}
	return res, err
}

type cut struct {
	io.ReadCloser
	left int
}

func (c *cut) Read(b []byte) (int, error) {
	if c.left <= 0 {
		return 0, fmt.Errorf("an answer of more than %d bytes", maxAnswer)
	}
	n, err := c.ReadCloser.Read(b[:min(len(b), c.left)])
	c.left -= n
	return n, err
}

// kindOf says what an error of a request is.
func kindOf(err error) FaultKind {
	var untrusted *tls.CertificateVerificationError
	var name x509.HostnameError
	var unknown x509.UnknownAuthorityError
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, netguard.ErrRefused):
		return Forbidden
	case errors.As(err, &untrusted), errors.As(err, &name), errors.As(err, &unknown):
		return Untrusted
	case errors.As(err, &syntax):
		return Nonsense
	}
	return Away
}
