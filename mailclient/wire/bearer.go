package wire

import (
	"strings"

	"github.com/emersion/go-sasl"
)

// Bearer is the client of OAUTHBEARER (RFC 7628) or of XOAUTH2, which shows an access token.
type Bearer struct {
	mech string
	ir   []byte
	end  string // what a refusal is answered with, before the server says that it was one (PROTOCOLS C8)
	said string
}

var authzid = strings.NewReplacer("=", "=3D", ",", "=2C") // RFC 5801 4

// NewBearer makes the client of a mechanism that BearerMechanism chose. host and port are the server's.
func NewBearer(mech, user, token, host string, port int) *Bearer {
	if mech == sasl.OAuthBearer {
		c := sasl.NewOAuthBearerClient(&sasl.OAuthBearerOptions{Username: authzid.Replace(user), Token: token, Host: host, Port: port})
		_, ir, _ := c.Start() // it has no error
		return &Bearer{mech: mech, ir: ir, end: "\x01"}
	}
	return &Bearer{mech: mech, ir: []byte("user=" + user + "\x01auth=Bearer " + token + "\x01\x01")}
}

// Start is that of sasl.Client.
func (b *Bearer) Start() (mech string, ir []byte, err error) { return b.mech, b.ir, nil }

// Next hears why a token is refused. It is that of sasl.Client.
func (b *Bearer) Next(challenge []byte) ([]byte, error) {
	b.said = strings.ToValidUTF8(string(challenge[:min(len(challenge), 300)]), "\uFFFD")
	return []byte(b.end), nil
}

// Said is why the server refused the token, in its own words: JSON, mostly. "" if it did not say.
func (b *Bearer) Said() string { return b.said }

// Refusal is what a server said of a token that it refused, before and with its answer.
func (b *Bearer) Refusal(answer string) string {
	return strings.TrimSpace(answer + " " + b.said)
}
