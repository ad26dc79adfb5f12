package store_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"restante/internal/store"
	"restante/internal/testdb"
	"restante/migrations"
)

func TestMain(m *testing.M) { testdb.Main(m) }

var ctx = context.Background()

// each runs f on an open store, on SQLite and on PostgreSQL.
func each(t *testing.T, f func(t *testing.T, s *store.Store)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, db testdb.DB) { f(t, open(t, db)) })
}

func open(t *testing.T, db testdb.DB) *store.Store {
	t.Helper()
	db.Begin(t, db.Dir, begin)
	s, err := store.Open(ctx, db.URL, db.Dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// begin makes a database with the newest schema in dir.
func begin(dir string) error {
	s, err := store.Open(ctx, "", dir)
	if err != nil {
		return err
	}
	return s.Close()
}

// ok ends the test on an error.
func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// must is ok for a call with a value: must(s.Draft(...))(t).
func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		ok(t, err)
		return v
	}
}

// missing wants ErrNotFound.
func missing(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%s: %v, want not found", what, err)
	}
}

func user(t *testing.T, s *store.Store, address string) (store.User, store.Account) {
	t.Helper()
	u, a, err := s.EnsureUser(ctx, address, address)
	ok(t, err)
	return u, a
}

func TestOpenMigratesAndOpensAgain(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		s := open(t, db)
		u, _ := user(t, s, "anna@example.org")
		ok(t, s.Close())
		again := open(t, db)
		if got, _ := user(t, again, "anna@example.org"); got.ID != u.ID {
			t.Error("the user is another one after opening again")
		}
		ok(t, again.Ping(ctx))
		steps := must(again.Migrations(ctx))(t)
		if len(steps) == 0 {
			t.Error("no migrations")
		}
		for _, m := range steps {
			if !m.Applied {
				t.Errorf("%s is not applied", m.Name)
			}
		}
	})
}

func TestManyNodesOpenAtOnce(t *testing.T) {
	db := testdb.Postgres(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			s, err := store.Open(ctx, db.URL, db.Dir)
			if err != nil {
				t.Error(err)
				return
			}
			_ = s.Close()
		})
	}
	wg.Wait()
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	if _, err := store.Open(ctx, "", "/nonexistent/directory"); err == nil {
		t.Error("a directory that is missing was opened")
	}
	if _, err := store.Open(ctx, "postgres://127.0.0.1:1/x?connect_timeout=2", ""); err == nil {
		t.Error("a database that does not answer was opened")
	}
}

func TestInTxRollsBackOnAnError(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		boom := errors.New("boom")
		err := s.InTx(ctx, func(tx *sql.Tx) error {
			if _, err := tx.ExecContext(ctx, `INSERT INTO users (address, created_at, seen_at) VALUES ('x', 1, 1)`); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Error(err)
		}
		var n int
		ok(t, s.DB().QueryRow(`SELECT COUNT(*) FROM users`).Scan(&n))
		if n != 0 {
			t.Error("the row is there")
		}
	})
}

func TestMigrationLockLetsOneInAtATime(t *testing.T) {
	s := open(t, testdb.Postgres(t))
	inside, most := 0, 0
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			err := s.WithMigrationLock(ctx, func() error {
				mu.Lock()
				inside++
				most = max(most, inside)
				mu.Unlock()
				if err := s.Ping(ctx); err != nil {
					return err
				}
				mu.Lock()
				inside--
				mu.Unlock()
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most != 1 {
		t.Errorf("%d were inside", most)
	}
}

func TestDialect(t *testing.T) {
	if d := open(t, testdb.SQLite(t)).Dialect(); d != migrations.SQLite {
		t.Error(d)
	}
	if d := open(t, testdb.Postgres(t)).Dialect(); d != migrations.Postgres {
		t.Error(d)
	}
}

func TestNewIDsDiffer(t *testing.T) {
	if a, b := store.NewID(), store.NewID(); a == b || len(a) != 32 {
		t.Error(a, b)
	}
}

func TestADataDirectoryMayHaveAnyName(t *testing.T) {
	for _, name := range []string{"a#b", "a?b", "100%25", "ä ö"} {
		dir := filepath.Join(t.TempDir(), name)
		ok(t, os.Mkdir(dir, 0o755))
		open(t, testdb.DB{Dir: dir})
		for _, file := range []string{"restante.db", "restante.db-wal"} { // nobody else reads them, whatever the directory lets
			if st, err := os.Stat(filepath.Join(dir, file)); err != nil || st.Mode().Perm() != 0o600 {
				t.Errorf("%q: %v, %v", name, st, err)
			}
		}
	}
}
