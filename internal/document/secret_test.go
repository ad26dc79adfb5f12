package document

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"restante/internal/seal"
)

// TestSecretsStandInADocumentByReference alone, and what is kept changes only with the secret.
func TestSecretsStandInADocumentByReference(t *testing.T) {
	ring := seal.NewRing()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("six ships\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := Secrets{Ring: func() (*seal.Ring, error) { return ring, nil }, Getenv: func(name string) string {
		return map[string]string{"SHIPS": "six ships", "OTHER": "seven"}[name]
	}}
	p := purpose{"test/1", "domains/secret"}
	kept := func(ref, old string) string {
		t.Helper()
		v, err := s.kept(ref, old, p, "a.example")
		if err != nil || strings.Contains(v, "ships") {
			t.Fatalf("%s: %q, %v", ref, v, err)
		}
		return v
	}
	first := kept("env:SHIPS", "")
	for _, same := range []string{"env:SHIPS", "file:" + file, sealed + first} {
		if v := kept(same, first); v != first {
			t.Errorf("%s sealed it anew", same)
		}
	}
	if kept("env:OTHER", first) == first {
		t.Error("another secret is not kept")
	}
	for _, bad := range []string{"six ships", "", "env:NOTHING", "file:" + file + ".not", "sealed:", "sealed:AAAA", "SEALED:" + first} {
		if v, err := s.kept(bad, first, p, "a.example"); err == nil {
			t.Errorf("%q was taken as %q", bad, v)
		}
	}
	if _, err := s.kept(sealed+first, "", p, "b.example"); err == nil {
		t.Error("the secret of one domain is taken for another's")
	}
}
