package handlers

import (
	"io"

	"restante/mailclient/compose"
)

// piped runs write and read at the two ends of a pipe: nothing is whole in memory. Both have ended when it returns. An
// error of write reaches read, whose error it gives.
func piped(write func(io.Writer) error, read func(io.Reader) error) error {
	pr, pw := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		pw.CloseWithError(write(pw))
	}()
	err := read(pr)
	pr.Close()
	<-done
	return err
}

// withBcc writes a mail as it is kept in Sent and Drafts: the Bcc field before it.
func withBcc(bcc string, m compose.Draft) func(io.Writer) error {
	return func(w io.Writer) error {
		if _, err := io.WriteString(w, bcc); err != nil {
			return err
		}
		return compose.Write(w, m)
	}
}
