// Package migrations holds the schema of the main database, one numbered SQL
// file a dialect and step, and runs them under a lock. Released files are never
// edited. Start at Up.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed sqlite/*.sql postgres/*.sql
var files embed.FS

// Dialect is sqlite or postgres.
type Dialect string

// The databases that Restante runs on.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// Step is one migration and whether it has been applied.
type Step struct {
	Version int64
	Name    string
	Applied bool
}

// Up brings db to the newest schema. On PostgreSQL a session lock lets one node at a time run it.
func Up(ctx context.Context, db *sql.DB, d Dialect) error {
	p, err := provider(db, d)
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// versionTables counts the tables in which the migrations note what they did: one, or none in a database that is new.
var versionTables = map[Dialect]string{
	SQLite:   `SELECT COUNT(*) FROM sqlite_master WHERE name = 'goose_db_version'`,
	Postgres: `SELECT COUNT(*) FROM information_schema.tables WHERE table_name = 'goose_db_version' AND table_schema = current_schema()`,
}

// Status lists every step, oldest first. It changes nothing.
func Status(ctx context.Context, db *sql.DB, d Dialect) ([]Step, error) {
	p, err := provider(db, d)
	if err != nil {
		return nil, err
	}
	var begun int
	var at int64
	if err := db.QueryRowContext(ctx, versionTables[d]).Scan(&begun); err != nil {
		return nil, err
	}
	if begun > 0 {
		if err := db.QueryRowContext(ctx, `SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&at); err != nil {
			return nil, err
		}
	}
	var out []Step
	for _, s := range p.ListSources() {
		out = append(out, Step{Version: s.Version, Name: s.Path, Applied: s.Version <= at})
	}
	return out, nil
}

func provider(db *sql.DB, d Dialect) (*goose.Provider, error) {
	sub, err := fs.Sub(files, string(d))
	if err != nil {
		return nil, err
	}
	if d == SQLite {
		return goose.NewProvider(goose.DialectSQLite3, db, sub)
	}
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db, sub, goose.WithSessionLocker(locker))
}
