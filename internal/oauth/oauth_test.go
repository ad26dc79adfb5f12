package oauth_test

import (
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"restante/internal/oauth"
	"restante/internal/testoidc"
)

const redirect = "https://mail.example.test/oauth/callback"

// internet answers in the place of the network, by host and path.
type internet map[string]func(r *http.Request) any

func (i internet) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, status := any(map[string]string{}), http.StatusNotFound
	if f := i[r.URL.Host+r.URL.Path]; f != nil {
		answer, status = f(r), http.StatusOK
	}
	raw, err := json.Marshal(answer)
	if text, ok := answer.(string); ok {
		raw = []byte(text)
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(string(raw))), Request: r}, err
}

// microsoft is Microsoft's provider for every tenant, which signs who it is told by their tenant.
func microsoft(t *testing.T, claims map[string]any) internet {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	const host = "login.microsoftonline.com"
	encode := base64.RawURLEncoding.EncodeToString
	return internet{
		host + "/common/v2.0/.well-known/openid-configuration": func(*http.Request) any {
			return map[string]any{
				"issuer": "https://" + host + "/{tenantid}/v2.0", "authorization_endpoint": "https://" + host + "/common/oauth2/v2.0/authorize",
				"token_endpoint": "https://" + host + "/common/oauth2/v2.0/token", "jwks_uri": "https://" + host + "/common/discovery/v2.0/keys",
				"id_token_signing_alg_values_supported": []string{"RS256"}, "token_endpoint_auth_methods_supported": []string{"client_secret_post"},
			}
		},
		host + "/common/discovery/v2.0/keys": func(*http.Request) any {
			return map[string]any{"keys": []map[string]string{{"kty": "RSA", "kid": "k", "use": "sig", "n": encode(key.N.Bytes()), "e": encode(big.NewInt(int64(key.E)).Bytes())}}}
		},
		host + "/common/oauth2/v2.0/token": func(r *http.Request) any {
			if err := r.ParseForm(); err != nil || r.PostForm.Get("client_secret") != "secret" || r.PostForm.Get("code_verifier") == "" {
				t.Errorf("the request has %v", r.PostForm)
			}
			head, _ := json.Marshal(map[string]string{"alg": "RS256", "kid": "k"})
			body, _ := json.Marshal(claims)
			text := encode(head) + "." + encode(body)
			sum := sha256.Sum256([]byte(text))
			sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
			if err != nil {
				t.Error(err)
			}
			return map[string]any{"access_token": "a", "refresh_token": "r", "token_type": "Bearer", "expires_in": 3600, "id_token": text + "." + encode(sig)}
		},
	}
}

func TestU3_MicrosoftHasAnIssuerForEachTenant(t *testing.T) {
	const tenant = "9188040d-6c67-4c5b-b112-36a304b66dad"
	settings := oauth.Settings{Kind: oauth.Microsoft, ClientID: "client", Secret: "secret"}
	for _, c := range []struct {
		name, iss, tid string
		want           oauth.FaultKind
	}{
		{"its own", "https://login.microsoftonline.com/" + tenant + "/v2.0", tenant, ""},
		{"of another tenant", "https://login.microsoftonline.com/other/v2.0", tenant, oauth.Mismatch},
		{"of another host", "https://login.evil.example/" + tenant + "/v2.0", tenant, oauth.Mismatch},
		{"without a tenant", "https://login.microsoftonline.com/{tenantid}/v2.0x", "", oauth.Mismatch},
	} {
		t.Run(c.name, func(t *testing.T) {
			flow := oauth.NewFlow()
			claims := map[string]any{"iss": c.iss, "tid": c.tid, "aud": "client", "sub": "s", "nonce": flow.Nonce, "exp": time.Now().Add(time.Hour).Unix(), "preferred_username": "Anna@Example.test", "email": "other@example.test"}
			p, err := oauth.NewClient(nil, nil, microsoft(t, claims)).Provider(t.Context(), settings)
			if err != nil {
				t.Fatal(err)
			}
			who, got, err := p.Finish(t.Context(), flow, redirect, url.Values{"code": {"c"}, "state": {flow.State}})
			if c.want != "" {
				wants(t, err, c.want)
				return
			}
			if err != nil || who.Issuer != c.iss || who.Address != "anna@example.test" || got.Refresh != "r" {
				t.Errorf("%+v %+v %v", who, got, err)
			}
		})
	}
}

// TestMicrosoftsPeopleStayWhoTheyAre whatever client id the site has: their sub is another one for each.
func TestMicrosoftsPeopleStayWhoTheyAre(t *testing.T) {
	const iss = "https://login.microsoftonline.com/t/v2.0"
	known := map[string]bool{}
	for _, sub := range []string{"as one client knows them", "as another"} {
		flow := oauth.NewFlow()
		claims := map[string]any{"iss": iss, "tid": "t", "oid": "object", "aud": "client", "sub": sub, "nonce": flow.Nonce, "exp": time.Now().Add(time.Hour).Unix(), "preferred_username": "anna@example.test"}
		p, err := oauth.NewClient(nil, nil, microsoft(t, claims)).Provider(t.Context(), oauth.Settings{Kind: oauth.Microsoft, ClientID: "client", Secret: "secret"})
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = p.Finish(t.Context(), flow, redirect, url.Values{"code": {"c"}, "iss": {"https://id.evil.example"}})
		wants(t, err, oauth.Mismatch)
		_, _, err = p.Finish(t.Context(), flow, redirect, url.Values{"code": {"c"}, "iss": {"https://login.microsoftonline.com/t/x/v2.0"}})
		wants(t, err, oauth.Mismatch)
		who, _, err := p.Finish(t.Context(), flow, redirect, url.Values{"code": {"c"}, "iss": {iss}})
		if err != nil {
			t.Fatal(err)
		}
		known[who.Issuer+who.Subject] = true
	}
	if len(known) != 1 {
		t.Errorf("they are %v", known)
	}
}

// google is Google's provider, whose tokens are those of microsoft.
func google(t *testing.T, claims map[string]any) internet {
	t.Helper()
	world := microsoft(t, claims)
	world["accounts.google.com/.well-known/openid-configuration"] = func(*http.Request) any {
		return map[string]any{"issuer": "https://accounts.google.com", "authorization_endpoint": "https://accounts.google.com/o/oauth2/v2/auth", "token_endpoint": "https://login.microsoftonline.com/common/oauth2/v2.0/token",
			"jwks_uri": "https://login.microsoftonline.com/common/discovery/v2.0/keys", "token_endpoint_auth_methods_supported": []string{"client_secret_post"}, "id_token_signing_alg_values_supported": []string{"none", "HS256", "RS256"}}
	}
	return world
}

// TestGoogleHasTwoNames in its tokens, and a person is the same by both.
func TestGoogleHasTwoNames(t *testing.T) {
	for iss, want := range map[string]oauth.FaultKind{"https://accounts.google.com": "", "accounts.google.com": "", "http://accounts.google.com": oauth.Mismatch, "": oauth.Mismatch} {
		flow := oauth.NewFlow()
		claims := map[string]any{"iss": iss, "aud": "client", "sub": "s", "nonce": flow.Nonce, "exp": time.Now().Add(time.Hour).Unix(), "email": "anna@example.test", "email_verified": "true"}
		p, err := oauth.NewClient(nil, nil, google(t, claims)).Provider(t.Context(), oauth.Settings{Kind: oauth.Google, ClientID: "client", Secret: "secret"})
		if err != nil {
			t.Fatal(err)
		}
		who, _, err := p.Finish(t.Context(), flow, redirect, url.Values{"code": {"c"}})
		if want != "" {
			wants(t, err, want)
		} else if err != nil || who.Issuer != "https://accounts.google.com" {
			t.Errorf("%q: %+v, %v", iss, who, err)
		}
	}
}

// TestATokenThatAnybodyCouldWriteIsNone: unsigned, signed by what both know, and one of no sign-in.
func TestATokenThatAnybodyCouldWriteIsNone(t *testing.T) {
	for _, alg := range []string{"none", "HS256", "RS256"} {
		flow := oauth.NewFlow()
		claims := map[string]any{"iss": "https://accounts.google.com", "aud": "client", "sub": "s", "exp": time.Now().Add(time.Hour).Unix(), "email": "anna@example.test", "email_verified": true}
		if alg != "RS256" { // which has no nonce
			claims["nonce"] = flow.Nonce
		}
		world := google(t, claims)
		const endpoint = "login.microsoftonline.com/common/oauth2/v2.0/token"
		if sound := world[endpoint]; alg != "RS256" {
			world[endpoint] = func(r *http.Request) any {
				answer, _ := sound(r).(map[string]any)
				head, _ := json.Marshal(map[string]string{"alg": alg})
				body, _ := json.Marshal(claims)
				text := base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(body)
				sign := hmac.New(sha256.New, []byte("secret"))
				sign.Write([]byte(text))
				sum := sign.Sum(nil)
				if alg == "none" {
					sum = nil
				}
				answer["id_token"] = text + "." + base64.RawURLEncoding.EncodeToString(sum)
				return answer
			}
		}
		p, err := oauth.NewClient(nil, nil, world).Provider(t.Context(), oauth.Settings{Kind: oauth.Google, ClientID: "client", Secret: "secret"})
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = p.Finish(t.Context(), flow, redirect, url.Values{"code": {"c"}})
		wants(t, err, oauth.Mismatch)
	}
}

// TestWhatAnotherClientWasGivenIsDead: Google refuses it by a word of its own.
func TestWhatAnotherClientWasGivenIsDead(t *testing.T) {
	for code, want := range map[string]oauth.FaultKind{"unauthorized_client": oauth.Refused, "invalid_grant": oauth.Refused, "invalid_client": oauth.BadClient, "temporarily_unavailable": oauth.Away} {
		world := google(t, nil)
		world["login.microsoftonline.com/common/oauth2/v2.0/token"] = func(*http.Request) any { return map[string]string{"error": code} }
		p, err := oauth.NewClient(nil, nil, world).Provider(t.Context(), oauth.Settings{Kind: oauth.Google, ClientID: "another", Secret: "secret"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.Refresh(t.Context(), "r")
		wants(t, err, want)
	}
}

// TestAnAddressThatIsNoneIsRefused: what would end the name in SASL, or make two addresses of one, is none.
func TestAnAddressThatIsNoneIsRefused(t *testing.T) {
	for _, address := range []string{"anna@example.test\x01auth=Bearer x", "a\x7fb@example.test", "anna@evil.example@example.test", "anna @example.test", "a\u2028b@example.test", "@example.test", "anna@", "anna", strings.Repeat("a", 250) + "@example.test"} {
		flow := oauth.NewFlow()
		claims := map[string]any{"iss": "https://login.microsoftonline.com/t/v2.0", "tid": "t", "aud": "client", "sub": "s", "nonce": flow.Nonce, "exp": time.Now().Add(time.Hour).Unix(), "preferred_username": address}
		p, err := oauth.NewClient(nil, nil, microsoft(t, claims)).Provider(t.Context(), oauth.Settings{Kind: oauth.Microsoft, ClientID: "client", Secret: "secret"})
		if err != nil {
			t.Fatal(err)
		}
		who, _, err := p.Finish(t.Context(), flow, redirect, url.Values{"code": {"c"}})
		if wants(t, err, oauth.NoAddress); who.Address != "" {
			t.Errorf("%q is taken as %q", address, who.Address)
		}
	}
}

func wants(t *testing.T, err error, kind oauth.FaultKind) {
	t.Helper()
	var f *oauth.Fault
	if !errors.As(err, &f) || f.Kind != kind {
		t.Errorf("got %v, want %s", err, kind)
	}
}

func TestU2_GoogleIsAskedForARefreshToken(t *testing.T) {
	world := internet{"accounts.google.com/.well-known/openid-configuration": func(*http.Request) any {
		return map[string]any{"issuer": "https://accounts.google.com", "authorization_endpoint": "https://accounts.google.com/o/oauth2/v2/auth",
			"token_endpoint": "https://oauth2.googleapis.com/token", "jwks_uri": "https://www.googleapis.com/oauth2/v3/certs", "revocation_endpoint": "https://oauth2.googleapis.com/revoke"}
	}}
	p, err := oauth.NewClient(nil, nil, world).Provider(t.Context(), oauth.Settings{Kind: oauth.Google, ClientID: "client"})
	if err != nil {
		t.Fatal(err)
	}
	flow := oauth.NewFlow()
	u, err := url.Parse(p.SignInURL(flow, redirect, "anna@example.test"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"access_type": "offline", "prompt": "consent", "login_hint": "anna@example.test", "scope": "openid email https://mail.google.com/", "code_challenge_method": "S256",
		"redirect_uri": redirect, "response_type": "code", "client_id": "client", "state": flow.State, "nonce": flow.Nonce,
	} {
		if got := u.Query().Get(name); got != want {
			t.Errorf("%s is %q, not %q", name, got, want)
		}
	}
	sum := sha256.Sum256([]byte(flow.Verifier))
	if u.Query().Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) || strings.Contains(u.String(), flow.Verifier) || len(flow.State) < 43 {
		t.Errorf("the address is %s", u)
	}
}

// TestWhoSignsInIsAlwaysAskedFor, whatever an admin wishes beside it.
func TestWhoSignsInIsAlwaysAskedFor(t *testing.T) {
	for scopes, want := range map[string]string{"": "openid email offline_access", "mail  email": "openid mail email", "email openid": "email openid"} {
		p, err := oauth.NewClient(nil, nil, nil).Provider(t.Context(), oauth.Settings{Kind: oauth.OIDC, ClientID: "c", Issuer: testoidc.URL(), Scopes: scopes})
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(p.SignInURL(oauth.NewFlow(), redirect, ""))
		if err != nil || u.Query().Get("scope") != want {
			t.Errorf("%q asks for %q: %v", scopes, u.Query().Get("scope"), err)
		}
	}
}

func TestADocumentThatWillNotDoIsToldOf(t *testing.T) {
	sound := func() map[string]any {
		return map[string]any{"issuer": "https://id.example.test", "authorization_endpoint": "https://id.example.test/a", "token_endpoint": "https://id.example.test/t", "jwks_uri": "https://id.example.test/k"}
	}
	for _, c := range []struct {
		name   string
		change func(doc map[string]any) any
		want   oauth.FaultKind
	}{
		{"sound", func(doc map[string]any) any { return doc }, ""},
		{"of another issuer", func(doc map[string]any) any { doc["issuer"] = "https://evil.example"; return doc }, oauth.OtherName},
		{"a token endpoint by http", func(doc map[string]any) any { doc["token_endpoint"] = "http://id.example.test/t"; return doc }, oauth.Nonsense},
		{"no keys", func(doc map[string]any) any { delete(doc, "jwks_uri"); return doc }, oauth.Nonsense},
		{"plain PKCE alone", func(doc map[string]any) any { doc["code_challenge_methods_supported"] = []string{"plain"}; return doc }, oauth.NoPKCE},
		{"no JSON", func(map[string]any) any { return "<html>" }, oauth.Nonsense},
		{"endless", func(map[string]any) any { return `{"issuer":"` + strings.Repeat("x", 1<<20) }, oauth.Nonsense},
	} {
		t.Run(c.name, func(t *testing.T) {
			world := internet{"id.example.test/.well-known/openid-configuration": func(*http.Request) any { return c.change(sound()) }}
			_, err := oauth.NewClient(nil, nil, world).Look(t.Context(), oauth.Settings{Kind: oauth.OIDC, ClientID: "c", Issuer: "https://id.example.test/"})
			if c.want == "" && err == nil {
				return
			}
			wants(t, err, c.want)
		})
	}
	_, err := oauth.NewClient(nil, nil, internet{}).Look(t.Context(), oauth.Settings{Kind: oauth.OIDC, ClientID: "c", Issuer: "http://id.example.test"})
	wants(t, err, oauth.BadURL)
}

// TestOnlyTheHostThatTheAdminNamedIsPrivate: a document cannot lead into the network that the site stands in.
func TestOnlyTheHostThatTheAdminNamedIsPrivate(t *testing.T) {
	settings := oauth.Settings{Kind: oauth.OIDC, ClientID: "c", Issuer: testoidc.URL()}
	c := oauth.NewClient(nil, nil, nil)
	p, err := c.Provider(t.Context(), settings)
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Refresh(t.Context(), "x")
	wants(t, err, oauth.BadClient)
	var inner *httptest.Server
	inner = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{"issuer": inner.URL, "authorization_endpoint": inner.URL + "/a", "token_endpoint": "https://169.254.169.254/t", "jwks_uri": inner.URL + "/k"})
	}))
	defer inner.Close()
	p, err = c.Provider(t.Context(), oauth.Settings{Kind: oauth.OIDC, ClientID: "c", Issuer: inner.URL})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Refresh(t.Context(), "x")
	wants(t, err, oauth.Forbidden)
	_, err = c.Look(t.Context(), oauth.Settings{Kind: oauth.OIDC, ClientID: "c", Issuer: "https://localhost:1"})
	wants(t, err, oauth.Away) // it was let there, and nobody answers
}

func FuzzAnswersOfAProvider(f *testing.F) {
	f.Add(`{"access_token":"a","token_type":"Bearer","id_token":"a.b.c"}`, "code=c&iss=x&error=", "{}")
	f.Add(`{"error":"invalid_grant","error_description":"`+"\x1b[0m"+`"}`, "error=access_denied&error_description=%e2%80%ae", `{"keys":[]}`)
	f.Fuzz(func(t *testing.T, token, answer, keys string) {
		world := internet{
			"id.example.test/.well-known/openid-configuration": func(*http.Request) any {
				return map[string]any{"issuer": "https://id.example.test", "authorization_endpoint": "https://id.example.test/a", "token_endpoint": "https://id.example.test/t", "jwks_uri": "https://id.example.test/k"}
			},
			"id.example.test/t": func(*http.Request) any { return token }, "id.example.test/k": func(*http.Request) any { return keys },
		}
		p, err := oauth.NewClient(nil, nil, world).Look(context.Background(), oauth.Settings{Kind: oauth.OIDC, ClientID: "c", Issuer: "https://id.example.test"})
		if err != nil {
			t.Fatal(err)
		}
		values, _ := url.ParseQuery(answer)
		who, _, err := p.Finish(context.Background(), oauth.NewFlow(), redirect, values)
		var fault *oauth.Fault
		if err == nil || !errors.As(err, &fault) || who.Address != "" {
			t.Fatalf("%+v %v", who, err)
		}
		if len(fault.Text) > 600 || strings.ContainsAny(fault.Text, "\r\n\x1b\u202e") {
			t.Fatalf("it says %q", fault.Text)
		}
	})
}
