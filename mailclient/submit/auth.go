package submit

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/emersion/go-sasl"

	"restante/mailclient/wire"
)

// mechanisms are those that a password signs in by, the strongest first.
var mechanisms = []string{"SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN"}

// byPassword signs in by the strongest mechanism that is offered. Only a refusal of the mechanism itself leads to the next,
// over a new connection (T1): each refused password counts toward a lockout.
func (s *try) byPassword(ctx context.Context) (Outcome, bool) {
	none := Outcome{Kind: Config, Phase: "auth", Text: "the server offers no way to sign in that is understood here"}
	fresh := true
	for _, mech := range mechanisms {
		if !fresh {
			s.close()
			if err := s.connect(ctx); err != nil {
				return connectOutcome(err), false
			}
			fresh = true
		}
		if !s.offers(mech) {
			continue
		}
		s.phase, fresh = "auth", false
		m, err := wire.Mechanism(mech, s.o.Credentials.Username, s.o.Credentials.Password)
		if err != nil {
			return Outcome{Kind: SignIn, Phase: "auth", Text: err.Error()}, false
		}
		c := &listening{Client: m}
		if err = s.c.Auth(c); err == nil {
			return Outcome{}, true
		}
		out := s.authOutcome(err)
		switch {
		case c.err != nil && strings.HasPrefix(c.err.Error(), "server error"): // RFC 5802 7: it says that the proof is wrong
			out.Kind = SignIn
			return out, false
		case c.err != nil && strings.HasPrefix(c.err.Error(), "server validation"): // it does not know the password itself
			out.Kind = Config
			return out, false
		case c.err == nil && !mechanismRefused(out):
			return out, false
		}
		none.Text = out.Text
	}
	return none, false
}

// listening notes why a mechanism does not go on.
type listening struct {
	sasl.Client
	err error
}

func (l *listening) Next(challenge []byte) (answer []byte, err error) {
	answer, l.err = l.Client.Next(challenge)
	return answer, l.err
}

// mechanismRefused says whether a refusal of AUTH is one of the mechanism alone (T13). Postfix says so with the code of a
// wrong password.
func mechanismRefused(out Outcome) bool {
	text := strings.ToLower(out.Text)
	return slices.Contains([]int{500, 502, 503, 504}, out.Code) || out.Code == 535 && strings.Contains(text, "mechanism")
}

// refusedToken is an outcome of a sign-in, as an error.
type refusedToken struct{ Outcome }

func (refusedToken) Error() string { return "the sign-in is refused" }

// openByToken is open with an access token, over a new connection for each (T1).
func (s *try) openByToken(ctx context.Context) (Outcome, bool) {
	err := wire.WithToken(ctx, s.o.Credentials.Tokens, func(token string) error {
		s.close()
		if err := s.connect(ctx); err != nil {
			return refusedToken{connectOutcome(err)}
		}
		mech := wire.BearerMechanism(s.offers)
		if mech == "" {
			return refusedToken{Outcome{Kind: Config, Phase: "auth", Text: wire.BearerError}}
		}
		s.phase = "auth"
		b := wire.NewBearer(mech, s.o.Credentials.Username, token, s.o.Server.Host, s.o.Server.Port)
		if err := s.c.Auth(b); err != nil {
			out := s.authOutcome(err)
			out.Text = b.Refusal(out.Text)
			return refusedToken{out}
		}
		return nil
	}, func(err error) bool {
		var no refusedToken
		return errors.As(err, &no) && no.Kind == SignIn && !SwitchedOff(no.Text)
	})
	var no refusedToken
	if errors.As(err, &no) {
		return no.Outcome, false
	}
	if err != nil {
		return tokenOutcome(err), false
	}
	return Outcome{}, true
}

// offers says whether a mechanism is offered, in the old form "AUTH=LOGIN PLAIN" too (T3).
func (s *try) offers(mech string) bool {
	if s.c.SupportsAuth(mech) {
		return true
	}
	for _, first := range []string{"PLAIN", "LOGIN"} {
		if ok, more := s.c.Extension("AUTH=" + first); ok && slices.Contains(append(strings.Fields(strings.ToUpper(more)), first), mech) {
			return true
		}
	}
	return false
}
