package testdb_test

import (
	"database/sql"
	"testing"

	"restante/internal/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }

func TestPostgresGivesFreshDatabases(t *testing.T) {
	for range 2 {
		db, err := sql.Open("pgx", testdb.Postgres(t).URL)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec("CREATE TABLE t (a TEXT)"); err != nil {
			t.Error(err)
		}
		var encoding string
		if err := db.QueryRow("SHOW server_encoding").Scan(&encoding); err != nil || encoding != "UTF8" {
			t.Error(encoding, err)
		}
		_ = db.Close()
	}
}

func TestEachHasTwo(t *testing.T) {
	n := 0
	testdb.Each(t, func(_ *testing.T, db testdb.DB) {
		if db.Dir != "" {
			n++
		}
	})
	if n != 2 {
		t.Errorf("ran on %d databases", n)
	}
}
