// Package testdb gives tests real databases: SQLite in a directory of their own
// and PostgreSQL from Debian's package, on a socket under a temporary directory,
// a fresh database each time. PostgreSQL lives until the test process ends. It
// knows no schema. Start at Each.
package testdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the PostgreSQL driver

	"restante/internal/testproc"
)

// DB is a fresh database: at URL, or in Dir for SQLite, which has no URL.
type DB struct{ URL, Dir string }

// Each runs f on SQLite and on PostgreSQL.
func Each(t *testing.T, f func(t *testing.T, db DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { f(t, Postgres(t)) })
}

// SQLite is an empty directory.
func SQLite(t testing.TB) DB { return DB{Dir: t.TempDir()} }

// file is what the program calls its SQLite database.
const file = "restante.db"

var (
	begun   []byte // what begin has made
	begunMu sync.Mutex
)

// Begin lays an SQLite database into dir, which begin, one for all tests of a process, has made in another directory the
// first time: all steps of a schema take longer than what most tests are about. One that is there stays. PostgreSQL is
// quick, and is left empty.
func (db DB) Begin(t testing.TB, dir string, begin func(dir string) error) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, file)); db.URL != "" || err == nil {
		return
	}
	begunMu.Lock()
	defer begunMu.Unlock()
	var err error
	if begun == nil {
		from := t.TempDir()
		if err = begin(from); err == nil {
			begun, err = os.ReadFile(filepath.Join(from, file))
		}
	}
	if err == nil {
		err = errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, file), begun, 0o600))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Main runs a package's tests and then stops PostgreSQL: `func TestMain(m *testing.M) { testdb.Main(m) }`.
func Main(m *testing.M) { testproc.Main(m) }

var (
	start = sync.OnceValues(startPostgres)
	count atomic.Int64
)

// Postgres is an empty database on a PostgreSQL that is started at the first call, dropped when t ends. Dir is a
// directory for what does not go into a database.
func Postgres(t testing.TB) DB {
	t.Helper()
	_, err := find()
	testproc.Need(t, "PostgreSQL", "postgresql", err)
	socket, err := start()
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("test%d", count.Add(1))
	if err := admin(socket, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := admin(socket, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return DB{URL: urlOf(socket, name), Dir: t.TempDir()}
}

func urlOf(socket, name string) string {
	return fmt.Sprintf("postgres://restante@/%s?host=%s&sslmode=disable", name, socket)
}

func admin(socket, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	db, err := sql.Open("pgx", urlOf(socket, "postgres"))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, statement)
	return errors.Join(err, db.Close())
}

// find gives the directory of PostgreSQL's programs, the newest version's; "" when they are in PATH.
func find() (string, error) {
	all, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	if len(all) > 0 {
		return filepath.Dir(all[len(all)-1]), nil
	}
	p, err := testproc.Program("initdb")
	return filepath.Dir(p), err
}

// run makes the cluster and becomes the server. Nothing in it needs to outlive a power cut.
const run = `%[1]s/initdb -D data -U restante -A trust -E UTF8 --locale=C.UTF-8 --no-sync >initdb.log 2>&1 || { cat initdb.log; exit 1; }
exec %[1]s/postgres -D data -k %[2]s -c listen_addresses= -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c max_connections=300 -c shared_buffers=32MB`

// startPostgres starts the server, as the user of Debian's package when we are root, whom it refuses, and gives the
// directory of its socket.
func startPostgres() (socket string, err error) {
	bin, err := find()
	if err != nil {
		return "", err
	}
	dir, err := testproc.Dir("postgres")
	if err != nil {
		return "", err
	}
	p := testproc.Plan{Dir: dir, Run: fmt.Sprintf(run, bin, dir), Stop: `kill -INT "$pid"`}
	if testproc.Root() == nil {
		if p.UID, p.GID, err = testproc.IDs("postgres"); err != nil {
			return "", err
		}
	}
	s, err := testproc.Keep(p)
	if err != nil {
		return "", err
	}
	err = testproc.Wait(60*time.Second, func() error { return admin(dir, "SELECT 1") })
	if err != nil {
		err = fmt.Errorf("PostgreSQL does not start: %w%s", err, s.Log("initdb.log"))
		s.Stop()
	}
	return dir, err
}
