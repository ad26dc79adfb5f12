package store

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"time"
)

// Arriving is a file that comes piece by piece. It counts in DraftBytes by the size that it is to have.
type Arriving struct {
	ID, BlobID            string
	UserID                int64
	DraftID               string // which it is for; it may follow its writer into another one
	Name, Type, ContentID string
	Size, Received        int64
	Modified              int64 // when it was changed last, as its writer's device counts: that and its size tell whether another is the same
	pieces                int
	Done                  bool // it is a draft's by now
}

// Errors of Receive.
var (
	ErrOffset  = errors.New("the file goes on from elsewhere")
	ErrTooMuch = errors.New("more than the file was to have")
)

// BeginFile makes room for a file of a user whose drafts hold up to most bytes with it: ErrTooLarge where they would hold
// more.
func (s *Store) BeginFile(ctx context.Context, a Arriving, most int64) (Arriving, error) {
	a.ID, a.BlobID = NewID(), NewID()
	return a, s.InTx(ctx, func(tx *sql.Tx) error {
		var have int64
		if err := tx.QueryRowContext(ctx, draftBytes, a.UserID).Scan(&have); err != nil {
			return err
		}
		if have+a.Size > most {
			return ErrTooLarge
		}
		if _, err := tx.ExecContext(ctx, newBlob, a.BlobID, a.UserID, s.ms(), s.sealer != nil); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `
			INSERT INTO arriving (id, user_id, blob_id, draft_id, name, type, content_id, size, modified, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			a.ID, a.UserID, a.BlobID, a.DraftID, a.Name, a.Type, a.ContentID, a.Size, a.Modified, s.ms())
		return err
	})
}

const arrivingColumns = `id, blob_id, user_id, draft_id, name, type, content_id, size, received, modified, pieces, done`

func scanArriving(r interface{ Scan(...any) error }) (a Arriving, err error) {
	err = r.Scan(&a.ID, &a.BlobID, &a.UserID, &a.DraftID, &a.Name, &a.Type, &a.ContentID, &a.Size, &a.Received, &a.Modified, &a.pieces, &a.Done)
	return a, err
}

// ArrivingOf lists the files that are on their way into a draft, or were when their line broke, the oldest first.
func (s *Store) ArrivingOf(ctx context.Context, userID int64, draftID string) ([]Arriving, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+arrivingColumns+` FROM arriving WHERE user_id = $1 AND draft_id = $2 AND NOT done ORDER BY updated_at, id`, userID, draftID)
	return collect(rows, err, func(r *sql.Rows) (Arriving, error) { return scanArriving(r) })
}

// ArrivingFile is a file of the user that is on its way, or that came to its end within the last day.
func (s *Store) ArrivingFile(ctx context.Context, userID int64, id string) (a Arriving, err error) {
	a, err = scanArriving(s.db.QueryRowContext(ctx, `SELECT `+arrivingColumns+` FROM arriving WHERE id = $1 AND user_id = $2`, id, userID))
	return a, one(err)
}

// Receive takes what r brings of a file, which begins at offset of it: ErrOffset where the file is at another place. What
// came before r broke off (ErrCut) stays, in whole pieces. It gives the file as it is then.
func (s *Store) Receive(ctx context.Context, a Arriving, offset int64, r io.Reader) (Arriving, error) {
	if offset != a.Received {
		return a, ErrOffset
	}
	buf := make([]byte, chunkSize)
	for r = (whole{r}); ; {
		n, readErr := io.ReadFull(r, buf)
		ended := errors.Is(readErr, io.EOF) || errors.Is(readErr, io.ErrUnexpectedEOF)
		if readErr != nil && !ended {
			return a, readErr
		}
		if a.Received+int64(n) > a.Size {
			return a, ErrTooMuch
		}
		if n > 0 {
			if err := s.addPiece(ctx, a, buf[:n]); err != nil {
				return a, err
			}
			a.Received += int64(n)
			a.pieces++
		}
		if ended {
			return a, nil
		}
	}
}

// addPiece is ErrOffset where another request has brought one meanwhile.
func (s *Store) addPiece(ctx context.Context, a Arriving, piece []byte) error {
	shut := s.shut(a.BlobID, a.pieces, piece)
	return s.InTx(ctx, func(tx *sql.Tx) error {
		err := changed(tx.ExecContext(ctx, `
			UPDATE arriving SET received = received + $1, pieces = pieces + 1, updated_at = $2, draft_id = $6 WHERE id = $3 AND user_id = $4 AND received = $5 AND NOT done`,
			len(piece), s.ms(), a.ID, a.UserID, a.Received, a.DraftID))
		if errors.Is(err, ErrNotFound) {
			return ErrOffset
		}
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO blob_chunks (blob_id, seq, bytes) VALUES ($1, $2, $3)`, a.BlobID, a.pieces, shut)
		return err
	})
}

// EndFile makes what has arrived a file of a draft, once: for one that is it already it does nothing. u says where its
// bytes lie, which may be a blob other than the one they came into.
func (s *Store) EndFile(ctx context.Context, a Arriving, u Upload) error {
	return s.InTx(ctx, func(tx *sql.Tx) error {
		err := changed(tx.ExecContext(ctx, `UPDATE arriving SET done = $1, updated_at = $2 WHERE id = $3 AND user_id = $4 AND received = size AND NOT done`, true, s.ms(), a.ID, a.UserID))
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE blobs SET size = $1 WHERE id = $2 AND user_id = $3`, u.Size, u.BlobID, a.UserID); err != nil {
			return err
		}
		return changed(tx.ExecContext(ctx, newUpload, NewID(), u.BlobID, u.Name, u.Type, u.Size, u.ContentID, u.DraftID, a.UserID))
	})
}

// DropArriving forgets a file that is on its way, with what came of it.
func (s *Store) DropArriving(ctx context.Context, userID int64, id string) error {
	return changed(s.db.ExecContext(ctx, `DELETE FROM blobs WHERE user_id = $1 AND id = (SELECT blob_id FROM arriving WHERE id = $2 AND user_id = $1 AND NOT done)`, userID, id))
}

// arrivingAge is how long a file may stand still on its way: over a weekend, and the days after it.
const arrivingAge = 7 * 24 * time.Hour

// SweepArriving forgets files of which nothing came for long, and those of drafts that are gone or sent.
func (s *Store) SweepArriving(ctx context.Context) error {
	before := toMS(s.now().Add(-arrivingAge))
	_, err := s.db.ExecContext(ctx, `DELETE FROM blobs WHERE id IN (SELECT blob_id FROM arriving WHERE NOT done AND (updated_at < $1
		OR updated_at < $2 AND draft_id <> '' AND NOT EXISTS (SELECT 1 FROM drafts d WHERE d.id = draft_id AND d.state <> 'sent')))`, before, toMS(s.now().Add(-24*time.Hour)))
	if err != nil {
		return err
	}
	_, err = s.db.ExecContext(ctx, `DELETE FROM arriving WHERE updated_at < $1`, before)
	return err
}
