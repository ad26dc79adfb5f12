package mailclient_test

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"restante/internal/testmail"
	"restante/internal/testoidc"
	"restante/mailclient"
)

// given are access tokens by a test: next is what is given in the place of one that was refused, "" for none any more.
type given struct {
	first, next string
	asked       int
}

func (g *given) Token(_ context.Context, refused string) (string, error) {
	if refused == "" {
		return g.first, nil
	}
	g.asked++
	if g.next == "" {
		return "", &mailclient.TokenError{Provider: "id.example.test", Dead: true, Text: "invalid_grant"}
	}
	return g.next, nil
}

// eachBearer runs f on Dovecots that take tokens by both mechanisms, by the better known one alone, and by none.
func eachBearer(t *testing.T, f func(t *testing.T, srv *testmail.Server, mech string)) {
	t.Helper()
	for mech, extra := range map[string]string{"OAUTHBEARER": "", "XOAUTH2": "auth_mechanisms = plain login xoauth2", "none": "auth_mechanisms = plain login"} {
		t.Run(mech, func(t *testing.T) {
			f(t, testmail.Dovecot(t, testmail.DovecotOptions{Introspection: testoidc.Introspection(), Extra: extra}), mech)
		})
	}
}

func TestC6_AnAccessTokenIsShownByOneMechanism(t *testing.T) {
	eachBearer(t, func(t *testing.T, srv *testmail.Server, mech string) {
		u := srv.NewUser(t)
		client := testoidc.NewClient(t, testoidc.Person{Subject: "anna", Email: u.Address})
		for _, c := range []struct {
			name   string
			tokens *given
			tries  int // on the wire
			asked  int
			good   bool
		}{
			{"good", &given{first: client.Grant()}, 1, 0, true},
			{"refused, then good", &given{first: "stale", next: client.Grant()}, 2, 1, true},
			{"refused twice", &given{first: "stale", next: "staler"}, 2, 1, false},
			{"refused, and no other is there", &given{first: "stale"}, 1, 1, false},
		} {
			t.Run(c.name, func(t *testing.T) {
				tap := testmail.NewTap(t, srv.IMAP)
				pool := mailclient.NewPool(mailclient.Limits{})
				defer pool.Close()
				s := pool.Session("a", mailclient.Endpoint{Host: tap.Host, Port: tap.Port, Security: mailclient.Plain}, mailclient.Credentials{Username: u.Address, Tokens: c.tokens})
				err := s.SignIn(t.Context())
				if mech == "none" {
					var no *mailclient.SignInError
					if !errors.As(err, &no) || strings.Contains(tap.Said(), "AUTHENTICATE") || strings.Contains(tap.Said(), "LOGIN") || c.tokens.asked > 0 {
						t.Errorf("got %v; said %q", err, tap.Said())
					}
					return
				}
				if (err == nil) != c.good || c.tokens.asked != c.asked || strings.Count(tap.Said(), "AUTHENTICATE "+mech) != c.tries || strings.Count(tap.Said(), "AUTHENTICATE") != c.tries {
					t.Errorf("%v, asked %d; said %q", err, c.tokens.asked, tap.Said())
				}
				if c.good && c.tries == 2 {
					tap.Forget()
					if _, err := s.Mailboxes(t.Context()); err != nil || strings.Contains(tap.Said(), "AUTHENTICATE") {
						t.Errorf("it is not signed in: %v", err)
					}
				}
			})
		}
	})
}

// TestC8_TheServersReasonIsHeard: it comes as a question, which has to be answered before the refusal.
func TestC8_TheServersReasonIsHeard(t *testing.T) {
	for mech, answer := range map[string]string{"XOAUTH2": "", "OAUTHBEARER": "AQ=="} {
		t.Run(mech, func(t *testing.T) {
			var heard []string
			at := scripted(t, mech, func(line string) string {
				heard = append(heard, line)
				if len(heard) == 1 {
					return "+ " + base64.StdEncoding.EncodeToString([]byte(`{"status":"400","schemes":"Bearer","scope":"mail"}`))
				}
				return "NO [AUTHENTICATIONFAILED] Invalid credentials"
			})
			pool := mailclient.NewPool(mailclient.Limits{})
			defer pool.Close()
			err := pool.Session("a", at, mailclient.Credentials{Username: "a=b,c@x.test", Tokens: &given{first: "token"}}).SignIn(t.Context())
			var dead *mailclient.TokenError
			if !errors.As(err, &dead) || len(heard) != 2 || heard[1] != answer {
				t.Fatalf("%v; heard %q", err, heard)
			}
			raw, err := base64.StdEncoding.DecodeString(heard[0])
			want := "user=a=b,c@x.test\x01auth=Bearer token\x01\x01"
			if mech == "OAUTHBEARER" {
				want = "n,a=a=3Db=2Cc@x.test,\x01host=127.0.0.1\x01port=" + portOf(at) + "\x01auth=Bearer token\x01\x01"
			}
			if err != nil || string(raw) != want {
				t.Errorf("shown was %q, not %q", raw, want)
			}
		})
	}
}
