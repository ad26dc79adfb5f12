package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"restante/internal/config"
	"restante/internal/testdb"
	"restante/internal/testmail"
)

// configures runs restante config on a site's database, as beside a running serve; file is what stands in FILE, where
// one is wanted. "-" is apply from the standard input.
func (s *site) configures(verb, file string, args ...string) (out string, code int, err error) {
	s.t.Helper()
	for name, value := range map[string]string{"RESTANTE_DATABASE_URL": s.conf.DatabaseURL, "RESTANTE_KEY_FILE": s.conf.KeyFile, "RESTANTE_PUBLIC_URL": s.conf.PublicURL} {
		s.t.Setenv(name, value)
	}
	name := filepath.Join(s.t.TempDir(), "site.toml")
	if err := os.WriteFile(name, []byte(file), 0o600); err != nil {
		s.t.Fatal(err)
	}
	switch verb {
	case "export":
		args = append([]string{"config", verb, "-data", s.conf.Data}, args...)
	case "-":
		was := os.Stdin
		defer func() { os.Stdin = was }()
		if os.Stdin, err = os.Open(name); err != nil {
			s.t.Fatal(err)
		}
		defer os.Stdin.Close()
		args = append(append([]string{"config", "apply", "-data", s.conf.Data}, args...), "-")
	default:
		args = append(append([]string{"config", verb, "-data", s.conf.Data}, args...), name)
	}
	var stdout, stderr bytes.Buffer
	err = run(s.t.Context(), args, &stdout, &stderr)
	if err != nil {
		e := exitCode{code: 1}
		errors.As(err, &e)
		code = e.code
	}
	return stdout.String(), code, err
}

// TestThePagesAndTheDocumentNeverDisagree: what the pages change stands in the export, what is applied stands in the
// pages and holds, in a site that runs on.
func TestThePagesAndTheDocumentNeverDisagree(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		l := newLimited(t, testmail.Demo(t), db, nil)
		l.admin.get("/admin/domains/new").formAround("button[value=look]").set("domain", "example.test").press("action", "look").want(200)
		f := l.admin.formAround("button[value=save]")
		for id, at := range map[string]testmail.Address{"imap": l.mail.IMAP, "submission": l.mail.Submission} {
			f.set(id+"_host", at.Host).set(id+"_port", "1143").set(id+"_security", "plain")
		}
		f.set("login", "local").set("current", adminPassword).press("action", "save").want(200)
		l.sets("", "contacts", "77").want(200)
		l.sets("example.test", "contacts", "66").want(200)
		l.sets(l.user.Address, "recipients_per_mail", "2").want(200)
		text, _, err := l.configures("export", "")
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"[[domain]]\nname = \"example.test\"\nimap = \"imap+plain://127.0.0.1:1143\"\nsmtp = \"smtp+plain://127.0.0.1:1143\"\n", "login = \"local\"", "\n[limits]\ncontacts = 77\n",
			"\n[limits.domain.\"example.test\"]\ncontacts = 66\n", "\n[limits.person.\"" + l.user.Address + "\"]\nrecipients_per_mail = 2\n"} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not in\n%s", want, text)
			}
		}
		if out, code, err := l.configures("check", text); code != 0 || err != nil || !strings.Contains(out, "is as the file says") {
			t.Errorf("what was exported is another: %s %v", out, err)
		}

		other := strings.NewReplacer("contacts = 77", "contacts = 78", "login = \"local\"\n", "", "recipients_per_mail = 2", "recipients_per_mail = 3", ":1143", ":1144").Replace(text)
		out, code, err := l.configures("check", other)
		if code != 2 || err == nil {
			t.Errorf("check ended with %d, %v", code, err)
		}
		for _, want := range []string{"would change: limit contacts 77 → 78", "would change: the domain example.test: imap imap+plain://127.0.0.1:1143 → imap+plain://127.0.0.1:1144", "login local → none", l.user.Address + ": recipients_per_mail 2 → 3"} {
			if !strings.Contains(out, want) {
				t.Errorf("%q is not told in\n%s", want, out)
			}
		}
		l.writes(many(3)...).press("action", "send").want(422)
		if out, _, err := l.configures("apply", other); err != nil || !strings.Contains(out, "changed: limit contacts 77 → 78") {
			t.Fatalf("%s %v", out, err)
		}
		if err := l.house.reload(t.Context()); err != nil { // as each minute
			t.Fatal(err)
		}
		l.writes(many(3)...).press("action", "send").want(200)
		if got := l.admin.get("/admin/limits").form("form[class=limits]").values.Get("contacts"); got != "78" {
			t.Errorf("the page says %s", got)
		}
		l.admin.get("/admin/domains/example.test").want(200).says("main", "127.0.0.1 : 1144")
		l.admin.get("/admin/audit").want(200).says("tbody", "command line")
		l.admin.says("tbody", "contacts 77 → 78")
		if again, _, err := l.configures("export", ""); err != nil || again != other {
			t.Errorf("%v, applied\n%s\nexported\n%s", err, other, again)
		}
	})
}

// TestADocumentThatTakesADomainAway says so, and does it only when told to.
func TestADocumentThatTakesADomainAway(t *testing.T) {
	s := newSite(t, testmail.Demo(t), testdb.SQLite(t), nil)
	const domain = "[[domain]]\nname = \"example.test\"\nimap = \"imaps://imap.example.test\"\nsmtp = \"smtps://smtp.example.test\"\n"
	if _, _, err := s.configures("apply", domain); err != nil {
		t.Fatal(err)
	}
	out, code, err := s.configures("apply", "format = 1\n")
	if code != 3 || err == nil || !strings.Contains(out, "! would change: the domain example.test goes: its people cannot sign in any more") {
		t.Errorf("%d %s %v", code, out, err)
	}
	if text, _, _ := s.configures("export", ""); !strings.Contains(text, "example.test") {
		t.Error("it went all the same")
	}
	if _, _, err := s.configures("-", "format = 1\n", "-prune"); err != nil {
		t.Error(err)
	}
	if text, _, _ := s.configures("export", ""); strings.Contains(text, "example.test") {
		t.Error("it stayed")
	}
	if out, _, err := s.configures("apply", strings.Replace(domain, "imap.", "other.", 1)); err != nil || !strings.Contains(out, "passwords go elsewhere: its people are told") {
		t.Errorf("added again with another server: %s %v", out, err)
	}
}

// TestLookingBeginsNoSite: a folder that was mistyped is told of, and stays as it is.
func TestLookingBeginsNoSite(t *testing.T) {
	for _, name := range []string{"RESTANTE_DATABASE_URL", "RESTANTE_KEY_FILE", "RESTANTE_PUBLIC_URL"} {
		t.Setenv(name, "")
	}
	file, data := filepath.Join(t.TempDir(), "site.toml"), filepath.Join(t.TempDir(), "mistyped")
	if err := os.WriteFile(file, []byte("format = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"config", "export", "-data", data}, {"config", "check", "-data", data, file}, {"migrate", "-data", data, "status"}} {
		if err := run(t.Context(), args, new(bytes.Buffer), new(bytes.Buffer)); err == nil || !strings.Contains(err.Error(), data+": no site has begun there") {
			t.Errorf("%q: %v", args[1], err)
		}
	}
	if _, err := os.Stat(data); err == nil {
		t.Error("it was begun")
	}
}

// TestADocumentThatCannotBe changes nothing and says all that is wrong, by file and line.
func TestADocumentThatCannotBe(t *testing.T) {
	s := newSite(t, testmail.Demo(t), testdb.SQLite(t), func(c *config.Config) { c.PublicURL = "http://127.0.0.1" })
	for _, verb := range []string{"check", "apply"} {
		_, code, err := s.configures(verb, "public_url = \"https://a.example\"\n[limits]\ncontacts = 3\nmails_per_hour = 0\n")
		if code != 1 || err == nil || !strings.Contains(err.Error(), "site.toml:1: the configuration sets the address") || !strings.Contains(err.Error(), "site.toml:4: outside of what this limit may be") {
			t.Errorf("%s: %d %v", verb, code, err)
		}
	}
	if text, _, err := s.configures("export", ""); err != nil || strings.Contains(text, "contacts") || !strings.Contains(text, "# public_url = \"http://127.0.0.1\" # by the configuration") {
		t.Errorf("%v\n%s", err, text)
	}
	for _, wrong := range [][]string{nil, {"export", "x"}, {"check"}, {"apply", "a", "b"}, {"delete", "x"}} {
		if err := run(t.Context(), append([]string{"config"}, wrong...), new(bytes.Buffer), new(bytes.Buffer)); err == nil {
			t.Errorf("%q was taken", wrong)
		}
	}
}
