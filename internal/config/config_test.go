package config_test

import (
	"strings"
	"testing"

	"restante/internal/config"
)

// env is an environment of a few words, beside a domain that is set up.
func env(more ...string) func(string) string {
	vars := map[string]string{"RESTANTE_DOMAIN": "example.test", "RESTANTE_DOMAIN_IMAP": "imaps://imap.example.test", "RESTANTE_DOMAIN_SMTP": "smtp://smtp.example.test"}
	for _, m := range more {
		name, value, _ := strings.Cut(m, "=")
		vars[name] = value
	}
	return func(name string) string { return vars[name] }
}

func TestServersAreLookedForOnlyWhereThatIsAllowed(t *testing.T) {
	for value, want := range map[string]string{"": "off", "off": "off", "on": "on", "ispdb": "ispdb"} {
		if c, err := config.Load("", env("RESTANTE_DISCOVER="+value)); err != nil || c.Discover != want {
			t.Errorf("%q: %q, %v", value, c.Discover, err)
		}
	}
	if _, err := config.Load("", env("RESTANTE_DISCOVER=yes")); err == nil || !strings.Contains(err.Error(), "off, on or ispdb") {
		t.Error(err)
	}
}

func TestEveryServerOfADomainIsRead(t *testing.T) {
	if _, err := config.Load("", env("RESTANTE_DOMAIN_POP3=pop3s://pop.example.test", "RESTANTE_DOMAIN_SIEVE=sieve://imap.example.test")); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"RESTANTE_DOMAIN_POP3=imaps://pop.example.test", "RESTANTE_DOMAIN_SIEVE=sieve:4190"} {
		if _, err := config.Load("", env(bad)); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
	if s, err := config.ParseServer("sieve://imap.example.test", "sieve"); err != nil || s.Port != 4190 || s.Security != "starttls" {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := config.Load("", func(name string) string {
		return map[string]string{"RESTANTE_DOMAIN_POP3": "pop3s://pop.example.test"}[name]
	}); err == nil {
		t.Error("a POP3 server without a domain is taken")
	}
}

func TestAProviderOfADomainIsWhole(t *testing.T) {
	const id = "RESTANTE_DOMAIN_OAUTH_CLIENT_ID=client"
	for _, good := range [][]string{
		{"RESTANTE_DOMAIN_OAUTH=google", id}, {"RESTANTE_DOMAIN_OAUTH=microsoft", id, "RESTANTE_DOMAIN_OAUTH_TENANT=example.test"},
		{"RESTANTE_DOMAIN_OAUTH=oidc", id, "RESTANTE_DOMAIN_OAUTH_ISSUER=https://id.example.test"},
	} {
		if _, err := config.Load("", env(good...)); err != nil {
			t.Errorf("%v: %v", good, err)
		}
	}
	for _, bad := range [][]string{{"RESTANTE_DOMAIN_OAUTH=google"}, {"RESTANTE_DOMAIN_OAUTH=oidc", id}, {"RESTANTE_DOMAIN_OAUTH=yahoo", id}, {id}} {
		if _, err := config.Load("", env(bad...)); err == nil || !strings.Contains(err.Error(), "example.test") {
			t.Errorf("%v: %v", bad, err)
		}
	}
}
