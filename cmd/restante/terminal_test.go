package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"restante/internal/store"
	"restante/mailclient/discover"
)

// TestNothingForeignCommandsTheTerminal: not what a server greets with, what stands in a file, or what is kept.
func TestNothingForeignCommandsTheTerminal(t *testing.T) {
	const evil = "\x1b]0;owned\a\x9b31m\u009b\u202e"
	data := t.TempDir()
	for name, value := range map[string]string{"RESTANTE_DATA": data, "RESTANTE_DATABASE_URL": "", "RESTANTE_KEY_FILE": "", "LC_ALL": "C"} {
		t.Setenv(name, value)
	}
	shows := func(args ...string) string {
		t.Helper()
		var out bytes.Buffer
		if err := run(t.Context(), args, &out, &out); err != nil {
			tell(&out, err)
		}
		if at := strings.IndexFunc(out.String(), commands); at >= 0 || strings.Contains(out.String(), "\x9b3") {
			t.Errorf("%s writes %q", args, out.String())
		}
		return out.String()
	}
	file := filepath.Join(data, "site.toml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("format = 1\n")
	shows("config", "apply", file)

	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for c, err := ln.Accept(); err == nil; c, err = ln.Accept() {
			_, _ = io.WriteString(c, "* BYE "+evil+" go away\r\n")
			_ = c.Close()
		}
	}()
	d := discover.Domain{Name: "evil.test", Login: "%EMAILLOCALPART%" + evil, Authserv: evil}
	d.IMAP = discover.Place{Host: "127.0.0.1", Port: ln.Addr().(*net.TCPAddr).Port, Security: "plain"}
	d.Submission = d.IMAP
	s, err := store.Open(context.Background(), "", data)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SaveDomain(t.Context(), store.Domain{Name: d.Name, Settings: d.Encode()}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if out := shows("doctor"); !strings.Contains(out, `\u009b\u202e go away`) {
		t.Errorf("the server's words are not shown:\n%s", out)
	}
	shows("doctor", "-json")
	exported := shows("config", "export")
	write(exported)
	if out := shows("config", "check", file); !strings.Contains(out, "is as the file says") {
		t.Errorf("what was exported is another: %s", out)
	}
	write("format = 1\n")
	if out := shows("config", "check", file); !strings.Contains(out, "evil.test goes") {
		t.Error(out)
	}
	shows("config", "apply", "-prune", file)
	write(exported)
	if out := shows("config", "apply", file); !strings.Contains(out, `\u001b`) {
		t.Errorf("the change is not shown: %s", out)
	}
	write("\x1b[2Jwhat = [\n")
	shows("config", "check", file)
	shows("admin", "reset", evil)
	shows(evil)
}
