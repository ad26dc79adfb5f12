package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"
)

// OutboxState is where an outbox item stands. PROTOCOLS T13 and T14 have the table.
type OutboxState string

// The states of an outbox item. Waiting, Connecting and Data may be sent again by themselves; Dot never.
const (
	Held       OutboxState = "held"       // in the undo window, or scheduled
	Waiting    OutboxState = "waiting"    // to be tried at NextAt
	Connecting OutboxState = "connecting" // a worker is talking to the server
	Data       OutboxState = "data"       // the text is on its way
	Dot        OutboxState = "dot"        // written before the final dot is: its fate may be unknown
	Accepted   OutboxState = "accepted"   // the server said yes; the copy in Sent is still to be made
	Sent       OutboxState = "sent"
	Partly     OutboxState = "partly"
	Rejected   OutboxState = "rejected"
	SignIn     OutboxState = "signin"
	BadFrom    OutboxState = "identity"
	TooBig     OutboxState = "toobig"
	Config     OutboxState = "config" // no such host, certificate, encryption missing
	Uncertain  OutboxState = "uncertain"
	Undone     OutboxState = "undone" // taken back, or dropped by the person
)

// OutboxItem is a mail accepted from its writer and not yet proven sent.
type OutboxItem struct {
	ID, UserID, AccountID int64
	DraftID               string
	State                 OutboxState
	DueAt                 time.Time
	BlobID                string
	Size                  int64
	Skip                  int64 // octets at the start of the blob that are for the Sent copy alone (Bcc)
	From                  string
	Recipients            []string
	Reached               []string // those for whom the server has taken it: never sent to again
	Perhaps               []string // those whom the text with the uncertain final dot was for
	Subject, MessageID    string
	AnswerKind            string
	AnswerAccount         int64 // where what is answered lies; 0 is AccountID
	AnswerMailbox         string
	AnswerValidity        uint32
	AnswerUID             uint32
	IdentityID            int64  // by whose own server it goes out; 0 is that of the account
	Cred                  []byte // sealed for this item
	Tries                 int
	FirstTry, NextAt      time.Time
	Results               map[string]string // recipient refused for good -> the server's words
	Problem               string            // outcome kind, for the words on the page
	Server, ServerText    string
	Filed                 bool
	Looks                 int    // how often an uncertain mail was looked for since
	Looked                string // where, at the last time, with spaces between: sent, inbox
	JobID                 int64
	Created, Updated      time.Time
	Later                 string // the wall clock and zone that its writer chose: "2027-03-29T08:00 Europe/Vienna"; "" for at once
	Receipts              bool   // the server is to tell of each delivery (RFC 3461)
}

// GaveUp is the Problem of a rejected item that was tried for as long as one is.
const GaveUp = "gave-up"

// Problems of a sent item, told until the person has seen them: it was uncertain until it was found.
const (
	FoundInSent  = "found-sent"
	FoundInInbox = "found-inbox"
	FoundAnswer  = "found-answer" // a mail has come that names it
	Untold       = "untold"       // it was sent, but the server tells of no deliveries as was wished
)

// Left are the recipients who are still to be sent to: neither reached nor refused.
func (o OutboxItem) Left() (left []string) {
	for _, r := range o.Recipients {
		if _, refused := o.Results[r]; !refused && !slices.Contains(o.Reached, r) {
			left = append(left, r)
		}
	}
	return left
}

const outboxColumns = `id, user_id, account_id, draft_id, state, due_at, blob_id, size, skip, mail_from, recipients, reached, perhaps, subject, message_id,
	answer_kind, answer_account, answer_mailbox, answer_validity, answer_uid, cred, tries, first_try_at, next_at, results, problem, server, server_text, filed, looks, looked, job_id, created_at, updated_at, later, receipts, identity_id`

func scanOutbox(r interface{ Scan(...any) error }) (o OutboxItem, err error) {
	var rcpts, reached, perhaps, results string
	var due, first, next, created, updated int64
	err = r.Scan(&o.ID, &o.UserID, &o.AccountID, &o.DraftID, &o.State, &due, &o.BlobID, &o.Size, &o.Skip, &o.From, &rcpts, &reached, &perhaps, &o.Subject, &o.MessageID,
		&o.AnswerKind, &o.AnswerAccount, &o.AnswerMailbox, &o.AnswerValidity, &o.AnswerUID, &o.Cred, &o.Tries, &first, &next, &results, &o.Problem, &o.Server, &o.ServerText, &o.Filed, &o.Looks, &o.Looked, &o.JobID, &created, &updated, &o.Later, &o.Receipts, &o.IdentityID)
	if err != nil {
		return o, err
	}
	o.DueAt, o.FirstTry, o.NextAt, o.Created, o.Updated = fromMS(due), fromMS(first), fromMS(next), fromMS(created), fromMS(updated)
	return o, errors.Join(json.Unmarshal([]byte(rcpts), &o.Recipients), json.Unmarshal([]byte(reached), &o.Reached),
		json.Unmarshal([]byte(perhaps), &o.Perhaps), json.Unmarshal([]byte(results), &o.Results))
}

// Sending are the Message-IDs of all mails that were ever put into a user's outbox and are kept there.
func (s *Store) Sending(ctx context.Context, userID int64) ([]string, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT message_id FROM outbox WHERE user_id = $1`, userID)
	return collect(rows, err, func(r *sql.Rows) (id string, err error) { return id, r.Scan(&id) })
}

// EnqueueTx puts an item into the outbox and marks its draft sent, in the caller's transaction. ErrNotFound: the draft
// is not open, so that it was sent before.
func (s *Store) EnqueueTx(ctx context.Context, tx *sql.Tx, o OutboxItem) (int64, error) {
	rcpts, err := json.Marshal(o.Recipients)
	if err != nil {
		return 0, err
	}
	err = tx.QueryRowContext(ctx, `
		INSERT INTO outbox (user_id, account_id, draft_id, state, due_at, blob_id, size, skip, mail_from, recipients, subject, message_id,
			answer_kind, answer_mailbox, answer_validity, answer_uid, cred, created_at, updated_at, answer_account, later, receipts, identity_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $18, $19, $20, $21, $22) RETURNING id`,
		o.UserID, o.AccountID, o.DraftID, Held, toMS(o.DueAt), o.BlobID, o.Size, o.Skip, o.From, string(rcpts), o.Subject, o.MessageID,
		o.AnswerKind, o.AnswerMailbox, o.AnswerValidity, o.AnswerUID, o.Cred, s.ms(), o.AnswerAccount, o.Later, o.Receipts, o.IdentityID).Scan(&o.ID)
	if err != nil {
		return 0, err
	}
	return o.ID, changed(tx.ExecContext(ctx, `UPDATE drafts SET state = 'sent', updated_at = $1 WHERE id = $2 AND user_id = $3 AND state = 'open'`, s.ms(), o.DraftID, o.UserID))
}

// Sending is one mail that was accepted for sending.
type Sending struct {
	At         time.Time
	Recipients int
}

// SendingTx lists what a user has sent, or is about to, from a time on, the oldest first. What was taken back in time does
// not count.
func (s *Store) SendingTx(ctx context.Context, tx *sql.Tx, userID int64, from time.Time) ([]Sending, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT created_at, recipients FROM outbox WHERE user_id = $1 AND created_at >= $2 AND (state <> 'undone' OR tries > 0 OR reached <> '[]') ORDER BY id`,
		userID, toMS(from))
	return collect(rows, err, func(r *sql.Rows) (Sending, error) {
		var at int64
		var rcpts string
		if err := r.Scan(&at, &rcpts); err != nil {
			return Sending{}, err
		}
		var to []string
		err := json.Unmarshal([]byte(rcpts), &to)
		return Sending{At: fromMS(at), Recipients: len(to)}, err
	})
}

// SetOutboxCredTx stores the credential of a new item, sealed to its id, and its job.
func (s *Store) SetOutboxCredTx(ctx context.Context, tx *sql.Tx, id int64, cred []byte, jobID int64) error {
	return changed(tx.ExecContext(ctx, `UPDATE outbox SET cred = $1, job_id = $2 WHERE id = $3`, cred, jobID, id))
}

// ResealOutboxTx gives the items of an account that are not sent yet other credentials, made of those that they have.
func (s *Store) ResealOutboxTx(ctx context.Context, tx *sql.Tx, userID, accountID int64, reseal func(id int64, cred []byte) []byte) error {
	rows, err := tx.QueryContext(ctx, `SELECT id, cred FROM outbox WHERE user_id = $1 AND account_id = $2 AND state NOT IN ('sent', 'undone')`, userID, accountID)
	items, err := collect(rows, err, func(r *sql.Rows) (o OutboxItem, err error) {
		err = r.Scan(&o.ID, &o.Cred)
		return o, err
	})
	for _, o := range items {
		if err == nil {
			_, err = tx.ExecContext(ctx, `UPDATE outbox SET cred = $1 WHERE id = $2 AND user_id = $3`, reseal(o.ID, o.Cred), o.ID, userID)
		}
	}
	return err
}

// OutboxItem is a user's item, or ErrNotFound.
func (s *Store) OutboxItem(ctx context.Context, userID, id int64) (OutboxItem, error) {
	o, err := scanOutbox(s.db.QueryRowContext(ctx, `SELECT `+outboxColumns+` FROM outbox WHERE id = $1 AND user_id = $2`, id, userID))
	return o, one(err)
}

// OutboxItemForJob is an item by its id alone: for workers, never for a request.
func (s *Store) OutboxItemForJob(ctx context.Context, id int64) (OutboxItem, error) {
	o, err := scanOutbox(s.db.QueryRowContext(ctx, `SELECT `+outboxColumns+` FROM outbox WHERE id = $1`, id))
	return o, one(err)
}

// Outbox lists a user's items that are not done with, the newest first, and those sent of which there is something to tell.
func (s *Store) Outbox(ctx context.Context, userID int64) ([]OutboxItem, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT `+outboxColumns+` FROM outbox WHERE user_id = $1
		AND (state NOT IN ('sent', 'undone') OR state = 'sent' AND problem IN ('found-sent', 'found-inbox', 'found-answer', 'untold')) ORDER BY id DESC LIMIT 200`, userID)
	return collect(rows, err, func(r *sql.Rows) (OutboxItem, error) { return scanOutbox(r) })
}

// Behind is what goes on behind a page.
type Behind struct {
	Outbox  int  // items that wait for something: the number beside "Outbox"
	Work    bool // NewestWork has something to tell
	Waiting int  // acts that wait for the mail server
	Missed  bool // TellWaiting has something to tell
}

// Behind tells, for every page, what goes on behind it.
func (s *Store) Behind(ctx context.Context, userID, accountID int64) (b Behind, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT
		(SELECT COUNT(*) FROM outbox WHERE user_id = $1 AND state NOT IN ('sent', 'undone')),
		EXISTS (SELECT 1 FROM work WHERE user_id = $1 AND NOT told),
		(SELECT COUNT(*) FROM waiting_acts WHERE user_id = $1 AND account_id = $2 AND problem = ''),
		EXISTS (SELECT 1 FROM waiting_acts WHERE user_id = $1 AND problem <> '')`, userID, accountID).Scan(&b.Outbox, &b.Work, &b.Waiting, &b.Missed)
	return b, err
}

// InvitationAnswer is the newest answer to an invitation at that place that was given in the last days and not taken back,
// or ErrNotFound.
func (s *Store) InvitationAnswer(ctx context.Context, userID, accountID int64, mailbox string, validity, uid uint32) (OutboxItem, error) {
	o, err := scanOutbox(s.db.QueryRowContext(ctx, `
		SELECT `+outboxColumns+` FROM outbox WHERE user_id = $1 AND (answer_account = $2 OR answer_account = 0 AND account_id = $2) AND answer_mailbox = $3 AND answer_validity = $4 AND answer_uid = $5
		AND answer_kind IN ('accepted', 'tentative', 'declined') AND state <> 'undone' ORDER BY id DESC LIMIT 1`, userID, accountID, mailbox, validity, uid))
	return o, one(err)
}

// ReceiptKind is the AnswerKind of a receipt: that a mail was read.
const ReceiptKind = "receipt"

// RedirectKind is the AnswerKind of a mail that is sent on as it came. Its MessageID is the Resent-Message-ID: the mail
// itself has the one that it came with.
const RedirectKind = "redirect"

// ReceiptItem is the receipt for the mail at that place that was sent in the last days, or is about to be, or ErrNotFound.
func (s *Store) ReceiptItem(ctx context.Context, userID, accountID int64, mailbox string, validity, uid uint32) (OutboxItem, error) {
	o, err := scanOutbox(s.db.QueryRowContext(ctx, `
		SELECT `+outboxColumns+` FROM outbox WHERE user_id = $1 AND answer_account = $2 AND answer_mailbox = $3 AND answer_validity = $4 AND answer_uid = $5
		AND answer_kind = 'receipt' AND state <> 'undone' ORDER BY id DESC LIMIT 1`, userID, accountID, mailbox, validity, uid))
	return o, one(err)
}

// RescheduleOutbox lets due say anew when each item that goes out later is due, by its Later, and gives those that it moved.
func (s *Store) RescheduleOutbox(ctx context.Context, due func(later string) (time.Time, error)) (moved []OutboxItem, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+outboxColumns+` FROM outbox WHERE state = 'held' AND later <> '' ORDER BY id`)
	items, err := collect(rows, err, func(r *sql.Rows) (OutboxItem, error) { return scanOutbox(r) })
	for _, o := range items {
		at, dueErr := due(o.Later)
		if dueErr != nil || at.Equal(o.DueAt) {
			continue
		}
		o.DueAt = at
		switch upErr := changed(s.db.ExecContext(ctx, `UPDATE outbox SET due_at = $1 WHERE id = $2 AND state = 'held'`, toMS(at), o.ID)); {
		case upErr == nil:
			moved = append(moved, o)
		case !errors.Is(upErr, ErrNotFound): // else it is on its way
			return moved, upErr
		}
	}
	return moved, err
}

// TakeOutbox claims an item for node until lease ends: held, waiting and accepted ones, uncertain ones to be looked for, and
// those a dead worker left.
// It gives ErrNotFound when there is nothing to do (undone, already sent, claimed by another).
func (s *Store) TakeOutbox(ctx context.Context, id int64, node string, lease time.Duration) (OutboxItem, error) {
	now := s.ms()
	o, err := scanOutbox(s.db.QueryRowContext(ctx, `
		UPDATE outbox SET taken_by = $1, taken_until = $2, updated_at = $3,
			first_try_at = CASE WHEN first_try_at = 0 THEN $3 ELSE first_try_at END,
			state = CASE WHEN state = 'dot' THEN 'uncertain' WHEN state IN ('held', 'waiting', 'data') THEN 'connecting' ELSE state END
		WHERE id = $4 AND user_id NOT IN `+lockedOut+` AND (
			(state = 'held' AND due_at <= $3) OR (state = 'waiting' AND next_at <= $3) OR (state = 'accepted' AND taken_until < $3 AND next_at <= $3)
			OR (state IN ('connecting', 'data', 'dot') AND taken_until < $3) OR (state = 'uncertain' AND next_at > 0 AND next_at <= $3 AND taken_until < $3))
		RETURNING `+outboxColumns, node, now+lease.Milliseconds(), now, id))
	return o, one(err)
}

// SetOutboxStep records, durably, that the item a worker holds has reached a step, and at the final dot whom the text is for.
func (s *Store) SetOutboxStep(ctx context.Context, id int64, node string, state OutboxState, perhaps []string) error {
	return changed(s.db.ExecContext(ctx, `UPDATE outbox SET state = $1, perhaps = $2, updated_at = $3 WHERE id = $4 AND taken_by = $5`,
		state, list(perhaps), s.ms(), id, node))
}

// list is how a list of addresses is kept.
func list(addrs []string) string {
	raw, err := json.Marshal(append([]string{}, addrs...))
	if err != nil {
		panic(err) // strings
	}
	return string(raw)
}

// HoldOutbox puts the end of node's lease on an item off.
func (s *Store) HoldOutbox(ctx context.Context, id int64, node string, lease time.Duration) error {
	return changed(s.db.ExecContext(ctx, `UPDATE outbox SET taken_until = $1 WHERE id = $2 AND taken_by = $3`, s.ms()+lease.Milliseconds(), id, node))
}

// RecordOutbox records how far a try has come; the item stays with node.
func (s *Store) RecordOutbox(ctx context.Context, o OutboxItem, node string) error {
	results, err := json.Marshal(o.Results)
	if err != nil {
		return err
	}
	return changed(s.db.ExecContext(ctx, `
		UPDATE outbox SET state = $1, tries = $2, results = $3, problem = $4, server = $5, server_text = $6, reached = $7, perhaps = $8, updated_at = $9
		WHERE id = $10 AND taken_by = $11`,
		string(o.State), o.Tries, string(results), o.Problem, o.Server, o.ServerText, list(o.Reached), list(o.Perhaps), s.ms(), o.ID, node))
}

// RecordLook records what a look for an uncertain item came to, and lets go of it unless it was found. ErrNotFound: the
// person, or another worker, did something about it since node took it.
func (s *Store) RecordLook(ctx context.Context, o OutboxItem, node string) error {
	return changed(s.db.ExecContext(ctx, `
		UPDATE outbox SET state = $1, reached = $2, perhaps = $3, problem = $4, server_text = $5, next_at = $6, looks = $7, looked = $8, updated_at = $9,
			taken_by = CASE WHEN $1 = 'uncertain' THEN '' ELSE taken_by END, taken_until = CASE WHEN $1 = 'uncertain' THEN 0 ELSE taken_until END
		WHERE id = $10 AND taken_by = $11 AND state = 'uncertain' AND updated_at = $12`,
		string(o.State), list(o.Reached), list(o.Perhaps), o.Problem, o.ServerText, toMS(o.NextAt), o.Looks, o.Looked, s.ms(), o.ID, node, toMS(o.Updated)))
}

// SeenOutbox ends the telling of an item that was found to be sent.
func (s *Store) SeenOutbox(ctx context.Context, userID, id int64) error {
	return changed(s.db.ExecContext(ctx, `UPDATE outbox SET problem = '' WHERE id = $1 AND user_id = $2 AND state = 'sent'`, id, userID))
}

// FinishOutbox records the outcome of a try and lets go of the item.
func (s *Store) FinishOutbox(ctx context.Context, o OutboxItem, node string) error {
	results, err := json.Marshal(o.Results)
	if err != nil {
		return err
	}
	return changed(s.db.ExecContext(ctx, `
		UPDATE outbox SET state = $1, tries = $2, next_at = $3, results = $4, problem = $5, server = $6, server_text = $7, filed = $8, reached = $9, perhaps = $10, looks = $14, looked = $15,
			taken_by = '', taken_until = 0, updated_at = $11, cred = CASE WHEN $1 IN ('sent', 'undone') THEN NULL ELSE cred END
		WHERE id = $12 AND taken_by = $13`,
		string(o.State), o.Tries, toMS(o.NextAt), string(results), o.Problem, o.Server, o.ServerText, o.Filed, list(o.Reached), list(o.Perhaps), s.ms(), o.ID, node, o.Looks, o.Looked))
}

// UndoOutbox takes an item back while no worker has it; its draft opens again. Of a mail that has reached some already,
// left gives the draft's fields without them. ErrNotFound: too late, or not the user's.
func (s *Store) UndoOutbox(ctx context.Context, userID, id int64, left func(f DraftFields, reached []string) DraftFields) (draftID string, err error) {
	err = s.InTx(ctx, func(tx *sql.Tx) error {
		o, err := scanOutbox(tx.QueryRowContext(ctx, `
			UPDATE outbox SET state = 'undone', cred = NULL, updated_at = $1 WHERE id = $2 AND user_id = $3
			AND state IN ('held', 'waiting', 'rejected', 'signin', 'identity', 'toobig', 'config', 'uncertain', 'partly') RETURNING `+outboxColumns, s.ms(), id, userID))
		if err != nil {
			return one(err)
		}
		draftID = o.DraftID
		d, err := scanDraft(tx.QueryRowContext(ctx, `
			UPDATE drafts SET state = 'open', updated_at = $1 WHERE id = $2 AND user_id = $3 RETURNING `+draftColumns, s.ms(), draftID, userID))
		if err != nil || len(o.Reached) == 0 {
			return one(err)
		}
		fields, err := json.Marshal(left(d.Fields, o.Reached))
		if err != nil {
			return err
		}
		return changed(tx.ExecContext(ctx, `UPDATE drafts SET fields = $1, rev = rev + 1 WHERE id = $2 AND user_id = $3`, string(fields), draftID, userID))
	})
	return draftID, err
}

// SetRecipientsTx leaves only these recipients of a mail that was refused as a whole. The mail itself names all still.
func (s *Store) SetRecipientsTx(ctx context.Context, tx *sql.Tx, userID, id int64, only []string) error {
	rcpts, err := json.Marshal(only)
	if err != nil {
		return err
	}
	return changed(tx.ExecContext(ctx, `UPDATE outbox SET recipients = $1, results = '{}' WHERE id = $2 AND user_id = $3 AND state = 'rejected'`, string(rcpts), id, userID))
}

// SetOutboxServerTx has a mail that is not sent go out by the own server of an identity, or by that of its account (0).
func (s *Store) SetOutboxServerTx(ctx context.Context, tx *sql.Tx, userID, id, identity int64) error {
	return changed(tx.ExecContext(ctx, `UPDATE outbox SET identity_id = $1 WHERE id = $2 AND user_id = $3 AND state NOT IN ('sent', 'undone')`, identity, id, userID))
}

// RetryOutboxTx makes an item due now for all whom it has not reached, with a fresh credential when one is given.
func (s *Store) RetryOutboxTx(ctx context.Context, tx *sql.Tx, userID, id int64, cred []byte) error {
	return changed(tx.ExecContext(ctx, `
		UPDATE outbox SET state = 'waiting', next_at = 0, problem = '', server_text = '', first_try_at = 0, perhaps = '[]', cred = COALESCE($1, cred), updated_at = $2,
			results = CASE WHEN state IN ('rejected', 'partly') THEN '{}' ELSE results END
		WHERE id = $3 AND user_id = $4 AND state IN ('held', 'waiting', 'rejected', 'signin', 'identity', 'toobig', 'config', 'uncertain', 'partly')`, cred, s.ms(), id, userID))
}

// RedateOutboxTx lets an item that was to go out later go out at once: with another text, which has the date of now.
func (s *Store) RedateOutboxTx(ctx context.Context, tx *sql.Tx, userID, id int64, blobID string) error {
	return changed(tx.ExecContext(ctx, `UPDATE outbox SET blob_id = $1, later = '' WHERE id = $2 AND user_id = $3 AND state = 'held'`, blobID, id, userID))
}

// ArrivedOutbox takes the person's word that an uncertain mail has arrived: what follows a sent one is due now.
func (s *Store) ArrivedOutbox(ctx context.Context, userID, id int64) error {
	return s.InTx(ctx, func(tx *sql.Tx) error {
		o, err := scanOutbox(tx.QueryRowContext(ctx, `
			UPDATE outbox SET state = 'accepted', next_at = 0, taken_until = 0, problem = '', server_text = '', updated_at = $1
			WHERE id = $2 AND user_id = $3 AND state = 'uncertain' RETURNING `+outboxColumns, s.ms(), id, userID))
		if err != nil {
			return one(err)
		}
		o.Arrived()
		return changed(tx.ExecContext(ctx, `UPDATE outbox SET reached = $1, perhaps = '[]' WHERE id = $2`, list(o.Reached), id))
	})
}

// Arrived notes that the text with the uncertain final dot came through.
func (o *OutboxItem) Arrived() {
	if len(o.Perhaps) == 0 { // from before it was written down whom the text was for
		o.Perhaps = o.Left()
	}
	o.Reached, o.Perhaps = append(o.Reached, o.Perhaps...), nil
}

// LookOutbox lets an uncertain mail be looked for anew, from now on.
func (s *Store) LookOutbox(ctx context.Context, userID, id int64) error {
	return changed(s.db.ExecContext(ctx, `UPDATE outbox SET looks = 0, next_at = $1 WHERE id = $2 AND user_id = $3 AND state = 'uncertain'`, s.ms(), id, userID))
}

// SettleOutbox ends an item by the person's word: sent (enough people got it) or undone.
func (s *Store) SettleOutbox(ctx context.Context, userID, id int64, state OutboxState) error {
	return changed(s.db.ExecContext(ctx, `
		UPDATE outbox SET state = $1, cred = NULL, updated_at = $2 WHERE id = $3 AND user_id = $4
		AND state IN ('held', 'waiting', 'rejected', 'signin', 'identity', 'toobig', 'config', 'uncertain', 'partly')`, state, s.ms(), id, userID))
}

// DueOutbox lists items that a worker should look at by until: for the wake-up after a restart.
func (s *Store) DueOutbox(ctx context.Context, until time.Time) ([]OutboxItem, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT `+outboxColumns+` FROM outbox WHERE user_id NOT IN `+lockedOut+` AND ((state = 'held' AND due_at <= $1) OR (state = 'waiting' AND next_at <= $1)
		OR (state IN ('connecting', 'data', 'dot') AND taken_until < $2) OR (state = 'accepted' AND taken_until < $2 AND next_at <= $2)
		OR (state = 'uncertain' AND next_at > 0 AND next_at <= $2 AND taken_until < $2)) ORDER BY id LIMIT 1000`, toMS(until), s.ms())
	return collect(rows, err, func(r *sql.Rows) (OutboxItem, error) { return scanOutbox(r) })
}

// SweepOutbox removes items that were sent or undone more than 7 days ago.
func (s *Store) SweepOutbox(ctx context.Context) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM outbox WHERE state IN ('sent', 'undone') AND updated_at < $1`, s.ms()-7*24*3600*1000)
	return err
}
