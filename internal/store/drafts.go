package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"
)

// Draft is a mail being written: Restante's own copy, which an IMAP outage cannot touch.
type Draft struct {
	ID                string
	UserID, AccountID int64
	Rev               int64 // counts saves, from 1
	Fields            DraftFields
	IMAP              DraftCopy
	State             string // open, sent, discarded
	WrittenBy         string // the session that wrote last, by its hash; "" when that is not known
	Created, Updated  time.Time
}

// DraftFields are what the compose form holds, and what the mail answers.
type DraftFields struct {
	IdentityID int64  `json:"identity,omitempty"`
	As         string `json:"as,omitempty"` // the address, where the identity makes one on the fly
	To         string `json:"to,omitempty"`
	Cc         string `json:"cc,omitempty"`
	Bcc        string `json:"bcc,omitempty"`
	Subject    string `json:"subject,omitempty"`
	Body       string `json:"body,omitempty"` // text
	HTML       string `json:"html,omitempty"` // "" = plain text mail

	InReplyTo  string   `json:"in_reply_to,omitempty"`
	References []string `json:"references,omitempty"`
	// What is answered or forwarded, to be marked when sent.
	AnswerKind     string `json:"answer_kind,omitempty"`    // reply, replyall, forward; accepted, tentative, declined; receipt
	AnswerAccount  int64  `json:"answer_account,omitempty"` // where it lies; 0 is the draft's own
	AnswerMailbox  string `json:"answer_mailbox,omitempty"`
	AnswerValidity uint32 `json:"answer_validity,omitempty"`
	AnswerUID      uint32 `json:"answer_uid,omitempty"`
	AnswerID       string `json:"answer_id,omitempty"` // Message-ID of what is forwarded; that of what is answered is InReplyTo
	Carry          string `json:"carry,omitempty"`     // what of it is still to be taken into the draft: files, pictures, message
	Calendar       string `json:"calendar,omitempty"`  // the answer to an invitation, for its organiser's calendar
	Receipted      string `json:"receipted,omitempty"` // that a mail was read, for its sender's program

	Important bool `json:"important,omitempty"`
	Receipt   bool `json:"receipt,omitempty"`  // the reader is asked to say that they read it (RFC 8098)
	Delivery  bool `json:"delivery,omitempty"` // the servers are asked to tell of each delivery (RFC 3461)
}

// DraftCopy says where the copy in the IMAP Drafts mailbox lies, and which revision it has.
type DraftCopy struct {
	Mailbox       string
	Validity, UID uint32
	Rev           int64
}

const draftColumns = `id, user_id, account_id, rev, fields, imap_mailbox, imap_validity, imap_uid, imap_rev, state, written_by, created_at, updated_at`

func scanDraft(r interface{ Scan(...any) error }) (d Draft, err error) {
	var fields string
	var created, updated int64
	err = r.Scan(&d.ID, &d.UserID, &d.AccountID, &d.Rev, &fields, &d.IMAP.Mailbox, &d.IMAP.Validity, &d.IMAP.UID, &d.IMAP.Rev, &d.State, &d.WrittenBy, &created, &updated)
	if err != nil {
		return d, err
	}
	d.Created, d.Updated = fromMS(created), fromMS(updated)
	return d, json.Unmarshal([]byte(fields), &d.Fields)
}

// CreateDraft keeps a new draft, under its id or, where it has none, one that it is given. ErrExists: that id is taken.
func (s *Store) CreateDraft(ctx context.Context, d Draft) (Draft, error) {
	if d.Rev, d.State = 1, "open"; d.ID == "" {
		d.ID = NewID()
	}
	fields, err := json.Marshal(d.Fields)
	if err != nil {
		return d, err
	}
	err = changed(s.db.ExecContext(ctx, `
		INSERT INTO drafts (id, user_id, account_id, fields, imap_mailbox, imap_validity, imap_uid, written_by, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) ON CONFLICT (id) DO NOTHING`,
		d.ID, d.UserID, d.AccountID, string(fields), d.IMAP.Mailbox, d.IMAP.Validity, d.IMAP.UID, d.WrittenBy, s.ms()))
	if errors.Is(err, ErrNotFound) {
		err = ErrExists
	}
	return d, err
}

// ErrExists means that a draft of that id was made before.
var ErrExists = errors.New("a draft of this id exists")

// Draft is an open draft of the user, or ErrNotFound.
func (s *Store) Draft(ctx context.Context, userID int64, id string) (Draft, error) {
	d, err := scanDraft(s.db.QueryRowContext(ctx, `SELECT `+draftColumns+` FROM drafts WHERE id = $1 AND user_id = $2`, id, userID))
	return d, one(err)
}

// DraftAt is the open draft whose IMAP copy is that mail, or ErrNotFound.
func (s *Store) DraftAt(ctx context.Context, userID, accountID int64, c DraftCopy) (Draft, error) {
	d, err := scanDraft(s.db.QueryRowContext(ctx, `
		SELECT `+draftColumns+` FROM drafts WHERE user_id = $1 AND account_id = $2 AND state = 'open'
		AND imap_mailbox = $3 AND imap_validity = $4 AND imap_uid = $5`, userID, accountID, c.Mailbox, c.Validity, c.UID))
	return d, one(err)
}

// DiscardCopies throws away the open drafts whose copies were at these UIDs of a mailbox, and are there no more.
func (s *Store) DiscardCopies(ctx context.Context, userID, accountID int64, mailbox string, validity uint32, uids []uint32) error {
	rows, err := s.db.QueryContext(ctx, `SELECT `+draftColumns+` FROM drafts WHERE user_id = $1 AND account_id = $2 AND state = 'open' AND imap_mailbox = $3 AND imap_validity = $4`,
		userID, accountID, mailbox, validity)
	all, err := collect(rows, err, func(r *sql.Rows) (Draft, error) { return scanDraft(r) })
	errs := []error{err}
	for _, d := range all {
		if slices.Contains(uids, d.IMAP.UID) {
			errs = append(errs, s.SetDraftCopy(ctx, userID, d.ID, DraftCopy{}), s.SetDraftState(ctx, userID, d.ID, "discarded"))
		}
	}
	return errors.Join(errs...)
}

// SaveDraft writes the fields of a draft, as a session has them, and counts its revision up. A draft that was discarded
// opens again; one that was sent is ErrNotFound.
func (s *Store) SaveDraft(ctx context.Context, userID int64, id, by string, f DraftFields) (rev int64, err error) {
	fields, err := json.Marshal(f)
	if err != nil {
		return 0, err
	}
	err = s.db.QueryRowContext(ctx, `
		UPDATE drafts SET fields = $1, rev = rev + 1, updated_at = $2, state = 'open', written_by = $5 WHERE id = $3 AND user_id = $4 AND state <> 'sent' RETURNING rev`,
		string(fields), s.ms(), id, userID, by).Scan(&rev)
	return rev, one(err)
}

// MoveDraft puts a draft that is not sent into another account of its user. Where its copy lies is forgotten.
func (s *Store) MoveDraft(ctx context.Context, userID int64, id string, accountID int64) error {
	return changed(s.db.ExecContext(ctx, `
		UPDATE drafts SET account_id = $1, imap_mailbox = '', imap_validity = 0, imap_uid = 0, imap_rev = 0
		WHERE id = $2 AND user_id = $3 AND state <> 'sent' AND EXISTS (SELECT 1 FROM accounts WHERE id = $1 AND user_id = $3)`, accountID, id, userID))
}

// SetDraftCopy remembers where the IMAP copy of a revision lies. A zero copy means there is none. ErrNotFound: the draft
// is no longer open, and gets none.
func (s *Store) SetDraftCopy(ctx context.Context, userID int64, id string, c DraftCopy) error {
	return changed(s.db.ExecContext(ctx, `
		UPDATE drafts SET imap_mailbox = $1, imap_validity = $2, imap_uid = $3, imap_rev = $4 WHERE id = $5 AND user_id = $6 AND ($1 = '' OR state = 'open')`,
		c.Mailbox, c.Validity, c.UID, c.Rev, id, userID))
}

// SetDraftState marks a draft open, sent or discarded.
func (s *Store) SetDraftState(ctx context.Context, userID int64, id, state string) error {
	return changed(s.db.ExecContext(ctx, `UPDATE drafts SET state = $1, updated_at = $2 WHERE id = $3 AND user_id = $4`, state, s.ms(), id, userID))
}

// OpenDrafts lists a user's open drafts that have no copy in IMAP, or an older one, newest first, at most n. Another
// program's draft that was opened here has one until it is written on.
func (s *Store) OpenDrafts(ctx context.Context, userID int64, n int) ([]Draft, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT `+draftColumns+` FROM drafts WHERE user_id = $1 AND state = 'open' AND imap_rev < rev AND (imap_uid = 0 OR rev > 1)
		ORDER BY updated_at DESC LIMIT $2`, userID, n)
	return collect(rows, err, func(r *sql.Rows) (Draft, error) { return scanDraft(r) })
}

// RecentDrafts lists a user's open drafts, those written on last first, at most n.
func (s *Store) RecentDrafts(ctx context.Context, userID int64, n int) ([]Draft, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+draftColumns+` FROM drafts WHERE user_id = $1 AND state = 'open' ORDER BY updated_at DESC LIMIT $2`, userID, n)
	return collect(rows, err, func(r *sql.Rows) (Draft, error) { return scanDraft(r) })
}

// DiscardedDrafts lists what a user has thrown away, the latest first, at most n. What was never sent of answers that a
// program wrote is not among it.
func (s *Store) DiscardedDrafts(ctx context.Context, userID int64, n int) ([]Draft, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+draftColumns+` FROM drafts WHERE user_id = $1 AND state = 'discarded' ORDER BY updated_at DESC LIMIT $2`, userID, n)
	drafts, err := collect(rows, err, func(r *sql.Rows) (Draft, error) { return scanDraft(r) })
	return slices.DeleteFunc(drafts, func(d Draft) bool { return d.Fields.Calendar != "" }), err
}

// DropDraft removes a draft that was discarded, with its files.
func (s *Store) DropDraft(ctx context.Context, userID int64, id string) error {
	return changed(s.db.ExecContext(ctx, `DELETE FROM drafts WHERE id = $1 AND user_id = $2 AND state = 'discarded'`, id, userID))
}

// DiscardedFor is how long a draft that was thrown away can be brought back.
const DiscardedFor = 30 * 24 * time.Hour

// SweepDrafts removes drafts that were sent or discarded more than 30 days ago, with their uploads.
func (s *Store) SweepDrafts(ctx context.Context) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM drafts WHERE state <> 'open' AND updated_at < $1
		AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.draft_id = drafts.id)`, toMS(s.now().Add(-DiscardedFor)))
	return err
}

// Upload is a file of a draft.
type Upload struct {
	ID, DraftID, BlobID   string
	UserID                int64
	Name, Type, ContentID string
	Size                  int64
	Position              int
}

const uploadColumns = `id, user_id, draft_id, blob_id, name, type, size, content_id, position`

func scanUpload(r interface{ Scan(...any) error }) (u Upload, err error) {
	return u, r.Scan(&u.ID, &u.UserID, &u.DraftID, &u.BlobID, &u.Name, &u.Type, &u.Size, &u.ContentID, &u.Position)
}

// AddUpload joins a blob to a draft, both of the user, as its last file.
func (s *Store) AddUpload(ctx context.Context, u Upload) (Upload, error) {
	u.ID = NewID()
	return u, changed(s.db.ExecContext(ctx, newUpload, u.ID, u.BlobID, u.Name, u.Type, u.Size, u.ContentID, u.DraftID, u.UserID))
}

const newUpload = `
		INSERT INTO uploads (id, user_id, draft_id, blob_id, name, type, size, content_id, position)
		SELECT $1, d.user_id, d.id, b.id, $3, $4, $5, $6, (SELECT COALESCE(MAX(position) + 1, 0) FROM uploads WHERE draft_id = d.id)
		FROM drafts d JOIN blobs b ON b.user_id = d.user_id WHERE b.id = $2 AND d.id = $7 AND d.user_id = $8`

// Uploads lists the files of a draft in their order.
func (s *Store) Uploads(ctx context.Context, userID int64, draftID string) ([]Upload, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+uploadColumns+` FROM uploads WHERE draft_id = $1 AND user_id = $2 ORDER BY position, id`, draftID, userID)
	return collect(rows, err, func(r *sql.Rows) (Upload, error) { return scanUpload(r) })
}

// Upload is one file of a draft, or ErrNotFound.
func (s *Store) Upload(ctx context.Context, userID int64, draftID, id string) (Upload, error) {
	u, err := scanUpload(s.db.QueryRowContext(ctx, `SELECT `+uploadColumns+` FROM uploads WHERE id = $1 AND draft_id = $2 AND user_id = $3`, id, draftID, userID))
	return u, one(err)
}

// RemoveUpload takes a file off a draft.
func (s *Store) RemoveUpload(ctx context.Context, userID int64, draftID, id string) error {
	return changed(s.db.ExecContext(ctx, `DELETE FROM uploads WHERE id = $1 AND draft_id = $2 AND user_id = $3`, id, draftID, userID))
}

const draftBytes = `SELECT CAST((SELECT COALESCE(SUM(size), 0) FROM uploads WHERE user_id = $1) + (SELECT COALESCE(SUM(size), 0) FROM arriving WHERE user_id = $1 AND NOT done) AS BIGINT)`

// DraftBytes is how much a user's drafts hold in files, with those that are on their way.
func (s *Store) DraftBytes(ctx context.Context, userID int64) (n int64, err error) {
	err = s.db.QueryRowContext(ctx, draftBytes, userID).Scan(&n)
	return n, err
}
