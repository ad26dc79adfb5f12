package pop3_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"restante/internal/testmail"
	"restante/internal/testoidc"
	"restante/mailclient/pop3"
	"restante/mailclient/wire"
)

// given are access tokens by a test; next is given in the place of one that was refused.
type given struct {
	first, next string
	err         error
}

func (g *given) Token(_ context.Context, refused string) (string, error) {
	if refused != "" {
		return g.next, g.err
	}
	return g.first, nil
}

func TestP2_AnAccessTokenIsShown(t *testing.T) {
	for mech, extra := range map[string]string{"OAUTHBEARER": "", "XOAUTH2": "auth_mechanisms = plain login xoauth2", "none": "auth_mechanisms = plain login"} {
		t.Run(mech, func(t *testing.T) {
			srv := testmail.Dovecot(t, testmail.DovecotOptions{Introspection: testoidc.Introspection(), Extra: extra})
			u := srv.NewUser(t)
			client := testoidc.NewClient(t, testoidc.Person{Subject: "anna", Email: u.Address})
			for _, c := range []struct {
				name   string
				tokens *given
				want   pop3.OutcomeKind // "" is a session
				tries  int
			}{
				{"good", &given{first: client.Grant()}, "", 1},
				{"refused, then good", &given{first: "stale", next: client.Grant()}, "", 2},
				{"refused twice", &given{first: "stale", next: "staler"}, pop3.WrongLogin, 2},
				{"refused, then dead", &given{first: "stale", err: &wire.TokenError{Dead: true}}, pop3.WrongLogin, 1},
				{"refused, and the provider is away", &given{first: "stale", err: &wire.TokenError{}}, pop3.Unreached, 1},
			} {
				tap := testmail.NewTap(t, srv.POP3)
				s, err := pop3.Dial(t.Context(), pop3.Options{Host: tap.Host, Port: tap.Port, Security: "plain", Username: u.Address, Tokens: c.tokens})
				want, tries := c.want, c.tries
				if mech == "none" {
					want, tries = pop3.WrongLogin, 0
				}
				if n := strings.Count(tap.Said(), "AUTH "+mech); n != tries || strings.Contains(tap.Said(), "PASS") {
					t.Errorf("%s: said %q", c.name, tap.Said())
				}
				if want == "" {
					if err != nil {
						t.Errorf("%s: %v", c.name, err)
						continue
					}
					if err := s.Quit(context.Background()); err != nil {
						t.Error(err)
					}
					continue
				}
				if got := pop3.SourceOutcome(err).Kind; got != want && !(want == pop3.WrongLogin && got == pop3.UnclearLogin) || errors.Is(err, context.Canceled) {
					t.Errorf("%s: %v is %s, want %s", c.name, err, got, want)
				}
			}
		})
	}
}
