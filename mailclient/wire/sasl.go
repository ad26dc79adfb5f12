// Package wire is what the clients of mail servers have in common: dialling, TLS,
// the reasons why a server cannot be reached safely, and how a person signs in. It
// speaks no protocol. Start at Server, Classify and Mechanism.
package wire

import (
	"fmt"

	"github.com/emersion/go-sasl"
	"github.com/xdg-go/scram"
	"golang.org/x/text/unicode/norm"
)

// Mechanism is the client of a SASL mechanism: SCRAM-SHA-256, SCRAM-SHA-1, PLAIN or LOGIN. Passwords are normalised
// (RFC 8265).
func Mechanism(mech, user, pass string) (sasl.Client, error) {
	pass = norm.NFC.String(pass)
	switch mech {
	case "PLAIN":
		return sasl.NewPlainClient("", user, pass), nil
	case "LOGIN":
		return &loginClient{user: user, pass: pass}, nil
	}
	hash := scram.SHA256
	if mech == "SCRAM-SHA-1" {
		hash = scram.SHA1
	}
	c, err := hash.NewClient(user, pass, "")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", mech, err)
	}
	return &scramClient{conv: c.NewConversation(), name: mech}, nil
}

// loginClient answers the two questions of LOGIN in their order, whatever their words.
type loginClient struct {
	user, pass string
	asked      int
}

func (c *loginClient) Start() (string, []byte, error) { return "LOGIN", nil, nil }

func (c *loginClient) Next([]byte) ([]byte, error) {
	if c.asked++; c.asked == 1 {
		return []byte(c.user), nil
	}
	return []byte(c.pass), nil
}

type scramClient struct {
	conv *scram.ClientConversation
	name string
}

func (c *scramClient) Start() (string, []byte, error) {
	first, err := c.conv.Step("")
	return c.name, []byte(first), err
}

func (c *scramClient) Next(challenge []byte) ([]byte, error) {
	answer, err := c.conv.Step(string(challenge))
	return []byte(answer), err
}
