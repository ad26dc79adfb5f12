package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"restante/internal/store"
	"restante/internal/testdb"
	"restante/internal/testmail"
	"restante/internal/testoidc"
	"restante/mailclient/checkup"
)

// asksDoctor runs the doctor with an environment.
func asksDoctor(t *testing.T, env map[string]string, args ...string) (string, error) {
	t.Helper()
	return asksDoctorIn(t, "C", env, args...)
}

// asksDoctorIn is asksDoctor on a terminal of a language.
func asksDoctorIn(t *testing.T, lang string, env map[string]string, args ...string) (string, error) {
	t.Helper()
	for name, value := range env {
		t.Setenv("RESTANTE_"+name, value)
	}
	data := t.TempDir() + "/data"
	t.Setenv("RESTANTE_DATA", data)
	defer func() {
		if _, err := os.Stat(data); err == nil {
			t.Error("to look made the data directory")
		}
	}()
	t.Setenv("LC_ALL", lang)
	var out, errs bytes.Buffer
	err := run(t.Context(), append([]string{"doctor"}, args...), &out, &errs)
	return out.String(), err
}

// diagnosis is what the doctor says as JSON.
type diagnosis struct {
	OK     bool    `json:"ok"`
	Checks []check `json:"checks"`
}

func diagnose(t *testing.T, env map[string]string) (diagnosis, error) {
	t.Helper()
	out, err := asksDoctor(t, env, "-json")
	var d diagnosis
	if e := json.Unmarshal([]byte(out), &d); e != nil {
		t.Fatalf("%v in %q", e, out)
	}
	return d, err
}

func (d diagnosis) of(t *testing.T, what string) check {
	t.Helper()
	for _, c := range d.Checks {
		if c.What == what {
			return c
		}
	}
	t.Fatalf("nothing about %q in %+v", what, d.Checks)
	return check{}
}

func domainEnv(srv *testmail.Server) map[string]string {
	host := func(a testmail.Address) string { return strings.Replace(a.String(), "127.0.0.1", "localhost", 1) }
	return map[string]string{
		"DOMAIN": srv.Domain, "CA_FILE": srv.CAFile, "DISCOVER": "on",
		"DOMAIN_IMAP": "imaps://" + host(srv.IMAPS), "DOMAIN_SMTP": "smtp://" + host(srv.Submission),
		"DOMAIN_POP3": "pop3s://" + host(srv.POP3S), "DOMAIN_SIEVE": "sieve://" + host(srv.Sieve),
	}
}

func TestTheDoctorFindsAGoodSetUpGood(t *testing.T) {
	env := domainEnv(testmail.Postfix(t, testmail.PostfixOptions{}))
	d, err := diagnose(t, env)
	if err != nil || !d.OK || len(d.Checks) < 15 {
		t.Fatalf("%v, %+v", err, d)
	}
	for _, service := range []string{"IMAP", "SMTP", "POP3", "ManageSieve"} {
		c := d.of(t, service+" server localhost: connection")
		if c.Step == nil || c.Step.Facts.Certificate == nil || len(c.Step.Facts.Certificate.Pin) != 64 || c.Result == checkup.Failed {
			t.Errorf("%+v", c)
		}
	}
	out, err := asksDoctor(t, env)
	if err != nil || !strings.Contains(out, "note  Database: It is not there yet: restante serve makes it.") || !strings.Contains(out, "IMAP localhost can what is needed: PLAIN, LOGIN") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestTheDoctorSaysWhatIsWrongAndWhatToDo(t *testing.T) {
	srv := testmail.Postfix(t, testmail.PostfixOptions{})
	env := domainEnv(srv)
	delete(env, "CA_FILE")
	env["DOMAIN_SMTP"] = "smtps://" + srv.Submission.String() // STARTTLS is spoken there
	env["DOMAIN_POP3"] = "pop3s://localhost:1"
	d, err := diagnose(t, env)
	if err == nil || d.OK {
		t.Fatalf("%+v", d)
	}
	for what, words := range map[string]string{
		"IMAP server localhost: connection": "Nobody vouches for its certificate", "SMTP server 127.0.0.1: connection": "Check port and encryption", "POP3 server localhost: connection": "Nobody answers",
	} {
		if c := d.of(t, what); c.Result != checkup.Failed || !strings.Contains(c.Words, words) {
			t.Errorf("%+v, want %q", c, words)
		}
	}
	if c := d.of(t, "IMAP server localhost: ways to sign in"); c.Result != checkup.LeftOut {
		t.Errorf("%+v", c)
	}
	out, err := asksDoctor(t, env)
	if err == nil || !strings.Contains(out, "FAIL  IMAP localhost answers safely: Nobody vouches") || !strings.Contains(out, "SHA-256 ") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestTheDoctorMakesNothing: not the key that is lost, and no newer schema.
func TestTheDoctorMakesNothing(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		data, key := t.TempDir(), filepath.Join(t.TempDir(), "key")
		for name, value := range map[string]string{"DATABASE_URL": db.URL, "DATA": data, "KEY_FILE": key} {
			t.Setenv("RESTANTE_"+name, value)
		}
		t.Setenv("LC_ALL", "C")
		looks := func(args ...string) string {
			var out bytes.Buffer
			_ = run(t.Context(), args, &out, new(bytes.Buffer)) // which is an error where something fails
			return out.String()
		}
		if out := looks("doctor"); !strings.Contains(out, "note  Database: It is not there yet") || !strings.Contains(out, "note  Key file") {
			t.Errorf("nothing has begun, and it says\n%s", out)
		}
		looks("migrate", "up")
		if out := looks("doctor"); !strings.Contains(out, "ok    Database\n") || !strings.Contains(out, "FAIL  Key file") || !strings.Contains(out, "take it from your backup") {
			t.Errorf("the key is lost, and it says\n%s", out)
		}
		if _, err := os.Stat(key); err == nil {
			t.Error("it made another key")
		}
		s, err := store.Look(t.Context(), db.URL, data)
		if err != nil {
			t.Fatal(err)
		}
		for _, query := range []string{`DROP TABLE domains_gone`, `DELETE FROM goose_db_version WHERE version_id >= 14`} {
			if _, err := s.DB().Exec(query); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if out := looks("doctor"); !strings.Contains(out, "note  Database: Its schema is of an older version") {
				t.Errorf("it is older, and it says\n%s", out)
			}
			if out := looks("migrate", "status"); !strings.Contains(out, "applied  00013_domain_changes.sql\nwaits    00014_domains_gone.sql") {
				t.Errorf("it is older, and the status is\n%s", out)
			}
		}
	})
}

func TestTheDoctorSaysWhatIsWrongWithTheConfiguration(t *testing.T) {
	d, err := diagnose(t, map[string]string{"LISTEN": "nowhere"})
	if err == nil || d.OK || len(d.Checks) != 1 || !strings.Contains(d.Checks[0].Words, "host:port") {
		t.Errorf("%v, %+v", err, d)
	}
}

func TestTheDoctorSpeaksTheLanguageOfTheTerminal(t *testing.T) {
	for lang, words := range map[string]string{"de_DE.UTF-8": "FAIL  Schlüsseldatei", "de_AT": "FAIL  Schlüsseldatei", "C": "FAIL  Key file", "POSIX": "FAIL  Key file", "fr_FR.UTF-8": "FAIL  Key file", "": "FAIL  Key file"} {
		key := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(key, []byte("no key\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv("LANG", "")
		t.Setenv("LC_MESSAGES", "")
		out, err := asksDoctorIn(t, lang, map[string]string{"KEY_FILE": key})
		if err == nil || !strings.Contains(out, words) || !strings.Contains(out, "64 hex digits") {
			t.Errorf("%s: %v\n%s", lang, err, out)
		}
	}
}

// TestTheDoctorAsksTheProvider that the environment names for a domain.
func TestTheDoctorAsksTheProvider(t *testing.T) {
	srv := testmail.Postfix(t, testmail.PostfixOptions{})
	env := domainEnv(srv)
	env["DOMAIN_OAUTH"], env["DOMAIN_OAUTH_CLIENT_ID"], env["DOMAIN_OAUTH_CLIENT_SECRET"], env["DOMAIN_OAUTH_ISSUER"] = "oidc", "client", "not to be told", testoidc.URL()
	host := strings.TrimPrefix(testoidc.URL(), "http://")
	d, err := diagnose(t, env)
	if c := d.of(t, "provider "+host); c.Result != checkup.OK {
		t.Errorf("%+v, %v", c, err)
	}
	env["DOMAIN_OAUTH_ISSUER"] += "/nowhere"
	if d, err = diagnose(t, env); err == nil || d.of(t, "provider "+host).Result != checkup.Failed {
		t.Errorf("%+v", d)
	}
	if out, _ := asksDoctor(t, env); strings.Contains(out, "not to be told") {
		t.Error("the secret is told")
	}
}
