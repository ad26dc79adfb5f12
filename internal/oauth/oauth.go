// Package oauth signs people in at a provider that the admin named: the authorisation
// code flow of OAuth 2 with PKCE, who somebody is by OpenID Connect, and access tokens
// for mail servers. It goes to the provider and nowhere else, keeps nothing, and knows
// neither users nor mail. Start at Client and Provider.
package oauth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// The kinds of providers.
const (
	Google    = "google"
	Microsoft = "microsoft"
	OIDC      = "oidc"
)

// Settings are what the admin says of a provider.
type Settings struct {
	Kind     string // Google, Microsoft or OIDC
	ClientID string
	Secret   string // "" for a public client
	Issuer   string // with OIDC: its URL
	Tenant   string // with Microsoft: an id, a domain, common, organizations or consumers; "" is common
	Scopes   string // with OIDC: those wished beside openid, parted by spaces; "" is "openid email offline_access"
}

// Person is who signed in, as the provider vouches for it.
type Person struct {
	Issuer, Subject string // together they never change and never become another's
	Address         string // of the mailbox, lower case
}

// Tokens are what a provider gives to act for a person.
type Tokens struct {
	Access  string
	Expires time.Time // zero: the provider does not say
	Refresh string    // "" where it gave none, or no new one
}

const (
	googleIssuer    = "https://accounts.google.com"
	googleShort     = "accounts.google.com" // as some of its tokens have it
	microsoftHost   = "https://login.microsoftonline.com/"
	anyTenant       = "{tenantid}" // as Microsoft's document has it for more than one tenant
	microsoftScopes = "openid email profile offline_access https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send https://outlook.office.com/POP.AccessAsUser.All"
)

// IssuerURL is where the provider's discovery document stands, without /.well-known and what follows.
func (s Settings) IssuerURL() string {
	switch s.Kind {
	case Google:
		return googleIssuer
	case Microsoft:
		return microsoftHost + url.PathEscape(cmp.Or(s.Tenant, "common")) + "/v2.0"
	}
	return strings.TrimSuffix(s.Issuer, "/")
}

// Host is the provider's, for people to read.
func (s Settings) Host() string {
	u, err := url.Parse(s.IssuerURL())
	if err != nil {
		return ""
	}
	return u.Host
}

// Same says whether both are one client of one provider: what the one gave the other can use.
func (s Settings) Same(o Settings) bool {
	return s.Kind == o.Kind && s.ClientID == o.ClientID && s.IssuerURL() == o.IssuerURL()
}

func (s Settings) scopes() []string {
	switch s.Kind {
	case Google:
		return []string{"openid", "email", "https://mail.google.com/"} // PROTOCOLS U2
	case Microsoft:
		return strings.Fields(microsoftScopes) // U3
	}
	wished := strings.Fields(cmp.Or(s.Scopes, "openid email offline_access"))
	if !slices.Contains(wished, "openid") { // without it nobody says who signs in
		wished = slices.Insert(wished, 0, "openid")
	}
	return wished
}

// Flow is a sign-in that was begun: what its answer is compared with. It is a secret.
type Flow struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"` // PKCE
}

// NewFlow makes one, of 32 random bytes each.
func NewFlow() Flow {
	return Flow{State: oauth2.GenerateVerifier(), Nonce: oauth2.GenerateVerifier(), Verifier: oauth2.GenerateVerifier()}
}

// Provider is a provider as its discovery document describes it.
type Provider struct {
	settings Settings
	doc      document
	oidc     *oidc.Provider
	client   *Client
}

func (p *Provider) config(redirect string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.settings.ClientID, ClientSecret: p.settings.Secret, RedirectURL: redirect, Scopes: p.settings.scopes(),
		Endpoint: oauth2.Endpoint{AuthURL: p.doc.AuthURL, TokenURL: p.doc.TokenURL, AuthStyle: p.doc.style()},
	}
}

// SignInURL is where the person is sent. hint is the address that was typed, or "".
func (p *Provider) SignInURL(f Flow, redirect, hint string) string {
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(f.Verifier), oidc.Nonce(f.Nonce)}
	if hint != "" {
		options = append(options, oauth2.SetAuthURLParam("login_hint", hint))
	}
	if p.settings.Kind == Google { // else it gives a refresh token the first time alone
		options = append(options, oauth2.AccessTypeOffline, oauth2.SetAuthURLParam("prompt", "consent"))
	}
	return p.config(redirect).AuthCodeURL(f.State, options...)
}

// Finish takes the answer that came back to redirect, and asks for tokens. Errors are *Fault.
func (p *Provider) Finish(ctx context.Context, f Flow, redirect string, answer url.Values) (Person, Tokens, error) {
	if iss := answer.Get("iss"); iss != "" && !p.Is(iss) || iss == "" && p.doc.SendsIssuer { // RFC 9207
		return Person{}, Tokens{}, p.fault(Mismatch, "iss", nil)
	}
	if code := answer.Get("error"); code != "" {
		return Person{}, Tokens{}, p.refusal(code, answer.Get("error_description"), nil)
	}
	if answer.Get("code") == "" {
		return Person{}, Tokens{}, p.fault(Nonsense, "code", nil)
	}
	ctx, cancel := p.client.context(ctx, p.settings)
	defer cancel()
	t, err := p.config(redirect).Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(f.Verifier))
	if err != nil {
		return Person{}, Tokens{}, p.explain(err)
	}
	who, err := p.verify(ctx, t, f.Nonce)
	return who, tokensOf(t), err
}

func tokensOf(t *oauth2.Token) Tokens {
	return Tokens{Access: t.AccessToken, Expires: t.Expiry, Refresh: t.RefreshToken}
}

// claims are what is read of an ID token.
type claims struct {
	Email     string `json:"email"`
	Verified  any    `json:"email_verified"` // a boolean; some write a string
	Preferred string `json:"preferred_username"`
	Tenant    string `json:"tid"`
	Object    string `json:"oid"`
}

// verify reads who signed in from the ID token: its signature, for whom it is, by whom, when, and for which sign-in.
func (p *Provider) verify(ctx context.Context, t *oauth2.Token, nonce string) (Person, error) {
	raw, _ := t.Extra("id_token").(string)
	if raw == "" {
		return Person{}, p.fault(Nonsense, "id_token", nil)
	}
	token, err := p.oidc.VerifierContext(ctx, &oidc.Config{ClientID: p.settings.ClientID, SkipIssuerCheck: true}).Verify(ctx, raw) // the issuer is checked below
	if err != nil {
		return Person{}, p.fault(Mismatch, "id_token", err)
	}
	var c claims
	if err := token.Claims(&c); err != nil {
		return Person{}, p.fault(Nonsense, "id_token", err)
	}
	if token.Nonce != nonce {
		return Person{}, p.fault(Mismatch, "nonce", nil)
	}
	if p.settings.Kind == Google && token.Issuer == googleShort {
		token.Issuer = googleIssuer
	}
	if token.Issuer != p.issuerOf(c.Tenant) || token.Subject == "" {
		return Person{}, p.fault(Mismatch, "iss", nil)
	}
	address, err := p.addressOf(c)
	return Person{Issuer: token.Issuer, Subject: p.subjectOf(token.Subject, c), Address: address}, err
}

// subjectOf is by what a person is known for ever. Microsoft's sub is another one for each client id, so that an admin
// who registers the site anew would make strangers of all people: there it is the object id, of the whole tenant.
func (p *Provider) subjectOf(sub string, c claims) string {
	if p.settings.Kind == Microsoft {
		return cmp.Or(c.Object, sub)
	}
	return sub
}

// Is says whether issuer is this provider, by the name that it has in tokens and answers.
func (p *Provider) Is(issuer string) bool {
	head, tail, many := strings.Cut(p.doc.IssuerURL, anyTenant)
	if !many {
		return issuer == p.doc.IssuerURL
	}
	tenant, starts := strings.CutPrefix(issuer, head)
	tenant, ends := strings.CutSuffix(tenant, tail)
	return starts && ends && tenant != "" && !strings.ContainsAny(tenant, "/?#")
}

// issuerOf is who has to have written a token. Microsoft has one issuer for each tenant.
func (p *Provider) issuerOf(tenant string) string {
	if p.settings.Kind == Microsoft && tenant != "" {
		return strings.ReplaceAll(p.doc.IssuerURL, anyTenant, tenant)
	}
	return p.doc.IssuerURL
}

// addressOf is the mailbox of who signed in. Microsoft says of no address that it is verified: there it is the name by
// which people sign in, which the mail server has to take as well before it becomes anybody's.
func (p *Provider) addressOf(c claims) (string, error) {
	address := c.Email
	if p.settings.Kind == Microsoft {
		address = cmp.Or(c.Preferred, c.Email)
	} else if c.Verified != true && c.Verified != "true" {
		return "", p.fault(Unverified, address, nil)
	}
	local, domain, _ := strings.Cut(address, "@")
	odd := func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) || r == '@' } // a control would end the name in SASL
	if local == "" || domain == "" || len(address) > 254 || strings.ContainsFunc(local+domain, odd) {
		return "", p.fault(NoAddress, "", nil)
	}
	return strings.ToLower(address), nil
}

// Refresh asks for a new access token. Errors are *Fault; Refused means that refresh is of no use any more.
func (p *Provider) Refresh(ctx context.Context, refresh string) (Tokens, error) {
	ctx, cancel := p.client.context(ctx, p.settings)
	defer cancel()
	t, err := p.config("").TokenSource(ctx, &oauth2.Token{RefreshToken: refresh}).Token()
	var no *oauth2.RetrieveError
	if errors.As(err, &no) && no.ErrorCode == "unauthorized_client" { // Google's word for what was given to another client id
		return Tokens{}, p.fault(Refused, no.ErrorCode+" "+no.ErrorDescription, err)
	}
	if err != nil {
		return Tokens{}, p.explain(err)
	}
	out := tokensOf(t)
	if out.Refresh == refresh {
		out.Refresh = ""
	}
	return out, nil
}

// explain says what an error of a request to the token endpoint is.
func (p *Provider) explain(err error) error {
	var no *oauth2.RetrieveError
	if !errors.As(err, &no) {
		return p.fault(kindOf(err), "", err)
	}
	if no.ErrorCode == "" {
		if no.Response != nil {
			return p.fault(Away, no.Response.Status, err)
		}
		return p.fault(Nonsense, "", err)
	}
	return p.refusal(no.ErrorCode, no.ErrorDescription, err)
}

// refusal is an error that the provider names (RFC 6749 4.1.2.1 and 5.2).
func (p *Provider) refusal(code, words string, err error) error {
	text := code + " " + words
	switch code {
	case "invalid_grant", "interaction_required", "login_required", "consent_required":
		return p.fault(Refused, text, err)
	case "access_denied":
		return p.fault(Denied, text, err)
	case "invalid_client", "unauthorized_client", "redirect_uri_mismatch", "invalid_scope", "unsupported_response_type", "invalid_request":
		return p.fault(BadClient, text, err)
	}
	return p.fault(Away, text, err)
}

func (p *Provider) fault(kind FaultKind, text string, err error) error {
	return &Fault{Kind: kind, Host: p.settings.Host(), Text: cleaned(text), Err: err}
}

// cleaned is what a provider says, as one line of at most 500 bytes.
func cleaned(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x200e && r <= 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.Join(strings.Fields(s), " ")
	return strings.ToValidUTF8(s[:min(len(s), 500)], "")
}

// Fault is a provider that does not do what it should.
type Fault struct {
	Kind FaultKind
	Host string // the provider's
	Text string // its own words, or what it is about
	Err  error
}

// FaultKind is what is wrong.
type FaultKind string

// The kinds of faults.
const (
	BadURL     FaultKind = "url"         // no https address
	Away       FaultKind = "away"        // no answer, or one that says later
	Untrusted  FaultKind = "untrusted"   // its certificate
	Forbidden  FaultKind = "forbidden"   // an address that must not be dialled
	NoDocument FaultKind = "no-document" // nothing about it stands where it should
	Nonsense   FaultKind = "nonsense"    // an answer that is not what was asked for
	OtherName  FaultKind = "other-name"  // its document is that of another issuer; Text names it
	NoPKCE     FaultKind = "no-pkce"
	Mismatch   FaultKind = "mismatch"   // an answer that belongs to another sign-in, or comes from somebody else
	Unverified FaultKind = "unverified" // the provider does not vouch for the address, which is Text
	NoAddress  FaultKind = "no-address"
	Refused    FaultKind = "refused" // the person has to sign in again
	Denied     FaultKind = "denied"  // the person, or their admin there, said no
	BadClient  FaultKind = "client"  // what is set up here does not fit what is set up there
)

func (f *Fault) Error() string {
	return fmt.Sprintf("%s: %s %s: %v", f.Host, f.Kind, f.Text, f.Err)
}

// Unwrap gives the cause.
func (f *Fault) Unwrap() error { return f.Err }
