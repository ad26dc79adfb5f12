package store_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"
	"time"

	"restante/internal/store"
)

// bytesOf gives n bytes that look like no others.
func bytesOf(n int) []byte {
	out := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(out)
	return out
}

func TestAFileArrivesInPieces(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		s.SealBlobs(backwards{})
		anna, account := user(t, s, "a@x.test")
		ben, _ := user(t, s, "b@x.test")
		d := draft(t, s, anna, account, store.DraftFields{})
		want := bytesOf(1_000_003)
		a := must(s.BeginFile(ctx, store.Arriving{UserID: anna.ID, Name: "tide.bin", Size: int64(len(want))}, 1<<20))(t)
		_, err := s.BeginFile(ctx, store.Arriving{UserID: anna.ID, Name: "more.bin", Size: 100_000}, 1<<20)
		if !errors.Is(err, store.ErrTooLarge) {
			t.Errorf("a file for which there is no room: %v", err)
		}
		_, err = s.ArrivingFile(ctx, ben.ID, a.ID)
		missing(t, "another's file", err)

		a, err = s.Receive(ctx, a, 0, io.MultiReader(bytes.NewReader(want[:600_000]), iotest.ErrReader(io.ErrUnexpectedEOF)))
		if !errors.Is(err, store.ErrCut) || a.Received != 512<<10 {
			t.Errorf("after a cut it is at %d, %v", a.Received, err)
		}
		if _, err := s.Receive(ctx, a, 600_000, bytes.NewReader(want[600_000:])); !errors.Is(err, store.ErrOffset) {
			t.Errorf("with a gap: %v", err)
		}
		late := a
		a = must(s.Receive(ctx, a, a.Received, bytes.NewReader(want[a.Received:700_000])))(t)
		if _, err := s.Receive(ctx, late, late.Received, bytes.NewReader(want[late.Received:])); !errors.Is(err, store.ErrOffset) {
			t.Errorf("two at once: %v", err)
		}
		u := store.Upload{DraftID: d.ID, BlobID: a.BlobID, Name: a.Name, Size: a.Size}
		ok(t, s.EndFile(ctx, a, u))
		if files := must(s.Uploads(ctx, anna.ID, d.ID))(t); len(files) != 0 {
			t.Error("half a file is among the files")
		}
		a = must(s.ArrivingFile(ctx, anna.ID, a.ID))(t)
		if _, err := s.Receive(ctx, a, a.Received, bytes.NewReader(append(want[a.Received:len(want):len(want)], 'x'))); !errors.Is(err, store.ErrTooMuch) {
			t.Errorf("too much: %v", err)
		}
		a = must(s.ArrivingFile(ctx, anna.ID, a.ID))(t)
		a = must(s.Receive(ctx, a, a.Received, bytes.NewReader(want[a.Received:])))(t)
		for range 2 {
			ok(t, s.EndFile(ctx, a, u))
		}
		files := must(s.Uploads(ctx, anna.ID, d.ID))(t)
		if len(files) != 1 || files[0].Size != int64(len(want)) || !bytes.Equal(must(io.ReadAll(s.Blob(ctx, anna.ID, files[0].BlobID)))(t), want) {
			t.Errorf("what came together: %+v", files)
		}
		if n := must(s.DraftBytes(ctx, anna.ID))(t); n != int64(len(want)) {
			t.Errorf("it counts as %d", n)
		}
	})
}

func TestAFileThatStandsStillIsSwept(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		now := time.UnixMilli(1_700_000_000_000)
		s.At(now)
		anna, account := user(t, s, "a@x.test")
		d := draft(t, s, anna, account, store.DraftFields{})
		begin := func(size int64) store.Arriving {
			return must(s.BeginFile(ctx, store.Arriving{UserID: anna.ID, Name: "tide.bin", Size: size}, 1<<20))(t)
		}
		still, goes, ended, dropped := begin(10), begin(10), begin(0), begin(10)
		ok(t, s.EndFile(ctx, ended, store.Upload{DraftID: d.ID, BlobID: ended.BlobID, Name: "empty"}))
		ok(t, s.DropArriving(ctx, anna.ID, dropped.ID))
		missing(t, "one that has ended is dropped", s.DropArriving(ctx, anna.ID, ended.ID))
		s.At(now.Add(6 * 24 * time.Hour))
		goes = must(s.Receive(ctx, goes, 0, bytes.NewReader([]byte("12345"))))(t)
		s.At(now.Add(8 * 24 * time.Hour))
		ok(t, s.SweepArriving(ctx))
		ok(t, s.SweepBlobs(ctx))
		for what, a := range map[string]store.Arriving{"that stands still": still, "that was dropped": dropped} {
			_, err := s.ArrivingFile(ctx, anna.ID, a.ID)
			missing(t, "a file "+what, err)
			_, err = io.ReadAll(s.Blob(ctx, anna.ID, a.BlobID))
			missing(t, "the blob of one "+what, err)
		}
		must(s.Receive(ctx, goes, 5, bytes.NewReader([]byte("67890"))))(t)
		if got := must(io.ReadAll(s.Blob(ctx, anna.ID, goes.BlobID)))(t); string(got) != "1234567890" {
			t.Errorf("one that goes on holds %q", got)
		}
		if files := must(s.Uploads(ctx, anna.ID, d.ID))(t); len(files) != 1 {
			t.Error("a file that has ended is gone")
		}
	})
}
