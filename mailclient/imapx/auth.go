package imapx

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/emersion/go-sasl"
	"golang.org/x/text/unicode/norm"

	"restante/mailclient/wire"
)

// signIn tries the mechanisms in order. Only a refusal of the mechanism itself leads to the next: each refused
// password counts toward a lockout (PROTOCOLS C6).
func (d *dialing) signIn() error {
	if strings.ContainsAny(d.o.Username+d.o.Password+d.o.Token, "\x00\r\n\x01") {
		return &SignInError{Host: d.o.Host, Code: "AUTHENTICATIONFAILED"}
	}
	if d.caps == nil {
		if err := d.capability(); err != nil {
			return err
		}
	}
	d.within(authTime)
	caps := d.caps
	if d.o.Token != "" {
		return d.showToken(caps)
	}
	var last Response
	for _, mech := range []string{"SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN"} {
		if !caps["AUTH="+mech] {
			continue
		}
		d.caps = nil
		c, err := wire.Mechanism(mech, d.o.Username, d.o.Password)
		if err != nil {
			return err
		}
		r, err := d.authenticate(mech, c, caps["SASL-IR"])
		if err != nil {
			return err
		}
		if r.Type == "OK" {
			return nil
		}
		if last = r; !mechanismRefused(r) {
			return d.refused(r)
		}
	}
	if caps["LOGINDISABLED"] {
		if last.Type != "" {
			return d.refused(last)
		}
		return d.fail(NoTLS, "the server takes no password on this connection")
	}
	d.caps = nil
	r, err := d.login(caps)
	if err != nil {
		return err
	}
	if r.Type != "OK" {
		return d.refused(r)
	}
	return nil
}

func mechanismRefused(r Response) bool {
	text := strings.ToLower(r.Text)
	return r.Type == "BAD" || r.Code == "CANNOT" || r.Code == "" && (strings.Contains(text, "unsupported") || strings.Contains(text, "not enabled") || strings.Contains(text, "mechanism"))
}

func (d *dialing) refused(r Response) error {
	text := strings.ToLower(r.Text)
	e := &SignInError{Host: d.o.Host, Code: r.Code, Text: strings.ToValidUTF8(r.Text, "\uFFFD")}
	switch r.Code {
	case "UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG", "SYS/TEMP", "THROTTLED":
		e.Temporary = true
	case "":
		e.Temporary = strings.Contains(text, "temporar") || strings.Contains(text, "try again") || strings.Contains(text, "too many simultaneous")
	}
	return e
}

// showToken signs in with an access token, by one mechanism alone: a second try with the same token would be refused too.
func (d *dialing) showToken(caps map[string]bool) error {
	mech := wire.BearerMechanism(func(m string) bool { return caps["AUTH="+m] })
	if mech == "" {
		return &SignInError{Host: d.o.Host, Code: "CANNOT", Text: wire.BearerError}
	}
	d.caps = nil
	b := wire.NewBearer(mech, d.o.Username, d.o.Token, d.o.Host, d.o.Port)
	r, err := d.authenticate(mech, b, caps["SASL-IR"])
	if err != nil || r.Type == "OK" {
		return err
	}
	r.Text = b.Refusal(r.Text)
	return d.refused(r)
}

func (d *dialing) authenticate(mech string, c sasl.Client, initial bool) (Response, error) {
	_, ir, err := c.Start()
	if err != nil {
		return Response{}, err
	}
	line := "AUTHENTICATE " + mech
	pending := ir != nil
	if initial && pending && len(ir) < 3000 {
		line += " " + encode(ir)
		pending = false
	}
	return d.command(line, func(text string) (string, error) {
		if pending {
			pending = false
			return encode(ir), nil
		}
		challenge, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
		if err != nil {
			return "", err
		}
		answer, err := c.Next(challenge)
		if err != nil {
			return "", err
		}
		return base64.StdEncoding.EncodeToString(answer), nil
	})
}

func encode(ir []byte) string {
	if len(ir) == 0 {
		return "="
	}
	return base64.StdEncoding.EncodeToString(ir)
}

// login sends the LOGIN command (C9).
func (d *dialing) login(caps map[string]bool) (Response, error) {
	words := []string{d.o.Username, norm.NFC.String(d.o.Password)}
	if printable(words[0]) && printable(words[1]) {
		return d.command("LOGIN "+quote(words[0])+" "+quote(words[1]), nil)
	}
	if caps["LITERAL+"] {
		return d.command(fmt.Sprintf("LOGIN {%d+}\r\n%s {%d+}\r\n%s", len(words[0]), words[0], len(words[1]), words[1]), nil)
	}
	step := 0
	return d.command(fmt.Sprintf("LOGIN {%d}", len(words[0])), func(string) (string, error) {
		if step++; step == 1 {
			return fmt.Sprintf("%s {%d}", words[0], len(words[1])), nil
		}
		return words[1], nil
	})
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
