package store_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"restante/internal/store"
)

func TestBlobsGiveBackEveryByte(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, _ := user(t, s, "a@x.test")
		ben, _ := user(t, s, "b@x.test")
		random := rand.NewChaCha8([32]byte{1})
		for _, n := range []int{0, 1, 256<<10 - 1, 256 << 10, 256<<10 + 1, 1_000_003} {
			want := make([]byte, n)
			_, _ = random.Read(want)
			id, size, err := s.WriteBlob(ctx, anna.ID, iotest.HalfReader(bytes.NewReader(want)), int64(n))
			ok(t, err)
			got := must(io.ReadAll(s.Blob(ctx, anna.ID, id)))(t)
			if size != int64(n) || !bytes.Equal(got, want) {
				t.Errorf("%d bytes: size %d, %d back", n, size, len(got))
			}
			_, err = io.ReadAll(s.Blob(ctx, ben.ID, id))
			missing(t, "another's blob", err)
		}
		_, err := io.ReadAll(s.Blob(ctx, anna.ID, "none"))
		missing(t, "no blob", err)
	})
}

func TestABlobThatFailsLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, _ := user(t, s, "a@x.test")
		boom := errors.New("boom")
		for _, c := range []struct {
			name string
			r    io.Reader
			want error
		}{
			{"too large", strings.NewReader(strings.Repeat("x", 11)), store.ErrTooLarge},
			{"cut off", io.MultiReader(strings.NewReader("x"), iotest.ErrReader(io.ErrUnexpectedEOF)), store.ErrCut},
			{"broken", io.MultiReader(strings.NewReader("x"), iotest.ErrReader(boom)), boom},
		} {
			if _, _, err := s.WriteBlob(ctx, anna.ID, c.r, 10); !errors.Is(err, c.want) {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		for _, table := range []string{"blobs", "blob_chunks"} {
			var n int
			ok(t, s.DB().QueryRow(`SELECT COUNT(*) FROM `+table).Scan(&n))
			if n != 0 {
				t.Errorf("%d rows in %s", n, table)
			}
		}
	})
}

func TestSweepBlobsKeepsWhatIsNamedOrYoung(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		now := time.UnixMilli(1_700_000_000_000)
		s.At(now)
		anna, account := user(t, s, "a@x.test")
		write := func() string {
			id, _, err := s.WriteBlob(ctx, anna.ID, strings.NewReader("x"), 10)
			ok(t, err)
			return id
		}
		uploaded, lost := write(), write()
		d := draft(t, s, anna, account, store.DraftFields{})
		must(s.AddUpload(ctx, store.Upload{DraftID: d.ID, BlobID: uploaded, UserID: anna.ID}))(t)
		item := must(s.OutboxItem(ctx, anna.ID, enqueue(t, s, anna, account, d.ID, now)))(t)
		s.At(now.Add(25 * time.Hour))
		young := write()
		ok(t, s.SweepBlobs(ctx))
		for what, id := range map[string]string{"of an upload": uploaded, "of the outbox": item.BlobID, "that is young": young} {
			if _, err := io.ReadAll(s.Blob(ctx, anna.ID, id)); err != nil {
				t.Errorf("a blob %s: %v", what, err)
			}
		}
		_, err := io.ReadAll(s.Blob(ctx, anna.ID, lost))
		missing(t, "a blob that nothing names", err)
	})
}
