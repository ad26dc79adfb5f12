package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"time"

	"restante/internal/limits"

	"golang.org/x/net/idna"
)

// User is a person who signs in.
type User struct {
	ID       int64
	Address  string
	Settings Settings
	Created  time.Time
	SeenAt   time.Time
	Locked   bool // an admin lets them in no more
}

// Settings are a person's choices. The zero value of each is its default.
type Settings struct {
	Name          string        `json:"name,omitempty"`
	Language      string        `json:"language,omitempty"`     // BCP 47; "" = the browser's
	TimeZone      string        `json:"time_zone,omitempty"`    // IANA; "" = the browser's, else UTC
	Theme         string        `json:"theme,omitempty"`        // auto, light, dark
	Density       string        `json:"density,omitempty"`      // roomy, cosy, compact
	ReadingPane   string        `json:"reading_pane,omitempty"` // right, none
	Images        string        `json:"images,omitempty"`       // ask, always
	Letters       string        `json:"letters,omitempty"`      // adapt, original
	Undo          *int          `json:"undo_seconds,omitempty"` // 0 to 60
	NoNudges      bool          `json:"no_nudges,omitempty"`
	AnswerBelow   bool          `json:"answer_below,omitempty"`
	NoPreviews    bool          `json:"no_previews,omitempty"`
	PlainText     bool          `json:"plain_text,omitempty"` // write plain text by default
	NoShortcuts   bool          `json:"no_shortcuts,omitempty"`
	WholePhotos   bool          `json:"whole_photos,omitempty"`  // those attached keep where and by what they were taken
	AfterAct      string        `json:"after_act,omitempty"`     // next, list
	MarkRead      string        `json:"mark_read,omitempty"`     // open, later, hand
	Receipts      string        `json:"receipts,omitempty"`      // that senders ask for: ask, never
	Folded        bool          `json:"folded,omitempty"`        // the further folders, in the tree
	Conversations bool          `json:"conversations,omitempty"` // lists show them
	Searches      []SavedSearch `json:"searches,omitempty"`      // that stand beside the folders
	KnowsMoved    int64         `json:"knows_moved,omitempty"`   // milliseconds since 1970, of the last change of their servers that they have seen
}

// SavedSearch is a search by the name that its person gave it.
type SavedSearch struct {
	Name  string `json:"name"`
	Words string `json:"words"`
}

// userAddress is an address as its user is known by: in small letters, its domain in those of its language, however it
// was written.
func userAddress(written string) string {
	address := limits.Address(written)
	at := strings.LastIndexByte(address, '@') + 1
	domain, err := idna.Punycode.ToUnicode(address[at:])
	if err != nil || strings.HasPrefix(domain, ".") || limits.DomainOf(domain) != address[at:] {
		return strings.ToLower(written)
	}
	return address[:at] + domain
}

// EnsureUser finds or makes the user of address and the account it signs in with.
func (s *Store) EnsureUser(ctx context.Context, address, username string) (User, Account, error) {
	address = userAddress(address)
	var a Account
	err := s.InTx(ctx, func(tx *sql.Tx) error {
		now := s.ms()
		var userID int64
		err := tx.QueryRowContext(ctx, `
			INSERT INTO users (address, created_at, seen_at) VALUES ($1, $2, $2)
			ON CONFLICT (address) DO UPDATE SET seen_at = excluded.seen_at RETURNING id`, address, now).Scan(&userID)
		if err != nil {
			return err
		}
		a = Account{UserID: userID, Address: address, Username: username}
		err = tx.QueryRowContext(ctx, `
			INSERT INTO accounts (user_id, address, username) VALUES ($1, $2, $3)
			ON CONFLICT (user_id, address) DO UPDATE SET username = excluded.username
			RETURNING id, sent_mode, sent_seen`, userID, address, username).Scan(&a.ID, &a.SentMode, &a.SentSeen)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO identities (user_id, account_id, name, address, is_default)
			SELECT $1, $2, '', $3, TRUE WHERE NOT EXISTS (SELECT 1 FROM identities WHERE user_id = $1)`, userID, a.ID, address)
		return err
	})
	if err != nil {
		return User{}, Account{}, err
	}
	u, err := s.User(ctx, a.UserID)
	return u, a, err
}

// Person is a user with all their accounts, the one signed in with first, or ErrNotFound.
func (s *Store) Person(ctx context.Context, id int64) (u User, accounts []Account, err error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT `+userColumns+`, a.id, a.user_id, a.address, a.username, a.sent_mode, a.sent_seen, a.servers, a.cred
		FROM users u JOIN accounts a ON a.user_id = u.id WHERE u.id = $1 ORDER BY a.id`, id)
	accounts, err = collect(rows, err, func(r *sql.Rows) (a Account, err error) {
		u, err = scanUser(r, a.columns()...)
		return a, err
	})
	if err == nil && len(accounts) == 0 {
		err = ErrNotFound
	}
	return u, accounts, err
}

const userColumns = `u.id, u.address, u.settings, u.created_at, u.seen_at, u.locked`

// scanUser reads userColumns, and more that stand behind them.
func scanUser(r interface{ Scan(...any) error }, more ...any) (u User, err error) {
	var settings string
	var created, seen int64
	if err := r.Scan(append([]any{&u.ID, &u.Address, &settings, &created, &seen, &u.Locked}, more...)...); err != nil {
		return u, err
	}
	u.Created, u.SeenAt = fromMS(created), fromMS(seen)
	return u, json.Unmarshal([]byte(settings), &u.Settings)
}

// User is the user of that id, or ErrNotFound.
func (s *Store) User(ctx context.Context, id int64) (User, error) {
	u, err := scanUser(s.db.QueryRowContext(ctx, `SELECT `+userColumns+` FROM users u WHERE u.id = $1`, id))
	return u, one(err)
}

// SaveSettings replaces a user's settings.
func (s *Store) SaveSettings(ctx context.Context, userID int64, v Settings) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return changed(s.db.ExecContext(ctx, `UPDATE users SET settings = $1 WHERE id = $2`, string(raw), userID))
}

// Account is one mailbox login of a user.
type Account struct {
	ID, UserID        int64
	Address, Username string
	SentMode          string // auto, append, server, none: who files sent mail
	SentSeen          int    // with auto: how many mails in a row the server has not filed
	Servers           string // of a further account: its owner's own JSON, "" for those of the domain
	Cred              []byte // of a further account: its password, sealed; nil for the account signed in with
}

// Further says whether it is one beside that which its user signs in with.
func (a Account) Further() bool { return a.Cred != nil }

const accountColumns = `id, user_id, address, username, sent_mode, sent_seen, servers, cred`

// columns are where accountColumns go.
func (a *Account) columns() []any {
	return []any{&a.ID, &a.UserID, &a.Address, &a.Username, &a.SentMode, &a.SentSeen, &a.Servers, &a.Cred}
}

func scanAccount(r interface{ Scan(...any) error }) (a Account, err error) {
	return a, r.Scan(a.columns()...)
}

// Account is the account of that id if it is the user's, or ErrNotFound.
func (s *Store) Account(ctx context.Context, userID, id int64) (Account, error) {
	a, err := scanAccount(s.db.QueryRowContext(ctx, `SELECT `+accountColumns+` FROM accounts WHERE id = $1 AND user_id = $2`, id, userID))
	return a, one(err)
}

// Accounts lists a user's accounts, the one signed in with first.
func (s *Store) Accounts(ctx context.Context, userID int64) ([]Account, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+accountColumns+` FROM accounts WHERE user_id = $1 ORDER BY id`, userID)
	return collect(rows, err, func(r *sql.Rows) (Account, error) { return scanAccount(r) })
}

// AccountIDs are the ids of all accounts.
func (s *Store) AccountIDs(ctx context.Context) ([]int64, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id FROM accounts`)
	return collect(rows, err, func(r *sql.Rows) (id int64, err error) {
		err = r.Scan(&id)
		return id, err
	})
}

// LearnSent notes how many mails of an account in a row its server has not filed. ErrNotFound: that is no longer asked.
func (s *Store) LearnSent(ctx context.Context, userID, id int64, seen int) error {
	return changed(s.db.ExecContext(ctx, `UPDATE accounts SET sent_seen = $1 WHERE id = $2 AND user_id = $3 AND sent_mode = 'auto'`, seen, id, userID))
}

// SetSentMode remembers who files sent mail for an account.
func (s *Store) SetSentMode(ctx context.Context, userID, id int64, mode string, seen int) error {
	return changed(s.db.ExecContext(ctx, `UPDATE accounts SET sent_mode = $1, sent_seen = $2 WHERE id = $3 AND user_id = $4`, mode, seen, id, userID))
}
