package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
)

const chunkSize = 256 << 10

// Sealer closes what blobs hold, and opens it: seal.Ring.
type Sealer interface {
	Seal(purpose, where string, plain []byte) []byte
	Open(purpose, where string, sealed []byte) ([]byte, error)
}

// SealBlobs seals the blobs that are written from now on. Those from before are read as they are.
func (s *Store) SealBlobs(sealer Sealer) { s.sealer = sealer }

const blobPurpose = "blob/1"

// chunkPlace names a chunk, so that a sealed one opens nowhere else.
func chunkPlace(blob string, seq int) string { return fmt.Sprintf("%s/%d", blob, seq) }

// shut gives a chunk as it is kept.
func (s *Store) shut(blob string, seq int, chunk []byte) []byte {
	if s.sealer == nil {
		return chunk
	}
	return s.sealer.Seal(blobPurpose, chunkPlace(blob, seq), chunk)
}

var errNoSealer = errors.New("a sealed blob, and nothing to open it with")

// WriteBlob copies r into a new blob of the user, in chunks, never whole in memory, up to limit bytes
// (ErrTooLarge beyond). It gives the blob's id and size. Whoever names the blob in a row keeps it;
// the sweep removes blobs that no row names.
func (s *Store) WriteBlob(ctx context.Context, userID int64, r io.Reader, limit int64) (id string, size int64, err error) {
	id = NewID()
	if _, err = s.db.ExecContext(ctx, newBlob, id, userID, s.ms(), s.sealer != nil); err != nil {
		return "", 0, err
	}
	if size, err = s.writeChunks(ctx, id, r, limit); err == nil {
		_, err = s.db.ExecContext(ctx, `UPDATE blobs SET size = $1 WHERE id = $2`, size, id)
	}
	if err != nil {
		_, del := s.db.ExecContext(context.WithoutCancel(ctx), `DELETE FROM blobs WHERE id = $1`, id)
		return "", 0, errors.Join(err, del)
	}
	return id, size, nil
}

const newBlob = `INSERT INTO blobs (id, user_id, created_at, sealed) VALUES ($1, $2, $3, $4)`

// Errors of WriteBlob.
var (
	ErrTooLarge = errors.New("larger than allowed")
	ErrCut      = errors.New("the sender stopped in the middle")
)

// whole tells a source that ended from one that was cut off, which io.ReadFull cannot.
type whole struct{ r io.Reader }

func (w whole) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = ErrCut
	}
	return n, err
}

func (s *Store) writeChunks(ctx context.Context, id string, r io.Reader, limit int64) (size int64, err error) {
	buf := make([]byte, chunkSize)
	r = whole{r}
	for seq := 0; ; seq++ {
		n, readErr := io.ReadFull(r, buf)
		if size += int64(n); size > limit {
			return size, ErrTooLarge
		}
		if n > 0 {
			if _, err := s.db.ExecContext(ctx, `INSERT INTO blob_chunks (blob_id, seq, bytes) VALUES ($1, $2, $3)`, id, seq, s.shut(id, seq, buf[:n])); err != nil {
				return size, err
			}
		}
		if errors.Is(readErr, io.EOF) || errors.Is(readErr, io.ErrUnexpectedEOF) {
			return size, nil
		}
		if readErr != nil {
			return size, readErr
		}
	}
}

// Blob reads a user's blob from its start, one chunk at a time. Reading a blob that does not exist gives ErrNotFound.
func (s *Store) Blob(ctx context.Context, userID int64, id string) io.Reader {
	return &blobReader{ctx: ctx, s: s, user: userID, id: id}
}

type blobReader struct {
	ctx  context.Context
	s    *Store
	user int64
	id   string
	seq  int
	rest []byte
	done bool
}

func (b *blobReader) Read(p []byte) (int, error) {
	for len(b.rest) == 0 {
		if b.done {
			return 0, io.EOF
		}
		var sealed bool
		err := b.s.db.QueryRowContext(b.ctx, `
			SELECT c.bytes, b.sealed FROM blob_chunks c JOIN blobs b ON b.id = c.blob_id
			WHERE b.id = $1 AND b.user_id = $2 AND c.seq = $3`, b.id, b.user, b.seq).Scan(&b.rest, &sealed)
		if errors.Is(err, sql.ErrNoRows) {
			if err := b.end(); err != nil {
				return 0, err
			}
			continue
		}
		if err == nil && sealed {
			b.rest, err = b.s.unseal(b.id, b.seq, b.rest)
		}
		if err != nil {
			b.rest = nil
			return 0, err
		}
		b.seq++
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

func (s *Store) unseal(blob string, seq int, sealed []byte) ([]byte, error) {
	if s.sealer == nil {
		return nil, errNoSealer
	}
	return s.sealer.Open(blobPurpose, chunkPlace(blob, seq), sealed)
}

// end tells an empty or finished blob from a missing one.
func (b *blobReader) end() error {
	b.done = true
	if b.seq > 0 {
		return nil
	}
	var size int64
	return one(b.s.db.QueryRowContext(b.ctx, `SELECT size FROM blobs WHERE id = $1 AND user_id = $2`, b.id, b.user).Scan(&size))
}

// SweepBlobs removes blobs older than a day that no upload and no outbox item names, nor a file that is still arriving.
func (s *Store) SweepBlobs(ctx context.Context) error {
	_, err := s.db.ExecContext(ctx, `
		DELETE FROM blobs WHERE created_at < $1
		AND NOT EXISTS (SELECT 1 FROM uploads u WHERE u.blob_id = blobs.id)
		AND NOT EXISTS (SELECT 1 FROM arriving a WHERE a.blob_id = blobs.id)
		AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.blob_id = blobs.id)`, s.ms()-24*3600*1000)
	return err
}
