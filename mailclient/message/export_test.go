package message

import (
	"iter"
	"testing"
)

// Difference is difference, for tests that need a server.
var Difference = difference

// Corpus gives the mails of the corpus by their ids, with CRLF line ends.
func Corpus(t testing.TB) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for _, r := range corpus(t) {
			if !yield(r.ID, crlf(rawMail(t, r))) {
				return
			}
		}
	}
}
