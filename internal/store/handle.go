package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// handle is the database. On SQLite, where reading a statement's text takes longer than running it, it keeps queries
// prepared; PostgreSQL's driver does so by itself.
type handle struct {
	*sql.DB
	prepare bool

	mu    sync.Mutex
	known map[string]*sql.Stmt // by text: those that stand in this package; what is built of words goes past it, to DB
}

// statement is nil where the query is to be run as it is.
func (h *handle) statement(ctx context.Context, query string) *sql.Stmt {
	if !h.prepare {
		return nil
	}
	h.mu.Lock()
	s := h.known[query]
	h.mu.Unlock()
	if s != nil {
		return s
	}
	s, err := h.PrepareContext(ctx, query)
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
	return errors.Join(append(errs, h.DB.Close())...)
}
