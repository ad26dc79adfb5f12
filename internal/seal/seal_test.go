package seal

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSealedValueOpensOnlyWhereItBelongs(t *testing.T) {
	r := NewRing()
	sealed := r.Seal("job-cred/1", "outbox/cred/7/1", []byte("hunter2"))
	if got, err := r.Open("job-cred/1", "outbox/cred/7/1", sealed); err != nil || string(got) != "hunter2" {
		t.Fatalf("Open = %q, %v", got, err)
	}
	flipped := append([]byte{}, sealed...)
	flipped[len(flipped)-1] ^= 1
	for name, open := range map[string]func() ([]byte, error){
		"another row":     func() ([]byte, error) { return r.Open("job-cred/1", "outbox/cred/8/1", sealed) },
		"another purpose": func() ([]byte, error) { return r.Open("totp/1", "outbox/cred/7/1", sealed) },
		"another key":     func() ([]byte, error) { return NewRing().Open("job-cred/1", "outbox/cred/7/1", sealed) },
		"as a session":    func() ([]byte, error) { return r.OpenSession("token", "outbox/cred/7/1", sealed) },
		"a changed byte":  func() ([]byte, error) { return r.Open("job-cred/1", "outbox/cred/7/1", flipped) },
		"a short value":   func() ([]byte, error) { return r.Open("job-cred/1", "x", []byte{1, 1, 2}) },
	} {
		if _, err := open(); !errors.Is(err, ErrOpen) {
			t.Errorf("%s: err = %v, want ErrOpen", name, err)
		}
	}
}

func TestSessionSecretNeedsTokenAndServerKey(t *testing.T) {
	r := NewRing()
	sealed := r.SealSession("tok", "sessions/cred/1", []byte("pw"))
	if got, err := r.OpenSession("tok", "sessions/cred/1", sealed); err != nil || string(got) != "pw" {
		t.Fatalf("OpenSession = %q, %v", got, err)
	}
	if _, err := r.OpenSession("other", "sessions/cred/1", sealed); !errors.Is(err, ErrOpen) {
		t.Errorf("another token opened it: %v", err)
	}
	if _, err := NewRing().OpenSession("tok", "sessions/cred/1", sealed); !errors.Is(err, ErrOpen) {
		t.Errorf("another server key opened it: %v", err)
	}
}

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "k", "restante.key")
	r, made, err := LoadOrCreate(path)
	if err != nil || !made {
		t.Fatalf("first LoadOrCreate: made=%v err=%v", made, err)
	}
	sealed := r.Seal("p", "w", []byte("s"))
	again, made, err := LoadOrCreate(path)
	if err != nil || made {
		t.Fatalf("second LoadOrCreate: made=%v err=%v", made, err)
	}
	if got, err := again.Open("p", "w", sealed); err != nil || string(got) != "s" {
		t.Errorf("after a restart: %q, %v", got, err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := LoadOrCreate(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key that others may read: %v", err)
	}
}

func TestSecretNeverPrints(t *testing.T) {
	s := Secret("hunter2")
	js, _ := json.Marshal(struct{ P Secret }{s})
	if out := fmt.Sprintf("%s %v %+v %#v %q ", s, s, s, s, s) + string(js); strings.Contains(out, "hunter2") {
		t.Errorf("printed: %s", out)
	}
}

func FuzzOpen(f *testing.F) {
	r := NewRing()
	f.Add(r.Seal("p", "w", []byte("x")))
	f.Fuzz(func(t *testing.T, b []byte) { _, _ = r.Open("p", "w", b) })
}
