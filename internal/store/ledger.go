package store

import (
	"context"
	"database/sql"
	"time"
)

// LedgerRow is one mail of a source. What its fields mean is the import's business.
type LedgerRow struct {
	ID                        int64
	UIDL                      []byte
	Dup                       int
	KeyHash, ContentHash      []byte
	Size                      int64
	State                     string
	Compare                   bool
	Token, Mailbox            string
	UIDValidity, UIDNext, UID uint32
	Subject                   string
	Imported, ChangeAt        time.Time
	Tries                     int
	LastError                 string
}

const ledgerColumns = `id, uidl, dup, key_hash, content_hash, size, state, compare, token, mailbox, uidvalidity, uidnext, uid, subject, imported_at, changed_at, tries, last_error`

func scanLedger(r interface{ Scan(...any) error }) (l LedgerRow, err error) {
	var imported, at int64
	err = r.Scan(&l.ID, &l.UIDL, &l.Dup, &l.KeyHash, &l.ContentHash, &l.Size, &l.State, &l.Compare, &l.Token, &l.Mailbox, &l.UIDValidity, &l.UIDNext, &l.UID, &l.Subject, &imported, &at, &l.Tries, &l.LastError)
	l.Imported, l.ChangeAt = fromMS(imported), fromMS(at)
	return l, err
}

// ledgerPage is how many rows are read at once, so that nobody waits long for the database.
const ledgerPage = 2000

// Ledger gives every row of a source, in the order of their ids.
func (s *Store) Ledger(ctx context.Context, sourceID int64, each func(LedgerRow) error) error {
	for after := int64(0); ; {
		rows, err := s.db.QueryContext(ctx, `SELECT `+ledgerColumns+` FROM import_ledger WHERE source_id = $1 AND id > $2 ORDER BY id LIMIT $3`, sourceID, after, ledgerPage)
		page, err := collect(rows, err, func(r *sql.Rows) (LedgerRow, error) { return scanLedger(r) })
		if err != nil {
			return err
		}
		for _, l := range page {
			if err := each(l); err != nil {
				return err
			}
			after = l.ID
		}
		if len(page) < ledgerPage {
			return nil
		}
	}
}

// LedgerRow is one row of a source, or ErrNotFound.
func (s *Store) LedgerRow(ctx context.Context, sourceID, id int64) (LedgerRow, error) {
	l, err := scanLedger(s.db.QueryRowContext(ctx, `SELECT `+ledgerColumns+` FROM import_ledger WHERE source_id = $1 AND id = $2`, sourceID, id))
	return l, one(err)
}

// Hold names a source that a node holds, which alone may write to its ledger.
type Hold struct {
	SourceID int64
	Node     string
}

// writing runs f in a transaction, if the source is the node's still. ErrNotFound: it is not.
func (s *Store) writing(ctx context.Context, h Hold, f func(tx *sql.Tx) error) error {
	return s.InTx(ctx, func(tx *sql.Tx) error {
		err := changed(tx.ExecContext(ctx, `UPDATE sources SET updated_at = $1 WHERE id = $2 AND taken_by = $3 AND taken_until > $1`, s.ms(), h.SourceID, h.Node))
		if err != nil {
			return err
		}
		return f(tx)
	})
}

// AddLedger writes new rows, and sets their ids.
func (s *Store) AddLedger(ctx context.Context, h Hold, rows []LedgerRow) error {
	return s.writing(ctx, h, func(tx *sql.Tx) error {
		add, err := tx.PrepareContext(ctx, `
			INSERT INTO import_ledger (source_id, uidl, dup, size, state, compare, first_seen, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $7) RETURNING id`)
		if err != nil {
			return err
		}
		defer func() { _ = add.Close() }()
		for i, l := range rows {
			if err := add.QueryRowContext(ctx, h.SourceID, l.UIDL, l.Dup, l.Size, l.State, l.Compare, s.ms()).Scan(&rows[i].ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// SaveLedger writes rows anew, but for what names them.
func (s *Store) SaveLedger(ctx context.Context, h Hold, rows []LedgerRow) error {
	return s.writing(ctx, h, func(tx *sql.Tx) error {
		save, err := tx.PrepareContext(ctx, `
			UPDATE import_ledger SET key_hash = $1, content_hash = $2, size = $3, state = $4, token = $5, mailbox = $6, uidvalidity = $7, uidnext = $8, uid = $9,
				subject = $10, imported_at = $11, changed_at = $12, tries = $13, last_error = $14 WHERE id = $15 AND source_id = $16`)
		if err != nil {
			return err
		}
		defer func() { _ = save.Close() }()
		for _, l := range rows {
			err := changed(save.ExecContext(ctx, l.KeyHash, l.ContentHash, l.Size, l.State, l.Token, l.Mailbox, l.UIDValidity, l.UIDNext, l.UID,
				l.Subject, toMS(l.Imported), s.ms(), l.Tries, l.LastError, l.ID, h.SourceID))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// MarkLedger sets the state of rows. Words, if there are any, are why a try has failed; compare sets that mark too.
func (s *Store) MarkLedger(ctx context.Context, h Hold, state, words string, compare bool, ids []int64) error {
	return s.writing(ctx, h, func(tx *sql.Tx) error {
		mark, err := tx.PrepareContext(ctx, `
			UPDATE import_ledger SET state = $1, changed_at = $2, compare = (compare OR $3), tries = tries + $4, last_error = CASE WHEN $4 > 0 THEN $5 ELSE last_error END
			WHERE id = $6 AND source_id = $7`)
		if err != nil {
			return err
		}
		defer func() { _ = mark.Close() }()
		tried := 0
		if words != "" {
			tried = 1
		}
		for _, id := range ids {
			if err := changed(mark.ExecContext(ctx, state, s.ms(), compare, tried, words, id, h.SourceID)); err != nil {
				return err
			}
		}
		return nil
	})
}

// SourceCounts is how many mails of a source stand where.
type SourceCounts struct {
	Known    int // all that were ever seen
	Waiting  int // to be brought over
	Imported int
	Kept     int // imported, and at the source still
	Stubborn int // those of Kept that the source would not delete, five times
	Failed   int // not brought over: see FailedMails
}

// SourceCounts counts the mails of a user's source.
func (s *Store) SourceCounts(ctx context.Context, userID, id int64) (c SourceCounts, err error) {
	err = s.db.QueryRowContext(ctx, `
		SELECT COUNT(*), COUNT(*) FILTER (WHERE l.state IN ('seen', 'spooled', 'appending')), COUNT(*) FILTER (WHERE l.imported_at > 0),
			COUNT(*) FILTER (WHERE l.state IN ('imported', 'deleting')), COUNT(*) FILTER (WHERE l.state = 'imported' AND l.tries BETWEEN 5 AND $3),
			COUNT(*) FILTER (WHERE l.state IN ('failed', 'toobig', 'doubtful'))
		FROM import_ledger l JOIN sources o ON o.id = l.source_id WHERE o.id = $1 AND o.user_id = $2`, id, userID, never-1).Scan(&c.Known, &c.Waiting, &c.Imported, &c.Kept, &c.Stubborn, &c.Failed)
	return c, err
}

// CountDeletions is how many mails a way to keep would delete at the source by now (P12).
func (s *Store) CountDeletions(ctx context.Context, userID, id int64, keep Keep, days int) (n int, err error) {
	if keep == KeepAll {
		return 0, nil
	}
	until := s.now()
	if keep == KeepDays {
		until = until.Add(-time.Duration(days) * day)
	}
	err = s.db.QueryRowContext(ctx, `
		SELECT COUNT(*) FROM import_ledger l JOIN sources o ON o.id = l.source_id
		WHERE o.id = $1 AND o.user_id = $2 AND l.state IN ('imported', 'deleting') AND l.imported_at > 0 AND l.imported_at <= $3`, id, userID, until.UnixMilli()).Scan(&n)
	return n, err
}

// FailedMails are the mails of a user's source that were not brought over, the newest first: failed, toobig, or doubtful,
// of which nobody can say whether they were.
func (s *Store) FailedMails(ctx context.Context, userID, id int64) ([]LedgerRow, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT `+ledgerColumns+` FROM import_ledger WHERE source_id = (SELECT id FROM sources WHERE id = $1 AND user_id = $2) AND state IN ('failed', 'toobig', 'doubtful')
		ORDER BY id DESC LIMIT 1000`, id, userID)
	return collect(rows, err, func(r *sql.Rows) (LedgerRow, error) { return scanLedger(r) })
}

// RetryMail has a mail that was not brought over tried again by the next run; row 0 means all of them but the doubtful.
func (s *Store) RetryMail(ctx context.Context, userID, id, row int64) error {
	return changed(s.db.ExecContext(ctx, `
		UPDATE import_ledger SET state = 'seen', tries = 0, last_error = '', changed_at = $1
		WHERE source_id = (SELECT id FROM sources WHERE id = $2 AND user_id = $3 AND removed_at = 0) AND (id = $4 OR $4 = 0) AND (state IN ('failed', 'toobig') OR state = 'doubtful' AND $4 <> 0)`, s.ms(), id, userID, row))
}

// never is how often the deletion of a mail is said to have been tried that is not to be tried.
const never = 99

// SettleMail takes the person's word that a doubtful mail has arrived. It is not deleted at the source for that.
func (s *Store) SettleMail(ctx context.Context, userID, id, row int64) error {
	return changed(s.db.ExecContext(ctx, `
		UPDATE import_ledger SET state = 'imported', imported_at = $1, changed_at = $1, tries = $5, last_error = ''
		WHERE source_id = (SELECT id FROM sources WHERE id = $2 AND user_id = $3 AND removed_at = 0) AND id = $4 AND state = 'doubtful'`, s.ms(), id, userID, row, never))
}

// ImportRun is one run of a source.
type ImportRun struct {
	ID                      int64
	Started, Updated, Ended time.Time // Ended is zero while it goes on
	Total, Done             int       // mails to bring over, and those that were
	Bytes, OfAll            int64     // likewise, in octets
	Failed, Deleted         int
	Outcome                 string // "" while it goes on
	Server, ServerText      string
}

// Left is how long the rest of a run will take at the pace so far, 0 if nobody can say.
func (r ImportRun) Left() time.Duration {
	past := r.Updated.Sub(r.Started)
	if r.Done < 10 || r.Done >= r.Total || past < 2*time.Second {
		return 0
	}
	share := float64(r.Total-r.Done) / float64(r.Done)
	if r.Bytes > 0 && r.OfAll > r.Bytes { // by octets it is closer, where their number is known
		share = (share + float64(r.OfAll-r.Bytes)/float64(r.Bytes)) / 2
	}
	return time.Duration(share * float64(past)).Round(time.Second)
}

// StartRun notes that a run begins, and gives its id. One that a killed worker has left is ended, and
// brought what the ledger says: it had no time to write that.
func (s *Store) StartRun(ctx context.Context, h Hold) (id int64, err error) {
	err = s.writing(ctx, h, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `
			UPDATE import_runs SET ended_at = updated_at, outcome = 'stopped',
				done = (SELECT COUNT(*) FROM import_ledger l WHERE l.source_id = $1 AND l.imported_at >= import_runs.started_at) WHERE source_id = $1 AND ended_at = 0`, h.SourceID); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `INSERT INTO import_runs (source_id, started_at, updated_at) VALUES ($1, $2, $2) RETURNING id`, h.SourceID, s.ms()).Scan(&id)
	})
	return id, err
}

// RecordRun writes how far a run has come, and how it ended if Outcome says so.
func (s *Store) RecordRun(ctx context.Context, h Hold, r ImportRun) error {
	return changed(s.db.ExecContext(ctx, `
		UPDATE import_runs SET updated_at = $1, total = $2, done = $3, bytes = $4, of_all = $5, failed = $6, deleted = $7, outcome = $8, server = $9, server_text = $10,
			ended_at = CASE WHEN $8 = '' THEN ended_at ELSE $1 END WHERE id = $11 AND source_id = $12 AND ended_at = 0`,
		s.ms(), r.Total, r.Done, r.Bytes, r.OfAll, r.Failed, r.Deleted, r.Outcome, r.Server, r.ServerText, r.ID, h.SourceID))
}

// Runs are the last n runs of a user's source, the newest first.
func (s *Store) Runs(ctx context.Context, userID, id int64, n int) ([]ImportRun, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT id, started_at, updated_at, ended_at, total, done, bytes, of_all, failed, deleted, outcome, server, server_text FROM import_runs
		WHERE source_id = (SELECT id FROM sources WHERE id = $1 AND user_id = $2) ORDER BY id DESC LIMIT $3`, id, userID, n)
	return collect(rows, err, func(r *sql.Rows) (o ImportRun, err error) {
		var started, updated, ended int64
		err = r.Scan(&o.ID, &started, &updated, &ended, &o.Total, &o.Done, &o.Bytes, &o.OfAll, &o.Failed, &o.Deleted, &o.Outcome, &o.Server, &o.ServerText)
		o.Started, o.Updated, o.Ended = fromMS(started), fromMS(updated), fromMS(ended)
		return o, err
	})
}
