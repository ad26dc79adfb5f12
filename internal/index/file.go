package index

import (
	"context"
	"database/sql"
	_ "embed" // the schema
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver

	"restante/mailclient"
)

//go:embed schema.sql
var schema string

//go:embed lists.sql
var listed string

// version is of the schema and of what is written by it: a file of another one is begun anew.
const version = "4"

const maxConns = 2 // of a file: one that writes, one that reads

// file is the index of one account.
type file struct {
	path, owner string
	db          *sql.DB

	users int // of Index.mu
	used  time.Time
	gone  bool

	write   sync.Mutex // held by who writes
	mu      sync.Mutex
	ready   map[string]*sql.Stmt // by their words
	ordered bool                 // has the indexes of lists: of write
	boxes   map[string]*box
	last    int64 // id that was given to one

	hidden  map[int64]bool // mailboxes whose mails stand in no conversation
	filling bool           // of all mailboxes is under way
	filled  time.Time      // when it last ended
	result  *result        // of the last search
	texts   texts
	seeking *seeking
	forest  forest
	read    map[*box]int // how often mails had come or gone when their texts were last seen to
	reading bool         // texts are got now
	failed  time.Time    // when they last could not be

	opening sync.Mutex // of the texts
	policy  Policy
	bodies  *bodies // nil where none are kept
	bare    bool    // and there are none of an earlier time
	closed  bool
}

// box is what is known of a mailbox as a whole. All but its names are of file.mu.
type box struct {
	id   int64 // its own as long as the file is open, whether anything is known of it or not
	name string

	known    mailclient.Known
	readOnly bool
	complete bool // all mails are here
	previews bool // and all their previews, as far as they are to be had
	counts   map[counted]int
	rungs    map[string][]rung // by their table
	changes  int               // counts what was written,
	passed   int               // and how often mails came or went

	now, next *run
	asked     time.Time // when the server was last asked
	heard     uint64    // events of the session then
	acted     bool      // since a list of it was shown
	looked    time.Time // when the flags of all were looked at, on a server that tells no changes
	shown     bool      // in a list, since the file was opened
	filling   bool
	plain     bool      // its server does not answer by mod-sequences, though it has them
	look      []uint32  // mails whose flags are asked for next, on such a server
	marks     bool      // and whether it is to tell which are unread or flagged
	marked    time.Time // when it told that
	slow      time.Time // when its server last needed long for a list
}

// openFile opens the index of an account, or begins it where there is none that can be used.
func openFile(path, owner string) (*file, error) {
	f, err := tryFile(path, owner)
	if err != nil {
		if err = erase(path); err == nil {
			f, err = tryFile(path, owner)
		}
	}
	return f, err
}

var errOther = errors.New("the index of another version or mailbox")

func tryFile(path, owner string) (*file, error) {
	db, err := openDB(path)
	if err != nil {
		return nil, err
	}
	f := &file{path: path, owner: owner, db: db, boxes: map[string]*box{}}
	if err := f.load(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return f, nil
}

// openDB opens a file of SQLite, and makes it where there is none.
func openDB(path string) (*sql.DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if have, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600); err != nil { // SQLite itself would let all read it
		return nil, err
	} else if err = have.Close(); err != nil {
		return nil, err
	}
	if err := os.Chtimes(path, time.Time{}, time.Now()); err != nil { // it is not old yet
		return nil, err
	}
	at := url.URL{Path: path}
	db, err := sql.Open("sqlite", "file:"+at.EscapedPath()+"?mode=rw&_pragma=busy_timeout(5000)&_pragma=auto_vacuum(2)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=cache_size(-256)&_pragma=journal_size_limit(1048576)&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(maxConns)
	db.SetMaxIdleConns(maxConns)
	db.SetConnMaxIdleTime(15 * time.Second)
	return db, nil
}

// load makes the tables of a new file, or reads what mailboxes it knows.
func (f *file) load() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	is, was := version+" "+f.owner, ""
	if err := f.db.QueryRowContext(ctx, `SELECT text FROM about`).Scan(&was); err != nil { // a new file
		if _, err := f.db.ExecContext(ctx, schema); err != nil {
			return err
		}
		if _, err := f.db.ExecContext(ctx, `INSERT INTO about (one, text) VALUES (1, ?)`, is); err != nil {
			return err
		}
		was = is
	}
	if was != is {
		return errOther
	}
	rows, err := f.db.QueryContext(ctx, `SELECT id, name, validity, uidnext, modseq, readonly, complete, (SELECT COUNT(*) FROM mails WHERE box = boxes.id) FROM boxes`)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		b := &box{}
		if err := rows.Scan(&b.id, &b.name, &b.known.UIDValidity, &b.known.UIDNext, &b.known.ModSeq, &b.readOnly, &b.complete, &b.known.Messages); err != nil {
			return err
		}
		f.boxes[b.name] = b
		f.last = max(f.last, b.id)
		f.ordered = f.ordered || b.complete
	}
	return rows.Err()
}

// query asks by a statement that is kept for the next time. Its words are one of few.
func (f *file) query(ctx context.Context, words string, args ...any) (*sql.Rows, error) {
	f.mu.Lock()
	st := f.ready[words]
	f.mu.Unlock()
	if st == nil {
		var err error
		if st, err = f.db.PrepareContext(ctx, words); err != nil {
			return nil, err
		}
		f.mu.Lock()
		if f.ready == nil {
			f.ready = map[string]*sql.Stmt{}
		}
		if have := f.ready[words]; have != nil {
			_ = st.Close()
			st = have
		}
		f.ready[words] = st
		f.mu.Unlock()
	}
	return st.QueryContext(ctx, args...)
}

// missing says whether somebody has deleted the file.
func (f *file) missing() bool {
	_, err := os.Stat(f.path)
	return errors.Is(err, os.ErrNotExist)
}

// box is a mailbox, whether anything is known of it or not.
func (f *file) box(name string) *box {
	f.mu.Lock()
	defer f.mu.Unlock()
	b := f.boxes[name]
	if b == nil {
		f.last++
		b = &box{id: f.last, name: name}
		f.boxes[name] = b
	}
	return b
}

// change writes in one transaction. done is called with file.mu held once it stands.
func (f *file) change(ctx context.Context, do func(tx *sql.Tx) error, done func()) error {
	f.write.Lock()
	defer f.write.Unlock()
	tx, err := f.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	done()
	return nil
}

// save writes what is known of a mailbox as a whole.
func save(ctx context.Context, tx *sql.Tx, b *box, k mailclient.Known, readOnly, complete bool) error {
	_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO boxes (id, name, validity, uidnext, modseq, readonly, complete) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		b.id, b.name, k.UIDValidity, k.UIDNext, int64(k.ModSeq), readOnly, complete)
	return err
}

// bits are the flags of a mail as they are written down.
type bits int64

const (
	seen bits = 1 << iota
	flagged
	answered
	forwarded
	draft
	deleted
	junk
	files
)

func bitsOf(f mailclient.Flags, hasFiles bool) (b bits) {
	for _, x := range []struct {
		on  bool
		bit bits
	}{{f.Seen, seen}, {f.Flagged, flagged}, {f.Answered, answered}, {f.Forwarded, forwarded}, {f.Draft, draft}, {f.Deleted, deleted}, {f.Junk, junk}, {hasFiles, files}} {
		if x.on {
			b |= x.bit
		}
	}
	return b
}

func (b bits) flags(words string) mailclient.Flags {
	return mailclient.Flags{Seen: b&seen != 0, Flagged: b&flagged != 0, Answered: b&answered != 0, Forwarded: b&forwarded != 0, Draft: b&draft != 0,
		Deleted: b&deleted != 0, Junk: b&junk != 0, Keywords: strings.Fields(words)}
}
