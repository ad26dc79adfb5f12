package submit_test

import (
	"context"
	"testing"

	"restante/internal/testmail"
	"restante/internal/testoidc"
	"restante/mailclient"
	"restante/mailclient/submit"
)

// given are access tokens by a test; next is given in the place of one that was refused.
type given struct {
	first, next string
	err         error
}

func (g *given) Token(_ context.Context, refused string) (string, error) {
	if refused != "" || g.first == "" {
		return g.next, g.err
	}
	return g.first, nil
}

func TestT3_MailIsSubmittedWithAnAccessToken(t *testing.T) {
	for mech, extra := range map[string]string{"OAUTHBEARER": "", "XOAUTH2": "auth_mechanisms = plain login xoauth2", "none": "auth_mechanisms = plain login"} {
		t.Run(mech, func(t *testing.T) {
			srv := testmail.Postfix(t, testmail.PostfixOptions{Dovecot: testmail.DovecotOptions{Introspection: testoidc.Introspection(), Extra: extra}})
			anna := srv.NewUser(t)
			client := testoidc.NewClient(t, testoidc.Person{Subject: "anna", Email: anna.Address})
			dead := &mailclient.TokenError{Provider: "id.example.test", Dead: true, Text: "invalid_grant"}
			n := 0
			for _, c := range []struct {
				name   string
				tokens *given
				want   submit.Kind
			}{
				{"good", &given{first: client.Grant()}, submit.Sent},
				{"refused, then good", &given{first: "stale", next: client.Grant()}, submit.Sent},
				{"refused twice", &given{first: "stale", next: "staler"}, submit.SignIn},
				{"dead", &given{err: dead}, submit.SignIn},
				{"refused, then dead", &given{first: "stale", err: dead}, submit.SignIn},
				{"the provider is away", &given{err: &mailclient.TokenError{Provider: "id.example.test", Text: "502"}}, submit.Retry},
			} {
				want := c.want
				if mech == "none" && c.tokens.first != "" {
					want = submit.Config
				}
				o := options(plain(srv.Submission), anna)
				o.Credentials = mailclient.Credentials{Username: anna.Address, Tokens: c.tokens}
				if out := send(t, o, mail(anna.Address, "by token", anna.Address)); out.Kind != want {
					t.Errorf("%s: %+v, want %s", c.name, out, want)
				}
				if want == submit.Sent {
					n++
					arrives(t, srv, anna, n)
				}
			}
		})
	}
}
