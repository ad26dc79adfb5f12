package main

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// adminCommand runs restante admin with a line on the standard input.
func adminCommand(t *testing.T, data, line string, args ...string) (string, error) {
	t.Helper()
	in := filepath.Join(t.TempDir(), "in")
	if err := os.WriteFile(in, []byte(line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(in)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	was := os.Stdin
	os.Stdin = f
	defer func() { os.Stdin = was }()
	var out, errs bytes.Buffer
	err = run(t.Context(), append([]string{"admin", "-data", data}, args...), &out, &errs)
	return out.String(), err
}

func TestAdminsAreMadeFromTheCommandLine(t *testing.T) {
	data := t.TempDir() + "/data"
	out, err := adminCommand(t, data, "", "setup-link")
	if err != nil || !strings.Contains(out, "http://localhost:8080/setup/") {
		t.Fatalf("a link: %v %s", err, out)
	}
	raw, err := os.ReadFile(filepath.Join(data, linkFile))
	if err != nil || !strings.Contains(out, strings.TrimSpace(string(raw))) {
		t.Errorf("the file of the link: %v %s", err, raw)
	}
	for _, weak := range []string{"short", "password1234", "aaaaaaaaaaaaaaaa"} {
		if _, err := adminCommand(t, data, weak, "create", "owner"); err == nil {
			t.Errorf("the password %q was taken", weak)
		}
	}
	if _, err := adminCommand(t, data, adminPassword, "create", "owner"); err != nil {
		t.Fatal(err)
	}
	if _, err := adminCommand(t, data, adminPassword, "create", "Owner"); err == nil {
		t.Error("a second admin of the same name")
	}
	if _, err := adminCommand(t, data, "", "setup-link"); err == nil {
		t.Error("a set-up link, though there is an admin")
	}
	if _, err := adminCommand(t, data, adminPassword, "reset", "nobody"); err == nil {
		t.Error("nobody was reset")
	}
	if out, err := adminCommand(t, data, "six ships on a wide sea", "reset", "owner"); err != nil || !strings.Contains(out, "signed out everywhere") {
		t.Errorf("a reset: %v %s", err, out)
	}
	for _, wrong := range [][]string{nil, {"create"}, {"setup-link", "x"}, {"delete", "owner"}} {
		if _, err := adminCommand(t, data, "", wrong...); err == nil {
			t.Errorf("%q was taken", wrong)
		}
	}
}

// TestTheHelpOfAdminNamesWhatItCan: flags alone help nobody who wants to be let in again.
func TestTheHelpOfAdminNamesWhatItCan(t *testing.T) {
	var out, errs bytes.Buffer
	if err := run(t.Context(), []string{"admin", "-h"}, &out, &errs); !errors.Is(err, flag.ErrHelp) {
		t.Error(err)
	}
	for _, want := range []string{"setup-link", "create NAME", "reset NAME", "-data"} {
		if !strings.Contains(errs.String(), want) {
			t.Errorf("it says nothing of %q", want)
		}
	}
}
