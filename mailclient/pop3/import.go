package pop3

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"golang.org/x/sync/semaphore"
)

// Session is a session at the source, signed in: a *Client.
type Session interface {
	Listing(ctx context.Context, each func(Entry) error) (uids bool, err error)
	UIDOf(ctx context.Context, number int) (string, error)
	Top(ctx context.Context, number int) ([]byte, error)
	Retr(ctx context.Context, number int, w io.Writer, most int64, then int) (Content, error)
	Dele(ctx context.Context, number int) error
	Noop(ctx context.Context) error
	Quit(ctx context.Context) error
	Close()
	Age() time.Duration
	Odd() int
	LoginDelay() time.Duration
}

// Import brings the mails of a source into a target, each exactly once, and deletes at the source what its policy
// says and the target surely has. One Run goes on where the last one ended, however that was: the ledger, the spool and
// the two servers are all that it knows. Lines of the table, by state, with what is durable before each act:
//
//	 1  -          new in the listing        W seen
//	 2  seen       its turn                  RETR into the spool
//	 3  seen       whole in the spool        with 6, by the name of the file until then
//	 4  seen       drop, kill, -ERR          tries+1
//	 5  seen       known under another UID   W imported (P7)
//	 6  spooled    its turn                  W appending, with token and place; APPEND
//	 7  appending  OK                        W imported; then the spool is emptied
//	 8  appending  NO                        W spooled, with the words
//	 9  appending  drop, kill                Find the token:
//	10             found                     W imported
//	11             surely absent             W spooled
//	12             neither                   W doubtful
//	13  imported   to be deleted             W deleting; DELE
//	14  deleting   QUIT +OK                  W gone
//	15  deleting   drop, kill                the next listing: there, imported; else missing
//	16  imported   no longer listed          W missing, which is gone
//	17  gone       listed again              the same mail: W imported. Another under its UID: a new row
//	18  any        maxTries                  W failed
//
// Lines 6 and 7 are written for some mails at once: a batch.
type Import struct {
	Source string // its id, for the marks
	Dial   func(ctx context.Context) (Session, error)
	Target Target
	Ledger Ledger
	Spool  Spool
	Policy Policy
	Most   int64 // octets of a mail; DefaultMost if 0

	// Settle is how long a mail whose APPEND was cut off is given to appear before it counts as absent.
	Settle time.Duration

	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
	Token func() string // unguessable, letters and digits
}

// DefaultMost is how large a mail may be (P9).
const DefaultMost = 200 << 20

// Policy says what becomes of imported mails at the source (P12).
type Policy struct {
	Delete bool
	After  time.Duration // since the import
}

func (p Policy) due(imported, now time.Time) bool {
	return p.Delete && !imported.IsZero() && !now.Before(imported.Add(p.After))
}

const (
	rowsMost   = 1000             // rows that are written at once
	batchMost  = 16               // mails whose steps are written at once
	batchBytes = 1 << 20          // likewise
	placeTime  = 10 * time.Second // how long a place is believed without asking
	ahead      = 64 << 20         // octets in the spool that wait for their APPEND
	deleMost   = 200              // DELEs of one session (P11)
	sessionMax = 10 * time.Minute // after which a session with DELEs to do ends
	idleMax    = 20 * time.Second // without a word to the source (P15)
)

// known is a row as a run keeps it in memory.
type known struct {
	id       int64
	uid      string
	dup      int
	state    State
	tries    int
	imported time.Time
	changed  time.Time
	size     int64
	keyed    bool // the row has a KeyHash
	compare  bool
	next     *known // of the same UID

	// in this session:
	number int  // 0: not listed
	sure   bool // its content under this number is that of the row
}

// gone says whether the mail is known to be no longer at the source.
func (k *known) gone() bool { return k.state == Gone || k.state == Missing }

// run is one Run.
type run struct {
	Import
	first  map[string]*known // by UID
	ids    map[int64]*known
	stats  Progress
	room   *semaphore.Weighted
	place  Place     // of the last APPEND, with what its answer tells
	placed time.Time // when the target was asked; zero: it is to be asked anew
	delay  time.Duration
	more   bool // there may be more, once delay is over
	noUIDL bool
	guard  bool     // the server has renumbered: nothing is deleted (P7)
	met    bool     // the source has let us in
	blind  bool     // in this session there are mails that could not be looked at: nothing is deleted either
	old    oldMails // what a mail with Compare may be
}

// Run brings over what is there. It ends when there is nothing left to do, or something stands in the way: the Outcome
// says what.
func (im Import) Run(ctx context.Context) Outcome {
	if im.Most == 0 {
		im.Most = DefaultMost
	}
	r := &run{Import: im, first: map[string]*known{}, ids: map[int64]*known{}, room: semaphore.NewWeighted(ahead)}
	err := r.recover(ctx)
	if err == nil {
		err = r.sessions(ctx)
	}
	_ = r.Ledger.Progress(context.WithoutCancel(ctx), r.stats)
	out := outcomeOf(err)
	if ctx.Err() != nil {
		out = Outcome{Kind: Stopped}
	}
	out.Progress, out.Delay, out.More, out.NoUIDL = r.stats, r.delay, r.more, r.noUIDL
	return out
}

// waits are those before a dropped session is opened again (P14).
var waits = []time.Duration{5 * time.Second, 15 * time.Second, time.Minute, 3 * time.Minute, 10 * time.Minute}

// longDelay is how long a source may want to be left alone between two sessions of one run.
const longDelay = time.Minute

// sessions opens one after another until a listing brings nothing new. A server that drops sessions without anything
// having come of them is left to the schedule.
func (r *run) sessions(ctx context.Context) error {
	for dropped := 0; ; {
		before := r.stats
		more, err := r.session(ctx)
		var end *endError
		if errors.As(err, &end) || ctx.Err() != nil || err != nil && !r.met {
			return err
		}
		moved := r.stats.Done+r.stats.Failed+r.stats.Deleted != before.Done+before.Failed+before.Deleted
		switch {
		case err != nil && !moved && dropped >= len(waits):
			return err
		case err != nil:
			if moved {
				dropped = 0
			}
			if err := r.Sleep(ctx, max(r.delay, waits[min(dropped, len(waits)-1)])); err != nil {
				return err
			}
			dropped++
		case !more:
			return nil
		case r.delay > longDelay: // the schedule waits better
			r.more = true
			return nil
		default:
			dropped = 0
			if err := r.Sleep(ctx, r.delay); err != nil {
				return err
			}
		}
	}
}

// session is one session. more says that another is to follow.
func (r *run) session(ctx context.Context) (more bool, err error) {
	s, err := r.Dial(ctx)
	if err != nil {
		return false, dialError(err)
	}
	defer s.Close()
	r.met = true
	r.delay = s.LoginDelay()
	before := r.stats
	todo, err := r.compare(ctx, s)
	if err == nil {
		err = r.bring(ctx, s, todo)
	}
	if err == nil {
		err = r.remove(ctx, s)
	}
	return r.stats.Done != before.Done || r.stats.Deleted != before.Deleted, err
}

// broken makes an error of our own house, or the wish to stop, end the run.
func broken(err error) error {
	if err == nil {
		return nil
	}
	return &endError{Outcome{Kind: Broken, Text: err.Error(), Err: err}}
}

// add takes a row in.
func (r *run) add(row Row) *known {
	k := &known{id: row.ID, uid: row.UID, dup: row.Dup, state: row.State, tries: row.Tries, imported: row.ImportedAt, changed: row.Changed, size: row.Size, keyed: row.KeyHash != "", compare: row.Compare}
	r.ids[k.id] = k
	at := r.first[k.uid]
	if at == nil {
		r.first[k.uid] = k
		return k
	}
	for at.next != nil {
		at = at.next
	}
	at.next = k
	return k
}

// mark changes the state of mails, durably.
func (r *run) mark(ctx context.Context, c Change, mails ...*known) error {
	for part := range slices.Chunk(mails, rowsMost) {
		ids := make([]int64, len(part))
		for i, k := range part {
			ids[i] = k.id
		}
		if err := r.Ledger.Mark(context.WithoutCancel(ctx), c, ids...); err != nil {
			return broken(err)
		}
		for _, k := range part {
			k.changed = r.Now()
			k.state, k.compare = c.State, k.compare || c.Compare
			if c.Words != "" {
				k.tries++
			}
		}
	}
	return nil
}

// save writes rows as a whole, durably.
func (r *run) save(ctx context.Context, rows ...Row) error {
	if len(rows) == 0 {
		return nil
	}
	if err := r.Ledger.Save(context.WithoutCancel(ctx), rows...); err != nil {
		return broken(err)
	}
	for _, row := range rows {
		k := r.ids[row.ID]
		k.changed = r.Now()
		k.state, k.tries, k.imported, k.keyed = row.State, row.Tries, row.ImportedAt, row.KeyHash != ""
	}
	return nil
}

// tried notes that a step of a mail has failed (lines 4 and 18).
func (r *run) tried(ctx context.Context, k *known, words string) error {
	state := k.state
	if k.tries+1 >= maxTries {
		state = Failed
		r.stats.Failed++
	}
	if words == "" {
		words = "-"
	}
	return r.mark(ctx, Change{State: state, Words: words}, k)
}

// progress tells the ledger, which may have been told to stop.
func (r *run) progress(ctx context.Context) error { return broken(r.Ledger.Progress(ctx, r.stats)) }
