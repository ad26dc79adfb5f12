package pop3

import (
	"context"
	"errors"
	"io"
	"time"
)

// State is where one mail of a source stands. The table is at Import.
type State string

// The states of a mail.
const (
	Seen      State = "seen"      // in a listing; to be fetched
	Spooled   State = "spooled"   // whole in the spool; to be appended
	Appending State = "appending" // an APPEND may have been sent: its fate is looked up by the token
	Imported  State = "imported"  // proven in the target
	Deleting  State = "deleting"  // a DELE may have been sent
	Gone      State = "gone"      // no longer at the source: a tombstone, as a source may bring a mail back
	Missing   State = "missing"   // gone, and not by our doing
	TooBig    State = "toobig"
	Doubtful  State = "doubtful" // nobody can say whether the target has it: the person is asked
	Failed    State = "failed"   // tried maxTries times
)

// maxTries is how often a step of one mail is tried before it is told as failed.
const maxTries = 5

// Row is a mail in the ledger. UID and Dup name it: Dup counts the mails of a source that share a UID.
type Row struct {
	ID          int64
	UID         string // bytes as the server has them; begins with a space when it is a hash of ours (P5)
	Dup         int
	KeyHash     string // 32 bytes, or "" before it was fetched
	ContentHash string // likewise
	Size        int64  // octets: the server's word, once it was fetched ours
	State       State
	Compare     bool // listed when the server had renumbered: may be a mail that is known under another UID (P7)
	Token       string
	Place       Place
	TargetUID   uint32 // 0 if the server did not say it
	Changed     time.Time
	ImportedAt  time.Time // zero: never
	Tries       int
	LastError   string // of the server, for the person
	Subject     string // as in the header, while the mail is not imported
}

// Place is the target mailbox as it was before a mail was appended.
type Place struct {
	Mailbox              string
	UIDValidity, UIDNext uint32 // the mail's UID will not be below UIDNext
	Most                 int64  // octets of the largest mail that is taken, 0 if unknown
}

// Ledger is the durable memory of one source. What its methods write has reached the disk when they return. An error
// ends the run; ErrStopped does so in peace.
type Ledger interface {
	// Load gives every row.
	Load(ctx context.Context, each func(Row) error) error
	Row(ctx context.Context, id int64) (Row, error)
	// Add writes new rows, in state Seen, all or none, and sets their IDs.
	Add(ctx context.Context, rows []Row) error
	// Save writes all of rows but UID, Dup and Compare, all or none.
	Save(ctx context.Context, rows ...Row) error
	// Mark sets the state of rows. A Change with words adds a try to each.
	Mark(ctx context.Context, c Change, ids ...int64) error
	// Progress tells how far the run has come.
	Progress(ctx context.Context, p Progress) error
}

// Change is what Mark does.
type Change struct {
	State State
	Words string // why a try failed; "" if none did

	Compare bool // sets it too
}

// ErrStopped is what a ledger says when its person wants the run to end, or another has taken it over.
var ErrStopped = errors.New("the run is to end")

// Progress is how far a run has come.
type Progress struct {
	Total, Done  int   // mails to bring over, and those that were
	Bytes, OfAll int64 // likewise; OfAll is the source's word
	Failed       int
	Deleted      int // at the source
}

// Target is where the mails go. An error of its methods that is no *NotTakenError leaves open what has happened.
type Target interface {
	// Place looks at the mailbox, and makes it if it is not there.
	Place(ctx context.Context) (Place, error)
	// Append puts a mail into a place. uid is 0 when the server did not say it.
	Append(ctx context.Context, at Place, m Mail) (uid uint32, err error)
	// Find looks for the mail whose mark has this token and that was appended to a place.
	Find(ctx context.Context, at Place, token string) (Found, error)
}

// Found is what Find has found out. Neither found nor absent: nobody can say.
type Found struct {
	Found, Absent bool
	At            Place
	UID           uint32
}

// Mail is what is appended: Mark, a header line with its CRLF, and then Size octets of Body.
type Mail struct {
	Mark string
	Size int64
	Body io.Reader
	Date time.Time // of arrival; zero means now
	Read bool      // it was read at the source
}

// MarkName is the name of the header field that marks imported mails.
const MarkName = "X-Restante-Import"

// Trouble is why a target did not take a mail.
type Trouble string

// The troubles of a target.
const (
	OverQuota Trouble = "quota"
	TooLarge  Trouble = "large"
	NoSignIn  Trouble = "signin"
	Away      Trouble = "away"    // not reached; nothing was sent
	NoPlace   Trouble = "mailbox" // the mailbox is not there any more
	No        Trouble = "refused" // this mail
)

// NotTakenError is a target that surely has not taken a mail.
type NotTakenError struct {
	Why        Trouble
	Host, Text string
}

func (e *NotTakenError) Error() string { return e.Host + ": " + string(e.Why) + " " + e.Text }

// Spool keeps fetched mails until they are proven in the target, by the ids of their rows.
type Spool interface {
	// Create begins a mail. It is in the spool once Commit has returned.
	Create(id int64) (Spooling, error)
	// Open reads a whole mail, of so many octets.
	Open(id int64) (r io.ReadCloser, size int64, err error)
	Remove(id int64) error
	// Sync has a mail outlast a power cut, which others in the spool may not. One that is not there is passed over.
	Sync(id int64) error
	// IDs are the whole mails. Those that were begun only are removed, and those that a power cut has torn.
	IDs() ([]int64, error)
	// Full says that there is too little room for more.
	Full() bool
}

// Spooling is a mail on its way into the spool.
type Spooling interface {
	io.Writer
	Commit() error
	Abort()
}
