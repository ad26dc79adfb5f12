package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Source is a POP3 account that a user's mail is imported from.
type Source struct {
	ID, UserID, AccountID int64
	Host                  string // as netguard has it
	Port                  int
	Security              string // tls, starttls or plain
	Username              string
	APOP                  bool // the person consents to it, without TLS

	Mailbox  string // of the account
	Keyword  string // set on each mail, "" for none
	MarkRead bool   // mails that were read at the source stay so
	Keep     Keep
	Days     int // with KeepDays
	Every    time.Duration
	Once     bool // paused when all is here

	Paused    bool   // by the person, or until they do something about Problem
	Held      bool   // an admin has paused it, or all of them: it does not run
	Problem   string // how the last run ended: an outcome, "" before the first
	Failures  int    // runs that ended so, one after the other
	NextAt    time.Time
	NotBefore time.Time // the server wants to be left alone until then

	Server, ServerText string
	NoUIDL             bool // the server has none: each run reads every header, so that it is better to delete (P5)
	Running            bool
	Until              time.Time // a run that gives no sign ends here
	Created, Updated   time.Time

	Cred, TargetCred []byte // sealed
	TokenID          int64  // of a provider, in the place of the password in Cred; 0: the password
}

// Keep is what becomes of imported mails at the source.
type Keep string

// The ways to keep.
const (
	KeepAll  Keep = "keep"
	KeepDays Keep = "days" // for so many, then they are deleted
	KeepNone Keep = "delete"
)

// Errors of AddSourceTx.
var (
	ErrSourceTaken    = errors.New("this mailbox is imported already")
	ErrTooManySources = errors.New("no more sources")
)

const sourceColumns = `id, user_id, account_id, host, port, security, username, apop, mailbox, keyword, mark_read, keep, days, every_s, paused,
	problem, failures, next_at, not_before, server, server_text, no_uidl, taken_until, created_at, updated_at, cred, target_cred, once, token_id, held OR ` + importsHeld

func (s *Store) scanSource(r interface{ Scan(...any) error }) (o Source, err error) {
	var every, next, notBefore, taken, created, updated int64
	err = r.Scan(&o.ID, &o.UserID, &o.AccountID, &o.Host, &o.Port, &o.Security, &o.Username, &o.APOP, &o.Mailbox, &o.Keyword, &o.MarkRead, &o.Keep, &o.Days, &every, &o.Paused,
		&o.Problem, &o.Failures, &next, &notBefore, &o.Server, &o.ServerText, &o.NoUIDL, &taken, &created, &updated, &o.Cred, &o.TargetCred, &o.Once, &o.TokenID, &o.Held)
	o.Every, o.NextAt, o.NotBefore, o.Created, o.Updated = time.Duration(every)*time.Second, fromMS(next), fromMS(notBefore), fromMS(created), fromMS(updated)
	o.Running, o.Until = taken > s.ms(), fromMS(taken)
	return o, err
}

// AddSourceTx adds a source, due at once, and gives its id. One that was removed and is added again takes its ledger up
// again. ErrSourceTaken: the user has it already (P24), be it in other letters of a name. ErrTooManySources: most are there.
// Its secrets follow by SetSourceSecretsTx.
func (s *Store) AddSourceTx(ctx context.Context, tx *sql.Tx, o Source, most int64) (id int64, err error) {
	var many int64
	if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM sources WHERE user_id = $1 AND removed_at = 0`, o.UserID).Scan(&many); err != nil {
		return 0, err
	}
	if many >= most {
		return 0, ErrTooManySources
	}
	// Servers hardly ever tell small letters of a name from large ones: it is one mailbox, called as was typed last.
	var as string
	var removed int64
	err = tx.QueryRowContext(ctx, `SELECT username, removed_at FROM sources WHERE user_id = $1 AND host = $2 AND LOWER(username) = LOWER($3)
		ORDER BY removed_at > 0, username <> $3, id LIMIT 1`, o.UserID, o.Host, o.Username).Scan(&as, &removed)
	switch {
	case errors.Is(err, sql.ErrNoRows), err == nil && as == o.Username:
	case err != nil:
		return 0, err
	case removed == 0:
		return 0, ErrSourceTaken
	default:
		if _, err := tx.ExecContext(ctx, `UPDATE sources SET username = $1 WHERE user_id = $2 AND host = $3 AND username = $4`, o.Username, o.UserID, o.Host, as); err != nil {
			return 0, err
		}
	}
	err = tx.QueryRowContext(ctx, `
		INSERT INTO sources (user_id, account_id, host, port, security, username, apop, mailbox, keyword, mark_read, keep, days, every_s, created_at, updated_at, once, token_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, $15, $16)
		ON CONFLICT (user_id, host, username) DO UPDATE SET account_id = excluded.account_id, port = excluded.port, security = excluded.security, apop = excluded.apop,
			mailbox = excluded.mailbox, keyword = excluded.keyword, mark_read = excluded.mark_read, keep = excluded.keep, days = excluded.days, every_s = excluded.every_s, once = excluded.once, token_id = excluded.token_id,
			paused = FALSE, removed_at = 0, problem = '', failures = 0, next_at = 0, server = '', server_text = '', updated_at = excluded.updated_at
		WHERE sources.removed_at > 0 RETURNING id`,
		o.UserID, o.AccountID, o.Host, o.Port, o.Security, o.Username, o.APOP, o.Mailbox, o.Keyword, o.MarkRead, o.Keep, o.Days, int64(o.Every/time.Second), s.ms(), o.Once, o.TokenID).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, ErrSourceTaken
	}
	return id, err
}

// SetSourceSecretsTx stores the credentials of a source, sealed to its id. A nil one stays as it is. What stood because
// of the old ones is due again.
func (s *Store) SetSourceSecretsTx(ctx context.Context, tx *sql.Tx, userID, id int64, cred, target []byte) error {
	return changed(tx.ExecContext(ctx, `
		UPDATE sources SET cred = COALESCE($1, cred), target_cred = COALESCE($2, target_cred), updated_at = $3,
			paused = paused AND problem NOT IN ('signin', 'signin?', 'target'), next_at = CASE WHEN problem IN ('signin', 'signin?', 'target') THEN 0 ELSE next_at END, failures = 0
		WHERE id = $4 AND user_id = $5 AND removed_at = 0`, cred, target, s.ms(), id, userID))
}

// Source is a user's source, or ErrNotFound.
func (s *Store) Source(ctx context.Context, userID, id int64) (Source, error) {
	o, err := s.scanSource(s.db.QueryRowContext(ctx, `SELECT `+sourceColumns+` FROM sources WHERE id = $1 AND user_id = $2 AND removed_at = 0`, id, userID))
	return o, one(err)
}

// Sources lists a user's sources, the oldest first.
func (s *Store) Sources(ctx context.Context, userID int64) ([]Source, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+sourceColumns+` FROM sources WHERE user_id = $1 AND removed_at = 0 ORDER BY id`, userID)
	return collect(rows, err, func(r *sql.Rows) (Source, error) { return s.scanSource(r) })
}

// SaveSource writes what a person can change about a source: the server but not its name, the mailbox, what is kept, how
// often.
func (s *Store) SaveSource(ctx context.Context, o Source) error {
	return changed(s.db.ExecContext(ctx, `
		UPDATE sources SET port = $1, security = $2, apop = $3, mailbox = $4, keyword = $5, mark_read = $6, keep = $7, days = $8, every_s = $9, updated_at = $10, once = $11
		WHERE id = $12 AND user_id = $13 AND removed_at = 0`,
		o.Port, o.Security, o.APOP, o.Mailbox, o.Keyword, o.MarkRead, o.Keep, o.Days, int64(o.Every/time.Second), s.ms(), o.Once, o.ID, o.UserID))
}

// PauseSource stops the imports from a source; a run that is under way ends.
func (s *Store) PauseSource(ctx context.Context, userID, id int64) error {
	return changed(s.db.ExecContext(ctx, `UPDATE sources SET paused = TRUE, updated_at = $1 WHERE id = $2 AND user_id = $3 AND removed_at = 0`, s.ms(), id, userID))
}

// RunSource lets the imports from a source go on, and makes it due at once, or when its server wants. While an admin holds
// it, it is due once they let it go.
func (s *Store) RunSource(ctx context.Context, userID, id int64) error {
	return changed(s.db.ExecContext(ctx, `
		UPDATE sources SET paused = FALSE, failures = 0, next_at = not_before, updated_at = $1 WHERE id = $2 AND user_id = $3 AND removed_at = 0`, s.ms(), id, userID))
}

// RemoveSource ends the imports from a source and forgets its secrets. The ledger stays for 30 days (P23).
func (s *Store) RemoveSource(ctx context.Context, userID, id int64) error {
	return changed(s.db.ExecContext(ctx, `
		UPDATE sources SET removed_at = $1, cred = NULL, target_cred = NULL, updated_at = $1 WHERE id = $2 AND user_id = $3 AND removed_at = 0`, s.ms(), id, userID))
}

const day = 24 * time.Hour

// SweepSources forgets what was removed 30 days ago, and all but the last 50 runs of each source.
func (s *Store) SweepSources(ctx context.Context) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM sources WHERE removed_at > 0 AND removed_at < $1`, s.ms()-(30*day).Milliseconds())
	_, runs := s.db.ExecContext(ctx, `DELETE FROM import_runs WHERE id NOT IN (SELECT id FROM (
		SELECT id, ROW_NUMBER() OVER (PARTITION BY source_id ORDER BY id DESC) AS n FROM import_runs) AS numbered WHERE n <= 50)`)
	return errors.Join(err, runs)
}

// SourceIDs are the ids of all sources that were not removed.
func (s *Store) SourceIDs(ctx context.Context) (map[int64]bool, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id FROM sources WHERE removed_at = 0`)
	list, err := collect(rows, err, func(r *sql.Rows) (id int64, err error) { return id, r.Scan(&id) })
	ids := map[int64]bool{}
	for _, id := range list {
		ids[id] = true
	}
	return ids, err
}

// forgotten is how long nobody signs in until a user's imports rest (P16).
const forgotten = 90 * day

// DueSources are the ids of sources that a worker should look at now.
func (s *Store) DueSources(ctx context.Context) ([]int64, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT o.id FROM sources o JOIN users u ON u.id = o.user_id
		WHERE NOT o.paused AND NOT o.held AND NOT `+importsHeld+` AND o.removed_at = 0 AND o.next_at <= $1 AND o.taken_until < $1 AND u.seen_at > $2 AND NOT u.locked ORDER BY o.next_at LIMIT 1000`, s.ms(), s.ms()-forgotten.Milliseconds())
	return collect(rows, err, func(r *sql.Rows) (id int64, err error) { return id, r.Scan(&id) })
}

// TakeSource claims a source that is due for node until lease ends. ErrNotFound when there is nothing to do: it is
// another's, or another source of its user is being read.
func (s *Store) TakeSource(ctx context.Context, id int64, node string, lease time.Duration) (Source, error) {
	var o Source
	err := s.InTx(ctx, func(tx *sql.Tx) error {
		now := s.ms()
		// The user's row is locked, so that no two of their sources are taken at once.
		var userID int64
		err := tx.QueryRowContext(ctx, `UPDATE users SET seen_at = seen_at WHERE id = (SELECT user_id FROM sources WHERE id = $1) AND seen_at > $2 AND NOT locked RETURNING id`, id, now-forgotten.Milliseconds()).Scan(&userID)
		if err != nil {
			return one(err)
		}
		o, err = s.scanSource(tx.QueryRowContext(ctx, `
			UPDATE sources SET taken_by = $1, taken_until = $2, updated_at = $3
			WHERE id = $4 AND NOT paused AND NOT held AND NOT `+importsHeld+` AND removed_at = 0 AND next_at <= $3 AND taken_until < $3
			AND NOT EXISTS (SELECT 1 FROM sources other WHERE other.user_id = $5 AND other.id <> $4 AND other.taken_until >= $3)
			RETURNING `+sourceColumns, node, now+lease.Milliseconds(), now, id, userID))
		return one(err)
	})
	return o, err
}

// HoldSource puts the end of node's lease on a source off. ErrNotFound: it is to stop, for the source was paused,
// removed or taken over, or its user is locked.
func (s *Store) HoldSource(ctx context.Context, id int64, node string, lease time.Duration) error {
	return changed(s.db.ExecContext(ctx, `UPDATE sources SET taken_until = $1 WHERE id = $2 AND taken_by = $3 AND NOT paused AND NOT held AND NOT `+importsHeld+` AND removed_at = 0 AND user_id NOT IN `+lockedOut, s.ms()+lease.Milliseconds(), id, node))
}

// FinishSource lets go of a source, with how its run ended and when it is due again.
func (s *Store) FinishSource(ctx context.Context, o Source, node string) error {
	return changed(s.db.ExecContext(ctx, `
		UPDATE sources SET taken_by = '', taken_until = 0, updated_at = $1, paused = paused OR $2, problem = $3, failures = $4,
			next_at = $5, not_before = $6, server = $7, server_text = $8, no_uidl = $9
		WHERE id = $10 AND taken_by = $11`,
		s.ms(), o.Paused, o.Problem, o.Failures, toMS(o.NextAt), toMS(o.NotBefore), o.Server, o.ServerText, o.NoUIDL, o.ID, node))
}

// LetGoOfSources ends the leases of a node that surely lives no more.
func (s *Store) LetGoOfSources(ctx context.Context, node string) error {
	_, err := s.db.ExecContext(ctx, `UPDATE sources SET taken_by = '', taken_until = 0 WHERE taken_by = $1`, node)
	return err
}
