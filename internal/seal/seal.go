// Package seal closes and opens secrets: XChaCha20-Poly1305 under keys derived
// from the server key, and for session secrets from the session token as well.
// Bytes in, bytes out; it knows no tables. Start at Ring.
package seal

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"
)

const version = 1

// ErrOpen means that a sealed value does not belong to this key, row or token.
var ErrOpen = errors.New("sealed value cannot be opened")

// Ring holds the server keys: the newest seals, all open.
type Ring struct {
	keys [][]byte // newest last; key id = index+1
}

// LoadOrCreate reads the key file (one hex key of 32 bytes a line), or makes it with mode 0600.
// made says that it is new, so that the person can be told to keep it apart from backups.
func LoadOrCreate(path string) (r *Ring, made bool, err error) {
	r, err = Load(path)
	if errors.Is(err, os.ErrNotExist) {
		return create(path)
	}
	return r, false, err
}

// Load reads the key file.
func Load(path string) (*Ring, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if st, err := os.Stat(path); err == nil && st.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("key file %s may be read by others: chmod 600 it", path)
	}
	r := &Ring{}
	for _, line := range strings.Fields(string(raw)) {
		key, err := hex.DecodeString(line)
		if err != nil || len(key) != 32 {
			return nil, fmt.Errorf("key file %s: a line is not 64 hex digits", path)
		}
		r.keys = append(r.keys, key)
	}
	if len(r.keys) == 0 || len(r.keys) > 255 {
		return nil, fmt.Errorf("key file %s holds no usable key", path)
	}
	return r, nil
}

func create(path string) (*Ring, bool, error) {
	r := NewRing()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, false, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) { // another process was first
		return LoadOrCreate(path)
	}
	if err != nil {
		return nil, false, err
	}
	_, err = f.WriteString(hex.EncodeToString(r.keys[0]) + "\n")
	return r, true, errors.Join(err, f.Sync(), f.Close())
}

// NewRing makes a ring with one fresh key, kept nowhere.
func NewRing() *Ring {
	key := make([]byte, 32)
	rand.Read(key)
	return &Ring{keys: [][]byte{key}}
}

// Seal closes secret for purpose ("job-cred/1"). where names the row it belongs to
// (table, column, row, user): it opens nowhere else.
func (r *Ring) Seal(purpose, where string, secret []byte) []byte {
	return r.seal(purpose, nil, where, secret)
}

// Open opens what Seal closed, or gives ErrOpen.
func (r *Ring) Open(purpose, where string, sealed []byte) ([]byte, error) {
	return r.open(purpose, nil, where, sealed)
}

// SealSession closes secret under the server key and a session token: either alone opens nothing.
func (r *Ring) SealSession(token, where string, secret []byte) []byte {
	return r.seal("session-cred/1", []byte(token), where, secret)
}

// OpenSession opens what SealSession closed, or gives ErrOpen.
func (r *Ring) OpenSession(token, where string, sealed []byte) ([]byte, error) {
	return r.open("session-cred/1", []byte(token), where, sealed)
}

// MAC signs data for purpose, for URLs that only we may make. 32 bytes.
func (r *Ring) MAC(purpose string, data ...string) []byte {
	m := hmac.New(sha256.New, r.subkey(len(r.keys)-1, purpose, nil, nil))
	for _, d := range data {
		fmt.Fprintf(m, "%d:%s", len(d), d)
	}
	return m.Sum(nil)
}

// layout: version ‖ key id ‖ salt(16) ‖ nonce(24) ‖ ciphertext
func (r *Ring) seal(purpose string, token []byte, where string, secret []byte) []byte {
	id := len(r.keys) - 1
	head := make([]byte, 2+16+chacha20poly1305.NonceSizeX)
	rand.Read(head[2:])
	head[0], head[1] = version, byte(id+1)
	aead, err := chacha20poly1305.NewX(r.subkey(id, purpose, token, head[2:18]))
	if err != nil {
		panic(err) // the key has 32 bytes
	}
	return aead.Seal(head, head[18:], secret, []byte(where))
}

func (r *Ring) open(purpose string, token []byte, where string, sealed []byte) ([]byte, error) {
	const head = 2 + 16 + chacha20poly1305.NonceSizeX
	if len(sealed) < head || sealed[0] != version {
		return nil, ErrOpen
	}
	id := int(sealed[1]) - 1
	if id < 0 || id >= len(r.keys) {
		return nil, fmt.Errorf("%w: it needs key %d", ErrOpen, id+1)
	}
	aead, err := chacha20poly1305.NewX(r.subkey(id, purpose, token, sealed[2:18]))
	if err != nil {
		return nil, err
	}
	secret, err := aead.Open(nil, sealed[18:head], sealed[head:], []byte(where))
	if err != nil {
		return nil, ErrOpen
	}
	return secret, nil
}

func (r *Ring) subkey(id int, purpose string, token, salt []byte) []byte {
	master := append(append([]byte{}, r.keys[id]...), token...)
	key, err := hkdf.Key(sha256.New, master, salt, purpose, 32)
	if err != nil {
		panic(err) // 32 bytes are always within HKDF's bound
	}
	return key
}

// Secret is a string that never prints itself.
type Secret string

// String hides the secret from fmt and slog.
func (Secret) String() string { return "[sealed]" }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return "[sealed]" }

// MarshalText hides the secret from JSON and slog.
func (Secret) MarshalText() ([]byte, error) { return []byte("[sealed]"), nil }
