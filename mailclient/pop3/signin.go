package pop3

import (
	"crypto/md5" // #nosec G501 -- what APOP is
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"

	"github.com/emersion/go-sasl"

	"restante/mailclient/wire"
)

// enter signs in with an access token, or else with the password.
func (c *Client) enter(o Options, token, banner string) error {
	if token == "" {
		return c.signIn(o, banner)
	}
	if o.Security == "plain" && !wire.Private(c.conn.RemoteAddr()) {
		return &wire.ConnectError{Host: o.Host, Kind: wire.NoTLS, Text: "an unencrypted connection is allowed to private addresses only"}
	}
	mech := wire.BearerMechanism(func(m string) bool { return slices.Contains(c.caps["SASL"], m) })
	if mech == "" {
		return &RefusedError{Host: o.Host, Command: "AUTH", Code: "AUTH", Text: wire.BearerError}
	}
	b := wire.NewBearer(mech, o.Username, token, o.Host, o.Port)
	no, err := c.authenticate(mech, b)
	if no == nil {
		return err
	}
	no.Text = b.Refusal(no.Text)
	return no
}

// signIn tries SASL, APOP where it is wished, then USER and PASS (P2). Only a refusal of the mechanism itself leads to
// the next: each refused password counts.
func (c *Client) signIn(o Options, banner string) error {
	if strings.ContainsAny(o.Username+o.Password, "\r\n\x00") {
		return &RefusedError{Host: o.Host, Command: "PASS", Code: "AUTH"}
	}
	open := o.Security == "plain"
	if open && o.APOP {
		return c.apop(o, banner)
	}
	if open && !wire.Private(c.conn.RemoteAddr()) {
		return &wire.ConnectError{Host: o.Host, Kind: wire.NoTLS, Text: "an unencrypted connection is allowed to private addresses only"}
	}
	for _, mech := range []string{"SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN"} {
		if !slices.Contains(c.caps["SASL"], mech) {
			continue
		}
		m, err := wire.Mechanism(mech, o.Username, o.Password)
		if err != nil {
			return err
		}
		switch no, err := c.authenticate(mech, m); {
		case err != nil:
			return err
		case no == nil:
			return nil
		case !mechanismRefused(no):
			return no
		}
	}
	if _, err := c.simple("USER", "USER "+o.Username); err != nil {
		return err
	}
	_, err := c.simple("PASS", "PASS "+o.Password)
	return err
}

func mechanismRefused(no *RefusedError) bool {
	text := strings.ToLower(no.Text)
	return no.Code == "" && (strings.Contains(text, "unsupported") || strings.Contains(text, "not enabled") || strings.Contains(text, "not supported") ||
		strings.Contains(text, "mechanism") || strings.Contains(text, "unknown command") || strings.Contains(text, "invalid command"))
}

// maxSteps is how many questions a server may ask in one sign-in.
const maxSteps = 10

// authenticate is AUTH (RFC 5034). The first answer is held back until it is asked for: servers older than that know
// no other way.
func (c *Client) authenticate(mech string, m sasl.Client) (no *RefusedError, err error) {
	_, pending, err := m.Start()
	if err != nil {
		return nil, err
	}
	if err := c.send("AUTH " + mech); err != nil {
		return nil, err
	}
	for range maxSteps {
		line, err := c.line()
		if err != nil {
			return nil, err
		}
		if ok, text, is := status(line); is {
			if ok {
				return nil, nil
			}
			return c.refused("AUTH", text), nil
		}
		text, more := strings.CutPrefix(line, "+")
		if !more {
			return nil, &wire.ConnectError{Host: c.host, Kind: wire.WrongProtocol, Text: shown(line)}
		}
		out := pending
		if pending = nil; out == nil {
			challenge, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
			if err == nil {
				out, err = m.Next(challenge)
			}
			if err != nil { // not the server it should be, or not a server of this mechanism
				if err := c.send("*"); err != nil {
					return nil, err
				}
				continue
			}
		}
		if err := c.send(base64.StdEncoding.EncodeToString(out)); err != nil {
			return nil, err
		}
	}
	return nil, &wire.ConnectError{Host: c.host, Kind: wire.WrongProtocol, Text: "the sign-in does not end"}
}

var timestamp = regexp.MustCompile(`<[^<>\s]{1,500}>`)

func (c *Client) apop(o Options, banner string) error {
	stamp := timestamp.FindString(banner)
	if stamp == "" {
		return &wire.ConnectError{Host: o.Host, Kind: wire.NoTLS, Text: "the server offers no sign-in that hides the password"}
	}
	sum := md5.Sum([]byte(stamp + o.Password)) // #nosec G401 -- RFC 1939 7
	_, err := c.simple("APOP", "APOP "+o.Username+" "+hex.EncodeToString(sum[:]))
	return err
}

// Reason is why a server refused, as far as it says (P3).
type Reason string

// The reasons.
const (
	InUse     Reason = "in-use"    // another program reads the mailbox
	Delay     Reason = "delay"     // too soon after the last session
	Temporary Reason = "temporary" // trouble that passes
	Permanent Reason = "permanent" // trouble that does not
	Password  Reason = "password"  // surely the password
	Unclear   Reason = "unclear"   // of a sign-in: probably the password; once may be a hiccup
	Refused   Reason = "refused"   // of another command
)

// Reason says why, by the code or else by the words.
func (e *RefusedError) Reason() Reason {
	switch e.Code {
	case "IN-USE":
		return InUse
	case "LOGIN-DELAY":
		return Delay
	case "SYS/TEMP":
		return Temporary
	case "SYS/PERM":
		return Permanent
	case "AUTH":
		return Password
	}
	text := strings.ToLower(e.Text)
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
	}
	switch {
	case !slices.Contains([]string{"USER", "PASS", "APOP", "AUTH"}, e.Command):
		return Refused
	case has("lock", "in use", "busy", "already"):
		return InUse
	case has("wait", "delay", "frequent", "too many", "later"):
		return Delay
	}
	return Unclear
}
