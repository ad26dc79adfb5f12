package jobs

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"restante/internal/store"
	"restante/mailclient"
	"restante/mailclient/pop3"
)

// popLedger is the ledger of a source in the store.
type popLedger struct {
	store *store.Store
	hold  store.Hold
	tell  func()
	run   store.ImportRun
	told  time.Time
}

// within bounds a statement. A run that is to end still writes down what it has done.
func within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, time.Minute)
}

func stopped(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return pop3.ErrStopped
	}
	return err
}

// Load is part of pop3.Ledger, as are those below.
func (l *popLedger) Load(ctx context.Context, each func(pop3.Row) error) error {
	return l.store.Ledger(ctx, l.hold.SourceID, func(r store.LedgerRow) error { return each(popRow(r)) })
}

func (l *popLedger) Row(ctx context.Context, id int64) (pop3.Row, error) {
	r, err := l.store.LedgerRow(ctx, l.hold.SourceID, id)
	return popRow(r), err
}

func (l *popLedger) Add(ctx context.Context, rows []pop3.Row) error {
	ctx, cancel := within(ctx)
	defer cancel()
	out := storeRows(rows)
	err := l.store.AddLedger(ctx, l.hold, out)
	for i := range out {
		rows[i].ID = out[i].ID
	}
	return stopped(err)
}

func (l *popLedger) Save(ctx context.Context, rows ...pop3.Row) error {
	ctx, cancel := within(ctx)
	defer cancel()
	return stopped(l.store.SaveLedger(ctx, l.hold, storeRows(rows)))
}

func (l *popLedger) Mark(ctx context.Context, c pop3.Change, ids ...int64) error {
	ctx, cancel := within(ctx)
	defer cancel()
	return stopped(l.store.MarkLedger(ctx, l.hold, string(c.State), text(c.Words), c.Compare, ids))
}

func (l *popLedger) Progress(ctx context.Context, p pop3.Progress) error {
	if time.Since(l.told) < progressEvery {
		return nil
	}
	l.told = time.Now()
	ctx, cancel := within(ctx)
	defer cancel()
	l.count(p)
	if err := l.store.HoldSource(ctx, l.hold.SourceID, l.hold.Node, lease); err != nil {
		return stopped(err)
	}
	err := l.store.RecordRun(ctx, l.hold, l.run)
	l.tell()
	return stopped(err)
}

func (l *popLedger) count(p pop3.Progress) {
	l.run.Total, l.run.Done, l.run.Bytes, l.run.OfAll, l.run.Failed, l.run.Deleted = p.Total, p.Done, p.Bytes, p.OfAll, p.Failed, p.Deleted
}

func popRow(r store.LedgerRow) pop3.Row {
	return pop3.Row{
		ID: r.ID, UID: string(r.UIDL), Dup: r.Dup, KeyHash: string(r.KeyHash), ContentHash: string(r.ContentHash), Size: r.Size, State: pop3.State(r.State), Compare: r.Compare,
		Token: r.Token, Place: pop3.Place{Mailbox: r.Mailbox, UIDValidity: r.UIDValidity, UIDNext: r.UIDNext}, TargetUID: r.UID,
		Changed: r.ChangeAt, ImportedAt: r.Imported, Tries: r.Tries, LastError: r.LastError, Subject: r.Subject,
	}
}

func storeRows(rows []pop3.Row) []store.LedgerRow {
	out := make([]store.LedgerRow, len(rows))
	for i, r := range rows {
		out[i] = store.LedgerRow{
			ID: r.ID, UIDL: []byte(r.UID), Dup: r.Dup, KeyHash: []byte(r.KeyHash), ContentHash: []byte(r.ContentHash), Size: r.Size, State: string(r.State), Compare: r.Compare,
			Token: r.Token, Mailbox: r.Place.Mailbox, UIDValidity: r.Place.UIDValidity, UIDNext: r.Place.UIDNext, UID: r.TargetUID,
			Imported: r.ImportedAt, Tries: r.Tries, LastError: text(r.LastError), Subject: text(r.Subject),
		}
	}
	return out
}

// text is what a database takes as such.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

// popTarget is the IMAP mailbox that a source is imported into.
type popTarget struct {
	session *mailclient.Session
	source  store.Source
	refused string // why the mailbox could not be made
}

// Place is part of pop3.Target, as are those below. A mailbox that is not there is made; where that is refused the mails
// go to the inbox.
func (t *popTarget) Place(ctx context.Context) (pop3.Place, error) {
	at, err := t.session.Spot(ctx, t.source.Mailbox)
	if errors.Is(err, mailclient.ErrNoMailbox) {
		err = t.session.CreateMailbox(ctx, t.source.Mailbox)
		var no *mailclient.RefusedError
		if errors.As(err, &no) {
			t.source.Mailbox, t.refused = "INBOX", no.Text
			err = nil
		}
		if err == nil {
			at, err = t.session.Spot(ctx, t.source.Mailbox)
		}
	}
	if err != nil {
		return pop3.Place{}, t.notTaken(err)
	}
	return pop3.Place{Mailbox: at.Mailbox, UIDValidity: at.UIDValidity, UIDNext: at.UIDNext, Most: at.Most}, nil
}

func (t *popTarget) Append(ctx context.Context, at pop3.Place, m pop3.Mail) (uint32, error) {
	var flags []string
	if m.Read && t.source.MarkRead {
		flags = append(flags, `\Seen`)
	}
	if t.source.Keyword != "" {
		flags = append(flags, t.source.Keyword)
	}
	_, uid, err := t.session.Append(ctx, at.Mailbox, flags, m.Date, int64(len(m.Mark))+m.Size, io.MultiReader(strings.NewReader(m.Mark), m.Body))
	return uid, t.notTaken(err)
}

func (t *popTarget) Find(ctx context.Context, at pop3.Place, token string) (pop3.Found, error) {
	m, err := t.session.FindMarked(ctx, mailclient.Spot{Mailbox: at.Mailbox, UIDValidity: at.UIDValidity, UIDNext: at.UIDNext}, pop3.MarkName, token)
	f := pop3.Found{Found: m.Found(), Absent: m.Absent, At: pop3.Place{Mailbox: m.Ref.Mailbox, UIDValidity: m.Ref.UIDValidity}}
	if f.Found {
		f.UID = m.Ref.UIDs[0]
	}
	return f, t.notTaken(err)
}

// notTaken says what a refusal means. A lost connection stays what it is: nobody knows what came of it.
func (t *popTarget) notTaken(err error) error {
	var no *mailclient.RefusedError
	var signIn *mailclient.SignInError
	var token *mailclient.TokenError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &token) && token.Dead:
		return &pop3.NotTakenError{Why: pop3.NoSignIn, Host: token.Provider, Text: token.Text}
	case errors.As(err, &token):
		return &pop3.NotTakenError{Why: pop3.Away, Text: err.Error()}
	case errors.As(err, &signIn) && signIn.Temporary, errors.Is(err, mailclient.ErrBusy):
		return &pop3.NotTakenError{Why: pop3.Away, Text: err.Error()}
	case errors.As(err, &signIn):
		return &pop3.NotTakenError{Why: pop3.NoSignIn, Host: signIn.Host, Text: signIn.Text}
	case errors.Is(err, mailclient.ErrNoMailbox), errors.Is(err, mailclient.ErrUIDValidity):
		return &pop3.NotTakenError{Why: pop3.NoPlace, Text: err.Error()}
	case errors.As(err, &no):
		return &pop3.NotTakenError{Why: trouble(no), Host: no.Host, Text: no.Text}
	case errors.Is(err, mailclient.ErrBadInput):
		return &pop3.NotTakenError{Why: pop3.No, Text: err.Error()}
	}
	return err
}

// trouble reads a refused APPEND: by its code, and by its words where servers have none.
func trouble(no *mailclient.RefusedError) pop3.Trouble {
	words := strings.ToLower(no.Text)
	switch {
	case no.Code == "OVERQUOTA", no.Code == "" && strings.Contains(words, "quota"):
		return pop3.OverQuota
	case no.Code == "TOOBIG", no.Code == "" && (strings.Contains(words, "too large") || strings.Contains(words, "too big")):
		return pop3.TooLarge
	case no.Code == "UNAVAILABLE", no.Code == "INUSE", no.Code == "LIMIT":
		return pop3.Away
	}
	return pop3.No
}
