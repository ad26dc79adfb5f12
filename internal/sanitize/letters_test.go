package sanitize

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// letters are the mails in testdata, by name.
func letters(t testing.TB) (out []string) {
	t.Helper()
	for _, f := range letterFiles(t) {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(b))
	}
	return out
}

func letterFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/letters/*.html")
	if err != nil || len(files) == 0 {
		t.Fatal("no letters in testdata", err)
	}
	return files
}
