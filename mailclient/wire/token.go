package wire

import (
	"context"
	"errors"
	"fmt"

	"github.com/emersion/go-sasl"
)

// Tokens gives access tokens of a provider, which a server takes in place of a password. Its type has to be one that
// can be compared.
type Tokens interface {
	// Token gives an access token that holds for a while. refused is one that a server has just refused, "" for none:
	// it is not given again. The error is a *TokenError where it is the provider's.
	Token(ctx context.Context, refused string) (string, error)
}

// TokenError is a provider that gives no access token.
type TokenError struct {
	Provider string // its host
	Dead     bool   // the person has to sign in there again; else it is trouble that passes
	Text     string // the provider's own words
	Err      error
}

func (e *TokenError) Error() string {
	return fmt.Sprintf("%s gives no access token: %s", e.Provider, e.Text)
}

// Unwrap gives the cause.
func (e *TokenError) Unwrap() error { return e.Err }

// WithToken calls try with an access token, and once more with a fresh one if the server refused the first (PROTOCOLS
// C8). refused says whether an error of try is that.
func WithToken(ctx context.Context, t Tokens, try func(token string) error, refused func(error) bool) error {
	token, err := t.Token(ctx, "")
	if err != nil {
		return err
	}
	first := try(token)
	if first == nil || !refused(first) {
		return first
	}
	fresh, err := t.Token(ctx, token)
	var none *TokenError
	switch {
	case err == nil:
		return try(fresh)
	case errors.As(err, &none):
		return err
	}
	return first
}

// BearerMechanism chooses how an access token is shown (C6): OAUTHBEARER where it is offered, else XOAUTH2; "" where
// neither is.
func BearerMechanism(offers func(mech string) bool) string {
	for _, mech := range []string{sasl.OAuthBearer, "XOAUTH2"} {
		if offers(mech) {
			return mech
		}
	}
	return ""
}

// BearerError says that a server offers neither of the ways to show an access token.
const BearerError = "the server takes no access tokens: it offers neither OAUTHBEARER nor XOAUTH2"
