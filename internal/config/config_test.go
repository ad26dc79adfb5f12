package config_test

import (
	"os"
	"path/filepath"
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

// TestLimitsThatAreSetAreNumbersAboveNone; those that are not are left to the pages.
func TestLimitsThatAreSetAreNumbersAboveNone(t *testing.T) {
	if c, err := config.Load("", env("RESTANTE_MAILS_PER_HOUR=7")); err != nil || c.MailsPerHour != 7 || c.RecipientsPerDay != 0 || c.UploadMB != 0 {
		t.Errorf("%+v, %v", c, err)
	}
	for _, bad := range []string{"0", "-1", "many", "1.5"} {
		for _, name := range []string{"UPLOAD_MB", "MAILS_PER_HOUR", "RECIPIENTS_PER_DAY"} {
			if _, err := config.Load("", env("RESTANTE_"+name+"="+bad)); err == nil {
				t.Errorf("%s=%s is taken", name, bad)
			}
		}
	}
	file := filepath.Join(t.TempDir(), "restante.toml")
	if err := os.WriteFile(file, []byte("upload_mb = 0\nmails_per_hour = 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := config.Load(file, env()); err == nil || !strings.Contains(err.Error(), "upload_mb: 0 is none") || c.MailsPerHour != 3 {
		t.Errorf("%+v, %v", c, err)
	}
}
