package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
	"sync"

	"restante/migrations"
)

// handle is the database. On SQLite, where reading a statement's text takes longer than running it, it keeps queries
// prepared, and what only reads does not stand behind who writes; PostgreSQL's driver does so by itself.
type handle struct {
	*sql.DB
	readers *sql.DB // of SQLite, for queries outside of transactions

	mu    sync.Mutex
	known map[string]*sql.Stmt // by text: those that stand in this package; what is built of words goes past it, to DB
}

// statement is nil where the query is to be run as it is.
func (h *handle) statement(ctx context.Context, query string) *sql.Stmt {
	if h.readers == nil {
		return nil
	}
	h.mu.Lock()
	s := h.known[query]
	h.mu.Unlock()
	if s != nil {
		return s
	}
	db := h.DB
	if strings.HasPrefix(strings.TrimSpace(query), "SELECT") {
		db = h.readers
	}
	s, err := db.PrepareContext(ctx, query)
	if err != nil {
		return nil // running it tells why
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if other := h.known[query]; other != nil {
		_ = s.Close()
		return other
	}
	if h.known == nil {
		h.known = map[string]*sql.Stmt{}
	}
	h.known[query] = s
	return s
}

// QueryContext is that of sql.DB.
func (h *handle) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if s := h.statement(ctx, query); s != nil {
		return s.QueryContext(ctx, args...)
	}
	return h.DB.QueryContext(ctx, query, args...)
}

// QueryRowContext is that of sql.DB.
func (h *handle) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if s := h.statement(ctx, query); s != nil {
		return s.QueryRowContext(ctx, args...)
	}
	return h.DB.QueryRowContext(ctx, query, args...)
}

// Close is that of sql.DB.
func (h *handle) Close() error {
	h.mu.Lock()
	var errs []error
	for _, s := range h.known {
		errs = append(errs, s.Close())
	}
	h.known = nil
	h.mu.Unlock()
	if h.readers != nil {
		errs = append(errs, h.readers.Close())
	}
	return errors.Join(append(errs, h.DB.Close())...)
}

// lightly runs f in one transaction that a failure of the machine's power may take back, with those after it: SQLite then
// need not wait for the disk. It is for what nobody misses.
func (s *Store) lightly(ctx context.Context, f func(tx *sql.Tx) error) error {
	if s.dialect != migrations.SQLite {
		return s.InTx(ctx, f)
	}
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "PRAGMA synchronous = NORMAL"); err != nil {
		return err
	}
	defer func() {
		if _, e := conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA synchronous = FULL"); e != nil {
			_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // it is opened anew
		}
	}()
	return inTx(ctx, conn, f)
}
