package house

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const module = "restante/"

// arrows says which rooms of ours a room may import. A trailing /... means all below too. cmd may import everything.
var arrows = map[string][]string{
	"handlers":  {"templates", "static", "mailclient/...", "internal/..."},
	"templates": {"internal/i18n", "internal/sanitize", "static"},
	"static":    {},

	"mailclient":          {"mailclient/imapx", "mailclient/message", "mailclient/wire"},
	"mailclient/imapx":    {"mailclient/message", "mailclient/wire"},
	"mailclient/wire":     {},
	"mailclient/message":  {},
	"mailclient/compose":  {"mailclient/message"},
	"mailclient/submit":   {"mailclient", "mailclient/message", "mailclient/wire"},
	"mailclient/pop3":     {"mailclient/wire"},
	"mailclient/sieve":    {},
	"mailclient/discover": {"mailclient", "mailclient/wire"},
	"mailclient/checkup":  {"mailclient", "mailclient/discover", "mailclient/submit", "mailclient/wire"},

	"migrations":        {},
	"internal/store":    {"migrations", "internal/limits"},
	"internal/limits":   {},
	"internal/document": {"internal/store", "internal/limits", "internal/seal", "internal/config", "mailclient", "mailclient/discover"},
	"internal/index":    {"mailclient", "mailclient/message"},
	"internal/sanitize": {},
	"internal/netguard": {},
	"internal/contacts": {"mailclient/compose", "mailclient/message"},
	"internal/disguise": {},
	"internal/proxy":    {"internal/netguard"},
	"internal/picture":  {"mailclient/compose"},
	"internal/seal":     {},
	"internal/oauth":    {"internal/netguard"},
	"internal/tokens":   {"internal/oauth", "internal/store", "internal/seal", "mailclient", "mailclient/discover"},
	"internal/jobs":     {"internal/store", "internal/seal", "internal/limits", "internal/tokens", "migrations", "mailclient/..."},
	"internal/config":   {},
	"internal/i18n":     {},
	"internal/demo":     {},
	"internal/testmail": {"internal/demo", "internal/testproc"},
	"internal/testdb":   {"internal/testproc"},
	"internal/testoidc": {},
	"internal/testproc": {},
	"internal/house":    {},
	"static/generate":   {},
}

// libraries says who alone may import what is not ours.
var libraries = map[string][]string{
	"github.com/emersion/go-imap":    {"mailclient", "mailclient/imapx", "internal/demo"},
	"github.com/emersion/go-smtp":    {"mailclient/submit", "internal/demo"},
	"github.com/emersion/go-message": {"mailclient/compose", "internal/demo"},
	"github.com/jackc/pgx":           {"internal/store", "internal/testdb"},
	"modernc.org/sqlite":             {"internal/store", "internal/index"},
	"github.com/emersion/go-vcard":   {"internal/contacts"},
	"github.com/pressly/goose":       {"migrations"},
	"github.com/riverqueue/river":    {"internal/jobs"},
	// handlers hand a transaction on from the store to the queue; they say no SQL.
	"database/sql":                 {"internal/store", "internal/index", "internal/jobs", "internal/testdb", "migrations", "handlers"},
	"golang.org/x/oauth2":          {"internal/oauth"},
	"github.com/coreos/go-oidc/v3": {"internal/oauth"},
	"net/http":                     {"handlers", "static", "internal/proxy", "internal/oauth", "internal/testoidc", "mailclient/discover", "cmd/restante"},
	"testing":                      {"internal/testmail", "internal/testdb", "internal/testproc", "internal/testoidc"},
}

// room is a package as `go list` tells of it.
type room struct {
	ImportPath string
	Imports    []string
}

func (r room) name() string { return strings.TrimPrefix(r.ImportPath, module) }

func rooms(t *testing.T) []room {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", module+"...")
	var words strings.Builder
	cmd.Stderr = &words
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, words.String())
	}
	var all []room
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var r room
		err := d.Decode(&r)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
}

func allowed(list []string, name string) bool {
	for _, a := range list {
		below, tree := strings.CutSuffix(a, "/...")
		if name == a || tree && (name == below || strings.HasPrefix(name, below+"/")) {
			return true
		}
	}
	return false
}

func TestArrowsRunOneWay(t *testing.T) {
	for _, r := range rooms(t) {
		if strings.HasPrefix(r.name(), "cmd/") {
			continue
		}
		list, known := arrows[r.name()]
		if !known {
			t.Errorf("%s is a room that the design does not have", r.name())
			continue
		}
		for _, i := range r.Imports {
			if other, ours := strings.CutPrefix(i, module); ours && !allowed(list, other) {
				t.Errorf("%s may not import %s", r.name(), other)
			}
		}
	}
}

func TestLibrariesStayInTheirRooms(t *testing.T) {
	for _, r := range rooms(t) {
		for _, i := range r.Imports {
			for library, list := range libraries {
				if (i == library || strings.HasPrefix(i, library+"/")) && !allowed(list, r.name()) && r.name() != "static/generate" {
					t.Errorf("%s may not import %s", r.name(), i)
				}
			}
		}
	}
}

func TestTestSupportIsForTestsAlone(t *testing.T) {
	for _, r := range rooms(t) {
		for _, i := range r.Imports {
			other := strings.TrimPrefix(i, module)
			if strings.HasPrefix(other, "internal/test") && !strings.HasPrefix(r.name(), "internal/test") {
				t.Errorf("%s imports %s outside its tests", r.name(), other)
			}
		}
	}
}

// longest is how many lines a file may have before it is reported.
const longest = 500

func TestLongFilesAreReported(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git" || d.Name() == "vendor") {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(path) != ".go" {
			return nil
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		n := 0
		for s := bufio.NewScanner(f); s.Scan(); {
			n++
		}
		if n > longest {
			rel, _ := filepath.Rel(root, path)
			t.Logf("%s has %d lines: is it two things?", rel, n)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
