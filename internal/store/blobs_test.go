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

// backwards is a seal that anybody could break, and that shows whether one was used.
type backwards struct{}

func (backwards) Seal(purpose, where string, plain []byte) []byte {
	out := []byte(purpose + where + "\n")
	for _, b := range plain {
		out = append(out, ^b)
	}
	return out
}

func (backwards) Open(purpose, where string, sealed []byte) ([]byte, error) {
	rest, ok := bytes.CutPrefix(sealed, []byte(purpose+where+"\n"))
	if !ok {
		return nil, errors.New("of another place")
	}
	out := make([]byte, len(rest))
	for i, b := range rest {
		out[i] = ^b
	}
	return out, nil
}

func TestBlobsAreSealedAtRest(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, _ := user(t, s, "a@x.test")
		plain, _, err := s.WriteBlob(ctx, anna.ID, strings.NewReader("from before"), 100)
		ok(t, err)
		s.SealBlobs(backwards{})
		want := strings.Repeat("a secret tide table ", 40_000) // of several chunks
		id, size, err := s.WriteBlob(ctx, anna.ID, strings.NewReader(want), 1<<20)
		ok(t, err)
		if got := string(must(io.ReadAll(s.Blob(ctx, anna.ID, id)))(t)); got != want || size != int64(len(want)) {
			t.Errorf("%d octets of %d came back, size %d", len(got), len(want), size)
		}
		if got := string(must(io.ReadAll(s.Blob(ctx, anna.ID, plain)))(t)); got != "from before" {
			t.Errorf("one from before the seal is %q", got)
		}
		rows, err := s.DB().Query(`SELECT bytes FROM blob_chunks WHERE blob_id = '` + id + `'`)
		ok(t, err)
		defer rows.Close()
		for rows.Next() {
			var chunk []byte
			ok(t, rows.Scan(&chunk))
			if bytes.Contains(chunk, []byte("secret tide")) {
				t.Fatal("a chunk lies there for all to read")
			}
		}
		ok(t, rows.Err())
		_, err = s.DB().Exec(`UPDATE blob_chunks SET seq = 9 - seq WHERE blob_id = '` + id + `'`)
		ok(t, err)
		_, err = s.DB().Exec(`UPDATE blob_chunks SET seq = 0 WHERE seq = (SELECT MIN(seq) FROM blob_chunks WHERE blob_id = '` + id + `') AND blob_id = '` + id + `'`)
		ok(t, err)
		if _, err := io.ReadAll(s.Blob(ctx, anna.ID, id)); err == nil {
			t.Error("chunks that were exchanged open")
		}
	})
}
