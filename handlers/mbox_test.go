package handlers

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

// FuzzMailsOfAFile: none hangs, and no byte of a text comes twice.
func FuzzMailsOfAFile(f *testing.F) {
	for _, s := range []string{"", "From: a@x.test\n\nx", "From - Mon Feb  2 10:00:00 2015\nSubject: x\n\n>From y\n\nFrom - Mon Feb  2 10:00:00 2015\n", "From 10:00 2015" + strings.Repeat("x", 100<<10)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		size := 0
		err := eachMail(bytes.NewReader(in), func(mail io.Reader) error {
			n, err := io.Copy(io.Discard, mail)
			size += int(n)
			return err
		})
		if err != nil || size > len(in) {
			t.Errorf("%d bytes of %d: %v", size, len(in), err)
		}
	})
}
