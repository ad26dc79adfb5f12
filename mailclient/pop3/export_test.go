package pop3

import (
	"io"
	"time"
)

// Digested is what is read of a mail.
type Digested struct {
	Key, Content, Subject string
	Date                  time.Time
	Read                  bool
}

// Digest reads a mail that comes in pieces.
func Digest(pieces ...string) Digested {
	d := newDigest()
	for _, p := range pieces {
		_, _ = io.WriteString(d, p)
	}
	sum := d.sum()
	return Digested{d.key, sum, d.subject, d.date.UTC(), d.read}
}
