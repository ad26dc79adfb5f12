// Package testoidc is a provider for tests: it signs in whom a test says, without a
// question, and can be told to do wrong in every way that matters. One issuer serves all
// tests of a process, so that mail servers that ask it about tokens are shared; each
// test has a client of its own. Start at NewClient.
package testoidc

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// Person is somebody whom the issuer knows.
type Person struct {
	Subject, Email string
	Unverified     bool
}

// Client is a program that is registered at the issuer. Its fields are set before a sign-in; a test that changes them
// while requests are under way holds Lock.
type Client struct {
	sync.Mutex
	ID, Secret string
	Who        Person        // signs in
	Life       time.Duration // of access tokens; an hour if 0
	Rotate     bool          // each refresh token is good for one use
	Deny       string        // the error that the sign-in answers with
	Claims     func(claims map[string]any)
	Answer     func(values url.Values) // changes what the browser is sent back with
	NoRefresh  string                  // the error that a refresh answers with
	Down       bool                    // the token endpoint is broken

	refreshes int
	revoked   []string
	access    string
}

// Refreshes is how often a new access token was asked for.
func (c *Client) Refreshes() int {
	c.Lock()
	defer c.Unlock()
	return c.refreshes
}

// LastAccess is the access token that was given last.
func (c *Client) LastAccess() string {
	c.Lock()
	defer c.Unlock()
	return c.access
}

// Grant gives an access token without a sign-in.
func (c *Client) Grant() string {
	i := ours()
	c.Lock()
	defer c.Unlock()
	i.mu.Lock()
	defer i.mu.Unlock()
	token, _ := i.give(c, c.Who, false)["access_token"].(string)
	return token
}

// Revoked are the tokens that were given up.
func (c *Client) Revoked() []string {
	c.Lock()
	defer c.Unlock()
	return append([]string(nil), c.revoked...)
}

// Set changes a client while it is in use.
func (c *Client) Set(change func(c *Client)) {
	c.Lock()
	defer c.Unlock()
	change(c)
}

// grant is what a code, an access token or a refresh token stands for.
type grant struct {
	client    *Client
	who       Person
	nonce     string
	challenge string
	redirect  string
	ends      time.Time
	used      bool
}

type issuer struct {
	url string
	key *rsa.PrivateKey

	mu      sync.Mutex
	clients map[string]*Client
	codes   map[string]*grant
	access  map[string]*grant
	refresh map[string]*grant
}

var ours = sync.OnceValue(func() *issuer {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // no test can go on
	}
	i := &issuer{key: key, clients: map[string]*Client{}, codes: map[string]*grant{}, access: map[string]*grant{}, refresh: map[string]*grant{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", i.discovery)
	mux.HandleFunc("GET /keys", i.keys)
	mux.HandleFunc("GET /authorize", i.authorize)
	mux.HandleFunc("POST /token", i.token)
	mux.HandleFunc("POST /revoke", i.revoke)
	mux.HandleFunc("GET /introspect", i.introspect)
	i.url = httptest.NewServer(mux).URL // until the process ends
	return i
})

// URL is the issuer's.
func URL() string { return ours().url }

// Introspection is where a mail server asks whose an access token is.
func Introspection() string { return ours().url + "/introspect" }

// NewClient registers a client for a test.
func NewClient(t testing.TB, who Person) *Client {
	t.Helper()
	i := ours()
	c := &Client{ID: "client-" + rand.Text(), Secret: rand.Text(), Who: who}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.clients[c.ID] = c
	return c
}

// Forget makes every token of a client worthless, access tokens too.
func (c *Client) Forget() {
	c.ForgetAccess()
	i := ours()
	i.mu.Lock()
	defer i.mu.Unlock()
	maps.DeleteFunc(i.refresh, func(_ string, g *grant) bool { return g.client == c })
}

// ForgetAccess makes the access tokens of a client worthless before their time.
func (c *Client) ForgetAccess() {
	i := ours()
	i.mu.Lock()
	defer i.mu.Unlock()
	maps.DeleteFunc(i.access, func(_ string, g *grant) bool { return g.client == c })
}

// Consent is what a browser brings back from the address of a sign-in.
func Consent(t testing.TB, at *url.URL) url.Values {
	t.Helper()
	browser := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: 10 * time.Second}
	res, err := browser.Get(at.String())
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	back, err := res.Location()
	if err != nil {
		t.Fatal(err)
	}
	return back.Query()
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func refuse(w http.ResponseWriter, code string) {
	write(w, http.StatusBadRequest, map[string]string{"error": code, "error_description": "the test says so"})
}

func (i *issuer) discovery(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusOK, map[string]any{
		"issuer": i.url, "authorization_endpoint": i.url + "/authorize", "token_endpoint": i.url + "/token", "jwks_uri": i.url + "/keys", "revocation_endpoint": i.url + "/revoke",
		"id_token_signing_alg_values_supported": []string{"RS256"}, "code_challenge_methods_supported": []string{"S256"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic"}, "authorization_response_iss_parameter_supported": true,
	})
}

func (i *issuer) keys(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusOK, map[string]any{"keys": []map[string]string{{
		"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "one",
		"n": base64.RawURLEncoding.EncodeToString(i.key.N.Bytes()), "e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(i.key.E)).Bytes()),
	}}})
}

// authorize signs in whom the test says, and sends the browser back.
func (i *issuer) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	i.mu.Lock()
	c := i.clients[q.Get("client_id")]
	i.mu.Unlock()
	if c == nil || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") == "" || len(q.Get("state")) < 43 {
		refuse(w, "invalid_request")
		return
	}
	c.Lock()
	defer c.Unlock()
	back := url.Values{"state": {q.Get("state")}, "iss": {i.url}}
	if c.Deny != "" {
		back.Set("error", c.Deny)
	} else {
		code := rand.Text()
		i.mu.Lock()
		i.codes[code] = &grant{client: c, who: c.Who, nonce: q.Get("nonce"), challenge: q.Get("code_challenge"), redirect: q.Get("redirect_uri"), ends: time.Now().Add(time.Minute)}
		i.mu.Unlock()
		back.Set("code", code)
	}
	if c.Answer != nil {
		c.Answer(back)
	}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

func (i *issuer) token(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	i.mu.Lock()
	c := i.clients[id]
	i.mu.Unlock()
	if c == nil || secret != c.Secret {
		refuse(w, "invalid_client")
		return
	}
	c.Lock()
	defer c.Unlock()
	if c.Down {
		http.Error(w, "down", http.StatusBadGateway)
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	switch r.PostFormValue("grant_type") {
	case "authorization_code":
		i.exchange(w, r, c)
	case "refresh_token":
		c.refreshes++
		i.renew(w, r, c)
	default:
		refuse(w, "unsupported_grant_type")
	}
}

func (i *issuer) exchange(w http.ResponseWriter, r *http.Request, c *Client) {
	g := i.codes[r.PostFormValue("code")]
	delete(i.codes, r.PostFormValue("code"))
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if g == nil || g.client != c || g.redirect != r.PostFormValue("redirect_uri") || base64.RawURLEncoding.EncodeToString(sum[:]) != g.challenge || time.Now().After(g.ends) {
		refuse(w, "invalid_grant")
		return
	}
	out := i.give(c, g.who, true)
	claims := map[string]any{
		"iss": i.url, "sub": g.who.Subject, "aud": c.ID, "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix(), "nonce": g.nonce,
		"email": g.who.Email, "email_verified": !g.who.Unverified,
	}
	if c.Claims != nil {
		c.Claims(claims)
	}
	out["id_token"] = i.sign(claims)
	write(w, http.StatusOK, out)
}

func (i *issuer) renew(w http.ResponseWriter, r *http.Request, c *Client) {
	token := r.PostFormValue("refresh_token")
	g := i.refresh[token]
	if c.NoRefresh != "" || g == nil || g.client != c || g.used {
		code := c.NoRefresh
		if code == "" {
			code = "invalid_grant"
		}
		refuse(w, code)
		return
	}
	g.used = c.Rotate
	write(w, http.StatusOK, i.give(c, g.who, c.Rotate))
}

func (i *issuer) give(c *Client, who Person, refresh bool) map[string]any {
	life := c.Life
	if life == 0 {
		life = time.Hour
	}
	access := "access-" + rand.Text()
	c.access = access
	i.access[access] = &grant{client: c, who: who, ends: time.Now().Add(life)}
	out := map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": int(life.Seconds())}
	if refresh {
		token := "refresh-" + rand.Text()
		i.refresh[token] = &grant{client: c, who: who}
		out["refresh_token"] = token
	}
	return out
}

func (i *issuer) sign(claims map[string]any) string {
	head, _ := json.Marshal(map[string]string{"alg": "RS256", "kid": "one", "typ": "JWT"})
	body, _ := json.Marshal(claims)
	text := base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(body)
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, i.key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err) // the key is ours
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(sig)
}

func (i *issuer) revoke(w http.ResponseWriter, r *http.Request) {
	token := r.PostFormValue("token")
	i.mu.Lock()
	g := i.refresh[token]
	delete(i.refresh, token)
	i.mu.Unlock()
	if g != nil {
		g.client.Set(func(c *Client) { c.revoked = append(c.revoked, token) })
	}
	w.WriteHeader(http.StatusOK)
}

// introspect says whose an access token is (RFC 7662, as Dovecot asks it).
func (i *issuer) introspect(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	g := i.access[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	i.mu.Unlock()
	if g == nil || time.Now().After(g.ends) {
		write(w, http.StatusUnauthorized, map[string]any{"active": false})
		return
	}
	write(w, http.StatusOK, map[string]any{"active": true, "email": g.who.Email, "sub": g.who.Subject})
}
