package imapx

import (
	"encoding/base64"
	"fmt"
	"strings"

	"restante/mailclient/wire"

	"golang.org/x/text/unicode/norm"
)

// signIn tries the mechanisms in order. Only a refusal of the mechanism itself leads to the next: each refused
// password counts toward a lockout (PROTOCOLS C6).
func (d *dialing) signIn() error {
	if strings.ContainsAny(d.o.Username+d.o.Password, "\x00\r\n") {
		return &SignInError{Host: d.o.Host, Code: "AUTHENTICATIONFAILED"}
	}
	if d.caps == nil {
		if err := d.capability(); err != nil {
			return err
		}
	}
	d.within(authTime)
	caps := d.caps
	var last Response
	for _, mech := range []string{"SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN"} {
		if !caps["AUTH="+mech] {
			continue
		}
		d.caps = nil
		r, err := d.authenticate(mech, caps["SASL-IR"])
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

func (d *dialing) authenticate(mech string, initial bool) (Response, error) {
	c, err := wire.Mechanism(mech, d.o.Username, d.o.Password)
	if err != nil {
		return Response{}, err
	}
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
