// Package store holds every SQL statement of the main database, on SQLite and
// PostgreSQL alike: plain structs in and out. Times are Unix milliseconds in the
// database and time.Time outside. Each query about a person's things takes the
// user's id and has it in its WHERE. Start at Open.
package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the PostgreSQL driver
	_ "modernc.org/sqlite"             // the SQLite driver

	"restante/migrations"
)

// ErrNotFound means that there is no such row for this user.
var ErrNotFound = errors.New("not found")

// Store is the main database.
type Store struct {
	db      *handle
	dialect migrations.Dialect
	now     func() time.Time
	sealer  Sealer // nil: blobs are kept as they are
	knowns  knowns
}

// Open opens the database at address (postgres://…), or SQLite in dir when there is none, and migrates it.
func Open(ctx context.Context, address, dir string) (*Store, error) {
	s, err := connect(ctx, address, dir)
	if err != nil {
		return nil, err
	}
	if err := migrations.Up(ctx, s.db.DB, s.dialect); err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	return s, nil
}

// What Look finds where it cannot read.
var (
	ErrNotBegun = errors.New("no site has begun there: restante serve begins one")
	ErrOlder    = errors.New("the database is of an older version: restante serve, or restante migrate up, brings it up")
)

// Look is Open for a database that is there, and makes and changes nothing. The store comes with ErrOlder, too.
func Look(ctx context.Context, address, dir string) (*Store, error) {
	if address == "" {
		if _, err := os.Stat(filepath.Join(dir, "restante.db")); errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("%s: %w", dir, ErrNotBegun)
		}
	}
	s, err := connect(ctx, address, dir)
	if err != nil {
		return nil, err
	}
	steps, err := s.Migrations(ctx)
	switch {
	case err != nil:
	case !steps[0].Applied:
		err = ErrNotBegun
	case !steps[len(steps)-1].Applied:
		return s, ErrOlder
	}
	if err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	return s, nil
}

func connect(ctx context.Context, address, dir string) (*Store, error) {
	s := &Store{now: time.Now, dialect: migrations.Postgres}
	var db, readers *sql.DB
	var err error
	if address == "" {
		s.dialect = migrations.SQLite
		db, readers, err = openSQLite(filepath.Join(dir, "restante.db"))
	} else if db, err = sql.Open("pgx", address); err == nil {
		db.SetMaxOpenConns(20)
		db.SetConnMaxIdleTime(5 * time.Minute)
	}
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	s.db = &handle{DB: db, readers: readers}
	if err := s.db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("database does not answer: %w", err), s.db.Close())
	}
	return s, nil
}

// openSQLite opens one connection for who writes: SQLite has one writer, and waiting in Go beats SQLITE_BUSY; and some for
// who only reads.
func openSQLite(path string) (db, readers *sql.DB, err error) {
	if f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600); err == nil { // SQLite itself would let all read it
		_ = f.Close() // why it cannot be opened SQLite says
	}
	at := url.URL{Path: path} // a directory may have "#", "?" or "%" in its name
	name := "file:" + at.EscapedPath() + "?_pragma=busy_timeout(10000)"
	if db, err = sql.Open("sqlite", name+"&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_txlock=immediate"); err != nil {
		return nil, nil, err
	}
	db.SetMaxOpenConns(1)
	if readers, err = sql.Open("sqlite", name+"&_pragma=query_only(1)&_pragma=cache_size(-1024)"); err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	readers.SetMaxOpenConns(4)
	readers.SetMaxIdleConns(4)
	readers.SetConnMaxIdleTime(5 * time.Minute)
	return db, readers, nil
}

// Close closes the database.
func (s *Store) Close() error { return s.db.Close() }

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.db.PingContext(ctx) }

// DB is the handle for River, which shares the database and its transactions.
func (s *Store) DB() *sql.DB { return s.db.DB }

// Dialect says which database it is.
func (s *Store) Dialect() migrations.Dialect { return s.dialect }

// Migrations lists the schema steps.
func (s *Store) Migrations(ctx context.Context) ([]migrations.Step, error) {
	return migrations.Status(ctx, s.db.DB, s.dialect)
}

// WithMigrationLock runs f while no other node migrates. SQLite needs none: one process owns the file.
func (s *Store) WithMigrationLock(ctx context.Context, f func() error) error {
	if s.dialect == migrations.SQLite {
		return f()
	}
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	const key = 727378 // any number of our own
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, key); err != nil {
		return err
	}
	err = f()
	_, unlock := conn.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, key)
	return errors.Join(err, unlock)
}

// InTx runs f in one transaction, committed when f returns nil.
func (s *Store) InTx(ctx context.Context, f func(tx *sql.Tx) error) error { return inTx(ctx, s.db, f) }

func inTx(ctx context.Context, db interface {
	BeginTx(context.Context, *sql.TxOptions) (*sql.Tx, error)
}, f func(tx *sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// NewID makes an unguessable id of 128 bits in hex.
func NewID() string {
	b := make([]byte, 16)
	rand.Read(b)
	return hex.EncodeToString(b)
}

func (s *Store) ms() int64 { return s.now().UnixMilli() }

func fromMS(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

func toMS(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// one turns "no rows" into ErrNotFound.
func one(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// changed gives ErrNotFound when a statement met no row.
func changed(res sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return err
}

// collect scans every row with scan and closes rows.
func collect[T any](rows *sql.Rows, err error, scan func(*sql.Rows) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}
