package migrations_test

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"testing"

	_ "modernc.org/sqlite" // the driver

	"restante/internal/testdb"
	"restante/migrations"
)

func TestMain(m *testing.M) { testdb.Main(m) }

var ctx = context.Background()

func TestBothDialectsHaveTheSameSteps(t *testing.T) {
	names := func(dir string) []string {
		list, err := fs.Glob(os.DirFS(dir), "*.sql")
		if err != nil || len(list) == 0 {
			t.Fatal(list, err)
		}
		return list
	}
	if a, b := names("sqlite"), names("postgres"); !slices.Equal(a, b) {
		t.Errorf("sqlite %v, postgres %v", a, b)
	}
}

// columns lists "table.column" of the main database, without the migrations' own table.
func columns(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			t.Fatal(err)
		}
		out = append(out, table+"."+column)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

const (
	sqliteColumns = `SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'goose%' AND m.name NOT LIKE 'sqlite%'`
	postgresColumns = `SELECT table_name, column_name FROM information_schema.columns
		WHERE table_schema = 'public' AND table_name NOT LIKE 'goose%'`
)

// open gives an empty database of a dialect.
func open(t *testing.T, d migrations.Dialect) *sql.DB {
	t.Helper()
	driver, source := "sqlite", fmt.Sprintf("file:%s/x.db", t.TempDir())
	if d == migrations.Postgres {
		driver, source = "pgx", testdb.Postgres(t).URL
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestBothDialectsMakeTheSameTables(t *testing.T) {
	lite, post := open(t, migrations.SQLite), open(t, migrations.Postgres)
	for d, db := range map[migrations.Dialect]*sql.DB{migrations.SQLite: lite, migrations.Postgres: post} {
		if err := migrations.Up(ctx, db, d); err != nil {
			t.Fatal(d, err)
		}
	}
	a, b := columns(t, lite, sqliteColumns), columns(t, post, postgresColumns)
	if len(a) == 0 || !slices.Equal(a, b) {
		t.Errorf("sqlite:   %v\npostgres: %v", a, b)
	}
}

func TestUpTwiceChangesNothing(t *testing.T) {
	for _, d := range []migrations.Dialect{migrations.SQLite, migrations.Postgres} {
		t.Run(string(d), func(t *testing.T) {
			db := open(t, d)
			before, err := migrations.Status(ctx, db, d)
			if err != nil || len(before) == 0 || before[0].Applied {
				t.Fatal(before, err)
			}
			for range 2 {
				if err := migrations.Up(ctx, db, d); err != nil {
					t.Fatal(err)
				}
			}
			after, err := migrations.Status(ctx, db, d)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range after {
				if !s.Applied || s.Version == 0 || s.Name == "" {
					t.Errorf("%+v", s)
				}
			}
		})
	}
}
