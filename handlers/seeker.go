package handlers

import (
	"context"
	"errors"
	"io"

	"restante/mailclient"
)

// seeker reads a file of a mail from wherever http.ServeContent asks it to. Nothing is fetched before the first Read,
// and what is under way is all that is held.
type seeker struct {
	ctx    context.Context
	file   *mailclient.PartFile
	place  int64
	failed error // of the mail server

	pipe *io.PipeReader // from place on; nil before the first Read
	stop context.CancelFunc
	done chan struct{}
}

func newSeeker(ctx context.Context, f *mailclient.PartFile) *seeker {
	return &seeker{ctx: ctx, file: f}
}

// Seek is that of io.Seeker.
func (s *seeker) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += s.place
	case io.SeekEnd:
		offset += s.file.Size
	}
	if offset < 0 {
		return 0, errors.New("seek before the begin of a part")
	}
	if offset != s.place {
		s.Close()
		s.place = offset
	}
	return offset, nil
}

// Read is that of io.Reader.
func (s *seeker) Read(b []byte) (int, error) {
	if s.place >= s.file.Size {
		return 0, io.EOF
	}
	if s.pipe == nil {
		s.begin()
	}
	n, err := s.pipe.Read(b)
	s.place += int64(n)
	if err == io.EOF && s.place < s.file.Size { // never a whole file that is not
		err = io.ErrUnexpectedEOF
	}
	if err != nil && err != io.EOF {
		s.failed = err
	}
	return n, err
}

func (s *seeker) begin() {
	pr, pw := io.Pipe()
	ctx, stop := context.WithCancel(s.ctx)
	done, from := make(chan struct{}), s.place
	s.pipe, s.stop, s.done = pr, stop, done
	go func() { // ends with the pipe: Close waits for it
		defer close(done)
		_ = pw.CloseWithError(s.file.WriteFrom(ctx, from, pw))
	}()
}

// Close ends what is under way.
func (s *seeker) Close() {
	if s.pipe == nil {
		return
	}
	s.stop()
	_ = s.pipe.Close()
	<-s.done
	s.pipe = nil
}
