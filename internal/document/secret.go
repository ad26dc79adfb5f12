package document

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"restante/internal/seal"
)

// Secrets opens references. A document says of a secret where it is, never what it is:
//
//	"env:NAME"       the environment of whoever applies it
//	"file:/path"     a file there, up to a line's end
//	"sealed:BASE64"  what this site has kept: only its key opens it
type Secrets struct {
	Ring   func() (*seal.Ring, error)
	Getenv func(string) string
}

// purpose is what a secret is sealed for, and in which table and column it is kept; with the name of its domain behind
// it, that is where it opens.
type purpose struct{ purpose, where string }

const (
	sealed    = "sealed:"
	maxSecret = 4096
)

// kept gives what is to be kept of a secret, in base64: what is kept already if that is the same secret, so that
// nothing changes where nothing is new.
func (s Secrets) kept(ref, old string, p purpose, domain string) (string, error) {
	ring, err := s.Ring()
	if err != nil {
		return "", err
	}
	open := func(raw string) ([]byte, error) {
		b, err := base64.StdEncoding.DecodeString(raw)
		if err != nil {
			return nil, err
		}
		return ring.Open(p.purpose, p.where+"/"+domain, b)
	}
	if raw, ok := strings.CutPrefix(ref, sealed); ok {
		if _, err := open(raw); err != nil {
			return "", errors.New("the key of this site does not open this secret: give it as env:NAME or file:/path")
		}
		return raw, nil
	}
	secret, err := s.found(ref)
	if err != nil {
		return "", err
	}
	if was, err := open(old); err == nil && bytes.Equal(was, secret) {
		return old, nil
	}
	return base64.StdEncoding.EncodeToString(ring.Seal(p.purpose, p.where+"/"+domain, secret)), nil
}

func (s Secrets) found(ref string) ([]byte, error) {
	kind, at, _ := strings.Cut(ref, ":")
	var secret string
	switch kind {
	case "env":
		secret = s.Getenv(at)
	case "file":
		f, err := os.Open(at)
		if err != nil {
			return nil, err
		}
		raw, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		secret = strings.TrimRight(string(raw), "\r\n")
	default:
		return nil, errors.New("a secret never stands in the document: it is given as env:NAME, file:/path or sealed:…")
	}
	if secret == "" || len(secret) > maxSecret {
		return nil, fmt.Errorf("%s holds no secret", ref)
	}
	return []byte(secret), nil
}
